// Taking sharers up and giving them up: which of the two says who holds a line is changed from the hash (presence.ts) to the sharers
// at the L3s' ways (sharers.ts) and back, a set group at a time, and counts go from desks to where everybody looks for them.

import { countHits } from "./hits";
import {
  C_ACTIVE,
  C_L1D,
  C_L1I,
  CARRY,
  coreAt,
  cores,
  DIRTY,
  EXCLUSIVE,
  eventBase,
  groupBits,
  hitBase,
  N_LEVEL,
  N_POPULATION,
  N_SETS,
  N_STATES,
  N_WAYS,
} from "./layout";
import { countMany, machineCountMany } from "./memory";
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
import { ownsOf } from "./own";
import { clearPresence, present } from "./presence";
import { plainL2, waysFilled } from "./shape";
import {
  all2,
  all3,
  COUNTS_FROM,
  clearSharers,
  D_BIT,
  D_L3_HITS,
  D_READS,
  D_READS_FAR,
  D_ROOT,
  D_SNOOPS,
  D_SNOOPS_FAR,
  D_TAKEN_L1D,
  D_TAKEN_L1I,
  D_VICTIMS_L2,
  D_WRITEBACKS_FAR,
  D_WRITEBACKS_L2,
  DESK_SIZE,
  deskOf,
  desks,
  enterGroup,
  find,
  firstUnder,
  HINT_DATA,
  HINT_INSTRUCTIONS,
  hints2,
  inL1D,
  inL1I,
  inL2,
  inL3,
  lines,
  otherHolder,
  ROLE_COUNTS_FROM,
  ROLE_HITS,
  ROLE_L3_MISSES,
  ROLE_REFILLS,
  ROLE_REQUESTS,
  ROLE_SIZE,
  ROLE_VICTIMS,
  ROLE_WRITEBACKS,
  roleOf,
  roots,
  sharersIn,
  stale3,
  states2,
  states3,
  touchGroup,
  ways2,
  ways3,
} from "./sharers";
import { areTruthsIn, areTruthsOf, forgetTruthsIn, giveBytesIn, giveBytesTo, markInstructions } from "./truths";

/** Whether sharers stand for the hash now. */
export let inForce: bool = false;

/** Puts sharers in the place of the hash. False: the state isn't one that this play keeps, and nothing has changed. */
export function takeUp(): bool {
  clearSharers();
  inForce = !linesHeld() || areInOrder();
  return inForce;
}

/** Works sharers and hints out of what caches hold. */
function areInOrder(): bool {
  // Pages of memory that nobody has touched yet had better stay so.
  const isFull = linesHeld() * SPARSE > lines;
  for (let group: u32 = 0; group < groups(); group++) {
    // What others play is empty here.
    if (!ownsOf(group, groupBits)) continue;
    enterGroup(group);
    if (isFull) touchGroup(group);
    for (let core: u32 = 0; core < cores; core++) if (!enlist(core, group)) return false;
    for (let core: u32 = 0; core < cores; core++) if (!isOrderly(core, group)) return false;
    for (let i: u32 = 0; i < roots; i++) if (!isRootOrderly(firstUnder(i), group)) return false;
    if (CARRY && !areTruths(group)) return false;
  }
  // What has to be undone comes last.
  for (let group: u32 = 0; group < groups() && CARRY; group++) {
    enterGroup(group);
    for (let core: u32 = 0; core < cores; core++) markInstructions(core, group);
  }
  return true;
}

/** Whether contents are what coherent accesses leave (truths.ts). */
function areTruths(group: u32): bool {
  for (let i: u32 = 0; i < roots; i++) forgetTruthsIn(firstUnder(i), group);
  for (let core: u32 = 0; core < cores; core++) if (!areTruthsOf(core, group)) return false;
  for (let i: u32 = 0; i < roots; i++) if (!areTruthsIn(firstUnder(i), group)) return false;
  return true;
}

/** Caches that hold less than one in so many of their lines are looked through set by set. */
const SPARSE: u32 = 16;

/** Lines that all L3s hold, and with that all caches there are. */
function linesHeld(): u32 {
  let many: u32 = 0;
  for (let i: u32 = 0; i < roots; i++) many += load<u32>(<usize>load<u32>(firstUnder(i), D_ROOT), N_POPULATION);
  return many;
}

function groups(): u32 {
  return 1 << groupBits;
}

/** A core's lines: each has a place in the L3 (D19), and those of its L1s have one in its L2. */
function enlist(core: u32, group: u32): bool {
  const desk = deskOf(core);
  const l2 = plainL2(core);
  // Then its L1s are empty as well.
  if (!load<u32>(l2, N_POPULATION)) return true;
  const bit = (<u64>1) << load<u32>(desk, D_BIT);
  const sets = load<u32>(l2, N_SETS);
  for (let set = group; set < sets; set += groups()) {
    const r2 = inL2(desk, set);
    for (let ways = waysFilled(r2, ways2); ways; ways &= ways - 1) {
      const way = <usize>ctz(ways);
      const line = load<u32>(r2 + (way << 2));
      const found = find(inL3(desk, line), all3, line);
      if (!found) return false;
      store<u8>(r2 + hints2 + way, <u8>ctz(found));
      const sharers = sharersIn(desk, line) + ((<usize>ctz(found)) << 3);
      store<u64>(sharers, load<u64>(sharers) | bit);
    }
  }
  const c = coreAt(core);
  return (
    hint(desk, <usize>load<u32>(c, C_L1D), HINT_DATA, group) &&
    hint(desk, <usize>load<u32>(c, C_L1I), HINT_INSTRUCTIONS, group)
  );
}

/** Notes at the L2's copies what an L1 holds of them. */
function hint(desk: usize, l1: usize, bit: u32, group: u32): bool {
  const sets = load<u32>(l1, N_SETS);
  const all = load<u32>(l1, N_WAYS);
  const states1 = load<u32>(l1, N_STATES);
  for (let set = group; set < sets; set += groups()) {
    const r1 = bit == HINT_DATA ? inL1D(desk, set) : inL1I(desk, set);
    for (let ways = waysFilled(r1, all); ways; ways &= ways - 1) {
      const way = <usize>ctz(ways);
      const line = load<u32>(r1 + (way << 2));
      const r2 = inL2(desk, line);
      const found = find(r2, all2, line);
      if (!found) return false;
      const at = r2 + hints2 + ctz(found);
      store<u8>(at, load<u8>(at) | <u8>bit);
      // Whoever owns a line in its L1 owns it in its L2.
      const owns = load<u8>(r1 + states1 + way) & <u8>(EXCLUSIVE | DIRTY);
      if (owns && !(load<u8>(r2 + states2 + ctz(found)) & <u8>EXCLUSIVE)) return false;
    }
  }
  return true;
}

/** Whether nobody else holds what a core owns here, and its L3 owns it too (MESI). Accesses that ignore coherence may have seen to that. */
function isOrderly(core: u32, group: u32): bool {
  const desk = deskOf(core);
  const l2 = plainL2(core);
  const bit = (<u64>1) << load<u32>(desk, D_BIT);
  const sets = load<u32>(l2, N_POPULATION) ? load<u32>(l2, N_SETS) : 0;
  for (let set = group; set < sets; set += groups()) {
    const r2 = inL2(desk, set);
    for (let ways = waysFilled(r2, ways2); ways; ways &= ways - 1) {
      const way = <usize>ctz(ways);
      if (!(load<u8>(r2 + states2 + way) & <u8>(EXCLUSIVE | DIRTY))) continue;
      const line = load<u32>(r2 + (way << 2));
      const way3 = <usize>load<u8>(r2 + hints2 + way) & 15;
      if (load<u64>(sharersIn(desk, line) + (way3 << 3)) != bit) return false;
      if (!(load<u8>(inL3(desk, line) + states3 + way3) & <u8>EXCLUSIVE)) return false;
    }
  }
  return true;
}

/** Whether no other L3 holds what an L3 owns. */
function isRootOrderly(desk: usize, group: u32): bool {
  const l3 = <usize>load<u32>(desk, D_ROOT);
  const sets = load<u32>(l3, N_POPULATION) ? load<u32>(l3, N_SETS) : 0;
  for (let set = group; set < sets; set += groups()) {
    const r3 = inL3(desk, set);
    store<u16>(r3 + stale3, 0xffff);
    for (let ways = waysFilled(r3, ways3); ways; ways &= ways - 1) {
      const way = <usize>ctz(ways);
      const owns = load<u8>(r3 + states3 + way) & <u8>(EXCLUSIVE | DIRTY);
      if (owns && otherHolder(desk, r3, load<u32>(r3 + (way << 2)))) return false;
    }
  }
  return true;
}

/** Fills the hash, and what is counted of the L1Is, from the caches again. */
export function giveUp(): void {
  tell();
  inForce = false;
  clearPresence();
  for (let core: u32 = 0; core < cores; core++) store<u32>(plainL2(core), 0, N_POPULATION);
  for (let i: u32 = 0; i < roots; i++) store<u32>(<usize>load<u32>(firstUnder(i), D_ROOT), 0, N_POPULATION);
  for (let group: u32 = 0; group < groups(); group++) {
    if (!ownsOf(group, groupBits)) continue;
    enterGroup(group);
    for (let core: u32 = 0; core < cores; core++) {
      const desk = deskOf(core);
      const l1i = <usize>load<u32>(coreAt(core), C_L1I);
      const l2 = plainL2(core);
      if (CARRY) giveBytesTo(core, group);
      for (let set = group; set < load<u32>(l2, N_SETS); set += groups()) reveal(l2, inL2(desk, set));
      for (let set = group; set < load<u32>(l1i, N_SETS); set += groups()) reveal(l1i, inL1I(desk, set));
    }
    for (let i: u32 = 0; i < roots; i++) {
      const desk = firstUnder(i);
      const l3 = <usize>load<u32>(desk, D_ROOT);
      if (CARRY) giveBytesIn(desk, group);
      for (let set = group; set < load<u32>(l3, N_SETS); set += groups()) reveal(l3, inL3(desk, set));
    }
  }
}

/** The directory hears of the copies of one set. */
function reveal(n: usize, record: usize): void {
  for (let ways = waysFilled(record, load<u32>(n, N_WAYS)); ways; ways &= ways - 1)
    present(n, load<u32>(record + ((<usize>ctz(ways)) << 2)));
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
    for (let op: u32 = OP_LOAD; op <= OP_FETCH; op++) {
      const role = roleOf(core, op);
      many += load<u32>(role, ROLE_REFILLS) - load<u32>(role, ROLE_REQUESTS);
    }
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
  let writebacks: u64 = 0;
  for (let op: u32 = OP_LOAD; op <= OP_FETCH; op++) {
    const role = roleOf(core, op);
    const requests = <u64>load<u32>(role, ROLE_REQUESTS);
    const refills = <u64>load<u32>(role, ROLE_REFILLS) - requests;
    const l1 = op == OP_FETCH ? l1i : l1d;
    countHits(core, op, load<u32>(role, ROLE_HITS));
    countMany(l1, COUNTER_LOADS + op, refills + requests);
    countMany(l1, COUNTER_LOAD_MISSES + op, refills + requests);
    countMany(l2, COUNTER_LOADS + op, refills + requests);
    countMany(l2, COUNTER_LOAD_MISSES + op, requests);
    countMany(l3, COUNTER_LOADS + op, requests);
    countMany(l3, COUNTER_LOAD_MISSES + op, load<u32>(role, ROLE_L3_MISSES));
    countMany(l1, COUNTER_EVICTIONS, load<u32>(role, ROLE_VICTIMS));
    writebacks += load<u32>(role, ROLE_WRITEBACKS);
    memory.fill(role + ROLE_COUNTS_FROM, 0, ROLE_SIZE - ROLE_COUNTS_FROM);
    add(level2, refills);
    // While sharers are in force a population only tells what may hold anything.
    if (requests) {
      store<u32>(l2, 1, N_POPULATION);
      store<u32>(l3, 1, N_POPULATION);
    }
    // The first cacheable data access may have come to it here (D33); an L1D's hit isn't one.
    if (op != OP_FETCH && refills + requests) store<u32>(c, 1, C_ACTIVE);
  }
  add(levels + ((<usize>load<u32>(l3, N_LEVEL)) << 3), load<u32>(desk, D_L3_HITS));
  countMany(l2, COUNTER_EVICTIONS, load<u32>(desk, D_VICTIMS_L2));
  countMany(l1d, COUNTER_BACK_INVALIDATIONS, load<u32>(desk, D_TAKEN_L1D));
  countMany(l1i, COUNTER_BACK_INVALIDATIONS, load<u32>(desk, D_TAKEN_L1I));
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
