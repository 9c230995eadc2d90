/** Recordings that stories play, by name: those that ship with the package, and those that lie beside the repository. */
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { TraceShelf } from "../scenario/run-story.ts";
import type { RecordedTrace } from "../scenario/world.ts";
import { openTraceFile } from "../trace/open.node.ts";
import { readWhole } from "../trace/whole.ts";

interface TracePlace {
  readonly folder: URL;
  readonly endings: readonly string[];
  readonly what: string;
  /** Stories do without. */
  readonly optional: boolean;
}

/** The same from src/cli and from dist/cli. */
export const TRACE_PLACES: readonly TracePlace[] = [
  { folder: new URL("../../traces/", import.meta.url), endings: [".swt"], what: "shipped", optional: false },
  {
    folder: new URL("../../../shared/traces/", import.meta.url),
    endings: [".raw64.xz", ".swt"],
    what: "beside the package",
    optional: true,
  },
];

/** Each recording is read once, as a whole: a matrix plays it many times. */
export function traceShelf(): TraceShelf {
  const read = new Map<string, Promise<RecordedTrace | undefined>>();
  return (name) => {
    let trace = read.get(name);
    if (trace === undefined) {
      trace = readTrace(name);
      read.set(name, trace);
    }
    return trace;
  };
}

async function readTrace(name: string): Promise<RecordedTrace | undefined> {
  const path = await find(name);
  if (path === undefined) return undefined;
  return { name, words: await readWhole(await openTraceFile(path)) };
}

async function find(name: string): Promise<string | undefined> {
  for (const { folder, endings } of TRACE_PLACES) {
    for (const ending of endings) {
      const path = fileURLToPath(new URL(`${name}${ending}`, folder));
      if (
        await stat(path).then(
          (status) => status.isFile(),
          () => false,
        )
      )
        return path;
    }
  }
  return undefined;
}
