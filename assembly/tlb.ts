// Translation caches of each core (D52) and what TLBI removes from them (D53): two micro TLBs, a main one, pointers to stage-1
// tables (walk cache) and stage-2 translations (IPA cache). One shape of entry for all; nothing here reads a table.

import { keepSeen } from "./ahead";
import {
  chainOf,
  copyEntry,
  countSize,
  dropEntry,
  E_KEY,
  E_LINKS,
  E_PAGE,
  ENTRY,
  enter,
  entriesOf,
  entryAt,
  findLowest,
  findSmallest,
  GLOBAL,
  makeAssociative,
  makeRoom,
  matches,
  oldestOf,
  putIn,
  sizeOf,
  sizesOf,
  takeRoom,
  touchEntry,
  VALID,
} from "./associative";
import { allocate, breakIn, cores } from "./layout";
import { event } from "./memory";
import {
  EVENT_TLB,
  EVENT_TLBI,
  OP_FETCH,
  TLB_INVALIDATED,
  TLB_IPA_HITS,
  TLB_LOOKUPS,
  TLB_MAIN_MISSES,
  TLB_MICRO_MISSES,
  TLB_WALK_HITS,
  TLBI_ALLE1,
  TLBI_ASIDE1,
  TLBI_IPAS2E1,
  TLBI_IPAS2LE1,
  TLBI_VAAE1,
  TLBI_VAALE1,
  TLBI_VAE1,
  TLBI_VALE1,
  TLBI_VMALLE1,
} from "./operations";
import { isFirst } from "./own";
import {
  asidMask,
  blockAt,
  flagsOf,
  isAArch32,
  SHORT,
  tlbCount,
  vmidOf,
  X_ASID,
  X_CLOCK,
  X_KIND,
  X_LAST_DATA,
  X_LAST_FETCH,
  X_TLB,
  X_VMID,
} from "./registers";

// ---- an entry, as associative.ts has it; what it says
/** Physical and intermediate physical address of the page; the table's address in walk-cache entries. */
export const E_PHYSICAL: usize = 16;
export const E_INTERMEDIATE: usize = 24;
/** Raw stage-1 attribute (byte and SH), raw MemAttr and SH of stage 2 (bits 3:0 and 5:4). */
export const E_STAGE1: usize = 32;
export const E_STAGE2: usize = 34;
/** Permission bits of both stages, and the domain (translate.ts); accumulated bits in walk-cache entries. */
export const E_ALLOWED: usize = 36;
/** Levels of the leaves, -1 where the stage walked nothing. */
export const E_LEVEL1: usize = 40;
export const E_LEVEL2: usize = 41;
/** What a translation lets be played plainly (translate.ts), as bits, and the epoch of its core's registers that this was found in. */
export const E_PLAIN: usize = 42;
export const E_EPOCH: usize = 44;
/** Of the main TLB's entries, whose sets are searched one by one: when it was used last. */
const E_STAMP: usize = E_LINKS;

// Sizes as bits (D52): of translations page, large page, section, block, supersection, gigabyte block; of stage 2 alone; and
// the spans of tables in the walk cache, by format.
const TRANSLATION_SIZES: u64 = (1 << 12) | (1 << 16) | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 30);
const STAGE2_SIZES: u64 = (1 << 12) | (1 << 21) | (1 << 30);
const SHORT_SPANS: u64 = 1 << 20;
const LONG_SPANS: u64 = ((<u64>1) << 21) | ((<u64>1) << 30) | ((<u64>1) << 39);

let micro: u32 = 0;
let entries: u32 = 0;
let ways: u32 = 1;
let sets: u32 = 0;
/** Sets - 1 where that is a mask of more than nothing, else 0. */
let setMask: u64 = 0;
let walk: u32 = 0;
let ipa: u32 = 0;

/** The machine's geometry (D52), told by the host before the first record. */
export function setTlb(microEntries: u32, mainEntries: u32, mainWays: u32, walkEntries: u32, ipaEntries: u32): void {
  micro = microEntries;
  entries = mainEntries;
  ways = max(mainWays, 1);
  sets = entries / ways;
  setMask = sets && !(sets & (sets - 1)) ? sets - 1 : 0;
  walk = walkEntries;
  ipa = ipaEntries;
}

/** A core's caches: data micro, instruction micro, walk cache, IPA cache; the main TLB's sizes and prints; then its entries, and scratch. */
const MICRO: usize = 0;
const WALK: usize = 8;
const IPA: usize = 12;
const MAIN_SIZES: usize = 16;
const MAIN_PRINTS: usize = 20;
/** Sizes that some entry of the main TLB has, as bits: here as well, for whoever looks ahead. */
const HELD_SIZES: usize = 24;
const ENTRIES: usize = 64;

/** Made when the core first translates. */
function makeTlb(core: u32): usize {
  const at = allocate(ENTRIES + <usize>(entries + 1) * ENTRY, 64);
  breakIn(at, ENTRIES + <usize>entries * ENTRY);
  store<u32>(at, <u32>makeAssociative(micro), MICRO);
  store<u32>(at, <u32>makeAssociative(micro), MICRO + 4);
  store<u32>(at, <u32>makeAssociative(walk), WALK);
  store<u32>(at, <u32>makeAssociative(ipa), IPA);
  store<u32>(at, <u32>makeAssociative(0), MAIN_SIZES);
  store<u32>(at, <u32>allocate(<usize>sets * printsApart(), 64), MAIN_PRINTS);
  store<u32>(blockAt(core), <u32>at, X_TLB);
  return at;
}

function tlbOf(core: u32): usize {
  return <usize>load<u32>(blockAt(core), X_TLB) || makeTlb(core);
}

function microOf(tlb: usize, fetch: bool): usize {
  return <usize>load<u32>(tlb + (fetch ? 4 : 0), MICRO);
}

function mainOf(tlb: usize): usize {
  return tlb + ENTRIES;
}

/** One entry more of a main TLB, or less, has a size. */
function countMain(tlb: usize, size: u32, by: i32): void {
  const held = <usize>load<u32>(tlb, MAIN_SIZES);
  countSize(held, size, by);
  store<u64>(tlb, sizesOf(held), HELD_SIZES);
}

function walkOf(core: u32): usize {
  return <usize>load<u32>(tlbOf(core), WALK);
}

function ipaOf(core: u32): usize {
  return <usize>load<u32>(tlbOf(core), IPA);
}

/** A translation that nothing keeps: what a walk makes before it is filled, or an untranslated access. */
export function scratchOf(core: u32): usize {
  return mainOf(tlbOf(core)) + <usize>entries * ENTRY;
}

/** Set of the main TLB in which a page is kept. */
function mainSet(page: u64): u32 {
  return <u32>(setMask ? page & setMask : page % sets);
}

function entryIn(tlb: usize, set: u32, way: u32): usize {
  return mainOf(tlb) + <usize>(set * ways + way) * ENTRY;
}

// ---- prints: what an entry of the main TLB translates, in 32 bits, or 0 if it isn't valid. Those of all cores' sets stay in the
// host's own caches, which entries don't; whoever has the print may be the entry, and nobody else is.

/** Bytes from one set's prints to the next: four are compared at once. */
function printsApart(): usize {
  return (<usize>((ways + 3) & ~3)) << 2;
}

/** Of a page under a key: everything but what a global entry doesn't mind (ASID). */
function printOf(page: u64, key: u64, size: u32): u32 {
  const space = (key >> 16) & 0xffff00ff;
  return <u32>(((page ^ (space << 40) ^ (space >> 24) ^ ((<u64>size) << 56)) * 0x9e3779b97f4a7c15) >> 32) | 1;
}

function printsOf(tlb: usize, set: u32): usize {
  return <usize>load<u32>(tlb, MAIN_PRINTS) + <usize>set * printsApart();
}

function writePrint(tlb: usize, entry: usize, print: u32): void {
  const i = <u32>((entry - mainOf(tlb)) / ENTRY);
  store<u32>(printsOf(tlb, i / ways) + ((<usize>(i % ways)) << 2), print);
}

/** Bits of the four ways from `way` on that have a print. */
function printed(prints: usize, way: u32, print: u32): u32 {
  return i32x4.bitmask(i32x4.eq(v128.load(prints + ((<usize>way) << 2)), i32x4.splat(print)));
}

/** An access that no stage translates (D52): the address, for everybody, page by page; no TLB knows of it. */
export function untranslated(core: u32, address: u64): usize {
  const entry = scratchOf(core);
  memory.fill(entry, 0, ENTRY);
  store<u64>(entry, 12, E_KEY);
  store<u64>(entry, address & ~(<u64>4095), E_PHYSICAL);
  store<i8>(entry, -1, E_LEVEL1);
  store<i8>(entry, -1, E_LEVEL2);
  return entry;
}

function touch(core: u32, entry: usize): void {
  const clock = load<u64>(blockAt(core), X_CLOCK) + 1;
  store<u64>(blockAt(core), clock, X_CLOCK);
  store<u64>(entry, clock, E_STAMP);
}

/** The key that an entry of this core, now, would have, less its size. */
function keyOf(core: u32): u64 {
  const block = blockAt(core);
  return (
    VALID |
    ((<u64>load<u32>(block, X_KIND)) << 16) |
    ((<u64>load<u32>(block, X_VMID)) << 32) |
    ((<u64>load<u32>(block, X_ASID)) << 48)
  );
}

function covers(entry: usize, address: u64): bool {
  return load<u64>(entry, E_PAGE) == address >> sizeOf(entry);
}

/**
 * Where a new entry of a page, key and size goes in the main TLB: the lowest invalid one of its set, else the least recent (D52); it is
 * the most recent then.
 */
function roomInMain(core: u32, page: u64, key: u64, size: u32): usize {
  const tlb = tlbOf(core);
  const set = mainSet(page);
  const first = entryIn(tlb, set, 0);
  let chosen = first;
  const end = first + <usize>ways * ENTRY;
  for (let entry = first; entry < end; entry += ENTRY) {
    if (!(load<u64>(entry, E_KEY) & VALID)) {
      chosen = entry;
      break;
    }
    if (load<u64>(entry, E_STAMP) < load<u64>(chosen, E_STAMP)) chosen = entry;
  }
  const isTaken = (load<u64>(chosen, E_KEY) & VALID) != 0;
  if (!isTaken || sizeOf(chosen) != size) {
    if (isTaken) countMain(tlb, sizeOf(chosen), -1);
    countMain(tlb, size, 1);
  }
  touch(core, chosen);
  store<u32>(printsOf(tlb, set) + ((chosen - first) / ENTRY) * 4, printOf(page, key, size));
  return chosen;
}

// ---- micro and main TLB

/** Where a side's last lookup is remembered: the entry, what it means in force (translate.ts), the address's 4 KiB page. */
export function lastOf(core: u32, fetch: bool): usize {
  return blockAt(core) + (fetch ? X_LAST_FETCH : X_LAST_DATA);
}
const LAST_MEANING: usize = 4;
const LAST_PAGE: usize = 8;

/** `isNew`: the entry has just been filled, so nothing is known of what it means. */
function remember(core: u32, fetch: bool, entry: usize, address: u64, isNew: bool): void {
  const last = lastOf(core, fetch);
  if (isNew || <usize>load<u32>(last) != entry) store<u32>(last, 0, LAST_MEANING);
  store<u32>(last, <u32>entry);
  store<u64>(last, address >> 12, LAST_PAGE);
}

/** Where `find` found: what the side looked up last, its micro TLB, or nowhere nearer than the main one. */
const IN_LAST: u32 = 0;
const IN_MICRO: u32 = 1;
const IN_MAIN: u32 = 2;
let foundIn: u32 = 0;

/**
 * The entry that translates a VA (49 bits, D52) for one side, or 0; nothing is counted yet, nor used. The page that was looked up
 * last has the entry that was found last: it is the most recent of its micro TLB, nothing has been filled or removed since, and
 * no entry is smaller than a page, so the search would find it again.
 */
export function find(core: u32, address: u64, fetch: bool): usize {
  const last = lastOf(core, fetch);
  foundIn = IN_LAST;
  if (load<u32>(last) && load<u64>(last, LAST_PAGE) == address >> 12) return <usize>load<u32>(last);
  const key = keyOf(core);
  foundIn = IN_MICRO;
  const tlb = tlbOf(core);
  const entry = findLowest(microOf(tlb, fetch), address, key);
  if (entry) return entry;
  foundIn = IN_MAIN;
  return lookUpMain(tlb, address, key);
}

/** What `find` has just found, or not, is looked up. Returns the entry that may be used from here on, or 0: the tables have to be walked. */
export function use(core: u32, address: u64, fetch: bool, entry: usize): usize {
  tlbCount(core, TLB_LOOKUPS);
  if (foundIn == IN_LAST) return entry;
  if (foundIn == IN_MICRO) {
    touchEntry(microOf(tlbOf(core), fetch), entry);
    remember(core, fetch, entry, address, false);
    return entry;
  }
  tlbCount(core, TLB_MICRO_MISSES);
  missedMicro++;
  if (!entry) {
    tlbCount(core, TLB_MAIN_MISSES);
    return 0;
  }
  touch(core, entry);
  if (isFirst) event(EVENT_TLB);
  return fillMicro(core, fetch, entry, address);
}

// ---- looking ahead: the host waits once for the main TLBs' sets of many records, whose loads don't depend on each other
const AHEAD: usize = 32;
/**
 * Of each record looked at: its set's prints, then the entry that it is likely to find; its print; its set's first entry; the
 * micro TLB's chain, then the first entry in it, and the entry that will make room; the record as a bit.
 */
const WANTED_SIZE: usize = 24;
const WANTED = memory.data(24 * 32, 64);
const W_PRINT: usize = 4;
const W_SET: usize = 8;
const W_CHAIN: usize = 12;
const W_OLDEST: usize = 16;
const W_BIT: usize = 20;
/** That many micro misses in the last records, and the next ones are worth it. */
const WORTH: u32 = 4;
/** Where they aren't, nobody asks again for so many times as many. */
const SELDOM: usize = 8;
let missedMicro: u32 = 0;

/** Of the records that were looked at last, as bits: those whose page no main TLB is likely to have. */
export let unfound: u32 = 0;

/** Loads the sets that accesses of translating cores will ask, if many do. Returns the address behind the records looked at. */
export function lookAheadSets(from: usize, until: usize): usize {
  const end = min(until, from + (AHEAD << 3));
  const many = missedMicro;
  missedMicro = 0;
  unfound = 0;
  if (many < WORTH || !sets || !micro) return min(until, from + ((AHEAD * SELDOM) << 3));
  let to = WANTED;
  for (let at = from; at < end; at += 8) {
    const word = load<u64>(at);
    const core = <u32>(word >> 56);
    if (core >= cores) continue;
    const tlb = <usize>load<u32>(blockAt(core), X_TLB);
    if (!tlb) continue;
    const sizes = load<u64>(tlb, HELD_SIZES);
    if (!sizes) continue;
    const size = <u32>ctz(sizes);
    const page = (word & 0xffffffffffff) >> size;
    const set = mainSet(page);
    store<u32>(to, <u32>(<usize>load<u32>(tlb, MAIN_PRINTS) + <usize>set * printsApart()));
    store<u32>(to, printOf(page, keyOf(core), size), W_PRINT);
    store<u32>(to, <u32>(tlb + ENTRIES + <usize>(set * ways) * ENTRY), W_SET);
    const mine = <usize>load<u32>(tlb + ((<u32>(word >> 48) & 0xff) == OP_FETCH ? 4 : 0), MICRO);
    store<u32>(to, <u32>chainOf(mine, page, size), W_CHAIN);
    store<u32>(to, <u32>oldestOf(mine), W_OLDEST);
    store<u32>(to, 1 << (<u32>((at - from) >> 3)), W_BIT);
    to += WANTED_SIZE;
  }
  // Then next to nothing but loads, so that the host has many of them under way: prints, which tell the entries.
  for (let at = WANTED; at < to; at += WANTED_SIZE) {
    const found = printed(<usize>load<u32>(at), 0, load<u32>(at, W_PRINT));
    // Without a branch on whether it is there, or further than the first four.
    unfound |= found ? 0 : load<u32>(at, W_BIT);
    store<u32>(at, load<u32>(at, W_SET) + (found ? ctz(found) : 0) * <u32>ENTRY);
    store<u32>(at, load<u32>(<usize>load<u32>(at, W_CHAIN)), W_CHAIN);
  }
  let seen: u64 = 0;
  for (let at = WANTED; at < to; at += WANTED_SIZE) {
    seen += load<u64>(<usize>load<u32>(at), E_KEY) + load<u64>(<usize>load<u32>(at, W_CHAIN), E_KEY);
    seen += load<u64>(<usize>load<u32>(at, W_OLDEST), E_KEY);
  }
  keepSeen(seen);
  return end;
}

function lookUpMain(tlb: usize, address: u64, key: u64): usize {
  if (!sets) return 0;
  for (let left = TRANSLATION_SIZES & load<u64>(tlb, HELD_SIZES); left; left &= left - 1) {
    const size = <u32>ctz(left);
    const page = address >> size;
    const set = mainSet(page);
    const prints = printsOf(tlb, set);
    const print = printOf(page, key, size);
    for (let way: u32 = 0; way < ways; way += 4) {
      for (let found = printed(prints, way, print); found; found &= found - 1) {
        const entry = entryIn(tlb, set, way + ctz(found));
        if (sizeOf(entry) == size && covers(entry, address) && matches(entry, key)) return entry;
      }
    }
  }
  return 0;
}

/** Returns the entry that may be used from here on: the copy, or the original where there is no micro TLB. */
function fillMicro(core: u32, fetch: bool, entry: usize, address: u64): usize {
  if (!micro) return entry;
  const mine = microOf(tlbOf(core), fetch);
  const kept = takeRoom(mine, sizeOf(entry));
  copyEntry(kept, entry);
  putIn(mine, kept);
  remember(core, fetch, kept, address, true);
  return kept;
}

/** A walk's translation, written by the caller but for its tag, goes into main and micro TLB. Returns the entry to use. */
export function fillTranslation(core: u32, fetch: bool, entry: usize, address: u64, size: u32, isGlobal: bool): usize {
  store<u64>(entry, address >> size, E_PAGE);
  store<u64>(entry, keyOf(core) | size | (isGlobal ? GLOBAL : 0), E_KEY);
  if (sets) copyEntry(roomInMain(core, address >> size, load<u64>(entry, E_KEY), size), entry);
  return fillMicro(core, fetch, entry, address);
}

/**
 * The same for a load's page, where both TLBs have entries: what the entry says comes in words of 64 bits as they lie behind the two addresses, so
 * that both copies of it are written from registers.
 */
export function fillPage(
  core: u32,
  address: u64,
  isGlobal: bool,
  physical: u64,
  intermediate: u64,
  meaning: u64,
  known: u64,
): usize {
  const page = address >> 12;
  const key = keyOf(core) | 12 | (isGlobal ? GLOBAL : 0);
  writeEntry(roomInMain(core, page, key, 12), page, key, physical, intermediate, meaning, known);
  const mine = microOf(tlbOf(core), false);
  const kept = takeRoom(mine, 12);
  writeEntry(kept, page, key, physical, intermediate, meaning, known);
  putIn(mine, kept);
  remember(core, false, kept, address, true);
  return kept;
}

/** Whether both TLBs have entries. */
export function keepsPages(): bool {
  return sets != 0 && micro != 0;
}

function writeEntry(
  entry: usize,
  page: u64,
  key: u64,
  physical: u64,
  intermediate: u64,
  meaning: u64,
  known: u64,
): void {
  store<u64>(entry, page, E_PAGE);
  store<u64>(entry, key, E_KEY);
  store<u64>(entry, physical, E_PHYSICAL);
  store<u64>(entry, intermediate, E_INTERMEDIATE);
  store<u64>(entry, meaning, E_STAGE1);
  store<u64>(entry, known, E_LEVEL1);
}

// ---- walk cache: the address of the table below, and what the tables above have forbidden

/** Whether a walk may find a table, or where one lies, without a read. */
export function keepsTables(): bool {
  return walk != 0 || ipa != 0;
}

/** The deepest table that is held for a VA, or 0; its size is its span. */
export function findTable(core: u32, address: u64): usize {
  if (!walk) return 0;
  const spans = flagsOf(core) & SHORT ? SHORT_SPANS : LONG_SPANS;
  const mine = walkOf(core);
  const entry = findSmallest(mine, address, keyOf(core), spans);
  if (!entry) return 0;
  tlbCount(core, TLB_WALK_HITS);
  touchEntry(mine, entry);
  return entry;
}

export function keepTable(core: u32, address: u64, span: u32, table: u64, accumulated: u32): void {
  if (!walk) return;
  const mine = walkOf(core);
  const entry = makeRoom(mine);
  store<u64>(entry, address >> span, E_PAGE);
  store<u64>(entry, keyOf(core) | span, E_KEY);
  store<u64>(entry, table, E_PHYSICAL);
  store<u32>(entry, accumulated, E_ALLOWED);
  enter(mine, entry);
}

// ---- IPA cache

function ipaKey(core: u32): u64 {
  return VALID | ((<u64>load<u32>(blockAt(core), X_VMID)) << 32);
}

export function findIntermediate(core: u32, address: u64): usize {
  if (!ipa) return 0;
  const mine = ipaOf(core);
  const entry = findSmallest(mine, address, ipaKey(core), STAGE2_SIZES);
  if (!entry) return 0;
  tlbCount(core, TLB_IPA_HITS);
  touchEntry(mine, entry);
  return entry;
}

export function keepIntermediate(
  core: u32,
  address: u64,
  size: u32,
  physical: u64,
  attribute: u32,
  allowed: u32,
  level: i32,
): void {
  if (!ipa) return;
  const mine = ipaOf(core);
  const entry = makeRoom(mine);
  store<u64>(entry, address >> size, E_PAGE);
  store<u64>(entry, ipaKey(core) | size, E_KEY);
  store<u64>(entry, physical, E_PHYSICAL);
  store<u16>(entry, <u16>attribute, E_STAGE2);
  store<u32>(entry, allowed, E_ALLOWED);
  store<i8>(entry, <i8>level, E_LEVEL2);
  enter(mine, entry);
}

// ---- TLBI (D53)

/** Which caches a kind removes from. */
const FROM_TLBS: u32 = 1;
const FROM_WALKS: u32 = 2;
const FROM_IPAS: u32 = 4;

/** What a TLBI wants gone. */
let wantedVmid: i64 = 0;
let wantedAsid: i64 = 0;
/** -1: any address. */
let wantedAddress: i64 = 0;
/** Entries that belong to every ASID go with one of them. */
let takesGlobals: bool = false;

/** Whether a kind of TLBI exists. */
export function isTlbiKind(kind: u32): bool {
  return kind <= TLBI_ALLE1;
}

/** One TLBI by a core, of its own TLBs or of everybody's. */
export function invalidateTranslations(issuer: u32, kind: u32, everywhere: bool, value: u64): void {
  if (isFirst) event(EVENT_TLBI);
  const narrow = isAArch32(issuer);
  const asid = narrow ? <i64>(value & 0xff) : <i64>((value >> 48) & asidMask(issuer));
  wantedVmid = kind == TLBI_ALLE1 ? -1 : vmidOf(issuer);
  wantedAsid = -1;
  wantedAddress = -1;
  takesGlobals = true;
  let from = FROM_TLBS;
  switch (kind) {
    case TLBI_VMALLE1:
      from |= FROM_WALKS;
      break;
    case TLBI_ASIDE1:
      from |= FROM_WALKS;
      wantedAsid = asid;
      takesGlobals = false;
      break;
    case TLBI_VAE1:
    case TLBI_VAAE1:
      from |= FROM_WALKS;
    // The others spare the pointers to tables.
    case TLBI_VALE1:
    case TLBI_VAALE1:
      if (kind == TLBI_VAE1 || kind == TLBI_VALE1) wantedAsid = asid;
      wantedAddress = narrow
        ? <i64>(value & 0xfffff000)
        : <i64>(((value & 0xfffffffff) << 12) | (((value >> 43) & 1) << 48));
      break;
    case TLBI_IPAS2E1:
    case TLBI_IPAS2LE1:
      from = FROM_IPAS;
      wantedAddress = <i64>((value & 0xfffffffff) << 12);
      break;
    default:
      from |= FROM_WALKS | FROM_IPAS;
      break;
  }
  if (!everywhere) {
    invalidateAt(issuer, from);
    return;
  }
  for (let core: u32 = 0; core < cores; core++) invalidateAt(core, from);
}

function invalidateAt(core: u32, from: u32): void {
  const block = blockAt(core);
  const tlb = <usize>load<u32>(block, X_TLB);
  if (!tlb) return;
  store<u32>(block, 0, X_LAST_DATA);
  store<u32>(block, 0, X_LAST_FETCH);
  if (from & FROM_TLBS) {
    remove(core, microOf(tlb, false));
    remove(core, microOf(tlb, true));
    const end = mainOf(tlb) + <usize>entries * ENTRY;
    for (let entry = mainOf(tlb); entry < end; entry += ENTRY) {
      if (!isWanted(entry)) continue;
      countMain(tlb, sizeOf(entry), -1);
      store<u64>(entry, 0, E_KEY);
      writePrint(tlb, entry, 0);
      tlbCount(core, TLB_INVALIDATED);
    }
  }
  if (from & FROM_WALKS) remove(core, walkOf(core));
  if (from & FROM_IPAS) remove(core, ipaOf(core));
}

function remove(core: u32, cache: usize): void {
  const many = entriesOf(cache);
  for (let i: u32 = 0; i < many; i++) {
    const entry = entryAt(cache, i);
    if (!isWanted(entry)) continue;
    dropEntry(cache, entry);
    tlbCount(core, TLB_INVALIDATED);
  }
}

/** Whether the TLBI wants a valid entry gone. */
function isWanted(entry: usize): bool {
  const key = load<u64>(entry, E_KEY);
  if (!(key & VALID)) return false;
  if (wantedVmid >= 0 && <i64>((key >> 32) & 0xffff) != wantedVmid) return false;
  if (wantedAsid >= 0) {
    if (key & GLOBAL ? !takesGlobals : <i64>(key >> 48) != wantedAsid) return false;
  }
  return wantedAddress < 0 || covers(entry, <u64>wantedAddress);
}
