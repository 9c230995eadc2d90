// Who inside a socket holds each line of its shared cache, kept at that cache's ways. While buckets are played on machines built
// like servers (deal.ts, bucket.ts), this stands for the hash of presence.ts: what a private L2's victim has to tell is found
// without a search, and a group's state is half as large. Tags, states and orders stay where they are;
// handover.ts works the sharers out of them, and fills the hash again.

import { keepSeen } from "./ahead";
import { isServer, serverL3 } from "./beyond";
import { divergent } from "./hazard";
import { distrust, strays, yardstick } from "./hierarchy";
import {
  allocate,
  C_L1D,
  C_L1I,
  C_SOCKET,
  CARRY,
  coreAt,
  cores,
  FLAG_WRITEBACK_TOUCHES,
  groupAt,
  groupBits,
  groupStride,
  N_BASE,
  N_COUNTERS,
  N_ORDER,
  N_RECORD_SIZE,
  N_SETS,
  N_WAYS,
  presenceOffset,
  sharedRoots,
  sockets,
} from "./layout";
import { logging } from "./miss-log";
import { OP_FETCH, OP_LOAD } from "./operations";
import { pendable } from "./pending";
import { plainL2, S_FETCH, S_FLAGS, S_L2, S_L3, S_MASK, S_ORDER, S_RECORD, S_STATES, S_WAYS, shapesAt } from "./shape";
import { prepareTruths } from "./truths";

// ---- what play needs of a core, together: where its caches' group 0 begins, and what it has counted since it was last told
/** As much as a core's roles have. */
export const DESK_SIZE: usize = 128;
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
export const D_VICTIMS_L2: usize = 64;
export const D_WRITEBACKS_L2: usize = 68;
/** Writebacks of caches that the core's requests caused and that aren't its own. */
export const D_WRITEBACKS_FAR: usize = 72;
export const D_L3_HITS: usize = 76;
export const D_SNOOPS: usize = 80;
export const D_SNOOPS_FAR: usize = 84;
export const D_READS: usize = 88;
export const D_READS_FAR: usize = 92;
export const D_TAKEN_L1D: usize = 96;
export const D_TAKEN_L1I: usize = 100;
export const COUNTS_FROM: usize = D_VICTIMS_L2;
export let desks: usize = 0;

export function deskOf(core: u32): usize {
  return desks + <usize>core * DESK_SIZE;
}

// ---- what the commonest records need, by core and operation together: where group 0 of their L1 and, in the upper half, of their
// L2 begins, and what has come of them since that was last told
const ROLE_BITS: u32 = 5;
export const ROLES_OF_CORE: u32 = 4;
export const ROLE_SIZE: usize = 1 << ROLE_BITS;
export const ROLE_L2: usize = 4;
/** Answered by the L1; by the L2, after a request to the L3 or without; such requests, and those of them that missed there. */
export const ROLE_HITS: usize = 8;
export const ROLE_REFILLS: usize = 12;
export const ROLE_REQUESTS: usize = 16;
export const ROLE_L3_MISSES: usize = 20;
/** Victims of the L1, and those of them that were dirty. */
export const ROLE_VICTIMS: usize = 24;
export const ROLE_WRITEBACKS: usize = 28;
export const ROLE_COUNTS_FROM: usize = ROLE_HITS;
let roles: usize = 0;

export function roleOf(core: u32, op: u32): usize {
  return roles + ((core * ROLES_OF_CORE + op) << ROLE_BITS);
}

// ---- a record in a bucket: operation, core, home socket of its memory, and the line without the group's bits, in five bytes: what
// buckets cost is mostly the host's pages and cache lines. Records are written and read as eight bytes, from the first to the last,
// so that the three behind a record are the next one's, or nobody's. Operation and core together name a role. In builds with contents
// a record has eight bytes, and also says which 8 bytes of its line it begins in, and the operation that it is dealt for (alike.ts).
export const PACKED_SIZE: usize = CARRY ? 8 : 5;
const HOME_AT: u64 = 10;
const LINE_AT: u64 = 13;
const PART_AT: u64 = 40;
const DEALT_AT: u64 = 48;
/** Sockets that a record can name, and the fewest group bits that leave enough for the line. */
const MOST_HOMES: u32 = 8;
const FEWEST_GROUP_BITS: u32 = 5;

export function packed(line: u32, op: u32, home: u32, core: u32): u64 {
  return <u64>((core << 2) | op | (home << (<u32>HOME_AT))) | ((<u64>(line >> groupBits)) << LINE_AT);
}

export function withPart(word: u64, part: u32, dealt: u32): u64 {
  return word | ((<u64>part) << PART_AT) | ((<u64>dealt) << DEALT_AT);
}

export function partIn(word: u64): u32 {
  return <u32>(word >> PART_AT) & 255;
}

export function dealtFor(word: u64): u32 {
  return <u32>(word >> DEALT_AT);
}

export function opOf(word: u64): u32 {
  return <u32>word & 3;
}

export function homeIn(word: u64): u32 {
  return <u32>(word >> HOME_AT) & (MOST_HOMES - 1);
}

export function roleIn(word: u64): usize {
  return roles + ((<usize>word & 1023) << ROLE_BITS);
}

/** Shifted, what is behind the record falls out. */
export function lineIn(word: u64, group: u32): u32 {
  return ((<u32>(word >> LINE_AT)) << groupBits) | group;
}

// ---- and what a role says of the record
export function opIn(role: usize): u32 {
  return <u32>((role - roles) >> ROLE_BITS) & 3;
}

export function coreIn(role: usize): u32 {
  return <u32>((role - roles) >> ROLE_BITS) / ROLES_OF_CORE;
}

export function deskIn(role: usize): usize {
  return desks + ((role - roles) & ~(DESK_SIZE - 1));
}

/** A count at a desk, of 32 bits: they are told long before one is full. */
export function note(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

// ---- shapes, of all cores and sockets alike: states, order and record size of the L2 and the L3, and which of a group's sets a
// line falls into
export let innerMaskD: u32 = 0;
export let innerMaskI: u32 = 0;
/** The top bits of an L1's ways' states, and where the order has its last way. */
export let free1: u32 = 0;
export let last1: u64 = 0;
/** The part of the order that has an L1's ways. */
export let turning1: u64 = 0;
export let mask2: u32 = 0;
export let ways2: u32 = 0;
export let all2: u32 = 0;
export let all3: u32 = 0;
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
/**
 * Where an L3's record has a bit for each way whose label, if it isn't EXCLUSIVE, may not be exact (D10): another socket's L3 may have
 * let go of the line since.
 */
export let stale3: usize = 0;
/** Bytes from one group's sharers to the next in a socket's table, and from one set's to the next. */
export let sharersApart: usize = 0;
export const SET_SHARERS: usize = 128;

/** Lines of all private L2s: what taking sharers up and giving them up costs grows with them. */
export let lines: u32 = 0;
let possible: bool = false;

/** Whether machine and state allow it. Contents have to be what coherent accesses leave (truths.ts). */
export function areUsable(): bool {
  if (CARRY && divergent) return false;
  return possible && !distrust && !strays && !yardstick && !pendable && !logging;
}

/** Called once the machine is laid out, after beyond.ts. */
export function prepareSharers(): void {
  possible = isServer();
  if (!possible) return;
  const shapes = shapesAt(0);
  const l2 = plainL2(0);
  // Behind the order, and where contents are.
  const behind: usize = CARRY ? 12 : 8;
  const l3 = serverL3(0);
  hints2 = <usize>load<u32>(l2, N_ORDER) + behind;
  stale3 = <usize>load<u32>(l3, N_ORDER) + behind;
  if (
    hints2 + load<u32>(l2, N_WAYS) > load<u32>(l2, N_RECORD_SIZE) ||
    stale3 + 2 > <usize>load<u32>(l3, N_RECORD_SIZE) ||
    groupBits < FEWEST_GROUP_BITS ||
    sockets > MOST_HOMES
  ) {
    possible = false;
    return;
  }
  innerMaskD = load<u32>(shapes, S_MASK) >> groupBits;
  innerMaskI = load<u32>(shapes + S_FETCH, S_MASK) >> groupBits;
  const ways1 = load<u32>(shapes, S_WAYS);
  free1 = 0x80808080 >> ((4 - ways1) << 3);
  last1 = (ways1 - 1) << 2;
  turning1 = ((<u64>1) << (ways1 << 2)) - 1;
  mask2 = load<u32>(shapes + S_L2, S_MASK) >> groupBits;
  ways2 = load<u32>(shapes + S_L2, S_WAYS);
  all2 = (1 << ways2) - 1;
  record2 = <usize>load<u32>(shapes + S_L2, S_RECORD);
  states2 = <usize>load<u32>(shapes + S_L2, S_STATES);
  order2 = <usize>load<u32>(shapes + S_L2, S_ORDER);
  mask3 = load<u32>(shapes + S_L3, S_MASK) >> groupBits;
  ways3 = load<u32>(shapes + S_L3, S_WAYS);
  all3 = (1 << ways3) - 1;
  record3 = <usize>load<u32>(shapes + S_L3, S_RECORD);
  states3 = <usize>load<u32>(shapes + S_L3, S_STATES);
  order3 = <usize>load<u32>(shapes + S_L3, S_ORDER);
  touches2 = (load<u32>(shapes + S_L2, S_FLAGS) & FLAG_WRITEBACK_TOUCHES) != 0;
  touches3 = (load<u32>(shapes + S_L3, S_FLAGS) & FLAG_WRITEBACK_TOUCHES) != 0;
  sharersApart = (<usize>mask3 + 1) * SET_SHARERS;
  lines = cores * ways2 * load<u32>(l2, N_SETS);
}

/** Nobody shares anything. Makes desks and tables when they are first needed. */
export function clearSharers(): void {
  if (!desks) furnish();
  else memory.fill(<usize>load<u32>(deskOf(0), D_SHARERS), 0, <usize>sockets * (sharersApart << groupBits));
}

function furnish(): void {
  desks = allocate(<usize>cores * DESK_SIZE, 64);
  roles = allocate((<usize>cores * ROLES_OF_CORE) << ROLE_BITS, 64);
  rowMask = (<usize>max(max(innerMaskD, innerMaskI), mask2)) << ROW_BITS;
  rows = allocate(rowMask + (1 << ROW_BITS), 64);
  const tables = allocate(<usize>sockets * (sharersApart << groupBits), 64);
  written = allocate((<usize>1) << groupBits);
  prepareTruths(plainL2(0), serverL3(0));
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
    for (let op: u32 = OP_LOAD; op <= OP_FETCH; op++)
      store<u64>(
        roleOf(core, op),
        <u64>load<u32>(op == OP_FETCH ? l1i : l1d, N_BASE) | ((<u64>load<u32>(l2, N_BASE)) << 32),
      );
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
export function find(r: usize, all: u32, tag: u32): u32 {
  const key = i32x4.splat(tag);
  let found: u32 = i32x4.bitmask(i32x4.eq(v128.load(r), key)) | (i32x4.bitmask(i32x4.eq(v128.load(r, 16), key)) << 4);
  if (all > 255)
    found |=
      (i32x4.bitmask(i32x4.eq(v128.load(r, 32), key)) << 8) | (i32x4.bitmask(i32x4.eq(v128.load(r, 48), key)) << 12);
  return found & all;
}

/** The same of an L1's set, whose tags are one vector (hits.ts). */
export function findL1(r1: usize, line: u32): u32 {
  return i32x4.bitmask(i32x4.eq(v128.load(r1), i32x4.splat(line)));
}

// ---- where sets of one group lie, by a core's desk and a line of that group

/** An L1's record has 32 bytes, with contents 64. */
const L1_BITS: usize = CARRY ? 6 : 5;

let apart: usize = 0;
let apartSharers: usize = 0;

/** All that follows is about lines of this group. */
export function enterGroup(group: u32): void {
  apart = <usize>group * groupStride;
  apartSharers = <usize>group * sharersApart;
  for (let row: usize = 0; row <= rowMask; row += 1 << ROW_BITS) {
    const set = row >> ROW_BITS;
    const outer = (<u64>(apart + (set & mask2) * record2)) << 32;
    store<u64>(rows + row, outer | <u64>(apart + ((set & innerMaskD) << L1_BITS)));
    store<u64>(rows + row, outer | <u64>(apart + ((set & innerMaskI) << L1_BITS)), 8);
  }
}

/**
 * By set in this group of whichever cache has most, then by data and instructions: where the sets of the L1 and, in the upper half,
 * of the L2 lie from where those begin.
 */
let rows: usize = 0;
let rowMask: usize = 0;
const ROW_BITS: u32 = 4;

/** Where a record's sets are: of its L1 and, in the upper half, of its L2. */
export function placesOf(word: u64, role: usize): u64 {
  const row = rows + ((<usize>(word >> (LINE_AT - ROW_BITS)) & rowMask) | (((<usize>word) << 2) & 8));
  return load<u64>(role) + load<u64>(row);
}

export function inL1D(desk: usize, line: u32): usize {
  return <usize>load<u32>(desk, D_L1D) + apart + ((<usize>((line >> groupBits) & innerMaskD)) << L1_BITS);
}

export function inL1I(desk: usize, line: u32): usize {
  return <usize>load<u32>(desk, D_L1I) + apart + ((<usize>((line >> groupBits) & innerMaskI)) << L1_BITS);
}

export function inL2(desk: usize, line: u32): usize {
  return l2Set(<usize>load<u32>(desk, D_L2), line);
}

/** The same, by where the L2 begins. */
export function l2Set(base: usize, line: u32): usize {
  return base + apart + <usize>((line >> groupBits) & mask2) * record2;
}

export function inL3(desk: usize, line: u32): usize {
  return <usize>load<u32>(desk, D_L3) + apart + <usize>((line >> groupBits) & mask3) * record3;
}

/** Sharers of a line's set: one word a way. */
export function sharersIn(desk: usize, line: u32): usize {
  return <usize>load<u32>(desk, D_SHARERS) + apartSharers + <usize>((line >> groupBits) & mask3) * SET_SHARERS;
}

/**
 * By group: whether its sharers have been written to. Until then they are not loaded, because the host would map their pages twice
 * (`breakIn`).
 */
let written: usize = 0;

/** Loads the group's state and sharers, one of the host's lines after the other: the host overlaps that, while play waits for each. */
export function touchGroup(group: u32): void {
  let seen: u32 = 0;
  const to = presenceOffset + <usize>group * groupStride;
  for (let at = groupAt(group); at < to; at += 64) seen += load<u32>(at);
  const tables = load<u8>(written + group) ? roots : 0;
  store<u8>(written + group, 1);
  for (let i: u32 = 0; i < tables; i++) {
    const table = <usize>load<u32>(firstUnder(i), D_SHARERS) + apartSharers;
    for (let at: usize = 0; at < sharersApart; at += 64) seen += load<u32>(table + at);
  }
  keepSeen(seen);
}

// ---- other sockets

/** By place in `sharedRoots`, from 0: where group 0 of that L3 begins, and the desk of the first core under it. */
let rootList: usize = 0;
export let roots: u32 = 0;

/** The desk of the first core under the L3 at a place in `sharedRoots`. */
export function firstUnder(i: u32): usize {
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
    const found = find(record, all3, line);
    if (!found) continue;
    holder = <usize>load<u32>(at, 4);
    holderWay = <u32>ctz(found);
    return record;
  }
  return 0;
}
