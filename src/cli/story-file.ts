/** A user's own stories, from a file in TypeScript or JavaScript that lies anywhere: `import { defineStory } from "setway"` works in it. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { createJiti } from "jiti";
import { SetwayError } from "../engine/errors.ts";
import * as setway from "../index.ts";
import * as machine from "../machine/index.ts";
import * as scenario from "../scenario/index.ts";
import { type AnyStory, isStory } from "../scenario/story.ts";
import * as trace from "../trace/index.ts";

/** Whether a word after `setway run` means a file and not a story's name. */
export const looksLikeFile = (word: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(word);

/** The stories that the file exports as its default: one, or a list. Throws a usage error with the file's name. */
export async function storiesFrom(file: string): Promise<readonly AnyStory[]> {
  const path = resolve(file);
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
  if (!isFile)
    throw new SetwayError("usage", "no such file", { file, expected: "a story in TypeScript or JavaScript" });
  const exported = await load(path, file);
  const stories = (Array.isArray(exported) ? exported : [exported]) as readonly unknown[];
  if (stories.length > 0 && stories.every(isStory)) return stories;
  throw new SetwayError("usage", "the file exports no story", {
    file,
    found: exported === undefined ? "no default export" : `a default export of ${typeof exported}`,
    expected: 'export default defineStory({...}), or a list of stories, with import { defineStory } from "setway"',
  });
}

async function load(path: string, file: string): Promise<unknown> {
  // This very package, whether or not the file's project has it: no second copy of its classes.
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { setway, "setway/machine": machine, "setway/scenario": scenario, "setway/trace": trace },
  });
  try {
    return (await jiti.import<{ default?: unknown }>(path)).default;
  } catch (cause) {
    if (cause instanceof SetwayError) throw cause;
    throw new SetwayError("usage", "the file can't be loaded", {
      file,
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
