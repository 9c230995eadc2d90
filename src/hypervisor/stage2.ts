/**
 * A VM's stage 2: its tables in simulated memory, and what the era does around every change to them, as records of the
 * host. Which page backs what is decided elsewhere (backing.ts).
 */
import { HCR } from "../engine/system-registers.ts";
import { coreRegisters } from "../machine/registers.ts";
import { CTR_DIC } from "./cache-registers.ts";
import {
  BLOCK_BYTES,
  memAttrOf,
  PAGE_BYTES,
  spanOf,
  stage2Leaf,
  stage2Shape,
  TABLE_ENTRIES,
  vtcrOf,
  vttbrOf,
} from "./descriptors.ts";
import { ipaOf, type Memslot, pageOf } from "./memslots.ts";
import { EXECUTABLE, MAPPED, WRITABLE } from "./page-states.ts";
import type { RecordBuffer } from "./record-buffer.ts";
import { TableTree } from "./tables.ts";
import type { Vm } from "./vm.ts";

/** CTR_EL0.L1Ip of instruction caches in which an alias isn't found by its physical line. */
const VIPT = 2n;

export class Stage2 {
  readonly vtcr: bigint;
  readonly vttbr: bigint;
  readonly #vm: Vm;
  readonly #tree: TableTree;
  /** Linux's icache_is_aliasing(). */
  readonly #aliasing: boolean;
  readonly #executableAtOnce: boolean;
  /** Where the tables' owner writes: the sequence that the caller is making. */
  #records: RecordBuffer | undefined;

  constructor(vm: Vm, records: RecordBuffer, ipaBits: number, vmid: number) {
    this.#vm = vm;
    this.#records = records;
    const { pages, policy, machine } = vm.hypervisor;
    const { ctr } = coreRegisters(machine, 0);
    this.#aliasing = ((ctr >> 14n) & 3n) === VIPT;
    this.#executableAtOnce =
      policy.instructionCache !== "at first fetch" || !policy.does("instruction cache") || (ctr & CTR_DIC) !== 0n;
    // HCR_EL2.CD makes the walks Non-cacheable (D51), so that tables must be clean to be seen.
    const cleans = (vm.hcr & HCR.CD) !== 0n;
    this.#tree = new TableTree(
      stage2Shape(ipaBits),
      {
        allocate: (count) => {
          const table = pages.allocatePages(count);
          this.#writing.store(table, 0n, count * PAGE_BYTES);
          if (cleans) this.#writing.lines("DC_CVAC", table, count * PAGE_BYTES, machine.smallestLineBytes);
          return table;
        },
        free: (table, count) => pages.freePages(table, count),
        write: (entry, descriptor) => {
          this.#writing.store(entry, descriptor);
          if (cleans) this.#writing.operation("DC_CVAC", entry);
          this.#writing.operation("DSB");
        },
        invalidate: (ipa) => this.#invalidate(this.#writing, ipa),
      },
      policy.does("break before make"),
    );
    this.vtcr = vtcrOf(ipaBits);
    this.vttbr = vttbrOf(this.#tree.root, vmid);
  }

  get #writing(): RecordBuffer {
    if (this.#records === undefined) throw new Error("stage 2 is changed outside a host sequence: this is a bug");
    return this.#records;
  }

  /**
   * Maps a backed page, or the block that it is in, with the era's maintenance before it. `guestCaches`: whether the
   * virtual CPU that wants it has its caches on, which is what 4.1 asks.
   */
  map(records: RecordBuffer, slot: Memslot, page: number, writable: boolean, guestCaches: boolean): void {
    this.#records = records;
    const block = slot.pages.isBlock(page);
    const first = block ? page - (page % TABLE_ENTRIES) : page;
    const bytes = block ? BLOCK_BYTES : PAGE_BYTES;
    const frame = slot.pages.frame(first) as number;
    this.#maintainAtMap(records, slot, frame, bytes, guestCaches);
    const executable = this.#executableAtOnce ? EXECUTABLE : 0;
    const state = (slot.pages.state(page) & ~WRITABLE) | MAPPED | executable | (writable ? WRITABLE : 0);
    slot.pages.setState(page, state);
    this.#tree.set(ipaOf(slot, first), block ? 2 : 3, this.#leaf(slot, frame, block ? 2 : 3, state));
    records.operation("ISB");
    this.#vm.statistics.pagesMapped += bytes / PAGE_BYTES;
  }

  /** Clears every leaf that a range touches, with the era's maintenance after each. Blocks go as a whole. */
  unmap(records: RecordBuffer, ipa: number, bytes: number): void {
    this.#records = records;
    for (const { input, level } of [...this.#tree.leaves(ipa, bytes)]) {
      const slot = this.#vm.memslots.find(input);
      if (slot === undefined) continue;
      this.#tree.clear(input);
      if (this.#vm.hypervisor.policy.does("TLBI at unmap")) this.#invalidate(records, input);
      const page = pageOf(slot, input);
      const frame = slot.pages.frame(page) as number;
      slot.pages.setState(page, slot.pages.state(page) & ~(MAPPED | WRITABLE | EXECUTABLE));
      this.#vm.statistics.pagesUnmapped += spanOf(level) / PAGE_BYTES;
      this.#maintainAtUnmap(records, slot, frame, spanOf(level));
    }
  }

  /** Rewrites a mapped page's permissions (a block's: of all of it). Translations go if it lost any, or to see it gain. */
  protect(records: RecordBuffer, slot: Memslot, page: number, state: number, invalidate = true): void {
    this.#records = records;
    slot.pages.setState(page, state);
    const block = slot.pages.isBlock(page);
    const first = block ? page - (page % TABLE_ENTRIES) : page;
    const level = block ? 2 : 3;
    const leaf = this.#leaf(slot, slot.pages.frame(first) as number, level, state);
    this.#tree.set(ipaOf(slot, first), level, leaf, { inPlace: true });
    if (invalidate) this.#invalidate(records, ipaOf(slot, page));
  }

  /** Replaces the block around a page by pages; nothing where there is no block. */
  split(records: RecordBuffer, slot: Memslot, page: number): void {
    if (!slot.pages.isBlock(page)) return;
    this.#records = records;
    slot.pages.split(page);
    const state = slot.pages.state(page);
    if ((state & MAPPED) === 0) return;
    this.#tree.split(ipaOf(slot, page), (ipa) =>
      this.#leaf(slot, slot.pages.frame(pageOf(slot, ipa)) as number, 3, state),
    );
  }

  /** Invalidates instruction caches for a page, or its block, and lets the guest execute it. */
  makeExecutable(records: RecordBuffer, slot: Memslot, page: number): void {
    const block = slot.pages.isBlock(page);
    const frame = slot.pages.frame(block ? page - (page % TABLE_ENTRIES) : page) as number;
    this.#forgetInstructions(records, frame, block ? BLOCK_BYTES : PAGE_BYTES);
    this.protect(records, slot, page, slot.pages.state(page) | EXECUTABLE);
  }

  /** Cleans and invalidates everything mapped by VA (D54): each memslot's part of the tables. */
  flush(records: RecordBuffer): void {
    for (const slot of this.#vm.memslots.all) {
      records.valued("FLUSH_STAGE2", slot.base, BigInt(slot.bytes));
    }
    records.operation("DSB");
    this.#vm.statistics.wholeVmFlushes++;
  }

  /** Everything of this VM goes from every TLB. */
  invalidateAll(records: RecordBuffer): void {
    records.operation("DSB").tlbi("VMALLS12E1").operation("DSB").operation("ISB");
  }

  /** Gives the tables back. */
  destroy(): void {
    this.#tree.destroy();
  }

  /** KVM's __kvm_tlb_flush_vmid_ipa: the IPA, then what was combined from it, which no IPA finds. */
  #invalidate(records: RecordBuffer, ipa: number): void {
    records
      .operation("DSB")
      .tlbi("IPAS2E1", BigInt(Math.floor(ipa / PAGE_BYTES)))
      .operation("DSB");
    if (this.#vm.hypervisor.policy.does("TLBI of both stages")) records.tlbi("VMALLE1").operation("DSB");
    records.operation("ISB");
  }

  #leaf(slot: Memslot, frame: number, level: number, state: number): bigint {
    return stage2Leaf({
      level,
      output: frame,
      memAttr: memAttrOf(this.#memoryOf(slot), (this.#vm.hcr & HCR.FWB) !== 0n),
      write: (state & WRITABLE) !== 0,
      execute: (state & EXECUTABLE) !== 0,
    });
  }

  #memoryOf(slot: Memslot) {
    if (slot.attribute !== undefined) return slot.attribute;
    return this.#isDevice(slot) ? "device" : this.#vm.hypervisor.policy.memory;
  }

  /** Assigned physical memory that isn't RAM. */
  #isDevice({ physical }: Memslot): boolean {
    if (physical === undefined) return false;
    const { memory } = this.#vm.hypervisor.machine;
    return !memory.some(
      (each) => each.type === "ram" && physical >= each.base && physical < each.base + each.sizeBytes,
    );
  }

  #isCacheable(slot: Memslot): boolean {
    const memory = this.#memoryOf(slot);
    return memory !== "device" && memory !== "non-cacheable";
  }

  #maintainAtMap(records: RecordBuffer, slot: Memslot, frame: number, bytes: number, guestCaches: boolean): void {
    const { policy, machine } = this.#vm.hypervisor;
    if (this.#isDevice(slot)) return;
    const wanted = policy.mapFlush === "always" || (policy.mapFlush !== "never" && (slot.incoherent || !guestCaches));
    if (wanted && this.#isCacheable(slot) && policy.does("flush at map")) {
      records.lines("DC_CIVAC", frame, bytes, machine.smallestLineBytes).operation("DSB");
      this.#vm.statistics.pagesFlushedAtMap += bytes / PAGE_BYTES;
    }
    if (policy.instructionCache === "at map" && policy.does("instruction cache") && !machine.dic) {
      if (!this.#aliasing) records.lines("DC_CVAU", frame, bytes, machine.smallestLineBytes).operation("DSB");
      this.#forgetInstructions(records, frame, bytes);
    }
  }

  #maintainAtUnmap(records: RecordBuffer, slot: Memslot, frame: number, bytes: number): void {
    const { policy, machine } = this.#vm.hypervisor;
    if (!policy.unmapFlush || !policy.does("flush at unmap") || !this.#isCacheable(slot) || this.#isDevice(slot))
      return;
    records.lines("DC_CIVAC", frame, bytes, machine.smallestLineBytes).operation("DSB");
    this.#vm.statistics.pagesFlushedAtUnmap += bytes / PAGE_BYTES;
  }

  /** By line, or everything where an instruction cache is VIPT (Linux's icache_is_aliasing). */
  #forgetInstructions(records: RecordBuffer, frame: number, bytes: number): void {
    if (this.#vm.hypervisor.machine.dic) return;
    if (this.#aliasing) records.operation("IC_IALLUIS");
    else records.lines("IC_IVAU", frame, bytes, this.#vm.hypervisor.machine.smallestLineBytes);
    records.operation("DSB").operation("ISB");
  }
}
