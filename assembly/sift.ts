// A shard's records among everybody's. A batch is sifted a stretch at a time: plain accesses that other shards play are left out,
// without a branch on whose an access is, because nothing foretells that. What stays is played as a run or dealt, with its numbers.
// Accesses of cores that translate are sifted in a whole kernel too: TLBs are looked up for all, caches asked only for what is ours.

import { pathFor } from "./access";
import { storeElsewhere, TELLS_TABLES } from "./elsewhere";
import { SCTLR_C, SCTLR_M } from "./hits";
import { allocate, C_ACTIVE, C_SCTLR, C_SOCKET, coreAt, cores, largestShift } from "./layout";
import { enterRegion, fastBytes, fastLow, regionDelta, setWho } from "./memory";
import { ATTR_WRITE_BACK, OP_FETCH, OP_STORE } from "./operations";
import { OWNED, ownedMask, owns } from "./own";
import { flagsOf, STAGE2, TRANSLATING, translatingCores, WALKS } from "./registers";
import { plainAddress, translatePlain, virtualOf } from "./translate";

/** A record's operation where it stands in the word, and the last one that is a plain access. */
const OPERATION: u64 = 0xff000000000000;
const LAST_PLAIN: u64 = (<u64>OP_FETCH) << 48;
/** A record's address, which bits of operations beyond the plain ones make too large. */
export const PLAIN_ADDRESS: u64 = 0xfcffffffffffff;
/** Records looked at together: few enough that what was kept is still in the host's own caches when it is played. */
const STRETCH: usize = 4096;
/** What was kept of the last stretch: words, and how far behind the stretch's first record each was. */
export let kept: usize = 0;
export let keptNumbers: usize = 0;
export let keptMany: u32 = 0;
/** Stores that were left out: compact address, and how far behind the stretch's first record. */
let passed: usize = 0;
const PASSED_ADDRESS: u64 = 0xff_ffff_ffff;
const PASSED_NUMBER: u64 = 40;

/**
 * By core and operation as they stand in a word, one byte each: whether nothing needs to be known of other shards' accesses of this kind,
 * ever again.
 */
const SETTLED = memory.data(65536, 64);

/** Core and operation of a record, together. */
function kindAt(at: usize): usize {
  return <usize>load<u16>(at, 6);
}

/**
 * Whether a record is a plain access that another shard plays. Of such one it need only be known that its core has used its caches
 * (D33), which is noted here.
 */
export function isElsewhere(word: u64): bool {
  const op = <u32>(word >> 48) & 0xff;
  const core = <u32>(word >> 56);
  const address = word & 0xffffffffffff;
  if (op > OP_FETCH || core >= cores || address - fastLow >= fastBytes || owns(address - regionDelta)) return false;
  const c = coreAt(core);
  if (op != OP_FETCH && !load<u32>(c, C_ACTIVE)) {
    if ((load<u32>(c, C_SCTLR) & (SCTLR_M | SCTLR_C)) != (SCTLR_M | SCTLR_C) || !usesCaches(core)) return true;
  }
  store<u8>(SETTLED + <usize>(word >> 48), 1);
  return true;
}

/** A core accesses Write-Back data in the current region: whether it has caches for that, which it has used then. */
function usesCaches(core: u32): bool {
  const path = pathFor(core, ATTR_WRITE_BACK, false);
  if (!path || !load<u32>(path)) return false;
  store<u32>(coreAt(core), 1, C_ACTIVE);
  return true;
}

/** Whether a core's addresses are virtual: nothing tells whose they are. */
export function isVirtual(core: u32): bool {
  return core < cores && (flagsOf(core) & TRANSLATING) != 0;
}

/** Whether they are, and TLBs keep what becomes of them. */
function walksTables(core: u32): bool {
  return isVirtual(core) && (flagsOf(core) & (WALKS | STAGE2)) != 0;
}

function makeRoom(): void {
  if (kept) return;
  kept = allocate(STRETCH << 3, 64);
  keptNumbers = allocate(STRETCH << 2, 64);
  if (TELLS_TABLES) passed = allocate(STRETCH << 3, 64);
}

/**
 * Keeps the words of our own of the records that begin at `from`, without their numbers: for buckets that need none. Returns the
 * address behind the stretch: of the first record that isn't ours and about which something may have to be known, unless it is
 * longer than we look. What is kept may be no plain access. Calls nothing (see hits.ts).
 */
export function siftWords(from: usize, until: usize): usize {
  makeRoom();
  const end = min(until, from + (STRETCH << 3));
  const shift: u64 = largestShift;
  const mask = ownedMask;
  const low = fastLow;
  const bytes = fastBytes;
  const delta = regionDelta;
  let to = kept;
  let at = from;
  for (; at < end; at += 8) {
    const word = load<u64>(at);
    const address = word & PLAIN_ADDRESS;
    if (address - low >= bytes) break;
    const own = <u32>load<u8>(OWNED + <usize>(<u32>((address - delta) >> shift) & mask));
    if (!(own | load<u8>(SETTLED + kindAt(at)))) break;
    store<u64>(to, word);
    to += own << 3;
  }
  keptMany = <u32>((to - kept) >> 3);
  return at;
}

/** Where in the batch the record is of which `before` others of a stretch were kept. */
export function placeOf(before: u32, from: usize): usize {
  let at = from;
  for (let left = before; ; at += 8) {
    if (!owns((load<u64>(at) & 0xffffffffffff) - regionDelta)) continue;
    if (!left) break;
    left--;
  }
  return at;
}

/**
 * Sifts the plain accesses that begin at `from`, whose number is `first`. Returns the address behind the stretch: of the first
 * record that is no plain access or of a core that translates, unless it is longer than we look. A record that is kept may name a
 * core that the machine lacks.
 */
export function sift(from: usize, until: usize, first: u64): usize {
  makeRoom();
  const end = min(until, from + (STRETCH << 3));
  const shift: u64 = largestShift;
  const mask = ownedMask;
  const numbers = keptNumbers;
  const someTranslate = TELLS_TABLES && translatingCores != 0;
  let low = fastLow;
  let bytes = fastBytes;
  let delta = regionDelta;
  let to = kept;
  let passing = passed;
  let at = from;
  for (; at < end; at += 8) {
    const word = load<u64>(at);
    if ((word & OPERATION) > LAST_PLAIN || (someTranslate && isVirtual(<u32>(word >> 56)))) break;
    store<u64>(to, word);
    store<u32>(numbers + ((to - kept) >> 1), <u32>(at - from) >> 3);
    const address = word & 0xffffffffffff;
    if (address - low >= bytes) {
      const inMemory = enterRegion(address);
      low = fastLow;
      bytes = fastBytes;
      delta = regionDelta;
      if (!inMemory || !bytes) {
        to += 8;
        continue;
      }
    }
    const compact = address - delta;
    let own = <u32>load<u8>(OWNED + <usize>(<u32>(compact >> shift) & mask));
    if (!(own | load<u8>(SETTLED + kindAt(at)))) own = <u32>!isElsewhere(word);
    if (TELLS_TABLES) {
      store<u64>(passing, compact | ((<u64>(at - from) >> 3) << PASSED_NUMBER));
      passing += (<usize>((own ^ 1) & <u32>((<u32>(word >> 48) & 0xff) == OP_STORE))) << 3;
    }
    to += own << 3;
  }
  keptMany = <u32>((to - kept) >> 3);
  if (TELLS_TABLES) tellPassed(passing, first);
  return at;
}

function tellPassed(end: usize, first: u64): void {
  for (let p = passed; p < end; p += 8) {
    const left = load<u64>(p);
    storeElsewhere(left & PASSED_ADDRESS, first + (left >> PASSED_NUMBER));
  }
}

/**
 * The same for cores that translate: what is kept are physical accesses. A stretch ends before the first record that takes more than a
 * TLB's entry and a plain access, and nothing of that one has happened.
 */
export function siftVirtual(from: usize, until: usize, first: u64): usize {
  makeRoom();
  const end = min(until, from + (STRETCH << 3));
  let to = kept;
  let passing = passed;
  let at = from;
  for (; at < end; at += 8) {
    const word = load<u64>(at);
    const op = <u32>(word >> 48) & 0xff;
    const core = <u32>(word >> 56);
    if (op > OP_FETCH || !walksTables(core)) break;
    setWho(core, load<u32>(coreAt(core), C_SOCKET));
    if (!translatePlain(core, op, virtualOf(core, word & 0xfffffffffff8, false))) break;
    const compact = plainAddress - regionDelta;
    if (owns(compact)) {
      store<u64>(to, (word & ~(<u64>0xffffffffffff)) | plainAddress);
      store<u32>(keptNumbers + ((to - kept) >> 1), <u32>(at - from) >> 3);
      to += 8;
      continue;
    }
    if (op != OP_FETCH && !load<u32>(coreAt(core), C_ACTIVE)) usesCaches(core);
    if (op != OP_STORE) continue;
    store<u64>(passing, compact | ((<u64>(at - from) >> 3) << PASSED_NUMBER));
    passing += 8;
  }
  keptMany = <u32>((to - kept) >> 3);
  tellPassed(passing, first);
  return at;
}
