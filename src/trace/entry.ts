/** Entries of a trace: 64 bits that are a record or a prefix of the record that follows (semantics D5). */
import { OPERATION_BY_CODE, OPERATIONS } from "../engine/operations.ts";

/** By operation code: 1 for prefixes. */
const PREFIX = Uint8Array.from(OPERATION_BY_CODE, (operation) => (operation?.prefix ? 1 : 0));

/** Operations below this are none. */
export const FIRST_PREFIX = PREFIX.indexOf(1);

/** Operations up to this are loads, stores, fetches and atomics. */
export const LAST_ACCESS = OPERATIONS.ATOMIC.code;

/** More prefixes than this before one record aren't kept together: nobody writes that, and memory must stay bounded. */
const MOST_PREFIXES = 16;

export const operationOf = (high: number): number => (high >>> 16) & 255;
export const requesterOf = (high: number): number => high >>> 24;

export const isPrefix = (operation: number): boolean => PREFIX[operation] === 1;

/** How many of these entries are records. */
export function countRecords(words: Uint32Array): number {
  let prefixes = 0;
  for (let i = 1; i < words.length; i += 2) prefixes += PREFIX[((words[i] as number) >>> 16) & 255] as number;
  return words.length / 2 - prefixes;
}

/** How many entries at the end are prefixes whose record is yet to come; 0 where there are too many to keep together. */
export function trailingPrefixes(words: Uint32Array): number {
  const entries = words.length / 2;
  let count = 0;
  while (count < entries && isPrefix(operationOf(words[2 * (entries - count) - 1] as number))) {
    if (++count > MOST_PREFIXES) return 0;
  }
  return count;
}
