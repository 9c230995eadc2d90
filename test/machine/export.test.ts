/** Is an exported machine the same machine for whoever reads it: this package's own import, dtc, and drcachesim's rules? */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { exportMachine } from "../../src/machine/export/index.ts";
import { importMachine } from "../../src/machine/import/index.ts";
import { loadDescription, loadMachine, PRESET_NAMES, type ResolvedMachine } from "../../src/machine/index.ts";
import { hasProgram, textFile } from "./import/fixtures.ts";

const reimported = (file: string, text: string): ResolvedMachine =>
  loadDescription(importMachine([textFile(file, text)]).description).machine;

/** What a device tree can say of a machine's caches: a home-placed one is its own socket's. */
const geometry = ({ caches, cores, outer }: ResolvedMachine) => {
  const byHome = new Set(
    caches.flatMap(({ parentBySocket }) => (new Set(parentBySocket).size > 1 ? parentBySocket : [])),
  );
  return [...caches, ...(outer === undefined ? [] : [outer])]
    .map((cache) => {
      const sharers = byHome.has(cache.id)
        ? cache.cores.filter((core) => cores[core]!.socket === cache.socket)
        : cache.cores;
      return `${cache.level} ${cache.sets} ${cache.ways} ${cache.lineBytes} ${sharers.join(",")}`;
    })
    .sort();
};

/** `flat` has no caches, which no device tree can say: import assumes an L1. */
const WITH_CACHES = PRESET_NAMES.filter((name) => loadMachine(name).caches.length > 0);

describe("device tree source", () => {
  it.each(WITH_CACHES)("%s comes back with its caches, cores, memory and devices", (name) => {
    const machine = loadMachine(name);
    const back = reimported("machine.dts", exportMachine(machine, "dts"));
    expect(geometry(back)).toEqual(geometry(machine));
    expect(back.cores.map(({ socket }) => socket)).toEqual(machine.cores.map(({ socket }) => socket));
    expect(back.memory).toEqual(machine.memory);
    expect(back.devices.map(({ coherent, socket }) => [coherent, socket])).toEqual(
      machine.devices.map(({ coherent, socket }) => [coherent, socket]),
    );
  });

  it.skipIf(!hasProgram("dtc", "--version")).each(PRESET_NAMES)("%s: dtc compiles it without a word", (name) => {
    const { status, stderr } = spawnSync("dtc", ["-O", "dtb", "-o", "/dev/null"], {
      input: exportMachine(loadMachine(name), "dts"),
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("says what it leaves out", () => {
    const text = exportMachine(loadMachine("seattle"), "dts");
    expect(text).toContain("/* Not said here: which levels are inclusive or exclusive. */");
    expect(text).toContain("next-level-cache");
    expect(text).toContain("dma-coherent;");
  });
});

describe("drcachesim", () => {
  /** Powers of two, one line length, every core with both L1s: what drcachesim's own reader insists on. */
  it.each(WITH_CACHES)("%s is what drcachesim accepts", (name) => {
    const machine = loadMachine(name);
    const text = exportMachine(machine, "drcachesim");
    const powerOfTwo = (value: string) => expect(Math.log2(Number(value)) % 1).toBe(0);
    for (const [, size] of text.matchAll(/^ {2}size (\d+)$/gm)) powerOfTwo(size!);
    for (const [, ways] of text.matchAll(/^ {2}assoc (\d+)$/gm)) powerOfTwo(ways!);
    const back = reimported("machine.conf", text);
    expect(back.cores).toHaveLength(machine.cores.length);
    expect(back.caches.map(({ level }) => level).sort()).toEqual(machine.caches.map(({ level }) => level).sort());
  });

  it("keeps what it can: the yardstick's host comes back with all its caches", () => {
    const machine = loadMachine("host-100c");
    const back = reimported("host.conf", exportMachine(machine, "drcachesim"));
    const plain = ({ caches }: ResolvedMachine) =>
      caches.map(({ level, sets, ways, lineBytes, cores }) => [level, sets, ways, lineBytes, cores.length]);
    expect(plain(back)).toEqual(plain(machine));
  });

  it("says what isn't the same", () => {
    const text = exportMachine(loadMachine("seattle"), "drcachesim");
    expect(text).toContain("// Not the same: L1I has 2 ways, not 3: a power of two.");
    const l1 = { size: "32KiB", ways: 4 };
    const prefetching = loadMachine({ cores: 1, caches: { L1I: l1, L1D: { ...l1, prefetch: "stride" } } });
    expect(exportMachine(prefetching, "drcachesim")).toContain("// Not the same: L1D has no stride prefetcher.");
  });

  it("refuses a machine without caches", () => {
    expect(() => exportMachine(loadMachine("flat"), "drcachesim")).toThrow(/can't have; found flat: core 0 without/);
  });
});
