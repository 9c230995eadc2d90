/** What writers of other tools' binary formats share: records with what their prefixes say, and refusals of what can't be held. */
import { TraceError } from "../engine/errors.ts";
import { OPERATION_BY_CODE, OPERATIONS } from "../engine/operations.ts";
import type { ByteSink } from "./bytes.ts";
import { isPrefix, operationOf, requesterOf } from "./entry.ts";
import type { EntryWriter } from "./source.ts";

const { LOAD, STORE, FETCH, WITH } = OPERATIONS;
/** What an access without a size is taken for: D5's aligned doubleword, of which an instruction is half. */
const DEFAULT_SIZES: ReadonlyMap<number, number> = new Map([
  [LOAD.code, 8],
  [STORE.code, 8],
  [FETCH.code, 4],
]);

export interface WrittenRecord {
  readonly operation: number;
  readonly low: number;
  readonly high16: number;
  /** As the record says, or the usual one of its operation. */
  readonly sizeBytes: number;
  readonly requester: number;
}

/** A format's part: bytes before everything, of a record, behind everything. */
export interface RecordFormat {
  readonly name: string;
  readonly holds: readonly number[];
  begin(bytes: ByteList): void;
  record(bytes: ByteList, record: WrittenRecord): void;
  end(bytes: ByteList): void;
}

/** Bytes that grow. */
export class ByteList {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** A protobuf varint of a whole number below 2^53. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) + 128;
    this.#bytes[this.#length++] = rest;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written, valid until something else is. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

export function writeRecords(sink: ByteSink, format: RecordFormat, skip = false): EntryWriter {
  const bytes = new ByteList();
  const held = new Set(format.holds);
  let begun = false;
  let skipped = 0;
  let records = 0;
  let size = 0;
  let requester = 0;

  const refuse = (found: string, expected: string): void => {
    skipped++;
    if (skip) return;
    throw new TraceError(`${format.name} can't hold this record`, {
      file: sink.name,
      record: records,
      found,
      expected,
    });
  };
  const begin = (): void => {
    if (!begun) format.begin(bytes);
    begun = true;
  };

  return {
    get skipped() {
      return skipped;
    },
    async write(words) {
      begin();
      for (let at = 0; at < words.length; at += 2) {
        const low = words[at] as number;
        const high = words[at + 1] as number;
        const operation = operationOf(high);
        if (isPrefix(operation)) {
          // Size in bits 0-23, requester in 24-39; above them are attribute and upper half.
          const isPlain = operation === WITH.code && (high & 0xff00) === 0;
          if (!isPlain) refuse(`a prefix of operation ${operation}`, "sizes and requesters only");
          else {
            size = low & 0xffffff;
            requester = (low >>> 24) | ((high & 0xff) << 8);
          }
          continue;
        }
        if (!held.has(operation)) {
          const known = format.holds.map((code) => OPERATION_BY_CODE[code]?.name).join(", ");
          refuse(OPERATION_BY_CODE[operation]?.name ?? `operation ${operation}`, known);
        } else {
          format.record(bytes, {
            operation,
            low,
            high16: high & 0xffff,
            sizeBytes: size || (DEFAULT_SIZES.get(operation) ?? 0),
            requester: requester > 0 ? requester - 1 : requesterOf(high),
          });
        }
        size = 0;
        requester = 0;
        records++;
      }
      await sink.write(bytes.take());
    },
    async close() {
      begin();
      format.end(bytes);
      await sink.write(bytes.take());
      await sink.close();
    },
    abort: () => sink.abort(),
  };
}
