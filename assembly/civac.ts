// DC CIVAC of line after line, where all caches have lines of one size and nothing lies behind the interconnect but memory: what
// maintenance.ts does for any machine (D27), with its steps taken for many lines together, so that the host waits for its memory
// once and not for each.

import { keepSeen } from "./ahead";
import { isInside } from "./coherence";
import { checkLosses, divergent, isTrue, touched } from "./hazard";
import { bytesOf, takeInstructions } from "./hierarchy";
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
import { countMany, events, frameOf, inFrame, lineWrite, outerEnabled, TRUTH } from "./memory";
import { COUNTER_MAINTENANCE_PROBES, COUNTER_WRITEBACKS_OUT, EVENT_WRITEBACK } from "./operations";
import { absentAll, holderOf, isKnownEmpty, isTold, MANY_HOLDERS, mayHoldAny, touchEntry, unitList } from "./presence";
import { waysWith } from "./shape";

/** Lines that are looked at together, a bit each: no more than a page of 4 KiB has. */
const TOGETHER: u32 = 64;

// ---- caches that may hold some of the lines, outer ones before those inside them: which it holds, and which of these are dirty; then
// for each line the record of its set, and the way
const COLUMNS_MAX: u32 = 16;
const COLUMN: usize = 32 + 64 * 8;
const COLUMNS = memory.data(16 * (32 + 64 * 8), 64);
const K_NODE: usize = 0;
/** The column in this place of the order in which copies are asked for the newest bytes. */
const K_ORDER: usize = 4;
const K_HELD: usize = 8;
const K_DIRTY: usize = 16;
const K_RECORDS: usize = 32;
const K_WAYS: usize = 32 + 64 * 4;
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
 * all lies in one page of 4 KiB. False where it is known that nobody held any of it.
 */
export function cleanAndInvalidate(compact: u64, end: u64, bytes: u64): bool {
  if (!isPlain()) {
    for (let at = compact; at < end; at += bytes) byItself(at);
    return true;
  }
  let found: u64 = 0;
  for (let at = compact; at < end; at += (<u64>TOGETHER) << smallestShift)
    found |= together(at, <u32>min(<u64>TOGETHER, (end - at) >> smallestShift));
  return found != 0;
}

/** The operation on any machine. */
function byItself(compact: u64): void {
  byAddress(compact, true, true, false);
  if (divergent) checkLosses();
}

/** Returns the lines that anybody may have held, as bits. */
function together(compact: u64, many: u32): u64 {
  const first = <u32>(compact >> smallestShift);
  const all = ~(<u64>0) >> (64 - many);
  columns = 0;
  addColumns(sharedRoots, first, all);
  let odd = addUnits(first, many, all);
  let some: u64 = 0;
  for (let c: u32 = 0; c < columns; c++) some |= load<u64>(columnAt(c), K_HELD);
  some &= ~odd;
  const frame: usize = CARRY && some ? frameOf(compact) : 0;
  if (some) touchContents(first, some, frame);
  const found = some | odd;
  if (some) putInOrder();
  // In order, for the sake of what is reported: all up to the next odd one, then that.
  while (some | odd) {
    const before = (odd & -odd) - 1;
    const now = some & before;
    if (now) settle(compact, now, frame);
    some &= ~before;
    if (odd) byItself(compact + (ctz(odd) << smallestShift));
    odd &= odd - 1;
  }
  return found;
}

/** Innermost copies are the newest; of caches equally far in, the first in the order of D3. */
function putInOrder(): void {
  for (let c: u32 = 0; c < columns; c++) {
    let to = c;
    for (; to > 0 && isNewer(c, load<u32>(columnAt(to - 1), K_ORDER)); to--)
      store<u32>(columnAt(to), load<u32>(columnAt(to - 1), K_ORDER), K_ORDER);
    store<u32>(columnAt(to), c, K_ORDER);
  }
}

function isNewer(c: u32, than: u32): bool {
  const n = <usize>load<u32>(columnAt(c), K_NODE);
  const m = <usize>load<u32>(columnAt(than), K_NODE);
  const inner = load<u32>(m, N_DEPTH) - load<u32>(n, N_DEPTH);
  return inner ? <i32>inner > 0 : load<u32>(n, N_RANK) < load<u32>(m, N_RANK);
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
    if (isKnownEmpty(n)) continue;
    // What a cache lacks that includes all that is inside it, nobody inside has.
    let asked = lines;
    for (let c = from; c < columns; c++) {
      const m = <usize>load<u32>(columnAt(c), K_NODE);
      if (isInside(n, m) && alwaysIncludes(m)) asked &= load<u64>(columnAt(c), K_HELD);
    }
    if (!asked) continue;
    const column = columnAt(columns++);
    store<u32>(column, <u32>n, K_NODE);
    find(n, column, first, asked);
  }
  return true;
}

/** Notes which of some lines a cache holds, and where. */
function find(n: usize, column: usize, first: u32, lines: u64): void {
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
  let dirty: u64 = 0;
  for (let left = lines; left; left &= left - 1) {
    const i = (<usize>ctz(left)) << 2;
    const record = <usize>load<u32>(column + i, K_RECORDS);
    const found = waysWith(record, ways, first + <u32>ctz(left));
    const way = ctz(found);
    store<u32>(column + i, way, K_WAYS);
    const bit = left & -left;
    have |= found ? bit : 0;
    dirty |= load<u8>(record + states + <usize>way) & DIRTY ? bit : 0;
  }
  store<u64>(column, have, K_HELD);
  store<u64>(column, dirty & have, K_DIRTY);
}

/** Loads innermost copies' bytes, where the lines lie in memory, and what the directory knows of them. */
function touchContents(first: u32, lines: u64, frame: usize): void {
  let seen: u32 = 0;
  let done: u64 = 0;
  for (let c = columns; c > 0; c--) {
    const column = columnAt(c - 1);
    const n = <usize>load<u32>(column, K_NODE);
    const data = <usize>load<u32>(n, N_DATA);
    const stride = <usize>load<u32>(n, N_STRIDE);
    const has = load<u64>(column, K_HELD);
    if (CARRY) {
      for (let left = has & ~done; left; left &= left - 1) {
        const i = (<usize>ctz(left)) << 2;
        const record = <usize>load<u32>(column + i, K_RECORDS);
        seen += load<u8>(<usize>load<u32>(record + data) + <usize>load<u32>(column + i, K_WAYS) * stride);
      }
    }
    if (isTold(n))
      for (let left = has; left; left &= left - 1) seen += touchEntry((<u64>(first + <u32>ctz(left))) << smallestShift);
    done |= has;
  }
  if (CARRY) {
    const truth = divergent ? TRUTH : 0;
    for (let left = lines; left; left &= left - 1) {
      const at = inFrame(frame, (<u64>(first + <u32>ctz(left))) << smallestShift);
      seen += load<u8>(at) + load<u8>(at + truth);
    }
  }
  keepSeen(seen);
}

/**
 * D27 for some lines from `compact` on: each dirty copy counts a writeback, the innermost's bytes go to memory, all go. `frame` is
 * where memory has their page.
 */
function settle(compact: u64, lines: u64, frame: usize): void {
  const shift = smallestShift;
  const bytes: u32 = 1 << shift;
  const first = <u32>(compact >> shift);
  let unwritten = lines;
  for (let place: u32 = 0; place < columns; place++) {
    const column = columnAt(load<u32>(columnAt(place), K_ORDER));
    const has = load<u64>(column, K_HELD) & lines;
    if (!has) continue;
    const n = <usize>load<u32>(column, K_NODE);
    const dirty = load<u64>(column, K_DIRTY) & lines;
    countMany(n, COUNTER_MAINTENANCE_PROBES, popcnt(has));
    if (dirty) {
      countMany(n, COUNTER_WRITEBACKS_OUT, popcnt(dirty));
      events(EVENT_WRITEBACK, popcnt(dirty));
      writeOut(n, column, compact, dirty & unwritten, frame);
      unwritten &= ~dirty;
    }
    if (load<u32>(n, N_DEPTH) > 1 && mayHoldAny())
      for (let left = has; left; left &= left - 1) takeInstructions(n, compact + (ctz(left) << shift), bytes);
    const states = <usize>load<u32>(n, N_STATES);
    for (let left = has; left; left &= left - 1) {
      const i = (<usize>ctz(left)) << 2;
      const record = <usize>load<u32>(column + i, K_RECORDS);
      const way = <usize>load<u32>(column + i, K_WAYS);
      store<u32>(record + (way << 2), INVALID);
      store<u8>(record + states + way, 0);
    }
    absentAll(n, first, has);
  }
  // Nobody holds the lines now: what memory lacks of the truth is lost.
  if (!CARRY || !divergent) return;
  for (let left = lines; left; left &= left - 1) {
    const line = compact + (ctz(left) << shift);
    if (isTrue(inFrame(frame, line), bytes)) continue;
    touched(line, bytes);
    checkLosses();
  }
}

/** Dirty copies' bytes go to memory. */
function writeOut(n: usize, column: usize, compact: u64, lines: u64, frame: usize): void {
  const shift = smallestShift;
  for (let left = lines; left; left &= left - 1) {
    const i = (<usize>ctz(left)) << 2;
    const line = compact + (ctz(left) << shift);
    const record = <usize>load<u32>(column + i, K_RECORDS);
    lineWrite(line, inFrame(frame, line), 1 << shift, bytesOf(n, record, load<u32>(column + i, K_WAYS)));
  }
}
