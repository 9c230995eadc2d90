// Tables of deflate's codes (RFC 1951, 3.2.2): what the next bits of a stream are, at a look, or two where a code is long.
//
// An entry is `bits of the code and of what follows it | bits of the code << 8 | what it is | value << 16`. The value is a byte, what
// is added to the bits that follow, or where a second table begins.

export const IS_LITERAL: u32 = 1 << 13;
/** The code is longer: the bits that follow choose from a second table. */
export const IS_LINK: u32 = 1 << 14;
/** The block ends, or with a value the symbol means nothing. */
export const IS_END: u32 = 1 << 15;
export const VALUE_SHIFT: u32 = 16;
const WRONG: u32 = IS_END | (1 << VALUE_SHIFT);

/** No code is longer. */
const MOST_BITS: u32 = 15;
const MOST_SYMBOLS: usize = 288;

// Of each alphabet, the entry of each symbol without the bits of its code.
export const LITERALS: usize = memory.data(4 * 288, 16);
export const DISTANCES: usize = memory.data(4 * 32, 16);
export const LENGTHS: usize = memory.data(4 * 19, 16);

/** By length, how many codes have it, and where their symbols begin among those that are sorted by length. */
const COUNTS: usize = memory.data(4 * 16, 16);
const PLACES: usize = memory.data(4 * 17, 16);
const SORTED: usize = memory.data(2 * 288, 16);

const FIRST_LENGTH: u32 = 257;
const END_OF_BLOCK: u32 = 256;
/** By symbol less 257, and by distance symbol: bits that follow, and what is added to them. */
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
const LENGTH_SYMBOLS: u32 = 29;
const DISTANCE_SYMBOLS: u32 = 30;

prepare();

function prepare(): void {
  for (let i: u32 = 0; i < END_OF_BLOCK; i++) put(LITERALS, i, IS_LITERAL | (i << VALUE_SHIFT));
  put(LITERALS, END_OF_BLOCK, IS_END);
  for (let i: u32 = 0; i < <u32>MOST_SYMBOLS - FIRST_LENGTH; i++)
    put(LITERALS, FIRST_LENGTH + i, i < LENGTH_SYMBOLS ? followed(LENGTH_EXTRA, LENGTH_BASE, i) : WRONG);
  for (let i: u32 = 0; i < 32; i++)
    put(DISTANCES, i, i < DISTANCE_SYMBOLS ? followed(DISTANCE_EXTRA, DISTANCE_BASE, i) : WRONG);
  for (let i: u32 = 0; i < 19; i++) put(LENGTHS, i, i << VALUE_SHIFT);
}

function put(alphabet: usize, symbol: u32, entry: u32): void {
  store<u32>(alphabet + ((<usize>symbol) << 2), entry);
}

function followed(extra: usize, base: usize, i: u32): u32 {
  return <u32>load<u8>(extra + i) | ((<u32>load<u16>(base + ((<usize>i) << 1))) << VALUE_SHIFT);
}

/**
 * Makes the table of the codes of an alphabet's first `count` symbols, whose lengths are bytes. `bits` of a stream choose from it.
 * False if they are no codes; sets that leave something open are left to others.
 */
export function makeTable(to: usize, bits: u32, alphabet: usize, lengths: usize, count: u32): bool {
  if (!sort(lengths, count)) return false;
  let symbols = SORTED;
  let code: u32 = 0;
  // Codes that fit: a table of 2^length entries is filled, and doubled for the next length.
  let length: u32 = 1;
  let size: u32 = 2;
  let left = countOf(1);
  while (true) {
    for (; !left && length < bits; size <<= 1) {
      memory.copy(to + ((<usize>size) << 2), to, (<usize>size) << 2);
      left = countOf(++length);
    }
    if (!left) break;
    store<u32>(to + ((<usize>code) << 2), entryOf(alphabet, symbols, length));
    symbols += 2;
    left--;
    if (code == size - 1) {
      for (; length < bits; length++, size <<= 1) memory.copy(to + ((<usize>size) << 2), to, (<usize>size) << 2);
      return true;
    }
    code = following(code, size - 1);
  }
  // The others, each table of them behind the one before.
  const mask: u32 = (1 << bits) - 1;
  let prefix: u32 = -1;
  let from: u32 = 0;
  let end: u32 = size;
  left = countOf(++length);
  while (true) {
    while (!left) left = countOf(++length);
    if ((code & mask) != prefix) {
      prefix = code & mask;
      from = end;
      let more = length - bits;
      for (let used = left; used < (<u32>1) << more; ) used = (used << 1) + countOf(bits + ++more);
      end = from + ((<u32>1) << more);
      store<u32>(to + ((<usize>prefix) << 2), bits | (more << 8) | IS_LINK | (from << VALUE_SHIFT));
    }
    const entry = entryOf(alphabet, symbols, length - bits);
    for (let at = from + (code >> bits); at < end; at += (<u32>1) << (length - bits))
      store<u32>(to + ((<usize>at) << 2), entry);
    symbols += 2;
    left--;
    const last: u32 = ((<u32>1) << length) - 1;
    if (code == last) return true;
    code = following(code, last);
  }
}

/** Sorts symbols that have codes by their length. Whether the lengths are those of codes that leave nothing open. */
function sort(lengths: usize, count: u32): bool {
  memory.fill(COUNTS, 0, 64);
  for (let i: u32 = 0; i < count; i++) {
    const place = COUNTS + ((<usize>load<u8>(lengths + i)) << 2);
    store<u32>(place, load<u32>(place) + 1);
  }
  let place: u32 = 0;
  let space: u32 = 0;
  for (let length: u32 = 1; length <= MOST_BITS; length++) {
    store<u32>(PLACES + ((<usize>length) << 2), place);
    place += countOf(length);
    space += countOf(length) << (MOST_BITS - length);
  }
  if (space != (<u32>1) << MOST_BITS) return false;
  for (let i: u32 = 0; i < count; i++) {
    const length = <usize>load<u8>(lengths + i);
    if (!length) continue;
    const at = load<u32>(PLACES + (length << 2));
    store<u16>(SORTED + ((<usize>at) << 1), i);
    store<u32>(PLACES + (length << 2), at + 1);
  }
  return true;
}

function countOf(length: u32): u32 {
  return load<u32>(COUNTS + ((<usize>length) << 2));
}

function entryOf(alphabet: usize, symbol: usize, length: u32): u32 {
  return load<u32>(alphabet + ((<usize>load<u16>(symbol)) << 2)) + length * 0x101;
}

/** The code after one that isn't the last of its length. Codes stand with their first bit lowest, as streams have them. */
function following(code: u32, last: u32): u32 {
  const bit: u32 = (<u32>1) << (31 - clz(code ^ last));
  return (code & (bit - 1)) | bit;
}
