/** The entries of a sized directory (D25): which lines caches of one socket may hold. What an eviction does is coherence's. */
import { blockAround, type Range } from "./ranges.ts";
import { type Replacement, recencyOrder } from "./replacement.ts";

interface DirectorySet {
  readonly lines: (Range | undefined)[];
  readonly order: Replacement;
}

export class Directory {
  private readonly sets = new Map<number, DirectorySet>();
  private readonly setCount: number;
  private readonly ways: number;

  constructor(geometry: { readonly sets: number; readonly ways: number }) {
    this.setCount = geometry.sets;
    this.ways = geometry.ways;
  }

  /** A hit touches. A miss calls `evict` with the line that has to make room, if any, and then takes its place. */
  lookUp(address: number, lineBytes: number, evict: (line: Range) => void): void {
    const line = blockAround(address, lineBytes);
    const set = this.set(Math.floor(address / lineBytes) % this.setCount);
    const hit = set.lines.findIndex((each) => each?.address === line.address && each.sizeBytes === lineBytes);
    if (hit >= 0) {
      set.order.touch(hit);
      return;
    }
    const invalid = set.lines.indexOf(undefined);
    const way = invalid >= 0 ? invalid : set.order.victim();
    const old = set.lines[way];
    if (old) evict(old);
    set.lines[way] = line;
    set.order.fill(way);
  }

  private set(index: number): DirectorySet {
    let set = this.sets.get(index);
    if (!set) {
      set = { lines: new Array(this.ways).fill(undefined), order: recencyOrder(this.ways, true) };
      this.sets.set(index, set);
    }
    return set;
  }
}
