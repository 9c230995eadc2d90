// DC CIVAC of line after line, where all caches have lines of one size and nothing lies behind the interconnect but memory: what
// maintenance.ts does for any machine (D27), with its steps taken for many lines together, so that the host waits for its memory
// once and not for each.

import { keepSeen } from "./ahead";
import { isInside } from "./coherence";
import { checkLosses, divergent, isTrue, touched } from "./hazard";
import { bytesOf, forget, takeInstructions } from "./hierarchy";
import {
  CARRY,
  DIRTY,
  FLAG_ALLOCATES_READS,
  FLAG_ALLOCATES_STORES,
  FLAG_EXCLUSIVE_INSTRUCTIONS,
  FLAG_INCLUSIVE_DATA,
  groupBits,
  groupStride,
  INVALID,
  KIND_ARCHITECTED,
  largestShift,
  memorySide,
  N_BASE,
  N_DATA,
  N_DEPTH,
  N_FLAGS,
  N_KIND,
  N_POPULATION,
  N_RANK,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_SETS,
  N_STATES,
  N_STRIDE,
  N_WAYS,
  sharedRoots,
  smallestShift,
  split,
  unitCount,
} from "./layout";
import { byAddress } from "./maintenance";
import { byteOf, count, event, lineWrite, outerEnabled, TRUTH } from "./memory";
import { COUNTER_MAINTENANCE_PROBES, COUNTER_WRITEBACKS_OUT, EVENT_WRITEBACK } from "./operations";
import { holderOf, MANY_HOLDERS, touchEntry, unitList } from "./presence";
import { stateAt } from "./set";
import { waysWith } from "./shape";

/** Lines that are looked at together, a bit each: no more than a page of 4 KiB has. */
const TOGETHER: u32 = 64;

// ---- caches that may hold some of the lines, outer ones before those inside them: which it holds; then for each line the record of
// its set, and the way
const COLUMNS_MAX: u32 = 16;
const COLUMN: usize = 16 + 64 * 8;
const COLUMNS = memory.data(16 * (16 + 64 * 8), 64);
const K_NODE: usize = 0;
const K_HELD: usize = 8;
const K_RECORDS: usize = 16;
const K_WAYS: usize = 16 + 64 * 4;
let columns: u32 = 0;

function columnAt(i: u32): usize {
  return COLUMNS + <usize>i * COLUMN;
}

/** Who may hold each line privately. */
const HOLDERS = memory.data(64 * 4, 64);

/** Whether the machine is as this file needs it. The outer cache can be switched on and off. */
function isPlain(): bool {
  return smallestShift == largestShift && smallestShift <= 12 && !memorySide && !outerEnabled;
}

/**
 * One operation each `bytes` from `compact` on to `end`, in order: bytes is the smallest data line, both are multiples of it, and
 * all lies in one page of 4 KiB.
 */
export function cleanAndInvalidate(compact: u64, end: u64, bytes: u64): void {
  if (!isPlain()) {
    for (let at = compact; at < end; at += bytes) byItself(at);
    return;
  }
  for (let at = compact; at < end; at += (<u64>TOGETHER) << smallestShift)
    together(at, <u32>min(<u64>TOGETHER, (end - at) >> smallestShift));
}

/** The operation on any machine. */
function byItself(compact: u64): void {
  byAddress(compact, true, true, false);
  if (divergent) checkLosses();
}

function together(compact: u64, many: u32): void {
  const first = <u32>(compact >> smallestShift);
  const all = ~(<u64>0) >> (64 - many);
  columns = 0;
  addColumns(sharedRoots, first, all);
  const odd = addUnits(first, many, all);
  let some: u64 = 0;
  for (let c: u32 = 0; c < columns; c++) some |= load<u64>(columnAt(c), K_HELD);
  some &= ~odd;
  if (some) touchContents(first, some);
  for (let left = some | odd; left; left &= left - 1) {
    const i = ctz(left);
    const at = compact + (i << smallestShift);
    if ((odd >> i) & 1) byItself(at);
    else settle(at, <u32>i, CARRY ? byteOf(at) : 0);
  }
}

/**
 * Adds the caches of each unit that may hold some of the lines, if one alone may. Returns the lines that several may hold, or for
 * whose units there is no room.
 */
function addUnits(first: u32, many: u32, all: u64): u64 {
  // Who is the only unit is asked at once: its caches tell as much as the directory does.
  if (unitCount == 1) return addColumns(unitList(0), first, all) ? 0 : all;
  let seen: u32 = 0;
  for (let i: u32 = 0; i < many; i++) seen += touchEntry((<u64>(first + i)) << smallestShift);
  keepSeen(seen);
  let single: u64 = 0;
  let odd: u64 = 0;
  for (let i: u32 = 0; i < many; i++) {
    const holder = holderOf(first + i);
    store<u32>(HOLDERS + ((<usize>i) << 2), holder);
    if (holder == MANY_HOLDERS) odd |= (<u64>1) << i;
    else if (holder != INVALID) single |= (<u64>1) << i;
  }
  while (single) {
    const unit = holderAt(ctz(single));
    let same: u64 = 0;
    for (let left = single; left; left &= left - 1) if (holderAt(ctz(left)) == unit) same |= left & -left;
    if (!addColumns(unitList(unit), first, same)) odd |= same;
    single &= ~same;
  }
  return odd;
}

function holderAt(i: u64): u32 {
  return load<u32>(HOLDERS + ((<usize>i) << 2));
}

/** Whether all that fills inside a cache fills it too (placement.ts): under `split` a system cache can be passed by. */
function alwaysIncludes(n: usize): bool {
  const needed = FLAG_INCLUSIVE_DATA | FLAG_ALLOCATES_READS | FLAG_ALLOCATES_STORES;
  const flags = load<u32>(n, N_FLAGS);
  return (
    (flags & (needed | FLAG_EXCLUSIVE_INSTRUCTIONS)) == needed && (!split || load<u32>(n, N_KIND) == KIND_ARCHITECTED)
  );
}

/** Finds the lines that each cache in a list holds, of some that it may hold. False, and nothing is added, if there is no room. */
function addColumns(list: usize, first: u32, lines: u64): bool {
  const length = load<u32>(list);
  if (columns + length > COLUMNS_MAX) return false;
  const from = columns;
  for (let i = length; i > 0; i--) {
    const n = <usize>load<u32>(list + ((<usize>i) << 2));
    if (load<u32>(n, N_DEPTH) > 1 && !load<u32>(n, N_POPULATION)) continue;
    // What a cache lacks that includes all that is inside it, nobody inside has.
    let asked = lines;
    for (let c = from; c < columns; c++) {
      const m = <usize>load<u32>(columnAt(c), K_NODE);
      if (isInside(n, m) && alwaysIncludes(m)) asked &= load<u64>(columnAt(c), K_HELD);
    }
    if (!asked) continue;
    const column = columnAt(columns++);
    store<u32>(column, <u32>n, K_NODE);
    store<u64>(column, find(n, column, first, asked), K_HELD);
  }
  return true;
}

/** Notes where a cache holds some lines. Returns those it does hold. */
function find(n: usize, column: usize, first: u32, lines: u64): u64 {
  // Touches don't depend on each other: the host waits for all of them once, if they are near enough to each other in the code. So
  // a record's place is worked out here, from what all lines have in common.
  const sets = load<u32>(n, N_SETS);
  const mask = load<u32>(n, N_SET_MASK);
  const base = <usize>load<u32>(n, N_BASE);
  const size = <usize>load<u32>(n, N_RECORD_SIZE);
  const states = <usize>load<u32>(n, N_STATES);
  const shift = groupBits;
  const groups: u32 = (1 << shift) - 1;
  const stride = groupStride;
  let seen: u32 = 0;
  for (let left = lines; left; left &= left - 1) {
    const line = first + <u32>ctz(left);
    const set = mask != INVALID ? line & mask : line % sets;
    const record = base + <usize>(set & groups) * stride + <usize>(set >> shift) * size;
    store<u32>(column + ((<usize>(line - first)) << 2), <u32>record, K_RECORDS);
    seen += load<u32>(record) + load<u32>(record + states);
  }
  keepSeen(seen);
  const ways = load<u32>(n, N_WAYS);
  let have: u64 = 0;
  for (let left = lines; left; left &= left - 1) {
    const i = (<usize>ctz(left)) << 2;
    const found = waysWith(<usize>load<u32>(column + i, K_RECORDS), ways, first + <u32>ctz(left));
    store<u32>(column + i, ctz(found), K_WAYS);
    have |= found ? left & -left : 0;
  }
  return have;
}

/** Loads innermost copies' bytes, where the lines lie in memory, and what the directory knows of them. */
function touchContents(first: u32, lines: u64): void {
  let seen: u32 = 0;
  let done: u64 = 0;
  for (let c = columns; CARRY && c > 0; c--) {
    const column = columnAt(c - 1);
    const n = <usize>load<u32>(column, K_NODE);
    const data = <usize>load<u32>(n, N_DATA);
    const stride = <usize>load<u32>(n, N_STRIDE);
    const here = load<u64>(column, K_HELD) & ~done;
    for (let left = here; left; left &= left - 1) {
      const i = (<usize>ctz(left)) << 2;
      const record = <usize>load<u32>(column + i, K_RECORDS);
      seen += load<u8>(<usize>load<u32>(record + data) + <usize>load<u32>(column + i, K_WAYS) * stride);
    }
    done |= here;
  }
  for (let left = lines; left; left &= left - 1) {
    const i = <u32>ctz(left);
    seen += touchEntry((<u64>(first + i)) << smallestShift);
    if (!CARRY) continue;
    const at = byteOf((<u64>(first + i)) << smallestShift);
    seen += load<u8>(at);
    if (divergent) seen += load<u8>(at, TRUTH);
  }
  keepSeen(seen);
}

/** D27 for one line: each dirty copy counts a writeback, the innermost's bytes go to memory, all go. `at` is where memory has it. */
function settle(compact: u64, i: u32, at: usize): void {
  const bytes: u32 = 1 << smallestShift;
  let newest: usize = 0;
  let from: usize = 0;
  let innermost: u32 = INVALID;
  for (let c: u32 = 0; c < columns; c++) {
    const column = columnAt(c);
    if (!((load<u64>(column, K_HELD) >> <u64>i) & 1)) continue;
    const n = <usize>load<u32>(column, K_NODE);
    const record = <usize>load<u32>(column + ((<usize>i) << 2), K_RECORDS);
    const way = load<u32>(column + ((<usize>i) << 2), K_WAYS);
    count(n, COUNTER_MAINTENANCE_PROBES);
    if (!(stateAt(n, record, way) & DIRTY)) continue;
    count(n, COUNTER_WRITEBACKS_OUT);
    event(EVENT_WRITEBACK);
    const depth = load<u32>(n, N_DEPTH);
    if (depth > innermost || (depth == innermost && load<u32>(n, N_RANK) < load<u32>(newest, N_RANK))) continue;
    innermost = depth;
    newest = n;
    if (CARRY) from = bytesOf(n, record, way);
  }
  if (newest) lineWrite(compact, at, bytes, from);
  for (let c = columns; c > 0; c--) {
    const column = columnAt(c - 1);
    if (!((load<u64>(column, K_HELD) >> <u64>i) & 1)) continue;
    const n = <usize>load<u32>(column, K_NODE);
    if (load<u32>(n, N_DEPTH) > 1) takeInstructions(n, compact, bytes);
    forget(n, <usize>load<u32>(column + ((<usize>i) << 2), K_RECORDS), load<u32>(column + ((<usize>i) << 2), K_WAYS));
  }
  // Nobody holds the line now: what memory lacks of the truth is lost.
  if (CARRY && divergent && !isTrue(at, bytes)) {
    touched(compact, bytes);
    checkLosses();
  }
}
