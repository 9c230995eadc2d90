/** Does each story of the talk show its bug, and does each fix hold, on the engines and on every machine? */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { traceShelf } from "../../src/cli/trace-shelf.ts";
import { loadDescription, PRESET_NAMES } from "../../src/machine/index.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { runStory, type StoryEngine } from "../../src/scenario/run-story.ts";
import { kindOf } from "../../src/scenario/story.ts";

const HAS_TRACES = existsSync(fileURLToPath(new URL("../../../shared/traces/README.md", import.meta.url)));
const traces = traceShelf();
/** Recordings are for the kernel: the reference model would take minutes. */
const recorded = STORIES.filter((story) => story.traces !== undefined);
const written = STORIES.filter((story) => story.traces === undefined);

const variantsOf = (stories: typeof STORIES) =>
  stories.flatMap((story) =>
    story.eras.flatMap((era) =>
      story.variants.map((fixes) => ({ name: story.name, story, era, fixes, fixesText: fixes.join("+") || "no fix" })),
    ),
  );

describe.each(["kernel", "reference"] as const)("on its own machine, %s", (engine: StoryEngine) => {
  it.each(variantsOf(written))("$name, $era, $fixesText", async ({ story, era, fixes }) => {
    const result = await runStory(story, {
      machine: loadDescription(story.machine),
      era,
      fixes,
      engine,
      leaveOutIdle: engine === "reference",
    });
    // FEAT_S2FWB is a matter of the machine.
    if (result.skipped !== undefined) return expect(era).toBe("fwb");
    expect(result.unmet).toEqual([]);
  });
});

/** Every era and fix of a recording with SETWAY_FULL=1, else the two shortest as they are told by default. */
const recordedVariants = variantsOf(recorded).filter(({ name, story, era, fixes }) => {
  if (process.env.SETWAY_FULL === "1") return true;
  const isShort = name === "uboot32-hand-over" || name === "secondary-cores";
  return isShort && era === story.eras[0] && fixes === story.variants[0];
});

describe.runIf(HAS_TRACES)("recordings (skipped without ../shared/traces)", () => {
  it.each(recordedVariants)("$name, $era, $fixesText", { timeout: 60_000 }, async ({ story, era, fixes }) => {
    const result = await runStory(story, { machine: loadDescription(story.machine), era, fixes, traces });
    expect(result.skipped === undefined ? result.unmet : result.skipped).toEqual([]);
  });
});

describe("a right sequence by VA is right everywhere", () => {
  const byVa = written.filter((story) => Object.keys(story.fixes).includes("by-va"));

  it.each(PRESET_NAMES)("%s", { timeout: 60_000 }, async (name) => {
    const machine = loadDescription(name);
    const wrong: string[] = [];
    for (const story of byVa) {
      for (const era of story.eras) {
        const result = await runStory(story, { machine, era, fixes: ["by-va"], leaveOutIdle: true });
        if (result.skipped !== undefined) continue;
        const seen = result.hazards.map((hazard) => hazard.class).filter((each) => kindOf(each) !== "latent");
        if (seen.length > 0 || result.unmet.length > 0) wrong.push(`${story.name}, ${era}: ${seen.join(", ")}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(byVa.length).toBeGreaterThan(5);
  });
});

describe("cores left out as idle", () => {
  it.each(["set-way-is-local", "watch-and-server", "dma-both-ways"])("don't matter to %s", async (name) => {
    const story = STORIES.find((each) => each.name === name);
    if (story === undefined) throw new Error(`no story ${name}`);
    const machine = loadDescription("kunpeng916-2s");
    for (const fixes of story.variants) {
      const [all, few] = await Promise.all(
        [false, true].map((leaveOutIdle) => runStory(story, { machine, fixes, leaveOutIdle })),
      );
      const classes = (result: typeof all) =>
        result?.skipped === undefined ? result?.hazards.map((hazard) => [hazard.class, hazard.line]) : undefined;
      expect(classes(few)).toEqual(classes(all));
    }
  });
});

describe("the talk", () => {
  it("has names of its own for all stories, and says where each comes from", () => {
    const names = STORIES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { source, title } of STORIES) {
      expect(title.length).toBeGreaterThan(20);
      expect(source.length).toBeGreaterThan(60);
    }
  });
});
