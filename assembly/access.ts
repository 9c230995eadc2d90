// One piece of one access, by whoever makes it: cacheable data (D9), fetches (D23), Non-cacheable and Device (D24),
// `split` attributes (D21), atomics (D26), and devices (D30). Values go in through `value`, observations come out in `seen`.

import { held, heldSize, move, seen, value } from "./bytes";
import {
  climb,
  collectAll,
  collectPeers,
  dataOfPeer,
  hold,
  lineOf,
  PEER_NODE,
  PEER_RECORD,
  PEER_WAY,
  peerAt,
  release,
  removePeers,
  stateOf,
  writeAside,
} from "./coherence";
import { diverge, latent, observe, PLACE_MEMORY, setAttribute, touched, writeTruth } from "./hazard";
import {
  allocates,
  answer,
  answerAt,
  answerBytes,
  answerLow,
  beginAccess,
  beginWalk,
  bytesOf,
  countAccess,
  DIRTY_ANSWER,
  distrust,
  doubt,
  fill,
  fillFirst,
  landFrom,
  makeWay,
  mergeInto,
  pathLength,
  pathNode,
  peerSupply,
  removeInstructions,
  request,
  setAnswer,
  setDistrust,
  setFillsFirst,
  setStrays,
  snoopedLocal,
  snoopedRemote,
  source,
} from "./hierarchy";
import {
  allocate,
  C_ACTIVE,
  C_L1D,
  C_L1I,
  CARRY,
  caches,
  coreAt,
  cores,
  DIRTY,
  dic,
  EXCLUSIVE,
  fetchPathAt,
  indexOf,
  KIND_SYSTEM,
  N_DEPTH,
  N_KIND,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_SETS,
  N_SOCKET,
  N_WAYS,
  NODE_SIZE,
  ncLookup,
  ncSnoops,
  nodeAt,
  outer,
  PATH_SIZE,
  pathAt,
  smallestShift,
  split,
  TRUE,
  VALID,
} from "./layout";
import { cleanAndInvalidateEverywhere, landElsewhere } from "./maintenance";
import {
  supplier as behindSupplier,
  count,
  event,
  levelHit,
  machineCount,
  memoryRead,
  memoryWrite,
  regionHome,
  regionIsDevice,
  uncachedRead,
  uncachedWrite,
  who,
  whoSocket,
} from "./memory";
import { logging, logSupplied, logWalk } from "./miss-log";
import {
  ATTR_DEVICE,
  ATTR_INNER_NC_OUTER_WB,
  ATTR_INNER_WB_OUTER_NC,
  ATTR_INNER_WT_OUTER_WB,
  ATTR_NON_CACHEABLE,
  ATTR_WRITE_BACK,
  ATTR_WRITE_BACK_NON_SHAREABLE,
  ATTR_WRITE_THROUGH,
  COUNTER_INVALIDATIONS,
  COUNTER_SNOOPS_IN,
  COUNTER_UPGRADES,
  EVENT_DEVICE,
  EVENT_MEMORY,
  EVENT_MEMORY_REMOTE,
  EVENT_SNOOP,
  EVENT_SNOOP_REMOTE,
  EVENT_UNCACHED,
  EVENT_UNCACHED_REMOTE,
  HAZARD_MISMATCHED_ATTRIBUTES,
  HAZARD_STALE_DMA,
  HAZARD_STALE_FETCH,
  HAZARD_STALE_READ,
  HAZARD_STALE_WALK,
  MACHINE_CROSSINGS,
  MACHINE_DEVICE_READS,
  MACHINE_DEVICE_WRITES,
  MACHINE_UNCACHED_READS,
  MACHINE_UNCACHED_WRITES,
  MACHINE_UNEXPECTED_HITS,
} from "./operations";
import { checkPending } from "./pending";
import { plainLoad } from "./plain";
import { asked, prefetchAfter, prefetching, setTraining, takeMark } from "./prefetch";
import { mayHoldInstructions } from "./presence";
import { probe, recordOf, recordOfSet, setState, stateAt, touch } from "./set";

let splitPath: usize = 0;
/** Stands for the missing L1I of a core that has none: it asks for the smallest line. */
let noL1I: usize = 0;

export function allocateAccess(): void {
  splitPath = allocate(PATH_SIZE);
  noL1I = allocate(NODE_SIZE);
  store<u32>(noL1I, smallestShift, N_LINE_SHIFT);
  store<u32>(noL1I, 1 << smallestShift, N_LINE_BYTES);
  store<u32>(noL1I, 1, N_DEPTH);
}

// ---- what one piece came to
/** The core's own L1D (L1I) answered, so nothing about other cores' maintenance was relied on (D34). */
let hitFirst: bool = false;
/** What `seen` came from is known to be true: nothing to compare. */
let known: bool = false;
/** Place of what supplied it, for explanations. */
let from: i32 = PLACE_MEMORY;
/** A bypassing access found copies of its line. */
let hadCopies: bool = false;

function begin(): void {
  hitFirst = false;
  known = false;
  from = PLACE_MEMORY;
}

/** Whether data with this attribute goes through caches (R34, D8). */
export function cacheable(attribute: u32): bool {
  if (attribute == ATTR_WRITE_BACK || attribute == ATTR_WRITE_BACK_NON_SHAREABLE) return true;
  return split && attribute > ATTR_NON_CACHEABLE;
}

/** The path that an attribute leaves (D21), or 0 where that is empty. */
export function pathFor(core: u32, attribute: u32, fetch: bool): usize {
  const whole = fetch ? fetchPathAt(core, regionHome) : pathAt(core, regionHome);
  if (!split || (attribute != ATTR_INNER_WB_OUTER_NC && attribute != ATTR_INNER_NC_OUTER_WB)) return whole;
  let length: u32 = 0;
  const many = load<u32>(whole);
  for (let i: u32 = 1; i <= many; i++) {
    const n = load<u32>(whole + ((<usize>i) << 2));
    if ((load<u32>(<usize>n, N_KIND) == KIND_SYSTEM) != (attribute == ATTR_INNER_NC_OUTER_WB)) continue;
    length++;
    store<u32>(splitPath + ((<usize>length) << 2), n);
  }
  store<u32>(splitPath, length);
  return splitPath;
}

/** L1I copies before a write: gone with DIC (D23); without it, no longer known to be true. */
function beforeWrite(compact: u64, bytes: u32): void {
  if (!mayHoldInstructions(compact)) return;
  if (dic) {
    removeInstructions(compact, bytes, 0, cores - 1, COUNTER_INVALIDATIONS);
    return;
  }
  if (!CARRY) return;
  for (let c: u32 = 0; c < cores; c++) {
    const n = <usize>load<u32>(coreAt(c), C_L1I);
    if (n) forgetIn(n, compact, bytes);
  }
}

function forgetIn(n: usize, compact: u64, bytes: u32): void {
  const shift = load<u32>(n, N_LINE_SHIFT);
  let line = <u32>(compact >> shift);
  const last = <u32>((compact + bytes - 1) >> shift);
  for (; line <= last; line++) {
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (way >= 0) doubt(n, record, way);
  }
}

/** The truth changes while other copies stay in place: they are no longer known to be true. */
function changeTruth(compact: u64, bytes: u32, forgets: bool): void {
  if (!CARRY) return;
  if (forgets) {
    const found = collectAll(compact, bytes);
    for (let i: u32 = 0; i < found; i++) {
      const peer = peerAt(i);
      doubt(<usize>load<u32>(peer, PEER_NODE), <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
    }
  }
  writeTruth(compact, bytes, value);
}

/** From the first access that ignores coherence on, L1 copies are compared on every hit (D20). */
export function distrustCopies(): void {
  diverge();
  if (distrust) return;
  setDistrust();
  if (!CARRY) return;
  for (let i: u32 = 0; i < caches; i++) {
    const n = nodeAt(i);
    if (load<u32>(n, N_DEPTH) == 1) forgetAll(n);
  }
}

function forgetAll(n: usize): void {
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  for (let s: u32 = 0; s < sets; s++) {
    const record = recordOfSet(n, s);
    for (let w: u32 = 0; w < ways; w++) doubt(n, record, w);
  }
}

/** D36: the supply event of a piece that missed its first cache, and its snoop event. */
function charge(): void {
  from = source ? indexOf(source) : PLACE_MEMORY;
  if (peerSupply) {
    event(peerSupply == 2 ? EVENT_SNOOP_REMOTE : EVENT_SNOOP);
    if (logging) logSupplied();
    return;
  }
  if (source) levelHit(source);
  else chargeMemory();
  chargeSnoops();
}

function chargeMemory(): void {
  event(regionHome != whoSocket ? EVENT_MEMORY_REMOTE : EVENT_MEMORY);
}

function chargeSnoops(): void {
  if (snoopedRemote) event(EVENT_SNOOP_REMOTE);
  else if (snoopedLocal) event(EVENT_SNOOP);
}

function chargeUncached(): void {
  event(regionHome != whoSocket ? EVENT_UNCACHED_REMOTE : EVENT_UNCACHED);
}

/** A copy serves: its bytes are what was seen. */
function see(n: usize, record: usize, way: u32, compact: u64, bytes: u32): void {
  from = indexOf(n);
  if (!CARRY) return;
  // An L2's bytes may be older than a dirty copy inside it.
  known = load<u32>(n, N_DEPTH) == 1 && (stateAt(n, record, way) & TRUE) != 0;
  move(seen, bytesOf(n, record, way) + held(<usize>(compact & (load<u32>(n, N_LINE_BYTES) - 1))), bytes);
}

function seeAnswer(compact: u64, bytes: u32): void {
  if (CARRY) move(seen, answerAt(compact), bytes);
}

/** Loads, stores, atomics (both) and prefetches (neither). `path` is 0 for what bypasses the caches. */
export function dataPiece(compact: u64, bytes: u32, reads: bool, writes: bool, attribute: u32, path: usize): void {
  begin();
  if (regionIsDevice) {
    mmio(bytes, reads, writes);
    return;
  }
  if (reads && !writes && path && attribute == ATTR_WRITE_BACK) {
    const at = plainLoad(who, compact);
    if (at) {
      if (CARRY) move(seen, at, bytes);
      return;
    }
  }
  if (writes) beforeWrite(compact, bytes);
  if (!path) bypass(compact, bytes, reads, writes, attribute);
  else if (writes && (attribute == ATTR_WRITE_THROUGH || attribute == ATTR_INNER_WT_OUTER_WB))
    writeThroughStore(path, compact, bytes, reads, attribute);
  else {
    if (prefetching) setTraining(reads || writes);
    cached(path, compact, bytes, writes, attribute == ATTR_WRITE_BACK_NON_SHAREABLE);
  }
  if (reads && CARRY && !known) observe(HAZARD_STALE_READ, compact, bytes, seen, from);
  if (writes) changeTruth(compact, bytes, path ? distrust : hadCopies);
  if ((reads || writes) && !hitFirst) checkPending(compact, false);
  if (prefetching) prefetchAfter();
}

/**
 * A table walk's read of one descriptor (D51): a load that observes, from the L1D or, for what is cacheable, from the PoU level
 * on. `code` is what the walker's attribute comes to.
 */
export function walkPiece(compact: u64, bytes: u32, code: u32, fromUnification: bool): void {
  begin();
  logWalk(true);
  const isAlone = code == ATTR_WRITE_BACK_NON_SHAREABLE;
  let path: usize = 0;
  if (cacheable(code)) path = pathFor(who, code, fromUnification);
  if (!path || !load<u32>(path)) {
    path = 0;
    if (code != ATTR_DEVICE) code = ATTR_NON_CACHEABLE;
  }
  setAttribute(code);
  if (!path) bypass(compact, bytes, true, false, code);
  else {
    store<u32>(coreAt(who), 1, C_ACTIVE);
    if (code != ATTR_WRITE_BACK) distrustCopies();
    if (!fromUnification) cached(path, compact, bytes, false, isAlone);
    else {
      beginWalk(compact, isAlone, path);
      // A write-through cache that was filled can't take dirtiness: it lands further out (D17).
      if (request(0, noL1I) & DIRTY_ANSWER) landFrom(1, answerLow, answerBytes, answer);
      charge();
      seeAnswer(compact, bytes);
    }
  }
  logWalk(false);
  if (CARRY && !known) observe(HAZARD_STALE_WALK, compact, bytes, seen, from);
  if (!hitFirst) checkPending(compact, false);
}

/** D7: MMIO accepts accesses; reads give zero. An atomic is one supply. */
function mmio(bytes: u32, reads: bool, writes: bool): void {
  if (reads) machineCount(MACHINE_UNCACHED_READS);
  if (writes) machineCount(MACHINE_UNCACHED_WRITES);
  chargeUncached();
  memory.fill(seen, 0, heldSize(bytes));
}

/** D9. */
function cached(path: usize, compact: u64, bytes: u32, writes: bool, isAlone: bool): void {
  beginAccess(compact, writes ? 1 : 0, isAlone, path);
  const n = pathNode(0);
  const shift = load<u32>(n, N_LINE_SHIFT);
  const line = <u32>(compact >> shift);
  const record = recordOf(n, line);
  let way = probe(n, record, line);
  if (prefetching) asked(n, record, way, 0);
  else countAccess(n, way < 0);
  if (way >= 0) {
    hitFirst = n == <usize>load<u32>(coreAt(who), C_L1D);
    touch(n, record, way);
    levelHit(n);
    see(n, record, way, compact, bytes);
    if (!writes) return;
    const state = stateAt(n, record, way);
    if (!(state & EXCLUSIVE)) {
      if (!isAlone) {
        count(n, COUNTER_UPGRADES);
        climb(0);
        chargeSnoops();
      }
      setState(n, record, way, stateAt(n, record, way) | EXCLUSIVE);
    }
    mergeInto(n, record, way, compact, bytes, value);
    return;
  }
  const fills = allocates(n);
  setFillsFirst(fills);
  const result = request(1, n);
  charge();
  seeAnswer(compact, bytes);
  if (!fills) {
    if (writes) storeBeyond(compact, bytes, result);
    return;
  }
  way = fillFirst(n, record, line, result, writes ? EXCLUSIVE : 0);
  if (writes) mergeInto(n, record, way, compact, bytes, value);
}

/** D16: a store that the first cache doesn't allocate takes place in the first one beyond that holds the line, else in memory. */
function storeBeyond(compact: u64, bytes: u32, result: u32): void {
  if (result & DIRTY_ANSWER) landFrom(1, answerLow, answerBytes, answer);
  landFrom(1, compact, bytes, value);
}

/** Stores with codes 4 and 5 under `split` (R43, D21). */
function writeThroughStore(path: usize, compact: u64, bytes: u32, reads: bool, attribute: u32): void {
  beginAccess(compact, 1, false, path);
  let n = pathNode(0);
  let line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
  const record = recordOf(n, line);
  const way = probe(n, record, line);
  const isHit = way >= 0;
  if (isHit && prefetching) takeMark(n, record, way);
  hitFirst = isHit && n == <usize>load<u32>(coreAt(who), C_L1D);
  countAccess(n, !isHit);
  for (let k: u32 = 1; k <= pathLength; k++) {
    const child = pathNode(k - 1);
    const lineBytes = load<u32>(child, N_LINE_BYTES);
    const found = collectPeers(compact & ~(<u64>lineBytes - 1), lineBytes, k < pathLength ? pathNode(k) : 0, child);
    const first = hold(found);
    for (let i: u32 = 0; i < found; i++) {
      const peer = first + <usize>i * 16;
      if (stateOf(peer) & DIRTY) writeAside(peer);
    }
    removePeers(first, found);
    release(found);
  }
  chargeMemory();
  chargeSnoops();
  if (reads) {
    let seenAlready = false;
    for (let k: u32 = 0; k < pathLength && !seenAlready; k++) {
      n = pathNode(k);
      line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
      const record = recordOf(n, line);
      const way = probe(n, record, line);
      if (way < 0) continue;
      see(n, record, way, compact, bytes);
      seenAlready = true;
    }
    if (!seenAlready) memoryRead(compact, bytes, seen);
    from = PLACE_MEMORY;
  }
  let landed = false;
  for (let k: u32 = 0; k < pathLength; k++) {
    n = pathNode(k);
    line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (way < 0) continue;
    touch(n, record, way);
    if (CARRY) {
      touched(compact, bytes);
      move(bytesOf(n, record, way) + held(<usize>(compact & (load<u32>(n, N_LINE_BYTES) - 1))), value, bytes);
    }
  }
  for (let k: u32 = 0; k < pathLength && !landed && attribute == ATTR_INNER_WT_OUTER_WB; k++) {
    n = pathNode(k);
    if (load<u32>(n, N_KIND) != KIND_SYSTEM) continue;
    line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (way < 0) continue;
    mergeInto(n, record, way, compact, bytes, value);
    landed = true;
  }
  if (!landed) memoryWrite(compact, bytes, value);
}

/** Bytes pass caches by. Where no copy of them is, memory and the truth stay alike, as when tables are written before caches are on. */
function leaveBehind(copies: bool): void {
  if (copies || outer) diverge();
}

/** Non-cacheable and Device data (D24); an atomic reads, then writes, and has the read's supply. */
function bypass(compact: u64, bytes: u32, reads: bool, writes: bool, attribute: u32): void {
  hadCopies = collectAll(compact, bytes) != 0;
  leaveBehind(hadCopies);
  if (hadCopies) latent(HAZARD_MISMATCHED_ATTRIBUTES, compact, true);
  if (reads) {
    if (ncSnoops) cleanAndInvalidateEverywhere(compact);
    if (!lookUp(pathAt(who, regionHome), compact, bytes, false, true))
      bypassRead(compact, bytes, attribute != ATTR_DEVICE);
  }
  if (!writes) return;
  if (ncSnoops) cleanAndInvalidateEverywhere(compact);
  if (lookUp(pathAt(who, regionHome), compact, bytes, true, !reads)) return;
  machineCount(MACHINE_UNCACHED_WRITES);
  if (!reads) chargeUncached();
  uncachedWrite(compact, bytes, value, attribute != ATTR_DEVICE);
}

function bypassRead(compact: u64, bytes: u32, looksOuter: bool): void {
  machineCount(MACHINE_UNCACHED_READS);
  chargeUncached();
  uncachedRead(compact, bytes, seen, looksOuter);
  from = behindSupplier ? indexOf(behindSupplier) : PLACE_MEMORY;
}

/** `ncLookup`: the first holder on the path serves (R14, D24). `supplies`: it is the piece's supply event. */
function lookUp(path: usize, compact: u64, bytes: u32, writes: bool, supplies: bool): bool {
  if (!ncLookup) return false;
  const many = load<u32>(path);
  for (let i: u32 = 1; i <= many; i++)
    if (lookUpIn(<usize>load<u32>(path + ((<usize>i) << 2)), compact, bytes, writes, supplies)) return true;
  return false;
}

function lookUpIn(n: usize, compact: u64, bytes: u32, writes: bool, supplies: bool): bool {
  const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
  const record = recordOf(n, line);
  const way = probe(n, record, line);
  if (way < 0) return false;
  machineCount(MACHINE_UNEXPECTED_HITS);
  if (supplies) {
    levelHit(n);
    hitFirst = load<u32>(n, N_DEPTH) == 1;
  }
  if (writes) {
    distrustCopies();
    mergeInto(n, record, way, compact, bytes, value);
  } else see(n, record, way, compact, bytes);
  return true;
}

/** What a fetch may do (D8, D23). */
export const FETCH_CACHEABLE: u32 = 0;
export const FETCH_L1I_ONLY: u32 = 1;
export const FETCH_UNCACHED: u32 = 2;

/** Whether the fetch is nobody's: it observes nothing (R19). */
let speculating: bool = false;
export function setSpeculating(now: bool): void {
  speculating = now;
}

export function fetchPiece(compact: u64, bytes: u32, mode: u32, attribute: u32, path: usize): void {
  begin();
  if (regionIsDevice) {
    mmio(bytes, true, false);
    return;
  }
  const n = <usize>load<u32>(coreAt(who), C_L1I);
  if (mode == FETCH_UNCACHED) {
    if (ncSnoops) cleanAndInvalidateEverywhere(compact);
    if (
      !(n && ncLookup && lookUpIn(n, compact, bytes, false, true)) &&
      !lookUp(fetchPathAt(who, regionHome), compact, bytes, false, true)
    ) {
      bypassRead(compact, bytes, true);
    }
  } else if (n) fetchThrough(n, compact, bytes, mode, attribute, path);
  else if (mode == FETCH_L1I_ONLY) bypassRead(compact, bytes, true);
  else {
    beginAccess(compact, 2, attribute == ATTR_WRITE_BACK_NON_SHAREABLE, path);
    setFillsFirst(false);
    request(0, noL1I);
    charge();
    seeAnswer(compact, bytes);
  }
  if (speculating) return;
  if (CARRY && !known) observe(HAZARD_STALE_FETCH, compact, bytes, seen, from);
  if (!hitFirst) checkPending(compact, true);
}

/** A fetch of a core with an L1I: L1I, then the fetch path, or memory where it allocates in the L1I only. */
function fetchThrough(n: usize, compact: u64, bytes: u32, mode: u32, attribute: u32, path: usize): void {
  beginAccess(compact, 2, attribute == ATTR_WRITE_BACK_NON_SHAREABLE, path);
  const shift = load<u32>(n, N_LINE_SHIFT);
  const line = <u32>(compact >> shift);
  const low = (<u64>line) << shift;
  const record = recordOf(n, line);
  let way = probe(n, record, line);
  countAccess(n, way < 0);
  if (way >= 0) {
    hitFirst = true;
    touch(n, record, way);
    levelHit(n);
    see(n, record, way, compact, bytes);
    return;
  }
  if (mode == FETCH_L1I_ONLY) {
    setStrays();
    machineCount(MACHINE_UNCACHED_READS);
    chargeUncached();
    setAnswer(low, 1 << shift, 0);
    uncachedRead(low, 1 << shift, answer, true);
    from = behindSupplier ? indexOf(behindSupplier) : PLACE_MEMORY;
  } else {
    setFillsFirst(false);
    request(0, n);
    charge();
  }
  seeAnswer(compact, bytes);
  way = makeWay(n, record);
  fill(n, record, way, line, VALID, answerAt(low));
}

// ---- devices (D30)

export function deviceRead(compact: u64, bytes: u32, coherent: bool): void {
  begin();
  machineCount(MACHINE_DEVICE_READS);
  event(EVENT_DEVICE);
  if (regionIsDevice) {
    memory.fill(seen, 0, heldSize(bytes));
    return;
  }
  let chosen: usize = 0;
  if (coherent) {
    const found = collectAll(compact, bytes);
    for (let i: u32 = 0; i < found && !chosen; i++) if (stateOf(peerAt(i)) & DIRTY) chosen = peerAt(i);
    if (found && !chosen) chosen = peerAt(0);
  }
  if (chosen) {
    // A line is never smaller than a piece, so memory isn't read.
    const n = <usize>load<u32>(chosen, PEER_NODE);
    count(n, COUNTER_SNOOPS_IN);
    if (load<u32>(n, N_SOCKET) != whoSocket) machineCount(MACHINE_CROSSINGS);
    from = indexOf(n);
    if (CARRY) move(seen, dataOfPeer(chosen) + held(<usize>(compact - lineOf(chosen))), bytes);
  } else {
    uncachedRead(compact, bytes, seen, false);
    from = behindSupplier ? indexOf(behindSupplier) : PLACE_MEMORY;
  }
  if (CARRY) observe(HAZARD_STALE_DMA, compact, bytes, seen, from);
  checkPending(compact, false);
}

/** `landing` is the system cache that takes a coherent device's writes, or 0. */
export function deviceWrite(compact: u64, bytes: u32, coherent: bool, landing: usize): void {
  machineCount(MACHINE_DEVICE_WRITES);
  event(EVENT_DEVICE);
  if (regionIsDevice) return;
  beforeWrite(compact, bytes);
  if (coherent) {
    landElsewhere(compact, bytes, landing);
    if (landing) land(landing, compact, bytes);
    else uncachedWrite(compact, bytes, value, false);
  } else {
    leaveBehind(collectAll(compact, bytes) != 0);
    uncachedWrite(compact, bytes, value, false);
  }
  changeTruth(compact, bytes, true);
  checkPending(compact, false);
}

function land(n: usize, compact: u64, bytes: u32): void {
  beginAccess(compact, 1, true, pathAt(0, regionHome));
  const shift = load<u32>(n, N_LINE_SHIFT);
  const line = <u32>(compact >> shift);
  const low = (<u64>line) << shift;
  const record = recordOf(n, line);
  let way = probe(n, record, line);
  countAccess(n, way < 0);
  if (way >= 0) touch(n, record, way);
  else {
    way = makeWay(n, record);
    setAnswer(low, 1 << shift, value);
    if (bytes != (<u32>1) << shift) memoryRead(low, 1 << shift, answer);
    fill(n, record, way, line, VALID | EXCLUSIVE, answer);
  }
  mergeInto(n, record, way, compact, bytes, value);
}
