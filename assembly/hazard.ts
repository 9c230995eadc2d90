// What memory would hold if caches did not exist, compared with what observers see (R26-R30, D31-D35). Only the data-carrying
// build compares bytes; latent hazards are found by both builds. Nothing here moves a line.

import { held, heldSize } from "./bytes";
import { collectAll, lineOf, PEER_NODE, PEER_RECORD, PEER_WAY, peerAt } from "./coherence";
import { bytesOf } from "./hierarchy";
import {
  allocate,
  C_ACTIVE,
  C_BATCH,
  C_LAST_ISB,
  C_MARKABLE,
  C_MARKS,
  C_MIGRATED,
  C_UNMARKED,
  CARRY,
  caches,
  coreAt,
  cores,
  DIRTY,
  INVALID,
  indexOf,
  KIND_SYSTEM,
  largestShift,
  memorySide,
  N_DEPTH,
  N_KIND,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  N_SETS,
  N_STATES,
  N_WAYS,
  nodeAt,
  outer,
  pathAt,
  smallestShift,
  VERSIONS,
} from "./layout";
import { ASSIGNED, addressOf, byteOf, frameOf, homeOf, TRUTH, WRITER, who } from "./memory";
import {
  HAZARD_LEAK,
  HAZARD_LOST_WRITE,
  HAZARD_MAINTENANCE_PENDING,
  HAZARD_SET_WAY_MIGRATED,
  HAZARD_SET_WAY_SHORT_OF_POC,
  HAZARD_SET_WAY_WHILE_SHARED,
} from "./operations";
import { probe, recordOf, recordOfSet } from "./set";

/** The record and piece being played, and the attribute with which it looks. */
export let record: u64 = 0;
export let piece: u32 = 0;
export let attribute: u32 = 0;

export function setRecord(number: u64): void {
  record = number;
  piece = 0;
}

export function setPiece(number: u32): void {
  piece = number;
}

export function setAttribute(code: u32): void {
  attribute = code;
}

/** Bit by class: which classes the provenance can support (R48). */
export let assessable: u32 = 0xffffffff;

export function setAssessable(mask: u32): void {
  assessable = mask;
}

/**
 * Set by the first event after which copies can differ from the truth. Before it nothing can be lost, and the checks
 * that look for losses are skipped.
 */
export let divergent: bool = false;

export function diverge(): void {
  divergent = true;
}

// ---- truth

/** Packs a writer: record + 1 in 40 bits, requester in 16, attribute in 7, and whether the word is lost in the top bit. */
function writerWord(): u64 {
  return (record + 1) | ((<u64>who) << 40) | ((<u64>attribute) << 56);
}

const LOST: u64 = 0x8000000000000000;
const RECORD_MASK: u64 = 0xffffffffff;

/** The truth of [compact, +bytes) changes to what is at `from`. The range lies in one frame. */
export function writeTruth(compact: u64, bytes: usize, from: usize): void {
  if (!CARRY) return;
  const at = byteOf(compact);
  const writer = writerWord();
  if (VERSIONS || (bytes == 8 && !(<u32>compact & 7))) {
    store<u64>(at, load<u64>(from), TRUTH);
    store<u64>(at, writer, WRITER);
    return;
  }
  memory.copy(at + TRUTH, from, bytes);
  let word = at & ~7;
  const end = at + bytes;
  for (; word < end; word += 8) store<u64>(word, writer, WRITER);
}

/** Whether a line's contents all equal the truth. */
export function equalsTruth(compact: u64, bytes: usize, data: usize): bool {
  const truth = byteOf(compact) + TRUTH;
  if (VERSIONS) {
    const size = heldSize(bytes);
    for (let i: usize = 0; i < size; i += 8) if (load<u64>(data + i) != load<u64>(truth + i)) return false;
    return true;
  }
  let differing = i64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16)
    differing = v128.or(differing, v128.xor(v128.load(data + i), v128.load(truth + i)));
  return !v128.any_true(differing);
}

// ---- the table of hazards: found by identity (D35), kept in order of first occurrence
const ENTRY: usize = 128;
const ENTRIES_A_CHUNK: u32 = 1024;
const H_CLASS: usize = 0;
const H_OBSERVER: usize = 4;
const H_LINE: usize = 8;
const H_NEWEST: usize = 16;
const H_RECORD: usize = 24;
const H_OCCURRENCES: usize = 32;
const H_PIECE: usize = 40;
const H_LINES: usize = 44;
const H_ADDRESS: usize = 48;
const H_OBSERVED: usize = 56;
const H_EXPECTED: usize = 64;
const H_WRITER: usize = 72;
const H_WRITER_ATTRIBUTE: usize = 76;
const H_SOURCE: usize = 80;
const H_NEWEST_AT: usize = 84;
const H_ATTRIBUTE: usize = 88;
const H_LOST_AT: usize = 96;
const H_LAST_RECORD: usize = 104;
const H_LAST_PIECE: usize = 112;

let chunks: usize = 0;
let entries: u32 = 0;
let index: usize = 0;
let indexBits: u32 = 0;

export function hazardCount(): u32 {
  return entries;
}

export function hazardAt(i: u32): usize {
  return <usize>load<u32>(chunks + <usize>(i / ENTRIES_A_CHUNK) * 4) + <usize>(i % ENTRIES_A_CHUNK) * ENTRY;
}

function hashOf(kind: u32, line: u64, newest: i64, observer: u32): u32 {
  let h: u64 = line * 0x9e3779b97f4a7c15;
  h ^= (<u64>newest + 1) * 0xc2b2ae3d27d4eb4f;
  h ^= <u64>((observer << 4) | kind) * 0x165667b19e3779f9;
  h ^= h >> 29;
  h *= 0xbf58476d1ce4e5b9;
  return <u32>(h >> 32);
}

function growIndex(): void {
  indexBits = indexBits ? indexBits + 1 : 10;
  index = allocate((<usize>4) << indexBits);
  const mask = (1 << indexBits) - 1;
  for (let i: u32 = 0; i < entries; i++) {
    const e = hazardAt(i);
    let slot =
      hashOf(load<u32>(e, H_CLASS), load<u64>(e, H_LINE), load<i64>(e, H_NEWEST), load<u32>(e, H_OBSERVER)) & mask;
    while (load<u32>(index + ((<usize>slot) << 2))) slot = (slot + 1) & mask;
    store<u32>(index + ((<usize>slot) << 2), i + 1);
  }
}

/** The hazard's entry: an older one with one occurrence more, or a new one (`fresh`). 0 if the class isn't assessable. */
let fresh: bool = false;
function report(kind: u32, line: u64, newest: i64, observer: u32): usize {
  fresh = false;
  if (!((assessable >> kind) & 1)) return 0;
  if (!chunks) chunks = allocate(65536 * 4);
  if (!indexBits || entries >= ((<u32>1) << indexBits) >> 1) growIndex();
  const mask = (1 << indexBits) - 1;
  let slot = hashOf(kind, line, newest, observer) & mask;
  for (;;) {
    const found = load<u32>(index + ((<usize>slot) << 2));
    if (!found) break;
    const e = hazardAt(found - 1);
    if (
      load<u64>(e, H_LINE) == line &&
      load<i64>(e, H_NEWEST) == newest &&
      load<u32>(e, H_OBSERVER) == observer &&
      load<u32>(e, H_CLASS) == kind
    ) {
      if (kind == HAZARD_LOST_WRITE && load<u64>(e, H_LAST_RECORD) == record && load<u32>(e, H_LAST_PIECE) == piece)
        return e;
      store<u64>(e, load<u64>(e, H_OCCURRENCES) + 1, H_OCCURRENCES);
      store<u64>(e, record, H_LAST_RECORD);
      store<u32>(e, piece, H_LAST_PIECE);
      return e;
    }
    slot = (slot + 1) & mask;
  }
  store<u32>(index + ((<usize>slot) << 2), entries + 1);
  if (entries % ENTRIES_A_CHUNK == 0)
    store<u32>(chunks + <usize>(entries / ENTRIES_A_CHUNK) * 4, <u32>allocate(<usize>ENTRIES_A_CHUNK * ENTRY));
  const e = hazardAt(entries++);
  store<u32>(e, kind, H_CLASS);
  store<u32>(e, observer, H_OBSERVER);
  store<u64>(e, line, H_LINE);
  store<i64>(e, newest, H_NEWEST);
  store<u64>(e, record, H_RECORD);
  store<u64>(e, 1, H_OCCURRENCES);
  store<u32>(e, piece, H_PIECE);
  store<u32>(e, 1, H_LINES);
  store<i32>(e, -1, H_WRITER);
  store<i32>(e, -1, H_WRITER_ATTRIBUTE);
  store<i32>(e, PLACE_NOWHERE, H_SOURCE);
  store<i32>(e, PLACE_NOWHERE, H_NEWEST_AT);
  store<i32>(e, -1, H_ATTRIBUTE);
  store<i64>(e, -1, H_LOST_AT);
  store<u64>(e, record, H_LAST_RECORD);
  store<u32>(e, piece, H_LAST_PIECE);
  fresh = true;
  return e;
}

/** A latent hazard of a line (0 for the classes without one). */
export function latent(kind: u32, compact: u64, hasLine: bool): usize {
  const e = report(kind, hasLine ? addressOf((compact >> smallestShift) << smallestShift) : 0, -1, who);
  if (e && fresh && hasLine) store<i32>(e, attribute, H_ATTRIBUTE);
  return e;
}

export const PLACE_MEMORY: i32 = -1;
export const PLACE_NOWHERE: i32 = -2;

/** Where the true value of a word is, innermost place first; PLACE_NOWHERE if it is lost. */
function placeOf(word: u64): i32 {
  const at = byteOf(word);
  const truth = load<u64>(at, TRUTH);
  const found = collectAll(word, 8);
  let best: i32 = PLACE_NOWHERE;
  let depth: u32 = INVALID;
  for (let i: u32 = 0; i < found; i++) {
    const peer = peerAt(i);
    const n = <usize>load<u32>(peer, PEER_NODE);
    const shift = load<u32>(n, N_LINE_SHIFT);
    const data = bytesOf(n, <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
    if (load<u64>(data + held(<usize>(word & ((1 << shift) - 1)))) == truth && load<u32>(n, N_DEPTH) < depth) {
      depth = load<u32>(n, N_DEPTH);
      best = indexOf(n);
    }
  }
  if (best != PLACE_NOWHERE) return best;
  if (outer && behindHolds(outer, word, truth)) return indexOf(outer);
  if (memorySide) {
    const m = <usize>load<u32>(memorySide + ((<usize>homeOf(word)) << 2));
    if (m && behindHolds(m, word, truth)) return indexOf(m);
  }
  return load<u64>(at) == truth ? PLACE_MEMORY : PLACE_NOWHERE;
}

function behindHolds(n: usize, word: u64, truth: u64): bool {
  const shift = load<u32>(n, N_LINE_SHIFT);
  const line = <u32>(word >> shift);
  const r = recordOf(n, line);
  const way = probe(n, r, line);
  if (way < 0) return false;
  return load<u64>(bytesOf(n, r, way) + held(<usize>(word & ((1 << shift) - 1)))) == truth;
}

/** Compares what an observer got with the truth (D31). `source` is a node's id, or a place. */
export function observe(kind: u32, compact: u64, bytes: usize, seen: usize, source: i32): void {
  const at = byteOf(compact);
  let i: usize = 0;
  if (VERSIONS || (bytes == 8 && !(<u32>compact & 7))) {
    if (load<u64>(seen) == load<u64>(at, TRUTH)) return;
  }
  if (!VERSIONS) {
    while (i < bytes && load<u8>(seen + i) == load<u8>(at + i, TRUTH)) i++;
    if (i == bytes) return;
  }
  const word = (compact + i) & ~(<u64>7);
  const wordAt = byteOf(word);
  const writer = load<u64>(wordAt, WRITER);
  const newest = <i64>(writer & RECORD_MASK) - 1;
  const frame = frameOf(word);
  const assigned = load<u64>(frame, ASSIGNED);
  if (assigned && <i64>assigned - 1 > newest) kind = HAZARD_LEAK;
  const e = report(kind, addressOf((compact >> smallestShift) << smallestShift), newest, who);
  if (!e || !fresh) return;
  store<u64>(e, addressOf(word), H_ADDRESS);
  // Only the bytes of the word that the piece covers are told.
  let observed: u64 = 0;
  let expected: u64 = 0;
  for (let b: u64 = 0; !VERSIONS && b < 8; b++) {
    const place = word + b;
    if (place < compact || place >= compact + bytes) continue;
    observed |= (<u64>load<u8>(seen + <usize>(place - compact))) << (b * 8);
    expected |= (<u64>load<u8>(wordAt + <usize>b, TRUTH)) << (b * 8);
  }
  store<u64>(e, observed, H_OBSERVED);
  store<u64>(e, expected, H_EXPECTED);
  store<i32>(e, attribute, H_ATTRIBUTE);
  if (newest >= 0) {
    store<i32>(e, <i32>((writer >> 40) & 0xffff), H_WRITER);
    store<i32>(e, <i32>((writer >> 56) & 0x7f), H_WRITER_ATTRIBUTE);
  }
  store<i32>(e, source, H_SOURCE);
  store<i32>(e, placeOf(word), H_NEWEST_AT);
  if (writer & LOST) store<i64>(e, lossOf(word), H_LOST_AT);
}

// ---- losses (D32)
const TOUCHED_MAX: u32 = 65536;
let touchedList: usize = 0;
let touchedCount: u32 = 0;

/** A copy of [compact, +bytes) was removed or overwritten: its words are looked at when the piece ends. */
export function touched(compact: u64, bytes: usize): void {
  if (!CARRY) return;
  if (!touchedList) touchedList = allocate(<usize>TOUCHED_MAX * 16);
  if (touchedCount == TOUCHED_MAX) checkLosses();
  if (touchedCount) {
    // A line on its way through several levels is touched at each.
    const last = touchedList + <usize>(touchedCount - 1) * 16;
    if (load<u64>(last) == compact && load<u64>(last, 8) >= bytes) return;
  }
  const at = touchedList + <usize>touchedCount * 16;
  touchedCount++;
  store<u64>(at, compact);
  store<u64>(at, bytes, 8);
}

export function checkLosses(): void {
  if (!CARRY) return;
  const many = touchedCount;
  touchedCount = 0;
  for (let i: u32 = 0; i < many; i++) {
    const at = touchedList + <usize>i * 16;
    // A version speaks for a whole smallest line.
    const step: u64 = VERSIONS ? (<u64>1) << smallestShift : 8;
    const compact = load<u64>(at) & ~(step - 1);
    const end = load<u64>(at) + load<u64>(at, 8);
    if (isWhole(compact, <usize>(end - compact))) continue;
    for (let word = compact; word < end; word += step) {
      const w = byteOf(word);
      if (load<u64>(w) == load<u64>(w, TRUTH)) continue;
      const writer = load<u64>(w, WRITER);
      if (!writer || writer & LOST) continue;
      if (placeOf(word) != PLACE_NOWHERE) continue;
      store<u64>(w, writer | LOST, WRITER);
      rememberLoss(word);
      const newest = <i64>(writer & RECORD_MASK) - 1;
      const e = report(HAZARD_LOST_WRITE, addressOf((word >> smallestShift) << smallestShift), newest, who);
      if (!e || !fresh) continue;
      store<u64>(e, addressOf(word), H_ADDRESS);
      if (!VERSIONS) store<u64>(e, load<u64>(w, TRUTH), H_EXPECTED);
      store<i32>(e, <i32>((writer >> 40) & 0xffff), H_WRITER);
      store<i32>(e, <i32>((writer >> 56) & 0x7f), H_WRITER_ATTRIBUTE);
      store<i64>(e, <i64>record, H_LOST_AT);
    }
  }
}

/** Whether memory, or one copy, holds all of a range as it should be: what nearly every touched line comes to. */
function isWhole(compact: u64, bytes: usize): bool {
  if (bytes & 15 || (compact & 4095) + bytes > 4096) return false;
  // Mostly it has only gone further out on the requester's own path, or to memory.
  if (who < cores) {
    const path = pathAt(who, homeOf(compact));
    const many = load<u32>(path);
    for (let i: u32 = 1; i <= many; i++) {
      const n = <usize>load<u32>(path + ((<usize>i) << 2));
      const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
      const offset = <usize>(compact & (load<u32>(n, N_LINE_BYTES) - 1));
      if (offset + bytes > load<u32>(n, N_LINE_BYTES)) continue;
      const r = recordOf(n, line);
      const way = probe(n, r, line);
      if (way >= 0 && equalsTruth(compact, bytes, bytesOf(n, r, way) + held(offset))) return true;
    }
  }
  if (equalsTruth(compact, bytes, byteOf(compact))) return true;
  const found = collectAll(compact, <u32>bytes);
  for (let i: u32 = 0; i < found; i++) {
    const peer = peerAt(i);
    const n = <usize>load<u32>(peer, PEER_NODE);
    const low = lineOf(peer);
    if (compact < low || compact + bytes > low + load<u32>(n, N_LINE_BYTES)) continue;
    const data = bytesOf(n, <usize>load<u32>(peer, PEER_RECORD), load<u32>(peer, PEER_WAY));
    if (equalsTruth(compact, bytes, data + held(<usize>(compact - low)))) return true;
  }
  return false;
}

/** Words lost so far, and when: open addressing, word number + 1 and record. */
let losses: usize = 0;
let lossBits: u32 = 0;
let lossCount: u32 = 0;

function lossSlot(word: u64): usize {
  const mask = (1 << lossBits) - 1;
  let slot = <u32>(((word >> 3) * 0x9e3779b97f4a7c15) >> 40) & mask;
  for (;;) {
    const at = losses + ((<usize>slot) << 4);
    const key = load<u64>(at);
    if (!key || key == (word >> 3) + 1) return at;
    slot = (slot + 1) & mask;
  }
  return 0;
}

function rememberLoss(word: u64): void {
  if (!lossBits || lossCount * 2 >= (<u32>1) << lossBits) {
    const old = losses;
    const oldSlots = lossBits ? (<u32>1) << lossBits : 0;
    lossBits = lossBits ? lossBits + 1 : 10;
    losses = allocate((<usize>16) << lossBits);
    for (let i: u32 = 0; i < oldSlots; i++) {
      const key = load<u64>(old + ((<usize>i) << 4));
      if (!key) continue;
      const at = lossSlot((key - 1) << 3);
      store<u64>(at, key);
      store<u64>(at, load<u64>(old + ((<usize>i) << 4), 8), 8);
    }
  }
  const at = lossSlot(word);
  if (!load<u64>(at)) lossCount++;
  store<u64>(at, (word >> 3) + 1);
  store<u64>(at, record, 8);
}

function lossOf(word: u64): i64 {
  const at = lossSlot(word);
  return load<u64>(at) ? <i64>load<u64>(at, 8) : -1;
}

/** The page belongs to somebody else from now on (R28). */
export function assignPage(compact: u64): void {
  if (CARRY) store<u64>(frameOf(compact), record + 1, ASSIGNED);
}

// ---- latent: set/way loops (D33)

export function setWayRecord(core: u32): void {
  for (let c: u32 = 0; c < cores; c++) {
    if (c != core && load<u32>(coreAt(c), C_ACTIVE)) {
      latent(HAZARD_SET_WAY_WHILE_SHARED, 0, false);
      break;
    }
  }
  if (load<u32>(coreAt(core), C_MIGRATED)) {
    latent(HAZARD_SET_WAY_MIGRATED, 0, false);
    store<u32>(coreAt(core), 0, C_MIGRATED);
  }
}

/** A core's CSW or CISW visited a place; a full loop is judged at once. `place` counts places of the core's loop. */
export function markPlace(core: u32, place: u32): void {
  const c = coreAt(core);
  const at = <usize>load<u32>(c, C_MARKS) + (place >> 3);
  const bit: u8 = 1 << (<u8>(place & 7));
  if (load<u8>(at) & bit) return;
  store<u8>(at, load<u8>(at) | bit);
  const left = load<u32>(c, C_UNMARKED) - 1;
  store<u32>(c, left, C_UNMARKED);
  if (left) return;
  clearMarks(core);
  const dirty = dirtyInSystemCaches();
  if (!dirty) return;
  const e = latent(HAZARD_SET_WAY_SHORT_OF_POC, 0, false);
  if (e && (fresh || load<u32>(e, H_LINES) < dirty)) store<u32>(e, dirty, H_LINES);
}

function clearMarks(core: u32): void {
  const c = coreAt(core);
  const places = load<u32>(c, C_MARKABLE);
  memory.fill(<usize>load<u32>(c, C_MARKS), 0, (<usize>places + 7) >> 3);
  store<u32>(c, places, C_UNMARKED);
}

export function migrate(from: u32, to: u32): void {
  const c = coreAt(from);
  if (load<u32>(c, C_UNMARKED) == load<u32>(c, C_MARKABLE)) return;
  clearMarks(from);
  store<u32>(coreAt(to), 1, C_MIGRATED);
}

function dirtyInSystemCaches(): u32 {
  let dirty: u32 = 0;
  for (let i: u32 = 0; i < caches; i++) {
    const n = nodeAt(i);
    if (load<u32>(n, N_KIND) == KIND_SYSTEM) dirty += dirtyIn(n);
  }
  return dirty;
}

/** Dirty copies in a cache, now. */
export function dirtyIn(n: usize): u32 {
  let dirty: u32 = 0;
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  for (let s: u32 = 0; s < sets; s++) {
    const states = recordOfSet(n, s) + load<u32>(n, N_STATES);
    for (let w: u32 = 0; w < ways; w++) if (load<u8>(states + w) & DIRTY) dirty++;
  }
  return dirty;
}

// ---- latent: maintenance that no barrier has completed (D34)

/** Batches: done record (i64, -1 while open) and issuer. The ring forgets batches older than its length, as done and synchronized. */
const BATCHES: u32 = 1 << 18;
let batches: usize = 0;
let batchCount: u32 = 0;
let stamps: usize = 0;
let stampBits: u32 = 0;
/** Whether any by-VA maintenance has been issued: before that nothing can be pending. */
export let stamped: bool = false;
let stampCount: u32 = 0;

function batchAt(number: u32): usize {
  return batches + <usize>(number & (BATCHES - 1)) * 16;
}

function remembered(number: u32): bool {
  return number != 0 && batchCount - number < BATCHES;
}

/** Entry of a block: block + 1, DC batch, IC batch. */
function stampSlot(block: u32): usize {
  const mask = (1 << stampBits) - 1;
  let slot = ((block * 0x9e3779b1) >> 7) & mask;
  for (;;) {
    const at = stamps + ((<usize>slot) << 4);
    const key = load<u32>(at);
    if (!key || key == block + 1) return at;
    slot = (slot + 1) & mask;
  }
  return 0;
}

/** A by-VA operation of the core named this block: instruction side or data side. */
export function stamp(compact: u64, instructions: bool): void {
  stamped = true;
  if (!batches) batches = allocate(<usize>BATCHES * 16);
  if (!stampBits || stampCount * 2 >= (<u32>1) << stampBits) {
    const old = stamps;
    const oldSlots = stampBits ? (<u32>1) << stampBits : 0;
    stampBits = stampBits ? stampBits + 1 : 12;
    stamps = allocate((<usize>16) << stampBits);
    for (let i: u32 = 0; i < oldSlots; i++) {
      const from = old + ((<usize>i) << 4);
      const key = load<u32>(from);
      if (!key) continue;
      const at = stampSlot(key - 1);
      store<u64>(at, load<u64>(from));
      store<u64>(at, load<u64>(from, 8), 8);
    }
  }
  const c = coreAt(who);
  let batch = load<u32>(c, C_BATCH);
  if (!batch) {
    batch = ++batchCount;
    store<u32>(c, batch, C_BATCH);
    store<i64>(batchAt(batch), -1);
    store<u32>(batchAt(batch), who, 8);
  }
  const block = <u32>(compact >> largestShift);
  const at = stampSlot(block);
  if (!load<u32>(at)) {
    store<u32>(at, block + 1);
    stampCount++;
  }
  store<u32>(at + (instructions ? 8 : 4), batch);
}

/** DSB: the issuer's maintenance is complete. */
export function completeMaintenance(core: u32): void {
  const batch = load<u32>(coreAt(core), C_BATCH);
  if (!batch) return;
  store<i64>(batchAt(batch), <i64>record);
  store<u32>(coreAt(core), 0, C_BATCH);
}

export function synchronizeContext(core: u32): void {
  store<i64>(coreAt(core), <i64>record, C_LAST_ISB);
}

/** An access that isn't an L1 hit: does it rely on maintenance that isn't complete for it? */
export function checkPending(compact: u64, isFetch: bool): void {
  if (!stamped) return;
  const at = stampSlot(<u32>(compact >> largestShift));
  if (!load<u32>(at)) return;
  let pending = false;
  const data = load<u32>(at, 4);
  if (remembered(data)) pending = load<u32>(batchAt(data), 8) != who && load<i64>(batchAt(data)) < 0;
  const instructions = load<u32>(at, 8);
  if (!pending && isFetch && remembered(instructions)) {
    const done = load<i64>(batchAt(instructions));
    pending = done < 0 || load<i64>(coreAt(who), C_LAST_ISB) < done;
  }
  if (pending) latent(HAZARD_MAINTENANCE_PENDING, compact, true);
}
