// The commonest miss, by itself: an L1 miss that a core's own private L2 answers, with an L1 victim that is clean or whose line
// the L2 holds. Same rules as hierarchy.ts (D9, D10, D15, D16), same counters; whatever isn't plain is left to it untouched.

import { held, move } from "./bytes";
import { areEqual, divergent, equalsTruth, mayDiffer, touched } from "./hazard";
import { distrust, yardstick } from "./hierarchy";
import { BASE_L2, basesOf, NARROW_ORDER, NARROW_STATES } from "./hits";
import {
  allocate,
  C_ACTIVE,
  C_L1D,
  C_L1I,
  CARRY,
  coreAt,
  cores,
  DIRTY,
  dic,
  EXCLUSIVE,
  eventBase,
  FLAG_WRITEBACK_TOUCHES,
  HOLDS_INSTRUCTIONS,
  hitBase,
  INVALID,
  INWARD,
  idc,
  largestShift,
  N_BASE,
  N_COUNTERS,
  N_HOLDS,
  N_LEVEL,
  PREFETCHED,
  smallestShift,
  TRUE,
  VALID,
} from "./layout";
import { byteOf, count } from "./memory";
import {
  COUNTER_EVICTIONS,
  COUNTER_LOAD_MISSES,
  COUNTER_LOADS,
  COUNTER_PREFETCHES_UNUSED,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
  OP_FETCH,
  OP_LOAD,
  OP_STORE,
} from "./operations";
import { pendable } from "./pending";
import { prefetching } from "./prefetch";
import { absent, exchangeInstructions, mayHoldInstructions, present } from "./presence";
import { moveToFront } from "./set";
import {
  bytesIn,
  contents,
  fillIn,
  isPlain,
  plainL2,
  recordIn,
  S_COVERED,
  S_FETCH,
  S_FLAGS,
  S_L2,
  S_SHIFT,
  S_TRUTH,
  S_WAYS,
  shapesAt,
  stateIn,
  touchIn,
  truthIn,
  waysWith,
  wayToFill,
} from "./shape";

// ---- counted apart, per core: refills by load, store and fetch, victims of L1D and L1I, victims that were dirty, plain hits of loads
const REFILLS_SIZE: usize = 64;
const R_EVICTIONS: usize = 24;
const R_WRITEBACKS: usize = 40;
const R_HITS: usize = 48;
let refills: usize = 0;

export function allocateRefills(): void {
  refills = allocate(<usize>cores * REFILLS_SIZE, 64);
}

function add(at: usize, many: u64): void {
  store<u64>(at, load<u64>(at) + many);
}

/** Loads that hit their core's L1D (plain.ts, near.ts). */
export function noteHits(core: u32, many: u64): void {
  add(refills + <usize>core * REFILLS_SIZE + R_HITS, many);
}

/** Loads that the core's L2 answered, and clean victims of its L1D (near.ts). */
export function noteLoads(core: u32, many: u64, victims: u64): void {
  const counts = refills + <usize>core * REFILLS_SIZE;
  add(counts + ((<usize>OP_LOAD) << 3), many);
  add(counts + R_EVICTIONS, victims);
}

/** Moves what was counted apart to the counters it belongs to. */
export function settleRefills(): void {
  for (let core: u32 = 0; core < cores; core++) {
    const l2 = plainL2(core);
    if (!l2) continue;
    const mine = refills + <usize>core * REFILLS_SIZE;
    const counters2 = <usize>load<u32>(l2, N_COUNTERS);
    for (let op: u32 = OP_LOAD; op <= OP_FETCH; op++) {
      const l1 = <usize>load<u32>(coreAt(core) + (op == OP_FETCH ? C_L1I : C_L1D));
      if (!l1) continue;
      const counters1 = <usize>load<u32>(l1, N_COUNTERS);
      const many = load<u64>(mine + ((<usize>op) << 3));
      add(counters1 + ((<usize>COUNTER_LOADS + op) << 3), many);
      add(counters1 + ((<usize>COUNTER_LOAD_MISSES + op) << 3), many);
      add(counters2 + ((<usize>COUNTER_LOADS + op) << 3), many);
      add(hitBase + ((<usize>core) << 7) + ((<usize>load<u32>(l2, N_LEVEL)) << 3), many);
      if (op == OP_STORE) continue;
      add(counters1 + ((<usize>COUNTER_EVICTIONS) << 3), load<u64>(mine + ((<usize>op) << 2), R_EVICTIONS));
    }
    const l1d = <usize>load<u32>(coreAt(core), C_L1D);
    const hits = load<u64>(mine, R_HITS);
    add(<usize>load<u32>(l1d, N_COUNTERS) + ((<usize>COUNTER_LOADS) << 3), hits);
    add(hitBase + ((<usize>core) << 7) + ((<usize>load<u32>(l1d, N_LEVEL)) << 3), hits);
    const writebacks = load<u64>(mine, R_WRITEBACKS);
    add(<usize>load<u32>(l1d, N_COUNTERS) + ((<usize>COUNTER_WRITEBACKS_OUT) << 3), writebacks);
    add(counters2 + ((<usize>COUNTER_WRITEBACKS_IN) << 3), writebacks);
    add(eventBase + ((<usize>core) << 8) + ((<usize>EVENT_WRITEBACK) << 3), writebacks);
    memory.fill(mine, 0, REFILLS_SIZE);
  }
}

/** Whether the L2 has a copy of a clean L1 line that is true, or the same: then nothing is lost with a true one. */
function isAlike(base2: usize, shape2: usize, low: u64, data: usize, bytes: usize): bool {
  const line = <u32>(low >> load<u32>(shape2, S_SHIFT));
  const r = recordIn(base2, shape2, line);
  const found = waysWith(r, load<u32>(shape2, S_WAYS), line);
  if (!found) return false;
  const way = <u32>ctz(found);
  if (load<u8>(stateIn(shape2, r, way)) & <u8>TRUE) return true;
  return areEqual(contents(shape2, r, way) + within(shape2, low), bytes, data);
}

/** Where a range that begins at `compact` lies in the contents of a line. */
function within(shape: usize, compact: u64): usize {
  return held(<usize>compact & ((1 << load<u32>(shape, S_SHIFT)) - 1));
}

/** Refills since counters were last read. */
export function refillsSoFar(): u64 {
  let many: u64 = 0;
  for (let core: u32 = 0; core < cores; core++) {
    const mine = refills + <usize>core * REFILLS_SIZE;
    many += load<u64>(mine) + load<u64>(mine, 8) + load<u64>(mine, 16);
  }
  return many;
}

/** Whether a core's L1D holds a line, or isn't plain, so that nobody knows here. */
function isInData(core: u32, compact: u64): bool {
  const l1d = <usize>load<u32>(coreAt(core), C_L1D);
  if (!l1d) return false;
  if (!isPlain(l1d)) return true;
  const base = <usize>load<u32>(l1d, N_BASE);
  const shape = shapesAt(core);
  const line = <u32>(compact >> load<u32>(shape, S_SHIFT));
  return waysWith(recordIn(base, shape, line), load<u32>(shape, S_WAYS), line) != 0;
}

export const BEYOND: i32 = -2;

/** Where the line of the last refill lies in the L2: its bytes are true until somebody stores to it. */
export let refilledFrom: usize = 0;

/**
 * Plays the miss of a plain load, store or fetch in its L1's record r, and returns the way that it filled. Negative: nothing
 * has been done, BEYOND if only because the L2 doesn't hold the line. A store's bytes are the caller's affair.
 */
export function refill(core: u32, op: u32, compact: u64, line: u32, r: usize, shape: usize): i32 {
  if (pendable || (CARRY && divergent)) return -1;
  return refillUnasked(core, op, compact, line, r, shape);
}

/** The same for a caller who looks for pending maintenance (D34) and for losses (D32) itself. */
export function refillUnasked(core: u32, op: u32, compact: u64, line: u32, r: usize, shape: usize): i32 {
  return Refill.by<Carefully>(core, op, compact, line, r, shape);
}

/** Whether refills of all cores are the plainest for now, so that nobody needs to look. */
export function refillsAreSimple(): bool {
  return !CARRY && isSimple && !pendable && !distrust && !yardstick && !prefetching;
}

/** Whether all cores' refills are the plainest as long as the state allows it. */
export let isSimple: bool = false;

/** Called once the machine is laid out, after its shapes. */
export function prepareRefills(): void {
  isSimple = !idc && !dic && smallestShift == largestShift;
  for (let core: u32 = 0; core < cores; core++) {
    const shapes = shapesAt(core);
    const l1i = <usize>load<u32>(coreAt(core), C_L1I);
    if (!load<u32>(shapes, S_COVERED)) isSimple = false;
    if (l1i && (load<u32>(shapes + S_FETCH, S_COVERED) || load<u32>(l1i, N_HOLDS) != HOLDS_INSTRUCTIONS))
      isSimple = false;
  }
}

/** The presence directory hears of an L1's victim, if there was one, and of the line that has come. */
function replace(core: u32, op: u32, gone: u32, was: u32, line: u32): void {
  const l1 = <usize>load<u32>(coreAt(core) + (op == OP_FETCH ? C_L1I : C_L1D));
  if (was) absent(l1, gone);
  present(l1, line);
}

export type Simply = u8;
type Carefully = u64;

/** The way to fill of a record that has four ways at most. */
function narrowWayToFill(shape: usize, r: usize): u32 {
  const ways = load<u32>(shape, S_WAYS);
  const free = <u32>i32x4.bitmask(i32x4.eq(v128.load(r), i32x4.splat(INVALID))) & ((1 << ways) - 1);
  return free ? <u32>ctz(free) : (load<u32>(r + NARROW_ORDER) >> ((ways - 1) << 2)) & 15;
}

/** A class only because the compiler takes a decorator nowhere else that other tools read. */
export class Refill {
  /** The same as a part of the caller, whose loop is slower for a call. */
  @inline
  static by<Care>(core: u32, op: u32, compact: u64, line: u32, r: usize, shape: usize): i32 {
    // Compiled twice: the type tells which it is, by its size. The simple one calls nothing (hits.ts).
    const simple = sizeof<Care>() == sizeof<Simply>();
    const base2 = <usize>load<u32>(basesOf(core), BASE_L2);
    if (!base2 || (!simple && distrust)) return -1;
    const shape2 = shapesAt(core) + S_L2;
    // All lines are of one size where refills are simple.
    const line2 = simple ? line : <u32>(compact >> load<u32>(shape2, S_SHIFT));
    const r2 = recordIn(base2, shape2, line2);
    const ways2 = load<u32>(shape2, S_WAYS);
    const found2 = waysWith(r2, ways2, line2);
    if (!found2) return BEYOND;
    const way2 = ctz(found2);
    const at2 = stateIn(shape2, r2, way2);
    const state2 = <u32>load<u8>(at2);
    // A store needs EXCLUSIVE, which is bit 1; the first hit of a PREFETCHED copy, bit 5, isn't plain.
    const isStore = op & 1;
    if ((isStore & ~(state2 >> 1)) | (simple ? 0 : state2 >> 5)) return -1;
    // With IDC a fetch asks its core's L1D (D23).
    if (!simple && idc && op == OP_FETCH && isInData(core, compact)) return -1;
    if ((CARRY || (!simple && dic)) && isStore && mayHoldInstructions(compact)) return -1;
    const shift = load<u32>(shape, S_SHIFT);
    const bytes: usize = (<usize>1) << shift;
    const low = (<u64>line) << shift;
    const data2 = CARRY ? contents(shape2, r2, way2) + within(shape2, low) : 0;
    // A whole line of the L2 is compared once; for a fetch again where the L1D may have it newer.
    if (CARRY && (!(state2 & TRUE) || (op == OP_FETCH && isInData(core, compact)))) {
      if (mayDiffer(op == OP_FETCH) && !equalsTruth(low, bytes, data2)) return -1;
      if (load<u32>(shape2, S_SHIFT) == shift) store<u8>(at2, <u8>(state2 | TRUE));
    }
    if (!ASC_NO_ASSERT && CARRY) assert(equalsTruth(low, bytes, data2), "what a true copy of the L2 gives is true");

    const way = simple ? narrowWayToFill(shape, r) : wayToFill(shape, r);
    const victim = <u32>load<u8>(simple ? r + NARROW_STATES + way : stateIn(shape, r, way));
    const gone = load<u32>(r + ((<usize>way) << 2));
    const counts = refills + <usize>core * REFILLS_SIZE;
    const goneLow = (<u64>gone) << shift;
    let isLookedFor = CARRY && divergent && op != OP_FETCH && (victim & VALID) != 0;
    let vr: usize = 0;
    let vWay: u32 = 0;
    if (victim & DIRTY) {
      const vLine = simple ? gone : <u32>(goneLow >> load<u32>(shape2, S_SHIFT));
      vr = recordIn(base2, shape2, vLine);
      const vFound = waysWith(vr, ways2, vLine);
      if (!vFound) return -1;
      vWay = ctz(vFound);
      const vState = stateIn(shape2, vr, vWay);
      let landed = <u32>load<u8>(vState) | DIRTY;
      if (CARRY) landed = (landed & ~TRUE) | (load<u32>(shape2, S_SHIFT) == shift ? victim & TRUE : 0);
      store<u8>(vState, <u8>landed);
      if (CARRY) move(contents(shape2, vr, vWay) + within(shape2, goneLow), bytesIn(shape, r, way, victim), bytes);
      add(counts + R_WRITEBACKS, 1);
      // True bytes that have moved to the L2 are not lost.
      if (victim & TRUE) isLookedFor = false;
    }
    // The request touched its line before the victim came back (R36).
    touchIn(shape2, r2, way2);
    if (load<u32>(shape2, S_FLAGS) & FLAG_WRITEBACK_TOUCHES && victim & DIRTY) touchIn(shape2, vr, vWay);
    if (isLookedFor && !(victim & TRUE && isAlike(base2, shape2, goneLow, truthIn(shape, r, way), bytes)))
      touched(goneLow, bytes);
    add(counts + ((<usize>op) << 3), 1);
    if (!simple && victim & PREFETCHED) count(<usize>load<u32>(coreAt(core), C_L1D), COUNTER_PREFETCHES_UNUSED);
    add(counts + ((<usize>(op & 2)) << 2) + R_EVICTIONS, victim & VALID);
    if (!simple && yardstick) store<u8>(at2, <u8>(load<u8>(at2) | INWARD));
    // A fetch gets a shared copy, a load what its L2 has, a store an owned one.
    const isLoad = <u32>(op == OP_LOAD);
    let state = VALID | (isStore * (EXCLUSIVE | DIRTY)) | (state2 & (isLoad * EXCLUSIVE));
    if (CARRY) {
      state |= TRUE;
      refilledFrom = data2;
      store<u32>(r + load<u32>(shape, S_TRUTH) + ((<usize>way) << 2), <u32>byteOf(low));
    }
    if (simple) {
      store<u32>(r + ((<usize>way) << 2), line);
      store<u8>(r + NARROW_STATES + way, <u8>state);
      moveToFront(r + NARROW_ORDER, way);
    } else fillIn(shape, r, way, line, state);
    // It may be the core's first cacheable data access (D33): the line can have come with a fetch.
    if (op != OP_FETCH) store<u32>(coreAt(core), 1, C_ACTIVE);
    if (simple) {
      if (op == OP_FETCH) exchangeInstructions(gone, victim & VALID, line);
    } else if (!load<u32>(shape, S_COVERED)) replace(core, op, gone, victim & VALID, line);
    return way;
  }
}
