/** One thread of a story pool: plays what it is sent, one variant after another. */
import { parentPort, workerData } from "node:worker_threads";
import { SetwayError } from "../engine/errors.ts";
import { STORIES } from "../scenario/index.ts";
import { playCell } from "../scenario/matrix.ts";
import { storiesFrom } from "./story-file.ts";
import type { PoolSetup, Reply, SentPlay } from "./story-pool.ts";
import { traceShelf } from "./trace-shelf.ts";

const { engine, file } = workerData as PoolSetup;
const traces = traceShelf();
const stories = file === undefined ? Promise.resolve(STORIES) : storiesFrom(file);

async function answer({ story: name, ...rest }: SentPlay): Promise<Reply> {
  try {
    const story = (await stories).find((each) => each.name === name);
    if (story === undefined) throw new Error(`no story ${name} in this thread`);
    return { cell: await playCell({ ...rest, story }, { engine, traces }) };
  } catch (error) {
    if (!(error instanceof SetwayError))
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    // A cause may be anything, and not everything travels.
    const { cause: _, ...detail } = error.detail;
    return { error: { code: error.code, what: error.what, detail } };
  }
}

parentPort?.on("message", (play: SentPlay) => {
  void answer(play).then((reply) => parentPort?.postMessage(reply));
});
