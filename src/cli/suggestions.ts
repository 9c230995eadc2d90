/**
 * What can stand where a command line takes a value: the one table that completions are made from, by the names that help
 * gives to values. A name that is missing here is of values that nobody can guess, such as counts.
 */
import { STUDIES } from "../cost/index.ts";
import { isWords, type Parameter } from "../cost/parameter.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { PRESET_NAMES, presets } from "../machine/index.ts";
import { LEVEL_NAMES } from "../machine/schema.ts";
import { RULES } from "../report/rules.ts";
import { MAINTENANCES } from "../scenario/decompressor/stream.ts";
import { SCENARIOS, STORIES } from "../scenario/index.ts";
import { ERA_WORDS } from "../scenario/story.ts";
import { RECORDED } from "./inputs.ts";
import type { ArgumentOutline, CommandOutline, OptionOutline, ValueOutline } from "./outline.ts";

export interface Suggestion {
  /** Words with what they mean, or "". */
  readonly words: readonly (readonly [word: string, summary: string])[];
  /** Several may be given, with commas between. */
  readonly list?: true;
  /** Files may be given: instead of words, or after a word and a colon. */
  readonly files?: "instead" | "after-colon";
}

export const NOTHING: Suggestion = { words: [] };

const plain = (words: readonly string[]): Suggestion["words"] => words.map((word) => [word, ""]);

const machines = (): Suggestion["words"] => PRESET_NAMES.map((name) => [name, presets[name].about ?? ""]);

const storyOf = (path: readonly string[]) => STORIES.find(({ name }) => path[1] === "run" && name === path[2]);

function fixesOf(path: readonly string[]): Suggestion["words"] {
  const stories = storyOf(path);
  const fixes = new Map((stories === undefined ? STORIES : [stories]).flatMap((story) => Object.entries(story.fixes)));
  // Stories name fixes alike and explain them each in their own way.
  return [...fixes].map(([fix, summary]) => [fix, stories === undefined ? "" : summary]);
}

/** By the name of a value; the path says which command asks. */
const SUGGESTIONS: Readonly<Record<string, (path: readonly string[]) => Suggestion>> = {
  story: () => ({
    words: [
      ...Object.values(SCENARIOS).map(({ name, summary }) => [name, summary] as const),
      ...STORIES.map(({ name, title }) => [name, title] as const),
    ],
    files: "instead",
  }),
  machine: () => ({ words: machines(), files: "instead" }),
  machines: () => ({ words: machines(), list: true, files: "instead" }),
  fixes: (path) => ({ words: fixesOf(path), list: true }),
  eras: (path) => ({ words: plain(storyOf(path)?.eras ?? ERA_WORDS), list: true }),
  kinds: () => ({ words: plain(MAINTENANCES), list: true }),
  "hazard|rule": () => ({
    words: [
      ...HAZARD_CLASSES.map(({ name, summary }) => [name, summary] as const),
      ...Object.entries(RULES).map(([name, { title }]) => [name, title] as const),
    ],
  }),
  part: () => ({ words: [], files: "instead" }),
  trace: () => ({ words: [], files: "instead" }),
  file: () => ({ words: [], files: "instead" }),
  path: () => ({ words: [], files: "instead" }),
  output: () => ({ words: [], files: "instead" }),
  level: () => ({ words: plain(["L1", ...LEVEL_NAMES]) }),
};

/** What an option of a command takes; nothing to suggest for one that takes no value. */
export function suggestedFor({ path }: CommandOutline, { names, value, summary }: OptionOutline): Suggestion {
  if (value === undefined) return NOTHING;
  const name = names.at(-1)?.slice(2) ?? "";
  if (value.name.endsWith(":path")) return { words: plain(kindsIn(summary)), files: "after-colon" };
  if (value.name === "list" || value.name === "value") return listed(path, name);
  return suggested(path, value);
}

/** What the arguments of a command take, all of them together. */
export function suggestedArguments({ path, arguments: all }: CommandOutline): Suggestion {
  const each = all.map((argument: ArgumentOutline) => suggested(path, argument));
  return {
    words: each.flatMap(({ words }) => words),
    ...(each.some(({ files }) => files === "instead") ? { files: "instead" } : {}),
  };
}

function suggested(path: readonly string[], { name, choices }: ValueOutline): Suggestion {
  if (choices !== undefined) return { words: plain(choices) };
  return SUGGESTIONS[name]?.(path) ?? NOTHING;
}

/** Lists of words: what a trace recorded, and the parameters of studies. */
function listed(path: readonly string[], option: string): Suggestion {
  if (option === "recorded") return { words: plain([...RECORDED, "all", "none"]), list: true };
  const study = path[1] === "cost" ? Object.values(STUDIES).find(({ name }) => name === path[2]) : undefined;
  const parameter = (study?.parameters as Readonly<Record<string, Parameter>> | undefined)?.[option];
  if (parameter === undefined || !isWords(parameter)) return NOTHING;
  return parameter.single ? { words: plain(parameter.words) } : { words: plain(parameter.words), list: true };
}

/** The kinds of output, which the option's own sentence lists last. */
function kindsIn(summary: string): readonly string[] {
  const list = /kinds: ([^;]+)/.exec(summary)?.[1] ?? "";
  return list.split(",").map((kind) => kind.trim());
}
