// Puts the columns of a `.swt` chunk (docs/trace-format.md) together again: part of a module of its own, beside the kernel. The ends
// of numbers are bits of a mask, so that the host needn't have decoded one number to know where the next begins, and short numbers
// are decoded several at a time.

/** Entries of the largest chunk, and the bytes of the longest number. */
const ENTRIES: usize = 65536;
const LONGEST: usize = 7;
/** Line bytes whose ends are looked up together. Eight of them are a window, whose numbers of up to two bytes are decoded together. */
const BLOCK: usize = 64;
const WINDOW: usize = 8;

// Where the caller puts the columns, and finds the entries; behind the lines there is room for what a last block reads too much.
export const operations: usize = (__heap_base + 15) & ~15;
export const requesters: usize = operations + ENTRIES;
export const lines: usize = requesters + ENTRIES;
export const offsets: usize = lines + LONGEST * ENTRIES + 2 * BLOCK;
export const words: usize = offsets + ENTRIES + BLOCK;
/** By requester and operation: the last entry, without its offset. */
const lastWords: usize = words + 8 * ENTRIES;
/** By entry: requester and operation. */
const streams: usize = lastWords + 8 * 65536;
const END: usize = streams + 2 * ENTRIES;

memory.grow(<i32>((END >> 16) + 1) - memory.size());

/** How far lines move, as they stand in entries: numbers that are decoded, and not yet put together. */
const MOVES: usize = memory.data(8 * 1024, 16);
const MOST_MOVES: usize = 1024 - BLOCK - WINDOW;

/** By the ends in a window: bytes of the numbers at its beginning that have two at most | how many these are << 4. */
const SHORT = memory.data(256, 16);
/** And which of its bytes are the halves of these numbers. */
const HALVES = memory.data(16 * 256, 16);
const NO_BYTE: u8 = 0x80;

for (let ends: usize = 0; ends < 256; ends++) {
  const halves = HALVES + (ends << 4);
  memory.fill(halves, NO_BYTE, 16);
  let many: usize = 0;
  let begin: usize = 0;
  for (let rest = ends; rest; many++) {
    const bytes = <usize>ctz(rest) + 1;
    if (bytes > 2) break;
    for (let i: usize = 0; i < bytes; i++) store<u8>(halves + (many << 1) + i, <u8>(begin + i));
    begin += bytes;
    rest >>= bytes;
  }
  store<u8>(SHORT + ends, <u8>(begin | (many << 4)));
}

/**
 * Fills `words` from columns of so many entries and bytes of lines. Returns their largest operation; -1 if there is something
 * wrong with them, and `words` means nothing then.
 */
export function join(entries: u32, lineBytes: u32): i32 {
  const largest = pair(entries);
  if (largest < 0) return -1;
  const end = lines + lineBytes;
  let begin = lines;
  let entry: usize = 0;
  let strayed: u64 = 0;
  while (begin < end) {
    let move = MOVES;
    while (begin < end && move < MOVES + (MOST_MOVES << 3)) {
      let ends = endsIn(begin);
      if (end - begin < BLOCK) ends &= ((<u64>1) << (end - begin)) - 1;
      const next = min(begin + (BLOCK - WINDOW), end - 1);
      while (begin <= next) {
        const window = <usize>ends & 0xff;
        const short = <usize>load<u8>(SHORT + window);
        let bytes = short & 15;
        if (short) {
          decodeShort(move, v128.load(begin), v128.load(HALVES + (window << 4)));
          move += (short >> 4) << 3;
        } else {
          bytes = <usize>ctz(ends) + 1;
          if (bytes > LONGEST) return -1;
          const number = groupsOf(begin, bytes);
          store<u64>(move, ((number >> 1) ^ -(number & 1)) << 6);
          move += 8;
        }
        begin += bytes;
        ends >>= bytes;
      }
    }
    const until = entry + ((move - MOVES) >> 3);
    if (until > entries) return -1;
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
  return entry == entries && strayed >> 48 == 0 ? largest : -1;
}

/** The moves of eight numbers whose halves are these of 16 bytes. */
function decodeShort(to: usize, bytes: v128, halves: v128): void {
  const groups = i8x16.swizzle(bytes, halves);
  const numbers = v128.or(v128.and(groups, i16x8.splat(0x7f)), v128.and(i16x8.shr_u(groups, 1), i16x8.splat(0x3f80)));
  const moves = v128.xor(i16x8.shr_u(numbers, 1), i16x8.neg(v128.and(numbers, i16x8.splat(1))));
  const low = i32x4.shl(i32x4.extend_low_i16x8_s(moves), 6);
  const high = i32x4.shl(i32x4.extend_high_i16x8_s(moves), 6);
  v128.store(to, i64x2.extend_low_i32x4_s(low));
  v128.store(to, i64x2.extend_high_i32x4_s(low), 16);
  v128.store(to, i64x2.extend_low_i32x4_s(high), 32);
  v128.store(to, i64x2.extend_high_i32x4_s(high), 48);
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
  for (let row: u32 = 0; row <= rows; row++) {
    for (let i: u32 = 0; i <= largest; i++) {
      const stream = <usize>((row << 8) | i);
      store<u64>(lastWords + (stream << 3), (<u64>stream) << 48);
    }
  }
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
