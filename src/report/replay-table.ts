/** A replay's numbers in the long form: per level, per core, hazards by class, cycles by cause, intervals, each hazard. */
import { CACHE_COUNTERS, type Hazard } from "../engine/engine.ts";
import type { Cycles } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { LONG_AND_HAZARD_COLUMNS, withHazards } from "./hazard-rows.ts";
import type { IntervalReport } from "./intervals.ts";
import type { LevelReport, ReplayReport } from "./json.ts";
import type { LongRow, TidyTable } from "./tidy-table.ts";

/** Counters of the long form that aren't plain counts of events. */
const UNITS: Readonly<Record<string, string>> = { seconds: "s", refsPerSecond: "records/s" };

/** Everything that was found, and on which machine. */
export interface Found {
  readonly hazards: readonly Hazard[];
  readonly machine: ResolvedMachine;
}

export function replayTable(
  report: ReplayReport,
  intervals: readonly IntervalReport[] | undefined,
  { hazards, machine }: Found,
): TidyTable {
  const rows = [...rowsOf(report), ...(intervals ?? []).flatMap((interval) => [...intervalRows(interval)])];
  return {
    columns: LONG_AND_HAZARD_COLUMNS,
    rows: [...withHazards(rows, hazards, machine)],
    partial: report.partial ? `interrupted after ${report.refs} records` : undefined,
  };
}

function* rowsOf(report: ReplayReport): Generator<LongRow> {
  for (const metric of ["refs", "seconds", "refsPerSecond"] as const) {
    yield ["replay", null, report.machine, metric, report[metric], UNITS[metric] ?? "records"];
  }
  for (const [level, counters] of Object.entries(report.levels)) yield* levelRows(level, counters);
  for (const [metric, value] of Object.entries(report.memory)) yield ["memory", null, "memory", metric, value, "count"];
  for (const [metric, value] of Object.entries(report.coherence)) {
    yield ["coherence", null, "coherence", metric, value, "count"];
  }
  for (const [name, value] of Object.entries(report.hazards)) {
    yield ["hazard", null, name, "occurrences", value ?? 0, "count"];
    yield ["hazard", null, name, "lines", report.hazardLines[name as keyof typeof report.hazardLines] ?? 0, "lines"];
  }
  yield* cyclesRows(null, report.cycles);
  for (const { core, levels, events, cycles } of report.perCore ?? []) {
    for (const [name, value] of Object.entries(levels)) yield ["core", core, name, "hits", value, "count"];
    for (const [name, value] of Object.entries(events)) yield ["core", core, name, "events", value, "count"];
    yield* cyclesRows(core, cycles);
  }
}

const LEVEL_METRICS = ["accesses", "hits", "misses", "writebacks", "dirtyLines", ...CACHE_COUNTERS] as const;

export function* levelRows(level: string, counters: LevelReport): Generator<LongRow> {
  for (const metric of LEVEL_METRICS) {
    const value = counters[metric];
    // Some levels don't say how many dirty lines they have.
    if (value !== null) yield ["level", null, level, metric, value, metric === "dirtyLines" ? "lines" : "count"];
  }
}

export function* cyclesRows(core: number | null, { total, byCause }: Cycles): Generator<LongRow> {
  for (const [cause, value] of Object.entries(byCause)) yield ["cycles", core, cause, "cycles", value, "cycles"];
  yield ["cycles", core, "total", "cycles", total, "cycles"];
}

/** An interval's name is the number of its first record. */
function* intervalRows({ from, records, levels, memory, cycles }: IntervalReport): Generator<LongRow> {
  const name = String(from);
  yield ["interval", null, name, "records", records, "records"];
  for (const [level, { accesses, misses }] of Object.entries(levels)) {
    yield ["interval", null, name, `${level} accesses`, accesses, "count"];
    yield ["interval", null, name, `${level} misses`, misses, "count"];
  }
  yield ["interval", null, name, "memory reads", memory.reads, "count"];
  yield ["interval", null, name, "memory writes", memory.writes, "count"];
  yield ["interval", null, name, "cycles", cycles, "cycles"];
}
