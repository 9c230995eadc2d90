// The ABI: exported functions with plain numbers, nothing else. The host describes a machine (shape, caches, cores, regions,
// devices), calls `build`, then writes records into the batch and plays them.

import * as access from "./access";
import { allocateAhead } from "./ahead";
import * as attributes from "./attributes";
import { prepareBeyond } from "./beyond";
import * as bytes from "./bytes";
import * as coherence from "./coherence";
import { settle } from "./deal";
import * as exits from "./exit";
import * as hazards from "./hazard";
import * as hierarchy from "./hierarchy";
import * as hits from "./hits";
import * as latentHazards from "./latent";
import * as layout from "./layout";
import {
  allocate,
  C_L1D,
  C_L1I,
  C_LAST_ISB,
  C_MARKABLE,
  C_MARKS,
  C_SCTLR,
  C_SOCKET,
  C_UNMARKED,
  coreAt,
  FLAG_SETWAY,
  fetchPathAt,
  INVALID,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_COVERED,
  N_DEPTH,
  N_FLAGS,
  N_HOLDS,
  N_ID,
  N_KIND,
  N_LEVEL,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_PARENTS,
  N_POLICY,
  N_RANK,
  N_SET_MASK,
  N_SETS,
  N_SOCKET,
  N_UNIT,
  N_UNITS_FROM,
  N_UNITS_TO,
  N_WAY_SHIFT,
  N_WAYS,
  nodeAt,
  pathAt,
} from "./layout";
import * as maintenance from "./maintenance";
import * as memoryState from "./memory";
import * as missLog from "./miss-log";
import { batchRecords } from "./order";
import * as own from "./own";
import { preparePlainLoads } from "./plain";
import * as player from "./play";
import { allocateRefills, prepareRefills, settleRefills } from "./refill";
import * as registers from "./registers";
import { initialize, probe, recordOf, setOf, stateAt } from "./set";
import { allocateShapes } from "./shape";
import { prepareSharers } from "./sharers";
import * as translate from "./translate";

export { dealt, groupsToDeal, settle } from "./deal";
export { trusted } from "./elsewhere";
export { hazardAt, setAssessable } from "./hazard";
export { setDirectory, setFeatures, setProtocol, setShape, setUnitsAreCores } from "./layout";
export { addRegion } from "./memory";
export { setOrder } from "./order";
export { lastObserved, loopAt, loopCount, ownGroup, setShard } from "./own";
export { play, recordsPlayed } from "./play";
export { setPrefetcher } from "./prefetch";
export { setTlb } from "./tlb";
export { setWalker } from "./walk";

/** Called after the setShape family: tables for the caches, cores and devices to come. */
export function begin(): void {
  layout.allocateTables();
  player.allocateDevices();
}

/** A cache by number: the tree's caches by id, then the outer cache, then memory-side caches by socket. */
export function addCache(
  index: u32,
  id: u32,
  depth: u32,
  holds: u32,
  kind: u32,
  sets: u32,
  ways: u32,
  lineShift: u32,
  policy: u32,
  flags: u32,
  socket: u32,
  coreFirst: u32,
  coreLast: u32,
  rank: u32,
  level: u32,
): void {
  const n = nodeAt(index);
  store<u32>(n, id, N_ID);
  store<u32>(n, depth, N_DEPTH);
  store<u32>(n, holds, N_HOLDS);
  store<u32>(n, kind, N_KIND);
  store<u32>(n, sets, N_SETS);
  store<u32>(n, sets & (sets - 1) ? INVALID : sets - 1, N_SET_MASK);
  store<u32>(n, ways, N_WAYS);
  store<u32>(n, lineShift, N_LINE_SHIFT);
  store<u32>(n, 1 << lineShift, N_LINE_BYTES);
  store<u32>(n, policy, N_POLICY);
  store<u32>(n, flags, N_FLAGS);
  store<u32>(n, socket, N_SOCKET);
  store<u32>(n, coreFirst, N_CORE_FIRST);
  store<u32>(n, coreLast, N_CORE_LAST);
  store<u32>(n, rank, N_RANK);
  store<u32>(n, level, N_LEVEL);
  store<u32>(n, ways > 1 ? clz(ways - 1) : 32, N_WAY_SHIFT);
}

/** -1 as parent: a root. */
export function setParent(index: u32, socket: u32, parent: i32): void {
  store<u32>(<usize>load<u32>(nodeAt(index), N_PARENTS) + ((<usize>socket) << 2), parent < 0 ? 0 : <u32>nodeAt(parent));
}

/** Unit of the presence directory (-1: a shared root), whether an outer cache of the unit includes this one, and units inside. */
export function setUnit(index: u32, unit: i32, covered: bool, unitsFrom: u32, unitsTo: u32): void {
  store<u32>(nodeAt(index), unitsFrom, N_UNITS_FROM);
  store<u32>(nodeAt(index), unitsTo, N_UNITS_TO);
  store<i32>(nodeAt(index), unit, N_UNIT);
  store<u32>(nodeAt(index), covered ? 1 : 0, N_COVERED);
}

export function addCore(core: u32, socket: u32, l1i: i32, l1d: i32, sctlr: u32): void {
  const c = coreAt(core);
  store<u32>(c, socket, C_SOCKET);
  store<u32>(c, l1i < 0 ? 0 : <u32>nodeAt(l1i), C_L1I);
  store<u32>(c, l1d < 0 ? 0 : <u32>nodeAt(l1d), C_L1D);
  store<u32>(c, sctlr, C_SCTLR);
  store<i64>(c, -1, C_LAST_ISB);
}

/** Appends a cache to a core's data path, or its fetch path, for a home socket. */
export function addToPath(core: u32, home: u32, index: u32, isFetch: bool): void {
  const path = isFetch ? fetchPathAt(core, home) : pathAt(core, home);
  const length = load<u32>(path) + 1;
  store<u32>(path, length);
  store<u32>(path + ((<usize>length) << 2), <u32>nodeAt(index));
}

export function addDevice(device: u32, coherent: bool, socket: u32): void {
  store<u32>(player.deviceAt(device), coherent ? 1 : 0);
  store<u32>(player.deviceAt(device), socket, 4);
}

/** System cache in which a coherent device's writes land, by home socket. */
export function setLanding(device: u32, home: u32, index: u32): void {
  store<u32>(<usize>load<u32>(player.deviceAt(device), 8) + ((<usize>home) << 2), <u32>nodeAt(index));
}

/** `word` is a node index or a count; the host builds the lists of units, and of shared roots, with this. */
let listAt: usize = 0;
export function newList(length: u32): u32 {
  listAt = allocate((<usize>length + 1) << 2);
  store<u32>(listAt, length);
  return <u32>listAt;
}

export function listNode(position: u32, index: u32): void {
  store<u32>(listAt + ((<usize>position + 1) << 2), <u32>nodeAt(index));
}

let units: usize = 0;
export function newUnits(count: u32): void {
  units = allocate((<usize>max(count, 1)) << 2);
}

export function setUnitList(unit: u32, list: u32): void {
  store<u32>(units + ((<usize>unit) << 2), list);
}

/** `outer` and `memorySideFirst` are node indices or -1; memory-side caches may be one node for all sockets. */
export function build(unitCount: u32, sharedRoots: u32, outer: i32): void {
  layout.setUnits(unitCount, units, sharedRoots, 0);
  if (outer >= 0) layout.setOuter(nodeAt(outer));
  layout.layOut();
  memoryState.prepareFrames();
  const all = layout.caches + 1 + layout.sockets;
  for (let i: u32 = 0; i < all; i++) if (load<u32>(nodeAt(i), N_SETS)) initialize(nodeAt(i));
  coherence.allocatePeers();
  coherence.findWholes();
  coherence.allocateDirectory();
  hierarchy.allocateAnswer();
  bytes.allocateBuffers();
  access.allocateAccess();
  maintenance.allocateGathered();
  player.allocateBatch();
  hits.allocateFastHits();
  exits.allocateExit();
  translate.allocateParts();
  allocateRefills();
  allocateAhead();
  allocateShapes();
  hits.prepareFast();
  prepareRefills();
  prepareBeyond();
  prepareSharers();
  preparePlainLoads();
  registers.allocateRegisters();
  for (let c: u32 = 0; c < layout.cores; c++) {
    let places: u32 = 0;
    const path = pathAt(c, load<u32>(coreAt(c), C_SOCKET));
    const length = load<u32>(path);
    for (let i: u32 = 1; i <= length; i++) {
      const n = <usize>load<u32>(path + ((<usize>i) << 2));
      if (load<u32>(n, N_FLAGS) & FLAG_SETWAY) places += load<u32>(n, N_SETS) * load<u32>(n, N_WAYS);
    }
    store<u32>(coreAt(c), places, C_MARKABLE);
    store<u32>(coreAt(c), places, C_UNMARKED);
    store<u32>(coreAt(c), <u32>allocate(((<usize>places + 7) >> 3) + 8), C_MARKS);
  }
}

export function setMemorySide(socket: u32, index: u32): void {
  layout.setMemorySide(socket, nodeAt(index));
}

export function setYardstick(on: bool): void {
  hierarchy.setYardstick(on);
}

// ---- what the host reads; nothing waits in a bucket then
export function carriesData(): bool {
  return layout.CARRY && !layout.VERSIONS;
}

export function batchAddress(): usize {
  return player.batch;
}

export function batchCapacity(): u32 {
  return batchRecords();
}

export function playError(): i32 {
  return player.error;
}

/** What stopped the batch with the error that is an exit (D50): numbers of 64 bits, in the order of assembly/exit.ts. */
export function exitAddress(): usize {
  return exits.exitBlock;
}

/** How many hazards there are; `hazardAt` has them one by one. */
export function hazardCount(): u32 {
  settle();
  return hazards.hazardCount();
}

/** Counters of each core's translation, so many u64 apart. */
export function tlbCounterAddress(): usize {
  return registers.tlbCountersBase();
}

export function tlbCountersApart(): u32 {
  return registers.COUNTERS_APART;
}

/** D43, for the table of all combinations: attribute byte, SH in bits 9:8, bit 10 where stage 2's encoding is reserved. */
export function combineAttributes(
  fetch: bool,
  s1Attr: u32,
  s1Sh: u32,
  memAttr: u32,
  s2Sh: u32,
  fwb: bool,
  cd: bool,
  id: bool,
): u32 {
  return attributes.combine(fetch, attributes.packed(s1Attr, s1Sh), memAttr, s2Sh, fwb, cd, id);
}

/** D42, likewise. */
export function stageOneAttributes(
  fetch: bool,
  m: bool,
  c: bool,
  i: bool,
  dc: bool,
  tge: bool,
  s2On: bool,
  attr: u32,
  sh: u32,
): u32 {
  return attributes.stageOne(fetch, m, c, i, dc, tge, s2On, attributes.packed(attr, sh));
}

export function errorRequester(): u32 {
  return player.errorRequester;
}

export function lastValue(): u64 {
  settle();
  return hits.lastValue;
}

export function counterAddress(): usize {
  settle();
  settleRefills();
  return layout.counterBase;
}

export function machineCounterAddress(): usize {
  settle();
  return layout.machineBase;
}

export function eventAddress(): usize {
  settle();
  return layout.eventBase;
}

export function hitAddress(): usize {
  settle();
  return layout.hitBase;
}

export function fastHitAddress(): usize {
  settle();
  return hits.gatherFastHits();
}

/** Logs what every record that is no plain L1 hit meets; to be asked for before anything is played. */
export function startMissLog(): void {
  missLog.startLog();
}

export function missLogAddress(): usize {
  return missLog.entries;
}

export function missLogLength(): u32 {
  return missLog.entryCount;
}

export function clearMissLog(): void {
  missLog.clearLog();
}

export function yardstickAddress(): usize {
  settle();
  return layout.yardstickBase;
}

export function dirtyLines(index: u32): u32 {
  settle();
  return latentHazards.dirtyIn(nodeAt(index));
}

export function bytesUsed(): usize {
  return layout.heapTop();
}

/** Makes the address's region current; its compact address follows. False: no region. */
export function locate(address: u64): bool {
  settle();
  return memoryState.enterRegion(address);
}

/** Whether the block around an address is this kernel's, after `locate`. */
export function ownsAddress(address: u64): bool {
  return own.owns(address - memoryState.regionDelta);
}

/** Where a cache holds the line around an address: set * 2^16 + way, or -1. */
export function findCopy(index: u32, address: u64): i64 {
  const n = nodeAt(index);
  const line = <u32>((address - memoryState.regionDelta) >> load<u32>(n, N_LINE_SHIFT));
  const way = probe(n, recordOf(n, line), line);
  return way < 0 ? -1 : ((<i64>setOf(n, line)) << 16) | way;
}

/** State bits of that copy. */
export function copyState(index: u32, address: u64): u32 {
  const n = nodeAt(index);
  const line = <u32>((address - memoryState.regionDelta) >> load<u32>(n, N_LINE_SHIFT));
  const record = recordOf(n, line);
  const way = probe(n, record, line);
  return way < 0 ? 0 : stateAt(n, record, way) & 7;
}

/** Address of the copy's byte for an address, or 0. */
export function copyByte(index: u32, address: u64): usize {
  if (!layout.CARRY) return 0;
  const n = nodeAt(index);
  const compact = address - memoryState.regionDelta;
  const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
  const record = recordOf(n, line);
  const way = probe(n, record, line);
  return way < 0 ? 0 : hierarchy.bytesOf(n, record, way) + <usize>(compact & (load<u32>(n, N_LINE_BYTES) - 1));
}

/** How much further than memory the truth lies. */
export function truthOffset(): usize {
  return memoryState.TRUTH;
}

/** Address of a byte of memory; the line's others lie beside it. */
export function memoryByte(address: u64): usize {
  return layout.CARRY ? memoryState.byteOf(address - memoryState.regionDelta) : 0;
}
