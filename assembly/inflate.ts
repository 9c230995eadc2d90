// Inflates a raw deflate stream (RFC 1951) of a known length, straight to where it is wanted. Whatever isn't as it should be is left
// to the platform's own inflater, which says what is wrong; so nothing here explains itself.

import * as codes from "./codes";
import { IS_END, IS_LINK, IS_LITERAL, makeTable, VALUE_SHIFT } from "./codes";

/** Bits of a stream that the first look takes: enough for nearly all codes, few enough for tables to stay in the host's first cache. */
const LITERAL_BITS: u32 = 11;
const DISTANCE_BITS: u32 = 8;
const LENGTH_BITS: u32 = 7;
// With all second tables that such codes can need (2,342 and 402 entries).
const LITERALS: usize = memory.data(4 * 2400, 64);
const DISTANCES: usize = memory.data(4 * 416, 64);
const LENGTH_CODES: usize = memory.data(4 * 128, 64);
const LENGTHS: usize = memory.data(320, 16);
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
const END_OF_BLOCK: u32 = 256;

// Between blocks; inside of one they are local, where the host keeps them in registers.
let at: usize = 0;
let end: usize = 0;
let bits: u64 = 0;
/** How many of them there are. */
let held: u32 = 0;
/** The tables are those of fixed codes. */
let isFixed: bool = false;

/**
 * Fills exactly `toBytes` bytes at `to` from the `fromBytes` at `from`, behind which 24 bytes may be read, and behind the output 16
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
  const lastFill = end + 8;
  let out = from;
  let input = at;
  let ahead = bits;
  // Only the lowest 6 bits of this and of what shifts count: entries needn't be masked.
  let many = <u64>held;
  while (input <= lastFill) {
    ahead |= load<u64>(input) << many;
    input += <usize>((~many >> 3) & 7);
    many |= 56;
    let entry = look(LITERALS, LITERAL_BITS, ahead);
    if (entry & IS_LITERAL) {
      // Room for three literals is behind the output, too.
      if (out >= stop) return 0;
      store<u8>(out++, <u8>(entry >> VALUE_SHIFT));
      ahead >>= entry;
      many -= entry;
      entry = look(LITERALS, LITERAL_BITS, ahead);
      if (entry & IS_LITERAL) {
        store<u8>(out++, <u8>(entry >> VALUE_SHIFT));
        ahead >>= entry;
        many -= entry;
        entry = look(LITERALS, LITERAL_BITS, ahead);
        if (entry & IS_LITERAL) {
          store<u8>(out++, <u8>(entry >> VALUE_SHIFT));
          ahead >>= entry;
          many -= entry;
          continue;
        }
      }
      ahead |= load<u64>(input) << many;
      input += <usize>((~many >> 3) & 7);
      many |= 56;
    }
    if (entry & (IS_LINK | IS_END)) {
      if (entry & IS_LINK) {
        ahead >>= entry;
        many -= entry;
        entry = linked(LITERALS, entry, ahead);
        if (entry & IS_LITERAL) {
          if (out >= stop) return 0;
          store<u8>(out++, <u8>(entry >> VALUE_SHIFT));
          ahead >>= entry;
          many -= entry;
          continue;
        }
      }
      if (entry & IS_END) {
        at = input;
        bits = ahead >> entry;
        held = <u32>(many - entry) & 63;
        return entry >> VALUE_SHIFT || out > stop ? 0 : out;
      }
    }
    const length = <usize>valueOf(entry, ahead);
    ahead >>= entry;
    many -= entry;
    entry = look(DISTANCES, DISTANCE_BITS, ahead);
    if (entry & (IS_LINK | IS_END)) {
      if (entry & IS_END) return 0;
      ahead >>= entry;
      many -= entry;
      entry = linked(DISTANCES, entry, ahead);
      if (entry & IS_END) return 0;
    }
    const distance = <usize>valueOf(entry, ahead);
    ahead >>= entry;
    many -= entry;
    if (distance > out - start || out > stop || length > stop - out) return 0;
    repeat(out, distance, length);
    out += length;
  }
  return 0;
}

function look(table: usize, width: u32, ahead: u64): u64 {
  return load<u32>(table + ((<usize>ahead & ((1 << width) - 1)) << 2));
}

function linked(table: usize, link: u64, ahead: u64): u64 {
  const choice = ahead & (((<u64>1) << ((link >> 8) & 15)) - 1);
  return load<u32>(table + ((<usize>((link >> VALUE_SHIFT) + choice)) << 2));
}

/** An entry's value and the bits behind its code. */
function valueOf(entry: u64, ahead: u64): u64 {
  return (entry >> VALUE_SHIFT) + ((ahead & (((<u64>1) << entry) - 1)) >> ((entry >> 8) & 15));
}

/** By distances below 16: what 16 bytes are that repeat the last so many, and how far it is to the next 16 of that kind. */
const PATTERNS: usize = memory.data(16 * 16, 16);
const STEPS: usize = memory.data(16, 16);

for (let distance: usize = 1; distance < 16; distance++) {
  store<u8>(STEPS + distance, <u8>(16 - (16 % distance)));
  for (let i: usize = 0; i < 16; i++) store<u8>(PATTERNS + (distance << 4) + i, <u8>(i % distance));
}

/** Copies what stands so far behind, itself included where it is longer than that. */
function repeat(to: usize, distance: usize, length: usize): void {
  const stop = to + length;
  if (distance >= 16) {
    do {
      v128.store(to, v128.load(to - distance));
      to += 16;
    } while (to < stop);
    return;
  }
  const bytes = i8x16.swizzle(v128.load(to - distance), v128.load(PATTERNS + (distance << 4)));
  const step = <usize>load<u8>(STEPS + distance);
  do {
    v128.store(to, bytes);
    to += step;
  } while (to < stop);
}

function fixedCodes(): bool {
  if (isFixed) return true;
  memory.fill(LENGTHS, 8, 144);
  memory.fill(LENGTHS + 144, 9, 112);
  memory.fill(LENGTHS + 256, 7, 24);
  memory.fill(LENGTHS + 280, 8, 8);
  makeTable(LITERALS, LITERAL_BITS, codes.LITERALS, LENGTHS, 288);
  memory.fill(LENGTHS, 5, 32);
  makeTable(DISTANCES, DISTANCE_BITS, codes.DISTANCES, LENGTHS, 32);
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
  if (!makeTable(LENGTH_CODES, LENGTH_BITS, codes.LENGTHS, LENGTHS, 19)) return false;
  const all: u32 = literals + distances;
  for (let i: u32 = 0; i < all; ) {
    fill();
    const entry = <u32>look(LENGTH_CODES, LENGTH_BITS, bits);
    take(entry & 63);
    const symbol = entry >> VALUE_SHIFT;
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
  return (
    makeTable(LITERALS, LITERAL_BITS, codes.LITERALS, LENGTHS, literals) &&
    makeTable(DISTANCES, DISTANCE_BITS, codes.DISTANCES, LENGTHS + literals, distances)
  );
}
