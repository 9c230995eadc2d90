// Where everything lives in linear memory. The host describes the machine with plain numbers (index.ts), `build` lays the
// state out once, group-major: everything that belongs to one set group is contiguous (docs/design/kernel.md).

import { held } from "./bytes";
import { recordOfSet } from "./set";

/**
 * Tags only, but with one 8-byte version for each smallest line where its bytes would be (`--use CARRY_VERSIONS=1`): hazards
 * are then possible ones, at line granularity (R45).
 */
export const VERSIONS: bool = isDefined(CARRY_VERSIONS);
/** Copies have contents (`--use CARRY_DATA=1`: bytes), truth is kept, observations are compared. */
export const CARRY: bool = isDefined(CARRY_DATA) || isDefined(CARRY_VERSIONS);

export const INVALID: u32 = 0xffffffff;

// State bits of a copy (D4). A store may proceed silently exactly if EXCLUSIVE is set.
export const VALID: u32 = 1;
export const EXCLUSIVE: u32 = 2;
export const DIRTY: u32 = 4;
/** Lines ever filled inwards from here, for the yardstick's view only (R38). */
export const INWARD: u32 = 8;
/**
 * A copy that is known to equal the truth (D31), so that what it gives needs no comparison. An L1's has no bytes of its own then: the
 * truth's are its own, until it stops being true. Of a private L2's that holds for bytes that no dirty copy of its L1D stands for,
 * which is true itself then, or takes the bit along where it goes.
 */
export const TRUE: u32 = 16;
/** A prefetcher brought the copy in, and no demand access has hit it yet (D58). No bit is above this one outside of buckets. */
export const PREFETCHED: u32 = 32;
/** What holds for an L2's or L3's copy while buckets are played on sharers, unless it is TRUE: it equals what memory holds (truths.ts). */
export const AS_MEMORY: u32 = 64;

// Cache kinds and contents, as the host numbers them.
export const KIND_ARCHITECTED: u32 = 0;
export const KIND_SYSTEM: u32 = 1;
export const HOLDS_INSTRUCTIONS: u32 = 0;
export const HOLDS_DATA: u32 = 1;

export const POLICY_LRU: u32 = 0;
export const POLICY_PLRU: u32 = 1;
export const POLICY_FIFO: u32 = 2;
export const POLICY_RANDOM: u32 = 3;
export const POLICY_SRRIP: u32 = 4;

// Flags of a cache.
export const FLAG_WRITE_THROUGH: u32 = 1;
export const FLAG_ALLOCATES_READS: u32 = 2;
export const FLAG_ALLOCATES_STORES: u32 = 4;
export const FLAG_INCLUSIVE_DATA: u32 = 8;
export const FLAG_INCLUSIVE_INSTRUCTIONS: u32 = 16;
export const FLAG_EXCLUSIVE_DATA: u32 = 32;
export const FLAG_EXCLUSIVE_INSTRUCTIONS: u32 = 64;
export const FLAG_WRITEBACK_TOUCHES: u32 = 128;
export const FLAG_SETWAY: u32 = 256;
/** The outermost cache of its unit. */
export const FLAG_TOP: u32 = 512;

// One node describes one cache. Offsets in bytes.
export const NODE_SIZE: usize = 144;
export const N_ID: usize = 0;
export const N_LINE_SHIFT: usize = 4;
export const N_SETS: usize = 8;
/** Sets - 1 if that is a mask, else INVALID. */
export const N_SET_MASK: usize = 12;
export const N_WAYS: usize = 16;
export const N_POLICY: usize = 20;
export const N_FLAGS: usize = 24;
export const N_DEPTH: usize = 28;
export const N_HOLDS: usize = 32;
export const N_KIND: usize = 36;
export const N_SOCKET: usize = 40;
/** Unit of the presence directory, -1 for shared roots, which are probed directly. */
export const N_UNIT: usize = 44;
export const N_CORE_FIRST: usize = 48;
export const N_CORE_LAST: usize = 52;
/** Address of group 0's first record of this cache, and bytes from one record to the next. */
export const N_BASE: usize = 56;
export const N_RECORD_SIZE: usize = 60;
/** Position of the group bits inside the set index. */
export const N_GROUP_POSITION: usize = 64;
export const N_STATES: usize = 68;
export const N_ORDER: usize = 72;
export const N_DATA: usize = 76;
export const N_TRUTH: usize = 80;
/** Position in the order of D3. */
export const N_RANK: usize = 84;
export const N_LEVEL: usize = 88;
export const N_PARENTS: usize = 92;
export const N_COUNTERS: usize = 96;
export const N_LINE_BYTES: usize = 100;
/** Whether an outer cache of the same unit is inclusive of this one, so presence needs no upkeep here. */
export const N_COVERED: usize = 104;
/** Where the way begins in a set/way operand; 32 where there is only one. */
export const N_WAY_SHIFT: usize = 108;
/** Units inside this cache: first, and one past the last. */
export const N_UNITS_FROM: usize = 112;
export const N_UNITS_TO: usize = 116;
/** Bytes from one way's contents to the next. */
export const N_STRIDE: usize = 120;
/** Valid copies, kept for caches that aren't L1s: an empty one, such as another socket's root, needn't be looked at. */
export const N_POPULATION: usize = 124;
/** Whether the units inside this cache, which is shared, have nothing outside it. */
export const N_WHOLE: usize = 128;
/** Whether its unit holds nothing of a block that this cache doesn't hold: it includes the others, and its line is a block. */
export const N_SPEAKS: usize = 132;
/** The cache's prefetcher (prefetch.ts), or 0. */
export const N_PREFETCHER: usize = 136;

/** The machine in plain numbers, filled by the host before `build`. */
export let cores: u32 = 0;
export let devices: u32 = 0;
export let sockets: u32 = 1;
export let caches: u32 = 0;
export let levels: u32 = 0;
export let moesi: bool = false;
export let split: bool = false;
export let ncLookup: bool = false;
export let ncSnoops: bool = false;
/** 0 fault, 1 fail, 2 memory. */
export let ncAtomics: u32 = 0;
export let invalidateCleans: bool = false;
export let dic: bool = false;
export let idc: bool = false;
export let zvaBytes: u32 = 0;
export let seed: u32 = 0;
export let outerOverride: bool = false;
export let directorySets: u32 = 0;
export let directoryWays: u32 = 0;
export let smallestShift: u32 = 6;
export let largestShift: u32 = 6;
/** Every unit of the presence directory is one core's, and its blocks are lines. */
export let unitsAreCores: bool = false;
/** R38: the yardstick's sticky cross-socket bit. */
export let sticky: bool = false;

export function setShape(coreCount: u32, deviceCount: u32, socketCount: u32, cacheCount: u32, levelCount: u32): void {
  cores = coreCount;
  devices = deviceCount;
  sockets = socketCount;
  caches = cacheCount;
  levels = levelCount;
}

export function setProtocol(isMoesi: bool, isSplit: bool, lookup: bool, snoops: bool, atomics: u32): void {
  moesi = isMoesi;
  split = isSplit;
  ncLookup = lookup;
  ncSnoops = snoops;
  ncAtomics = atomics;
}

export function setFeatures(
  cleans: bool,
  hasDic: bool,
  hasIdc: bool,
  zva: u32,
  randomSeed: u32,
  overrides: bool,
  isSticky: bool,
): void {
  invalidateCleans = cleans;
  dic = hasDic;
  idc = hasIdc;
  zvaBytes = zva;
  seed = randomSeed;
  outerOverride = overrides;
  sticky = isSticky;
}

export function setDirectory(sets: u32, ways: u32, smallest: u32, largest: u32): void {
  directorySets = sets;
  directoryWays = ways;
  smallestShift = smallest;
  largestShift = largest;
}

export function setUnitsAreCores(on: bool): void {
  unitsAreCores = on;
}

/** Bump allocation: nothing the kernel allocates is ever freed. */
let heap: usize = (__heap_base + 63) & ~63;

export function allocate(bytes: usize, align: usize = 16): usize {
  const at = (heap + align - 1) & ~(align - 1);
  const end = at + bytes;
  if (end < at) unreachable();
  const have = (<usize>memory.size()) << 16;
  if (end > have) {
    // Grow by a sixteenth at least, so that a long run doesn't grow page by page.
    const want = ((end - have + 0xffff) >> 16) as i32;
    const more = max(want, memory.size() >> 4);
    if (memory.grow(more) < 0 && memory.grow(want) < 0) unreachable();
  }
  heap = end;
  return at;
}

export const HOST_PAGE: usize = 4096;

/**
 * Writes to new memory that is going to be read before it is written. Of a page that is read first the host maps zeroes, and at the first
 * write another page; then it has every processor that runs a thread of this process forget the first one, and waits until all have.
 */
export function breakIn(from: usize, bytes: usize): void {
  for (let at = from; at < from + bytes; at += HOST_PAGE) store<u8>(at, 0);
  store<u8>(from + bytes - 1, 0);
}

export function heapTop(): usize {
  return heap;
}

// Tables that the host fills through index.ts.
export let nodes: usize = 0; // caches, then outer, then memory-side by socket
export let coreTable: usize = 0;
export let pathTable: usize = 0;
export let fetchPathTable: usize = 0;

/** Nodes outside the tree: the outer cache and the memory-side caches, 0 where absent. */
export let outer: usize = 0;
export let memorySide: usize = 0; // table of node addresses by socket, 0 if none

export const CORE_SIZE: usize = 64;
export const C_SOCKET: usize = 0;
export const C_L1I: usize = 4; // node addresses, 0 if none
export const C_L1D: usize = 8;
export const C_SCTLR: usize = 12;
export const C_ACTIVE: usize = 16;
export const C_BATCH: usize = 20;
export const C_LAST_ISB: usize = 24; // i64
export const C_MARKS: usize = 32; // address of the map of set/way marks
export const C_UNMARKED: usize = 36; // places of the loop not yet visited
export const C_MARKABLE: usize = 40; // all places of the loop
export const C_MIGRATED: usize = 44;

/** Longest path: L1D and seven levels. */
export const PATH_MAX: u32 = 8;
export const PATH_SIZE: usize = 64; // length, then node addresses

export function nodeAt(id: u32): usize {
  return nodes + <usize>id * NODE_SIZE;
}

/** Number of a node: a cache's id, then the outer cache, then memory-side caches. Hazards name places with it. */
export function indexOf(n: usize): i32 {
  return <i32>((n - nodes) / NODE_SIZE);
}

export function coreAt(id: u32): usize {
  return coreTable + <usize>id * CORE_SIZE;
}

export function pathAt(core: u32, home: u32): usize {
  return pathTable + (<usize>core * sockets + home) * PATH_SIZE;
}

export function fetchPathAt(core: u32, home: u32): usize {
  return fetchPathTable + (<usize>core * sockets + home) * PATH_SIZE;
}

/** Caches in the order of D3, and units as lists of caches in that order. */
export let ranked: usize = 0;
export let unitCount: u32 = 0;
export let unitLists: usize = 0; // per unit: address of a list (count, node addresses)
export let sharedRoots: usize = 0; // count, node addresses

export let groupBits: u32 = 0;
/** The group of a number's lowest bits. */
export let groupMask: u32 = 0;
export let groupStride: usize = 0;
let groups: usize = 0;

/** Counters: one block of twenty-four u64 a cache; hits by requester and level, sixteen; events by requester, thirty-two; machine-wide ones. */
export const COUNTER_BLOCK: usize = 192;
export let counterBase: usize = 0;
export let hitBase: usize = 0;
export let eventBase: usize = 0;
export let machineBase: usize = 0;
export let yardstickBase: usize = 0;

/** Count of L1I copies by block (presence.ts): whether a store needs to look for them at all. */
export const FILTER_BITS: u32 = 18;
export let filter: usize = 0;

// ---- presence directory: one hash table a group, entries of 8 bytes (block, unit or wide index)
export let presenceOffset: usize = 0; // in a group
export let presenceBits: u32 = 0;
export let wideWords: u32 = 1;

export function allocateTables(): void {
  nodes = allocate((<usize>caches + 1 + sockets) * NODE_SIZE);
  coreTable = allocate(<usize>cores * CORE_SIZE);
  pathTable = allocate(<usize>cores * sockets * PATH_SIZE);
  fetchPathTable = allocate(<usize>cores * sockets * PATH_SIZE);
  const all = <usize>caches + 1 + sockets;
  counterBase = allocate(all * COUNTER_BLOCK, 64);
  hitBase = allocate((<usize>cores + devices) * 16 * 8, 64);
  eventBase = allocate((<usize>cores + devices) * 32 * 8, 64);
  machineBase = allocate(16 * 8);
  yardstickBase = allocate(8 * 16 * 8);
  filter = allocate((<usize>2) << FILTER_BITS, 64);
  for (let i: usize = 0; i < all; i++) {
    const n = nodes + i * NODE_SIZE;
    store<u32>(n, <u32>i, N_ID);
    store<u32>(n, <u32>allocate(<usize>sockets * 4), N_PARENTS);
    store<u32>(n, <u32>(counterBase + i * COUNTER_BLOCK), N_COUNTERS);
    store<i32>(n, -1, N_UNIT);
  }
}

export function setOuter(node: usize): void {
  outer = node;
}

export function setMemorySide(socket: u32, node: usize): void {
  if (!memorySide) memorySide = allocate(<usize>sockets * 4);
  store<u32>(memorySide + ((<usize>socket) << 2), <u32>node);
}

export function setUnits(count: u32, lists: usize, roots: usize, order: usize): void {
  unitCount = count;
  unitLists = lists;
  sharedRoots = roots;
  ranked = order;
}

/** The size of one set record; fills the node's offsets. */
function shapeRecord(n: usize): void {
  const ways = <usize>load<u32>(n, N_WAYS);
  const padded = (ways + 3) & ~3;
  const policy = load<u32>(n, N_POLICY);
  let at: usize = padded * 4;
  store<u32>(n, <u32>at, N_STATES);
  at = (at + padded + 7) & ~7;
  store<u32>(n, <u32>at, N_ORDER);
  if (policy == POLICY_SRRIP || (ways > 16 && (policy == POLICY_LRU || policy == POLICY_FIFO))) at += (ways + 7) & ~7;
  else at += 8;
  if (CARRY) {
    if (load<u32>(n, N_DEPTH) == 1) {
      store<u32>(n, <u32>at, N_TRUTH);
      at += ways * 4;
    }
    store<u32>(n, <u32>at, N_DATA);
    at += 4;
  }
  // A small record never straddles two of the host's 64-byte lines; a larger one begins with one.
  at = at <= 32 ? 32 : (at + 63) & ~63;
  store<u32>(n, <u32>at, N_RECORD_SIZE);
}

/**
 * A group's state is to fit well into a host's second-level cache, so that a bucket is played there (deal.ts): as many groups as
 * that takes, but at least FEW where the machine has them, and at most MOST. No more than needed: dealing writes to as many places.
 */
const GROUP_BYTES: u64 = 2 << 16;
const FEW_GROUP_BITS: u32 = 5;
const MOST_GROUP_BITS: u32 = 7;

/** Where a group's state begins; its part of the presence directory is the last. */
export function groupAt(group: u32): usize {
  return groups + <usize>group * groupStride;
}

/** The lowest bits of the largest lines' numbers that are bits of a cache's set index. */
export function groupBitsOf(n: usize): u32 {
  const position = load<u32>(n, N_GROUP_POSITION);
  const even = ctz(load<u32>(n, N_SETS));
  return even > position ? even - position : 0;
}

/** Lays out all sets. Groups are the index bits that every cache has above the largest line offset (R49), or some of them. */
export function layOut(): void {
  const all = caches + 1 + sockets;
  let bits: u32 = MOST_GROUP_BITS;
  let lines: u64 = 0;
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < all; i++) {
    const n = nodeAt(i);
    const sets = load<u32>(n, N_SETS);
    if (!sets) continue;
    shapeRecord(n);
    const contents = contentsLieByGroup(n) ? load<u32>(n, N_WAYS) * <u32>held(<usize>load<u32>(n, N_LINE_BYTES)) : 0;
    bytes += <u64>sets * (load<u32>(n, N_RECORD_SIZE) + contents);
    store<u32>(n, largestShift - load<u32>(n, N_LINE_SHIFT), N_GROUP_POSITION);
    bits = min(bits, groupBitsOf(n));
    // Lines that the presence directory has to find room for.
    if (unitCount > 1 && load<i32>(n, N_UNIT) >= 0 && !load<u32>(n, N_COVERED))
      lines += <u64>sets * load<u32>(n, N_WAYS);
  }
  while (bits > FEW_GROUP_BITS && bytes >> bits < GROUP_BYTES) bits--;
  groupBits = bits;
  groupMask = (1 << bits) - 1;
  let at: usize = 0;
  for (let i: u32 = 0; i < all; i++) {
    const n = nodeAt(i);
    const sets = load<u32>(n, N_SETS);
    if (!sets) continue;
    if (load<u32>(n, N_RECORD_SIZE) > 32) at = (at + 63) & ~63;
    store<u32>(n, <u32>at, N_BASE);
    at += <usize>(sets >> bits) * load<u32>(n, N_RECORD_SIZE);
  }
  at = (at + 63) & ~63;
  presenceOffset = at;
  // Each group holds at most its share of all lines; a fifth of the slots stays free, so probing ends.
  let slots: u32 = 16;
  const share = (lines + (lines >> 2)) >> bits;
  while (<u64>slots < share + 8) slots <<= 1;
  presenceBits = ctz(slots);
  at += <usize>slots * 8;
  // An odd number of the host's lines, so that the same record of all groups doesn't fall into a few sets of its caches.
  groupStride = ((at + 63) & ~63) | 64;
  wideWords = (unitCount + 63) >> 6;
  groups = allocate(groupStride << bits, 64);
  for (let i: u32 = 0; i < all; i++) {
    const n = nodeAt(i);
    if (load<u32>(n, N_SETS)) store<u32>(n, <u32>(groups + load<u32>(n, N_BASE)), N_BASE);
  }
  if (CARRY) for (let i: u32 = 0; i < all; i++) if (load<u32>(nodeAt(i), N_SETS)) layOutContents(nodeAt(i));
  presenceOffset += groups;
  for (let g: usize = 0; g < (<usize>1) << bits; g++)
    memory.fill(presenceOffset + g * groupStride, 0xff, <usize>slots * 8);
}

/** Machines with more cores are mostly played group by group. */
export const FEW_CORES: u32 = 12;

function contentsLieByGroup(n: usize): bool {
  return CARRY && cores > FEW_CORES && !load<u32>(n, N_GROUP_POSITION);
}

/**
 * Contents lie apart from the records, which tell where: tags are asked for far more often. Those of neighbouring sets lie side by
 * side, way by way, as lines mostly come; with many cores those of a group.
 */
export function layOutContents(n: usize): void {
  const line = held(<usize>load<u32>(n, N_LINE_BYTES));
  const parts = contentsLieByGroup(n) ? groupBits : 0;
  const sets = load<u32>(n, N_SETS);
  // Without parts some of the host's lines more than the way has, so that a set's ways don't fall into one set of its caches.
  const stride = (((<usize>sets >> parts) * line + 63) & ~63) + (parts ? 0 : 192);
  const part = <usize>load<u32>(n, N_WAYS) * stride;
  const at = allocate(part << parts, 64);
  store<u32>(n, <u32>stride, N_STRIDE);
  for (let s: u32 = 0; s < sets; s++) {
    const inPart = <usize>(s >> parts) * line;
    const before = <usize>(s & ((1 << parts) - 1)) * part;
    store<u32>(recordOfSet(n, s) + load<u32>(n, N_DATA), <u32>(at + before + inPart));
  }
}
