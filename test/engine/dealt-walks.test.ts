/**
 * Cores of a server that translate, and walk, while buckets wait: what TLBs know is dealt as the physical accesses that it is, walks'
 * reads of descriptors as well (assembly/walk.ts). Does it come to what it comes to in the reference model? Stores to tables may
 * wait when a walk reads there; and some of what is translated is no plain access, or exits.
 */
import { describe, expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { type Engine, EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import type { Exit } from "../../src/engine/exit.ts";
import { createKernel, type Kernel } from "../../src/engine/kernel.ts";
import { encodeRecords, fetch, load, type RecordEntry, record, store } from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import {
  entries,
  L3,
  page,
  page2,
  S2_L3,
  stageOneOn,
  stageOneTables,
  stageTwoOn,
  stageTwoTables,
} from "../cases/translation/tables.ts";
import { differences, snapshot } from "../properties/compare.ts";
import { debugBuild } from "../properties/engines.ts";
import { InProcessShards } from "../shard/in-process.ts";

const PAGE_BYTES = 4096;
/** Pages below have the tables, and are mapped to themselves; those from 64 on are aliases. */
const FIRST = 48;
const PAGES = 160;
/** Descriptors of pages from here on are written with whatever a plain store writes. */
const CORRUPTED = 150;
const CORES = 6;
/** Batches of a stream, and from which on anything goes. */
const BATCHES = 40;
const ODD = 30;
/** It doesn't translate. */
const HOST = 5;

const machineWith = (options: Partial<MachineDescription> = {}) =>
  loadMachine({
    cores: CORES,
    sockets: 2,
    protocol: "mesi",
    caches: {
      L1D: { sets: 32, ways: 2, line: 64 },
      L1I: { sets: 32, ways: 2, line: 64 },
      L2: { sets: 32, ways: 4, line: 64, inclusion: "inclusive" },
      L3: { sets: 64, ways: 8, line: 64, per: "socket", inclusion: "inclusive" },
    },
    // Half of the data is the other socket's.
    memory: [{ size: 0x3_8000 }, { base: 0x3_8000, size: 0x1c_8000, socket: 1 }],
    tlb: { micro: 2, entries: 8, ways: 2, walk: 0, ipa: 0 },
    ...options,
  } satisfies MachineDescription);

const MACHINES = {
  "small TLBs": machineWith(),
  "TLBs that keep tables": machineWith({ tlb: { micro: 4, entries: 16, ways: 4, walk: 4, ipa: 4 } }),
  "walks at the point of unification": machineWith({ walker: "pou" }),
};

const addressOf = (index: number): number => (index < 64 ? index : FIRST + (index % 16)) * PAGE_BYTES;

/** A leaf of a page: a few are invalid, and in the `odd` part of a stream no Write-Back memory, so that copies come to differ. */
function leaf(below: (limit: number) => number, index: number, odd: boolean): bigint {
  const address = addressOf(index);
  if (index < FIRST || below(50)) return page(address);
  return odd && below(3) ? page(address, { attribute: below(2) ? "NC" : "DEVICE" }) : 0n;
}

function tables(below: (limit: number) => number, nested: boolean): RecordEntry[] {
  const all = Array.from({ length: PAGES }, (_, index) => index);
  const leaves = Object.fromEntries(all.map((index) => [index, leaf(below, index, false)]));
  const leaves2 = Object.fromEntries(all.map((index) => [index, page2(addressOf(index))]));
  const on = Array.from({ length: HOST }, (_, core) => [...(nested ? stageTwoOn(core) : []), ...stageOneOn(core)]);
  return [...stageOneTables(HOST, leaves), ...stageTwoTables(HOST, leaves2), ...on.flat()];
}

const OPERATIONS = [load, load, load, store, store, fetch] as const;

/** Batches of records: accesses, in some of which descriptors are written in passing; and between them what interrupts. */
function batches(seed: number, nested: boolean): RecordEntry[][] {
  const { below } = createRandom(seed);
  const made = [tables(below, nested)];
  for (let i = 0; i < BATCHES; i++) {
    const batch: RecordEntry[] = [];
    for (let k = 0; k < 400; k++) {
      const core = below(CORES);
      const pages = i < ODD ? CORRUPTED : PAGES;
      const within = below(12) * 8 + below(6) * 64;
      const address = (FIRST + below(core === HOST ? 16 : pages - FIRST)) * PAGE_BYTES + within;
      if (below(100) === 0) {
        // By whoever, translating or not: all map the tables to themselves. What is written there is walked later.
        const entry = CORRUPTED + below(PAGES - CORRUPTED);
        const descriptor = (nested && below(2) ? S2_L3 : L3) + 8 * entry;
        batch.push(below(3) ? store(core, descriptor) : record("ATOMIC", core, descriptor));
      } else if (below(60) === 0) batch.push(record(below(2) ? "ATOMIC" : "PREFETCH", core, address));
      else {
        const access = OPERATIONS[below(OPERATIONS.length)] as (typeof OPERATIONS)[number];
        batch.push(access(core, address));
      }
    }
    made.push(batch);
    // With a value of its own a store isn't dealt.
    const index = FIRST + below(PAGES - FIRST);
    if (i % 4 === 3) made.push(entries(HOST, L3, { [index]: leaf(below, index, i >= ODD) }));
    if (i % 8 === 7) made.push([record("TLBI_ALL", below(HOST), 0), record("DSB", below(HOST), 0)]);
  }
  return made;
}

/** Of tables and data, a part. */
const BLOCKS = Array.from({ length: 0x3_0000 / 256 }, (_, i) => 0x1_0000 + i * 256);

function stateOf(engine: Engine, made: readonly RecordEntry[][]) {
  const exits: Exit[] = [];
  const observed: bigint[] = [];
  for (const batch of made) {
    const words = encodeRecords(batch);
    // Behind an exit the rest is played.
    for (let from = 0; from < words.length; ) {
      from += 2 * engine.run(words.subarray(from));
      if (!engine.exit) break;
      exits.push(engine.exit);
      from += 2;
    }
    observed.push((engine as Kernel | InProcessShards).lastValue());
  }
  return { exits, observed, state: snapshot(engine, BLOCKS, { bytes: true }) };
}

/** Which streams, and whether through two stages. */
const SEEDS: readonly (readonly [number, boolean])[] = [
  [1, false],
  [2, true],
  ...(process.env.SETWAY_FULL === "1"
    ? ([
        [3, false],
        [4, true],
      ] as const)
    : []),
];

const KERNELS = { release: undefined, debug: debugBuild("data") };

describe.each(Object.entries(MACHINES))("%s", (_title, machine) => {
  test.each(SEEDS)("seed %i, at two stages: %s", (seed, nested) => {
    const made = batches(seed, nested);
    const expected = stateOf(createReference(machine, { provenance: EVERYTHING_RECORDED }), made);
    expect(expected.exits.length).toBeGreaterThan(20);
    for (const [name, wasm] of Object.entries(KERNELS)) {
      const options = { provenance: EVERYTHING_RECORDED, data: true, ...(wasm ? { wasm } : {}) };
      const kernel = createKernel(machine, { ...options, order: "groups" });
      const its = stateOf(kernel, made);
      expect(its.exits, name).toEqual(expected.exits);
      expect(its.observed, name).toEqual(expected.observed);
      expect(differences(expected.state, its.state), name).toEqual([]);
      const { dealt } = kernel.setGroups();
      if (machine.walker !== "pou") expect(dealt).toBeGreaterThan(7000);
      expect(dealt).toBeLessThanOrEqual(made.flat().length);
    }
    for (const count of [2, 8]) {
      const shards = new InProcessShards(machine, count, {
        provenance: EVERYTHING_RECORDED,
        data: true,
        order: "groups",
      });
      const its = stateOf(shards, made);
      expect(its.exits, `${count} shards`).toEqual(expected.exits);
      expect(its.observed, `${count} shards`).toEqual(expected.observed);
      expect(differences(expected.state, its.state), `${count} shards`).toEqual([]);
      // A walk at the point of unification may observe what has to be played whole.
      if (machine.walker !== "pou") expect(Math.min(...shards.dealt.slice(0, 4 / count))).toBeGreaterThan(2000);
    }
  });
});

test.each(["STORE", "ATOMIC"] as const)("a walk sees that %s to its descriptor waits", (operation) => {
  const machine = MACHINES["small TLBs"];
  const index = 100;
  const setUp = tables(() => 1, false);
  const loads = Array.from({ length: 300 }, (_, i) => load(i % HOST, (FIRST + (i % 16)) * PAGE_BYTES + 8 * i));
  const before = [...setUp, ...loads];
  // What a store writes is its number + 1 (D6): even, so the descriptor is invalid.
  if (before.length % 2 === 0) before.push(load(HOST, FIRST * PAGE_BYTES));
  const words = encodeRecords([...before, record(operation, HOST, L3 + 8 * index), load(0, index * PAGE_BYTES)]);
  for (const wasm of Object.values(KERNELS)) {
    const options = { provenance: EVERYTHING_RECORDED, data: true, ...(wasm ? { wasm } : {}) };
    const kernel = createKernel(machine, { ...options, order: "groups" });
    expect(kernel.run(words)).toBe(words.length / 2 - 1);
    expect(kernel.exit).toMatchObject({ type: "translation", stage: 1, level: 3 });
    expect(kernel.setGroups().dealt).toBeGreaterThan(300);
  }
});
