// Runs: the part of the loop over records that hits settle, as fast as it can be. Plain loads, stores and fetches that hit their
// L1, or miss into their core's own L2, never leave this file; what is anything else is left untouched.

import { lookAhead, noteMiss } from "./ahead";
import { reach, upgrade } from "./beyond";
import { held } from "./bytes";
import { divergent } from "./hazard";
import { distrust } from "./hierarchy";
import {
  allocate,
  C_L1D,
  C_L1I,
  C_SCTLR,
  CARRY,
  coreAt,
  cores,
  dic,
  EXCLUSIVE,
  FLAG_WRITE_THROUGH,
  groupBits,
  groupStride,
  N_BASE,
  N_FLAGS,
  PREFETCHED,
  smallestShift,
  TRUE,
  VERSIONS,
} from "./layout";
import { fastBytes, fastLow, regionDelta, TRUTH, WRITER } from "./memory";
import { ATTR_WRITE_BACK, OP_FETCH, OP_STORE } from "./operations";
import { learnInRun, prefetchInRun, prefetching, useInRun } from "./prefetch";
import { mayHoldInstructions } from "./presence";
import { BEYOND, refill } from "./refill";
import { toFront } from "./set";
import {
  allocateShapes,
  isPlain,
  plainL2,
  S_DATA,
  S_MASK,
  S_ORDER,
  S_RECORD,
  S_SHIFT,
  S_STATES,
  S_STRIDE,
  S_TRUTH,
  S_WAYS,
  shapesAt,
} from "./shape";

export const SCTLR_M: u32 = 1;
export const SCTLR_C: u32 = 4;
export const SCTLR_I: u32 = 4096;

/** What the last load, atomic, fetch or device read observed: its first 8 bytes. */
export let lastValue: u64 = 0;

export function setLastValue(bits: u64): void {
  lastValue = bits;
}

// What every record of a run needs lies at fixed addresses and in globals: V8 keeps few locals in registers across so long a loop.

/** Records name cores in eight bits; those of further cores, which need a prefix, are never part of a run. */
const RUN_CORES: u32 = 256;

/**
 * By core, then by load, store, fetch and refill: where group 0 of the cache begins that answers plainly (L1D, L1D, L1I,
 * private L2), or 0 if none does.
 */
const BASES = memory.data(16 * 256, 64);
export const BASE_L2: usize = 12;

export function basesOf(core: u32): usize {
  return BASES + ((<usize>core) << 4);
}

/** Hits are counted apart, by core, then by load, store and fetch, and added to the counters when those are read. */
const HITS = memory.data(32 * 256, 64);
let fastHits: usize = 0;

export function allocateFastHits(): void {
  fastHits = allocate(<usize>max(cores, 1) * 32, 64);
}

/** The hits of all cores. */
export function gatherFastHits(): usize {
  memory.copy(fastHits, HITS, (<usize>min(cores, RUN_CORES)) << 5);
  return fastHits;
}

/**
 * Tells the loop which plain accesses of a core may be settled by an L1 hit alone.
 */
export function updateFast(core: u32): void {
  if (core >= RUN_CORES) return;
  const c = coreAt(core);
  const sctlr = load<u32>(c, C_SCTLR);
  const l1d = <usize>load<u32>(c, C_L1D);
  const l1i = <usize>load<u32>(c, C_L1I);
  const loads = l1d != 0 && isPlain(l1d) && (sctlr & (SCTLR_M | SCTLR_C)) == (SCTLR_M | SCTLR_C);
  const stores = loads && !(load<u32>(l1d, N_FLAGS) & FLAG_WRITE_THROUGH);
  const fetches = l1i != 0 && isPlain(l1i) && (sctlr & (SCTLR_M | SCTLR_I)) == (SCTLR_M | SCTLR_I);
  const bases = basesOf(core);
  store<u32>(bases, loads ? load<u32>(l1d, N_BASE) : 0);
  store<u32>(bases, stores ? load<u32>(l1d, N_BASE) : 0, 4);
  store<u32>(bases, fetches ? load<u32>(l1i, N_BASE) : 0, 8);
}

/** Called once the machine is laid out. */
export function prepareFast(): void {
  allocateShapes();
  keyMask = ~(((<u64>1) << smallestShift) - 1);
  groupMask = (1 << groupBits) - 1;
  minds = CARRY || dic;
  for (let core: u32 = 0; core < min(cores, RUN_CORES); core++) {
    updateFast(core);
    const l2 = plainL2(core);
    store<u32>(basesOf(core), l2 ? load<u32>(l2, N_BASE) : 0, BASE_L2);
  }
}

let keyMask: u64 = 0;
let groupMask: u32 = 0;
/** Whether a store has to ask for copies in L1Is. */
let minds: bool = false;

/**
 * The last line of each kind (load, store, fetch, and a place that nobody reads), as the record's own upper bits; and in
 * builds with contents, where its bytes are: copy and truth. Such a line is the most recent of its set, so another access to
 * it changes nothing but a count (and bytes), and one comparison tells requester, operation and line at once.
 */
const LASTS = memory.data(64, 64);
const LAST_CONTENTS: usize = 32;
/** No record has this value: it names operation 255. */
const NO_KEY: u64 = 0xffffffffffffffff;

/** Copies of the last lines may have gone, or are no longer exclusive. */
function forgetLasts(): void {
  store<u64>(LASTS, NO_KEY);
  store<u64>(LASTS, NO_KEY, 8);
  store<u64>(LASTS, NO_KEY, 16);
}

/** Where the aligned 8 bytes of a record lie in the contents of its smallest line. */
function offsetIn(word: u64): usize {
  return VERSIONS ? 0 : <usize>word & ((1 << smallestShift) - 8);
}

/** Number of the record so many bytes after the first: they follow each other, or a table has what to add to `first`. */
function numberOf(after: usize, first: u64, numbers: usize): u64 {
  return numbers ? first + load<u32>(numbers + (after >> 1)) : first + <u64>(after >> 3);
}

function bump(at: usize): void {
  store<u64>(at, load<u64>(at) + 1);
}

/**
 * Plays a run: records from batch position i that are plain L1 hits, or misses that the core's own L2 answers. Returns the
 * position of the first record that is neither; that one is untouched. `first` is the number of the first record or, with a
 * table of numbers, what is added to them.
 *
 * Random streams decide how this is written: whether a record loads, stores or fetches, and which way has its line, can't be
 * foreseen, so neither may cost a branch. Kinds are told apart by tables and by arithmetic on the operation's code.
 */
export function playRun(batch: usize, start: u32, stop: u32, first: u64, numbers: usize): u32 {
  forgetLasts();
  const begin = batch + ((<usize>start) << 3);
  if (numbers) numbers += (<usize>start) << 2;
  const until = batch + ((<usize>stop) << 3);
  let at = begin;
  let end = numbers ? until : lookAhead(at, until);
  for (;;) {
    if (at >= end) {
      if (prefetching && prefetchInRun()) forgetLasts();
      if (at >= until) break;
      end = numbers ? until : lookAhead(at, until);
    }
    const word = load<u64>(at);
    const key = word & keyMask;
    const core = <u32>(word >> 56);
    const hits = HITS + ((<usize>core) << 5);
    // Three comparisons where one would do: what programs do next depends on what they did, and branches remember it.
    if (key == load<u64>(LASTS, 16)) {
      bump(hits + 16);
      if (CARRY) again(LASTS + 16, word, numberOf(at - begin, first, numbers));
      at += 8;
      continue;
    }
    if (key == load<u64>(LASTS)) {
      bump(hits);
      if (CARRY) again(LASTS, word, numberOf(at - begin, first, numbers));
      at += 8;
      continue;
    }
    if (key == load<u64>(LASTS, 8)) {
      bump(hits + 8);
      if (CARRY) again(LASTS + 8, word, numberOf(at - begin, first, numbers));
      at += 8;
      continue;
    }
    const op = <u32>(word >> 48) & 0xff;
    if (op > OP_FETCH) break;
    const address = word & 0xffffffffffff;
    if (address - fastLow >= fastBytes) break;
    const base = <usize>load<u32>(BASES + ((<usize>core) << 4) + ((<usize>op) << 2));
    if (!base) break;
    const compact = address - regionDelta;
    const shape = shapesAt(core) + ((<usize>(op & 2)) << 5);
    const line = <u32>(compact >> load<u32>(shape, S_SHIFT));
    const set = line & load<u32>(shape, S_MASK);
    const r = base + <usize>(set & groupMask) * groupStride + <usize>(set >> groupBits) * load<u32>(shape, S_RECORD);
    const tag = i32x4.splat(line);
    let found: u32 = i32x4.bitmask(i32x4.eq(v128.load(r), tag));
    const ways = load<u32>(shape, S_WAYS);
    for (let w: u32 = 4; w < ways; w += 4) found |= i32x4.bitmask(i32x4.eq(v128.load(r + ((<usize>w) << 2)), tag)) << w;
    const isStore = op & 1;
    let way: i32;
    if (found) {
      way = ctz(found);
      const stateAt = r + load<u32>(shape, S_STATES) + way;
      let state = <u32>load<u8>(stateAt);
      if (CARRY && !(state & TRUE)) break;
      if (minds && isStore && mayHoldInstructions(compact)) break;
      // A store needs EXCLUSIVE, which is bit 1; a PREFETCHED copy, bit 5, is hit for the first time.
      if ((isStore & ~(state >> 1)) | (state >> 5)) {
        if (distrust || (CARRY && divergent) || !load<u32>(BASES + ((<usize>core) << 4), BASE_L2)) break;
        if (isStore & ~(state >> 1)) {
          if (!upgrade(core, compact)) break;
          state |= EXCLUSIVE;
          forgetLasts();
        }
        if (state & PREFETCHED) {
          state &= ~PREFETCHED;
          useInRun(core, compact);
          end = at + 8;
        }
      }
      store<u8>(stateAt, <u8>(state | (isStore << 2)));
      const order = r + load<u32>(shape, S_ORDER);
      store<u64>(order, toFront(load<u64>(order), way));
      bump(hits + ((<usize>op) << 3));
    } else {
      way = refill(core, op, compact, line, r, shape);
      if (way < 0) {
        noteMiss();
        if (way == BEYOND) way = reach(core, op, compact, line, r, shape);
        if (way < 0) break;
        forgetLasts();
      }
      // An L1I may have got the line that is stored to.
      store<u64>(LASTS, NO_KEY, 8);
      if (prefetching && op != OP_FETCH && learnInRun(core, compact)) end = at + 8;
    }
    // A store's line may be loaded; a load says nothing about whether its line may be stored to. A fetch writes the places
    // of fetches, and the one that nobody reads.
    const pair = LASTS + ((<usize>(op & 2)) << 3);
    store<u64>(pair, key & ~((<u64>1) << 48));
    store<u64>(pair, key | (<u64>isStore - 1), 8);
    if (CARRY) {
      const inLine = held(<usize>compact & ((1 << load<u32>(shape, S_SHIFT)) - 1) & ~((1 << smallestShift) - 1));
      const copy = r + load<u32>(shape, S_DATA) + <usize>way * load<u32>(shape, S_STRIDE) + inLine;
      const truth: usize =
        op == OP_FETCH ? <usize>0 : <usize>load<u32>(r + load<u32>(shape, S_TRUTH) + ((<usize>way) << 2)) + inLine;
      const both = <u64>copy | ((<u64>truth) << 32);
      store<u64>(pair, both, LAST_CONTENTS);
      store<u64>(pair, both, LAST_CONTENTS + 8);
      again(LASTS + ((<usize>op) << 3), word, numberOf(at - begin, first, numbers));
    }
    at += 8;
  }
  return start + <u32>((at - begin) >> 3);
}

/** Contents of an access to the last line of its kind: the observation, or the default value (R44) into copy and truth. */
function again(mine: usize, word: u64, number: u64): void {
  const at = <usize>load<u32>(mine, LAST_CONTENTS) + offsetIn(word);
  if ((<u32>(word >> 48) & 0xff) != OP_STORE) {
    lastValue = load<u64>(at);
    return;
  }
  const truth = <usize>load<u32>(mine, LAST_CONTENTS + 4) + offsetIn(word);
  const bits = number + 1;
  store<u64>(at, bits);
  store<u64>(truth, bits, TRUTH);
  store<u64>(truth, bits | ((word >> 56) << 40) | ((<u64>ATTR_WRITE_BACK) << 56), WRITER);
}
