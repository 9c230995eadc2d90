// Which record met what: every cost event, supply and miss of a record that wasn't a plain L1 hit, for miss streams and
// profiles. Off unless the host asks; then the run of plain records (run.ts) leaves refills to the general path as well, so
// that a record without an entry is a plain hit in its L1. Nothing here changes what a record does.

import { record } from "./hazard";
import { BASE_L2, basesOf } from "./hits";
import { allocate, cores } from "./layout";

/** An entry: the record's number in bits 47:0, what happened in 55:48, flags above. */
const LEVEL: u64 = 0;
const EVENT: u64 = 16;
const MISSED: u64 = 48;
/** A snoop that supplied the piece, rather than one that took copies away. */
const SUPPLIED: u64 = 1 << 56;
/** For a table walk, not for the record's own access. */
const WALKED: u64 = 1 << 57;

const FIRST_CAPACITY: u32 = 1 << 16;

export let logging: bool = false;
export let entries: usize = 0;
export let entryCount: u32 = 0;
let capacity: u32 = 0;
let walking: u64 = 0;

/** From now on; called once the machine is built. */
export function startLog(): void {
  logging = true;
  capacity = FIRST_CAPACITY;
  entries = allocate((<usize>capacity) << 3, 64);
  for (let core: u32 = 0; core < cores; core++) store<u32>(basesOf(core), 0, BASE_L2);
}

/** The host has taken the entries. */
export function clearLog(): void {
  entryCount = 0;
}

export function logEvent(kind: usize): void {
  append(EVENT + <u64>kind);
}

export function logLevel(level: u32): void {
  append(LEVEL + <u64>level);
}

/** A level was asked for the line and didn't have it. */
export function logMissed(level: u32): void {
  append(MISSED + <u64>level);
}

/** The event that was logged last is what supplied the piece. */
export function logSupplied(): void {
  const at = entries + ((<usize>entryCount - 1) << 3);
  store<u64>(at, load<u64>(at) | SUPPLIED);
}

/** Whether what follows is a table walk's doing. */
export function logWalk(on: bool): void {
  walking = on ? WALKED : 0;
}

function append(what: u64): void {
  if (entryCount == capacity) {
    // One record may touch megabytes. What is left behind is no more than what is in use.
    const grown = allocate((<usize>capacity) << 4, 64);
    memory.copy(grown, entries, (<usize>capacity) << 3);
    entries = grown;
    capacity <<= 1;
  }
  store<u64>(entries + ((<usize>entryCount) << 3), record | (what << 48) | walking);
  entryCount++;
}
