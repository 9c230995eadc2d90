/** Plays a case on an engine and compares what the case speaks of. */
import { expect } from "vitest";
import {
  CACHE_COUNTERS,
  COST_EVENTS,
  type Engine,
  EVERYTHING_RECORDED,
  MACHINE_COUNTERS,
  TLB_COUNTERS,
} from "../../src/engine/engine.ts";
import { RecordError } from "../../src/engine/errors.ts";
import type { Exit } from "../../src/engine/exit.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { encodeRecords } from "../../src/engine/record.ts";
import { cacheNames } from "../properties/compare.ts";
import type { EngineKind } from "../properties/engines.ts";
import { buildMachine } from "../properties/machines.ts";
import type { Case } from "./case.ts";

const LATENT: ReadonlySet<string> = new Set(
  HAZARD_CLASSES.filter((each) => each.kind === "latent").map((each) => each.name),
);

export function runCase(each: Case, kind: EngineKind): void {
  const machine = buildMachine(each.machine);
  const engine = kind.create(machine, { ...EVERYTHING_RECORDED, ...each.provenance });
  const words = encodeRecords(each.records);
  const { refused } = each.expect;
  let exits: readonly Exit[] = [];
  if (each.expect.exits !== undefined) {
    exits = playThroughExits(engine, words);
  } else if (refused === undefined) {
    engine.play(words);
  } else {
    const error = thrown(() => engine.play(words));
    expect(error).toBeInstanceOf(RecordError);
    expect((error as RecordError).detail.record).toBe(refused.record);
    expect((error as RecordError).message).toMatch(refused.message);
  }
  // One object, so that a failure shows everything that is wrong at once.
  expect({ ...found(each, engine), ...exitsFound(each, exits) }).toEqual(wanted(each, engine));
}

/** Goes on behind whatever exits, as a hypervisor does that has emulated it. */
function playThroughExits(engine: Engine, words: Uint32Array): Exit[] {
  const exits: Exit[] = [];
  let done = 0;
  while (done < words.length / 2) {
    const played = engine.run(words.subarray(done * 2));
    const { exit } = engine;
    if (exit === undefined) break;
    exits.push({ ...exit, word: done + exit.word });
    done += played + 1;
  }
  return exits;
}

/** Of each exit the fields that the case speaks of; one too many shows in full. */
function exitsFound(each: Case, exits: readonly Exit[]): Record<string, unknown> {
  const said = each.expect.exits;
  if (said === undefined) return {};
  return {
    exits: exits.map((exit, index) =>
      Object.fromEntries(Object.entries(exit).filter(([key]) => said[index] === undefined || key in said[index])),
    ),
  };
}

function thrown(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

const zeroes = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 0]));

/** A case says `L2` for `L2.0`. */
const fullName = (name: string) => (/\.\d+$/.test(name) || name === "outer" ? name : `${name}.0`);

function wanted(each: Case, engine: Engine): Record<string, unknown> {
  const { expect: said } = each;
  const out: Record<string, unknown> = {};
  for (const [name, counters] of Object.entries(said.caches ?? {}))
    out[name] = { ...zeroes(CACHE_COUNTERS), ...counters };
  if (said.machine) out.machine = { ...zeroes(MACHINE_COUNTERS), ...said.machine };
  for (const [who, events] of Object.entries(said.events ?? {}))
    out[`events ${who}`] = { ...zeroes(COST_EVENTS), ...events };
  for (const [who, hits] of Object.entries(said.hits ?? {})) out[`hits ${who}`] = hits;
  for (const [address, text] of Object.entries(said.copies ?? {})) out[`copies ${address}`] = normalCopies(text);
  for (const [name, ways] of Object.entries(said.ways ?? {})) out[`ways ${name}`] = ways;
  for (const [name, dirty] of Object.entries(said.dirty ?? {})) out[`dirty ${name}`] = dirty;
  if (said.exits !== undefined) out.exits = said.exits;
  if (said.walkReads !== undefined) out["walk reads"] = said.walkReads;
  for (const [core, counters] of Object.entries(said.tlbs ?? {}))
    out[`tlbs ${core}`] = { ...zeroes(TLB_COUNTERS), ...counters };
  if (said.records !== undefined) out.records = said.records;
  if (said.notAssessable) out["not assessable"] = said.notAssessable;
  if (said.hazards) out.hazards = said.hazards.filter((hazard) => engine.carriesData || LATENT.has(hazard.class));
  if (engine.carriesData) {
    for (const [where, words] of Object.entries(said.words ?? {})) out[`words ${where}`] = words;
    if (said.value !== undefined) out.value = said.value;
  }
  return out;
}

function found(each: Case, engine: Engine): Record<string, unknown> {
  const { expect: said } = each;
  const { machine } = engine;
  const names = cacheNames(machine);
  const counters = engine.counters();
  const out: Record<string, unknown> = {};
  const idOf = (name: string) => {
    const id = names.indexOf(fullName(name));
    if (id < 0) throw new Error(`the case names a cache ${name}; there are ${names.join(", ")}`);
    return id;
  };
  for (const name of Object.keys(said.caches ?? {})) {
    if (name === "outer") out[name] = counters.outer;
    else if (name.startsWith("memory-side")) out[name] = counters.memorySide[Number(fullName(name).split(".")[1])];
    else out[name] = counters.caches[idOf(name)];
  }
  if (said.machine) out.machine = counters.machine;
  for (const who of Object.keys(said.events ?? {})) out[`events ${who}`] = counters.events[Number(who)];
  for (const who of Object.keys(said.hits ?? {})) {
    const hits = Object.entries(counters.hits[Number(who)] ?? {}).filter(([, count]) => count !== 0);
    out[`hits ${who}`] = Object.fromEntries(hits);
  }
  for (const address of Object.keys(said.copies ?? {})) {
    const copies = engine.copies(Number(address)).map((copy) => `${names[copy.cache]} ${copy.state}`);
    out[`copies ${address}`] = copies.join(", ");
  }
  for (const [name, ways] of Object.entries(said.ways ?? {})) {
    const id = idOf(name);
    const where = Object.keys(ways).map((address) => {
      const copy = engine.copies(Number(address)).find((each) => each.cache === id);
      return [address, copy?.way ?? -1];
    });
    out[`ways ${name}`] = Object.fromEntries(where);
  }
  for (const name of Object.keys(said.dirty ?? {})) out[`dirty ${name}`] = engine.dirtyLines()[idOf(name)];
  if (said.walkReads !== undefined) out["walk reads"] = counters.machine.walkReads;
  for (const core of Object.keys(said.tlbs ?? {})) out[`tlbs ${core}`] = counters.tlbs[Number(core)];
  if (said.records !== undefined) out.records = engine.records;
  if (said.notAssessable) out["not assessable"] = engine.notAssessable();
  if (said.hazards) {
    const hazards = engine.hazards().filter((hazard) => engine.carriesData || LATENT.has(hazard.class));
    const asked = said.hazards.filter((hazard) => engine.carriesData || LATENT.has(hazard.class));
    // Fields that the case speaks of; a hazard too many shows in full.
    out.hazards = hazards.map((hazard, index) => {
      const fields = asked[index] === undefined ? undefined : Object.keys(asked[index]);
      return Object.fromEntries(Object.entries(hazard).filter(([key]) => fields?.includes(key) ?? true));
    });
  }
  if (engine.carriesData) {
    for (const [where, words] of Object.entries(said.words ?? {})) {
      const place = where === "memory" || where === "truth" ? where : { cache: idOf(where) };
      const values = Object.keys(words).map((address) => [
        address,
        littleEndian(engine.peek(place, Number(address), 8)),
      ]);
      out[`words ${where}`] = Object.fromEntries(values);
    }
    if (said.value !== undefined) out.value = engine.lastValue();
  }
  return out;
}

const normalCopies = (text: string): string =>
  text === ""
    ? ""
    : text
        .split(", ")
        .map((part) => {
          const [name, state] = part.split(" ");
          return `${fullName(name as string)} ${state}`;
        })
        .join(", ");

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
