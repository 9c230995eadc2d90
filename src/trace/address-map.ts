/**
 * Addresses of other tools' traces have 64 bits and are mostly virtual; records have 48, and a machine's RAM fewer. This says
 * what becomes of them. Everything here is deterministic: the same trace gives the same physical addresses.
 */
import { OPERATION_BY_CODE, OPERATIONS } from "../engine/operations.ts";

export const ADDRESS_MAPPINGS = ["none", "low48", "pages", "recorded"] as const;
/**
 * `none` keeps addresses and refuses those of more than 48 bits; `low48` drops the bits above; `pages` gives every virtual
 * page the next page of RAM when it is first touched; `recorded` takes the physical pages that the trace tells (drmemtrace).
 */
export type AddressMapping = (typeof ADDRESS_MAPPINGS)[number];

export interface Region {
  readonly base: number;
  readonly size: number;
}

/** Why the last address was refused. */
export interface Refusal {
  readonly what: string;
  readonly expected: string;
}

const PAGE_SHIFT = 12;
/** Pages that were looked up recently, found without a hash. */
const RECENT = 4096;
/** In place of upper address bits, of which there are 16. */
const UNKNOWN = 0xffffffff;
/** Of RAM where no machine says otherwise. */
const EVERYTHING: readonly Region[] = [{ base: 0, size: 2 ** 48 }];

export class AddressMap {
  readonly mapping: AddressMapping;
  /** The last address mapped, in two parts; fields and not a result, for speed. */
  low = 0;
  high16 = 0;
  refusal: Refusal = { what: "", expected: "" };
  readonly #regions: readonly Region[];
  /** Of each address space: physical page by virtual page, both as numbers of pages. */
  readonly #spaces = new Map<number, Map<number, number>>();
  #pages: Map<number, number>;
  #shift = PAGE_SHIFT;
  /** Of the address within a page. */
  #mask = 2 ** PAGE_SHIFT - 1;
  /** By the low bits of a virtual page: the page looked up last, in two parts, and its physical address, likewise. */
  readonly #recentLow = new Uint32Array(RECENT);
  readonly #recentHigh = new Uint32Array(RECENT);
  readonly #placeLow = new Uint32Array(RECENT);
  readonly #placeHigh16 = new Uint32Array(RECENT).fill(UNKNOWN);
  /** Pages by place, made when somebody asks. */
  #origins: Map<number, number> | undefined;
  #region = 0;
  /** Bytes given out of the current region. */
  #given = 0;
  #touched = 0;

  constructor(mapping: AddressMapping = "none", regions: readonly Region[] = EVERYTHING) {
    this.mapping = mapping;
    this.#regions = regions;
    this.#pages = new Map();
    this.#spaces.set(0, this.#pages);
  }

  /** Whether neighbouring virtual pages may lie apart, so that an access across them is two. */
  get paged(): boolean {
    return this.mapping === "pages" || this.mapping === "recorded";
  }

  get pageBytes(): number {
    return 2 ** this.#shift;
  }

  /** Pages that were given a place. */
  get touchedPages(): number {
    return this.#touched;
  }

  /** From now on addresses are those of this address space (a process). */
  enter(space: number): void {
    if (!this.paged) return;
    let pages = this.#spaces.get(space);
    if (pages === undefined) {
      pages = new Map();
      this.#spaces.set(space, pages);
    }
    if (pages === this.#pages) return;
    this.#pages = pages;
    this.#placeHigh16.fill(UNKNOWN);
  }

  /** What the recording machine's pages were, for `recorded`; a power of two from 4 KiB on. */
  setPageShift(shift: number): void {
    if (this.mapping !== "recorded" || shift === this.#shift) return;
    this.#shift = shift;
    this.#mask = 2 ** shift - 1;
    this.#placeHigh16.fill(UNKNOWN);
  }

  /** The trace tells where a page of the current space is. Both are 64-bit addresses in two parts. */
  tell(virtualLow: number, virtualHigh: number, physicalLow: number, physicalHigh: number): void {
    if (this.mapping !== "recorded") return;
    const page = this.#pageOf(virtualLow, virtualHigh);
    if (!this.#pages.has(page)) this.#touched++;
    this.#pages.set(page, this.#pageOf(physicalLow, physicalHigh));
    this.#placeHigh16[(virtualLow >>> this.#shift) & (RECENT - 1)] = UNKNOWN;
  }

  /** Maps a 64-bit address into `low` and `high16`. False if it can't be; `refusal` then says why. */
  map(low: number, high: number): boolean {
    if (!this.paged) {
      this.low = low;
      this.high16 = high & 0xffff;
      if (high <= 0xffff || this.mapping === "low48") return true;
      return this.#refuse("address too large", "at most 48 bits (ffffffffffff)");
    }
    const pageLow = low >>> this.#shift;
    const slot = pageLow & (RECENT - 1);
    const isKnown =
      this.#recentLow[slot] === pageLow && this.#recentHigh[slot] === high && this.#placeHigh16[slot] !== UNKNOWN;
    if (!isKnown && !this.#lookUp(low, high, slot)) return false;
    this.low = ((this.#placeLow[slot] as number) | (low & this.#mask)) >>> 0;
    this.high16 = this.#placeHigh16[slot] as number;
    return true;
  }

  /**
   * The virtual address that was given this place, for people; of several (recorded pages may be shared) the first, and the
   * address itself where none was. Upper halves come without their bits above 52.
   */
  original(address: number): number {
    if (!this.paged) return address;
    const bytes = 2 ** this.#shift;
    const frame = Math.floor(address / bytes);
    this.#origins ??= new Map();
    if (this.#origins.size < this.#touched) {
      for (const pages of this.#spaces.values()) {
        for (const [page, place] of pages) if (!this.#origins.has(place)) this.#origins.set(place, page);
      }
    }
    const page = this.#origins.get(frame);
    return page === undefined ? address : ((page * bytes) % 2 ** 52) + (address % bytes);
  }

  #lookUp(low: number, high: number, slot: number): boolean {
    const page = this.#pageOf(low, high);
    const frame = this.#pages.get(page) ?? this.#place(page);
    if (frame === undefined) return false;
    const bytes = 2 ** this.#shift;
    const perHigh = 2 ** 32 / bytes;
    this.#recentLow[slot] = low >>> this.#shift;
    this.#recentHigh[slot] = high;
    this.#placeLow[slot] = (frame % perHigh) * bytes;
    this.#placeHigh16[slot] = Math.floor(frame / perHigh) & 0xffff;
    return true;
  }

  /** How many bytes from this one on lie in its page. */
  leftOfPage(low: number): number {
    const bytes = 2 ** this.#shift;
    return bytes - (low & (bytes - 1));
  }

  #pageOf(low: number, high: number): number {
    return high * 2 ** (32 - this.#shift) + (low >>> this.#shift);
  }

  /** First touch: the next page of RAM. */
  #place(page: number): number | undefined {
    if (this.mapping === "recorded") {
      this.#refuse("no physical address", "markers of the page's physical address before it, or --map-addresses pages");
      return undefined;
    }
    const bytes = 2 ** this.#shift;
    for (; this.#region < this.#regions.length; this.#region++, this.#given = 0) {
      const { base, size } = this.#regions[this.#region] as Region;
      const first = Math.ceil(base / bytes);
      const frame = first + this.#given / bytes;
      if ((frame + 1) * bytes > base + size) continue;
      this.#given += bytes;
      this.#touched++;
      this.#pages.set(page, frame);
      return frame;
    }
    this.#refuse("no page of memory is left", `at most ${this.#touched} pages of 4 KiB, which is all the machine has`);
    return undefined;
  }

  #refuse(what: string, expected: string): false {
    this.refusal = { what, expected };
    return false;
  }
}

/** By operation code: whether its operand is an address that a mapping moves. */
export const MAPPED = Uint8Array.from(OPERATION_BY_CODE, (operation) =>
  operation?.operand === "address" && operation.code !== OPERATIONS.FLUSH_STAGE2.code ? 1 : 0,
);
