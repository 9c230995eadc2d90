// Puts the columns of a `.swt` chunk (docs/trace-format.md) together again: part of a module of its own, beside the kernel. The ends
// of numbers are bits of a mask, so that the host needn't have decoded one number to know where the next begins.

/** Entries of the largest chunk, and the bytes of the longest number. */
const ENTRIES: usize = 65536;
const LONGEST: usize = 7;
/** Line bytes looked at together; a number begins in one such block and may end in the next. */
const BLOCK: usize = 64;

// Where the caller puts the columns, and finds the entries; behind the lines there is room for what a last block reads too much.
export const operations: usize = (__heap_base + 15) & ~15;
export const requesters: usize = operations + ENTRIES;
export const lines: usize = requesters + ENTRIES;
export const offsets: usize = lines + LONGEST * ENTRIES + 2 * BLOCK;
export const words: usize = offsets + ENTRIES + BLOCK;
/** By requester and operation: the line of the last entry. */
const lastLines: usize = words + 8 * ENTRIES;
/** By entry: requester and operation. */
const streams: usize = lastLines + 8 * 65536;
const END: usize = streams + 2 * ENTRIES;

memory.grow(<i32>((END >> 16) + 1) - memory.size());

/**
 * Fills `words` from columns of so many entries and bytes of lines. Returns their largest operation; -1 if there is something
 * wrong with them, and `words` means nothing then.
 */
export function join(entries: u32, lineBytes: u32): i32 {
  const largest = pair(entries);
  if (largest < 0) return -1;
  const end = lines + lineBytes;
  let entry: usize = 0;
  let begin = lines;
  let seen: u64 = 0;
  for (let block = lines; block < end; block += BLOCK) {
    let ends = endsIn(block);
    if (end - block < BLOCK) ends &= ((<u64>1) << (end - block)) - 1;
    if (entry + <usize>popcnt(ends) > entries) return -1;
    while (ends) {
      const next = block + <usize>ctz(ends) + 1;
      ends &= ends - 1;
      const bytes = next - begin;
      if (bytes > LONGEST) return -1;
      // Guessed rightly where lines are near one another, which are the traces that are played fastest.
      const number = bytes == 1 ? <u64>load<u8>(begin) : groupsOf(begin, bytes);
      begin = next;
      const stream = <usize>load<u16>(streams + (entry << 1));
      const last = lastLines + (stream << 3);
      const line = load<u64>(last) + ((number >> 1) ^ -(number & 1));
      store<u64>(last, line);
      seen |= line;
      store<u64>(words + (entry << 3), (line << 6) | load<u8>(offsets + entry) | ((<u64>stream) << 48));
      entry++;
    }
  }
  return entry == entries && begin == end && seen >> 42 == 0 ? largest : -1;
}

/** Pairs operations with requesters, and forgets the lines of all pairs that can occur. The largest operation; -1 for an offset above 63. */
function pair(entries: u32): i32 {
  let operation = i8x16.splat(0);
  let requester = i8x16.splat(0);
  let offset = i8x16.splat(0);
  const whole = <usize>entries & ~15;
  for (let at: usize = 0; at < whole; at += 16) {
    const low = v128.load(operations + at);
    const high = v128.load(requesters + at);
    operation = i8x16.max_u(operation, low);
    requester = i8x16.max_u(requester, high);
    offset = v128.or(offset, v128.load(offsets + at));
    const to = streams + (at << 1);
    v128.store(to, i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(to, i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
  let largest = largestOf(operation);
  let rows = largestOf(requester);
  let wrong = largestOf(offset);
  for (let at = whole; at < entries; at++) {
    const low = <u32>load<u8>(operations + at);
    const high = <u32>load<u8>(requesters + at);
    largest = max(largest, low);
    rows = max(rows, high);
    wrong |= load<u8>(offsets + at);
    store<u16>(streams + (at << 1), low | (high << 8));
  }
  for (let row: u32 = 0; row <= rows; row++) memory.fill(lastLines + (row << 11), 0, (largest + 1) << 3);
  return wrong > 63 ? -1 : largest;
}

/** A bit for each of the bytes of a block: whether a number ends there. */
function endsIn(block: usize): u64 {
  const first = <u64>i8x16.bitmask(v128.load(block)) | ((<u64>i8x16.bitmask(v128.load(block, 16))) << 16);
  const second = <u64>i8x16.bitmask(v128.load(block, 32)) | ((<u64>i8x16.bitmask(v128.load(block, 48))) << 16);
  return ~(first | (second << 32));
}

/** The number whose groups of 7 bits, lowest first, are in so many bytes. */
function groupsOf(place: usize, bytes: usize): u64 {
  const above = <u64>(64 - ((<u32>bytes) << 3));
  let n = ((load<u64>(place) << above) >> above) & 0x7f7f7f7f7f7f7f7f;
  n -= (n & 0x7f007f007f007f00) >> 1;
  n = (n & 0x00003fff00003fff) | ((n & 0x3fff00003fff0000) >> 2);
  return (n & 0x000000000fffffff) | ((n & 0x0fffffff00000000) >> 4);
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
