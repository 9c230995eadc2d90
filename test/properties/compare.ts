/**
 * Everything that an engine says about its state, flattened to named values, and the differences between two engines.
 * Names are readable (`counters L2.1 snoopsIn`), since a failure prints them.
 */

import type { CacheCounters, Engine, Hazard } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { operationOf, type RecordEntry } from "../../src/engine/record.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";

export type Snapshot = Map<string, string | number | bigint>;

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

export function snapshot(engine: Engine, blocks: readonly number[], scope: Scope): Snapshot {
  const { machine } = engine;
  const names = cacheNames(machine);
  const out: Snapshot = new Map();
  out.set("records", engine.records);
  const counters = engine.counters();
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
    // Whether a level that never hit is listed as 0 or left out doesn't matter.
    for (const [level, value] of Object.entries(hits))
      if (value !== 0) out.set(`hits of requester ${requester}: ${level}`, value);
  });
  counters.tlbs.forEach((each, core) => {
    for (const [counter, value] of Object.entries(each)) out.set(`translation of core ${core}: ${counter}`, value);
  });
  out.set("not assessable", engine.notAssessable().join(", "));
  engine.dirtyLines().forEach((value, id) => {
    out.set(`dirty lines ${names[id] ?? id}`, value);
  });
  for (const block of blocks) {
    for (let line = block; line < block + machine.largestLineBytes; line += machine.smallestLineBytes) {
      const text = engine
        .copies(line)
        .map((copy) => `${names[copy.cache]}[${copy.set},${copy.way}]=${copy.state}@${copy.line.toString(16)}`)
        .join(" ");
      out.set(`copies of 0x${line.toString(16)}`, text);
    }
  }
  const hazards = engine.hazards();
  const compared = scope.bytes ? hazards : hazards.filter((each) => LATENT.has(each.class));
  out.set("hazards count", compared.length);
  compared.forEach((hazard, index) => {
    const identity = `hazard ${index}, ${hazard.class} of 0x${hazard.line.toString(16)} newest ${hazard.newest} observer ${hazard.observer}`;
    out.set(`hazard ${index}`, identity);
    for (const [field, value] of Object.entries(hazard)) out.set(`${identity}: ${field}`, fieldText(value, names));
  });
  if (scope.bytes) {
    out.set("last value", engine.lastValue());
    for (const block of blocks) {
      const at = `of 0x${block.toString(16)}`;
      const size = machine.largestLineBytes;
      out.set(`bytes ${at} in memory`, hex(engine.peek("memory", block, size)));
      out.set(`bytes ${at} in truth`, hex(engine.peek("truth", block, size)));
      if (machine.outer) out.set(`bytes ${at} in outer`, hex(engine.peek("outer", block, size)));
      if (machine.memorySide.length > 0) {
        out.set(`bytes ${at} in memory-side`, hex(engine.peek("memory-side", block, size)));
      }
      for (const cache of machine.caches) {
        out.set(`bytes ${at} in ${names[cache.id]}`, hex(engine.peek({ cache: cache.id }, block, size)));
      }
    }
  }
  return out;
}

/** Differences that are known for now and not to be reported: a regular expression over their names. */
const IGNORED = process.env.SETWAY_IGNORE ? new RegExp(process.env.SETWAY_IGNORE) : undefined;

/** What differs, in the order of the first snapshot. */
export function differences(expected: Snapshot, found: Snapshot): Difference[] {
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
