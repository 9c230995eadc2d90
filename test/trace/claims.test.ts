/** Question: do readers that share the chunks of a `.swt` by claiming them decode each chunk once, whoever is how fast? */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Claims } from "../../src/trace/claims.ts";
import { openClaimed, openTraceFile } from "../../src/trace/open.node.ts";
import { OwnDecoder } from "../../src/trace/own-decoder.ts";

const SHIPPED = fileURLToPath(new URL("../../traces/zimage-boot-l3.swt", import.meta.url));

test("a chunk belongs to whoever asks for it first", () => {
  const here = new Claims();
  const there = new Claims(here.memory);
  expect([here.claim(0), there.claim(0), there.claim(1), here.claim(1), here.claim(2)]).toEqual([
    true,
    false,
    true,
    false,
    true,
  ]);
});

/** What there is in a few records of a chunk. */
const sample = (words: Uint32Array): string => `${words.length} ${words.subarray(0, 4)} ${words.subarray(-4)}`;

async function wholeTrace(): Promise<readonly string[]> {
  const samples: string[] = [];
  for await (const words of (await openTraceFile(SHIPPED)).batches()) samples.push(sample(words));
  return samples;
}

test("every chunk is decoded once, whoever goes on", async () => {
  const whole = await wholeTrace();
  const readers = 3;
  const turns = fc.array(fc.nat({ max: readers - 1 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(turns, async (order) => {
      const claims = new Claims();
      const traces = await Promise.all(Array.from({ length: readers }, () => openClaimed(SHIPPED, claims)));
      const batches = traces.map((trace) => trace.batches()[Symbol.asyncIterator]());
      const decoded = new Map<number, string>();
      const goOn = async (reader: number): Promise<boolean> => {
        const trace = traces[reader] as (typeof traces)[number];
        const { value: words, done } = await (batches[reader] as (typeof batches)[number]).next();
        if (done) {
          expect(trace.chunk).toBe(whole.length);
          expect(trace.tally?.ended).toBeGreaterThan(0n);
          return false;
        }
        expect(decoded.has(trace.chunk)).toBe(false);
        expect(trace.records).toBeGreaterThan(0);
        decoded.set(trace.chunk, sample(words));
        return true;
      };
      for (const reader of order) await goOn(reader);
      for (let reader = 0; reader < readers; reader++) while (await goOn(reader));
      expect(whole.map((_, chunk) => decoded.get(chunk))).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});

test("who waits for a chunk decodes others ahead, some of them, and keeps them", async () => {
  const whole = await wholeTrace();
  const claims = new Claims();
  // Somebody else has the first two, and is slow.
  expect([claims.claim(0), claims.claim(1)]).toEqual([true, true]);
  const own = new OwnDecoder(await openClaimed(SHIPPED, claims));
  let ahead = 0;
  while (await own.decode(0)) ahead++;
  expect(ahead).toBe(8);
  expect([own.get(0), own.get(1), own.get(3)]).toEqual([undefined, undefined, undefined]);
  for (let chunk = 2; chunk < whole.length; chunk++) {
    if (own.get(chunk) === undefined) expect(await own.decode(chunk)).toBe(true);
    const batch = own.get(chunk);
    expect(batch && sample(batch.words)).toBe(whole[chunk]);
    own.release();
  }
  expect(await own.decode(whole.length)).toBe(true);
  expect(own.end).toMatchObject({ at: whole.length });
  expect(await own.decode(whole.length)).toBe(false);
  await own.close();
});
