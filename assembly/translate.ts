// Records of a core that translates: the parts of a record page by page (D41), each looked up or walked, checked (D48), and given
// the attribute that both stages and the enable bits make of it (D42 to D44). What comes out are physical ranges to be played.

import { sizeOf } from "./associative";
import { codeOf, combine, stageOne as effective, flatAttribute } from "./attributes";
import { meet, NONE, setExitAddress } from "./exit";
import { SCTLR_C, SCTLR_I, SCTLR_M } from "./hits";
import { allocate, INVALID } from "./layout";
import { enterMemory, enterRegion, regionBytes, regionIsDevice, regionLow } from "./memory";
import {
  ATTR_DEVICE,
  ATTR_WRITE_BACK,
  EXIT_ALIGNMENT,
  EXIT_ATOMIC,
  EXIT_DOMAIN,
  EXIT_EXTERNAL,
  EXIT_PERMISSION,
  OP_ATOMIC,
  OP_DC_IVAC,
  OP_DC_ZVA,
  OP_EVICT,
  OP_FETCH,
  OP_LOAD,
  OP_PREFETCH,
  OP_STORE,
  REG_DACR,
  REG_HCR_EL2,
  REG_SCTLR_EL1,
} from "./operations";
import {
  AARCH32,
  AT_EL0,
  blockAt,
  flagsOf,
  HCR_CD,
  HCR_DC,
  HCR_FWB,
  HCR_ID,
  HCR_TGE,
  register,
  registerEpoch,
  SCTLR_WXN,
  STAGE1,
  STAGE2,
  WALKS,
  X_EPOCH,
} from "./registers";
import {
  DOMAIN_SHIFT,
  EL0_READ,
  EL0_WRITE,
  EL1_READ,
  EL1_WRITE,
  HAS_DOMAIN,
  PXN,
  passThrough,
  s1Allowed,
  s1Attribute,
  s1Global,
  s1Level,
  s1Output,
  s1Size,
  stageOne,
  XN,
} from "./stage1";
import {
  S2_NO_EXECUTE,
  S2_READ,
  S2_WRITE,
  s2Allowed,
  s2Attribute,
  s2Level,
  s2Physical,
  s2Size,
  stageTwo,
} from "./stage2";
import {
  E_ALLOWED,
  E_EPOCH,
  E_INTERMEDIATE,
  E_LEVEL1,
  E_LEVEL2,
  E_PHYSICAL,
  E_PLAIN,
  E_STAGE1,
  E_STAGE2,
  fillTranslation,
  find,
  lastOf,
  scratchOf,
  untranslated,
  use,
} from "./tlb";
import { beginWalk } from "./trail";

// ---- the parts of the record: physical address, bytes, what its attribute came to
const PART: usize = 24;
const P_BYTES: usize = 8;
const P_MEANING: usize = 12;
const P_VIRTUAL: usize = 16;
/** A record has at most 2^24 bytes. */
const PARTS_MAX: u32 = 4098;
let parts: usize = 0;
/** What `translatePlain` came to. */
export let plainAddress: u64 = 0;
export let partCount: u32 = 0;

export function allocateParts(): void {
  parts = allocate(<usize>PARTS_MAX * PART, 64);
}

export function partPhysical(i: u32): u64 {
  return load<u64>(parts + <usize>i * PART);
}

export function partBytes(i: u32): u32 {
  return load<u32>(parts + <usize>i * PART, P_BYTES);
}

/** A part that `translatePlain` has made, the only one of its record. */
export function takePlain(address: u64): void {
  partCount = 1;
  store<u64>(parts, address);
  store<u32>(parts, 8, P_BYTES);
  store<u32>(parts, ATTR_WRITE_BACK, P_MEANING);
}

/** The attribute code that the caches see, before D8's last word. */
export function partCode(i: u32): u32 {
  return load<u32>(parts + <usize>i * PART, P_MEANING) & 7;
}

/** A fetch with stage 1 off, I set and no stage 2 fills the L1I alone (D44). */
export function partIsL1IOnly(i: u32): bool {
  return (load<u32>(parts + <usize>i * PART, P_MEANING) & L1I_ONLY) != 0;
}

// ---- the meaning of a translation for one side of a core: the code, and what alignment is checked by
const STAGE1_DEVICE: u32 = 8;
const COMBINED_DEVICE: u32 = 16;
const L1I_ONLY: u32 = 32;
const KNOWN: u32 = 64;

/** VA of an operand, with the upper bit as bit 48; AArch32 has 32 bits and no upper ones. */
export function virtualOf(core: u32, operand: u64, upper: bool): u64 {
  if (flagsOf(core) & AARCH32) return operand & 0xffffffff;
  return operand | (upper ? (<u64>1) << 48 : 0);
}

/** `bytes` further on: addresses wrap within their bits, the upper bit stays (D41). */
function onwards(core: u32, va: u64, bytes: u64): u64 {
  const mask: u64 = flagsOf(core) & AARCH32 ? 0xffffffff : 0xffff_ffff_ffff;
  return (va & ~mask) | ((va + bytes) & mask);
}

/**
 * Translates every part of a record, in order; false where one exits. `given` is the prefix's attribute + 1, or 0. An eviction
 * names one byte, but is checked as a load of `checked` bytes is (D39).
 */
export function translateRecord(core: u32, op: u32, va: u64, bytes: u32, given: u32, checked: u32 = bytes): bool {
  partCount = 0;
  const start = va;
  let left = bytes;
  while (left) {
    const many = min(4096 - (<u32>va & 4095), left);
    const part = parts + <usize>partCount * PART;
    store<u64>(part, va, P_VIRTUAL);
    if (!translatePart(core, op, va, many, start, checked, given, part)) {
      setExitAddress(va & 0xffff_ffff_ffff, va >> 48 != 0);
      return false;
    }
    partCount++;
    left -= many;
    va = onwards(core, va, many);
  }
  return true;
}

/** What an atomic that its memory doesn't support is for whoever translates (D40). */
export function meetAtomic(part: u32): void {
  const va = load<u64>(parts + <usize>part * PART, P_VIRTUAL);
  meet(EXIT_ATOMIC, 0, -1, NONE, NONE, false);
  setExitAddress(va & 0xffff_ffff_ffff, va >> 48 != 0);
}

function translatePart(
  core: u32,
  op: u32,
  va: u64,
  bytes: u32,
  start: u64,
  recordBytes: u32,
  given: u32,
  part: usize,
): bool {
  const isFetch = op == OP_FETCH;
  const entry = translate(core, va, isFetch);
  if (!entry) return false;
  const meaning = meaningOf(core, entry, isFetch, given);
  const inPage = va & (((<u64>1) << sizeOf(entry)) - 1);
  if (!isAllowed(core, op, entry, meaning, inPage, start, recordBytes)) return false;
  const physical = load<u64>(entry, E_PHYSICAL) | inPage;
  if (!enterRegion(physical) || physical + bytes - regionLow > regionBytes) {
    meet(EXIT_EXTERNAL, 0, -1, NONE, physical, false);
    return false;
  }
  if (regionIsDevice && op == OP_DC_ZVA) {
    meet(EXIT_ALIGNMENT, 1, load<i8>(entry, E_LEVEL1), NONE, NONE, false);
    return false;
  }
  store<u64>(part, physical);
  store<u32>(part, bytes, P_BYTES);
  store<u32>(part, regionIsDevice ? ATTR_DEVICE : meaning, P_MEANING);
  return true;
}

/** What a walk came to that was made before its record is played (walks.ts): an entry, or 0 if it exits. NOTHING: there was none. */
const NOTHING: usize = 1;
let walkedTo: usize = NOTHING;

export function giveWalk(entry: usize): void {
  walkedTo = entry;
}

/** Whether the next record has been translated already. */
export function isWalked(): bool {
  return walkedTo != NOTHING;
}

/** The entry that translates a VA for one side: from the TLBs, or walked just now. 0: it exits. */
function translate(core: u32, va: u64, isFetch: bool): usize {
  if (walkedTo != NOTHING) {
    const entry = walkedTo;
    walkedTo = NOTHING;
    return entry;
  }
  const flags = flagsOf(core);
  const address = va & 0xffff_ffff_ffff;
  if (!(flags & (WALKS | STAGE2))) return untranslated(core, address);
  const found = use(core, va, isFetch, find(core, va, isFetch));
  if (found) return found;
  beginWalk();
  if (flags & WALKS) {
    if (!stageOne(core, va)) return 0;
  } else passThrough(address);
  if (flags & STAGE2 && !stageTwo(core, s1Output, false)) return 0;
  return keepWalk(core, va, isFetch, (flags & STAGE2) != 0);
}

/** Both stages have found their leaves, or the one that there is: what they come to goes into the TLBs. Returns the entry to use. */
export function keepWalk(core: u32, va: u64, isFetch: bool, has2: bool): usize {
  const entry = scratchOf(core);
  const size = has2 ? min(s1Size, s2Size) : s1Size;
  const page = ~(((<u64>1) << size) - 1);
  store<u64>(entry, (has2 ? s2Physical : s1Output) & page, E_PHYSICAL);
  store<u64>(entry, s1Output & page, E_INTERMEDIATE);
  store<u16>(entry, <u16>s1Attribute, E_STAGE1);
  store<u16>(entry, has2 ? <u16>s2Attribute : 0, E_STAGE2);
  store<u32>(entry, has2 ? s1Allowed | s2Allowed : s1Allowed, E_ALLOWED);
  store<i8>(entry, <i8>s1Level, E_LEVEL1);
  store<i8>(entry, has2 ? <i8>s2Level : -1, E_LEVEL2);
  store<u32>(entry, 0, E_EPOCH);
  return fillTranslation(core, isFetch, entry, va, size, s1Global);
}

/**
 * What both stages and today's enable bits make of an entry (D42 to D44). It is kept with the entry that the side found last:
 * whatever could change it (a register, a TLBI, another entry) forgets that.
 */
function meaningOf(core: u32, entry: usize, isFetch: bool, given: u32): u32 {
  const last = lastOf(core, isFetch);
  const isLast = <usize>load<u32>(last) == entry;
  if (isLast) {
    const kept = load<u32>(last, 4);
    if (kept & KNOWN && kept >> 8 == given) return kept & 255;
  }
  const meaning = meaningBy(core, load<u32>(entry, E_STAGE1), isFetch, given);
  if (isLast) store<u32>(last, meaning | (given << 8), 4);
  return meaning;
}

// ---- the meaning that was asked for last: of which core, side and given attribute, of what registers, of which raw attributes
let meantFor: u32 = INVALID;
let meantEpoch: u32 = 0;
let meantAttributes: u32 = 0;
let meant: u32 = 0;

/** The same from an entry's raw attributes of both stages, as they lie side by side in it. */
function meaningBy(core: u32, attributes: u32, isFetch: bool, given: u32): u32 {
  const key = (core << 8) | (given << 1) | (isFetch ? 1 : 0);
  if (meantFor == key && meantEpoch == registerEpoch && meantAttributes == attributes) return meant;
  meantFor = key;
  meantEpoch = registerEpoch;
  meantAttributes = attributes;
  const flags = flagsOf(core);
  const sctlr = <u32>register(core, REG_SCTLR_EL1);
  const hcr = register(core, REG_HCR_EL2);
  const has2 = (flags & STAGE2) != 0;
  const raw: u32 = flags & WALKS ? attributes & 0xffff : flatAttribute(given ? given - 1 : 2);
  const m = (sctlr & SCTLR_M) != 0;
  const i = (sctlr & SCTLR_I) != 0;
  const s1 = effective(isFetch, m, (sctlr & SCTLR_C) != 0, i, (hcr & HCR_DC) != 0, (hcr & HCR_TGE) != 0, has2, raw);
  let result = s1;
  if (has2) {
    const s2 = attributes >> 16;
    const fwb = (hcr & HCR_FWB) != 0;
    result = combine(isFetch, s1, s2 & 15, s2 >> 4, fwb, (hcr & HCR_CD) != 0, (hcr & HCR_ID) != 0);
  }
  const code = codeOf(result);
  let meaning = code | KNOWN;
  if (!isFetch && !(s1 & 0xf0)) meaning |= STAGE1_DEVICE;
  if (code == ATTR_DEVICE) meaning |= COMBINED_DEVICE;
  if (isFetch && i && !(flags & (STAGE1 | STAGE2))) meaning |= L1I_ONLY;
  meant = meaning;
  return meaning;
}

/** Which loads, stores and fetches of 8 aligned bytes a translation makes plain ones: allowed, and of Shareable Write-Back memory. */
export function plainBy(core: u32, entry: usize): u32 {
  const epoch = load<u32>(blockAt(core), X_EPOCH);
  if (load<u32>(entry, E_EPOCH) == epoch) return load<u16>(entry, E_PLAIN);
  let plain: u32 = 0;
  for (let op: u32 = OP_LOAD; op <= OP_FETCH; op++) {
    const meaning = meaningOf(core, entry, op == OP_FETCH, 0);
    // Whoever is refused here is so again, in his own words, when he is played.
    if (meaning == (ATTR_WRITE_BACK | KNOWN) && isAllowed(core, op, entry, meaning, 0, 0, 8)) plain |= 1 << op;
  }
  store<u16>(entry, <u16>plain, E_PLAIN);
  store<u32>(entry, epoch, E_EPOCH);
  return plain;
}

/**
 * Translates a plain access of a core that walks, or has stage 2, if a TLB knows its page and makes it an access of Shareable
 * Write-Back memory: `plainAddress` is where then, and its region is entered. False: nothing has been done.
 */
export function translatePlain(core: u32, op: u32, va: u64): bool {
  const isFetch = op == OP_FETCH;
  const entry = find(core, va, isFetch);
  if (!entry || !((plainBy(core, entry) >> op) & 1)) return false;
  const address = load<u64>(entry, E_PHYSICAL) | (va & (((<u64>1) << sizeOf(entry)) - 1));
  if (!enterMemory(address)) return false;
  plainAddress = address;
  use(core, va, isFetch, entry);
  return true;
}

/** Device memory takes aligned accesses of the sizes that instructions have, and no DC ZVA (D48). */
function isAligned(op: u32, start: u64, bytes: u32): bool {
  if (op == OP_DC_ZVA) return false;
  if (op > OP_EVICT || op == OP_FETCH || bytes < 2 || bytes > 16 || bytes & (bytes - 1)) return true;
  return !(start & (bytes - 1));
}

/** D48, in its order. */
function isAllowed(core: u32, op: u32, entry: usize, meaning: u32, inPage: u64, start: u64, bytes: u32): bool {
  const flags = flagsOf(core);
  const allowed = load<u32>(entry, E_ALLOWED);
  const level1 = load<i8>(entry, E_LEVEL1);
  if (meaning & STAGE1_DEVICE && !isAligned(op, start, bytes)) return refused(EXIT_ALIGNMENT, 1, level1, NONE);
  if (flags & WALKS) {
    let isManaged = true;
    if (allowed & HAS_DOMAIN) {
      const access = <u32>(register(core, REG_DACR) >> (((allowed >> DOMAIN_SHIFT) & 15) << 1)) & 3;
      if (!(access & 1)) return refused(EXIT_DOMAIN, 1, level1, NONE);
      isManaged = access == 1;
    }
    if (isManaged && !stageOnePermits(core, flags, op, allowed)) return refused(EXIT_PERMISSION, 1, level1, NONE);
  }
  if (!(flags & STAGE2)) return true;
  const level2 = load<i8>(entry, E_LEVEL2);
  const ipa = <i64>(load<u64>(entry, E_INTERMEDIATE) | inPage);
  if (!(meaning & STAGE1_DEVICE) && meaning & COMBINED_DEVICE && !isAligned(op, start, bytes))
    return refused(EXIT_ALIGNMENT, 2, level2, ipa);
  return stageTwoPermits(flags, op, allowed) || refused(EXIT_PERMISSION, 2, level2, ipa);
}

function refused(kind: u32, stage: u32, level: i32, ipa: i64): bool {
  meet(kind, stage, level, ipa, NONE, false);
  return false;
}

function reads(op: u32): bool {
  return op == OP_LOAD || op == OP_ATOMIC || op == OP_PREFETCH || op == OP_EVICT;
}

/** DC IVAC destroys data, so it is a write as far as permissions go. */
function writes(op: u32): bool {
  return op == OP_STORE || op == OP_ATOMIC || op == OP_DC_ZVA || op == OP_DC_IVAC;
}

function stageOnePermits(core: u32, flags: u32, op: u32, allowed: u32): bool {
  const isUser = (flags & AT_EL0) != 0;
  if (op == OP_FETCH) {
    if (register(core, REG_SCTLR_EL1) & SCTLR_WXN && allowed & (isUser ? EL0_WRITE : EL1_WRITE)) return false;
    if (isUser) return !(allowed & XN);
    return !(allowed & (flags & AARCH32 ? PXN | XN : PXN | EL0_WRITE));
  }
  if (!isUser) {
    if (reads(op) && !(allowed & EL1_READ)) return false;
    return !writes(op) || (allowed & EL1_WRITE) != 0;
  }
  // At EL0 maintenance needs to read; it is all operations that neither store nor zero.
  if (op != OP_STORE && op != OP_DC_ZVA && !(allowed & EL0_READ)) return false;
  return !(op == OP_STORE || op == OP_ATOMIC || op == OP_DC_ZVA) || (allowed & EL0_WRITE) != 0;
}

function stageTwoPermits(flags: u32, op: u32, allowed: u32): bool {
  if (op == OP_FETCH) return !(allowed & S2_NO_EXECUTE);
  const maintains = !reads(op) && op != OP_STORE && op != OP_DC_ZVA;
  if ((reads(op) || (maintains && flags & AT_EL0)) && !(allowed & S2_READ)) return false;
  const needsWrite = op == OP_DC_IVAC ? !(flags & AARCH32) : writes(op);
  return !needsWrite || (allowed & S2_WRITE) != 0;
}
