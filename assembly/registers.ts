// System registers of each core, and what follows from them: whether the core translates, how its TLB entries are tagged, and
// what of SCTLR_EL1 the untranslated accesses see (D38, R9).

import { SCTLR_C, SCTLR_I, SCTLR_M, updateFast } from "./hits";
import { allocate, C_SCTLR, CARRY, coreAt, cores, VERSIONS } from "./layout";
import {
  REG_CONTEXT,
  REG_CONTEXTIDR_EL1,
  REG_COUNT,
  REG_HCR_EL2,
  REG_SCTLR_EL1,
  REG_TCR_EL1,
  REG_TTBR0_EL1,
  REG_TTBR1_EL1,
  REG_VTCR_EL2,
  REG_VTTBR_EL2,
  TLB_COUNT,
} from "./operations";

/** Only the build with bytes can read tables. */
export const TRANSLATES: bool = CARRY && !VERSIONS;

export const HCR_VM: u64 = 1;
export const HCR_SWIO: u64 = 1 << 1;
export const HCR_PTW: u64 = 1 << 2;
export const HCR_FB: u64 = 1 << 9;
export const HCR_DC: u64 = 1 << 12;
export const HCR_TID2: u64 = 1 << 17;
export const HCR_TSW: u64 = 1 << 22;
export const HCR_TPC: u64 = 1 << 23;
export const HCR_TPU: u64 = 1 << 24;
export const HCR_TTLB: u64 = 1 << 25;
export const HCR_TVM: u64 = 1 << 26;
export const HCR_TGE: u64 = 1 << 27;
export const HCR_TDZ: u64 = 1 << 28;
export const HCR_TRVM: u64 = 1 << 30;
export const HCR_CD: u64 = 1 << 32;
export const HCR_ID: u64 = 1 << 33;
export const HCR_FWB: u64 = 1 << 46;
export const HCR_TID4: u64 = 1 << 49;
export const HCR_TICAB: u64 = 1 << 50;
export const HCR_TOCU: u64 = 1 << 52;

export const SCTLR_DZE: u64 = 1 << 14;
export const SCTLR_WXN: u64 = 1 << 19;
export const SCTLR_UCI: u64 = 1 << 26;
export const SCTLR_TRE: u64 = 1 << 28;
export const SCTLR_AFE: u64 = 1 << 29;

const CONTEXT_AARCH32: u64 = 1 << 4;
const CONTEXT_WALKS: u64 = 1 << 5;

const TCR_AS: u64 = 1 << 36;
const TCR_A1: u64 = 1 << 22;
const TCR_EAE: u64 = 1 << 31;
const VTCR_VS: u64 = 1 << 19;

// ---- flags of a core's state: in its initial one none is set, and nothing of D38 to D53 is looked at
export const BELOW_EL2: u32 = 1;
export const AT_EL0: u32 = 2;
/** Traps or promotions may apply: EL0, or an HCR_EL2 that isn't zero. */
export const CONTROLLED: u32 = 4;
export const TRANSLATING: u32 = 8;
export const AARCH32: u32 = 16;
/** Stage 1 walks tables: it is on, and not flat. */
export const WALKS: u32 = 32;
export const STAGE2: u32 = 64;
/** Stage 1 is on (D42). */
export const STAGE1: u32 = 128;
/** AArch32 tables have short descriptors. */
export const SHORT: u32 = 256;

// ---- one block a core
const BLOCK: usize = 320;
const X_FLAGS: usize = 160;
/** Kind of its translations: bit 0 AArch32, 1 walked, 2 stage 2 (D52). */
export const X_KIND: usize = 164;
export const X_VMID: usize = 168;
export const X_ASID: usize = 172;
/** Address of its TLBs, 0 until it translates for the first time (tlb.ts). */
export const X_TLB: usize = 176;
/** Grows with every touch, so that the least recent entry is the one with the smallest stamp. */
export const X_CLOCK: usize = 184;
/** Counters of its translation, in the order of TLB_COUNTERS. */
const X_COUNTERS: usize = 192;
/** What the data side, or the instruction side, looked up last (tlb.ts): entry or 0, what it means, and for which 4 KiB. */
export const X_LAST_DATA: usize = 256;
export const X_LAST_FETCH: usize = 272;
/** Grows whenever one of the core's registers is written. */
export const X_EPOCH: usize = 288;
let blocks: usize = 0;
/** From one core's counters to the next, in u64. */
export const COUNTERS_APART: u32 = <u32>(BLOCK >> 3);

export function allocateRegisters(): void {
  blocks = allocate(<usize>cores * BLOCK, 64);
  for (let core: u32 = 0; core < cores; core++) {
    const block = blockAt(core);
    store<u64>(block + ((<usize>REG_SCTLR_EL1) << 3), load<u32>(coreAt(core), C_SCTLR));
    store<u64>(block + ((<usize>REG_CONTEXT) << 3), 1);
    store<u32>(block, BELOW_EL2, X_FLAGS);
  }
}

export function blockAt(core: u32): usize {
  return blocks + <usize>core * BLOCK;
}

export function tlbCountersBase(): usize {
  return blocks + X_COUNTERS;
}

export function tlbCount(core: u32, counter: usize): void {
  assert(counter < <usize>TLB_COUNT, "a counter of a core's translation");
  const at = blockAt(core) + X_COUNTERS + (counter << 3);
  store<u64>(at, load<u64>(at) + 1);
}

export function register(core: u32, number: u32): u64 {
  return load<u64>(blockAt(core) + ((<usize>number) << 3));
}

export function flagsOf(core: u32): u32 {
  return load<u32>(blockAt(core), X_FLAGS);
}

/** What came of a write: 0, or why it is refused. */
export const WRITTEN: u32 = 0;
export const WRITE_UNKNOWN: u32 = 1;
export const WRITE_NEEDS_DATA: u32 = 2;

/** MSR (D38). A refused write changes nothing. */
export function writeRegister(core: u32, number: u64, value: u64): u32 {
  if (number >= REG_COUNT || (number == REG_CONTEXT && (value & 3) == 3)) return WRITE_UNKNOWN;
  const at = blockAt(core) + ((<usize>number) << 3);
  const before = load<u64>(at);
  store<u64>(at, value);
  if (!TRANSLATES && derivedFlags(core) & TRANSLATING) {
    store<u64>(at, before);
    return WRITE_NEEDS_DATA;
  }
  derive(core);
  return WRITTEN;
}

function derivedFlags(core: u32): u32 {
  const context = register(core, REG_CONTEXT);
  const level = <u32>context & 3;
  if (level >= 2) return 0;
  const hcr = register(core, REG_HCR_EL2);
  const sctlr = register(core, REG_SCTLR_EL1);
  let flags = BELOW_EL2;
  if (!level) flags |= AT_EL0;
  if (!level || hcr) flags |= CONTROLLED;
  if (context & CONTEXT_WALKS || hcr & (HCR_VM | HCR_DC | HCR_TGE)) flags |= TRANSLATING;
  if (context & CONTEXT_AARCH32) flags |= AARCH32;
  if (hcr & (HCR_VM | HCR_DC)) flags |= STAGE2;
  if (sctlr & SCTLR_M && !(hcr & (HCR_DC | HCR_TGE))) {
    flags |= STAGE1;
    if (context & CONTEXT_WALKS) flags |= WALKS;
  }
  if (flags & AARCH32 && !(register(core, REG_TCR_EL1) & TCR_EAE)) flags |= SHORT;
  return flags;
}

/** How many cores translate now. */
export let translatingCores: u32 = 0;

/** Grows whenever a register is written: what somebody has worked out from registers holds as long as it stays. */
export let registerEpoch: u32 = 0;

/** Works out again what follows from a core's registers. */
function derive(core: u32): void {
  registerEpoch++;
  const block = blockAt(core);
  const flags = derivedFlags(core);
  translatingCores += <u32>((flags & TRANSLATING) != 0) - <u32>((load<u32>(block, X_FLAGS) & TRANSLATING) != 0);
  store<u32>(block, load<u32>(block, X_EPOCH) + 1, X_EPOCH);
  store<u32>(block, flags, X_FLAGS);
  const kind = (flags & AARCH32 ? 1 : 0) | (flags & WALKS ? 2 : 0) | (flags & STAGE2 ? 4 : 0);
  store<u32>(block, kind, X_KIND);
  store<u32>(block, vmidOf(core), X_VMID);
  store<u32>(block, asidOf(core, flags), X_ASID);
  store<u32>(block, 0, X_LAST_DATA);
  store<u32>(block, 0, X_LAST_FETCH);
  // What D8 sees: nothing is plain for a core that translates, everything is on for the hypervisor.
  const sctlr = <u32>register(core, REG_SCTLR_EL1);
  const effective = flags & TRANSLATING ? 0 : flags & BELOW_EL2 ? sctlr : SCTLR_M | SCTLR_C | SCTLR_I;
  store<u32>(coreAt(core), effective, C_SCTLR);
  updateFast(core);
}

/** VMID of a core's VTTBR_EL2 (D47). */
export function vmidOf(core: u32): u32 {
  const vmid = <u32>(register(core, REG_VTTBR_EL2) >> 48);
  return register(core, REG_VTCR_EL2) & VTCR_VS ? vmid : vmid & 0xff;
}

/** How many bits of an ASID count: all 16, or 8 (D45, D53). */
export function asidMask(core: u32): u32 {
  return !isAArch32(core) && register(core, REG_TCR_EL1) & TCR_AS ? 0xffff : 0xff;
}

export function isAArch32(core: u32): bool {
  return (register(core, REG_CONTEXT) & CONTEXT_AARCH32) != 0;
}

function asidOf(core: u32, flags: u32): u32 {
  if (flags & SHORT) return <u32>register(core, REG_CONTEXTIDR_EL1) & 0xff;
  const tcr = register(core, REG_TCR_EL1);
  const ttbr = register(core, tcr & TCR_A1 ? REG_TTBR1_EL1 : REG_TTBR0_EL1);
  const asid = <u32>(ttbr >> 48);
  return !(flags & AARCH32) && tcr & TCR_AS ? asid : asid & 0xff;
}
