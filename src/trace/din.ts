/**
 * Dinero's traditional input format, one access a line: a label (0 read, 1 write, 2 instruction fetch), blanks, a
 * hexadecimal address, and whatever comment follows. It has no sizes; Dinero IV takes each as within one block.
 */
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteReader, ByteSink } from "./bytes.ts";
import type { EntryBuffer } from "./entry-buffer.ts";
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

/** Dinero's labels 0, 1 and 2 are our operation codes; the order of this list ties them together. */
const LABELS = [OPERATIONS.LOAD.code, OPERATIONS.STORE.code, OPERATIONS.FETCH.code];
const LABELS_EXPECTED = "0 (read), 1 (write) or 2 (instruction fetch)";
/** What Dinero III does with 3 and 4 (unknown access, flush everything) has no counterpart on an Arm machine. */
const ESCAPES = [3, 4];

export const readDin = (input: ByteReader, file: string, entries: EntryBuffer, options: TextOptions = {}): TextTrace =>
  readText(input, file, entries, parseDinLine, options.skip);

function parseDinLine(bytes: Uint8Array, start: number, end: number, entries: EntryBuffer): void {
  const at = skipSpace(bytes, start, end);
  if (at === end) return;
  const label = (bytes[at] as number) - 48;
  const operation = LABELS[label];
  const alone = at + 1 === end || isSpace(bytes[at + 1]);
  if (operation === undefined || !alone) {
    const what = alone && ESCAPES.includes(label) ? "an escape record isn't an access" : "unknown label";
    throw new LineError(what, at, word(bytes, at, end), LABELS_EXPECTED);
  }
  const from = skipSpace(bytes, at + 1, end);
  const after = readAddress(bytes, from, end);
  if (after < end && !isSpace(bytes[after])) {
    throw new LineError("not a hexadecimal digit", after, word(bytes, after, end), "a blank or the end of the line");
  }
  appendAccess(entries, operation, 0, bytes, from, end);
}

/** Writes loads, stores and fetches of one requester; anything else is an error unless `skip`. */
export const writeDin = (sink: ByteSink, skip = false): EntryWriter =>
  writeText(sink, "din", skip, (operation, address) => `${LABELS.indexOf(operation)} ${address}\n`, false);
