/**
 * Who is on each core: the host at EL2, or a guest; whose registers are loaded. Guests leave and enter here and nowhere
 * else, so every exit and entry is charged once. A guest stays loaded until another one needs the core (lazy switch).
 */

import type { Engine } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import type { SystemRegisterName } from "../engine/system-registers.ts";
import { coreRegisters } from "../machine/registers.ts";
import { SET_WAY_ROUTINES } from "../machine/setway.ts";
import type { Policy } from "./eras.ts";
import { RecordBuffer } from "./record-buffer.ts";
import type { Vcpu } from "./vcpu.ts";
import type { Vm } from "./vm.ts";

/** What a switch saves and loads. */
const SAVED_REGISTERS: readonly SystemRegisterName[] = [
  "SCTLR_EL1",
  "TCR_EL1",
  "TTBR0_EL1",
  "TTBR1_EL1",
  "MAIR_EL1",
  "CONTEXTIDR_EL1",
  "DACR",
  "AFSR0_EL1",
  "AFSR1_EL1",
  "ESR_EL1",
  "FAR_EL1",
  "AMAIR_EL1",
  "CSSELR_EL1",
];

/** CONTEXT at EL2. */
const HOST_CONTEXT = 2n;

interface CoreState {
  /** `other`: software that is none of the hypervisor's, as at the start. */
  running: "other" | "host" | "guest";
  loaded: Vcpu | undefined;
  /** Whose VTTBR_EL2 and VTCR_EL2 the core has. */
  stage2: Vm | undefined;
  hcr: bigint;
  /** Which virtual CPU of a VM was last loaded here. */
  readonly last: Map<Vm, Vcpu>;
}

export class Cores {
  readonly #engine: Engine;
  readonly #policy: Policy;
  readonly #states: readonly CoreState[];
  readonly #buffer = new RecordBuffer();

  constructor(engine: Engine, policy: Policy) {
    this.#engine = engine;
    this.#policy = policy;
    this.#states = engine.machine.cores.map(() => ({
      running: "other",
      loaded: undefined,
      stage2: undefined,
      hcr: 0n,
      last: new Map(),
    }));
  }

  /**
   * Plays what the host does on a core; a guest that runs there exits first. With `vm`, its stage 2 is the core's, as TLBI
   * and FLUSH_STAGE2 need. `fill` only writes records: it must not come back here.
   */
  asHost(core: number, fill: (records: RecordBuffer) => void, vm?: Vm): void {
    const state = this.#stateOf(core);
    const records = this.#buffer.begin(core);
    if (state.running === "guest") {
      records.msr("CONTEXT", HOST_CONTEXT).charge("exit");
      if (state.loaded && !state.loaded.exiting) state.loaded.vm.statistics.exits.interrupted++;
    } else if (state.running === "other") records.msr("CONTEXT", HOST_CONTEXT);
    state.running = "host";
    if (vm !== undefined && state.stage2 !== vm) this.#loadStage2(records, state, vm);
    fill(records);
    this.#play(records);
  }

  /** Puts a virtual CPU on its core and into its guest. */
  enter(vcpu: Vcpu): void {
    const { core } = vcpu;
    const state = this.#stateOf(core);
    if (state.running === "guest" && state.loaded === vcpu) return;
    if (state.loaded !== vcpu) {
      if (state.loaded) this.unload(state.loaded);
      this.#load(vcpu, core, state);
    }
    this.asHost(
      core,
      (records) => {
        if (state.hcr !== vcpu.hcr) records.msr("HCR_EL2", vcpu.hcr);
        state.hcr = vcpu.hcr;
        records.charge("entry").msr("CONTEXT", vcpu.context);
      },
      vcpu.vm,
    );
    state.running = "guest";
  }

  /** Takes a virtual CPU off its core, with its registers; nothing where it isn't on one. */
  unload(vcpu: Vcpu): void {
    const state = this.#stateOf(vcpu.core);
    if (state.loaded !== vcpu) return;
    for (const name of SAVED_REGISTERS) vcpu.registers.set(name, this.readRegister(vcpu.core, name));
    state.loaded = undefined;
  }

  /** The registers of a virtual CPU are on its core now. */
  isLoaded(vcpu: Vcpu): boolean {
    return this.#stateOf(vcpu.core).loaded === vcpu;
  }

  readRegister(core: number, name: SystemRegisterName): bigint {
    this.asHost(core, (records) => records.mrs(name));
    return this.#engine.lastValue();
  }

  /** The VM is gone: nobody may find its stage 2 loaded. */
  forget(vm: Vm): void {
    for (const state of this.#states) {
      if (state.stage2 === vm) state.stage2 = undefined;
      if (state.loaded?.vm === vm) state.loaded = undefined;
      if (state.running === "guest" && state.loaded === undefined) state.running = "other";
      state.last.delete(vm);
    }
  }

  #stateOf(core: number): CoreState {
    const state = this.#states[core];
    if (state !== undefined) return state;
    throw new SetwayError("usage", "the host has no such core", {
      found: `core ${core}`,
      expected: `0 to ${this.#states.length - 1}`,
    });
  }

  #loadStage2(records: RecordBuffer, state: CoreState, vm: Vm): void {
    records.msr("VTCR_EL2", vm.stage2.vtcr).msr("VTTBR_EL2", vm.stage2.vttbr);
    if (state.hcr !== vm.hcr) records.msr("HCR_EL2", vm.hcr);
    state.hcr = vm.hcr;
    state.stage2 = vm;
  }

  #load(vcpu: Vcpu, core: number, state: CoreState): void {
    const { vm } = vcpu;
    const before = state.last.get(vm);
    const { clidr, ctr, readCcsidr } = vcpu.cacheRegisters;
    this.asHost(
      core,
      (records) => {
        for (const name of SAVED_REGISTERS) records.msr(name, vcpu.registers.get(name) ?? 0n);
        records.msr("CTR_EL0", ctr).msr("CLIDR_EL1", clidr);
        records.msr("CCSIDR_EL1", readCcsidr(Number(vcpu.registers.get("CSSELR_EL1") ?? 0n)));
        if (before !== undefined && before !== vcpu) this.#separate(records);
        if (this.#policy.does("owed flush at entry") && vcpu.owedFlushes.has(core)) {
          flushCore(records, this.#engine, core);
          vm.statistics.coreFlushes++;
        }
        vcpu.owedFlushes.delete(core);
      },
      vm,
    );
    state.loaded = vcpu;
    state.last.set(vm, vcpu);
  }

  /** Two virtual CPUs of a VM share its VMID, but not their address spaces. */
  #separate(records: RecordBuffer): void {
    const { betweenVcpus, does } = this.#policy;
    if (betweenVcpus.includes("TLB") && does("TLBI between virtual CPUs")) {
      records.tlbi("VMALLE1", 0n, false).operation("DSB").operation("ISB");
    }
    if (betweenVcpus.includes("instruction cache") && does("instruction cache between virtual CPUs"))
      records.operation("IC_IALLU").operation("DSB").operation("ISB");
  }

  #play(records: RecordBuffer): void {
    const { words } = records;
    if (words.length === 0) return;
    const done = this.#engine.run(words);
    if (done === words.length / 2) return;
    const { exit } = this.#engine;
    throw new Error(`the host's own record met a ${exit?.type} exit (operation ${exit?.operation}): this is a bug`);
  }
}

/** The host's own flush of everything that set/way reaches from a core: flush_cache_all() of Linux 3.9. */
export function flushCore(records: RecordBuffer, engine: Engine, core: number): void {
  const { operands, operation } = SET_WAY_ROUTINES.flushDcacheAll;
  for (const operand of operands(coreRegisters(engine.machine, core))) records.operation(operation, operand);
  records.operation("DSB").operation("ISB");
}
