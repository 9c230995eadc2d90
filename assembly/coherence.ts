// Who else has the line and what happens to it there: peers, snoops, climbs, the interconnect and the sized directory
// (R17, R33, D10-D12, D25). Copies are found through the presence hash and believed only when probed.

import { move } from "./bytes";
import { inForce } from "./handover";
import {
  answer,
  at,
  bytesOf,
  distrust,
  fetching,
  kind,
  landFrom,
  mergeInto,
  noteSnooped,
  parentOf,
  pathLength,
  pathNode,
  refresh,
  removeAt,
  setAnswer,
  setPeerSupply,
  setSource,
  walking,
  writeback,
  YARD_C2C,
  yard,
  yardstick,
} from "./hierarchy";
import {
  allocate,
  C_L1D,
  C_L1I,
  CARRY,
  caches,
  coreAt,
  DIRTY,
  directorySets,
  directoryWays,
  EXCLUSIVE,
  FLAG_INCLUSIVE_DATA,
  FLAG_TOP,
  heapTop,
  INVALID,
  idc,
  KIND_ARCHITECTED,
  largestShift,
  moesi,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_COVERED,
  N_DEPTH,
  N_FLAGS,
  N_KIND,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_RANK,
  N_SOCKET,
  N_SPEAKS,
  N_UNIT,
  N_UNITS_FROM,
  N_UNITS_TO,
  N_WHOLE,
  nodeAt,
  sharedRoots,
  smallestShift,
  sockets,
  unitCount,
  unitsAreCores,
  VALID,
} from "./layout";
import {
  supplier as behindSupplier,
  count,
  event,
  machineCount,
  memoryRead,
  memoryWrite,
  regionDelta,
  who,
  whoSocket,
} from "./memory";
import {
  COUNTER_BACK_INVALIDATIONS,
  COUNTER_INVALIDATIONS,
  COUNTER_SNOOPS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
  MACHINE_CROSSINGS,
  MACHINE_DIRECTORY_EVICTIONS,
} from "./operations";
import { findEntry, holdsPart, isKnownEmpty, nextUnit, unitList } from "./presence";
import { probe, recordOf, setState, stateAt, tagAt } from "./set";

export const PEER_NODE: usize = 0;
export const PEER_RECORD: usize = 4;
export const PEER_WAY: usize = 8;
const PEER_SIZE: usize = 16;

/** A stack of found copies: a nested search lies above the one that is being worked through. */
let stack: usize = 0;
let top: usize = 0;
let stackEnd: usize = 0;

export function allocatePeers(): void {
  stack = allocate((<usize>(caches + 8) * PEER_SIZE * 16) << (largestShift - smallestShift));
  stackEnd = heapTop();
  top = stack;
}

/** Between pieces nobody works through found copies. */
export function nothingHeld(): bool {
  return top == stack;
}

/** The i-th copy that the last search found. */
export function peerAt(i: u32): usize {
  return top + <usize>i * PEER_SIZE;
}

/** Keeps the last search's copies while others run; returns the first. */
export function hold(many: u32): usize {
  const first = top;
  top += <usize>many * PEER_SIZE;
  assert(top <= stackEnd, "the stack of found copies is deep enough");
  return first;
}

export function release(many: u32): void {
  top -= <usize>many * PEER_SIZE;
  assert(top >= stack, "copies are released as often as they are held");
}

function add(found: u32, m: usize, record: usize, way: u32): void {
  const rank = load<u32>(m, N_RANK);
  let i = found;
  while (i > 0) {
    const before = peerAt(i - 1);
    if (load<u32>(<usize>load<u32>(before, PEER_NODE), N_RANK) <= rank) break;
    memory.copy(peerAt(i), before, PEER_SIZE);
    i--;
  }
  const entry = peerAt(i);
  store<u32>(entry, <u32>m, PEER_NODE);
  store<u32>(entry, <u32>record, PEER_RECORD);
  store<u32>(entry, way, PEER_WAY);
}

/** Adds the copies of one cache that overlap the range; returns how many are found now. */
function addCache(found: u32, m: usize, compact: u64, bytes: u32): u32 {
  const shift = load<u32>(m, N_LINE_SHIFT);
  let line = <u32>(compact >> shift);
  const last = <u32>((compact + bytes - 1) >> shift);
  for (;;) {
    const record = recordOf(m, line);
    const way = probe(m, record, line);
    if (way >= 0) add(found++, m, record, way);
    if (line == last) return found;
    line++;
  }
  return found;
}

export function isInside(m: usize, n: usize): bool {
  const first = load<u32>(m, N_CORE_FIRST);
  return (
    load<u32>(m, N_DEPTH) < load<u32>(n, N_DEPTH) &&
    first >= load<u32>(n, N_CORE_FIRST) &&
    first <= load<u32>(n, N_CORE_LAST)
  );
}

/** Notes which caches have whole units inside them, and which speak for their unit. Called once the machine is laid out. */
export function findWholes(): void {
  for (let i: u32 = 0; i < caches; i++) {
    const n = nodeAt(i);
    let whole = load<u32>(n, N_CORE_FIRST) != load<u32>(n, N_CORE_LAST);
    for (let unit = load<u32>(n, N_UNITS_FROM); unit < load<u32>(n, N_UNITS_TO); unit++) {
      const list = unitList(unit);
      for (let j: u32 = 1; j <= load<u32>(list); j++)
        whole = whole && isInside(<usize>load<u32>(list + ((<usize>j) << 2)), n);
    }
    store<u32>(n, whole ? 1 : 0, N_WHOLE);
    const unit = load<i32>(n, N_UNIT);
    if (unit < 0) continue;
    const list = unitList(unit);
    let speaks = load<u32>(n, N_LINE_SHIFT) == largestShift;
    for (let j: u32 = 1; j <= load<u32>(list); j++) {
      const m = <usize>load<u32>(list + ((<usize>j) << 2));
      speaks = speaks && (m == n || (load<u32>(m, N_COVERED) != 0 && isInside(m, n)));
    }
    store<u32>(n, speaks ? 1 : 0, N_SPEAKS);
  }
}

function isOnPath(m: usize): bool {
  for (let i: u32 = 0; i < pathLength; i++) if (pathNode(i) == m) return true;
  return false;
}

/** Every data or unified copy that overlaps the range, in the order of D3. */
export function collectAll(compact: u64, bytes: u32): u32 {
  return search(compact, bytes, 0, 0, false, 0);
}

/** Every data or unified copy inside n that overlaps the range. */
export function collectInside(compact: u64, bytes: u32, n: usize): u32 {
  return search(compact, bytes, n, 0, false, 0);
}

/**
 * Peers (D10, D12): copies that overlap the range, inside `n` or anywhere (0), but not `child`, nor inside it, nor on the
 * path. A fetch doesn't see its core's own L1D unless the machine has IDC (D23).
 */
export function collectPeers(compact: u64, bytes: u32, n: usize, child: usize): u32 {
  return search(compact, bytes, n, child, true, fetching && !idc ? <usize>load<u32>(coreAt(who), C_L1D) : 0);
}

/** The first unit from a number on that may hold an entry's block; without an entry any may. */
function unitFrom(entry: usize, from: u32): u32 {
  return entry ? nextUnit(entry, from) : from;
}

function search(compact: u64, bytes: u32, n: usize, child: usize, peers: bool, hidden: usize): u32 {
  let found: u32 = 0;
  // Inside a private cache there is nothing but its own unit: no need to look up who has the line.
  if (n && !peers && load<i32>(n, N_UNIT) >= 0 && load<u32>(n, N_CORE_FIRST) == load<u32>(n, N_CORE_LAST)) {
    const list = unitList(load<u32>(n, N_UNIT));
    const length = load<u32>(list);
    for (let i: u32 = 1; i <= length; i++) {
      const m = <usize>load<u32>(list + ((<usize>i) << 2));
      if (isInside(m, n)) found = addCache(found, m, compact, bytes);
    }
    return found;
  }
  // While sharers stand for the directory (sharers.ts), any unit may hold it.
  const entry: usize = inForce ? 0 : findEntry(<u32>(compact >> largestShift));
  if (entry || inForce) {
    const end = n ? load<u32>(n, N_UNITS_TO) : unitCount;
    let unit = unitFrom(entry, n ? load<u32>(n, N_UNITS_FROM) : 0);
    // The asking unit's own caches lie inside the asker, if that is the unit's outermost.
    const skipped = peers && child && load<u32>(child, N_FLAGS) & FLAG_TOP ? load<u32>(child, N_UNIT) : INVALID;
    // So do whole units, where the asker is shared.
    const wholes = peers && child && load<u32>(child, N_WHOLE) != 0;
    const wholesFrom = wholes ? load<u32>(child, N_UNITS_FROM) : INVALID;
    const wholesTo = wholes ? load<u32>(child, N_UNITS_TO) : 0;
    while (unit < end) {
      if (unit == skipped) {
        unit = unitFrom(entry, unit + 1);
        continue;
      }
      if (unit >= wholesFrom && unit < wholesTo) {
        unit = unitFrom(entry, wholesTo);
        continue;
      }
      const list = unitList(unit);
      const length = load<u32>(list);
      for (let i: u32 = 1; i <= length; i++) {
        const m = <usize>load<u32>(list + ((<usize>i) << 2));
        if (n && !isInside(m, n)) continue;
        if (isKnownEmpty(m) && !inForce) continue;
        if (peers && (m == child || m == hidden || (child && isInside(m, child)) || isOnPath(m))) continue;
        found = addCache(found, m, compact, bytes);
      }
      unit = unitFrom(entry, unit + 1);
    }
  }
  // Shared roots lie inside nothing.
  if (n) return found;
  const roots = load<u32>(sharedRoots);
  for (let i: u32 = 1; i <= roots; i++) {
    const m = <usize>load<u32>(sharedRoots + ((<usize>i) << 2));
    if (isKnownEmpty(m) && !inForce) continue;
    if (peers && (m == child || (child && isInside(m, child)) || isOnPath(m))) continue;
    found = addCache(found, m, compact, bytes);
  }
  return found;
}

/**
 * Whether a load or fetch can do without asking its peers inside n: under MESI, a line that two other units hold has no
 * owner, as long as nobody has ever ignored coherence. It is then shared and nobody is snooped.
 */
export function onlySharers(n: usize): bool {
  if (moesi || kind == 1 || !unitsAreCores || distrust || pathLength < 2) return false;
  const own = load<i32>(pathNode(0), N_UNIT);
  if (own < 0 || !load<u32>(n, N_UNITS_TO)) return false;
  const entry = findEntry(<u32>(at >> largestShift));
  if (!entry) return false;
  const end = load<u32>(n, N_UNITS_TO);
  let unit = nextUnit(entry, load<u32>(n, N_UNITS_FROM));
  let others: u32 = 0;
  while (unit < end) {
    if (unit != <u32>own && ++others == 2) return true;
    unit = nextUnit(entry, unit + 1);
  }
  return false;
}

export function stateOf(peer: usize): u32 {
  return stateAt(<usize>load<u32>(peer, PEER_NODE), <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
}

export function setStateOf(peer: usize, state: u32): void {
  setState(<usize>load<u32>(peer, PEER_NODE), <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY), state);
}

/** Compact address of a peer's line. */
export function lineOf(peer: usize): u64 {
  const n = <usize>load<u32>(peer, PEER_NODE);
  return (<u64>tagAt(<usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY))) << load<u32>(n, N_LINE_SHIFT);
}

export function dataOfPeer(peer: usize): usize {
  return bytesOf(<usize>load<u32>(peer, PEER_NODE), <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
}

/** Whether the copy that a peer entry names is still there: an inclusive removal before it may have taken it. */
export function isThere(peer: usize, line: u64): bool {
  return (stateOf(peer) & VALID) != 0 && lineOf(peer) == line;
}

/** Refreshes the copies that bytes pass on their way out: caches that contain m, up to but without `scope` (0: all). */
export function refreshOutwards(m: usize, compact: u64, bytes: u32, from: usize, scope: usize): void {
  if (!CARRY) return;
  for (let p = parentOf(m, compact); p && p != scope; p = parentOf(p, compact)) refresh(p, compact, bytes, from);
}

/** Refreshes what contains a peer. */
function refreshAround(peer: usize, scope: usize): void {
  const n = <usize>load<u32>(peer, PEER_NODE);
  refreshOutwards(n, lineOf(peer), load<u32>(n, N_LINE_BYTES), dataOfPeer(peer), scope);
}

// ---- copies that must not go: those that a climbing store is about to write, or the one in which a device's write lands
let climbing: bool = false;
let keptNode: usize = 0;

export function keepLanding(n: usize): void {
  keptNode = n;
}

/** Whether a found copy is one of those. */
export function isKept(peer: usize): bool {
  if (!climbing && !keptNode) return false;
  const n = <usize>load<u32>(peer, PEER_NODE);
  if (n == keptNode) return true;
  return climbing && isOnPath(n) && at - lineOf(peer) < load<u32>(n, N_LINE_BYTES);
}

function snoop(peer: usize): void {
  const n = <usize>load<u32>(peer, PEER_NODE);
  count(n, COUNTER_SNOOPS_IN);
  const remote = load<u32>(n, N_SOCKET) != whoSocket;
  if (remote) machineCount(MACHINE_CROSSINGS);
  noteSnooped(remote);
}

/** Bytes of dirty copies too small to supply go to memory first (D11). */
function writeParts(first: usize, found: u32, fullBytes: u32, exactly: bool): void {
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    const bytes = load<u32>(<usize>load<u32>(peer, PEER_NODE), N_LINE_BYTES);
    if (exactly ? bytes == fullBytes : bytes >= fullBytes) continue;
    const state = stateOf(peer);
    if (state & DIRTY) writeAside(peer);
  }
}

/** A dirty copy that cannot supply goes to memory at once and becomes clean (D11). */
export function writeAside(peer: usize): void {
  refreshAround(peer, 0);
  memoryWrite(lineOf(peer), load<u32>(<usize>load<u32>(peer, PEER_NODE), N_LINE_BYTES), dataOfPeer(peer));
  setStateOf(peer, stateOf(peer) & ~DIRTY);
}

function supplies(peer: usize, fullBytes: u32, exactly: bool): bool {
  const bytes = load<u32>(<usize>load<u32>(peer, PEER_NODE), N_LINE_BYTES);
  return exactly ? bytes == fullBytes : bytes >= fullBytes;
}

/** The supplier among held peers: the first full dirty one, else the first full exclusive one, else (interconnect) the outermost full one. */
function findSupplier(first: usize, found: u32, fullBytes: u32, exactly: bool, any: bool): usize {
  let exclusive: usize = 0;
  let clean: usize = 0;
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    if (!supplies(peer, fullBytes, exactly)) continue;
    const state = stateOf(peer);
    if (state & DIRTY) return peer;
    if (state & EXCLUSIVE && !exclusive) exclusive = peer;
    if (
      !clean ||
      load<u32>(<usize>load<u32>(peer, PEER_NODE), N_DEPTH) > load<u32>(<usize>load<u32>(clean, PEER_NODE), N_DEPTH)
    )
      clean = peer;
  }
  return exclusive ? exclusive : any ? clean : 0;
}

/** The root above a cache, for an address. */
function rootAbove(m: usize, compact: u64): usize {
  let n = m;
  for (;;) {
    const p = parentOf(n, compact);
    if (!p) return n;
    n = p;
  }
  return n;
}

/** What asking came to: no supplier, or one; and its state then. */
export let askedState: u32 = 0;

function takeAnswer(peer: usize): void {
  setAnswer(lineOf(peer), load<u32>(<usize>load<u32>(peer, PEER_NODE), N_LINE_BYTES), dataOfPeer(peer));
  const n = <usize>load<u32>(peer, PEER_NODE);
  setSource(n);
  setPeerSupply(load<u32>(n, N_SOCKET) != whoSocket ? 2 : 1);
}

/**
 * Asks held peers at a level inside the tree (D11). Returns whether one supplied; its bytes are then the answer and
 * `askedState` its state before. `scope` is the level's cache.
 */
export function ask(first: usize, found: u32, fullBytes: u32, exactly: bool, scope: usize): bool {
  writeParts(first, found, fullBytes, exactly);
  const chosen = findSupplier(first, found, fullBytes, exactly, false);
  askedState = 0;
  if (chosen) {
    askedState = stateOf(chosen);
    takeAnswer(chosen);
    if (yardstick && (kind != 1 || askedState & DIRTY)) yard(YARD_C2C, whoSocket);
  }
  if (kind == 1) {
    removePeers(first, found);
    return chosen != 0;
  }
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    const state = stateOf(peer);
    if (!(state & (DIRTY | EXCLUSIVE))) {
      // A part written to memory just now was an owner all the same and has been snooped; it has lost only its dirtiness.
      continue;
    }
    snoop(peer);
    setStateOf(peer, moesi ? state & ~EXCLUSIVE : state & ~(EXCLUSIVE | DIRTY));
  }
  if (chosen && !moesi) refreshAround(chosen, scope);
  return chosen != 0;
}

/** A store takes every peer away (D11, D19). */
export function removePeers(first: usize, found: u32): void {
  for (let i: u32 = 0; i < found; i++)
    store<u32>(first + <usize>i * PEER_SIZE, <u32>(lineOf(first + <usize>i * PEER_SIZE) >> smallestShift), 12);
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    if (!isThere(peer, (<u64>load<u32>(peer, 12)) << smallestShift) || isKept(peer)) continue;
    snoop(peer);
    count(<usize>load<u32>(peer, PEER_NODE), COUNTER_INVALIDATIONS);
    removeAt(<usize>load<u32>(peer, PEER_NODE), <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
  }
}

/** A copy's own bytes to its home memory: counted at the root of its tree (D12). */
function writeHome(peer: usize): void {
  const n = <usize>load<u32>(peer, PEER_NODE);
  const compact = lineOf(peer);
  count(rootAbove(n, compact), COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  memoryWrite(compact, load<u32>(n, N_LINE_BYTES), dataOfPeer(peer));
}

/** Past the root (D12). Returns whether the line is shared. `child` is the asking root, or the L1I of a machine without unified caches. */
export function interconnect(child: usize): bool {
  directoryLookup(pathLength);
  const shift = load<u32>(child, N_LINE_SHIFT);
  const bytes: u32 = 1 << shift;
  const low = (at >> shift) << shift;
  const found = collectPeers(low, bytes, 0, child);
  if (!found) {
    fromMemory(low, bytes);
    return false;
  }
  const first = hold(found);
  writeParts(first, found, bytes, false);
  const chosen = findSupplier(first, found, bytes, false, true);
  if (chosen) takeAnswer(chosen);
  if (kind == 1) {
    if (chosen && stateOf(chosen) & DIRTY) writeHome(chosen);
    removePeers(first, found);
  } else {
    if (chosen && stateOf(chosen) & DIRTY) writeHome(chosen);
    for (let i: u32 = 0; i < found; i++) {
      const peer = first + <usize>i * PEER_SIZE;
      const state = stateOf(peer);
      if (peer != chosen && !(state & (DIRTY | EXCLUSIVE))) continue;
      snoop(peer);
      setStateOf(peer, state & ~(EXCLUSIVE | DIRTY));
    }
    if (chosen) refreshAround(chosen, 0);
  }
  release(found);
  if (!chosen) fromMemory(low, bytes);
  return kind != 1;
}

export function fromMemory(low: u64, bytes: u32): void {
  setAnswer(low, bytes, 0);
  memoryRead(low, bytes, answer);
  setSource(behindSupplier);
}

/** Whether another root's tree holds a part of n's line: what makes a root's label exact (D10). The likeliest are asked first. */
export function heldElsewhere(n: usize, compact: u64): bool {
  const bytes = load<u32>(n, N_LINE_BYTES);
  const low = compact & ~(<u64>bytes - 1);
  const roots = load<u32>(sharedRoots);
  for (let i: u32 = 1; i <= roots; i++) {
    const m = <usize>load<u32>(sharedRoots + ((<usize>i) << 2));
    if (m == n || isKnownEmpty(m) || isInside(m, n) || isOnPath(m)) continue;
    if (holdsPart(m, low, bytes)) return true;
  }
  return collectPeers(low, bytes, 0, n) != 0;
}

/**
 * A store that holds the line shared at path position k, or got it from a shared owner there, makes it exclusive everywhere
 * further out (docs/semantics.md, climb). Returns whether dirtiness was found that nobody on the path holds the line to take.
 */
export function climb(k: u32): bool {
  climbing = true;
  let stop = pathLength;
  let dirtiness = false;
  for (let j = k + 1; j < pathLength; j++) {
    directoryLookup(j);
    const n = pathNode(j);
    const line = <u32>(at >> load<u32>(n, N_LINE_SHIFT));
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (takeAway(k, j, pathNode(j - 1), n, way >= 0)) dirtiness = true;
    if (way >= 0 && stateAt(n, record, way) & EXCLUSIVE) {
      stop = j;
      break;
    }
  }
  if (stop == pathLength) {
    directoryLookup(pathLength);
    takeAway(k, pathLength, pathNode(pathLength - 1), 0, true);
  }
  let taken = false;
  for (let i = k; i < pathLength && i <= stop; i++) {
    const n = pathNode(i);
    const line = <u32>(at >> load<u32>(n, N_LINE_SHIFT));
    const record = recordOf(n, line);
    const way = probe(n, record, line);
    if (way < 0) continue;
    setState(n, record, way, stateAt(n, record, way) | EXCLUSIVE);
    if (i == k && dirtiness) {
      mergeInto(
        n,
        record,
        way,
        (<u64>line) << load<u32>(n, N_LINE_SHIFT),
        load<u32>(n, N_LINE_BYTES),
        bytesOf(n, record, way),
      );
      taken = true;
    }
  }
  climbing = false;
  return dirtiness && !taken;
}

/** One level of a climb (`scope` 0: the interconnect). Returns whether path position k has dirtiness to take (MOESI). */
function takeAway(k: u32, j: u32, child: usize, scope: usize, held: bool): bool {
  const shift = load<u32>(child, N_LINE_SHIFT);
  const bytes: u32 = 1 << shift;
  const low = (at >> shift) << shift;
  const found: u32 =
    scope && load<u32>(scope, N_CORE_FIRST) == load<u32>(scope, N_CORE_LAST)
      ? 0
      : collectPeers(low, bytes, scope, child);
  if (!found) return false;
  const first = hold(found);
  // A level that doesn't hold the line takes only whole lines of its own size for full (D10).
  const exactly = !held;
  const full = held ? bytes : load<u32>(scope, N_LINE_BYTES);
  writeParts(first, found, full, exactly);
  let dirty: usize = 0;
  for (let i: u32 = 0; i < found && !dirty; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    if (supplies(peer, full, exactly) && stateOf(peer) & DIRTY) dirty = peer;
  }
  let forHolder = false;
  if (dirty) {
    const size = load<u32>(<usize>load<u32>(dirty, PEER_NODE), N_LINE_BYTES);
    if (!scope) writeHome(dirty);
    else if (moesi && size <= load<u32>(pathNode(k), N_LINE_BYTES)) forHolder = true;
    else landFrom(j, lineOf(dirty), size, dataOfPeer(dirty));
  }
  removePeers(first, found);
  release(found);
  return forHolder;
}

// ---- sized directory (D25): per socket, sets of (line tags, recency)
let sized: usize = 0;

export function allocateDirectory(): void {
  if (!directorySets) return;
  const bytes = <usize>sockets * directorySets * directoryWays * 8;
  sized = allocate(bytes);
  memory.fill(sized, 0xff, bytes);
  saved = allocate(SAVED_SIZE << (largestShift - smallestShift + 1), 16);
}

/**
 * A request or climb is about to go to path position j. If that is just past the outermost architected cache, the
 * directory of the requester's socket is looked up. Entries of a set lie in order of recency, most recent first.
 */
export function directoryLookup(j: u32): void {
  if (!sized) return;
  let shift: u32 = 0;
  if (j > 0) {
    if (load<u32>(pathNode(j - 1), N_KIND) != KIND_ARCHITECTED) return;
    shift = load<u32>(pathNode(j - 1), N_LINE_SHIFT);
  } else {
    const l1i = <usize>load<u32>(coreAt(who), C_L1I);
    if (!fetching || walking || !l1i) return;
    shift = load<u32>(l1i, N_LINE_SHIFT);
  }
  for (let i = j; i < pathLength; i++) if (load<u32>(pathNode(i), N_KIND) == KIND_ARCHITECTED) return;
  // The line number may be that of any size: entries remember theirs.
  const compact = (at >> shift) << shift;
  const set = <u32>(((at + regionDelta) >> shift) % directorySets);
  const base = sized + (<usize>whoSocket * directorySets + set) * directoryWays * 8;
  const wanted = ((compact >> smallestShift) << 5) | shift;
  let i: u32 = 0;
  while (i < directoryWays && load<u64>(base + ((<usize>i) << 3)) != wanted) i++;
  let victim: u64 = NO_ENTRY;
  if (i == directoryWays) {
    i = directoryWays - 1;
    victim = load<u64>(base + ((<usize>i) << 3));
  }
  if (victim != NO_ENTRY) evictEntry((victim >> 5) << smallestShift, 1 << (<u32>victim & 31));
  memory.copy(base + 8, base, (<usize>i) << 3);
  store<u64>(base, wanted);
}

const NO_ENTRY: u64 = 0xffffffffffffffff;

/** An entry's line leaves every architected cache of the socket; each byte is written back from the first dirty copy that has it. */
function evictEntry(compact: u64, bytes: u32): void {
  machineCount(MACHINE_DIRECTORY_EVICTIONS);
  const found = collectAll(compact, bytes);
  const first = hold(found);
  const parts = bytes >> smallestShift;
  let written: u64 = 0;
  let many: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    store<u32>(peer, <u32>(lineOf(peer) >> smallestShift), 12);
    if (!(stateOf(peer) & DIRTY) || !goesWithEntry(first, found, peer)) continue;
    const n = <usize>load<u32>(peer, PEER_NODE);
    const size = load<u32>(n, N_LINE_BYTES);
    // Parts of the copy's line, as bits of the entry's line; a larger copy covers all of it and more.
    const offset = lineOf(peer) < compact ? 0 : <u32>((lineOf(peer) - compact) >> smallestShift);
    const mask =
      (size >= bytes ? ((<u64>1) << parts) - 1 : (((<u64>1) << (size >> smallestShift)) - 1) << offset) |
      (size > bytes ? LARGER : 0);
    if ((written & mask) == mask) continue;
    written |= mask;
    const slot = saved + <usize>many * SAVED_SIZE;
    many++;
    store<u32>(slot, <u32>n);
    store<u32>(slot, size, 4);
    store<u64>(slot, lineOf(peer), 8);
    store<u32>(slot, stateOf(peer) & EXCLUSIVE ? 0 : 1, 16);
    if (CARRY) move(slot + 32, dataOfPeer(peer), size);
  }
  for (let i: u32 = 0; i < found; i++) {
    const peer = first + <usize>i * PEER_SIZE;
    if (!isTracked(peer) || !isThere(peer, (<u64>load<u32>(peer, 12)) << smallestShift) || isKept(peer)) continue;
    count(<usize>load<u32>(peer, PEER_NODE), COUNTER_BACK_INVALIDATIONS);
    removeAt(<usize>load<u32>(peer, PEER_NODE), <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
  }
  release(found);
  while (many > 0) {
    many--;
    const slot = saved + <usize>many * SAVED_SIZE;
    const n = <usize>load<u32>(slot);
    const size = load<u32>(slot, 4);
    const low = load<u64>(slot, 8);
    refreshOutwards(n, low, size, slot + 32, 0);
    count(n, COUNTER_WRITEBACKS_OUT);
    event(EVENT_WRITEBACK);
    let to = n;
    for (let p = n; p; p = parentOf(p, low)) if (load<u32>(p, N_KIND) == KIND_ARCHITECTED) to = p;
    writeback(parentOf(to, low), low, size, slot + 32, true, load<u32>(slot, 16) != 0, size);
  }
}

/** Copies that an entry's eviction writes back, while they wait: node, size, line, shared, bytes. */
const SAVED_SIZE: usize = 4096 + 32;
const LARGER: u64 = 0x8000000000000000;
let saved: usize = 0;

/** Whether a copy goes when its socket's directory evicts the line: named itself, or inside an inclusive one that is. */
function goesWithEntry(first: usize, found: u32, peer: usize): bool {
  if (isKept(peer)) return false;
  if (isTracked(peer)) return true;
  const n = <usize>load<u32>(peer, PEER_NODE);
  for (let i: u32 = 0; i < found; i++) {
    const other = first + <usize>i * PEER_SIZE;
    const m = <usize>load<u32>(other, PEER_NODE);
    if (!(load<u32>(m, N_FLAGS) & FLAG_INCLUSIVE_DATA) || !isTracked(other) || isKept(other) || !isInside(n, m))
      continue;
    if (lineOf(peer) - lineOf(other) < load<u32>(m, N_LINE_BYTES)) return true;
  }
  return false;
}

function isTracked(peer: usize): bool {
  const n = <usize>load<u32>(peer, PEER_NODE);
  return load<u32>(n, N_KIND) == KIND_ARCHITECTED && load<u32>(n, N_SOCKET) == whoSocket;
}
