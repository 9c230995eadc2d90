// Latent hazards (R29): set/way loops that cannot do what they are for (D33), and maintenance that no barrier has completed
// (D34). Nothing has gone wrong yet, so no contents are looked at.

import { fresh, H_LINES, latent, record } from "./hazard";
import {
  allocate,
  C_ACTIVE,
  C_BATCH,
  C_LAST_ISB,
  C_MARKABLE,
  C_MARKS,
  C_MIGRATED,
  C_UNMARKED,
  caches,
  coreAt,
  cores,
  DIRTY,
  KIND_SYSTEM,
  largestShift,
  N_KIND,
  N_SETS,
  N_STATES,
  N_WAYS,
  nodeAt,
} from "./layout";
import { who } from "./memory";
import {
  HAZARD_MAINTENANCE_PENDING,
  HAZARD_SET_WAY_MIGRATED,
  HAZARD_SET_WAY_SHORT_OF_POC,
  HAZARD_SET_WAY_WHILE_SHARED,
} from "./operations";
import { recordOfSet } from "./set";

// ---- latent: set/way loops (D33)

export function setWayRecord(core: u32): void {
  for (let c: u32 = 0; c < cores; c++) {
    if (c != core && load<u32>(coreAt(c), C_ACTIVE)) {
      latent(HAZARD_SET_WAY_WHILE_SHARED, 0, false);
      break;
    }
  }
  if (load<u32>(coreAt(core), C_MIGRATED)) {
    latent(HAZARD_SET_WAY_MIGRATED, 0, false);
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

// ---- latent: maintenance that no barrier has completed (D34)

/** Batches: done record (i64, -1 while open) and issuer. The ring forgets batches older than its length, as done and synchronized. */
const BATCHES: u32 = 1 << 18;
let batches: usize = 0;
let batchCount: u32 = 0;
let stamps: usize = 0;
let stampBits: u32 = 0;
/** Whether any by-VA maintenance has been issued: before that nothing can be pending. */
export let stamped: bool = false;
let stampCount: u32 = 0;

function batchAt(number: u32): usize {
  return batches + <usize>(number & (BATCHES - 1)) * 16;
}

function remembered(number: u32): bool {
  return number != 0 && batchCount - number < BATCHES;
}

/** Entry of a block: block + 1, DC batch, IC batch. */
function stampSlot(block: u32): usize {
  const mask = (1 << stampBits) - 1;
  let slot = ((block * 0x9e3779b1) >> 7) & mask;
  for (;;) {
    const at = stamps + ((<usize>slot) << 4);
    const key = load<u32>(at);
    if (!key || key == block + 1) return at;
    slot = (slot + 1) & mask;
  }
  return 0;
}

/** A by-VA operation of the core named this block: instruction side or data side. */
export function stamp(compact: u64, instructions: bool): void {
  stamped = true;
  if (!batches) batches = allocate(<usize>BATCHES * 16);
  if (!stampBits || stampCount * 2 >= (<u32>1) << stampBits) {
    const old = stamps;
    const oldSlots = stampBits ? (<u32>1) << stampBits : 0;
    stampBits = stampBits ? stampBits + 1 : 12;
    stamps = allocate((<usize>16) << stampBits);
    for (let i: u32 = 0; i < oldSlots; i++) {
      const from = old + ((<usize>i) << 4);
      const key = load<u32>(from);
      if (!key) continue;
      const at = stampSlot(key - 1);
      store<u64>(at, load<u64>(from));
      store<u64>(at, load<u64>(from, 8), 8);
    }
  }
  const c = coreAt(who);
  let batch = load<u32>(c, C_BATCH);
  if (!batch) {
    batch = ++batchCount;
    store<u32>(c, batch, C_BATCH);
    store<i64>(batchAt(batch), -1);
    store<u32>(batchAt(batch), who, 8);
  }
  const block = <u32>(compact >> largestShift);
  const at = stampSlot(block);
  if (!load<u32>(at)) {
    store<u32>(at, block + 1);
    stampCount++;
  }
  store<u32>(at + (instructions ? 8 : 4), batch);
}

/** DSB: the issuer's maintenance is complete. */
export function completeMaintenance(core: u32): void {
  const batch = load<u32>(coreAt(core), C_BATCH);
  if (!batch) return;
  store<i64>(batchAt(batch), <i64>record);
  store<u32>(coreAt(core), 0, C_BATCH);
}

export function synchronizeContext(core: u32): void {
  store<i64>(coreAt(core), <i64>record, C_LAST_ISB);
}

/** An access that isn't an L1 hit: does it rely on maintenance that isn't complete for it? */
export function checkPending(compact: u64, isFetch: bool): void {
  if (!stamped) return;
  const at = stampSlot(<u32>(compact >> largestShift));
  if (!load<u32>(at)) return;
  let pending = false;
  const data = load<u32>(at, 4);
  if (remembered(data)) pending = load<u32>(batchAt(data), 8) != who && load<i64>(batchAt(data)) < 0;
  const instructions = load<u32>(at, 8);
  if (!pending && isFetch && remembered(instructions)) {
    const done = load<i64>(batchAt(instructions));
    pending = done < 0 || load<i64>(coreAt(who), C_LAST_ISB) < done;
  }
  if (pending) latent(HAZARD_MAINTENANCE_PENDING, compact, true);
}
