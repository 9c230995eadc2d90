// Pages that some data or unified cache may hold a part of, known for the length of a flush: gathered once from the presence
// directory and the shared roots, when a flush has met so many lines that nobody holds that it pays. Other lines then cost nothing.

import {
  allocate,
  groupBits,
  groupStride,
  INVALID,
  largestShift,
  N_COVERED,
  N_LINE_SHIFT,
  N_SETS,
  N_WAYS,
  presenceBits,
  presenceOffset,
  sharedRoots,
  unitCount,
} from "./layout";
import { isKnownEmpty, unitList } from "./presence";
import { recordOfSet } from "./set";

/** A bit for each page, by a hash of its number: a page that shares its bit with one that is held is looked at in vain. */
const BITS: u32 = 20;
let bits: usize = 0;
let isKnown: bool = false;
/** Pages asked for in vain since the flush began, and how many it takes until gathering pays. */
let vain: u32 = 0;
let enough: u32 = 0;

/** Directory slots, and sets of roots, that are looked at in the time that the lines of one page take. */
const SLOTS_A_PAGE: u32 = 1024;
const SETS_A_PAGE: u32 = 128;

export function beginFlush(): void {
  isKnown = false;
  vain = 0;
  enough = <u32>(((<u64>1) << (presenceBits + groupBits)) / SLOTS_A_PAGE) + 1;
  for (let i: u32 = 0; i < tellers(); i++) {
    const n = teller(i);
    if (tellsItself(n)) enough += load<u32>(n, N_SETS) / SETS_A_PAGE + 1;
  }
}

/** Caches of which the directory doesn't hear, so that they tell themselves what they hold: shared roots, and an only unit's. */
function tellers(): u32 {
  return load<u32>(sharedRoots) + (unitCount == 1 ? load<u32>(unitList(0)) : 0);
}

function teller(i: u32): usize {
  const roots = load<u32>(sharedRoots);
  const list = i < roots ? sharedRoots : unitList(0);
  return <usize>load<u32>(list + 4 + ((<usize>(i < roots ? i : i - roots)) << 2));
}

/** Whether one of them has something to tell that no other has. */
function tellsItself(n: usize): bool {
  return !load<u32>(n, N_COVERED) && !isKnownEmpty(n);
}

/** Whether some cache may hold a part of an address's page. */
export function mayBeHeld(compact: u64): bool {
  if (!isKnown) {
    if (vain < enough) return true;
    gather();
  }
  const bit = bitOf(compact);
  return ((load<u8>(bits + (bit >> 3)) >> <u8>(bit & 7)) & 1) != 0;
}

/** Nobody held a page that somebody might have. */
export function noteVain(): void {
  vain++;
}

/** The flush itself has read here: caches may hold the page from now on. Nothing else that it does brings in a line. */
export function noteHeld(compact: u64): void {
  if (isKnown) note(compact);
}

function bitOf(compact: u64): u32 {
  return (<u32>(compact >> 12) * 0x9e3779b1) >> (32 - BITS);
}

function note(compact: u64): void {
  const bit = bitOf(compact);
  const at = bits + (bit >> 3);
  store<u8>(at, load<u8>(at) | (1 << (<u8>(bit & 7))));
}

function gather(): void {
  const size = (<usize>1) << (BITS - 3);
  if (!bits) bits = allocate(size);
  else memory.fill(bits, 0, size);
  isKnown = true;
  const slots = (<usize>8) << presenceBits;
  for (let g: usize = 0; g < (<usize>1) << groupBits; g++) {
    const table = presenceOffset + g * groupStride;
    for (let at = table; at < table + slots; at += 8) {
      const block = load<u32>(at);
      if (block != INVALID) note((<u64>block) << largestShift);
    }
  }
  for (let i: u32 = 0; i < tellers(); i++) if (tellsItself(teller(i))) noteAll(teller(i));
}

function noteAll(n: usize): void {
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  const shift = load<u32>(n, N_LINE_SHIFT);
  for (let s: u32 = 0; s < sets; s++) {
    const record = recordOfSet(n, s);
    for (let w: u32 = 0; w < ways; w++) {
      const line = load<u32>(record + ((<usize>w) << 2));
      if (line != INVALID) note((<u64>line) << shift);
    }
  }
}
