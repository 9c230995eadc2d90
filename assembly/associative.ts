// A fully associative cache of translations (D52): which entry translates an address, and which is the least recent, each without a
// search through all of them. Entries of one size that may translate an address are chained by a hash; a list keeps recency.

import { allocate } from "./layout";

// ---- an entry: 48 bytes that are the owner's (tlb.ts), the first 16 of which tell what it translates; then the links
export const ENTRY: usize = 64;
/** Input address >> size. */
export const E_PAGE: usize = 0;
/** Size (log2) in bits 7:0, VALID, kind in 23:16, GLOBAL, VMID in 47:32, ASID in 63:48. */
export const E_KEY: usize = 8;
export const E_LINKS: usize = 48;
const E_NEWER: usize = 48;
const E_OLDER: usize = 52;
const E_NEXT: usize = 56;

export const VALID: u64 = 1 << 8;
export const GLOBAL: u64 = 1 << 24;
/** Everything of a key but its size, and the same without what a global entry doesn't have. */
const TAG_MASK: u64 = 0xffffffffffffff00;
const GLOBAL_MASK: u64 = 0x0000ffff00ffff00;

// ---- what is kept of one cache: entries, ends of the list of recency, hash chains, free entries as bits, entries by size
const C_FIRST: usize = 0;
const C_MANY: usize = 4;
const C_NEWEST: usize = 8;
const C_OLDEST: usize = 12;
const C_CHAINS: usize = 16;
const C_SHIFT: usize = 20;
const C_FREE: usize = 24;
const C_HELD: usize = 28;
/** Sizes that some entry has, as bits; then how many have each. */
const C_SIZES: usize = 32;
const C_COUNTS: usize = 40;
const CACHE: usize = 40 + 64 * 4;

export function matches(entry: usize, key: u64): bool {
  const differing = load<u64>(entry, E_KEY) ^ key;
  if (!(differing & TAG_MASK)) return true;
  return (load<u64>(entry, E_KEY) & GLOBAL) != 0 && !(differing & GLOBAL_MASK);
}

export function sizeOf(entry: usize): u32 {
  return load<u8>(entry, E_KEY);
}

/** A cache of so many entries, none of which is valid. */
export function makeAssociative(many: u32): usize {
  const cache = allocate(CACHE, 64);
  store<u32>(cache, <u32>allocate(<usize>many * ENTRY, 64), C_FIRST);
  store<u32>(cache, many, C_MANY);
  if (!many) return cache;
  // At least two chains an entry.
  const bits = 33 - clz(max(many - 1, 1));
  store<u32>(cache, <u32>allocate((<usize>4) << bits), C_CHAINS);
  store<u32>(cache, 32 - bits, C_SHIFT);
  const words = (many + 63) >> 6;
  const free = allocate((<usize>words) << 3);
  store<u32>(cache, <u32>free, C_FREE);
  for (let i: u32 = 0; i < many; i++) {
    const word = free + ((<usize>i >> 6) << 3);
    store<u64>(word, load<u64>(word) | ((<u64>1) << (i & 63)));
  }
  return cache;
}

export function entriesOf(cache: usize): u32 {
  return load<u32>(cache, C_MANY);
}

export function entryAt(cache: usize, i: u32): usize {
  return <usize>load<u32>(cache, C_FIRST) + <usize>i * ENTRY;
}

/** Sizes that some entry has, as bits. */
export function sizesOf(cache: usize): u64 {
  return load<u64>(cache, C_SIZES);
}

/** Where the chain begins that an entry is in. Not of a cache without entries. */
export function chainOf(cache: usize, page: u64, size: u32): usize {
  const hash = ((<u32>page ^ (<u32>(page >> 32) * 0x85ebca6b)) + size * 0xc2b2ae35) * 0x9e3779b1;
  return <usize>load<u32>(cache, C_CHAINS) + ((<usize>(hash >> load<u32>(cache, C_SHIFT))) << 2);
}

/** The entry that goes next if the cache is full, or 0 if it is empty. */
export function oldestOf(cache: usize): usize {
  return <usize>load<u32>(cache, C_OLDEST);
}

/** The lowest entry of one size that translates an address, or 0. */
function findSized(cache: usize, address: u64, key: u64, size: u32): usize {
  const page = address >> size;
  let found: usize = 0;
  for (let entry = <usize>load<u32>(chainOf(cache, page, size)); entry; entry = <usize>load<u32>(entry, E_NEXT)) {
    if (load<u64>(entry, E_PAGE) != page || sizeOf(entry) != size || !matches(entry, key)) continue;
    if (!found || entry < found) found = entry;
  }
  return found;
}

/** Of the entries that match an address and are of one of these sizes (bits): the lowest of the smallest size, or 0. */
export function findSmallest(cache: usize, address: u64, key: u64, sizes: u64): usize {
  for (let left = sizes & load<u64>(cache, C_SIZES); left; left &= left - 1) {
    const entry = findSized(cache, address, key, <u32>ctz(left));
    if (entry) return entry;
  }
  return 0;
}

/** The lowest entry of any size that translates an address, or 0. */
export function findLowest(cache: usize, address: u64, key: u64): usize {
  let found: usize = 0;
  for (let left = load<u64>(cache, C_SIZES); left; left &= left - 1) {
    const entry = findSized(cache, address, key, <u32>ctz(left));
    if (entry && (!found || entry < found)) found = entry;
  }
  return found;
}

/** An entry is used: it is the most recent. */
export function touchEntry(cache: usize, entry: usize): void {
  if (<usize>load<u32>(cache, C_NEWEST) == entry) return;
  leaveList(cache, entry);
  joinList(cache, entry);
}

function joinList(cache: usize, entry: usize): void {
  const newest = <usize>load<u32>(cache, C_NEWEST);
  store<u32>(entry, 0, E_NEWER);
  store<u32>(entry, <u32>newest, E_OLDER);
  if (newest) store<u32>(newest, <u32>entry, E_NEWER);
  else store<u32>(cache, <u32>entry, C_OLDEST);
  store<u32>(cache, <u32>entry, C_NEWEST);
}

function leaveList(cache: usize, entry: usize): void {
  const newer = load<u32>(entry, E_NEWER);
  const older = load<u32>(entry, E_OLDER);
  if (newer) store<u32>(<usize>newer, older, E_OLDER);
  else store<u32>(cache, older, C_NEWEST);
  if (older) store<u32>(<usize>older, newer, E_NEWER);
  else store<u32>(cache, newer, C_OLDEST);
}

/** Where a new entry goes: the lowest invalid one, else the least recent (D52). The owner writes it, then it is entered. */
export function makeRoom(cache: usize): usize {
  if (load<u32>(cache, C_HELD) == load<u32>(cache, C_MANY)) {
    const entry = <usize>load<u32>(cache, C_OLDEST);
    dropEntry(cache, entry);
  }
  const free = <usize>load<u32>(cache, C_FREE);
  let word: usize = 0;
  while (!load<u64>(free + word)) word += 8;
  return entryAt(cache, ((<u32>word) << 3) + <u32>ctz(load<u64>(free + word)));
}

/** An entry that `makeRoom` gave has been written: it can be found, and is the most recent. */
export function enter(cache: usize, entry: usize): void {
  const i = <u32>((entry - <usize>load<u32>(cache, C_FIRST)) / ENTRY);
  const word = <usize>load<u32>(cache, C_FREE) + ((<usize>i >> 6) << 3);
  store<u64>(word, load<u64>(word) & ~((<u64>1) << (i & 63)));
  store<u32>(cache, load<u32>(cache, C_HELD) + 1, C_HELD);
  joinChain(cache, entry);
  countSize(cache, sizeOf(entry), 1);
  joinList(cache, entry);
}

function leaveChain(cache: usize, entry: usize): void {
  let link = chainOf(cache, load<u64>(entry, E_PAGE), sizeOf(entry));
  while (<usize>load<u32>(link) != entry) link = <usize>load<u32>(link) + E_NEXT;
  store<u32>(link, load<u32>(entry, E_NEXT));
}

function joinChain(cache: usize, entry: usize): void {
  const chain = chainOf(cache, load<u64>(entry, E_PAGE), sizeOf(entry));
  store<u32>(entry, load<u32>(chain), E_NEXT);
  store<u32>(chain, <u32>entry);
}

/** Copies everything but links. */
export function copyEntry(to: usize, from: usize): void {
  for (let i: usize = 0; i < E_LINKS; i += 16) v128.store(to + i, v128.load(from + i));
}

/** Whether the entry that `takeRoom` gave is in the list of recency still. */
let stayed: bool = false;

/** Where an entry of a size goes, as `makeRoom` says. The owner writes it, then it is put in. */
export function takeRoom(cache: usize, size: u32): usize {
  const entry = <usize>load<u32>(cache, C_OLDEST);
  // Nearly always: one goes, one of its size comes.
  stayed = load<u32>(cache, C_HELD) == load<u32>(cache, C_MANY) && sizeOf(entry) == size;
  if (!stayed) return makeRoom(cache);
  leaveChain(cache, entry);
  return entry;
}

/** An entry that `takeRoom` gave has been written: it can be found, and is the most recent. */
export function putIn(cache: usize, entry: usize): void {
  if (!stayed) {
    enter(cache, entry);
    return;
  }
  joinChain(cache, entry);
  touchEntry(cache, entry);
}

/** A valid entry goes. */
export function dropEntry(cache: usize, entry: usize): void {
  const i = <u32>((entry - <usize>load<u32>(cache, C_FIRST)) / ENTRY);
  const word = <usize>load<u32>(cache, C_FREE) + ((<usize>i >> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (i & 63)));
  store<u32>(cache, load<u32>(cache, C_HELD) - 1, C_HELD);
  leaveChain(cache, entry);
  countSize(cache, sizeOf(entry), -1);
  leaveList(cache, entry);
  store<u64>(entry, 0, E_KEY);
}

/** One entry more, or less, has a size. */
export function countSize(cache: usize, size: u32, by: i32): void {
  const at = cache + C_COUNTS + ((<usize>size) << 2);
  const many = load<i32>(at) + by;
  store<i32>(at, many);
  const bit = (<u64>1) << size;
  store<u64>(cache, many ? load<u64>(cache, C_SIZES) | bit : load<u64>(cache, C_SIZES) & ~bit, C_SIZES);
}
