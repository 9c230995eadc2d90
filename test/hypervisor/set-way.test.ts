/** What becomes of a guest's set/way loop in each era: how many exits, what is flushed, and is the guest's data right? */
import { describe, expect, it } from "vitest";
import type { EraName, PolicyStep } from "../../src/hypervisor/index.ts";
import { presets } from "../../src/machine/index.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import { qemuCpus } from "../machine/qemu-cpus.ts";
import { ENGINES, harm, host, RAM, SMALL } from "./engines.ts";

/** A loop over what set/way reaches on SMALL: 4 KiB of 2 ways and 16 KiB of 4, lines of 64. */
const SMALL_LOOP = 64 + 256;
const ON = { m: true, c: true, i: true };
const OFF = { m: false, c: false, i: true };

/** The figures of data/setway_summary.tsv, as exits of one loop under 4.1. */
describe("exits of one loop with the host's geometry", () => {
  const [, create] = ENGINES[1] as (typeof ENGINES)[number];
  const a57 = presets.seattle as MachineDescription;
  const larger = { ...a57, caches: { ...a57.caches, L2: { ...a57.caches?.L2, size: "2MiB" } } } as MachineDescription;
  const qemu = (cpu: string) => qemuCpus().find(({ row }) => row.cpu === cpu)?.description as MachineDescription;
  it.each([
    ["Cortex-A57, 1 MiB of L2", a57, 16_896],
    ["Cortex-A57, 2 MiB of L2", larger, 33_280],
    ["Cortex-A9", qemu("cortex_a9"), 512],
    ["A64FX, whose LoC is 0", qemu("aarch64_a64fx"), 0],
  ])("%s", (_, description, exits) => {
    const { vm } = host(create, "4.1", {}, { starts: "caches on" }, description);
    expect(vm.vcpu(0).setWayLoop("flushDcacheAll")).toBe(exits);
    expect(vm.statistics.exits["set/way"]).toBe(exits);
    const { vm: modern } = host(create, "modern", {}, { starts: "caches on" }, description);
    modern.vcpu(0).setWayLoop("flushDcacheAll");
    expect(modern.statistics.exits["set/way"], "made-up geometry").toBeLessThanOrEqual(2);
    expect(modern.statistics.exits["cache identification"], "CLIDR, and CCSIDR of each level").toBeLessThanOrEqual(3);
  });
});

describe.each(ENGINES)("on the %s", (_, create) => {
  it("4.1 flushes four times in a 32-bit boot: on, first set/way, off, on", () => {
    const { vm } = host(create, "4.1");
    const cpu = vm.vcpu(0);
    const flushes: number[] = [];
    const after = (step: () => void) => {
      step();
      flushes.push(vm.statistics.wholeVmFlushes);
    };
    cpu.store(RAM, 1);
    after(() => cpu.sctlr(ON));
    after(() => cpu.setWayLoop("decompressorFlush"));
    after(() => cpu.sctlr(OFF));
    after(() => cpu.setWayLoop("decompressorFlush"));
    after(() => cpu.sctlr(ON));
    after(() => cpu.msr("TTBR0_EL1", 0n));
    expect(flushes).toEqual([1, 2, 3, 3, 4, 4]);
    expect(vm.statistics.exits).toMatchObject({ "set/way": 2 * SMALL_LOOP, "virtual-memory register": 3 });
  });

  it("the whole-VM flush is the kernel's walk over what is mapped", () => {
    const { vm, engine } = host(create, "4.1", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    for (let page = 0; page < 5; page++) cpu.store(RAM + page * 4096, page);
    cpu.setWayLoop("flushDcacheAll");
    expect(engine.counters().machine).toMatchObject({ flushedLeaves: 5, flushedLines: 5 * 64 });
  });

  /** The 4.1 decompressor's steps: write with caches on, set/way, off, set/way again; then execute with caches off. */
  const boot = (era: EraName, without: readonly PolicyStep[] = []) => {
    const { vm, engine } = host(create, era, { without });
    const cpu = vm.vcpu(0);
    cpu.sctlr(ON);
    const [image, stack] = [RAM + 0x10_0000, RAM + 0x2000];
    cpu.fill(image, 4096, 0x1234);
    cpu.setWayLoop("decompressorFlush");
    // The routine itself saves registers.
    cpu.store(stack, 99);
    cpu.sctlr(OFF);
    cpu.setWayLoop("decompressorFlush");
    const seen = [cpu.load(image + 0x40), cpu.load(stack)];
    return { seen, harm: [...new Set(harm(engine))], vm };
  };

  it.each([
    ["4.1", [0x1234n, 99n], []],
    ["modern", [0x1234n, 99n], []],
    ["fwb", [0x1234n, 99n], []],
  ] as const)("%s: a boot beyond a system cache sees what it wrote", (era, seen, hazards) => {
    expect(boot(era)).toMatchObject({ seen, harm: hazards });
  });

  it.each(["none", "3.9"] as const)("%s: the system cache keeps it, and the guest reads something old", (era) => {
    const { seen, harm: hazards } = boot(era);
    expect(seen).not.toEqual([0x1234n, 99n]);
    expect(hazards.length).toBeGreaterThan(0);
  });

  it.each(["4.1", "modern"] as const)("%s without the flush at SCTLR off loses what the routine saved", (era) => {
    const { seen, harm: hazards } = boot(era, ["flush at SCTLR off"]);
    expect(seen[0]).toBe(0x1234n);
    expect(seen[1]).not.toBe(99n);
    expect(hazards).not.toEqual([]);
  });

  it("4.1 without TVM flushes once and never again", () => {
    const { vm, seen } = boot("4.1", ["virtual-memory trap"]);
    expect(vm.statistics.wholeVmFlushes).toBe(1);
    expect(seen[1]).not.toBe(99n);
  });

  it("4.1 without the flush at SCTLR on leaves stale lines that a cached read then hits", () => {
    const run = (without: readonly PolicyStep[]) => {
      const { vm, engine } = host(create, "4.1", { without });
      const cpu = vm.vcpu(0);
      cpu.store(RAM, 1);
      // What speculation through the host's cacheable alias does.
      vm.user().prefetch(RAM);
      cpu.store(RAM, 2);
      cpu.sctlr(ON);
      return [cpu.load(RAM), harm(engine)];
    };
    expect(run([])).toEqual([2n, []]);
    expect(run(["flush at SCTLR on"])).toEqual([1n, ["stale-read"]]);
  });

  describe("3.9", () => {
    it("operates on this core, and every other owes a flush until the virtual CPU comes", () => {
      const { vm } = host(create, "3.9", {}, { starts: "caches on" });
      const cpu = vm.vcpu(0);
      cpu.store(RAM, 1);
      cpu.setWayLoop("flushDcacheAll");
      expect([...cpu.owedFlushes]).toEqual([1]);
      expect(vm.statistics.coreFlushes).toBe(0);
      cpu.runOn(1).load(RAM);
      expect([[...cpu.owedFlushes], vm.statistics.coreFlushes]).toEqual([[], 1]);
      // It has moved since its last set/way: the first one here flushes all.
      cpu.setWayLoop("flushDcacheAll");
      expect([[...cpu.owedFlushes], vm.statistics.coreFlushes]).toEqual([[0], 2]);
      cpu.runOn(0).load(RAM);
      expect(vm.statistics.coreFlushes).toBe(3);
    });

    /** Scheduled out in the middle of a loop (scenario 12), on a machine without a cache beyond set/way. */
    const interrupted = (without: readonly PolicyStep[]) => {
      const { L1I, L1D } = SMALL.caches ?? {};
      const machine = { ...SMALL, caches: { L1I, L1D } } as MachineDescription;
      const { vm, engine } = host(create, "3.9", { without, hostCore: 1 }, { starts: "caches on" }, machine);
      const cpu = vm.vcpu(0);
      cpu.fill(RAM, 2048, 7);
      cpu.operation("DC_CISW", 0);
      cpu.runOn(1);
      cpu.setWayLoop("flushDcacheAll");
      cpu.runOn(0);
      cpu.sctlr(OFF);
      return [cpu.load(RAM + 1024), harm(engine)];
    };
    it("is right for a loop that was interrupted and went on elsewhere", () => {
      expect(interrupted([])).toEqual([7n, []]);
    });
    it("isn't without the flush that the first core owes", () => {
      expect(interrupted(["owed flush at entry"])).not.toEqual([7n, []]);
    });
  });

  it("none passes set/way through: no exit, and the latent hazards of the bare machine", () => {
    const { vm, engine } = host(create, "none", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.fill(RAM, 256 * 64, 7);
    expect(cpu.setWayLoop("flushDcacheAll")).toBe(SMALL_LOOP);
    expect(vm.statistics.exits["set/way"]).toBe(0);
    expect(engine.hazards().map((each) => each.class)).toContain("set/way-short-of-poc");
  });
});
