/**
 * Do the engines still agree after thousands of records, when every structure has wrapped round and every rare state has
 * come and gone? Long, so only with SETWAY_FULL=1.
 */
import { describe, expect, test } from "vitest";
import { checkAgreement } from "../properties/agreement.ts";
import { REFERENCE, RELEASE_KERNELS } from "../properties/engines.ts";
import { SEED } from "../properties/run-property.ts";

const STREAMS = 200;
const RECORDS: readonly [number, number] = [5_000, 10_000];

const asked = process.env.SETWAY_FULL === "1";

describe.skipIf(!asked)(`long streams (SETWAY_SEED=${SEED})`, () => {
  test("release kernels", { timeout: 3_600_000 }, () => {
    const played = checkAgreement({
      name: "long streams",
      reference: REFERENCE,
      kernels: RELEASE_KERNELS,
      streams: STREAMS,
      length: RECORDS,
    });
    expect(played).toBe(STREAMS);
  });
});
