// Latent hazards (R29): set/way loops that cannot do what they are for (D33), and maintenance that no barrier has completed
// (D34). Nothing has gone wrong yet, so no contents are looked at.

import { fresh, H_LINES, latent, record } from "./hazard";
import {
  C_ACTIVE,
  C_MARKABLE,
  C_MARKS,
  C_MIGRATED,
  C_UNMARKED,
  caches,
  coreAt,
  cores,
  DIRTY,
  KIND_SYSTEM,
  N_KIND,
  N_SETS,
  N_STATES,
  N_WAYS,
  nodeAt,
} from "./layout";
import { HAZARD_SET_WAY_MIGRATED, HAZARD_SET_WAY_SHORT_OF_POC, HAZARD_SET_WAY_WHILE_SHARED } from "./operations";
import { isFirst, noteLoop, sharded } from "./own";
import { recordOfSet } from "./set";

// ---- latent: set/way loops (D33)

export function setWayRecord(core: u32): void {
  for (let c: u32 = 0; c < cores; c++) {
    if (c != core && load<u32>(coreAt(c), C_ACTIVE)) {
      if (isFirst) latent(HAZARD_SET_WAY_WHILE_SHARED, 0, false);
      break;
    }
  }
  if (load<u32>(coreAt(core), C_MIGRATED)) {
    if (isFirst) latent(HAZARD_SET_WAY_MIGRATED, 0, false);
    store<u32>(coreAt(core), 0, C_MIGRATED);
  }
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
  let dirty: u32 = 0;
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  for (let s: u32 = 0; s < sets; s++) {
    const states = recordOfSet(n, s) + load<u32>(n, N_STATES);
    for (let w: u32 = 0; w < ways; w++) if (load<u8>(states + w) & DIRTY) dirty++;
  }
  return dirty;
}
