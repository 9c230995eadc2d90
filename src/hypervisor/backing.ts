/**
 * What backs a guest's pages: fresh zeroed ones, blocks, assigned physical memory, pages on the disk, pages shared with
 * others. A page that changes hands is said to (ASSIGN_PAGE, R28), once its new contents are written.
 */

import type { Engine } from "../engine/engine.ts";
import type { Cores } from "./cores.ts";
import { BLOCK_BYTES, PAGE_BYTES, TABLE_ENTRIES } from "./descriptors.ts";
import type { Disk, DiskPage } from "./disk.ts";
import type { Policy } from "./eras.ts";
import { canBeBlock, ipaOf, type Memslot } from "./memslots.ts";
import { observePage, storePage } from "./observed-bytes.ts";
import { BACKED, MAPPED, MERGED, SWAPPED } from "./page-states.ts";
import type { PageAllocator } from "./pages.ts";
import type { VmStatistics } from "./statistics.ts";

export interface BackingOwner {
  readonly engine: Engine;
  readonly cores: Cores;
  readonly pages: PageAllocator;
  readonly policy: Policy;
  readonly disk: Disk;
}

export class Backing {
  readonly #owner: BackingOwner;
  readonly #statistics: VmStatistics;
  /** By IPA. */
  readonly #swapped = new Map<number, DiskPage>();

  constructor(owner: BackingOwner, statistics: VmStatistics) {
    this.#owner = owner;
    this.#statistics = statistics;
  }

  /** Makes sure that something backs a page, and returns its physical address. Nothing is mapped for the guest by that. */
  ensure(core: number, slot: Memslot, page: number, { zero = true, block = true } = {}): number {
    const frame = slot.pages.frame(page);
    if (frame !== undefined) return frame;
    if (slot.pages.state(page) & SWAPPED) this.#swapIn(core, slot, page);
    else if (block && canBeBlock(slot, page) && slot.pages.isEmpty(page)) this.#backByBlock(core, slot, page, zero);
    else if (slot.physical !== undefined) slot.pages.back(page, slot.physical + page * PAGE_BYTES, 0);
    else {
      const fresh = this.#owner.pages.allocatePage();
      this.#clear(core, fresh, PAGE_BYTES, zero);
      slot.pages.back(page, fresh, 0);
    }
    return slot.pages.frame(page) as number;
  }

  /** Writes an unmapped page to the disk and frees it. Whoever calls has split its block. */
  swapOut(core: number, slot: Memslot, page: number): void {
    const frame = slot.pages.frame(page);
    if (frame === undefined || slot.physical !== undefined) return;
    this.#swapped.set(ipaOf(slot, page), this.#owner.disk.write(core, frame));
    this.#owner.pages.freePage(frame);
    slot.pages.setState(page, SWAPPED);
    this.#statistics.swappedOut++;
  }

  /** Frees an unmapped page, or its block, and forgets what was in it. */
  release(slot: Memslot, page: number): void {
    const frame = slot.pages.frame(page);
    this.#swapped.delete(ipaOf(slot, page));
    if (slot.pages.isBlock(page)) {
      if (slot.physical === undefined)
        this.#owner.pages.freeBlock((frame as number) - (page % TABLE_ENTRIES) * PAGE_BYTES);
      slot.pages.dropBlock(page);
      return;
    }
    if (frame !== undefined && slot.physical === undefined) this.#owner.pages.freePage(frame);
    if (slot.pages.state(page) !== 0) slot.pages.setState(page, 0);
  }

  /** Lets an unmapped page use another's frame from now on. */
  merge(slot: Memslot, page: number, frame: number): void {
    this.release(slot, page);
    this.#owner.pages.share(frame);
    slot.pages.back(page, frame, MERGED);
  }

  /** Gives a merged page one of its own, with the bytes that the host reads in the merged one. */
  unmerge(core: number, slot: Memslot, page: number): void {
    const merged = slot.pages.frame(page) as number;
    const state = slot.pages.state(page) & ~(MERGED | MAPPED);
    if (!this.#owner.pages.isShared(merged)) {
      slot.pages.setState(page, slot.pages.state(page) & ~MERGED);
      return;
    }
    const bytes = this.hostRead(core, merged);
    const own = this.#owner.pages.allocatePage();
    this.#owner.cores.asHost(core, (records) => {
      storePage(records, own, bytes, this.#lineBytes);
      records.operation("ASSIGN_PAGE", own);
    });
    this.#owner.pages.freePage(merged);
    slot.pages.back(page, own, state);
    this.#statistics.copiedOnWrite++;
  }

  /** The bytes of a page as the host's cacheable alias shows them. */
  hostRead(core: number, frame: number): Uint8Array {
    return observePage(this.#owner.engine, frame, (address, bytes) => {
      this.#owner.cores.asHost(core, (records) => records.operation("LOAD", address, bytes));
    });
  }

  #swapIn(core: number, slot: Memslot, page: number): void {
    const ipa = ipaOf(slot, page);
    const stored = this.#swapped.get(ipa) as DiskPage;
    const frame = this.#owner.pages.allocatePage();
    this.#owner.disk.read(core, frame, stored);
    this.#owner.cores.asHost(core, (records) => records.operation("ASSIGN_PAGE", frame));
    this.#swapped.delete(ipa);
    slot.pages.setState(page, 0);
    slot.pages.back(page, frame, 0);
    this.#statistics.swappedIn++;
  }

  #backByBlock(core: number, slot: Memslot, page: number, zero: boolean): void {
    const first = page - (page % TABLE_ENTRIES);
    if (slot.physical !== undefined) {
      slot.pages.backByBlock(first, slot.physical + first * PAGE_BYTES, BACKED);
      return;
    }
    const block = this.#owner.pages.allocateBlock();
    this.#clear(core, block, BLOCK_BYTES, zero);
    slot.pages.backByBlock(first, block, BACKED);
  }

  /** The host zeroes what it gives away, through its cacheable alias: the zeroes are in a cache now. */
  #clear(core: number, frame: number, bytes: number, zero: boolean): void {
    this.#owner.cores.asHost(core, (records) => {
      if (zero && this.#owner.policy.does("zero at map")) records.store(frame, 0n, bytes);
      // Only what had an owner before can leak anything (R28).
      for (let page = frame; page < frame + bytes; page += PAGE_BYTES) {
        if (this.#owner.pages.wasUsed(page)) records.operation("ASSIGN_PAGE", page);
      }
    });
  }

  get #lineBytes(): number {
    return this.#owner.engine.machine.smallestLineBytes;
  }
}
