// The commonest miss, by itself: an L1 miss that a core's own private L2 answers, with an L1 victim that is clean or whose line
// the L2 holds. Same rules as hierarchy.ts (D9, D10, D15, D16), same counters; whatever isn't plain is left to it untouched.

import { held, move } from "./bytes";
import { divergent, equalsTruth } from "./hazard";
import { bytesOf, distrust, yardstick } from "./hierarchy";
import { stamped } from "./latent";
import {
  C_FAST_L2,
  C_L1D,
  C_L1I,
  CARRY,
  coreAt,
  DIRTY,
  dic,
  EXCLUSIVE,
  eventBase,
  FLAG_ALLOCATES_READS,
  FLAG_ALLOCATES_STORES,
  FLAG_EXCLUSIVE_DATA,
  FLAG_EXCLUSIVE_INSTRUCTIONS,
  FLAG_WRITE_THROUGH,
  FLAG_WRITEBACK_TOUCHES,
  groupBits,
  groupStride,
  hitBase,
  INVALID,
  INWARD,
  idc,
  N_BASE,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_COUNTERS,
  N_FLAGS,
  N_GROUP_POSITION,
  N_LEVEL,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_ORDER,
  N_PARENTS,
  N_POLICY,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_STATES,
  N_TRUTH,
  N_WAYS,
  POLICY_LRU,
  pathAt,
  sockets,
  TRUE,
  VALID,
} from "./layout";
import { byteOf } from "./memory";
import {
  COUNTER_EVICTIONS,
  COUNTER_LOAD_MISSES,
  COUNTER_LOADS,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
  OP_FETCH,
  OP_STORE,
} from "./operations";
import { absent, mayHoldInstructions, present } from "./presence";
import { toFront } from "./set";

/** Power-of-two sets whose group bits are the lowest, and true LRU in nibbles. */
export function isPlain(n: usize): bool {
  return (
    load<u32>(n, N_SET_MASK) != INVALID &&
    load<u32>(n, N_GROUP_POSITION) == 0 &&
    load<u32>(n, N_POLICY) == POLICY_LRU &&
    load<u32>(n, N_WAYS) <= 16
  );
}

/** The core's private L2 if refills from it are plain, else 0: found once, when the machine is laid out. */
export function plainL2(core: u32): usize {
  let n: usize = 0;
  for (let home: u32 = 0; home < sockets; home++) {
    const path = pathAt(core, home);
    if (load<u32>(path) < 2 || <usize>load<u32>(path + 4) != <usize>load<u32>(coreAt(core), C_L1D)) return 0;
    const m = <usize>load<u32>(path + 8);
    if (n && m != n) return 0;
    n = m;
  }
  const both = FLAG_ALLOCATES_READS | FLAG_ALLOCATES_STORES;
  if ((load<u32>(<usize>load<u32>(coreAt(core), C_L1D), N_FLAGS) & both) != both) return 0;
  const flags = load<u32>(n, N_FLAGS);
  if (!isPlain(n) || flags & (FLAG_WRITE_THROUGH | FLAG_EXCLUSIVE_DATA | FLAG_EXCLUSIVE_INSTRUCTIONS)) return 0;
  if (load<u32>(n, N_CORE_FIRST) != load<u32>(n, N_CORE_LAST) || idc) return 0;
  // A root's label is made exact by asking elsewhere (D10).
  return load<u32>(<usize>load<u32>(n, N_PARENTS)) ? n : 0;
}

function recordAt(n: usize, line: u32): usize {
  const set = line & load<u32>(n, N_SET_MASK);
  return (
    <usize>load<u32>(n, N_BASE) +
    <usize>(set & ((1 << groupBits) - 1)) * groupStride +
    <usize>(set >> groupBits) * load<u32>(n, N_RECORD_SIZE)
  );
}

function bump(counters: usize, counter: usize): void {
  const at = counters + (counter << 3);
  store<u64>(at, load<u64>(at) + 1);
}

/** Way that holds the line in a record, or -1. */
export function find(r: usize, ways: u32, line: u32): i32 {
  const key = i32x4.splat(line);
  let hit = i32x4.bitmask(i32x4.eq(v128.load(r), key));
  if (hit) return ctz(hit);
  for (let w: u32 = 4; w < ways; w += 4) {
    hit = i32x4.bitmask(i32x4.eq(v128.load(r + ((<usize>w) << 2)), key));
    if (hit) return <i32>(w + ctz(hit));
  }
  return -1;
}

/** Plays the miss of a plain load, store or fetch. False: nothing has been done. A store's bytes are the caller's affair. */
export function refill(core: u32, c: usize, op: u32, compact: u64, r: usize): i32 {
  const l2 = <usize>load<u32>(c, C_FAST_L2);
  if (!l2 || distrust || stamped || (CARRY && divergent)) return -1;
  if (op == OP_STORE && (CARRY || dic) && mayHoldInstructions(compact)) return -1;
  const line2 = <u32>(compact >> load<u32>(l2, N_LINE_SHIFT));
  const r2 = recordAt(l2, line2);
  const way2 = find(r2, load<u32>(l2, N_WAYS), line2);
  if (way2 < 0) return -1;
  const at2 = r2 + load<u32>(l2, N_STATES) + way2;
  const state2 = <u32>load<u8>(at2);
  if (op == OP_STORE && !(state2 & EXCLUSIVE)) return -1;
  const l1 = <usize>load<u32>(c + (op == OP_FETCH ? C_L1I : C_L1D));
  const shift = load<u32>(l1, N_LINE_SHIFT);
  const bytes: usize = (<usize>1) << shift;
  const low = compact & ~(<u64>bytes - 1);
  const data2 = CARRY ? bytesOf(l2, r2, way2) + held(<usize>low & (load<u32>(l2, N_LINE_BYTES) - 1)) : 0;
  if (CARRY && !equalsTruth(low, bytes, data2)) return -1;

  // The way to fill: the lowest invalid one, else the least recent (D14).
  const ways = load<u32>(l1, N_WAYS);
  const orderAt = r + load<u32>(l1, N_ORDER);
  const order = load<u64>(orderAt);
  let way = find(r, ways, INVALID);
  if (way < 0 || <u32>way >= ways) way = <i32>(order >> ((ways - 1) << 2)) & 15;
  const at1 = r + load<u32>(l1, N_STATES) + way;
  const victim = <u32>load<u8>(at1);
  const counters1 = <usize>load<u32>(l1, N_COUNTERS);
  const counters2 = <usize>load<u32>(l2, N_COUNTERS);
  const tagAddress = r + ((<usize>way) << 2);
  if (victim & VALID) {
    const gone = load<u32>(tagAddress);
    if (victim & DIRTY) {
      const goneLow = (<u64>gone) << shift;
      const vLine = <u32>(goneLow >> load<u32>(l2, N_LINE_SHIFT));
      const vr = recordAt(l2, vLine);
      const vWay = find(vr, load<u32>(l2, N_WAYS), vLine);
      if (vWay < 0) return -1;
      const vState = vr + load<u32>(l2, N_STATES) + vWay;
      store<u8>(vState, load<u8>(vState) | <u8>DIRTY);
      if (CARRY) {
        const to = bytesOf(l2, vr, vWay) + held(<usize>goneLow & (load<u32>(l2, N_LINE_BYTES) - 1));
        move(to, bytesOf(l1, r, way), bytes);
      }
      bump(counters1, COUNTER_WRITEBACKS_OUT);
      bump(counters2, COUNTER_WRITEBACKS_IN);
      bump(eventBase + ((<usize>core) << 7), EVENT_WRITEBACK);
      // The request touched the line before its victim came back (R36).
      touchBoth(l2, r2, way2, vr, vWay);
    } else touch(l2, r2, way2);
    bump(counters1, COUNTER_EVICTIONS);
    store<u32>(tagAddress, INVALID);
    absent(l1, gone);
  } else touch(l2, r2, way2);

  bump(counters1, COUNTER_LOADS + op);
  bump(counters1, COUNTER_LOAD_MISSES + op);
  bump(counters2, COUNTER_LOADS + op);
  bump(hitBase + ((<usize>core) << 7), load<u32>(l2, N_LEVEL));
  if (yardstick) store<u8>(at2, <u8>(state2 | INWARD));
  const line = <u32>(compact >> shift);
  let state = VALID;
  if (op == OP_STORE) state |= EXCLUSIVE | DIRTY;
  else if (op != OP_FETCH) state |= state2 & EXCLUSIVE;
  if (CARRY) {
    state |= TRUE;
    move(bytesOf(l1, r, way), data2, bytes);
    store<u32>(r + load<u32>(l1, N_TRUTH) + ((<usize>way) << 2), <u32>byteOf(low));
  }
  store<u32>(tagAddress, line);
  store<u8>(at1, <u8>state);
  store<u64>(orderAt, toFront(order, way));
  present(l1, line);
  return way;
}

function touch(n: usize, r: usize, way: u32): void {
  const order = r + load<u32>(n, N_ORDER);
  store<u64>(order, toFront(load<u64>(order), way));
}

function touchBoth(l2: usize, r2: usize, way2: u32, vr: usize, vWay: u32): void {
  touch(l2, r2, way2);
  if (load<u32>(l2, N_FLAGS) & FLAG_WRITEBACK_TOUCHES) touch(l2, vr, vWay);
}
