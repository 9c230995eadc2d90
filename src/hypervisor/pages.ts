/**
 * The host's page allocator: which page of RAM comes next, in an order that is the same in every run. What was freed
 * last comes back first, as in Linux's per-CPU lists: that is how one guest gets another's page.
 */
import { SetwayError } from "../engine/errors.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { BLOCK_BYTES, PAGE_BYTES } from "./descriptors.ts";

/** Physical memory, bytes. */
export interface PhysicalRange {
  readonly base: number;
  readonly bytes: number;
}

export class PageAllocator {
  /** What was never handed out, ascending. */
  readonly #fresh: { base: number; end: number }[];
  readonly #freePages: number[] = [];
  readonly #freeBlocks: number[] = [];
  /** What has been given back at least once: somebody's bytes may still be there. */
  readonly #usedPages = new Set<number>();
  readonly #usedBlocks = new Set<number>();
  /** Pages with more than one user (KSM). */
  readonly #sharers = new Map<number, number>();

  constructor(machine: ResolvedMachine, ranges: readonly PhysicalRange[] = ramOf(machine)) {
    this.#fresh = ranges.map(({ base, bytes }) => ({
      base: roundUp(base, PAGE_BYTES),
      end: Math.floor((base + bytes) / PAGE_BYTES) * PAGE_BYTES,
    }));
  }

  allocatePage(): number {
    const freed = this.#freePages.pop();
    if (freed !== undefined) return freed;
    const block = this.#freeBlocks.pop();
    if (block !== undefined) {
      this.#keep(block + PAGE_BYTES, block + BLOCK_BYTES);
      return block;
    }
    return this.#take(PAGE_BYTES, PAGE_BYTES);
  }

  /** 2 MiB, aligned. */
  allocateBlock(): number {
    return this.#freeBlocks.pop() ?? this.#take(BLOCK_BYTES, BLOCK_BYTES);
  }

  /** Contiguous pages aligned to their own size, for concatenated tables. */
  allocatePages(count: number): number {
    return count === 1 ? this.allocatePage() : this.#take(count * PAGE_BYTES, count * PAGE_BYTES);
  }

  freePage(page: number): void {
    const sharers = this.#sharers.get(page);
    if (sharers === undefined) {
      this.#usedPages.add(page);
      this.#freePages.push(page);
    } else if (sharers === 2) this.#sharers.delete(page);
    else this.#sharers.set(page, sharers - 1);
  }

  freePages(first: number, count: number): void {
    for (let index = count - 1; index >= 0; index--) this.freePage(first + index * PAGE_BYTES);
  }

  freeBlock(block: number): void {
    this.#usedBlocks.add(block);
    this.#freeBlocks.push(block);
  }

  /** Whether a page belonged to somebody before. */
  wasUsed(page: number): boolean {
    return this.#usedPages.has(page) || this.#usedBlocks.has(page - (page % BLOCK_BYTES));
  }

  /** One more user of a page: it is free when as many have freed it. */
  share(page: number): void {
    this.#sharers.set(page, (this.#sharers.get(page) ?? 1) + 1);
  }

  isShared(page: number): boolean {
    return this.#sharers.has(page);
  }

  #take(bytes: number, align: number): number {
    for (const range of this.#fresh) {
      const base = roundUp(range.base, align);
      if (base + bytes > range.end) continue;
      this.#keep(range.base, base);
      range.base = base + bytes;
      return base;
    }
    throw new SetwayError("usage", "the host is out of memory", { expected: `${bytes} bytes more of RAM` });
  }

  /** Pages that alignment skipped, or that a block has left: the lowest comes first. */
  #keep(base: number, end: number): void {
    for (let page = end - PAGE_BYTES; page >= base; page -= PAGE_BYTES) this.#freePages.push(page);
  }
}

/** The machine's RAM. It ends before the line that the engines cannot number (D7), so that line's page isn't whole. */
const ramOf = ({ memory }: ResolvedMachine): PhysicalRange[] =>
  memory.filter(({ type }) => type === "ram").map(({ base, sizeBytes }) => ({ base, bytes: sizeBytes }));

const roundUp = (value: number, align: number): number => Math.ceil(value / align) * align;
