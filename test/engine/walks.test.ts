/**
 * Do loads that walk one behind the other, which the kernel looks up, walks and plays in one loop, come to what they come to in the
 * reference model? Among pages that are plain lie some that are not, so that the loop ends before a record, or in the middle of one.
 */
import { expect, test } from "vitest";
import { EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import type { Exit } from "../../src/engine/exit.ts";
import { encodeRecords, fetch, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import {
  AP,
  entries,
  L3,
  NOT_GLOBAL,
  page,
  page2,
  S2_L3,
  stageOneOn,
  stageOneTables,
  stageTwoOn,
  stageTwoTables,
} from "../cases/translation/tables.ts";
import { differences, snapshot } from "../properties/compare.ts";
import { DEBUG_KERNELS, type EngineKind, REFERENCE, RELEASE_KERNELS } from "../properties/engines.ts";

const PAGE_BYTES = 4096;
/** Pages below have the tables; those from 64 on are their aliases. */
const FIRST = 48;
const PAGES = 160;
const KERNELS = [...RELEASE_KERNELS, ...DEBUG_KERNELS].filter(({ carriesData }) => carriesData);

type Random = (below: number) => number;
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** TLBs so small that nearly each access walks; loads are plain with an L2 that isn't the last level, and lru. */
const machineWith = (l1dWays: number, l2: { sets: number; ways: number }) =>
  loadMachine({
    cores: 2,
    caches: {
      L1D: { sets: 16, ways: l1dWays, line: 64 },
      L1I: { sets: 16, ways: 2, line: 64 },
      L2: { ...l2, line: 64 },
      L3: { sets: 256, ways: 4, line: 64, kind: "system", per: "machine" },
    },
    memory: [{ size: "4MiB" }],
    tlb: { micro: 2, entries: 4, ways: 2, walk: 0, ipa: 0 },
  } satisfies MachineDescription);
const MACHINES = {
  "an L2 that holds everything": machineWith(4, { sets: 256, ways: 8 }),
  "an L2 that lines leave": machineWith(4, { sets: 32, ways: 4 }),
  "an L1D of eight ways": machineWith(8, { sets: 64, ways: 4 }),
};

/** A leaf of stage 1 of a page, mostly a plain one. */
function leaf(random: Random, address: number): bigint {
  switch (random(150)) {
    case 0:
      return 0n;
    case 1:
      return page(address, { af: false });
    case 2:
      return page(address, { attribute: "NC" });
    case 3:
      return page(address, { attribute: "DEVICE" });
    case 4:
      return page(address, { attribute: "WT" });
    case 5:
      return page(address, { bits: AP.KERNEL_READS });
    case 6:
      return page(address, { bits: NOT_GLOBAL });
    case 7:
      return page(address, { sh: 0 });
    // Behind all memory.
    case 8:
      return page(0x80_0000);
    default:
      return page(address);
  }
}

/** The same of stage 2. */
function leaf2(random: Random, address: number): bigint {
  switch (random(200)) {
    case 0:
      return 0n;
    case 1:
      return page2(address, { af: false });
    case 2:
      return page2(address, { access: 2 });
    case 3:
      return page2(address, { access: 1 });
    case 4:
      return page2(address, { memAttr: 5 });
    case 5:
      return page2(0x80_0000);
    default:
      return page2(address);
  }
}

const addressOf = (index: number): number => (index < 64 ? index : FIRST + (index % 16)) * PAGE_BYTES;

function tables(random: Random, nested: boolean): RecordEntry[] {
  const leaves: Record<number, bigint> = {};
  const leaves2: Record<number, bigint> = {};
  for (let i = 0; i < PAGES; i++) {
    leaves[i] = i < FIRST ? page(addressOf(i)) : leaf(random, addressOf(i));
    leaves2[i] = i < FIRST ? page2(addressOf(i)) : leaf2(random, addressOf(i));
  }
  // Stage 1 leads to the alias of stage 2 as well.
  if (nested) for (let i = 64; i < PAGES; i += 3) leaves[i] = page(i * PAGE_BYTES);
  return [...stageOneTables(0, leaves), ...stageTwoTables(0, leaves2)];
}

/** Stretches of records, each played as one batch: what exits ends it. */
function stretches(seed: number, nested: boolean): RecordEntry[][] {
  const random = randomFrom(seed);
  const made: RecordEntry[][] = [[...tables(random, nested), ...(nested ? stageTwoOn(0) : []), ...stageOneOn(0)]];
  for (let i = 0; i < 60; i++) {
    const stretch: RecordEntry[] = [];
    for (let k = 0; k < 150; k++) {
      const va = (FIRST + random(PAGES - FIRST)) * PAGE_BYTES + random(16) * 8 + random(8) * 64;
      if (i % 3 && k % 13 === 5) stretch.push(store(0, va));
      else if (i % 4 === 3 && k % 17 === 6) stretch.push(fetch(0, va));
      else if (i % 5 === 4 && k % 11 === 7) stretch.push(store(1, (FIRST + random(16)) * PAGE_BYTES));
      else stretch.push(load(0, va));
    }
    made.push(stretch);
    // Another core writes descriptors, past the caches as well: copies of the old ones stay.
    const index = FIRST + random(PAGES - FIRST);
    const changes = [
      ...entries(1, L3, { [index]: leaf(random, addressOf(index)) }),
      ...entries(1, S2_L3, { [index]: leaf2(random, addressOf(index)) }),
    ];
    made.push(i % 7 === 6 ? changes.map((entry): RecordEntry => ({ ...entry, attribute: 1 })) : changes);
  }
  return made;
}

/** Of tables and data, a part. */
const BLOCKS = Array.from({ length: 0x3_0000 / 256 }, (_, i) => 0x1_0000 + i * 256);

const CASES = Object.entries(MACHINES).flatMap(([title, machine]) =>
  [1, 2, 3, 4].map((seed) => ({ title, machine, seed, nested: seed % 2 === 0 })),
);

test.each(CASES)("$title, seed $seed, at two stages: $nested", ({ machine, seed, nested }) => {
  const made = stretches(seed, nested);
  const stateOf = (kind: EngineKind) => {
    const engine = kind.create(machine, EVERYTHING_RECORDED);
    const exits: Exit[] = [];
    for (const stretch of made) {
      const words = encodeRecords(stretch);
      // Behind an exit the rest is played.
      for (let from = 0; from < words.length; ) {
        from += 2 * engine.run(words.subarray(from));
        if (!engine.exit) break;
        exits.push(engine.exit);
        from += 2;
      }
    }
    expect(engine.counters().tlbs[0]?.mainMisses).toBeGreaterThan(3000);
    expect(exits.length).toBeGreaterThan(20);
    return { exits, state: snapshot(engine, BLOCKS, { bytes: true }) };
  };
  const expected = stateOf(REFERENCE);
  for (const kernel of KERNELS) {
    const its = stateOf(kernel);
    expect(its.exits, kernel.name).toEqual(expected.exits);
    expect(differences(expected.state, its.state), kernel.name).toEqual([]);
  }
});
