/** Are generated streams the same however many records are made at a time? And are the files of a scale run what they should be? */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { onManyCores } from "../../bench/crowd.ts";
import { GENERATED, generate, generateBatches, LIKE_MC100 } from "../../bench/generate.ts";
import { scale } from "../../bench/scale.ts";
import { temporaryFolder } from "../cli/files.ts";

const RECORDS = 10_000;

describe("a generated stream", () => {
  test.each([LIKE_MC100, ...GENERATED].map((stream) => [stream.name, stream] as const))("%s", (_name, stream) => {
    const whole = generate(stream, RECORDS);
    expect(whole.length).toBe(2 * RECORDS);
    const batches = [...generateBatches(stream, RECORDS, 777)].map((words) => words.length);
    expect(batches.slice(0, -1).every((length) => length === 2 * 777)).toBe(true);
    let at = 0;
    for (const words of generateBatches(stream, RECORDS, 777)) {
      expect(words).toEqual(whole.subarray(at, at + words.length));
      at += words.length;
    }
    expect(at).toBe(whole.length);
  });
});

test("a program on many cores: turns, code common, data each core's own, from another place on", () => {
  const recorded = Uint32Array.from([0x1000, 2 << 16, 0x2000, 0, 0x3000, 1 << 16, 0x1040, 2 << 16]);
  const program = Uint32Array.from({ length: 8 * 100 }, (_, i) => recorded[i % 8] as number);
  const words = onManyCores(program, 2);
  const records = Array.from({ length: 400 }, (_, i) => [words[2 * i] as number, words[2 * i + 1] as number] as const);
  expect(records.map(([, high]) => high >>> 24)).toEqual(records.map((_, i) => Math.floor(i / 20) % 2));
  expect(records[1]).toEqual([0x2000, 0]);
  // Core 1's first turn: the program's middle, data 0x130000000 further on.
  expect(records.slice(20, 23)).toEqual([
    [0x1000, 0x0102_0000],
    [0x3000_2000, 0x0100_0001],
    [0x3000_3000, 0x0101_0001],
  ]);
});

describe.skipIf(process.env.SETWAY_FULL !== "1")("a scale run", () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  test("writes every point, and three plots", { timeout: 600_000 }, () => {
    const [csv, ...plots] = scale({ folder: folder.path("scale"), references: 5000, rounds: 1, longest: 2_000_000 });
    const [head, ...rows] = readFileSync(csv as string, "utf8")
      .trim()
      .split("\n");
    expect(rows.length).toBe(10 * 5 + 6 * 3 + 2 * 2);
    for (const row of rows) expect(row.split(/,(?! )/).length).toBe((head as string).split(",").length);
    expect(plots.length).toBe(3);
    for (const plot of plots) expect(readFileSync(plot, "utf8")).toContain("nanoseconds a reference");
  });
});
