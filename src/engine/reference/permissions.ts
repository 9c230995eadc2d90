/** What an access needs, and whether a translation gives it (D48). */
import type { Context } from "./context.ts";
import { Fault } from "./faults.ts";
import type { StageOneLeaf, StageTwoLeaf } from "./tlb.ts";

/** `clean` is every DC and IC by VA but DC IVAC, which is `invalidate`. Prefetches and evictions are loads. */
export type Purpose = "load" | "store" | "atomic" | "zero" | "fetch" | "clean" | "invalidate";

/** SCTLR_EL1.WXN: what may be written is never executed. */
const WXN = 19;

const reads = (purpose: Purpose): boolean => purpose === "load" || purpose === "atomic";
const writes = (purpose: Purpose): boolean => purpose === "store" || purpose === "atomic" || purpose === "zero";
const maintains = (purpose: Purpose): boolean => purpose === "clean" || purpose === "invalidate";

/** Domain, then permission, of stage 1. */
export function checkStageOne(context: Context, leaf: StageOneLeaf, purpose: Purpose): void {
  const { level, domain } = leaf;
  const access = domain === undefined ? CLIENT : domainAccess(context, domain);
  if (access === MANAGER) return;
  if (access !== CLIENT) throw new Fault({ type: "domain", stage: 1, level });
  if (!permits(context, leaf, purpose)) throw new Fault({ type: "permission", stage: 1, level });
}

/** Values of DACR's fields that don't fault. */
const CLIENT = 1;
const MANAGER = 3;

function domainAccess(context: Context, domain: number): number {
  return Number((context.get("DACR") >> BigInt(2 * domain)) & 3n);
}

function permits(context: Context, { permissions }: StageOneLeaf, purpose: Purpose): boolean {
  const { el0, el1, executeNeverAtEl0, executeNeverAtEl1 } = permissions;
  const isEl0 = context.exceptionLevel === 0;
  const { read, write } = isEl0 ? el0 : el1;
  if (purpose === "fetch") {
    if (write && context.sctlrBit(WXN)) return false;
    if (isEl0) return !executeNeverAtEl0;
    // AArch64's EL1 executes nothing that EL0 may write.
    return !executeNeverAtEl1 && (context.aarch32 || !el0.write);
  }
  const needsWrite = writes(purpose) || (!isEl0 && purpose === "invalidate");
  const needsRead = reads(purpose) || (isEl0 && maintains(purpose));
  return (write || !needsWrite) && (read || !needsRead);
}

export function checkStageTwo(context: Context, leaf: StageTwoLeaf, purpose: Purpose, ipa: number): void {
  const isEl0 = context.exceptionLevel === 0;
  const needsWrite = writes(purpose) || (purpose === "invalidate" && !context.aarch32);
  const needsRead = reads(purpose) || (isEl0 && maintains(purpose));
  const isDenied =
    (needsWrite && !leaf.write) || (needsRead && !leaf.read) || (purpose === "fetch" && leaf.executeNever);
  if (isDenied) throw new Fault({ type: "permission", stage: 2, level: leaf.level, ipa });
}
