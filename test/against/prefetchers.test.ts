/** Prefetchers (D57 to D60) against a model of one cache that was written apart, on streams that they like and that they don't. */
import { describe, expect, test } from "vitest";
import { encodeRecords, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { ENGINES } from "../properties/engines.ts";
import { buildMachine } from "../properties/machines.ts";
import { PrefetchedCache, type PrefetchModel } from "./prefetch-model.ts";

const LINE = 64;
const PAGES = 24;
const PAGE_LINES = 64;
const RECORDS = 2500;

const MODELS: readonly PrefetchModel[] = [
  { kind: "next-line", degree: 1, distance: 1, entries: 0 },
  { kind: "next-line", degree: 3, distance: 2, entries: 0 },
  { kind: "stride", degree: 1, distance: 1, entries: 16 },
  { kind: "stride", degree: 4, distance: 2, entries: 3 },
  { kind: "stream", degree: 2, distance: 8, entries: 16 },
  { kind: "stream", degree: 1, distance: 1, entries: 1 },
  { kind: "stream", degree: 5, distance: 3, entries: 4 },
];

/** Numbers from 0 to below a bound, the same ones for the same seed. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Several walkers with steps of their own, some of them in one page, and some that jump. */
function stream(seed: number): { line: number; isStore: boolean }[] {
  const below = numbers(seed);
  const walkers = Array.from({ length: 5 }, () => ({ at: below(PAGES * PAGE_LINES), step: 1, left: 0 }));
  return Array.from({ length: RECORDS }, () => {
    const walker = walkers[below(walkers.length)] as (typeof walkers)[number];
    if (walker.left-- <= 0) {
      walker.at = below(PAGES * PAGE_LINES);
      walker.step = [1, 1, -1, 2, 3, -4, 7, 0, below(64)][below(9)] as number;
      walker.left = below(40);
    }
    const line = walker.at;
    walker.at = Math.max(0, Math.min(PAGES * PAGE_LINES - 1, walker.at + walker.step));
    return { line, isStore: below(4) === 0 };
  });
}

const SHAPES = [
  { sets: 1, ways: 12 },
  { sets: 16, ways: 4 },
];

describe.each(MODELS)("$kind, degree $degree, distance $distance, $entries pages", (model) => {
  const played = SHAPES.map((shape, index) => {
    const steps = stream(index + 1);
    const expected = new PrefetchedCache(shape.sets, shape.ways, model);
    for (const { line, isStore } of steps) expected.access(line, isStore);
    const entries = steps.map(
      ({ line, isStore }): RecordEntry => (isStore ? store(0, line * LINE) : load(0, line * LINE)),
    );
    return { shape, expected, words: encodeRecords(entries) };
  });

  test("something happens", () => {
    for (const { expected } of played) {
      expect(expected.counts.prefetches).toBeGreaterThan(50);
      expect(expected.counts.prefetchesUsed).toBeGreaterThan(5);
    }
  });

  test.each(ENGINES.map((kind) => [kind.name, kind] as const))("%s", (_, kind) => {
    for (const { shape, expected, words } of played) {
      const machine = buildMachine({ cores: 1, l1d: { ...shape, prefetcher: model } });
      const engine = kind.create(machine, { maintenance: true, control: true, dma: true, ownership: true });
      engine.play(words);
      const { caches, machine: counted } = engine.counters();
      expect(caches[0]).toMatchObject(expected.counts);
      expect(counted.memoryReads).toBe(expected.reads);
      expect(counted.memoryWrites).toBe(expected.counts.writebacksOut);
    }
  });
});
