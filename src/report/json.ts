/**
 * The published result of a replay: the object that `--json` prints and that text reports are made from. Keys are only
 * ever added, never renamed.
 */
import type { CacheCounters, Hazard, MachineCounter, Place, Played, Provenance } from "../engine/engine.ts";
import { CACHE_COUNTERS } from "../engine/engine.ts";
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import { type Cycles, cyclesOf, levelNames, totalCycles } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import type { Sharding } from "../shard/plan.ts";
import { attributeName, type Explanation, explainHazard, type NameOf, type OperationAt } from "./explain.ts";
import { address, word } from "./number.ts";
import { type PlayOrderReport, playOrderReport } from "./play-order.ts";
import type { PrintedCounters } from "./yardstick.ts";

export interface LevelReport extends CacheCounters {
  /** Demand: loads, stores, fetches (R37). */
  readonly accesses: number;
  readonly hits: number;
  readonly misses: number;
  /** Dirty copies written outwards: `writebacksOut`. */
  readonly writebacks: number;
  /** Copies that are dirty at the end; null where the engine does not say (behind the interconnect). */
  readonly dirtyLines: number | null;
}

/** A hazard with names in the place of numbers, and its explanation (R30). */
export interface HazardReport {
  readonly class: HazardName;
  readonly line: string;
  readonly occurrences: number;
  readonly lines: number;
  readonly record: number;
  readonly piece: number;
  readonly observer: number;
  readonly attribute: string;
  /** Record and requester of the newest write; null where nobody wrote. */
  readonly newest: { readonly record: number; readonly writer: number; readonly attribute: string } | null;
  readonly address: string;
  readonly observed: string;
  readonly expected: string;
  readonly source: Place;
  readonly newestAt: Place;
  readonly lostAt: number | null;
  readonly explanation: Explanation;
}

export interface CoreReport {
  readonly core: number;
  readonly levels: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly cycles: Cycles;
}

export interface ReplayReport {
  readonly trace: string;
  readonly machine: string;
  readonly engine: string;
  /** Whether copies carried bytes. Without them hazards are possible ones, at line granularity (R45). */
  readonly carriesData: boolean;
  /** True if the play was interrupted: everything else then describes what was played until then. */
  readonly partial: boolean;
  /** Records played. */
  readonly refs: number;
  /** Playing only, without reading and decoding. */
  readonly seconds: number;
  readonly refsPerSecond: number;
  /** Kernels that played side by side. */
  readonly shards: number;
  /** Where shards were asked for: how many, how many there were, and why they were fewer. */
  readonly sharding?: Sharding;
  /** In which order the kernel played, and why. The reference model plays records as they come. */
  readonly playOrder?: PlayOrderReport;
  /** Sums over the caches of a level. */
  readonly levels: Readonly<Record<string, LevelReport>>;
  readonly memory: {
    readonly reads: number;
    readonly writes: number;
    readonly uncachedReads: number;
    readonly uncachedWrites: number;
    readonly deviceReads: number;
    readonly deviceWrites: number;
  };
  readonly coherence: {
    readonly snoops: number;
    readonly invalidations: number;
    readonly upgrades: number;
    readonly backInvalidations: number;
    readonly crossings: number;
    readonly directoryEvictions: number;
    readonly unexpectedHits: number;
    readonly atomicFailures: number;
  };
  /** Occurrences by class; 0 where a class was looked for and not found. Classes of `notAssessable` are absent (R48). */
  readonly hazards: Readonly<Partial<Record<HazardName, number>>>;
  /** Distinct lines by class. */
  readonly hazardLines: Readonly<Partial<Record<HazardName, number>>>;
  readonly notAssessable: readonly HazardName[];
  /** The first hazards, explained. */
  readonly firstHazards: readonly HazardReport[];
  readonly cycles: Cycles;
  readonly perCore?: readonly CoreReport[];
  /** What the native yardstick would print (R38), where the replay was asked for its view. */
  readonly yardstick?: PrintedCounters;
}

export interface ReplayFacts {
  readonly trace: string;
  readonly engineName: string;
  readonly seconds: number;
  readonly partial: boolean;
  /** Records that were played before anything was counted. */
  readonly warmupRefs: number;
  /** What the trace recorded; where that is less than the engine was told, fewer classes are reported. */
  readonly provenance: Provenance;
  /** How many hazards to explain, and whether to list cores. */
  readonly explained: number;
  readonly perCore: boolean;
  readonly sharding?: Sharding | undefined;
  readonly yardstick?: PrintedCounters | undefined;
  readonly operationAt?: OperationAt | undefined;
}

/** Everything that a played engine has to say. */
export function replayReport(engine: Played, facts: ReplayFacts): ReplayReport {
  const { machine } = engine;
  const counters = engine.counters();
  const hazards = reportedHazards(engine, facts.provenance);
  const notAssessable = notAssessableWith(engine, facts.provenance);
  const levels = levelReports(engine);
  const all = Object.values(levels);
  const sum = (counter: (typeof CACHE_COUNTERS)[number]) => all.reduce((total, level) => total + level[counter], 0);
  const setGroups = engine.setGroups?.();
  const { memoryReads, memoryWrites, ...rest }: Record<MachineCounter, number> = counters.machine;
  return {
    trace: facts.trace,
    machine: machine.name,
    engine: facts.engineName,
    carriesData: engine.carriesData,
    partial: facts.partial,
    refs: engine.records,
    seconds: facts.seconds,
    refsPerSecond: facts.seconds > 0 ? Math.round(engine.records / facts.seconds) : 0,
    shards: facts.sharding?.used ?? 1,
    ...(facts.sharding ? { sharding: facts.sharding } : {}),
    ...(setGroups ? { playOrder: playOrderReport(setGroups, engine.records + facts.warmupRefs) } : {}),
    levels,
    memory: {
      reads: memoryReads,
      writes: memoryWrites,
      uncachedReads: rest.uncachedReads,
      uncachedWrites: rest.uncachedWrites,
      deviceReads: rest.deviceReads,
      deviceWrites: rest.deviceWrites,
    },
    coherence: {
      snoops: sum("snoopsIn"),
      invalidations: sum("invalidations"),
      upgrades: sum("upgrades"),
      backInvalidations: sum("backInvalidations"),
      crossings: rest.crossings,
      directoryEvictions: rest.directoryEvictions,
      unexpectedHits: rest.unexpectedHits,
      atomicFailures: rest.atomicFailures,
    },
    hazards: byClass(notAssessable, (name) =>
      hazards.reduce((total, hazard) => total + (hazard.class === name ? hazard.occurrences : 0), 0),
    ),
    hazardLines: byClass(notAssessable, (name) => linesOf(hazards, name)),
    notAssessable,
    firstHazards: hazards.slice(0, facts.explained).map((hazard) => hazardReport(hazard, machine, facts.operationAt)),
    cycles: totalCycles(machine, counters),
    ...(facts.yardstick ? { yardstick: facts.yardstick } : {}),
    ...(facts.perCore
      ? {
          perCore: machine.cores.map(({ id }) => ({
            core: id,
            levels: counters.hits[id] ?? {},
            events: counters.events[id] ?? {},
            cycles: cyclesOf(machine, counters, id),
          })),
        }
      : {}),
  };
}

/** The hazards whose class the provenance supports (R48). */
export function reportedHazards(engine: Played, provenance: Provenance): readonly Hazard[] {
  const excluded = notAssessableWith(engine, provenance);
  return engine.hazards().filter((hazard) => !excluded.includes(hazard.class));
}

function notAssessableWith(engine: Played, provenance: Provenance): readonly HazardName[] {
  const byEngine = engine.notAssessable();
  return HAZARD_CLASSES.filter(
    ({ name, needs }) => byEngine.includes(name) || needs.some((need) => !provenance[need]),
  ).map(({ name }) => name);
}

/** Counters by level, from the core outwards; then `outer` and `memory-side` where the machine has them. */
export function levelReports(
  engine: Pick<Played, "machine" | "counters" | "dirtyLines">,
): Readonly<Record<string, LevelReport>> {
  const { machine } = engine;
  const counters = engine.counters();
  const dirty = engine.dirtyLines();
  const reports: Record<string, LevelReport> = {};
  for (const level of levelNames(machine)) {
    const ids = machine.caches.filter((cache) => cache.level === level).map((cache) => cache.id);
    reports[level] = levelReport(
      ids.map((id) => counters.caches[id] as CacheCounters),
      ids.reduce((sum, id) => sum + (dirty[id] ?? 0), 0),
    );
  }
  if (counters.outer !== undefined) reports.outer = levelReport([counters.outer], null);
  // A machine-wide memory-side cache appears once a socket; its counters are summed once.
  const memorySide = counters.memorySide.filter(
    (_, socket) =>
      machine.memorySide[socket] !== undefined && machine.memorySide.indexOf(machine.memorySide[socket]) === socket,
  );
  if (memorySide.length > 0) reports["memory-side"] = levelReport(memorySide, null);
  return reports;
}

function levelReport(caches: readonly CacheCounters[], dirtyLines: number | null): LevelReport {
  const total = Object.fromEntries(
    CACHE_COUNTERS.map((counter) => [counter, caches.reduce((sum, cache) => sum + cache[counter], 0)]),
  ) as CacheCounters;
  const accesses = total.loads + total.stores + total.fetches;
  const misses = total.loadMisses + total.storeMisses + total.fetchMisses;
  return { accesses, hits: accesses - misses, misses, writebacks: total.writebacksOut, dirtyLines, ...total };
}

/** Distinct lines of a class; set/way-short-of-poc has no line of its own but counts the dirty ones (D33). */
export function linesOf(hazards: readonly Hazard[], name: HazardName): number {
  const ofClass = hazards.filter((hazard) => hazard.class === name);
  if (name === "set/way-short-of-poc") return Math.max(0, ...ofClass.map((hazard) => hazard.lines));
  return new Set(ofClass.map((hazard) => hazard.line)).size;
}

function byClass(
  notAssessable: readonly HazardName[],
  value: (name: HazardName) => number,
): Partial<Record<HazardName, number>> {
  const assessed = HAZARD_CLASSES.map(({ name }) => name).filter((name) => !notAssessable.includes(name));
  return Object.fromEntries(assessed.map((name) => [name, value(name)]));
}

export function hazardReport(
  hazard: Hazard,
  machine: ResolvedMachine,
  operationAt?: OperationAt,
  nameOf?: NameOf,
): HazardReport {
  return {
    class: hazard.class,
    line: address(hazard.line),
    occurrences: hazard.occurrences,
    lines: hazard.lines,
    record: hazard.record,
    piece: hazard.piece,
    observer: hazard.observer,
    attribute: attributeName(hazard.attribute),
    newest:
      hazard.newest < 0
        ? null
        : { record: hazard.newest, writer: hazard.writer, attribute: attributeName(hazard.writerAttribute) },
    address: address(hazard.address),
    observed: word(hazard.observed),
    expected: word(hazard.expected),
    source: hazard.source,
    newestAt: hazard.newestAt,
    lostAt: hazard.lostAt < 0 ? null : hazard.lostAt,
    explanation: explainHazard(hazard, machine, operationAt, nameOf),
  };
}

/** Whether a class means that somebody saw a wrong value: what `--expect-clean` is about. */
export function observedHazards(report: Pick<ReplayReport, "hazards">): number {
  return HAZARD_CLASSES.filter(({ kind }) => kind === "observed").reduce(
    (sum, { name }) => sum + (report.hazards[name] ?? 0),
    0,
  );
}

/** All hazards of any kind: what `--strict` is about. */
export function allHazards(report: Pick<ReplayReport, "hazards">): number {
  return Object.values(report.hazards).reduce((sum, times) => sum + (times ?? 0), 0);
}
