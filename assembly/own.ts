// Which set groups are this kernel's. A whole kernel owns them all. A shard owns some: it goes through every record, so that what
// is not per set (registers, barriers, marks of set/way loops, errors) is the same in all shards, but it plays only pieces of its
// own groups; what belongs to no group is counted by the first shard alone. Sums over the shards are then the whole (R49).

import { allocate, largestShift, N_GROUP_POSITION } from "./layout";

/** At most so many bits of a block's number name its group. */
const MOST_BITS: u32 = 10;

/** One byte a group: whether it is ours. */
export const OWNED = memory.data(1024, 64);

/** Whether this kernel is a shard: there are others. */
export let sharded: bool = false;
/** Whether what belongs to no group is counted here. */
export let isFirst: bool = true;
export let ownedMask: u32 = 0;
let ownedGroups: u32 = 0;

/** Makes the kernel a shard that owns nothing yet; `bits` low bits of a block's number are its group. */
export function setShard(first: bool, bits: u32): void {
  assert(bits <= MOST_BITS, "a group's number fits the table");
  sharded = true;
  isFirst = first;
  ownedMask = (1 << bits) - 1;
}

/** Into how many parts as large as ours the groups make. */
export function parts(): u32 {
  return sharded ? (ownedMask + 1) / max(ownedGroups, 1) : 1;
}

export function ownGroup(group: u32): void {
  ownedGroups++;
  store<u8>(OWNED + <usize>(group & ownedMask), 1);
}

/** Whether the block (the largest line) around an address is ours. */
export function owns(compact: u64): bool {
  return !sharded || load<u8>(OWNED + <usize>(<u32>(compact >> largestShift) & ownedMask)) != 0;
}

/** Whether anything of a kernel's set group, which the low `bits` of a block's number name, is ours. */
export function ownsOf(group: u32, bits: u32): bool {
  if (!sharded) return true;
  for (let g = group; g <= max(ownedMask, group); g += 1 << bits)
    if (load<u8>(OWNED + <usize>(g & ownedMask))) return true;
  return false;
}

/** Whether a set of a cache is. */
export function ownsSet(n: usize, set: u32): bool {
  return !sharded || load<u8>(OWNED + <usize>((set >> load<u32>(n, N_GROUP_POSITION)) & ownedMask)) != 0;
}

// ---- full set/way loops (D33): whether one fell short of the PoC is known when all shards' dirty lines are added up
const LOOP_SIZE: usize = 16;
const LOOPS_A_CHUNK: u32 = 4096;
const CHUNKS: u32 = 65536;
let loops: usize = 0;
let loopEntries: u32 = 0;

export function loopCount(): u32 {
  return loopEntries;
}

/** Record (u64), core, and dirty lines in system caches that are ours, of a full loop. */
export function loopAt(i: u32): usize {
  return <usize>load<u32>(loops + <usize>(i / LOOPS_A_CHUNK) * 4) + <usize>(i % LOOPS_A_CHUNK) * LOOP_SIZE;
}

export function noteLoop(record: u64, core: u32, dirty: u32): void {
  if (!loops) loops = allocate(<usize>CHUNKS * 4);
  if (loopEntries % LOOPS_A_CHUNK == 0)
    store<u32>(loops + <usize>(loopEntries / LOOPS_A_CHUNK) * 4, <u32>allocate(<usize>LOOPS_A_CHUNK * LOOP_SIZE));
  const at = loopAt(loopEntries++);
  store<u64>(at, record);
  store<u32>(at, core, 8);
  store<u32>(at, dirty, 12);
}

// ---- the last observation: the shard that made it has the value
/** Number + 1 of the last record of which a byte was observed here; 0 if none. */
export let lastObserved: u64 = 0;

export function noteObserved(record: u64): void {
  // Set groups are played one after the other.
  if (record >= lastObserved) lastObserved = record + 1;
}
