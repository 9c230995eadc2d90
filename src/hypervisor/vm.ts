/** A virtual machine: memslots, what backs them, stage 2, virtual CPUs, and what its host can do to it from outside. */
import { SetwayError } from "../engine/errors.ts";
import { SCTLR_C, SCTLR_I, SCTLR_M } from "../engine/operations.ts";
import { CONTEXT_AARCH32, CONTEXT_WALKS, HCR } from "../engine/system-registers.ts";
import { Backing } from "./backing.ts";
import { type ExposedCtr, type GuestRegisters, guestRegisters } from "./cache-registers.ts";
import { BLOCK_BYTES, PAGE_BYTES } from "./descriptors.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { ipaOf, type Memslot, type MemslotOptions, Memslots, pageOf } from "./memslots.ts";
import { type MigrationOptions, type MigrationResult, migrateVm } from "./migration.ts";
import { BACKED, DIRTY, MAPPED, MERGED, SWAPPED, WRITABLE } from "./page-states.ts";
import { playWords } from "./playback.ts";
import { Stage2 } from "./stage2.ts";
import { newStatistics, type VmStatistics } from "./statistics.ts";
import { UserCpu, type UserOptions } from "./user.ts";
import { Vcpu } from "./vcpu.ts";

export interface VmOptions {
  readonly name?: string;
  /** Bytes of RAM at 0x4000_0000, or memslots. */
  readonly memory: number | readonly MemslotOptions[];
  /** How many virtual CPUs; default 1. */
  readonly vcpus?: number;
  /** Core on which each begins; default its own number, round the machine's cores. */
  readonly cores?: readonly number[];
  /** `flat` (default): VA is IPA and accesses say their attribute. `tables`: the guest has page tables (`Stage1Tables`). */
  readonly stage1?: "flat" | "tables";
  readonly aarch32?: boolean;
  /** 32 to 48; default 40, as KVM's. */
  readonly ipaBits?: number;
  /** `reset` (default): MMU and caches off, as a boot loader finds them. `caches on`: as if the guest had turned them on. */
  readonly starts?: "reset" | "caches on";
  /** HCR_EL2 bits beside the era's: the hammers DC and CD, traps. */
  readonly hcr?: { readonly set?: bigint; readonly clear?: bigint };
  /** CTR_EL0.IDC and DIC as the guest reads them; default the core's. */
  readonly expose?: ExposedCtr;
}

/** A device that the VMM emulates: every access of a guest is an exit. Sizes are bytes, 1 to 8. */
export interface EmulatedDevice {
  read?(offset: number, size: number): bigint;
  write?(offset: number, size: number, value: bigint): void;
}

export interface MmioRegion {
  readonly base: number;
  readonly bytes: number;
  readonly device: EmulatedDevice;
}

export interface PopulateOptions {
  /** Whether the host zeroes fresh pages; default true. */
  readonly zero?: boolean;
  /** Whether stage 2 maps them, or something only backs them; default true. */
  readonly map?: boolean;
  readonly core?: number;
}

export interface DirtyLog {
  /** Write-protects everything mapped. */
  start(core?: number): void;
  /** IPAs of the pages written since the start or the last time, ascending; they are write-protected again. */
  collect(core?: number): number[];
  stop(): void;
}

const ALL_ON = BigInt(SCTLR_M | SCTLR_C | SCTLR_I);
const EL1 = 1;

export class Vm {
  readonly hypervisor: Hypervisor;
  readonly name: string;
  readonly vmid: number;
  readonly options: VmOptions;
  readonly statistics: VmStatistics = newStatistics();
  readonly memslots = new Memslots();
  readonly stage2: Stage2;
  readonly vcpus: readonly Vcpu[];
  /** HCR_EL2 as its virtual CPUs begin with. */
  readonly hcr: bigint;
  readonly #registers = new Map<number, GuestRegisters>();
  readonly #backing: Backing;
  readonly #mmio: MmioRegion[] = [];
  readonly #ipaBits: number;
  #logging = false;

  constructor(hypervisor: Hypervisor, vmid: number, options: VmOptions) {
    this.hypervisor = hypervisor;
    this.vmid = vmid;
    this.options = options;
    this.name = options.name ?? `vm${vmid}`;
    this.#ipaBits = options.ipaBits ?? 40;
    this.hcr = (hypervisor.policy.hcr | (options.hcr?.set ?? 0n)) & ~(options.hcr?.clear ?? 0n);
    this.#backing = new Backing(hypervisor, this.statistics);
    const memory = typeof options.memory === "number" ? [{ bytes: options.memory }] : options.memory;
    for (const slot of memory) this.memslots.add(slot, 2 ** this.#ipaBits);
    this.stage2 = this.#makeStage2();
    this.vcpus = Array.from({ length: options.vcpus ?? 1 }, (_, index) => this.#makeVcpu(index));
  }

  /** IPA of its first memslot. */
  get base(): number {
    return this.memslots.all[0]?.base ?? 0;
  }

  /** Throws where it has no such virtual CPU. */
  vcpu(index: number): Vcpu {
    const vcpu = this.vcpus[index];
    if (vcpu) return vcpu;
    throw new SetwayError("usage", `${this.name} has no such virtual CPU`, {
      found: String(index),
      expected: `0 to ${this.vcpus.length - 1}`,
    });
  }

  /** Plays a trace of several CPUs: requester n is virtual CPU n, each on a core of its own. */
  playTrace(words: Uint32Array): void {
    playWords(words, (requester) => this.vcpu(requester));
  }

  /** What a guest reads of the caches on a core. */
  cacheRegistersOn(core: number): GuestRegisters {
    let registers = this.#registers.get(core);
    if (registers === undefined) {
      const { machine, policy } = this.hypervisor;
      registers = guestRegisters(machine, core, policy.geometry, this.options.expose);
      this.#registers.set(core, registers);
    }
    return registers;
  }

  /** The VMM's own mapping of guest memory, as a `Cpu` by IPA. */
  user(options: UserOptions = {}): UserCpu {
    return new UserCpu(this, options);
  }

  /** Adds memory, or assigns some. */
  addMemslot(options: MemslotOptions): Memslot {
    return this.memslots.add(options, 2 ** this.#ipaBits);
  }

  /** Takes the memslot around an IPA away: unmapped as the era does it, its pages given back. */
  removeMemslot(ipa: number, core = this.hypervisor.hostCore): void {
    const slot = this.#slotAt(ipa);
    this.discard(slot.base, slot.bytes, core);
    this.memslots.remove(slot);
  }

  /** Emulates a device at IPAs that no memslot has (or where one is read-only: it gets the writes). */
  mmio(base: number, bytes: number, device: EmulatedDevice = {}): void {
    this.#mmio.push({ base, bytes, device });
  }

  mmioAt(ipa: number): MmioRegion | undefined {
    return this.#mmio.find(({ base, bytes }) => ipa >= base && ipa < base + bytes);
  }

  get mmioRegions(): readonly MmioRegion[] {
    return this.#mmio;
  }

  /** Physical address of an IPA, for DMA or the host; something backs the page from now on. */
  physical(ipa: number, core = this.hypervisor.hostCore): number {
    const slot = this.#slotAt(ipa);
    return this.#backing.ensure(core, slot, pageOf(slot, ipa)) + (ipa % PAGE_BYTES);
  }

  /** Whether stage 2 maps an IPA now. */
  isMapped(ipa: number): boolean {
    const slot = this.memslots.find(ipa);
    return slot !== undefined && (slot.pages.state(pageOf(slot, ipa)) & MAPPED) !== 0;
  }

  /** Whether a page is on the disk now. */
  isSwapped(ipa: number): boolean {
    const slot = this.memslots.find(ipa);
    return slot !== undefined && (slot.pages.state(pageOf(slot, ipa)) & SWAPPED) !== 0;
  }

  /** IPAs of the pages that have contents: something backs them, or they are on the disk. Ascending. */
  pagesInUse(): number[] {
    return this.memslots.all.flatMap((slot) =>
      slot.physical === undefined ? [...pagesWith(slot, BACKED | SWAPPED)].map((page) => ipaOf(slot, page)) : [],
    );
  }

  /** Backs and maps a range before the guest touches it; all of its memory unless told otherwise. */
  populate(ipa?: number, bytes?: number, options: PopulateOptions = {}): void {
    const { zero = true, map = true, core = this.hypervisor.hostCore } = options;
    const guestCaches = this.policyCaches(this.vcpu(0));
    for (const [slot, first, end] of this.#ranges(ipa, bytes)) {
      for (const [from, to] of chunksOf(first, end)) {
        for (let page = from; page < to; page++) {
          this.#backing.ensure(core, slot, page, { zero, block: !this.#logging });
        }
        if (!map) continue;
        this.hypervisor.cores.asHost(
          core,
          (records) => {
            for (let page = from; page < to; page++) {
              if ((slot.pages.state(page) & MAPPED) !== 0) continue;
              if (this.#logging) this.stage2.split(records, slot, page);
              this.stage2.map(records, slot, page, this.#mayWrite(slot, page, false), guestCaches);
            }
          },
          this,
        );
      }
    }
  }

  /** A guest's fault: backs the page, from the disk if need be, and maps it with the era's maintenance. */
  faultIn(vcpu: Vcpu, slot: Memslot, page: number, write: boolean): void {
    const { core } = vcpu;
    this.#backing.ensure(core, slot, page, { block: !this.#logging });
    if (write && (slot.pages.state(page) & MERGED) !== 0 && this.hypervisor.policy.does("copy on write")) {
      this.#backing.unmerge(core, slot, page);
    }
    const guestCaches = this.policyCaches(vcpu);
    this.hypervisor.cores.asHost(
      core,
      (records) => {
        // Dirty logging is by page (KVM's force_pte).
        if (this.#logging) this.stage2.split(records, slot, page);
        if (this.#logging && write) slot.pages.setState(page, slot.pages.state(page) | DIRTY);
        this.stage2.map(records, slot, page, this.#mayWrite(slot, page, write), guestCaches);
      },
      this,
    );
  }

  /** Gives a merged page a copy of its own and maps that. */
  copyOnWrite(core: number, slot: Memslot, page: number, guestCaches: boolean): void {
    this.#backing.unmerge(core, slot, page);
    this.hypervisor.cores.asHost(
      core,
      (records) => {
        if (this.#logging) slot.pages.setState(page, slot.pages.state(page) | DIRTY);
        this.stage2.map(records, slot, page, true, guestCaches);
      },
      this,
    );
  }

  /** What 4.1 asks before it flushes at map: whether the virtual CPU's caches are on. Other eras don't ask. */
  policyCaches(vcpu: Vcpu): boolean {
    return this.hypervisor.policy.mapFlush === "caches off or incoherent memslot" ? vcpu.cachesOn : true;
  }

  /** Where the host finds a guest's byte: backed if it wasn't, copied if it is merged and will be written. */
  hostAddress(ipa: number, core: number, write: boolean): number {
    const slot = this.#slotAt(ipa);
    const page = pageOf(slot, ipa);
    this.#backing.ensure(core, slot, page);
    const state = slot.pages.state(page);
    if (write && state & MERGED) {
      // The guest's mapping of the merged page goes first: an MMU notifier.
      this.unmap(ipaOf(slot, page), PAGE_BYTES, core);
      this.#backing.unmerge(core, slot, page);
    }
    if (write && this.#logging && !slot.pages.isBlock(page)) {
      slot.pages.setState(page, slot.pages.state(page) | DIRTY);
    }
    return (slot.pages.frame(page) as number) + (ipa % PAGE_BYTES);
  }

  /** The host takes a range's mappings away, as an MMU notifier does; what backs it stays. */
  unmap(ipa?: number, bytes?: number, core = this.hypervisor.hostCore): void {
    for (const [slot, first, end] of this.#ranges(ipa, bytes)) {
      for (const [from, to] of chunksOf(first, end)) {
        if (slot.pages.isEmpty(from)) continue;
        this.hypervisor.cores.asHost(
          core,
          (records) => this.stage2.unmap(records, ipaOf(slot, from), (to - from) * PAGE_BYTES),
          this,
        );
      }
    }
  }

  /** Unmaps a range and gives its pages back (a balloon, MADV_DONTNEED): the guest would find fresh ones. */
  discard(ipa?: number, bytes?: number, core = this.hypervisor.hostCore): void {
    for (const [slot, first, end] of this.#ranges(ipa, bytes)) {
      for (const [from, to] of chunksOf(first, end)) {
        if (slot.pages.isEmpty(from)) continue;
        const whole = slot.pages.isBlock(from) && to - from === BLOCK_BYTES / PAGE_BYTES;
        if (!whole) this.#split(core, slot, from);
        this.unmap(ipaOf(slot, from), (to - from) * PAGE_BYTES, core);
        if (whole) this.#backing.release(slot, from);
        else for (let page = from; page < to; page++) this.#backing.release(slot, page);
      }
    }
  }

  /** Cleans and invalidates everything mapped by VA, as 4.1 does for set/way. */
  flush(core = this.hypervisor.hostCore): void {
    this.hypervisor.cores.asHost(core, (records) => this.stage2.flush(records), this);
  }

  /** Writes a page to the disk: unmapped as the era does it, read by the disk's DMA, given back. */
  swapOut(ipa: number, core = this.hypervisor.hostCore): void {
    const slot = this.#slotAt(ipa);
    const page = pageOf(slot, ipa);
    this.#split(core, slot, page);
    this.unmap(ipaOf(slot, page), PAGE_BYTES, core);
    this.#backing.swapOut(core, slot, page);
    this.hypervisor.tell(this, `swaps out the page at 0x${ipaOf(slot, page).toString(16)}`);
  }

  /** Reads a page back from the disk, as an access of the VMM would; the guest's next access maps it. */
  swapIn(ipa: number, core = this.hypervisor.hostCore): void {
    const slot = this.#slotAt(ipa);
    this.#backing.ensure(core, slot, pageOf(slot, ipa));
  }

  /**
   * Merges two pages as KSM does: both unmapped, compared through the host's cacheable alias, and if they look the same
   * one page is left, read-only for both. Returns whether they did. `other` may be another VM of this host.
   */
  ksmMerge(ipaA: number, ipaB: number, other: Vm = this, core = this.hypervisor.hostCore): boolean {
    const [slotA, slotB] = [this.#slotAt(ipaA), other.#slotAt(ipaB)];
    const [pageA, pageB] = [pageOf(slotA, ipaA), pageOf(slotB, ipaB)];
    const frameA = this.#prepareMerge(core, slotA, pageA);
    const frameB = other.#prepareMerge(core, slotB, pageB);
    if (frameA === frameB) return true;
    const [bytesA, bytesB] = [this.#backing.hostRead(core, frameA), this.#backing.hostRead(core, frameB)];
    if (!bytesA.every((byte, index) => byte === bytesB[index])) return false;
    slotA.pages.setState(pageA, slotA.pages.state(pageA) | MERGED);
    other.#backing.merge(slotB, pageB, frameA);
    this.hypervisor.tell(this, `0x${ipaA.toString(16)} and ${other.name}'s 0x${ipaB.toString(16)} are one page now`);
    return true;
  }

  /** Which pages the guest writes, as a migration asks. */
  readonly dirtyLog: DirtyLog = {
    start: (core = this.hypervisor.hostCore) => {
      this.#logging = true;
      this.#protect(core, (state) => state & ~(WRITABLE | DIRTY));
    },
    collect: (core = this.hypervisor.hostCore) => {
      const dirty = this.memslots.all.flatMap((slot) => [...pagesWith(slot, DIRTY)].map((page) => ipaOf(slot, page)));
      this.#protect(core, (state) => (state & DIRTY ? state & ~(WRITABLE | DIRTY) : state));
      return dirty;
    },
    stop: () => {
      this.#logging = false;
    },
  };

  /** Moves the VM to another host: its pages are read through the host's alias and written by the other VMM. */
  migrateTo(target: Hypervisor, options: MigrationOptions = {}): MigrationResult {
    return migrateVm(this, target, options);
  }

  /** The VM is gone: unmapped as the era does it, its pages and tables given back. */
  destroy(core = this.hypervisor.hostCore): void {
    for (const vcpu of this.vcpus) this.hypervisor.cores.unload(vcpu);
    this.discard(undefined, undefined, core);
    this.hypervisor.cores.asHost(core, (records) => this.stage2.invalidateAll(records), this);
    this.stage2.destroy();
    this.hypervisor.cores.forget(this);
  }

  #makeStage2(): Stage2 {
    const { cores, hostCore } = this.hypervisor;
    let stage2: Stage2 | undefined;
    cores.asHost(hostCore, (records) => {
      stage2 = new Stage2(this, records, this.#ipaBits, this.vmid);
    });
    return stage2 as unknown as Stage2;
  }

  #makeVcpu(index: number): Vcpu {
    const { options, hypervisor } = this;
    const { cores } = hypervisor.machine;
    const cachesOn = options.starts === "caches on";
    const core = options.cores?.[index] ?? index % cores.length;
    if (cores[core] === undefined) {
      throw new SetwayError("usage", "no such core", { found: String(core), expected: `0 to ${cores.length - 1}` });
    }
    const tables = options.stage1 === "tables" ? CONTEXT_WALKS : 0;
    return new Vcpu(this, index, {
      core,
      context: BigInt(EL1 | tables | (options.aarch32 ? CONTEXT_AARCH32 : 0)),
      // KVM stops trapping once the caches are on.
      hcr: cachesOn ? this.hcr & ~HCR.TVM : this.hcr,
      sctlr: cachesOn ? ALL_ON : 0n,
    });
  }

  #slotAt(ipa: number): Memslot {
    const slot = this.memslots.find(ipa);
    if (slot) return slot;
    throw new SetwayError("usage", `${this.name} has no memory there`, {
      found: `IPA 0x${ipa.toString(16)}`,
      expected: this.memslots.all.map(({ base, end }) => `0x${base.toString(16)} to 0x${end.toString(16)}`).join(", "),
    });
  }

  /** Memslots with the pages of a range, first and end; of everything without one. */
  #ranges(ipa?: number, bytes?: number): (readonly [Memslot, number, number])[] {
    if (ipa === undefined) return this.memslots.all.map((slot) => [slot, 0, slot.bytes / PAGE_BYTES] as const);
    const end = ipa + (bytes ?? PAGE_BYTES);
    const touched = this.memslots.all.filter((slot) => slot.base < end && ipa < slot.end);
    if (touched.length === 0) this.#slotAt(ipa);
    return touched.map((slot) => [
      slot,
      pageOf(slot, Math.max(ipa, slot.base)),
      Math.ceil((Math.min(end, slot.end) - slot.base) / PAGE_BYTES),
    ]);
  }

  #mayWrite(slot: Memslot, page: number, write: boolean): boolean {
    if (slot.readonly || (slot.pages.state(page) & MERGED) !== 0) return false;
    return !this.#logging || write;
  }

  #split(core: number, slot: Memslot, page: number): void {
    this.hypervisor.cores.asHost(core, (records) => this.stage2.split(records, slot, page), this);
  }

  #prepareMerge(core: number, slot: Memslot, page: number): number {
    const frame = this.#backing.ensure(core, slot, page, { block: true });
    this.#split(core, slot, page);
    this.unmap(ipaOf(slot, page), PAGE_BYTES, core);
    return frame;
  }

  /** Rewrites the permissions of mapped pages whose state changes, then drops every translation once. */
  #protect(core: number, change: (state: number) => number): void {
    for (const slot of this.memslots.all) {
      for (const first of slot.pages.chunks()) {
        this.hypervisor.cores.asHost(
          core,
          (records) => {
            const end = slot.pages.isBlock(first)
              ? first + 1
              : Math.min(first + PAGES_PER_CHUNK, slot.bytes / PAGE_BYTES);
            for (let page = first; page < end; page++) {
              const before = slot.pages.state(page);
              const after = change(before);
              if (before === after) continue;
              if (before & MAPPED) this.stage2.protect(records, slot, page, after, false);
              else slot.pages.setState(page, after);
            }
          },
          this,
        );
      }
    }
    if (this.hypervisor.policy.does("TLBI at unmap")) {
      this.hypervisor.cores.asHost(core, (records) => this.stage2.invalidateAll(records), this);
    }
  }
}

const PAGES_PER_CHUNK = BLOCK_BYTES / PAGE_BYTES;

/** Pages of a memslot whose state has any of the bits, ascending. */
function* pagesWith(slot: Memslot, bits: number): Generator<number> {
  const pages = slot.bytes / PAGE_BYTES;
  for (const first of slot.pages.chunks()) {
    for (let page = first; page < Math.min(first + PAGES_PER_CHUNK, pages); page++) {
      if (slot.pages.state(page) & bits) yield page;
    }
  }
}

/** A range of pages by the chunks that page states are kept in. */
function* chunksOf(first: number, end: number): Generator<readonly [number, number]> {
  for (let from = first; from < end; ) {
    const to = Math.min(end, (Math.floor(from / PAGES_PER_CHUNK) + 1) * PAGES_PER_CHUNK);
    yield [from, to];
    from = to;
  }
}
