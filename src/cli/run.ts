/** `setway run`: dispatches to a scenario, each a command of its own with the options it declares. */
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { SetwayError } from "../engine/errors.ts";
import { KINDS_OF } from "../report/kinds.ts";
import { tell } from "../report/stories.ts";
import { SCENARIOS, STORIES } from "../scenario/index.ts";
import type { Scenario, ScenarioIo } from "../scenario/scenario.ts";
import type { AnyStory } from "../scenario/story.ts";
import { openTraceFile } from "../trace/open.node.ts";
import { machineFrom } from "./inputs.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
import { looksLikeFile, storiesFrom } from "./story-file.ts";
import { runMatrix, runStories, type StoryRunOptions, storiesNamed, withStoryOptions } from "./story-run.ts";

export function addRun(program: Command, session: Session): void {
  const run = program
    .command("run")
    .description("play a scenario and tell its story: by its name, its number, or a file of your own")
    .usage("[options] <story|number|file>")
    .argument("[story]", "a name or number of `setway list scenarios`, or a file in TypeScript or JavaScript")
    .option("--all", "all stories: each variant on its own machine, with --matrix on every machine")
    .addHelpText(
      "after",
      `
Example:
  $ setway run decompressor --maintenance setway --machine seattle
  $ setway run set-way-is-local --trace
  $ setway run dma-from-device --with map,unmap --on rpi4
  $ setway run 7 --matrix
  $ setway run ./my-scenario.ts --kvm 4.1
  $ setway run --all --matrix`,
    );
  withStoryOptions(run).action(
    session.action(async (word: string | undefined, options: StoryRunOptions & All) => {
      if (options.all) {
        checkNotAll(word === undefined ? {} : options, word ?? "");
        return runMatrix(STORIES, options, session, { everyMachine: options.matrix === true });
      }
      if (word === undefined) return run.help({ error: true });
      if (looksLikeFile(word)) return runStories(await storiesFrom(word), options, session, word);
      return runStories(storiesNamed(word, Object.keys(SCENARIOS)), options, session);
    }),
  );
  for (const scenario of Object.values(SCENARIOS)) {
    const command = withResultOptions(run.command(scenario.name).description(scenario.summary), KINDS_OF.decompressor);
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
  for (const story of STORIES) addStory(run, story, session);
}

/** A story is a command too, so that `--help` tells its fixes. */
function addStory(run: Command, story: AnyStory, session: Session): void {
  const fixes = Object.entries(story.fixes).map(([fix, sentence]) => `  ${fix.padEnd(18)} ${sentence}`);
  const first = Object.keys(story.fixes)[0];
  const command = withStoryOptions(run.command(story.name).description(story.title));
  command
    .addHelpText(
      "after",
      `
${fixes.length > 0 ? `Fixes:\n${fixes.join("\n")}\n\n` : ""}Machine ${story.machine}, ${story.eras.join(", ")}, unless told otherwise.

Example:
  $ setway run ${story.name}${first === undefined ? "" : ` --with ${first}`} --trace`,
    )
    .action(
      session.action(async () => {
        const options = optionsOf(run, command);
        checkNotAll(options, story.name);
        return runStories([story], options, session);
      }),
    );
}

/** What was said before the story's name counts too; what was said after it wins. */
function optionsOf(run: Command, command: Command): StoryRunOptions & All {
  const before = Object.keys(run.opts()).filter((key) => run.getOptionValueSource(key) === "cli");
  const after = command.opts();
  const kept = before.filter((key) => command.getOptionValueSource(key) !== "cli");
  return { ...after, ...Object.fromEntries(kept.map((key) => [key, run.getOptionValue(key)])) } as StoryRunOptions;
}

interface All {
  readonly all?: true;
}

function checkNotAll({ all }: All, story: string): void {
  if (all) throw new SetwayError("usage", "a story and --all", { found: story, expected: "one of the two" });
}

/** The same from src/cli and from dist/cli. */
const SHIPPED_TRACES = new URL("../../traces/", import.meta.url);

function ioFor(scenario: Scenario, options: ResultOptions, progress: Progress, { terminal }: Session): ScenarioIo {
  return {
    machine: machineFrom,
    shippedTrace: (name) => openTraceFile(fileURLToPath(new URL(name, SHIPPED_TRACES))),
    emit: async (result) => {
      await progress.clear();
      await emitResult("run decompressor", tell(scenario.name, result), options, terminal);
    },
    note: (line) => void progress.clear().then(() => terminal.stderr.write(`${line}\n`)),
    progress: (label, done, total) => progress.show(label, done, total),
    signal: terminal.signal,
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
