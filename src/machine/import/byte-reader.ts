/**
 * Bounds-checked reading of binary formats: whatever a length or an offset inside the file claims, a read beyond the
 * end is a `MachineError` that names the file and the byte.
 */
import { MachineError } from "../../engine/errors.ts";

/** Longer names than any format has; bounds the work that a missing terminator can cause. */
const MAX_NAME_BYTES = 256;

export class ByteReader {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  /** Where `bytes` begins in the file, for errors. */
  readonly #origin: number;

  constructor(name: string, bytes: Uint8Array, options: { littleEndian: boolean; origin?: number }) {
    this.name = name;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = options.littleEndian;
    this.#origin = options.origin ?? 0;
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(offset: number, what: string): number {
    this.need(offset, 1, what);
    return this.#view.getUint8(offset);
  }

  u16(offset: number, what: string): number {
    this.need(offset, 2, what);
    return this.#view.getUint16(offset, this.#littleEndian);
  }

  u32(offset: number, what: string): number {
    this.need(offset, 4, what);
    return this.#view.getUint32(offset, this.#littleEndian);
  }

  u64(offset: number, what: string): bigint {
    this.need(offset, 8, what);
    return this.#view.getBigUint64(offset, this.#littleEndian);
  }

  slice(offset: number, length: number, what: string): Uint8Array {
    this.need(offset, length, what);
    return this.bytes.subarray(offset, offset + length);
  }

  /** A NUL-terminated name of at most 256 bytes that ends before `limit`. */
  text(offset: number, limit: number, what: string): string {
    const end = Math.min(limit, this.length, offset + MAX_NAME_BYTES);
    this.need(offset, 1, what);
    let length = 0;
    while (offset + length < end && this.bytes[offset + length] !== 0) length++;
    if (offset + length === end) {
      this.fail(offset, `${what} doesn't end`, `a NUL within ${MAX_NAME_BYTES} bytes`);
    }
    return latin1(this.bytes.subarray(offset, offset + length));
  }

  need(offset: number, length: number, what: string): void {
    if (offset >= 0 && length >= 0 && offset + length <= this.length) return;
    this.fail(offset, `${what} lies outside the file`, `at most ${this.length} bytes`, `${length} bytes`);
  }

  fail(offset: number, problem: string, expected?: string, found?: string): never {
    throw new MachineError(problem, { file: this.name, offset: this.#origin + offset, found, expected });
  }
}

/** Bytes as the characters with those numbers: never fails, and compares like the bytes. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += 4096) {
    text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  }
  return text;
}
