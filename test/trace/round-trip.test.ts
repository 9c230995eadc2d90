/** Question: does every format give back exactly what was written, whatever the sizes of batches and chunks? */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { bytesFrom } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { webCodecs } from "../../src/trace/codec.web.ts";
import { openTrace } from "../../src/trace/open.ts";
import type { TraceDescription } from "../../src/trace/source.ts";
import {
  accessWords,
  anyWords,
  DESCRIPTION,
  drain,
  entry,
  likelyWords,
  read,
  sameWords,
  trace,
  walked,
  write,
} from "./samples.ts";

const RUNS = { numRuns: 60 };
const sizes = { batchEntries: fc.integer({ min: 1, max: 400 }), chunkBytes: fc.integer({ min: 1, max: 4000 }) };

describe("binary formats keep every bit of every entry", () => {
  for (const name of ["t.raw64", "t.raw64.gz", "t.swt", "t.swt.gz"]) {
    test(name, async () => {
      const words = fc.oneof(anyWords, likelyWords);
      await fc.assert(
        fc.asyncProperty(words, sizes.batchEntries, sizes.chunkBytes, async (words, batchEntries, chunkBytes) => {
          const bytes = await write(words, name, { batchEntries });
          const options = { format: name.includes("swt") ? "swt" : "raw64" } as const;
          expect(await read(bytes, name, options, chunkBytes)).toEqual(words);
        }),
        RUNS,
      );
    });
  }

  test("several chunks, and batches that don't end where chunks end", async () => {
    const words = walked(200_001);
    for (const name of ["t.raw64", "t.raw64.gz", "t.swt"]) {
      const bytes = await write(words, name, { batchEntries: 30_011 });
      for (const chunkBytes of [4093, 65536, 1 << 20]) {
        expect(sameWords(await read(bytes, name, {}, chunkBytes), words), `${name} ${chunkBytes}`).toBe(true);
      }
    }
  });
});

describe("text formats keep loads, stores and fetches", () => {
  for (const format of ["din", "lackey"] as const) {
    test(format, async () => {
      await fc.assert(
        fc.asyncProperty(accessWords, sizes.batchEntries, sizes.chunkBytes, async (words, batchEntries, chunkBytes) => {
          const bytes = await write(words, `t.${format}`, { batchEntries });
          expect(await read(bytes, `t.${format}`, {}, chunkBytes)).toEqual(words);
        }),
        RUNS,
      );
    });
  }

  test("lackey keeps sizes", async () => {
    const words = trace(
      entry(OPERATIONS.WITH.code, 16),
      entry(1, 0x1000),
      entry(OPERATIONS.WITH.code, 3),
      entry(0, 0x2000),
    );
    const bytes = await write(words, "t.lackey");
    expect(new TextDecoder().decode(bytes)).toBe(" S 00001000,16\n L 00002000,3\n");
    expect(await read(bytes, "t.lackey", { sizes: true })).toEqual(words);
  });
});

test("the codecs of a browser and of Node read each other's files", async () => {
  const words = walked(70_000);
  for (const name of ["t.swt", "t.raw64.gz"]) {
    for (const [writing, reading] of [
      [webCodecs, nodeCodecs],
      [nodeCodecs, webCodecs],
    ] as const) {
      const bytes = await write(words, name, { codecs: writing });
      const { words: back, error } = await drain(await openTrace(bytesFrom(bytes, name), reading));
      expect(error).toBeUndefined();
      expect(sameWords(back, words)).toBe(true);
    }
  }
});

test("a .swt carries its description", async () => {
  const description: TraceDescription = {
    provenance: { maintenance: true, control: false, dma: true, ownership: false },
    addresses: "virtual",
    initialSctlr: 0xc51870,
    requesters: 96,
    records: 1,
    source: "a guest, \u00fc",
    stripping: { sets: 128, lineBytes: 64, note: "LRU only" },
  };
  const bytes = await write(trace(entry(0, 64)), "t.swt", { description });
  const source = await openTrace(bytesFrom(bytes, "t.swt"), nodeCodecs);
  expect(source.header).toEqual({ ...description, format: "swt", compression: "none" });
  await source.close();
  const empty = await openTrace(bytesFrom(await write(trace(), "t.swt"), "t.swt"), nodeCodecs);
  expect(empty.header).toEqual({ ...DESCRIPTION, format: "swt", compression: "none" });
  expect(await drain(empty)).toEqual({ words: trace(), error: undefined });
});

test("a prefix is in the same batch as its record, wherever batches and chunks end", async () => {
  const pair = [entry(OPERATIONS.WITH.code, 4), entry(OPERATIONS.VALUE_LOW.code, 7), entry(1, 0x1000)];
  const words = trace(...Array.from({ length: 30_000 }, () => pair).flat());
  for (const name of ["t.raw64", "t.swt"]) {
    const bytes = await write(words, name, { batchEntries: 1000 });
    for (const chunkBytes of [9, 8000, 65536, 1 << 20]) {
      const source = await openTrace(bytesFrom(bytes, name, chunkBytes), nodeCodecs);
      let entries = 0;
      for await (const batch of source.batches()) {
        entries += batch.length / 2;
        expect(((batch.at(-1) as number) >>> 16) & 255).toBe(1);
      }
      expect(entries).toBe(90_000);
    }
  }
});

test("a stream of nothing but prefixes is delivered all the same", async () => {
  const words = Uint32Array.from({ length: 280_000 }, (_, index) =>
    index % 2 === 0 ? index : OPERATIONS.WITH.code << 16,
  );
  for (const name of ["t.raw64", "t.swt"]) {
    expect((await read(await write(words, name), name, { format: name === "t.swt" ? "swt" : "raw64" })).length).toBe(
      words.length,
    );
  }
});
