// Stage 2: from intermediate physical to physical addresses (D47), through the IPA cache.

import { sizeOf } from "./associative";
import { alone, codeOf, isReserved, nibbleOf, packed, SH_OUTER } from "./attributes";
import { meet, NONE } from "./exit";
import { INVALID } from "./layout";
import {
  EXIT_ACCESS_FLAG,
  EXIT_ADDRESS_SIZE,
  EXIT_EXTERNAL,
  EXIT_RESERVED,
  EXIT_TRANSLATION,
  REG_HCR_EL2,
  REG_VTCR_EL2,
  REG_VTTBR_EL2,
} from "./operations";
import { HCR_CD, HCR_FWB, register, registerEpoch } from "./registers";
import { E_ALLOWED, E_LEVEL2, E_PHYSICAL, E_STAGE2, findIntermediate, keepIntermediate } from "./tlb";
import { followTrail, keepTrail, LAST_LEVEL, lastOfTrail, STAGE_2, T_TABLE, walkedSoFar } from "./trail";
import { descriptor, readDescriptor } from "./walk";

// ---- what stage 2 allows (bits of E_ALLOWED)
export const S2_READ: u32 = 1 << 8;
export const S2_WRITE: u32 = 1 << 9;
export const S2_NO_EXECUTE: u32 = 1 << 10;

// ---- what the last translation came to
export let s2Physical: u64 = 0;
/** MemAttr in bits 3:0, SH in bits 5:4, as they stand in the descriptor. */
export let s2Attribute: u32 = 0;
export let s2Allowed: u32 = 0;
export let s2Level: i32 = -1;
export let s2Size: u32 = 0;

/** Output addresses may have so many bits: TCR.IPS and VTCR.PS. */
export function outputBits(field: u32): u32 {
  switch (field & 7) {
    case 0:
      return 32;
    case 1:
      return 36;
    case 2:
      return 40;
    case 3:
      return 42;
    case 4:
      return 44;
    default:
      return 48;
  }
}

/** Bits of the address that a table at this level is indexed with begin here. */
export function shiftAt(level: u32): u32 {
  return 12 + 9 * (3 - level);
}

export const ADDRESS_MASK: u64 = 0x0000_ffff_ffff_f000;

// ---- VTCR_EL2 and VTTBR_EL2, taken apart
export let inputBits: u32 = 0;
export let firstLevel: u32 = 0;
export let firstBits: u32 = 0;
export let base: u64 = 0;

/** The core and the epoch of registers for which they were taken apart, and what follows for translations. */
let apartFor: u32 = INVALID;
let apartEpoch: u32 = 0;
let isKnown: bool = false;
/** Output addresses have so many bits. */
export let limit: u32 = 0;
let fwb: bool = false;
export let code: u32 = 0;

/** Whether the control registers describe tables at all (D47). */
export function takeApart(core: u32): bool {
  if (apartFor == core && apartEpoch == registerEpoch) return isKnown;
  apartFor = core;
  apartEpoch = registerEpoch;
  limit = outputBits(<u32>(register(core, REG_VTCR_EL2) >> 16));
  fwb = (register(core, REG_HCR_EL2) & HCR_FWB) != 0;
  code = walkCode(core);
  isKnown = takeTablesApart(core);
  return isKnown;
}

function takeTablesApart(core: u32): bool {
  const vtcr = register(core, REG_VTCR_EL2);
  const start = <u32>(vtcr >> 6) & 3;
  inputBits = 64 - (<u32>vtcr & 63);
  if (start == 3 || inputBits < 24 || inputBits > 48) return false;
  firstLevel = 2 - start;
  const shift = shiftAt(firstLevel);
  if (inputBits < shift + 1 || inputBits > shift + 13) return false;
  firstBits = inputBits - shift;
  base = register(core, REG_VTTBR_EL2) & 0x0000_ffff_ffff_fffe & ~(((<u64>8) << firstBits) - 1);
  return true;
}

/** Attribute with which stage-2 descriptors are read (D51): a code for the caches. */
function walkCode(core: u32): u32 {
  if (register(core, REG_HCR_EL2) & HCR_CD) return codeOf(packed(0x44, SH_OUTER));
  const vtcr = <u32>register(core, REG_VTCR_EL2);
  return codeOf(alone(packed((nibbleOf((vtcr >> 10) & 3) << 4) | nibbleOf((vtcr >> 8) & 3), (vtcr >> 12) & 3)));
}

function fault(kind: u32, level: u32, ipa: u64, physical: i64, forTable: bool): bool {
  meet(kind, 2, level, ipa, physical, forTable);
  return false;
}

/** Translates an IPA; false where that exits. `forTable`: the access is stage 1's, to one of its tables. */
export function stageTwo(core: u32, ipa: u64, forTable: bool): bool {
  const known = takeApart(core);
  if (inputBits < 48 && ipa >> inputBits) return fault(EXIT_TRANSLATION, 0, ipa, NONE, forTable);
  const entry = findIntermediate(core, ipa);
  if (entry) {
    s2Size = sizeOf(entry);
    s2Physical = load<u64>(entry, E_PHYSICAL) | (ipa & (((<u64>1) << s2Size) - 1));
    s2Attribute = load<u16>(entry, E_STAGE2);
    s2Allowed = load<u32>(entry, E_ALLOWED);
    s2Level = load<i8>(entry, E_LEVEL2);
    return true;
  }
  if (!known) return fault(EXIT_TRANSLATION, 0, ipa, NONE, forTable);
  if (base >> limit) return fault(EXIT_ADDRESS_SIZE, 0, ipa, NONE, forTable);
  let table = base;
  let bits = firstBits;
  const from = walkedSoFar();
  const trail = followTrail(STAGE_2, core, ipa);
  for (let level = trail ? LAST_LEVEL - 1 : firstLevel; ; level++) {
    const shift = shiftAt(level);
    let at: u64;
    let d: u64;
    if (trail && level < LAST_LEVEL) {
      at = load<u64>(trail, T_TABLE);
      d = lastOfTrail(trail);
    } else {
      at = table + (((ipa >> shift) & (((<u64>1) << bits) - 1)) << 3);
      if (!readDescriptor(at, 8, code, false)) return fault(EXIT_EXTERNAL, level, ipa, at, forTable);
      d = descriptor;
      if (level == LAST_LEVEL - 1) {
        const kept = keepTrail(STAGE_2, core, ipa, from);
        if (kept) store<u64>(kept, at, T_TABLE);
      }
    }
    if (!leadsOn(d, level)) return leafOfTwo(core, ipa, d, level, at, forTable);
    table = d & ADDRESS_MASK;
    if (table >> limit) return fault(EXIT_ADDRESS_SIZE, level, ipa, NONE, forTable);
    bits = 9;
  }
  return false;
}

/** A descriptor of this level, read at `at`, leads to no table: it is the leaf, or there is a fault, which gives false. */
export function leafOfTwo(core: u32, ipa: u64, d: u64, level: u32, at: u64, forTable: bool): bool {
  if (!isValid(d, level)) return fault(EXIT_TRANSLATION, level, ipa, NONE, forTable);
  const shift = shiftAt(level);
  const inside = ((<u64>1) << shift) - 1;
  const output = d & ADDRESS_MASK & ~inside;
  if (output >> limit) return fault(EXIT_ADDRESS_SIZE, level, ipa, NONE, forTable);
  if (!(d & (1 << 10))) return fault(EXIT_ACCESS_FLAG, level, ipa, NONE, forTable);
  const memAttr = <u32>(d >> 2) & 15;
  if (isReserved(memAttr, fwb)) return fault(EXIT_RESERVED, level, ipa, at, forTable);
  s2Size = shift;
  s2Level = level;
  s2Attribute = memAttr | ((<u32>(d >> 8) & 3) << 4);
  s2Allowed = (d & (1 << 6) ? S2_READ : 0) | (d & (1 << 7) ? S2_WRITE : 0) | ((d >> 54) & 1 ? S2_NO_EXECUTE : 0);
  s2Physical = output | (ipa & inside);
  keepIntermediate(core, ipa, shift, output, s2Attribute, s2Allowed, s2Level);
  return true;
}

/** Whether a descriptor names another table. */
export function leadsOn(d: u64, level: u32): bool {
  return isValid(d, level) && isTable(d, level);
}

/** Levels 0 and 3 have no blocks (D45). */
export function isValid(d: u64, level: u32): bool {
  return (d & 1) != 0 && ((d & 2) != 0 || (level != 0 && level != 3));
}

export function isTable(d: u64, level: u32): bool {
  return (d & 2) != 0 && level != 3;
}
