/** `setway cost`: what workarounds cost, each study a command of its own with its parameters as options. */
import { type Command, Option } from "commander";
import { type AnyStudy, runStudy, STUDIES, type StudyResult } from "../cost/index.ts";
import { expectation, type Parameter } from "../cost/parameter.ts";
import { SetwayError } from "../engine/errors.ts";
import { tellCost } from "../report/cost.ts";
import { KINDS_OF } from "../report/kinds.ts";
import { EXIT } from "./exit.ts";
import { machineFrom } from "./inputs.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_GHZ = 2;

interface CostOptions extends ResultOptions {
  readonly machine?: string;
  readonly ghz: number;
  /** Parameters, as typed. */
  readonly [parameter: string]: unknown;
}

export function addCost(program: Command, session: Session): void {
  const cost = program
    .command("cost")
    .description("what workarounds cost: studies over sizes, shares and machines")
    .addHelpText("after", "\nExample:\n  $ setway cost setway-emulation --guest 1GiB,4GiB --mapped 10,100");
  for (const study of Object.values(STUDIES)) addStudy(cost, study, session);
}

function addStudy(cost: Command, study: AnyStudy, session: Session): void {
  const command = cost
    .command(study.name)
    .description(study.summary)
    .option("-m, --machine <machine>", "a machine's name, or a file in YAML or JSON", study.machine)
    .addOption(new Option("--ghz <ghz>", "clock of the simulated cores").argParser(gigahertz).default(DEFAULT_GHZ));
  withResultOptions(command, KINDS_OF.cost);
  const parameters = Object.entries(study.parameters as Readonly<Record<string, Parameter>>);
  for (const [name, parameter] of parameters) {
    command.option(
      `--${name} <${parameter.single ? "value" : "list"}>`,
      `${parameter.summary}; ${expectation(parameter)}`,
      parameter.default,
    );
  }
  command
    .addHelpText("after", `\nExample:\n  $ setway cost ${study.name} -o csv:${study.name}.csv -o svg:${study.name}.svg`)
    .action(
      session.action(async (options: CostOptions) => {
        const texts = Object.fromEntries(parameters.map(([name]) => [name, String(options[keyOf(name)])]));
        return play(study, options, texts, session.terminal);
      }),
    );
}

async function play(
  study: AnyStudy,
  options: CostOptions,
  parameters: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<number> {
  const { machine } = await machineFrom(options.machine ?? study.machine);
  const progress = new Progress(terminal);
  let result: StudyResult;
  try {
    result = await runStudy(study, {
      machine,
      ghz: options.ghz,
      parameters,
      signal: terminal.signal,
      progress: (done, total) => progress.show("rows", done, total),
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
    });
  } finally {
    await progress.clear();
  }
  // Files beside the table, not instead of it.
  await emitResult("cost", tellCost(result), options, terminal, { besideText: true });
  return result.partial ? EXIT.INTERRUPTED : EXIT.OK;
}

function gigahertz(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= 0.001 && value <= 100) return value;
  throw new SetwayError("usage", "--ghz: bad clock", { found: text, expected: "0.001 to 100" });
}

/** Commander's key of an option: `working-set` is `workingSet`. */
const keyOf = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
