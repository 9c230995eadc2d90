// Who inside a socket holds each line of its shared cache, kept at that cache's ways. While buckets are played on machines built
// like servers (deal.ts, bucket.ts), this stands for the hash of presence.ts: what a private L2's victim has to tell is found
// without a search, and a group's state is half as large. Tags, states and orders stay where they are; entering works the sharers
// out of them, leaving fills the hash again.

import { isServer, serverL3 } from "./beyond";
import { distrust, strays, yardstick } from "./hierarchy";
import { countHits } from "./hits";
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
  EXCLUSIVE,
  eventBase,
  FLAG_WRITEBACK_TOUCHES,
  groupBits,
  groupStride,
  hitBase,
  INVALID,
  N_BASE,
  N_COUNTERS,
  N_LEVEL,
  N_ORDER,
  N_POPULATION,
  N_RECORD_SIZE,
  N_SETS,
  N_WAYS,
  sharedRoots,
  sockets,
} from "./layout";
import { countMany, machineCountMany } from "./memory";
import { logging } from "./miss-log";
import {
  COUNTER_BACK_INVALIDATIONS,
  COUNTER_EVICTIONS,
  COUNTER_LOAD_MISSES,
  COUNTER_LOADS,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_MEMORY,
  EVENT_MEMORY_REMOTE,
  EVENT_SNOOP,
  EVENT_SNOOP_REMOTE,
  EVENT_WRITEBACK,
  MACHINE_CROSSINGS,
  MACHINE_MEMORY_READS,
  OP_FETCH,
  OP_LOAD,
} from "./operations";
import { stamped } from "./pending";
import { clearPresence, present } from "./presence";
import {
  plainL2,
  S_FETCH,
  S_FLAGS,
  S_L2,
  S_L3,
  S_MASK,
  S_ORDER,
  S_RECORD,
  S_STATES,
  S_WAYS,
  shapesAt,
  waysWith,
} from "./shape";

/** Whether sharers stand for presence.ts's hash now. */
export let inForce: bool = false;

// ---- what play needs of a core, together: where its caches' group 0 begins, and what it has counted since it was last told
const DESK_SIZE: usize = 192;
export const D_L1D: usize = 0;
export const D_L1I: usize = 4;
export const D_L2: usize = 8;
export const D_L3: usize = 12;
export const D_SHARERS: usize = 16;
/** Number of the core in its socket: its bit among the sharers. */
export const D_BIT: usize = 20;
export const D_SOCKET: usize = 24;
/** Counters of caches. */
export const D_COUNTERS_L1D: usize = 28;
export const D_COUNTERS_L1I: usize = 32;
export const D_COUNTERS_L2: usize = 36;
export const D_COUNTERS_L3: usize = 40;
/** The socket's first core: number 0 among its sharers. */
export const D_FIRST: usize = 44;
export const D_ROOT: usize = 48;
/** By operation: hits in the L1, in the L2 behind it, and requests to the L3. */
export const D_HITS: usize = 64;
export const D_REFILLS: usize = 80;
export const D_REQUESTS: usize = 96;
export const D_L3_MISSES: usize = 112;
/** Victims of the L1D and, 8 bytes on, of the L1I. */
export const D_VICTIMS: usize = 128;
export const D_VICTIMS_L2: usize = 132;
export const D_WRITEBACKS: usize = 140;
export const D_WRITEBACKS_L2: usize = 144;
/** Writebacks of caches that the core's requests caused and that aren't its own. */
export const D_WRITEBACKS_FAR: usize = 148;
export const D_L3_HITS: usize = 152;
export const D_SNOOPS: usize = 156;
export const D_SNOOPS_FAR: usize = 160;
export const D_READS: usize = 164;
export const D_READS_FAR: usize = 168;
export const D_TAKEN_L1D: usize = 172;
export const D_TAKEN_L1I: usize = 176;
const COUNTS_FROM: usize = D_HITS;
let desks: usize = 0;

export function deskOf(core: u32): usize {
  return desks + <usize>core * DESK_SIZE;
}

/** A count at a desk, of 32 bits: they are told long before one is full. */
export function note(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

// ---- shapes, of all cores and sockets alike: states, order and record size of the L2 and the L3, and which of a group's sets a
// line falls into
export let innerMaskD: u32 = 0;
export let innerMaskI: u32 = 0;
/** The top bits of its ways' states, and where the order has its last way. */
export let free1: u32 = 0;
export let last1: u64 = 0;
export let mask2: u32 = 0;
export let ways2: u32 = 0;
export let record2: usize = 0;
export let states2: usize = 0;
export let order2: usize = 0;
/** Where an L2's record has one byte a way: the way of the L3 that holds the same line, and which L1s may hold it. */
export let hints2: usize = 0;
export const HINT_DATA: u32 = 16;
export const HINT_INSTRUCTIONS: u32 = 32;
/** Whether writebacks touch their line there. */
export let touches2: bool = false;
export let touches3: bool = false;
export let mask3: u32 = 0;
export let ways3: u32 = 0;
export let record3: usize = 0;
export let states3: usize = 0;
export let order3: usize = 0;
/** Bytes from one group's sharers to the next in a socket's table, and from one set's to the next. */
export let sharersApart: usize = 0;
export const SET_SHARERS: usize = 128;

/** Lines of all private L2s: what entering and leaving take grows with them. */
export let lines: u32 = 0;
let possible: bool = false;

/** Whether machine and state allow it. Tags only: contents would have to move with the lines. */
export function canEnter(): bool {
  return !CARRY && possible && !distrust && !strays && !yardstick && !stamped && !logging;
}

/** Called once the machine is laid out, after beyond.ts. */
export function prepareSharers(): void {
  possible = !CARRY && isServer();
  if (!possible) return;
  const shapes = shapesAt(0);
  const l2 = plainL2(0);
  hints2 = <usize>load<u32>(l2, N_ORDER) + 8;
  if (hints2 + load<u32>(l2, N_WAYS) > load<u32>(l2, N_RECORD_SIZE)) {
    possible = false;
    return;
  }
  innerMaskD = load<u32>(shapes, S_MASK) >> groupBits;
  innerMaskI = load<u32>(shapes + S_FETCH, S_MASK) >> groupBits;
  const ways1 = load<u32>(shapes, S_WAYS);
  free1 = 0x80808080 >> ((4 - ways1) << 3);
  last1 = (ways1 - 1) << 2;
  mask2 = load<u32>(shapes + S_L2, S_MASK) >> groupBits;
  ways2 = load<u32>(shapes + S_L2, S_WAYS);
  record2 = <usize>load<u32>(shapes + S_L2, S_RECORD);
  states2 = <usize>load<u32>(shapes + S_L2, S_STATES);
  order2 = <usize>load<u32>(shapes + S_L2, S_ORDER);
  mask3 = load<u32>(shapes + S_L3, S_MASK) >> groupBits;
  ways3 = load<u32>(shapes + S_L3, S_WAYS);
  record3 = <usize>load<u32>(shapes + S_L3, S_RECORD);
  states3 = <usize>load<u32>(shapes + S_L3, S_STATES);
  order3 = <usize>load<u32>(shapes + S_L3, S_ORDER);
  touches2 = (load<u32>(shapes + S_L2, S_FLAGS) & FLAG_WRITEBACK_TOUCHES) != 0;
  touches3 = (load<u32>(shapes + S_L3, S_FLAGS) & FLAG_WRITEBACK_TOUCHES) != 0;
  sharersApart = (<usize>mask3 + 1) * SET_SHARERS;
  lines = cores * ways2 * load<u32>(l2, N_SETS);
}

/** Desks and tables, when they are first needed. */
function furnish(): void {
  desks = allocate(<usize>cores * DESK_SIZE, 64);
  const tables = allocate(<usize>sockets * (sharersApart << groupBits), 64);
  let first: u32 = 0;
  for (let core: u32 = 0; core < cores; core++) {
    const c = coreAt(core);
    const desk = deskOf(core);
    const l1d = <usize>load<u32>(c, C_L1D);
    const l1i = <usize>load<u32>(c, C_L1I);
    const l2 = plainL2(core);
    const l3 = serverL3(core);
    const socket = load<u32>(c, C_SOCKET);
    if (core && load<u32>(coreAt(core - 1), C_SOCKET) != socket) first = core;
    store<u32>(desk, load<u32>(l1d, N_BASE), D_L1D);
    store<u32>(desk, load<u32>(l1i, N_BASE), D_L1I);
    store<u32>(desk, load<u32>(l2, N_BASE), D_L2);
    store<u32>(desk, load<u32>(l3, N_BASE), D_L3);
    store<u32>(desk, <u32>(tables + <usize>socket * (sharersApart << groupBits)), D_SHARERS);
    store<u32>(desk, core - first, D_BIT);
    store<u32>(desk, socket, D_SOCKET);
    store<u32>(desk, load<u32>(l1d, N_COUNTERS), D_COUNTERS_L1D);
    store<u32>(desk, load<u32>(l1i, N_COUNTERS), D_COUNTERS_L1I);
    store<u32>(desk, load<u32>(l2, N_COUNTERS), D_COUNTERS_L2);
    store<u32>(desk, load<u32>(l3, N_COUNTERS), D_COUNTERS_L3);
    store<u32>(desk, first, D_FIRST);
    store<u32>(desk, <u32>l3, D_ROOT);
  }
  roots = load<u32>(sharedRoots);
  rootList = allocate((<usize>roots) << 3);
  for (let i: u32 = 0; i < roots; i++) {
    const l3 = load<u32>(sharedRoots + ((<usize>i) << 2), 4);
    store<u32>(rootList + ((<usize>i) << 3), load<u32>(<usize>l3, N_BASE));
    for (let core: u32 = cores; core-- > 0; )
      if (load<u32>(deskOf(core), D_ROOT) == l3) store<u32>(rootList + ((<usize>i) << 3), <u32>deskOf(core), 4);
  }
}

/** As waysWith for up to sixteen ways, without a loop for V8 to keep. Behind the tags of fewer ways something else follows. */
export function find(r: usize, ways: u32, tag: u32): u32 {
  const key = i32x4.splat(tag);
  let found: u32 = i32x4.bitmask(i32x4.eq(v128.load(r), key)) | (i32x4.bitmask(i32x4.eq(v128.load(r, 16), key)) << 4);
  if (ways > 8)
    found |=
      (i32x4.bitmask(i32x4.eq(v128.load(r, 32), key)) << 8) | (i32x4.bitmask(i32x4.eq(v128.load(r, 48), key)) << 12);
  return found & ((1 << ways) - 1);
}

// ---- where a line's set lies, by a core's desk
function groupOf(line: u32): usize {
  return <usize>(line & ((1 << groupBits) - 1));
}

export function inL1D(desk: usize, line: u32): usize {
  const set = <usize>((line >> groupBits) & innerMaskD);
  return <usize>load<u32>(desk, D_L1D) + groupOf(line) * groupStride + (set << 5);
}

export function inL1I(desk: usize, line: u32): usize {
  const set = <usize>((line >> groupBits) & innerMaskI);
  return <usize>load<u32>(desk, D_L1I) + groupOf(line) * groupStride + (set << 5);
}

export function inL2(desk: usize, line: u32): usize {
  const set = <usize>((line >> groupBits) & mask2);
  return <usize>load<u32>(desk, D_L2) + groupOf(line) * groupStride + set * record2;
}

export function inL3(desk: usize, line: u32): usize {
  const set = <usize>((line >> groupBits) & mask3);
  return <usize>load<u32>(desk, D_L3) + groupOf(line) * groupStride + set * record3;
}

/** Sharers of a line's set: one word a way. */
export function sharersIn(desk: usize, line: u32): usize {
  const set = <usize>((line >> groupBits) & mask3);
  return <usize>load<u32>(desk, D_SHARERS) + groupOf(line) * sharersApart + set * SET_SHARERS;
}

// ---- entering and leaving

/** Puts sharers in the place of the hash. False: the state isn't one that this play keeps, and nothing has changed. */
export function enter(): bool {
  if (!desks) furnish();
  memory.fill(<usize>load<u32>(deskOf(0), D_SHARERS), 0, <usize>sockets * (sharersApart << groupBits));
  for (let core: u32 = 0; core < cores; core++) if (!enlist(core)) return false;
  for (let core: u32 = 0; core < cores; core++) if (!isOrderly(core)) return false;
  for (let i: u32 = 0; i < roots; i++) if (!isRootOrderly(firstUnder(i))) return false;
  inForce = true;
  return true;
}

/** A core's lines: each has a place in the L3 (D19), and those of its L1s have one in its L2. */
function enlist(core: u32): bool {
  const desk = deskOf(core);
  const l2 = plainL2(core);
  const sets = load<u32>(l2, N_SETS);
  for (let set: u32 = 0; set < sets; set++) {
    const r2 = inL2(desk, set);
    memory.fill(r2 + hints2, 0, ways2);
    for (let way: u32 = 0; way < ways2; way++) {
      const line = load<u32>(r2 + ((<usize>way) << 2));
      if (line == INVALID) continue;
      const found = waysWith(inL3(desk, line), ways3, line);
      if (!found) return false;
      const way3 = <u32>ctz(found);
      store<u8>(r2 + hints2 + way, <u8>way3);
      const sharers = sharersIn(desk, line) + ((<usize>way3) << 3);
      store<u64>(sharers, load<u64>(sharers) | ((<u64>1) << load<u32>(desk, D_BIT)));
    }
  }
  return (
    hint(desk, <usize>load<u32>(coreAt(core), C_L1D), HINT_DATA) &&
    hint(desk, <usize>load<u32>(coreAt(core), C_L1I), HINT_INSTRUCTIONS)
  );
}

/** Notes at the L2's copies what an L1 holds of them. */
function hint(desk: usize, l1: usize, bit: u32): bool {
  const sets = load<u32>(l1, N_SETS);
  const ways = load<u32>(l1, N_WAYS);
  for (let set: u32 = 0; set < sets; set++) {
    const r1 = bit == HINT_DATA ? inL1D(desk, set) : inL1I(desk, set);
    for (let way: usize = 0; way < ways; way++) {
      const line = load<u32>(r1 + (way << 2));
      if (line == INVALID) continue;
      const r2 = inL2(desk, line);
      const found = waysWith(r2, ways2, line);
      if (!found) return false;
      const at = r2 + hints2 + ctz(found);
      store<u8>(at, load<u8>(at) | <u8>bit);
      // Whoever owns a line in its L1 owns it in its L2.
      const state = load<u8>(r1 + load<u32>(shapesAt(0), S_STATES) + way);
      if (state & <u8>(EXCLUSIVE | DIRTY) && !(load<u8>(r2 + states2 + ctz(found)) & <u8>EXCLUSIVE)) return false;
    }
  }
  return true;
}

/** Whether nobody else holds what a core owns, here or in another socket (MESI). Accesses that ignore coherence may have seen to that. */
function isOrderly(core: u32): bool {
  const desk = deskOf(core);
  const sets = load<u32>(plainL2(core), N_SETS);
  for (let set: u32 = 0; set < sets; set++) {
    const r2 = inL2(desk, set);
    for (let way: u32 = 0; way < ways2; way++) {
      const line = load<u32>(r2 + ((<usize>way) << 2));
      if (line == INVALID || !(load<u8>(r2 + states2 + way) & <u8>(EXCLUSIVE | DIRTY))) continue;
      const way3 = <usize>load<u8>(r2 + hints2 + way) & 15;
      if (load<u64>(sharersIn(desk, line) + (way3 << 3)) != (<u64>1) << load<u32>(desk, D_BIT)) return false;
      if (!(load<u8>(inL3(desk, line) + states3 + way3) & <u8>EXCLUSIVE)) return false;
      if (otherHolder(desk, inL3(desk, line), line)) return false;
    }
  }
  return true;
}

/** The same of what an L3 owns. */
function isRootOrderly(desk: usize): bool {
  const sets = load<u32>(<usize>load<u32>(desk, D_ROOT), N_SETS);
  for (let set: u32 = 0; set < sets; set++) {
    const r3 = inL3(desk, set);
    for (let way: u32 = 0; way < ways3; way++) {
      const line = load<u32>(r3 + ((<usize>way) << 2));
      if (line == INVALID || !(load<u8>(r3 + states3 + way) & <u8>(EXCLUSIVE | DIRTY))) continue;
      if (otherHolder(desk, r3, line)) return false;
    }
  }
  return true;
}

/** By place in `sharedRoots`, from 0: where group 0 of that L3 begins, and the desk of the first core under it. */
let rootList: usize = 0;
let roots: u32 = 0;

/** The desk of the first core under the L3 at a place in `sharedRoots`. */
function firstUnder(i: u32): usize {
  return <usize>load<u32>(rootList + ((<usize>i) << 3), 4);
}

/** A desk under the L3 that `otherHolder` found, and the way. */
export let holder: usize = 0;
export let holderWay: u32 = 0;

/** Where another L3 holds the line that the core's own has, or would have, in record r3: its record, or 0. */
export function otherHolder(desk: usize, r3: usize, line: u32): usize {
  const own = <usize>load<u32>(desk, D_L3);
  for (let at = rootList, end = rootList + ((<usize>roots) << 3); at < end; at += 8) {
    const base = <usize>load<u32>(at);
    if (base == own) continue;
    // One shape does for all.
    const record = r3 + (base - own);
    const found = find(record, ways3, line);
    if (!found) continue;
    holder = <usize>load<u32>(at, 4);
    holderWay = <u32>ctz(found);
    return record;
  }
  return 0;
}

/** Loads the sharers of a group, one of the host's lines after the other. */
export function touchSharers(group: u32): u32 {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < roots; i++) {
    const table = <usize>load<u32>(firstUnder(i), D_SHARERS) + <usize>group * sharersApart;
    for (let at: usize = 0; at < sharersApart; at += 64) seen += load<u32>(table + at);
  }
  return seen;
}

/** Fills the hash, and what is counted of the L1Is, from the caches again. */
export function leave(): void {
  tell();
  inForce = false;
  clearPresence();
  for (let core: u32 = 0; core < cores; core++) {
    const desk = deskOf(core);
    const l1i = <usize>load<u32>(coreAt(core), C_L1I);
    const l2 = plainL2(core);
    store<u32>(l2, 0, N_POPULATION);
    for (let set: u32 = 0; set < load<u32>(l2, N_SETS); set++) reveal(l2, inL2(desk, set));
    for (let set: u32 = 0; set < load<u32>(l1i, N_SETS); set++) reveal(l1i, inL1I(desk, set));
  }
  for (let i: u32 = 0; i < roots; i++) {
    const desk = firstUnder(i);
    const l3 = <usize>load<u32>(desk, D_ROOT);
    store<u32>(l3, 0, N_POPULATION);
    for (let set: u32 = 0; set < load<u32>(l3, N_SETS); set++) reveal(l3, inL3(desk, set));
  }
}

/** The directory hears of the copies of one set. */
function reveal(n: usize, record: usize): void {
  const ways = <usize>load<u32>(n, N_WAYS);
  for (let way: usize = 0; way < ways; way++) {
    const line = load<u32>(record + (way << 2));
    if (line != INVALID) present(n, line);
  }
}

// ---- counts

/** Moves what desks have counted to the counters it belongs to. */
export function tell(): void {
  for (let core: u32 = 0; core < cores && desks; core++) tellOf(core);
}

/** Refills from L2s since then. */
export function refillsAtDesks(): u64 {
  let many: u64 = 0;
  for (let core: u32 = 0; core < cores && desks; core++)
    for (let op: usize = OP_LOAD; op <= OP_FETCH; op++) many += load<u32>(deskOf(core) + (op << 2), D_REFILLS);
  return many;
}

function tellOf(core: u32): void {
  const desk = deskOf(core);
  const c = coreAt(core);
  const l1d = <usize>load<u32>(c, C_L1D);
  const l1i = <usize>load<u32>(c, C_L1I);
  const l2 = plainL2(core);
  const l3 = <usize>load<u32>(desk, D_ROOT);
  const levels = hitBase + ((<usize>core) << 7);
  const level2 = levels + ((<usize>load<u32>(l2, N_LEVEL)) << 3);
  for (let op: u32 = OP_LOAD; op <= OP_FETCH; op++) {
    const mine = desk + ((<usize>op) << 2);
    const refills = <u64>load<u32>(mine, D_REFILLS);
    const requests = <u64>load<u32>(mine, D_REQUESTS);
    const l1 = op == OP_FETCH ? l1i : l1d;
    countHits(core, op, load<u32>(mine, D_HITS));
    countMany(l1, COUNTER_LOADS + op, refills + requests);
    countMany(l1, COUNTER_LOAD_MISSES + op, refills + requests);
    countMany(l2, COUNTER_LOADS + op, refills + requests);
    countMany(l2, COUNTER_LOAD_MISSES + op, requests);
    countMany(l3, COUNTER_LOADS + op, requests);
    countMany(l3, COUNTER_LOAD_MISSES + op, load<u32>(mine, D_L3_MISSES));
    add(level2, refills);
    // The first cacheable data access may have come to it here (D33); an L1D's hit isn't one.
    if (op != OP_FETCH && refills + requests) store<u32>(c, 1, C_ACTIVE);
  }
  add(levels + ((<usize>load<u32>(l3, N_LEVEL)) << 3), load<u32>(desk, D_L3_HITS));
  countMany(l1d, COUNTER_EVICTIONS, load<u32>(desk, D_VICTIMS));
  countMany(l1i, COUNTER_EVICTIONS, load<u32>(desk, D_VICTIMS + 8));
  countMany(l2, COUNTER_EVICTIONS, load<u32>(desk, D_VICTIMS_L2));
  countMany(l1d, COUNTER_BACK_INVALIDATIONS, load<u32>(desk, D_TAKEN_L1D));
  countMany(l1i, COUNTER_BACK_INVALIDATIONS, load<u32>(desk, D_TAKEN_L1I));
  const writebacks = <u64>load<u32>(desk, D_WRITEBACKS);
  const writebacks2 = <u64>load<u32>(desk, D_WRITEBACKS_L2);
  countMany(l1d, COUNTER_WRITEBACKS_OUT, writebacks);
  countMany(l2, COUNTER_WRITEBACKS_IN, writebacks);
  countMany(l2, COUNTER_WRITEBACKS_OUT, writebacks2);
  countMany(l3, COUNTER_WRITEBACKS_IN, writebacks2);
  const events = eventBase + ((<usize>core) << 8);
  add(events + ((<usize>EVENT_WRITEBACK) << 3), writebacks + writebacks2 + load<u32>(desk, D_WRITEBACKS_FAR));
  add(events + ((<usize>EVENT_SNOOP) << 3), load<u32>(desk, D_SNOOPS));
  add(events + ((<usize>EVENT_SNOOP_REMOTE) << 3), load<u32>(desk, D_SNOOPS_FAR));
  const near = <u64>load<u32>(desk, D_READS);
  const far = <u64>load<u32>(desk, D_READS_FAR);
  add(events + ((<usize>EVENT_MEMORY) << 3), near);
  add(events + ((<usize>EVENT_MEMORY_REMOTE) << 3), far);
  machineCountMany(MACHINE_MEMORY_READS, near + far);
  machineCountMany(MACHINE_CROSSINGS, far);
  memory.fill(desk + COUNTS_FROM, 0, DESK_SIZE - COUNTS_FROM);
}

function add(at: usize, many: u64): void {
  store<u64>(at, load<u64>(at) + many);
}
