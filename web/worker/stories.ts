/** Films of the stories that come with setway and of those typed into the page, and the code of either. */
import { STORIES } from "../../src/scenario/index.ts";
import type { TraceShelf } from "../../src/scenario/run-story.ts";
import type { AnyStory, Era } from "../../src/scenario/story.ts";
import type { RecordedTrace } from "../../src/scenario/world.ts";
import { webCodecs } from "../../src/trace/codec.web.ts";
import { openTrace } from "../../src/trace/open.ts";
import type { Questions, Setting } from "../protocol.ts";
import { machineNamed } from "./catalogue.ts";
import { compileStories } from "./compile.ts";
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
    machine === story.machine ? "" : ` --on ${machine}`,
    era === story.eras[0] ? "" : ` --kvm ${era}`,
    fixes.length === 0 ? "" : ` --with ${fixes.join(",")}`,
  ].join("");
  return `// setway run ${name}${options}\n${text ?? ""}`;
}

const given = new Map<string, RecordedTrace>();

/** Reads a recording for the stories that play it. Throws `TraceError`. */
export async function giveRecording(file: File): Promise<string> {
  const name = file.name.replace(/\.(swt|raw64)(\.(xz|gz))?$/, "");
  given.set(name, await readWhole(name, new Uint8Array(await file.arrayBuffer())));
  return name;
}

/** Recordings lie beside the page, where it was built with them; each is fetched once. */
const fetched = new Map<string, Promise<RecordedTrace | undefined>>();

function shelf(base: string): TraceShelf {
  return (name) => {
    const own = given.get(name);
    if (own !== undefined) return Promise.resolve(own);
    const url = new URL(`traces/${name}.swt`, base).href;
    let trace = fetched.get(url);
    if (trace === undefined) {
      trace = fetchTrace(name, url);
      fetched.set(url, trace);
    }
    return trace;
  };
}

async function fetchTrace(name: string, url: string): Promise<RecordedTrace | undefined> {
  // A page from disk may not fetch at all: the story then says that its recording isn't here.
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok || response.body === null) return undefined;
  return readWhole(name, new Uint8Array(await response.arrayBuffer()));
}

async function readWhole(name: string, bytes: Uint8Array): Promise<RecordedTrace> {
  const chunks = async function* () {
    yield bytes;
  };
  const batches: Uint32Array[] = [];
  const source = await openTrace({ name, totalBytes: bytes.length, chunks }, webCodecs);
  for await (const batch of source.batches()) batches.push(batch.slice());
  const words = new Uint32Array(batches.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const batch of batches) {
    words.set(batch, filled);
    filled += batch.length;
  }
  return { name, words };
}
