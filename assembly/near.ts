// Many loads of one core that its L1D answers or its private L2 does, as plain.ts has them one by one: what both caches look like is
// taken apart once for all of them, and what they count is added up at their end. For the common case alone: lines of one size in
// both, copies that are true, victims that are clean; whoever is told no has done nothing, and asks plain.ts.

import { divergent } from "./hazard";
import { yardstick } from "./hierarchy";
import { BASE_L2, basesOf } from "./hits";
import { C_ACTIVE, coreAt, DIRTY, EXCLUSIVE, PREFETCHED, TRUE, VALID } from "./layout";
import { byteOf, TRUTH } from "./memory";
import { checkPending, pendable } from "./pending";
import { baseOfPlain } from "./plain";
import { noteHits, noteLoads } from "./refill";
import {
  contents,
  recordIn,
  S_COVERED,
  S_L2,
  S_SHIFT,
  S_TRUTH,
  S_WAYS,
  shapesAt,
  stateIn,
  touchIn,
  waysWith,
  wayToFill,
} from "./shape";

// ---- the core whose loads they are, its caches
let mine: u32 = 0;
let base1: usize = 0;
let base2: usize = 0;
let shape1: usize = 0;
let shape2: usize = 0;
let shift: u32 = 0;

// ---- what they have counted: hits of the L1D, refills from the L2, victims
let hits: u64 = 0;
let refills: u64 = 0;
let victims: u64 = 0;

/** Where the truth of the last load's line is, as far into it as the load was. */
export let nearTruth: usize = 0;

/** Before a core's loads. False: they are no such loads. */
export function beginNear(core: u32): bool {
  base1 = baseOfPlain(core);
  base2 = <usize>load<u32>(basesOf(core), BASE_L2);
  if (!base1 || !base2 || yardstick) return false;
  mine = core;
  shape1 = shapesAt(core);
  shape2 = shape1 + S_L2;
  shift = load<u32>(shape1, S_SHIFT);
  return load<u32>(shape2, S_SHIFT) == shift && load<u32>(shape1, S_WAYS) <= 4 && load<u32>(shape1, S_COVERED) != 0;
}

/** After them. */
export function endNear(): void {
  if (hits + refills) store<u32>(coreAt(mine), 1, C_ACTIVE);
  noteHits(mine, hits);
  noteLoads(mine, refills, victims);
  hits = 0;
  refills = 0;
  victims = 0;
}

/** So many loads more that were hits of the L1D. */
export function countNear(many: u64): void {
  hits += many;
}

/** A load of 8 bytes. Returns where it finds them, which are true; 0 where it isn't such a load, and nothing has been done. */
export function loadNear(compact: u64): usize {
  const line = <u32>(compact >> shift);
  const inLine = <usize>compact & ((1 << shift) - 1);
  const r = recordIn(base1, shape1, line);
  const found = i32x4.bitmask(i32x4.eq(v128.load(r), i32x4.splat(line)));
  if (found) {
    const way = ctz(found);
    if (!(load<u8>(stateIn(shape1, r, way)) & TRUE)) return 0;
    touchIn(shape1, r, way);
    hits++;
    nearTruth = <usize>load<u32>(r + load<u32>(shape1, S_TRUTH) + ((<usize>way) << 2)) + TRUTH + inLine;
    return nearTruth;
  }
  const r2 = recordIn(base2, shape2, line);
  const ways2 = load<u32>(shape2, S_WAYS);
  const found2 = waysWith(r2, ways2, line);
  if (!found2) return 0;
  const way2 = ctz(found2);
  const state2 = <u32>load<u8>(stateIn(shape2, r2, way2));
  if ((state2 & (TRUE | PREFETCHED)) != TRUE) return 0;
  const way = wayToFill(shape1, r);
  const victim = <u32>load<u8>(stateIn(shape1, r, way));
  if (!mayGo(r, way, victim)) return 0;
  touchIn(shape2, r2, way2);
  refills++;
  victims += victim & VALID;
  const truth = byteOf((<u64>line) << shift);
  store<u32>(r + ((<usize>way) << 2), line);
  store<u8>(stateIn(shape1, r, way), <u8>(VALID | TRUE | (state2 & EXCLUSIVE)));
  store<u32>(r + load<u32>(shape1, S_TRUTH) + ((<usize>way) << 2), <u32>truth);
  touchIn(shape1, r, way);
  if (pendable) checkPending(compact, false);
  nearTruth = truth + TRUTH + inLine;
  // The host has the L2's bytes nearer than the truth, which lies in as many pages as the machine's memory.
  return contents(shape2, r2, way2) + inLine;
}

/** Whether a victim of the L1D's, in this state, can leave without a trace: it takes nothing along. */
function mayGo(r: usize, way: u32, victim: u32): bool {
  if (victim & (DIRTY | PREFETCHED)) return false;
  return !divergent || !(victim & VALID) || (victim & TRUE && isTrueFurther(load<u32>(r + ((<usize>way) << 2))));
}

/** Whether the L2 has a true copy of a line: then nothing is lost with a true one of the L1D's. */
function isTrueFurther(line: u32): bool {
  const r = recordIn(base2, shape2, line);
  const found = waysWith(r, load<u32>(shape2, S_WAYS), line);
  return found != 0 && (load<u8>(stateIn(shape2, r, ctz(found))) & TRUE) != 0;
}
