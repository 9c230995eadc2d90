// The next commonest misses, by themselves: what neither a core's L1 nor its private L2 holds, answered by the shared cache outside
// them, by another core inside that, or by memory. Same rules as hierarchy.ts and coherence.ts (D9-D12, D15, D16, D19), same
// counters; whatever isn't plain is left to them untouched.

import { move } from "./bytes";
import { equalsTruth, mayDiffer } from "./hazard";
import { answer, parentOf, strays, writeback, yardstick } from "./hierarchy";
import { forgetLine, isNarrow } from "./hits";
import {
  allocate,
  C_ACTIVE,
  C_L1D,
  C_L1I,
  C_SOCKET,
  CARRY,
  coreAt,
  cores,
  DIRTY,
  dic,
  directorySets,
  EXCLUSIVE,
  FLAG_ALLOCATES_READS,
  FLAG_ALLOCATES_STORES,
  FLAG_EXCLUSIVE_DATA,
  FLAG_EXCLUSIVE_INSTRUCTIONS,
  FLAG_INCLUSIVE_DATA,
  FLAG_INCLUSIVE_INSTRUCTIONS,
  FLAG_WRITE_THROUGH,
  FLAG_WRITEBACK_TOUCHES,
  INVALID,
  largestShift,
  memorySide,
  moesi,
  N_BASE,
  N_DEPTH,
  N_FLAGS,
  N_PARENTS,
  N_POPULATION,
  N_SETS,
  N_SOCKET,
  N_SPEAKS,
  N_UNIT,
  N_UNITS_FROM,
  N_UNITS_TO,
  N_WAYS,
  outer,
  PREFETCHED,
  pathAt,
  sharedRoots,
  smallestShift,
  sockets,
  sticky,
  TRUE,
  unitCount,
  unitsAreCores,
  VALID,
} from "./layout";
import {
  supplier as behindSupplier,
  byteOf,
  count,
  event,
  levelHit,
  machineCount,
  memoryRead,
  memoryWrite,
  regionHome,
  setWho,
  whoSocket,
} from "./memory";
import {
  COUNTER_BACK_INVALIDATIONS,
  COUNTER_EVICTIONS,
  COUNTER_INVALIDATIONS,
  COUNTER_LOAD_MISSES,
  COUNTER_LOADS,
  COUNTER_PREFETCHES_UNUSED,
  COUNTER_SNOOPS_IN,
  COUNTER_UPGRADES,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_MEMORY,
  EVENT_MEMORY_REMOTE,
  EVENT_SNOOP,
  EVENT_SNOOP_REMOTE,
  EVENT_WRITEBACK,
  MACHINE_CROSSINGS,
  OP_FETCH,
  OP_LOAD,
} from "./operations";
import { owns } from "./own";
import { prefetchesBeyond } from "./prefetch";
import { absent, findEntry, mayHoldInstructions, nextUnit, present } from "./presence";
import { isSimple } from "./refill";
import { probe, recordOf, setState, stateAt } from "./set";
import {
  areAlike,
  bytesIn,
  contents,
  emptyIn,
  fillIn,
  isPlain,
  plainL2,
  recordIn,
  S_FETCH,
  S_FLAGS,
  S_L2,
  S_L3,
  S_TRUTH,
  S_WAYS,
  shapesAt,
  stateIn,
  touchIn,
  waysWith,
  wayToFill,
} from "./shape";

// ---- by core: its caches, and where their group 0 begins; all zero where misses of the core's L2 aren't plain
const SIDE: usize = 64;
const B_L1D: usize = 0;
const B_L1I: usize = 4;
const B_L2: usize = 8;
const B_BASE_L1D: usize = 16;
const B_BASE_L1I: usize = 20;
const B_BASE_L2: usize = 24;
const B_SOCKET: usize = 28;
let sides: usize = 0;
let sideOfUnit: usize = 0;

/** The shared cache of a home socket outside a core's plain L2 if misses of that are plain too, else 0. */
function plainL3(core: u32, home: u32): usize {
  const l2 = plainL2(core);
  if (!l2 || directorySets || !unitsAreCores || smallestShift != largestShift || sticky) return 0;
  const l1d = <usize>load<u32>(coreAt(core), C_L1D);
  const l1i = <usize>load<u32>(coreAt(core), C_L1I);
  if (!l1d || !isPlain(l1d) || load<u32>(l1d, N_FLAGS) & FLAG_WRITE_THROUGH || (l1i && !isPlain(l1i))) return 0;
  // The L2 includes the L1D, so it alone tells which data its core holds.
  const flags2 = load<u32>(l2, N_FLAGS);
  const both = FLAG_ALLOCATES_READS | FLAG_ALLOCATES_STORES;
  if (!(flags2 & FLAG_INCLUSIVE_DATA) || (flags2 & both) != both || !load<u32>(l2, N_SPEAKS)) return 0;
  const path = pathAt(core, home);
  if (load<u32>(path) != 3) return 0;
  const n = <usize>load<u32>(path + 12);
  if (load<u32>(<usize>load<u32>(n, N_PARENTS) + ((<usize>home) << 2))) return 0;
  const flags = load<u32>(n, N_FLAGS);
  if (!isPlain(n) || (flags & both) != both || load<i32>(n, N_UNIT) >= 0) return 0;
  if (flags & (FLAG_WRITE_THROUGH | FLAG_EXCLUSIVE_DATA | FLAG_EXCLUSIVE_INSTRUCTIONS)) return 0;
  // What the shared cache takes from L1Is goes with their L2's copy.
  const takes = (flags & FLAG_INCLUSIVE_INSTRUCTIONS) != 0;
  return takes && !(flags & FLAG_INCLUSIVE_DATA && flags2 & FLAG_INCLUSIVE_INSTRUCTIONS) ? 0 : n;
}

/** Whether all cores' misses are plain: then every unit is a core whose L2 tells what it holds. */
let allPlain: bool = false;

/** Called once the machine is laid out, after its shapes. */
export function prepareBeyond(): void {
  sides = allocate(<usize>max(cores, 1) * SIDE, 64);
  sideOfUnit = allocate((<usize>max(cores, 1)) << 2);
  allPlain = cores > 0 && unitCount == cores && !prefetchesBeyond;
  for (let core: u32 = 0; core < cores; core++) {
    for (let home: u32 = 0; home < sockets && allPlain; home++) {
      const l3 = plainL3(core, home);
      allPlain = l3 != 0 && isLike(l3, plainL3(0, 0));
    }
    if (!allPlain) return;
    const l2 = plainL2(core);
    const c = coreAt(core);
    const side = sides + <usize>core * SIDE;
    store<u32>(side, load<u32>(c, C_L1D), B_L1D);
    store<u32>(side, load<u32>(c, C_L1I), B_L1I);
    store<u32>(side, <u32>l2, B_L2);
    store<u32>(side, load<u32>(<usize>load<u32>(c, C_L1D), N_BASE), B_BASE_L1D);
    if (load<u32>(c, C_L1I)) store<u32>(side, load<u32>(<usize>load<u32>(c, C_L1I), N_BASE), B_BASE_L1I);
    store<u32>(side, load<u32>(l2, N_BASE), B_BASE_L2);
    store<u32>(side, load<u32>(c, C_SOCKET), B_SOCKET);
    store<u32>(sideOfUnit + ((<usize>load<u32>(l2, N_UNIT)) << 2), <u32>side);
  }
}

/**
 * Whether it is built like a server: under MESI, each socket has an L3 of its own that includes its cores' L2s, and those include
 * both L1s, which have as many ways as each other; no more than 64 cores share an L3; and all that tells one core or socket from another is where its caches lie.
 */
export function isServer(): bool {
  if (!allPlain || moesi || outer || memorySide || !isSimple || !isNarrow || !areAlike()) return false;
  if (load<u32>(sharedRoots) > sockets) return false;
  const shapes = shapesAt(0);
  if (load<u32>(shapes, S_WAYS) != load<u32>(shapes + S_FETCH, S_WAYS)) return false;
  if (!(load<u32>(shapes + S_L3, S_FLAGS) & FLAG_INCLUSIVE_DATA)) return false;
  let shared: u32 = 0;
  for (let core: u32 = 0; core < cores; core++) {
    const l2 = plainL2(core);
    const l3 = plainL3(core, 0);
    if (!load<u32>(coreAt(core), C_L1I) || !(load<u32>(l2, N_FLAGS) & FLAG_INCLUSIVE_INSTRUCTIONS)) return false;
    for (let home: u32 = 1; home < sockets; home++) if (plainL3(core, home) != l3) return false;
    const socket = load<u32>(coreAt(core), C_SOCKET);
    const isFirst = core == 0 || plainL3(core - 1, 0) != l3;
    if (isFirst && core && load<u32>(coreAt(core - 1), C_SOCKET) >= socket) return false;
    if (!isFirst && load<u32>(coreAt(core - 1), C_SOCKET) != socket) return false;
    shared = isFirst ? 1 : shared + 1;
    if (shared > 64 || load<u32>(l3, N_SOCKET) != socket) return false;
  }
  return true;
}

/** The L3 of a core's socket, on a server. */
export function serverL3(core: u32): usize {
  return plainL3(core, 0);
}

/** Whether one shape does for both. */
function isLike(n: usize, m: usize): bool {
  return (
    load<u32>(n, N_SETS) == load<u32>(m, N_SETS) &&
    load<u32>(n, N_WAYS) == load<u32>(m, N_WAYS) &&
    load<u32>(n, N_DEPTH) == load<u32>(m, N_DEPTH) &&
    load<u32>(n, N_FLAGS) == load<u32>(m, N_FLAGS)
  );
}

function sideOf(unit: u32): usize {
  return <usize>load<u32>(sideOfUnit + ((<usize>unit) << 2));
}

/** Record and way of a line in the shared cache that `nextHolder` found. */
let holderRecord: usize = 0;
let holderWay: u32 = 0;

/** The next shared cache from number `i` on, other than l3, that holds the line: its number, or 0 (numbers begin with 1). */
function nextHolder(l3: usize, line: u32, i: u32): u32 {
  const roots = load<u32>(sharedRoots);
  for (; i <= roots; i++) {
    const m = rootAt(i);
    if (m == l3 || !load<u32>(m, N_POPULATION)) continue;
    const r = recordOf(m, line);
    const way = probe(m, r, line);
    if (way < 0) continue;
    holderRecord = r;
    holderWay = <u32>way;
    return i;
  }
  return 0;
}

function rootAt(i: u32): usize {
  return <usize>load<u32>(sharedRoots + ((<usize>i) << 2));
}

function shapesOf(side: usize): usize {
  return shapesAt(<u32>((side - sides) / SIDE));
}

/** Where the bytes of the last copy that went are, until its way is filled again. */
let takenData: usize = 0;

/**
 * A core's copies of a line go: a store's snoop found them (D11), or inclusion takes them (D19). Returns the bits of both
 * states; if one was dirty, the L2's place of the line, `takenData`, has its bytes.
 */
function takeFrom(side: usize, line: u32, snooped: bool): u32 {
  const shapes = shapesOf(side);
  const l2 = <usize>load<u32>(side, B_L2);
  const shape2 = shapes + S_L2;
  const r2 = recordIn(<usize>load<u32>(side, B_BASE_L2), shape2, line);
  const way2 = <u32>ctz(waysWith(r2, load<u32>(shape2, S_WAYS), line));
  takenData = contents(shape2, r2, way2);
  const states = <u32>load<u8>(stateIn(shape2, r2, way2)) | takeInner(side, line, snooped, takenData);
  countTaken(side, l2, snooped);
  emptyIn(shape2, r2, way2);
  absent(l2, line);
  return states;
}

function countTaken(side: usize, n: usize, snooped: bool): void {
  count(n, snooped ? COUNTER_INVALIDATIONS : COUNTER_BACK_INVALIDATIONS);
  if (snooped) countSnoop(side, n);
}

function isRemote(side: usize): bool {
  return load<u32>(side, B_SOCKET) != whoSocket;
}

function countSnoop(side: usize, n: usize): void {
  count(n, COUNTER_SNOOPS_IN);
  if (isRemote(side)) machineCount(MACHINE_CROSSINGS);
}

/** The L1s' part of that: the L1D's dirty bytes go to the L2's place. Returns the L1D's state. */
function takeInner(side: usize, line: u32, snooped: bool, data2: usize): u32 {
  forgetLine((<u64>line) << largestShift);
  const shapes = shapesOf(side);
  const l1i = <usize>load<u32>(side, B_L1I);
  if (
    l1i &&
    load<u32>(shapes + S_L2, S_FLAGS) & FLAG_INCLUSIVE_INSTRUCTIONS &&
    mayHoldInstructions((<u64>line) << largestShift)
  ) {
    const shape = shapes + S_FETCH;
    const r = recordIn(<usize>load<u32>(side, B_BASE_L1I), shape, line);
    const found = waysWith(r, load<u32>(shape, S_WAYS), line);
    if (found) {
      count(l1i, COUNTER_BACK_INVALIDATIONS);
      emptyIn(shape, r, ctz(found));
      absent(l1i, line);
    }
  }
  const r = recordIn(<usize>load<u32>(side, B_BASE_L1D), shapes, line);
  const found = waysWith(r, load<u32>(shapes, S_WAYS), line);
  if (!found) return 0;
  const way = <u32>ctz(found);
  const state = <u32>load<u8>(stateIn(shapes, r, way));
  if (CARRY && state & DIRTY) move(data2, bytesIn(shapes, r, way, state), (<usize>1) << largestShift);
  countTaken(side, <usize>load<u32>(side, B_L1D), snooped);
  emptyIn(shapes, r, way);
  return state;
}

/** A dirty line of a core's L2 goes to the shared cache, which as a rule holds it (D16). */
function arrive(side: usize, line: u32, data2: usize, exclusive: u32): void {
  const l2 = <usize>load<u32>(side, B_L2);
  const compact = (<u64>line) << largestShift;
  const bytes: u32 = 1 << largestShift;
  const l3 = parentOf(l2, compact);
  count(l2, COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  const shape3 = shapesOf(side) + S_L3;
  const base3 = <usize>load<u32>(l3, N_BASE);
  if (!waysWith(recordIn(base3, shape3, line), load<u32>(shape3, S_WAYS), line)) {
    writeback(l3, compact, bytes, data2, true, !exclusive, bytes);
    return;
  }
  count(l3, COUNTER_WRITEBACKS_IN);
  land(shape3, base3, line, data2, 0);
}

/** Dirty bytes land in a cache that holds their line, which is TRUE from then on or not. */
function land(shape: usize, base: usize, line: u32, data: usize, isTrue: u32): void {
  const r = recordIn(base, shape, line);
  const found = waysWith(r, load<u32>(shape, S_WAYS), line);
  assert(found != 0, "bytes land where their line is");
  const way = <u32>ctz(found);
  if (load<u32>(shape, S_FLAGS) & FLAG_WRITEBACK_TOUCHES) touchIn(shape, r, way);
  if (CARRY) move(contents(shape, r, way), data, (<usize>1) << largestShift);
  const at = stateIn(shape, r, way);
  store<u8>(at, <u8>((<u32>load<u8>(at) & ~TRUE) | isTrue | DIRTY));
}

/** The way that an L1 fills next, emptied. */
function freeL1(side: usize, isFetch: bool, l1: usize, shape: usize, r: usize): u32 {
  const way = wayToFill(shape, r);
  const state = <u32>load<u8>(stateIn(shape, r, way));
  if (!(state & VALID)) return way;
  const line = load<u32>(r + ((<usize>way) << 2));
  count(l1, COUNTER_EVICTIONS);
  if (state & PREFETCHED) count(l1, COUNTER_PREFETCHES_UNUSED);
  emptyIn(shape, r, way);
  if (isFetch) absent(l1, line);
  if (!(state & DIRTY)) return way;
  count(l1, COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  count(<usize>load<u32>(side, B_L2), COUNTER_WRITEBACKS_IN);
  land(shapesOf(side) + S_L2, <usize>load<u32>(side, B_BASE_L2), line, bytesIn(shape, r, way, state), state & TRUE);
  return way;
}

/** The way that the core's L2 fills next, emptied (D14, D15). */
function freeL2(side: usize, shape2: usize, r2: usize): u32 {
  const way = wayToFill(shape2, r2);
  const state = <u32>load<u8>(stateIn(shape2, r2, way));
  if (!(state & VALID)) return way;
  const line = load<u32>(r2 + ((<usize>way) << 2));
  const l2 = <usize>load<u32>(side, B_L2);
  const data = contents(shape2, r2, way);
  count(l2, COUNTER_EVICTIONS);
  const states = state | takeInner(side, line, false, data);
  emptyIn(shape2, r2, way);
  absent(l2, line);
  if (states & DIRTY) arrive(side, line, data, state & EXCLUSIVE);
  return way;
}

/** The same for the shared cache, whose victim leaves the cores inside as well if it includes them. */
function freeL3(l3: usize, shape3: usize, r3: usize): u32 {
  const way = wayToFill(shape3, r3);
  let states = <u32>load<u8>(stateIn(shape3, r3, way));
  if (!(states & VALID)) return way;
  const line = load<u32>(r3 + ((<usize>way) << 2));
  const data = contents(shape3, r3, way);
  count(l3, COUNTER_EVICTIONS);
  const to = load<u32>(shape3, S_FLAGS) & FLAG_INCLUSIVE_DATA ? load<u32>(l3, N_UNITS_TO) : 0;
  for (let unit = load<u32>(l3, N_UNITS_FROM); unit < to; unit++) {
    const entry = findEntry(line);
    if (!entry) break;
    unit = nextUnit(entry, unit);
    if (unit >= to) break;
    const taken = takeFrom(sideOf(unit), line, false);
    if (CARRY && taken & DIRTY) move(data, takenData, (<usize>1) << largestShift);
    states |= taken;
  }
  emptyIn(shape3, r3, way);
  store<u32>(l3, load<u32>(l3, N_POPULATION) - 1, N_POPULATION);
  if (states & DIRTY) {
    count(l3, COUNTER_WRITEBACKS_OUT);
    event(EVENT_WRITEBACK);
    memoryWrite((<u64>line) << largestShift, 1 << largestShift, data);
  }
  return way;
}

// ---- what asking one other core came to (D11)
let supplied: bool = false;
let suppliedFar: bool = false;
let suppliedData: usize = 0;

/** A load or fetch asks the one other core inside the shared cache that holds the line. Returns DIRTY if a dirty copy supplies. */
function ask(side: usize, line: u32): u32 {
  const states = loseOwnership(side, line, moesi ? EXCLUSIVE : EXCLUSIVE | DIRTY);
  supplied = (states & (EXCLUSIVE | DIRTY)) != 0;
  suppliedFar = isRemote(side);
  if (CARRY) {
    const isInner = innerState & DIRTY || (!(outerState & DIRTY) && innerState & EXCLUSIVE);
    suppliedData = isInner ? innerData : outerData;
    if (isInner && !moesi) move(outerData, innerData, (<usize>1) << largestShift);
  }
  return states & DIRTY;
}

// ---- a core's copies of a line before it lost ownership: of its L1D and of its L2
let innerState: u32 = 0;
let outerState: u32 = 0;
let innerData: usize = 0;
let outerData: usize = 0;

/** A core that holds the line is asked: its owners are snooped and lose some bits of what makes them owners. Returns the bits before. */
function loseOwnership(side: usize, line: u32, lost: u32): u32 {
  const shapes = shapesOf(side);
  forgetLine((<u64>line) << largestShift);
  const r1 = recordIn(<usize>load<u32>(side, B_BASE_L1D), shapes, line);
  innerState = loseIn(side, <usize>load<u32>(side, B_L1D), shapes, r1, line, lost);
  if (CARRY) innerData = copyData;
  const r2 = recordIn(<usize>load<u32>(side, B_BASE_L2), shapes + S_L2, line);
  outerState = loseIn(side, <usize>load<u32>(side, B_L2), shapes + S_L2, r2, line, lost);
  if (CARRY) outerData = copyData;
  return innerState | outerState;
}

/** Where the last copy asked has its bytes. */
let copyData: usize = 0;

function loseIn(side: usize, n: usize, shape: usize, r: usize, line: u32, lost: u32): u32 {
  const found = waysWith(r, load<u32>(shape, S_WAYS), line);
  if (!found) return 0;
  const way = <u32>ctz(found);
  const at = stateIn(shape, r, way);
  const state = <u32>load<u8>(at);
  if (CARRY) copyData = bytesIn(shape, r, way, state);
  if (!(state & (DIRTY | EXCLUSIVE))) return state;
  countSnoop(side, n);
  store<u8>(at, <u8>(state & ~lost));
  return state;
}

// ---- other sockets (D12)

/** Not where contents would have to be moved, nor where a socket has several shared caches, which are near to each other. */
function asksOutside(): bool {
  return !CARRY && load<u32>(sharedRoots) == sockets;
}

/** Dirty bytes found beyond the interconnect go home, counted at the root above them. */
function writeHome(root: usize, line: u32): void {
  count(root, COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  memoryWrite((<u64>line) << largestShift, 1 << largestShift, answer);
}

function snoopRoot(m: usize): void {
  count(m, COUNTER_SNOOPS_IN);
  if (load<u32>(m, N_SOCKET) != whoSocket) machineCount(MACHINE_CROSSINGS);
}

/** A store takes every copy outside a shared cache away. Returns whether there was one. */
function takeOutside(l3: usize, line: u32): bool {
  const from = load<u32>(l3, N_UNITS_FROM);
  const to = load<u32>(l3, N_UNITS_TO);
  let states: u32 = 0;
  let dirtyRoot: usize = 0;
  for (let unit: u32 = 0; ; unit++) {
    const entry = findEntry(line);
    if (!entry) break;
    unit = nextUnit(entry, unit);
    if (unit >= from && unit < to) unit = nextUnit(entry, to);
    if (unit == INVALID) break;
    const side = sideOf(unit);
    const taken = takeFrom(side, line, true);
    if (taken & DIRTY && !dirtyRoot) dirtyRoot = parentOf(<usize>load<u32>(side, B_L2), (<u64>line) << largestShift);
    states |= taken;
  }
  for (let i = nextHolder(l3, line, 1); i; i = nextHolder(l3, line, i + 1)) {
    const m = rootAt(i);
    const state = stateAt(m, holderRecord, holderWay);
    if (state & DIRTY && !dirtyRoot) dirtyRoot = m;
    states |= state;
    snoopRoot(m);
    count(m, COUNTER_INVALIDATIONS);
    emptyIn(shapesAt(0) + S_L3, holderRecord, holderWay);
    store<u32>(m, load<u32>(m, N_POPULATION) - 1, N_POPULATION);
  }
  if (dirtyRoot) writeHome(dirtyRoot, line);
  return states != 0;
}

/** A load or fetch is supplied from outside a shared cache: owners lose what makes them owners. */
function askOutside(l3: usize, line: u32): void {
  let owned = false;
  let dirtyRoot: usize = 0;
  const entry = findEntry(line);
  for (let unit = entry ? nextUnit(entry, 0) : INVALID; unit != INVALID; unit = nextUnit(entry, unit + 1)) {
    const side = sideOf(unit);
    const states = loseOwnership(side, line, DIRTY | EXCLUSIVE);
    if (states & DIRTY && !dirtyRoot) dirtyRoot = parentOf(<usize>load<u32>(side, B_L2), (<u64>line) << largestShift);
    owned = owned || (states & (DIRTY | EXCLUSIVE)) != 0;
  }
  let holder: usize = 0;
  for (let i = nextHolder(l3, line, 1); i; i = nextHolder(l3, line, i + 1)) {
    const m = rootAt(i);
    if (!holder) holder = m;
    const state = stateAt(m, holderRecord, holderWay);
    if (!(state & (DIRTY | EXCLUSIVE))) continue;
    owned = true;
    if (state & DIRTY && !dirtyRoot) dirtyRoot = m;
    snoopRoot(m);
    setState(m, holderRecord, holderWay, state & ~(DIRTY | EXCLUSIVE));
  }
  // Without an owner the outermost copy supplies, and is the one that is snooped.
  if (!owned) {
    if (holder) snoopRoot(holder);
    else {
      const side = sideOf(nextUnit(entry, 0));
      countSnoop(side, <usize>load<u32>(side, B_L2));
    }
  }
  if (dirtyRoot) writeHome(dirtyRoot, line);
}

/**
 * A store that hits a shared copy of its core's L1D makes it exclusive further out (climb, docs/semantics.md); the copy's own
 * state is the caller's affair. False: it isn't plain, and nothing has been done.
 */
export function upgrade(core: u32, compact: u64): bool {
  // MOESI's owners may leave dirtiness behind that somebody has to take.
  if (!allPlain || yardstick || strays || moesi) return false;
  const side = sides + <usize>core * SIDE;
  const line = <u32>(compact >> largestShift);
  const shapes = shapesAt(core);
  const l2 = <usize>load<u32>(side, B_L2);
  const r2 = recordIn(<usize>load<u32>(side, B_BASE_L2), shapes + S_L2, line);
  const found2 = waysWith(r2, load<u32>(shapes + S_L2, S_WAYS), line);
  const l3 = <usize>load<u32>(pathAt(core, regionHome) + 12);
  const shape3 = shapes + S_L3;
  const r3 = recordIn(<usize>load<u32>(l3, N_BASE), shape3, line);
  const found3 = waysWith(r3, load<u32>(shape3, S_WAYS), line);
  if (!found2 || !found3) return false;
  const at2 = stateIn(shapes + S_L2, r2, ctz(found2));
  const at3 = stateIn(shape3, r3, ctz(found3));
  if (!(load<u8>(at3) & <u8>EXCLUSIVE) && !asksOutside()) return false;
  setWho(core, load<u32>(side, B_SOCKET));
  count(<usize>load<u32>(side, B_L1D), COUNTER_UPGRADES);
  if (load<u8>(at2) & <u8>EXCLUSIVE) return true;
  let near = false;
  let far = false;
  const to = load<u32>(l3, N_UNITS_TO);
  const own = load<u32>(l2, N_UNIT);
  for (let unit = load<u32>(l3, N_UNITS_FROM); ; unit++) {
    unit = nextUnit(findEntry(line), unit);
    if (unit == own) unit = nextUnit(findEntry(line), unit + 1);
    if (unit >= to) break;
    if (isRemote(sideOf(unit))) far = true;
    else near = true;
    takeFrom(sideOf(unit), line, true);
  }
  if (!(load<u8>(at3) & <u8>EXCLUSIVE) && takeOutside(l3, line)) far = true;
  store<u8>(at2, load<u8>(at2) | <u8>EXCLUSIVE);
  store<u8>(at3, load<u8>(at3) | <u8>EXCLUSIVE);
  if (far) event(EVENT_SNOOP_REMOTE);
  else if (near) event(EVENT_SNOOP);
  return true;
}

/** Whether the L2's victim may take a way of the very set in which the shared cache is asked: it isn't held there. */
function displaces(side: usize, shape2: usize, r2: usize, r3: usize): bool {
  const way = wayToFill(shape2, r2);
  if (!(load<u8>(stateIn(shape2, r2, way)) & <u8>VALID)) return false;
  const line = load<u32>(r2 + ((<usize>way) << 2));
  const l3 = parentOf(<usize>load<u32>(side, B_L2), (<u64>line) << largestShift);
  const shape3 = shapesOf(side) + S_L3;
  const vr = recordIn(<usize>load<u32>(l3, N_BASE), shape3, line);
  return vr == r3 && !waysWith(vr, load<u32>(shape3, S_WAYS), line);
}

/** The newest contents of a line that the shared cache holds at `data3`: a dirty copy of the units from `other` on, or that. */
function newest(line: u32, other: u32, to: u32, data3: usize): usize {
  for (let unit = other; unit < to; ) {
    const side = sideOf(unit);
    const shapes = shapesOf(side);
    const r1 = recordIn(<usize>load<u32>(side, B_BASE_L1D), shapes, line);
    const found1 = waysWith(r1, load<u32>(shapes, S_WAYS), line);
    const state1: u32 = found1 ? load<u8>(stateIn(shapes, r1, ctz(found1))) : 0;
    if (state1 & DIRTY) return bytesIn(shapes, r1, ctz(found1), state1);
    const r2 = recordIn(<usize>load<u32>(side, B_BASE_L2), shapes + S_L2, line);
    const way2 = <u32>ctz(waysWith(r2, load<u32>(shapes + S_L2, S_WAYS), line));
    if (load<u8>(stateIn(shapes + S_L2, r2, way2)) & <u8>DIRTY) return contents(shapes + S_L2, r2, way2);
    const entry = findEntry(line);
    unit = entry ? nextUnit(entry, unit + 1) : INVALID;
  }
  return data3;
}

/**
 * Plays the miss of a plain load, store or fetch in its L1's record r and in its core's plain L2, and returns the way of the L1
 * that it filled. Negative: nothing has been done. A store's bytes are the caller's affair, as is what forbids plain refills.
 */
export function reach(core: u32, op: u32, compact: u64, line: u32, r: usize, shape: usize): i32 {
  // A line that another shard plays is in none of our caches, so this is where it would come in.
  if (!allPlain || yardstick || strays || !owns(compact)) return -1;
  if ((CARRY || dic) && op & 1 && mayHoldInstructions(compact)) return -1;
  const side = sides + <usize>core * SIDE;
  const l3 = <usize>load<u32>(pathAt(core, regionHome) + 12);
  const from = load<u32>(l3, N_UNITS_FROM);
  const to = load<u32>(l3, N_UNITS_TO);
  const isStore = op & 1;
  const shapes = shapesAt(core);
  const shape3 = shapes + S_L3;
  const r3 = recordIn(<usize>load<u32>(l3, N_BASE), shape3, line);
  const found3 = waysWith(r3, load<u32>(shape3, S_WAYS), line);
  const entry = findEntry(line);
  const low = (<u64>line) << largestShift;
  const bytes: usize = (<usize>1) << largestShift;

  // First whether it is plain, without a change.
  let way3: u32 = 0;
  let label: u32 = 0;
  let other: u32 = INVALID;
  let isAsked = false;
  let isFar = false;
  const differs = mayDiffer(op == OP_FETCH);
  const isLooked = CARRY && (differs || !ASC_NO_ASSERT);
  if (found3) {
    way3 = <u32>ctz(found3);
    label = <u32>load<u8>(stateIn(shape3, r3, way3));
    other = entry ? nextUnit(entry, from) : INVALID;
    if (other >= to) other = INVALID;
    if (isStore) {
      if (!(label & EXCLUSIVE) && !asksOutside()) return -1;
    } else if (other != INVALID) {
      // Two or more that hold it have it shared, under MESI (onlySharers).
      isAsked = nextUnit(entry, other + 1) >= to;
      if (!isAsked && moesi) return -1;
    }
    // A root's label is made exact (D10).
    if (!isStore && !(label & EXCLUSIVE) && !nextHolder(l3, line, 1)) {
      if (!entry || (nextUnit(entry, 0) >= from && nextUnit(entry, to) == INVALID)) label |= EXCLUSIVE;
    }
    if (isLooked && !equalsTruth(low, bytes, newest(line, other, to, contents(shape3, r3, way3)))) {
      assert(differs, "the newest copy is true");
      return -1;
    }
  } else {
    // Cores inside may hold what the shared cache doesn't include.
    if (entry && nextUnit(entry, from) < to) return -1;
    isFar = entry != 0 || nextHolder(l3, line, 1) != 0;
    if (isFar && !asksOutside()) return -1;
    if (CARRY && (outer || memorySide)) return -1;
    if (isLooked && !equalsTruth(low, bytes, byteOf(low))) {
      assert(differs, "memory is true where no cache has the line");
      return -1;
    }
  }

  const shape2 = shapes + S_L2;
  const r2 = recordIn(<usize>load<u32>(side, B_BASE_L2), shape2, line);
  if (!(load<u32>(shape3, S_FLAGS) & FLAG_INCLUSIVE_DATA) && displaces(side, shape2, r2, r3)) return -1;

  setWho(core, load<u32>(side, B_SOCKET));
  if (op != OP_FETCH) store<u32>(coreAt(core), 1, C_ACTIVE);
  const l1 = <usize>load<u32>(side + (op == OP_FETCH ? B_L1I : B_L1D));
  const l2 = <usize>load<u32>(side, B_L2);
  count(l1, COUNTER_LOADS + op);
  count(l1, COUNTER_LOAD_MISSES + op);
  count(l2, COUNTER_LOADS + op);
  count(l2, COUNTER_LOAD_MISSES + op);
  count(l3, COUNTER_LOADS + op);
  if (load<u32>(l3, N_SOCKET) != whoSocket) machineCount(MACHINE_CROSSINGS);
  const way2 = freeL2(side, shape2, r2);
  let isShared = false;
  let dirty2: u32 = 0;
  let data: usize = 0;
  if (found3) {
    const data3 = contents(shape3, r3, way3);
    data = data3;
    touchIn(shape3, r3, way3);
    supplied = false;
    let near = false;
    let far = false;
    if (isStore) {
      let states: u32 = 0;
      for (let unit = other; unit < to; ) {
        const isThere = isRemote(sideOf(unit));
        if (isThere) far = true;
        else near = true;
        const taken = takeFrom(sideOf(unit), line, true);
        // The first dirty copy supplies, else the first exclusive one (D11).
        if (taken & DIRTY && !(states & DIRTY)) {
          data = takenData;
          suppliedFar = isThere;
        } else if (taken & EXCLUSIVE && !(states & (DIRTY | EXCLUSIVE))) suppliedFar = isThere;
        states |= taken;
        const left = findEntry(line);
        unit = left ? nextUnit(left, unit + 1) : INVALID;
      }
      supplied = (states & (DIRTY | EXCLUSIVE)) != 0;
      if (!(label & EXCLUSIVE)) {
        // A climb from here on (docs/semantics.md).
        count(l3, COUNTER_UPGRADES);
        if (takeOutside(l3, line)) far = true;
        label |= EXCLUSIVE;
      }
      if (moesi) dirty2 = states & DIRTY;
      else if (states & DIRTY) {
        label |= DIRTY;
        if (CARRY) move(data3, data, bytes);
      }
    } else {
      isShared = other != INVALID || !(label & EXCLUSIVE);
      if (isAsked) {
        const dirty = ask(sideOf(other), line);
        if (supplied && CARRY) data = suppliedData;
        if (dirty && !moesi) {
          label |= DIRTY;
          if (CARRY) move(data3, data, bytes);
        }
      }
    }
    const at3 = stateIn(shape3, r3, way3);
    store<u8>(at3, <u8>(label | (<u32>load<u8>(at3) & DIRTY)));
    if (supplied) event(suppliedFar ? EVENT_SNOOP_REMOTE : EVENT_SNOOP);
    else {
      levelHit(l3);
      if (far) event(EVENT_SNOOP_REMOTE);
      else if (near) event(EVENT_SNOOP);
    }
  } else {
    count(l3, COUNTER_LOAD_MISSES + op);
    way3 = freeL3(l3, shape3, r3);
    data = CARRY ? contents(shape3, r3, way3) : answer;
    if (isFar) {
      if (isStore) takeOutside(l3, line);
      else askOutside(l3, line);
      event(EVENT_SNOOP_REMOTE);
      isShared = !isStore;
    } else {
      memoryRead(low, bytes, data);
      if (behindSupplier) levelHit(behindSupplier);
      else event(regionHome != whoSocket ? EVENT_MEMORY_REMOTE : EVENT_MEMORY);
    }
    fillIn(shape3, r3, way3, line, VALID | (isShared ? 0 : EXCLUSIVE));
    store<u32>(l3, load<u32>(l3, N_POPULATION) + 1, N_POPULATION);
  }
  if (CARRY) move(contents(shape2, r2, way2), data, bytes);
  // What comes has been compared.
  fillIn(shape2, r2, way2, line, VALID | (isShared ? 0 : EXCLUSIVE) | dirty2 | (CARRY ? TRUE : 0));
  present(l2, line);

  // The L1's victim goes only now (R36).
  const way = freeL1(side, op == OP_FETCH, l1, shape, r);
  let state = VALID | (isStore * (EXCLUSIVE | DIRTY));
  if (op == OP_LOAD && !isShared) state |= EXCLUSIVE;
  if (CARRY) {
    state |= TRUE;
    store<u32>(r + load<u32>(shape, S_TRUTH) + ((<usize>way) << 2), <u32>byteOf(low));
  }
  fillIn(shape, r, way, line, state);
  if (op == OP_FETCH) present(l1, line);
  return way;
}
