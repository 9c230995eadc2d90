/**
 * Do the kernel's builds do what the reference model does, to the last counter, byte and hazard? Random streams of
 * every operation on random small machines. SETWAY_SEED, SETWAY_STREAMS and SETWAY_FEATURES choose what is played,
 * SETWAY_IGNORE=regexp leaves known differences out by name while an engine is being brought up.
 */
import { describe, expect, test } from "vitest";
import type { Difference } from "./compare.ts";
import { type EngineKind, KERNELS, REFERENCE } from "./engines.ts";
import { compareEngines, playCase } from "./play-case.ts";
import type { RandomCase } from "./random-case.ts";
import { disagreement } from "./report.ts";
import { checkProperty, SEED, streamCount } from "./run-property.ts";

/** Debug builds are slow: they play a part of the streams. */
const DEBUG_SHARE = 5;
const LIMIT = 3_600_000;

/** Kernels with and without data share one play of the reference. */
function disagreements(reference: EngineKind, kernels: readonly EngineKind[], each: RandomCase): [EngineKind, Difference[]] | undefined {
  const expected = playCase(reference, each, 4096);
  for (const kernel of kernels) {
    const found = compareEngines(expected, playCase(kernel, each), each, kernel.carriesData);
    if (found.length > 0) return [kernel, found];
  }
  return undefined;
}

describe.skipIf(REFERENCE === undefined || KERNELS.length === 0)(`engines agree (SETWAY_SEED=${SEED})`, () => {
  const reference = REFERENCE as EngineKind;
  const check = (name: string, kernels: readonly EngineKind[], streams: number) =>
    checkProperty({
      name,
      streams,
      wrong: (each) => disagreements(reference, kernels, each)?.[0].name,
      explain: (each) => {
        const [kernel, found] = disagreements(reference, kernels, each) ?? [];
        return kernel && found ? disagreement(reference, kernel, each, found) : "it does not fail when played again";
      },
    });

  test("release kernels", { timeout: LIMIT }, () => {
    check("release kernels", KERNELS.slice(0, 2), streamCount());
    expect(streamCount()).toBeGreaterThan(0);
  });
  test("debug kernels", { timeout: LIMIT }, () => {
    check("debug kernels", KERNELS.slice(2), Math.ceil(streamCount() / DEBUG_SHARE));
    expect(streamCount()).toBeGreaterThan(0);
  });
});
