/** Just enough of protobuf's wire format to read flat messages of numbers and strings without copying them. */

/** What is wrong in a message; becomes a `TraceError` where the place is known. */
export class ProtobufError extends Error {
  readonly found: string;
  readonly expected: string;

  constructor(what: string, found: string, expected: string) {
    super(what);
    this.found = found;
    this.expected = expected;
  }
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** A varint of 64 bits. */
const LONGEST_VARINT = 10;

export class MessageReader {
  at = 0;
  /** The last field read. */
  field = 0;
  isBytes = false;
  /** Value of a number, in two parts. */
  low = 0;
  high = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  #from = 0;

  open(bytes: Uint8Array, from: number, end: number): void {
    this.#bytes = bytes;
    this.at = from;
    this.#end = end;
  }

  /** Reads the next field; false at the end of the message. Throws `ProtobufError`. */
  next(): boolean {
    if (this.at >= this.#end) return false;
    this.#varint();
    const key = this.low;
    this.field = key >>> 3;
    this.isBytes = false;
    switch (key & 7) {
      case VARINT:
        this.#varint();
        break;
      case FIXED32:
        this.#skip(4);
        break;
      case FIXED64:
        this.#skip(8);
        break;
      case BYTES:
        this.#varint();
        this.isBytes = true;
        this.#from = this.at;
        this.#skip(this.high > 0 ? Number.POSITIVE_INFINITY : this.low);
        break;
      default:
        throw new ProtobufError("damaged message", `wire type ${key & 7}`, "0, 1, 2 or 5");
    }
    return true;
  }

  /** The last field as text. */
  text(): string {
    return new TextDecoder().decode(this.#bytes.subarray(this.#from, this.at));
  }

  /** The last field as a message of its own. */
  message(): MessageReader {
    const inner = new MessageReader();
    inner.open(this.#bytes, this.#from, this.at);
    return inner;
  }

  /** A number of at most 32 bits; `undefined` if it isn't all there. Throws `ProtobufError` if it is longer. */
  tryVarint(): number | undefined {
    for (let at = this.at; at < this.#end && at < this.at + LONGEST_VARINT; at++) {
      if ((this.#bytes[at] as number) >= 128) continue;
      this.#varint();
      return this.high * 2 ** 32 + this.low;
    }
    if (this.#end - this.at < LONGEST_VARINT) return undefined;
    throw new ProtobufError("damaged message", "a length that doesn't end", "at most 10 bytes");
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let i = 0; i < LONGEST_VARINT; i++) {
      if (this.at >= this.#end) throw new ProtobufError("damaged message", "its end within a number", "the rest");
      const byte = this.#bytes[this.at++] as number;
      const bits = byte & 127;
      const shift = 7 * i;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new ProtobufError("damaged message", "a number that doesn't end", "at most 10 bytes");
  }

  #skip(count: number): void {
    if (this.at + count > this.#end) {
      throw new ProtobufError("damaged message", `a field of ${count} bytes`, `at most ${this.#end - this.at}`);
    }
    this.at += count;
  }
}
