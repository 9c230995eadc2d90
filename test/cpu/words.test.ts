/** Is what a user's own file misspells or forgets an error that says so, whether or not its types were looked at? */
import { describe, expect, it } from "vitest";
import { BareCpu } from "../../src/cpu/bare.ts";
import { DmaApi } from "../../src/devices/dma-api.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { Stage1Tables } from "../../src/hypervisor/index.ts";
import { loadMachine } from "../../src/machine/index.ts";

const cpu = new BareCpu(createKernel(loadMachine("rpi4")), 0);
const AT = 0x10_0000;
const tables = (options: object) => new Stage1Tables(cpu, { memory: { base: AT, bytes: 0x1_0000 }, ...options });

describe("words and numbers that mean nothing", () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      "an operation",
      () => cpu.operation("DC_CIVA" as never, AT),
      /no such operation; found DC_CIVA;.*did you mean DC_CIVAC\?/,
    ],
    ["maintenance", () => cpu.maintain("DC_CLVAC" as never, AT, 64), /did you mean DC_CVAC\?/],
    ["an attribute", () => cpu.load(AT, { attribute: "NONCACHEABLE" as never }), /did you mean NON_CACHEABLE\?/],
    [
      "a register",
      () => cpu.msr("SCTLR" as never, 1n),
      /no such system register; found SCTLR.*did you mean SCTLR_EL1\?/,
    ],
    ["a TLBI", () => cpu.tlbi("VAE2" as never), /no such kind of TLBI; found VAE2.*did you mean VAE1\?/],
    ["a loop", () => cpu.setWayLoop("flush_dcache_all" as never), /did you mean flushDcacheAll\?/],
    ["an event", () => cpu.charge("exits" as never), /did you mean exit\?/],
    ["a direction", () => new DmaApi(cpu).map(AT, 64, "to_device" as never), /did you mean to-device\?/],
    [
      "a memory type",
      () => tables({}).map(0, 0, 4096, { memory: "noncacheable" as never }),
      /did you mean non-cacheable\?/,
    ],
    ["a step", () => tables({ without: ["TLBIs"] }), /no such step to leave out; found TLBIs.*did you mean TLBI\?/],
    ["no address", () => cpu.load(undefined as never), /no address; found undefined/],
    ["half an address", () => cpu.store(AT + 0.5, 1), /no address; found 1048576.5/],
    ["no length", () => cpu.fill(AT, undefined as never, 0), /no length; found undefined/],
    ["no value", () => cpu.store(AT, undefined as never), /no value to store; found undefined/],
  ])("%s", (_what, body, message) => {
    expect(body).toThrow(message);
  });
});

it("speculation of instructions fills their cache and observes nothing", () => {
  const fresh = new BareCpu(createKernel(loadMachine("rpi4")), 0);
  fresh.store(AT, 0x42);
  fresh.load(AT);
  fresh.prefetchCode(AT);
  expect(fresh.engine.lastValue()).toBe(0x42n);
  expect(fresh.engine.hazards()).toEqual([]);
  expect(fresh.fetch(AT)).toBe(0n);
  expect(fresh.engine.hazards().map((hazard) => hazard.class)).toEqual(["stale-fetch"]);
});

describe("a kernel's own tables on a bare core", () => {
  const VA = 0x7000_0000;
  const [PAGE, OTHER] = [0x20_0000, 0x30_0000];
  /** Maps a page, uses it, maps another one there, and reads. */
  const remap = (without: readonly ("TLBI" | "break before make")[]) => {
    const core = new BareCpu(createKernel(loadMachine("rpi4")), 0);
    core.store(PAGE, 1);
    core.store(OTHER, 2);
    const memory = { base: AT, bytes: 0x1_0000 };
    const mapped = new Stage1Tables(core, { memory, without }).map(AT, AT, 0x1_0000).map(VA, PAGE, 4096).install();
    core.translate();
    expect(core.load(VA)).toBe(1n);
    mapped.map(VA, OTHER, 4096);
    return core.load(VA);
  };

  it("translate when it is told to, and forget what a careful kernel makes them forget", () => {
    expect(remap([])).toBe(2n);
    expect(remap(["TLBI"])).toBe(1n);
    expect(remap(["break before make"])).toBe(1n);
  });

  it("have their descriptors where they say", () => {
    const core = new BareCpu(createKernel(loadMachine("rpi4")), 0);
    const mapped = new Stage1Tables(core, { memory: { base: AT, bytes: 0x1_0000 } }).map(VA, PAGE, 4096);
    expect(mapped.entry(VA, 0)).toBeUndefined();
    expect(core.load(mapped.entry(VA, 3) as number) & 0xffff_f000n).toBe(BigInt(PAGE));
    expect(mapped.entry(0x7000_0000 * 2, 3)).toBeUndefined();
    core.translate().translate(false);
    expect(core.load(PAGE)).toBe(0n);
  });
});
