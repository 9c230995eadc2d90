// One bucket, played on sharers (sharers.ts): plain loads, stores and fetches of one set group, by cores with private L2s under
// their socket's shared cache. Same rules as hits.ts, refill.ts and beyond.ts (D9-D12, D14-D16, D19), same counters; nothing is
// left over, because what this and far.ts can't play isn't dealt while sharers are in force.

import { keepSeen } from "./ahead";
import { playFar, playOdd, storeShared } from "./far";
import { NARROW_ORDER, NARROW_STATES } from "./hits";
import { AS_MEMORY, CARRY, DIRTY, EXCLUSIVE, groupBits, TRUE, VALID } from "./layout";
import { TRUTH, WRITER } from "./memory";
import { OP_LOAD } from "./operations";
import { moveToFront } from "./set";
import {
  coreOf,
  D_VICTIMS,
  D_WRITEBACKS,
  deskOf,
  enterGroup,
  find,
  findL1,
  free1,
  HINT_DATA,
  HINT_INSTRUCTIONS,
  hints2,
  homeIn,
  inL2,
  last1,
  note,
  opOf,
  order2,
  placesOf,
  ROLE_HITS,
  ROLE_REFILLS,
  roleIn,
  states2,
  touches2,
  touchGroup,
  ways2,
} from "./sharers";
import { lineAt, nowhere, saveL2, wordOf, write } from "./truths";

/** A state bit of whatever a line comes into: true, where there are contents (truths.ts). */
export const HELD: u32 = CARRY ? TRUE : 0;

/** Plays `many` records of one group. In builds with contents `numbers` has their numbers (truths.ts). */
export function playPacked(records: usize, many: u32, numbers: usize): void {
  if (!many) return;
  const group = <u32>load<u64>(records) & ((1 << groupBits) - 1);
  enterGroup(group);
  touchGroup(group);
  const end = records + ((<usize>many) << 3);
  for (let from = records; from < end; from += BLOCK << 3) {
    const to = min(from + (BLOCK << 3), end);
    locate(from, to);
    let at = from;
    for (;;) {
      at = playNear(at, to, PLACES + ((at - from) << PLACE_BITS), CARRY ? numbers + ((at - records) >> 1) : 0);
      if (at >= to) break;
      far(load<u64>(at), PLACES + ((at - from) << PLACE_BITS), CARRY ? load<u32>(numbers + ((at - records) >> 1)) : 0);
      at += 8;
    }
  }
}

/** Records whose sets are looked up, and loaded, together: play then waits for none of them. */
const BLOCK: usize = 32;
/** Of each: where its sets are, and, where there are contents, where what it stores goes. */
const PLACES = memory.data(16 * 32, 64);
const P_L2: usize = 4;
const P_WORD: usize = 8;
/** How much larger a place is than a record. */
const PLACE_BITS: usize = CARRY ? 1 : 0;

function locate(from: usize, to: usize): void {
  let place = PLACES;
  let seen: u32 = 0;
  let stores: usize = 0;
  for (let at = from; at < to; at += 8) {
    const places = placesOf(load<u64>(at));
    seen += load<u32>(<usize>places) + load<u32>(<usize>(places >> 32));
    store<u64>(place, places);
    if (CARRY) {
      // No branch: whether a record stores can't be foreseen.
      store<u32>(place, <u32>nowhere, P_WORD);
      store<u32>(STORES + stores, <u32>(at - from));
      stores += (<usize>(opOf(load<u64>(at)) & 1)) << 2;
    }
    place += 8 << PLACE_BITS;
  }
  for (let i: usize = 0; i < stores; i += 4) {
    const after = <usize>load<u32>(STORES + i);
    const to = <u32>wordOf(load<u64>(from + after));
    store<u32>(PLACES + (after << PLACE_BITS), to, P_WORD);
    store<u32>(STORES + i, to);
  }
  // By itself, so that the host has all of these under way together.
  for (let i: usize = 0; i < stores; i += 4) {
    const to = <usize>load<u32>(STORES + i);
    seen += load<u32>(to, TRUTH) + load<u32>(to, WRITER);
  }
  keepSeen(seen);
}

/** In builds with contents, of a block's stores: how far behind its first record they are, and then where they go. */
const STORES = memory.data(4 * 33, 64);

/** What the record behind `playNear` takes is a line that its core's L2 doesn't hold. */
let isBeyond: bool = false;

/**
 * Plays what a core's own caches settle, and nothing more: hits in its L1 and its L2. Returns where the first record is that
 * takes more. Calls nothing (see hits.ts).
 */
function playNear(from: usize, end: usize, place: usize, numbers: usize): usize {
  isBeyond = false;
  let at = from;
  for (; at < end; at += 8, place += 8 << PLACE_BITS, numbers += 4) {
    const word = load<u64>(at);
    const line = <u32>word;
    const isStore = opOf(word) & 1;
    const r1 = <usize>load<u32>(place);
    const role = roleIn(word);
    const found1 = findL1(r1, line);
    if (found1) {
      const way = <u32>ctz(found1);
      const state = <u32>load<u8>(r1 + way, NARROW_STATES);
      // What is outside of a clean copy keeps what it has when that is stored to.
      if (CARRY ? ~state & (TRUE | (isStore * (EXCLUSIVE | DIRTY))) : isStore & ~(state >> 1)) break;
      if (CARRY) write(<usize>load<u32>(place, P_WORD), word, load<u32>(numbers));
      else store<u8>(r1 + way, <u8>(state | (isStore << 2)), NARROW_STATES);
      moveToFront(r1 + NARROW_ORDER, way);
      note(role + ROLE_HITS);
      continue;
    }
    const r2 = <usize>load<u32>(place, P_L2);
    const found2 = find(r2, ways2, line);
    if (!found2) {
      isBeyond = true;
      break;
    }
    const way2 = <u32>ctz(found2);
    const state2 = <u32>load<u8>(r2 + states2 + way2);
    const op = opOf(word);
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
      const to = <usize>load<u32>(place, P_WORD);
      if (isStore) {
        saveL2(r2, way2, lineAt(word, to));
        store<u8>(r2 + states2 + way2, <u8>(state2 & ~(TRUE | AS_MEMORY)));
      }
      write(to, word, load<u32>(numbers));
    }
    store<u8>(hint, load<u8>(hint) | <u8>(HINT_DATA << (op >> 1)));
    note(role + ROLE_REFILLS);
    // The L1's victim.
    const desk = deskOf(coreOf(word));
    const way = wayOfL1(r1);
    const victim = <u32>load<u8>(r1 + way, NARROW_STATES);
    const victims = desk + ((<usize>op & 2) << 2);
    store<u32>(victims, load<u32>(victims, D_VICTIMS) + (victim & VALID), D_VICTIMS);
    if (victim & DIRTY) {
      const gone = load<u32>(r1 + ((<usize>way) << 2));
      const vr = inL2(desk, gone);
      const vWay = <u32>ctz(find(vr, ways2, gone));
      store<u8>(vr + states2 + vWay, load<u8>(vr + states2 + vWay) | <u8>(DIRTY | HELD));
      if (touches2) moveToFront(vr + order2, vWay);
      store<u32>(desk, load<u32>(desk, D_WRITEBACKS) + 1, D_WRITEBACKS);
    }
    const isLoad = <u32>(op == OP_LOAD);
    fillL1(r1, way, line, VALID | HELD | (isStore * (EXCLUSIVE | DIRTY)) | (state2 & (isLoad * EXCLUSIVE)));
  }
  return at;
}

/** A byte without a bit is the lowest that has its top bit in (x - ONES) & ~x & TOPS. */
export const ONES: u64 = 0x0101010101010101;
export const TOPS: u64 = 0x8080808080808080;

/** The way that an L1 fills next: the lowest invalid one, which alone has no state bit, else the least recent (D14). */
export function wayOfL1(r1: usize): u32 {
  const states = load<u32>(r1, NARROW_STATES);
  const free = (states - <u32>ONES) & ~states & free1;
  return free ? <u32>ctz(free) >> 3 : <u32>(load<u64>(r1, NARROW_ORDER) >> last1) & 15;
}

export function fillL1(r1: usize, way: u32, line: u32, state: u32): void {
  store<u32>(r1 + ((<usize>way) << 2), line);
  store<u8>(r1 + way, <u8>state, NARROW_STATES);
  moveToFront(r1 + NARROW_ORDER, way);
}

/** Plays a record that takes more than its core's own caches. */
function far(word: u64, place: usize, offset: u32): void {
  const line = <u32>word;
  const r1 = <usize>load<u32>(place);
  const r2 = <usize>load<u32>(place, P_L2);
  const desk = deskOf(coreOf(word));
  const to = CARRY ? <usize>load<u32>(place, P_WORD) : 0;
  const truth = CARRY ? lineAt(word, to) : 0;
  if (isBeyond) playFar(desk, opOf(word), line, homeIn(word), r1, r2, truth);
  else if (CARRY) playOdd(word, offset, roleIn(word), r1, r2, truth);
  else storeShared(desk, roleIn(word), line, r1, r2);
  if (CARRY) write(to, word, offset);
}
