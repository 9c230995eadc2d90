// One bucket, played on sharers (sharers.ts): plain loads, stores and fetches of one set group, by cores with private L2s under
// their socket's shared cache. Same rules as hits.ts, refill.ts and beyond.ts (D9-D12, D14-D16, D19), same counters; nothing is
// left over, because what this and far.ts can't play isn't dealt while sharers are in force.

import { keepSeen } from "./ahead";
import { own, playOdd, request } from "./far";
import { NARROW_ORDER, NARROW_STATES } from "./hits";
import { AS_MEMORY, CARRY, DIRTY, EXCLUSIVE, TRUE, VALID } from "./layout";
import { TRUTH, WRITER } from "./memory";
import { OP_LOAD } from "./operations";
import { moveToFront } from "./set";
import {
  all2,
  coreIn,
  enterGroup,
  find,
  findL1,
  free1,
  HINT_DATA,
  HINT_INSTRUCTIONS,
  hints2,
  homeIn,
  l2Set,
  last1,
  lineIn,
  note,
  opIn,
  opOf,
  order2,
  PACKED_SIZE,
  partIn,
  placesOf,
  ROLE_HITS,
  ROLE_L2,
  ROLE_REFILLS,
  ROLE_VICTIMS,
  ROLE_WRITEBACKS,
  roleIn,
  states2,
  touches2,
  touchGroup,
  turning1,
} from "./sharers";
import { lineAt, nowhere, saveL2, wordOf, write } from "./truths";

/** A state bit of whatever a line comes into: true, where there are contents (truths.ts). */
export const HELD: u32 = CARRY ? TRUE : 0;

/** Plays the records of one group that lie in so many bytes. In builds with contents `numbers` has their numbers (truths.ts). */
export function playPacked(records: usize, bytes: usize, group: u32, numbers: usize): void {
  if (!bytes) return;
  enterGroup(group);
  if (bytes > FEW * PACKED_SIZE) touchGroup(group);
  const end = records + bytes;
  for (let from = records; from < end; from += BLOCK * PACKED_SIZE) {
    const last = locate(from, min(from + BLOCK * PACKED_SIZE, end), group);
    if (CARRY) locateWords(from, last, numbers + ((from - records) >> 1));
    let entry = playNear(ENTRIES, last);
    while (entry < last) {
      const isPlayed = prepare(entry, homeIn(load<u64>(from + ((entry - ENTRIES) / ENTRY_SIZE) * PACKED_SIZE)));
      entry = playNear(entry + (isPlayed ? ENTRY_SIZE : 0), last);
    }
  }
}

/** So few records wait for less than all of a group's state takes to load. */
const FEW: usize = 256;
/** Records whose sets are looked up, and loaded, together: play then waits for none of them. */
const BLOCK: usize = 32;
/** Of each: where its sets of the L1 and the L2 are, line and role. */
const ENTRY_SIZE: usize = CARRY ? 32 : 16;
const ENTRIES = memory.data(32 * 32, 64);
const E_L2: usize = 4;
const E_LINE: usize = 8;
const E_ROLE: usize = 12;
/** In builds with contents also where what it stores goes, what its number is told by, and which 8 bytes of its line it begins in. */
const E_WORD: usize = 16;
const E_NUMBER: usize = 20;
const E_PART: usize = 24;
/** And of a block's stores: their entries, and then where they go. */
const STORES = memory.data(4 * 33, 64);

/** Returns where the last entry ends. */
function locate(from: usize, to: usize, group: u32): usize {
  let entry = ENTRIES;
  let seen: u32 = 0;
  for (let at = from; at < to; at += PACKED_SIZE) {
    const word = load<u64>(at);
    const role = roleIn(word);
    const places = placesOf(word, role);
    seen += load<u32>(<usize>places) + load<u32>(<usize>(places >> 32));
    store<u64>(entry, places);
    store<u32>(entry, lineIn(word, group), E_LINE);
    store<u32>(entry, <u32>role, E_ROLE);
    entry += ENTRY_SIZE;
  }
  keepSeen(seen);
  return entry;
}

function locateWords(from: usize, last: usize, numbers: usize): void {
  let seen: u32 = 0;
  let stores: usize = 0;
  let at = from;
  for (let entry = ENTRIES; entry < last; entry += ENTRY_SIZE) {
    const word = load<u64>(at);
    // No branch: whether a record stores can't be foreseen.
    store<u32>(entry, <u32>nowhere, E_WORD);
    store<u32>(entry, load<u32>(numbers), E_NUMBER);
    store<u32>(entry, partIn(word), E_PART);
    store<u32>(STORES + stores, <u32>entry);
    stores += (<usize>(opOf(word) & 1)) << 2;
    at += PACKED_SIZE;
    numbers += 4;
  }
  for (let i: usize = 0; i < stores; i += 4) {
    const entry = <usize>load<u32>(STORES + i);
    const to = <u32>wordOf(load<u32>(entry, E_LINE), load<u32>(entry, E_PART));
    store<u32>(entry, to, E_WORD);
    store<u32>(STORES + i, to);
  }
  // By itself, so that the host has all of these under way together.
  for (let i: usize = 0; i < stores; i += 4) {
    const to = <usize>load<u32>(STORES + i);
    seen += load<u32>(to, TRUTH) + load<u32>(to, WRITER);
  }
  keepSeen(seen);
}

/**
 * What the record behind `playNear` takes is a line that its core's L2 doesn't hold. Else it is a store, and
 * the line is shared, or with contents an access of the other kinds that `playOdd` is for.
 */
let isBeyond: bool = false;

/**
 * Plays what a core's own caches settle, and nothing more: hits in its L1 and its L2. Returns where the first record is that
 * takes more; once that is there, it is played as such a hit. Calls nothing (see hits.ts).
 */
function playNear(from: usize, end: usize): usize {
  isBeyond = false;
  let entry = from;
  for (; entry < end; entry += ENTRY_SIZE) {
    const line = load<u32>(entry, E_LINE);
    const r1 = <usize>load<u32>(entry);
    const role = <usize>load<u32>(entry, E_ROLE);
    const op = opIn(role);
    const isStore = op & 1;
    const found1 = findL1(r1, line);
    if (found1) {
      const way = <u32>ctz(found1);
      const state = <u32>load<u8>(r1 + way, NARROW_STATES);
      // What is outside of a clean copy keeps what it has when that is stored to.
      if (CARRY ? ~state & (TRUE | (isStore * (EXCLUSIVE | DIRTY))) : isStore & ~(state >> 1)) break;
      if (CARRY) write(<usize>load<u32>(entry, E_WORD), coreIn(role), load<u32>(entry, E_NUMBER));
      else store<u8>(r1 + way, <u8>(state | (isStore << 2)), NARROW_STATES);
      moveToFront(r1 + NARROW_ORDER, way);
      note(role + ROLE_HITS);
      continue;
    }
    const r2 = <usize>load<u32>(entry, E_L2);
    const found2 = find(r2, all2, line);
    if (!found2) {
      isBeyond = true;
      break;
    }
    const way2 = <u32>ctz(found2);
    const state2 = <u32>load<u8>(r2 + states2 + way2);
    const hint = r2 + hints2 + way2;
    // Where an L2's copy is dirty, its L3's has bytes already.
    if (
      CARRY
        ? (~state2 & (isStore * (EXCLUSIVE | DIRTY))) | (load<u8>(hint) & (HINT_INSTRUCTIONS >> (op >> 1)))
        : isStore & ~(state2 >> 1)
    )
      break;
    moveToFront(r2 + order2, way2);
    if (CARRY) {
      const to = <usize>load<u32>(entry, E_WORD);
      if (isStore) {
        saveL2(r2, way2, lineAt(to, load<u32>(entry, E_PART)));
        store<u8>(r2 + states2 + way2, <u8>(state2 & ~(TRUE | AS_MEMORY)));
      }
      write(to, coreIn(role), load<u32>(entry, E_NUMBER));
    }
    store<u8>(hint, load<u8>(hint) | <u8>(HINT_DATA << (op >> 1)));
    note(role + ROLE_REFILLS);
    replaceL1<Near>(role, r1, line, inL1(op, state2));
  }
  return entry;
}

/** State of a line that comes into an L1 for an operation, from an L2 that has it in this state. */
function inL1(op: u32, state2: u32): u32 {
  const isStore = op & 1;
  const isLoad = <u32>(op == OP_LOAD);
  return VALID | HELD | (isStore * (EXCLUSIVE | DIRTY)) | (state2 & (isLoad * EXCLUSIVE));
}

/** The line in a way of an L1, with this state, goes: to the L2, if it is dirty. */
function evictL1<Caller>(role: usize, r1: usize, way: u32, state: u32): void {
  if (sizeof<Caller>() == sizeof<Anyone>() && !(state & VALID)) return;
  note(role + ROLE_VICTIMS);
  if (!(state & DIRTY)) return;
  const gone = load<u32>(r1 + ((<usize>way) << 2));
  const r2 = l2Set(<usize>load<u32>(role, ROLE_L2), gone);
  const way2 = <u32>ctz(find(r2, all2, gone));
  const at2 = r2 + states2 + way2;
  store<u8>(at2, load<u8>(at2) | <u8>(DIRTY | HELD));
  if (touches2) moveToFront(r2 + order2, way2);
  note(role + ROLE_WRITEBACKS);
}

/** A byte without a bit is the lowest that has its top bit in (x - ONES) & ~x & TOPS. */
export const ONES: u64 = 0x0101010101010101;
export const TOPS: u64 = 0x8080808080808080;

/**
 * A line comes into an L1: into the lowest invalid way, which alone has no state bit, else the least recent (D14), whose line goes.
 * That one is the last in the order, so all others move up.
 */
function replaceL1<Caller>(role: usize, r1: usize, line: u32, state: u32): void {
  const states = load<u32>(r1, NARROW_STATES);
  const order = load<u64>(r1, NARROW_ORDER);
  const free = (states - <u32>ONES) & ~states & free1;
  let way: u32;
  if (free) {
    way = <u32>ctz(free) >> 3;
    moveToFront(r1 + NARROW_ORDER, way);
  } else {
    way = <u32>(order >> last1) & 15;
    evictL1<Caller>(role, r1, way, states >> (way << 3));
    store<u64>(r1, (order & ~turning1) | ((order << 4) & turning1) | way, NARROW_ORDER);
  }
  store<u32>(r1 + ((<usize>way) << 2), line);
  store<u8>(r1 + way, <u8>state, NARROW_STATES);
}

// Compiled twice, so that the one that `playNear` needs becomes part of it: one of `evictL1` looks whether there is a line at all, or
// the two would be found equal, and made one function that both call.
type Near = u8;
type Anyone = u64;

/** The way that an L1 fills next, with what was in it gone. */
export function freeL1(role: usize, r1: usize): u32 {
  const states = load<u32>(r1, NARROW_STATES);
  const free = (states - <u32>ONES) & ~states & free1;
  const way = free ? <u32>ctz(free) >> 3 : <u32>(load<u64>(r1, NARROW_ORDER) >> last1) & 15;
  evictL1<Anyone>(role, r1, way, (states >> (way << 3)) & 255);
  return way;
}

/**
 * Plays a record that takes more than its core's own caches, or sees to it that they have what it needs to be played as a hit. Returns
 * whether it has been played.
 */
function prepare(entry: usize, home: u32): bool {
  const line = load<u32>(entry, E_LINE);
  const role = <usize>load<u32>(entry, E_ROLE);
  const r1 = <usize>load<u32>(entry);
  const r2 = <usize>load<u32>(entry, E_L2);
  if (isBeyond) {
    const outer = request(role, line, home, r2);
    const op = opIn(role);
    // With contents a store that makes a copy dirty is never plain.
    if (CARRY && op & 1) return false;
    note(role + ROLE_REFILLS);
    // The L1's victim goes only now (R36).
    replaceL1<Anyone>(role, r1, line, inL1(op, outer));
    return true;
  }
  if (!CARRY) own(role, line, r1, r2);
  else {
    const to = <usize>load<u32>(entry, E_WORD);
    const part = load<u32>(entry, E_PART);
    const number = load<u32>(entry, E_NUMBER);
    playOdd(role, line, part, number, r1, r2, lineAt(to, part));
    write(to, coreIn(role), number);
    return true;
  }
  return false;
}
