/** Runs a property over random cases with the seed, number of streams and features that the environment asks for. */
import fc from "fast-check";
import { allowedFeatures, type Feature } from "./features.ts";
import { type MachineKind, type RandomCase, randomCase } from "./random-case.ts";
import { keepCase } from "./report.ts";

const FULL_STREAMS = 20_000;
const STREAMS = 1_000;

/** Streams to play: `SETWAY_STREAMS`, else 20,000 with `SETWAY_FULL=1`, else 1,000. */
export function streamCount(): number {
  const asked = process.env.SETWAY_STREAMS;
  if (asked !== undefined) return Number(asked);
  return process.env.SETWAY_FULL === "1" ? FULL_STREAMS : STREAMS;
}

/** The seed of this run: `SETWAY_SEED`, else the clock. Printed always, so that a run can be repeated. */
export const SEED = Number(process.env.SETWAY_SEED ?? Date.now() % 0x7fff_ffff);

export interface PropertyOptions {
  readonly name: string;
  readonly streams?: number;
  readonly features?: ReadonlySet<Feature>;
  /** Records of a stream: fewest and most. */
  readonly length?: readonly [number, number];
  readonly machines?: MachineKind;
  /** What is wrong with a case, in short; undefined if it is fine. Two wrongs with different words are different bugs. */
  readonly wrong: (each: RandomCase) => string | undefined;
  /** The story of the smallest wrong case. */
  readonly explain: (each: RandomCase) => string;
}

/** Throws the story of the smallest wrong case; gives the number of streams played. */
export function checkProperty(options: PropertyOptions): number {
  const features = options.features ?? allowedFeatures();
  const result = fc.check(
    fc.property(
      randomCase(features, undefined, options.length, options.machines),
      (each) => options.wrong(each) === undefined,
    ),
    { seed: SEED, numRuns: options.streams ?? streamCount() },
  );
  if (!result.failed) return result.numRuns;
  const smallest = result.counterexample?.[0] as RandomCase;
  const file = keepCase(smallest, `${options.name.replaceAll(/\W+/g, "-")}-${SEED}`);
  throw new Error(
    [
      `stream ${result.numRuns} of seed ${SEED} fails (${result.numShrinks} steps smaller: ${smallest.entries.length} records).`,
      options.explain(smallest),
      `Again: SETWAY_SEED=${SEED}${process.env.SETWAY_FEATURES ? ` SETWAY_FEATURES=${process.env.SETWAY_FEATURES}` : ""} npx vitest run test/properties`,
      `This case alone: SETWAY_REPLAY=${file} npx vitest run test/properties/replay.test.ts`,
    ].join("\n"),
  );
}
