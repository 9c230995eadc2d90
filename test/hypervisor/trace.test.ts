/** Does a recorded boot run in a VM: all of it, fast, and with the flushes that KVM of the time made of it? */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { dc, load, records, store } from "../../src/engine/record.ts";
import { type EraName, Hypervisor } from "../../src/hypervisor/index.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { type RecordedBoot, readBoot } from "../../src/scenario/decompressor/boot.ts";
import { bootStream, prepareDecompression } from "../../src/scenario/decompressor/stream.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { ENGINES, harm, host, MIB, RAM } from "./engines.ts";

const TRACE = fileURLToPath(new URL("../../traces/zimage-boot-l3.swt", import.meta.url));

describe.each(ENGINES)("on the %s", (_, create) => {
  it("a trace runs as its virtual CPU's, wherever that is, prefixes and faults included", () => {
    const { vm } = host(create, "modern", {}, { starts: "caches on", cores: [1] });
    const cpu = vm.vcpu(0);
    cpu.playTrace(
      records(
        store(0, RAM + 0xffc, { sizeBytes: 8, value: 0x1122_3344_5566_7788n }),
        load(0, RAM + 0x5000),
        dc.civac(0, RAM + 0x5000),
      ),
    );
    expect(cpu.load(RAM + 0xffc)).toBe(0x1122_3344_5566_7788n);
    expect(vm.statistics.exits["page fault"]).toBe(3);
  });

  it("requesters of a trace are virtual CPUs, each on its own core", () => {
    const { vm } = host(create, "modern", {}, { starts: "caches on", vcpus: 2, cores: [1, 0] });
    vm.playTrace(records(store(0, RAM, { value: 1n }), store(1, RAM + 64, { value: 2n }), load(0, RAM + 64)));
    expect([vm.vcpu(1).load(RAM), vm.vcpu(0).load(RAM + 64)]).toEqual([1n, 2n]);
    vm.vcpu(1).runOn(1);
    expect(() => vm.playTrace(records(load(0, RAM), load(1, RAM)))).toThrow(/a core for each/);
    expect(() => vm.playTrace(records(load(2, RAM)))).toThrow(/no such virtual CPU/);
  });
});

describe.skipIf(!existsSync(TRACE))("Debian's 32-bit kernel, decompressed with 4.1's set/way loops, on Seattle", () => {
  let boot: RecordedBoot | undefined;
  const run = async (era: EraName) => {
    boot ??= await readBoot(await openTraceFile(TRACE));
    const machine = loadMachine("seattle");
    const engine = createKernel(machine);
    const hypervisor = new Hypervisor(engine, { era });
    const vm = hypervisor.createVm({ memory: 256 * MIB, aarch32: true });
    const stream = bootStream(boot, prepareDecompression(boot), machine, "setway");
    for (const { words } of stream.parts) vm.vcpu(0).playTrace(words);
    return { vm, engine, operations: stream.flushOperations + stream.invalidateOperations };
  };

  it("4.1: four whole-VM flushes, and nothing goes wrong", async () => {
    const { vm, engine, operations } = await run("4.1");
    expect(vm.statistics.wholeVmFlushes).toBe(4);
    expect(vm.statistics.exits["set/way"]).toBe(operations);
    expect(operations).toBe(2 * 16_896 + 512);
    expect(harm(engine)).toEqual([]);
  }, 240_000);

  it.runIf(process.env.SETWAY_FULL === "1")(
    "none: the system cache keeps the kernel, and caches off find what was there before",
    async () => {
      const { vm, engine } = await run("none");
      expect(vm.statistics.wholeVmFlushes).toBe(0);
      expect(harm(engine)).toContain("stale-fetch");
    },
    240_000,
  );
});
