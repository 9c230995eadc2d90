// Records that are no loads, stores or fetches, and yet neither interrupt a run of those nor buckets that wait (deal.ts): to all caches
// some are one of these, and some change nothing that accesses before them would find.

import { divergent } from "./hazard";
import { baseFor } from "./hits";
import { CARRY, cores, smallestShift, zvaBytes } from "./layout";
import { enterMemory } from "./memory";
import { logging } from "./miss-log";
import {
  CHARGED_COUNT,
  OP_ATOMIC,
  OP_BP_INVALIDATE,
  OP_CHARGE,
  OP_DC_ZVA,
  OP_DMB,
  OP_DSB,
  OP_FETCH,
  OP_IC_IALLU,
  OP_IC_IVAU,
  OP_ISB,
  OP_LOAD,
  OP_PREFETCH,
  OP_SPECULATIVE_FETCH,
  OP_STORE,
  OP_TLBI,
  OP_TLBI_ALL,
} from "./operations";
import { pendable, tellsPending } from "./pending";
import { prefetching } from "./prefetch";
import { CONTROLLED, flagsOf } from "./registers";
import { isTlbiKind } from "./tlb";
import { isDataByAddress } from "./traps";

/** No plain access. */
export const UNLIKE: u32 = 255;

/** The plain access that a core's operation is to all caches if it is plain (D26), else UNLIKE. */
export function alike(core: u32, op: u32): u32 {
  if (op <= OP_FETCH) return op;
  if (op == OP_ATOMIC) return OP_STORE;
  if (op == OP_PREFETCH) return OP_LOAD;
  // With contents zeroes are more than a store's bytes, and what an L1I has may be old, which this fetch doesn't observe.
  if (CARRY) return UNLIKE;
  if (op == OP_SPECULATIVE_FETCH) return OP_FETCH;
  // One piece, and nobody traps it (D49).
  if (op != OP_DC_ZVA || !zvaBytes || zvaBytes > 1 << smallestShift) return UNLIKE;
  return core < cores && !(flagsOf(core) & CONTROLLED) ? OP_STORE : UNLIKE;
}

/**
 * Without contents such a record of a batch becomes that access: nobody can tell the difference, as long as no maintenance may be pending
 * (D34), nothing learns (D57) and nobody asks what missed. False: it stays what it is.
 */
export function becomesPlain(at: usize): bool {
  if (CARRY || pendable || prefetching || logging) return false;
  const word = load<u64>(at);
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 0xff;
  const like = alike(core, op);
  if (op <= OP_FETCH || like == UNLIKE || !baseFor(core, like) || !enterMemory(word & 0xffffffffffff)) return false;
  store<u8>(at, <u8>like, 6);
  return true;
}

/** With contents it is dealt as what it is, and says whether it observes anything. */
export function dealtAs(core: u32, op: u32): u32 {
  if (CARRY) return alike(core, op);
  return op <= OP_FETCH ? op : UNLIKE;
}

/** Whether an operation is maintenance, by VA or of all an L1I holds, where no bytes move and nobody is told what relies on it (D34). */
export function isQuiet(op: u32): bool {
  if (CARRY || tellsPending()) return false;
  return isDataByAddress(op) || (op >= OP_IC_IALLU && op <= OP_IC_IVAU);
}

/** Operations that observe, of those with an alike: a bit each. */
const OBSERVERS: u32 = (1 << OP_LOAD) | (1 << OP_FETCH) | (1 << OP_ATOMIC);

export function observes(op: u32): bool {
  return ((OBSERVERS >> op) & 1) != 0;
}

/**
 * Whether a record can't fail, isn't trapped, and neither asks caches nor changes what accesses before it would find: barriers while no
 * maintenance is pending (D34), what is invalidated beside the caches, and costs.
 */
export function passes(word: u64): bool {
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 0xff;
  const operand = word & 0xffffffffffff;
  if (op < OP_TLBI_ALL || core >= cores || pendable || (CARRY && divergent) || flagsOf(core) & CONTROLLED) return false;
  if (op == OP_CHARGE) return operand < CHARGED_COUNT;
  if (op == OP_TLBI) return isTlbiKind(<u32>operand & 0xff);
  return op == OP_DSB || op == OP_ISB || op == OP_DMB || op == OP_BP_INVALIDATE || op == OP_TLBI_ALL;
}
