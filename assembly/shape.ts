// What the hot paths have to know of a core's L1s and private L2, packed: a node is two of the host's cache lines, and a
// hundred cores have three hundred of them. Kept once for all cores where all look alike.

import {
  allocate,
  C_L1D,
  C_L1I,
  CARRY,
  coreAt,
  cores,
  directorySets,
  FLAG_ALLOCATES_READS,
  FLAG_ALLOCATES_STORES,
  FLAG_EXCLUSIVE_DATA,
  FLAG_EXCLUSIVE_INSTRUCTIONS,
  FLAG_WRITE_THROUGH,
  groupBits,
  groupMask,
  groupStride,
  INVALID,
  KIND_ARCHITECTED,
  N_CORE_FIRST,
  N_CORE_LAST,
  N_COVERED,
  N_DATA,
  N_FLAGS,
  N_GROUP_POSITION,
  N_KIND,
  N_LINE_SHIFT,
  N_ORDER,
  N_PARENTS,
  N_POLICY,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_STATES,
  N_STRIDE,
  N_TRUTH,
  N_WAYS,
  POLICY_LRU,
  pathAt,
  sockets,
  TRUE,
} from "./layout";
import { TRUTH } from "./memory";
import { moveToFront } from "./set";

/** One cache's shape. Offsets in bytes. */
export const S_SHIFT: usize = 0;
export const S_MASK: usize = 4;
export const S_RECORD: usize = 8;
export const S_STATES: usize = 12;
export const S_ORDER: usize = 16;
export const S_WAYS: usize = 20;
export const S_FLAGS: usize = 24;
/** Whether the presence directory needn't hear of this cache. */
export const S_COVERED: usize = 28;
export const S_DATA: usize = 32;
export const S_TRUTH: usize = 36;
export const S_STRIDE: usize = 40;
const SHAPE_SIZE: usize = 64;

/** A core's shapes: data side, instruction side, private L2, and the cache outside that. */
export const S_FETCH: usize = SHAPE_SIZE;
export const S_L2: usize = 2 * SHAPE_SIZE;
export const S_L3: usize = 3 * SHAPE_SIZE;
const SHAPES_SIZE: usize = 4 * SHAPE_SIZE;

let shapes: usize = 0;
/** Bytes from one core's shapes to the next: none where all cores look alike. */
let shapesStride: usize = 0;

/** Whether one core's shapes do for all. */
export function areAlike(): bool {
  return cores > 0 && shapesStride == 0;
}

export function shapesAt(core: u32): usize {
  return shapes + <usize>core * shapesStride;
}

/** Power-of-two sets whose group bits are the lowest, and true LRU in nibbles. */
export function isPlain(n: usize): bool {
  return (
    load<u32>(n, N_SET_MASK) != INVALID &&
    load<u32>(n, N_GROUP_POSITION) == 0 &&
    load<u32>(n, N_POLICY) == POLICY_LRU &&
    load<u32>(n, N_WAYS) <= 16
  );
}

/** The core's private L2 if refills from it are plain (refill.ts), else 0. */
export function plainL2(core: u32): usize {
  let n: usize = 0;
  for (let home: u32 = 0; home < sockets; home++) {
    const path = pathAt(core, home);
    if (load<u32>(path) < 2 || <usize>load<u32>(path + 4) != <usize>load<u32>(coreAt(core), C_L1D)) return 0;
    const m = <usize>load<u32>(path + 8);
    if (n && m != n) return 0;
    n = m;
  }
  const both = FLAG_ALLOCATES_READS | FLAG_ALLOCATES_STORES;
  if ((load<u32>(<usize>load<u32>(coreAt(core), C_L1D), N_FLAGS) & both) != both) return 0;
  const flags = load<u32>(n, N_FLAGS);
  if (!isPlain(n) || flags & (FLAG_WRITE_THROUGH | FLAG_EXCLUSIVE_DATA | FLAG_EXCLUSIVE_INSTRUCTIONS)) return 0;
  if (load<u32>(n, N_CORE_FIRST) != load<u32>(n, N_CORE_LAST)) return 0;
  // A sized directory is looked up past the outermost architected cache (D25).
  if (directorySets && load<u32>(n, N_KIND) != KIND_ARCHITECTED) return 0;
  // A root's label is made exact by asking elsewhere (D10).
  return load<u32>(<usize>load<u32>(n, N_PARENTS)) ? n : 0;
}

function write(s: usize, n: usize): void {
  if (!n) return;
  store<u32>(s, load<u32>(n, N_LINE_SHIFT), S_SHIFT);
  store<u32>(s, load<u32>(n, N_SET_MASK), S_MASK);
  store<u32>(s, load<u32>(n, N_RECORD_SIZE), S_RECORD);
  store<u32>(s, load<u32>(n, N_STATES), S_STATES);
  store<u32>(s, load<u32>(n, N_ORDER), S_ORDER);
  store<u32>(s, load<u32>(n, N_WAYS), S_WAYS);
  store<u32>(s, load<u32>(n, N_FLAGS), S_FLAGS);
  store<u32>(s, load<u32>(n, N_COVERED), S_COVERED);
  store<u32>(s, load<u32>(n, N_DATA), S_DATA);
  store<u32>(s, load<u32>(n, N_TRUTH), S_TRUTH);
  store<u32>(s, load<u32>(n, N_STRIDE), S_STRIDE);
}

/** Called once the machine is laid out. */
export function allocateShapes(): void {
  shapes = allocate(<usize>max(cores, 1) * SHAPES_SIZE, 64);
  shapesStride = SHAPES_SIZE;
  let alike = true;
  for (let core: u32 = 0; core < cores; core++) {
    const s = shapesAt(core);
    write(s, <usize>load<u32>(coreAt(core), C_L1D));
    write(s + S_FETCH, <usize>load<u32>(coreAt(core), C_L1I));
    write(s + S_L2, plainL2(core));
    const path = pathAt(core, 0);
    if (load<u32>(path) > 2) write(s + S_L3, <usize>load<u32>(path + 12));
    alike = alike && memory.compare(shapes, s, SHAPES_SIZE) == 0;
  }
  if (alike) shapesStride = 0;
}

/** Bits of the ways of a record that have a tag. */
export function waysWith(r: usize, ways: u32, tag: u32): u32 {
  const key = i32x4.splat(tag);
  let found: u32 = i32x4.bitmask(i32x4.eq(v128.load(r), key));
  for (let w: u32 = 4; w < ways; w += 4) found |= i32x4.bitmask(i32x4.eq(v128.load(r + ((<usize>w) << 2)), key)) << w;
  return found;
}

/** Bits of those that hold a line. */
export function waysFilled(r: usize, ways: u32): u32 {
  return ~waysWith(r, ways, INVALID) & ((1 << ways) - 1);
}

/** Record of a line's set in a cache whose group 0 begins at `base`. */
export function recordIn(base: usize, shape: usize, line: u32): usize {
  const set = line & load<u32>(shape, S_MASK);
  return base + <usize>(set & groupMask) * groupStride + <usize>(set >> groupBits) * load<u32>(shape, S_RECORD);
}

/** Where a way's own bytes are; nowhere in builds without contents, whose records don't say. */
export function contents(shape: usize, r: usize, way: u32): usize {
  return CARRY ? <usize>load<u32>(r + load<u32>(shape, S_DATA)) + <usize>way * load<u32>(shape, S_STRIDE) : 0;
}

/** Where the truth of the line in a way of an L1 is, as a copy's bytes are. */
export function truthIn(shape: usize, r: usize, way: u32): usize {
  return <usize>load<u32>(r + load<u32>(shape, S_TRUTH) + ((<usize>way) << 2)) + TRUTH;
}

/** Where the bytes are that a copy in this state has. */
export function bytesIn(shape: usize, r: usize, way: u32, state: u32): usize {
  return CARRY && state & TRUE && load<u32>(shape, S_TRUTH) ? truthIn(shape, r, way) : contents(shape, r, way);
}

/** Where the state of a way is. */
export function stateIn(shape: usize, r: usize, way: u32): usize {
  return r + load<u32>(shape, S_STATES) + way;
}

/** Empties a way. It is filled before any other then, whatever its place in the order (D14). */
export function emptyIn(shape: usize, r: usize, way: u32): void {
  store<u32>(r + ((<usize>way) << 2), INVALID);
  store<u8>(stateIn(shape, r, way), 0);
}

export function touchIn(shape: usize, r: usize, way: u32): void {
  moveToFront(r + load<u32>(shape, S_ORDER), way);
}

/** The way to fill: the lowest invalid one, else the least recent (D14). */
export function wayToFill(shape: usize, r: usize): u32 {
  const ways = load<u32>(shape, S_WAYS);
  const free = waysWith(r, ways, INVALID) & ((1 << ways) - 1);
  return free ? <u32>ctz(free) : <u32>(load<u64>(r + load<u32>(shape, S_ORDER)) >> ((ways - 1) << 2)) & 15;
}

/** Puts a line into a free way, most recent then. Its contents are the caller's affair. */
export function fillIn(shape: usize, r: usize, way: u32, line: u32, state: u32): void {
  store<u32>(r + ((<usize>way) << 2), line);
  store<u8>(stateIn(shape, r, way), <u8>state);
  touchIn(shape, r, way);
}
