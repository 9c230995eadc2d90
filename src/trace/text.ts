/** What the text formats share: cutting bytes into lines in bounded memory, numbers in them, and errors that say where. */
import { TraceError } from "../engine/errors.ts";
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteReader, ByteSink } from "./bytes.ts";
import { isPrefix, operationOf, requesterOf } from "./entry.ts";
import type { EntryBuffer } from "./entry-buffer.ts";
import type { EntryWriter } from "./source.ts";

const NEWLINE = 10;
/** No line of a trace is longer; a file without line ends must not be gathered whole. */
const LONGEST_LINE = 65536;
/** One line gives at most this many entries (a modify: two accesses, each on two pages, with a size each). */
const MOST_ENTRIES_OF_A_LINE = 8;

export interface TextOptions {
  /** Keeps the sizes of accesses, as a `WITH` prefix (semantics D5). Otherwise an access is one record at its address. */
  readonly sizes?: boolean | undefined;
  /** Leaves out what isn't understood, and counts it, where there would be an error. */
  readonly skip?: boolean | undefined;
}

/** Thrown by a line parser: what is wrong at which byte of the line. Becomes a `TraceError` with the line's number. */
export class LineError extends Error {
  readonly at: number;
  readonly found: string;
  readonly expected: string;

  constructor(what: string, at: number, found: string, expected: string) {
    super(what);
    this.at = at;
    this.found = found;
    this.expected = expected;
  }
}

/** Appends the entries of the line in `bytes` from `start` up to `end`, its line end not included. Throws `LineError`. */
export type LineParser = (bytes: Uint8Array, start: number, end: number, entries: EntryBuffer) => void;

export interface TextTrace {
  readonly skipped: number;
  batches(): AsyncGenerator<Uint32Array, void, undefined>;
}

export function readText(
  input: ByteReader,
  file: string,
  entries: EntryBuffer,
  parse: LineParser,
  skip = false,
): TextTrace {
  let line = 0;
  let skipped = 0;

  const parseLine = (bytes: Uint8Array, start: number, newline: number): void => {
    line++;
    const end = newline > start && bytes[newline - 1] === 13 ? newline - 1 : newline;
    const before = entries.count;
    try {
      parse(bytes, start, end, entries);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      entries.count = before;
      if (skip) {
        skipped++;
        return;
      }
      const { message, at, found, expected } = error;
      throw new TraceError(message, { file, line, column: at - start + 1, found, expected });
    }
  };

  const isFull = (): boolean => !entries.hasRoom(MOST_ENTRIES_OF_A_LINE);

  /** Parses whole lines until the batch is full or none is left; where it stopped is returned. */
  const parseLines = (bytes: Uint8Array, start: number): number => {
    let at = start;
    for (let i = start; i < bytes.length && !isFull(); i++) {
      if (bytes[i] !== NEWLINE) continue;
      parseLine(bytes, at, i);
      at = i + 1;
    }
    return at;
  };

  async function* batches(): AsyncGenerator<Uint32Array, void, undefined> {
    /** The beginning of a line whose end hasn't come yet. */
    let carried = new Uint8Array(0);
    let failure: { readonly error: unknown } | undefined;
    try {
      for (let chunk = await input.next(); chunk !== undefined; chunk = await input.next()) {
        let at = 0;
        if (carried.length > 0) {
          const newline = chunk.indexOf(NEWLINE);
          const tail = chunk.subarray(0, newline < 0 ? chunk.length : newline);
          const joined = new Uint8Array(carried.length + tail.length);
          joined.set(carried);
          joined.set(tail, carried.length);
          carried = joined;
          if (newline < 0 && carried.length <= LONGEST_LINE) continue;
          checkLength(carried.length);
          parseLine(carried, 0, carried.length);
          at = newline + 1;
        }
        for (at = parseLines(chunk, at); isFull(); at = parseLines(chunk, at)) yield entries.take();
        // A copy: asking for the next chunk ends the life of this one.
        carried = chunk.slice(at);
        checkLength(carried.length);
      }
      if (carried.length > 0) parseLine(carried, 0, carried.length);
    } catch (error) {
      failure = { error };
    }
    if (entries.count > 0) yield entries.take();
    if (failure) throw failure.error;
  }

  function checkLength(length: number): void {
    if (length <= LONGEST_LINE) return;
    throw new TraceError("line too long", {
      file,
      line: line + 1,
      column: LONGEST_LINE + 1,
      found: `more than ${LONGEST_LINE} bytes without a line end`,
      expected: "one access a line",
    });
  }

  return {
    batches,
    get skipped() {
      return skipped;
    },
  };
}

export const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 9;

/** The first byte from `at` that isn't a blank. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(bytes[at])) at++;
  return at;
}

/** What stands at `at`, for an error: up to the next blank, or the end of the line. */
export function word(bytes: Uint8Array, at: number, end: number): string {
  if (at >= end) return "the end of the line";
  let to = at + 1;
  while (to < end && !isSpace(bytes[to])) to++;
  return quote(bytes, at, to);
}

export function quote(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to && text.length < 40; i++) {
    const byte = bytes[i] as number;
    text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"${to - from > 40 ? "..." : ""}`;
}

/** Value of a hexadecimal digit, or -1. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The last address read by `readAddress`, in two parts; fields and not a result, for speed. */
const address = { low: 0, high: 0 };

/** Reads a hexadecimal address of at most 64 bits into `address`; the first byte after it is returned. */
export function readAddress(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] === 48 && at + 1 < end && ((bytes[at + 1] as number) | 32) === 120) at += 2;
  const first = at;
  let low = 0;
  let high = 0;
  for (; at < end; at++) {
    const digit = hexDigit(bytes[at]);
    if (digit < 0) break;
    if (high > 0xfffffff) {
      throw new LineError("address too large", start, word(bytes, start, end), "at most 64 bits");
    }
    high = ((high << 4) | (low >>> 28)) >>> 0;
    low = (low << 4) | digit;
  }
  if (at === first) throw new LineError("no address", start, word(bytes, start, end), "a hexadecimal address");
  address.low = low >>> 0;
  address.high = high;
  return at;
}

/** Appends an access to the address just read, which stands at `start`. Throws `LineError` if it can't be held. */
export function appendAccess(
  entries: EntryBuffer,
  operation: number,
  sizeBytes: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (entries.access(operation, address.low, address.high, sizeBytes)) return;
  const { what, expected } = entries.addresses.refusal;
  throw new LineError(what, start, word(bytes, start, end), expected);
}

/** A writer of one line an access. `line` gives the text of a load, store or fetch. */
export function writeText(
  sink: ByteSink,
  format: string,
  skip: boolean,
  line: (operation: number, address: string, sizeBytes: number) => string,
  holdsSizes: boolean,
): EntryWriter {
  const encoder = new TextEncoder();
  let skipped = 0;
  let records = 0;
  let size = 0;
  let onlyRequester: number | undefined;

  const refuse = (found: string, expected: string): void => {
    skipped++;
    if (!skip)
      throw new TraceError(`${format} can't hold this record`, { file: sink.name, record: records, found, expected });
  };

  return {
    get skipped() {
      return skipped;
    },
    async write(words) {
      let text = "";
      for (let i = 0; i < words.length; i += 2) {
        const low = words[i] as number;
        const high = words[i + 1] as number;
        const operation = operationOf(high);
        if (isPrefix(operation)) {
          const plainSize = operation === OPERATIONS.WITH.code && low >>> 24 === 0 && (high & 0xffff) === 0;
          if (holdsSizes && plainSize) size = low;
          else
            refuse(
              `a prefix of operation ${operation}`,
              holdsSizes ? "sizes only" : "loads, stores and fetches without prefixes",
            );
          continue;
        }
        if (operation > OPERATIONS.FETCH.code) refuse(`operation ${operation}`, "load, store or fetch (0, 1, 2)");
        else {
          onlyRequester ??= requesterOf(high);
          if (requesterOf(high) !== onlyRequester)
            refuse(`requester ${requesterOf(high)}`, `requester ${onlyRequester} throughout`);
          else text += line(operation, ((high & 0xffff) * 0x100000000 + low).toString(16), size);
        }
        size = 0;
        records++;
      }
      await sink.write(encoder.encode(text));
    },
    close: () => sink.close(),
    abort: () => sink.abort(),
  };
}
