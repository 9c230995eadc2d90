/**
 * How copies of lines move and go, whoever asked for it: evictions, writebacks, cleaning, refreshing and removal with
 * what inclusion takes along (D15 to D19). It never looks for other cores' copies; coherence does.
 */
import type { CacheArray, LineCopy, Slot } from "./cache-array.ts";
import type { Memory } from "./memory.ts";
import { overlay, type Range } from "./ranges.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";

/** Bytes on their way outwards. */
interface Writeback {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** A clean victim moves too, into an exclusive parent. */
  readonly dirty: boolean;
  readonly shared: boolean;
  /** Line size of the cache that wrote a whole line back; 0 for just some bytes (D17). */
  readonly wholeLineBytes: number;
}

export class Lines {
  /** While a store climbs, the copies that it is about to write must not go (D12, D25). */
  kept: (copy: LineCopy) => boolean = () => false;
  private readonly topology: Topology;
  private readonly memory: Memory;
  private readonly tally: Tally;

  constructor(topology: Topology, memory: Memory, tally: Tally) {
    this.topology = topology;
    this.memory = memory;
    this.tally = tally;
  }

  /** Chooses a way for the line around an address and evicts what is there. */
  makeRoom(array: CacheArray, address: number): Slot {
    const { set, way, victim } = array.chooseWay(address);
    if (victim) this.evict(victim);
    return { set, way };
  }

  /** D15: inner copies go first, their dirty bytes merge into the victim. */
  evict(copy: LineCopy): void {
    const { array } = copy;
    array.counters.evictions += 1;
    if (copy.prefetched) array.counters.prefetchesUnused += 1;
    this.takeInnerCopies(copy, true);
    array.drop(copy);
    const parent = this.topology.parent(array, copy.line.address);
    if (copy.dirty) {
      this.tally.writebackOut(array);
      this.writeback(parent, wholeLine(copy));
    } else if (array.holdsData && parent?.cache.inclusionOfData === "exclusive") {
      this.writeback(parent, wholeLine(copy));
    }
  }

  /** D16. */
  writeback(to: CacheArray | undefined, out: Writeback): void {
    if (!to) {
      if (out.dirty) this.memory.write(out.address, out.bytes);
      return;
    }
    to.counters.writebacksIn += 1;
    const held = to.find(out.address);
    if (held) {
      if (!out.dirty) return;
      if (to.cache.writebackTouches) to.touch(held);
      this.land(held, out.address, out.bytes);
      return;
    }
    to.counters.writebackMisses += 1;
    const passesBy =
      out.wholeLineBytes < to.cache.lineBytes || to.cache.allocate === "read" || to.cache.writePolicy === "through";
    if (passesBy) {
      if (out.dirty) this.writeback(this.topology.parent(to, out.address), out);
      return;
    }
    const slot = this.makeRoom(to, out.address);
    to.fill(slot, to.lineAround(out.address), out.bytes, { dirty: out.dirty, shared: out.shared });
  }

  /** New bytes land in a copy: it becomes dirty, or a write-through cache passes just these bytes on (D17). */
  land(copy: LineCopy, address: number, bytes: Uint8Array): void {
    const { array } = copy;
    array.overlay(copy, address, bytes);
    if (array.cache.writePolicy === "back") {
      copy.dirty = true;
      return;
    }
    this.tally.writebackOut(array);
    const parent = this.topology.parent(array, address);
    this.writeback(parent, { address, bytes, dirty: true, shared: copy.shared, wholeLineBytes: 0 });
  }

  /** A whole dirty line goes into the first of these caches that holds it, else to memory. */
  landInFirst(caches: readonly CacheArray[], line: Range, bytes: Uint8Array): void {
    const holder = caches.map((array) => array.find(line.address)).find((copy) => copy);
    if (holder) this.land(holder, line.address, bytes);
    else this.memory.write(line.address, bytes);
  }

  /** D18: the bytes go to the first ancestor that isn't exclusive of data; exclusive ones on the way are refreshed. */
  clean(copy: LineCopy): void {
    this.tally.writebackOut(copy.array);
    let to = this.topology.parent(copy.array, copy.line.address);
    while (to && to.cache.inclusionOfData === "exclusive") {
      for (const outer of to.overlapping(copy.line)) to.overlay(outer, copy.line.address, copy.bytes);
      to = this.topology.parent(to, copy.line.address);
    }
    copy.dirty = false;
    this.writeback(to, { ...wholeLine(copy), dirty: true });
  }

  /** D19: a copy goes, and what inclusion takes along; their dirty bytes are dropped. */
  remove(copy: LineCopy): void {
    this.takeInnerCopies(copy, false);
    copy.array.drop(copy);
  }

  /** CISW (D28): inner copies merge first, then what is dirty goes to the next level. */
  cleanAndRemove(copy: LineCopy): void {
    this.takeInnerCopies(copy, true);
    if (copy.dirty) this.clean(copy);
    copy.array.drop(copy);
  }

  /** Every copy of the line in caches that contain this one gets its bytes; what is dirty or shared stays so. */
  refreshOutwards(copy: LineCopy, within: (array: CacheArray) => boolean = () => true): void {
    for (const outer of this.topology.copiesAround(copy)) {
      if (within(outer.array)) outer.array.overlay(outer, copy.line.address, copy.bytes);
    }
  }

  /** A dirty copy that cannot supply what was asked for is written to memory at once and becomes clean (D11). */
  writeAside(copy: LineCopy): void {
    this.refreshOutwards(copy);
    this.memory.write(copy.line.address, copy.bytes);
    copy.dirty = false;
  }

  /**
   * Before copies are cleaned and removed: a smaller inner copy that inclusion takes along, though it doesn't hold the
   * address itself, must not lose its dirty bytes (D19, D27).
   */
  writeUnnamedAside(copies: readonly LineCopy[]): void {
    for (const copy of copies) {
      for (const inner of this.innerCopies(copy)) if (inner.dirty && !copies.includes(inner)) this.writeAside(inner);
    }
  }

  private takeInnerCopies(copy: LineCopy, merge: boolean): void {
    const inner = [...this.innerCopies(copy)];
    if (merge) {
      // Outer ones first and in core order within a depth, so that the innermost bytes win.
      const dirty = inner.filter((each) => each.dirty);
      dirty.sort((a, b) => b.array.cache.depth - a.array.cache.depth || firstCore(a) - firstCore(b));
      for (const each of dirty) overlay(copy.bytes, copy.line.address, each.bytes, each.line.address);
      if (dirty.length > 0) copy.dirty = true;
    }
    for (const each of inner) {
      each.array.counters.backInvalidations += 1;
      each.array.drop(each);
    }
  }

  /** What goes with a copy: overlapping copies inside, where its cache is inclusive of their kind, and what goes with those. */
  innerCopies(copy: LineCopy, found = new Set<LineCopy>()): Set<LineCopy> {
    const { inclusionOfData, inclusionOfInstructions } = copy.array.cache;
    for (const array of this.topology.inside(copy.array)) {
      const inclusion = array.holdsData ? inclusionOfData : inclusionOfInstructions;
      if (inclusion !== "inclusive") continue;
      for (const inner of array.overlapping(copy.line)) {
        if (found.has(inner) || this.kept(inner)) continue;
        found.add(inner);
        this.innerCopies(inner, found);
      }
    }
    return found;
  }
}

function wholeLine(copy: LineCopy): Writeback {
  const { line, bytes, dirty, shared } = copy;
  return { address: line.address, bytes, dirty, shared, wholeLineBytes: line.sizeBytes };
}

const firstCore = (copy: LineCopy): number => copy.array.cache.cores[0] ?? 0;
