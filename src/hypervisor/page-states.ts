/**
 * What the host knows of each page of a memslot: which page of RAM backs it, and how stage 2 maps it. Kept by 2 MiB
 * chunks, as one entry where a chunk is a block, so that large guests cost what they touch.
 */
import { BLOCK_BYTES, PAGE_BYTES, TABLE_ENTRIES } from "./descriptors.ts";

/** Bits of a page's state. */
export const BACKED = 1;
export const MAPPED = 2;
export const WRITABLE = 4;
export const EXECUTABLE = 8;
/** Read-only because others use the same page: a write gets a copy (KSM). */
export const MERGED = 16;
/** Written since dirty logging last looked. */
export const DIRTY = 32;
/** On the disk. */
export const SWAPPED = 64;

interface Pages {
  readonly frames: Float64Array;
  readonly states: Uint8Array;
}

interface Block {
  readonly frame: number;
  state: number;
}

/** Pages are numbered from the memslot's first. */
export class PageStates {
  readonly #chunks = new Map<number, Pages | Block>();

  /** Physical address of a page; undefined if none backs it. */
  frame(page: number): number | undefined {
    const chunk = this.#chunks.get(chunkOf(page));
    if (chunk === undefined) return undefined;
    if ("frame" in chunk) return chunk.frame + (page % TABLE_ENTRIES) * PAGE_BYTES;
    const index = page % TABLE_ENTRIES;
    return (chunk.states[index] as number) & BACKED ? chunk.frames[index] : undefined;
  }

  state(page: number): number {
    const chunk = this.#chunks.get(chunkOf(page));
    if (chunk === undefined) return 0;
    return "frame" in chunk ? chunk.state : (chunk.states[page % TABLE_ENTRIES] as number);
  }

  /** Gives a page its frame. */
  back(page: number, frame: number, state: number): void {
    const chunk = this.#pagesOf(page);
    chunk.frames[page % TABLE_ENTRIES] = frame;
    chunk.states[page % TABLE_ENTRIES] = state | BACKED;
  }

  /** Backs a whole chunk by one block; `page` is its first. */
  backByBlock(page: number, frame: number, state: number): void {
    this.#chunks.set(chunkOf(page), { frame, state: state | BACKED });
  }

  /** Replaces a page's state; in a block, every page's. */
  setState(page: number, state: number): void {
    const chunk = this.#chunks.get(chunkOf(page));
    if (chunk === undefined) this.#pagesOf(page).states[page % TABLE_ENTRIES] = state;
    else if ("frame" in chunk) chunk.state = state;
    else chunk.states[page % TABLE_ENTRIES] = state;
  }

  /** Whether the page's chunk is backed by a block. */
  isBlock(page: number): boolean {
    const chunk = this.#chunks.get(chunkOf(page));
    return chunk !== undefined && "frame" in chunk;
  }

  /** Whether nothing is known of any page of the chunk. */
  isEmpty(page: number): boolean {
    const chunk = this.#chunks.get(chunkOf(page));
    return chunk === undefined || (!("frame" in chunk) && chunk.states.every((state) => state === 0));
  }

  /** From now on each page of the chunk has a state of its own. */
  split(page: number): void {
    const chunk = this.#chunks.get(chunkOf(page));
    if (chunk === undefined || !("frame" in chunk)) return;
    const frames = Float64Array.from({ length: TABLE_ENTRIES }, (_, index) => chunk.frame + index * PAGE_BYTES);
    this.#chunks.set(chunkOf(page), { frames, states: new Uint8Array(TABLE_ENTRIES).fill(chunk.state) });
  }

  /** Forgets a block. */
  dropBlock(page: number): void {
    this.#chunks.delete(chunkOf(page));
  }

  /** First pages of the chunks about which anything is known, ascending. */
  chunks(): number[] {
    return [...this.#chunks.keys()].sort((a, b) => a - b).map((chunk) => chunk * TABLE_ENTRIES);
  }

  #pagesOf(page: number): Pages {
    const chunk = this.#chunks.get(chunkOf(page));
    if (chunk !== undefined) {
      if ("frame" in chunk) throw new Error("a block's pages have no states of their own: split it first");
      return chunk;
    }
    const fresh = { frames: new Float64Array(TABLE_ENTRIES), states: new Uint8Array(TABLE_ENTRIES) };
    this.#chunks.set(chunkOf(page), fresh);
    return fresh;
  }
}

const chunkOf = (page: number): number => Math.floor((page * PAGE_BYTES) / BLOCK_BYTES);
