/** Does `--sweep` mean the sizes that were typed, and is each machine the same one but for that cache? */
import { describe, expect, it } from "vitest";
import { loadDescription } from "../../src/machine/index.ts";
import { parseSweep, variantsOf } from "../../src/scenario/decompressor/sweep.ts";

const MIB = 2 ** 20;

describe("sizes", () => {
  it.each([
    ["l3=0,4MiB..64MiB", [0, 4, 8, 16, 32, 64]],
    ["L3=8MiB", [8]],
    ["L2=1MiB..3MiB,1MiB", [1, 2]],
  ])("of %s", (text, sizes) => {
    expect(parseSweep(text).sizes).toEqual(sizes.map((size) => size * MIB));
  });

  it.each([
    "l3",
    "l3=",
    "=4MiB",
    "l3=big",
    "l3=8MiB..4MiB",
    "l3=0..4MiB",
    "l3=4MiB..",
    "l3=1..2..3",
    "l3=1..1TiB,0,4KiB..1TiB",
  ])("%s is refused", (text) => {
    expect(() => parseSweep(text)).toThrow("bad sweep");
  });
});

describe("machines", () => {
  const sizes = (name: string, sweep: string) =>
    variantsOf(loadDescription(name), parseSweep(sweep)).map(({ machine, label }) => ({
      label,
      sizes: machine.caches
        .filter(({ level }) => level === "L3")
        .map(({ sets, ways, lineBytes }) => (sets * ways * lineBytes) / MIB),
      others: machine.caches.filter(({ level }) => level !== "L3").length,
    }));

  it("have the level in that size in every socket, or don't have it", () => {
    expect(sizes("kunpeng916-2s", "l3=0,4MiB..8MiB")).toEqual([
      { label: "no L3", sizes: [], others: 144 },
      { label: "L3 4 MiB", sizes: [4, 4], others: 144 },
      { label: "L3 8 MiB", sizes: [8, 8], others: 144 },
    ]);
  });

  it("without that level are refused with the levels that there are", () => {
    expect(() => sizes("rpi4", "l3=4MiB")).toThrow(/rpi4 has no such cache to sweep; found l3; expected L1I, L1D, L2/);
  });

  it("keep devices that asked for the cache that is gone", () => {
    const { description } = loadDescription("seattle");
    const asking = loadDescription({ ...description, devices: [{ name: "sata", coherent: true, allocate: "system" }] });
    const [without, small] = variantsOf(asking, parseSweep("l3=0,4MiB"));
    expect(without?.machine.devices[0]?.allocate).toBe("memory");
    expect(small?.machine.devices[0]?.allocate).toBe("system");
  });
});
