/** `setway replay`: plays any trace on any machine and says what everybody saw. */
import { type Command, Option } from "commander";
import type { Engine, Provenance } from "../engine/engine.ts";
import { RecordError } from "../engine/errors.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { createKernel, type Kernel } from "../engine/kernel.ts";
import { OPERATIONS } from "../engine/operations.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { IntervalMeter, type IntervalReport, sinceNow } from "../report/intervals.ts";
import { allHazards, observedHazards, type ReplayReport, replayReport, reportedHazards } from "../report/json.ts";
import { KINDS_OF } from "../report/kinds.ts";
import { type ReplayResult, tellReplay } from "../report/replay.ts";
import { printedByKernel } from "../report/yardstick.ts";
import { openTraceFile } from "../trace/open.node.ts";
import type { OpenOptions } from "../trace/open.ts";
import type { TraceSource } from "../trace/source.ts";
import { firstRecords, windowed } from "../trace/window.ts";
import { EXIT } from "./exit.ts";
import {
  machineFrom,
  openOptions,
  positiveNumber,
  type TraceOptions,
  wholeNumber,
  withTraceOptions,
} from "./inputs.ts";
import { untilAborted } from "./interrupt.ts";
import { describeRecords } from "./lookup.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { ReplayWatch, wantsLog, withMisses } from "./replay-watch.ts";
import { emitResult, type ResultOptions, wantsKind, withResultOptions } from "./result.ts";
import type { Terminal } from "./terminal.ts";

interface ReplayOptions extends TraceOptions, ResultOptions {
  readonly machine: string;
  readonly engine: "kernel" | "reference";
  /** True for `--data`, false for `--tags-only`. */
  readonly data?: true;
  readonly tagsOnly?: true;
  readonly perCore?: true;
  readonly yardstick?: true;
  readonly hazards: number;
  readonly expectClean?: true;
  readonly strict?: true;
  readonly warmupRefs?: number;
  readonly every?: number;
  readonly misses?: string;
  readonly missesLevel?: string;
}

export function addReplay(program: Command, session: Session): void {
  const command = program
    .command("replay")
    .description("play a trace on a machine")
    .argument("<trace>", "a file of any format (setway list formats), the directory of a drmemtrace, or -")
    .requiredOption("-m, --machine <machine>", "a machine's name (setway machine list), or a file in YAML or JSON")
    .addOption(
      new Option("--engine <engine>", "the fast kernel, or the reference model")
        .choices(["kernel", "reference"])
        .default("kernel"),
    )
    .addOption(new Option("--data", "let copies carry bytes, to compare what everybody sees").conflicts("tagsOnly"))
    .option("--tags-only", "play without bytes: faster; stale lines are then only possible ones (R45)")
    .option("--per-core", "add what each core did")
    .addOption(
      new Option("--yardstick", "count as the native yardstick does, on a machine like host-100c (R38)").conflicts(
        "data",
      ),
    )
    .addOption(
      new Option("--warmup-refs <count>", "play so many records before anything is counted (after --skip-refs)")
        .argParser(wholeNumber)
        .conflicts("yardstick"),
    )
    .option("--every <count>", "add statistics of every so many records", positiveNumber)
    .option("--misses <path>", "write the records that missed a level as a trace, like -o misses:path; - is stdout")
    .option("--misses-level <level>", "which level that is (the last that every core has for itself)")
    .option("--hazards <count>", "how many hazards to explain", wholeNumber, 3)
    .option("--expect-clean", "exit 1 if anybody observed a stale or leaked value (R26, R28)")
    .option("--strict", "exit 1 on any hazard (R26 to R29)");
  withResultOptions(withTraceOptions(command), KINDS_OF.replay)
    .addHelpText(
      "after",
      `
Without --data or --tags-only, copies carry bytes if the trace recorded enough to find stale values.

Addresses of other tools are mostly virtual and don't fit a machine's RAM: --map-addresses pages gives them places.

Example:
  $ setway replay boot.raw64.xz --machine seattle --caches off
  $ setway replay drmemtrace.app.1.dir --machine host-100c --map-addresses pages --warmup-refs 1000000
  $ setway replay boot.swt --machine rpi4 -o text:- -o html:boot.html -o perfetto:boot.pftrace
  $ setway replay app.lackey --machine rpi4 --map-addresses pages --misses l2-misses.swt --misses-level L2
  $ xzcat boot.raw64.xz | setway replay - --machine ./my-board.yaml --json`,
    )
    .action(session.action(async (path: string, options: ReplayOptions) => replay(path, options, session.terminal)));
}

async function replay(path: string, given: ReplayOptions, terminal: Terminal): Promise<number> {
  const options = await withMisses(given);
  const { machine } = await machineFrom(options.machine);
  const opening = openOptionsFor(machine, options);
  const needsLog = wantsLog(options);
  const source = await openTraceFile(path, opening);
  const { provenance, initialSctlr } = source.header;
  const closed = async (error: unknown): Promise<never> => {
    await source.close();
    throw error;
  };
  const begun = withSctlr(machine, initialSctlr);
  const engine = await createEngine(begun, provenance, options, needsLog).catch(closed);
  const skipped = options.skipRefs ?? 0;
  const watch = await ReplayWatch.open(engine, source, options).catch(closed);
  const played = await play(engine, source, watch, options, terminal).catch(async (error) => {
    await watch.abort();
    throw error;
  });
  // An interrupted read may never end by itself.
  if (played.partial) void source.close().catch(() => {});

  const assessed = options.recorded === undefined ? assessable(source, played) : provenance;
  const hazards = reportedHazards(engine, assessed);
  const drawn = hazards.slice(0, Math.max(options.hazards, watch.hazardsDrawn));
  const wanted = drawn
    .flatMap(({ record, newest, lostAt }) => [record, newest, lostAt])
    .filter((record) => record >= 0)
    .map((record) => record + skipped);
  const records =
    path === "-" || played.partial ? new Map<number, string>() : await describeRecords(path, opening, new Set(wanted));
  const operationAt = (record: number) => records.get(record + skipped);
  const report = replayReport(played.counted, {
    trace: source.name,
    engineName: options.engine,
    seconds: played.seconds,
    partial: played.partial,
    provenance: assessed,
    explained: options.hazards,
    perCore: options.perCore === true,
    yardstick: options.yardstick && isKernel(engine) ? printedByKernel(engine) : undefined,
    operationAt,
  });
  const missStream = played.partial ? await watch.abort() : await watch.finish();
  const { intervals } = played;
  const result: ReplayResult = {
    ...report,
    ...(skipped > 0 ? { skippedRefs: skipped } : {}),
    ...(played.warmupRefs > 0 ? { warmupRefs: played.warmupRefs } : {}),
    ...(intervals === undefined ? {} : { intervals }),
    ...(missStream ? { missStream } : {}),
  };
  const notes = notesOn(source, played, skipped);
  const told = tellReplay(result, watch.extras(hazards, operationAt));
  await emitResult("replay", told, options, terminal);
  if (played.partial && wantsKind(options, "misses")) notes.push("interrupted: there is no miss stream");
  for (const note of notes) await terminal.stderr.write(`note: ${note}\n`);
  if (played.partial) return EXIT.INTERRUPTED;
  return expectation(report, options, terminal);
}

/** Threads share the machine's cores, and pages are those of its RAM, unless the command line says otherwise. */
function openOptionsFor(machine: ResolvedMachine, options: ReplayOptions): OpenOptions {
  const opening = openOptions(options);
  return {
    ...opening,
    cores: Math.min(opening.cores ?? machine.cores.length, machine.cores.length),
    memory: machine.memory
      .filter(({ type }) => type === "ram")
      .map(({ base, sizeBytes }) => ({ base, size: sizeBytes })),
  };
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
  const data = options.data ?? (options.tagsOnly ? false : canFindStaleValues(provenance));
  return createKernel(machine, { provenance, data, yardstick: options.yardstick === true, missLog });
}

const isKernel = (engine: Engine): engine is Kernel => "yardstick" in engine;

/** Bytes are worth carrying only where some class of wrong or lost values can be assessed (R48). */
function canFindStaleValues(provenance: Provenance): boolean {
  return HAZARD_CLASSES.some(({ kind, needs }) => kind !== "latent" && needs.every((need) => provenance[need]));
}

const withSctlr = (machine: ResolvedMachine, initialSctlr: number | undefined): ResolvedMachine =>
  initialSctlr === undefined ? machine : { ...machine, initialSctlr };

interface Played {
  /** The engine, with the counters of what came after the warm-up. */
  readonly counted: Engine;
  readonly warmupRefs: number;
  /** Of what was counted. */
  readonly seconds: number;
  readonly partial: boolean;
  readonly intervals: readonly IntervalReport[] | undefined;
  /** Whether any record of these kinds came. */
  readonly maintenance: boolean;
  readonly control: boolean;
}

/** How long other things (signals, the progress bar) may wait while batches are played. */
const BREATH_MS = 50;

async function play(
  engine: Engine,
  source: TraceSource,
  watch: ReplayWatch,
  options: ReplayOptions,
  terminal: Terminal,
): Promise<Played> {
  const progress = new Progress(terminal);
  const seen = { maintenance: false, control: false };
  const { skipRefs: skip = 0, warmupRefs: warmup = 0, simRefs, every } = options;
  const most = simRefs === undefined ? undefined : warmup + simRefs;
  let counted = engine;
  let warmupRefs = 0;
  let seconds = 0;
  let breathed = performance.now();
  let meter = every === undefined || warmup > 0 ? undefined : new IntervalMeter(engine, skip);
  /** When the counters are looked at next: how many records are played by then. */
  let next = warmup > 0 ? warmup : (every ?? Number.POSITIVE_INFINITY);

  const arrive = (): void => {
    if (warmupRefs < warmup) {
      warmupRefs = engine.records;
      counted = sinceNow(engine);
      seconds = 0;
      if (every !== undefined) meter = new IntervalMeter(engine, skip + warmupRefs);
    } else meter?.cut();
    next = every === undefined ? Number.POSITIVE_INFINITY : engine.records + every;
  };

  /** Up to the next moment at which counters are looked at; the rest is returned. */
  const playPart = (words: Uint32Array): Uint32Array => {
    const stop = Math.min(next, watch.next);
    const first = engine.records;
    const end = stop === Number.POSITIVE_INFINITY ? words.length : firstRecords(words, stop - first).words;
    const part = words.subarray(0, end);
    const began = performance.now();
    playBatch(engine, part, source, skip);
    seconds += (performance.now() - began) / 1000;
    watch.played(part, first, warmupRefs >= warmup);
    if (engine.records >= next) arrive();
    return words.subarray(end);
  };

  try {
    for await (const batch of windowed(untilAborted(source.batches(), terminal.signal), { skip, most })) {
      for (let rest = batch; rest.length > 0; ) rest = playPart(rest);
      await watch.flush();
      notice(batch, seen);
      if (source.totalBytes === undefined) progress.show("records", engine.records, source.header.records);
      else progress.show("playing", source.bytesRead, source.totalBytes);
      if (performance.now() - breathed > BREATH_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        breathed = performance.now();
      }
    }
    if (isKernel(engine)) {
      const began = performance.now();
      engine.settle();
      seconds += (performance.now() - began) / 1000;
    }
    // A trace that ends within its warm-up leaves nothing to count.
    if (warmupRefs < warmup) arrive();
    meter?.cut();
    watch.end();
    return { counted, warmupRefs, seconds, partial: terminal.signal.aborted, intervals: meter?.intervals, ...seen };
  } finally {
    await progress.clear();
  }
}

/** The engine knows the record, not the file, nor what was left out before it. */
function playBatch(engine: Engine, batch: Uint32Array, source: TraceSource, skipped: number): void {
  try {
    engine.play(batch);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const { record, expected } = error.detail;
    const mapping = source.header.addresses !== "physical" && error.what.endsWith("outside memory");
    throw new RecordError(error.what, {
      ...error.detail,
      file: source.name,
      record: record === undefined ? undefined : record + skipped,
      expected: mapping ? [expected, "--map-addresses pages"].filter(Boolean).join(", or ") : expected,
    });
  }
}

/** By operation code: which operations are maintenance. */
const MAINTENANCE = new Set<number>(
  Object.values(OPERATIONS)
    .filter(({ name }) => /^(DC|IC) /.test(name) || name.startsWith("outer "))
    .map(({ code }) => code),
);

function notice(batch: Uint32Array, seen: { maintenance: boolean; control: boolean }): void {
  if (seen.control) return;
  for (let index = 1; index < batch.length; index += 2) {
    const code = ((batch[index] as number) >>> 16) & 255;
    if (code === OPERATIONS.SCTLR.code) seen.control = true;
    else if (MAINTENANCE.has(code)) seen.maintenance = true;
  }
}

/**
 * Bare records don't say what was recorded. One with neither maintenance nor control writes comes from a recorder that
 * sees accesses only, and what such a trace seems to show of stale values is nothing but their absence (R48).
 */
function assessable({ header }: TraceSource, played: Played): Provenance {
  if (header.format !== "raw64" || played.maintenance || played.control) return header.provenance;
  return { ...header.provenance, maintenance: false, control: false };
}

function notesOn(source: TraceSource, played: Played, skipped: number): string[] {
  const notes: string[] = [];
  if (skipped > 0 && played.counted.hazards().length > 0) {
    notes.push(
      `records of hazards are counted from the first one played: add ${skipped} for their numbers in the trace`,
    );
  }
  if (played.control && source.header.initialSctlr === undefined) {
    notes.push(
      "the trace turns caches on or off but doesn't say how it began; played with the machine's initial SCTLR, --caches off plays it from reset",
    );
  }
  if (source.skipped > 0) notes.push(`${source.skipped} lines or items of ${source.name} were left out`);
  return notes;
}

async function expectation(report: ReplayReport, options: ReplayOptions, terminal: Terminal): Promise<number> {
  const observed = observedHazards(report);
  if (options.expectClean && observed > 0) {
    await terminal.stderr.write(`expectation failed: ${observed} stale or leaked observations (--expect-clean)\n`);
    return EXIT.EXPECTATION;
  }
  if (options.strict && allHazards(report) > 0) {
    await terminal.stderr.write(`expectation failed: ${allHazards(report)} hazards (--strict)\n`);
    return EXIT.EXPECTATION;
  }
  return EXIT.OK;
}
