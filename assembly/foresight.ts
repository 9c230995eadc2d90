// Table walks of the next records, foreseen: where their leaf descriptors and then the data will be found in their cores' L2s, asked for
// many records at once. A walk waits for each read before it knows the next; here the host waits for a step of all walks together.
// Nothing is counted or changed, and whatever is foreseen wrongly is only touched in vain.

import { keepSeen } from "./ahead";
import { BASE_L2, basesOf } from "./hits";
import { regionBytes, regionDelta, regionLow } from "./memory";
import { OP_FETCH } from "./operations";
import { flagsOf, STAGE2, TRANSLATES, WALKS } from "./registers";
import { contents, recordIn, S_L2, S_SHIFT, S_STATES, S_WAYS, shapesAt, waysWith } from "./shape";
import { ADDRESS_MASK, isTable, isValid, shiftAt } from "./stage2";
import { keepsTables, unfound } from "./tlb";
import { LAST_LEVEL, lastOfTrail, likelyTrail, STAGE_1, STAGE_2, T_PHYSICAL } from "./trail";
import { virtualOf } from "./translate";

// ---- walks under way: core; the address, as far as it is translated, and whether that is as far as it goes; what is read next: its
// compact address, the record of its set in the L2, where it lies
const WALK: usize = 32;
const LIST = memory.data(32 * 32, 64);
const A_CORE: usize = 0;
const A_DONE: usize = 4;
const A_ADDRESS: usize = 8;
const A_COMPACT: usize = 16;
const A_RECORD: usize = 24;
const A_AT: usize = 28;

/** So many walks among 32 records, and looking pays. */
const WORTH: i32 = 8;

/** Touches what the walks of records from an address on (those that `unfound` names) will read, and then the data. */
export function lookAheadWalks(from: usize): void {
  // With walk caches there are no trails of stage 1.
  if (!TRANSLATES || popcnt(<i32>unfound) < WORTH || keepsTables()) return;
  touchReads(physical(touchReads(intermediate(touchReads(begin(from))))));
}

/** Lists walks whose way to a table of the last level is known. As all the others, returns where the list ends. */
function begin(from: usize): usize {
  let to = LIST;
  for (let left = unfound; left; left &= left - 1) {
    const word = load<u64>(from + ((<usize>ctz(left)) << 3));
    const core = <u32>(word >> 56);
    if ((<u32>(word >> 48) & 0xff) > OP_FETCH || !(flagsOf(core) & WALKS) || !load<u32>(basesOf(core), BASE_L2))
      continue;
    const va = virtualOf(core, word & 0xffff_ffff_ffff, false);
    const trail = likelyTrail(STAGE_1, core, va);
    if (!trail) continue;
    store<u64>(to, core);
    store<u64>(to, va, A_ADDRESS);
    to = reads(to, load<u64>(trail, T_PHYSICAL) + indexed(va));
  }
  return to;
}

/** What a walk reads next. It stays in the list if that is in the region which was entered last. */
function reads(walk: usize, physical: u64): usize {
  store<u64>(walk, physical - regionDelta, A_COMPACT);
  return walk + (physical - regionLow < regionBytes ? WALK : 0);
}

/** Where an address's entry is in a table of the last level. */
function indexed(address: u64): u64 {
  return ((address >> 12) & 511) << 3;
}

/** What a valid leaf makes of an address. */
function through(leaf: u64, address: u64, level: u32): u64 {
  const inside = ((<u64>1) << shiftAt(level)) - 1;
  return (leaf & ADDRESS_MASK & ~inside) | (address & inside);
}

/** Touches what is read next, in two steps; walks go on whose core's L2 has it. Touches are in loops of next to nothing else, so that the host has many under way. */
function touchReads(end: usize): usize {
  for (let at = LIST; at < end; at += WALK) {
    const core = load<u32>(at, A_CORE);
    const shape = shapesAt(core) + S_L2;
    const line = <u32>(load<u64>(at, A_COMPACT) >> load<u32>(shape, S_SHIFT));
    const record = recordIn(<usize>load<u32>(basesOf(core), BASE_L2), shape, line);
    store<u32>(at, <u32>record, A_RECORD);
    store<u32>(at, <u32>record + load<u32>(shape, S_STATES), A_AT);
  }
  let seen: u32 = 0;
  for (let at = LIST; at < end; at += WALK)
    seen += load<u32>(<usize>load<u32>(at, A_RECORD)) + load<u32>(<usize>load<u32>(at, A_AT));
  let to = LIST;
  for (let at = LIST; at < end; at += WALK) {
    const shape = shapesAt(load<u32>(at, A_CORE)) + S_L2;
    const compact = load<u64>(at, A_COMPACT);
    const shift = load<u32>(shape, S_SHIFT);
    const record = <usize>load<u32>(at, A_RECORD);
    const found = waysWith(record, load<u32>(shape, S_WAYS), <u32>(compact >> shift));
    if (!found) continue;
    v128.store(to, v128.load(at));
    store<u32>(to, <u32>(contents(shape, record, ctz(found)) + <usize>(compact & ((1 << shift) - 8))), A_AT);
    to += WALK;
  }
  for (let at = LIST; at < to; at += WALK) seen += load<u32>(<usize>load<u32>(at, A_AT));
  keepSeen(seen);
  return to;
}

/** Leaves of stage 1 have been touched: what they lead to, and the leaves of stage 2 that tell where that is. */
function intermediate(end: usize): usize {
  let to = LIST;
  for (let at = LIST; at < end; at += WALK) {
    const core = load<u32>(at, A_CORE);
    const leaf = load<u64>(<usize>load<u32>(at, A_AT));
    if (!isValid(leaf, LAST_LEVEL)) continue;
    const address = through(leaf, load<u64>(at, A_ADDRESS), LAST_LEVEL);
    store<u64>(to, <u64>core);
    store<u64>(to, address, A_ADDRESS);
    if (!(flagsOf(core) & STAGE2)) to = arrives(to, address);
    else {
      const trail = likelyTrail(STAGE_2, core, address);
      if (!trail) continue;
      const above = lastOfTrail(trail);
      if (!isValid(above, LAST_LEVEL - 1)) continue;
      if (isTable(above, LAST_LEVEL - 1)) to = reads(to, (above & ADDRESS_MASK) + indexed(address));
      else to = arrives(to, through(above, address, LAST_LEVEL - 1));
    }
  }
  return to;
}

/** A walk has come to a physical address, which is read next. */
function arrives(walk: usize, physical: u64): usize {
  store<u32>(walk, 1, A_DONE);
  return reads(walk, physical);
}

/** Leaves of stage 2 have been touched: the data itself. */
function physical(end: usize): usize {
  let to = LIST;
  for (let at = LIST; at < end; at += WALK) {
    if (load<u32>(at, A_DONE)) continue;
    const leaf = load<u64>(<usize>load<u32>(at, A_AT));
    if (!isValid(leaf, LAST_LEVEL)) continue;
    store<u32>(to, load<u32>(at, A_CORE));
    to = arrives(to, through(leaf, load<u64>(at, A_ADDRESS), LAST_LEVEL));
  }
  return to;
}
