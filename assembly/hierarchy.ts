// Lines moving through one core's path: requests outwards, fills inwards, victims and writebacks outwards again, and what
// inclusion takes away (R36, R40, R41, D9, D10, D13-D19). Copies elsewhere are coherence.ts's affair.

import { held, move } from "./bytes";
import {
  ask,
  askedState,
  climb,
  collectInside,
  collectPeers,
  directoryLookup,
  fromMemory,
  heldElsewhere,
  hold,
  interconnect,
  isKept,
  onlySharers,
  PEER_NODE,
  PEER_RECORD,
  PEER_WAY,
  release,
  stateOf,
} from "./coherence";
import { inForce } from "./handover";
import { divergent, equalsTruth, mayDiffer, touched } from "./hazard";
import {
  allocate,
  C_L1I,
  CARRY,
  coreAt,
  DIRTY,
  EXCLUSIVE,
  FLAG_ALLOCATES_READS,
  FLAG_ALLOCATES_STORES,
  FLAG_EXCLUSIVE_DATA,
  FLAG_EXCLUSIVE_INSTRUCTIONS,
  FLAG_INCLUSIVE_DATA,
  FLAG_INCLUSIVE_INSTRUCTIONS,
  FLAG_WRITE_THROUGH,
  FLAG_WRITEBACK_TOUCHES,
  HOLDS_DATA,
  HOLDS_INSTRUCTIONS,
  INVALID,
  INWARD,
  idc,
  moesi,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_COUNTERS,
  N_DEPTH,
  N_FLAGS,
  N_HOLDS,
  N_LEVEL,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_PARENTS,
  N_SOCKET,
  N_TRUTH,
  N_WAYS,
  PREFETCHED,
  sticky,
  TRUE,
  VALID,
  yardstickBase,
} from "./layout";
import { byteOf, count, dataOf, event, homeOf, machineCount, memoryWrite, TRUTH, whoSocket } from "./memory";
import { logging, logMissed } from "./miss-log";
import {
  COUNTER_BACK_INVALIDATIONS,
  COUNTER_EVICTIONS,
  COUNTER_LOAD_MISSES,
  COUNTER_LOADS,
  COUNTER_PREFETCHES_UNUSED,
  COUNTER_UPGRADES,
  COUNTER_WRITEBACK_MISSES,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
  MACHINE_CROSSINGS,
} from "./operations";
import { asked, prefetching } from "./prefetch";
import { absent, mayHoldInstructions, present } from "./presence";
import { choose, filled, probe, recordOf, setState, stateAt, tagAt, touch } from "./set";
import { bytesInForce } from "./truths";

// ---- the piece on its way
/** Compact address of the piece. */
export let at: u64 = 0;
/** 0 load, 1 store, 2 fetch: also the index of the demand counters. */
export let kind: u32 = 0;
export let fetching: bool = false;
/** A table walk from the PoU level: it goes as a fetch of a core without L1I does, but is a load (D51). */
export let walking: bool = false;
/** Non-shareable: nobody else is asked (D20). */
export let alone: bool = false;
export let path: usize = 0;
export let pathLength: u32 = 0;
/** Whether p[0] will be filled: exclusive levels move their copies only then. */
let fillsFirst: bool = true;

export function beginAccess(compact: u64, accessKind: u32, isAlone: bool, thePath: usize): void {
  at = compact;
  kind = accessKind;
  fetching = accessKind == 2;
  walking = false;
  alone = isAlone;
  path = thePath;
  pathLength = load<u32>(thePath);
  peerSupply = 0;
  snoopedLocal = false;
  snoopedRemote = false;
}

/** As beginAccess, for a load that looks from the PoU level on: the path's first cache is asked, and filled, like all others. */
export function beginWalk(compact: u64, isAlone: bool, thePath: usize): void {
  beginAccess(compact, 0, isAlone, thePath);
  fetching = true;
  walking = true;
  fillsFirst = allocates(pathNode(0));
}

export function pathNode(k: u32): usize {
  return <usize>load<u32>(path + 4 + ((<usize>k) << 2));
}

export function parentOf(n: usize, compact: u64): usize {
  const parents = <usize>load<u32>(n, N_PARENTS);
  return <usize>load<u32>(parents + ((<usize>homeOf(compact)) << 2));
}

/** Where the bytes of a copy are. */
export function bytesOf(n: usize, record: usize, way: u32): usize {
  if (CARRY && inForce) return bytesInForce(n, record, way);
  if (CARRY && isTruth(n, record, way)) return truthOf(n, record, way);
  return dataOf(n, record, way);
}

/** Whether a copy has no bytes of its own (TRUE). */
function isTruth(n: usize, record: usize, way: u32): bool {
  return load<u32>(n, N_TRUTH) != 0 && (stateAt(n, record, way) & TRUE) != 0;
}

function truthOf(n: usize, record: usize, way: u32): usize {
  return <usize>load<u32>(record + load<u32>(n, N_TRUTH) + ((<usize>way) << 2)) + TRUTH;
}

// ---- the answer of a request: bytes from answerLow on, and who gave them
export let answer: usize = 0;
export let answerLow: u64 = 0;
export let answerBytes: u32 = 0;
/** 0: behind the interconnect (`behindSupplier` tells); else the node that supplied. */
export let source: usize = 0;
/** 1 a peer of the same socket supplied, 2 of another. */
export let peerSupply: u32 = 0;
export let snoopedLocal: bool = false;
export let snoopedRemote: bool = false;

export function allocateAnswer(): void {
  answer = allocate(4096, 64);
}

export function setAnswer(low: u64, bytes: u32, from: usize): void {
  answerLow = low;
  answerBytes = bytes;
  if (CARRY && from) move(answer, from, bytes);
}

export function setSource(n: usize): void {
  source = n;
}

export function setPeerSupply(distance: u32): void {
  peerSupply = distance;
}

export function noteSnooped(remote: bool): void {
  if (remote) snoopedRemote = true;
  else snoopedLocal = true;
}

/** Bytes of the answer at a compact address. */
export function answerAt(compact: u64): usize {
  return answer + held(<usize>(compact - answerLow));
}

// ---- yardstick's view (R38), switched on for one comparison only
export let yardstick: bool = false;
export const YARD_C2C: u32 = 0;
export const YARD_BACK: u32 = 1;
export const YARD_INWARD: u32 = 2;

export function setYardstick(on: bool): void {
  yardstick = on;
}

export function yard(counter: u32, socket: u32): void {
  const p = yardstickBase + <usize>(counter * 16 + socket) * 8;
  store<u64>(p, load<u64>(p) + 1);
}

/** TRUE copies aren't trusted any more once accesses that ignore coherence have been seen (D20, D21): L1s' bits go, L2s' count no more. */
export let distrust: bool = false;

export function setDistrust(): void {
  distrust = true;
}

/** Whether an L1I may hold what no cache outside it holds: fetches with stage 1 off fill it alone (R34). */
export let strays: bool = false;

export function setStrays(): void {
  strays = true;
}

// ---- copies coming and going

/** Puts a line into a way that is free. Bytes come from `from` (data-carrying). */
export function fill(n: usize, record: usize, way: u32, line: u32, state: u32, from: usize): void {
  // What an assertion asks is worked out in release kernels too, unless it is kept from them.
  if (!ASC_NO_ASSERT) {
    assert(way < load<u32>(n, N_WAYS) && tagAt(record, way) == INVALID, "a line is filled into a way that is free");
    assert(probe(n, record, line) < 0, "a cache holds a line once");
  }
  store<u32>(record + ((<usize>way) << 2), line);
  if (CARRY) {
    const bytes = <usize>load<u32>(n, N_LINE_BYTES);
    const truths = load<u32>(n, N_TRUTH);
    if (truths) {
      const compact = (<u64>line) << load<u32>(n, N_LINE_SHIFT);
      store<u32>(record + truths + ((<usize>way) << 2), <u32>byteOf(compact));
      const differs = mayDiffer(load<u32>(n, N_HOLDS) != HOLDS_DATA);
      if (!ASC_NO_ASSERT) assert(differs || equalsTruth(compact, bytes, from), "the newest copy of a line is true");
      if (!distrust && (!differs || equalsTruth(compact, bytes, from))) state |= TRUE;
    }
    if (!truths || !(state & TRUE)) move(dataOf(n, record, way), from, bytes);
  }
  setState(n, record, way, state);
  filled(n, record, way);
  present(n, line);
}

/** The bare removal of one copy. */
function clear(n: usize, record: usize, way: u32): void {
  if (CARRY && divergent && load<u32>(n, N_HOLDS) != HOLDS_INSTRUCTIONS)
    touched((<u64>tagAt(record, way)) << load<u32>(n, N_LINE_SHIFT), load<u32>(n, N_LINE_BYTES));
  forget(n, record, way);
}

/** The removal of a copy whose words can't get lost with it, or are looked at by the caller. */
export function forget(n: usize, record: usize, way: u32): void {
  if (!ASC_NO_ASSERT) assert((stateAt(n, record, way) & VALID) != 0, "only a valid copy can be removed");
  const line = tagAt(record, way);
  store<u32>(record + ((<usize>way) << 2), INVALID);
  setState(n, record, way, 0);
  absent(n, line);
}

/** Removes a copy without a word to what is inside (an exclusive level's line moving inwards). */
export function moveOut(n: usize, record: usize, way: u32): void {
  clear(n, record, way);
}

/** Removes a copy and what inclusion takes with it (D19). Dirtiness, its own or inside, is the caller's affair. */
export function removeAt(n: usize, record: usize, way: u32): void {
  takeInside(n, record, way, false);
  clear(n, record, way);
}

/**
 * Inclusion's part of a removal (D19). With `merge`, dirty bytes inside are first laid over the copy's own, outer ones first,
 * and the copy becomes dirty.
 */
export function takeInside(n: usize, record: usize, way: u32, merge: bool): void {
  const flags = load<u32>(n, N_FLAGS);
  if (!(flags & (FLAG_INCLUSIVE_DATA | FLAG_INCLUSIVE_INSTRUCTIONS)) || load<u32>(n, N_DEPTH) == 1) return;
  const shift = load<u32>(n, N_LINE_SHIFT);
  const compact = (<u64>tagAt(record, way)) << shift;
  const bytes: u32 = 1 << shift;
  takeInstructions(n, compact, bytes);
  if (!(flags & FLAG_INCLUSIVE_DATA)) return;
  const found = collectInside(compact, bytes, n);
  if (!found) return;
  const first = hold(found);
  if (merge) {
    for (let depth = load<u32>(n, N_DEPTH) - 1; depth > 0; depth--) {
      for (let i: u32 = 0; i < found; i++) {
        const peer = first + <usize>i * 16;
        const m = <usize>load<u32>(peer, PEER_NODE);
        if (load<u32>(m, N_DEPTH) != depth || !(stateOf(peer) & DIRTY) || isKept(peer)) continue;
        if (CARRY) {
          const r = <usize>load<u32>(peer, PEER_RECORD);
          const w = load<u32>(peer, PEER_WAY);
          const low = (<u64>tagAt(r, w)) << load<u32>(m, N_LINE_SHIFT);
          move(bytesOf(n, record, way) + held(<usize>(low - compact)), bytesOf(m, r, w), load<u32>(m, N_LINE_BYTES));
        }
        setState(n, record, way, stateAt(n, record, way) | DIRTY);
      }
    }
  }
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * 16;
    if (!(stateOf(peer) & VALID) || isKept(peer)) continue;
    const m = <usize>load<u32>(peer, PEER_NODE);
    count(m, COUNTER_BACK_INVALIDATIONS);
    removeAt(m, <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
  }
  release(found);
  if (yardstick && merge && load<u32>(n, N_DEPTH) == 3) yard(YARD_BACK, load<u32>(n, N_SOCKET));
}

/** What a cache that includes the L1Is inside takes from them with a copy. */
export function takeInstructions(n: usize, compact: u64, bytes: u32): void {
  if (!(load<u32>(n, N_FLAGS) & FLAG_INCLUSIVE_INSTRUCTIONS)) return;
  removeInstructions(compact, bytes, load<u32>(n, N_CORE_FIRST), load<u32>(n, N_CORE_LAST), COUNTER_BACK_INVALIDATIONS);
}

/** L1I copies that overlap the range go, on a range of cores, counted by `counter` (none if INVALID). Returns how many. */
export function removeInstructions(compact: u64, bytes: u32, firstCore: u32, lastCore: u32, counter: usize): u32 {
  if (!inForce && !mayHoldInstructions(compact)) return 0;
  let removed: u32 = 0;
  for (let c = firstCore; c <= lastCore; c++) {
    const n = <usize>load<u32>(coreAt(c), C_L1I);
    if (!n) continue;
    const shift = load<u32>(n, N_LINE_SHIFT);
    let line = <u32>(compact >> shift);
    const last = <u32>((compact + bytes - 1) >> shift);
    for (;;) {
      const record = recordOf(n, line);
      const way = probe(n, record, line);
      if (way >= 0) {
        count(n, counter);
        clear(n, record, way);
        removed++;
      }
      if (line == last) break;
      line++;
    }
  }
  return removed;
}

/** A victim leaves (D15). The way is invalid afterwards. */
export function evict(n: usize, record: usize, way: u32): void {
  count(n, COUNTER_EVICTIONS);
  if (yardstick && load<u32>(n, N_DEPTH) == 2 && stateAt(n, record, way) & INWARD) yard(YARD_INWARD, 0);
  takeInside(n, record, way, true);
  const state = stateAt(n, record, way);
  const shift = load<u32>(n, N_LINE_SHIFT);
  const compact = (<u64>tagAt(record, way)) << shift;
  if (state & PREFETCHED) count(n, COUNTER_PREFETCHES_UNUSED);
  const data = bytesOf(n, record, way);
  // The way is free from here on, but its bytes stay in place until it is filled again.
  clear(n, record, way);
  if (load<u32>(n, N_HOLDS) == HOLDS_INSTRUCTIONS) return;
  const parent = parentOf(n, compact);
  if (state & DIRTY) {
    count(n, COUNTER_WRITEBACKS_OUT);
    event(EVENT_WRITEBACK);
    writeback(parent, compact, 1 << shift, data, true, !(state & EXCLUSIVE), 1 << shift);
  } else if (parent && load<u32>(parent, N_FLAGS) & FLAG_EXCLUSIVE_DATA) {
    writeback(parent, compact, 1 << shift, data, false, !(state & EXCLUSIVE), 1 << shift);
  }
}

/** Chooses a way and evicts what is in it. */
export function makeWay(n: usize, record: usize): u32 {
  const way = choose(n, record);
  if (stateAt(n, record, way) & VALID) evict(n, record, way);
  return way;
}

/**
 * The first cache of the path gets the line that was requested, and its victim goes only now, after the outer levels have
 * filled (R36); `state` bits are added to what the answer gives. Returns the way.
 */
export function fillFirst(n: usize, record: usize, line: u32, result: u32, state: u32): u32 {
  const way = makeWay(n, record);
  state |= VALID | (result & SHARED ? 0 : EXCLUSIVE);
  const dirty = (result & DIRTY_ANSWER) != 0;
  const through = (load<u32>(n, N_FLAGS) & FLAG_WRITE_THROUGH) != 0;
  if (dirty && !through) state |= DIRTY;
  fill(n, record, way, line, state, answerAt((<u64>line) << load<u32>(n, N_LINE_SHIFT)));
  if (dirty && through) landFrom(1, answerLow, answerBytes, answer);
  return way;
}

/** A copy is no longer known to be true, or will not be: the truth is about to change without it, or it without the truth. */
export function doubt(n: usize, record: usize, way: u32): void {
  if (isTruth(n, record, way)) move(dataOf(n, record, way), truthOf(n, record, way), load<u32>(n, N_LINE_BYTES));
  setState(n, record, way, stateAt(n, record, way) & ~TRUE);
}

/** An L1D's copy goes without its dirty bytes: what the caches outside it hold may be older. */
export function doubtOutwards(n: usize, compact: u64): void {
  if (!CARRY) return;
  for (let p = parentOf(n, compact); p; p = parentOf(p, compact)) {
    const line = <u32>(compact >> load<u32>(p, N_LINE_SHIFT));
    const record = recordOf(p, line);
    const way = probe(p, record, line);
    if (way >= 0) doubt(p, record, way);
  }
}

/** Dirty bytes arrive in a copy: a write-through cache passes them on instead of becoming dirty (D17). */
export function mergeInto(n: usize, record: usize, way: u32, compact: u64, bytes: u32, from: usize): void {
  if (CARRY) {
    if (divergent) touched(compact, bytes);
    // Of a true L1 copy the truth will speak, which whoever stores changes as well.
    if (!isTruth(n, record, way)) {
      doubt(n, record, way);
      move(dataOf(n, record, way) + held(<usize>(compact & (load<u32>(n, N_LINE_BYTES) - 1))), from, bytes);
    }
  }
  if (load<u32>(n, N_FLAGS) & FLAG_WRITE_THROUGH) {
    count(n, COUNTER_WRITEBACKS_OUT);
    event(EVENT_WRITEBACK);
    writeback(parentOf(n, compact), compact, bytes, from, true, false, 0);
  } else setState(n, record, way, stateAt(n, record, way) | DIRTY);
}

/** A whole dirty line goes into the first cache from path position j outwards that holds it, else to memory (R33, MESI; D16). */
export function landFrom(j: u32, compact: u64, bytes: u32, from: usize): void {
  for (let i = j; i < pathLength; i++) {
    const n = pathNode(i);
    const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (way >= 0) {
      mergeInto(n, record, way, compact, bytes, from);
      return;
    }
  }
  memoryWrite(compact, bytes, from);
}

/**
 * A writeback or clean victim arrives at p and goes on from there as far as it must (D16). `whole` is the line size of the
 * cache that wrote a whole line back, 0 for just some bytes (D17).
 */
export function writeback(
  p: usize,
  compact: u64,
  bytes: u32,
  from: usize,
  dirty: bool,
  shared: bool,
  whole: u32,
): void {
  while (p) {
    count(p, COUNTER_WRITEBACKS_IN);
    const flags = load<u32>(p, N_FLAGS);
    const line = <u32>(compact >> load<u32>(p, N_LINE_SHIFT));
    const record = recordOf(p, line);
    let way = probe(p, record, line);
    if (way >= 0) {
      if (!dirty) return;
      if (flags & FLAG_WRITEBACK_TOUCHES) touch(p, record, way);
      mergeInto(p, record, way, compact, bytes, from);
      return;
    }
    count(p, COUNTER_WRITEBACK_MISSES);
    if (load<u32>(p, N_LINE_BYTES) > whole || !(flags & FLAG_ALLOCATES_STORES) || flags & FLAG_WRITE_THROUGH) {
      if (!dirty) return;
      p = parentOf(p, compact);
      continue;
    }
    way = makeWay(p, record);
    fill(p, record, way, line, VALID | (dirty ? DIRTY : 0) | (shared ? 0 : EXCLUSIVE), from);
    return;
  }
  if (dirty) memoryWrite(compact, bytes, from);
}

/** Cleans one copy outwards (D18), to the first level that isn't exclusive of data; copies in exclusive ones are refreshed. */
export function clean(n: usize, record: usize, way: u32): void {
  const compact = (<u64>tagAt(record, way)) << load<u32>(n, N_LINE_SHIFT);
  const bytes = load<u32>(n, N_LINE_BYTES);
  const from = bytesOf(n, record, way);
  const state = stateAt(n, record, way);
  count(n, COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  let p = parentOf(n, compact);
  while (p && load<u32>(p, N_FLAGS) & FLAG_EXCLUSIVE_DATA) {
    refresh(p, compact, bytes, from);
    p = parentOf(p, compact);
  }
  setState(n, record, way, state & ~DIRTY);
  writeback(p, compact, bytes, from, true, !(state & EXCLUSIVE), bytes);
}

/** A copy in cache p, if there is one, gets newer bytes; its state stays. */
export function refresh(p: usize, compact: u64, bytes: u32, from: usize): void {
  if (!CARRY) return;
  const line = <u32>(compact >> load<u32>(p, N_LINE_SHIFT));
  const record = recordOf(p, line);
  const way = probe(p, record, line);
  if (way < 0) return;
  if (divergent) touched(compact, bytes);
  doubt(p, record, way);
  move(dataOf(p, record, way) + held(<usize>(compact & (load<u32>(p, N_LINE_BYTES) - 1))), from, bytes);
}

// ---- requests

export const SHARED: u32 = 1;
export const DIRTY_ANSWER: u32 = 2;

/** Whether the access fills a cache that it misses (D13). */
export function allocates(n: usize): bool {
  const flags = load<u32>(n, N_FLAGS);
  if (kind == 2) return (flags & FLAG_ALLOCATES_READS) != 0 && !(flags & FLAG_EXCLUSIVE_INSTRUCTIONS);
  if (flags & FLAG_EXCLUSIVE_DATA) return false;
  return (flags & (kind == 1 ? FLAG_ALLOCATES_STORES : FLAG_ALLOCATES_READS)) != 0;
}

/** Counts a demand access (loads, stores, fetches), and the crossing if the cache is in another socket. */
export function countAccess(n: usize, missed: bool): void {
  const counters = <usize>load<u32>(n, N_COUNTERS);
  const c = counters + (COUNTER_LOADS + kind) * 8;
  store<u64>(c, load<u64>(c) + 1);
  if (missed) {
    const m = counters + (COUNTER_LOAD_MISSES + kind) * 8;
    store<u64>(m, load<u64>(m) + 1);
    if (logging) logMissed(load<u32>(n, N_LEVEL));
  }
  if (load<u32>(n, N_SOCKET) != whoSocket) machineCount(MACHINE_CROSSINGS);
}

/** Path position k is asked for the line (D10). Returns SHARED and DIRTY_ANSWER bits; the bytes are the answer. */
export function request(k: u32, child: usize): u32 {
  if (k == pathLength) {
    if (alone) {
      const low = at & ~(<u64>load<u32>(child, N_LINE_BYTES) - 1);
      fromMemory(low, load<u32>(child, N_LINE_BYTES));
      return 0;
    }
    return interconnect(child) ? SHARED : 0;
  }
  const n = pathNode(k);
  if (!alone) directoryLookup(k);
  const line = <u32>(at >> load<u32>(n, N_LINE_SHIFT));
  const record = recordOf(n, line);
  const way = probe(n, record, line);
  if (prefetching) asked(n, record, way, k);
  else countAccess(n, way < 0);
  return way >= 0 ? hit(k, n, record, way, child) : miss(k, n, record, line, child);
}

/**
 * A private cache has no peers inside, but for a fetch with IDC: its own core's L1D; and for a walk from the PoU level that leaves
 * caches out (`split`): those.
 */
function hasPeers(n: usize): bool {
  return load<u32>(n, N_CORE_FIRST) != load<u32>(n, N_CORE_LAST) || (fetching && idc) || walking;
}

function hit(k: u32, n: usize, record: usize, way: u32, child: usize): u32 {
  touch(n, record, way);
  if (yardstick) setState(n, record, way, stateAt(n, record, way) | INWARD);
  const childBytes = load<u32>(child, N_LINE_BYTES);
  const low = at & ~(<u64>childBytes - 1);
  let result: u32 = 0;
  let supplied = false;
  let supplierDirty = false;
  let left: u32 = 0;
  if (!alone) {
    const asks = hasPeers(n);
    const sharers = asks && onlySharers(n);
    left = sharers ? 1 : asks ? collectPeers(low, childBytes, n, child) : 0;
    if (left && !sharers) {
      const first = hold(left);
      supplied = ask(first, left, childBytes, false, n);
      release(left);
      supplierDirty = supplied && (askedState & DIRTY) != 0;
      if (supplierDirty && !moesi) mergeInto(n, record, way, answerLow, answerBytes, answer);
    }
    if (kind == 1) {
      if (!(stateAt(n, record, way) & EXCLUSIVE)) {
        count(n, COUNTER_UPGRADES);
        climb(k);
      }
      if (moesi && supplierDirty) result |= DIRTY_ANSWER;
    } else {
      let state = stateAt(n, record, way);
      if (!(state & EXCLUSIVE) && k == pathLength - 1 && !sticky && !heldElsewhere(n, at)) {
        state |= EXCLUSIVE;
        setState(n, record, way, state);
      }
      if (left || !(state & EXCLUSIVE)) result |= SHARED;
    }
  }
  if (!supplied) {
    const nLow = at & ~(<u64>load<u32>(n, N_LINE_BYTES) - 1);
    setAnswer(low, childBytes, bytesOf(n, record, way) + held(<usize>(low - nLow)));
    source = n;
  }
  if (kind != 2 && fillsFirst && load<u32>(n, N_FLAGS) & FLAG_EXCLUSIVE_DATA) {
    if (stateAt(n, record, way) & DIRTY) {
      if (!moesi && result & SHARED) clean(n, record, way);
      // A supplier that stays dirty owns the line; what was here is older (D10).
      else if (!supplierDirty || kind == 1) result |= DIRTY_ANSWER;
    }
    moveOut(n, record, way);
  }
  return narrow(k, child, result);
}

/** The asker gets its own line only: dirty bytes beside it must not get lost, so the whole answer lands here (D10). */
function narrow(k: u32, child: usize, result: u32): u32 {
  if (result & DIRTY_ANSWER && answerBytes > load<u32>(child, N_LINE_BYTES)) {
    landFrom(k, answerLow, answerBytes, answer);
    return result & ~DIRTY_ANSWER;
  }
  return result;
}

function miss(k: u32, n: usize, record: usize, line: u32, child: usize): u32 {
  const fills = allocates(n);
  let way: u32 = 0;
  if (fills) way = makeWay(n, record);
  const nBytes = load<u32>(n, N_LINE_BYTES);
  const childBytes = load<u32>(child, N_LINE_BYTES);
  const low = at & ~(<u64>childBytes - 1);
  let result: u32 = 0;
  let supplied = false;
  let peers: u32 = 0;
  if (!alone && hasPeers(n)) {
    peers = collectPeers(low, childBytes, n, child);
    if (peers) {
      const first = hold(peers);
      supplied = ask(first, peers, nBytes, true, n);
      release(peers);
    }
  }
  if (supplied) {
    const state = askedState;
    if (state & DIRTY) {
      if (!moesi) landFrom(k + 1, answerLow, nBytes, answer);
      else if (kind == 1) result |= DIRTY_ANSWER;
    }
    if (kind != 1) result |= SHARED;
    else if (!(state & EXCLUSIVE) && climb(k)) result |= DIRTY_ANSWER;
  } else {
    result = request(k + 1, n);
    if (kind != 1 && peers) result |= SHARED;
  }
  if (fills) {
    let state = VALID | (result & SHARED ? 0 : EXCLUSIVE);
    if (yardstick) state |= INWARD;
    // The first cache that can be dirty takes the dirtiness (D10, D17).
    if (result & DIRTY_ANSWER && !(load<u32>(n, N_FLAGS) & FLAG_WRITE_THROUGH)) {
      state |= DIRTY;
      result &= ~DIRTY_ANSWER;
    }
    fill(n, record, way, line, state, answerAt((<u64>line) << load<u32>(n, N_LINE_SHIFT)));
  }
  return narrow(k, child, result);
}

export function setFillsFirst(fills: bool): void {
  fillsFirst = fills;
}
