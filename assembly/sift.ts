// A shard's records among everybody's. A batch is sifted a stretch at a time: plain accesses that other shards play are left out,
// without a branch on whose an access is, because nothing foretells that. What stays is played as a run or dealt, with its numbers.

import { SCTLR_C, SCTLR_M } from "./hits";
import { allocate, C_ACTIVE, C_SCTLR, coreAt, cores, largestShift } from "./layout";
import { enterRegion, fastBytes, fastLow, regionDelta } from "./memory";
import { OP_FETCH } from "./operations";
import { OWNED, ownedMask, owns } from "./own";

/** A record's operation where it stands in the word, and the last one that is a plain access. */
const OPERATION: u64 = 0xff000000000000;
const LAST_PLAIN: u64 = (<u64>OP_FETCH) << 48;
/** Records looked at together: few enough that what was kept is still in the host's own caches when it is played. */
const STRETCH: usize = 4096;
/** What was kept of the last stretch: words, and how far behind the stretch's first record each was. */
export let kept: usize = 0;
export let keptNumbers: usize = 0;
export let keptMany: u32 = 0;

/**
 * By core and operation, one byte each: whether nothing needs to be known of other shards' accesses of this kind, ever again.
 */
const SETTLED = memory.data(1024, 64);

/**
 * Whether a record is a plain access that another shard plays, and of which this one needs to know nothing: that its core
 * has made a cacheable access at all (D33) must be known.
 */
export function isElsewhere(word: u64): bool {
  const op = <u32>(word >> 48) & 0xff;
  const core = <u32>(word >> 56);
  const address = word & 0xffffffffffff;
  if (op > OP_FETCH || core >= cores || address - fastLow >= fastBytes || owns(address - regionDelta)) return false;
  if (op == OP_FETCH || load<u32>(coreAt(core), C_ACTIVE)) {
    store<u8>(SETTLED + ((<usize>core) << 2) + op, 1);
    return true;
  }
  return (load<u32>(coreAt(core), C_SCTLR) & (SCTLR_M | SCTLR_C)) != (SCTLR_M | SCTLR_C);
}

/**
 * Sifts the plain accesses that begin at `from`. Returns the address behind the stretch: of the first record that is no plain
 * access, unless it is longer than we look. A record that is kept may be another shard's all the same.
 */
export function sift(from: usize, until: usize): usize {
  if (!kept) {
    kept = allocate(STRETCH << 3, 64);
    keptNumbers = allocate(STRETCH << 2, 64);
  }
  const end = min(until, from + (STRETCH << 3));
  const shift: u64 = largestShift;
  const mask = ownedMask;
  const numbers = keptNumbers;
  let low = fastLow;
  let bytes = fastBytes;
  let delta = regionDelta;
  let to = kept;
  let at = from;
  for (; at < end; at += 8) {
    const word = load<u64>(at);
    if ((word & OPERATION) > LAST_PLAIN) break;
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
    let own = <u32>load<u8>(OWNED + <usize>(<u32>((address - delta) >> shift) & mask));
    if (!(own | load<u8>(SETTLED + (<usize>(word >> 54) & 0x3fc) + (<usize>(word >> 48) & 3))))
      own = <u32>!isElsewhere(word);
    to += own << 3;
  }
  keptMany = <u32>((to - kept) >> 3);
  return at;
}
