/** Are cycles exactly events times latencies, by cause, and the machine's total the sum of its requesters' (R32, D36)? */
import { expect, it } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { dc, dsb, load, records, store } from "../../src/engine/record.ts";
import { cyclesOf, levelNames, totalCycles } from "../../src/machine/cycles.ts";
import { loadMachine } from "../../src/machine/index.ts";

const machine = loadMachine({
  cores: 2,
  caches: {
    L1I: { size: "4KiB", ways: 1 },
    L1D: { size: "4KiB", ways: 1, latency: 3 },
    L2: { size: "64KiB", ways: 4, per: "machine", kind: "architected", latency: 11 },
  },
  latencies: { snoop: 50, memory: 100, writeback: 7, maintenance: 20, dsb: 30 },
});

it("are priced by hand", () => {
  const engine = createKernel(machine);
  // Memory; L1D hit; snoop of core 0's dirty line; clean+invalidate by VA; DSB.
  engine.play(records(store(0, 0x1000), load(0, 0x1000), load(1, 0x1000), dc.civac(0, 0x1000), dsb(0)));
  const counters = engine.counters();
  const first = cyclesOf(machine, counters, 0);
  expect(first.byCause).toMatchObject({ "L1D hit": 3, memory: 100, maintenance: 20, dsb: 30 });
  expect(cyclesOf(machine, counters, 1).byCause).toMatchObject({ snoop: 50 });
  const all = totalCycles(machine, counters);
  expect(all.total).toBe(first.total + cyclesOf(machine, counters, 1).total);
  expect(all.total).toBe(Object.values(all.byCause).reduce((sum, cycles) => sum + cycles, 0));
});

it("name levels from the core outwards", () => {
  expect(levelNames(machine)).toEqual(["L1I", "L1D", "L2"]);
});
