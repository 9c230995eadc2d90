/** Traces behind URLs and in the objects that platforms hand out: responses, files of a page, streams. */
import { TraceError } from "../engine/errors.ts";
import type { ByteSource } from "./bytes.ts";

/** Fetches a URL, relative to the page where it is relative. Throws `TraceError` unless it answers with success. */
export async function fetchedSource(place: string | URL): Promise<ByteSource> {
  const name = String(place);
  const response = await fetch(place).catch((cause: unknown) => {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TraceError("can't be fetched", { file: name, found, cause });
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const found = `${response.status} ${response.statusText}`.trim();
    throw new TraceError("can't be fetched", { file: name, found, expected: "an answer with a body" });
  }
  return streamSource(response.body, name);
}

/** A stream as a source, to be read once. */
export function streamSource(stream: ReadableStream<Uint8Array>, name = "stream"): ByteSource {
  return {
    name,
    totalBytes: undefined,
    chunks: () => chunksOf(stream),
    close: async () => {
      // A locked stream is let go by whoever reads it.
      if (!stream.locked) await stream.cancel();
    },
  };
}

/** A file that a page was given (by a drop, an input, a handle), or any other blob. */
export function blobSource(blob: Blob): ByteSource {
  const name = "name" in blob && typeof blob.name === "string" ? blob.name : "blob";
  return {
    name,
    totalBytes: blob.size,
    chunks: () => chunksOf(blob.stream()),
    readAt: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/** Not every browser can iterate over a stream. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
