/**
 * The text that `valgrind --tool=lackey --trace-mem=yes` prints: `I  addr,size`, ` L addr,size`, ` S addr,size` and
 * ` M addr,size`, which is a load and then a store. Addresses are virtual. Valgrind's own messages are passed over.
 */
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteReader, ByteSink } from "./bytes.ts";
import { type EntryBuffer, LARGEST_SIZE } from "./entry-buffer.ts";
import type { EntryWriter } from "./source.ts";
import {
  appendAccess,
  isSpace,
  LineError,
  readAddress,
  readText,
  skipSpace,
  type TextOptions,
  type TextTrace,
  word,
  writeText,
} from "./text.ts";

const { LOAD, STORE, FETCH } = OPERATIONS;
const COMMA = 44;

const ACCESSES: Readonly<Record<string, readonly number[]>> = {
  I: [FETCH.code],
  L: [LOAD.code],
  S: [STORE.code],
  M: [LOAD.code, STORE.code],
};
const BY_LETTER: readonly (readonly number[] | undefined)[] = Array.from(
  { length: 128 },
  (_, byte) => ACCESSES[String.fromCharCode(byte)],
);

export const readLackey = (
  input: ByteReader,
  file: string,
  entries: EntryBuffer,
  options: TextOptions = {},
): TextTrace => readText(input, file, entries, parseLackeyLine, options.skip);

function parseLackeyLine(bytes: Uint8Array, start: number, end: number, entries: EntryBuffer): void {
  const at = skipSpace(bytes, start, end);
  if (at === end || isBanner(bytes, start, end)) return;
  const operations = BY_LETTER[bytes[at] as number];
  if (operations === undefined || !isSpace(bytes[at + 1])) {
    throw new LineError("unknown access", at, word(bytes, at, end), "I, L, S or M, then address,size");
  }
  const from = skipSpace(bytes, at + 1, end);
  const comma = readAddress(bytes, from, end);
  if (comma >= end || bytes[comma] !== COMMA) {
    throw new LineError("no size", comma, word(bytes, comma, end), "a comma and the size in bytes");
  }
  let size = 0;
  let digit = comma + 1;
  for (; digit < end && (bytes[digit] as number) >= 48 && (bytes[digit] as number) <= 57; digit++) {
    size = size * 10 + (bytes[digit] as number) - 48;
    if (size > LARGEST_SIZE) break;
  }
  if (size === 0 || size > LARGEST_SIZE) {
    throw new LineError("wrong size", comma + 1, word(bytes, comma + 1, end), `1 to ${LARGEST_SIZE}, decimal`);
  }
  const rest = skipSpace(bytes, digit, end);
  if (rest < end) throw new LineError("more than an access", digit, word(bytes, rest, end), "the end of the line");
  for (const operation of operations) appendAccess(entries, operation, size, bytes, from, end);
}

/** `==1234== text`, and Valgrind's other two kinds of message: `--1234-- text`, `**1234** text`. */
function isBanner(bytes: Uint8Array, start: number, end: number): boolean {
  const mark = bytes[start];
  if ((mark !== 61 && mark !== 45 && mark !== 42) || bytes[start + 1] !== mark) return false;
  let at = start + 2;
  while (at < end && (bytes[at] as number) >= 48 && (bytes[at] as number) <= 57) at++;
  return at > start + 2 && at + 1 < end && bytes[at] === mark && bytes[at + 1] === mark;
}

const LETTERS = [" L", " S", "I "];
/** Written for accesses without a size: D5's aligned doubleword, of which an instruction is half. */
const DEFAULT_SIZES = [8, 8, 4];

/** Writes loads, stores and fetches of one requester, with their sizes; anything else is an error unless `skip`. */
export const writeLackey = (sink: ByteSink, skip = false): EntryWriter =>
  writeText(
    sink,
    "lackey",
    skip,
    (operation, address, size) =>
      `${LETTERS[operation]} ${address.padStart(8, "0")},${size || DEFAULT_SIZES[operation]}\n`,
    true,
  );
