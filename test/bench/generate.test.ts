/** Are generated streams the same however many records are made at a time? And are the files of a scale run what they should be? */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
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
