// Hits: plain loads, stores and fetches that their L1 answers, as fast as they can be. Nothing in `playHits` calls: V8 saves whatever
// is alive across a call before it is known whether the call comes about, and most records need none.

import { held } from "./bytes";
import {
  allocate,
  C_L1D,
  C_L1I,
  C_SCTLR,
  CARRY,
  caches,
  coreAt,
  cores,
  dic,
  FLAG_WRITE_THROUGH,
  groupBits,
  groupBitsOf,
  groupMask,
  groupStride,
  largestShift,
  N_BASE,
  N_DEPTH,
  N_FLAGS,
  N_LINE_SHIFT,
  N_ORDER,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_SETS,
  N_STATES,
  N_TRUTH,
  nodeAt,
  smallestShift,
  TRUE,
  VERSIONS,
} from "./layout";
import { byteOf, fastBytes, fastLow, regionDelta, TRUTH, WRITER } from "./memory";
import { ATTR_WRITE_BACK, OP_FETCH, OP_STORE } from "./operations";
import { prefetching } from "./prefetch";
import { mayHoldInstructions } from "./presence";
import { BEYOND, Refill, refill, refillsAreSimple, Simply } from "./refill";
import { moveToFront } from "./set";
import { isPlain, plainL2, recordIn, S_ORDER, S_SHIFT, S_STATES, S_TRUTH, S_WAYS, shapesAt, waysWith } from "./shape";
import { PLAIN_ADDRESS } from "./sift";

export const SCTLR_M: u32 = 1;
export const SCTLR_C: u32 = 4;
export const SCTLR_I: u32 = 4096;

/** What the last load, atomic, fetch or device read observed: its first 8 bytes. */
export let lastValue: u64 = 0;

export function setLastValue(bits: u64): void {
  lastValue = bits;
}

/** No record has this value: it names operation 255. */
const NO_KEY: u64 = 0xffffffffffffffff;
/**
 * A run's last load or fetch, as the record it is: nobody has looked yet what it observed. A true copy gives what the truth says, until a
 * store changes that. NO_KEY if `lastValue` has it.
 */
let unseen: u64 = NO_KEY;
/** Bits of a record that tell the aligned 8 bytes it begins in, or in the versions build its smallest line. */
let wordMask: u64 = 0;

/** At the end of a run: looks at what its last load or fetch observed. */
export function lookAtLast(): void {
  if (!CARRY || unseen == NO_KEY) return;
  lastValue = load<u64>(byteOf((unseen & wordMask) - regionDelta), TRUTH);
  unseen = NO_KEY;
}

// What every record of a run needs lies at fixed addresses and in globals: V8 keeps few locals in registers across so long a loop.

/** No machine has more. Records name 256 of them by themselves; the others' need a prefix, and are played one by one (run.ts). */
const MOST_CORES: u32 = 512;

/**
 * By core, then by load, store and fetch: where group 0 of the cache begins that answers plainly (L1D, L1D, L1I), or 0 if none
 * does; behind all cores' the masks that make set indices of lines, and where the private L2 begins, 0 if that isn't plain.
 */
const BASES = memory.data(2 * 16 * MOST_CORES, 64);
const MASKS: usize = 16 * MOST_CORES;
export const BASE_L2: usize = MASKS + 12;

export function basesOf(core: u32): usize {
  return BASES + ((<usize>core) << 4);
}

/** Where the cache begins that answers a core's accesses of a kind plainly, or 0. */
export function baseFor(core: u32, op: u32): usize {
  return <usize>load<u32>(basesOf(core) + ((<usize>op) << 2));
}

/** By core: what its bases are when D8 switches nothing off. */
const OPEN = memory.data(16 * MOST_CORES, 64);

/** The next accesses of a core that translates are physical ones, and plain, until it is dismissed. */
export function admit(core: u32): void {
  v128.store(basesOf(core), v128.load(OPEN + ((<usize>core) << 4)));
}

export function dismiss(core: u32): void {
  v128.store(basesOf(core), i64x2.splat(0));
}

/** Hits are counted apart, by core, then by load, store and fetch, and added to the counters when those are read. */
const HITS = memory.data(32 * MOST_CORES, 64);
let fastHits: usize = 0;

export function allocateFastHits(): void {
  fastHits = allocate(<usize>max(cores, 1) * 32, 64);
}

/** The hits of all cores. */
export function gatherFastHits(): usize {
  memory.copy(fastHits, HITS, (<usize>cores) << 5);
  return fastHits;
}

export function countHits(core: u32, op: u32, many: u64): void {
  const at = HITS + ((<usize>core) << 5) + ((<usize>op) << 3);
  store<u64>(at, load<u64>(at) + many);
}

/** Three counts of hits in one: what a hit of each kind adds. A batch doesn't fill 21 bits. */
const UNITS = memory.data<u64>([1, 1 << 21, 1 << 42]);
const UNIT_STORE: u64 = 1 << 21;

function tally(core: u32, counted: u64): void {
  const hits = HITS + ((<usize>core) << 5);
  store<u64>(hits, load<u64>(hits) + (counted & (UNIT_STORE - 1)));
  store<u64>(hits, load<u64>(hits, 8) + ((counted >> 21) & (UNIT_STORE - 1)), 8);
  store<u64>(hits, load<u64>(hits, 16) + (counted >> 42), 16);
}

/**
 * Tells the loop which plain accesses of a core may be settled by an L1 hit alone.
 */
export function updateFast(core: u32): void {
  const sctlr = load<u32>(coreAt(core), C_SCTLR);
  const data = (sctlr & (SCTLR_M | SCTLR_C)) == (SCTLR_M | SCTLR_C);
  const fetches = (sctlr & (SCTLR_M | SCTLR_I)) == (SCTLR_M | SCTLR_I);
  const opened = OPEN + ((<usize>core) << 4);
  const bases = basesOf(core);
  store<u32>(bases, data ? load<u32>(opened) : 0);
  store<u32>(bases, data ? load<u32>(opened, 4) : 0, 4);
  store<u32>(bases, fetches ? load<u32>(opened, 8) : 0, 8);
}

function prepareOpen(core: u32): void {
  const c = coreAt(core);
  const l1d = <usize>load<u32>(c, C_L1D);
  const l1i = <usize>load<u32>(c, C_L1I);
  const data = l1d && isPlain(l1d) ? load<u32>(l1d, N_BASE) : 0;
  const opened = OPEN + ((<usize>core) << 4);
  store<u32>(opened, data);
  store<u32>(opened, data && !(load<u32>(l1d, N_FLAGS) & FLAG_WRITE_THROUGH) ? data : 0, 4);
  store<u32>(opened, l1i && isPlain(l1i) ? load<u32>(l1i, N_BASE) : 0, 8);
}

/** Called once the machine is laid out, after its shapes. */
export function prepareFast(): void {
  keyMask = ~(((<u64>1) << smallestShift) - 1);
  wordMask = (VERSIONS ? keyMask : ~(<u64>7)) & 0xffffffffffff;
  if (CARRY) writesBytes = (<u64>1) << (smallestShift - 1);
  newestMask = ((((<usize>1) << commonBits()) - 1) << largestShift) & (NEWEST_TRUTH - 1);
  minds = CARRY || dic;
  prepareNarrow();
  for (let core: u32 = 0; core < cores; core++) {
    prepareOpen(core);
    updateFast(core);
    const bases = basesOf(core);
    const l2 = plainL2(core);
    store<u32>(bases, l2 ? load<u32>(l2, N_BASE) : 0, BASE_L2);
    const c = coreAt(core);
    const l1d = <usize>load<u32>(c, C_L1D);
    const l1i = <usize>load<u32>(c, C_L1I);
    if (l1d) {
      store<u32>(bases, load<u32>(l1d, N_SET_MASK), MASKS);
      store<u32>(bases, load<u32>(l1d, N_SET_MASK), MASKS + 4);
    }
    if (l1i) store<u32>(bases, load<u32>(l1i, N_SET_MASK), MASKS + 8);
  }
}

/** How many lowest bits of the largest lines' numbers are bits of every L1's set index. */
function commonBits(): u32 {
  let bits: u32 = 31 - largestShift;
  for (let i: u32 = 0; i < caches; i++) {
    const n = nodeAt(i);
    if (load<u32>(n, N_DEPTH) == 1) bits = min(bits, groupBitsOf(n));
  }
  return bits;
}

let keyMask: u64 = 0;
/** Whether a store has to ask for copies in L1Is. */
export let minds: bool = false;

// ---- machines all of whose L1s have four ways at most, and records of one shape: then a set's tags are one vector
export const NARROW_STATES: usize = 16;
export const NARROW_ORDER: usize = 24;
/** In builds with contents, of lines none of which is smaller. */
const NARROW_TRUTH: u32 = 32;
export let isNarrow: bool = true;
let narrowShift: u64 = 0;
/** By index, where a set's record lies from its cache's base. */
let rows: usize = 0;

// ---- of the L1s seen so far
let recordSize: u32 = 0;
let mostSets: u32 = 0;

function takeShape(n: usize): void {
  // What isn't plain is never asked here.
  if (!n || !isPlain(n)) return;
  if (!mostSets) {
    recordSize = load<u32>(n, N_RECORD_SIZE);
    narrowShift = load<u32>(n, N_LINE_SHIFT);
  }
  mostSets = max(mostSets, load<u32>(n, N_SETS));
  if (load<u32>(n, N_RECORD_SIZE) != recordSize || <u64>load<u32>(n, N_LINE_SHIFT) != narrowShift) isNarrow = false;
  if (CARRY) {
    if (load<u32>(n, N_TRUTH) != NARROW_TRUTH || load<u32>(n, N_LINE_SHIFT) != smallestShift) isNarrow = false;
  }
  if (load<u32>(n, N_STATES) != <u32>NARROW_STATES || load<u32>(n, N_ORDER) != <u32>NARROW_ORDER) isNarrow = false;
}

function prepareNarrow(): void {
  for (let core: u32 = 0; core < cores; core++) {
    takeShape(<usize>load<u32>(coreAt(core), C_L1D));
    takeShape(<usize>load<u32>(coreAt(core), C_L1I));
  }
  if (!isNarrow) return;
  rows = allocate((<usize>max(mostSets, 1)) << 2, 64);
  for (let set: u32 = 0; set < mostSets; set++) {
    const row = <usize>(set & groupMask) * groupStride + <usize>(set >> groupBits) * recordSize;
    store<u32>(rows + ((<usize>set) << 2), <u32>row);
  }
}

// ---- the newest line of each set

/**
 * By what the sets of all L1s have in common, as groups by what those of all caches have, and by kind (load, store, fetch, and a place
 * that nobody reads) the line that was touched last there, as the record's own upper bits: it is the most recent of its set, so another
 * access to it changes nothing but a count (and bytes), and one comparison tells requester, operation and line at once. Places are as
 * far apart as lines are, so that a record's bits tell its place without a shift; where lines are large or sets many, several sets share
 * them. In builds with contents the second half says where the truth of a line that is stored to is, which the copy shares (TRUE).
 */
const NEWEST = memory.data(2 * 16384, 64);
const NEWEST_TRUTH: usize = 16384;
const KIND_STORE: usize = 8;
const KIND_FETCH: usize = 16;
/** Keys of other generations count no longer. It fills the bits of a key below the line. */
let generation: u64 = 0;
/** The topmost of those bits says of a store's key that bytes have to be written. */
let writesBytes: u64 = 0;
/** Bits of a record that tell its place. */
let newestMask: usize = 0;

/** Whose lines they are: all one core's, so that hits in them are counted as one. */
let lastCore: u32 = 0;

/** Copies of the newest lines may have gone, or are no longer exclusive. */
export function forgetNewest(): void {
  generation = (generation + 1) & ~keyMask & ~writesBytes;
  if (!generation) for (let at: usize = 0; at < NEWEST_TRUTH; at += 16) v128.store(NEWEST + at, i64x2.splat(NO_KEY));
}

/** Where in its place a record's kind is. */
function kindOf(word: u64): usize {
  return <usize>(word >> 45) & 24;
}

function newestAt(kind: usize, word: u64): usize {
  return NEWEST + (<usize>word & newestMask) + kind;
}

/** A line's copies may have gone, or are no longer exclusive. */
export function forgetLine(compact: u64): void {
  const at = newestAt(0, compact);
  store<u64>(at, NO_KEY);
  store<u64>(at, NO_KEY, KIND_STORE);
  store<u64>(at, NO_KEY, KIND_FETCH);
}

/** An L1I may have got a line that is stored to. */
export function forgetStores(compact: u64): void {
  store<u64>(newestAt(KIND_STORE, compact), NO_KEY);
}

/** The line of a record that has been played is in a way of its L1's record r, and the most recent there. */
export function remember(word: u64, compact: u64, shape: usize, r: usize, way: u32): void {
  rememberKeys(word, <u32>(word >> 48) & 1);
  if (CARRY) rememberTruth(word, truthOf(shape, r, way, compact));
}

/** A line may be loaded, or fetched, and stored to as well or not. A fetch writes the places of fetches, and the one that nobody reads. */
function rememberKeys(word: u64, storable: u32): void {
  const newest = newestAt(kindOf(word) & KIND_FETCH, word);
  const key = ((word & keyMask) | generation) & ~((<u64>1) << 48);
  store<u64>(newest, key);
  store<u64>(newest, key | ((<u64>1) << 48) | writesBytes | (<u64>storable - 1), KIND_STORE);
}

/** Where the truth of the smallest line is that a record begins in, whose line is in a way of its L1's record r. */
function truthOf(shape: usize, r: usize, way: u32, compact: u64): usize {
  const inLine = held(<usize>compact & ((1 << load<u32>(shape, S_SHIFT)) - 1) & ~((1 << smallestShift) - 1));
  return <usize>load<u32>(r + load<u32>(shape, S_TRUTH) + ((<usize>way) << 2)) + inLine;
}

/** Only stores ask for it. */
function rememberTruth(word: u64, truth: usize): void {
  store<u32>(newestAt(kindOf(word) & KIND_FETCH, word), <u32>truth, NEWEST_TRUTH + KIND_STORE);
}

/** Where the aligned 8 bytes of a record lie in the contents of its smallest line. */
function offsetIn(word: u64): usize {
  return VERSIONS ? 0 : <usize>word & ((1 << smallestShift) - 8);
}

/** Contents of an access to the newest line of its set. */
export function again(op: u32, word: u64, number: u64): void {
  access(op, word, number, <usize>load<u32>(newestAt(kindOf(word), word), NEWEST_TRUTH));
}

/** The observation, which can wait, or the default value (R44); `truth` is that of the record's smallest line. */
function access(op: u32, word: u64, number: u64, truth: usize): void {
  if (op != OP_STORE) {
    unseen = word;
    return;
  }
  const at = truth + offsetIn(word);
  // No branch: programs like to store to what they have just loaded, or not.
  const isSeen = ((word ^ unseen) & wordMask) == 0;
  lastValue = select<u64>(load<u64>(at, TRUTH), lastValue, isSeen);
  unseen = select<u64>(NO_KEY, unseen, isSeen);
  const bits = number + 1;
  store<u64>(at, bits, TRUTH);
  store<u64>(at, bits | ((word >> 56) << 40) | ((<u64>ATTR_WRITE_BACK) << 56), WRITER);
}

/** Number of the record so many bytes after the first: they follow each other, or a table has what to add to `first`. */
export function numberOf(after: usize, first: u64, numbers: usize): u64 {
  return numbers ? first + load<u32>(numbers + (after >> 1)) : first + <u64>(after >> 3);
}

/** The record of the L1's set that the first record behind `playHits` missed in, or 0 if it is something else than a plain miss. */
export let missedIn: usize = 0;

/** It is known that the core's private L2 doesn't hold its line either. */
export let missedBeyond: bool = false;

// ---- who refills from a core's private L2: whoever called the loop, or the loop itself, which then calls and is slower at hits
// for it where refills aren't simple (refill.ts)
const CALLER_REFILLS: u32 = 0;
const LOOP_REFILLS: u32 = 1;
const LOOP_REFILLS_SIMPLY: u32 = 2;
let refiller: u32 = CALLER_REFILLS;

/** L1 misses since `decide`. */
let misses: u32 = 0;

// ---- whether the newest lines are asked first: programs mostly stay in them, random streams and many cores don't
let asksNewest: bool = true;
/** Records since that was last decided, and those of them that weren't in the newest line of their set. */
let stretch: u32 = 0;
let unfamiliar: u32 = 0;
/** After so many records it is known whether it pays, and after so many more it is tried again. */
export const TRIAL: u32 = 4096;
const PAUSE: u32 = 1 << 16;

/** Called before a stretch of so many records; stretches are much alike. */
export function decide(many: u32): void {
  if (refillsAreSimple()) refiller = LOOP_REFILLS_SIMPLY;
  else refiller = misses << 3 > many && !prefetching ? LOOP_REFILLS : CALLER_REFILLS;
  misses = 0;
  if (stretch >= (asksNewest ? TRIAL : PAUSE)) {
    if (!asksNewest) forgetNewest();
    asksNewest = !asksNewest || unfamiliar << 1 < stretch;
    stretch = 0;
    unfamiliar = 0;
  }
  stretch += many;
}

/** Plays plain hits from one address of a batch on. Returns the address of the first record that isn't one, and is untouched. */
export function playHits(from: usize, end: usize, first: u64, numbers: usize): usize {
  // One function compiled several times: types tell what is known then, by their sizes.
  if (asksNewest) {
    if (!isNarrow) return hits<AnyShape, CallerRefills, ByNewest>(from, end, first, numbers);
    if (refiller != CALLER_REFILLS) return hits<Narrow, LoopRefills, ByNewest>(from, end, first, numbers);
    return hits<Narrow, CallerRefills, ByNewest>(from, end, first, numbers);
  }
  if (!isNarrow) return hits<AnyShape, CallerRefills, BySet>(from, end, first, numbers);
  if (!CARRY && refiller == LOOP_REFILLS_SIMPLY)
    return hits<Narrow, LoopRefillsSimply, BySet>(from, end, first, numbers);
  if (refiller == LOOP_REFILLS) return hits<Narrow, LoopRefills, BySet>(from, end, first, numbers);
  return hits<Narrow, CallerRefills, BySet>(from, end, first, numbers);
}

type Narrow = u8;
type AnyShape = u64;
type CallerRefills = u64;
type LoopRefills = u32;
type LoopRefillsSimply = u8;
type ByNewest = u8;
type BySet = u64;

/**
 * Random streams decide how this is written: whether a record loads, stores or fetches, and which way has its line, can't be
 * foreseen, so neither may cost a branch. Kinds are told apart by tables and by arithmetic on the operation's code.
 */
function hits<Shape, Refills, Order>(from: usize, end: usize, first: u64, numbers: usize): usize {
  const narrow = sizeof<Shape>() == sizeof<Narrow>();
  const refills = sizeof<Refills>() != sizeof<CallerRefills>();
  const simple = sizeof<Refills>() == sizeof<LoopRefillsSimply>();
  const byNewest = sizeof<Order>() == sizeof<ByNewest>();
  let at = from;
  let own: u32 = load<u8>(at, 7);
  let counted: u64 = 0;
  missedIn = 0;
  missedBeyond = false;
  if (byNewest && own != lastCore) forgetNewest();
  for (; at < end; at += 8) {
    if (byNewest) {
      const mask = keyMask;
      const now = generation;
      const began = at;
      // A loop of its own, because V8 then keeps what it needs in registers.
      while (at < end) {
        const word = load<u64>(at);
        const kind = kindOf(word);
        if (load<u64>(newestAt(kind, word)) != ((word & mask) | now)) break;
        counted += load<u64>(UNITS + kind);
        at += 8;
      }
      if (CARRY && at > began) unseen = load<u64>(at - 8);
      if (at >= end) break;
      if (CARRY) {
        const word = load<u64>(at);
        const newest = newestAt(KIND_STORE, word);
        if (load<u64>(newest) == ((word & mask) | now | writesBytes)) {
          counted += UNIT_STORE;
          access(OP_STORE, word, numberOf(at - from, first, numbers), <usize>load<u32>(newest, NEWEST_TRUTH));
          continue;
        }
      }
      unfamiliar++;
    }
    const word = load<u64>(at);
    const op = <u32>(word >> 48) & 3;
    const core = <u32>(word >> 56);
    if (byNewest && core != own) {
      tally(own, counted);
      counted = 0;
      own = core;
      forgetNewest();
    }
    const address = word & PLAIN_ADDRESS;
    if (address - fastLow >= fastBytes) break;
    const entry = BASES + ((<usize>core) << 4) + ((<usize>op) << 2);
    const base = <usize>load<u32>(entry);
    if (!base) break;
    const compact = address - regionDelta;
    const shape: usize = narrow ? 0 : shapesAt(core) + ((<usize>(op & 2)) << 5);
    const line = <u32>(compact >> (narrow ? narrowShift : <u64>load<u32>(shape, S_SHIFT)));
    const r = narrow
      ? base + <usize>load<u32>(rows + ((<usize>(line & load<u32>(entry, MASKS))) << 2))
      : recordIn(base, shape, line);
    const found = narrow
      ? <u32>i32x4.bitmask(i32x4.eq(v128.load(r), i32x4.splat(line)))
      : waysWith(r, load<u32>(shape, S_WAYS), line);
    const isStore = op & 1;
    if (!found) {
      misses++;
      if (refills) {
        const within = shapesAt(core) + ((<usize>(op & 2)) << 5);
        const filled = simple
          ? Refill.by<Simply>(core, op, compact, line, r, within)
          : refill(core, op, compact, line, r, within);
        if (filled >= 0) {
          // As at the end of the loop; to go there costs hits more registers than there are.
          if (byNewest) {
            if (!simple && op == OP_FETCH) forgetStores(word);
            rememberKeys(word, isStore);
          }
          if (CARRY) {
            const truth = <usize>load<u32>(r + NARROW_TRUTH + ((<usize>filled) << 2));
            if (byNewest) rememberTruth(word, truth);
            access(op, word, numberOf(at - from, first, numbers), truth);
          }
          continue;
        }
        missedBeyond = filled == BEYOND;
      }
      missedIn = r;
      break;
    }
    const way = <u32>ctz(found);
    const stateAt = r + (narrow ? NARROW_STATES : <usize>load<u32>(shape, S_STATES)) + way;
    const state = <u32>load<u8>(stateAt);
    if (CARRY && !(state & TRUE)) break;
    // A store needs EXCLUSIVE, which is bit 1; a PREFETCHED copy, bit 5, is hit for the first time.
    if ((isStore & (~(state >> 1) | <u32>(!CARRY && minds))) | (simple ? 0 : state >> 5)) break;
    if (CARRY && isStore && mayHoldInstructions(compact)) break;
    store<u8>(stateAt, <u8>(state | (isStore << 2)));
    const order = r + (narrow ? NARROW_ORDER : <usize>load<u32>(shape, S_ORDER));
    moveToFront(order, way);
    if (byNewest) {
      counted += load<u64>(UNITS + ((<usize>op) << 3));
      // Under MOESI a dirty copy may be shared.
      rememberKeys(word, isStore | (~(<u32>minds) & (state >> 1) & (state >> 2) & 1));
    } else countHits(core, op, 1);
    if (CARRY) {
      const truth = narrow ? <usize>load<u32>(r + NARROW_TRUTH + ((<usize>way) << 2)) : truthOf(shape, r, way, compact);
      if (byNewest) rememberTruth(word, truth);
      access(op, word, numberOf(at - from, first, numbers), truth);
    }
  }
  if (byNewest) {
    tally(own, counted);
    lastCore = own;
  }
  return at;
}
