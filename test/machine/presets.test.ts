/** Are the machines that come with the package those that they claim to be, and does every number say where it is from? */
import { describe, expect, test } from "vitest";
import { loadMachine, PRESET_NAMES, presets, SET_WAY_ROUTINES, summarizeMachine } from "../../src/machine/index.ts";
import { coreRegisters } from "../../src/machine/registers.ts";

/** Dotted keys of everything that a description says, lists included. */
function keysOf(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, child]) => keysOf(child, path === "" ? key : `${path}.${key}`));
}

test("the list is the one promised", () => {
  expect(Object.keys(presets)).toEqual([...PRESET_NAMES]);
  expect(PRESET_NAMES).toHaveLength(14);
});

describe.each(PRESET_NAMES)("%s", (name) => {
  const description = presets[name];

  test("is a machine of that name, with a line for lists", () => {
    expect(loadMachine(name).name).toBe(name);
    expect(description.about).not.toBe("");
  });

  test("every value says its source or that it is an assumption", () => {
    const { name: _name, about: _about, sources = {}, ...said } = description;
    const covered = (key: string) =>
      Object.keys(sources).some((source) => key === source || key.startsWith(`${source}.`));
    expect(keysOf(said, "").filter((key) => !covered(key))).toEqual([]);
    expect(Object.values(sources).every((source) => source.length >= 5)).toBe(true);
    // What the schema fills in is no fact about this machine.
    expect(sources.latencies).toContain("assumption");
    if (description.memory === undefined) expect(sources.memory).toContain("assumption");
  });

  test("memory covers every recorded trace's addresses", () => {
    const regions = loadMachine(name).memory.map(({ base, sizeBytes }) => [base, base + sizeBytes]);
    expect(regions[0]![0]).toBe(0);
    for (let index = 1; index < regions.length; index++) expect(regions[index]![0]).toBe(regions[index - 1]![1]);
    expect(regions.at(-1)![1]).toBeGreaterThanOrEqual(16 * 2 ** 30);
  });
});

test("the geometry is that of the tables", () => {
  expect(Object.fromEntries(PRESET_NAMES.map((name) => [name, summarizeMachine(loadMachine(name))]))).toEqual({
    seattle: "8 cores, 1 socket; L1I 48 KiB, L1D 32 KiB, L2 1 MiB, L3 8 MiB (system); MOESI",
    "x-gene": "8 cores, 1 socket; L1I 32 KiB, L1D 32 KiB, L2 256 KiB, L3 8 MiB (system); MOESI",
    "thunderx-2s": "96 cores, 2 sockets; L1I 78 KiB, L1D 32 KiB, L2 16 MiB; MOESI",
    "altra-2s": "160 cores, 2 sockets; L1I 64 KiB, L1D 64 KiB, L2 1 MiB, L3 32 MiB (system); MOESI",
    "kunpeng916-2s": "64 cores, 2 sockets; L1I 48 KiB, L1D 32 KiB, L2 1 MiB, L3 32 MiB (system); MOESI",
    "kunpeng920-2s": "128 cores, 2 sockets; L1I 64 KiB, L1D 64 KiB, L2 512 KiB, L3 32 MiB (system); MOESI",
    graviton3: "64 cores, 1 socket; L1I 64 KiB, L1D 64 KiB, L2 1 MiB, L3 32 MiB (system); MOESI",
    tc2: "5 cores, 1 socket; L1I 32 KiB, L1D 32 KiB, L2 1 MiB; MOESI",
    exynos3250: "2 cores, 1 socket; L1I 32 KiB, L1D 32 KiB, L2 512 KiB; MOESI",
    exynos4412: "4 cores, 1 socket; L1I 32 KiB, L1D 32 KiB, outer 1 MiB; MOESI",
    rpi4: "4 cores, 1 socket; L1I 48 KiB, L1D 32 KiB, L2 1 MiB; MOESI",
    juno: "6 cores, 1 socket; L1I 48 KiB, L1D 32 KiB, L2 2 MiB; MOESI",
    "host-100c": "100 cores, 2 sockets; L1I 32 KiB, L1D 32 KiB, L2 512 KiB, L3 16 MiB (system); MESI",
    flat: "128 cores, 1 socket; no caches; MOESI",
  });
});

test("host-100c is the yardstick's machine: sets, ways, sharing, policies (R38)", () => {
  const machine = loadMachine("host-100c");
  const level = (name: string) => machine.caches.filter((cache) => cache.level === name);
  expect(machine.cores.map(({ socket }) => socket)).toEqual([...new Array(50).fill(0), ...new Array(50).fill(1)]);
  expect([level("L1I").length, level("L1D").length, level("L2").length, level("L3").length]).toEqual([
    100, 100, 100, 2,
  ]);
  for (const cache of [...level("L1I"), ...level("L1D")]) expect(cache).toMatchObject({ sets: 128, ways: 4 });
  for (const cache of level("L2")) expect(cache).toMatchObject({ sets: 1024, ways: 8, inclusionOfData: "inclusive" });
  for (const cache of level("L3"))
    expect(cache).toMatchObject({ sets: 16384, ways: 16, inclusionOfInstructions: "inclusive" });
  for (const cache of machine.caches) {
    expect(cache).toMatchObject({ lineBytes: 64, replacement: "lru", writePolicy: "back", allocate: "read-write" });
  }
  expect(level("L3").every(({ writebackTouches }) => !writebackTouches)).toBe(true);
  expect(machine).toMatchObject({ protocol: "mesi", idc: false, dic: false });
  expect(machine.memory).toEqual([{ base: 0, sizeBytes: 2 ** 38 - 64, socket: 0, type: "ram" }]);
});

test.each([
  ["seattle", "all", 512 + 16384],
  ["kunpeng916-2s", "all", 512 + 16384],
  ["thunderx-2s", "none", 256 + 131072],
  ["altra-2s", "el0", 1024 + 16384],
  ["graviton3", "el0", 1024 + 16384],
  ["exynos3250", "all", 512 + 8192],
  ["exynos4412", "all", 1024],
  ["flat", "all", 0],
] as const)("%s: AArch32 %s, a set/way loop of %d operations", (name, aarch32, operations) => {
  const machine = loadMachine(name);
  expect(machine.aarch32).toBe(aarch32);
  expect([...SET_WAY_ROUTINES.flushDcacheAll.operands(coreRegisters(machine, 0))]).toHaveLength(operations);
});

test("the cores' registers are those of the table where the geometry is the silicon's", () => {
  const clidr = (name: string, core = 0) => coreRegisters(loadMachine(name), core).clidr;
  const ctr = (name: string, core = 0) => coreRegisters(loadMachine(name), core).ctr;
  for (const name of ["seattle", "kunpeng916-2s", "rpi4", "juno", "tc2", "exynos3250"])
    expect(clidr(name)).toBe(0xa200023n);
  expect(clidr("altra-2s")).toBe(0x82000023n);
  expect(clidr("graviton3")).toBe(0x82000023n);
  expect(clidr("exynos4412")).toBe(0x9000003n);
  expect(ctr("seattle")).toBe(0x8444c004n);
  expect(ctr("graviton3")).toBe(0xb444c004n);
  // The A7 beside the A15: VIPT, with 32-byte instruction lines.
  expect([ctr("tc2", 0), ctr("tc2", 2)]).toEqual([0x8444c004n, 0x84448003n]);
  expect(ctr("exynos4412")).toBe(0x80038003n);
  expect(loadMachine("altra-2s").idc).toBe(true);
  expect(loadMachine("seattle").idc).toBe(false);
});
