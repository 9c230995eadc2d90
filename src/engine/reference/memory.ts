/**
 * What stands behind the interconnect: the outer cache, memory-side caches and RAM (D22, D24), and the outer cache's own
 * operations (D29). Software that bypasses every coherent cache ends up here too.
 */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import type { Place } from "../engine.ts";
import { bytesOf, CacheArray, type LineCopy, type OnChange } from "./cache-array.ts";
import { covers, overlay, type Range, slice, split } from "./ranges.ts";
import { SparseBytes } from "./sparse-bytes.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";

export interface MemoryRead {
  readonly bytes: Uint8Array;
  readonly place: Place;
}

/** Normal Non-cacheable accesses may look the outer cache up; Device accesses and DMA never do. */
export type Bypass = "normal" | "device" | "dma";

interface Store {
  read(range: Range): MemoryRead;
  write(address: number, bytes: Uint8Array): void;
}

export class Memory {
  readonly ram = new SparseBytes();
  readonly outer: CacheArray | undefined;
  /** By home socket; a machine-wide one stands at every index. */
  readonly memorySide: readonly (CacheArray | undefined)[];
  outerEnabled = false;
  private readonly topology: Topology;
  private readonly machine: ResolvedMachine;
  private readonly tally: Tally;
  private readonly onChange: OnChange;

  constructor(topology: Topology, tally: Tally, onChange: OnChange) {
    const machine = topology.machine;
    this.topology = topology;
    this.machine = machine;
    this.tally = tally;
    this.onChange = onChange;
    this.outer = machine.outer && new CacheArray(machine.outer, machine.seed, onChange);
    const arrays = new Map(
      machine.memorySide.map((cache) => [cache, cache && new CacheArray(cache, machine.seed, onChange)]),
    );
    this.memorySide = machine.memorySide.map((cache) => arrays.get(cache));
  }

  /** A cacheable read, of a line or part of one (D22). */
  read(range: Range): MemoryRead {
    if (this.outer && this.outerEnabled) return this.readThrough(this.outer, "outer", range, this.below);
    return this.below.read(range);
  }

  write(address: number, bytes: Uint8Array): void {
    if (this.outer && this.outerEnabled) this.writeThrough(this.outer, address, bytes, this.below);
    else this.below.write(address, bytes);
  }

  /** D24: a hit in the outer cache is used where the access may see it; a miss passes by. */
  readUncached(range: Range, bypass: Bypass): MemoryRead {
    const outer = this.outerSeenBy(bypass);
    if (outer) {
      const copy = outer.find(range.address);
      outer.counters.loads += 1;
      if (copy && covers(copy.line, range)) {
        outer.touch(copy);
        return { bytes: bytesOf(copy, range), place: "outer" };
      }
      outer.counters.loadMisses += 1;
    }
    return this.below.read(range);
  }

  writeUncached(address: number, bytes: Uint8Array, bypass: Bypass): void {
    const outer = this.outerSeenBy(bypass);
    if (outer) {
      const copy = outer.find(address);
      outer.counters.writebacksIn += 1;
      if (copy && covers(copy.line, { address, sizeBytes: bytes.length })) {
        outer.overlay(copy, address, bytes);
        copy.dirty = true;
        if (outer.cache.writebackTouches) outer.touch(copy);
        return;
      }
      outer.counters.writebackMisses += 1;
    }
    this.below.write(address, bytes);
  }

  /** PL310 operations by PA or by way act whether the cache is enabled or not (D29). */
  maintainOuter(copies: Iterable<LineCopy>, clean: boolean, invalidate: boolean): void {
    for (const copy of copies) {
      if (clean && copy.dirty) this.writeOut(copy, this.below);
      if (invalidate) copy.array.drop(copy);
    }
  }

  /** Where the outer or a memory-side cache or RAM holds a value, in this order; the outer cache counts even when disabled. */
  *placesOf(range: Range): Generator<MemoryRead> {
    const outer = this.outer?.find(range.address);
    if (outer) yield { bytes: bytesOf(outer, range), place: "outer" };
    const memorySide = this.memorySide[this.topology.home(range.address)]?.find(range.address);
    if (memorySide) yield { bytes: bytesOf(memorySide, range), place: "memory-side" };
    yield { bytes: this.ram.read(range), place: "memory" };
  }

  private outerSeenBy(bypass: Bypass): CacheArray | undefined {
    const seen = this.outerEnabled && !this.machine.outerSharedOverride && bypass === "normal";
    return seen ? this.outer : undefined;
  }

  /** The memory-side cache of the home socket, then RAM. Reaching it may cross sockets (D37). */
  private readonly below: Store = {
    read: (range) => {
      const home = this.topology.home(range.address);
      this.tally.memoryAccess(home);
      const cache = this.memorySide[home];
      return cache ? this.readThrough(cache, "memory-side", range, this.bare) : this.bare.read(range);
    },
    write: (address, bytes) => {
      const home = this.topology.home(address);
      this.tally.memoryAccess(home);
      const cache = this.memorySide[home];
      if (cache) this.writeThrough(cache, address, bytes, this.bare);
      else this.bare.write(address, bytes);
    },
  };

  private readonly bare: Store = {
    read: (range) => {
      this.tally.machine.memoryReads += 1;
      return { bytes: this.ram.read(range), place: "memory" };
    },
    write: (address, bytes) => {
      this.tally.machine.memoryWrites += 1;
      this.ram.write(address, bytes);
      this.onChange({ address, sizeBytes: bytes.length });
    },
  };

  /** A read allocates whole lines; one that spans several lines is named after what supplied the first. */
  private readThrough(array: CacheArray, name: Place, range: Range, next: Store): MemoryRead {
    const bytes = new Uint8Array(range.sizeBytes);
    let place: Place | undefined;
    for (const part of split(range, array.cache.lineBytes)) {
      array.counters.loads += 1;
      let copy = array.find(part.address);
      let from = name;
      if (copy) {
        array.touch(copy);
      } else {
        array.counters.loadMisses += 1;
        const slot = this.makeRoom(array, part.address, next);
        const line = array.lineAround(part.address);
        const read = next.read(line);
        copy = array.fill(slot, line, read.bytes, { dirty: false, shared: false });
        from = read.place;
      }
      overlay(bytes, range.address, bytesOf(copy, part), part.address);
      place ??= from;
    }
    return { bytes, place: place ?? name };
  }

  /** A write of a whole line allocates without fetching; a smaller one that misses passes by. */
  private writeThrough(array: CacheArray, address: number, bytes: Uint8Array, next: Store): void {
    for (const part of split({ address, sizeBytes: bytes.length }, array.cache.lineBytes)) {
      const partBytes = slice(bytes, address, part);
      array.counters.writebacksIn += 1;
      const copy = array.find(part.address);
      if (copy) {
        array.overlay(copy, part.address, partBytes);
        copy.dirty = true;
        if (array.cache.writebackTouches) array.touch(copy);
        continue;
      }
      array.counters.writebackMisses += 1;
      if (part.sizeBytes < array.cache.lineBytes) {
        next.write(part.address, partBytes);
      } else {
        const slot = this.makeRoom(array, part.address, next);
        array.fill(slot, part, partBytes, { dirty: true, shared: false });
      }
    }
  }

  private makeRoom(array: CacheArray, address: number, next: Store): { set: number; way: number } {
    const { set, way, victim } = array.chooseWay(address);
    if (victim) {
      array.counters.evictions += 1;
      if (victim.dirty) this.writeOut(victim, next);
      array.drop(victim);
    }
    return { set, way };
  }

  private writeOut(copy: LineCopy, next: Store): void {
    this.tally.writebackOut(copy.array);
    next.write(copy.line.address, copy.bytes);
    copy.dirty = false;
  }
}
