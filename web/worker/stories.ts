/** Films of the stories that come with setway and of those typed into the page, and the code of either. */
import { STORIES } from "../../src/scenario/index.ts";
import type { AnyStory, Era } from "../../src/scenario/story.ts";
import { OWN_MACHINE, type Questions, type Setting } from "../protocol.ts";
import { machineNamed } from "./catalogue.ts";
import { compileStories } from "./compile.ts";
import { shelf } from "./recordings.ts";
import { shoot } from "./shoot.ts";
import { storySources } from "./story-sources.ts";

/** Plays a setting: of the story with that name, in the code if there is any. */
export async function film(
  setting: Setting,
  code: string | undefined,
  base: string,
): Promise<Questions["film"]["answer"]> {
  const stories = code === undefined ? STORIES : compileStories(code);
  const story = stories.find(({ name }) => name === setting.story) ?? stories[0];
  if (story === undefined) throw new Error("no story: the code ends with `export default defineStory({...})`");
  // A story that was just edited may not have what the page still shows.
  const fixes = setting.fixes.filter((fix) => Object.hasOwn(story.fixes, fix));
  const era = story.eras.find((each: Era) => each === setting.era);
  return shoot(story, { machine: machineNamed(setting.machine), era, fixes, traces: shelf(base) });
}

/** The code of a story, and how the command line plays it as the page does. */
export function storyCode({ story: name, machine, era, fixes }: Setting): string {
  const story = STORIES.find((each) => each.name === name) as AnyStory;
  const text = Object.values(storySources).find((source) => source.includes(`name: "${name}"`));
  const options = [
    machine === story.machine ? "" : ` --on ${machine === OWN_MACHINE ? "my-machine.yaml" : machine}`,
    era === story.eras[0] ? "" : ` --kvm ${era}`,
    fixes.length === 0 ? "" : ` --with ${fixes.join(",")}`,
  ].join("");
  return `// setway run ${name}${options}\n${text ?? ""}`;
}
