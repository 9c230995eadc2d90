// DC CIVAC of line after line, where all caches have lines of one size and nothing lies behind the interconnect but memory: what
// maintenance.ts does for any machine (D27), with its steps taken for many lines together, so that the host waits for its memory
// once and not for each.

import { isInside } from "./coherence";
import { checkLosses, divergent, isTrue, touched } from "./hazard";
import { bytesOf, forget, removeInstructions } from "./hierarchy";
import {
  allocate,
  CARRY,
  DIRTY,
  FLAG_ALLOCATES_READS,
  FLAG_ALLOCATES_STORES,
  FLAG_EXCLUSIVE_INSTRUCTIONS,
  FLAG_INCLUSIVE_DATA,
  FLAG_INCLUSIVE_INSTRUCTIONS,
  INVALID,
  KIND_ARCHITECTED,
  largestShift,
  memorySide,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_DEPTH,
  N_FLAGS,
  N_KIND,
  N_POPULATION,
  N_RANK,
  sharedRoots,
  smallestShift,
  split,
} from "./layout";
import { byAddress } from "./maintenance";
import { byteOf, count, event, lineWrite, outerEnabled, TRUTH } from "./memory";
import {
  COUNTER_BACK_INVALIDATIONS,
  COUNTER_MAINTENANCE_PROBES,
  COUNTER_WRITEBACKS_OUT,
  EVENT_WRITEBACK,
} from "./operations";
import { holderOf, MANY_HOLDERS, unitList } from "./presence";
import { probe, recordOf, stateAt } from "./set";

/** Lines whose copies are looked for together. */
const TOGETHER: u32 = 64;
/** Of each: how many copies, or TOO_MANY; who may hold it privately; then the copies, in no order: cache, record, way. */
const LINE: usize = 256;
const L_COUNT: usize = 0;
const L_HOLDER: usize = 4;
const L_COPIES: usize = 16;
const COPY: usize = 12;
const COPIES_MAX: u32 = 20;
const TOO_MANY: u32 = 0xffffffff;
let lines: usize = 0;

/** Whether the machine is as this file needs it. The outer cache can be switched on and off. */
function isPlain(): bool {
  return smallestShift == largestShift && smallestShift <= 12 && !memorySide && !outerEnabled;
}

/** One operation each `bytes` from `compact` on to `end`, in order: bytes is the smallest data line, and both are multiples of it. */
export function cleanAndInvalidate(compact: u64, end: u64, bytes: u64): void {
  if (!isPlain()) {
    for (let at = compact; at < end; at += bytes) {
      byAddress(at, true, true, false);
      if (divergent) checkLosses();
    }
    return;
  }
  if (!lines) lines = allocate((<usize>TOGETHER + 1) * LINE, 64);
  for (let at = compact; at < end; at += (<u64>TOGETHER) << smallestShift)
    together(at, <u32>min(<u64>TOGETHER, (end - at) >> smallestShift));
}

function together(compact: u64, many: u32): void {
  const first = <u32>(compact >> smallestShift);
  touchSets(first, many);
  let held: u32 = 0;
  for (let i: u32 = 0; i < many; i++) held |= gather(lines + <usize>i * LINE, first + i);
  if (!held) return;
  touchCopies(compact, many);
  for (let i: u32 = 0; i < many; i++) {
    const at = compact + ((<u64>i) << smallestShift);
    const line = lines + <usize>i * LINE;
    const copies = load<u32>(line, L_COUNT);
    if (copies == TOO_MANY) {
      byAddress(at, true, true, false);
      if (divergent) checkLosses();
    } else if (copies) settle(at, line, copies);
  }
}

/** Finds out who may hold the lines, and loads the sets in which they would be. */
function touchSets(first: u32, many: u32): void {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < many; i++) store<u32>(lines + <usize>i * LINE, holderOf(first + i), L_HOLDER);
  for (let i: u32 = 0; i < many; i++) {
    const holder = load<u32>(lines + <usize>i * LINE, L_HOLDER);
    if (holder < MANY_HOLDERS) seen += touchList(unitList(holder), first + i);
    seen += touchList(sharedRoots, first + i);
  }
  store<u32>(lines + <usize>TOGETHER * LINE, seen);
}

function touchList(list: usize, number: u32): u32 {
  const length = load<u32>(list);
  let seen: u32 = 0;
  for (let i: u32 = 1; i <= length; i++)
    seen += load<u32>(recordOf(<usize>load<u32>(list + ((<usize>i) << 2)), number));
  return seen;
}

/** Lists a line's copies. Returns 0 if there are none. */
function gather(line: usize, number: u32): u32 {
  const holder = load<u32>(line, L_HOLDER);
  store<u32>(line, 0, L_COUNT);
  if (holder == MANY_HOLDERS) store<u32>(line, TOO_MANY, L_COUNT);
  else if (holder != INVALID) addFrom(unitList(holder), line, number);
  addFrom(sharedRoots, line, number);
  return load<u32>(line, L_COUNT);
}

/** Whether all that fills inside a cache fills it too (placement.ts): under `split` a system cache can be passed by. */
function alwaysIncludes(n: usize): bool {
  const needed = FLAG_INCLUSIVE_DATA | FLAG_ALLOCATES_READS | FLAG_ALLOCATES_STORES;
  const flags = load<u32>(n, N_FLAGS);
  return (
    (flags & (needed | FLAG_EXCLUSIVE_INSTRUCTIONS)) == needed && (!split || load<u32>(n, N_KIND) == KIND_ARCHITECTED)
  );
}

/** Adds the copies in a list of caches, outer ones before those inside them. */
function addFrom(list: usize, line: usize, number: u32): void {
  // Where a cache lacks the line that includes all that is inside it, so does that.
  let without: usize = 0;
  for (let i = load<u32>(list); i > 0; i--) {
    const n = <usize>load<u32>(list + ((<usize>i) << 2));
    if ((without && isInside(n, without)) || (load<u32>(n, N_DEPTH) > 1 && !load<u32>(n, N_POPULATION))) continue;
    const record = recordOf(n, number);
    const way = probe(n, record, number);
    if (way < 0) {
      if (alwaysIncludes(n)) without = n;
      continue;
    }
    const count = load<u32>(line, L_COUNT);
    if (count >= COPIES_MAX) {
      store<u32>(line, TOO_MANY, L_COUNT);
      return;
    }
    const at = line + L_COPIES + <usize>count * COPY;
    store<u32>(at, <u32>n);
    store<u32>(at, <u32>record, 4);
    store<u32>(at, way, 8);
    store<u32>(line, count + 1, L_COUNT);
  }
}

/** Loads states and bytes of the copies that were listed, and where the lines lie in memory. */
function touchCopies(compact: u64, many: u32): void {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < many; i++) {
    const line = lines + <usize>i * LINE;
    const copies = load<u32>(line, L_COUNT);
    if (!copies || copies == TOO_MANY) continue;
    const n = <usize>load<u32>(line, L_COPIES);
    const record = <usize>load<u32>(line, L_COPIES + 4);
    const way = load<u32>(line, L_COPIES + 8);
    seen += stateAt(n, record, way);
    if (!CARRY) continue;
    const at = byteOf(compact + ((<u64>i) << smallestShift));
    seen += load<u8>(bytesOf(n, record, way)) + load<u8>(at);
    if (divergent) seen += load<u8>(at, TRUTH);
  }
  store<u32>(lines + <usize>TOGETHER * LINE, seen);
}

/** D27 for the listed copies of one line: each dirty one counts a writeback, the innermost's bytes go to memory, all go. */
function settle(compact: u64, line: usize, copies: u32): void {
  const bytes: u32 = 1 << smallestShift;
  const end = line + L_COPIES + <usize>copies * COPY;
  let newest: usize = 0;
  let innermost: u32 = INVALID;
  let deepest: u32 = 0;
  for (let at = line + L_COPIES; at < end; at += COPY) {
    const n = <usize>load<u32>(at);
    const depth = load<u32>(n, N_DEPTH);
    deepest = max(deepest, depth);
    count(n, COUNTER_MAINTENANCE_PROBES);
    if (!(stateAt(n, <usize>load<u32>(at, 4), load<u32>(at, 8)) & DIRTY)) continue;
    count(n, COUNTER_WRITEBACKS_OUT);
    event(EVENT_WRITEBACK);
    if (depth > innermost || (depth == innermost && load<u32>(n, N_RANK) < load<u32>(<usize>load<u32>(newest), N_RANK)))
      continue;
    innermost = depth;
    newest = at;
  }
  const memory = CARRY ? byteOf(compact) : 0;
  if (newest) {
    const from = CARRY ? bytesOf(<usize>load<u32>(newest), <usize>load<u32>(newest, 4), load<u32>(newest, 8)) : 0;
    lineWrite(compact, memory, bytes, from);
  }
  for (let depth: u32 = 1; depth <= deepest; depth++) {
    for (let at = line + L_COPIES; at < end; at += COPY) {
      const n = <usize>load<u32>(at);
      if (load<u32>(n, N_DEPTH) != depth) continue;
      if (depth > 1 && load<u32>(n, N_FLAGS) & FLAG_INCLUSIVE_INSTRUCTIONS)
        removeInstructions(
          compact,
          bytes,
          load<u32>(n, N_CORE_FIRST),
          load<u32>(n, N_CORE_LAST),
          COUNTER_BACK_INVALIDATIONS,
        );
      forget(n, <usize>load<u32>(at, 4), load<u32>(at, 8));
    }
  }
  // Nobody holds the line now: what memory lacks of the truth is lost.
  if (CARRY && divergent && !isTrue(memory, bytes)) {
    touched(compact, bytes);
    checkLosses();
  }
}
