// Bytes behind the interconnect: regions, sparse frames of RAM and truth (R2, D31), the outer cache and the memory-side caches (D22).

import { held, move } from "./bytes";
import { divergent, touched } from "./hazard";
import {
  allocate,
  breakIn,
  CARRY,
  cores,
  DIRTY,
  EXCLUSIVE,
  eventBase,
  FEW_CORES,
  FLAG_WRITEBACK_TOUCHES,
  HOST_PAGE,
  hitBase,
  INVALID,
  largestShift,
  machineBase,
  memorySide,
  N_COUNTERS,
  N_DATA,
  N_FLAGS,
  N_LEVEL,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_STRIDE,
  outer,
  outerOverride,
  VALID,
} from "./layout";
import { logEvent, logging, logLevel } from "./miss-log";
import {
  COUNTER_EVICTIONS,
  COUNTER_LOAD_MISSES,
  COUNTER_LOADS,
  COUNTER_WRITEBACK_MISSES,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
  MACHINE_CROSSINGS,
  MACHINE_MEMORY_READS,
  MACHINE_MEMORY_WRITES,
} from "./operations";
import { ownsOf } from "./own";
import { choose, filled, probe, recordOf, setState, stateAt, tagAt, touch } from "./set";

/** The record being played: who issues it. */
export let who: u32 = 0;
export let whoSocket: u32 = 0;

export function setWho(requester: u32, socket: u32): void {
  who = requester;
  whoSocket = socket;
}

export function count(n: usize, counter: usize): void {
  const at = <usize>load<u32>(n, N_COUNTERS) + counter * 8;
  store<u64>(at, load<u64>(at) + 1);
}

/** The same counter so many times. */
export function countMany(n: usize, counter: usize, many: u64): void {
  const at = <usize>load<u32>(n, N_COUNTERS) + counter * 8;
  store<u64>(at, load<u64>(at) + many);
}

export function machineCount(counter: usize): void {
  const at = machineBase + counter * 8;
  store<u64>(at, load<u64>(at) + 1);
}

/** The same counter so many times. */
export function machineCountMany(counter: usize, many: u64): void {
  const at = machineBase + counter * 8;
  store<u64>(at, load<u64>(at) + many);
}

export function event(kind: usize): void {
  const at = eventBase + <usize>who * 256 + kind * 8;
  store<u64>(at, load<u64>(at) + 1);
  if (logging) logEvent(kind);
}

/** The same event so many times. */
export function events(kind: usize, many: u64): void {
  const at = eventBase + <usize>who * 256 + kind * 8;
  store<u64>(at, load<u64>(at) + many);
  if (logging) for (let i: u64 = 0; i < many; i++) logEvent(kind);
}

/** The piece was supplied by a cache of this level. */
export function levelHit(n: usize): void {
  const at = hitBase + <usize>who * 128 + <usize>load<u32>(n, N_LEVEL) * 8;
  store<u64>(at, load<u64>(at) + 1);
  if (logging) logLevel(load<u32>(n, N_LEVEL));
}

/** The same for so many pieces. */
export function levelHits(n: usize, many: u64): void {
  const at = hitBase + <usize>who * 128 + <usize>load<u32>(n, N_LEVEL) * 8;
  store<u64>(at, load<u64>(at) + many);
}

// ---- regions
const REGION_SIZE: usize = 32;
let regions: usize = 0;
let regionCount: u32 = 0;
/** The region of the last address checked. Compact address = address - regionDelta. */
export let regionLow: u64 = 0;
export let regionBytes: u64 = 0;
export let regionDelta: u64 = 0;
export let regionHome: u32 = 0;
export let regionIsDevice: bool = false;

export function addRegion(low: u64, bytes: u64, delta: u64, home: u32, isDevice: bool): void {
  if (!regions) regions = allocate(256 * REGION_SIZE);
  const r = regions + <usize>regionCount * REGION_SIZE;
  regionCount++;
  store<u64>(r, low);
  store<u64>(r, bytes, 8);
  store<u64>(r, delta, 16);
  store<u32>(r, home, 24);
  store<u32>(r, isDevice ? 1 : 0, 28);
}

/** Makes the region of an address current; false where there is none. */
export function enterRegion(address: u64): bool {
  if (address - regionLow < regionBytes) return true;
  for (let i: u32 = 0; i < regionCount; i++) {
    const r = regions + <usize>i * REGION_SIZE;
    const low = load<u64>(r);
    if (address - low < load<u64>(r, 8)) {
      regionLow = low;
      regionBytes = load<u64>(r, 8);
      regionDelta = load<u64>(r, 16);
      regionHome = load<u32>(r, 24);
      regionIsDevice = load<u32>(r, 28) != 0;
      fastLow = low;
      fastBytes = regionIsDevice ? 0 : regionBytes;
      return true;
    }
  }
  return false;
}

/** The same region if it is RAM, else nothing: what the play loop's fast path may touch. */
export let fastLow: u64 = 0;
export let fastBytes: u64 = 0;

/** Whether an address lies in RAM, whose region is entered then. */
export function enterMemory(address: u64): bool {
  return address - fastLow < fastBytes || (enterRegion(address) && !regionIsDevice);
}

let homeLow: u64 = 0;
let homeBytes: u64 = 0;
let homeLast: u32 = 0;

/** Home socket of a compact address; victims need it. */
export function homeOf(compact: u64): u32 {
  if (compact - homeLow < homeBytes) return homeLast;
  for (let i: u32 = 0; i < regionCount; i++) {
    const r = regions + <usize>i * REGION_SIZE;
    const low = load<u64>(r) - load<u64>(r, 16);
    if (compact - low < load<u64>(r, 8)) {
      homeLow = low;
      homeBytes = load<u64>(r, 8);
      homeLast = load<u32>(r, 24);
      return homeLast;
    }
  }
  return 0;
}

/** Address that the host knows, from a compact one. */
export function addressOf(compact: u64): u64 {
  for (let i: u32 = 0; i < regionCount; i++) {
    const r = regions + <usize>i * REGION_SIZE;
    const delta = load<u64>(r, 16);
    if (compact - (load<u64>(r) - delta) < load<u64>(r, 8)) return compact + delta;
  }
  return compact;
}

// ---- frames: 4 KiB of memory, of truth, and one word of writer for each 8 bytes. They lie in blocks, which have so many bytes of each.
// With few cores a block is one frame's, and doesn't begin with one of the host's pages: memory lies in pages that truths and
// writers need in any case, and its first writeback waits for no fault. With more, whose accesses are mostly dealt, a block has the
// same line of many frames: what a set group needs of all of them takes a host's page of each kind, or none of memory before a writeback.
const PART: usize = 4096;
export const TRUTH: usize = PART;
export const WRITER: usize = 2 * PART;
const BLOCK: usize = 3 * PART;
const HOST_LINE: usize = 64;
/** By 4 MiB, a table of frames, and behind these when each was assigned (record + 1), or 0 (R28). */
let directory: usize = 0;
const ASSIGNMENTS: usize = 4096;
/** Frames that share blocks, how many of those allocated last have been taken, and where these lie. */
let together: usize = 0;
let taken: usize = 0;
let cluster: usize = 0;

// ---- a frame's row: what one block has of it
let rows: usize = 0;
let rowShift: usize = 0;
let rowMask: usize = 0;

/** Called once the machine is laid out. */
export function prepareFrames(): void {
  if (!CARRY) return;
  directory = allocate(65536 * 4);
  const frame = held(4096);
  const row = cores > FEW_CORES ? held((<usize>1) << largestShift) : frame;
  rows = frame / row;
  rowShift = <usize>ctz(row);
  rowMask = row - 1;
  together = PART / row;
  taken = together;
}

/** Slots of 4 MiB, and an entry of 4 KiB in a table. */
function slotOf(compact: u64): usize {
  return directory + <usize>((compact >> 22) & 0xffff) * 4;
}

function entryOf(compact: u64): usize {
  return <usize>((compact >> 12) & 1023) * 4;
}

/** Where a frame begins. */
export function frameOf(compact: u64): usize {
  const table = <usize>load<u32>(slotOf(compact));
  const frame = table ? <usize>load<u32>(table + entryOf(compact)) : 0;
  return frame ? frame : makeFrame(compact);
}

function tableOf(compact: u64): usize {
  let table = <usize>load<u32>(slotOf(compact));
  if (!table) {
    table = allocate(ASSIGNMENTS + 8192, 8);
    store<u32>(slotOf(compact), <u32>table);
  }
  return table;
}

/** The same as `byteOf` where there is a frame, else 0: nothing is made for who only looks. */
export function byteIfAny(compact: u64): usize {
  const table = directory ? <usize>load<u32>(slotOf(compact)) : 0;
  const frame = table ? <usize>load<u32>(table + entryOf(compact)) : 0;
  return frame ? inFrame(frame, compact) : 0;
}

function makeFrame(compact: u64): usize {
  if (taken == together) {
    // One line or page more than there are, so that the same place in all of them doesn't fall into a few sets of the host's caches.
    cluster = rows > 1 ? allocate(rows * BLOCK + HOST_PAGE, HOST_PAGE) : allocate(BLOCK + HOST_LINE, HOST_LINE);
    taken = 0;
    breakInCluster();
  }
  const frame = cluster + (taken << rowShift);
  taken++;
  store<u32>(tableOf(compact) + entryOf(compact), <u32>frame);
  return frame;
}

/** The memory and the truth of a new cluster, as far as they are ours: fills read both. */
function breakInCluster(): void {
  for (let row: usize = 0; row < rows; row++)
    if (ownsOf(<u32>row, <u32>ctz(rows))) breakIn(cluster + row * BLOCK, WRITER);
}

/** Address of a byte of memory; its truth is at + TRUTH, its word's writer at + WRITER. The next one that lies behind it is that of its line. */
export function byteOf(compact: u64): usize {
  return inFrame(frameOf(compact), compact);
}

/** The same where the frame is known. */
export function inFrame(frame: usize, compact: u64): usize {
  const offset = held(<usize>(compact & 4095));
  return frame + (offset >> rowShift) * BLOCK + (offset & rowMask);
}

/** Where it is kept when a page was assigned (R28): the record + 1, or 0. */
export function assignmentOf(compact: u64): usize {
  return tableOf(compact) + ASSIGNMENTS + 2 * entryOf(compact);
}

// ---- what supplied the last read, for D36: 0 memory, else a node
export let supplier: usize = 0;

function crossing(compact: u64): void {
  if (homeOf(compact) != whoSocket) machineCount(MACHINE_CROSSINGS);
}

function memorySideOf(compact: u64): usize {
  return memorySide ? <usize>load<u32>(memorySide + ((<usize>homeOf(compact)) << 2)) : 0;
}

function ramRead(compact: u64, bytes: usize, into: usize): void {
  machineCount(MACHINE_MEMORY_READS);
  supplier = 0;
  if (CARRY) move(into, byteOf(compact), bytes);
}

function ramWrite(compact: u64, bytes: usize, from: usize): void {
  machineCount(MACHINE_MEMORY_WRITES);
  if (CARRY) {
    if (divergent) touched(compact, bytes);
    move(byteOf(compact), from, bytes);
  }
}

/** Writes to RAM what nothing behind the interconnect keeps; `at` is where its bytes lie. What gets lost is the caller's affair. */
export function lineWrite(compact: u64, at: usize, bytes: usize, from: usize): void {
  crossing(compact);
  machineCount(MACHINE_MEMORY_WRITES);
  if (CARRY) move(at, from, bytes);
}

/** Where a way's own bytes are. */
export function dataOf(n: usize, record: usize, way: u32): usize {
  return CARRY ? <usize>load<u32>(record + load<u32>(n, N_DATA)) + <usize>way * load<u32>(n, N_STRIDE) : 0;
}

/** Makes room in the outer or a memory-side cache; its dirty victim goes below. */
function makeRoom(n: usize, record: usize): u32 {
  const way = choose(n, record);
  const state = stateAt(n, record, way);
  if (state & VALID) {
    count(n, COUNTER_EVICTIONS);
    dropBehind(n, record, way, true);
  }
  return way;
}

/** Removes a copy of the outer or a memory-side cache, written below first if `clean`. */
export function dropBehind(n: usize, record: usize, way: u32, clean: bool): void {
  const state = stateAt(n, record, way);
  const line = tagAt(record, way);
  if (clean && state & DIRTY) cleanBehind(n, record, way);
  if (CARRY && divergent) touched((<u64>line) << load<u32>(n, N_LINE_SHIFT), load<u32>(n, N_LINE_BYTES));
  store<u32>(record + ((<usize>way) << 2), INVALID);
  setState(n, record, way, 0);
}

/** Writes a dirty copy of the outer or a memory-side cache below and marks it clean. */
export function cleanBehind(n: usize, record: usize, way: u32): void {
  const shift = load<u32>(n, N_LINE_SHIFT);
  const compact = (<u64>tagAt(record, way)) << shift;
  count(n, COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  const data = dataOf(n, record, way);
  setState(n, record, way, stateAt(n, record, way) & ~DIRTY);
  if (n == outer) belowWrite(compact, 1 << shift, data);
  else ramWrite(compact, 1 << shift, data);
}

function belowRead(compact: u64, bytes: usize, into: usize): void {
  crossing(compact);
  const n = memorySideOf(compact);
  if (!n) {
    ramRead(compact, bytes, into);
    return;
  }
  throughRead(n, compact, bytes, into);
}

function belowWrite(compact: u64, bytes: usize, from: usize): void {
  crossing(compact);
  const n = memorySideOf(compact);
  if (!n) {
    ramWrite(compact, bytes, from);
    return;
  }
  throughWrite(n, compact, bytes, from);
}

/** A read that looks a cache behind the interconnect up and fills it on a miss; what supplied its first line is the supplier. */
function throughRead(n: usize, compact: u64, bytes: usize, into: usize): void {
  const lineBytes = <u64>load<u32>(n, N_LINE_BYTES);
  const end = compact + bytes;
  let first: usize = 0;
  let from = compact;
  while (from < end) {
    const next = min((from | (lineBytes - 1)) + 1, end);
    throughReadLine(n, from, <usize>(next - from), into + held(<usize>(from - compact)));
    if (from == compact) first = supplier;
    from = next;
  }
  supplier = first;
}

function throughReadLine(n: usize, compact: u64, bytes: usize, into: usize): void {
  const shift = load<u32>(n, N_LINE_SHIFT);
  const line = <u32>(compact >> shift);
  const record = recordOf(n, line);
  count(n, COUNTER_LOADS);
  let way = probe(n, record, line);
  if (way >= 0) {
    touch(n, record, way);
    if (CARRY) move(into, dataOf(n, record, way) + held(<usize>(compact & ((1 << shift) - 1))), bytes);
    supplier = n;
    return;
  }
  count(n, COUNTER_LOAD_MISSES);
  way = makeRoom(n, record);
  const data = dataOf(n, record, way);
  const base = (<u64>line) << shift;
  if (n == outer) belowRead(base, 1 << shift, data);
  else ramRead(base, 1 << shift, data);
  store<u32>(record + ((<usize>way) << 2), line);
  setState(n, record, way, VALID | EXCLUSIVE);
  filled(n, record, way);
  if (CARRY) move(into, data + held(<usize>(compact - base)), bytes);
}

/** A write that looks such a cache up; whole lines allocate, parts that miss pass by. */
function throughWrite(n: usize, compact: u64, bytes: usize, from: usize): void {
  const lineBytes = <u64>load<u32>(n, N_LINE_BYTES);
  const end = compact + bytes;
  let at = compact;
  while (at < end) {
    const next = min((at | (lineBytes - 1)) + 1, end);
    throughWriteLine(n, at, <usize>(next - at), from + held(<usize>(at - compact)));
    at = next;
  }
}

function throughWriteLine(n: usize, compact: u64, bytes: usize, from: usize): void {
  const shift = load<u32>(n, N_LINE_SHIFT);
  const line = <u32>(compact >> shift);
  const record = recordOf(n, line);
  count(n, COUNTER_WRITEBACKS_IN);
  let way = probe(n, record, line);
  if (way >= 0) {
    writeBehind(n, record, way, compact, bytes, from);
    return;
  }
  count(n, COUNTER_WRITEBACK_MISSES);
  if (bytes != (<usize>1) << shift) {
    if (n == outer) belowWrite(compact, bytes, from);
    else ramWrite(compact, bytes, from);
    return;
  }
  way = makeRoom(n, record);
  if (CARRY) move(dataOf(n, record, way), from, bytes);
  store<u32>(record + ((<usize>way) << 2), line);
  setState(n, record, way, VALID | EXCLUSIVE | DIRTY);
  filled(n, record, way);
}

/** Bytes arrive in a copy of the outer or a memory-side cache. */
function writeBehind(n: usize, record: usize, way: u32, compact: u64, bytes: usize, from: usize): void {
  if (CARRY) {
    if (divergent) touched(compact, bytes);
    move(dataOf(n, record, way) + held(<usize>(compact & (load<u32>(n, N_LINE_BYTES) - 1))), from, bytes);
  }
  setState(n, record, way, stateAt(n, record, way) | DIRTY);
  if (load<u32>(n, N_FLAGS) & FLAG_WRITEBACK_TOUCHES) touch(n, record, way);
}

/** PL310 reg1_control bit 0 (R4: it starts disabled). */
export let outerEnabled: bool = false;

export function enableOuter(on: bool): void {
  outerEnabled = on;
}

/** A cacheable line read past the interconnect (D22). */
export function memoryRead(compact: u64, bytes: usize, into: usize): void {
  if (outerEnabled) throughRead(outer, compact, bytes, into);
  else belowRead(compact, bytes, into);
}

/** A cacheable write past the interconnect (D22). */
export function memoryWrite(compact: u64, bytes: usize, from: usize): void {
  if (outerEnabled) throughWrite(outer, compact, bytes, from);
  else belowWrite(compact, bytes, from);
}

/** Way of the outer cache that holds all of a piece, or -1. */
function outerWay(compact: u64, bytes: usize): i32 {
  const shift = load<u32>(outer, N_LINE_SHIFT);
  const line = <u32>(compact >> shift);
  if (<u32>((compact + bytes - 1) >> shift) != line) return -1;
  return probe(outer, recordOf(outer, line), line);
}

/** A Non-cacheable read (D24): the outer cache serves hits unless overridden, and never allocates. */
export function uncachedRead(compact: u64, bytes: usize, into: usize, looksOuter: bool): void {
  if (looksOuter && outerEnabled && !outerOverride) {
    count(outer, COUNTER_LOADS);
    const way = outerWay(compact, bytes);
    if (way >= 0) {
      const shift = load<u32>(outer, N_LINE_SHIFT);
      const record = recordOf(outer, <u32>(compact >> shift));
      touch(outer, record, way);
      if (CARRY) move(into, dataOf(outer, record, way) + held(<usize>(compact & ((1 << shift) - 1))), bytes);
      supplier = outer;
      return;
    }
    count(outer, COUNTER_LOAD_MISSES);
  }
  belowRead(compact, bytes, into);
}

/** A Non-cacheable write (D24). */
export function uncachedWrite(compact: u64, bytes: usize, from: usize, looksOuter: bool): void {
  if (looksOuter && outerEnabled && !outerOverride) {
    count(outer, COUNTER_WRITEBACKS_IN);
    const way = outerWay(compact, bytes);
    if (way >= 0) {
      writeBehind(outer, recordOf(outer, <u32>(compact >> load<u32>(outer, N_LINE_SHIFT))), way, compact, bytes, from);
      return;
    }
    count(outer, COUNTER_WRITEBACK_MISSES);
  }
  belowWrite(compact, bytes, from);
}
