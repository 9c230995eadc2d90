// Set-group play (R49): plain accesses are dealt into one bucket for each set group as they stream in, and a bucket is played when
// it is full. Lines of different groups never meet, so nothing that is counted changes; but all that one group needs stays in the
// host's own caches while its bucket is played. What else comes plays all buckets first and keeps
// its position, unless nobody can tell (alike.ts).

import { dealtAs, isQuiet, observes, UNLIKE } from "./alike";
import { playPacked } from "./bucket";
import { TELLS_TABLES } from "./elsewhere";
import { inForce, tell } from "./handover";
import { admit, baseFor, dismiss, lastValue, setLastValue } from "./hits";
import {
  allocate,
  CARRY,
  cores,
  directorySets,
  groupBits,
  groupMask,
  largestShift,
  smallestShift,
  VERSIONS,
} from "./layout";
import { enterMemory, fastBytes, fastLow, regionDelta, regionHome } from "./memory";
import { OP_FETCH, OP_IC_IALLU, OP_IC_IALLUIS, OP_PREFETCH, OP_STORE } from "./operations";
import { noteObserved, owns, parts, sharded } from "./own";
import { playDealt } from "./play";
import { prefetching } from "./prefetch";
import { CONTROLLED, flagsOf, TRANSLATING, translatingCores } from "./registers";
import { dealtFor, note, PACKED_SIZE, packed, ROLE_HITS, roleIn, withPart } from "./sharers";
import { isElsewhere, kept, keptMany, PLAIN_ADDRESS, placeOf, siftWords } from "./sift";
import { countFrom, expectTruth, isOld, observedOld, truthAt } from "./truths";

/** Records in a bucket: enough to load a group's state once for many of them; 4 Ki to 64 Ki are alike. */
const CAPACITY_BITS: u32 = 14;
const CAPACITY: u32 = 1 << CAPACITY_BITS;
/** Records from one bucket to the next: buckets grow alike, and their ends must not fall into the same few sets of the host's caches. */
const APART: u32 = CAPACITY + 24;
const APART_BYTES: u32 = APART << 3;
const CAPACITY_PACKED: u32 = CAPACITY * <u32>PACKED_SIZE;
/** Fewer groups than this aren't worth the dealing. */
const FEWEST_BITS: u32 = 3;

let buckets: usize = 0;
/** Of each bucket's records, their numbers less `epoch`. */
let numbers: usize = 0;
/** How many records each bucket holds, or while sharers are in force how many bytes. */
let lengths: usize = 0;
/** Whether buckets may hold anything. */
let waiting: bool = false;
let epoch: u64 = 0;
/** Records dealt so far: what the host reports. */
export let dealt: u64 = 0;
/** And those that buckets have played. */
export let playedInBuckets: u64 = 0;
/** What was dealt since desks last told what they had counted: records, and reads of descriptors. */
let untold: u64 = 0;

// What the last load or fetch that was dealt observed, once its bucket has been played: `lastValue` in program order.
let observerGroup: u32 = 0;
let observed: u64 = 0;

/** Set groups that plain accesses can be dealt into, or 0: a sized directory has an index of its own (D25), a prefetcher crosses lines. */
export function groupsToDeal(): u32 {
  if (groupBits < FEWEST_BITS || directorySets || smallestShift != largestShift || prefetching) return 0;
  return (<u32>1) << groupBits;
}

/**
 * Deals the records of [from, until) up to the first that isn't a plain access. `first` is the number of the one at `from`, which
 * the others follow, or with a table of numbers what is added to those.
 */
export function deal(from: usize, until: usize, first: u64, table: usize): usize {
  if (!buckets) {
    buckets = allocate(((<usize>APART) << 3) << groupBits, 64);
    numbers = allocate(((<usize>APART) << 2) << groupBits, 64);
    lengths = allocate((<usize>4) << groupBits, 64);
    lasts = allocate((<usize>8) << groupBits, 64);
    if (TELLS_TABLES) stored = allocate(1 << STORED_BITS, 64);
    if (!CARRY) coalesce();
  }
  // Numbers behind the epoch have 32 bits, and so has what desks count.
  if (first - epoch >= 0xffff0000 || untold >= 0x80000000) settle();
  if (!waiting) {
    epoch = first;
    observed = lastValue;
  }
  const at = inForce
    ? dealPacked(from, until, <u32>(first - epoch), table)
    : dealWords(from, until, <u32>(first - epoch), table);
  const many = <u64>((at - from) >> 3);
  if (many) waiting = true;
  if (TELLS_TABLES && translatingCores && many) anyStored = true;
  dealt += many;
  untold += many;
  return at;
}

function dealWords(from: usize, until: usize, base: u32, table: usize): usize {
  let at = from;
  for (; at < until; at += 8) {
    const word = load<u64>(at);
    const op = <u32>(word >> 48) & 0xff;
    const core = <u32>(word >> 56);
    const like = dealtAs(core, op);
    if (like == UNLIKE) break;
    const address = word & 0xffffffffffff;
    if (!enterMemory(address)) break;
    const compact = address - regionDelta;
    if (sharded && !owns(compact)) {
      if (!isElsewhere(word)) break;
      continue;
    }
    if (!baseFor(core, like)) break;
    const group = groupOf(compact);
    const offset = offsetAt(at, from, base, table);
    const cursor = lengths + ((<usize>group) << 2);
    const n = load<u32>(cursor);
    const slot = group * APART + n;
    store<u64>(buckets + ((<usize>slot) << 3), word);
    store<u32>(numbers + ((<usize>slot) << 2), offset);
    store<u32>(cursor, n + 1);
    if (CARRY && !VERSIONS && observes(op)) {
      observerGroup = group;
      if (sharded) noteObserved(epoch + offset);
    }
    if (n + 1 == CAPACITY) playBucket(group);
  }
  return at;
}

function groupOf(compact: u64): u32 {
  return <u32>(compact >> largestShift) & groupMask;
}

/** The same in the form that is played on sharers: lines instead of addresses, and numbers only for contents, which need them. */
function dealPacked(from: usize, until: usize, base: u32, table: usize): usize {
  if (CARRY) return dealNumbered(from, until, base, table);
  considerCoalescing();
  return sharded ? dealOwn(from, until) : dealAll(from, until);
}

/** The same of records that are ours. */
function dealAll(from: usize, until: usize): usize {
  let at = from;
  do at = coalescing ? scatter<Coalesced>(at, until, 0, 0) : scatter<Kept>(at, until, 0, 0);
  while (at < until && makeWay(load<u64>(at)));
  return at;
}

/** The same with their numbers: a shard's have been sifted. */
function dealNumbered(from: usize, until: usize, base: u32, table: usize): usize {
  let at = from;
  for (;;) {
    at = table
      ? scatter<Numbered>(at, until, base, table + ((at - from) >> 1))
      : scatter<Kept>(at, until, base + <u32>((at - from) >> 3), 0);
    if (at == until || !makeWay(load<u64>(at))) return at;
    if (dealAlike(load<u64>(at), offsetAt(at, from, base, table))) at += 8;
  }
  return at;
}

/** How far behind the epoch a record is, of those that begin at `from`. */
function offsetAt(at: usize, from: usize, base: u32, table: usize): u32 {
  const after = at - from;
  return base + (table ? load<u32>(table + (after >> 1)) : <u32>(after >> 3));
}

/** The same for a shard. What others play is sifted out first: that takes less than to deal it to nobody. */
function dealOwn(from: usize, until: usize): usize {
  let at = from;
  while (at < until) {
    const next = siftWords(at, until);
    const end = kept + ((<usize>keptMany) << 3);
    const stuck = dealAll(kept, end);
    if (stuck < end) return placeOf(<u32>((stuck - kept) >> 3), at);
    at = next;
    if (at == until) break;
    const word = load<u64>(at);
    const address = word & 0xffffffffffff;
    if ((<u32>(word >> 48) & 0xff) > OP_FETCH || !enterMemory(address)) return at;
    if (owns(address - regionDelta)) continue;
    if (!isElsewhere(word)) return at;
    at += 8;
  }
  return at;
}

/**
 * Whether a record is maintenance that can be played while sharers are in force. What waits of its lines has been played then. It takes
 * copies away or cleans them, wherever they are, and a line that is gone has no sharers.
 */
export function maintains(word: u64): bool {
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 0xff;
  const address = word & 0xffffffffffff;
  if (!inForce || !isQuiet(op) || core >= cores) return false;
  if (flagsOf(core) & (CONTROLLED | TRANSLATING)) return false;
  if (op == OP_IC_IALLU || op == OP_IC_IALLUIS) {
    settle();
    return true;
  }
  if (!enterMemory(address)) return false;
  playBucket(groupOf(address - regionDelta));
  return true;
}

/** Whether a record at which `scatter` stopped can be dealt now: another region has been entered, or a full bucket played. */
function makeWay(word: u64): bool {
  const core = <u32>(word >> 56);
  const like = dealtAs(core, <u32>(word >> 48) & 0xff);
  const address = word & 0xffffffffffff;
  if (like == UNLIKE || !enterMemory(address) || !baseFor(core, like)) return false;
  const group = groupOf(address - regionDelta);
  if (load<u32>(lengths + ((<usize>group) << 2)) == CAPACITY_PACKED) playBucket(group);
  return true;
}

/** Deals a record that can be dealt now and is no load, store or fetch, but like one. False: it is one of these. */
function dealAlike(word: u64, offset: u32): bool {
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 0xff;
  if (op <= OP_FETCH) return false;
  const compact = (word & 0xffffffffffff) - regionDelta;
  const line = <u32>(compact >> largestShift);
  const group = groupOf(compact);
  const cursor = lengths + ((<usize>group) << 2);
  const slot = <usize>(group * APART_BYTES + load<u32>(cursor));
  const record = packed(line, dealtAs(core, op), regionHome, core);
  store<u64>(buckets + slot, withPart(record, <u32>(compact & ((1 << largestShift) - 1)) >> 3, op));
  store<u32>(numbers + (slot >> 1), offset);
  if (!VERSIONS && observes(op)) {
    observerGroup = group;
    if (sharded) noteObserved(epoch + offset);
  }
  store<u32>(cursor, load<u32>(cursor) + <u32>PACKED_SIZE);
  if (TELLS_TABLES && translatingCores) markStored(compact, dealtAs(core, op));
  return true;
}

/** Deals until a bucket is full or something has to be looked at. Calls nothing (see hits.ts). */
function scatter<Records>(from: usize, until: usize, base: u32, table: usize): usize {
  const isNumbered = sizeof<Records>() == sizeof<Numbered>();
  const coalesces = sizeof<Records>() == sizeof<Coalesced>();
  const mask = groupMask;
  const shift: u64 = largestShift;
  const low = fastLow;
  const bytes = fastBytes;
  const delta = regionDelta;
  const home = regionHome;
  const counts = lengths;
  const into = buckets;
  const offsets = numbers;
  const lineMask: u32 = (1 << largestShift) - 1;
  const marks = TELLS_TABLES && translatingCores != 0;
  let again: u64 = 0;
  let at = from;
  for (; at < until; at += 8) {
    const word = load<u64>(at);
    const address = word & PLAIN_ADDRESS;
    if (address - low >= bytes) break;
    const core = <u32>(word >> 56);
    const op = <u32>(word >> 48) & 3;
    if (!baseFor(core, op)) break;
    const line = <u32>((address - delta) >> shift);
    const group = line & mask;
    const cursor = counts + ((<usize>group) << 2);
    const n = load<u32>(cursor);
    if (n == CAPACITY_PACKED) break;
    const slot = into + <usize>(group * APART_BYTES + n);
    const record = packed(line, op, home, core);
    if (coalesces) {
      const last = load<u64>(lasts + ((<usize>group) << 3));
      if ((last == record) | (last == (record | <u64>OP_STORE))) {
        note(roleIn(record) + ROLE_HITS);
        again++;
        continue;
      }
      store<u64>(lasts + ((<usize>group) << 3), record);
    }
    if (CARRY) {
      store<u64>(slot, withPart(record, (<u32>(address - delta) & lineMask) >> 3, op));
      const after = isNumbered ? load<u32>(table + ((at - from) >> 1)) : <u32>((at - from) >> 3);
      store<u32>(offsets + ((slot - into) >> 1), base + after);
    } else store<u64>(slot, record);
    store<u32>(cursor, n + <u32>PACKED_SIZE);
    if (marks) markStored(address - delta, op);
  }
  if (coalesces) repeated += again;
  if (CARRY && !VERSIONS) noteObserver(from, at, base, table);
  return at;
}

// ---- cores that translate: what TLBs know is dealt as the physical accesses that it is, and so are a walk's reads of descriptors. Nothing
// that is played on sharers is old, so a read is going to observe the truth; what that is has to be known at once, when stores to
// it may still wait.

/** A byte for each page, by the lower bits of its number: whether a store to it was dealt and may wait. */
let stored: usize = 0;
const STORED_BITS: u32 = 20;
/** Whether any was. */
let anyStored: bool = false;
/** Reads of descriptors in pages to which a store may have waited, since none did. */
let suspected: u32 = 0;

function storedAt(compact: u64): usize {
  return stored + (<usize>(compact >> 12) & ((1 << STORED_BITS) - 1));
}

function markStored(compact: u64, op: u32): void {
  const at = storedAt(compact);
  store<u8>(at, load<u8>(at) | <u8>(op & 1));
}

function forgetStored(): void {
  suspected = 0;
  if (!anyStored) return;
  memory.fill(stored, 0, 1 << STORED_BITS);
  anyStored = false;
}

/** Plays what waits of an address's set group if a store to it may be among that. */
export function settleStores(compact: u64): void {
  if (!anyStored || !load<u8>(storedAt(compact))) return;
  // Once every bucket could have been played for it, all are, and no page is suspected any more.
  if (++suspected >> groupBits) settle();
  else playBucket(groupOf(compact));
}

/** One record that is in no batch. */
const ONE = memory.data(8, 8);

/** Deals a plain access of a core that translates, by its physical address. False: it can't be dealt. */
export function dealPhysical(word: u64, number: u64): bool {
  const core = <u32>(word >> 56);
  store<u64>(ONE, word);
  admit(core);
  const isDealt = deal(ONE, ONE + 8, number, 0) > ONE;
  dismiss(core);
  return isDealt;
}

/** Deals a walk's read of a descriptor: to the caches a load, that no record observes. */
export function dealRead(core: u32, address: u64, number: u64): bool {
  if (!dealPhysical(((<u64>core) << 56) | ((<u64>OP_PREFETCH) << 48) | address, number)) return false;
  // It isn't a record.
  dealt--;
  return true;
}

// ---- coalescing: a record that does to its line what the last one in its bucket did, or loads what that one stored, hits the most
// recent way of its core's L1 and changes nothing. So it is counted at once and not kept. That costs a branch which is guessed wrongly
// where some records repeat others and some don't, so it is given up where few do. With contents, what a record loads or stores counts.
type Coalesced = u8;
type Kept = u64;
/** With contents, records that aren't all of a batch: a table has their numbers. */
type Numbered = u32;

let coalescing: bool = false;
/** While records are coalesced, the last one in each bucket: beside it, because what was just written across two of the host's lines is slow to read. */
let lasts: usize = 0;
/** Like no record: none has so many bits. */
const NO_RECORD: u64 = ~(<u64>0);
/** Records that were counted and not kept. */
let repeated: u64 = 0;
/** Records dealt, and repeated, when that was last considered; how many more it takes to tell, and until it is tried again. */
let consideredAt: u64 = 0;
let repeatedBefore: u64 = 0;
const ENOUGH: u64 = 1 << 14;
const ANEW: u64 = 1 << 20;
/** It pays where one record in so many repeats another. */
const FEW_REPEATED: u64 = 16;

function considerCoalescing(): void {
  const since = dealt - consideredAt;
  const wanted = coalescing ? ENOUGH : ANEW;
  if (since < wanted) return;
  if (coalescing) coalescing = (repeated - repeatedBefore) * FEW_REPEATED * parts() >= since;
  else coalesce();
  consideredAt = dealt;
  repeatedBefore = repeated;
}

/** What was kept meanwhile nobody noted: nothing is known to repeat that. */
function coalesce(): void {
  coalescing = true;
  memory.fill(lasts, 0xff, (<usize>8) << groupBits);
}

/** Of records that have just been dealt the last that observes anything. */
function noteObserver(from: usize, until: usize, base: u32, table: usize): void {
  for (let at = until; at > from; at -= 8) {
    const word = load<u64>(at - 8);
    if ((<u32>(word >> 48) & 3) == OP_STORE) continue;
    observerGroup = groupOf((word & 0xffffffffffff) - regionDelta);
    if (sharded) noteObserved(epoch + offsetAt(at - 8, from, base, table));
    return;
  }
}

/** Plays a bucket that has the record that observed last, and notes what that was. */
function playObserver(records: usize, bytes: usize, group: u32, offsets: usize): void {
  let last = bytes;
  while (last > 0 && !observes(dealtFor(load<u64>(records + last - PACKED_SIZE)))) last -= PACKED_SIZE;
  if (last) {
    const before = last - PACKED_SIZE;
    playPacked(records, before, group, offsets);
    expectTruth();
    // An atomic changes it.
    const truth = truthAt(load<u64>(records + before), group);
    playPacked(records + before, PACKED_SIZE, group, offsets + (before >> 1));
    observed = isOld ? observedOld : truth;
  }
  playPacked(records + last, bytes - last, group, offsets + (last >> 1));
}

function playBucket(group: u32): void {
  const cursor = lengths + ((<usize>group) << 2);
  const many = load<u32>(cursor);
  if (!many) return;
  store<u32>(cursor, 0);
  store<u64>(lasts + ((<usize>group) << 3), NO_RECORD);
  const isObserver = CARRY && !VERSIONS && group == observerGroup;
  if (inForce) {
    playedInBuckets += many / <u32>PACKED_SIZE;
    const records = buckets + <usize>(group * APART_BYTES);
    const offsets = numbers + ((<usize>(group * APART)) << 2);
    if (CARRY) countFrom(epoch);
    if (isObserver) playObserver(records, many, group, offsets);
    else playPacked(records, many, group, offsets);
    return;
  }
  playedInBuckets += many;
  if (isObserver) setLastValue(observed);
  const first = <usize>(group * APART);
  playDealt(buckets + (first << 3), many, epoch, numbers + (first << 2));
  if (isObserver) observed = lastValue;
}

/** Plays whatever still waits: before anything that isn't per set group, and before the host looks at results. */
export function settle(): void {
  if (!waiting) return;
  waiting = false;
  for (let group: u32 = 0; group < (<u32>1) << groupBits; group++) playBucket(group);
  if (CARRY && !VERSIONS) setLastValue(observed);
  if (inForce) tell();
  untold = 0;
  forgetStored();
}
