/**
 * Do walks over tables that change under them come to what they come to in the reference model? No TLB and no walk cache holds
 * anything, so each access walks, mostly over lines of its L1D: what the kernel remembers of walks must notice each change.
 */
import { expect, test } from "vitest";
import { EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import {
  dc,
  encodeRecords,
  load,
  msr,
  type RecordEntry,
  record,
  setWayOperand,
  store,
} from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import {
  block,
  EL1,
  EL2,
  entries,
  L1,
  L2,
  L3,
  page,
  page2,
  S2,
  S2_L3,
  stageOneOn,
  stageOneTables,
  stageTwoOn,
  stageTwoTables,
  table,
  WALKS,
} from "../cases/translation/tables.ts";
import { differences, snapshot } from "../properties/compare.ts";
import { DEBUG_KERNELS, type EngineKind, REFERENCE, RELEASE_KERNELS } from "../properties/engines.ts";

/** Plain loads want an L2 that isn't the last level, and lru. */
const machineWith = (tlb: MachineDescription["tlb"]) =>
  loadMachine({
    cores: 2,
    caches: {
      L1D: { sets: 16, ways: 4, line: 64 },
      L2: { sets: 64, ways: 4, line: 64 },
      L3: { sets: 256, ways: 4, line: 64, kind: "system", per: "machine" },
    },
    memory: [{ size: "4MiB" }],
    tlb,
  });
const machine = machineWith({ micro: 0, entries: 0, ways: 1, walk: 0, ipa: 0 });

const STORE = store(0, 0).code;
const PAGES = 64;
const PAGE_BYTES = 4096;
/** Another table of level 3 of stage 1, and another of stage 2. */
const OTHER_L3 = 0x1_5000;
const OTHER_S2_L3 = 0x2_6000;
/** Pages below have the tables. */
const FIRST = 48;

const each = <T>(many: number, make: (i: number) => T): Record<number, T> =>
  Object.fromEntries(Array.from({ length: many }, (_, i) => [i, make(i)]));

/** Both stages map pages to themselves; their other tables exchange some. */
const tables = (): RecordEntry[] => [
  ...stageOneTables(
    0,
    each(PAGES, (i) => page(i * PAGE_BYTES)),
  ),
  ...entries(
    0,
    OTHER_L3,
    each(PAGES, (i) => page((i ^ 1) * PAGE_BYTES)),
  ),
  ...stageTwoTables(
    0,
    each(PAGES, (i) => page2(i * PAGE_BYTES)),
  ),
  ...entries(
    0,
    OTHER_S2_L3,
    each(PAGES, (i) => page2((i < 48 ? i : i ^ 2) * PAGE_BYTES)),
  ),
];

const changes: Readonly<Record<string, (core: number, i: number) => RecordEntry[]>> = {
  "another table of level 3": (core, i) => entries(core, L2, { 0: table(i & 1 ? OTHER_L3 : L3) }),
  "a block instead of a table": (core, i) => entries(core, L2, { 0: i & 1 ? block(0) : table(L3) }),
  "no table": (core, i) => entries(core, L1, { 0: i & 1 ? 0n : table(L2) }),
  "a table that forbids writes": (core, i) => entries(core, L2, { 0: table(L3, i & 1 ? 1n << 62n : 0n) }),
  "another table of stage 2": (core, i) => entries(core, S2, { 0: table(i & 1 ? OTHER_S2_L3 : S2_L3) }),
  "a page's descriptor": (core, i) => entries(core, S2_L3, { 50: page2((i & 1 ? 51 : 50) * PAGE_BYTES) }),
  "lines that go by set and way": (core, i) =>
    each16((set) =>
      record(
        i & 1 ? "DC_CISW" : "DC_ISW",
        core,
        setWayOperand(machine.caches[0] as (typeof machine.caches)[0], set, i % 4),
      ),
    ),
  "a line that is flushed": (core) => [dc.civac(core, L2)],
  registers: (core) => [msr(core, "TTBR0_EL1", L1)],
};
const each16 = (make: (set: number) => RecordEntry): RecordEntry[] => Array.from({ length: 16 }, (_, set) => make(set));

/** By a core that doesn't translate: core 1, or core 0 between two worlds; some stores past the caches. */
function changed(i: number, entriesOf: (core: number, i: number) => RecordEntry[]): RecordEntry[] {
  const core = (i >> 1) % 2;
  const isPast = i % 5 === 4;
  const made = entriesOf(core, i).map(
    (entry): RecordEntry => (isPast && entry.code === STORE ? { ...entry, attribute: 1 } : entry),
  );
  return core === 1 ? made : [msr(0, "CONTEXT", EL2), ...made, msr(0, "CONTEXT", EL1 | WALKS)];
}

function stream(nested: boolean, change: (core: number, i: number) => RecordEntry[]): RecordEntry[] {
  const made: RecordEntry[] = [...tables(), ...(nested ? stageTwoOn(0) : []), ...stageOneOn(0)];
  let state = 99;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < 40; i++) {
    for (let k = 0; k < 12; k++) {
      const va = (FIRST + random(PAGES - FIRST)) * PAGE_BYTES + random(8) * 64;
      made.push(random(4) === 0 ? store(0, va) : load(0, va));
    }
    made.push(...changed(i, change));
  }
  return made;
}

/** Of tables and data, a part. */
const BLOCKS = Array.from({ length: 0x3_0000 / 256 }, (_, i) => 0x1_0000 + i * 256);
const KERNELS = [...RELEASE_KERNELS, ...DEBUG_KERNELS].filter(({ carriesData }) => carriesData);

for (const [title, change] of Object.entries(changes)) {
  test.each(Object.entries({ "one stage": false, "two stages": true }))(`${title}: %s`, (_stages, nested) => {
    const entriesPlayed = stream(nested, change);
    const stateOf = (kind: EngineKind) => {
      const engine = kind.create(machine, EVERYTHING_RECORDED);
      // Each record by itself: those that exit end a batch.
      for (const entry of entriesPlayed) {
        try {
          engine.play(encodeRecords([entry]));
        } catch {
          // What it was is the engine's to tell.
        }
      }
      expect(engine.counters().machine.walkReads).toBeGreaterThan(500);
      return snapshot(engine, BLOCKS, { bytes: true });
    };
    const expected = stateOf(REFERENCE);
    for (const kernel of KERNELS) expect(differences(expected, stateOf(kernel)), kernel.name).toEqual([]);
  });
}

/** TLBs so small that nearly each access walks, in batches that are looked ahead of. */
const foreseen = machineWith({ micro: 2, entries: 4, ways: 2, walk: 0, ipa: 0 });
const HARMLESS = ["another table of level 3", "a page's descriptor", "a line that is flushed", "registers"];

test.each(HARMLESS)("walks that are foreseen: %s", (title) => {
  const change = changes[title] as (typeof changes)[string];
  const made: RecordEntry[] = [...tables(), ...stageTwoOn(0), ...stageOneOn(0)];
  for (let i = 0; i < 20; i++) {
    for (let k = 0; k < 200; k++) {
      // All pages behind the tables by turns: two kinds of order, some lines of each.
      const index = (k * (i % 2 ? 5 : 3) + (k >> 5)) % (PAGES - FIRST);
      made.push((k % 7 === 3 ? store : load)(0, (FIRST + index) * PAGE_BYTES + ((k * i) % 8) * 64));
    }
    made.push(...changed(i, change));
  }
  const stateOf = (kind: EngineKind) => {
    const engine = kind.create(foreseen, EVERYTHING_RECORDED);
    engine.play(encodeRecords(made));
    expect(engine.counters().tlbs[0]?.mainMisses).toBeGreaterThan(2000);
    return snapshot(engine, BLOCKS, { bytes: true });
  };
  const expected = stateOf(REFERENCE);
  for (const kernel of KERNELS) expect(differences(expected, stateOf(kernel)), kernel.name).toEqual([]);
});
