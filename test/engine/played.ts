/** What tests of the reference model ask of an engine that has played: counters, states and hazards as short text. */
import type { CacheCounters, Engine } from "../../src/engine/engine.ts";
import { type RecordEntry, records } from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";

/** A reference model that has played the given records. */
export function played(on: ResolvedMachine, ...entries: readonly RecordEntry[]): Engine {
  const engine = createReference(on);
  engine.play(records(...entries));
  return engine;
}

/** Counters of a cache, named `L1D` or, where there are several, `L1D.1`; those that are zero are left out. */
export function counted(engine: Engine, name: string): Partial<CacheCounters> {
  const counters = engine.counters().caches[cacheId(engine.machine, name)];
  return nonZero(counters ?? {});
}

export function nonZero<T extends object>(counters: T): Partial<T> {
  return Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0)) as Partial<T>;
}

/** States of the line around an address, by cache: `L1D.0=M L2=E`. */
export function states(engine: Engine, address: number): string {
  return engine
    .copies(address)
    .map(({ cache, state }) => `${cacheName(engine.machine, cache)}=${state}`)
    .join(" ");
}

/** Hazards as `class` or, for what somebody observed or lost, `class newest>observer`. */
export function hazardNames(engine: Engine): string[] {
  return engine
    .hazards()
    .map((hazard) => (hazard.newest < 0 ? hazard.class : `${hazard.class} ${hazard.newest}>${hazard.observer}`));
}

export function cacheId(on: ResolvedMachine, name: string): number {
  return on.caches.findIndex((_, id) => cacheName(on, id) === name);
}

function cacheName(on: ResolvedMachine, id: number): string {
  const { level: name } = on.caches[id] ?? { level: "" };
  const alike = on.caches.filter((cache) => cache.level === name).map((cache) => cache.id);
  return alike.length === 1 ? name : `${name}.${alike.indexOf(id)}`;
}
