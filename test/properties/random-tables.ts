/**
 * Random translation tables for streams: descriptors that mostly mean something, for both stages and every format, in the
 * few pages that a small machine has. Stores write them, so what a walk reads depends on caches like everything else.
 */
import type { Draw } from "./random-machine.ts";

export type Format = "aarch64" | "lpae" | "short" | "flat";

/** A word of a table: what to store where, as the hypervisor sees memory. */
export interface Entry {
  readonly address: number;
  readonly value: bigint;
  readonly bytes: 4 | 8;
}

/** Where an access can go. */
export interface Slot {
  readonly address: number;
  readonly upper: boolean;
}

const PAGE = 0x1000;
/** Tables stand in pages 8 to 63; pages below hold data. */
const FIRST_TABLE = 8;
const LAST_TABLE = 63;
export const TRANSLATED_RAM_BYTES = (LAST_TABLE + 1) * PAGE;
/** Pages that leaves name: data, tables, other regions of random machines, MMIO, and one where nothing is. */
const PAGES: readonly number[] = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 8, 20, 0x40000, 0x10000, 0xdead0];

export const anyWord = (draw: Draw): bigint =>
  (BigInt(draw.int(0, 0xffff_ffff)) << 32n) | BigInt(draw.int(0, 0xffff_ffff));

const flag = (on: boolean, at: number): bigint => (on ? 1n << BigInt(at) : 0n);
const put = (value: number, at: number): bigint => BigInt(value) << BigInt(at);

/** Hands out pages for tables; when there are none left, tables share them. */
export class TablePages {
  private next = FIRST_TABLE;
  private readonly draw: Draw;

  constructor(draw: Draw) {
    this.draw = draw;
  }

  /** Pages of data and of the tables so far. */
  used(): number[] {
    const tables = Array.from({ length: this.next - FIRST_TABLE }, (_, index) => FIRST_TABLE + index);
    return [0, 1, 2, 3, ...tables];
  }

  take(alignedTo = 1): number {
    let page = this.next;
    while (page % alignedTo !== 0) page += 1;
    if (page > LAST_TABLE) page = this.draw.int(0, Math.floor(LAST_TABLE / alignedTo)) * alignedTo;
    else this.next = page + 1;
    return page * PAGE;
  }
}

/** A tree of tables with 64-bit descriptors. */
export class LongTables {
  readonly root: number;
  readonly entries: Entry[] = [];
  private readonly draw: Draw;
  private readonly pages: TablePages;
  private readonly firstLevel: number;
  private readonly inputBits: number;
  private readonly known = new Map<string, number>();

  constructor(draw: Draw, pages: TablePages, firstLevel: number, inputBits: number) {
    this.draw = draw;
    this.pages = pages;
    this.firstLevel = firstLevel;
    this.inputBits = inputBits;
    this.root = pages.take(inputBits - entryBits(firstLevel) > 9 ? 16 : 1);
  }

  /** The entries that map an address to a page, or a block that holds it to the start of memory. */
  map(address: number, level: number, page: number, leaf: bigint): Entry[] {
    const made: Entry[] = [];
    let table = this.root;
    for (let at = this.firstLevel; ; at++) {
      const shift = entryBits(at);
      const indexBits = at === this.firstLevel ? this.inputBits - shift : 9;
      const entry = table + 8 * (Math.floor(address / 2 ** shift) % 2 ** indexBits);
      if (at === Math.max(level, this.firstLevel, 1)) {
        const output = at === 3 ? BigInt(page * PAGE) : 0n;
        made.push({ address: entry, value: output | leaf | (at === 3 ? 3n : 1n), bytes: 8 });
        break;
      }
      const path = `${at} ${Math.floor(address / 2 ** shift)}`;
      const known = this.known.get(path);
      const next = known ?? this.pages.take();
      this.known.set(path, next);
      if (known === undefined) made.push({ address: entry, value: BigInt(next) | 3n | this.hierarchical(), bytes: 8 });
      table = next;
    }
    this.entries.push(...made);
    return made;
  }

  private hierarchical(): bigint {
    return this.draw.chance(10) ? put(this.draw.int(1, 15), 59) : 0n;
  }
}

const entryBits = (level: number): number => 39 - 9 * level;

/** AttrIndx, AP, SH, AF, nG and the execute-never bits of stage 1. */
export function stageOneLeaf(draw: Draw): bigint {
  return (
    put(draw.int(0, 7), 2) |
    put(draw.pick([1, 1, 1, 0, 2, 3]), 6) |
    put(draw.int(0, 3), 8) |
    flag(!draw.chance(4), 10) |
    flag(draw.chance(50), 11) |
    flag(draw.chance(10), 53) |
    flag(draw.chance(10), 54)
  );
}

/** MemAttr, S2AP, SH, AF and XN of stage 2. */
export function stageTwoLeaf(draw: Draw, fwb: boolean): bigint {
  const usual = fwb ? [6, 6, 6, 7, 7, 5] : [15, 15, 15, 15, 14, 5];
  return (
    put(draw.chance(85) ? draw.pick(usual) : draw.int(0, 15), 2) |
    put(draw.chance(85) ? 3 : draw.int(0, 3), 6) |
    put(draw.int(0, 3), 8) |
    flag(!draw.chance(2), 10) |
    flag(draw.chance(10), 54)
  );
}

export const anyPage = (draw: Draw): number => draw.pick(PAGES);

/** Tables of 32-bit descriptors: sections, and one table of pages for each MiB. */
export class ShortTables {
  readonly root: number;
  readonly entries: Entry[] = [];
  private readonly draw: Draw;
  private readonly pages: TablePages;
  private readonly known = new Map<number, { readonly table: number; readonly domain: number }>();

  constructor(draw: Draw, pages: TablePages) {
    this.draw = draw;
    this.pages = pages;
    this.root = pages.take(4);
  }

  /** `indexBits`: address bits that the first level resolves, fewer below TTBCR.N. */
  map(address: number, indexBits: number, page: number): Entry[] {
    const { draw } = this;
    const first = this.root + 4 * (Math.floor(address / 2 ** 20) % 2 ** indexBits);
    const domain = draw.pick([0, 0, 1, 2, 15]);
    if (draw.chance(35)) {
      const attributes = anyBits(draw, [2, 3, 4, 10, 11, 12, 13, 14, 16, 17]) | flag(draw.chance(20), 15);
      const kind = flag(draw.chance(15), 0) | 2n | flag(draw.chance(25), 18);
      // Bits 8:5 of a supersection are address bits: only zero is memory.
      return this.made([{ address: first, value: put(draw.chance(60) ? 0 : domain, 5) | attributes | kind, bytes: 4 }]);
    }
    const block = Math.floor(address / 2 ** 20);
    const made: Entry[] = [];
    let known = this.known.get(block);
    if (!known) {
      known = { table: this.pages.take() + draw.int(0, 3) * 1024, domain };
      this.known.set(block, known);
      const value = BigInt(known.table) | put(domain, 5) | flag(draw.chance(15), 2) | 1n;
      made.push({ address: first, value, bytes: 4 });
    }
    const entry = known.table + 4 * (Math.floor(address / PAGE) % 256);
    const attributes = anyBits(draw, [2, 3, 4, 5, 10, 11]) | flag(draw.chance(20), 9);
    const isLarge = draw.chance(25);
    const tex = put(draw.int(0, 7), isLarge ? 12 : 6);
    const kind = isLarge ? 1n | flag(draw.chance(10), 15) : 2n | flag(draw.chance(10), 0);
    const output = isLarge ? 0n : BigInt(page % 2 ** 20) << 12n;
    made.push({ address: entry, value: output | attributes | tex | kind, bytes: 4 });
    return this.made(made);
  }

  /** A section of shared Write-Back memory that EL0 and EL1 may write, at the start of memory. */
  mapSection(address: number, indexBits: number): void {
    const first = this.root + 4 * (Math.floor(address / 2 ** 20) % 2 ** indexBits);
    this.made([{ address: first, value: 0x11c0en, bytes: 4 }]);
  }

  private made(entries: Entry[]): Entry[] {
    this.entries.push(...entries);
    return entries;
  }
}

/** Each of these bits set or not; AP[0], which AFE makes the access flag, mostly set. */
function anyBits(draw: Draw, positions: readonly number[]): bigint {
  return positions.reduce((bits, at) => bits | flag(draw.chance(at === 4 || at === 10 ? 75 : 50), at), 0n);
}
