/**
 * Zstandard (RFC 8878), frame by frame: several after one another are one stream, skippable ones among them. Where frames begin
 * and end is found here, because neither Node's decompressor, which stops after the first frame, nor the package fzstd, which
 * looks at no checksum and takes windows of any size, can be left alone with a file. What is in a block is theirs.
 */
import { TraceError } from "../engine/errors.ts";
import { type ByteReader, concatenate } from "./bytes.ts";
import type { Codecs } from "./codec.ts";
import { Xxh64 } from "./xxh64.ts";

const MAGIC = 0xfd2f_b528;
/** Of frames without contents: the low four bits are anything. */
const SKIPPABLE_MAGIC = 0x184d_2a50;
/** zstd's own limit, unless it is told otherwise. */
const LARGEST_WINDOW = 128 * 2 ** 20;
const LARGEST_BLOCK = 128 << 10;
const CHECKSUM_BYTES = 4;
/** Bytes of a frame's content size, by the header's two bits; one more where the frame is a single segment. */
const SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

interface FrameHeader {
  readonly bytes: Uint8Array;
  readonly hasChecksum: boolean;
}

/** Decompresses; a chunk is valid until the next one is asked for. Throws `TraceError` on damaged or truncated data. */
export async function* unzstd(
  input: ByteReader,
  file: string,
  codecs: Codecs,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  const damaged = (found: string, expected = "an intact zstd frame", cause?: unknown): TraceError =>
    new TraceError("can't decompress zstd", { file, offset, found, expected, cause });
  const take = async (count: number): Promise<Uint8Array> => {
    const taken = await input.read(count);
    if (taken.length === count) return taken;
    const found = "the end of the file";
    throw new TraceError("truncated zstd data", { file, offset, found, expected: "the end of the zstd frame" });
  };

  /** The header behind the magic number. */
  const readHeader = async (magic: Uint8Array): Promise<FrameHeader> => {
    const first = await take(1);
    const descriptor = first[0] as number;
    const isSingleSegment = (descriptor & 0x20) !== 0;
    if ((descriptor & 8) !== 0) throw damaged("a reserved bit of the frame's header");
    const sizeBytes = SIZE_BYTES[descriptor >>> 6] || (isSingleSegment ? 1 : 0);
    const dictionaryBytes = DICTIONARY_BYTES[descriptor & 3] as number;
    const windowBytes = isSingleSegment ? 0 : 1;
    const rest = await take(windowBytes + dictionaryBytes + sizeBytes);
    const dictionary = littleEndian(rest.subarray(windowBytes, windowBytes + dictionaryBytes));
    if (dictionary !== 0) throw damaged(`dictionary ${dictionary}`, "a frame without a dictionary");
    const window = isSingleSegment
      ? littleEndian(rest.subarray(dictionaryBytes)) + (sizeBytes === 2 ? 256 : 0)
      : windowOf(rest[0] as number);
    if (window > LARGEST_WINDOW) throw damaged(`a window of ${window} bytes`, `at most ${LARGEST_WINDOW}`);
    return { bytes: concatenate([magic, first, rest]), hasChecksum: (descriptor & 4) !== 0 };
  };

  /** A whole frame: its header, its blocks one by one, its checksum. */
  async function* frameAfter(header: FrameHeader): AsyncGenerator<Uint8Array, void, undefined> {
    yield header.bytes;
    for (let isLast = false; !isLast; ) {
      const head = await take(3);
      const value = littleEndian(head);
      isLast = (value & 1) !== 0;
      const type = (value >>> 1) & 3;
      const size = value >>> 3;
      if (type === RESERVED_BLOCK || size > LARGEST_BLOCK) throw damaged(`a block of type ${type} and ${size} bytes`);
      yield concatenate([head, await take(type === RLE_BLOCK ? 1 : size)]);
    }
    if (header.hasChecksum) yield await take(CHECKSUM_BYTES);
  }

  for (;;) {
    const start = await input.peek(1);
    if (start.length === 0) {
      // An error of the input comes to light when something is taken.
      await input.next();
      return;
    }
    const magicBytes = await take(4);
    const magic = littleEndian(magicBytes);
    if ((magic & ~15) >>> 0 === SKIPPABLE_MAGIC) {
      for (let left = littleEndian(await take(4)); left > 0; ) left -= (await take(Math.min(left, 1 << 16))).length;
      continue;
    }
    if (magic !== MAGIC) throw damaged(`0x${magic.toString(16)}`, "a zstd frame");
    const header = await readHeader(magicBytes);
    const frame = frameAfter(header);
    try {
      for await (const bytes of codecs.unzstdFrame?.(frame) ?? portably(frame, header.hasChecksum)) {
        offset += bytes.length;
        yield bytes;
      }
    } catch (cause) {
      if (cause instanceof TraceError) throw cause;
      throw damaged(cause instanceof Error ? cause.message : String(cause), undefined, cause);
    }
  }
}

/** By the package fzstd, which is loaded when it is needed. */
async function* portably(
  frame: AsyncIterable<Uint8Array>,
  hasChecksum: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { Decompress } = await import("fzstd");
  let parts: Uint8Array[] = [];
  const decompress = new Decompress((part) => parts.push(part));
  const checksum = new Xxh64();
  function* given(): Generator<Uint8Array, void, undefined> {
    for (const part of parts.filter(({ length }) => length > 0)) {
      if (hasChecksum) checksum.add(part);
      yield part;
    }
    parts = [];
  }
  let last: Uint8Array | undefined;
  for await (const bytes of frame) {
    last = bytes;
    decompress.push(bytes);
    yield* given();
  }
  decompress.push(new Uint8Array(0), true);
  yield* given();
  if (hasChecksum && checksum.low() !== littleEndian(last as Uint8Array)) throw new Error("a wrong checksum");
}

/** The window that a byte of the header says: an exponent and eighths. */
function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >>> 3));
  return base + (base / 8) * (byte & 7);
}

const littleEndian = (bytes: Uint8Array): number => bytes.reduceRight((value, byte) => value * 256 + byte, 0);
