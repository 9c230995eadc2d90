/**
 * Is what a tags-only engine calls a possible hazard a superset of what really happens? It has no bytes, so it may suspect
 * too much (a store of the same value, another word of the line), but every line that goes stale or is lost on the
 * reference model must be suspected (R45).
 */
import { describe, expect, test } from "vitest";
import type { Hazard } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { REFERENCE, RELEASE_KERNELS } from "./engines.ts";
import { allowedFeatures } from "./features.ts";
import { playCase } from "./play-case.ts";
import type { RandomCase } from "./random-case.ts";
import { machineText, recordsText } from "./report.ts";
import { checkProperty, SEED, streamCount } from "./run-property.ts";

const KIND: ReadonlyMap<string, string> = new Map(HAZARD_CLASSES.map((each) => [each.name, each.kind]));
const SHARE = process.env.SETWAY_FULL === "1" ? 5 : 10;

/** Leaks and stale observations are told apart by words, which tags do not know. */
const suspicion = (hazard: Hazard): string => `${KIND.get(hazard.class)} 0x${hazard.line.toString(16)}`;

function unsuspected(each: RandomCase, kind: "observed" | "lost"): string | undefined {
  const tags = RELEASE_KERNELS.find((kernel) => !kernel.carriesData) as (typeof RELEASE_KERNELS)[0];
  const real = playCase(REFERENCE, each);
  const possible = playCase(tags, each);
  if (typeof real === "string" || typeof possible === "string") return "cannot be played";
  const suspected = new Set(possible.engine.hazards().map(suspicion));
  const missing = real.engine
    .hazards()
    .find((hazard) => KIND.get(hazard.class) === kind && !suspected.has(suspicion(hazard)));
  return (
    missing && `${missing.class} of line 0x${missing.line.toString(16)} at record ${missing.record} is not suspected`
  );
}

describe(`possible hazards (SETWAY_SEED=${SEED})`, () => {
  test.each([
    ["stale or leaked value that somebody saw", "observed"],
    ["lost write", "lost"],
  ] as const)("hold every %s", { timeout: 3_600_000 }, (_what, kind) => {
    const streams = Math.ceil(streamCount() / SHARE);
    const played = checkProperty({
      name: `possible hazards ${kind}`,
      streams,
      features: new Set(
        [...allowedFeatures()].filter((feature) => feature !== "provenance" && feature !== "translation"),
      ),
      wrong: (each) => unsuspected(each, kind),
      explain: (each) =>
        [unsuspected(each, kind), "machine:", machineText(each.machine), "records:", recordsText(each.entries)].join(
          "\n",
        ),
    });
    expect(played).toBe(streams);
  });
});
