// Looking ahead: the sets that the next records are going to need are touched before any of them is played. A play of misses waits
// for the host's memory at every step, and each step depends on the one before; touches don't, so the host overlaps them.
// WebAssembly has no prefetch instruction, hence plain loads; nothing here changes anything.

import { BASE_L2, basesOf } from "./hits";
import {
  allocate,
  FLAG_INCLUSIVE_DATA,
  N_FLAGS,
  N_LINE_SHIFT,
  N_ORDER,
  N_POLICY,
  N_WAYS,
  POLICY_LRU,
  pathAt,
  sharedRoots,
} from "./layout";
import { fastBytes, fastLow, regionDelta, regionHome } from "./memory";
import { OP_FETCH } from "./operations";
import { isKnownEmpty, touchEntry, touchMask } from "./presence";
import { recordOf } from "./set";
import { recordIn, S_L2, S_ORDER, S_SHIFT, S_WAYS, shapesAt, waysWith } from "./shape";

/** Records that are looked at together: enough to overlap, few enough that what was touched is still there when it is played. */
const WINDOW: u32 = 64;
/** Where nothing misses, nobody has to look. */
const FARTHEST: u32 = 2048;
/** Touches pay where one record in so many isn't answered by its own L1 or L2, which the host's caches hold. */
const RARE: u32 = 6;

let windowStart: usize = 0;
let windowEnd: usize = 0;
let ahead: u32 = WINDOW;
let missed: u32 = 0;
/** The window's records that are being looked at, and their sets in the private L2. */
let chosen: usize = 0;

export function allocateAhead(): void {
  chosen = allocate((<usize>WINDOW) << 4, 64);
}

/** All records that missed their L1 and their private L2. */
export let misses: u64 = 0;

/** A record missed its L1 and its private L2. */
export function noteMiss(): void {
  missed++;
  misses++;
}

/** How far to play from an address of the batch before asking again. Touches what the records until there need if that pays. */
export function lookAhead(at: usize, until: usize): usize {
  if (at < windowEnd && at >= windowStart && windowEnd <= until) return windowEnd;
  // While nothing misses, each look is twice as far away as the last.
  ahead = missed ? WINDOW : min(ahead << 1, FARTHEST);
  const end = min(at + ((<usize>ahead) << 3), until);
  if (missed >= WINDOW / RARE) touchRecords(at, end);
  missed = 0;
  windowStart = at;
  windowEnd = end;
  return end;
}

/** What was loaded only to be near is kept here, so that no compiler leaves the loads out. */
const SEEN = memory.data(8, 8);

export function keepSeen(seen: u64): void {
  store<u64>(SEEN, seen);
}

function touchRecords(from: usize, end: usize): void {
  let many: usize = 0;
  let seen: u32 = 0;
  // No branch here waits for what is loaded: one that is guessed wrongly would end the overlap.
  for (let at = from; at < end; at += 8) {
    const word = load<u64>(at);
    const op = <u32>(word >> 48) & 0xff;
    const address = word & 0xffffffffffff;
    if (op > OP_FETCH || address - fastLow >= fastBytes) continue;
    const core = <u32>(word >> 56);
    const bases = basesOf(core);
    const base = <usize>load<u32>(bases + ((<usize>op) << 2));
    const base2 = <usize>load<u32>(bases, BASE_L2);
    if (!base || !base2) continue;
    const compact = address - regionDelta;
    const shapes = shapesAt(core);
    const shape = shapes + ((<usize>(op & 2)) << 5);
    const shape2 = shapes + S_L2;
    const r2 = recordIn(base2, shape2, <u32>(compact >> load<u32>(shape2, S_SHIFT)));
    seen += load<u32>(recordIn(base, shape, <u32>(compact >> load<u32>(shape, S_SHIFT)))) + load<u32>(r2);
    store<u64>(chosen + many, word);
    store<u32>(chosen + many, <u32>r2, 8);
    many += 16;
  }
  let beyond: usize = 0;
  for (let i: usize = 0; i < many; i += 16) {
    const word = load<u64>(chosen + i);
    const r2 = <usize>load<u32>(chosen + i, 8);
    const shape2 = shapesAt(<u32>(word >> 56)) + S_L2;
    const line2 = <u32>(((word & 0xffffffffffff) - regionDelta) >> load<u32>(shape2, S_SHIFT));
    store<u64>(chosen + beyond, word);
    store<u32>(chosen + beyond, <u32>r2, 8);
    beyond += (<usize>(waysWith(r2, load<u32>(shape2, S_WAYS), line2) == 0)) << 4;
  }
  for (let i: usize = 0; i < beyond; i += 16) seen += touchBeyond(load<u64>(chosen + i), load<u32>(chosen + i, 8));
  for (let i: usize = 0; i < beyond; i += 16) seen += touchVictims(load<u64>(chosen + i));
  keepSeen(seen);
}

/** What a miss of the private L2 needs: further caches of the path, other roots, who has the line, and the victim's holders. */
export function touchBeyond(word: u64, r2: usize): u32 {
  const compact = (word & 0xffffffffffff) - regionDelta;
  const core = <u32>(word >> 56);
  let seen = touchEntry(compact);
  const path = pathAt(core, regionHome);
  const length = load<u32>(path);
  for (let k: u32 = 3; k <= length; k++) seen += touchSet(<usize>load<u32>(path + ((<usize>k) << 2)), compact);
  const roots = load<u32>(sharedRoots);
  for (let i: u32 = 1; i <= roots; i++) {
    const m = <usize>load<u32>(sharedRoots + ((<usize>i) << 2));
    if (!isKnownEmpty(m)) seen += touchSet(m, compact);
  }
  const shape2 = shapesAt(core) + S_L2;
  const shift = load<u32>(shape2, S_SHIFT);
  const last = <u32>(load<u64>(r2 + load<u32>(shape2, S_ORDER)) >> ((load<u32>(shape2, S_WAYS) - 1) << 2)) & 15;
  const victim = (<u64>load<u32>(r2 + ((<usize>last) << 2))) << shift;
  seen += touchEntry(victim);
  if (length > 2) seen += touchSet(<usize>load<u32>(path + 12), victim);
  return seen;
}

/** What is known only once those sets are there: the units that share the line, and those that a victim further out takes it from. */
function touchVictims(word: u64): u32 {
  const compact = (word & 0xffffffffffff) - regionDelta;
  let seen = touchMask(compact);
  const path = pathAt(<u32>(word >> 56), regionHome);
  const length = load<u32>(path);
  for (let k: u32 = 3; k <= length; k++) {
    const n = <usize>load<u32>(path + ((<usize>k) << 2));
    const ways = load<u32>(n, N_WAYS);
    if (!(load<u32>(n, N_FLAGS) & FLAG_INCLUSIVE_DATA) || load<u32>(n, N_POLICY) != POLICY_LRU || ways > 16) continue;
    const shift = load<u32>(n, N_LINE_SHIFT);
    const r = recordOf(n, <u32>(compact >> shift));
    const last = <u32>(load<u64>(r + load<u32>(n, N_ORDER)) >> ((ways - 1) << 2)) & 15;
    seen += touchEntry((<u64>load<u32>(r + ((<usize>last) << 2))) << shift);
  }
  return seen;
}

function touchSet(n: usize, compact: u64): u32 {
  const r = recordOf(n, <u32>(compact >> load<u32>(n, N_LINE_SHIFT)));
  return load<u32>(r) + load<u32>(r + load<u32>(n, N_ORDER));
}
