/** Does the DMA API issue, line by line, what arch/arm64 and arch/arm issue for each direction and each odd end? */
import { describe, expect, it } from "vitest";
import { BareCpu } from "../../src/cpu/bare.ts";
import { CoherentPool, DmaApi, type DmaDirection, DmaEngine, Pl310 } from "../../src/devices/index.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { Recorder } from "../../src/scenario/recorder.ts";

const A = 0x10_0000;
const NAMES = new Map<number, string>(Object.entries(OPERATIONS).map(([name, { code }]) => [code, name]));

function rig(machine = "rpi4") {
  const engine = new Recorder(createKernel(loadMachine(machine)));
  const cpu = new BareCpu(engine, 0);
  /** What was played by `work`, as `DC_CVAC +0`. */
  const played = (work: () => void): string[] => {
    const first = engine.records;
    work();
    return [...engine.recordsBetween(first, engine.records)].map(({ code, operand }) =>
      code === OPERATIONS.DSB.code ? "DSB" : `${NAMES.get(code)} ${operand >= A ? `+${operand - A}` : operand}`,
    );
  };
  return { engine, cpu, played };
}

const sync = (dma: DmaApi, direction: DmaDirection, address = A, bytes = 128) => ({
  device: () => dma.syncForDevice(address, bytes, direction),
  cpu: () => dma.syncForCpu(address, bytes, direction),
});

describe("arm64", () => {
  it.each(["to-device", "from-device", "bidirectional"] as const)("cleans for the device, %s", (direction) => {
    const { cpu, played } = rig();
    expect(played(sync(new DmaApi(cpu), direction).device)).toEqual(["DC_CVAC +0", "DC_CVAC +64", "DSB"]);
  });

  it("invalidates for the CPU unless the device only read", () => {
    const { cpu, played } = rig();
    const dma = new DmaApi(cpu);
    expect(played(sync(dma, "to-device").cpu)).toEqual([]);
    for (const direction of ["from-device", "bidirectional"] as const) {
      expect(played(sync(dma, direction).cpu)).toEqual(["DC_IVAC +0", "DC_IVAC +64", "DSB"]);
    }
  });

  it("cleans partial lines at both ends, the end's first", () => {
    const { cpu, played } = rig();
    const { cpu: forCpu } = sync(new DmaApi(cpu), "from-device", A + 8, 200);
    expect(played(forCpu)).toEqual(["DC_CIVAC +192", "DC_CIVAC +0", "DC_IVAC +64", "DC_IVAC +128", "DSB"]);
  });

  it("does nothing for a device that it believes coherent", () => {
    const { cpu, played } = rig();
    const both = sync(new DmaApi(cpu, { coherent: true }), "bidirectional");
    expect(played(() => [both.device(), both.cpu()])).toEqual([]);
  });

  it("steps by the smallest data line, and warns of lines larger than its alignment", () => {
    const { cpu, played } = rig("exynos4412");
    expect(played(sync(new DmaApi(cpu), "to-device", A, 64).device)).toEqual(["DC_CVAC +0", "DC_CVAC +32", "DSB"]);
    expect(new DmaApi(rig("thunderx-2s").cpu).alignmentTooSmall).toBe(false);
    expect(new DmaApi(rig("thunderx-2s").cpu, { flavour: "arm" }).alignmentTooSmall).toBe(true);
  });
});

describe("arm", () => {
  it("invalidates where arm64 cleans: for a device that will only write", () => {
    const { cpu, played } = rig();
    const dma = new DmaApi(cpu, { flavour: "arm" });
    expect(played(sync(dma, "from-device").device)).toEqual(["DC_IVAC +0", "DC_IVAC +64", "DSB"]);
    expect(played(sync(dma, "bidirectional").device)).toEqual(["DC_CVAC +0", "DC_CVAC +64", "DSB"]);
  });

  it("maintains the outer cache last for the device, first for the CPU", () => {
    const { engine, cpu, played } = rig("exynos4412");
    const outer = new Pl310(engine.machine.outer ?? { lineBytes: 32, ways: 16 });
    const both = sync(new DmaApi(cpu, { flavour: "arm", outer }), "from-device", A, 32);
    const expected = (...names: string[]) => names.flatMap((name) => [`${name} +0`, "DSB"]);
    expect(played(both.device)).toEqual(expected("DC_IVAC", "OUTER_INVALIDATE_PA"));
    expect(played(both.cpu)).toEqual(expected("OUTER_INVALIDATE_PA", "DC_IVAC"));
  });
});

describe("PL310", () => {
  it("is enabled after invalidating every way, once", () => {
    const { engine, cpu, played } = rig("exynos4412");
    const outer = new Pl310(engine.machine.outer ?? { lineBytes: 32, ways: 16 });
    expect(played(() => outer.enable(cpu))).toEqual(["OUTER_INVALIDATE_WAY 65535", "DSB", "OUTER_CONTROL 1"]);
    expect(played(() => outer.enable(cpu))).toEqual([]);
    expect(outer.read(0x100)).toBe(1);
  });

  it("cleans partial lines before it invalidates", () => {
    const { engine, cpu, played } = rig("exynos4412");
    const outer = new Pl310(engine.machine.outer ?? { lineBytes: 32, ways: 16 });
    expect(played(() => outer.invalidateRange(cpu, A + 8, 96))).toEqual([
      "OUTER_FLUSH_PA +0",
      "OUTER_FLUSH_PA +96",
      "OUTER_INVALIDATE_PA +32",
      "OUTER_INVALIDATE_PA +64",
      "DSB",
    ]);
  });
});

describe("coherent pool", () => {
  const pages = () => {
    let next = A;
    return (bytes: number) => {
      next += bytes;
      return next - bytes;
    };
  };

  it("gives uncached memory that holds zeroes where the device doesn't snoop", () => {
    const { engine, cpu } = rig();
    const buffer = new CoherentPool(cpu, pages()).allocate(4096);
    expect(buffer.attribute).toBe("NON_CACHEABLE");
    expect(engine.copies(buffer.address)).toEqual([]);
    cpu.store(buffer.address, 7n, { attribute: buffer.attribute });
    expect(new DmaEngine(engine, "dma").read(buffer.address)).toBe(7n);
    expect(engine.hazards()).toEqual([]);
  });

  it("shows the known bug where it isn't cleaned: zeroes are written back over what came since", () => {
    const { engine, cpu } = rig();
    const { address } = new CoherentPool(cpu, pages(), { withoutClean: true }).allocate(4096);
    cpu.store(address, 7n, { attribute: "NON_CACHEABLE" });
    for (let level = 0; level < 2; level++) cpu.evict(address);
    expect(engine.hazards().map((hazard) => hazard.class)).toContain("lost-write");
  });

  it("gives ordinary memory where the device is believed coherent", () => {
    const { cpu } = rig("seattle");
    expect(new CoherentPool(cpu, pages(), { coherent: true }).allocate(4096).attribute).toBe("WRITE_BACK");
  });
});

describe("DMA engine", () => {
  it("names the nearest device where there is none of that name", () => {
    const { engine } = rig("juno");
    expect(() => new DmaEngine(engine, "pice")).toThrow(/did you mean pcie\?/);
  });

  it("translates page by page", () => {
    const { engine, cpu } = rig();
    const pages = new Map([
      [0, A],
      [0x1000, A + 0x8000],
    ]);
    const dma = new DmaEngine(engine, "dma", { translate: (at) => (pages.get(at - (at % 4096)) ?? 0) + (at % 4096) });
    dma.write(0xff8, 5n, 16);
    expect(cpu.load(A + 0xff8)).toBe(5n);
    expect(cpu.load(A + 0x8000)).toBe(5n);
  });

  it("copies bytes", () => {
    const { engine, cpu } = rig();
    const dma = new DmaEngine(engine, "dma");
    dma.write(A, 1n);
    dma.write(A + 8, 2n);
    dma.copy(A, A + 256, 12);
    expect([cpu.load(A + 256), cpu.load(A + 264, { size: 4 })]).toEqual([1n, 2n]);
  });
});
