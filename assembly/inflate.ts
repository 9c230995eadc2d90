// Inflates a raw deflate stream (RFC 1951) of a known length, straight to where it is wanted. Whatever isn't as it should be is left
// to the platform's own inflater, which says what is wrong; so nothing here explains itself.

/** Longest codes, and bits of a code that one look at a table decides. */
const MOST_BITS: u32 = 15;
/** Entries are `length of the code | symbol << 4`, 0 where there is no such code. */
const LITERALS: usize = memory.data(4 << 15, 16);
const DISTANCES: usize = memory.data(4 << 15, 16);
const LENGTHS: usize = memory.data(320, 16);
const COUNTS: usize = memory.data(4 * 16, 16);
const STARTS: usize = memory.data(4 * 16, 16);

/** By symbol less 257, and by distance symbol: extra bits and base. */
const LENGTH_EXTRA = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]);
const LENGTH_BASE = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]);
const DISTANCE_EXTRA = memory.data<u8>([
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]);
const DISTANCE_BASE = memory.data<u16>([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
]);
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
const LARGEST_LENGTH_SYMBOL: u32 = 285;
const LARGEST_DISTANCE_SYMBOL: u32 = 29;
const END_OF_BLOCK: u32 = 256;

let at: usize = 0;
let end: usize = 0;
let bits: u64 = 0;
let held: u32 = 0;
let literalBits: u32 = 0;
let distanceBits: u32 = 0;
/** The literals' table is that of fixed codes. */
let isFixed: bool = false;

/**
 * Fills exactly `toBytes` bytes at `to` from the `fromBytes` at `from`, behind which 8 bytes may be read, and behind the output 16
 * written. Whether that is just what the stream gives.
 */
export function inflate(from: usize, fromBytes: u32, to: usize, toBytes: u32): bool {
  at = from;
  end = from + fromBytes;
  bits = 0;
  held = 0;
  isFixed = false;
  const stop = to + toBytes;
  let out = to;
  for (let isLast = false; !isLast; ) {
    fill();
    isLast = take(1) != 0;
    const type = take(2);
    if (type == 0) out = stored(out, stop);
    else if (type == 3 || !(type == 1 ? fixedCodes() : dynamicCodes())) return false;
    else out = block(to, out, stop);
    if (!out) return false;
  }
  // Bytes that were looked at and not used are given back; none may be left, and none used that isn't there.
  return out == stop && at - (held >> 3) == end;
}

/** At least 56 bits are held; behind the end they are whatever lies there, which shows in the end. */
function fill(): void {
  bits |= load<u64>(at) << held;
  at += (63 - held) >> 3;
  held |= 56;
}

function take(count: u32): u32 {
  const value = <u32>bits & ((1 << count) - 1);
  bits >>= count;
  held -= count;
  return value;
}

/** A stored block; where it ends, 0 if it is wrong. */
function stored(out: usize, stop: usize): usize {
  take(held & 7);
  at -= held >> 3;
  bits = 0;
  held = 0;
  const size = <usize>load<u16>(at);
  if (at + 4 + size > end || size != (~(<usize>load<u16>(at, 2)) & 0xffff) || out + size > stop) return 0;
  memory.copy(out, at + 4, size);
  at += 4 + size;
  return out + size;
}

/** A block of codes; where it ends, 0 if it is wrong. */
function block(start: usize, from: usize, stop: usize): usize {
  const literalMask: u32 = (1 << literalBits) - 1;
  const distanceMask: u32 = (1 << distanceBits) - 1;
  let out = from;
  while (at <= end + 8) {
    fill();
    let entry = load<u32>(LITERALS + ((<usize>bits & literalMask) << 2));
    if (!entry) return 0;
    take(entry & 15);
    let symbol = entry >> 4;
    if (symbol < END_OF_BLOCK) {
      if (out >= stop) return 0;
      store<u8>(out++, <u8>symbol);
      // Enough bits are left for another literal, or for a length and all that belongs to it.
      entry = load<u32>(LITERALS + ((<usize>bits & literalMask) << 2));
      if (!entry) return 0;
      symbol = entry >> 4;
      if (symbol < END_OF_BLOCK) {
        take(entry & 15);
        if (out >= stop) return 0;
        store<u8>(out++, <u8>symbol);
        continue;
      }
      fill();
      take(entry & 15);
    }
    if (symbol == END_OF_BLOCK) return out;
    if (symbol > LARGEST_LENGTH_SYMBOL) return 0;
    symbol -= END_OF_BLOCK + 1;
    const length = <usize>load<u16>(LENGTH_BASE + (symbol << 1)) + take(load<u8>(LENGTH_EXTRA + symbol));
    const code = load<u32>(DISTANCES + ((<usize>bits & distanceMask) << 2));
    if (!code || code >> 4 > LARGEST_DISTANCE_SYMBOL) return 0;
    take(code & 15);
    const distanceSymbol = code >> 4;
    const distance =
      <usize>load<u16>(DISTANCE_BASE + (distanceSymbol << 1)) + take(load<u8>(DISTANCE_EXTRA + distanceSymbol));
    if (distance > out - start || length > stop - out) return 0;
    repeat(out, distance, length);
    out += length;
  }
  return 0;
}

/** Copies what stands so far behind, itself included where it is longer than that. */
function repeat(to: usize, distance: usize, length: usize): void {
  const stop = to + length;
  if (distance == 1) memory.fill(to, load<u8>(to - 1), length);
  else if (distance >= 16) for (let out = to; out < stop; out += 16) v128.store(out, v128.load(out - distance));
  else if (distance >= 8) for (let out = to; out < stop; out += 8) store<u64>(out, load<u64>(out - distance));
  else for (let out = to; out < stop; out++) store<u8>(out, load<u8>(out - distance));
}

function fixedCodes(): bool {
  if (isFixed) return true;
  memory.fill(LENGTHS, 8, 144);
  memory.fill(LENGTHS + 144, 9, 112);
  memory.fill(LENGTHS + 256, 7, 24);
  memory.fill(LENGTHS + 280, 8, 8);
  literalBits = table(LITERALS, LENGTHS, 288);
  memory.fill(LENGTHS, 5, 32);
  distanceBits = table(DISTANCES, LENGTHS, 32);
  isFixed = true;
  return true;
}

function dynamicCodes(): bool {
  isFixed = false;
  const literals: u32 = 257 + take(5);
  const distances: u32 = 1 + take(5);
  const lengths: u32 = 4 + take(4);
  if (literals > 286 || distances > 30) return false;
  memory.fill(LENGTHS, 0, 19);
  for (let i: u32 = 0; i < lengths; i++) {
    fill();
    store<u8>(LENGTHS + load<u8>(ORDER + i), take(3));
  }
  const mask: usize = (1 << table(DISTANCES, LENGTHS, 19)) - 1;
  if (!mask) return false;
  const all: u32 = literals + distances;
  for (let i: u32 = 0; i < all; ) {
    fill();
    const entry = load<u32>(DISTANCES + ((<usize>bits & mask) << 2));
    if (!entry) return false;
    take(entry & 15);
    const symbol = entry >> 4;
    if (symbol < 16) {
      store<u8>(LENGTHS + i++, symbol);
      continue;
    }
    if (symbol == 16 && i == 0) return false;
    const value: u8 = symbol == 16 ? load<u8>(LENGTHS + i - 1) : 0;
    const times: u32 = symbol == 16 ? 3 + take(2) : symbol == 17 ? 3 + take(3) : 11 + take(7);
    if (i + times > all) return false;
    memory.fill(LENGTHS + i, value, times);
    i += times;
  }
  if (!load<u8>(LENGTHS + END_OF_BLOCK)) return false;
  literalBits = table(LITERALS, LENGTHS, literals);
  distanceBits = table(DISTANCES, LENGTHS + literals, distances);
  return literalBits > 0 && distanceBits > 0;
}

/**
 * Makes the table of codes of these lengths: as many bits as the longest has, which are returned; 0 if they are no codes.
 * Sets that leave something open are left to others.
 */
function table(to: usize, lengths: usize, count: u32): u32 {
  memory.fill(COUNTS, 0, 64);
  let longest: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const length = <u32>load<u8>(lengths + i);
    store<u32>(COUNTS + ((<usize>length) << 2), load<u32>(COUNTS + ((<usize>length) << 2)) + 1);
    longest = max(longest, length);
  }
  if (!longest || longest > MOST_BITS) return 0;
  store<u32>(COUNTS, 0);
  let code: u32 = 0;
  for (let length: u32 = 1; length <= longest; length++) {
    code = (code + load<u32>(COUNTS + ((<usize>(length - 1)) << 2))) << 1;
    store<u32>(STARTS + ((<usize>length) << 2), code);
    if (code + load<u32>(COUNTS + ((<usize>length) << 2)) > (<u32>1) << length) return 0;
  }
  const isWhole = code + load<u32>(COUNTS + ((<usize>longest) << 2)) == (<u32>1) << longest;
  if (!isWhole) return 0;
  const size: usize = 1 << longest;
  for (let i: u32 = 0; i < count; i++) {
    const length = <u32>load<u8>(lengths + i);
    if (!length) continue;
    const place = STARTS + ((<usize>length) << 2);
    let mine = load<u32>(place);
    store<u32>(place, mine + 1);
    let reversed: usize = 0;
    for (let bit: u32 = 0; bit < length; bit++) {
      reversed = (reversed << 1) | (mine & 1);
      mine >>= 1;
    }
    for (; reversed < size; reversed += 1 << length) store<u32>(to + (reversed << 2), length | (i << 4));
  }
  return longest;
}
