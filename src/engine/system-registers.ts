/**
 * The one table of the system registers that records can write and read (D38). Only those with an effect here, or whose
 * access a hypervisor traps, are listed; `MSR` and `MRS` name them by number.
 */

export interface SystemRegister {
  readonly number: number;
  /** As the Arm ARM spells it; CONTEXT is the model's own. */
  readonly name: string;
  /** HCR_EL2.TVM traps writes and TRVM reads from EL1 (the stage-1 controls). */
  readonly virtualMemory?: true;
  /** HCR_EL2.TID2 and TID4 trap reads from EL1. */
  readonly cacheIdentification?: true;
  readonly summary: string;
}

export const SYSTEM_REGISTERS = {
  SCTLR_EL1: { number: 0, name: "SCTLR_EL1", virtualMemory: true, summary: "enable bits of stage 1 and caches" },
  TCR_EL1: { number: 1, name: "TCR_EL1", virtualMemory: true, summary: "stage-1 control; TTBCR in AArch32" },
  TTBR0_EL1: { number: 2, name: "TTBR0_EL1", virtualMemory: true, summary: "stage-1 tables, lower addresses" },
  TTBR1_EL1: { number: 3, name: "TTBR1_EL1", virtualMemory: true, summary: "stage-1 tables, upper addresses" },
  MAIR_EL1: {
    number: 4,
    name: "MAIR_EL1",
    virtualMemory: true,
    summary: "memory attributes; PRRR and NMRR in AArch32",
  },
  CONTEXTIDR_EL1: { number: 5, name: "CONTEXTIDR_EL1", virtualMemory: true, summary: "ASID of short descriptors" },
  DACR: { number: 6, name: "DACR", virtualMemory: true, summary: "domains of short descriptors" },
  AFSR0_EL1: { number: 7, name: "AFSR0_EL1", virtualMemory: true, summary: "kept, without effect" },
  AFSR1_EL1: { number: 8, name: "AFSR1_EL1", virtualMemory: true, summary: "kept, without effect" },
  ESR_EL1: { number: 9, name: "ESR_EL1", virtualMemory: true, summary: "kept, without effect" },
  FAR_EL1: { number: 10, name: "FAR_EL1", virtualMemory: true, summary: "kept, without effect" },
  AMAIR_EL1: { number: 11, name: "AMAIR_EL1", virtualMemory: true, summary: "kept, without effect" },
  CTR_EL0: { number: 12, name: "CTR_EL0", cacheIdentification: true, summary: "cache type; what was written last" },
  CLIDR_EL1: { number: 13, name: "CLIDR_EL1", cacheIdentification: true, summary: "levels; what was written last" },
  CCSIDR_EL1: { number: 14, name: "CCSIDR_EL1", cacheIdentification: true, summary: "geometry; what was written last" },
  CSSELR_EL1: { number: 15, name: "CSSELR_EL1", cacheIdentification: true, summary: "level that CCSIDR_EL1 speaks of" },
  HCR_EL2: { number: 16, name: "HCR_EL2", summary: "stage 2, traps and overrides" },
  VTCR_EL2: { number: 17, name: "VTCR_EL2", summary: "stage-2 control" },
  VTTBR_EL2: { number: 18, name: "VTTBR_EL2", summary: "stage-2 tables and VMID" },
  CONTEXT: {
    number: 19,
    name: "CONTEXT",
    summary: "bits 1:0 exception level, 4 AArch32, 5 stage 1 walks tables (D38)",
  },
} as const satisfies Record<string, SystemRegister>;

export type SystemRegisterName = keyof typeof SYSTEM_REGISTERS;

/** Bits of CONTEXT (D38). */
export const CONTEXT_EL_MASK = 3;
export const CONTEXT_AARCH32 = 1 << 4;
export const CONTEXT_WALKS = 1 << 5;

/** Bits of HCR_EL2 that mean something here (arm-facts C); those above 31 need bigints. */
export const HCR = {
  VM: 1n << 0n,
  SWIO: 1n << 1n,
  PTW: 1n << 2n,
  FB: 1n << 9n,
  DC: 1n << 12n,
  TID2: 1n << 17n,
  TSW: 1n << 22n,
  TPC: 1n << 23n,
  TPU: 1n << 24n,
  TTLB: 1n << 25n,
  TVM: 1n << 26n,
  TGE: 1n << 27n,
  TDZ: 1n << 28n,
  TRVM: 1n << 30n,
  CD: 1n << 32n,
  ID: 1n << 33n,
  FWB: 1n << 46n,
  TID4: 1n << 49n,
  TICAB: 1n << 50n,
  TOCU: 1n << 52n,
} as const;

/** What a TLBI removes, by the operand's low byte (D53). */
export const TLBI_KINDS = {
  VMALLE1: 0,
  VAE1: 1,
  ASIDE1: 2,
  VAAE1: 3,
  VALE1: 4,
  VAALE1: 5,
  IPAS2E1: 6,
  IPAS2LE1: 7,
  VMALLS12E1: 8,
  ALLE1: 9,
} as const;
/** The operand's bit for the inner-shareable form. */
export const TLBI_INNER_SHAREABLE = 1 << 8;
