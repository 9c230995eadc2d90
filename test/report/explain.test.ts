/** Does an explanation name the right place, path and remedy for every way in which something goes wrong (R30)? */
import { describe, expect, it } from "vitest";
import type { Hazard } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { ATTRIBUTES } from "../../src/engine/operations.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { explainHazard } from "../../src/report/explain.ts";
import { EXPLAINABLE, HAZARD_TEXTS, RULES } from "../../src/report/rules.ts";

const seattle = loadMachine("seattle");
const cacheOf = (level: string) => ({ cache: seattle.caches.findIndex((cache) => cache.level === level) });

const STALE: Hazard = {
  class: "stale-read",
  line: 0x1000,
  newest: 10,
  writer: 0,
  writerAttribute: ATTRIBUTES.WRITE_BACK.code,
  observer: 0,
  record: 2000,
  piece: 0,
  occurrences: 3,
  lines: 1,
  address: 0x1008,
  observed: 0n,
  expected: 11n,
  source: "memory",
  newestAt: cacheOf("L3"),
  attribute: ATTRIBUTES.DEVICE.code,
  lostAt: -1,
};

const explain = (changes: Partial<Hazard>, operationAt?: (record: number) => string | undefined) =>
  explainHazard({ ...STALE, ...changes }, seattle, operationAt);

describe("a stale read", () => {
  it("says who, when, where, why and what would have helped", () => {
    expect(explain({})).toEqual({
      what: "core 0 read an old value from line 0x1000 at record 2,000, and 2 more times",
      written: "by core 0 at record 10 as Normal Write-Back Inner Shareable",
      seen: "0x0000000000000000 at 0x1008; the newest value is 0x000000000000000b",
      where:
        "in the L3 (a system cache) of the machine, which set/way does not reach and uncached accesses bypass (R4)",
      path: "the access is Device: it bypasses every cache before the Point of Coherency and was served by memory (R14)",
      remedy:
        "DC CVAC or DC CIVAC 0x1000, then DSB, between records 10 and 2,000; DC CISW and DC CSW would not have done, they end above it",
    });
  });

  it.each([
    ["the newest bytes in a cache that set/way reaches", { newestAt: cacheOf("L2") }, "by set/way only if"],
    ["the outer cache", { newestAt: "outer" }, "outer cache clean of 0x1000"],
    ["an old copy in the outer cache", { source: "outer", newestAt: "memory" }, "outer cache invalidate of 0x1000"],
    [
      "an old copy in a cache",
      { source: cacheOf("L1D"), newestAt: "memory", attribute: ATTRIBUTES.WRITE_BACK.code },
      "DC IVAC 0x1000 (or CIVAC)",
    ],
    ["a value that was lost", { newestAt: "nowhere", lostAt: 50 }, "before the loss"],
  ] as const)("with %s has its own remedy", (_, changes, remedy) => {
    expect(explain(changes as Partial<Hazard>).remedy).toContain(remedy);
  });
});

it("a lost write is explained by the operation that lost it", () => {
  const lost = { class: "lost-write", newestAt: "nowhere", record: 50 } as const;
  const told = explain(lost, (record) => (record === 50 ? "core 0 DC IVAC 0x1000" : undefined));
  expect(told.loss).toContain("at record 50 (core 0 DC IVAC 0x1000)");
  expect(told.remedy).toContain("in the place of DC IVAC");
});

it.each([
  ["the instruction cache itself", cacheOf("L1I"), cacheOf("L1D"), "DC CVAU 0x1000, DSB, IC IVAU 0x1000"],
  ["memory", "memory", cacheOf("L2"), "to the Point of Coherency"],
] as const)("a stale fetch served by %s needs its own maintenance", (_, source, newestAt, remedy) => {
  const told = explain({ class: "stale-fetch", source, newestAt, attribute: ATTRIBUTES.WRITE_BACK.code });
  expect(told.remedy).toContain(remedy);
});

it("a device that doesn't snoop is told apart from one that does", () => {
  const requester = seattle.cores.length;
  expect(explain({ class: "stale-dma", observer: requester }).path).toContain("snoops the caches");
  const deaf = { ...seattle, devices: seattle.devices.map((device) => ({ ...device, coherent: false })) };
  expect(explainHazard({ ...STALE, class: "stale-dma", observer: requester }, deaf).path).toContain("never the caches");
});

it.each(HAZARD_CLASSES.map(({ name }) => name))("%s has an explanation and a text", (name) => {
  const told = explain({ class: name });
  expect(told.what).toContain("2,000");
  expect(told.remedy).not.toBe("");
  expect(HAZARD_TEXTS[name].cause).not.toBe("");
});

it("the rules are R1 to R50, in order", () => {
  expect(Object.keys(RULES)).toEqual(Array.from({ length: 50 }, (_, index) => `R${index + 1}`));
  expect(new Set(EXPLAINABLE).size).toBe(EXPLAINABLE.length);
});
