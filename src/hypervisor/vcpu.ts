/**
 * A virtual CPU: a `Cpu` whose records run in a guest, on whichever core it is scheduled. What exits is handled by its
 * hypervisor, and only what EL1 would have to take itself comes out, as a `GuestFault`.
 */
import { type CacheRegisters, Cpu } from "../cpu/cpu.ts";
import type { Engine } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import { OPERATIONS } from "../engine/operations.ts";
import { encodeRecords, type RecordEntry } from "../engine/record.ts";
import { CONTEXT_EL_MASK, HCR, SYSTEM_REGISTERS, type SystemRegisterName } from "../engine/system-registers.ts";
import type { GuestRegisters } from "./cache-registers.ts";
import { handleExit } from "./exits.ts";
import { playWords } from "./playback.ts";
import { hasCachesOn } from "./traps.ts";
import type { Vm } from "./vm.ts";

/** How a virtual CPU begins. */
export interface VcpuStart {
  readonly core: number;
  readonly context: bigint;
  readonly hcr: bigint;
  readonly sctlr: bigint;
}

export class Vcpu extends Cpu {
  readonly engine: Engine;
  readonly vm: Vm;
  readonly index: number;
  /** HCR_EL2 with which it enters; TVM comes and goes. */
  hcr: bigint;
  /** CONTEXT in the guest: exception level, AArch32, tables. */
  context: bigint;
  /** EL1 registers while it isn't loaded. */
  readonly registers = new Map<SystemRegisterName, bigint>();
  /** Cores that must be flushed before it enters there (3.9). */
  readonly owedFlushes = new Set<number>();
  /** Whether its host waits for the caches to go on or off: as TVM says (4.1, modern). */
  tracksCaches = false;
  /** Where its last set/way operation trapped, -1 if none has. */
  lastSetWayCore = -1;
  /** It is leaving its guest for a reason of its own. */
  exiting = false;
  /** What an emulated instruction returned, until the guest goes on. */
  #emulated: bigint | undefined;
  #tried: { readonly words: Uint32Array; readonly own: number; count: number } | undefined;
  readonly #start: VcpuStart;
  #core: number;
  #hasRun = false;

  constructor(vm: Vm, index: number, start: VcpuStart) {
    super();
    this.engine = vm.hypervisor.engine;
    this.vm = vm;
    this.index = index;
    this.#start = start;
    this.#core = start.core;
    this.context = start.context;
    this.hcr = start.hcr;
    this.tracksCaches = (start.hcr & HCR.TVM) !== 0n;
    this.registers.set("SCTLR_EL1", start.sctlr);
  }

  get core(): number {
    return this.#core;
  }

  /** What this guest reads of the caches on the core where it is. */
  override get cacheRegisters(): GuestRegisters {
    return this.vm.cacheRegistersOn(this.#core);
  }

  /** Schedules it on a core; if it was on another, it migrates. */
  runOn(core: number): this {
    const { cores, machine } = this.vm.hypervisor;
    if (machine.cores[core] === undefined) {
      throw new SetwayError("usage", "no such core", {
        found: String(core),
        expected: `0 to ${machine.cores.length - 1}`,
      });
    }
    if (core === this.#core) return this;
    const from = this.#core;
    cores.unload(this);
    this.#core = core;
    if (!this.#hasRun) return this;
    cores.asHost(core, (records) => records.operation("MIGRATE", from));
    this.vm.statistics.migrations++;
    this.vm.hypervisor.tell(this, `goes on on core ${core}, from core ${from}`);
    return this;
  }

  /**
   * Initializes it again, as a VMM does for a reboot or PSCI CPU_ON: MMU and caches off. Where the era flushes at unmap, a
   * virtual CPU that has run has all of the VM's memory unmapped (stage2_unmap_vm), so that faults flush it anew; with
   * FEAT_S2FWB instruction caches go.
   */
  reset(): this {
    const { vm } = this;
    const { cores, policy } = vm.hypervisor;
    cores.unload(this);
    this.registers.clear();
    this.registers.set("SCTLR_EL1", 0n);
    this.context = this.#start.context;
    this.hcr = vm.hcr;
    this.tracksCaches = (vm.hcr & HCR.TVM) !== 0n;
    if (!this.#hasRun) return this;
    if (policy.unmapFlush) vm.unmap(undefined, undefined, this.#core);
    else if (policy.memory === "forced write-back") {
      cores.asHost(this.#core, (records) => records.operation("IC_IALLUIS").operation("DSB").operation("ISB"));
    }
    return this;
  }

  /** Whether its MMU and caches are both on, which is what KVM looks at. */
  get cachesOn(): boolean {
    const { cores } = this.vm.hypervisor;
    const sctlr = cores.isLoaded(this)
      ? cores.readRegister(this.#core, "SCTLR_EL1")
      : (this.registers.get("SCTLR_EL1") ?? 0n);
    return hasCachesOn(sctlr);
  }

  /**
   * Plays a recorded trace in the guest: words as an engine takes them, physical addresses taken as IPA, every record as
   * this virtual CPU's. Faults and traps are handled on the way; a fault of the guest's own is a `GuestFault`.
   */
  playTrace(words: Uint32Array): void {
    playWords(words, () => this);
  }

  /** Puts an emulated result where the guest's instruction would have it. */
  emulate(value: bigint): void {
    this.#emulated = value;
  }

  /** Plays encoded records of this core in the guest, to their end. */
  execute(words: Uint32Array): void {
    const { cores } = this.vm.hypervisor;
    const count = words.length / 2;
    for (let at = 0; at < count; ) {
      cores.enter(this);
      const done = this.engine.run(at === 0 ? words : words.subarray(2 * at));
      if (done === count - at) return;
      at = handleExit(this, words, at);
    }
  }

  /** How often a record has exited, this time included. */
  triesOf(words: Uint32Array, own: number): number {
    if (this.#tried?.words !== words || this.#tried.own !== own) this.#tried = { words, own, count: 0 };
    return ++this.#tried.count;
  }

  /** The guest is about to run. */
  begin(): void {
    this.#hasRun = true;
    this.#emulated = undefined;
  }

  protected override issue(entry: RecordEntry): void {
    this.begin();
    if (entry.code === OPERATIONS.MSR.code && !this.#mayWrite(entry)) {
      throw new SetwayError("usage", "EL1 has no such register", { found: `register ${entry.operand}` });
    }
    this.execute(encodeRecords([entry]));
    if (entry.code === OPERATIONS.MSR.code) this.#follow(entry);
  }

  protected override observed(): bigint {
    return this.#emulated ?? super.observed();
  }

  /** As the guest's loop reads them: each CCSIDR is a write of CSSELR and a read, and exits where that traps. */
  protected override readCacheRegisters(): CacheRegisters {
    const { ccidx, dczid, ctr } = this.cacheRegisters;
    const clidr = this.mrs("CLIDR_EL1");
    const readCcsidr = (csselr: number) => {
      this.msr("CSSELR_EL1", BigInt(csselr));
      return this.mrs("CCSIDR_EL1");
    };
    return { clidr, ctr, dczid, ccidx, readCcsidr };
  }

  #mayWrite({ operand, value = 0n }: RecordEntry): boolean {
    if (operand === SYSTEM_REGISTERS.CONTEXT.number) return (value & BigInt(CONTEXT_EL_MASK)) < 2n;
    return operand < SYSTEM_REGISTERS.HCR_EL2.number;
  }

  /** What the model doesn't do by itself: CCSIDR follows CSSELR, and the context is to be found again after an exit. */
  #follow({ operand, value = 0n }: RecordEntry): void {
    if (operand === SYSTEM_REGISTERS.CONTEXT.number) this.context = value;
    if (operand === SYSTEM_REGISTERS.CSSELR_EL1.number) {
      this.operation("MSR", SYSTEM_REGISTERS.CCSIDR_EL1.number, {
        value: this.cacheRegisters.readCcsidr(Number(value)),
      });
    }
  }
}
