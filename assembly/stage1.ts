// Stage 1: from virtual addresses to stage 2's, or to physical ones (D45, D46): long descriptors of AArch64 and LPAE, and the
// short ones of AArch32. What enable bits and shareability come to is decided when an access is made (attributes.ts).

import { sizeOf } from "./associative";
import {
  alone,
  codeOf,
  combine,
  isStageTwoDevice,
  legalByte,
  nibbleOf,
  packed,
  SH_INNER,
  SH_NON,
  SH_OUTER,
} from "./attributes";
import { meet, NONE } from "./exit";
import { SCTLR_C } from "./hits";
import { INVALID } from "./layout";
import {
  EXIT_ACCESS_FLAG,
  EXIT_ADDRESS_SIZE,
  EXIT_EXTERNAL,
  EXIT_PERMISSION,
  EXIT_TRANSLATION,
  REG_HCR_EL2,
  REG_MAIR_EL1,
  REG_SCTLR_EL1,
  REG_TCR_EL1,
  REG_TTBR0_EL1,
  REG_TTBR1_EL1,
} from "./operations";
import {
  AARCH32,
  flagsOf,
  HCR_CD,
  HCR_FWB,
  HCR_ID,
  HCR_PTW,
  register,
  registerEpoch,
  SCTLR_AFE,
  SCTLR_TRE,
  SHORT,
  STAGE2,
} from "./registers";
import {
  ADDRESS_MASK,
  isValid,
  leadsOn,
  outputBits,
  S2_READ,
  s2Allowed,
  s2Attribute,
  s2Level,
  s2Physical,
  shiftAt,
  stageTwo,
} from "./stage2";
import { E_ALLOWED, E_PHYSICAL, findTable, keepsTables, keepTable } from "./tlb";
import { followTrail, keepTrail, LAST_LEVEL, STAGE_1, T_CODE, T_FORBIDDEN, T_PHYSICAL } from "./trail";
import { descriptor, readDescriptor } from "./walk";

// ---- what stage 1 allows (bits of E_ALLOWED), and the domain that may overrule it
export const EL1_READ: u32 = 1;
export const EL1_WRITE: u32 = 2;
export const EL0_READ: u32 = 4;
export const EL0_WRITE: u32 = 8;
export const PXN: u32 = 16;
export const XN: u32 = 32;
export const DOMAIN_SHIFT: u32 = 16;
export const HAS_DOMAIN: u32 = 1 << 20;
const EVERYBODY: u32 = EL1_READ | EL1_WRITE | EL0_READ | EL0_WRITE;

// ---- what the last translation came to
export let s1Output: u64 = 0;
/** Byte and SH as the descriptor says them. */
export let s1Attribute: u32 = 0;
export let s1Allowed: u32 = 0;
export let s1Level: i32 = -1;
export let s1Size: u32 = 0;
export let s1Global: bool = false;

/** Stage 1 that walks nothing: the address is its own translation, for everybody. */
export function passThrough(address: u64): void {
  s1Output = address;
  s1Attribute = 0;
  s1Allowed = EVERYBODY;
  s1Level = -1;
  s1Size = 63;
  s1Global = true;
}

/** Translates a VA (49 bits, 32 in AArch32) by tables; false where that exits. */
export function stageOne(core: u32, va: u64): bool {
  return flagsOf(core) & SHORT ? walkShort(core, va) : walkLong(core, va);
}

function fault(kind: u32, level: u32): bool {
  meet(kind, 1, level, NONE, NONE, false);
  return false;
}

// ---- the entry of a table that is read next: where it lies, and the code with which it is read
let entryAt: u64 = 0;
let entryCode: u32 = 0;

/** Finds an entry, whose address stage 2 translates first (D51). */
function placeEntry(core: u32, address: u64, walker: u32): bool {
  let physical = address;
  const has2 = (flagsOf(core) & STAGE2) != 0;
  if (has2) {
    if (!stageTwo(core, address, true)) return false;
    const isDevice = isStageTwoDevice(s2Attribute & 15);
    if (!(s2Allowed & S2_READ) || (isDevice && register(core, REG_HCR_EL2) & HCR_PTW)) {
      meet(EXIT_PERMISSION, 2, s2Level, address, NONE, true);
      return false;
    }
    physical = s2Physical;
  }
  entryAt = physical;
  entryCode = walkCode(core, walker, has2 ? s2Attribute : INVALID);
  return true;
}

function readEntry(bytes: u32, level: u32): bool {
  if (readDescriptor(entryAt, bytes, entryCode, false)) return true;
  meet(EXIT_EXTERNAL, 1, level, NONE, entryAt, true);
  return false;
}

function readTable(core: u32, address: u64, bytes: u32, walker: u32, level: u32): bool {
  return placeEntry(core, address, walker) && readEntry(bytes, level);
}

// ---- the attribute that was asked for last, and what it came to
let codeFor: u32 = INVALID;
let codeEpoch: u32 = 0;
let codeWalker: u32 = 0;
let codeStage2: u32 = 0;
let walkersCode: u32 = 0;

/** The code with which a table is read: the walker's attribute, and stage 2's for the table's memory, INVALID without one. */
function walkCode(core: u32, walker: u32, stage2: u32): u32 {
  if (codeFor == core && codeEpoch == registerEpoch && codeWalker == walker && codeStage2 == stage2) return walkersCode;
  codeFor = core;
  codeEpoch = registerEpoch;
  codeWalker = walker;
  codeStage2 = stage2;
  let attribute = register(core, REG_SCTLR_EL1) & SCTLR_C ? walker : packed(0x44, SH_OUTER);
  if (stage2 != INVALID) {
    if (isStageTwoDevice(stage2 & 15)) attribute = packed(0x44, SH_OUTER);
    else {
      const hcr = register(core, REG_HCR_EL2);
      const fwb = (hcr & HCR_FWB) != 0;
      const cd = (hcr & HCR_CD) != 0;
      attribute = combine(false, attribute, stage2 & 15, stage2 >> 4, fwb, cd, (hcr & HCR_ID) != 0);
    }
  }
  walkersCode = codeOf(alone(attribute));
  return walkersCode;
}

/** What tables above have forbidden: no access from EL0, no writes, no execution at EL0, nor at EL1. */
const NO_EL0: u32 = 1;
const READ_ONLY: u32 = 2;
const NO_EXECUTE: u32 = 4;
const NO_PRIVILEGED_EXECUTE: u32 = 8;

/** Permissions from AP[2:1] (D48). */
function allowedBy(ap: u32): u32 {
  switch (ap & 3) {
    case 0:
      return EL1_READ | EL1_WRITE;
    case 1:
      return EVERYBODY;
    case 2:
      return EL1_READ;
    default:
      return EL1_READ | EL0_READ;
  }
}

/** Attribute of a walker from its two-bit cacheabilities and SH. */
function walkerOf(inner: u32, outer: u32, sh: u32): u32 {
  return packed((nibbleOf(outer) << 4) | nibbleOf(inner), sh);
}

// ---- long descriptors: AArch64 (D45) and LPAE (D46)

function walkLong(core: u32, va: u64): bool {
  const tcr = register(core, REG_TCR_EL1);
  const narrow = (flagsOf(core) & AARCH32) != 0;
  const lowest: u32 = narrow ? 1 : 0;
  let upper: bool;
  let bits: u32;
  let level: u32;
  if (narrow) {
    const t0 = <u32>tcr & 7;
    const t1 = <u32>(tcr >> 16) & 7;
    const all: u64 = 1 << 32;
    if (t1 ? va >= all - (all >> t1) : t0 && va >= all >> t0) upper = true;
    else if (va < all >> t0) upper = false;
    else return fault(EXIT_TRANSLATION, 1);
    bits = 32 - (upper ? t1 : t0);
    level = bits > 30 ? 1 : 2;
  } else {
    upper = va >> 48 != 0;
    const size = <u32>(upper ? tcr >> 16 : tcr) & 63;
    if (size < 16 || size > 39) return fault(EXIT_TRANSLATION, 0);
    bits = 64 - size;
    // All the bits above are zeroes, or ones, and bit 48 says which.
    if (va >> bits != (upper ? ((<u64>1) << (49 - bits)) - 1 : 0)) return fault(EXIT_TRANSLATION, 0);
    level = 4 - (bits - 12 + 8) / 9;
  }
  if (tcr & (upper ? 1 << 23 : 1 << 7)) return fault(EXIT_TRANSLATION, lowest);
  const limit: u32 = narrow ? 40 : outputBits(<u32>(tcr >> 32));
  const fields = <u32>(upper ? tcr >> 24 : tcr >> 8);
  const walker = walkerOf(fields & 3, (fields >> 2) & 3, (fields >> 4) & 3);
  let table: u64;
  let forbidden: u32 = 0;
  let indexBits: u32 = 9;
  let trail: usize = 0;
  const held = findTable(core, va);
  if (held) {
    table = load<u64>(held, E_PHYSICAL);
    forbidden = load<u32>(held, E_ALLOWED);
    level = 3 - (sizeOf(held) - 21) / 9;
  } else {
    indexBits = bits - shiftAt(level);
    table =
      register(core, upper ? REG_TTBR1_EL1 : REG_TTBR0_EL1) & 0x0000_ffff_ffff_fffe & ~(((<u64>8) << indexBits) - 1);
    if (table >> limit) return fault(EXIT_ADDRESS_SIZE, lowest);
    if (!keepsTables()) trail = followTrail(STAGE_1, core, va);
    if (trail) {
      level = LAST_LEVEL;
      indexBits = 9;
      forbidden = load<u32>(trail, T_FORBIDDEN);
    }
  }
  for (; ; level++) {
    const shift = shiftAt(level);
    const index = (va >> shift) & (((<u64>1) << indexBits) - 1);
    if (trail) {
      entryAt = load<u64>(trail, T_PHYSICAL) + (index << 3);
      entryCode = load<u32>(trail, T_CODE);
    } else {
      if (!placeEntry(core, table + (index << 3), walker)) return false;
      if (level == LAST_LEVEL && !keepsTables()) keepWay(core, va, forbidden, index);
    }
    if (!readEntry(8, level)) return false;
    const d = descriptor;
    if (!leadsOn(d, level)) return leafOfLong(core, va, d, level, limit, forbidden);
    table = d & ADDRESS_MASK;
    if (table >> limit) return fault(EXIT_ADDRESS_SIZE, level);
    indexBits = 9;
    if ((d >> 61) & 1) forbidden |= NO_EL0;
    if ((d >> 62) & 1) forbidden |= READ_ONLY;
    if ((d >> 60) & 1) forbidden |= NO_EXECUTE;
    if ((d >> 59) & 1) forbidden |= NO_PRIVILEGED_EXECUTE;
    keepTable(core, va, shift, table, forbidden);
  }
  return false;
}

/** The way to the table of the last level, of which an entry has been found, is kept. */
function keepWay(core: u32, va: u64, forbidden: u32, index: u64): void {
  const trail = keepTrail(STAGE_1, core, va, 0);
  if (!trail) return;
  store<u64>(trail, entryAt - (index << 3), T_PHYSICAL);
  store<u32>(trail, entryCode, T_CODE);
  store<u32>(trail, forbidden, T_FORBIDDEN);
}

/** A long descriptor of this level leads to no table: it is the leaf, or there is a fault, which gives false. */
export function leafOfLong(core: u32, va: u64, d: u64, level: u32, limit: u32, forbidden: u32): bool {
  if (!isValid(d, level)) return fault(EXIT_TRANSLATION, level);
  const inside = ((<u64>1) << shiftAt(level)) - 1;
  const output = d & ADDRESS_MASK & ~inside;
  if (output >> limit) return fault(EXIT_ADDRESS_SIZE, level);
  if (!(d & (1 << 10))) return fault(EXIT_ACCESS_FLAG, level);
  let ap = <u32>(d >> 6) & 3;
  if (forbidden & NO_EL0) ap &= 2;
  if (forbidden & READ_ONLY) ap |= 2;
  s1Allowed = allowedBy(ap);
  if ((d >> 53) & 1 || forbidden & NO_PRIVILEGED_EXECUTE) s1Allowed |= PXN;
  if ((d >> 54) & 1 || forbidden & NO_EXECUTE) s1Allowed |= XN;
  s1Size = shiftAt(level);
  s1Output = output | (va & inside);
  const byte = <u32>(register(core, REG_MAIR_EL1) >> (((d >> 2) & 7) << 3)) & 0xff;
  s1Attribute = packed(legalByte(byte), <u32>(d >> 8) & 3);
  s1Level = level;
  s1Global = !(d & (1 << 11));
  return true;
}

// ---- short descriptors (D46)

function walkShort(core: u32, va: u64): bool {
  const ttbcr = <u32>register(core, REG_TCR_EL1);
  let n = ttbcr & 7;
  const upper = n != 0 && va >> (32 - n) != 0;
  if (ttbcr & (upper ? 1 << 5 : 1 << 4)) return fault(EXIT_TRANSLATION, 1);
  if (upper) n = 0;
  const ttbr = <u32>register(core, upper ? REG_TTBR1_EL1 : REG_TTBR0_EL1);
  const sh = ttbr & 2 ? (ttbr & 32 ? SH_INNER : SH_OUTER) : SH_NON;
  const walker = walkerOf(((ttbr & 1) << 1) | ((ttbr >> 6) & 1), (ttbr >> 3) & 3, sh);
  const held = findTable(core, va);
  let table: u64;
  let domain: u32;
  let pxn: u32;
  if (held) {
    table = load<u64>(held, E_PHYSICAL);
    domain = load<u32>(held, E_ALLOWED) & 15;
    pxn = load<u32>(held, E_ALLOWED) >> 4;
  } else {
    const first = ttbr & ~((1 << (14 - n)) - 1);
    const index = (va & (((<u64>1) << (32 - n)) - 1)) >> 20;
    if (!readTable(core, <u64>first + (index << 2), 4, walker, 1)) return false;
    const d = <u32>descriptor;
    if (!(d & 3)) return fault(EXIT_TRANSLATION, 1);
    if (d & 2) return section(core, va, d);
    table = d & 0xfffffc00;
    domain = (d >> 5) & 15;
    pxn = (d >> 2) & 1;
    keepTable(core, va, 20, table, domain | (pxn << 4));
  }
  if (!readTable(core, table + (((va >> 12) & 0xff) << 2), 4, walker, 2)) return false;
  const d = <u32>descriptor;
  if (!(d & 3)) return fault(EXIT_TRANSLATION, 2);
  const isSmall = (d & 2) != 0;
  const tex = isSmall ? (d >> 6) & 7 : (d >> 12) & 7;
  const ap = ((d >> 7) & 4) | ((d >> 4) & 3);
  const xn = isSmall ? d & 1 : (d >> 15) & 1;
  const size: u32 = isSmall ? 12 : 16;
  const output = <u64>(d & ~((1 << size) - 1));
  return shortLeaf(core, va, output, size, 2, tex, d, ap, (d >> 10) & 1, (d >> 11) & 1, xn, pxn, domain);
}

function section(core: u32, va: u64, d: u32): bool {
  const isSuper = (d & (1 << 18)) != 0;
  const size: u32 = isSuper ? 24 : 20;
  let output = <u64>(d & ~((1 << size) - 1));
  if (isSuper) output |= ((<u64>((d >> 20) & 15)) << 32) | ((<u64>((d >> 5) & 15)) << 36);
  const domain = isSuper ? 0 : (d >> 5) & 15;
  const ap = ((d >> 13) & 4) | ((d >> 10) & 3);
  return shortLeaf(
    core,
    va,
    output,
    size,
    1,
    (d >> 12) & 7,
    d,
    ap,
    (d >> 16) & 1,
    (d >> 17) & 1,
    (d >> 4) & 1,
    d & 1,
    domain,
  );
}

/** A leaf of either level; C and B are bits 3 and 2 of all of them. */
function shortLeaf(
  core: u32,
  va: u64,
  output: u64,
  size: u32,
  level: u32,
  tex: u32,
  d: u32,
  ap: u32,
  s: u32,
  nonGlobal: u32,
  xn: u32,
  pxn: u32,
  domain: u32,
): bool {
  const sctlr = register(core, REG_SCTLR_EL1);
  if (sctlr & SCTLR_AFE) {
    if (!(ap & 1)) return fault(EXIT_ACCESS_FLAG, level);
    s1Allowed = allowedBy(ap >> 1);
  } else s1Allowed = allowedByThree(ap);
  s1Allowed |= (xn ? XN : 0) | (pxn ? PXN : 0) | (domain << DOMAIN_SHIFT) | HAS_DOMAIN;
  const cb = (d >> 2) & 3;
  s1Attribute = sctlr & SCTLR_TRE ? remapped(core, ((tex & 1) << 2) | cb, s) : plain((tex << 2) | cb, s);
  s1Size = size;
  s1Output = output | (va & (((<u64>1) << size) - 1));
  s1Level = level;
  s1Global = !nonGlobal;
  return true;
}

/** Permissions from AP[2:0] without an access flag. */
function allowedByThree(ap: u32): u32 {
  switch (ap) {
    case 1:
      return EL1_READ | EL1_WRITE;
    case 2:
      return EL1_READ | EL1_WRITE | EL0_READ;
    case 3:
      return EVERYBODY;
    case 5:
      return EL1_READ;
    case 6:
    case 7:
      return EL1_READ | EL0_READ;
    default:
      return 0;
  }
}

/** Attribute with TEX remap: PRRR and NMRR are the halves of MAIR_EL1. */
function remapped(core: u32, n: u32, s: u32): u32 {
  const mair = register(core, REG_MAIR_EL1);
  const prrr = <u32>mair;
  const nmrr = <u32>(mair >> 32);
  const sh = (prrr >> (18 + s)) & 1 ? ((prrr >> (24 + n)) & 1 ? SH_INNER : SH_OUTER) : SH_NON;
  const kind = (prrr >> (2 * n)) & 3;
  if (kind != 2) return packed(kind == 1 ? 4 : 0, sh);
  return walkerOf((nmrr >> (2 * n)) & 3, (nmrr >> (2 * n + 16)) & 3, sh);
}

/** Attribute from TEX, C and B as they stand. */
function plain(bits: u32, s: u32): u32 {
  const sh = s ? SH_INNER : SH_NON;
  if (bits & 16) return walkerOf(bits & 3, (bits >> 2) & 3, sh);
  switch (bits) {
    case 1:
    case 8:
      return packed(0x04, sh);
    case 2:
      return packed(0xaa, sh);
    case 3:
      return packed(0xee, sh);
    case 4:
      return packed(0x44, sh);
    case 7:
      return packed(0xff, sh);
    default:
      return packed(0x00, sh);
  }
}
