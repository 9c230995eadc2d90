/** The codecs of Node: zlib, whose one-shot calls run on other threads while the engine plays. */
import type { Transform } from "node:stream";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import type { ByteSink } from "./bytes.ts";
import type { Codecs } from "./codec.ts";
import { crc32 } from "./crc32.ts";

const STREAM_CHUNK_BYTES = 1 << 18;
/** Level 9 makes `.swt` half a percent smaller than level 6 and takes four times as long. */
const RAW_OPTIONS: zlib.ZlibOptions = { level: 6, memLevel: 9 };

const inflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const deflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);

const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: zlib.ZlibOptions) => Transform };

export const nodeCodecs: Codecs = {
  gunzip: (chunks) => through(chunks, zlib.createGunzip({ chunkSize: STREAM_CHUNK_BYTES })),

  // Node has it since 22.15.
  unzstdFrame:
    createZstdDecompress && ((chunks) => through(chunks, createZstdDecompress({ chunkSize: STREAM_CHUNK_BYTES }))),

  gzip(sink: ByteSink): ByteSink {
    const gzip = zlib.createGzip({ chunkSize: STREAM_CHUNK_BYTES });
    const pump = (async () => {
      for await (const part of gzip) await sink.write(part as Uint8Array);
    })();
    pump.catch(() => {});
    return {
      name: sink.name,
      async write(bytes) {
        await written(gzip, bytes).catch(async (error) => {
          // When the sink failed, its error is the one to tell.
          await pump;
          throw error;
        });
      },
      async close() {
        gzip.end();
        await pump;
        await sink.close();
      },
      async abort() {
        gzip.destroy();
        await pump.catch(() => {});
        await sink.abort();
      },
    };
  },

  inflateRaw: (bytes, mostBytes) =>
    inflate(bytes, { maxOutputLength: Math.max(mostBytes, 1), chunkSize: outputChunk(mostBytes) }),
  deflateRaw: (bytes) => deflate(bytes, RAW_OPTIONS),
  // Node has it since 20.15.
  crc32: (zlib as Partial<typeof zlib>).crc32 ?? crc32,
};

/** One output buffer that holds everything spares zlib the copying. */
const outputChunk = (bytes: number): number => Math.max(bytes + 1, 64);

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feed = (async () => {
    for await (const chunk of chunks) await written(transform, chunk);
    transform.end();
  })();
  feed.catch((error) => transform.destroy(error));
  try {
    for await (const part of transform) yield part as Uint8Array;
  } finally {
    // The feed ends by itself, at its next write; it may be waiting for input that never comes.
    transform.destroy();
  }
}

/** Settles when the transform has consumed the bytes, which is later than when it has accepted them. */
function written(transform: Transform, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // A transform that fails or is destroyed never answers the write that it was at.
    const closed = (): void => reject(new Error("the stream was closed"));
    transform.once("close", closed);
    transform.write(bytes, (error) => {
      transform.off("close", closed);
      if (error) reject(error);
      else resolve();
    });
  });
}
