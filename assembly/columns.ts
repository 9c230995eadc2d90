// Puts the columns of a `.swt` chunk (docs/trace-format.md) together again: part of a module of its own, beside the kernel.

import { BLOCK, begin, decode, isRead, LONGEST, MOVES } from "./moves";
import { joinPlain, LAST_PLAIN } from "./plain-columns";

/** Entries of the largest chunk. */
const ENTRIES: usize = 65536;

/** Entries that are paired together. */
const TOGETHER: usize = 16;

// Where the caller puts the columns, and finds the entries; behind columns there is room for what is read too much.
export const operations: usize = (__heap_base + 15) & ~15;
export const requesters: usize = operations + ENTRIES + TOGETHER;
export const lines: usize = requesters + ENTRIES + TOGETHER;
export const offsets: usize = lines + LONGEST * ENTRIES + 2 * BLOCK;
export const words: usize = offsets + ENTRIES + BLOCK;
/** By requester and operation: the last entry, without its offset. Plain entries need none of them, and are written 7 too many. */
const lastWords: usize = words + 8 * ENTRIES;
/** By entry: requester and operation. */
const streams: usize = lastWords + 8 * 65536;
const END: usize = streams + 2 * (ENTRIES + TOGETHER);

memory.grow(<i32>((END >> 16) + 1) - memory.size());

/**
 * Fills `words` from columns of so many entries and bytes of lines. Returns their largest operation; -1 if there is something
 * wrong with them, and `words` means nothing then.
 */
export function join(entries: u32, lineBytes: u32): i32 {
  const largest = survey(entries);
  if (largest < 0) return -1;
  begin(lines, lineBytes);
  // Where many numbers are long, lines are far apart, and adding up moves one by one is faster.
  const isPlain = largest <= LAST_PLAIN && lastRequester == 0 && lineBytes < entries + (entries >> 1);
  return (isPlain ? joinPlain(entries) : joinAny(entries, largest)) ? largest : -1;
}

/** Entry by entry: any operations of any requesters, however far apart. Whether they are right. */
function joinAny(entries: usize, largest: u32): bool {
  pair(entries, largest);
  let entry: usize = 0;
  let strayed: u64 = 0;
  while (!isRead()) {
    const until = entry + decode(false);
    if (until > entries) return false;
    for (let from = MOVES; entry < until; from += 8) {
      const last = lastWords + ((<usize>load<u16>(streams + (entry << 1))) << 3);
      const before = load<u64>(last);
      const word = before + load<u64>(from);
      store<u64>(last, word);
      store<u64>(words + (entry << 3), word | load<u8>(offsets + entry));
      // A line that leaves its 42 bits changes the stream beside them.
      strayed |= word ^ before;
      entry++;
    }
  }
  return entry == entries && strayed >> 48 == 0;
}

/** Of the columns that were surveyed last. */
let lastRequester: u32 = 0;

/** The largest operation of the columns; -1 for an offset above 63. Behind the last entry they have only zeros from now on. */
function survey(entries: u32): i32 {
  let operation = i8x16.splat(0);
  let requester = i8x16.splat(0);
  let offset = i8x16.splat(0);
  v128.store(operations + entries, i8x16.splat(0));
  v128.store(requesters + entries, i8x16.splat(0));
  v128.store(offsets + entries, i8x16.splat(0));
  for (let at: usize = 0; at < entries; at += TOGETHER) {
    operation = i8x16.max_u(operation, v128.load(operations + at));
    requester = i8x16.max_u(requester, v128.load(requesters + at));
    offset = v128.or(offset, v128.load(offsets + at));
  }
  lastRequester = largestOf(requester);
  return largestOf(offset) > 63 ? -1 : largestOf(operation);
}

/** Pairs operations with requesters, and forgets the lines of all pairs that can occur. */
function pair(entries: usize, largest: u32): void {
  for (let at: usize = 0; at < entries; at += TOGETHER) {
    const low = v128.load(operations + at);
    const high = v128.load(requesters + at);
    const to = streams + (at << 1);
    v128.store(to, i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(to, i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
  for (let row: u32 = 0; row <= lastRequester; row++) {
    for (let i: u32 = 0; i <= largest; i++) {
      const stream = <usize>((row << 8) | i);
      store<u64>(lastWords + (stream << 3), (<u64>stream) << 48);
    }
  }
}

function largestOf(bytes: v128): u32 {
  let most = i8x16.max_u(
    bytes,
    i8x16.shuffle(bytes, bytes, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15),
  );
  most = i8x16.max_u(most, i8x16.shuffle(most, most, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
  let value: u32 = 0;
  const four = i32x4.extract_lane(most, 0);
  for (let shift = 0; shift < 32; shift += 8) value = max(value, (four >> shift) & 0xff);
  return value;
}
