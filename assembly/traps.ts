// Which operations a core may not do itself (D49): EL0's to its kernel, EL0's and EL1's to the hypervisor.

import {
  OP_BP_INVALIDATE,
  OP_DC_CISW,
  OP_DC_CIVAC,
  OP_DC_CVAC,
  OP_DC_CVAP,
  OP_DC_CVAU,
  OP_DC_ISW,
  OP_DC_IVAC,
  OP_DC_ZVA,
  OP_IC_IALLU,
  OP_IC_IALLUIS,
  OP_IC_IVAU,
  OP_MRS,
  OP_MSR,
  OP_SCTLR,
  OP_TLBI,
  OP_TLBI_ALL,
  REG_CACHE_IDENTIFICATION,
  REG_CONTEXT,
  REG_COUNT,
  REG_HCR_EL2,
  REG_SCTLR_EL1,
  REG_VIRTUAL_MEMORY,
} from "./operations";
import {
  AT_EL0,
  flagsOf,
  HCR_TDZ,
  HCR_TICAB,
  HCR_TID2,
  HCR_TID4,
  HCR_TOCU,
  HCR_TPC,
  HCR_TPU,
  HCR_TRVM,
  HCR_TSW,
  HCR_TTLB,
  HCR_TVM,
  register,
  SCTLR_DZE,
  SCTLR_UCI,
} from "./registers";

/** DC by VA, but for ZVA. */
export function isDataByAddress(op: u32): bool {
  return (op >= OP_DC_IVAC && op <= OP_DC_CVAU) || op == OP_DC_CVAP;
}

/** The exception level that takes the operation away, or 0. */
export function trapOf(core: u32, op: u32, operand: u64): u32 {
  if (flagsOf(core) & AT_EL0 && trapsFromUser(core, op, operand)) return 1;
  return register(core, REG_HCR_EL2) & trapBits(op, operand) ? 2 : 0;
}

function trapsFromUser(core: u32, op: u32, operand: u64): bool {
  const sctlr = register(core, REG_SCTLR_EL1);
  if (isDataByAddress(op) || op == OP_IC_IVAU) return !(sctlr & SCTLR_UCI);
  if (op == OP_DC_ZVA) return !(sctlr & SCTLR_DZE);
  // CONTEXT is the model's own: it is how whoever plays the exception leaves EL0.
  if (op == OP_MSR || op == OP_MRS) return operand != REG_CONTEXT;
  return (
    (op >= OP_DC_ISW && op <= OP_IC_IALLUIS) ||
    op == OP_SCTLR ||
    op == OP_TLBI_ALL ||
    op == OP_BP_INVALIDATE ||
    op == OP_TLBI
  );
}

function isMarked(number: u64, mask: u32): bool {
  return number < REG_COUNT && ((mask >> <u32>number) & 1) != 0;
}

/** Bits of HCR_EL2 of which any traps the operation. */
function trapBits(op: u32, operand: u64): u64 {
  if (op >= OP_DC_ISW && op <= OP_DC_CISW) return HCR_TSW;
  switch (op) {
    case OP_DC_IVAC:
    case OP_DC_CVAC:
    case OP_DC_CIVAC:
    case OP_DC_CVAP:
      return HCR_TPC;
    case OP_DC_CVAU:
    case OP_IC_IVAU:
    case OP_IC_IALLU:
      return HCR_TPU | HCR_TOCU;
    case OP_IC_IALLUIS:
      return HCR_TPU | HCR_TICAB;
    case OP_DC_ZVA:
      return HCR_TDZ;
    case OP_TLBI:
    case OP_TLBI_ALL:
      return HCR_TTLB;
    case OP_SCTLR:
      return isMarked(REG_SCTLR_EL1, REG_VIRTUAL_MEMORY) ? HCR_TVM : 0;
    case OP_MSR:
      return isMarked(operand, REG_VIRTUAL_MEMORY) ? HCR_TVM : 0;
    case OP_MRS:
      if (isMarked(operand, REG_VIRTUAL_MEMORY)) return HCR_TRVM;
      return isMarked(operand, REG_CACHE_IDENTIFICATION) ? HCR_TID2 | HCR_TID4 : 0;
    default:
      return 0;
  }
}
