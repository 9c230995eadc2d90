// Hardware prefetchers (D57 to D60): what they learn from demand accesses, and the loads of whole lines that they make of it when
// the piece has come to its end. Nothing here is reached on a machine without one.

import { collectInside } from "./coherence";
import { alone, at, beginAccess, countAccess, fillFirst, path, request, setFillsFirst } from "./hierarchy";
import {
  allocate,
  C_L1D,
  C_SOCKET,
  coreAt,
  N_DEPTH,
  N_LINE_SHIFT,
  N_PREFETCHER,
  nodeAt,
  PATH_SIZE,
  PREFETCHED,
  pathAt,
} from "./layout";
import { count, regionBytes, regionDelta, regionHome, regionLow, setWho } from "./memory";
import { COUNTER_PREFETCHES, COUNTER_PREFETCHES_USED } from "./operations";
import { probe, recordOf, setState, stateAt } from "./set";

// Kinds, as the host numbers them.
const KIND_NEXT_LINE: u32 = 0;
const KIND_STRIDE: u32 = 1;

/** One prefetcher. Offsets in bytes. */
const PREFETCHER_SIZE: usize = 24;
const P_KIND: usize = 0;
const P_DEGREE: usize = 4;
const P_DISTANCE: usize = 8;
const P_ENTRIES: usize = 12;
/** Its pages, the most recently used first, and how many there are. */
const P_PAGES: usize = 16;
const P_KNOWN: usize = 20;

/** What is known of a page: its number, the last line, and the last step; of streams instead a direction and the farthest line. */
const PAGE_SHIFT: u32 = 12;
const PAGE_SIZE: usize = 16;
const PAGE_LAST: usize = 4;
const PAGE_STEP: usize = 8;
const PAGE_DIRECTION: usize = 8;
const PAGE_FRONT: usize = 12;

/** Whether the machine has any. */
export let prefetching: bool = false;
/** Whether a cache beyond the L1Ds has one. */
export let prefetchesBeyond: bool = false;
/** Whether prefetchers learn from the access that is being played: a core's load or store, and nothing else (D57). */
let training: bool = false;
/** Whether what is being played is a prefetch, which is no demand access. */
let speculating: bool = false;

/** Path positions of the piece at which a prefetcher has something to learn, innermost first. */
const TRAINED = memory.data(32, 16);
let trained: usize = 0;

/** Lines that a prefetcher wants. */
const WANTED = memory.data(64, 16);
let wanted: u32 = 0;

let ownPath: usize = 0;

/** Gives a cache a prefetcher; before anything is played. */
export function setPrefetcher(index: u32, kind: u32, degree: u32, distance: u32, entries: u32): void {
  prefetching = true;
  if (load<u32>(nodeAt(index), N_DEPTH) > 1) prefetchesBeyond = true;
  if (!ownPath) ownPath = allocate(PATH_SIZE);
  const p = allocate(PREFETCHER_SIZE);
  store<u32>(p, kind, P_KIND);
  store<u32>(p, degree, P_DEGREE);
  store<u32>(p, distance, P_DISTANCE);
  store<u32>(p, entries, P_ENTRIES);
  store<u32>(p, <u32>allocate(<usize>entries * PAGE_SIZE), P_PAGES);
  store<u32>(nodeAt(index), <u32>p, N_PREFETCHER);
}

export function setTraining(on: bool): void {
  training = on;
}

/** A cache of the path, at position k, was asked for a line: counted, unless a prefetcher asks, and noted where one may learn. */
export function asked(n: usize, record: usize, way: i32, k: u32): void {
  if (speculating) return;
  countAccess(n, way < 0);
  if (way >= 0 && !takeMark(n, record, way)) return;
  if (!training || !load<u32>(n, N_PREFETCHER)) return;
  store<u32>(TRAINED + (trained << 2), k);
  trained++;
}

/** The first demand access that hits a line which was prefetched (D58). Whether this one is. */
export function takeMark(n: usize, record: usize, way: u32): bool {
  const state = stateAt(n, record, way);
  if (!(state & PREFETCHED)) return false;
  setState(n, record, way, state & ~PREFETCHED);
  count(n, COUNTER_PREFETCHES_USED);
  return true;
}

/** Prefetchers act on what they learnt from the piece that has just been played. */
export function prefetchAfter(): void {
  training = false;
  const many = trained;
  if (!many) return;
  trained = 0;
  const compact = at;
  const isAlone = alone;
  const whole = path;
  for (let i: usize = 0; i < many; i++) {
    const k = load<u32>(TRAINED + (i << 2));
    const n = <usize>load<u32>(whole + 4 + ((<usize>k) << 2));
    train(n, compact);
    bringAllIn(n, whole, k, isAlone);
  }
}

// ---- inside a run (run.ts): what the core's own L1D learns, when nothing diverges and its L2 is plain

/** Behind a load or store that hit a marked copy of its core's L1D, from which the run takes the mark. Returns as `learnInRun`. */
export function useInRun(core: u32, compact: u64): bool {
  count(<usize>load<u32>(coreAt(core), C_L1D), COUNTER_PREFETCHES_USED);
  return learnInRun(core, compact);
}

/** Behind a load or store that missed its core's L1D. Returns whether lines may have come and gone. */
export function learnInRun(core: u32, compact: u64): bool {
  const n = <usize>load<u32>(coreAt(core), C_L1D);
  if (!load<u32>(n, N_PREFETCHER)) return false;
  train(n, compact);
  if (!wanted) return false;
  setWho(core, load<u32>(coreAt(core), C_SOCKET));
  bringAllIn(n, pathAt(core, regionHome), 0, false);
  return true;
}

/** Brings in what training wanted. */
function bringAllIn(n: usize, whole: usize, k: u32, isAlone: bool): void {
  for (let w: u32 = 0; w < wanted; w++) bringIn(n, load<u32>(WANTED + ((<usize>w) << 2)), whole, k, isAlone);
}

/** A load that begins at the prefetcher's cache, unless that or a data cache inside it has some of the line (D60). */
function bringIn(n: usize, line: u32, whole: usize, k: u32, isAlone: bool): void {
  const shift = load<u32>(n, N_LINE_SHIFT);
  const bytes: u32 = 1 << shift;
  const low = (<u64>line) << shift;
  if (low + regionDelta - regionLow + bytes > regionBytes) return;
  const record = recordOf(n, line);
  if (probe(n, record, line) >= 0 || (load<u32>(n, N_DEPTH) > 1 && collectInside(low, bytes, n))) return;
  count(n, COUNTER_PREFETCHES);
  const length = load<u32>(whole) - k;
  store<u32>(ownPath, length);
  memory.copy(ownPath + 4, whole + 4 + ((<usize>k) << 2), (<usize>length) << 2);
  speculating = true;
  beginAccess(low, 0, isAlone, ownPath);
  setFillsFirst(true);
  fillFirst(n, record, line, request(1, n), PREFETCHED);
  speculating = false;
}

/** Learns from the line at an address; `wanted` lines of the same page are then to be brought in, in order (D59). */
function train(n: usize, compact: u64): void {
  wanted = 0;
  const p = <usize>load<u32>(n, N_PREFETCHER);
  const shift = load<u32>(n, N_LINE_SHIFT);
  const page = <u32>(compact >> PAGE_SHIFT);
  const line = <u32>(compact >> shift);
  const toPage = PAGE_SHIFT - shift;
  const kind = load<u32>(p, P_KIND);
  if (kind == KIND_NEXT_LINE) {
    wantAhead(p, page, toPage, line, 1);
    return;
  }
  const known = know(p, page, line);
  const step = <i32>line - <i32>load<u32>(known, PAGE_LAST);
  if (!step) return;
  store<u32>(known, line, PAGE_LAST);
  if (kind == KIND_STRIDE) {
    const isSteady = step == load<i32>(known, PAGE_STEP);
    store<i32>(known, step, PAGE_STEP);
    if (isSteady) wantAhead(p, page, toPage, line, step);
  } else stream(p, known, page, toPage, line, step < 0 ? -1 : 1);
}

function wantAhead(p: usize, page: u32, toPage: u32, line: u32, step: i32): void {
  const degree = load<u32>(p, P_DEGREE);
  const distance = load<u32>(p, P_DISTANCE);
  for (let i: u32 = 0; i < degree; i++) want(<u32>(<i32>line + step * <i32>(distance + i)), page, toPage);
}

function want(line: u32, page: u32, toPage: u32): bool {
  if (line >> toPage != page) return false;
  store<u32>(WANTED + ((<usize>wanted) << 2), line);
  wanted++;
  return true;
}

function stream(p: usize, known: usize, page: u32, toPage: u32, line: u32, direction: i32): void {
  let front = load<u32>(known, PAGE_FRONT);
  if (direction != load<i32>(known, PAGE_DIRECTION)) {
    store<i32>(known, direction, PAGE_DIRECTION);
    store<u32>(known, line, PAGE_FRONT);
    return;
  }
  if ((<i32>line - <i32>front) * direction > 0) front = line;
  const degree = load<u32>(p, P_DEGREE);
  const distance = load<i32>(p, P_DISTANCE);
  while (wanted < degree) {
    const next = <u32>(<i32>front + direction);
    if ((<i32>next - <i32>line) * direction > distance || !want(next, page, toPage)) break;
    front = next;
  }
  store<u32>(known, front, PAGE_FRONT);
}

/** A page's entry, which becomes the most recently used one; it is made if there is none, in place of the least recently used. */
function know(p: usize, page: u32, line: u32): usize {
  const pages = <usize>load<u32>(p, P_PAGES);
  const many = load<u32>(p, P_KNOWN);
  let i: u32 = 0;
  while (i < many && load<u32>(pages + <usize>i * PAGE_SIZE) != page) i++;
  let first: u64 = <u64>page | ((<u64>line) << 32);
  let second: u64 = 0;
  if (i < many) {
    first = load<u64>(pages + <usize>i * PAGE_SIZE);
    second = load<u64>(pages + <usize>i * PAGE_SIZE, 8);
  } else if (many < load<u32>(p, P_ENTRIES)) store<u32>(p, many + 1, P_KNOWN);
  else i--;
  memory.copy(pages + PAGE_SIZE, pages, <usize>i * PAGE_SIZE);
  store<u64>(pages, first);
  store<u64>(pages, second, 8);
  return pages;
}
