// Cache maintenance by VA to the PoC and PoU, of instruction caches, and the outer cache's own operations (R21, R23, R50, D27,
// D29). What goes by set and way is in setway.ts.

import { held, move } from "./bytes";
import {
  collectAll,
  collectInside,
  dataOfPeer,
  hold,
  keepLanding,
  lineOf,
  PEER_NODE,
  PEER_RECORD,
  PEER_WAY,
  refreshOutwards,
  release,
  setStateOf,
  stateOf,
  writeAside,
} from "./coherence";
import { diverge } from "./hazard";
import { clean, mergeInto, removeAt, removeInstructions } from "./hierarchy";
import {
  allocate,
  C_L1D,
  C_L1I,
  CARRY,
  coreAt,
  cores,
  DIRTY,
  FLAG_INCLUSIVE_DATA,
  HOLDS_DATA,
  idc,
  invalidateCleans,
  N_DEPTH,
  N_FLAGS,
  N_HOLDS,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_SETS,
  N_SOCKET,
  N_WAYS,
  outer,
  VALID,
} from "./layout";
import { cleanBehind, count, dropBehind, event, machineCount, memoryWrite, who, whoSocket } from "./memory";
import {
  COUNTER_INVALIDATIONS,
  COUNTER_MAINTENANCE_PROBES,
  COUNTER_SNOOPS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
  MACHINE_CROSSINGS,
} from "./operations";
import { isOnPathOf } from "./play";
import { probe, recordOf, recordOfSet, stateAt } from "./set";

let gathered: usize = 0;

export function allocateGathered(): void {
  gathered = allocate(4096, 64);
}

const PEER: usize = 16;

/** Whether a copy is in the domain (every cache, or the core's own path, D27) and not in the cache that is left out. */
function isNamed(peer: usize, own: bool, except: usize): bool {
  const n = <usize>load<u32>(peer, PEER_NODE);
  return n != except && (!own || isOnPathOf(who, n));
}

/**
 * Clean to the PoC of every dirty copy among held ones (D27): each refreshes what contains it; the range of the largest
 * dirty line is then written once, the innermost bytes on top: to a landing cache's copy if that covers it, else to memory.
 */
function cleanHeld(first: usize, found: u32, own: bool, except: usize, landing: usize): void {
  let depth: u32 = 0;
  let low: u64 = 0;
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER;
    if (!isNamed(peer, own, except) || !(stateOf(peer) & DIRTY)) continue;
    const n = <usize>load<u32>(peer, PEER_NODE);
    depth = max(depth, load<u32>(n, N_DEPTH));
    if (load<u32>(n, N_LINE_BYTES) > bytes) {
      bytes = load<u32>(n, N_LINE_BYTES);
      low = lineOf(peer);
    }
  }
  if (!depth) return;
  for (let d: u32 = 1; d <= depth; d++) {
    for (let i: u32 = 0; i < found; i++) {
      const peer = first + <usize>i * PEER;
      const n = <usize>load<u32>(peer, PEER_NODE);
      if (load<u32>(n, N_DEPTH) != d || !isNamed(peer, own, except) || !(stateOf(peer) & DIRTY)) continue;
      count(n, COUNTER_WRITEBACKS_OUT);
      event(EVENT_WRITEBACK);
      refreshOutwards(n, lineOf(peer), load<u32>(n, N_LINE_BYTES), dataOfPeer(peer), 0);
    }
  }
  for (let d = depth; d > 0; d--) {
    for (let i: u32 = 0; i < found; i++) {
      const peer = first + <usize>i * PEER;
      const n = <usize>load<u32>(peer, PEER_NODE);
      if (load<u32>(n, N_DEPTH) != d || !isNamed(peer, own, except) || !(stateOf(peer) & DIRTY)) continue;
      if (CARRY) move(gathered + held(<usize>(lineOf(peer) - low)), dataOfPeer(peer), load<u32>(n, N_LINE_BYTES));
    }
  }
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER;
    if (isNamed(peer, own, except)) setStateOf(peer, stateOf(peer) & ~DIRTY);
  }
  if (landing && load<u32>(landing, N_LINE_BYTES) >= bytes) {
    const line = <u32>(low >> load<u32>(landing, N_LINE_SHIFT));
    const record = recordOf(landing, line);
    const way = probe(landing, record, line);
    if (way >= 0) {
      mergeInto(landing, record, way, low, bytes, gathered);
      return;
    }
  }
  memoryWrite(low, bytes, gathered);
}

/** DC IVAC, CVAC, CIVAC, CVAP on one address (D27). */
export function byAddress(compact: u64, cleans: bool, invalidates: bool, own: bool): void {
  if (invalidates && invalidateCleans) cleans = true;
  const found = collectAll(compact, 1);
  if (!found) return;
  if (invalidates && !cleans) diverge();
  const first = hold(found);
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER;
    if (isNamed(peer, own, 0)) count(<usize>load<u32>(peer, PEER_NODE), COUNTER_MAINTENANCE_PROBES);
  }
  if (own) diverge();
  if (cleans && invalidates) writeUnnamedAside(first, found, own, 0);
  if (cleans) cleanHeld(first, found, own, 0, 0);
  if (invalidates) invalidateHeld(first, found, own, 0, false);
  release(found);
}

/** Removes held copies, innermost depth first; an inclusive removal may take others of them along. */
function invalidateHeld(first: usize, found: u32, own: bool, except: usize, snoops: bool): void {
  let deepest: u32 = 0;
  for (let i: u32 = 0; i < found; i++)
    deepest = max(deepest, load<u32>(<usize>load<u32>(first + <usize>i * PEER, PEER_NODE), N_DEPTH));
  for (let d: u32 = 1; d <= deepest; d++) {
    for (let i: u32 = 0; i < found; i++) {
      const peer = first + <usize>i * PEER;
      const n = <usize>load<u32>(peer, PEER_NODE);
      if (load<u32>(n, N_DEPTH) != d || !isNamed(peer, own, except) || !(stateOf(peer) & VALID)) continue;
      if (snoops) {
        count(n, COUNTER_SNOOPS_IN);
        count(n, COUNTER_INVALIDATIONS);
        if (load<u32>(n, N_SOCKET) != whoSocket) machineCount(MACHINE_CROSSINGS);
      }
      removeAt(n, <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
    }
  }
}

/** What `ncSnoops` does before an uncached access (D24): as DC CIVAC, without its maintenanceProbes. */
export function cleanAndInvalidateEverywhere(compact: u64): void {
  const found = collectAll(compact, 1);
  if (!found) return;
  const first = hold(found);
  writeUnnamedAside(first, found, false, 0);
  cleanHeld(first, found, false, 0, 0);
  invalidateHeld(first, found, false, 0, false);
  release(found);
}

/** A coherent device's write (D30): every copy but the landing cache's is cleaned and removed; dirty bytes land where the write will. */
export function landElsewhere(compact: u64, bytes: u32, landing: usize): void {
  const found = collectAll(compact, bytes);
  const first = hold(found);
  writeUnnamedAside(first, found, false, landing);
  let landed = false;
  for (let i: u32 = 0; i < found; i++)
    landed = landed || <usize>load<u32>(first + <usize>i * PEER, PEER_NODE) == landing;
  let around: u32 = 0;
  let beside: u32 = 0;
  if (landing && !landed) {
    // The landing cache will read its whole line and own it: smaller copies beside the piece can't stay.
    const lineBytes = load<u32>(landing, N_LINE_BYTES);
    around = collectAll(compact & ~(<u64>lineBytes - 1), lineBytes);
    const all = hold(around);
    for (let i: u32 = 0; i < around; i++) {
      const peer = all + <usize>i * PEER;
      const size = load<u32>(<usize>load<u32>(peer, PEER_NODE), N_LINE_BYTES);
      if (lineOf(peer) < compact + bytes && compact < lineOf(peer) + size) continue;
      if (stateOf(peer) & DIRTY) writeAside(peer);
      memory.copy(all + <usize>beside * PEER, peer, PEER);
      beside++;
    }
  }
  cleanHeld(first, found, false, landing, landing);
  keepLanding(landing);
  invalidateHeld(first, found, false, landing, true);
  // What was found beside follows what was found under the piece; it lies right behind it on the stack.
  if (beside) invalidateHeld(first + <usize>found * PEER, beside, false, landing, true);
  keepLanding(0);
  release(around);
  release(found);
}

/**
 * Before copies are cleaned and removed: a smaller inner copy that inclusion takes along, though it doesn't hold the address
 * itself, must not lose its dirty bytes (D19, D27).
 */
function writeUnnamedAside(first: usize, found: u32, own: bool, except: usize): void {
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER;
    const n = <usize>load<u32>(peer, PEER_NODE);
    if (!isNamed(peer, own, except) || !(load<u32>(n, N_FLAGS) & FLAG_INCLUSIVE_DATA)) continue;
    const inside = collectInside(lineOf(peer), load<u32>(n, N_LINE_BYTES), n);
    const inner = hold(inside);
    for (let j: u32 = 0; j < inside; j++) {
      const other = inner + <usize>j * PEER;
      if (stateOf(other) & DIRTY && !isAmong(first, found, own, except, other)) writeAside(other);
    }
    release(inside);
  }
}

/** Whether a copy is one of those that an operation names. */
function isAmong(first: usize, found: u32, own: bool, except: usize, other: usize): bool {
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER;
    if (
      load<u32>(peer, PEER_RECORD) == load<u32>(other, PEER_RECORD) &&
      load<u32>(peer, PEER_WAY) == load<u32>(other, PEER_WAY)
    )
      return isNamed(peer, own, except);
  }
  return false;
}

/** DC CVAU (D27): each core's own data caches inside the PoU, to the next level. */
export function toUnification(compact: u64, own: bool): void {
  if (idc) return;
  const from = own ? who : 0;
  const to = own ? who : cores - 1;
  for (let c = from; c <= to; c++) {
    const n = <usize>load<u32>(coreAt(c), C_L1D);
    if (!n || load<u32>(n, N_HOLDS) != HOLDS_DATA) continue;
    const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (way < 0) continue;
    count(n, COUNTER_MAINTENANCE_PROBES);
    if (stateAt(n, record, way) & DIRTY) clean(n, record, way);
  }
}

/** IC IVAU: L1I copies in the domain go. */
export function invalidateInstructions(compact: u64, own: bool): void {
  removeInstructions(compact, 1, own ? who : 0, own ? who : cores - 1, COUNTER_MAINTENANCE_PROBES);
}

/** IC IALLU of one core. */
export function invalidateAllInstructions(core: u32): void {
  const n = <usize>load<u32>(coreAt(core), C_L1I);
  if (!n) return;
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  for (let s: u32 = 0; s < sets; s++) {
    const record = recordOfSet(n, s);
    for (let w: u32 = 0; w < ways; w++) if (stateAt(n, record, w) & VALID) removeAt(n, record, w);
  }
}

/** The outer cache's operations by PA (D29). */
export function outerByAddress(compact: u64, cleans: bool, invalidates: bool): void {
  if (!outer) return;
  const line = <u32>(compact >> load<u32>(outer, N_LINE_SHIFT));
  const record = recordOf(outer, line);
  const way = probe(outer, record, line);
  if (way < 0) return;
  outerOne(record, way, cleans, invalidates);
}

export function outerByWay(mask: u32, cleans: bool, invalidates: bool): void {
  if (!outer) return;
  const sets = load<u32>(outer, N_SETS);
  const ways = load<u32>(outer, N_WAYS);
  for (let s: u32 = 0; s < sets; s++) {
    const record = recordOfSet(outer, s);
    for (let w: u32 = 0; w < ways; w++)
      if ((mask >> w) & 1 && stateAt(outer, record, w) & VALID) outerOne(record, w, cleans, invalidates);
  }
}

function outerOne(record: usize, way: u32, cleans: bool, invalidates: bool): void {
  diverge();
  if (cleans && stateAt(outer, record, way) & DIRTY) cleanBehind(outer, record, way);
  if (invalidates) dropBehind(outer, record, way, false);
}
