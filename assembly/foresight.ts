// Table walks of the next records, foreseen: where their leaf descriptors and then the data will be found in their cores' L2s, asked for
// many records at once. A walk waits for each read before it knows the next; here the host waits for a step of all walks together.
// Nothing is counted or changed, and whatever is foreseen wrongly is only touched in vain.

import { keepSeen, touchBeyond } from "./ahead";
import { BASE_L2, basesOf } from "./hits";
import { byteIfAny, regionBytes, regionDelta, regionLow, TRUTH } from "./memory";
import { OP_FETCH } from "./operations";
import { baseOfPlain } from "./plain";
import { flagsOf, STAGE2, TRANSLATES, WALKS } from "./registers";
import { contents, recordIn, S_L2, S_ORDER, S_SHIFT, S_STATES, S_WAYS, shapesAt, waysWith } from "./shape";
import { ADDRESS_MASK, isTable, isValid, shiftAt } from "./stage2";
import { keepsTables, unfound } from "./tlb";
import { LAST_LEVEL, lastOfTrail, likelyTrail, STAGE_1, STAGE_2, T_PHYSICAL } from "./trail";
import { virtualOf } from "./translate";

// ---- walks under way: core; whether it has come to the data; the address, as far as it is translated; what is read next: its compact
// address; which set of the L2 is touched next, tags and states; where the descriptor lies, or its truth; the set of the L1D; whether the
// L2 lacks the line
const WALK: usize = 48;
const LIST = memory.data(48 * 32, 64);
const A_CORE: usize = 0;
const A_DONE: usize = 4;
const A_ADDRESS: usize = 8;
const A_COMPACT: usize = 16;
const A_RECORD: usize = 24;
const A_AT: usize = 28;
const A_STATES: usize = 32;
const A_RECORD1: usize = 36;
const A_BEYOND: usize = 40;

/** So many walks among 32 records, and looking pays. */
const WORTH: i32 = 8;

/** Touches what the walks of records from an address on (those that `unfound` names) will read, and then the data. */
export function lookAheadWalks(from: usize): bool {
  // With walk caches there are no trails of stage 1.
  if (!TRANSLATES || popcnt(<i32>unfound) < WORTH || keepsTables()) return false;
  touchReads(physical(touchReads(intermediate(touchReads(begin(from))))));
  return true;
}

/** Lists walks whose way to a table of the last level is known. As all the others, returns where the list ends. */
function begin(from: usize): usize {
  let to = LIST;
  for (let left = unfound; left; left &= left - 1) {
    const word = load<u64>(from + ((<usize>ctz(left)) << 3));
    const core = <u32>(word >> 56);
    if ((<u32>(word >> 48) & 0xff) > OP_FETCH || !(flagsOf(core) & WALKS) || !baseOfPlain(core)) continue;
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

/**
 * Touches what is read next, in two steps: first its sets in both caches; then the descriptor, and the L2's set of the line that this
 * one will drive from the L1D, or what lies beyond an L2 that lacks it. Data itself nobody looks at where a copy is true. Touches are in
 * loops of next to nothing else, so that the host has many under way.
 */
function touchReads(end: usize): usize {
  for (let at = LIST; at < end; at += WALK) {
    const core = load<u32>(at, A_CORE);
    const shape1 = shapesAt(core);
    const shape2 = shape1 + S_L2;
    const compact = load<u64>(at, A_COMPACT);
    const line = <u32>(compact >> load<u32>(shape2, S_SHIFT));
    further(at, core, shape2, line);
    store<u32>(at, <u32>recordIn(baseOfPlain(core), shape1, <u32>(compact >> load<u32>(shape1, S_SHIFT))), A_RECORD1);
  }
  let seen: u32 = 0;
  for (let at = LIST; at < end; at += WALK) {
    const record = <usize>load<u32>(at, A_RECORD);
    seen += load<u32>(record) + load<u32>(<usize>load<u32>(at, A_STATES)) + load<u32>(<usize>load<u32>(at, A_RECORD1));
  }
  let to = LIST;
  for (let at = LIST; at < end; at += WALK) {
    const core = load<u32>(at, A_CORE);
    const shape1 = shapesAt(core);
    const shape2 = shape1 + S_L2;
    const compact = load<u64>(at, A_COMPACT);
    const shift = load<u32>(shape2, S_SHIFT);
    const record = <usize>load<u32>(at, A_RECORD);
    const found = waysWith(record, load<u32>(shape2, S_WAYS), <u32>(compact >> shift));
    const bytes = found
      ? contents(shape2, record, ctz(found)) + <usize>(compact & ((1 << shift) - 8))
      : trueBytes(compact);
    if (!bytes) continue;
    const victim = lineToGo(shape1, <usize>load<u32>(at, A_RECORD1)) << load<u32>(shape1, S_SHIFT);
    v128.store(to, v128.load(at));
    store<u32>(to, <u32>bytes, A_AT);
    if (found) {
      store<u32>(to, 0, A_BEYOND);
      further(to, core, shape2, <u32>(victim >> shift));
    } else {
      store<u32>(to, 1, A_BEYOND);
      store<u64>(to, compact, A_COMPACT);
      store<u32>(to, <u32>record, A_RECORD);
    }
    to += WALK;
  }
  for (let at = LIST; at < to; at += WALK) {
    const bytes = <usize>load<u32>(at, A_AT);
    const record = <usize>load<u32>(at, A_RECORD);
    if (load<u32>(at, A_BEYOND)) {
      const word = ((<u64>load<u32>(at, A_CORE)) << 56) | (load<u64>(at, A_COMPACT) + regionDelta);
      seen += load<u32>(bytes) + load<u32>(bytes - TRUTH) + touchBeyond(word, record);
    } else {
      seen += load<u32>(record) + load<u32>(<usize>load<u32>(at, A_STATES));
      // Nobody looks at what a load observes from a copy that is true.
      if (!load<u32>(at, A_DONE)) seen += load<u32>(bytes);
    }
  }
  keepSeen(seen);
  return to;
}

/** Where the truth is of what no L2 has; 0 if nobody has been there. */
function trueBytes(compact: u64): usize {
  const at = byteIfAny(compact & ~(<u64>7));
  return at ? at + TRUTH : 0;
}

/** Where the L2's set of a line is, which is touched next. */
function further(walk: usize, core: u32, shape2: usize, line: u32): void {
  const record = <u32>recordIn(<usize>load<u32>(basesOf(core), BASE_L2), shape2, line);
  store<u32>(walk, record, A_RECORD);
  store<u32>(walk, record + load<u32>(shape2, S_STATES), A_STATES);
}

/** The least recent line of a set of the L1D. */
function lineToGo(shape: usize, record: usize): u64 {
  const last = (load<u32>(shape, S_WAYS) - 1) << 2;
  const way = <u32>(load<u64>(record + load<u32>(shape, S_ORDER)) >> last) & 15;
  return load<u32>(record + ((<usize>way) << 2));
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
