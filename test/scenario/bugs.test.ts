/**
 * Bugs that others reported, written from their descriptions with the public API alone: is each as it expects, on its own
 * machine and on others, and does docs/stories.md list them? On every machine and both engines with SETWAY_FULL=1.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { storiesFrom } from "../../src/cli/story-file.ts";
import { loadDescription } from "../../src/machine/index.ts";
import { PRESET_NAMES } from "../../src/machine/presets/index.ts";
import { playMatrix } from "../../src/scenario/matrix.ts";
import type { StoryEngine } from "../../src/scenario/run-story.ts";
import type { AnyStory } from "../../src/scenario/story.ts";
import { setway } from "../cli/capture.ts";
import { generatedPart, readPage, table } from "../docs/page.ts";

const FOLDER = new URL("../../examples/bugs/", import.meta.url);
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".ts"))
  .sort();
const full = process.env.SETWAY_FULL === "1";
/** 32-byte lines in an exclusive L2: unlike every story's own. */
const OTHER = "exynos3250";

const loaded = new Map<string, AnyStory>();
const storyOf = async (name: string): Promise<AnyStory> => {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const [story, ...more] = await storiesFrom(fileURLToPath(new URL(name, FOLDER)));
  expect(more).toEqual([]);
  loaded.set(name, story as AnyStory);
  return story as AnyStory;
};

describe.each(full ? (["kernel", "reference"] as const) : (["kernel"] as const))("on the %s", (engine: StoryEngine) => {
  it.each(FILES)("%s is as it expects", async (name) => {
    const story = await storyOf(name);
    expect(`${story.name}.ts`).toBe(name);
    const names = full && engine === "kernel" ? PRESET_NAMES : [story.machine, OTHER];
    const machines = async () => names.map((machine) => loadDescription(machine));
    const { cells } = await playMatrix({ stories: [story], machines, engine });
    expect(cells.flatMap(({ unmet }) => unmet)).toEqual([]);
    const own = cells.filter(({ machine }) => machine === story.machine);
    const observed = ({ hazards, wrongResults }: (typeof own)[number]) =>
      wrongResults > 0 || Object.keys(hazards).some((hazard) => /^(stale-|leak|lost)/.test(hazard));
    // The bug bites where it was seen, and some variant of fixes mends it.
    expect(own.some((cell) => cell.fixes.length === 0 && observed(cell))).toBe(true);
    expect(own.some((cell) => cell.fixes.length > 0 && !observed(cell))).toBe(true);
  });
});

it("a walk that ends in a fault belongs to the step in which it was", async () => {
  const { stdout } = await setway(["run", fileURLToPath(new URL("initial-page-tables.ts", FOLDER))]);
  expect(stdout).toMatch(/ends in a translation fault\n +stale-walk: 1 time/);
  expect(stdout).toMatch(/walked an old descriptor in line 0x\S+ at record \S+ \(step 3\)/);
});

it("docs/stories.md lists them", async () => {
  const stories = await Promise.all(FILES.map(storyOf));
  const rows = stories.map(({ name, title, source, machine, eras }) => [
    `[\`${name}\`](../examples/bugs/${name}.ts)`,
    title,
    source,
    machine,
    eras.join(", "),
  ]);
  const wanted = table(["story", "what happens", "reported as", "machine", "eras"], rows);
  const part = generatedPart(readPage("docs/stories.md"), "bugs");
  if (process.env.SETWAY_UPDATE_DOCS === "1") part.replaceWith(wanted);
  else expect(part.found).toBe(wanted);
});
