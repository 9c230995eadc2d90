/** What a platform must lend to read and write compressed traces. Browsers lend Compression Streams, Node lends zlib. */
import type { ByteSink } from "./bytes.ts";

export interface Codecs {
  /** Decompresses gzip, several members after one another included; throws whatever the platform throws. */
  gunzip(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** A sink whose bytes reach `sink` as gzip. */
  gzip(sink: ByteSink): ByteSink;
  /** Decompresses one whole frame of zstd; absent where the platform can't. Throws whatever the platform throws. */
  readonly unzstdFrame?: ((chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | undefined;
  /** Inflates one raw deflate stream; rejects when it is damaged or gives more than `mostBytes`. */
  inflateRaw(bytes: Uint8Array, mostBytes: number): Promise<Uint8Array>;
  deflateRaw(bytes: Uint8Array): Promise<Uint8Array>;
  /** CRC-32 of `bytes`, going on from `previous`, that of what came before them. */
  crc32(bytes: Uint8Array, previous: number): number;
}
