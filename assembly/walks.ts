// Loads of a core that translates, one behind the other, most of which walk over trails: each is looked up, walked and played here as
// play.ts and translate.ts would, without the way through them. What leaves say beside their addresses (attributes, permissions) is
// worked out once for all that say the same. Whatever is less plain is left to those: a record of which nothing has happened, or one
// whose translation is made (giveWalk).

import { sizeOf } from "./associative";
import { lookAheadWalks } from "./foresight";
import { anyTouched, checkLosses, nextPart, setAttribute, setRecord } from "./hazard";
import { distrust } from "./hierarchy";
import { setLastValue } from "./hits";
import { C_SOCKET, coreAt } from "./layout";
import { enterMemory, events, machineCountMany, regionDelta, setWho } from "./memory";
import { logging } from "./miss-log";
import { beginNear, countNear, endNear, loadNear, nearTruth } from "./near";
import { ATTR_WRITE_BACK, EVENT_WALK, MACHINE_WALK_READS, OP_LOAD, REG_TCR_EL1 } from "./operations";
import { sharded } from "./own";
import { plainLoad, plainTruth } from "./plain";
import { AARCH32, blockAt, flagsOf, register, registerEpoch, STAGE2, TRANSLATES, WALKS, X_EPOCH } from "./registers";
import { leafOfLong, s1Global } from "./stage1";
import {
  ADDRESS_MASK,
  code as code2,
  leadsOn,
  leafOfTwo,
  limit as limit2,
  outputBits,
  stageTwo,
  takeApart,
} from "./stage2";
import { E_LEVEL1, E_PHYSICAL, E_STAGE1, fillPage, find, keepsPages, keepsTables, lookAheadSets, use } from "./tlb";
import {
  beginWalk,
  follow,
  LAST_LEVEL,
  lastOfTrail,
  likelyTrail,
  readsOf,
  STAGE_1,
  STAGE_2,
  T_CODE,
  T_FORBIDDEN,
  T_PHYSICAL,
} from "./trail";
import { giveWalk, keepWalk, plainBy } from "./translate";
import { descriptor, readDescriptor, walksFromUnification } from "./walk";

const PAGE_SHIFT: u32 = 12;
const IN_PAGE: u64 = 4095;

// ---- the core whose walks they are: whether it has stage 2, how many bits stage 1's output has
let has2: bool = false;
let limit1: u32 = 0;

// ---- two leaves of the last level, but for their addresses, and what they come to
let knownFor: u32 = 0xffffffff;
let knownEpoch: u32 = 0;
let known1: u64 = 0;
let knownForbidden: u32 = 0;
let known2: u64 = 0;
/** As an entry of a TLB has them (tlb.ts): raw attributes of both stages and permissions; levels, and what is plain. */
let meaning: u64 = 0;
let known: u64 = 0;
let isGlobal: bool = false;

/** Descriptors that were read here, and those that trails have kept. */
let reads: u64 = 0;
let followed: u64 = 0;
/** Where the truth is of what the last load observed. */
let observed: usize = 0;

/** Where an address's entry is in a table of the last level. */
function indexed(address: u64): u64 {
  return ((address >> PAGE_SHIFT) & 511) << 3;
}

/** Records up to this address of the batch have been looked at ahead, and whether so many of them walk that it pays. */
export let foreseenTo: usize = 0;
export let isForeseen: bool = true;

/**
 * Plays such loads from an address of the batch on, whose next records up to `seenTo` have been looked at ahead. Returns how many; the
 * one behind them may have been translated (`isWalked`).
 */
export function playWalks(from: usize, seenTo: usize, until: usize, first: u64): u32 {
  foreseenTo = seenTo;
  isForeseen = true;
  const head = load<u16>(from, 6);
  const core = <u32>head >> 8;
  if ((head & 0xff) != OP_LOAD || !begin(core)) return 0;
  let seen: usize = 0;
  let at = from;
  for (; at < until && load<u16>(at, 6) == head; at += 8) {
    if (at >= foreseenTo) {
      foreseenTo = lookAheadSets(at, until);
      isForeseen = lookAheadWalks(at);
      if (!isForeseen) break;
    }
    const va = load<u64>(at) & 0xffff_ffff_fff8;
    setRecord(first + <u64>((at - from) >> 3));
    setAttribute(ATTR_WRITE_BACK);
    let entry = find(core, va, false);
    if (entry) {
      if (!((plainBy(core, entry) >> OP_LOAD) & 1)) break;
      entry = use(core, va, false, entry);
    } else {
      const trail = likelyTrail(STAGE_1, core, va);
      if (!trail || load<u32>(trail, T_CODE) != ATTR_WRITE_BACK) break;
      const at1 = load<u64>(trail, T_PHYSICAL) + indexed(va);
      if (!enterMemory(at1) || !follow(trail)) break;
      use(core, va, false, 0);
      followed += readsOf(trail);
      beginWalk();
      entry = walkOn(core, va, at1, load<u32>(trail, T_FORBIDDEN));
      if (!entry || !((plainBy(core, entry) >> OP_LOAD) & 1)) {
        giveWalk(entry);
        break;
      }
    }
    const physical = load<u64>(entry, E_PHYSICAL) | (va & (((<u64>1) << sizeOf(entry)) - 1));
    if (!enterMemory(physical) || !loadPlainly(core, physical)) {
      giveWalk(entry);
      break;
    }
    seen = observed;
  }
  if (seen) setLastValue(load<u64>(seen));
  end();
  return <u32>((at - from) >> 3);
}

/** Whether a core's walks and loads can be such ones. */
function begin(core: u32): bool {
  const flags = flagsOf(core);
  if (!TRANSLATES || !(flags & WALKS) || flags & AARCH32) return false;
  if (sharded || logging || distrust || keepsTables() || !keepsPages() || walksFromUnification()) return false;
  has2 = (flags & STAGE2) != 0;
  if (has2 && (!takeApart(core) || code2 != ATTR_WRITE_BACK)) return false;
  limit1 = outputBits(<u32>(register(core, REG_TCR_EL1) >> 32));
  setWho(core, load<u32>(coreAt(core), C_SOCKET));
  return beginNear(core);
}

/** What has been played is counted. */
function end(): void {
  countNear(followed);
  endNear();
  machineCountMany(MACHINE_WALK_READS, reads + followed);
  events(EVENT_WALK, reads + followed);
  reads = 0;
  followed = 0;
}

/** A load of Write-Back memory: returns where it finds what it observes. 0: it isn't plain, and nothing has been done. */
function loadPlainly(core: u32, physical: u64): usize {
  const near = loadNear(physical - regionDelta);
  if (near) {
    observed = nearTruth;
    return near;
  }
  const at = plainLoad(core, physical - regionDelta);
  if (anyTouched()) {
    checkLosses();
    nextPart();
  }
  observed = plainTruth;
  return at;
}

/** Reads a descriptor of Write-Back memory. */
function readLeaf(core: u32, physical: u64): u64 {
  const at = loadPlainly(core, physical);
  if (!at) {
    readDescriptor(physical, 8, ATTR_WRITE_BACK, false);
    return descriptor;
  }
  reads++;
  return load<u64>(at);
}

/** The way to stage 1's last table is behind a walk, which goes on with the entry at `at1`. Returns what it made, or 0 if it exits. */
function walkOn(core: u32, va: u64, at1: u64, forbidden: u32): usize {
  const d1 = readLeaf(core, at1);
  const output1 = d1 & ADDRESS_MASK;
  const isKnown =
    knownFor == core &&
    knownEpoch == registerEpoch &&
    (d1 & ~ADDRESS_MASK) == known1 &&
    knownForbidden == forbidden &&
    !(output1 >> limit1);
  if (!isKnown && !leafOfLong(core, va, d1, LAST_LEVEL, limit1, forbidden)) return 0;
  let output2 = output1;
  let meaning2: u64 = 0;
  if (has2) {
    const ipa = output1 | (va & IN_PAGE);
    const trail2 = likelyTrail(STAGE_2, core, ipa);
    const above = trail2 ? lastOfTrail(trail2) : 0;
    const table = above & ADDRESS_MASK;
    const at2 = table + indexed(ipa);
    if (!leadsOn(above, LAST_LEVEL - 1) || table >> limit2 || !enterMemory(at2) || !follow(trail2)) {
      if (isKnown && !leafOfLong(core, va, d1, LAST_LEVEL, limit1, forbidden)) return 0;
      return stageTwo(core, ipa, false) ? keepWalk(core, va, false, has2) : 0;
    }
    followed += readsOf(trail2);
    const d2 = readLeaf(core, at2);
    output2 = d2 & ADDRESS_MASK;
    meaning2 = d2 & ~ADDRESS_MASK;
    if (!isKnown || meaning2 != known2 || output2 >> limit2) {
      if (isKnown && !leafOfLong(core, va, d1, LAST_LEVEL, limit1, forbidden)) return 0;
      if (!leafOfTwo(core, ipa, d2, LAST_LEVEL, at2, false)) return 0;
      return learn(core, va, d1, forbidden, meaning2);
    }
  } else if (!isKnown) {
    return learn(core, va, d1, forbidden, meaning2);
  }
  return fillPage(
    core,
    va,
    isGlobal,
    output2,
    output1,
    meaning,
    known | ((<u64>load<u32>(blockAt(core), X_EPOCH)) << 32),
  );
}

/** Keeps what two leaves of pages came to, for others like them too. Returns the entry. */
function learn(core: u32, va: u64, d1: u64, forbidden: u32, meaning2: u64): usize {
  const entry = keepWalk(core, va, false, has2);
  knownFor = core;
  knownEpoch = registerEpoch;
  known1 = d1 & ~ADDRESS_MASK;
  knownForbidden = forbidden;
  known2 = meaning2;
  plainBy(core, entry);
  meaning = load<u64>(entry, E_STAGE1);
  isGlobal = s1Global;
  known = load<u32>(entry, E_LEVEL1);
  return entry;
}
