/**
 * Does a play in shards give what one kernel gives, to the last counter, byte and hazard? Every case of the suite, and random
 * streams of every operation; SETWAY_SEED, SETWAY_STREAMS and SETWAY_FEATURES choose as in test/properties.
 */
import { describe, expect, test } from "vitest";
import { runCase } from "../cases/run-case.ts";
import { THEMES } from "../cases/themes.ts";
import { checkAgreement } from "../properties/agreement.ts";
import { SEED, streamCount } from "../properties/run-property.ts";
import { DATA, DEBUG, type ShardedKind, TAGS } from "./kinds.ts";

const LIMIT = 3_600_000;
/** Five plays of a stream beside the one that they are compared with: a part of the streams is enough each day. */
const SHARE = 5;
const DEBUG_SHARE = 20;

describe("every case, as it asks for", () => {
  const kinds = [...DATA.sharded, ...TAGS.sharded];
  test.each(kinds.map((kind) => [kind.name, kind] as const))("%s", (_name, kind) => {
    for (const each of Object.values(THEMES).flat()) {
      if (kind.carriesData || !each.translates) runCase(each, kind);
    }
  });
});

describe(`random streams (SETWAY_SEED=${SEED})`, () => {
  const agree = (kind: ShardedKind, share: number) => {
    const streams = Math.ceil(streamCount() / share);
    const { whole, sharded } = kind;
    const played = checkAgreement({
      name: whole.name,
      reference: whole,
      kernels: sharded,
      streams,
      alike: true,
      grouped: true,
    });
    expect(played).toBe(streams);
  };

  test("with bytes", { timeout: LIMIT }, () => agree(DATA, SHARE));
  test("tags only", { timeout: LIMIT }, () => agree(TAGS, SHARE));
  test.each(DEBUG.map((kind) => [kind.whole.name, kind] as const))("%s", { timeout: LIMIT }, (_name, kind) =>
    agree(kind, DEBUG_SHARE),
  );
});
