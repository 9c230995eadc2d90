/** The command line as a whole: its verbs, its help, and how whatever happens becomes an exit code. */
import { Command } from "commander";

import { addCompletion } from "./completion.ts";
import { addConvert } from "./convert.ts";
import { addCost } from "./cost.ts";
import { addDoctor } from "./doctor.ts";
import { EXIT, exitFor } from "./exit.ts";
import { addExplain } from "./explain.ts";
import { addLint } from "./lint.ts";
import { addList } from "./list.ts";
import { addMachine } from "./machine.ts";
import { addMerge } from "./merge.ts";
import { hintAtChoices } from "./nearest-choice.ts";
import { type CommandOutline, outlineOf } from "./outline.ts";
import { addReplay } from "./replay.ts";
import { addRun } from "./run.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** What a verb gets: the terminal, and a way to say how it ended. */
export interface Session {
  readonly terminal: Terminal;
  /** Wraps a verb's work into a commander action whose value becomes the exit code. */
  // biome-ignore lint/suspicious/noExplicitAny: commander calls an action with arguments, then options, then itself.
  readonly action: (work: (...args: any[]) => Promise<number>) => (...args: any[]) => Promise<void>;
}

/** Runs one command line, without the program's own name. Never throws. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.OK;
  const session: Session = {
    terminal,
    action:
      (work) =>
      async (...args) => {
        code = await work(...args);
      },
  };
  try {
    await buildProgram(session).parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    const { code: failure, message } = exitFor(error);
    if (message !== undefined) await terminal.stderr.write(`${message}\n`);
    return failure;
  }
}

/** Every command as data, for what is written from it: the manual page. Nothing is run. */
export function programOutline(): CommandOutline {
  const nowhere = { write: async () => {}, isTerminal: false };
  const { signal } = new AbortController();
  const terminal: Terminal = { stdout: nowhere, stderr: nowhere, env: {}, columns: 80, signal };
  return outlineOf(buildProgram({ terminal, action: () => async () => {} }));
}

function buildProgram(session: Session): Command {
  const { terminal } = session;
  const program = new Command("setway")
    .description("Shows what Arm caches will really do to a guest, a hypervisor or a driver.")
    .version(VERSION, "--version")
    .exitOverride()
    // A verb's options are the verb's: `run` and its stories have the same ones.
    .enablePositionalOptions()
    .showHelpAfterError("(add --help for usage and an example)")
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .addHelpText(
      "after",
      `
Exit codes: 0 it ran, 1 an expectation failed, 2 usage or machine description, 3 bad trace, 130 interrupted.

Example:
  $ setway run decompressor
  $ setway replay boot.raw64.xz --machine seattle`,
    );
  addRun(program, session);
  addReplay(program, session);
  addMerge(program, session);
  addCost(program, session);
  addMachine(program, session);
  addLint(program, session);
  addConvert(program, session);
  addList(program, session);
  addExplain(program, session);
  addDoctor(program, session);
  addCompletion(program, session);
  hintAtChoices(program);
  return program;
}
