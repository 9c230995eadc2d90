/** Does emulated set/way land on the figures that are known of it, and is what was scaled what would have been played? */
import { describe, expect, it } from "vitest";
import { loadMachine, type MachineDescription } from "../../src/machine/index.ts";
import { qemuCpus } from "../machine/qemu-cpus.ts";
import { A57, rowsOf, study } from "./played.ts";

const SMALL = { guest: "64MiB", dirty: "0", sample: "2MiB" };

const cpu = (name: string): MachineDescription => {
  const found = qemuCpus().find(({ row }) => row.cpu === name);
  if (found === undefined) throw new Error(`no CPU ${name}`);
  return found.description;
};

describe("exits of one loop (test/machine/data/setway_summary.tsv)", () => {
  it.each([
    ["two A57 with 1 MiB", A57, 16_896],
    ["QEMU's A57 with 2 MiB", cpu("aarch64_a57"), 33_280],
    ["A9", cpu("cortex_a9"), 512],
    ["A64FX, whose LoC is 0", cpu("aarch64_a64fx"), 0],
  ])("%s: the host's geometry is an exit an operation, a made-up one at most two", async (_, machine, exits) => {
    const rows = await rowsOf("setway-emulation", { ...SMALL, method: "whole-vm" }, machine);
    expect(rows.map((row) => row.geometry)).toEqual(["host", "fabricated"]);
    expect(rows[0]?.exits).toBe(exits);
    expect(rows[1]?.exits).toBeLessThanOrEqual(2);
    expect(rows[1]?.exits).toBeGreaterThan(0);
    // No operation, no trap, no flush: a core without set/way levels gives KVM nothing to notice.
    expect(rows.map((row) => row.flushes)).toEqual([exits > 0 ? 1 : 0, 1]);
  });

  it("natively and one by one the hardware executes them all, under FEAT_S2FWB none", async () => {
    const rows = await rowsOf("setway-emulation", { ...SMALL, method: "native,per-operation,fwb", geometry: "host" });
    expect(rows.map(({ method, exits, operations, lines }) => [method, exits, operations, lines])).toEqual([
      ["native", 0, 16_896, 0],
      ["per-operation", 16_896, 16_896, 0],
      ["fwb", 16_896, 0, 0],
    ]);
    // Little is dirty but the host's own lines: the rest is operations and exits.
    const { exit, entry, maintenance } = loadMachine(A57).latencies;
    const each = [maintenance, maintenance + exit + entry, exit + entry];
    for (const [index, row] of rows.entries()) expect(row.cycles! / (16_896 * each[index]!)).toBeCloseTo(1, 1);
  });
});

describe("the flush of the whole VM", () => {
  it("happens four times in a zImage boot of 4.1, over 67,108,864 lines each where 4 GiB are mapped", async () => {
    const [row] = await rowsOf("setway-emulation", {
      ...SMALL,
      guest: "4GiB",
      method: "whole-vm",
      geometry: "host",
      sequence: "boot",
    });
    expect(row?.flushes).toBe(4);
    expect(row?.lines).toBe(4 * 67_108_864);
    expect(row?.exits).toBe(2 * 16_896 + 512);
    // SCTLR on, off, on.
    expect(row?.otherExits).toBe(3);
  });

  it("is of what is mapped, not of what the guest has", async () => {
    const rows = await rowsOf("setway-emulation", {
      ...SMALL,
      guest: "4GiB",
      mapped: "1,50,100",
      method: "whole-vm",
      geometry: "fabricated",
    });
    // 1 % in whole blocks of 2 MiB.
    expect(rows.map(({ lines }) => lines)).toEqual([20 * 32_768, 33_554_432, 67_108_864]);
    expect(rows[2]!.lockMilliseconds! / rows[1]!.lockMilliseconds!).toBeCloseTo(2, 2);
  });

  it.each(["page", "block"])(
    "costs by a sample what it costs when it is played, with dirty lines, by %s",
    async (mapping) => {
      const parameters = {
        guest: "64MiB",
        mapped: "25",
        dirty: "4",
        mapping,
        method: "whole-vm",
        geometry: "fabricated",
      };
      const [sampled] = await rowsOf("setway-emulation", { ...parameters, sample: "2MiB" });
      const played = await study("setway-emulation", { ...parameters, sample: "16MiB" });
      expect(played.notes).toEqual([]);
      const whole = played.rows[0]!.cells as Record<string, number>;
      expect(sampled?.lines).toBe(whole.lines);
      expect(Math.abs(sampled!.cycles! / whole.cycles! - 1)).toBeLessThan(0.001);
    },
  );

  it("says what was scaled", async () => {
    const { notes } = await study("setway-emulation", { ...SMALL, method: "whole-vm", geometry: "host" });
    expect(notes.join()).toMatch(/^played 2 MiB of mapped memory; .* additive \(R32\)$/);
  });

  it("throws out what the others work on; the loop on the hardware leaves it alone", async () => {
    const rows = await rowsOf("setway-emulation", {
      ...SMALL,
      vcpus: "2",
      method: "per-operation,whole-vm",
      geometry: "host",
      "working-set": "8KiB",
    });
    const { memory } = loadMachine(A57).latencies;
    // 128 lines, each once from memory instead of from L1D.
    expect(rows[1]?.refillCycles).toBeGreaterThanOrEqual(128 * (memory - 4));
    expect(rows[0]?.refillCycles).toBeLessThan(128 * (memory - 4));
  });
});

describe("what means nothing", () => {
  it.each([
    [{ vcpus: "3" }, "--vcpus: more than the machine has cores; found 3; expected 1 to 2 (two-a57)"],
    [{ method: "native", geometry: "fabricated" }, "no combination of these values means anything"],
    [{ gest: "1GiB" }, "did you mean guest?"],
  ])("%j is refused before anything is played", async (parameters, message) => {
    await expect(study("setway-emulation", parameters as Record<string, string>)).rejects.toThrow(message);
  });
});
