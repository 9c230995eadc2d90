// Puts plain entries together eight at a time: loads, stores and fetches of the first requester.
//
// The last line of each operation is a lane of two vectors: its low 26 bits, and what stands in the upper half of a word. Moves of two
// bytes are added up by operation, four in each half of a vector, whose sum fits a lane; the few that move farther are made up for
// afterwards.

import { offsets, operations, words } from "./columns";
import { decode, FAR_MOVE, FAR_MOVES, isRead, MOVES, PLACE } from "./moves";

/** Operations up to here are plain. */
export const LAST_PLAIN: i32 = 2;
const LOW_BITS: i32 = 26;
const LOW_MASK: i32 = (1 << LOW_BITS) - 1;

// Constants come from memory, because the host makes those of 128 bits anew each time.
const ONES: usize = memory.data<u16>([1, 1, 1, 1, 1, 1, 1, 1], 16);
/** Where the bytes of a lane are, given its number four times: of the first four of eight entries, and of the others. */
const FIRST: usize = memory.data<u8>([0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6], 16);
const OTHERS: usize = memory.data<u8>([8, 8, 8, 8, 10, 10, 10, 10, 12, 12, 12, 12, 14, 14, 14, 14], 16);
const BYTES: usize = memory.data<u8>([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], 16);
const NUMBERS: usize = memory.data<i32>([0, 1, 2, 3], 16);

/** Fills `words`, and up to seven more, from columns of so many entries. Whether they are right. */
export function joinPlain(entries: usize): bool {
  // Exported, they are globals of the module.
  const operationsAt = operations;
  const offsetsAt = offsets;
  const wordsAt = words;
  let low = i32x4.splat(0);
  let high = i32x4(0, 1 << 16, 2 << 16, 0);
  let strayed = i32x4.splat(0);
  let wrong: u32 = 0;
  let entry: usize = 0;
  while (!isRead()) {
    const until = entry + decode(true);
    if (until > entries) return false;
    let far = FAR_MOVES;
    let place = <usize>load<u32>(far, PLACE);
    // The last of them may be less than eight: entries that come later, which don't move yet and are written again.
    for (let from = MOVES; entry < until; entry += 8, from += 16) {
      const moves = v128.load(from);
      const kinds = v128.load8x8_u(operationsAt + entry);
      const isLoad = i16x8.eq(kinds, i16x8.splat(0));
      const isStore = i16x8.eq(kinds, v128.load(ONES));
      const isFetch = v128.not(v128.or(isLoad, isStore));
      const loads = sums(v128.and(moves, isLoad));
      const stores = sums(v128.and(moves, isStore));
      const fetches = sums(v128.and(moves, isFetch));
      const moved = v128.or(v128.or(v128.and(loads, isLoad), v128.and(stores, isStore)), v128.and(fetches, isFetch));
      // By operation, of the first four entries and of the others.
      const totals = v128.or(
        v128.or(i64x2.shr_u(loads, 48), i64x2.shl(i64x2.shr_u(stores, 48), 16)),
        i64x2.shl(i64x2.shr_u(fetches, 48), 32),
      );
      const between = i32x4.add(low, i32x4.extend_low_i16x8_s(totals));
      const lanes = i16x8.shl(kinds, 2);
      const first = v128.or(i8x16.swizzle(lanes, v128.load(FIRST)), v128.load(BYTES));
      const others = v128.or(i8x16.swizzle(lanes, v128.load(OTHERS)), v128.load(BYTES));
      const firstLines = i32x4.add(i8x16.swizzle(low, first), i32x4.extend_low_i16x8_s(moved));
      const otherLines = i32x4.add(i8x16.swizzle(between, others), i32x4.extend_high_i16x8_s(moved));
      const firstBefore = i8x16.swizzle(high, first);
      const othersBefore = i8x16.swizzle(high, others);
      const firstHigh = i32x4.add(firstBefore, i32x4.shr_s(firstLines, LOW_BITS));
      const otherHigh = i32x4.add(othersBefore, i32x4.shr_s(otherLines, LOW_BITS));
      const offset = v128.load8x8_u(offsetsAt + entry);
      const firstLow = v128.or(i32x4.shl(firstLines, 6), i32x4.extend_low_i16x8_u(offset));
      const otherLow = v128.or(i32x4.shl(otherLines, 6), i32x4.extend_high_i16x8_u(offset));
      const to = wordsAt + (entry << 3);
      v128.store(to, v128.shuffle<i32>(firstLow, firstHigh, 0, 4, 1, 5));
      v128.store(to, v128.shuffle<i32>(firstLow, firstHigh, 2, 6, 3, 7), 16);
      v128.store(to, v128.shuffle<i32>(otherLow, otherHigh, 0, 4, 1, 5), 32);
      v128.store(to, v128.shuffle<i32>(otherLow, otherHigh, 2, 6, 3, 7), 48);
      low = i32x4.add(between, i32x4.extend_high_i16x8_s(totals));
      // A line that leaves its 42 bits changes what stands above it.
      if (place >= from + 16)
        strayed = v128.or(strayed, v128.or(v128.xor(firstHigh, firstBefore), v128.xor(otherHigh, othersBefore)));
      else {
        while (place < from + 16) {
          const mover = entry + ((place - from) >> 1);
          const kind = <u32>load<u8>(operationsAt + mover);
          const lines = load<i64>(far);
          for (let i = mover; i < entry + 8; i++) {
            if (load<u8>(operationsAt + i) == kind)
              store<i64>(wordsAt + (i << 3), load<i64>(wordsAt + (i << 3)) + (lines << 6));
          }
          const lane = i32x4.eq(v128.load(NUMBERS), i32x4.splat(kind));
          low = i32x4.add(low, v128.and(i32x4.splat(<i32>lines & LOW_MASK), lane));
          high = i32x4.add(high, v128.and(i32x4.splat(<i32>(lines >> LOW_BITS)), lane));
          far += FAR_MOVE;
          place = <usize>load<u32>(far, PLACE);
        }
        // Only now they are where they belong.
        for (let i = entry; i < entry + 8; i++)
          wrong |= <u32>load<u16>(wordsAt + (i << 3), 6) ^ <u32>load<u8>(operationsAt + i);
      }
      high = i32x4.add(high, i32x4.shr_s(low, LOW_BITS));
      low = i32x4.shr_u(i32x4.shl(low, 32 - LOW_BITS), 32 - LOW_BITS);
    }
    entry = until;
  }
  return entry == entries && !wrong && !v128.any_true(i32x4.shr_u(strayed, 16));
}

/** Each of four and those before it, in both halves. */
function sums(moves: v128): v128 {
  const pairs = i16x8.add(moves, i64x2.shl(moves, 16));
  return i16x8.add(pairs, i64x2.shl(pairs, 32));
}
