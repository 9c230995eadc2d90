/** A prefetcher (D57) brings lines of other set groups in: is such a machine played in one piece and in order, and is that said? */
import { describe, expect, it } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { load, records } from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { planShards } from "../../src/shard/plan.ts";

const MANY_SETS = { size: "32KiB", ways: 4 };
const machine = (prefetch: "none" | "stride") =>
  loadMachine({ cores: 2, caches: { L1D: { ...MANY_SETS, prefetch }, L2: { size: "512KiB", ways: 8 } } });

describe("a machine with a prefetcher", () => {
  it("is given to one kernel, however many shards are asked for", () => {
    expect(planShards(machine("none"), 4).used).toBe(4);
    expect(planShards(machine("stride"), 4)).toEqual({
      asked: 4,
      used: 1,
      why: "a prefetcher brings in lines of other set groups",
      shares: [undefined],
    });
  });

  it("is played in program order, whatever order is asked for", () => {
    const words = records(...Array.from({ length: 3000 }, (_, i) => load(i % 2, 192 * (i % 500))));
    const without = createKernel(machine("none"), { order: "groups" });
    without.play(words);
    expect(without.setGroups()).toMatchObject({ groups: expect.any(Number), dealt: 3000 });
    const kernel = createKernel(machine("stride"), { order: "groups" });
    const reference = createReference(machine("stride"));
    for (const engine of [kernel, reference]) engine.play(words);
    expect(kernel.setGroups()).toMatchObject({
      groups: 0,
      dealt: 0,
      why: "a prefetcher brings in lines of other set groups",
    });
    expect(kernel.counters()).toEqual(reference.counters());
    expect(kernel.counters().caches[0]?.prefetchesUsed).toBeGreaterThan(100);
  });

  it.each([
    ["a sized directory", { directory: { sets: 64, ways: 4 } }, "a sized directory has an index of its own"],
    ["a cache with one set", { caches: { L1D: { sets: 1, ways: 8 } } }, "too few bits of a line's number"],
    [
      "lines of several sizes",
      { caches: { L1D: { ...MANY_SETS, line: 32 }, L2: { size: "512KiB", ways: 8 } } },
      "caches have lines of several sizes",
    ],
  ])("is one of those without set groups: %s is another", (_, keys, why) => {
    const kernel = createKernel(loadMachine({ cores: 2, caches: { L1D: MANY_SETS }, ...keys }));
    expect(kernel.setGroups()).toMatchObject({ groups: 0, dealt: 0, why: expect.stringContaining(why) });
  });
});
