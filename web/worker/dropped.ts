/** Files that were dropped on the page, as sources of bytes. They are read where they lie, piece by piece. */
import { TraceError } from "../../src/engine/errors.ts";
import type { ByteSource } from "../../src/trace/bytes.ts";
import { DETECTION_BYTES, detectCompression } from "../../src/trace/detect.ts";

const CHUNK_BYTES = 1 << 20;

/** Throws `TraceError` for what the page lacks a reader of. */
export async function sourceOf(file: File): Promise<ByteSource> {
  const readAt = async (offset: number, length: number) =>
    new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
  // The library that reads zip archives weighs as much as all kernels: only the command line has it.
  if (detectCompression(await readAt(0, DETECTION_BYTES)) === "zip") {
    throw new TraceError("the page reads no zip archives", {
      file: file.name,
      found: "a zip archive",
      expected: "the trace itself: unpack it first",
    });
  }
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < file.size; at += CHUNK_BYTES) yield readAt(at, CHUNK_BYTES);
  }
  return { name: file.name, totalBytes: file.size, chunks, readAt };
}
