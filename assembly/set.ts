// One set record: probe, touch, choose a victim way, fill, remove. Nothing here knows about other sets (semantics R6).
import {
  groupBits,
  groupMask,
  groupStride,
  INVALID,
  N_BASE,
  N_GROUP_POSITION,
  N_ID,
  N_ORDER,
  N_POLICY,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_SETS,
  N_STATES,
  N_WAYS,
  POLICY_FIFO,
  POLICY_LRU,
  POLICY_PLRU,
  POLICY_RANDOM,
  POLICY_SRRIP,
  seed,
} from "./layout";

const REPEATED: u64 = 0x1111111111111111;
const TOP_BITS: u64 = 0x8888888888888888;

/** Record of a set, by index. */
export function recordOfSet(n: usize, set: u32): usize {
  if (!ASC_NO_ASSERT) assert(set < load<u32>(n, N_SETS), "a set lies in its cache");
  const position = load<u32>(n, N_GROUP_POSITION);
  const group = <usize>((set >> position) & groupMask);
  const local = (set & ((1 << position) - 1)) | ((set >> (position + groupBits)) << position);
  return <usize>load<u32>(n, N_BASE) + group * groupStride + <usize>local * load<u32>(n, N_RECORD_SIZE);
}

export function setOf(n: usize, line: u32): u32 {
  const mask = load<u32>(n, N_SET_MASK);
  return mask != INVALID ? line & mask : line % load<u32>(n, N_SETS);
}

export function recordOf(n: usize, line: u32): usize {
  return recordOfSet(n, setOf(n, line));
}

/** Way that holds the line, or -1. */
export function probe(n: usize, record: usize, line: u32): i32 {
  const key = i32x4.splat(line);
  const ways = load<u32>(n, N_WAYS);
  for (let w: u32 = 0; w < ways; w += 4) {
    const hit = i32x4.bitmask(i32x4.eq(v128.load(record + ((<usize>w) << 2)), key));
    if (hit) return <i32>(w + ctz(hit));
  }
  return -1;
}

export function tagAt(record: usize, way: u32): u32 {
  return load<u32>(record + ((<usize>way) << 2));
}

export function stateAt(n: usize, record: usize, way: u32): u32 {
  return load<u8>(record + load<u32>(n, N_STATES) + way);
}

export function setState(n: usize, record: usize, way: u32, state: u32): void {
  store<u8>(record + load<u32>(n, N_STATES) + way, <u8>state);
}

/** An order of nibbles, most recent lowest, with a way moved to the front. */
function toFront(order: u64, way: u64): u64 {
  const differing = order ^ (way * REPEATED);
  // The lowest bit set is the top one of the nibble that names the way.
  const zero = (differing - REPEATED) & ~differing & TOP_BITS;
  const upTo = zero ^ (zero - 1);
  return (order & ~upTo) | ((order << 4) & upTo) | way;
}

/** Makes a way the most recent in the order of nibbles that lies at an address. */
export function moveToFront(order: usize, way: u32): void {
  store<u64>(order, toFront(load<u64>(order), way));
}

function toFrontOfBytes(order: usize, way: u32): void {
  let carried = <u8>way;
  for (let i: usize = 0; ; i++) {
    const here = load<u8>(order + i);
    store<u8>(order + i, carried);
    if (here == <u8>way) return;
    carried = here;
  }
}

function front(n: usize, record: usize, way: u32): void {
  const order = record + load<u32>(n, N_ORDER);
  if (load<u32>(n, N_WAYS) <= 16) moveToFront(order, way);
  else toFrontOfBytes(order, way);
}

/** Node 1 is the root; a set bit sends the victim walk to the upper half (D14). */
function plruTouch(n: usize, record: usize, way: u32): void {
  const order = record + load<u32>(n, N_ORDER);
  let bits = load<u64>(order);
  const ways = load<u32>(n, N_WAYS);
  let half: u32 = ways > 1 ? (1 << (32 - clz(ways - 1))) >> 1 : 0;
  let node: u32 = 1;
  while (half) {
    if (way & half) {
      bits &= ~((<u64>1) << node);
      node = node * 2 + 1;
    } else {
      bits |= (<u64>1) << node;
      node = node * 2;
    }
    half >>= 1;
  }
  store<u64>(order, bits);
}

function plruVictim(n: usize, record: usize): u32 {
  const bits = load<u64>(record + load<u32>(n, N_ORDER));
  const ways = load<u32>(n, N_WAYS);
  let half: u32 = ways > 1 ? (1 << (32 - clz(ways - 1))) >> 1 : 0;
  let node: u32 = 1;
  let way: u32 = 0;
  while (half) {
    if ((bits >> node) & 1 && (way | half) < ways) {
      way |= half;
      node = node * 2 + 1;
    } else {
      node = node * 2;
    }
    half >>= 1;
  }
  return way;
}

/** A hit that replacement is to know of. */
export function touch(n: usize, record: usize, way: u32): void {
  const policy = load<u32>(n, N_POLICY);
  if (policy == POLICY_LRU) front(n, record, way);
  else if (policy == POLICY_PLRU) plruTouch(n, record, way);
  else if (policy == POLICY_SRRIP) store<u8>(record + load<u32>(n, N_ORDER) + way, 0);
}

/** Replacement's view of a fill (D14). */
export function filled(n: usize, record: usize, way: u32): void {
  const policy = load<u32>(n, N_POLICY);
  if (policy == POLICY_LRU || policy == POLICY_FIFO) front(n, record, way);
  else if (policy == POLICY_PLRU) plruTouch(n, record, way);
  else if (policy == POLICY_SRRIP) store<u8>(record + load<u32>(n, N_ORDER) + way, 2);
}

/** The way to fill next: the lowest invalid one, else the policy's victim (R39). */
export function choose(n: usize, record: usize): u32 {
  const ways = load<u32>(n, N_WAYS);
  const free = i32x4.splat(INVALID);
  for (let w: u32 = 0; w < ways; w += 4) {
    const hit = i32x4.bitmask(i32x4.eq(v128.load(record + ((<usize>w) << 2)), free));
    if (hit) {
      const way = w + ctz(hit);
      if (way < ways) return way;
    }
  }
  const policy = load<u32>(n, N_POLICY);
  const order = record + load<u32>(n, N_ORDER);
  if (policy == POLICY_LRU || policy == POLICY_FIFO) {
    if (ways <= 16) return <u32>(load<u64>(order) >> ((ways - 1) * 4)) & 15;
    return load<u8>(order + ways - 1);
  }
  if (policy == POLICY_PLRU) return plruVictim(n, record);
  if (policy == POLICY_RANDOM) {
    let x = load<u32>(order);
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    store<u32>(order, x);
    return x % ways;
  }
  for (;;) {
    for (let w: u32 = 0; w < ways; w++) if (load<u8>(order + w) >= 3) return w;
    for (let w: u32 = 0; w < ways; w++) store<u8>(order + w, load<u8>(order + w) + 1);
  }
  return 0;
}

function fmix32(h: u32): u32 {
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** Empties every set of a cache and gives replacement its first state. */
export function initialize(n: usize): void {
  const sets = load<u32>(n, N_SETS);
  const ways = load<u32>(n, N_WAYS);
  const policy = load<u32>(n, N_POLICY);
  const padded = (ways + 3) & ~3;
  for (let s: u32 = 0; s < sets; s++) {
    const record = recordOfSet(n, s);
    memory.fill(record, 0xff, <usize>padded * 4);
    const order = record + load<u32>(n, N_ORDER);
    if (policy == POLICY_RANDOM) store<u32>(order, fmix32(seed ^ (load<u32>(n, N_ID) * 0x9e3779b9) ^ s) | 1);
    else if (policy == POLICY_LRU || policy == POLICY_FIFO) {
      if (ways <= 16) store<u64>(order, 0xfedcba9876543210);
      else for (let w: u32 = 0; w < ways; w++) store<u8>(order + w, <u8>w);
    }
  }
}
