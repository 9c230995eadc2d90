/**
 * How a machine is laid out for the kernel: units of the presence directory, the order of D3, compact addresses. Pure
 * arithmetic over the resolved machine; the kernel itself only sees the numbers.
 */
import type { Cache, ResolvedMachine } from "../machine/resolved.ts";
import { MachineError } from "./errors.ts";

/** All caches as the kernel numbers them: the tree's, then the outer cache, then memory-side caches by socket. */
export interface KernelCache {
  readonly index: number;
  readonly cache: Cache;
  /** Unit of the presence directory, -1 for a shared root and for caches outside the tree. */
  readonly unit: number;
  /** An outer cache of the same unit is inclusive of this one: its presence speaks for both. */
  readonly covered: boolean;
  /** The outermost cache of its unit. */
  readonly isTop: boolean;
  /** Units of which caches lie inside this one: first, and one past the last. */
  readonly units: readonly [number, number];
  readonly rank: number;
  readonly level: number;
}

export interface Placement {
  readonly caches: readonly KernelCache[];
  readonly levels: readonly string[];
  /** Cache indices of each unit, in the order of D3. */
  readonly units: readonly (readonly number[])[];
  readonly sharedRoots: readonly number[];
  /** Every unit is one core's, and blocks are lines: two units that hold a line then hold it apart from each other. */
  readonly unitsAreCores: boolean;
  readonly outer: number;
  /** Kernel cache index by socket, -1 where there is none. */
  readonly memorySide: readonly number[];
  readonly regions: readonly { base: number; sizeBytes: number; delta: bigint; socket: number; isDevice: boolean }[];
}

/** More shared roots than this are tracked like everybody else instead of being probed one by one. */
const MAX_PROBED_ROOTS = 8;
/** Line numbers are 32-bit; the last one means "invalid" (assembly/layout.ts), so no line may have it. */
const MAX_LINES = 2 ** 32;
/** Frames of memory are found by 38 bits of the compact address (assembly/memory.ts). */
const MAX_COMPACT_BYTES = 2 ** 38;

export function place(machine: ResolvedMachine): Placement {
  const { caches } = machine;
  for (const cache of caches) {
    const consecutive = cache.cores.every((core, i) => core === (cache.cores[0] as number) + i);
    if (!consecutive) {
      throw new MachineError(`cache ${cache.level} number ${cache.id} serves cores that are not consecutive`, {
        found: cache.cores.join(", "),
        expected: "a range of cores",
      });
    }
  }
  const rank = ranks(caches);
  const units = unitsOf(machine);
  const lists = unitLists(units, rank);
  const levels = [...new Set(caches.map((cache) => cache.level))];
  const levelOf = (name: string) => {
    if (!levels.includes(name)) levels.push(name);
    return levels.indexOf(name);
  };
  const placed: KernelCache[] = caches.map((cache, index) => ({
    index,
    cache,
    unit: units[index] as number,
    covered: isCovered(machine, cache, units),
    isTop: units[index] !== -1 && cache.parentBySocket.every((parent) => parent < 0 || units[parent] !== units[index]),
    units: unitsInside(caches, cache, units),
    rank: rank[index] as number,
    level: levelOf(cache.level),
  }));
  const behind = (cache: Cache, index: number, level: string): KernelCache => ({
    index,
    cache,
    unit: -1,
    covered: false,
    isTop: false,
    units: [0, 0],
    rank: caches.length + index,
    level: levelOf(level),
  });
  let outer = -1;
  if (machine.outer) {
    outer = caches.length;
    placed.push(behind(machine.outer, outer, "outer"));
  }
  const memorySide: number[] = [];
  for (let socket = 0; socket < machine.sockets; socket++) {
    const cache = machine.memorySide[socket];
    if (!cache) {
      memorySide.push(-1);
      continue;
    }
    const earlier = machine.memorySide.indexOf(cache);
    if (earlier < socket) memorySide.push(memorySide[earlier] as number);
    else {
      const index = caches.length + 1 + socket;
      memorySide.push(index);
      placed.push(behind(cache, index, "memory-side"));
    }
  }
  const sharedRoots = placed.filter(
    (each) => each.index < caches.length && each.unit < 0 && each.cache.holds !== "instructions",
  );
  return {
    caches: placed,
    levels,
    units: lists,
    sharedRoots: sharedRoots.map((each) => each.index),
    unitsAreCores: caches.every(
      (cache) =>
        cache.holds === "instructions" ||
        (cache.lineBytes === machine.largestLineBytes && (units[cache.id] === -1 || cache.cores.length === 1)),
    ),
    outer,
    memorySide,
    regions: regionsOf(machine),
  };
}

/** Order of D3: by highest core served, then inner before outer, so that a cache comes after every cache inside it. */
function ranks(caches: readonly Cache[]): number[] {
  const order = [...caches].sort(
    (a, b) => (a.cores.at(-1) ?? 0) - (b.cores.at(-1) ?? 0) || a.depth - b.depth || a.id - b.id,
  );
  const rank = new Array<number>(caches.length);
  order.forEach((cache, position) => {
    rank[cache.id] = position;
  });
  return rank;
}

/** Unit number by cache id: the private caches of one core together, a shared cache by itself, -1 for a shared root. */
function unitsOf(machine: ResolvedMachine): number[] {
  const { caches } = machine;
  const roots = caches.filter((cache) => cache.holds !== "instructions" && cache.parentBySocket.includes(-1));
  const shared = new Set(roots.filter((root) => root.cores.length > 1).map((root) => root.id));
  const probed = shared.size <= MAX_PROBED_ROOTS ? shared : new Set<number>();
  const unit = new Array<number>(caches.length).fill(-1);
  let count = 0;
  // Outer caches have larger numbers, so going down every parent has its unit already.
  for (let id = caches.length - 1; id >= 0; id--) {
    const cache = caches[id] as Cache;
    if (cache.holds === "instructions" || probed.has(id)) continue;
    const parent = caches[cache.parentBySocket[0] as number];
    unit[id] = parent && parent.cores.length === 1 ? (unit[parent.id] as number) : count++;
  }
  // Number units by their lowest core, so that walking a mask visits them roughly in the order of D3.
  const lowest = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  caches.forEach((cache, id) => {
    const u = unit[id] as number;
    if (u >= 0) lowest[u] = Math.min(lowest[u] as number, cache.cores[0] as number);
  });
  const order = lowest.map((_, u) => u).sort((a, b) => (lowest[a] as number) - (lowest[b] as number));
  const renumbered = new Array<number>(count);
  order.forEach((u, position) => {
    renumbered[u] = position;
  });
  return unit.map((u) => (u < 0 ? -1 : (renumbered[u] as number)));
}

function unitLists(units: readonly number[], rank: readonly number[]): number[][] {
  const lists: number[][] = [];
  units.forEach((unit, id) => {
    if (unit < 0) return;
    lists[unit] = [...(lists[unit] ?? []), id];
  });
  for (const list of lists) list.sort((a, b) => (rank[a] as number) - (rank[b] as number));
  return lists;
}

/** Units are numbered by lowest core, so those inside a cache are consecutive. */
function unitsInside(caches: readonly Cache[], cache: Cache, units: readonly number[]): [number, number] {
  const cores = new Set(cache.cores);
  const inside = caches
    .filter((inner) => inner.depth < cache.depth && cores.has(inner.cores[0] as number))
    .map((inner) => units[inner.id] as number)
    .filter((unit) => unit >= 0);
  return inside.length === 0 ? [0, 0] : [Math.min(...inside), Math.max(...inside) + 1];
}

function isCovered(machine: ResolvedMachine, cache: Cache, units: readonly number[]): boolean {
  if (cache.holds === "instructions") return false;
  for (let id = cache.parentBySocket[0] as number; id >= 0; ) {
    const parent = machine.caches[id] as Cache;
    if (units[id] !== units[cache.id]) return false;
    if (alwaysIncludes(machine, parent)) return true;
    id = parent.parentBySocket[0] as number;
  }
  return false;
}

/** Whether every line that fills inside such a level fills the level too: its promise alone isn't enough. */
function alwaysIncludes(machine: ResolvedMachine, cache: Cache): boolean {
  // Under `split` a system cache can be bypassed while the levels inside it fill.
  const isNeverBypassed = cache.kind === "architected" || machine.cacheability === "wb-only";
  const allocatesAll = cache.allocate === "read-write" && cache.inclusionOfInstructions !== "exclusive";
  return cache.inclusionOfData === "inclusive" && isNeverBypassed && allocatesAll;
}

/**
 * Compact addresses: the address itself where all memory lies below the last of 2^32 lines; else regions are moved down by
 * multiples of every cache's size of one way, so that set indices stay what they are. A machine that has all 2^32 lines
 * comes here without the last one (resolve.ts).
 */
function regionsOf(machine: ResolvedMachine): Placement["regions"] {
  // Caches with the smallest line are probed for all of the largest one, so all of that stays out.
  const limit = Math.min(machine.smallestLineBytes * MAX_LINES - machine.largestLineBytes, MAX_COMPACT_BYTES);
  const shape = (region: (typeof machine.memory)[number], delta: bigint) => ({
    base: region.base,
    sizeBytes: region.sizeBytes,
    delta,
    socket: region.socket,
    isDevice: region.type === "device",
  });
  const top = Math.max(0, ...machine.memory.map((region) => region.base + region.sizeBytes));
  if (top <= limit) return machine.memory.map((region) => shape(region, 0n));
  const step = [...machine.caches, ...(machine.outer ? [machine.outer] : []), ...machine.memorySide].reduce(
    (all, cache) => (cache ? leastCommonMultiple(all, BigInt(cache.sets) * BigInt(cache.lineBytes)) : all),
    BigInt(Math.max(4096, machine.largestLineBytes)),
  );
  let next = 0n;
  return machine.memory.map((region) => {
    const base = BigInt(region.base);
    // The lowest place at or above `next` that is congruent to the base.
    const at = next + ((((base - next) % step) + step) % step);
    next = at + BigInt(region.sizeBytes);
    if (next > BigInt(limit)) {
      throw new MachineError("memory does not fit into the kernel's line numbers", {
        path: "memory",
        found: `${machine.memory.length} regions up to 0x${top.toString(16)}, smallest line ${machine.smallestLineBytes} bytes`,
        expected: `at most 0x${limit.toString(16)} bytes in all, with room for cache indexing`,
      });
    }
    return shape(region, base - at);
  });
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y) [x, y] = [y, x % y];
  return (a / x) * b;
}
