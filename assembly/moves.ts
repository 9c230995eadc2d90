// The line column of a `.swt` chunk: numbers of one to seven bytes, by which lines move. The ends of numbers are bits of a mask, so that
// the host needn't have decoded one number to know where the next begins, and short numbers are decoded several at a time.

/** Bytes of the longest number. */
export const LONGEST: usize = 7;
/** Bytes whose ends are looked up together. Eight of them are a window, whose numbers of up to two bytes are decoded together. */
export const BLOCK: usize = 64;
const WINDOW: usize = 8;

/** Numbers that are decoded and not yet added up, of 8 or of 2 bytes each, and room for a window more. */
export const MOVES: usize = memory.data(8 * 1024, 16);
const MOST_MOVES: usize = 1024 - BLOCK - 2 * WINDOW;

/** Of moves of 2 bytes, those that don't fit: lines, and where the move is that stands for it (0). Behind them one that is nowhere. */
export const FAR_MOVES: usize = memory.data(16 * 1024, 16);
export const FAR_MOVE: usize = 16;
export const PLACE: usize = 8;
export const NOWHERE: u32 = -1;

/** More than there can be. */
const WRONG: usize = 1 << 20;

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

let at: usize = 0;
let end: usize = 0;

/** So many bytes of numbers are decoded from now on. */
export function begin(column: usize, bytes: usize): void {
  at = column;
  end = column + bytes;
}

export function isRead(): bool {
  return at >= end;
}

/**
 * Decodes the next numbers: lines in 2 bytes if they are said to be near, else lines in 8 bytes as they stand in words. How many there
 * are now, too many if something is wrong.
 */
export function decode(isNear: bool): usize {
  const size: usize = isNear ? 1 : 3;
  let begin = at;
  let move = MOVES;
  let far = FAR_MOVES;
  const stop = MOVES + (MOST_MOVES << size);
  while (begin < end && move < stop) {
    let ends = endsIn(begin);
    if (end - begin < BLOCK) ends &= ((<u64>1) << (end - begin)) - 1;
    const next = min(begin + (BLOCK - WINDOW), end - 1);
    while (begin <= next) {
      const window = <usize>ends & 0xff;
      const short = <usize>load<u8>(SHORT + window);
      let bytes = short & 15;
      if (short) {
        const moves = shortMoves(v128.load(begin), v128.load(HALVES + (window << 4)));
        if (isNear) v128.store(move, moves);
        else storeWords(move, moves);
        move += (short >> 4) << size;
      } else {
        bytes = <usize>ctz(ends) + 1;
        if (bytes > LONGEST) return WRONG;
        const number = groupsOf(begin, bytes);
        const lines = (number >> 1) ^ -(number & 1);
        if (isNear) {
          store<u16>(move, 0);
          store<u64>(far, lines);
          store<u32>(far, <u32>move, PLACE);
          far += FAR_MOVE;
        } else store<u64>(move, lines << 6);
        move += (<usize>1) << size;
      }
      begin += bytes;
      ends >>= bytes;
    }
  }
  at = begin;
  store<u32>(far, NOWHERE, PLACE);
  // Who adds up eight at a time takes nothing that was here before.
  v128.store(move, i16x8.splat(0));
  return (move - MOVES) >> size;
}

/** By how many lines the eight numbers move whose halves are these of 16 bytes. */
function shortMoves(bytes: v128, halves: v128): v128 {
  const groups = i8x16.swizzle(bytes, halves);
  const numbers = v128.or(v128.and(groups, i16x8.splat(0x7f)), v128.and(i16x8.shr_u(groups, 1), i16x8.splat(0x3f80)));
  return v128.xor(i16x8.shr_u(numbers, 1), i16x8.neg(v128.and(numbers, i16x8.splat(1))));
}

/** Eight moves as they stand in words. */
function storeWords(to: usize, moves: v128): void {
  const low = i32x4.shl(i32x4.extend_low_i16x8_s(moves), 6);
  const high = i32x4.shl(i32x4.extend_high_i16x8_s(moves), 6);
  v128.store(to, i64x2.extend_low_i32x4_s(low));
  v128.store(to, i64x2.extend_high_i32x4_s(low), 16);
  v128.store(to, i64x2.extend_low_i32x4_s(high), 32);
  v128.store(to, i64x2.extend_high_i32x4_s(high), 48);
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
