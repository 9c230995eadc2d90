/** `setway replay`: plays any trace on any machine and says what everybody saw. */
import { type Command, Option } from "commander";
import { SetwayError } from "../engine/errors.ts";
import { WholeMachineNeeded } from "../engine/share.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { replayReport, reportedHazards } from "../report/json.ts";
import { KINDS_OF } from "../report/kinds.ts";
import { tellReplay } from "../report/replay.ts";
import { type ShardPlan, wholeMachine } from "../shard/plan.ts";
import type { OpenOptions } from "../trace/open.ts";
import { EXIT } from "./exit.ts";
import { expectation, withExpectationOptions } from "./expectation.ts";
import { machineFrom, openOptions, positiveNumber, wholeNumber, withTraceOptions } from "./inputs.ts";
import { planFor, shardCount } from "./player.ts";
import type { Session } from "./program.ts";
import { replayPart } from "./replay-part.ts";
import {
  describeHazards,
  type Job,
  playTrace,
  type ReplayedTrace,
  type ReplayOptions,
  resultOf,
} from "./replay-trace.ts";
import { needsWholeMachine, withMisses } from "./replay-watch.ts";
import { emitResult, wantsKind, withResultOptions } from "./result.ts";
import { shardOf } from "./shard-of.ts";
import type { Terminal } from "./terminal.ts";

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
    .addOption(
      new Option(
        "--shards <count>",
        "share the machine's sets among so many threads, or as many as suit (auto)",
      ).argParser(shardCount),
    )
    .addOption(
      new Option("--shard <k/n>", "play part k of n, counted from 0, and write what setway merge joins")
        .argParser(shardOf)
        .conflicts(["shards", "yardstick", "json", "output", "misses", "expectClean", "strict"]),
    )
    .option("--part <file>", "where --shard writes its part, instead of standard output");
  withResultOptions(withTraceOptions(withExpectationOptions(command)), KINDS_OF.replay)
    .addHelpText(
      "after",
      `
Without --data or --tags-only, copies carry bytes if the trace recorded enough to find stale values.

Addresses of other tools are mostly virtual and don't fit a machine's RAM: --map-addresses pages gives them places.

Example:
  $ setway replay boot.raw64.xz --machine seattle --caches off
  $ setway replay mc100.swt --machine host-100c --shards auto
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
  if (options.shard) return replayPart({ path, machine, opening, shard: options.shard, options, terminal });
  if (options.part !== undefined) throw new SetwayError("usage", "--part goes with --shard", {});
  let plan = await replayPlan(path, machine, options);
  const job: Job = { path, machine, opening, options, terminal };
  const played = await playTrace(job, plan).catch((error: unknown) => {
    if (!(error instanceof WholeMachineNeeded)) throw error;
    plan = wholeMachine(plan.asked, error.message);
    return playTrace(job, plan);
  });
  const { source, engine, assessed, watch } = played;
  const skippedRefs = options.skipRefs ?? 0;
  const hazards = reportedHazards(engine, assessed);
  const drawn = hazards.slice(0, Math.max(options.hazards, watch?.hazardsDrawn ?? 0));
  const records = path === "-" || played.partial ? new Map<number, string>() : await describeHazards(job, drawn);
  const operationAt = (record: number) => records.get(record);
  const { asked, used, why } = plan;
  const report = replayReport(played.counted, {
    trace: source.name,
    engineName: options.engine,
    seconds: played.seconds,
    partial: played.partial,
    warmupRefs: played.warmupRefs,
    provenance: assessed,
    explained: options.hazards,
    perCore: options.perCore === true,
    sharding: options.shards === undefined ? undefined : { asked, used, ...(why === undefined ? {} : { why }) },
    yardstick: played.yardstick,
    operationAt,
  });
  const missStream = played.partial ? await watch?.abort() : await watch?.finish();
  const result = resultOf(report, { ...played, skippedRefs, missStream });
  const notes = notesOn(played, skippedRefs);
  if (played.partial && wantsKind(options, "misses")) notes.push("interrupted: there is no miss stream");
  if (why !== undefined && used < asked) notes.push(`played in ${used} of ${asked} shards: ${why}`);
  await emitResult(
    "replay",
    tellReplay(result, { hazards, machine: engine.machine }, watch?.extras(hazards, operationAt)),
    options,
    terminal,
  );
  for (const note of notes) await terminal.stderr.write(`note: ${note}\n`);
  if (played.partial) return EXIT.INTERRUPTED;
  return expectation(report, options, terminal);
}

/** In how many shards, and why they are fewer than asked for. */
async function replayPlan(path: string, machine: ResolvedMachine, options: ReplayOptions): Promise<ShardPlan> {
  const plan = await planFor(path, machine, options.shards ?? 1);
  if (plan.used === 1) return plan;
  const why =
    (options.yardstick && "the yardstick's view is that of one kernel") ||
    (options.engine !== "kernel" && "the reference model has no shards") ||
    needsWholeMachine(options);
  return why ? wholeMachine(plan.asked, why) : plan;
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

function notesOn(played: ReplayedTrace, skipped: number): string[] {
  const { source } = played;
  const notes: string[] = [];
  if (skipped > 0 && played.counted.hazards().length > 0) {
    notes.push(
      `records of hazards are counted from the first one played: add ${skipped} for their numbers in the trace`,
    );
  }
  if (played.seen.control && source.header.initialSctlr === undefined) {
    notes.push(
      "the trace turns caches on or off but doesn't say how it began; played with the machine's initial SCTLR, --caches off plays it from reset",
    );
  }
  if (source.skipped > 0) notes.push(`${source.skipped} lines or items of ${source.name} were left out`);
  return notes;
}
