/** Do flushes over pages of which caches hold many lines come to what they come to in the reference model? */
import { expect, test } from "vitest";
import { EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import { encodeRecords, fetch, flushStage2, load, type RecordEntry, record, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import { block2, entries, page2, S2, S2_L3, stageTwoOn, stageTwoTables } from "../cases/translation/tables.ts";
import { differences, snapshot } from "../properties/compare.ts";
import { DEBUG_KERNELS, type EngineKind, REFERENCE, RELEASE_KERNELS } from "../properties/engines.ts";

const memory = [{ size: "4MiB" }];
const L1I = { sets: 16, ways: 2, line: 64 };
const L1D = { sets: 32, ways: 2, line: 64 };
/**
 * One unit, for which there is no directory, with and without a cache that includes the others; several; several outermost caches;
 * and what lines aren't taken together for.
 */
const MACHINES: Readonly<Record<string, MachineDescription>> = {
  "one core, whose L3 includes all": {
    cores: 1,
    caches: {
      L1I,
      L1D,
      L2: { sets: 64, ways: 4, line: 64 },
      L3: { sets: 256, ways: 4, line: 64, kind: "system", per: "machine" },
    },
    memory,
  },
  "one core, none of whose caches includes another": {
    cores: 1,
    caches: {
      L1D: { sets: 256, ways: 4, line: 64 },
      L2: { sets: 64, ways: 1, line: 64, inclusion: "nine" },
      L3: { sets: 64, ways: 1, line: 64, inclusion: "exclusive" },
    },
    memory,
  },
  "three cores with an L2 each under a system cache": {
    cores: 3,
    caches: {
      L1I,
      L1D,
      L2: { sets: 96, ways: 3, line: 64 },
      L3: { sets: 256, ways: 4, line: 64, kind: "system", per: "machine" },
    },
    memory,
  },
  "two sockets of two cores": {
    cores: 4,
    sockets: 2,
    caches: { L1I, L1D, L2: { sets: 64, ways: 4, line: 64 }, L3: { sets: 128, ways: 8, line: 64, per: "socket" } },
    memory,
  },
  "an L2 for both cores, and nothing outside it": {
    cores: 2,
    caches: { L1I, L1D, L2: { sets: 256, ways: 4, line: 64, per: "machine" } },
    memory,
  },
  "two sizes of line": {
    cores: 2,
    caches: { L1D: { sets: 64, ways: 2, line: 32 }, L2: { sets: 256, ways: 4, line: 64, per: "machine" } },
    memory,
  },
};

/** The guest's pages, behind those of the tables. */
const FIRST = 48;
const PAGES = 64;
const PAGE_BYTES = 4096;
const START = FIRST * PAGE_BYTES;
const BYTES = (PAGES - FIRST) * PAGE_BYTES;

/** Accesses of all cores, in runs and here and there; if `around`, some stores past the caches. */
function accesses(cores: number, many: number, seed: number, around: boolean): RecordEntry[] {
  const made: RecordEntry[] = [];
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  while (made.length < many) {
    const core = random(cores);
    const from = START + random(BYTES / 32) * 32;
    const run = random(3) ? 1 : random(80);
    for (let at = from; at < Math.min(from + run * 64, START + BYTES); at += 64) {
      const what = random(8);
      if (what === 0) made.push(fetch(core, at));
      else if (what < 4) made.push(load(core, at));
      else made.push(around && random(16) === 0 ? { ...store(core, at), attribute: 1 } : store(core, at));
    }
  }
  return made;
}

/** Pages that stage 2 maps to themselves, but for some that it maps otherwise or not at all; or all of them by one block. */
const MAPS: Readonly<Record<string, RecordEntry[]>> = {
  pages: stageTwoTables(
    0,
    Object.fromEntries(
      Array.from({ length: PAGES }, (_, i) => [
        i,
        i % 11 === 7 ? 0n : page2((i % 11 === 3 ? i ^ 1 : i) * PAGE_BYTES, i % 11 === 5 ? { memAttr: 5 } : {}),
      ]),
    ),
  ),
  "a block": entries(0, S2, { 0: block2(0) }),
};
const BLOCKS = Array.from({ length: (START + BYTES - S2) / 64 }, (_, i) => S2 + i * 64);
const KERNELS = [...RELEASE_KERNELS, ...DEBUG_KERNELS].filter(({ carriesData }) => carriesData);

for (const [title, description] of Object.entries(MACHINES)) {
  const ways = Object.entries(MAPS).flatMap(([map, tables]) => [
    { map, tables, around: false },
    { map, tables, around: true },
  ]);
  test.each(ways)(`${title}: $map, stores past the caches $around`, ({ tables, around }) => {
    const machine = loadMachine(description);
    const cores = machine.cores.length;
    const last = cores - 1;
    const stream = [
      ...tables,
      ...stageTwoOn(0, { hcr: 0n }),
      ...stageTwoOn(last, { hcr: 0n }),
      ...accesses(cores, 1500, 1, around),
      flushStage2(0, START, BYTES),
      record("DSB", 0, 0),
      ...accesses(cores, 1500, 2, around),
      // Parts of pages, then more than is mapped.
      flushStage2(last, START + 5 * PAGE_BYTES - 100, PAGE_BYTES + 300),
      ...accesses(cores, 300, 3, around),
      flushStage2(last, 0, 2 ** 21),
      flushStage2(0, 0, 2 ** 21),
    ];
    expect(S2_L3).toBeLessThan(START);
    const stateOf = (kind: EngineKind) => {
      const engine = kind.create(machine, EVERYTHING_RECORDED);
      engine.play(encodeRecords(stream));
      expect(engine.counters().machine.flushedLines).toBeGreaterThan(1000);
      return snapshot(engine, BLOCKS, { bytes: true });
    };
    const expected = stateOf(REFERENCE);
    for (const kernel of KERNELS) expect(differences(expected, stateOf(kernel)), kernel.name).toEqual([]);
  });
}
