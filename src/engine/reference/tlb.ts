/** What a core remembers of translations (D52), and what a TLBI takes away (D53). It decides nothing about walks. */
import type { TlbGeometry } from "../../machine/resolved.ts";
import { TLB_COUNTERS, type TlbCounter, type TlbCounters } from "../engine.ts";
import type { MemoryType } from "./memory-attributes.ts";

/** What stage 1 says of a page, fixed when the tables were walked. */
export interface StageOneLeaf extends MemoryType {
  /** Output address of the leaf's whole block. */
  readonly address: number;
  readonly sizeLog2: number;
  readonly level: number;
  readonly global: boolean;
  readonly permissions: Permissions;
  /** Only short descriptors have domains. */
  readonly domain: number | undefined;
}

/** What stage 1 permits, by privilege. */
export interface Permissions {
  readonly el0: { readonly read: boolean; readonly write: boolean };
  readonly el1: { readonly read: boolean; readonly write: boolean };
  readonly executeNeverAtEl0: boolean;
  readonly executeNeverAtEl1: boolean;
}

export interface StageTwoLeaf {
  readonly address: number;
  readonly sizeLog2: number;
  readonly level: number;
  readonly memAttr: number;
  readonly sh: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly executeNever: boolean;
}

/** A page of both stages together, in micro and main TLB. */
export interface PageEntry {
  /** Address of the page, with the upper bit as bit 48. */
  readonly page: number;
  readonly sizeLog2: number;
  readonly ipa: number;
  readonly physical: number;
  readonly vmid: number;
  /** Undefined: global. */
  readonly asid: number | undefined;
  /** An access finds entries of its own kind only. */
  readonly kind: string;
  readonly stageOne: StageOneLeaf | undefined;
  readonly stageTwo: StageTwoLeaf | undefined;
}

/** What tables above say about everything below them (D45), or of short descriptors the domain and PXN. */
export interface Inherited {
  readonly el0Denied: boolean;
  readonly readOnly: boolean;
  readonly executeNeverAtEl0: boolean;
  readonly executeNeverAtEl1: boolean;
  readonly domain: number | undefined;
}

/** Where a table of stage 1 stands that translates `spanLog2` bytes around an address. */
export interface WalkEntry {
  readonly page: number;
  readonly spanLog2: number;
  readonly vmid: number;
  readonly asid: number;
  readonly kind: string;
  readonly table: number;
  readonly inherited: Inherited;
}

export interface IpaEntry {
  readonly page: number;
  readonly vmid: number;
  readonly leaf: StageTwoLeaf;
}

const MAIN_SIZES_LOG2: readonly number[] = [12, 16, 20, 21, 24, 30];
const IPA_SIZES_LOG2: readonly number[] = [12, 21, 30];

/** Entries in sets of ways, with least recently used replacement: invalid ways first, the lowest of them. */
class Entries<T> {
  private readonly ways: (T | undefined)[][];
  /** Ways by set, most recent first. */
  private readonly order: number[][];

  constructor(sets: number, ways: number) {
    this.ways = Array.from({ length: sets }, () => new Array<T | undefined>(ways).fill(undefined));
    this.order = this.ways.map((set) => [...set.keys()]);
  }

  /** The lowest way of a set whose entry matches; it becomes the most recent. */
  find(number: number, matches: (entry: T) => boolean): T | undefined {
    const index = this.indexOf(number);
    const set = this.ways[index] ?? [];
    const way = set.findIndex((entry) => entry !== undefined && matches(entry));
    if (way < 0) return undefined;
    this.touch(index, way);
    return set[way];
  }

  fill(number: number, entry: T): void {
    const index = this.indexOf(number);
    const set = this.ways[index];
    if (!set || set.length === 0) return;
    const invalid = set.indexOf(undefined);
    const way = invalid >= 0 ? invalid : (this.order[index]?.at(-1) ?? 0);
    set[way] = entry;
    this.touch(index, way);
  }

  /** Gives the number of entries that went. */
  remove(matches: (entry: T) => boolean): number {
    let removed = 0;
    for (const set of this.ways) {
      set.forEach((entry, way) => {
        if (entry === undefined || !matches(entry)) return;
        set[way] = undefined;
        removed += 1;
      });
    }
    return removed;
  }

  private indexOf(number: number): number {
    return this.ways.length === 0 ? 0 : number % this.ways.length;
  }

  private touch(index: number, way: number): void {
    const order = this.order[index];
    if (!order) return;
    order.splice(order.indexOf(way), 1);
    order.unshift(way);
  }
}

/** Which page entries an access may use. */
export interface PageQuery {
  /** With the upper bit as bit 48. */
  readonly address: number;
  readonly vmid: number;
  readonly asid: number;
  readonly kind: string;
}

export type Side = "instruction" | "data";

/** What a TLBI removes from one core; undefined predicates remove nothing of that sort. */
export interface Invalidation {
  readonly pages?: (entry: PageEntry) => boolean;
  readonly walks?: (entry: WalkEntry) => boolean;
  readonly ipas?: (entry: IpaEntry) => boolean;
}

/** The translation caches of one core. */
export class Tlbs {
  readonly counters = Object.fromEntries(TLB_COUNTERS.map((name) => [name, 0])) as TlbCounters;
  private readonly micro: Readonly<Record<Side, Entries<PageEntry>>>;
  private readonly main: Entries<PageEntry>;
  private readonly walks: Entries<WalkEntry>;
  private readonly ipas: Entries<IpaEntry>;

  constructor({ micro, entries, ways, walk, ipa }: TlbGeometry) {
    this.micro = { instruction: new Entries(1, micro), data: new Entries(1, micro) };
    this.main = entries === 0 ? new Entries(0, 0) : new Entries(entries / ways, ways);
    this.walks = new Entries(1, walk);
    this.ipas = new Entries(1, ipa);
  }

  count(name: TlbCounter, by = 1): void {
    this.counters[name] += by;
  }

  findInMicro(side: Side, query: PageQuery): PageEntry | undefined {
    return this.micro[side].find(0, (entry) => serves(entry, query));
  }

  findInMain(query: PageQuery): PageEntry | undefined {
    for (const sizeLog2 of MAIN_SIZES_LOG2) {
      const index = Math.floor(query.address / 2 ** sizeLog2);
      const found = this.main.find(index, (entry) => entry.sizeLog2 === sizeLog2 && serves(entry, query));
      if (found) return found;
    }
    return undefined;
  }

  fillMicro(side: Side, entry: PageEntry): void {
    this.micro[side].fill(0, entry);
  }

  fillMain(entry: PageEntry): void {
    this.main.fill(Math.floor(entry.page / 2 ** entry.sizeLog2), entry);
  }

  /** The table of the smallest span that is known, of the spans given in ascending order. */
  findWalk(spansLog2: readonly number[], { address, vmid, asid, kind }: PageQuery): WalkEntry | undefined {
    for (const spanLog2 of spansLog2) {
      const found = this.walks.find(
        0,
        (entry) =>
          entry.spanLog2 === spanLog2 &&
          contains(entry.page, spanLog2, address) &&
          entry.vmid === vmid &&
          entry.asid === asid &&
          entry.kind === kind,
      );
      if (found) return found;
    }
    return undefined;
  }

  fillWalk(entry: WalkEntry): void {
    this.walks.fill(0, entry);
  }

  findIpa(ipa: number, vmid: number): StageTwoLeaf | undefined {
    for (const sizeLog2 of IPA_SIZES_LOG2) {
      const found = this.ipas.find(
        0,
        (entry) => entry.leaf.sizeLog2 === sizeLog2 && contains(entry.page, sizeLog2, ipa) && entry.vmid === vmid,
      );
      if (found) return found.leaf;
    }
    return undefined;
  }

  fillIpa(entry: IpaEntry): void {
    this.ipas.fill(0, entry);
  }

  invalidate({ pages, walks, ipas }: Invalidation): void {
    if (pages) {
      for (const entries of [this.micro.instruction, this.micro.data, this.main]) {
        this.count("invalidated", entries.remove(pages));
      }
    }
    if (walks) this.count("invalidated", this.walks.remove(walks));
    if (ipas) this.count("invalidated", this.ipas.remove(ipas));
  }
}

/** Whether an address lies in the block of 2^`log2` bytes at `page`. */
export function contains(page: number, log2: number, address: number): boolean {
  return address >= page && address < page + 2 ** log2;
}

function serves(entry: PageEntry, { address, vmid, asid, kind }: PageQuery): boolean {
  const isOfProcess = entry.asid === undefined || entry.asid === asid;
  return contains(entry.page, entry.sizeLog2, address) && entry.vmid === vmid && isOfProcess && entry.kind === kind;
}
