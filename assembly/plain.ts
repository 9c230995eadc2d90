// Loads that a core's own L1D answers, or that its private L2 does: what most descriptors of a walk are, and most loads of a core
// that translates. run.ts has the same for records that need nothing else; here the record has been looked at already.

import { held } from "./bytes";
import { distrust } from "./hierarchy";
import { allocate, C_ACTIVE, C_L1D, CARRY, coreAt, cores, N_BASE, N_PREFETCHER, TRUE } from "./layout";
import { logging } from "./miss-log";
import { OP_LOAD } from "./operations";
import { checkPending, pendable } from "./pending";
import { noteHits, refilledFrom, refillUnasked } from "./refill";
import { isPlain, plainL2, recordIn, S_SHIFT, S_WAYS, shapesAt, stateIn, touchIn, truthIn, waysWith } from "./shape";

/** By core: where group 0 of its L1D begins, if that is plain and its private L2 too, else 0. */
let bases: usize = 0;

/** Where the last plain load has its line now: the record of the L1D's set, and the way. */
export let plainRecord: usize = 0;
export let plainWay: u32 = 0;
/** And where the truth is of what it observed, until somebody stores to it. */
export let plainTruth: usize = 0;

/** Called once the machine is laid out. */
export function preparePlainLoads(): void {
  bases = allocate(<usize>max(cores, 1) * 4);
  for (let core: u32 = 0; core < cores; core++) {
    const n = <usize>load<u32>(coreAt(core), C_L1D);
    // Nothing learns from a walk, but from a translated access something would (D57).
    if (n && isPlain(n) && plainL2(core) && !load<u32>(n, N_PREFETCHER))
      store<u32>(bases + ((<usize>core) << 2), load<u32>(n, N_BASE));
  }
}

/** Where group 0 of a core's L1D begins, if its loads can be plain ones, else 0. */
export function baseOfPlain(core: u32): usize {
  return <usize>load<u32>(bases + ((<usize>core) << 2));
}

/**
 * A load of Shareable Write-Back memory through the whole path of a core, in one line: counted, charged and ordered. Returns the
 * address of what it observes, which is true (of builds without contents any); 0 where it isn't as plain as that, and nothing has been done.
 */
export function plainLoad(core: u32, compact: u64): usize {
  const base = baseOfPlain(core);
  // The log of misses is the general way's.
  if (!base || (CARRY && distrust) || logging) return 0;
  const shape = shapesAt(core);
  const shift = load<u32>(shape, S_SHIFT);
  const line = <u32>(compact >> shift);
  const r = recordIn(base, shape, line);
  const found = waysWith(r, load<u32>(shape, S_WAYS), line);
  const inLine = held(<usize>compact & ((1 << shift) - 1));
  let way: i32;
  let at: usize;
  if (found) {
    way = ctz(found);
    if (CARRY && !(load<u8>(stateIn(shape, r, way)) & TRUE)) return 0;
    touchIn(shape, r, way);
    noteHits(core, 1);
    at = CARRY ? truthIn(shape, r, way) + inLine : r;
  } else {
    way = refillUnasked(core, OP_LOAD, compact, line, r, shape);
    if (way < 0) return 0;
    if (pendable) checkPending(compact, false);
    // The host has the L2's bytes nearer than the truth, which lies in as many pages as the machine's memory.
    at = CARRY ? refilledFrom + inLine : r;
  }
  store<u32>(coreAt(core), 1, C_ACTIVE);
  plainRecord = r;
  plainWay = way;
  plainTruth = CARRY ? truthIn(shape, r, way) + inLine : 0;
  return at;
}
