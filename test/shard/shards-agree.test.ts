/**
 * Does a play in shards give what one kernel gives, to the last counter, byte and hazard? Every case of the suite, and random
 * streams of every operation; SETWAY_SEED, SETWAY_STREAMS and SETWAY_FEATURES choose as in test/properties.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commonIndexBits } from "../../src/shard/plan.ts";
import { runCase } from "../cases/run-case.ts";
import { THEMES } from "../cases/themes.ts";
import { checkAgreement } from "../properties/agreement.ts";
import { allowedFeatures, type Feature } from "../properties/features.ts";
import { buildMachine } from "../properties/machines.ts";
import { type MachineKind, randomCase } from "../properties/random-case.ts";
import { SEED, streamCount } from "../properties/run-property.ts";
import { SERVER_FEATURES } from "../properties/server-features.ts";
import { DATA, DEBUG, type ShardedKind, TAGS } from "./kinds.ts";

const LIMIT = 3_600_000;
const FULL = process.env.SETWAY_FULL === "1";
/** Five plays of a stream beside the one that they are compared with: a part of the streams is enough each day. */
const SHARE = 60;
/** And of those for servers, which are five kinds of streams. */
const SERVER_SHARE = 150;
const DEBUG_SHARE = 100;

describe("every case, as it asks for", () => {
  const daily = [...DATA.sharded.slice(2, 3), ...TAGS.sharded.slice(3, 4)];
  const kinds = FULL ? [...DATA.sharded, ...TAGS.sharded] : daily;
  test.each(kinds.map((kind) => [kind.name, kind] as const))("%s", { timeout: LIMIT }, (_name, kind) => {
    for (const each of Object.values(THEMES).flat()) {
      if (kind.carriesData || !each.translates) runCase(each, kind);
    }
  });
});

describe(`random streams (SETWAY_SEED=${SEED})`, () => {
  const agree = (
    kind: ShardedKind,
    share: number,
    machines: MachineKind = "grouped",
    features?: readonly Feature[],
  ) => {
    const streams = Math.ceil(streamCount() / share);
    const { whole } = kind;
    const sharded = FULL ? kind.sharded : kind.sharded.filter(({ shards }) => shards > 1);
    const played = checkAgreement({
      name: whole.name,
      reference: whole,
      kernels: sharded,
      streams,
      alike: true,
      machines,
      ...(features && { features: new Set(features), length: [200, 1500] }),
    });
    expect(played).toBe(streams);
  };

  test("with bytes", { timeout: LIMIT }, () => agree(DATA, SHARE));
  test("tags only", { timeout: LIMIT }, () => agree(TAGS, SHARE));
  test("tags only, servers", { timeout: LIMIT }, () => agree(TAGS, SHARE, "servers"));
  describe.each(Object.entries(SERVER_FEATURES))("servers, %s", (_what, features) => {
    test.each([DATA, TAGS].map((kind) => [kind.whole.name, kind] as const))("%s", { timeout: LIMIT }, (_name, kind) =>
      agree(kind, SERVER_SHARE, "servers", features),
    );
  });
  test.each(DEBUG.map((kind) => [kind.whole.name, kind] as const))("%s", { timeout: LIMIT }, (_name, kind) =>
    agree(kind, DEBUG_SHARE),
  );

  test("are mostly for machines that have set groups, without tables half of the time", () => {
    const cases = fc.sample(randomCase(allowedFeatures("-directory"), undefined, [1, 1], "grouped"), {
      numRuns: 200,
      seed: 1,
    });
    const grouped = cases.filter((each) => commonIndexBits(buildMachine(each.machine)) > 0);
    expect(grouped.length).toBeGreaterThan(180);
    expect(grouped.filter((each) => !each.features.includes("translation")).length).toBeGreaterThan(70);
  });
});
