// Trails: what walks of the same 2 MiB read one after the other, above the last level. Each address hangs on the descriptor before,
// so a walk waits for every read; a trail remembers where in the L1D they were and what they said, and all of it is compared at
// once. If nothing has changed the reads have happened: they count and age as hits of the L1D, which is what they are (D51).

import { held } from "./bytes";
import { inForce } from "./handover";
import { distrust } from "./hierarchy";
import { allocate, C_ACTIVE, C_L1D, coreAt, TRUE } from "./layout";
import { countMany, events, levelHits, machineCountMany } from "./memory";
import { logging } from "./miss-log";
import { COUNTER_LOADS, EVENT_WALK, MACHINE_WALK_READS } from "./operations";
import { plainRecord, plainWay } from "./plain";
import { registerEpoch } from "./registers";
import { moveToFront } from "./set";
import { S_ORDER, S_SHIFT, shapesAt, stateIn, truthIn } from "./shape";

/** Walks with the same bits above these share a trail: what a table of level 3 spans. */
export const TRAIL_SHIFT: u64 = 21;
/** The level of that table. */
export const LAST_LEVEL: u32 = 3;

export const STAGE_1: u32 = 1;
export const STAGE_2: u32 = 2;

// ---- one read: where the line's tag, state and order are in the L1D's set, the tag, the way, how many reads it stands for; where the
// descriptor lies, and what it was
const R_TAG: usize = 0;
const R_STATE: usize = 4;
const R_ORDER: usize = 8;
const R_LINE: usize = 12;
const R_AT: usize = 16;
const R_WAY: usize = 20;
const R_TIMES: usize = 22;
const R_VALUE: usize = 24;
const READ: usize = 32;

/** The reads of the walk that goes on, as far as they were plain. */
const WALKED_MAX: u32 = 32;
const WALKED = memory.data(32 * 32, 64);
let walked: u32 = 0;

// ---- a trail: whose, of which 2 MiB, of what registers; how many reads it keeps, and how many were made; what it leads to, which
// is the owner's; reads
const T_KEY: usize = 0;
const T_CORE: usize = 8;
const T_EPOCH: usize = 12;
const T_KEPT: usize = 16;
const T_READS: usize = 20;
/** Address of the last table, or of the last entry; where that table lies, and what it is read with; what those above forbid. */
export const T_TABLE: usize = 24;
export const T_PHYSICAL: usize = 32;
export const T_CODE: usize = 40;
export const T_FORBIDDEN: usize = 44;
const T_FIRST: usize = 48;
/** Three tables above the last of stage 1, and the four addresses of these in four levels of stage 2 each. */
const READS_MAX: u32 = 19;
const TRAIL: usize = 704;
/** By a hash: a trail is forgotten where another takes its place. */
const TRAILS_BITS: u32 = 8;
let trails: usize = 0;

export function beginWalk(): void {
  walked = 0;
}

/** So many reads are behind the walk. */
export function walkedSoFar(): u32 {
  return walked;
}

/** A descriptor was read by a plain load, whose line its core's L1D has now. */
export function noteRead(core: u32, compact: u64, value: u64): void {
  if (walked >= WALKED_MAX) return;
  const read = WALKED + <usize>walked * READ;
  walked++;
  const shape = shapesAt(core);
  const shift = load<u32>(shape, S_SHIFT);
  store<u32>(read, <u32>plainRecord + (plainWay << 2), R_TAG);
  store<u32>(read, <u32>stateIn(shape, plainRecord, plainWay), R_STATE);
  store<u32>(read, <u32>plainRecord + load<u32>(shape, S_ORDER), R_ORDER);
  store<u32>(read, <u32>(compact >> shift), R_LINE);
  store<u16>(read, <u16>plainWay, R_WAY);
  store<u16>(read, 1, R_TIMES);
  store<u32>(read, <u32>(truthIn(shape, plainRecord, plainWay) + held(<usize>compact & ((1 << shift) - 1))), R_AT);
  store<u64>(read, value, R_VALUE);
}

/** A descriptor was read in another way: no trail has it. */
export function breakTrail(): void {
  walked = WALKED_MAX;
}

function trailAt(stage: u32, core: u32, key: u64): usize {
  const hash = (<u32>key ^ (core << 20) ^ (stage << 27)) * 0x9e3779b1;
  return trails + <usize>(hash >> (32 - TRAILS_BITS)) * TRAIL;
}

/** What tells a trail from all others in its place, but for its core. */
function nameOf(stage: u32, key: u64): u64 {
  return key | ((<u64>stage) << 60);
}

/**
 * Keeps what was read from a number of reads on. Returns the trail, for the owner to write where it leads to, or 0. Of several reads of
 * one descriptor the last alone is kept, which leaves a set's order as all of them do.
 */
export function keepTrail(stage: u32, core: u32, address: u64, from: u32): usize {
  if (walked >= WALKED_MAX || walked - from > READS_MAX) return 0;
  if (!trails) trails = allocate(TRAIL << TRAILS_BITS, 64);
  const key = address >> TRAIL_SHIFT;
  const trail = trailAt(stage, core, key);
  store<u64>(trail, nameOf(stage, key), T_KEY);
  store<u32>(trail, core, T_CORE);
  store<u32>(trail, registerEpoch, T_EPOCH);
  let reads: u32 = 0;
  let to = trail + T_FIRST;
  const end = WALKED + <usize>walked * READ;
  for (let read = WALKED + <usize>from * READ; read < end; read += READ) {
    reads += load<u16>(read, R_TIMES);
    if (isReadAgain(read, end)) continue;
    memory.copy(to, read, READ);
    store<u16>(to, 1, R_TIMES);
    to += READ;
  }
  store<u32>(trail, <u32>((to - trail - T_FIRST) / READ), T_KEPT);
  store<u32>(trail, reads, T_READS);
  return trail;
}

/** Whether a descriptor is read once more behind a read. */
function isReadAgain(read: usize, end: usize): bool {
  for (let later = read + READ; later < end; later += READ)
    if (load<u32>(later, R_AT) == load<u32>(read, R_AT)) return true;
  return false;
}

/** The trail that an address may have; nobody has looked whether its reads would be the same. */
export function likelyTrail(stage: u32, core: u32, address: u64): usize {
  if (!trails) return 0;
  const key = address >> TRAIL_SHIFT;
  const trail = trailAt(stage, core, key);
  if (load<u64>(trail, T_KEY) != nameOf(stage, key)) return 0;
  return load<u32>(trail, T_CORE) == core && load<u32>(trail, T_EPOCH) == registerEpoch ? trail : 0;
}

/** The trail of an address, if there is one and each read of it would be the same again: then they all have been made. Else 0. */
export function followTrail(stage: u32, core: u32, address: u64): usize {
  // While sharers are in force L1Ds have what has been played, not what has been dealt.
  if (distrust || logging || inForce) return 0;
  const trail = likelyTrail(stage, core, address);
  if (!trail || !follow(trail)) return 0;
  const many = readsOf(trail);
  const l1d = <usize>load<u32>(coreAt(core), C_L1D);
  machineCountMany(MACHINE_WALK_READS, many);
  events(EVENT_WALK, many);
  countMany(l1d, COUNTER_LOADS, many);
  levelHits(l1d, many);
  store<u32>(coreAt(core), 1, C_ACTIVE);
  // Those of stage 2 may be part of a longer trail.
  if (stage == STAGE_2) goOn(trail);
  return trail;
}

/** How many reads a trail stands for. */
export function readsOf(trail: usize): u32 {
  return load<u32>(trail, T_READS);
}

/** Whether each read of a trail would be the same again: then they all have been made, but for being counted. */
export function follow(trail: usize): bool {
  const kept = load<u32>(trail, T_KEPT);
  const end = trail + T_FIRST + <usize>kept * READ;
  let differing: u64 = 0;
  let moved: u32 = 0;
  let state: u32 = TRUE;
  for (let read = trail + T_FIRST; read < end; read += READ) {
    differing |= <u64>(load<u32>(<usize>load<u32>(read, R_TAG)) ^ load<u32>(read, R_LINE));
    differing |= load<u64>(<usize>load<u32>(read, R_AT)) ^ load<u64>(read, R_VALUE);
    state &= load<u8>(<usize>load<u32>(read, R_STATE));
    moved |= load<u8>(<usize>load<u32>(read, R_ORDER)) ^ load<u8>(read, R_WAY);
  }
  if (differing || !state) return false;
  // Mostly they are the last that were touched in their sets: that is cheaper to ask than to do again.
  if (!(moved & 15)) return true;
  for (let read = trail + T_FIRST; read < end; read += READ) {
    const order = <usize>load<u32>(read, R_ORDER);
    const way = load<u8>(read, R_WAY);
    if ((load<u8>(order) ^ way) & 15) moveToFront(order, way);
  }
  return true;
}

/** The reads of a trail are part of the walk that goes on. */
function goOn(trail: usize): void {
  const kept = load<u32>(trail, T_KEPT);
  if (walked + kept >= WALKED_MAX) {
    walked = WALKED_MAX;
    return;
  }
  const from = WALKED + <usize>walked * READ;
  memory.copy(from, trail + T_FIRST, <usize>kept * READ);
  // The reads that none is kept of go with the first.
  store<u16>(from, <u16>(load<u32>(trail, T_READS) - kept + 1), R_TIMES);
  walked += kept;
}

/** What the last read of a trail was. */
export function lastOfTrail(trail: usize): u64 {
  return load<u64>(trail + T_FIRST + <usize>(load<u32>(trail, T_KEPT) - 1) * READ, R_VALUE);
}
