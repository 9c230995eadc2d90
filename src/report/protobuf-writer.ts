/** Just enough of protobuf's wire format to write messages of numbers, texts and messages. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIRST_BYTES = 256;

export class ProtobufWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** A whole number from 0 to 2^53 - 1. */
  varint(field: number, value: number): void {
    this.#number(field * 8 + VARINT);
    this.#number(value);
  }

  /** A whole number from 0 to 2^53 - 1, in eight bytes. */
  fixed64(field: number, value: number): void {
    this.#number(field * 8 + FIXED64);
    this.#view(8).setBigUint64(0, BigInt(value), true);
  }

  double(field: number, value: number): void {
    this.#number(field * 8 + FIXED64);
    this.#view(8).setFloat64(0, value, true);
  }

  text(field: number, value: string): void {
    this.#append(field, new TextEncoder().encode(value));
  }

  message(field: number, write: (message: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.#append(field, inner.bytes());
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #append(field: number, bytes: Uint8Array): void {
    this.#number(field * 8 + BYTES);
    this.#number(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #number(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) + 128;
    this.#bytes[this.#length++] = rest;
  }

  /** The next bytes, to be written to. */
  #view(length: number): DataView {
    this.#reserve(length);
    this.#length += length;
    return new DataView(this.#bytes.buffer, this.#length - length, length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
