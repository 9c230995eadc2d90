// Runs: the part of the loop over records that hits settle, and the commonest misses. Plain loads, stores and fetches that hit their
// L1 (hits.ts), or miss into their core's own L2 (refill.ts) or beyond (beyond.ts), never leave here; anything else is left untouched.

import { lookAhead, noteMiss } from "./ahead";
import { reach, upgrade } from "./beyond";
import { divergent } from "./hazard";
import { distrust } from "./hierarchy";
import {
  again,
  BASE_L2,
  baseFor,
  basesOf,
  countHits,
  decide,
  forgetNewest,
  forgetStores,
  lookAtLast,
  minds,
  missedBeyond,
  missedIn,
  numberOf,
  playHits,
  remember,
  TRIAL,
} from "./hits";
import { CARRY, DIRTY, EXCLUSIVE, PREFETCHED, TRUE } from "./layout";
import { enterMemory, fastBytes, fastLow, regionDelta } from "./memory";
import { OP_FETCH, OP_STORE } from "./operations";
import { learnInRun, prefetching, useInRun } from "./prefetch";
import { mayHoldInstructions } from "./presence";
import { BEYOND, refill } from "./refill";
import { recordIn, S_SHIFT, S_WAYS, shapesAt, stateIn, touchIn, waysWith } from "./shape";

/**
 * Plays a run: records from batch position i that are plain L1 hits, or misses that the core's own L2 answers. Returns the
 * position of the first record that is neither; that one is untouched. `first` is the number of the first record or, with a
 * table of numbers, what is added to them. `looks`: whether the sets of the next records are touched ahead.
 */
export function playRun(batch: usize, start: u32, stop: u32, first: u64, numbers: usize, looks: bool): u32 {
  forgetNewest();
  const end = playPlain(batch, start, stop, first, numbers, looks);
  lookAtLast();
  return end;
}

function playPlain(batch: usize, start: u32, stop: u32, first: u64, numbers: usize, looks: bool): u32 {
  const begin = batch + ((<usize>start) << 3);
  if (numbers) numbers += (<usize>start) << 2;
  const until = batch + ((<usize>stop) << 3);
  let at = begin;
  while (at < until) {
    const end = looks ? lookAhead(at, until) : min(at + ((<usize>TRIAL) << 3), until);
    decide(<u32>(end - at) >> 3);
    while (at < end) {
      const after = at - begin;
      at = playHits(at, end, numbers ? first : first + <u64>(after >> 3), numbers ? numbers + (after >> 1) : 0);
      if (at >= end) break;
      const word = load<u64>(at);
      const number = numberOf(at - begin, first, numbers);
      if (!(missedIn ? playMiss(word, number) : playRareHit(word, number))) return start + <u32>((at - begin) >> 3);
      at += 8;
    }
  }
  return start + <u32>((at - begin) >> 3);
}

/** A plain access that its L1 doesn't answer. False: it isn't plain any further, and nothing has been done. */
function playMiss(word: u64, number: u64): bool {
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 3;
  const compact = (word & 0xffffffffffff) - regionDelta;
  const shape = shapesAt(core) + ((<usize>(op & 2)) << 5);
  const r = missedIn;
  const way = miss(core, op, compact, shape, r, missedBeyond);
  if (way < 0) return false;
  remember(word, compact, shape, r, way);
  if (CARRY) again(op, word, number);
  if (prefetching && op != OP_FETCH && learnInRun(core, compact)) forgetNewest();
  return true;
}

/** A miss in an L1's record r, known to miss the private L2 as well or not. Returns the way filled, or a negative number. */
function miss(core: u32, op: u32, compact: u64, shape: usize, r: usize, isBeyond: bool): i32 {
  const line = <u32>(compact >> load<u32>(shape, S_SHIFT));
  let way = isBeyond ? BEYOND : refill(core, op, compact, line, r, shape);
  if (way < 0) {
    noteMiss();
    if (way == BEYOND) way = reach(core, op, compact, line, r, shape);
    if (way < 0) return way;
  }
  if (op == OP_FETCH) forgetStores(compact);
  return way;
}

/**
 * A plain hit that changes more than its own line: a store whose line an L1I may hold or whose copy is shared, the first hit of a
 * copy that a prefetcher brought. False: it isn't one or not plain, and nothing has been done.
 */
function playRareHit(word: u64, number: u64): bool {
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 0xff;
  const address = word & 0xffffffffffff;
  if (op > OP_STORE || address - fastLow >= fastBytes) return false;
  const base = baseFor(core, op);
  if (!base) return false;
  const compact = address - regionDelta;
  const shape = shapesAt(core);
  const line = <u32>(compact >> load<u32>(shape, S_SHIFT));
  const r = recordIn(base, shape, line);
  const way = <u32>ctz(waysWith(r, load<u32>(shape, S_WAYS), line));
  const isNew = (load<u8>(stateIn(shape, r, way)) & <u8>PREFETCHED) != 0;
  if ((op != OP_STORE && !isNew) || !hit(core, op, compact, shape, r, way)) return false;
  remember(word, compact, shape, r, way);
  if (CARRY) again(op, word, number);
  if (isNew && useInRun(core, compact)) forgetNewest();
  return true;
}

/** A hit in a way of an L1's record r, whatever it takes. False: it isn't plain, and nothing has been done. */
function hit(core: u32, op: u32, compact: u64, shape: usize, r: usize, way: u32): bool {
  const state = <u32>load<u8>(stateIn(shape, r, way));
  if (CARRY && !(state & TRUE)) return false;
  if (minds && op == OP_STORE && mayHoldInstructions(compact)) return false;
  const isShared = op == OP_STORE && !(state & EXCLUSIVE);
  if (isShared || state & PREFETCHED) {
    if (distrust || (CARRY && divergent) || !load<u32>(basesOf(core), BASE_L2)) return false;
    if (isShared && !upgrade(core, compact)) return false;
  }
  const made = op == OP_STORE ? EXCLUSIVE | DIRTY : 0;
  store<u8>(stateIn(shape, r, way), <u8>((state & ~PREFETCHED) | made));
  touchIn(shape, r, way);
  countHits(core, op, 1);
  return true;
}

/**
 * A plain access outside every run, of a core that records don't name by themselves. Builds without contents only. False: it
 * isn't plain, and nothing has been done.
 */
export function playAlone(core: u32, op: u32, address: u64): bool {
  if (!enterMemory(address)) return false;
  const base = baseFor(core, op);
  if (!base || prefetching) return false;
  const compact = address - regionDelta;
  const shape = shapesAt(core) + ((<usize>(op & 2)) << 5);
  const line = <u32>(compact >> load<u32>(shape, S_SHIFT));
  const r = recordIn(base, shape, line);
  const found = waysWith(r, load<u32>(shape, S_WAYS), line);
  return found ? hit(core, op, compact, shape, r, <u32>ctz(found)) : miss(core, op, compact, shape, r, false) >= 0;
}
