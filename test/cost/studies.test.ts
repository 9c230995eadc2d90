/** Do the other studies show what the architecture and Linux's code make of each case, and does what costs more come out so? */
import { describe, expect, it } from "vitest";
import { loadMachine } from "../../src/machine/index.ts";
import { A57, type FlatRow, rowsOf, study } from "./played.ts";

const by = (rows: readonly FlatRow[], key: string) => new Map(rows.map((row) => [row[key] as string | number, row]));

describe("dma", () => {
  it.each([
    ["arm64", "to-device", 1],
    ["arm64", "from-device", 2],
    ["arm64", "bidirectional", 2],
    ["arm", "to-device", 1],
    ["arm", "from-device", 2],
  ])("%s %s maintains each line %i times, and nothing if the device snoops", async (flavour, direction, times) => {
    const [row] = await rowsOf("dma", { flavour, direction, size: "8KiB" });
    expect(row?.operations).toBe(times * 128);
    expect(row?.maintenanceCycles).toBeGreaterThanOrEqual(times * 128 * 20);
    expect(row!.cpuCycles! - row!.maintenanceCycles!).toBe(row?.coherentCpuCycles);
  });

  it("writes back what is dirty before data comes in", async () => {
    const rows = await rowsOf("dma", { direction: "from-device", size: "8KiB", dirty: "0,50,100" });
    const { writeback } = loadMachine(A57).latencies;
    const [none, half, all] = rows.map((row) => row.maintenanceCycles!) as [number, number, number];
    expect(half - none).toBe(64 * writeback);
    expect(all - none).toBe(128 * writeback);
  });
});

describe("jit", () => {
  it("leaves out what CTR_EL0 makes superfluous, never the ISB", async () => {
    const rows = by(await rowsOf("jit", { bytes: "1KiB" }), "features");
    const facts = (name: string) => {
      const { cleans, invalidates, barriers } = rows.get(name) as FlatRow;
      return [cleans, invalidates, barriers];
    };
    expect(facts("neither")).toEqual([16, 16, 3]);
    expect(facts("idc")).toEqual([0, 16, 3]);
    expect(facts("dic")).toEqual([16, 0, 2]);
    expect(facts("idc+dic")).toEqual([0, 0, 2]);
    expect(rows.get("idc+dic")!.maintenanceCycles!).toBeLessThan(rows.get("neither")!.maintenanceCycles! / 10);
  });

  it("charges the system call of AArch32 programs, and an ISB on every core", async () => {
    const [own, call] = await rowsOf("jit", { bytes: "64", features: "neither", by: "program,syscall" });
    expect(call!.maintenanceCycles! - own!.maintenanceCycles!).toBe(loadMachine(A57).latencies.syscall);
    const [two] = await rowsOf("jit", { bytes: "64", features: "neither", cores: "2" });
    expect(two!.barriers).toBe(own!.barriers! + 1);
    await expect(study("jit", { cores: "3" })).rejects.toThrow("--cores: more than the machine has");
  });
});

describe("unmap-flush", () => {
  it("flushes every line out and in, or none, and rates multiply the cost of a page", async () => {
    const rows = await rowsOf("unmap-flush", { rate: "1000,10000", sample: "8" });
    const [flush, fwb, flushTenfold] = rows as [FlatRow, FlatRow, FlatRow];
    expect([flush.linesOut, flush.linesIn, fwb.linesOut, fwb.linesIn]).toEqual([64, 64, 0, 0]);
    expect(flush.cyclesPerPage! - fwb.cyclesPerPage!).toBeGreaterThan(128 * 20);
    expect(flushTenfold.coresPercent).toBeCloseTo(10 * flush.coresPercent!, 6);
  });
});

describe("vga", () => {
  it("shows old frames without a remedy only, and traps are what costs most", async () => {
    const rows = by(await rowsOf("vga", { resolution: "640x480", changed: "2" }), "remedy");
    const shows = [...rows].map(([remedy, row]) => [remedy, row.shows as unknown]);
    expect(shows.filter(([, shown]) => shown !== "the frame")).toEqual([["none", "an old frame"]]);
    const rate = (remedy: string) => rows.get(remedy)!.framesPerSecond!;
    expect(Math.min(...[...rows].map(([, row]) => row.framesPerSecond!))).toBe(rate("trap"));
    expect(rate("coherent")).toBe(rate("stage2-cacheable"));
    expect(rate("coherent")).toBeGreaterThan(rate("virtio-gpu"));
    expect(rate("user-maintenance")).toBeGreaterThan(rate("user-uncached"));
    // 640 x 480 x 4 bytes, two of a hundred.
    expect(rows.get("trap")?.exits).toBe(24_576 / 8);
    expect(rows.get("user-maintenance")?.operations).toBe(24_576 / 64);
  });
});

describe("tlb", () => {
  it("reads as many tables as the levels of both stages say, without caches for walks", async () => {
    const rows = await rowsOf("tlb", {
      pages: "16",
      stages: "nested",
      caches: "none",
      "va-bits": "all",
      "ipa-bits": "all",
    });
    // (levels of stage 1 + 1) x (levels of stage 2 + 1) - 1.
    expect(rows.map((row) => [row["va-bits"], row["ipa-bits"], row.coldReferences] as unknown[])).toEqual([
      ["39", "40", 15],
      ["39", "48", 19],
      ["48", "40", 19],
      ["48", "48", 24],
    ]);
  });

  it("costs more nested than alone, more without walk caches, nothing where the TLB has it all", async () => {
    const rows = await rowsOf("tlb", { pages: "16,2048", stages: "stage1,nested" });
    const cell = (pages: number, stages: string, caches: string) =>
      rows.find(
        (row) => row.pages === pages && (row.stages as unknown) === stages && (row.caches as unknown) === caches,
      )!;
    expect(cell(16, "nested", "none").missPercent).toBe(0);
    expect(cell(2048, "nested", "none").referencesPerMiss).toBe(24);
    expect(cell(2048, "stage1", "none").referencesPerMiss).toBe(4);
    expect(cell(2048, "stage1", "walk-caches").referencesPerMiss).toBeLessThan(1.5);
    const cost = (stages: string, caches: string) => cell(2048, stages, caches).walkCyclesPerLoad!;
    expect(cost("nested", "none")).toBeGreaterThan(3 * cost("nested", "walk-caches"));
    expect(cost("nested", "none")).toBeGreaterThan(3 * cost("stage1", "none"));
  });
});
