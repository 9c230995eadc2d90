/** What `setway run` does with stories: the options that they share, one play, and matrices of many. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { SetwayError } from "../engine/errors.ts";
import type { LoadedMachine } from "../machine/index.ts";
import { loadDescription, PRESET_NAMES } from "../machine/index.ts";
import { nearestWord } from "../machine/nearest.ts";
import { KINDS_OF } from "../report/kinds.ts";
import { tellStories } from "../report/story.ts";
import { matrixMet, tellMatrix } from "../report/story-matrix.ts";
import { STORIES } from "../scenario/index.ts";
import { playMatrix } from "../scenario/matrix.ts";
import { checkedFixes, runStory, STORY_ENGINES, type StoryEngine, type StoryResult } from "../scenario/run-story.ts";
import { type AnyStory, ERA_WORDS, type Era } from "../scenario/story.ts";
import { EXIT } from "./exit.ts";
import { machineFrom } from "./inputs.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { emitResult, type ResultOptions, refuseKinds, withResultOptions } from "./result.ts";
import { storyPool } from "./story-pool.ts";
import { traceShelf } from "./trace-shelf.ts";

export interface StoryRunOptions extends ResultOptions {
  readonly with?: readonly string[];
  readonly without?: readonly string[];
  readonly on?: readonly string[];
  readonly kvm?: readonly Era[];
  readonly engine: StoryEngine;
  readonly matrix?: true;
  readonly trace?: true;
}

export function withStoryOptions(command: Command): Command {
  return withResultOptions(command, KINDS_OF.run)
    .option("--with <fixes>", "fixes to turn on, separated by commas; repeatable", collectWords)
    .option("--without <fixes>", "fixes to turn off; repeatable", collectWords)
    .option("--on <machines>", "machines' names, or files in YAML or JSON; repeatable", collectWords)
    .option("--kvm <eras>", `where it is played: some of ${ERA_WORDS.join(", ")}; repeatable`, collectEras)
    .addOption(
      new Option("--engine <engine>", "the fast kernel, or the reference model")
        .choices(STORY_ENGINES)
        .default("kernel" satisfies StoryEngine),
    )
    .option("--matrix", "machines (all, or those of --on) by eras by fixes, as a table of hazards")
    .option("--trace", "say of each step what moved where");
}

/** One story, or several of a number or a file (`file` if so): one after another, or as a matrix. */
export async function runStories(
  stories: readonly AnyStory[],
  options: StoryRunOptions,
  session: Session,
  file?: string,
): Promise<number> {
  if (options.matrix) return runMatrix(stories, options, session, { everyMachine: true, file });
  const plays = stories.reduce((sum, story) => {
    const eras = erasFor(story, options)?.length ?? 1;
    return sum + (options.on?.length ?? 1) * eras;
  }, 0);
  if (plays > 1) refuseKinds(options, ["svg", "perfetto"], "more than one play");
  const traces = traceShelf();
  const results: StoryResult[] = [];
  for (const story of stories) {
    const fixes = chosenFixes(story, options);
    for (const name of options.on ?? [story.machine]) {
      const machine = await machineFrom(name);
      for (const era of erasFor(story, options) ?? [undefined]) {
        const { engine } = options;
        const trace = options.trace === true;
        const result = await runStory(story, { machine, fixes, engine, trace, traces, ...(era ? { era } : {}) });
        // Asked for by name, a machine that means nothing to the story is a mistake; a recording that isn't here is none.
        if (result.skipped !== undefined && options.on !== undefined && !/recording/.test(result.skipped)) {
          throw new SetwayError("machine", `story ${story.name} means nothing here`, { found: result.skipped });
        }
        results.push(result);
      }
    }
  }
  await emitResult("run", tellStories(results), options, session.terminal);
  const met = results.every((result) => result.skipped !== undefined || result.unmet.length === 0);
  return met ? EXIT.OK : EXIT.EXPECTATION;
}

/** Every variant of the stories, on every preset or on each story's own machine. */
export async function runMatrix(
  stories: readonly AnyStory[],
  options: StoryRunOptions,
  { terminal }: Session,
  { everyMachine, file }: { readonly everyMachine: boolean; readonly file?: string | undefined },
): Promise<number> {
  refuseKinds(options, ["svg", "perfetto"], "a matrix");
  const given = options.on === undefined ? undefined : await Promise.all(options.on.map(machineFrom));
  const presets = everyMachine ? PRESET_NAMES.map((name) => loadDescription(name)) : [];
  const progress = new Progress(terminal);
  const one = options.with !== undefined || options.without !== undefined;
  const eras = options.kvm;
  for (const story of stories) if (stories.length === 1) erasFor(story, options);
  const pool = storyPool({ engine: options.engine, file });
  try {
    const matrix = await playMatrix({
      stories,
      machines: async (story): Promise<readonly LoadedMachine[]> =>
        // A recording takes seconds a play: its own machine says what it has to say, unless machines are named.
        given ?? (everyMachine && story.traces === undefined ? presets : [loadDescription(story.machine)]),
      eras,
      ...(one ? { variants: (story: AnyStory) => [chosenFixes(story, options)] } : {}),
      engine: options.engine,
      traces: traceShelf(),
      ...pool?.lanes,
      signal: terminal.signal,
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
      progress: (label, done, total) => progress.show(label, done, total),
    });
    await progress.clear();
    await emitResult("run --matrix", tellMatrix(matrix), options, terminal);
    if (matrix.partial) return EXIT.INTERRUPTED;
    return matrixMet(matrix) ? EXIT.OK : EXIT.EXPECTATION;
  } finally {
    await pool?.close();
    await progress.clear();
  }
}

/** By name or by number. Throws a usage error with the nearest name. */
export function storiesNamed(word: string, others: readonly string[]): readonly AnyStory[] {
  const found = STORIES.filter(({ name, number }) => name === word || String(number) === word);
  if (found.length > 0) return found;
  const names = [...STORIES.map(({ name }) => name), ...others];
  throw new SetwayError("usage", "no such story", {
    found: word,
    expected: "a name or a number of `setway list scenarios`, or a file in TypeScript or JavaScript",
    nearest: nearestWord(word, names),
  });
}

function chosenFixes(story: AnyStory, options: StoryRunOptions): readonly string[] {
  const on = checkedFixes(story, options.with ?? []);
  const off = checkedFixes(story, options.without ?? []);
  const both = on.find((fix) => off.includes(fix));
  if (both !== undefined) {
    throw new SetwayError("usage", `fix ${both} is both on and off`, { expected: "--with or --without" });
  }
  return [...story.defaults.filter((fix: string) => !off.includes(fix)), ...on];
}

function erasFor(story: AnyStory, { kvm }: StoryRunOptions): readonly Era[] | undefined {
  for (const era of kvm ?? []) {
    if (story.eras.includes(era)) continue;
    throw new SetwayError("usage", `story ${story.name} isn't played in this era`, {
      found: era,
      expected: story.eras.join(", "),
      nearest: nearestWord(era, story.eras),
    });
  }
  return kvm;
}

const words = (text: string): string[] => text.split(",").filter((word) => word !== "");

const collectWords = (text: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  ...words(text),
];

function collectEras(text: string, previous: readonly Era[] | undefined): readonly Era[] {
  for (const word of words(text)) {
    if ((ERA_WORDS as readonly string[]).includes(word)) continue;
    const nearest = nearestWord(word, ERA_WORDS);
    const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    throw new InvalidArgumentError(`Unknown era: ${word}; expected ${ERA_WORDS.join(", ")}${hint}`);
  }
  return [...(previous ?? []), ...(words(text) as Era[])];
}
