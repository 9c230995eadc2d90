/** Files that were dropped on the page, as sources of bytes. They are read where they lie, piece by piece. */
import type { ByteSource } from "../../src/trace/bytes.ts";

const CHUNK_BYTES = 1 << 20;

export function sourceOf(file: File): ByteSource {
  const readAt = async (offset: number, length: number) =>
    new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < file.size; at += CHUNK_BYTES) yield readAt(at, CHUNK_BYTES);
  }
  return { name: file.name, totalBytes: file.size, chunks, readAt };
}
