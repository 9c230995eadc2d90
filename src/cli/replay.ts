/** `setway replay`: plays any trace on any machine and says what everybody saw. */
import { type Command, Option } from "commander";
import type { Engine, Provenance } from "../engine/engine.ts";
import { RecordError } from "../engine/errors.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { createKernel, type Kernel } from "../engine/kernel.ts";
import { OPERATIONS } from "../engine/operations.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { allHazards, observedHazards, type ReplayReport, replayReport, reportedHazards } from "../report/json.ts";
import { replayText } from "../report/text.ts";
import { printedByKernel } from "../report/yardstick.ts";
import { openTraceFile } from "../trace/open.node.ts";
import type { TraceSource } from "../trace/source.ts";
import { EXIT } from "./exit.ts";
import { machineFrom, openOptions, type TraceOptions, wholeNumber, withTraceOptions } from "./inputs.ts";
import { untilAborted } from "./interrupt.ts";
import { describeRecords } from "./lookup.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
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
}

export function addReplay(program: Command, session: Session): void {
  const command = program
    .command("replay")
    .description("play a trace on a machine")
    .argument("<trace>", "a file (.raw64, .swt, .din, lackey; also .gz and .xz), or - for standard input")
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
    .option("--hazards <count>", "how many hazards to explain", wholeNumber, 3)
    .option("--expect-clean", "exit 1 if anybody observed a stale or leaked value (R26, R28)")
    .option("--strict", "exit 1 on any hazard (R26 to R29)");
  withResultOptions(withTraceOptions(command))
    .addHelpText(
      "after",
      `
Without --data or --tags-only, copies carry bytes if the trace recorded enough to find stale values.

Example:
  $ setway replay boot.raw64.xz --machine seattle --caches off
  $ xzcat boot.raw64.xz | setway replay - --machine ./my-board.yaml --json`,
    )
    .action(session.action(async (path: string, options: ReplayOptions) => replay(path, options, session.terminal)));
}

async function replay(path: string, options: ReplayOptions, terminal: Terminal): Promise<number> {
  const { machine } = await machineFrom(options.machine);
  const opening = openOptions(options);
  const source = await openTraceFile(path, opening);
  const { provenance, initialSctlr } = source.header;
  const engine = await createEngine(withSctlr(machine, initialSctlr), provenance, options);
  const played = await play(engine, source, terminal);

  const assessed = options.recorded === undefined ? assessable(source, played) : provenance;
  const wanted = reportedHazards(engine, assessed)
    .slice(0, options.hazards)
    .flatMap(({ record, newest, lostAt }) => [record, newest, lostAt])
    .filter((record) => record >= 0);
  const records =
    path === "-" || played.partial ? new Map<number, string>() : await describeRecords(path, opening, new Set(wanted));
  const report = replayReport(engine, {
    trace: source.name,
    engineName: options.engine,
    seconds: played.seconds,
    partial: played.partial,
    provenance: assessed,
    explained: options.hazards,
    perCore: options.perCore === true,
    yardstick: options.yardstick && isKernel(engine) ? printedByKernel(engine) : undefined,
    operationAt: (record) => records.get(record),
  });
  await emitResult({ json: report, text: (color) => replayText(report, color) }, options, terminal);
  for (const note of notesOn(source, played)) await terminal.stderr.write(`note: ${note}\n`);
  if (played.partial) return EXIT.INTERRUPTED;
  return expectation(report, options, terminal);
}

async function createEngine(machine: ResolvedMachine, provenance: Provenance, options: ReplayOptions): Promise<Engine> {
  if (options.engine === "reference") {
    const { createReference } = await import("../engine/reference.ts");
    return createReference(machine, { provenance });
  }
  const data = options.data ?? (options.tagsOnly ? false : canFindStaleValues(provenance));
  return createKernel(machine, { provenance, data, yardstick: options.yardstick === true });
}

const isKernel = (engine: Engine): engine is Kernel => "yardstick" in engine;

/** Bytes are worth carrying only where some class of wrong or lost values can be assessed (R48). */
function canFindStaleValues(provenance: Provenance): boolean {
  return HAZARD_CLASSES.some(({ kind, needs }) => kind !== "latent" && needs.every((need) => provenance[need]));
}

const withSctlr = (machine: ResolvedMachine, initialSctlr: number | undefined): ResolvedMachine =>
  initialSctlr === undefined ? machine : { ...machine, initialSctlr };

interface Played {
  readonly seconds: number;
  readonly partial: boolean;
  /** Whether any record of these kinds came. */
  readonly maintenance: boolean;
  readonly control: boolean;
}

/** How long other things (signals, the progress bar) may wait while batches are played. */
const BREATH_MS = 50;

async function play(engine: Engine, source: TraceSource, terminal: Terminal): Promise<Played> {
  const progress = new Progress(terminal);
  const seen = { maintenance: false, control: false };
  let seconds = 0;
  let breathed = performance.now();
  try {
    for await (const batch of untilAborted(source.batches(), terminal.signal)) {
      const began = performance.now();
      playBatch(engine, batch, source.name);
      const ended = performance.now();
      seconds += (ended - began) / 1000;
      look(batch, seen);
      if (source.totalBytes === undefined) progress.show("records", engine.records, source.header.records);
      else progress.show("playing", source.bytesRead, source.totalBytes);
      if (ended - breathed > BREATH_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        breathed = performance.now();
      }
    }
    return { seconds, partial: terminal.signal.aborted, ...seen };
  } finally {
    await progress.clear();
  }
}

/** The engine knows the record, not the file. */
function playBatch(engine: Engine, batch: Uint32Array, file: string): void {
  try {
    engine.play(batch);
  } catch (error) {
    if (error instanceof RecordError) throw new RecordError(error.what, { ...error.detail, file });
    throw error;
  }
}

/** By operation code: which operations are maintenance. */
const MAINTENANCE = new Set<number>(
  Object.values(OPERATIONS)
    .filter(({ name }) => /^(DC|IC) /.test(name) || name.startsWith("outer "))
    .map(({ code }) => code),
);

function look(batch: Uint32Array, seen: { maintenance: boolean; control: boolean }): void {
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

function notesOn(source: TraceSource, played: Played): string[] {
  const notes: string[] = [];
  if (played.control && source.header.initialSctlr === undefined) {
    notes.push(
      "the trace turns caches on or off but doesn't say how it began; played with the machine's initial SCTLR, --caches off plays it from reset",
    );
  }
  if (source.skipped > 0) notes.push(`${source.skipped} lines of ${source.name} were left out`);
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
