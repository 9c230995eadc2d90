// Which units may hold a block (the largest line): the exact directory of R17, kept as a superset that is probed before it is
// believed, so nothing but speed rests on its precision. A unit is a subtree just inside a shared root. Where there is one unit
// no table is kept: it may always hold everything, and its caches tell.
import { inForce } from "./handover";
import {
  allocate,
  FILTER_BITS,
  filter,
  groupBits,
  groupMask,
  groupStride,
  HOLDS_INSTRUCTIONS,
  INVALID,
  largestShift,
  N_COVERED,
  N_DEPTH,
  N_HOLDS,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_POPULATION,
  N_SPEAKS,
  N_UNIT,
  presenceBits,
  presenceOffset,
  unitCount,
  unitLists,
  wideWords,
} from "./layout";
import { probe, recordOf } from "./set";

/** Value of an entry: a unit, or this bit and the number of a wide mask. */
const WIDE: u32 = 0x80000000;

let masks: usize = 0; // chunks of wide masks
let maskCount: u32 = 0;
let freeMask: u32 = INVALID;
const MASKS_A_CHUNK: u32 = 1024;
const CHUNKS: u32 = 65536;

function maskAt(index: u32): usize {
  const chunk = <usize>load<u32>(masks + <usize>(index / MASKS_A_CHUNK) * 4);
  return chunk + <usize>(index % MASKS_A_CHUNK) * wideWords * 8;
}

function newMask(): u32 {
  if (freeMask != INVALID) {
    const index = freeMask;
    const at = maskAt(index);
    freeMask = load<u32>(at);
    memory.fill(at, 0, <usize>wideWords * 8);
    return index;
  }
  if (!masks) masks = allocate(<usize>CHUNKS * 4);
  if (maskCount % MASKS_A_CHUNK == 0) {
    store<u32>(masks + <usize>(maskCount / MASKS_A_CHUNK) * 4, <u32>allocate(<usize>MASKS_A_CHUNK * wideWords * 8));
  }
  return maskCount++;
}

function dropMask(index: u32): void {
  store<u32>(maskAt(index), freeMask);
  freeMask = index;
}

function tableOf(block: u32): usize {
  return presenceOffset + <usize>(block & groupMask) * groupStride;
}

function slotOf(block: u32): u32 {
  return ((block >> groupBits) * 0x9e3779b1) >> (32 - presenceBits);
}

/** What stands for every block's entry where there is one unit: a key that nobody reads, and that unit. */
const SOLE = memory.data(8, 8);

/** Address of the block's entry, or 0. */
export function findEntry(block: u32): usize {
  if (unitCount == 1) return SOLE;
  const table = tableOf(block);
  const mask = (1 << presenceBits) - 1;
  let slot = slotOf(block);
  for (;;) {
    const entry = table + ((<usize>slot) << 3);
    const key = load<u32>(entry);
    if (key == block) return entry;
    if (key == INVALID) return 0;
    slot = (slot + 1) & mask;
  }
  return 0;
}

/** The unit that may hold a block, MANY_HOLDERS, or INVALID for none. Shared roots aren't units. */
export function holderOf(block: u32): u32 {
  const entry = findEntry(block);
  if (!entry) return INVALID;
  const value = load<u32>(entry, 4);
  return value & WIDE ? MANY_HOLDERS : value;
}

export const MANY_HOLDERS: u32 = WIDE;

/** Loads where the entry of a line's block is looked for (ahead.ts). */
export function touchEntry(compact: u64): u32 {
  const block = <u32>(compact >> largestShift);
  const entry: u32 = unitCount == 1 ? 0 : load<u32>(tableOf(block) + ((<usize>slotOf(block)) << 3));
  return instructions ? entry + load<u16>(filterAt(block)) : entry;
}

/** Loads the mask of a block that several units may hold. */
export function touchMask(compact: u64): u32 {
  const entry = findEntry(<u32>(compact >> largestShift));
  if (!entry) return 0;
  const value = load<u32>(entry, 4);
  return value & WIDE ? <u32>load<u64>(maskAt(value & ~WIDE)) : 0;
}

function addUnit(block: u32, unit: u32): void {
  const table = tableOf(block);
  const mask = (1 << presenceBits) - 1;
  let slot = slotOf(block);
  for (;;) {
    const entry = table + ((<usize>slot) << 3);
    const key = load<u32>(entry);
    if (key == INVALID) {
      store<u32>(entry, block);
      store<u32>(entry, unit, 4);
      return;
    }
    if (key == block) {
      const value = load<u32>(entry, 4);
      if (value == unit) return;
      if (value & WIDE) {
        const word = maskAt(value & ~WIDE) + ((<usize>(unit >> 6)) << 3);
        store<u64>(word, load<u64>(word) | ((<u64>1) << (unit & 63)));
      } else {
        const index = newMask();
        const at = maskAt(index);
        let word = at + ((<usize>(unit >> 6)) << 3);
        store<u64>(word, (<u64>1) << (unit & 63));
        word = at + ((<usize>(value >> 6)) << 3);
        store<u64>(word, load<u64>(word) | ((<u64>1) << (value & 63)));
        store<u32>(entry, WIDE | index, 4);
      }
      return;
    }
    slot = (slot + 1) & mask;
  }
}

/** Deletes an entry and closes the gap it leaves in its probe sequence. */
function deleteEntry(block: u32, entry: usize): void {
  const table = tableOf(block);
  const mask = (1 << presenceBits) - 1;
  let hole = <u32>((entry - table) >> 3);
  let slot = hole;
  for (;;) {
    slot = (slot + 1) & mask;
    const at = table + ((<usize>slot) << 3);
    const key = load<u32>(at);
    if (key == INVALID) break;
    const wanted = slotOf(key);
    if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
      store<u64>(table + ((<usize>hole) << 3), load<u64>(at));
      hole = slot;
    }
  }
  store<u32>(table + ((<usize>hole) << 3), INVALID);
}

function removeUnit(block: u32, unit: u32): void {
  const entry = findEntry(block);
  if (!entry) return;
  const value = load<u32>(entry, 4);
  if (!(value & WIDE)) {
    if (value == unit) deleteEntry(block, entry);
    return;
  }
  const index = value & ~WIDE;
  const at = maskAt(index);
  const word = at + ((<usize>(unit >> 6)) << 3);
  store<u64>(word, load<u64>(word) & ~((<u64>1) << (unit & 63)));
  let last: u32 = INVALID;
  for (let w: u32 = 0; w < wideWords; w++) {
    const bits = load<u64>(at + ((<usize>w) << 3));
    if (!bits) continue;
    if (bits & (bits - 1) || last != INVALID) return;
    last = w * 64 + <u32>ctz(bits);
  }
  dropMask(index);
  if (last == INVALID) deleteEntry(block, entry);
  else store<u32>(entry, last, 4);
}

/** The first unit of an entry at or after `from`, or INVALID. */
export function nextUnit(entry: usize, from: u32): u32 {
  const value = load<u32>(entry, 4);
  if (!(value & WIDE)) return value >= from ? value : INVALID;
  const at = maskAt(value & ~WIDE);
  let w = from >> 6;
  if (w >= wideWords) return INVALID;
  let bits = load<u64>(at + ((<usize>w) << 3)) & (~(<u64>0) << (from & 63));
  for (;;) {
    if (bits) return w * 64 + <u32>ctz(bits);
    w++;
    if (w >= wideWords) return INVALID;
    bits = load<u64>(at + ((<usize>w) << 3));
  }
  return INVALID;
}

/** Whether only this one unit may hold the entry's block. */
export function isSole(entry: usize, unit: u32): bool {
  return load<u32>(entry, 4) == unit;
}

export function unitList(unit: u32): usize {
  return <usize>load<u32>(unitLists + ((<usize>unit) << 2));
}

/** Whether cache m holds any part of [compact, compact + bytes). */
export function holdsPart(m: usize, compact: u64, bytes: u32): bool {
  const step = load<u32>(m, N_LINE_BYTES);
  const shift = load<u32>(m, N_LINE_SHIFT);
  let line = <u32>(compact >> shift);
  const last = <u32>((compact + bytes - 1) >> shift);
  for (;;) {
    if (probe(m, recordOf(m, line), line) >= 0) return true;
    if (line == last) return false;
    line++;
  }
  return step != 0;
}

/** Whether a cache of data counts the lines it holds: a core's own L1D, which fills all the time, doesn't. */
function isCounted(n: usize): bool {
  return load<i32>(n, N_UNIT) < 0 || load<u32>(n, N_DEPTH) > 1;
}

/** Whether a cache of data is known to hold nothing, so that nobody need look into it. */
export function isKnownEmpty(n: usize): bool {
  return isCounted(n) && !load<u32>(n, N_POPULATION);
}

/** A cache got a copy. */
export function present(n: usize, line: u32): void {
  // While sharers stand for the directory it is told nothing, and populations only tell what may hold anything (handover.ts).
  if (inForce) return;
  if (load<u32>(n, N_HOLDS) == HOLDS_INSTRUCTIONS) {
    countInstructions(<u32>(((<u64>line) << load<u32>(n, N_LINE_SHIFT)) >> largestShift), 1);
    return;
  }
  const unit = load<i32>(n, N_UNIT);
  if (isCounted(n)) store<u32>(n, load<u32>(n, N_POPULATION) + 1, N_POPULATION);
  if (!isTold(n)) return;
  addUnit(<u32>(((<u64>line) << load<u32>(n, N_LINE_SHIFT)) >> largestShift), unit);
}

/** Whether a cache of the unit holds a part of the block. */
function unitHolds(unit: u32, block: u32): bool {
  const list = unitList(unit);
  const length = load<u32>(list);
  for (let i: u32 = 1; i <= length; i++) {
    const m = <usize>load<u32>(list + ((<usize>i) << 2));
    if (holdsPart(m, (<u64>block) << largestShift, 1 << largestShift)) return true;
  }
  return false;
}

/** A cache lost a copy (the record no longer holds it). */
export function absent(n: usize, line: u32): void {
  if (inForce) return;
  const block = <u32>(((<u64>line) << load<u32>(n, N_LINE_SHIFT)) >> largestShift);
  if (load<u32>(n, N_HOLDS) == HOLDS_INSTRUCTIONS) {
    countInstructions(block, -1);
    return;
  }
  const unit = load<i32>(n, N_UNIT);
  if (isCounted(n)) store<u32>(n, load<u32>(n, N_POPULATION) - 1, N_POPULATION);
  if (isTold(n)) leave(n, unit, block);
}

/** A cache of data lost its copies of some blocks: those whose bits are set, the lowest bit for the first. Where lines are blocks. */
export function absentAll(n: usize, first: u32, blocks: u64): void {
  const unit = load<i32>(n, N_UNIT);
  if (isCounted(n)) store<u32>(n, load<u32>(n, N_POPULATION) - <u32>popcnt(blocks), N_POPULATION);
  if (!isTold(n)) return;
  for (let left = blocks; left; left &= left - 1) leave(n, unit, first + <u32>ctz(left));
}

/** Whether the directory hears of a cache's copies of data. */
export function isTold(n: usize): bool {
  return load<i32>(n, N_UNIT) >= 0 && !load<u32>(n, N_COVERED) && unitCount > 1;
}

/** A cache of a unit, of which the directory hears, no longer holds a block. */
function leave(n: usize, unit: u32, block: u32): void {
  if (!load<u32>(n, N_SPEAKS) && unitHolds(unit, block)) return;
  if (!ASC_NO_ASSERT) assert(!unitHolds(unit, block), "a unit's including cache loses a line last");
  removeUnit(block, unit);
}

/** Forgets who holds what, instructions as well: whoever calls this tells it anew. */
export function clearPresence(): void {
  const slots: usize = (<usize>1) << presenceBits;
  for (let g: usize = 0; g < (<usize>1) << groupBits; g++)
    memory.fill(presenceOffset + g * groupStride, 0xff, slots << 3);
  freeMask = INVALID;
  for (let index: u32 = 0; index < maskCount; index++) dropMask(index);
  memory.fill(filter, 0, (<usize>2) << FILTER_BITS);
  instructions = 0;
}

// ---- L1I copies, by block: those of neighbouring blocks lie side by side, so that little of the table is ever touched; where each
// such piece lies is hashed

/** Blocks of one piece: their counts fill one of the host's pages. */
const PIECE_BITS: u32 = 11;

function filterAt(block: u32): usize {
  const piece = ((block >> PIECE_BITS) * 0x9e3779b1) >> (32 - FILTER_BITS + PIECE_BITS);
  return filter + ((<usize>((piece << PIECE_BITS) | (block & ((1 << PIECE_BITS) - 1)))) << 1);
}

/** Copies in all L1Is together. */
let instructions: i32 = 0;

function countInstructions(block: u32, by: i32): void {
  instructions += by;
  const at = filterAt(block);
  store<u16>(at, <u16>(<i32>load<u16>(at) + by));
}

/** An L1I's copy of one block makes way for another's, or a free place does. Where lines are blocks. */
export function exchangeInstructions(gone: u32, was: u32, come: u32): void {
  countInstructions(gone, -(<i32>was));
  countInstructions(come, 1);
}

/** Whether some L1I holds anything. */
export function mayHoldAny(): bool {
  return instructions != 0;
}

/** Whether some L1I may hold a part of the block. */
export function mayHoldInstructions(compact: u64): bool {
  return instructions != 0 && load<u16>(filterAt(<u32>(compact >> largestShift))) != 0;
}
