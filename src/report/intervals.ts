/** Statistics of parts of a replay: what happened since a moment, and a line for every so many records. */
import type { Counters, Played } from "../engine/engine.ts";
import { totalCycles } from "../machine/cycles.ts";
import { levelReports } from "./json.ts";
import { count, percent } from "./number.ts";
import { type TableBlock, tableBlock, tableText } from "./page.ts";
import { styleFor } from "./style.ts";
import type { Column } from "./table.ts";

/** What happened in one interval. */
export interface IntervalReport {
  /** Number of its first record in the trace. */
  readonly from: number;
  readonly records: number;
  readonly levels: Readonly<Record<string, { readonly accesses: number; readonly misses: number }>>;
  readonly memory: { readonly reads: number; readonly writes: number };
  readonly cycles: number;
}

type Numbers = number | undefined | readonly Numbers[] | { readonly [key: string]: Numbers };

/** Later counters less earlier ones, whatever their shape. */
function less<T>(later: T, earlier: T): T {
  const subtract = (a: Numbers, b: Numbers): Numbers => {
    if (typeof a === "number") return a - (typeof b === "number" ? b : 0);
    if (Array.isArray(a)) return a.map((each, index) => subtract(each, (b as readonly Numbers[] | undefined)?.[index]));
    if (typeof a !== "object") return a;
    const before = b as Readonly<Record<string, Numbers>> | undefined;
    return Object.fromEntries(Object.entries(a).map(([key, value]) => [key, subtract(value, before?.[key])]));
  };
  return subtract(later as Numbers, earlier as Numbers) as T;
}

/** The same engine, whose counters and records begin now. Hazards and contents stay what they are. */
export function sinceNow<E extends Played>(engine: E): E {
  const counters = engine.counters();
  const { records } = engine;
  return new Proxy(engine, {
    get(target, key) {
      if (key === "counters") return (): Counters => less(target.counters(), counters);
      if (key === "records") return target.records - records;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Takes the measure of intervals, one after another. */
export class IntervalMeter {
  readonly #engine: Played;
  readonly #intervals: IntervalReport[] = [];
  #since: Played;
  #from: number;

  /** `first` is the number in the trace of the first record that will be played. */
  constructor(engine: Played, first: number) {
    this.#engine = engine;
    this.#since = sinceNow(engine);
    this.#from = first;
  }

  /** Ends an interval here and begins another; one without records isn't counted. */
  cut(): void {
    const since = this.#since;
    const { records } = since;
    if (records === 0) return;
    const counters = since.counters();
    this.#intervals.push({
      from: this.#from,
      records,
      levels: Object.fromEntries(
        Object.entries(levelReports(since)).map(([name, { accesses, misses }]) => [name, { accesses, misses }]),
      ),
      memory: { reads: counters.machine.memoryReads, writes: counters.machine.memoryWrites },
      cycles: totalCycles(since.machine, counters).total,
    });
    this.#from += records;
    this.#since = sinceNow(this.#engine);
  }

  get intervals(): readonly IntervalReport[] {
    return this.#intervals;
  }
}

/** A row for each interval: miss ratios by level, and what reached memory. */
export function intervalsTable(intervals: readonly IntervalReport[]): TableBlock {
  const [first] = intervals;
  const levels = Object.keys(first?.levels ?? {});
  const columns: readonly Column[] = [
    "from record",
    "records",
    ...levels.map((level) => `${level} miss ratio`),
    "memory reads",
    "memory writes",
    "cycles",
  ].map((title) => ({ title, align: "right" }));
  const rows = intervals.map((interval) => [
    count(interval.from),
    count(interval.records),
    ...levels.map((level) => percent(interval.levels[level]?.misses ?? 0, interval.levels[level]?.accesses ?? 0)),
    count(interval.memory.reads),
    count(interval.memory.writes),
    count(interval.cycles),
  ]);
  return tableBlock(columns, rows);
}

export function intervalsText(intervals: readonly IntervalReport[], color: boolean): string {
  const style = styleFor(color);
  const text = intervals.length === 0 ? "  none" : tableText(intervalsTable(intervals), style);
  return `\n${style.bold("Intervals")}\n${text}\n`;
}
