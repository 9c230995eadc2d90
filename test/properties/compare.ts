/**
 * Everything that an engine says about its state, and the differences between two engines as named values. Names are readable
 * (`counters L2.1 snoopsIn`), since a failure prints them.
 */

import { isDeepStrictEqual } from "node:util";
import type { CacheCounters, Copy, Counters, Engine, Hazard, PeekPlace } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { operationOf, type RecordEntry } from "../../src/engine/record.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";

export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** `L2.1` is the second L2 by id. */
export function cacheNames(machine: ResolvedMachine): string[] {
  const seen = new Map<string, number>();
  return machine.caches.map((cache) => {
    const index = seen.get(cache.level) ?? 0;
    seen.set(cache.level, index + 1);
    return `${cache.level}.${index}`;
  });
}

/** As far as prefetchers of random machines reach. */
const MOST_LINES_AHEAD = 40;
/** The longest access whose blocks are all listed. */
const MOST_BYTES = 4096;

/** Base addresses of every largest-line block of RAM that the records can touch. */
export function blocksOf(machine: ResolvedMachine, entries: readonly RecordEntry[]): number[] {
  const unit = machine.largestLineBytes;
  const blocks = new Set<number>();
  const prefetches = machine.caches.some(({ prefetcher }) => prefetcher);
  for (const entry of entries) {
    if (operationOf(entry)?.operand !== "address") continue;
    const region = machine.memory.find(
      (each) => entry.operand >= each.base && entry.operand < each.base + each.sizeBytes,
    );
    if (region === undefined || region.type === "device") continue;
    const end = Math.min(entry.operand + Math.min(entry.sizeBytes ?? 8, MOST_BYTES), region.base + region.sizeBytes);
    for (let block = entry.operand - (entry.operand % unit); block < end; block += unit) blocks.add(block);
    if (prefetches) {
      // A prefetcher stays within a page of 4 KiB.
      const near = Math.min(MOST_LINES_AHEAD * unit, 4096);
      const page = entry.operand - (entry.operand % 4096);
      const first = Math.max(page, entry.operand - (entry.operand % unit) - near);
      for (let block = first; block < Math.min(page + 4096, end + near); block += unit) blocks.add(block);
    }
    const zva = machine.zvaBytes;
    if (zva > unit) {
      const start = entry.operand - (entry.operand % zva);
      for (let block = start; block < start + zva; block += unit) blocks.add(block);
    }
  }
  return [...blocks].sort((a, b) => a - b);
}

/** What is compared: `bytes` only among engines that carry data (R45). */
export interface Scope {
  readonly bytes: boolean;
}

const LATENT: ReadonlySet<string> = new Set(
  HAZARD_CLASSES.filter((each) => each.kind === "latent").map((each) => each.name),
);

/** Everything that an engine says about its state, as it says it. */
export interface Snapshot {
  readonly machine: ResolvedMachine;
  readonly blocks: readonly number[];
  readonly said: Said;
}

interface Said {
  readonly records: number;
  /** Whether a level that never hit is listed as 0 or left out doesn't matter. */
  readonly counters: Counters;
  readonly notAssessable: readonly string[];
  readonly dirtyLines: readonly number[];
  /** Of every smallest line of the blocks. */
  readonly copies: readonly (readonly Copy[])[];
  readonly hazards: readonly Hazard[];
  /** Only where bytes are compared: with each place, what it holds of all blocks. */
  readonly lastValue: bigint | undefined;
  readonly bytes: readonly (readonly [PeekPlace, Uint8Array])[];
}

export function snapshot(engine: Engine, blocks: readonly number[], scope: Scope): Snapshot {
  const { machine } = engine;
  const counters = engine.counters();
  const hazards = engine.hazards();
  const places = scope.bytes ? placesOf(machine) : [];
  return {
    machine,
    blocks,
    said: {
      records: engine.records,
      counters: { ...counters, hits: counters.hits.map(withoutZeroes) },
      notAssessable: engine.notAssessable(),
      dirtyLines: engine.dirtyLines(),
      copies: linesOf(machine, blocks).map((line) => engine.copies(line)),
      hazards: scope.bytes ? hazards : hazards.filter((each) => LATENT.has(each.class)),
      lastValue: scope.bytes ? engine.lastValue() : undefined,
      bytes: places.map((place) => [place, peekAll(engine, place, blocks)]),
    },
  };
}

function linesOf(machine: ResolvedMachine, blocks: readonly number[]): number[] {
  const lines: number[] = [];
  for (const block of blocks) {
    for (let line = block; line < block + machine.largestLineBytes; line += machine.smallestLineBytes) lines.push(line);
  }
  return lines;
}

function placesOf(machine: ResolvedMachine): PeekPlace[] {
  return [
    "memory",
    "truth",
    ...(machine.outer ? (["outer"] as const) : []),
    ...(machine.memorySide.length > 0 ? (["memory-side"] as const) : []),
    ...machine.caches.map(({ id }) => ({ cache: id })),
  ];
}

function peekAll(engine: Engine, place: PeekPlace, blocks: readonly number[]): Uint8Array {
  const size = engine.machine.largestLineBytes;
  const all = new Uint8Array(blocks.length * size);
  blocks.forEach((block, index) => {
    all.set(engine.peek(place, block, size), index * size);
  });
  return all;
}

const withoutZeroes = (hits: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(hits).filter(([, value]) => value !== 0));

type Values = Map<string, string | number | bigint>;

/** Every value with its name. Making names and texts takes several times as long as playing: only what differs gets them. */
function named({ machine, blocks, said }: Snapshot): Values {
  const names = cacheNames(machine);
  const out: Values = new Map();
  out.set("records", said.records);
  const { counters } = said;
  const addCache = (name: string, each: CacheCounters) => {
    for (const [counter, value] of Object.entries(each)) out.set(`counters ${name} ${counter}`, value);
  };
  counters.caches.forEach((each, id) => {
    addCache(names[id] as string, each);
  });
  if (counters.outer) addCache("outer", counters.outer);
  counters.memorySide.forEach((each, socket) => {
    addCache(`memory-side.${socket}`, each);
  });
  for (const [counter, value] of Object.entries(counters.machine)) out.set(`counters machine ${counter}`, value);
  counters.events.forEach((events, requester) => {
    for (const [event, value] of Object.entries(events)) out.set(`events of requester ${requester}: ${event}`, value);
  });
  counters.hits.forEach((hits, requester) => {
    for (const [level, value] of Object.entries(hits)) out.set(`hits of requester ${requester}: ${level}`, value);
  });
  counters.tlbs.forEach((each, core) => {
    for (const [counter, value] of Object.entries(each)) out.set(`translation of core ${core}: ${counter}`, value);
  });
  out.set("not assessable", said.notAssessable.join(", "));
  said.dirtyLines.forEach((value, id) => {
    out.set(`dirty lines ${names[id] ?? id}`, value);
  });
  linesOf(machine, blocks).forEach((line, index) => {
    const text = (said.copies[index] as readonly Copy[])
      .map((copy) => `${names[copy.cache]}[${copy.set},${copy.way}]=${copy.state}@${copy.line.toString(16)}`)
      .join(" ");
    out.set(`copies of 0x${line.toString(16)}`, text);
  });
  out.set("hazards count", said.hazards.length);
  said.hazards.forEach((hazard, index) => {
    const identity = `hazard ${index}, ${hazard.class} of 0x${hazard.line.toString(16)} newest ${hazard.newest} observer ${hazard.observer}`;
    out.set(`hazard ${index}`, identity);
    for (const [field, value] of Object.entries(hazard)) out.set(`${identity}: ${field}`, fieldText(value, names));
  });
  if (said.lastValue !== undefined) out.set("last value", said.lastValue);
  for (const [place, ofBlocks] of said.bytes) {
    const where = typeof place === "string" ? place : names[place.cache];
    blocks.forEach((block, index) => {
      const bytes = ofBlocks.subarray(index * machine.largestLineBytes, (index + 1) * machine.largestLineBytes);
      out.set(`bytes of 0x${block.toString(16)} in ${where}`, hex(bytes));
    });
  }
  return out;
}

/** Differences that are known for now and not to be reported: a regular expression over their names. */
const IGNORED = process.env.SETWAY_IGNORE ? new RegExp(process.env.SETWAY_IGNORE) : undefined;

/** What differs, in the order of the first snapshot. */
export function differences(expected: Snapshot, found: Snapshot): Difference[] {
  return isDeepStrictEqual(expected.said, found.said) ? [] : differingValues(named(expected), named(found));
}

/** Named values that differ, or that only one side has. */
export function differingValues(expected: Values, found: Values): Difference[] {
  const out: Difference[] = [];
  for (const [what, value] of expected) {
    const other = found.get(what);
    if (other !== value) out.push({ what, expected: String(value), found: String(other) });
  }
  for (const [what, value] of found)
    if (!expected.has(what)) out.push({ what, expected: "undefined", found: String(value) });
  return IGNORED ? out.filter((each) => !IGNORED.test(each.what)) : out;
}

function fieldText(value: Hazard[keyof Hazard], names: readonly string[]): string {
  return typeof value === "object" ? (names[value.cache] ?? `cache ${value.cache}`) : String(value);
}

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
