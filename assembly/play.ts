// The loop over records: who, what, where, then one of the accesses or operations. Plain hits are settled by run.ts;
// everything else is named here and goes to its own place.

import {
  cacheable,
  dataPiece,
  deviceRead,
  deviceWrite,
  distrustCopies,
  FETCH_CACHEABLE,
  FETCH_L1I_ONLY,
  FETCH_UNCACHED,
  fetchPiece,
  pathFor,
  setSpeculating,
} from "./access";
import { becomesPlain, dealtAs, passes, UNLIKE } from "./alike";
import { seen, setVersion, value } from "./bytes";
import { nothingHeld } from "./coherence";
import { deal, dealPhysical, maintains } from "./deal";
import { TELLS_TABLES, writeElsewhere } from "./elsewhere";
import { finishExit, meet, meetTrap, NONE, setExitAddress } from "./exit";
import { flushStageTwo } from "./flush";
import { lookAheadWalks } from "./foresight";
import { inForce } from "./handover";
import { assignPage, checkLosses, diverge, divergent, setAttribute, setPiece, setRecord } from "./hazard";
import { evict } from "./hierarchy";
import { admit, dismiss, lastValue, SCTLR_C, SCTLR_I, SCTLR_M, setLastValue } from "./hits";
import { migrate, setWayRecord } from "./latent";
import {
  allocate,
  C_ACTIVE,
  C_L1I,
  C_SCTLR,
  C_SOCKET,
  CARRY,
  coreAt,
  cores,
  devices,
  fetchPathAt,
  N_LINE_SHIFT,
  ncAtomics,
  outer,
  pathAt,
  smallestShift,
  sockets,
  VERSIONS,
  zvaBytes,
} from "./layout";
import {
  byAddress,
  invalidateAllInstructions,
  invalidateInstructions,
  outerByAddress,
  outerByWay,
  toUnification,
} from "./maintenance";
import {
  byteOf,
  enableOuter,
  enterMemory,
  enterRegion,
  event,
  machineCount,
  outerEnabled,
  regionBytes,
  regionDelta,
  regionHome,
  regionIsDevice,
  regionLow,
  setWho,
  TRUTH,
} from "./memory";
import { logging } from "./miss-log";
import {
  ATTR_DEVICE,
  ATTR_INNER_NC_OUTER_WB,
  ATTR_NON_CACHEABLE,
  ATTR_WRITE_BACK,
  ATTR_WRITE_BACK_NON_SHAREABLE,
  ATTR_WRITE_THROUGH,
  CHARGED_COUNT,
  CHARGED_FIRST,
  EVENT_DSB,
  EVENT_ISB,
  EVENT_MAINTENANCE,
  EXIT_EXTERNAL,
  MACHINE_ATOMIC_FAILURES,
  OP_ASSIGN_PAGE,
  OP_ATOMIC,
  OP_CHARGE,
  OP_DC_CISW,
  OP_DC_CIVAC,
  OP_DC_CSW,
  OP_DC_CVAC,
  OP_DC_CVAP,
  OP_DC_CVAU,
  OP_DC_ISW,
  OP_DC_IVAC,
  OP_DC_ZVA,
  OP_DEVICE_READ,
  OP_DEVICE_WRITE,
  OP_DSB,
  OP_EVICT,
  OP_FETCH,
  OP_FLUSH_STAGE2,
  OP_IC_IALLU,
  OP_IC_IALLUIS,
  OP_IC_IVAU,
  OP_ISB,
  OP_LOAD,
  OP_MIGRATE,
  OP_MRS,
  OP_MSR,
  OP_OUTER_CLEAN_PA,
  OP_OUTER_CLEAN_WAY,
  OP_OUTER_CONTROL,
  OP_OUTER_FLUSH_PA,
  OP_OUTER_FLUSH_WAY,
  OP_OUTER_INVALIDATE_PA,
  OP_OUTER_INVALIDATE_WAY,
  OP_PREFETCH,
  OP_SCTLR,
  OP_SPECULATIVE_FETCH,
  OP_STORE,
  OP_TLBI,
  OP_TLBI_ALL,
  OP_VALUE_HIGH,
  OP_VALUE_LOW,
  OP_WITH,
  REG_COUNT,
  REG_HCR_EL2,
  REG_SCTLR_EL1,
  TLBI_VMALLE1,
} from "./operations";
import { chooseOrder, consider, interrupt, settleWholly } from "./order";
import { isFirst, noteObserved, owns, sharded } from "./own";
import { completeMaintenance, noteMaintenance, stamp, synchronizeContext } from "./pending";
import { plainLoad } from "./plain";
import {
  AARCH32,
  CONTROLLED,
  flagsOf,
  HCR_DC,
  HCR_FB,
  HCR_SWIO,
  HCR_VM,
  register,
  TRANSLATES,
  TRANSLATING,
  translatingCores,
  WRITE_NEEDS_DATA,
  WRITE_UNKNOWN,
  writeRegister,
} from "./registers";
import { playAlone, playRun } from "./run";
import { probe, recordOf } from "./set";
import { bySetWay, playSetWays } from "./setway";
import { isVirtual, kept, keptMany, keptNumbers, sift, siftVirtual } from "./sift";
import { invalidateTranslations, isTlbiKind, lookAheadSets } from "./tlb";
import {
  isWalked,
  meetAtomic,
  partBytes,
  partCode,
  partCount,
  partIsL1IOnly,
  partPhysical,
  takePlain,
  translateRecord,
  virtualOf,
} from "./translate";
import { isDataByAddress, trapOf } from "./traps";
import { leaveForce, strayed, walksFromUnification } from "./walk";
import { foreseenTo, isForeseen, playWalks } from "./walks";

/** Why `play` stopped before the end of a batch; the host makes the sentence (D7). */
export const ERROR_NONE: i32 = 0;
export const ERROR_OPERATION: i32 = 1;
export const ERROR_REQUESTER: i32 = 2;
export const ERROR_REQUESTER_KIND: i32 = 3;
export const ERROR_ADDRESS: i32 = 4;
export const ERROR_ZVA: i32 = 5;
export const ERROR_ATOMIC: i32 = 6;
export const ERROR_ATTRIBUTE: i32 = 7;
export const ERROR_MIGRATE: i32 = 8;
/** The record met a fault or a trap: no error, but an Exit (D40). */
export const ERROR_EXIT: i32 = 9;
export const ERROR_REGISTER: i32 = 10;
export const ERROR_NO_DATA: i32 = 11;
export const ERROR_TLBI: i32 = 12;
export const ERROR_CHARGE: i32 = 13;
/** No error: other shards can't know what a walk of this one observed. The whole machine has to be in one kernel. */
export const ERROR_WHOLE: i32 = 14;
export let error: i32 = 0;
/** The requester of the record that failed, its prefix considered. */
export let errorRequester: u32 = 0;

export const BATCH_RECORDS: u32 = 65536;
export let batch: usize = 0;
let number: u64 = 0;

export function allocateBatch(): void {
  batch = allocate(<usize>BATCH_RECORDS * 8, 64);
}

export function recordsPlayed(): u64 {
  return number;
}

// ---- prefixes wait here for their record
let sizeGiven: u32 = 0;
let requesterGiven: u32 = 0;
let attributeGiven: u32 = 0;
/** Bits 63:48 of the address are ones; and bits of WITH that mean nothing (D39). */
let upperGiven: bool = false;
let strayGiven: bool = false;
let valueGiven: bool = false;
let valueBits: u64 = 0;
let prefixed: bool = false;

function dropPrefixes(): void {
  sizeGiven = 0;
  requesterGiven = 0;
  attributeGiven = 0;
  upperGiven = false;
  strayGiven = false;
  valueGiven = false;
  valueBits = 0;
  prefixed = false;
}

/** Plays `count` words of the batch. Returns how many; fewer than asked means `error` says why. */
export function play(count: u32): u32 {
  error = ERROR_NONE;
  const dealing = chooseOrder(number, batch, count);
  siftedTo = 0;
  let setsSeenTo: usize = 0;
  let walking = false;
  let i: u32 = 0;
  while (i < count) {
    let word = load<u64>(batch + ((<usize>i) << 3));
    if (!prefixed) {
      const core = <u32>(word >> 56);
      const first = <u32>(word >> 48) & 0xff;
      let staysInForce = false;
      if (first <= OP_FETCH || (dealing && dealtAs(core, first) != UNLIKE)) {
        const start = i;
        if (dealing) consider();
        // Buckets on sharers take what is ours without sifting, but for contents, which need numbers and others' stores.
        const sifts = sharded && (CARRY || !(dealing && inForce));
        if (TRANSLATES && translatingCores && isVirtual(core)) {
          const at = batch + ((<usize>i) << 3);
          staysInForce = inForce && dealing && !walksFromUnification();
          if (at >= setsSeenTo) {
            setsSeenTo = lookAheadSets(at, batch + ((<usize>count) << 3));
            walking = !staysInForce && lookAheadWalks(at);
          }
          if (!staysInForce) interrupt(word);
          if (walking && !staysInForce) {
            i += playWalks(at, setsSeenTo, batch + ((<usize>count) << 3), number);
            setsSeenTo = foreseenTo;
            walking = isForeseen;
          }
          if (!isWalked()) {
            if (i == start) i += playVirtual(at, setsSeenTo);
            // What follows is asked anew, whoever's it is.
            if (i > start) {
              number += i - start;
              continue;
            }
          }
        } else if (sifts && first > OP_FETCH) {
          // In no stretch. No cache of ours is asked for what others play.
          const at = batch + ((<usize>i) << 3);
          const operand = word & 0xffffffffffff;
          if (enterMemory(operand)) {
            if (!owns(operand - regionDelta)) staysInForce = inForce;
            else if (deal(at, at + 8, number, 0) > at) {
              number++;
              i++;
              continue;
            }
          }
        } else if (sifts) i = playSifted(start, count, dealing);
        else if (dealing) {
          // The last stretch that was sifted isn't gone on with.
          siftedTo = 0;
          const from = batch + ((<usize>start) << 3);
          i += <u32>((deal(from, batch + ((<usize>count) << 3), number, 0) - from) >> 3);
        } else {
          enterRegion(word & 0xffffffffffff);
          i = playRun(batch, start, count, number, 0, true);
        }
        number += i - start;
        if (i == count) break;
        if (sifts) {
          if (i == siftedTo && i > start) continue;
          siftedAt++;
        }
        word = load<u64>(batch + ((<usize>i) << 3));
      }
      if (becomesPlain(batch + ((<usize>i) << 3))) continue;
      if (!staysInForce && !passes(word) && !maintains(word)) interrupt(word);
    }
    const op = <u32>(word >> 48) & 0xff;
    const operand = word & 0xffffffffffff;
    if (op >= OP_WITH) {
      if (!takePrefix(op, operand)) return i;
    } else {
      if (op == OP_DC_CISW && !prefixed) {
        const after = playSetWays(batch, i, count, number);
        if (after > i) {
          number += after - i;
          i = after;
          continue;
        }
      }
      if (!CARRY && op <= OP_FETCH && isOfFarCore() && playAlone(requesterGiven - 1, op, operand)) error = ERROR_NONE;
      else error = playSlow(op, <u32>(word >> 56), operand);
      dropPrefixes();
      if (error) return i;
      number++;
    }
    i++;
  }
  return count;
}

/** Plays records of one bucket (deal.ts), all of them plain accesses: none can fail. Their numbers are `epoch` and what `numbers` says. */
export function playDealt(words: usize, many: u32, epoch: u64, numbers: usize): void {
  const next = number;
  let i: u32 = 0;
  while (i < many) {
    enterRegion(load<u64>(words + ((<usize>i) << 3)) & 0xffffffffffff);
    i = playRun(words, i, many, epoch, numbers, false);
    if (i == many) break;
    const word = load<u64>(words + ((<usize>i) << 3));
    number = epoch + load<u32>(numbers + ((<usize>i) << 2));
    const failed = playSlow(<u32>(word >> 48) & 0xff, <u32>(word >> 56), word & 0xffffffffffff);
    assert(!failed, "a plain access can't fail");
    i++;
  }
  number = next;
}

// ---- a shard's own records (sift.ts): the stretch of the batch that was sifted last, and how many of those kept are behind us
let siftedFrom: u32 = 0;
let siftedTo: u32 = 0;
let siftedAt: u32 = 0;

/**
 * Plays or deals what is ours of the plain accesses from a position of the batch on. Returns the position of one that needs the
 * long way, before `siftedTo`, or `siftedTo`.
 */
function playSifted(start: u32, count: u32, dealing: bool): u32 {
  if (start >= siftedTo) {
    siftedFrom = start;
    siftedTo = <u32>((sift(batch + ((<usize>start) << 3), batch + ((<usize>count) << 3), number) - batch) >> 3);
    siftedAt = 0;
  }
  const first = number - (start - siftedFrom);
  const before = siftedAt;
  if (dealing) {
    const from = kept + ((<usize>before) << 3);
    const until = kept + ((<usize>keptMany) << 3);
    siftedAt += <u32>((deal(from, until, first, keptNumbers + ((<usize>before) << 2)) - from) >> 3);
  } else if (before < keptMany) {
    enterRegion(load<u64>(kept + ((<usize>before) << 3)) & 0xffffffffffff);
    siftedAt = playRun(kept, before, keptMany, first, keptNumbers, true);
    if (CARRY && !VERSIONS) noteLastObserved(before, siftedAt, first);
  }
  return siftedAt == keptMany ? siftedTo : siftedFrom + load<u32>(keptNumbers + ((<usize>siftedAt) << 2));
}

/**
 * Plays plain accesses of cores that translate, from an address of the batch on, as the physical ones that they are, as far as TLBs
 * tell these. Returns how many records are behind.
 */
function playVirtual(from: usize, until: usize): u32 {
  // The log of misses tells lookups and accesses record by record.
  if (logging) return 0;
  const first = number;
  siftedTo = 0;
  const end = siftVirtual(from, until, first);
  for (let i: u32 = 0; i < keptMany; i++) admit(<u32>load<u8>(kept + ((<usize>i) << 3), 7));
  let i: u32 = 0;
  if (inForce) {
    const until = kept + ((<usize>keptMany) << 3);
    i = <u32>((deal(kept, until, first, sharded ? keptNumbers : 0) - kept) >> 3);
    if (i < keptMany) settleWholly();
  }
  for (; i < keptMany; i++) {
    const before = i;
    enterRegion(load<u64>(kept + ((<usize>i) << 3)) & 0xffffffffffff);
    i = playRun(kept, i, keptMany, first, keptNumbers, true);
    if (CARRY && !VERSIONS && sharded) noteLastObserved(before, i, first);
    if (i == keptMany) break;
    number = first + load<u32>(keptNumbers + ((<usize>i) << 2));
    playPhysical(load<u64>(kept + ((<usize>i) << 3)));
  }
  for (let i: u32 = 0; i < keptMany; i++) dismiss(<u32>load<u8>(kept + ((<usize>i) << 3), 7));
  number = first;
  return <u32>((end - from) >> 3);
}

/** One of them that takes more than `playRun` does. */
function playPhysical(word: u64): void {
  const op = <u32>(word >> 48) & 3;
  const core = <u32>(word >> 56);
  setWho(core, load<u32>(coreAt(core), C_SOCKET));
  setRecord(number);
  got = 0;
  gotAny = false;
  takePlain(word & 0xffffffffffff);
  playParts(op, core);
  if (divergent) checkLosses();
}

/** The last record of a run that isn't a store is what was observed last. */
function noteLastObserved(from: u32, to: u32, first: u64): void {
  for (let j = to; j > from; j--) {
    if ((<u32>(load<u64>(kept + ((<usize>(j - 1)) << 3)) >> 48) & 0xff) == OP_STORE) continue;
    noteObserved(first + load<u32>(keptNumbers + ((<usize>(j - 1)) << 2)));
    break;
  }
}

function takePrefix(op: u32, operand: u64): bool {
  prefixed = true;
  if (op == OP_WITH) {
    sizeGiven = <u32>operand & 0xffffff;
    requesterGiven = <u32>(operand >> 24) & 0xffff;
    attributeGiven = <u32>(operand >> 40) & 15;
    upperGiven = ((operand >> 44) & 1) != 0;
    strayGiven = operand >> 45 != 0;
  } else if (op == OP_VALUE_LOW) {
    valueGiven = true;
    valueBits = (valueBits & 0xffffffff00000000) | (operand & 0xffffffff);
  } else if (op == OP_VALUE_HIGH) {
    valueGiven = true;
    valueBits = (valueBits & 0xffffffff) | (operand << 32);
  } else {
    error = ERROR_OPERATION;
    dropPrefixes();
    return false;
  }
  return true;
}

/** Whether nothing but the core is given, because the record couldn't name it. */
function isOfFarCore(): bool {
  if (sharded || !requesterGiven || requesterGiven > cores || sizeGiven) return false;
  return !attributeGiven && !upperGiven && !strayGiven && !valueGiven;
}

/** The attribute of a core's data access (D8). */
function dataAttribute(core: u32): u32 {
  const sctlr = load<u32>(coreAt(core), C_SCTLR);
  if (!(sctlr & SCTLR_M) || regionIsDevice) return ATTR_DEVICE;
  const given = attributeGiven ? attributeGiven - 1 : ATTR_WRITE_BACK;
  return !(sctlr & SCTLR_C) && given != ATTR_DEVICE ? ATTR_NON_CACHEABLE : given;
}

/** Value bytes of a piece (D6), for the record that began at `start`. */
function makeValue(start: u64, from: u64, bytes: u32, zero: bool): void {
  if (!CARRY) return;
  if (VERSIONS) {
    setVersion(number + 1, load<u64>(byteOf(from), TRUTH));
    return;
  }
  if (zero) {
    memory.fill(value, 0, bytes);
    return;
  }
  const bits = valueGiven ? valueBits : number + 1;
  const base = valueGiven ? from - start : from;
  if (!(<u32>base & 7) && bytes == 8) {
    store<u64>(value, bits);
    return;
  }
  for (let i: u32 = 0; i < bytes; i++) store<u8>(value + i, <u8>(bits >> (((<u32>base + i) & 7) * 8)));
}

function isKnown(op: u32): bool {
  return (
    op <= OP_SPECULATIVE_FETCH ||
    (op >= OP_DC_IVAC && op <= OP_DC_ZVA) ||
    (op >= OP_OUTER_CONTROL && op <= OP_OUTER_FLUSH_WAY) ||
    (op >= OP_ASSIGN_PAGE && op <= OP_FLUSH_STAGE2)
  );
}

/** Whether the record is a speculative fetch: a fetch that observes nothing, and doesn't exit (R19, D23). */
let speculative: bool = false;

/** Whether a fetch of the core fills any cache. */
function fetchFills(core: u32): bool {
  return mode == FETCH_CACHEABLE || (mode == FETCH_L1I_ONLY && load<u32>(coreAt(core), C_L1I) != 0);
}

function playSlow(op: u32, requester: u32, address: u64): i32 {
  if (!isKnown(op)) return ERROR_OPERATION;
  if (requesterGiven) requester = requesterGiven - 1;
  errorRequester = requester;
  if (requester >= cores + devices) return ERROR_REQUESTER;
  const isDevice = requester >= cores;
  if (op != OP_ASSIGN_PAGE && isDevice != forDevice(op)) return ERROR_REQUESTER_KIND;
  if (attributeGiven > ATTR_INNER_NC_OUTER_WB + 1 || strayGiven) return ERROR_ATTRIBUTE;
  setWho(requester, isDevice ? load<u32>(deviceAt(requester - cores), 4) : load<u32>(coreAt(requester), C_SOCKET));
  setRecord(number);
  const flags = isDevice ? 0 : flagsOf(requester);
  let failed: i32 = 0;
  if (op == OP_SPECULATIVE_FETCH) {
    op = OP_FETCH;
    speculative = true;
    setSpeculating(true);
  }
  if (flags & CONTROLLED && op >= OP_DC_IVAC) failed = trap(requester, op, address);
  if (failed) {
    // It is not the core's to do.
  } else if (op <= OP_PREFETCH || forDevice(op) || op == OP_DC_ZVA)
    failed = playAccess(op, requester, address, TRANSLATES && (flags & TRANSLATING) != 0);
  else failed = playOperation(op, requester, address, TRANSLATES && (flags & TRANSLATING) != 0);
  if (TRANSLATES && failed == ERROR_ADDRESS && flags & TRANSLATING) {
    // A physical address, which no stage has seen (D40).
    meet(EXIT_EXTERNAL, 0, -1, NONE, address, false);
    failed = ERROR_EXIT;
  }
  if (failed == ERROR_EXIT && speculative) failed = 0;
  if (TRANSLATES && sharded && strayed) failed = ERROR_WHOLE;
  if (failed == ERROR_EXIT) finishExit(requester, op, address, valueBits);
  if (divergent) checkLosses();
  if (speculative) {
    speculative = false;
    setSpeculating(false);
  }
  return failed;
}

/** D49: an exit, or 0. */
function trap(core: u32, op: u32, operand: u64): i32 {
  const target = trapOf(core, op, operand);
  if (!target) return 0;
  meetTrap(target);
  if (isDataByAddress(op) || op == OP_DC_ZVA || op == OP_IC_IVAU) {
    const isNarrow = (flagsOf(core) & (TRANSLATING | AARCH32)) == (TRANSLATING | AARCH32);
    setExitAddress(isNarrow ? operand & 0xffffffff : operand, upperGiven && !(flagsOf(core) & AARCH32));
  }
  return ERROR_EXIT;
}

// ---- what D8 leaves of an attribute: how a fetch goes, and which caches a data access or cacheable fetch goes through (0: none)
let mode: u32 = 0;
let path: usize = 0;

/** A fetch with I set: its attribute, with `mode` and `path`. */
function resolveFetch(core: u32, attribute: u32): u32 {
  mode = FETCH_CACHEABLE;
  path = pathFor(core, attribute, true);
  if (
    attribute <= ATTR_NON_CACHEABLE ||
    attribute == ATTR_INNER_NC_OUTER_WB ||
    (!load<u32>(path) && !load<u32>(coreAt(core), C_L1I))
  ) {
    mode = FETCH_UNCACHED;
    return ATTR_NON_CACHEABLE;
  }
  if (attribute == ATTR_WRITE_BACK_NON_SHAREABLE) distrustCopies();
  return attribute;
}

/** A fetch that fills the L1I alone. */
function resolveL1IOnly(core: u32): u32 {
  mode = FETCH_L1I_ONLY;
  path = fetchPathAt(core, regionHome);
  return ATTR_WRITE_THROUGH;
}

/** A fetch from memory itself. */
function resolveUncached(attribute: u32): u32 {
  mode = FETCH_UNCACHED;
  path = 0;
  return attribute;
}

/** Data with M and C set: its attribute, with `path`. */
function resolveData(core: u32, attribute: u32): u32 {
  path = 0;
  if (attribute == ATTR_DEVICE) return attribute;
  if (cacheable(attribute)) path = pathFor(core, attribute, false);
  if (path && load<u32>(path)) return attribute;
  path = 0;
  return ATTR_NON_CACHEABLE;
}

/** Whether an atomic can be done in the caches (D26). */
function isAtomic(attribute: u32): bool {
  return path != 0 && attribute != ATTR_WRITE_BACK_NON_SHAREABLE;
}

/** An atomic that goes to memory all the same, as a read and a write. */
function resolveAtMemory(attribute: u32): u32 {
  if (path) attribute = ATTR_NON_CACHEABLE;
  path = 0;
  return attribute;
}

/** What data that goes through caches leaves behind. */
function noteCached(core: u32, attribute: u32): void {
  store<u32>(coreAt(core), 1, C_ACTIVE);
  if (attribute != ATTR_WRITE_BACK) distrustCopies();
}

function playAccess(op: u32, requester: u32, address: u64, translated: bool): i32 {
  let start = address;
  let bytes = <u64>sizeGiven;
  if (op == OP_DC_ZVA) {
    if (!zvaBytes) return ERROR_ZVA;
    start = address & ~(<u64>zvaBytes - 1);
    bytes = zvaBytes;
  } else if (!bytes) {
    start = address & ~(<u64>7);
    bytes = 8;
  }
  got = 0;
  gotAny = false;
  if (translated) return playTranslated(op, requester, start, <u32>bytes);
  if (!enterRegion(start) || start + bytes - regionLow > regionBytes) return ERROR_ADDRESS;
  let attribute: u32 = attributeGiven ? attributeGiven - 1 : ATTR_WRITE_BACK;
  mode = FETCH_CACHEABLE;
  path = 0;
  if (forDevice(op)) attribute = isCoherent(requester) ? ATTR_WRITE_BACK : ATTR_NON_CACHEABLE;
  else if (op == OP_FETCH) {
    // D8: what SCTLR and the attribute leave of a fetch.
    const sctlr = load<u32>(coreAt(requester), C_SCTLR);
    if (regionIsDevice) attribute = resolveUncached(ATTR_DEVICE);
    else if (sctlr & SCTLR_I) {
      if (sctlr & SCTLR_M) attribute = resolveFetch(requester, attribute);
      else attribute = resolveL1IOnly(requester);
    } else attribute = resolveUncached(ATTR_NON_CACHEABLE);
    if (speculative && !fetchFills(requester)) return 0;
  } else {
    attribute = resolveData(requester, dataAttribute(requester));
    if (op == OP_DC_ZVA && attribute == ATTR_DEVICE) return ERROR_ZVA;
    if (op == OP_PREFETCH && !path) return 0;
    if (op == OP_ATOMIC && !isAtomic(attribute)) {
      if (ncAtomics == 0) return ERROR_ATOMIC;
      if (ncAtomics == 1) {
        if (isFirst) machineCount(MACHINE_ATOMIC_FAILURES);
        return 0;
      }
      attribute = resolveAtMemory(attribute);
    }
    if (path) noteCached(requester, attribute);
  }
  const compact = start - regionDelta;
  playPieces(op, requester, compact, bytes, compact, attribute, 0);
  return 0;
}

/** The same for a core that translates: page by page, and nothing is played before all of it has been translated (D40). */
function playTranslated(op: u32, core: u32, start: u64, bytes: u32): i32 {
  if (!translateRecord(core, op, virtualOf(core, start, upperGiven), bytes, attributeGiven))
    return op == OP_PREFETCH ? 0 : ERROR_EXIT;
  if (inForce && dealTranslated(op, core, bytes)) return 0;
  if (op == OP_LOAD && bytes == 8 && playWord(core)) return 0;
  if (op == OP_ATOMIC && ncAtomics < 2) {
    for (let i: u32 = 0; i < partCount; i++) {
      enterRegion(partPhysical(i));
      if (isAtomic(resolveData(core, partCode(i)))) continue;
      if (ncAtomics == 0) {
        meetAtomic(i);
        return ERROR_EXIT;
      }
      if (isFirst) machineCount(MACHINE_ATOMIC_FAILURES);
      return 0;
    }
  }
  playParts(op, core);
  return 0;
}

/**
 * Deals what a record has been translated to, while sharers are in force. False: it has to be played. Sharers have been given up then,
 * unless no cache of ours is asked.
 */
function dealTranslated(op: u32, core: u32, bytes: u32): bool {
  if (partCount == 1 && bytes == 8 && partCode(0) == ATTR_WRITE_BACK && !partIsL1IOnly(0)) {
    const physical = partPhysical(0);
    if (enterMemory(physical) && !owns(physical - regionDelta)) return false;
    if (dealPhysical(((<u64>core) << 56) | ((<u64>op) << 48) | physical, number)) return true;
  }
  leaveForce();
  return false;
}

/** Plays what a record has been translated to. */
function playParts(op: u32, core: u32): void {
  let piece: u32 = 0;
  let done: u64 = 0;
  for (let i: u32 = 0; i < partCount; i++) {
    enterRegion(partPhysical(i));
    let attribute = partCode(i);
    if (op == OP_FETCH) {
      if (regionIsDevice) attribute = resolveUncached(ATTR_DEVICE);
      else attribute = partIsL1IOnly(i) ? resolveL1IOnly(core) : resolveFetch(core, attribute);
    } else {
      attribute = resolveData(core, attribute);
      if (op == OP_ATOMIC && !isAtomic(attribute)) attribute = resolveAtMemory(attribute);
      if (path) noteCached(core, attribute);
    }
    const compact = partPhysical(i) - regionDelta;
    if (speculative ? !fetchFills(core) : op == OP_PREFETCH && !path) {
      const last = compact + partBytes(i) - 1;
      piece += <u32>((last >> smallestShift) - (compact >> smallestShift)) + 1;
    } else {
      piece = playPieces(op, core, compact, partBytes(i), compact - done, attribute, piece);
    }
    done += partBytes(i);
  }
}

/** A translated load of one word that a plain load answers. False: nothing has been done. */
function playWord(core: u32): bool {
  const physical = partPhysical(0);
  if (sharded || <u32>physical & 7 || partCode(0) != ATTR_WRITE_BACK) return false;
  enterRegion(physical);
  if (regionIsDevice) return false;
  setAttribute(ATTR_WRITE_BACK);
  setPiece(0);
  const at = plainLoad(core, physical - regionDelta);
  if (!at) return false;
  if (TRANSLATES) setLastValue(load<u64>(at));
  return true;
}

/** Bytes of the record's observation that are behind, and whether `lastValue` has any of them. */
let got: u32 = 0;
let gotAny: bool = false;

/**
 * Plays a physical range as pieces from number `piece` on (D5), with `mode` and `path`; returns the number that follows. Values
 * count from `origin`, where the record's first byte would lie.
 */
function playPieces(op: u32, requester: u32, compact: u64, bytes: u64, origin: u64, attribute: u32, piece: u32): u32 {
  setAttribute(attribute);
  const end = compact + bytes;
  const isObserved = op == OP_LOAD || (op == OP_FETCH && !speculative) || op == OP_ATOMIC || op == OP_DEVICE_READ;
  const writes = op == OP_STORE || op == OP_DC_ZVA || op == OP_ATOMIC || op == OP_DEVICE_WRITE;
  const thePath = path;
  let from = compact;
  while (from < end) {
    const next = min(((from >> smallestShift) + 1) << smallestShift, end);
    const size = <u32>(next - from);
    if (!owns(from)) {
      if (TELLS_TABLES && writes && !regionIsDevice) {
        makeValue(origin, from, size, op == OP_DC_ZVA);
        writeElsewhere(from, size);
      }
      if (isObserved) got = min(got + size, 8);
      from = next;
      piece++;
      continue;
    }
    setPiece(piece);
    if (piece && divergent) checkLosses();
    if (op == OP_DEVICE_READ) deviceRead(from, size, isCoherent(requester));
    else if (op == OP_FETCH) fetchPiece(from, size, mode, attribute, thePath);
    else {
      if (writes) makeValue(origin, from, size, op == OP_DC_ZVA);
      if (op == OP_DEVICE_WRITE)
        deviceWrite(from, size, isCoherent(requester), isCoherent(requester) ? landingOf(requester) : 0);
      else dataPiece(from, size, op == OP_LOAD || op == OP_ATOMIC, writes, attribute, thePath);
    }
    if (CARRY && !VERSIONS && isObserved && got < 8) {
      let observed: u64 = gotAny ? lastValue : 0;
      for (let b: u32 = 0; b < size && got < 8; b++, got++) observed |= (<u64>load<u8>(seen + b)) << (got * 8);
      setLastValue(observed);
      gotAny = true;
      if (sharded) noteObserved(number);
    }
    if (divergent) checkLosses();
    assert(nothingHeld(), "a piece leaves nothing on the stack of found copies");
    from = next;
    piece++;
  }
  return piece;
}

function forDevice(op: u32): bool {
  return op == OP_DEVICE_READ || op == OP_DEVICE_WRITE;
}

// ---- devices: coherent, socket, landing cache by home socket
let deviceTable: usize = 0;
const DEVICE_SIZE: usize = 16;

export function allocateDevices(): void {
  deviceTable = allocate(<usize>(devices + 1) * DEVICE_SIZE);
  for (let d: u32 = 0; d < devices; d++) store<u32>(deviceAt(d), <u32>allocate(<usize>sockets * 4), 8);
}

export function deviceAt(d: u32): usize {
  return deviceTable + <usize>d * DEVICE_SIZE;
}

function isCoherent(requester: u32): bool {
  return load<u32>(deviceAt(requester - cores)) != 0;
}

function landingOf(requester: u32): usize {
  return <usize>load<u32>(<usize>load<u32>(deviceAt(requester - cores), 8) + ((<usize>regionHome) << 2));
}

/** Whether a cache lies on a core's data path for the current region's home. */
export function isOnPathOf(core: u32, n: usize): bool {
  const path = pathAt(core, regionHome);
  const length = load<u32>(path);
  for (let i: u32 = 1; i <= length; i++) if (<usize>load<u32>(path + ((<usize>i) << 2)) == n) return true;
  return false;
}

/** Whether HCR_EL2 of a core below EL2 has any of these bits. */
function controls(core: u32, bits: u64): bool {
  return (flagsOf(core) & CONTROLLED) != 0 && (register(core, REG_HCR_EL2) & bits) != 0;
}

function playByAddress(op: u32, core: u32, address: u64, translated: bool): i32 {
  let attribute: u32;
  if (translated) {
    if (!translateRecord(core, op, virtualOf(core, address, upperGiven), 1, attributeGiven)) return ERROR_EXIT;
    address = partPhysical(0);
    attribute = partCode(0);
  } else {
    if (!enterRegion(address)) return ERROR_ADDRESS;
    attribute = dataAttribute(core);
  }
  const compact = address - regionDelta;
  if (!owns(compact)) {
    noteMaintenance();
    return 0;
  }
  setAttribute(attribute);
  const own = attribute == ATTR_WRITE_BACK_NON_SHAREABLE;
  event(EVENT_MAINTENANCE);
  stamp(compact, op == OP_IC_IVAU);
  // Under a hypervisor data isn't thrown away (D49).
  if (op == OP_DC_IVAC) byAddress(compact, controls(core, HCR_DC | HCR_VM), true, own);
  else if (op == OP_DC_CVAC || op == OP_DC_CVAP) byAddress(compact, true, false, own);
  else if (op == OP_DC_CIVAC) byAddress(compact, true, true, own);
  else if (op == OP_DC_CVAU) toUnification(compact, own);
  else invalidateInstructions(compact, own);
  return 0;
}

function playOperation(op: u32, core: u32, address: u64, translated: bool): i32 {
  if (isDataByAddress(op) || op == OP_IC_IVAU) return playByAddress(op, core, address, translated);
  setAttribute(ATTR_WRITE_BACK);
  if (op >= OP_DC_ISW && op <= OP_DC_CISW) {
    eventOnce(EVENT_MAINTENANCE);
    setWayRecord(core);
    const cleans = op != OP_DC_ISW || controls(core, HCR_SWIO | HCR_DC | HCR_VM);
    bySetWay(core, load<u32>(coreAt(core), C_SOCKET), <u32>address, cleans, op != OP_DC_CSW);
    return 0;
  }
  switch (op) {
    case OP_EVICT: {
      if (translated) {
        if (!translateRecord(core, op, virtualOf(core, address, upperGiven), 1, attributeGiven, sizeGiven)) return 0;
        address = partPhysical(0);
      } else if (!enterRegion(address)) return ERROR_ADDRESS;
      if (owns(address - regionDelta)) evictInnermost(core, address - regionDelta);
      break;
    }
    case OP_IC_IALLU:
    case OP_IC_IALLUIS:
      eventOnce(EVENT_MAINTENANCE);
      if (op == OP_IC_IALLUIS || controls(core, HCR_FB))
        for (let c: u32 = 0; c < cores; c++) invalidateAllInstructions(c);
      else invalidateAllInstructions(core);
      break;
    case OP_SCTLR:
      return writeSystem(core, REG_SCTLR_EL1, address);
    case OP_MSR:
      return writeSystem(core, address, valueBits);
    case OP_MRS:
      if (address >= REG_COUNT) return ERROR_REGISTER;
      setLastValue(register(core, <u32>address));
      if (isFirst) noteObserved(number);
      break;
    case OP_TLBI_ALL:
      invalidateTranslations(core, TLBI_VMALLE1, controls(core, HCR_FB), 0);
      break;
    case OP_TLBI: {
      if (!isTlbiKind(<u32>address & 0xff)) return ERROR_TLBI;
      invalidateTranslations(core, <u32>address & 0xff, (address & 0x100) != 0 || controls(core, HCR_FB), valueBits);
      break;
    }
    case OP_CHARGE:
      if (address >= CHARGED_COUNT) return ERROR_CHARGE;
      eventOnce(<usize>CHARGED_FIRST + <usize>address);
      break;
    case OP_FLUSH_STAGE2:
      flushStageTwo(core, address, valueBits);
      break;
    case OP_DSB:
      eventOnce(EVENT_DSB);
      completeMaintenance(core);
      break;
    case OP_ISB:
      eventOnce(EVENT_ISB);
      synchronizeContext(core);
      break;
    case OP_OUTER_CONTROL:
      playOuterControl((address & 1) != 0);
      break;
    case OP_OUTER_CLEAN_PA:
    case OP_OUTER_INVALIDATE_PA:
    case OP_OUTER_FLUSH_PA:
      if (!enterRegion(address)) return ERROR_ADDRESS;
      if (!owns(address - regionDelta)) break;
      event(EVENT_MAINTENANCE);
      outerByAddress(address - regionDelta, op != OP_OUTER_INVALIDATE_PA, op != OP_OUTER_CLEAN_PA);
      break;
    case OP_OUTER_CLEAN_WAY:
    case OP_OUTER_INVALIDATE_WAY:
    case OP_OUTER_FLUSH_WAY:
      eventOnce(EVENT_MAINTENANCE);
      outerByWay(<u32>address, op != OP_OUTER_INVALIDATE_WAY, op != OP_OUTER_CLEAN_WAY);
      break;
    case OP_ASSIGN_PAGE:
      if (!enterRegion(address)) return ERROR_ADDRESS;
      if (!regionIsDevice) assignPage(address - regionDelta);
      break;
    case OP_MIGRATE:
      if (address >= cores) return ERROR_MIGRATE;
      migrate(<u32>address, core);
      break;
    default:
      // DMB and branch-predictor invalidation change nothing that this model keeps.
      break;
  }
  return 0;
}

/** An event of a record that belongs to no set group. */
function eventOnce(kind: usize): void {
  if (isFirst) event(kind);
}

function writeSystem(core: u32, number: u64, bits: u64): i32 {
  const refused = writeRegister(core, number, bits);
  return refused == WRITE_UNKNOWN ? ERROR_REGISTER : refused == WRITE_NEEDS_DATA ? ERROR_NO_DATA : ERROR_NONE;
}

function playOuterControl(on: bool): void {
  if (!outer || on == outerEnabled) return;
  diverge();
  enableOuter(on);
}

/** D26: the innermost copy on the core's data path goes as if replaced. */
function evictInnermost(core: u32, compact: u64): void {
  const path = pathAt(core, regionHome);
  const length = load<u32>(path);
  for (let i: u32 = 1; i <= length; i++) {
    const n = <usize>load<u32>(path + ((<usize>i) << 2));
    const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
    const r = recordOf(n, line);
    const way = probe(n, r, line);
    if (way >= 0) {
      evict(n, r, way);
      return;
    }
  }
}
