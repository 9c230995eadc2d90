// What takes more than a core's own caches in a bucket that is played on sharers (bucket.ts): its socket's L3, other cores' copies,
// other sockets, memory, and the victims of all three levels.

import { noteMiss } from "./ahead";
import { freeL1, HELD, ONES, TOPS } from "./bucket";
import { NARROW_ORDER, NARROW_STATES } from "./hits";
import { CARRY, DIRTY, EXCLUSIVE, INVALID, largestShift, TRUE, VALID } from "./layout";
import { homeOf, machineCount } from "./memory";
import {
  COUNTER_BACK_INVALIDATIONS,
  COUNTER_EVICTIONS,
  COUNTER_INVALIDATIONS,
  COUNTER_SNOOPS_IN,
  COUNTER_UPGRADES,
  COUNTER_WRITEBACKS_OUT,
  MACHINE_CROSSINGS,
  MACHINE_MEMORY_WRITES,
  OP_FETCH,
} from "./operations";
import { moveToFront } from "./set";
import {
  all2,
  all3,
  coreIn,
  D_BIT,
  D_COUNTERS_L1D,
  D_COUNTERS_L1I,
  D_COUNTERS_L2,
  D_COUNTERS_L3,
  D_FIRST,
  D_L3,
  D_L3_HITS,
  D_READS,
  D_READS_FAR,
  D_SNOOPS,
  D_SNOOPS_FAR,
  D_SOCKET,
  D_TAKEN_L1D,
  D_TAKEN_L1I,
  D_VICTIMS_L2,
  D_WRITEBACKS_FAR,
  D_WRITEBACKS_L2,
  deskIn,
  deskOf,
  find,
  findL1,
  firstUnder,
  HINT_DATA,
  HINT_INSTRUCTIONS,
  hints2,
  holder,
  holderWay,
  inL1D,
  inL1I,
  inL2,
  inL3,
  note,
  opIn,
  order2,
  order3,
  otherHolder,
  ROLE_HITS,
  ROLE_L3_MISSES,
  ROLE_REFILLS,
  ROLE_REQUESTS,
  roots,
  sharersIn,
  stale3,
  states2,
  states3,
  touches3,
  ways2,
  ways3,
} from "./sharers";
import { fetchFromL1I, fetchFromL2, mark, save, saveInstructions, writeLine } from "./truths";

function countAt(counters: usize, counter: usize): void {
  const at = counters + (counter << 3);
  store<u64>(at, load<u64>(at) + 1);
}

/** The way that an L2 or L3 fills next (D14). */
function wayOf(r: usize, ways: u32, states: usize, order: usize): u32 {
  for (let first: u32 = 0; first < ways; first += 8) {
    const here = load<u64>(r + states + first);
    const free = (here - ONES) & ~here & TOPS;
    if (!free) continue;
    const way = first + (<u32>ctz(free) >> 3);
    if (way < ways) return way;
  }
  return <u32>(load<u64>(r + order) >> ((ways - 1) << 2)) & 15;
}

/**
 * An access that its core's L1 or L2 answers, but not plainly: a store that makes a copy dirty, a line that both of its L1s may hold,
 * a copy that may be old. In builds with contents only; `part` says which 8 bytes of the line, `number` what its
 * number is told by, `truth` where the line lies.
 */
export function playOdd(role: usize, line: u32, part: u32, number: u32, r1: usize, r2: usize, truth: usize): void {
  const desk = deskIn(role);
  const op = opIn(role);
  const core = coreIn(role);
  const found1 = findL1(r1, line);
  const way2 = <u32>ctz(find(r2, all2, line));
  if (op == OP_FETCH) {
    const way = found1 ? <u32>ctz(found1) : fetchIn(role, line, r1, r2, way2);
    const state = found1 ? <u32>load<u8>(r1 + way, NARROW_STATES) : VALID | (load<u8>(r2 + states2 + way2) & TRUE);
    fillL1(r1, way, line, state);
    note(role + (found1 ? ROLE_HITS : ROLE_REFILLS));
    if (state & TRUE) return;
    if (found1) fetchFromL1I(core, line, part, number, r1, way);
    else fetchFromL2(core, line, part, number, r2, way2, r1, way);
    return;
  }
  const held = saveInstructions(core, line, op & 1 ? truth : 0);
  const isOwned = (load<u8>(r2 + states2 + way2) & <u8>EXCLUSIVE) != 0;
  let way: u32 = 0;
  let state: u32 = 0;
  if (found1) {
    way = <u32>ctz(found1);
    state = <u32>load<u8>(r1 + way, NARROW_STATES) & ~TRUE;
    if (op & ~(state >> 1) & 1) countAt(<usize>load<u32>(desk, D_COUNTERS_L1D), COUNTER_UPGRADES);
    note(role + ROLE_HITS);
  } else {
    moveToFront(r2 + order2, way2);
    const hint = r2 + hints2 + way2;
    store<u8>(
      hint,
      (load<u8>(hint) & ~(<u8>HINT_INSTRUCTIONS)) | <u8>(held ? HINT_DATA : HINT_DATA | HINT_INSTRUCTIONS),
    );
    if (op & 1 && !isOwned) countAt(<usize>load<u32>(desk, D_COUNTERS_L2), COUNTER_UPGRADES);
    state = VALID | (isOwned ? EXCLUSIVE : 0);
    note(role + ROLE_REFILLS);
  }
  if (op & 1) {
    if (!isOwned) climb(desk, line, r2, way2);
    save(desk, line, r2, way2, truth);
    state |= EXCLUSIVE | DIRTY;
  }
  if (!found1) way = freeL1(role, r1);
  fillL1(r1, way, line, state | held);
}

/** A line comes into a way of an L1. */
function fillL1(r1: usize, way: u32, line: u32, state: u32): void {
  store<u32>(r1 + ((<usize>way) << 2), line);
  store<u8>(r1 + way, <u8>state, NARROW_STATES);
  moveToFront(r1 + NARROW_ORDER, way);
}

/** A way of an L1I is free for a line that the L2 holds. What its core's L1D holds of it is marked. */
function fetchIn(role: usize, line: u32, r1: usize, r2: usize, way2: u32): u32 {
  moveToFront(r2 + order2, way2);
  const inner = inL1D(deskIn(role), line);
  const found = findL1(inner, line);
  if (found) mark(inner, ctz(found));
  const hint = r2 + hints2 + way2;
  store<u8>(
    hint,
    (load<u8>(hint) & ~(<u8>HINT_DATA)) | <u8>(found ? HINT_DATA | HINT_INSTRUCTIONS : HINT_INSTRUCTIONS),
  );
  return freeL1(role, r1);
}

/** A store to a line that its core's L1, or only its L2, has shared: the core gets to own it there. */
export function own(role: usize, line: u32, r1: usize, r2: usize): void {
  const desk = deskIn(role);
  const found1 = findL1(r1, line);
  const way2 = <u32>ctz(find(r2, all2, line));
  countAt(<usize>load<u32>(desk + (found1 ? D_COUNTERS_L1D : D_COUNTERS_L2)), COUNTER_UPGRADES);
  if (!(load<u8>(r2 + states2 + way2) & <u8>EXCLUSIVE)) climb(desk, line, r2, way2);
  if (!found1) return;
  const at1 = r1 + NARROW_STATES + <usize>ctz(found1);
  store<u8>(at1, load<u8>(at1) | <u8>EXCLUSIVE);
}

/** Empties a way of a set. */
function empty(r: usize, states: usize, way: u32): void {
  store<u32>(r + ((<usize>way) << 2), INVALID);
  store<u8>(r + states + way, 0);
}

/** Dirty bytes land in a way of a set. */
function land(r: usize, states: usize, order: usize, way: u32, touches: bool): void {
  store<u8>(r + states + way, load<u8>(r + states + way) | <u8>(DIRTY | HELD));
  if (touches) moveToFront(r + order, way);
}

/** A store makes its L2's shared copy the only one (docs/semantics.md). */
function climb(desk: usize, line: u32, r2: usize, way2: u32): void {
  const way3 = <usize>load<u8>(r2 + hints2 + way2) & 15;
  const sharers = sharersIn(desk, line) + (way3 << 3);
  const bit = (<u64>1) << load<u32>(desk, D_BIT);
  const near = load<u64>(sharers) & ~bit;
  if (near) takeAll(desk, desk, near, line, true);
  store<u64>(sharers, bit);
  const r3 = inL3(desk, line);
  const at3 = r3 + states3 + way3;
  const isFar = !(load<u8>(at3) & <u8>EXCLUSIVE) && takeOutside(desk, r3, line);
  const at2 = r2 + states2 + way2;
  store<u8>(at2, load<u8>(at2) | <u8>EXCLUSIVE);
  store<u8>(at3, load<u8>(at3) | <u8>EXCLUSIVE);
  if (isFar) note(desk + D_SNOOPS_FAR);
  else if (near) note(desk + D_SNOOPS);
}

/** Copies of a socket's cores go, snooped by another's store or with their L3's (D19). Returns the bits of all their states. */
function takeAll(who: usize, there: usize, sharers: u64, line: u32, snooped: bool): u32 {
  let states: u32 = 0;
  for (; sharers; sharers &= sharers - 1)
    states |= take(who, deskOf(load<u32>(there, D_FIRST) + <u32>ctz(sharers)), line, snooped);
  return states;
}

function take(who: usize, desk: usize, line: u32, snooped: bool): u32 {
  const r2 = inL2(desk, line);
  const way2 = <u32>ctz(find(r2, all2, line));
  const hint = <u32>load<u8>(r2 + hints2 + way2);
  let states = <u32>load<u8>(r2 + states2 + way2);
  const isFar = load<u32>(who, D_SOCKET) != load<u32>(desk, D_SOCKET);
  if (hint & HINT_DATA) {
    const inner = takeFrom(inL1D(desk, line), line);
    if (inner) countTaken(<usize>load<u32>(desk, D_COUNTERS_L1D), snooped, isFar);
    states |= inner;
  }
  if (hint & HINT_INSTRUCTIONS && takeFrom(inL1I(desk, line), line))
    countAt(<usize>load<u32>(desk, D_COUNTERS_L1I), COUNTER_BACK_INVALIDATIONS);
  countTaken(<usize>load<u32>(desk, D_COUNTERS_L2), snooped, isFar);
  empty(r2, states2, way2);
  return states;
}

function countTaken(counters: usize, snooped: bool, isFar: bool): void {
  countAt(counters, snooped ? COUNTER_INVALIDATIONS : COUNTER_BACK_INVALIDATIONS);
  if (!snooped) return;
  countAt(counters, COUNTER_SNOOPS_IN);
  if (isFar) machineCount(MACHINE_CROSSINGS);
}

/** Empties an L1's place of a line. Returns its state, 0 if it isn't there. */
function takeFrom(r1: usize, line: u32): u32 {
  const found = findL1(r1, line);
  if (!found) return 0;
  const way = <u32>ctz(found);
  const state = <u32>load<u8>(r1 + way, NARROW_STATES);
  empty(r1, NARROW_STATES, way);
  return state;
}

/** A core is asked for a line that it may own, and owns no longer. Returns the bits before. */
function ask(who: usize, desk: usize, line: u32): u32 {
  const r2 = inL2(desk, line);
  const way2 = <usize>ctz(find(r2, all2, line));
  const isFar = load<u32>(who, D_SOCKET) != load<u32>(desk, D_SOCKET);
  const outer = loseIn(r2 + states2 + way2, <usize>load<u32>(desk, D_COUNTERS_L2), isFar);
  // What its L1D had newer, it has now as well (D11).
  if (CARRY) store<u8>(r2 + states2 + way2, load<u8>(r2 + states2 + way2) | <u8>TRUE);
  if (!(load<u8>(r2 + hints2 + way2) & <u8>HINT_DATA)) return outer;
  const r1 = inL1D(desk, line);
  const found = findL1(r1, line);
  return found
    ? outer | loseIn(r1 + NARROW_STATES + <usize>ctz(found), <usize>load<u32>(desk, D_COUNTERS_L1D), isFar)
    : outer;
}

/** The same of a socket's only core that holds the line: two or more have it shared (MESI). */
function askSole(who: usize, there: usize, sharers: u64, line: u32): u32 {
  return popcnt(sharers) == 1 ? ask(who, deskOf(load<u32>(there, D_FIRST) + <u32>ctz(sharers)), line) : 0;
}

function loseIn(at: usize, counters: usize, isFar: bool): u32 {
  const state = <u32>load<u8>(at);
  if (!(state & (EXCLUSIVE | DIRTY))) return state;
  countAt(counters, COUNTER_SNOOPS_IN);
  if (isFar) machineCount(MACHINE_CROSSINGS);
  store<u8>(at, <u8>(state & ~(EXCLUSIVE | DIRTY)));
  return state;
}

// ---- other sockets (D12)

/** Dirty bytes found beyond the interconnect go home, counted at the L3 above them. */
function writeHome(who: usize, root: usize, line: u32): void {
  countAt(<usize>load<u32>(root, D_COUNTERS_L3), COUNTER_WRITEBACKS_OUT);
  write(who, line);
}

/** A dirty line reaches memory, on behalf of a core. */
function write(who: usize, line: u32): void {
  note(who + D_WRITEBACKS_FAR);
  if (homeOf((<u64>line) << largestShift) != load<u32>(who, D_SOCKET)) machineCount(MACHINE_CROSSINGS);
  machineCount(MACHINE_MEMORY_WRITES);
  if (CARRY) writeLine(line);
}

function snoopRoot(root: usize): void {
  countAt(<usize>load<u32>(root, D_COUNTERS_L3), COUNTER_SNOOPS_IN);
  machineCount(MACHINE_CROSSINGS);
}

/** Whether a label that isn't EXCLUSIVE may not be exact. */
function isStale(r3: usize, way: u32): bool {
  return ((load<u16>(r3 + stale3) >> way) & 1) != 0;
}

/** A label is exact from now on. */
function trust(r3: usize, way: u32): void {
  const stale = <u32>load<u16>(r3 + stale3);
  store<u16>(r3 + stale3, <u16>(stale & ~(1 << way)));
}

/** An L3 lets go of a line that others may hold: their labels need no longer be exact. */
function distrustOthers(desk: usize, r3: usize, line: u32): void {
  const own = <usize>load<u32>(desk, D_L3);
  for (let i: u32 = 0; i < roots; i++) {
    const record = r3 + (<usize>load<u32>(firstUnder(i), D_L3) - own);
    if (record == r3) continue;
    store<u16>(record + stale3, load<u16>(record + stale3) | <u16>find(record, all3, line));
  }
}

/** A store takes every copy of other sockets away. Returns whether there was one. */
function takeOutside(who: usize, own3: usize, line: u32): bool {
  let any = false;
  for (;;) {
    const r3 = otherHolder(who, own3, line);
    if (!r3) return any;
    any = true;
    const root = holder;
    const way = <usize>holderWay;
    const sharers = sharersIn(root, line) + (way << 3);
    const states = <u32>load<u8>(r3 + states3 + way) | takeAll(who, root, load<u64>(sharers), line, true);
    store<u64>(sharers, 0);
    snoopRoot(root);
    countAt(<usize>load<u32>(root, D_COUNTERS_L3), COUNTER_INVALIDATIONS);
    empty(r3, states3, <u32>way);
    if (states & DIRTY) writeHome(who, root, line);
  }
  return any;
}

/** A load or fetch is supplied by other sockets: owners lose what makes them owners. */
function askOutside(who: usize, root: usize, r3: usize, way: usize, line: u32): void {
  const at = r3 + states3 + way;
  const state = <u32>load<u8>(at);
  // Whoever owns the line is its only holder inside, and its L3 owns it too: without that nobody does.
  if (!(state & (EXCLUSIVE | DIRTY))) {
    snoopRoot(root);
    return;
  }
  const inside = askSole(who, root, load<u64>(sharersIn(root, line) + (way << 3)), line);
  snoopRoot(root);
  store<u8>(at, <u8>((state & ~(EXCLUSIVE | DIRTY)) | HELD));
  if ((state | inside) & DIRTY) writeHome(who, root, line);
}

// ---- requests to the L3

/**
 * A line that its core's L2 doesn't hold comes into that one's record r2, whose victim goes; `home` is its memory's socket. The L1 is
 * the caller's affair, which gets the L2's state.
 */
export function request(role: usize, line: u32, home: u32, r2: usize): u32 {
  const desk = deskIn(role);
  const op = opIn(role);
  noteMiss();
  note(role + ROLE_REQUESTS);
  const way2 = freeL2(desk, r2);
  const r3 = inL3(desk, line);
  const found3 = find(r3, all3, line);
  let got2: u32 = VALID | HELD | EXCLUSIVE;
  let way3: u32 = 0;
  if (!found3) {
    // It comes from another socket, or from memory.
    note(role + ROLE_L3_MISSES);
    const other = otherHolder(desk, r3, line);
    const root = holder;
    const there = <usize>holderWay;
    way3 = freeL3(desk, r3, line);
    if (other) {
      if (op & 1) takeOutside(desk, r3, line);
      else {
        askOutside(desk, root, other, there, line);
        got2 = VALID | HELD;
      }
      note(desk + D_SNOOPS_FAR);
    } else note(desk + (home != load<u32>(desk, D_SOCKET) ? D_READS_FAR : D_READS));
    trust(r3, way3);
    store<u32>(r3 + ((<usize>way3) << 2), line);
    store<u8>(r3 + states3 + way3, <u8>got2);
    moveToFront(r3 + order3, way3);
    store<u64>(sharersIn(desk, line) + ((<usize>way3) << 3), (<u64>1) << load<u32>(desk, D_BIT));
  } else {
    way3 = <u32>ctz(found3);
    const label = <u32>load<u8>(r3 + states3 + way3);
    const holders = sharersIn(desk, line) + ((<usize>way3) << 3);
    const sharers = load<u64>(holders);
    const isOwn = label & EXCLUSIVE;
    // Shared already, and whoever has it needn't be asked: nobody owns it (MESI), and a root's label is exact (D10).
    if (!(op & 1) && (isOwn ? popcnt(sharers) != 1 : !isStale(r3, way3))) {
      if (!ASC_NO_ASSERT)
        assert(isOwn || otherHolder(desk, r3, line), "a label that isn't EXCLUSIVE is exact, unless it is stale");
      moveToFront(r3 + order3, way3);
      store<u64>(holders, sharers | ((<u64>1) << load<u32>(desk, D_BIT)));
      note(desk + D_L3_HITS);
      got2 = VALID | HELD | (sharers ? 0 : isOwn);
      if (CARRY) store<u8>(r3 + states3 + way3, <u8>(label | HELD));
    } else got2 = share(desk, op, line, r3, way3, holders);
  }
  store<u32>(r2 + ((<usize>way2) << 2), line);
  store<u8>(r2 + states2 + way2, <u8>got2);
  moveToFront(r2 + order2, way2);
  store<u8>(r2 + hints2 + way2, <u8>(way3 | (HINT_DATA << (op >> 1))));
  return got2;
}

/** A way of the L3 holds the line: other copies are asked, or taken away. Returns the L2's state. */
function share(desk: usize, op: u32, line: u32, r3: usize, way3: u32, holders: usize): u32 {
  moveToFront(r3 + order3, way3);
  const at3 = r3 + states3 + way3;
  let label = <u32>load<u8>(at3);
  const sharers = load<u64>(holders);
  const bit = (<u64>1) << load<u32>(desk, D_BIT);
  const isStore = (op & 1) != 0;
  let states: u32 = 0;
  let got2: u32 = VALID | HELD | EXCLUSIVE;
  let isFar = false;
  if (isStore) {
    if (sharers) states = takeAll(desk, desk, sharers, line, true);
    if (!(label & EXCLUSIVE)) {
      countAt(<usize>load<u32>(desk, D_COUNTERS_L3), COUNTER_UPGRADES);
      isFar = takeOutside(desk, r3, line);
      label |= EXCLUSIVE;
    }
    store<u64>(holders, bit);
  } else {
    // Whoever owns the line inside, its L3 owns it too.
    if (label & EXCLUSIVE) states = askSole(desk, desk, sharers, line);
    else if (isStale(r3, way3)) {
      trust(r3, way3);
      if (!otherHolder(desk, r3, line)) label |= EXCLUSIVE;
    }
    got2 = VALID | HELD | (sharers ? 0 : label & EXCLUSIVE);
    store<u64>(holders, sharers | bit);
  }
  store<u8>(at3, <u8>(label | (states & DIRTY) | HELD));
  if (states & (EXCLUSIVE | DIRTY)) note(desk + D_SNOOPS);
  else {
    note(desk + D_L3_HITS);
    if (isFar) note(desk + D_SNOOPS_FAR);
    else if (isStore && sharers) note(desk + D_SNOOPS);
  }
  return got2;
}

/** The way that the core's L2 fills next, with what was in it gone (D14, D15). */
function freeL2(desk: usize, r2: usize): u32 {
  const way = wayOf(r2, ways2, states2, order2);
  let states = <u32>load<u8>(r2 + states2 + way);
  if (!(states & VALID)) return way;
  const line = load<u32>(r2 + ((<usize>way) << 2));
  const hint = <u32>load<u8>(r2 + hints2 + way);
  note(desk + D_VICTIMS_L2);
  if (hint & HINT_DATA) {
    const inner = takeFrom(inL1D(desk, line), line);
    if (inner) note(desk + D_TAKEN_L1D);
    states |= inner;
  }
  if (hint & HINT_INSTRUCTIONS && takeFrom(inL1I(desk, line), line)) note(desk + D_TAKEN_L1I);
  empty(r2, states2, way);
  const way3 = hint & 15;
  const sharers = sharersIn(desk, line) + ((<usize>way3) << 3);
  store<u64>(sharers, load<u64>(sharers) & ~((<u64>1) << load<u32>(desk, D_BIT)));
  if (states & DIRTY) {
    note(desk + D_WRITEBACKS_L2);
    const r3 = inL3(desk, line);
    land(r3, states3, order3, way3, touches3);
  }
  return way;
}

/** The same for the L3, whose victim leaves the cores inside as well (D19). */
function freeL3(desk: usize, r3: usize, wanted: u32): u32 {
  const way = wayOf(r3, ways3, states3, order3);
  let states = <u32>load<u8>(r3 + states3 + way);
  if (!(states & VALID)) return way;
  const line = load<u32>(r3 + ((<usize>way) << 2));
  const counters = <usize>load<u32>(desk, D_COUNTERS_L3);
  countAt(counters, COUNTER_EVICTIONS);
  // Its set is the wanted line's.
  const sharers = load<u64>(sharersIn(desk, wanted) + ((<usize>way) << 3));
  if (!(states & EXCLUSIVE)) distrustOthers(desk, r3, line);
  if (sharers) states |= takeAll(desk, desk, sharers, line, false);
  if (states & DIRTY) {
    countAt(counters, COUNTER_WRITEBACKS_OUT);
    write(desk, line);
  }
  return way;
}
