/**
 * In how many ways do the engines disagree? With SETWAY_SURVEY=1 every stream is played, and the first differences are
 * counted by operation and kind, with a small case to look at for each: a map for whoever brings an engine up. It never fails.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { operationOf } from "../../src/engine/record.ts";
import { REFERENCE, RELEASE_KERNELS } from "./engines.ts";
import { allowedFeatures } from "./features.ts";
import { compareEngines, firstDifference, playCase } from "./play-case.ts";
import { type RandomCase, randomCase, reduceCase } from "./random-case.ts";
import { keepCase } from "./report.ts";
import { SEED, streamCount } from "./run-property.ts";

const asked = process.env.SETWAY_SURVEY === "1";
/** How long the example of a kind is made smaller, in milliseconds. */
const REDUCE_TIME = 1500;

/** The first difference in words that streams of the same bug share; undefined if the engines agree. */
function kindOf(each: RandomCase): string | undefined {
  const expected = playCase(REFERENCE, each, 4096);
  const kernel = RELEASE_KERNELS.find((kind) => {
    if (each.features.includes("translation") && !kind.carriesData) return false;
    return compareEngines(expected, playCase(kind, each), each, kind.carriesData).length > 0;
  });
  if (kernel === undefined) return undefined;
  const first = firstDifference(REFERENCE, kernel, each);
  const entry = each.entries[first?.record ?? -1];
  const name = entry === undefined ? "no operation" : (operationOf(entry)?.name ?? "unknown operation");
  const what = first?.differences[0]?.what ?? "only in batches";
  return `${kernel.name}, ${name}: ${what.replaceAll(/0x[0-9a-f]+|-?\d+/g, "#")}`;
}

describe.skipIf(!asked)(`survey (SETWAY_SEED=${SEED})`, () => {
  test("disagreements by kind", { timeout: 3_600_000 }, () => {
    const kinds = new Map<string, { count: number; example: RandomCase }>();
    let agreed = 0;
    for (const each of fc.sample(randomCase(allowedFeatures()), { seed: SEED, numRuns: streamCount() })) {
      const kind = kindOf(each);
      const known = kinds.get(kind ?? "");
      if (kind === undefined) agreed++;
      else if (known) known.count++;
      else kinds.set(kind, { count: 1, example: each });
    }
    const sorted = [...kinds].sort((a, b) => b[1].count - a[1].count);
    const lines = sorted.map(([kind, { count, example }], index) => {
      const small = reduceCase(example, REDUCE_TIME, (each) => kindOf(each) === kind);
      return `${count}  ${kind}: ${small.entries.length} records in ${keepCase(small, `survey-${SEED}-${index}`)}`;
    });
    process.stdout.write(`${agreed} streams agree\n${lines.join("\n")}\n`);
    expect(agreed).toBeGreaterThanOrEqual(0);
  });
});
