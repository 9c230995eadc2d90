/**
 * Question: does a long trace stream in memory that doesn't grow with it, the reader holding the writer back?
 * `test/full/bounded-memory.test.ts` asks the same of a billion records.
 */
import { describe, expect, test } from "vitest";
import { type ByteSource, bytePipe, bytesInto } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { createTrace } from "../../src/trace/create.ts";
import { openTrace } from "../../src/trace/open.ts";
import { BATCH_ENTRIES } from "../../src/trace/source.ts";
import { DESCRIPTION, walk } from "./samples.ts";

const LARGEST_GROWTH_BYTES = 120e6;

/** One batch after another, each of one line over and over: cheap to compress, so that the test can be long. */
function* lines(batches: number): Generator<Uint32Array, void, undefined> {
  const words = new Uint32Array(2 * BATCH_ENTRIES);
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < BATCH_ENTRIES; i++) words[2 * i] = 64 * batch;
    yield words;
  }
}

describe("from a writer through a pipe to a reader", () => {
  test.each([
    ["raw64", 400],
    ["swt", 400],
    ["raw64.gz", 400],
    ["lackey", 40],
  ] as const)(
    "%s, %i batches of 65,536",
    async (format, batches) => {
      const pipe = bytePipe(`t.${format}`);
      const sink = createTrace(pipe.sink, DESCRIPTION, nodeCodecs);
      let written = 0;
      const writing = (async () => {
        for (const batch of lines(batches)) {
          await sink.write(batch);
          written += BATCH_ENTRIES;
        }
        await sink.close();
      })();
      let entries = 0;
      let ahead = 0;
      let grown = 0;
      const before = process.memoryUsage.rss();
      for await (const batch of (await openTrace(pipe.source, nodeCodecs)).batches()) {
        const address = 64 * Math.floor(entries / BATCH_ENTRIES);
        if (batch[0] !== address) expect.fail(`entry ${entries} is ${batch[0]} and not ${address}`);
        entries += batch.length / 2;
        ahead = Math.max(ahead, written - entries);
        grown = Math.max(grown, process.memoryUsage.rss() - before);
      }
      await writing;
      expect(entries).toBe(batches * BATCH_ENTRIES);
      // What compresses well is ahead by what fits the codec's buffers.
      expect(ahead).toBeLessThanOrEqual((format === "raw64" ? 1 : 64) * BATCH_ENTRIES);
      expect(grown).toBeLessThan(LARGEST_GROWTH_BYTES);
    },
    60_000,
  );
});

test("leaving early lets go of the input", async () => {
  for (const format of ["raw64", "swt", "raw64.gz", "lackey"] as const) {
    const pipe = bytePipe(`t.${format}`);
    const sink = createTrace(pipe.sink, DESCRIPTION, nodeCodecs);
    const writing = (async () => {
      for (const batch of lines(1000)) await sink.write(batch);
      await sink.close();
    })();
    const result = writing.then(
      () => "written to the end",
      (error: Error) => error.message,
    );
    for await (const _ of (await openTrace(pipe.source, nodeCodecs)).batches()) break;
    expect(await result, format).toContain("nobody reads this pipe any more");
  }
});

test("leaving early doesn't wait for input that never comes", async () => {
  for (const format of ["swt", "raw64.gz"] as const) {
    const whole = bytesInto(`t.${format}`);
    const sink = createTrace(whole, DESCRIPTION, nodeCodecs);
    for (const batch of walk(3 * BATCH_ENTRIES)) await sink.write(batch);
    await sink.close();
    const bytes = whole.bytes();
    const stalled: ByteSource = {
      name: whole.name,
      totalBytes: undefined,
      async *chunks() {
        yield bytes.subarray(0, bytes.length - 8);
        await new Promise(() => {});
      },
    };
    for await (const _ of (await openTrace(stalled, nodeCodecs)).batches()) break;
  }
});
