/** `setway merge`: joins the parts of a replay into the result that one process would have given. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { TraceError } from "../engine/errors.ts";
import type { IntervalReport } from "../report/intervals.ts";
import { replayReport, reportedHazards } from "../report/json.ts";
import { KINDS_OF } from "../report/kinds.ts";
import { tellReplay } from "../report/replay.ts";
import { addUp } from "../shard/findings.ts";
import { mergeParts, readPart } from "../shard/part-file.ts";
import { type ExpectationOptions, expectation, withExpectationOptions } from "./expectation.ts";
import type { Session } from "./program.ts";
import type { ReplayExtra, ReplayFacts } from "./replay-part.ts";
import { resultOf } from "./replay-trace.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
import type { Terminal } from "./terminal.ts";

type MergeOptions = ResultOptions & ExpectationOptions;

export function addMerge(program: Command, session: Session): void {
  const command = program
    .command("merge")
    .description("join the parts of a replay, as setway replay --shard wrote them")
    .argument("<part...>", "all parts of one replay, in any order");
  withResultOptions(withExpectationOptions(command), KINDS_OF.merge)
    .addHelpText(
      "after",
      `
The result is what one process would have given; only the seconds are those of the busiest part.

Example:
  $ for k in 0 1 2 3; do setway replay boot.swt -m host-100c --shard $k/4 --part $k.part & done; wait
  $ setway merge ?.part --json`,
    )
    .action(
      session.action(async (files: readonly string[], options: MergeOptions) =>
        merge(files, options, session.terminal),
      ),
    );
}

async function merge(files: readonly string[], options: MergeOptions, terminal: Terminal): Promise<number> {
  const named = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch((cause: Error) => {
      throw new TraceError("can't read the part", { file, found: cause.message, cause });
    });
    named.push({ file, part: readPart<ReplayFacts, ReplayExtra>(text, file) });
  }
  const { facts, played, seconds, extras } = mergeParts(named);
  const [{ trace }] = extras as [ReplayExtra];
  const operations: Readonly<Record<string, string>> = Object.assign({}, ...extras.map((extra) => extra.operations));
  const report = replayReport(played, {
    trace,
    engineName: "kernel",
    seconds,
    partial: false,
    warmupRefs: facts.warmupRefs,
    provenance: facts.provenance,
    explained: facts.explained,
    perCore: facts.perCore,
    // The result doesn't say in how many parts it was played: it is the same.
    operationAt: (record) => operations[record],
  });
  const intervals = mergeIntervals(extras.map((extra) => extra.intervals ?? []));
  const isMeasured = extras.some((extra) => extra.intervals !== undefined);
  const result = resultOf(report, { ...facts, intervals: isMeasured ? intervals : undefined });
  const found = { hazards: reportedHazards(played, facts.provenance), machine: facts.machine };
  await emitResult("merge", tellReplay(result, found), options, terminal);
  return expectation(report, options, terminal);
}

/** Intervals are of the same records in all parts. */
function mergeIntervals(parts: readonly (readonly IntervalReport[])[]): IntervalReport[] {
  const [first = []] = parts;
  return first.map((interval, index) => ({
    ...addUp(parts.map((intervals) => intervals[index] as IntervalReport)),
    from: interval.from,
    records: interval.records,
  }));
}
