/** What a result may be expected to be: `--expect-clean` and `--strict`, and the exit code that follows. */
import type { Command } from "commander";
import { allHazards, observedHazards, type ReplayReport } from "../report/json.ts";
import { EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

export interface ExpectationOptions {
  readonly expectClean?: true;
  readonly strict?: true;
}

export function withExpectationOptions(command: Command): Command {
  return command
    .option("--expect-clean", "exit 1 if anybody observed a stale or leaked value (R26, R28)")
    .option("--strict", "exit 1 on any hazard (R26 to R29)");
}

export async function expectation(
  report: ReplayReport,
  options: ExpectationOptions,
  terminal: Terminal,
): Promise<number> {
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
