// Cache maintenance by set and way (R22, R40, D28): one operation; and DC CISW as it comes, in loops over every set and way, where
// what each operation does is little and can be known for many of them at a time.

import { keepSeen } from "./ahead";
import { move } from "./bytes";
import { checkLosses, diverge, divergent, equalsTruth, setAttribute, setRecord } from "./hazard";
import { bytesOf, clean, doubtOutwards, forget, parentOf, removeAt, takeInside } from "./hierarchy";
import { markPlace, markPlaces, placesLeft, setWayRecord, setWayRecords } from "./latent";
import {
  C_SOCKET,
  CARRY,
  coreAt,
  cores,
  DIRTY,
  FLAG_EXCLUSIVE_DATA,
  FLAG_INCLUSIVE_DATA,
  FLAG_INCLUSIVE_INSTRUCTIONS,
  FLAG_SETWAY,
  FLAG_WRITE_THROUGH,
  FLAG_WRITEBACK_TOUCHES,
  groupBits,
  groupMask,
  groupStride,
  INVALID,
  invalidateCleans,
  largestShift,
  N_BASE,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_COVERED,
  N_DATA,
  N_DEPTH,
  N_FLAGS,
  N_GROUP_POSITION,
  N_LINE_SHIFT,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_SETS,
  N_STATES,
  N_STRIDE,
  N_UNIT,
  N_WAY_SHIFT,
  N_WAYS,
  pathAt,
  smallestShift,
  TRUE,
  VALID,
} from "./layout";
import { count, countMany, event, events, homeOf, setWho } from "./memory";
import { logging } from "./miss-log";
import {
  ATTR_WRITE_BACK,
  COUNTER_MAINTENANCE_PROBES,
  COUNTER_WRITEBACKS_IN,
  COUNTER_WRITEBACKS_OUT,
  EVENT_MAINTENANCE,
  EVENT_WRITEBACK,
} from "./operations";
import { ownsSet, sharded } from "./own";
import { mayHoldInstructions, touchEntry } from "./presence";
import { CONTROLLED, flagsOf } from "./registers";
import { probe, recordOf, recordOfSet, setState, stateAt, tagAt, touch } from "./set";
import { waysWith } from "./shape";

// ---- an operand, taken apart
/** The cache that its level names, 0 if the core's loop has none there; and the places of the loop before that cache's. */
let cache: usize = 0;
let places: u32 = 0;
let set: u32 = 0;
let way: u32 = 0;

function takeApart(core: u32, home: u32, operand: u32): bool {
  const level = ((operand >> 1) & 7) + 1;
  const path = pathAt(core, home);
  const length = load<u32>(path);
  cache = 0;
  places = 0;
  for (let i: u32 = 1; i <= length; i++) {
    const m = <usize>load<u32>(path + ((<usize>i) << 2));
    if (!(load<u32>(m, N_FLAGS) & FLAG_SETWAY)) continue;
    if (load<u32>(m, N_DEPTH) == level) {
      cache = m;
      break;
    }
    places += load<u32>(m, N_SETS) * load<u32>(m, N_WAYS);
  }
  if (!cache) return false;
  const wayShift = load<u32>(cache, N_WAY_SHIFT); // 32 where there is one way only
  const lineShift = load<u32>(cache, N_LINE_SHIFT);
  way = wayShift >= 32 ? 0 : operand >> wayShift;
  set = (wayShift >= 32 ? operand : operand & ((1 << wayShift) - 1)) >> lineShift;
  return set < load<u32>(cache, N_SETS) && way < load<u32>(cache, N_WAYS);
}

/** Place of a set and way in the core's loop: ways one after the other, as loops mostly visit them. */
function placeOf(theSet: u32, theWay: u32): u32 {
  return places + theWay * load<u32>(cache, N_SETS) + theSet;
}

/** DC ISW, CSW, CISW. Clean operations mark the place of the core's loop. */
export function bySetWay(core: u32, home: u32, operand: u32, cleans: bool, invalidates: bool): void {
  if (!takeApart(core, home, operand)) return;
  const n = cache;
  const isOurs = ownsSet(n, set);
  if (isOurs) count(n, COUNTER_MAINTENANCE_PROBES);
  const place = placeOf(set, way);
  const record = recordOfSet(n, set);
  if (isOurs && stateAt(n, record, way) & VALID) {
    if (invalidates) {
      if (cleans || invalidateCleans) cleanOut(n, record, way);
      else {
        diverge();
        doubtOutwards(n, (<u64>tagAt(record, way)) << load<u32>(n, N_LINE_SHIFT));
      }
      removeAt(n, record, way);
    } else if (stateAt(n, record, way) & DIRTY) clean(n, record, way);
  }
  if (cleans) markPlace(core, place);
}

/** Cleans a copy that is about to be removed, with what is inside. */
function cleanOut(n: usize, record: usize, theWay: u32): void {
  if (load<u32>(n, N_FLAGS) & FLAG_INCLUSIVE_DATA) takeInside(n, record, theWay, true);
  if (stateAt(n, record, theWay) & DIRTY) clean(n, record, theWay);
}

// ---- runs of DC CISW

/** Operations that are looked at together: their copies' places are found and touched before the first of them is played. */
const CHUNK: u32 = 64;
const FOUND = memory.data(64 * 16, 64);
const F_RECORD: usize = 0;
const F_INDEX: usize = 4;
/** The line's set in the next cache, 0 if there is none, and its way there, -1 if it isn't held. */
const F_OUTER: usize = 8;
const F_WAY: usize = 12;

/**
 * Plays DC CISW records without prefixes from a batch's position on, as long as they are one core's. Returns the position of the
 * first that isn't among them; `start` if a trap may take the operation away, nobody has that number, other kernels play
 * some of the sets, or each operation has to be logged.
 */
export function playSetWays(batch: usize, start: u32, stop: u32, first: u64): u32 {
  const begin = batch + ((<usize>start) << 3);
  const until = batch + ((<usize>stop) << 3);
  // Core, operation, and bits of the operand that mean nothing.
  const head = load<u32>(begin, 4);
  const core = head >> 24;
  if (sharded || logging || core >= cores || flagsOf(core) & CONTROLLED) return start;
  setWho(core, load<u32>(coreAt(core), C_SOCKET));
  setRecord(first);
  setAttribute(ATTR_WRITE_BACK);
  setWayRecord(core);
  let at = begin;
  while (at < until && load<u32>(at, 4) == head) at = playRange(at, until, head, first + <u64>((at - begin) >> 3));
  const many = <u32>((at - begin) >> 3);
  events(EVENT_MAINTENANCE, many);
  setWayRecords(core, first + 1, many - 1);
  return start + many;
}

/** Plays one record, or as many as go through the sets of a way one by one. Returns the address of the next. */
function playRange(at: usize, until: usize, head: u32, number: u64): usize {
  const core = head >> 24;
  const home = load<u32>(coreAt(core), C_SOCKET);
  const operand = load<u32>(at);
  if (!takeApart(core, home, operand)) return at + 8;
  // The record that may visit the last place of the loop is played by itself.
  const left = placesLeft(core) - 1;
  let many: u32 = 1;
  let step: i32 = 0;
  if (left && at + 8 < until) {
    const line: i32 = 1 << load<u32>(cache, N_LINE_SHIFT);
    step = <i32>(load<u32>(at, 8) - operand);
    if (step == line || step == -line) {
      const most = min(step > 0 ? load<u32>(cache, N_SETS) - set : set + 1, min(left, <u32>((until - at) >> 3)));
      if (
        (<u64>load<u32>(cache, N_SETS)) << load<u32>(cache, N_LINE_SHIFT) <=
        (<u64>1) << load<u32>(cache, N_WAY_SHIFT)
      )
        many = lengthOf(at, most, step);
    }
  }
  if (many == 1) {
    setRecord(number);
    bySetWay(core, home, operand, true, true);
    if (divergent) checkLosses();
    return at + 8;
  }
  countMany(cache, COUNTER_MAINTENANCE_PROBES, many);
  markPlaces(core, placeOf(step > 0 ? set : set + 1 - many, way), many);
  const n = cache;
  const theWay = way;
  let from = set;
  for (let done: u32 = 0; done < many; done += CHUNK) {
    const some = min(CHUNK, many - done);
    const found = findCopies(n, from, theWay, some, step > 0 ? 1 : -1);
    if (found) settle(n, theWay, found, number + done);
    from += step > 0 ? some : -some;
  }
  return at + ((<usize>many) << 3);
}

/** How many records from `at` on, at most `most`, differ from the one before by the same step. */
function lengthOf(at: usize, most: u32, step: i32): u32 {
  const word = load<u64>(at);
  const by = <i64>step;
  let expected = i64x2.replace_lane(i64x2.splat(<i64>word), 1, <i64>word + by);
  const twice = i64x2.splat(by * 2);
  let many: u32 = 0;
  for (; many + 2 <= most; many += 2) {
    if (v128.any_true(v128.xor(v128.load(at + ((<usize>many) << 3)), expected))) break;
    expected = i64x2.add(expected, twice);
  }
  if (many < most && load<u64>(at + ((<usize>many) << 3)) == word + <u64>(by * <i64>many)) many++;
  return many;
}

/** Records of sets whose way has a copy, and the how manieth they are of those looked at; at most a chunk. */
function findCopies(n: usize, first: u32, theWay: u32, many: u32, direction: i32): u32 {
  const upwards = direction > 0 ? first : first + 1 - many;
  const offset = (<usize>theWay) << 2;
  if (load<u32>(n, N_GROUP_POSITION) == 0 && !anyCopy(n, upwards, offset, many)) return 0;
  let found = FOUND;
  let at = first;
  for (let i: u32 = 0; i < many; i++) {
    const record = recordOfSet(n, at);
    store<u32>(found, <u32>record, F_RECORD);
    store<u32>(found, i, F_INDEX);
    found += load<u32>(record + offset) != INVALID ? 16 : 0;
    at += direction;
  }
  return <u32>((found - FOUND) >> 4);
}

/** Whether any of many sets from `first` on has a copy in a way, whose tag lies at an offset. For group bits that are the lowest. */
function anyCopy(n: usize, first: u32, offset: usize, many: u32): bool {
  const size = <usize>load<u32>(n, N_RECORD_SIZE);
  const mask = groupMask;
  const back = size - (groupStride << groupBits);
  const stride = groupStride;
  let at = recordOfSet(n, first) + offset;
  let all: u32 = INVALID;
  for (let s = first + 1; s <= first + many; s++) {
    all &= load<u32>(at);
    at += stride + (s & mask ? 0 : back);
  }
  return all != INVALID;
}

/**
 * Loads what cleaning the copies will need, here and in the next cache, and notes where their lines are there. Touches don't depend
 * on each other: the host waits for all of them once, if they are near enough to each other in the code.
 */
function touchOuter(n: usize, theWay: u32, end: usize): void {
  const shift = load<u32>(n, N_LINE_SHIFT);
  const states = <usize>load<u32>(n, N_STATES) + theWay;
  const data = load<u32>(n, N_DATA);
  const inCache = <usize>theWay * load<u32>(n, N_STRIDE);
  const covered = load<u32>(n, N_COVERED);
  let outer: usize = 0;
  let shift2: u32 = 0;
  let mask2: u32 = 0;
  let base2: usize = 0;
  let size2: usize = 0;
  let states2: usize = 0;
  let isEven = false;
  const bits = groupBits;
  const groups: u32 = (1 << bits) - 1;
  const stride = groupStride;
  let seen: u32 = 0;
  for (let at = FOUND; at < end; at += 16) {
    const record = <usize>load<u32>(at, F_RECORD);
    const compact = (<u64>tagAt(record, theWay)) << shift;
    const parent = parentOf(n, compact);
    if (parent != outer) {
      outer = parent;
      shift2 = load<u32>(outer, N_LINE_SHIFT);
      mask2 = load<u32>(outer, N_SET_MASK);
      base2 = <usize>load<u32>(outer, N_BASE);
      size2 = <usize>load<u32>(outer, N_RECORD_SIZE);
      states2 = <usize>load<u32>(outer, N_STATES);
      isEven = mask2 != INVALID && !load<u32>(outer, N_GROUP_POSITION);
    }
    let beyond: usize = 0;
    if (outer) {
      const line = <u32>(compact >> shift2);
      const set = line & mask2;
      beyond = isEven ? base2 + <usize>(set & groups) * stride + <usize>(set >> bits) * size2 : recordOf(outer, line);
      seen += load<u32>(beyond) + load<u32>(beyond + states2);
    }
    store<u32>(at, <u32>beyond, F_OUTER);
    seen += load<u8>(record + states);
    // Nobody is asked or told about what an outer cache covers.
    if (!covered) seen += touchEntry(compact);
    if (CARRY) seen += load<u8>(<usize>load<u32>(record + data) + inCache);
  }
  for (let at = FOUND; at < end; at += 16) {
    const beyond = <usize>load<u32>(at, F_OUTER);
    let there = -1;
    if (beyond) {
      const compact = (<u64>tagAt(<usize>load<u32>(at, F_RECORD), theWay)) << shift;
      const parent = parentOf(n, compact);
      const found = waysWith(beyond, load<u32>(parent, N_WAYS), <u32>(compact >> load<u32>(parent, N_LINE_SHIFT)));
      if (found) {
        there = ctz(found);
        if (CARRY) seen += load<u8>(bytesOf(parent, beyond, there));
      }
    }
    store<i32>(at, there, F_WAY);
  }
  keepSeen(seen);
}

/** Cleans and removes the copies that were found, after a look at what that will need. */
function settle(n: usize, theWay: u32, found: u32, number: u64): void {
  const end = FOUND + ((<usize>found) << 4);
  touchOuter(n, theWay, end);
  const isPlain = isPlainly(n);
  for (let at = FOUND; at < end; at += 16) {
    const record = <usize>load<u32>(at, F_RECORD);
    // A victim of what was written back before may have taken the copy along, or pushed its line out of the next cache.
    const line = tagAt(record, theWay);
    if (line == INVALID) continue;
    setRecord(number + load<u32>(at, F_INDEX));
    const beyond = <usize>load<u32>(at, F_OUTER);
    const there = load<i32>(at, F_WAY);
    if (isPlain && there >= 0 && tagAt(beyond, there) == line && handOver(n, record, theWay, beyond, there)) continue;
    cleanOut(n, record, theWay);
    removeAt(n, record, theWay);
    if (divergent) checkLosses();
  }
}

/** Whether a cache's copies may go as `handOver` has it: all lines are of one size, and whatever is inside is one core's. */
function isPlainly(n: usize): bool {
  return (
    smallestShift == largestShift &&
    (load<u32>(n, N_DEPTH) == 1 ||
      (load<i32>(n, N_UNIT) >= 0 && load<u32>(n, N_CORE_FIRST) == load<u32>(n, N_CORE_LAST)))
  );
}

/** Whether a core's cache inside its own cache n may hold a line, where all lines are of one size. */
function isHeldInside(n: usize, compact: u64): bool {
  const path = pathAt(load<u32>(n, N_CORE_FIRST), homeOf(compact));
  const length = load<u32>(path);
  const line = <u32>(compact >> smallestShift);
  for (let i: u32 = 1; i <= length; i++) {
    const m = <usize>load<u32>(path + ((<usize>i) << 2));
    if (m == n) return false;
    if (probe(m, recordOf(m, line), line) >= 0) return true;
  }
  return true;
}

/**
 * The commonest case by itself: a dirty copy that nothing inside shares goes into the next cache, which holds its line. False:
 * nothing has been done.
 */
function handOver(n: usize, record: usize, theWay: u32, beyond: usize, there: u32): bool {
  if (!(stateAt(n, record, theWay) & DIRTY)) return false;
  const line = tagAt(record, theWay);
  const compact = (<u64>line) << smallestShift;
  const outer = parentOf(n, compact);
  if (load<u32>(outer, N_FLAGS) & (FLAG_EXCLUSIVE_DATA | FLAG_WRITE_THROUGH)) return false;
  if (load<u32>(n, N_DEPTH) > 1) {
    const flags = load<u32>(n, N_FLAGS);
    if (flags & FLAG_INCLUSIVE_INSTRUCTIONS && mayHoldInstructions(compact)) return false;
    if (flags & FLAG_INCLUSIVE_DATA && isHeldInside(n, compact)) return false;
  }
  const isKnown = load<u32>(n, N_DEPTH) == 1 && (stateAt(n, record, theWay) & TRUE) != 0;
  if (CARRY) {
    const from = bytesOf(n, record, theWay);
    // The line is whole outside from here on, so nothing of it gets lost.
    if (divergent && !isKnown && !equalsTruth(compact, 1 << smallestShift, from)) return false;
    move(bytesOf(outer, beyond, there), from, 1 << smallestShift);
  }
  count(n, COUNTER_WRITEBACKS_OUT);
  event(EVENT_WRITEBACK);
  count(outer, COUNTER_WRITEBACKS_IN);
  if (load<u32>(outer, N_FLAGS) & FLAG_WRITEBACK_TOUCHES) touch(outer, beyond, there);
  // True bytes that come from an L1 leave what the next cache says of itself as it is.
  setState(outer, beyond, there, (stateAt(outer, beyond, there) & (isKnown ? ~0 : ~TRUE)) | DIRTY);
  forget(n, record, theWay);
  return true;
}
