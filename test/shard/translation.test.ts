/**
 * Cores that translate, in shards: each translates for itself and takes other shards' descriptors from what memory would hold.
 * Does that give what one kernel gives, and does a descriptor that is observed old begin the play again?
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { STALE_WALK } from "../../src/engine/share.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { allowedFeatures } from "../properties/features.ts";
import { compareEngines, playCase } from "../properties/play-case.ts";
import { randomCase } from "../properties/random-case.ts";
import { guest } from "./guest.ts";
import { InProcessShards } from "./in-process.ts";
import { DATA } from "./kinds.ts";

const MACHINE = loadMachine("seattle");
const FULL = process.env.SETWAY_FULL === "1";
const COUNTS = FULL ? [1, 2, 3, 8, 64] : [2, 8];
const STREAMS = FULL ? 400 : 40;

function playBoth(words: Uint32Array, count: number): InProcessShards {
  const whole = createKernel(MACHINE);
  whole.play(words);
  const shards = new InProcessShards(MACHINE, count, { data: true });
  for (let at = 0; at < words.length; at += 20_000) shards.play(words.subarray(at, at + 20_000));
  expect(shards.records).toBe(whole.records);
  expect(shards.counters()).toEqual(whole.counters());
  expect(shards.hazards()).toEqual(whole.hazards());
  expect(shards.dirtyLines()).toEqual(whole.dirtyLines());
  expect(shards.lastValue()).toBe(whole.lastValue());
  for (const where of ["memory", "truth"] as const)
    expect(shards.peek(where, 0x2_0000, 0x8000)).toEqual(whole.peek(where, 0x2_0000, 0x8000));
  return shards;
}

describe.each(COUNTS)("in %d shards", (count) => {
  test("a guest whose tables change is played by all of them", () => {
    const shards = playBoth(guest(4, 20_000), count);
    expect(shards.sharding).toEqual({ asked: count, used: count });
    expect(shards.counters().machine.walkReads).toBeGreaterThan(1000);
  });

  test("a walk that observes an old descriptor is played by one kernel", () => {
    const shards = playBoth(guest(4, 5000, "a page"), count);
    expect(shards.hazards().some((hazard) => hazard.class === "stale-walk")).toBe(true);
    if (count > 1)
      expect(shards.sharding).toMatchObject({ asked: count, used: 1, why: expect.stringContaining(STALE_WALK) });
  });
});

test("most random guests stay in shards, with walks, flushes of stage 2 and exits", { timeout: 3_600_000 }, () => {
  const kind = DATA.sharded.find(({ shards }) => shards === 3) as (typeof DATA.sharded)[number];
  const seen = { guests: 0, shared: 0, walked: 0, flushed: 0, exited: 0 };
  const cases = randomCase(allowedFeatures("-directory,-prefetchers"), undefined, [200, 400], "grouped");
  for (const each of fc.sample(cases, { numRuns: STREAMS, seed: 1 })) {
    if (!each.features.includes("translation")) continue;
    const played = playCase(kind, each);
    expect(compareEngines(playCase(DATA.whole, each), played, each, true)).toEqual([]);
    if (typeof played === "string") continue;
    seen.guests++;
    const shards = played.engine as InProcessShards;
    if (shards.sharding.used === 1) {
      expect(shards.sharding.why).toContain(STALE_WALK);
      continue;
    }
    const { machine } = shards.counters();
    seen.shared++;
    if (machine.walkReads > 0) seen.walked++;
    if (machine.flushedLeaves > 0) seen.flushed++;
    if (played.exits.length > 0) seen.exited++;
  }
  expect(seen.shared).toBeGreaterThan(seen.guests / 2);
  expect(seen.walked).toBeGreaterThan(seen.shared / 2);
  expect(Math.min(seen.flushed, seen.exited)).toBeGreaterThan(0);
});
