/** What one cache holds (R1): sets of ways, each way empty or a copy of a line with its own bytes. It decides nothing. */
import type { Cache } from "../../machine/resolved.ts";
import { CACHE_COUNTERS, type CacheCounters } from "../engine.ts";
import { blockAround, overlay, type Range, slice } from "./ranges.ts";
import { createReplacement, type Replacement } from "./replacement.ts";

/** A copy of a line. S, E, O and M are the four combinations of `shared` and `dirty` (D4). */
export interface LineCopy {
  readonly array: CacheArray;
  readonly set: number;
  readonly way: number;
  readonly line: Range;
  readonly bytes: Uint8Array;
  dirty: boolean;
  shared: boolean;
  /** A prefetcher brought it in, and no demand access has hit it yet (D58). */
  prefetched: boolean;
}

/** An empty way that was chosen for a line. */
export interface Slot {
  readonly set: number;
  readonly way: number;
}

interface CacheSet {
  readonly ways: (LineCopy | undefined)[];
  readonly replacement: Replacement;
}

/** Told which bytes a place no longer has, or has changed: D32 looks there for lost words. */
export type OnChange = (range: Range) => void;

export class CacheArray {
  readonly cache: Cache;
  readonly counters: CacheCounters;
  private readonly sets = new Map<number, CacheSet>();
  private readonly seed: number;
  private readonly onChange: OnChange;

  constructor(cache: Cache, seed: number, onChange: OnChange) {
    this.cache = cache;
    this.seed = seed;
    this.onChange = onChange;
    this.counters = zeroCacheCounters();
  }

  get holdsData(): boolean {
    return this.cache.holds !== "instructions";
  }

  lineAround(address: number): Range {
    return blockAround(address, this.cache.lineBytes);
  }

  find(address: number): LineCopy | undefined {
    const ways = this.sets.get(this.setIndex(address))?.ways;
    if (!ways) return undefined;
    const line = address - (address % this.cache.lineBytes);
    for (const copy of ways) if (copy?.line.address === line) return copy;
    return undefined;
  }

  /** Copies whose line shares a byte with the range, by address, behind those that were found elsewhere. */
  overlapping({ address, sizeBytes }: Range, found: LineCopy[] = []): LineCopy[] {
    const { lineBytes } = this.cache;
    for (let at = address; at < address + sizeBytes; at += lineBytes - (at % lineBytes)) {
      const copy = this.find(at);
      if (copy) found.push(copy);
    }
    return found;
  }

  at(set: number, way: number): LineCopy | undefined {
    return this.sets.get(set)?.ways[way];
  }

  /** Whether the copy is still here. */
  has(copy: LineCopy): boolean {
    return this.at(copy.set, copy.way) === copy;
  }

  *copies(): Generator<LineCopy> {
    for (const set of this.sets.values()) for (const copy of set.ways) if (copy) yield copy;
  }

  touch(copy: LineCopy): void {
    this.set(copy.set).replacement.touch(copy.way);
  }

  /** The lowest Invalid way, else the policy's victim (D14), which the caller has to evict before it fills. */
  chooseWay(address: number): Slot & { readonly victim: LineCopy | undefined } {
    const index = this.setIndex(address);
    const set = this.set(index);
    const invalid = set.ways.indexOf(undefined);
    const way = invalid >= 0 ? invalid : set.replacement.victim();
    return { set: index, way, victim: set.ways[way] };
  }

  fill(slot: Slot, line: Range, bytes: Uint8Array, state: { dirty: boolean; shared: boolean }): LineCopy {
    const set = this.set(slot.set);
    const copy: LineCopy = { array: this, ...slot, line, bytes: bytes.slice(), ...state, prefetched: false };
    set.ways[slot.way] = copy;
    set.replacement.fill(slot.way);
    return copy;
  }

  /** Removing a copy changes no replacement state (D14). */
  drop(copy: LineCopy): void {
    this.set(copy.set).ways[copy.way] = undefined;
    this.onChange(copy.line);
  }

  /** Lays bytes over the copy's where they overlap; its state stays. */
  overlay(copy: LineCopy, address: number, bytes: Uint8Array): void {
    overlay(copy.bytes, copy.line.address, bytes, address);
    this.onChange({ address, sizeBytes: bytes.length });
  }

  private setIndex(address: number): number {
    return Math.floor(address / this.cache.lineBytes) % this.cache.sets;
  }

  private set(index: number): CacheSet {
    let set = this.sets.get(index);
    if (!set) {
      set = {
        ways: new Array(this.cache.ways).fill(undefined),
        replacement: createReplacement(this.cache, index, this.seed),
      };
      this.sets.set(index, set);
    }
    return set;
  }
}

/** The bytes of a copy that lie in `range`, which its line covers. */
export function bytesOf(copy: LineCopy, range: Range): Uint8Array {
  return slice(copy.bytes, copy.line.address, range);
}

/** An owner may be newer than what is outside it (D4). */
export function isOwner(copy: LineCopy): boolean {
  return copy.dirty || !copy.shared;
}

export function zeroCacheCounters(): CacheCounters {
  return Object.fromEntries(CACHE_COUNTERS.map((name) => [name, 0])) as CacheCounters;
}
