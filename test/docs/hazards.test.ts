/**
 * Does docs/hazards.md say of every hazard class what the tables of the code say, with a story that shows it as it is
 * printed and the fix that clears it? `SETWAY_UPDATE_DOCS=1` rewrites it.
 */
import { expect, it } from "vitest";
import { HAZARD_CLASSES, type HazardName } from "../../src/engine/hazards.ts";
import { loadDescription } from "../../src/machine/index.ts";
import { HAZARD_TEXTS } from "../../src/report/rules.ts";
import { runStory, STORIES } from "../../src/scenario/index.ts";
import { setway } from "../cli/capture.ts";
import { generatedPart, readPage } from "./page.ts";

const full = process.env.SETWAY_FULL === "1";

/** The story that tells a class best, and the fix that clears it there. */
const TOLD_BY: Readonly<Partial<Record<HazardName, readonly [story: string, fix: string]>>> = {
  "stale-read": ["mailbox-caches-off", "by-va"],
  "stale-fetch": ["code-loading", "linux"],
  "stale-dma": ["dma-to-device", "map"],
  "stale-walk": ["tables-written-uncached", "by-va"],
  "lost-write": ["cpu-power-down", "by-va"],
  leak: ["swap-out", "flush-at-map"],
  "mismatched-attributes": ["mismatched-aliases", "one-attribute"],
  "set/way-while-shared": ["set-way-is-local", "by-va"],
  "set/way-short-of-poc": ["set-way-short-of-poc", "by-va"],
  "set/way-migrated": ["set-way-migrated", "by-va"],
};

/** No story's subject: a program of three records. */
const PROGRAM = `\`\`\`js
import { createKernel, dc, load, records, store } from "setway";
import { loadMachine } from "setway/machine";

const engine = createKernel(loadMachine("seattle"));
engine.play(records(store(0, 0x1000), dc.civac(0, 0x1000), load(1, 0x1000))); // no DSB before the other core looks
for (const hazard of engine.hazards()) console.log(hazard.class);
\`\`\`

\`\`\`text
maintenance-pending
\`\`\`
`;

const KINDS = {
  observed: "Observed: somebody got a wrong value.",
  lost: "Lost: a value is gone.",
  latent: "Latent: nothing has gone wrong yet.",
} as const;

/** What `setway run` says of a class, without the hazards before and after it. */
async function said(name: HazardName, story: string): Promise<string> {
  const { code, stdout } = await setway(["run", story]);
  expect(code).toBe(0);
  const why = stdout.slice(stdout.indexOf("\nWhy\n") + 5).split(/\n\n(?! )/)[0] as string;
  const blocks = why.split(/\n\n/);
  const block = blocks.find((each) => new RegExp(`^  \\d+\\. ${name}:`).test(each));
  expect(block, `${story} explains no ${name}`).toBeDefined();
  return ["```console", `$ setway run ${story}`, "...", block, "...", "```", ""].join("\n");
}

async function sectionOf({ name, rule, kind, needs, summary }: (typeof HAZARD_CLASSES)[number]): Promise<string> {
  const { cause, remedy } = HAZARD_TEXTS[name];
  const [story, fix] = TOLD_BY[name] ?? [];
  const shown = STORIES.find((each) => each.name === story);
  const example =
    story === undefined || fix === undefined || shown === undefined
      ? PROGRAM
      : [
          `\`${story}\`: ${shown.title}.\n`,
          await said(name, story),
          `With \`--with ${fix}\` (${shown.fixes[fix]}) it doesn't happen.\n`,
        ].join("\n");
  return [
    `## ${name}\n`,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)} (${rule}). ${KINDS[kind]}\n`,
    `**Cause.** ${cause}\n`,
    `**Remedy.** ${remedy}\n`,
    `**Needs** a trace that recorded ${needs.join(" and ")} (R48).\n`,
    example,
  ].join("\n");
}

it("every class has its section, as the code says it", async () => {
  const sections: string[] = [];
  for (const hazard of HAZARD_CLASSES) sections.push(await sectionOf(hazard));
  const wanted = `\n${sections.join("\n")}\n`;
  const part = generatedPart(readPage("docs/hazards.md"), "hazards");
  if (process.env.SETWAY_UPDATE_DOCS === "1") part.replaceWith(wanted);
  else expect(part.found).toBe(wanted);
});

// Stories are held to what they expect elsewhere; this is about the fix that the page names.
it.runIf(full).each(Object.entries(TOLD_BY))(
  "%s happens in its story, and not with the fix",
  async (name, [storyName, fix]) => {
    const story = STORIES.find((each) => each.name === storyName);
    if (story === undefined) throw new Error(`no story ${storyName}`);
    const machine = loadDescription(story.machine);
    const classes = async (fixes: readonly string[]) => {
      const result = await runStory(story, { machine, fixes });
      return result.skipped === undefined ? result.hazards.map((hazard) => hazard.class) : [];
    };
    expect(await classes([])).toContain(name);
    expect(await classes([fix])).not.toContain(name);
  },
);
