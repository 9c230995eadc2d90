/**
 * Does the kernel's log say of every record what the reference model counted while playing it, and does logging change
 * nothing? Random streams on random machines, as in engines-agree.test.ts.
 */
import { describe, expect, test } from "vitest";
import { COST_EVENTS, type Counters, type Engine } from "../../src/engine/engine.ts";
import { createKernel, type Kernel } from "../../src/engine/kernel.ts";
import type { MissLogEntry } from "../../src/engine/miss-log.ts";
import { encodeRecords } from "../../src/engine/record.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import { type EngineKind, REFERENCE, RELEASE_KERNELS } from "./engines.ts";
import { ALL_FEATURES } from "./features.ts";
import { compareEngines, playCase } from "./play-case.ts";
import type { RandomCase } from "./random-case.ts";
import { checkProperty } from "./run-property.ts";

const STREAMS = process.env.SETWAY_FULL === "1" ? 2_000 : 15;
const LIMIT = 3_600_000;

const LOGGING: EngineKind = {
  name: "kernel with a log",
  carriesData: true,
  create: (machine, provenance) => createKernel(machine, { provenance, missLog: true }),
};

type Sums = ReadonlyMap<string, number>;

/** Hits of levels, cost events and demand misses, of all requesters together; what never happened is left out. */
function counted(machine: ResolvedMachine, { hits, events, caches }: Counters, before?: Counters): Sums {
  const sums = new Map<string, number>();
  const add = (name: string, times: number) => {
    if (times !== 0) sums.set(name, (sums.get(name) ?? 0) + times);
  };
  hits.forEach((levels, requester) => {
    for (const [level, times] of Object.entries(levels)) add(level, times - (before?.hits[requester]?.[level] ?? 0));
  });
  events.forEach((each, requester) => {
    for (const event of COST_EVENTS) add(event, each[event] - (before?.events[requester]?.[event] ?? 0));
  });
  for (const { id, level } of machine.caches) {
    const missesOf = (all: Pick<Counters, "caches"> | undefined) => {
      const cache = all?.caches[id];
      return cache === undefined ? 0 : cache.loadMisses + cache.storeMisses + cache.fetchMisses;
    };
    add(`${level} missed`, missesOf({ caches }) - missesOf(before));
  }
  return new Map([...sums].filter(([, times]) => times !== 0));
}

function logged(entries: Iterable<MissLogEntry>): Sums {
  const sums = new Map<string, number>();
  for (const { level, event, missed } of entries) {
    const name = missed === undefined ? (level ?? (event as string)) : `${missed} missed`;
    sums.set(name, (sums.get(name) ?? 0) + 1);
  }
  return sums;
}

const textOf = (sums: Sums): string => [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).join(" ");

/** Hits in a first level that the log left out are plain ones. */
const isPlain = (missing: Sums): boolean => [...missing].every(([name, times]) => /^L1[ID]?$/.test(name) && times > 0);

function difference(all: Sums, part: Sums): Sums {
  const names = new Set([...all.keys(), ...part.keys()]);
  const left = [...names].map((name) => [name, (all.get(name) ?? 0) - (part.get(name) ?? 0)] as const);
  return new Map(left.filter(([, times]) => times !== 0));
}

/** What the log as a whole lacks of the counters, or has too much. */
function wrongAsWhole(each: RandomCase): string | undefined {
  const plain = playCase(RELEASE_KERNELS[0] as EngineKind, each);
  const played = playCase(LOGGING, each);
  if (compareEngines(plain, played, each, false).length > 0) return "logging changes what happens";
  if (typeof played === "string") return undefined;
  const engine = played.engine as Kernel;
  return isPlain(difference(counted(engine.machine, engine.counters()), logged(engine.takeMissLog())))
    ? undefined
    : "the log's sums";
}

/** Record by record: a record without an entry was one plain hit or nothing; with entries they say all of it. */
function wrongInRecord(each: RandomCase): string | undefined {
  const machine = (kind: EngineKind) => playCase(kind, { ...each, entries: [] });
  const one = machine(REFERENCE);
  const other = machine(LOGGING);
  if (typeof one === "string" || typeof other === "string") return undefined;
  const reference: Engine = one.engine;
  const kernel = other.engine as Kernel;
  for (const entry of each.entries) {
    const words = encodeRecords([entry]);
    const number = kernel.records;
    const before = reference.counters();
    try {
      reference.play(words);
      kernel.play(words);
    } catch {
      return undefined;
    }
    const entries = [...kernel.takeMissLog()];
    const happened = counted(reference.machine, reference.counters(), before);
    if (entries.some(({ record }) => record !== number)) return `record ${number}: another number in the log`;
    const isRight =
      entries.length === 0
        ? isPlain(happened) && [...happened.values()].reduce((sum, times) => sum + times, 0) <= 1
        : textOf(happened) === textOf(logged(entries));
    if (!isRight) return `record ${number}: ${textOf(happened)} but logged ${textOf(logged(entries))}`;
  }
  return undefined;
}

describe("the miss log", () => {
  test("changes nothing, and has every event that was counted", { timeout: LIMIT }, () => {
    const options = { name: "miss log as a whole", streams: STREAMS, wrong: wrongAsWhole, explain: String };
    expect(checkProperty(options)).toBe(STREAMS);
  });

  test("has of each record what the reference model counted for it", { timeout: LIMIT }, () => {
    const features = new Set(ALL_FEATURES.filter((feature) => feature !== "translation"));
    const explain = (each: RandomCase) => wrongInRecord(each) ?? "";
    const wrong = (each: RandomCase) => (wrongInRecord(each) === undefined ? undefined : "a record");
    expect(checkProperty({ name: "miss log by record", streams: STREAMS, features, wrong, explain })).toBe(STREAMS);
  });
});
