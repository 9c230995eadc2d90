// What memory would hold if caches did not exist, compared with what observers see (R26-R30, D31, D32, D35), and the table of
// all hazards. Nothing here moves a line.

import { held, heldSize } from "./bytes";
import { collectAll, lineOf, PEER_NODE, PEER_RECORD, PEER_WAY, peerAt } from "./coherence";
import { bytesOf } from "./hierarchy";
import {
  allocate,
  CARRY,
  cores,
  INVALID,
  indexOf,
  memorySide,
  N_DEPTH,
  N_LINE_BYTES,
  N_LINE_SHIFT,
  outer,
  pathAt,
  smallestShift,
  VERSIONS,
} from "./layout";
import { addressOf, assignmentOf, byteOf, homeOf, TRUTH, WRITER, who } from "./memory";
import { HAZARD_LEAK, HAZARD_LOST_WRITE } from "./operations";
import { probe, recordOf } from "./set";

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

/** Reads of tables are pieces of their own, though they have the record's first number. */
let part: u32 = 0;

export function nextPart(): void {
  part++;
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

/** The truth of [compact, +bytes) changes to what is at `from`. The range lies in one line. */
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

/**
 * Whether what a request brings into an L1 may differ from the truth. Loads and stores get the newest copy, which only what diverges
 * makes differ, and until then neither its bytes nor the truth's are looked at; a fetch needn't find what its core has stored (D23).
 */
export function mayDiffer(fetches: bool): bool {
  return divergent || fetches;
}

/** Whether a line's contents all equal the truth. */
export function equalsTruth(compact: u64, bytes: usize, data: usize): bool {
  return areEqual(byteOf(compact) + TRUTH, bytes, data);
}

/** Whether memory, at an address in a frame, holds the truth. */
export function isTrue(at: usize, bytes: usize): bool {
  return areEqual(at + TRUTH, bytes, at);
}

/** Whether the contents of so many bytes are the same in two places. */
export function areEqual(truth: usize, bytes: usize, data: usize): bool {
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
export const H_LINES: usize = 44;
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
const H_LAST_PART: usize = 116;

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
export let fresh: bool = false;
/** Whether what was recorded can support a class of hazard (R48). */
export function isAssessed(kind: u32): bool {
  return ((assessable >> kind) & 1) != 0;
}

function report(kind: u32, line: u64, newest: i64, observer: u32): usize {
  fresh = false;
  if (!isAssessed(kind)) return 0;
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
      if (
        kind == HAZARD_LOST_WRITE &&
        load<u64>(e, H_LAST_RECORD) == record &&
        load<u32>(e, H_LAST_PIECE) == piece &&
        load<u32>(e, H_LAST_PART) == part
      )
        return e;
      store<u64>(e, load<u64>(e, H_OCCURRENCES) + 1, H_OCCURRENCES);
      store<u64>(e, record, H_LAST_RECORD);
      store<u32>(e, piece, H_LAST_PIECE);
      store<u32>(e, part, H_LAST_PART);
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
  store<u32>(e, part, H_LAST_PART);
  fresh = true;
  return e;
}

/** A latent hazard of a line (0 for the classes without one). */
export function latent(kind: u32, compact: u64, hasLine: bool): usize {
  const e = report(kind, hasLine ? addressOf((compact >> smallestShift) << smallestShift) : 0, -1, who);
  if (e && fresh && hasLine) store<i32>(e, attribute, H_ATTRIBUTE);
  return e;
}

/** The record being played has the hazard, and so had `times` before it, where nothing has been counted for them yet. */
export function recur(e: usize, times: u64): void {
  store<u64>(e, load<u64>(e, H_OCCURRENCES) + times, H_OCCURRENCES);
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
  const assigned = load<u64>(assignmentOf(word));
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

/** Whether any was. */
export function anyTouched(): bool {
  return touchedCount != 0;
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
  if (CARRY) store<u64>(assignmentOf(compact), record + 1);
}
