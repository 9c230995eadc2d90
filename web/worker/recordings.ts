/** Recordings that stories play: those that lie beside the page, and those that were dropped on it. */
import type { TraceShelf } from "../../src/scenario/run-story.ts";
import type { RecordedTrace } from "../../src/scenario/world.ts";
import type { ByteSource } from "../../src/trace/bytes.ts";
import { webCodecs } from "../../src/trace/codec.web.ts";
import { openTrace } from "../../src/trace/open.ts";
import { readWhole } from "../../src/trace/whole.ts";
import { sourceOf } from "./dropped.ts";

const given = new Map<string, RecordedTrace>();

/**
 * Reads a file for a story that plays recordings of these names, and says which one it is: the one that it is named after,
 * endings aside, or the only one that there is. Throws `TraceError`, and an Error where that leaves it open.
 */
export async function giveRecording(file: File, wanted: readonly string[]): Promise<string> {
  const own = file.name.replace(/\.(swt|raw64)(\.(xz|gz|zst))?$/, "");
  const name = wanted.includes(own) ? own : wanted.length === 1 ? (wanted[0] as string) : undefined;
  if (name === undefined) throw new Error(`${file.name}: this story plays ${listed(wanted)}; name the file so`);
  given.set(name, await readTrace(name, sourceOf(file)));
  return name;
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? "no recording" : `the recordings ${names.join(" and ")}`;

/** Each is fetched once. */
const fetched = new Map<string, Promise<RecordedTrace | undefined>>();

/** `base` is the URL of the page. */
export function shelf(base: string): TraceShelf {
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
  const bytes = new Uint8Array(await response.arrayBuffer());
  const chunks = async function* () {
    yield bytes;
  };
  return readTrace(name, { name, totalBytes: bytes.length, chunks });
}

async function readTrace(name: string, bytes: ByteSource): Promise<RecordedTrace> {
  return { name, words: await readWhole(await openTrace(bytes, webCodecs)) };
}
