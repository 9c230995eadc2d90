// Contents while buckets are played on sharers (bucket.ts, far.ts). As nothing there ignores coherence, a copy either equals the
// truth, in whichever cache it is, and has no bytes of its own (TRUE), or lies outside a dirty copy and keeps what it had before that
// was stored to. So no bytes move with a line: an L2's and an L3's copy keep theirs when their line is first stored to further in, and
// need them no longer when it comes back. As long as no copy of the line is dirty, memory has them. handover.ts sees to it that caches are so when sharers are taken up, and gives all copies of
// L2s and L3s bytes when they are given up.
//
// A fetch doesn't look into its core's L1D (D23), so what L1Is hold may be old. An L1D's copy whose line its core's L1I holds too is
// marked, by not being TRUE, though it is: whatever hits it then takes the longer way, where a store finds the L1I's.

import { held, move } from "./bytes";
import { equalsTruth, observe, setAttribute, setRecord } from "./hazard";
import { NARROW_STATES } from "./hits";
import {
  AS_MEMORY,
  allocate,
  C_L1D,
  C_L1I,
  C_SOCKET,
  CARRY,
  coreAt,
  DIRTY,
  groupBits,
  HOLDS_DATA,
  indexOf,
  largestShift,
  N_DATA,
  N_DEPTH,
  N_HOLDS,
  N_SETS,
  N_STRIDE,
  N_TRUTH,
  N_WAYS,
  TRUE,
  VERSIONS,
} from "./layout";
import { byteOf, dataOf, setWho, TRUTH, WRITER } from "./memory";
import { ATTR_WRITE_BACK, HAZARD_STALE_FETCH } from "./operations";
import { setState, stateAt, tagAt } from "./set";
import { plainL2, waysFilled } from "./shape";
import {
  D_ROOT,
  deskOf,
  findL1,
  hints2,
  inL1D,
  inL1I,
  inL2,
  inL3,
  lineIn,
  partIn,
  states2,
  states3,
  ways2,
  ways3,
} from "./sharers";

// ---- where a way's own bytes are, in all L2s and in all L3s alike
let data2: usize = 0;
let stride2: usize = 0;
let data3: usize = 0;
let stride3: usize = 0;
/** A place whose truth nobody reads: loads write there, so that nothing branches on what a record does. */
export let nowhere: usize = 0;
/** The number behind that of the bucket's first record that could be. */
let after: u64 = 0;

/** Called when the first desks are made. */
export function prepareTruths(l2: usize, l3: usize): void {
  if (!CARRY) return;
  data2 = <usize>load<u32>(l2, N_DATA);
  stride2 = <usize>load<u32>(l2, N_STRIDE);
  data3 = <usize>load<u32>(l3, N_DATA);
  stride3 = <usize>load<u32>(l3, N_STRIDE);
  nowhere = allocate(WRITER + 64, 64);
}

// ---- stores

/** Where 8 bytes of a line lie in memory, and their truth and writer behind them. */
export function wordOf(line: u32, part: u32): usize {
  return byteOf(((<u64>line) << largestShift) + ((<u64>part) << 3));
}

/** What the truth says of a packed record's word. */
export function truthAt(word: u64, group: u32): u64 {
  return load<u64>(wordOf(lineIn(word, group), partIn(word)), TRUTH);
}

/** Where the line lies whose part is at an address. */
export function lineAt(at: usize, part: u32): usize {
  return VERSIONS ? at : at - ((<usize>part) << 3);
}

/** Numbers that the records of a bucket have are added to this one. */
export function countFrom(epoch: u64): void {
  after = epoch + 1;
}

/** The truth changes to the default value (R44). */
export function write(at: usize, core: u32, number: u32): void {
  const bits = after + number;
  store<u64>(at, bits, TRUTH);
  store<u64>(at, bits | ((<u64>core) << 40) | ((<u64>ATTR_WRITE_BACK) << 56), WRITER);
}

/** An L2's copy gets bytes of its own. */
export function saveL2(r2: usize, way2: u32, truth: usize): void {
  move(<usize>load<u32>(r2 + data2) + <usize>way2 * stride2, truth + TRUTH, (<usize>1) << largestShift);
}

/** The line in a way of an L2 is about to be stored to in its core's L1D: what is outside keeps what it has. `truth` is where the line lies. */
export function save(desk: usize, line: u32, r2: usize, way2: u32, truth: usize): void {
  const at2 = r2 + states2 + way2;
  const state2 = <u32>load<u8>(at2);
  const way3 = <usize>load<u8>(r2 + hints2 + way2) & 15;
  const r3 = inL3(desk, line);
  const at3 = r3 + states3 + way3;
  const state3 = <u32>load<u8>(at3);
  if (state2 & state3 & TRUE && !((state2 | state3) & DIRTY)) {
    store<u8>(at2, <u8>((state2 & ~TRUE) | AS_MEMORY));
    store<u8>(at3, <u8>((state3 & ~TRUE) | AS_MEMORY));
    return;
  }
  if (state2 & TRUE) {
    saveL2(r2, way2, truth);
    store<u8>(at2, <u8>(state2 & ~(TRUE | AS_MEMORY)));
  }
  if (state3 & TRUE) {
    move(<usize>load<u32>(r3 + data3) + way3 * stride3, truth + TRUTH, (<usize>1) << largestShift);
    store<u8>(at3, <u8>(state3 & ~(TRUE | AS_MEMORY)));
  }
}

/** A dirty line reaches memory. */
export function writeLine(line: u32): void {
  const at = byteOf((<u64>line) << largestShift);
  move(at, at + TRUTH, (<usize>1) << largestShift);
}

// ---- L1Is

function l1iOf(core: u32): usize {
  return <usize>load<u32>(coreAt(core), C_L1I);
}

/** TRUE unless a core's L1I holds a line. With `truth`, where the line lies, it is about to be stored to: the L1I's copy keeps what it has. */
export function saveInstructions(core: u32, line: u32, truth: usize): u32 {
  const r1 = inL1I(deskOf(core), line);
  const found = findL1(r1, line);
  if (!found) return TRUE;
  const way = <u32>ctz(found);
  const state = <u32>load<u8>(r1 + way, NARROW_STATES);
  if (truth && state & TRUE) {
    move(dataOf(l1iOf(core), r1, way), truth + TRUTH, (<usize>1) << largestShift);
    store<u8>(r1 + way, <u8>(state & ~TRUE), NARROW_STATES);
  }
  return 0;
}

/** What a fetch observed last that may not be the truth, and whether the last record was one. */
export let observedOld: u64 = 0;
export let isOld: bool = false;

export function expectTruth(): void {
  isOld = false;
}

/** A fetch gets what a cache's copy holds of its own, at `data`. */
function fetchOld(core: u32, line: u32, part: u32, number: u32, n: usize, data: usize): void {
  const at = data + held((<usize>part) << 3);
  setWho(core, load<u32>(coreAt(core), C_SOCKET));
  setRecord(after + number - 1);
  setAttribute(ATTR_WRITE_BACK);
  isOld = true;
  observedOld = load<u64>(at);
  observe(HAZARD_STALE_FETCH, ((<u64>line) << largestShift) + ((<u64>part) << 3), 8, at, indexOf(n));
}

/** The same from a way of its core's L1I. */
export function fetchFromL1I(core: u32, line: u32, part: u32, number: u32, r1: usize, way: u32): void {
  const n = l1iOf(core);
  fetchOld(core, line, part, number, n, dataOf(n, r1, way));
}

/** The same from its L2: a way of its L1I, which is filled with the line, gets those bytes. */
export function fetchFromL2(
  core: u32,
  line: u32,
  part: u32,
  number: u32,
  r2: usize,
  way2: u32,
  r1: usize,
  way: u32,
): void {
  const n = plainL2(core);
  const data = bytesInForce(n, r2, way2);
  move(dataOf(l1iOf(core), r1, way), data, (<usize>1) << largestShift);
  fetchOld(core, line, part, number, n, data);
}

/** Where the bytes of a copy are while sharers are in force, in whichever cache. */
export function bytesInForce(n: usize, record: usize, way: u32): usize {
  const state = stateAt(n, record, way);
  const isTrue = (state & TRUE) != 0 || (load<u32>(n, N_DEPTH) == 1 && load<u32>(n, N_HOLDS) == HOLDS_DATA);
  if (!isTrue && !(state & AS_MEMORY)) return dataOf(n, record, way);
  const at = byteOf((<u64>tagAt(record, way)) << largestShift);
  return isTrue ? at + TRUTH : at;
}

// ---- taking sharers up and giving them up, a core's or an L3's sets of one group at a time

/** No copy of an L3 counts as true, or as lying outside a dirty one. */
export function forgetTruthsIn(desk: usize, group: u32): void {
  const sets = load<u32>(<usize>load<u32>(desk, D_ROOT), N_SETS);
  for (let set = group; set < sets; set += 1 << groupBits) {
    const r3 = inL3(desk, set);
    for (let ways = waysFilled(r3, ways3); ways; ways &= ways - 1) {
      const at3 = r3 + states3 + <usize>ctz(ways);
      store<u8>(at3, load<u8>(at3) & ~(<u8>TRUE));
    }
  }
}

function holdsTruth(line: u32, data: usize): bool {
  return equalsTruth((<u64>line) << largestShift, (<usize>1) << largestShift, data);
}

/**
 * Whether a core's copies hold the truth, but for what its L2 has outside a dirty copy of its L1D. Until `areTruthsIn`, TRUE means of
 * an L3's copy that it lies outside a dirty one.
 */
export function areTruthsOf(core: u32, group: u32): bool {
  const desk = deskOf(core);
  const sets = load<u32>(plainL2(core), N_SETS);
  for (let set = group; set < sets; set += 1 << groupBits) {
    const r2 = inL2(desk, set);
    for (let ways = waysFilled(r2, ways2); ways; ways &= ways - 1) {
      const way2 = <usize>ctz(ways);
      const line = load<u32>(r2 + (way2 << 2));
      const at2 = r2 + states2 + way2;
      const state2 = <u32>load<u8>(at2);
      const r1 = inL1D(desk, line);
      const found1 = findL1(r1, line);
      const state1: u32 = found1 ? load<u8>(r1 + <usize>ctz(found1), NARROW_STATES) : TRUE;
      if (!(state1 & TRUE)) return false;
      if (state1 & DIRTY) store<u8>(at2, <u8>(state2 & ~TRUE));
      else if (!(state2 & TRUE)) {
        if (!holdsTruth(line, <usize>load<u32>(r2 + data2) + way2 * stride2)) return false;
        store<u8>(at2, <u8>(state2 | TRUE));
      }
      if (!((state1 | state2) & DIRTY)) continue;
      const at3 = inL3(desk, line) + states3 + (<usize>load<u8>(r2 + hints2 + way2) & 15);
      store<u8>(at3, load<u8>(at3) | <u8>TRUE);
    }
  }
  return true;
}

/** The same of an L3's copies. */
export function areTruthsIn(desk: usize, group: u32): bool {
  const sets = load<u32>(<usize>load<u32>(desk, D_ROOT), N_SETS);
  for (let set = group; set < sets; set += 1 << groupBits) {
    const r3 = inL3(desk, set);
    for (let ways = waysFilled(r3, ways3); ways; ways &= ways - 1) {
      const way3 = <usize>ctz(ways);
      const at3 = r3 + states3 + way3;
      if (!(load<u8>(at3) & <u8>TRUE)) {
        if (!holdsTruth(load<u32>(r3 + (way3 << 2)), <usize>load<u32>(r3 + data3) + way3 * stride3)) return false;
      }
      store<u8>(at3, load<u8>(at3) ^ <u8>TRUE);
    }
  }
  return true;
}

/** Marks a core's L1D's copies whose line its L1I holds too. */
export function markInstructions(core: u32, group: u32): void {
  const desk = deskOf(core);
  const l1i = <usize>load<u32>(coreAt(core), C_L1I);
  for (let set = group; set < load<u32>(l1i, N_SETS); set += 1 << groupBits) {
    const r = inL1I(desk, set);
    for (let ways = waysFilled(r, load<u32>(l1i, N_WAYS)); ways; ways &= ways - 1) {
      const line = load<u32>(r + ((<usize>ctz(ways)) << 2));
      const r1 = inL1D(desk, line);
      const found = findL1(r1, line);
      if (found) mark(r1, ctz(found));
    }
  }
}

/** An L1D's copy is marked: its core's L1I holds the line too. */
export function mark(r1: usize, way: u32): void {
  store<u8>(r1 + way, load<u8>(r1 + way, NARROW_STATES) & ~(<u8>TRUE), NARROW_STATES);
}

/** Gives a core's copies what they have outside of this play: those of its L1s the place of their truth, those of its L2 bytes. */
export function giveBytesTo(core: u32, group: u32): void {
  const desk = deskOf(core);
  const l1d = <usize>load<u32>(coreAt(core), C_L1D);
  const l1i = <usize>load<u32>(coreAt(core), C_L1I);
  for (let set = group; set < load<u32>(l1d, N_SETS); set += 1 << groupBits) tellTruth(l1d, inL1D(desk, set), TRUE);
  for (let set = group; set < load<u32>(l1i, N_SETS); set += 1 << groupBits) tellTruth(l1i, inL1I(desk, set), 0);
  const l2 = plainL2(core);
  for (let set = group; set < load<u32>(l2, N_SETS); set += 1 << groupBits) giveBytes(l2, inL2(desk, set));
}

function tellTruth(n: usize, r1: usize, state: u32): void {
  for (let ways = waysFilled(r1, load<u32>(n, N_WAYS)); ways; ways &= ways - 1) {
    const way = <usize>ctz(ways);
    const line = load<u32>(r1 + (way << 2));
    store<u32>(r1 + load<u32>(n, N_TRUTH) + (way << 2), <u32>byteOf((<u64>line) << largestShift));
    store<u8>(r1 + way, <u8>(<u32>load<u8>(r1 + way, NARROW_STATES) | state), NARROW_STATES);
  }
}

function giveBytes(n: usize, record: usize): void {
  for (let ways = waysFilled(record, load<u32>(n, N_WAYS)); ways; ways &= ways - 1) {
    const way = <u32>ctz(ways);
    const state = stateAt(n, record, way);
    if (!(state & (TRUE | AS_MEMORY))) continue;
    move(dataOf(n, record, way), bytesInForce(n, record, way), (<usize>1) << largestShift);
    setState(n, record, way, state & ~AS_MEMORY);
  }
}

/** The same of an L3's copies. */
export function giveBytesIn(desk: usize, group: u32): void {
  const l3 = <usize>load<u32>(desk, D_ROOT);
  for (let set = group; set < load<u32>(l3, N_SETS); set += 1 << groupBits) giveBytes(l3, inL3(desk, set));
}
