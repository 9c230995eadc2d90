/** Which operations an exception level may not play itself, and what HCR_EL2 makes of those that it may (D49). */
import type { OperationName } from "../operations.ts";
import { SYSTEM_REGISTERS, type SystemRegister } from "../system-registers.ts";
import { type Context, systemRegister } from "./context.ts";
import type { RecordName } from "./records.ts";

/** SCTLR_EL1: cache maintenance by VA, and DC ZVA, at EL0. */
const UCI = 26;
const DZE = 14;

const BY_VA: readonly OperationName[] = ["DC_IVAC", "DC_CVAC", "DC_CIVAC", "DC_CVAU", "DC_CVAP", "IC_IVAU"];
const TO_POC: readonly OperationName[] = ["DC_IVAC", "DC_CVAC", "DC_CIVAC", "DC_CVAP"];
const TO_POU: readonly OperationName[] = ["DC_CVAU", "IC_IVAU"];
const SET_WAY: readonly OperationName[] = ["DC_ISW", "DC_CSW", "DC_CISW"];
const TLB: readonly OperationName[] = ["TLBI", "TLBI_ALL"];
/** What EL0 may never do, whatever the registers say; system registers are another matter. */
const PRIVILEGED: readonly OperationName[] = [...SET_WAY, ...TLB, "IC_IALLU", "IC_IALLUIS", "SCTLR", "BP_INVALIDATE"];

/** The exception level that takes the operation, if one does. */
export function trapTarget(context: Context, name: OperationName, operand: number): 1 | 2 | undefined {
  const { exceptionLevel } = context;
  if (exceptionLevel >= 2) return undefined;
  if (exceptionLevel === 0 && trapsFromEl0(context, name, operand)) return 1;
  return trapsToEl2(context, name, operand) ? 2 : undefined;
}

function trapsFromEl0(context: Context, name: OperationName, operand: number): boolean {
  if (BY_VA.includes(name)) return !context.sctlrBit(UCI);
  if (name === "DC_ZVA") return !context.sctlrBit(DZE);
  // CONTEXT is the model's own: who drives the model changes exception levels with it.
  if (name === "MSR" || name === "MRS") return operand !== SYSTEM_REGISTERS.CONTEXT.number;
  return PRIVILEGED.includes(name);
}

function trapsToEl2(context: Context, name: OperationName, operand: number): boolean {
  const register = systemRegister(operand);
  if (SET_WAY.includes(name)) return context.hcr("TSW");
  if (TO_POC.includes(name)) return context.hcr("TPC");
  if (TO_POU.includes(name)) return context.hcr("TPU") || context.hcr("TOCU");
  if (TLB.includes(name)) return context.hcr("TTLB");
  switch (name) {
    case "IC_IALLU":
      return context.hcr("TPU") || context.hcr("TOCU");
    case "IC_IALLUIS":
      return context.hcr("TPU") || context.hcr("TICAB");
    case "DC_ZVA":
      return context.hcr("TDZ");
    case "SCTLR":
      return context.hcr("TVM");
    case "MSR":
      return isVirtualMemory(register) && context.hcr("TVM");
    case "MRS":
      if (isVirtualMemory(register)) return context.hcr("TRVM");
      return isCacheIdentification(register) && (context.hcr("TID2") || context.hcr("TID4"));
    default:
      return false;
  }
}

/** What HCR_EL2 makes of an operation below EL2. DC IVAC keeps its own checks, so it is not here. */
export function promoted(context: Context, name: RecordName): RecordName {
  if (context.exceptionLevel >= 2) return name;
  if (name === "DC_ISW" && (context.hcr("SWIO") || invalidateCleans(context))) return "DC_CISW";
  if (name === "IC_IALLU" && context.hcr("FB")) return "IC_IALLUIS";
  return name;
}

/** Invalidation by a guest must not undo what the hypervisor's zeroing hid: it cleans too. */
export function invalidateCleans(context: Context): boolean {
  return context.exceptionLevel < 2 && (context.hcr("VM") || context.hcr("DC"));
}

const isVirtualMemory = (register: SystemRegister | undefined): boolean => register?.virtualMemory === true;
const isCacheIdentification = (register: SystemRegister | undefined): boolean => register?.cacheIdentification === true;
