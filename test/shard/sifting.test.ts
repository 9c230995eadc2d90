/**
 * Streams longer than a batch, and than what a shard sifts at a time: caches that are off at first, two regions of memory and
 * a device's in turn, records that need the long way at any place, and a bad one far behind.
 */
import { describe, expect, test } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { loadMachine, resolveMachine } from "../../src/machine/index.ts";
import { InProcessShards } from "./in-process.ts";

const GIB = 2 ** 30;
const CORES = 4;
/** More than a batch. */
const RECORDS = 80_000;
const FULL = process.env.SETWAY_FULL === "1";
const COUNTS = FULL ? [2, 3, 8] : [3];

/** Two sockets with memory far apart, and a device between them. */
const MACHINE = resolveMachine({
  name: "two-regions",
  sockets: 2,
  cores: CORES,
  caches: {
    L1I: { size: "8KiB", ways: 2, line: 64, per: "core" },
    L1D: { size: "8KiB", ways: 2, line: 64, per: "core" },
    L2: { size: "64KiB", ways: 8, line: 64, per: "core", inclusion: "inclusive" },
  },
  memory: [
    { base: 0, size: "1GiB", socket: 0 },
    { base: 4 * GIB, size: "4KiB", type: "device", socket: 0 },
    { base: 512 * GIB, size: "1GiB", socket: 1 },
  ],
});

/** Mostly plain accesses of all cores to both regions; now and then maintenance, a barrier, an access with a size, a device's register. */
function stream(regions: readonly number[], bad: number): Uint32Array {
  const words: number[] = [];
  let state = 12345;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const put = (code: number, core: number, operand: number): void => {
    words.push(operand % 2 ** 32, (core << 24) | (code << 16) | Math.floor(operand / 2 ** 32));
  };
  for (let core = 0; core < CORES; core += 2) put(OPERATIONS.SCTLR.code, core, 0);
  for (let i = 0; i < RECORDS; i++) {
    const core = below(CORES);
    const address = (regions[below(regions.length)] as number) + below(32768) * 8;
    const kind = below(1000);
    if (i === bad) put(OPERATIONS.LOAD.code, core, 100 * GIB);
    else if (i > 20_000 && i <= 20_000 + CORES) put(OPERATIONS.SCTLR.code, i - 20_001, 0x1005);
    else if (kind < 3) put(OPERATIONS.DC_CIVAC.code, core, address);
    else if (kind < 5) put(OPERATIONS.DSB.code, core, 0);
    else if (kind < 7) {
      put(OPERATIONS.WITH.code, core, 100);
      put(OPERATIONS.STORE.code, core, address);
    } else if (kind < 8 && regions.length > 1) put(OPERATIONS.LOAD.code, core, 4 * GIB + 8);
    else
      put(
        kind < 300 ? OPERATIONS.STORE.code : kind < 400 ? OPERATIONS.FETCH.code : OPERATIONS.LOAD.code,
        core,
        address,
      );
  }
  return Uint32Array.from(words);
}

const ALL = [
  ["two regions in turn", MACHINE, [0, 512 * GIB]],
  ["one region", loadMachine("seattle"), [0]],
] as const;
const STREAMS = FULL ? ALL : ALL.slice(0, 1);

describe.each([true, false])("data %s", (data) => {
  test.each(STREAMS)("%s", (_name, machine, regions) => {
    const words = stream(regions, -1);
    const whole = createKernel(machine, { data });
    whole.play(words);
    for (const count of COUNTS) {
      const shards = new InProcessShards(machine, count, { data });
      shards.play(words);
      expect(shards.sharding).toEqual({ asked: count, used: count });
      expect(shards.records).toBe(whole.records);
      expect(shards.counters()).toEqual(whole.counters());
      expect(shards.hazards()).toEqual(whole.hazards());
      expect(shards.dirtyLines()).toEqual(whole.dirtyLines());
      expect(shards.lastValue()).toBe(whole.lastValue());
      for (const region of regions)
        expect(shards.peek("truth", region, 4096)).toEqual(whole.peek("truth", region, 4096));
    }
  });

  test("a bad record stops all shards where it stops one kernel", () => {
    const words = stream([0, 512 * GIB], 71_234);
    const whole = createKernel(MACHINE, { data });
    const shards = new InProcessShards(MACHINE, 3, { data });
    let reason: unknown;
    try {
      whole.play(words);
    } catch (error) {
      reason = error;
    }
    expect(reason).toMatchObject({ detail: { record: 71_234 + CORES / 2 } });
    expect(() => shards.play(words)).toThrow((reason as Error).message);
    expect(shards.counters()).toEqual(whole.counters());
    expect(shards.hazards()).toEqual(whole.hazards());
  });
});
