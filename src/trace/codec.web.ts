/** The codecs of a browser: Compression Streams. Node has them too, where the tests compare them with zlib's. */
import { type ByteSink, concatenate } from "./bytes.ts";
import type { Codecs } from "./codec.ts";
import { crc32 } from "./crc32.ts";

type Transform = { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<BufferSource> };

export const webCodecs: Codecs = {
  gunzip: (chunks) => through(chunks, () => new DecompressionStream("gzip")),

  gzip(sink: ByteSink): ByteSink {
    const transform: Transform = new CompressionStream("gzip");
    const writer = transform.writable.getWriter();
    const pump = (async () => {
      for await (const chunk of read(transform.readable)) await sink.write(chunk);
    })();
    // Whoever writes or closes next reports it.
    pump.catch((error) => writer.abort(error).catch(() => {}));
    return {
      name: sink.name,
      async write(bytes) {
        await writer.write(bytes.slice()).catch(async (error) => {
          await pump;
          throw error;
        });
      },
      async close() {
        await Promise.all([writer.close(), pump]);
        await sink.close();
      },
      async abort() {
        await writer.abort().catch(() => {});
        await pump.catch(() => {});
        await sink.abort();
      },
    };
  },

  async inflateRaw(bytes, mostBytes) {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of through(once(bytes), () => new DecompressionStream("deflate-raw"))) {
      length += part.length;
      if (length > mostBytes) throw new RangeError("the compressed data is longer than it says");
      parts.push(part);
    }
    return concatenate(parts);
  },

  async deflateRaw(bytes) {
    const parts: Uint8Array[] = [];
    for await (const part of through(once(bytes), () => new CompressionStream("deflate-raw"))) parts.push(part);
    return concatenate(parts);
  },

  crc32,
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function* read(readable: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = readable.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  make: () => Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const transform = make();
  const writer = transform.writable.getWriter();
  const feed = (async () => {
    try {
      // A copy: the transform may look at the bytes after the write has been accepted.
      for await (const chunk of chunks) await writer.write(chunk.slice());
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => {});
      throw error;
    }
  })();
  feed.catch(() => {});
  try {
    yield* read(transform.readable);
    await feed;
  } finally {
    // Left early, the feed ends by itself, at its next write; it may be waiting for input that never comes.
    writer.abort().catch(() => {});
  }
}
