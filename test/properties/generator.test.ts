/** Do random cases hold everything that they are for, and does shrinking keep them playable? */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TLB_COUNTERS } from "../../src/engine/engine.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { decodeRecords, encodeRecords, operationOf } from "../../src/engine/record.ts";
import { PREFETCHER_KINDS } from "../../src/machine/resolved.ts";
import { REFERENCE } from "./engines.ts";
import { allowedFeatures } from "./features.ts";
import { buildMachine } from "./machines.ts";
import { FINISHED, playCase } from "./play-case.ts";
import { randomCase } from "./random-case.ts";
import { STREAM_OPERATIONS } from "./random-stream.ts";
import { keepCase, machineText, readCase, recordsText } from "./report.ts";

const SAMPLE = 360;
const sample = (features = "") => fc.sample(randomCase(allowedFeatures(features)), { seed: 21, numRuns: SAMPLE });

/** Every type of exit, at every stage that can take it. */
const EXITS = [
  ...["translation", "access-flag", "permission"].flatMap((type) => [`${type} 1`, `${type} 2`, `${type} 2 walk`]),
  ...["address-size 1", "address-size 2", "alignment 1", "alignment 2", "domain 1", "atomic 0", "trap 0"],
  ...["external 0", "external 1 walk", "external 2", "reserved 2", "reserved 2 walk"],
];

describe("random cases", () => {
  const cases = sample();

  test("hold every operation", () => {
    const seen = new Set(cases.flatMap((each) => each.entries.map((entry) => operationOf(entry)?.code)));
    expect(
      STREAM_OPERATIONS.filter((name) => ![...seen].some((code) => code !== undefined && code === codeOf(name))),
    ).toEqual([]);
  });

  test("hold machines of every shape", () => {
    const machines = cases.map((each) => buildMachine(each.machine));
    const caches = machines.flatMap((machine) => machine.caches);
    expect(new Set(caches.map((cache) => cache.replacement)).size).toBe(5);
    expect(new Set(caches.map((cache) => cache.inclusionOfData)).size).toBe(3);
    expect(new Set(caches.map((cache) => cache.inclusionOfInstructions)).size).toBe(3);
    expect(new Set(caches.map((cache) => cache.allocate)).size).toBe(3);
    expect(caches.some((cache) => cache.writePolicy === "through")).toBe(true);
    expect(new Set(caches.map((cache) => cache.prefetcher?.kind))).toEqual(new Set([undefined, ...PREFETCHER_KINDS]));
    expect(caches.some((cache) => cache.sets === 3)).toBe(true);
    expect(caches.some((cache) => cache.ways > 16)).toBe(true);
    expect(caches.some((cache) => cache.kind === "system")).toBe(true);
    expect(machines.some((machine) => machine.sockets === 3)).toBe(true);
    expect(machines.some((machine) => machine.smallestLineBytes < machine.largestLineBytes)).toBe(true);
    expect(machines.some((machine) => machine.caches.length === 0)).toBe(true);
    expect(machines.some((machine) => machine.caches.some((cache) => new Set(cache.parentBySocket).size > 1))).toBe(
      true,
    );
  });

  test("have guests that meet every exit, in either stage and in walks, and use all of a TLB", () => {
    const exits = new Set<string>();
    const used = new Map<string, number>();
    let finished = 0;
    const guests = cases.filter((each) => each.features.includes("translation"));
    for (const each of guests) {
      const played = playCase(REFERENCE, each);
      if (typeof played === "string") throw new Error(played);
      if (played.stop === FINISHED) finished += 1;
      for (const { type, stage, duringWalk } of played.exits) exits.add(`${type} ${stage}${duringWalk ? " walk" : ""}`);
      const { tlbs, machine } = played.engine.counters();
      for (const counters of [...tlbs, machine]) {
        for (const [name, count] of Object.entries(counters)) used.set(name, (used.get(name) ?? 0) + count);
      }
    }
    expect(EXITS.filter((exit) => !exits.has(exit))).toEqual([]);
    expect([...TLB_COUNTERS, "walkReads", "flushedLeaves"].filter((name) => !used.get(name))).toEqual([]);
    // Records of guests exit where others err: only streams of bad records end early.
    expect(finished).toBeGreaterThan(guests.length / 2);
  });

  test("come back from their encoding", () => {
    for (const each of cases) expect(decodeRecords(encodeRecords(each.entries))).toEqual(each.entries);
  });

  test("with one feature have one feature", () => {
    const plain = sample("basic");
    const seen = new Set(plain.flatMap((each) => each.entries.map((entry) => operationOf(entry)?.name)));
    expect(seen).toEqual(new Set(["load", "store"]));
  });

  test("are kept in files and printed", () => {
    const each = cases[3] as (typeof cases)[number];
    expect(readCase(keepCase(each, "generator-test"))).toEqual(each);
    expect(recordsText(each.entries, 2)).toMatch(/^ {3}0: .*\n {3}1: .*\n=> 2: /);
    expect(machineText(each.machine)).toContain("protocol");
  });

  test("shrink to the one record that matters", () => {
    const result = fc.check(
      fc.property(
        randomCase(allowedFeatures()),
        (each) => each.entries.filter((entry) => operationOf(entry)?.name === "store").length < 3,
      ),
      { seed: 7, numRuns: 20 },
    );
    expect(result.failed).toBe(true);
    const smallest = result.counterexample?.[0];
    expect(smallest?.entries.map((entry) => operationOf(entry)?.name)).toEqual(["store", "store", "store"]);
    expect(smallest && buildMachine(smallest.machine).caches).toEqual([]);
  });
});

function codeOf(name: (typeof STREAM_OPERATIONS)[number]): number {
  return OPERATIONS[name].code;
}
