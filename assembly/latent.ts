// Latent hazards (R29): set/way loops that cannot do what they are for (D33), and maintenance that no barrier has completed
// (D34). Nothing has gone wrong yet, so no contents are looked at.

import { fresh, H_LINES, latent, record, recur, setRecord } from "./hazard";
import {
  C_ACTIVE,
  C_MARKABLE,
  C_MARKS,
  C_MIGRATED,
  C_UNMARKED,
  caches,
  coreAt,
  cores,
  indexOf,
  KIND_SYSTEM,
  N_KIND,
  N_SETS,
  N_STATES,
  N_WAYS,
  nodeAt,
} from "./layout";
import { HAZARD_SET_WAY_MIGRATED, HAZARD_SET_WAY_SHORT_OF_POC, HAZARD_SET_WAY_WHILE_SHARED } from "./operations";
import { isFirst, noteLoop, sharded } from "./own";
import { isKnownEmpty } from "./presence";
import { recordOfSet } from "./set";

// ---- latent: set/way loops (D33)

function isShared(core: u32): bool {
  for (let c: u32 = 0; c < cores; c++) if (c != core && load<u32>(coreAt(c), C_ACTIVE)) return true;
  return false;
}

export function setWayRecord(core: u32): void {
  if (isFirst && isShared(core)) latent(HAZARD_SET_WAY_WHILE_SHARED, 0, false);
  if (load<u32>(coreAt(core), C_MIGRATED)) {
    if (isFirst) latent(HAZARD_SET_WAY_MIGRATED, 0, false);
    store<u32>(coreAt(core), 0, C_MIGRATED);
  }
}

/** The same for many records that follow one, of the same core: only who else is active counts, and that they don't change. */
export function setWayRecords(core: u32, first: u64, many: u64): void {
  if (!isFirst || !many || !isShared(core)) return;
  setRecord(first + many - 1);
  const e = latent(HAZARD_SET_WAY_WHILE_SHARED, 0, false);
  if (e) recur(e, many - 1);
}

/** A core's CSW or CISW visited a place; a full loop is judged at once. `place` counts places of the core's loop. */
export function markPlace(core: u32, place: u32): void {
  const c = coreAt(core);
  const at = <usize>load<u32>(c, C_MARKS) + (place >> 3);
  const bit: u8 = 1 << (<u8>(place & 7));
  if (load<u8>(at) & bit) return;
  store<u8>(at, load<u8>(at) | bit);
  const left = load<u32>(c, C_UNMARKED) - 1;
  store<u32>(c, left, C_UNMARKED);
  if (left) return;
  clearMarks(core);
  const dirty = dirtyInSystemCaches();
  if (sharded) {
    noteLoop(record, core, dirty);
    return;
  }
  if (!dirty) return;
  const e = latent(HAZARD_SET_WAY_SHORT_OF_POC, 0, false);
  if (e && (fresh || load<u32>(e, H_LINES) < dirty)) store<u32>(e, dirty, H_LINES);
}

/** Places of the core's loop that are still to be visited. */
export function placesLeft(core: u32): u32 {
  return load<u32>(coreAt(core), C_UNMARKED);
}

/** So many places that follow each other were visited: fewer than are left, so the loop isn't full yet. */
export function markPlaces(core: u32, place: u32, many: u32): void {
  const c = coreAt(core);
  const marks = <usize>load<u32>(c, C_MARKS);
  if (!ASC_NO_ASSERT) assert(many < load<u32>(c, C_UNMARKED), "places of a loop that isn't full");
  const end = place + many;
  let fresh: u32 = 0;
  while (place < end) {
    const word = marks + ((<usize>place >> 6) << 3);
    const bit = place & 63;
    const width = min(64 - bit, end - place);
    const mask = (~(<u64>0) >> (64 - width)) << bit;
    const before = load<u64>(word);
    fresh += <u32>popcnt(mask & ~before);
    store<u64>(word, before | mask);
    place += width;
  }
  store<u32>(c, load<u32>(c, C_UNMARKED) - fresh, C_UNMARKED);
}

function clearMarks(core: u32): void {
  const c = coreAt(core);
  const places = load<u32>(c, C_MARKABLE);
  memory.fill(<usize>load<u32>(c, C_MARKS), 0, (<usize>places + 7) >> 3);
  store<u32>(c, places, C_UNMARKED);
}

export function migrate(from: u32, to: u32): void {
  const c = coreAt(from);
  if (load<u32>(c, C_UNMARKED) == load<u32>(c, C_MARKABLE)) return;
  clearMarks(from);
  store<u32>(coreAt(to), 1, C_MIGRATED);
}

function dirtyInSystemCaches(): u32 {
  let dirty: u32 = 0;
  for (let i: u32 = 0; i < caches; i++) {
    const n = nodeAt(i);
    if (load<u32>(n, N_KIND) == KIND_SYSTEM) dirty += dirtyIn(n);
  }
  return dirty;
}

/** Dirty copies in a cache, now. */
export function dirtyIn(n: usize): u32 {
  if (<u32>indexOf(n) < caches && isKnownEmpty(n)) return 0;
  let dirty: u32 = 0;
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  for (let s: u32 = 0; s < sets; s++) {
    const states = recordOfSet(n, s) + load<u32>(n, N_STATES);
    for (let w: u32 = 0; w < ways; w += 16) {
      // DIRTY is bit 2; what follows the last way's state isn't a state.
      const bits: u32 = i8x16.bitmask(i8x16.shl(v128.load(states + w), 5));
      dirty += popcnt(ways - w < 16 ? bits & ((1 << (ways - w)) - 1) : bits);
    }
  }
  return dirty;
}
