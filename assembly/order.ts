// In which order a batch is played: in program order, or dealt into set groups (deal.ts), and then on the hash or on sharers. Chosen anew
// every so many records, by what was counted since; whatever is chosen, results are the same.

import { misses } from "./ahead";
import { alike, isQuiet, passes, UNLIKE } from "./alike";
import { dealt, groupsToDeal, playedInBuckets, settle } from "./deal";
import { giveUp, inForce, refillsAtDesks, takeUp } from "./handover";
import { baseFor } from "./hits";
import { CARRY, cores, groupBits, groupStride } from "./layout";
import { parts } from "./own";
import { BATCH_RECORDS } from "./play";
import { refillsSoFar } from "./refill";
import { areUsable, lines } from "./sharers";
import { isVirtual } from "./sift";

/** What the host wishes. */
const ORDER_GROUPS: u32 = 2;
let wish: u32 = 0;
let dealing: bool = false;
/** Records since the last look that were played in program order, up to which one; and what was counted before them. */
let inOrder: u64 = 0;
let lookedAt: u64 = 0;
let bucketsBefore: u64 = 0;
let missesBefore: u64 = 0;
let refillsBefore: u64 = 0;
let interruptions: u64 = 0;
/** Whether it would have paid at the last look, and how many misses there were then of so many records. */
let paid: bool = false;
let farBefore: u64 = 0;
let playedBefore: u64 = 0;
const LOOK_AGAIN: u64 = 1 << 16;
/** The first looks are earlier: a cold machine that is going to miss should not do so in program order for long. */
const LOOK_FIRST: u64 = 1 << 14;
const FIRST: u64 = 1 << 17;
/** A batch of fewer records is no reason to begin with sharers. */
const LARGE: u32 = 1 << 14;
/** Dealing pays where one record in so many needs what isn't in the host's own caches, */
const RARE: u64 = 24;
/** On sharers it costs less, and to give them up costs much: so that is not considered often. */
const RARER: u64 = 64;
const LOOK_SELDOM: u64 = 1 << 21;
/** and where no more than one in so many has to be played in its place. */
const SELDOM: u64 = 2048;
/** State that the host's second-level cache holds needs no dealing. */
const SMALL: u64 = 1 << 20;

/** 0 automatic, 1 program order, 2 set groups wherever there are any. */
export function setOrder(order: u32): void {
  settleWholly();
  wish = order;
  patience = 0;
}

// ---- sharers (sharers.ts): taken up where nothing is likely to interrupt for long enough

/** Records dealt when they were last taken up, or when something last interrupted; */
let since: u64 = 0;
/** and how many to deal from then on until they are taken up. */
let patience: u64 = 0;

/** Taking sharers up and giving them up again costs about as much as they save on so many records. */
function toAndFro(): u64 {
  return lines;
}

/** Takes sharers up if it is time for them and the machine's state allows it: to be asked before records are dealt. */
export function consider(): void {
  if (inForce || dealt - since < patience || !areUsable()) return;
  settle();
  since = dealt;
  if (!takeUp()) patience = max(patience << 1, toAndFro());
}

/** Plays what waits, and gives sharers up: for what isn't a plain access, and for whoever asks what L2s and L3s hold. */
export function settleWholly(): void {
  settle();
  const stayed = dealt - since;
  since = dealt;
  if (!inForce) return;
  giveUp();
  // Whoever came back too soon waits for longer next time. The first time is early, when caches hold little.
  if (wish != ORDER_GROUPS) patience = stayed < toAndFro() ? max(patience << 1, toAndFro()) : toAndFro();
}

/** Whether the records of a batch are dealt. */
export function chooseOrder(first: u64, batch: usize, count: u32): bool {
  if (wish) {
    const before = dealing;
    dealing = wish == ORDER_GROUPS && groupsToDeal() != 0;
    if (before && !dealing) settleWholly();
  } else {
    if (!first) dealing = paid = isForSharers(batch, count);
    if (!dealing) {
      inOrder += first - lookedAt;
      lookedAt = first;
    }
    const played = inOrder + playedInBuckets - bucketsBefore;
    if (played >= (inForce ? LOOK_SELDOM : first <= FIRST ? LOOK_FIRST : LOOK_AGAIN)) {
      const refills = refillsSoFar() + refillsAtDesks();
      // Refills are from the host's own caches as long as the L2s in use fit there.
      const far =
        misses - missesBefore + (refills > refillsBefore && areMany(batch, count) ? refills - refillsBefore : 0);
      // With contents buckets on sharers lose to nothing: in program order many cores' hits wait for the host's memory too.
      const stays = CARRY && inForce && areMany(batch, count);
      const pays = (stays || far * (inForce ? RARER : RARE) * parts() > played) && interruptions * SELDOM < played;
      if (dealing && !pays) settleWholly();
      // Once may have been the misses of cold caches, and so may what becomes less.
      dealing = pays && paid && (dealing || far * playedBefore * 4 > farBefore * played * 3) && isLarge();
      paid = pays;
      farBefore = far;
      playedBefore = played;
      inOrder = 0;
      bucketsBefore = playedInBuckets;
      lookedAt = first;
      missesBefore = misses;
      refillsBefore = refills;
      interruptions = 0;
    }
  }
  return dealing;
}

/** Whether there are set groups, and the machine's state is more than the host's caches hold. */
function isLarge(): bool {
  return groupsToDeal() != 0 && (<u64>groupStride) << groupBits > SMALL;
}

/** How many records to take at once. */
export function batchRecords(): u32 {
  return wish || dealing || lookedAt >= FIRST ? BATCH_RECORDS : <u32>LOOK_FIRST;
}

/**
 * Whether a play that begins with this batch is dealt at once, before anything is known of its misses: with empty caches sharers
 * cost nothing to take up, and on them buckets lose little even where everything hits.
 */
function isForSharers(batch: usize, count: u32): bool {
  if (count < LARGE || !areUsable() || !isLarge() || !areMany(batch, count)) return false;
  const end = batch + ((<usize>count) << 3);
  for (let at = batch; at < end; at += 8) {
    const word = load<u64>(at);
    const core = <u32>(word >> 56);
    const op = <u32>(word >> 48) & 0xff;
    if (alike(core, op) == UNLIKE && !passes(word) && !isQuiet(op)) return false;
  }
  return true;
}

/** Whether many cores take part, by a sample of a batch. */
function areMany(batch: usize, count: u32): bool {
  let seen: u64 = 0;
  const step = max(count >> 6, 1);
  for (let i: u32 = 0; i < count; i += step) seen |= (<u64>1) << ((load<u64>(batch + ((<usize>i) << 3)) >> 56) & 63);
  return cores > MANY && popcnt(seen) > MANY;
}

/** So many cores' L2s don't fit into the host's second-level cache. */
const MANY: u32 = 12;

/** A record that isn't dealt is going to be played in its place. */
export function interrupt(word: u64): void {
  const core = <u32>(word >> 56);
  const op = <u32>(word >> 48) & 0xff;
  // What is a miss in program order, and no more than that, would have been dealt.
  const like = alike(core, op);
  if (like == UNLIKE || !(baseFor(core, like) || (CARRY && isVirtual(core) && areUsable()))) interruptions++;
  settleWholly();
}
