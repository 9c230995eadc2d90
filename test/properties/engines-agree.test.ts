/**
 * Do the kernel's builds do what the reference model does, to the last counter, byte and hazard? Random streams of
 * every operation on random small machines. SETWAY_SEED, SETWAY_STREAMS and SETWAY_FEATURES choose what is played,
 * SETWAY_IGNORE=regexp leaves known differences out by name while an engine is being brought up.
 */
import { describe, expect, test } from "vitest";
import { checkAgreement } from "./agreement.ts";
import { DEBUG_KERNELS, REFERENCE, RELEASE_KERNELS } from "./engines.ts";
import { SEED, streamCount } from "./run-property.ts";

/** Debug builds are slow: they play a part of the streams. */
const DEBUG_SHARE = 5;
const LIMIT = 3_600_000;

describe(`engines agree (SETWAY_SEED=${SEED})`, () => {
  test("release kernels", { timeout: LIMIT }, () => {
    const played = checkAgreement({
      name: "release kernels",
      reference: REFERENCE,
      kernels: RELEASE_KERNELS,
      streams: streamCount(),
    });
    expect(played).toBe(streamCount());
  });

  test("debug kernels", { timeout: LIMIT }, () => {
    const streams = Math.ceil(streamCount() / DEBUG_SHARE);
    const played = checkAgreement({ name: "debug kernels", reference: REFERENCE, kernels: DEBUG_KERNELS, streams });
    expect(played).toBe(streams);
  });
});
