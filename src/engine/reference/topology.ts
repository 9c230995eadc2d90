/** The tree of caches (D1): paths, what is inside what, homes, and the order in which caches are visited (D3). */
import type { MemoryRegion, ResolvedMachine } from "../../machine/resolved.ts";
import type { CacheArray, LineCopy } from "./cache-array.ts";
import type { Range } from "./ranges.ts";

export class Topology {
  readonly machine: ResolvedMachine;
  /** By cache id. */
  readonly arrays: readonly CacheArray[];
  /** Data and unified caches in the order of D3: a cache comes after every cache inside it. */
  readonly dataInOrder: readonly CacheArray[];
  /** Data and unified caches, innermost depth first, then core order (D27). */
  readonly dataByDepth: readonly CacheArray[];
  readonly instructionCaches: readonly CacheArray[];
  private readonly insideOf: ReadonlyMap<CacheArray, readonly CacheArray[]>;
  private readonly containersOf: ReadonlyMap<CacheArray, readonly CacheArray[]>;

  constructor(machine: ResolvedMachine, arrays: readonly CacheArray[]) {
    this.machine = machine;
    this.arrays = arrays;
    const all = [...arrays];
    const data = all.filter((array) => array.holdsData);
    this.dataInOrder = [...data].sort(inOrder);
    this.dataByDepth = [...data].sort(byDepth);
    this.instructionCaches = all.filter((array) => !array.holdsData);
    this.insideOf = new Map(all.map((outer) => [outer, all.filter((inner) => isInside(inner, outer)).sort(inOrder)]));
    this.containersOf = new Map(
      all.map((inner) => [inner, all.filter((outer) => isInside(inner, outer)).sort(byDepth)]),
    );
  }

  region(address: number): MemoryRegion | undefined {
    return this.machine.memory.find(({ base, sizeBytes }) => address >= base && address < base + sizeBytes);
  }

  /** The socket whose memory holds the address. */
  home(address: number): number {
    return this.region(address)?.socket ?? 0;
  }

  /** L1D, then parents up to the root. */
  dataPath(core: number, address: number): CacheArray[] {
    const { l1d } = this.core(core);
    const first = this.arrays[l1d];
    return first ? [first, ...this.fetchPath(core, address)] : this.fetchPath(core, address);
  }

  /** The same without the L1D. */
  fetchPath(core: number, address: number): CacheArray[] {
    return this.unifiedPath(core, this.home(address));
  }

  /** L1I of the core, if it has one. */
  instructionCache(core: number): CacheArray | undefined {
    return this.arrays[this.core(core).l1i];
  }

  /** The data path of an address of the given home. */
  dataPathToHome(core: number, home: number): CacheArray[] {
    const first = this.arrays[this.core(core).l1d];
    return first ? [first, ...this.unifiedPath(core, home)] : this.unifiedPath(core, home);
  }

  /** Next cache outwards for an address; undefined at a root. */
  parent(array: CacheArray, address: number): CacheArray | undefined {
    return this.arrays[array.cache.parentBySocket[this.home(address)] ?? -1];
  }

  /** The root of the tree that the cache stands in, for an address. */
  root(array: CacheArray, address: number): CacheArray {
    const parent = this.parent(array, address);
    return parent ? this.root(parent, address) : array;
  }

  isInside(inner: CacheArray, outer: CacheArray): boolean {
    return isInside(inner, outer);
  }

  /** Caches inside this one, instruction caches included, in order. */
  inside(outer: CacheArray): readonly CacheArray[] {
    return this.insideOf.get(outer) ?? [];
  }

  /** Data and unified copies in caches that contain the copy's cache, innermost first. */
  copiesAround(copy: LineCopy): LineCopy[] {
    return (this.containersOf.get(copy.array) ?? []).flatMap((outer) => outer.overlapping(copy.line));
  }

  /** Data and unified copies that overlap the range, in order. */
  dataCopies(range: Range): LineCopy[] {
    const found: LineCopy[] = [];
    for (const array of this.dataInOrder) array.overlapping(range, found);
    return found;
  }

  private unifiedPath(core: number, home: number): CacheArray[] {
    const path: CacheArray[] = [];
    let next = this.arrays[this.core(core).unifiedBySocket[home] ?? -1];
    while (next) {
      path.push(next);
      next = this.arrays[next.cache.parentBySocket[home] ?? -1];
    }
    return path;
  }

  private core(core: number): ResolvedMachine["cores"][number] {
    const found = this.machine.cores[core];
    if (!found) throw new Error(`no core ${core}`);
    return found;
  }
}

function isInside(inner: CacheArray, outer: CacheArray): boolean {
  if (inner.cache.depth >= outer.cache.depth) return false;
  return inner.cache.cores.every((core) => outer.cache.cores.includes(core));
}

function inOrder(a: CacheArray, b: CacheArray): number {
  return last(a) - last(b) || a.cache.depth - b.cache.depth || a.cache.id - b.cache.id;
}

function byDepth(a: CacheArray, b: CacheArray): number {
  return a.cache.depth - b.cache.depth || first(a) - first(b) || a.cache.id - b.cache.id;
}

const first = (array: CacheArray): number => array.cache.cores[0] ?? 0;
const last = (array: CacheArray): number => array.cache.cores[array.cache.cores.length - 1] ?? 0;
