/**
 * Servers, on which the kernel keeps sharers instead of its hash while it plays buckets (assembly/sharers.ts): the same as the
 * reference model does, whatever comes between plain accesses and however often sharers are taken up and given up.
 */
import { describe, expect, test } from "vitest";
import { checkAgreement } from "./agreement.ts";
import { debugBuild, kernel, REFERENCE } from "./engines.ts";
import type { Feature } from "./features.ts";
import { SEED, streamCount } from "./run-property.ts";

/** Nothing is recorded but accesses, so that the build without versions plays; or with what interrupts. */
const PLAIN: readonly Feature[] = ["basic", "fetch", "system", "inclusion", "regions", "mmio"];
/** And what is dealt like them, or passes while they wait (assembly/alike.ts). */
const ALIKE: readonly Feature[] = [...PLAIN, "atomics", "speculation", "barriers", "zeroing"];
/** Maintenance, whether what was recorded tells what relies on it or not: where it doesn't, sharers stay in force. */
const MAINTAINED: readonly Feature[] = [...ALIKE, "maintenance", "provenance"];
/** Guests, whose walks are dealt as well (assembly/walk.ts). */
const TRANSLATED: readonly Feature[] = [...ALIKE, "translation"];
const INTERRUPTED: readonly Feature[] = [
  ...ALIKE,
  "sizes",
  "control",
  "attributes",
  "nonshareable",
  "maintenance",
  "setway",
  "devices",
  "assign",
];

describe(`servers (SETWAY_SEED=${SEED})`, () => {
  for (const [what, features] of [
    ["plain accesses", PLAIN],
    ["with what is like them", ALIKE],
    ["with maintenance", MAINTAINED],
    ["with guests", TRANSLATED],
    ["with interruptions", INTERRUPTED],
  ] as const) {
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
