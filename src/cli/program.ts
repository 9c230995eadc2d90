/** The command line as a whole: its verbs, its help, and how whatever happens becomes an exit code. */
import { Command } from "commander";

import { EXIT, exitFor } from "./exit.ts";
import { hintAtChoices } from "./nearest-choice.ts";
import { type CommandOutline, outlineOf } from "./outline.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** What a verb gets: the terminal, and a way to say how it ended. */
export interface Session {
  readonly terminal: Terminal;
  /** Wraps a verb's work into a commander action whose value becomes the exit code. */
  // biome-ignore lint/suspicious/noExplicitAny: commander calls an action with arguments, then options, then itself.
  readonly action: (work: (...args: any[]) => Promise<number>) => (...args: any[]) => Promise<void>;
}

type AddVerb = (program: Command, session: Session) => void;

/** The verbs, in the order of the help. Each has modules that the others do without: they are loaded when it is named. */
const VERBS: Readonly<Record<string, () => Promise<AddVerb>>> = {
  run: async () => (await import("./run.ts")).addRun,
  replay: async () => (await import("./replay.ts")).addReplay,
  merge: async () => (await import("./merge.ts")).addMerge,
  cost: async () => (await import("./cost.ts")).addCost,
  machine: async () => (await import("./machine.ts")).addMachine,
  lint: async () => (await import("./lint.ts")).addLint,
  convert: async () => (await import("./convert.ts")).addConvert,
  list: async () => (await import("./list.ts")).addList,
  explain: async () => (await import("./explain.ts")).addExplain,
  doctor: async () => (await import("./doctor.ts")).addDoctor,
  completion: async () => (await import("./completion.ts")).addCompletion,
};

/** What a command line needs of them: the verb that it names, nothing for the version, everything for help and for suggestions. */
function verbsFor([word = ""]: readonly string[]): readonly string[] {
  if (Object.hasOwn(VERBS, word)) return [word];
  return word === "--version" ? [] : Object.keys(VERBS);
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
    const program = await buildProgram(session, verbsFor(argv));
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    const { code: failure, message } = exitFor(error);
    if (message !== undefined) await terminal.stderr.write(`${message}\n`);
    return failure;
  }
}

/** Every command as data, for what is written from it: the manual page, completions. Nothing is run. */
export async function programOutline(): Promise<CommandOutline> {
  const nowhere = { write: async () => {}, isTerminal: false };
  const { signal } = new AbortController();
  const terminal: Terminal = { stdout: nowhere, stderr: nowhere, env: {}, columns: 80, signal };
  return outlineOf(await buildProgram({ terminal, action: () => async () => {} }, Object.keys(VERBS)));
}

async function buildProgram(session: Session, verbs: readonly string[]): Promise<Command> {
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
  const added = await Promise.all(verbs.map((verb) => VERBS[verb]?.()));
  for (const add of added) add?.(program, session);
  hintAtChoices(program);
  return program;
}
