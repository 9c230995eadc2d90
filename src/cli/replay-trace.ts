/** Playing a trace for a replay, whole or in part: what was played, what it seems to have recorded, and how the result is printed. */
import type { Engine, Hazard, Played, Provenance } from "../engine/engine.ts";
import { RecordError } from "../engine/errors.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { createKernel, type Kernel } from "../engine/kernel.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { IntervalMeter, type IntervalReport, sinceNow } from "../report/intervals.ts";
import type { ReplayReport } from "../report/json.ts";
import type { MissStreamReport, ReplayResult } from "../report/replay.ts";
import { type PrintedCounters, printedByKernel } from "../report/yardstick.ts";
import type { ShardPlan } from "../shard/plan.ts";
import { type DecodedTrace, openDecoded } from "../trace/decoder.node.ts";
import { openTraceFile } from "../trace/open.node.ts";
import type { OpenOptions } from "../trace/open.ts";
import { assessable, Sightings } from "../trace/recorded.ts";
import { firstRecords, windowed } from "../trace/window.ts";
import type { ExpectationOptions } from "./expectation.ts";
import type { TraceOptions } from "./inputs.ts";
import { untilAborted } from "./interrupt.ts";
import { describeRecords } from "./lookup.ts";
import { enginePlayer, type Player, shardPlayer } from "./player.ts";
import { Progress } from "./progress.ts";
import { ReplayWatch, wantsLog } from "./replay-watch.ts";
import type { ResultOptions } from "./result.ts";
import type { ShardOf } from "./shard-of.ts";
import type { Terminal } from "./terminal.ts";

export interface ReplayOptions extends TraceOptions, ResultOptions, ExpectationOptions {
  readonly machine: string;
  readonly engine: "kernel" | "reference";
  /** True for `--data`, false for `--tags-only`. */
  readonly data?: true;
  readonly tagsOnly?: true;
  readonly perCore?: true;
  readonly yardstick?: true;
  readonly hazards: number;
  readonly warmupRefs?: number;
  readonly every?: number;
  readonly misses?: string;
  readonly missesLevel?: string;
  readonly shards?: number | "auto";
  readonly shard?: ShardOf;
  readonly part?: string;
}

/** What a replay is about, however it is played. */
export interface Job {
  readonly path: string;
  readonly machine: ResolvedMachine;
  readonly opening: OpenOptions;
  readonly options: ReplayOptions;
  readonly terminal: Terminal;
}

export interface ResultExtras {
  readonly skippedRefs: number;
  readonly warmupRefs: number;
  readonly intervals: readonly IntervalReport[] | undefined;
  readonly missStream?: MissStreamReport | undefined;
}

/** The result as it is told. */
export function resultOf(report: ReplayReport, extras: ResultExtras): ReplayResult {
  const { skippedRefs, warmupRefs, intervals, missStream } = extras;
  return {
    ...report,
    ...(skippedRefs > 0 ? { skippedRefs } : {}),
    ...(warmupRefs > 0 ? { warmupRefs } : {}),
    ...(intervals === undefined ? {} : { intervals }),
    ...(missStream ? { missStream } : {}),
  };
}

/** What the records of hazards did, by their numbers as they were played. */
export async function describeHazards(
  { path, opening, options }: Job,
  hazards: readonly Pick<Hazard, "record" | "newest" | "lostAt">[],
): Promise<ReadonlyMap<number, string>> {
  const skipped = options.skipRefs ?? 0;
  const wanted = hazards
    .flatMap(({ record, newest, lostAt }) => [record, newest, lostAt])
    .filter((record) => record >= 0)
    .map((record) => record + skipped);
  const texts = await describeRecords(path, opening, new Set(wanted));
  return new Map([...texts].map(([record, text]) => [record - skipped, text]));
}

/** How `playTrace` gets its player, when the trace has said what it recorded. */
export type MakePlayer = (machine: ResolvedMachine, provenance: Provenance) => Promise<Player>;

/**
 * Opens the trace and plays it by the plan, or by a player of one's own. A watch in the result is still open: its miss stream
 * is to be finished or aborted.
 */
export async function playTrace(job: Job, plan: ShardPlan, makePlayer?: MakePlayer): Promise<ReplayedTrace> {
  const { path, machine, opening, options, terminal } = job;
  const missLog = wantsLog(options);
  // A profile asks what addresses were, which only who decodes them knows.
  const source = await (missLog ? openTraceFile(path, opening) : openDecoded(path, opening, plan.used));
  const { provenance, initialSctlr } = source.header;
  const started = withSctlr(machine, initialSctlr);
  let player: Player | undefined;
  let watch: ReplayWatch | undefined;
  let interrupted = false;
  try {
    player = await start();
    const played = await play(player, watch, source, options, terminal);
    interrupted = played.partial;
    const assessed = options.recorded === undefined ? assessable(source.header, played.seen) : provenance;
    const { engine } = player;
    const yardstick = options.yardstick && isKernel(engine) ? printedByKernel(engine) : undefined;
    return { ...played, source, engine, assessed, yardstick, watch };
  } catch (error) {
    await watch?.abort();
    throw error;
  } finally {
    await player?.close();
    const closed = source.close();
    // An interrupted read may never end by itself.
    if (interrupted) closed.catch(() => {});
    else await closed;
  }

  async function start(): Promise<Player> {
    if (makePlayer) return makePlayer(started, provenance);
    if (plan.used > 1) return shardPlayer(started, plan, { provenance, data: carriesData(provenance, options) });
    const engine = await createEngine(started, provenance, options, missLog);
    watch = await ReplayWatch.open(engine, source, options);
    return enginePlayer(engine);
  }
}

async function createEngine(
  machine: ResolvedMachine,
  provenance: Provenance,
  options: ReplayOptions,
  missLog: boolean,
): Promise<Engine> {
  if (options.engine === "reference") {
    const { createReference } = await import("../engine/reference.ts");
    return createReference(machine, { provenance });
  }
  const data = carriesData(provenance, options);
  return createKernel(machine, { provenance, data, yardstick: options.yardstick === true, missLog });
}

/** Whether copies are to have bytes. */
export const carriesData = (provenance: Provenance, options: ReplayOptions): boolean =>
  options.data ?? (options.tagsOnly ? false : canFindStaleValues(provenance));

const isKernel = (engine: Played): engine is Kernel => "yardstick" in engine;

/** Bytes are worth carrying only where some class of wrong or lost values can be assessed (R48). */
function canFindStaleValues(provenance: Provenance): boolean {
  return HAZARD_CLASSES.some(({ kind, needs }) => kind !== "latent" && needs.every((need) => provenance[need]));
}

const withSctlr = (machine: ResolvedMachine, initialSctlr: number | undefined): ResolvedMachine =>
  initialSctlr === undefined ? machine : { ...machine, initialSctlr };

interface Replayed {
  /** The engine, with the counters of what came after the warm-up. */
  readonly counted: Played;
  readonly warmupRefs: number;
  /** Of what was counted. */
  readonly seconds: number;
  readonly partial: boolean;
  readonly intervals: readonly IntervalReport[] | undefined;
  readonly seen: Sightings;
}

export interface ReplayedTrace extends Replayed {
  readonly source: DecodedTrace;
  readonly engine: Played;
  /** What the trace seems to have recorded. */
  readonly assessed: Provenance;
  readonly yardstick: PrintedCounters | undefined;
  /** What reports looked at on the way, where one engine played everything. */
  readonly watch: ReplayWatch | undefined;
}

/** How long other things (signals, the progress bar) may wait while batches are played. */
const BREATH_MS = 50;

async function play(
  player: Player,
  watch: ReplayWatch | undefined,
  source: DecodedTrace,
  options: ReplayOptions,
  terminal: Terminal,
): Promise<Replayed> {
  const { engine } = player;
  const progress = new Progress(terminal);
  const seen = new Sightings();
  const { skipRefs: skip = 0, warmupRefs: warmup = 0, simRefs, every } = options;
  const most = simRefs === undefined ? undefined : warmup + simRefs;
  let counted = engine;
  let warmupRefs = 0;
  let warmupSeconds = 0;
  let breathed = performance.now();
  let meter = every === undefined || warmup > 0 ? undefined : new IntervalMeter(engine, skip);
  /** When the counters are looked at next: how many records are played by then. */
  let next = warmup > 0 ? warmup : (every ?? Number.POSITIVE_INFINITY);

  const arrive = async (): Promise<void> => {
    await guarded(() => player.look());
    if (warmupRefs < warmup) {
      warmupRefs = engine.records;
      counted = sinceNow(engine);
      warmupSeconds = player.seconds;
      if (every !== undefined) meter = new IntervalMeter(engine, skip + warmupRefs);
    } else meter?.cut();
    next = every === undefined ? Number.POSITIVE_INFINITY : engine.records + every;
  };

  /** Up to the next moment at which counters are looked at; the rest is returned. */
  const playPart = async (words: Uint32Array): Promise<Uint32Array> => {
    const first = player.records;
    const stop = Math.min(next, watch?.next ?? Number.POSITIVE_INFINITY);
    const end = stop === Number.POSITIVE_INFINITY ? words.length : firstRecords(words, stop - first).words;
    const part = words.subarray(0, end);
    await guarded(() => player.play(part));
    watch?.played(part, first, warmupRefs >= warmup);
    if (player.records >= next) await arrive();
    return words.subarray(end);
  };

  /** The player knows the record, not the file, nor what was left out before it. */
  const guarded = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw placed(error, source, skip);
    }
  };

  try {
    for await (const batch of windowed(untilAborted(source.batches(), terminal.signal), { skip, most })) {
      for (let rest = batch; rest.length > 0; ) rest = await playPart(rest);
      await watch?.flush();
      if (!source.accessesOnly) seen.look(batch);
      if (source.totalBytes === undefined) progress.show("records", player.records, source.header.records);
      else progress.show("playing", source.bytesRead, source.totalBytes);
      if (performance.now() - breathed > BREATH_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        breathed = performance.now();
      }
    }
    // A trace that ends within its warm-up leaves nothing to count.
    if (warmupRefs < warmup) await arrive();
    else await guarded(() => player.look());
    meter?.cut();
    watch?.end();
    const seconds = player.seconds - warmupSeconds;
    return { counted, warmupRefs, seconds, partial: terminal.signal.aborted, intervals: meter?.intervals, seen };
  } finally {
    await progress.clear();
  }
}

function placed(error: unknown, source: DecodedTrace, skipped: number): unknown {
  if (!(error instanceof RecordError)) return error;
  const { record, expected } = error.detail;
  const mapping = source.header.addresses !== "physical" && error.what.endsWith("outside memory");
  return new RecordError(error.what, {
    ...error.detail,
    file: source.name,
    record: record === undefined ? undefined : record + skipped,
    expected: mapping ? [expected, "--map-addresses pages"].filter(Boolean).join(", or ") : expected,
  });
}
