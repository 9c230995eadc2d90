/** Question: is the trace that ships with the package the recording, and are the recordings read to the last record? */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { operationOf } from "../../src/trace/entry.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { drain, sameWords } from "./samples.ts";

const SHIPPED = "traces/zimage-boot-l3.swt";
const RECORDINGS = "../shared/traces";
const present = existsSync(RECORDINGS);

test("the shipped trace is small, says where it comes from, and holds the boot", async () => {
  expect((await stat(SHIPPED)).size).toBeLessThanOrEqual(3_500_000);
  const source = await openTraceFile(SHIPPED);
  expect(source.header).toMatchObject({
    format: "swt",
    addresses: "physical",
    initialSctlr: 0,
    requesters: 1,
    records: 2_426_628,
    provenance: { maintenance: true, control: true, dma: false, ownership: false },
    stripping: { sets: 4096, lineBytes: 64 },
  });
  expect(source.header.source).toContain("Debian 6.1.0-50-armmp");
  const { words, error } = await drain(source);
  expect(error).toBeUndefined();
  const count = new Array<number>(256).fill(0);
  for (let i = 1; i < words.length; i += 2) (count[operationOf(words[i] as number)] as number)++;
  expect(count[OPERATIONS.DC_CIVAC.code]).toBe(321_603);
  expect(count[OPERATIONS.DC_ISW.code]).toBe(512);
  expect(words.length).toBe(2 * 2_426_628);
});

describe.skipIf(!present)("../shared/traces (skipped where it is absent)", () => {
  test("the shipped trace is the recording, entry by entry", async () => {
    const shipped = await drain(await openTraceFile(SHIPPED));
    const recorded = await drain(await openTraceFile(`${RECORDINGS}/zimage-boot-l3.raw64.xz`));
    expect(recorded.error).toBeUndefined();
    expect(sameWords(shipped.words, recorded.words)).toBe(true);
  });

  test("a recording has the records that its README says", async () => {
    const readme = await readFile(`${RECORDINGS}/README.md`, "utf8");
    for (const [, name, records] of readme.matchAll(/^\| `(uboot\d\d-fw\.raw64\.xz)` \| ([\d,]+) \|/gm)) {
      const { words, error } = await drain(await openTraceFile(`${RECORDINGS}/${name}`));
      expect(error).toBeUndefined();
      expect(words.length / 2).toBe(Number((records as string).replaceAll(",", "")));
    }
  });
});
