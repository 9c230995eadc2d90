/** Plays a trace that was dropped on the page, batch by batch, and sums up what each core did in each stretch of it. */
import type { Counters, Provenance } from "../../src/engine/engine.ts";
import { RecordError } from "../../src/engine/errors.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { createKernel, type Kernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { levelNames } from "../../src/machine/cycles.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import { webCodecs } from "../../src/trace/codec.web.ts";
import { openTrace } from "../../src/trace/open.ts";
import type { TraceSource } from "../../src/trace/source.ts";
import { HEAT_METRICS, type Heat, type HeatMetric, type Progress, type Questions } from "../protocol.ts";
import { machineNamed } from "./catalogue.ts";
import { sourceOf } from "./dropped.ts";

/** Columns of the map: with more, neighbours are joined. */
const MOST_COLUMNS = 192;
/** Records of a column at first. */
const FIRST_COLUMN = 4096;
/** Between two reports to the page, during which a cancellation can come in. */
const REPORT_MS = 150;

export async function replayTrace(
  { files, machine: name }: Questions["trace"]["question"],
  isCancelled: () => boolean,
  report: (progress: Progress, partial: Heat) => void,
): Promise<Heat> {
  const { machine } = machineNamed(name);
  const memory = machine.memory
    .filter(({ type }) => type === "ram")
    .map(({ base, sizeBytes }) => ({ base, size: sizeBytes }));
  const source = await openTrace(files.map(sourceOf), webCodecs, { cores: machine.cores.length, memory });
  const { provenance, initialSctlr } = source.header;
  const played = initialSctlr === undefined ? machine : { ...machine, initialSctlr };
  const player = new Player(createKernel(played, { provenance, data: hasValues(provenance) }), source);
  let reported = performance.now();
  for await (const batch of source.batches()) {
    player.play(batch);
    if (performance.now() - reported < REPORT_MS) continue;
    report({ done: source.bytesRead, total: source.totalBytes }, player.heat(["still playing"]));
    await new Promise((resolve) => setTimeout(resolve));
    reported = performance.now();
    if (isCancelled()) return player.heat(["stopped before the end"]);
  }
  return player.heat([]);
}

/** Bytes are worth carrying where some class of wrong values can be assessed (R48). */
const hasValues = (provenance: Provenance): boolean =>
  HAZARD_CLASSES.some(({ kind, needs }) => kind !== "latent" && needs.every((need) => provenance[need]));

class Player {
  readonly #kernel: Kernel;
  readonly #source: TraceSource;
  /** Column by column: a value for each core. */
  readonly #columns: Record<HeatMetric, Float64Array>[] = [];
  #recordsPerColumn = FIRST_COLUMN;
  #cut = FIRST_COLUMN;
  #before: Counters;
  #milliseconds = 0;
  #sawMaintenance = false;

  constructor(kernel: Kernel, source: TraceSource) {
    this.#kernel = kernel;
    this.#source = source;
    this.#before = kernel.counters();
  }

  play(batch: Uint32Array): void {
    const began = performance.now();
    for (let at = 0; at < batch.length; ) {
      // A column may be some prefixes longer than it should: nobody can see that.
      const end = Math.min(batch.length, at + 2 * Math.max(1, this.#cut - this.#kernel.records));
      this.#run(batch.subarray(at, withRecord(batch, end)));
      at = withRecord(batch, end);
      if (this.#kernel.records >= this.#cut) this.#endColumn();
    }
    this.#milliseconds += performance.now() - began;
    if (!this.#sawMaintenance) this.#sawMaintenance = batch.some((word, index) => index % 2 === 1 && isTelling(word));
  }

  #run(words: Uint32Array): void {
    try {
      this.#kernel.play(words);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const { requester } = { requester: error.what.includes("requester") };
      const advice = requester ? "a machine with more cores" : error.detail.expected;
      throw new RecordError(error.what, { ...error.detail, file: this.#source.name, expected: advice });
    }
  }

  #endColumn(): void {
    const { machine } = this.#kernel;
    const now = this.#kernel.counters();
    const column = columnBetween(machine, this.#before, now);
    this.#columns.push(column);
    this.#before = now;
    if (this.#columns.length >= MOST_COLUMNS) this.#join();
    this.#cut = this.#kernel.records + this.#recordsPerColumn;
  }

  /** Every two columns become one. */
  #join(): void {
    for (let index = 0; index < this.#columns.length / 2; index++) {
      const [one, other] = [this.#columns[2 * index], this.#columns[2 * index + 1]];
      const joined = Object.fromEntries(
        HEAT_METRICS.map((metric) => [
          metric,
          (one as NonNullable<typeof one>)[metric].map((value, core) => value + (other?.[metric][core] ?? 0)),
        ]),
      ) as Record<HeatMetric, Float64Array>;
      this.#columns[index] = joined;
    }
    this.#columns.length = Math.ceil(this.#columns.length / 2);
    this.#recordsPerColumn *= 2;
  }

  heat(notes: readonly string[]): Heat {
    const { machine } = this.#kernel;
    const counters = this.#kernel.counters();
    const columns = [...this.#columns];
    if (this.#kernel.records > this.#cut - this.#recordsPerColumn) {
      columns.push(columnBetween(machine, this.#before, counters));
    }
    const acting = machine.cores.filter(({ id }) => columns.some(({ accesses }) => (accesses[id] ?? 0) > 0));
    const cells = Object.fromEntries(
      HEAT_METRICS.map((metric) => {
        const all = acting.flatMap(({ id }) => columns.map((column) => column[metric][id] ?? 0));
        return [metric, Float64Array.from(all)];
      }),
    ) as Record<HeatMetric, Float64Array>;
    const isBare = this.#source.header.format === "raw64" && !this.#sawMaintenance;
    const hazards = this.#kernel.hazards();
    return {
      trace: this.#source.name,
      machine: machine.name,
      records: this.#kernel.records,
      seconds: this.#milliseconds / 1000,
      cores: acting.map(({ id, socket }) => ({ id, socket })),
      idleCores: machine.cores.length - acting.length,
      recordsPerColumn: this.#recordsPerColumn,
      columns: columns.length,
      cells,
      levels: levelsOf(machine, counters),
      isAssessed: !isBare,
      hazards: isBare
        ? []
        : HAZARD_CLASSES.map(({ name }) => ({
            class: name,
            occurrences: hazards.reduce((sum, each) => sum + (each.class === name ? each.occurrences : 0), 0),
          })).filter(({ occurrences }) => occurrences > 0),
      notes: [
        ...notes,
        ...(isBare
          ? ["the trace has neither maintenance nor control writes: stale values can't be assessed (R48)"]
          : []),
      ],
    };
  }
}

/** Words up to the record at or after `end`: prefixes stay with their record. */
function withRecord(words: Uint32Array, end: number): number {
  let at = end;
  while (at > 0 && at < words.length && (((words[at - 1] as number) >>> 16) & 255) >= OPERATIONS.WITH.code) at += 2;
  return at;
}

/** Whether a recorder that writes this saw more than accesses. */
function isTelling(high: number): boolean {
  const code = (high >>> 16) & 255;
  return code === OPERATIONS.SCTLR.code || (code >= OPERATIONS.DC_IVAC.code && code <= OPERATIONS.IC_IVAU.code);
}

/** What each core did between two readings: misses of its own caches, copies that others took or asked for, accesses. */
function columnBetween(machine: ResolvedMachine, before: Counters, now: Counters): Record<HeatMetric, Float64Array> {
  const { length } = machine.cores;
  const column = {
    misses: new Float64Array(length),
    sharing: new Float64Array(length),
    accesses: new Float64Array(length),
  };
  machine.caches.forEach((cache, id) => {
    const [core] = cache.cores;
    if (cache.depth !== 1 || cache.cores.length !== 1 || core === undefined) return;
    const [a, b] = [before.caches[id], now.caches[id]];
    if (a === undefined || b === undefined) return;
    const since = (...names: (keyof typeof b)[]) => names.reduce((sum, name) => sum + b[name] - a[name], 0);
    column.misses[core] = (column.misses[core] ?? 0) + since("loadMisses", "storeMisses", "fetchMisses");
    column.sharing[core] = (column.sharing[core] ?? 0) + since("snoopsIn", "invalidations");
    column.accesses[core] = (column.accesses[core] ?? 0) + since("loads", "stores", "fetches");
  });
  return column;
}

function levelsOf(machine: ResolvedMachine, counters: Counters): Heat["levels"] {
  return levelNames(machine).map((level) => {
    const of = machine.caches.flatMap((cache, id) => (cache.level === level ? (counters.caches[id] ?? []) : []));
    const sum = (...names: (keyof Counters["caches"][number])[]) =>
      of.reduce((all, cache) => all + names.reduce((part, name) => part + cache[name], 0), 0);
    return {
      level,
      accesses: sum("loads", "stores", "fetches"),
      misses: sum("loadMisses", "storeMisses", "fetchMisses"),
    };
  });
}
