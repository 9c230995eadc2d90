/** Do loops of DC CISW over caches of many sets come to what the same operations come to one by one in the reference model? */
import { expect, test } from "vitest";
import { EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import { dc, encodeRecords, load, type RecordEntry, record, setWayOperand, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import { differences, snapshot } from "../properties/compare.ts";
import { DEBUG_KERNELS, type EngineKind, REFERENCE, RELEASE_KERNELS } from "../properties/engines.ts";

const memory = [{ size: "16MiB" }];
/** More sets than are looked at together, and than a word of marks has bits; one number of sets that is no power of two. */
const MACHINES: Readonly<Record<string, MachineDescription>> = {
  "two cores with an L2 each under a system cache": {
    cores: 2,
    caches: {
      L1I: { sets: 16, ways: 1, line: 64 },
      L1D: { sets: 32, ways: 2, line: 64 },
      L2: { sets: 160, ways: 3, line: 64 },
      L3: { sets: 512, ways: 2, line: 64, kind: "system", per: "machine" },
    },
    memory,
  },
  "two sizes of line, and an L2 for both cores": {
    cores: 2,
    caches: { L1D: { sets: 128, ways: 2, line: 32 }, L2: { sets: 128, ways: 4, line: 64, per: "machine" } },
    memory,
  },
  "one core, whose L3 includes all": {
    cores: 1,
    caches: {
      L1D: { sets: 64, ways: 4, line: 64 },
      L2: { sets: 256, ways: 4, line: 64 },
      L3: { sets: 512, ways: 4, line: 64, kind: "system", per: "machine" },
    },
    memory,
  },
};

type Order = (a: readonly [set: number, way: number], b: readonly [set: number, way: number]) => number;
const ORDERS: Readonly<Record<string, Order>> = {
  "sets upwards in each way": (a, b) => a[1] - b[1] || a[0] - b[0],
  "sets downwards in each way": (a, b) => b[1] - a[1] || b[0] - a[0],
  "ways in each set": (a, b) => a[0] - b[0] || a[1] - b[1],
};

function loop(machine: ResolvedMachine, core: number, order: Order): RecordEntry[] {
  const levels = machine.caches.filter(
    ({ holds, setWay, cores }) => holds !== "instructions" && setWay && cores.includes(core),
  );
  return levels.flatMap((cache) => {
    const places = Array.from(
      { length: cache.sets * cache.ways },
      (_, i) => [i % cache.sets, Math.floor(i / cache.sets)] as const,
    );
    return places.sort(order).map(([set, way]) => dc.cisw(core, setWayOperand(cache, set, way)));
  });
}

/** Loads and stores of all cores; some lines twice, so that copies move; a tenth of them past the caches if `around`. */
function accesses(machine: ResolvedMachine, around: boolean): RecordEntry[] {
  const entries: RecordEntry[] = [];
  let state = 12345;
  for (let i = 0; i < 1500; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const core = (state >>> 8) % machine.cores.length;
    const address = ((state >>> 10) % 2048) * 32;
    const isPast = around && i % 10 === 0;
    const entry = state >>> 31 || isPast ? store(core, address) : load(core, address);
    entries.push(isPast ? { ...entry, attribute: 1 } : entry);
  }
  return entries;
}

const KERNELS = [...RELEASE_KERNELS, ...DEBUG_KERNELS];
const AROUND = { "in step with memory": false, "after stores past the caches": true };

for (const [title, description] of Object.entries(MACHINES)) {
  // One order every day, all with SETWAY_FULL=1.
  const orders = Object.entries(ORDERS).slice(0, process.env.SETWAY_FULL === "1" ? undefined : 1);
  for (const [orderTitle, order] of orders) {
    test.each(Object.entries(AROUND))(`${title}: ${orderTitle}, %s`, (_around, around) => {
      const machine = loadMachine(description);
      const whole = loop(machine, 0, order);
      const entries = [
        ...accesses(machine, around),
        // Part of a loop, then all of it, then another that finds nothing, and the other core's.
        ...whole.slice(0, 200),
        ...whole,
        record("DSB", 0, 0),
        ...accesses(machine, false).slice(0, 500),
        ...whole.slice(77),
        ...whole,
        ...loop(machine, machine.cores.length - 1, order),
      ];
      const blocks = Array.from({ length: (2048 * 32) / 64 }, (_, i) => i * 64);
      const stateOf = (kind: EngineKind, bytes: boolean) => {
        const engine = kind.create(machine, EVERYTHING_RECORDED);
        engine.play(encodeRecords(entries));
        return snapshot(engine, blocks, { bytes });
      };
      for (const carriesData of [true, false]) {
        const expected = stateOf(REFERENCE, carriesData);
        for (const kernel of KERNELS.filter((each) => each.carriesData === carriesData))
          expect(differences(expected, stateOf(kernel, carriesData)), kernel.name).toEqual([]);
      }
    });
  }
}
