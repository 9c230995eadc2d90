/**
 * Servers, on which the kernel keeps sharers instead of its hash while it plays buckets (assembly/sharers.ts): the same as the
 * reference model does, whatever comes between plain accesses and however often sharers are taken up and given up.
 */
import { describe, expect, test } from "vitest";
import { checkAgreement } from "./agreement.ts";
import { debugBuild, kernel, REFERENCE } from "./engines.ts";
import { SEED, streamCount } from "./run-property.ts";
import { SERVER_FEATURES } from "./server-features.ts";

describe(`servers (SETWAY_SEED=${SEED})`, () => {
  for (const [what, features] of Object.entries(SERVER_FEATURES)) {
    test(what, { timeout: 3_600_000 }, () => {
      const streams = Math.ceil(streamCount() / 10);
      const played = checkAgreement({
        name: `servers, ${what}`,
        reference: REFERENCE,
        kernels: [
          kernel("kernel", false, "groups"),
          kernel("debug kernel", false, "groups", debugBuild("tags")),
          kernel("kernel with bytes", true, "groups"),
          kernel("debug kernel with bytes", true, "groups", debugBuild("data")),
          kernel("debug kernel with versions", false, "groups", debugBuild("versions")),
        ],
        streams,
        features: new Set(features),
        machines: "servers",
        length: [200, 1500],
      });
      expect(played).toBe(streams);
    });
  }
});
