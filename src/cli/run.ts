/** `setway run`: dispatches to a scenario, each a command of its own with the options it declares. */
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { tell } from "../report/stories.ts";
import { SCENARIOS } from "../scenario/index.ts";
import type { Scenario, ScenarioIo } from "../scenario/scenario.ts";
import { openTraceFile } from "../trace/open.node.ts";
import { machineFrom } from "./inputs.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";

export function addRun(program: Command, session: Session): void {
  const run = program
    .command("run")
    .description("play a scenario and tell its story")
    .addHelpText("after", "\nExample:\n  $ setway run decompressor --maintenance setway --machine seattle");
  for (const scenario of Object.values(SCENARIOS)) {
    const command = withResultOptions(run.command(scenario.name).description(scenario.summary));
    scenario.configure(command);
    command.action(
      session.action(async () => {
        const options = command.opts();
        const progress = new Progress(session.terminal);
        try {
          return await scenario.run(options, ioFor(scenario, options, progress, session));
        } finally {
          await progress.clear();
        }
      }),
    );
  }
}

/** The same from src/cli and from dist/cli. */
const SHIPPED_TRACES = new URL("../../traces/", import.meta.url);

function ioFor(scenario: Scenario, options: ResultOptions, progress: Progress, { terminal }: Session): ScenarioIo {
  return {
    machine: machineFrom,
    shippedTrace: (name) => openTraceFile(fileURLToPath(new URL(name, SHIPPED_TRACES))),
    emit: async (result) => {
      await progress.clear();
      await emitResult(tell(scenario.name, result), options, terminal);
    },
    note: (line) => void progress.clear().then(() => terminal.stderr.write(`${line}\n`)),
    progress: (label, done, total) => progress.show(label, done, total),
    signal: terminal.signal,
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
