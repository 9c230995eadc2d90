/** Does a recorded boot give the same in 1, 2, 3, 8 and 64 shards? Its beginning each day, all of it and the foreign traces with SETWAY_FULL=1. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { InProcessShards } from "./in-process.ts";

const FULL = process.env.SETWAY_FULL === "1";
const LIMIT = 3_600_000;
const RECORDS = FULL ? 20_000_000 : 100_000;
const COUNTS = FULL ? [1, 2, 3, 8, 64] : [3];

const shipped = fileURLToPath(new URL("../../traces/zimage-boot-l3.swt", import.meta.url));
const folder = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const recorded = FULL && existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".xz")) : [];
const traces = [shipped, ...recorded.map((name) => `${folder}${name}`)];

async function beginning(path: string): Promise<Uint32Array[]> {
  const batches: Uint32Array[] = [];
  let words = 0;
  for await (const batch of (await openTraceFile(path, {})).batches()) {
    batches.push(batch.slice());
    words += batch.length / 2;
    if (words >= RECORDS) break;
  }
  return batches;
}

describe.each(traces)("%s", (path) => {
  test.each([true, false])("data %s", { timeout: LIMIT }, async (data) => {
    const batches = await beginning(path);
    const machine = loadMachine(FULL ? "host-100c" : "seattle");
    const whole = createKernel(machine, { data });
    for (const batch of batches) whole.play(batch);
    for (const count of COUNTS) {
      const shards = new InProcessShards(machine, count, { data });
      for (const batch of batches) shards.play(batch);
      expect(shards.sharding).toMatchObject({ asked: count, used: count });
      expect(shards.records).toBe(whole.records);
      expect(shards.counters()).toEqual(whole.counters());
      expect(shards.hazards()).toEqual(whole.hazards());
      expect(shards.dirtyLines()).toEqual(whole.dirtyLines());
      expect(shards.lastValue()).toBe(whole.lastValue());
      for (const batch of batches) {
        // An address of each batch: the line around it, wherever it is.
        const low = batch[0] as number;
        expect(shards.copies(low)).toEqual(whole.copies(low));
        for (const where of ["memory", "truth"] as const)
          expect(shards.peek(where, low, 64)).toEqual(whole.peek(where, low, 64));
      }
    }
  });
});
