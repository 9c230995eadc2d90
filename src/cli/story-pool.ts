/** Threads that play variants of stories side by side: they share nothing, so that a matrix takes as long as its cores allow. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { SetwayError } from "../engine/errors.ts";
import type { Cell, MatrixOptions, MatrixPlay } from "../scenario/matrix.ts";
import type { StoryEngine } from "../scenario/run-story.ts";

/** What a thread is told at its start. */
export interface PoolSetup {
  readonly engine: StoryEngine;
  /** The user's file that the stories come from; setway's own if absent. */
  readonly file: string | undefined;
}

/** One variant, as it travels: the story by its name. */
export type SentPlay = Omit<MatrixPlay, "story"> & { readonly story: string };

/** What comes back. */
export type Reply =
  | { readonly cell: Cell }
  | { readonly error: Pick<SetwayError, "what" | "detail" | "code"> | string };

export interface StoryPool {
  readonly lanes: Required<Pick<MatrixOptions, "player" | "lanes">>;
  close(): Promise<void>;
}

/** Every thread may hold a machine of some hundred MiB. */
const MOST_THREADS = 4;

/** Undefined where threads wouldn't help, or where this code hasn't been compiled (tests run its sources). */
export function storyPool(setup: PoolSetup): StoryPool | undefined {
  const threads = Math.min(MOST_THREADS, availableParallelism());
  if (threads < 2 || !import.meta.url.endsWith(".js")) return undefined;
  const idle: Worker[] = [];
  const all: Worker[] = [];
  const player = async ({ story, ...rest }: MatrixPlay): Promise<Cell> => {
    let worker = idle.pop();
    if (worker === undefined) {
      worker = new Worker(new URL("./story-worker.js", import.meta.url), { workerData: setup });
      all.push(worker);
    }
    const sent: SentPlay = { ...rest, story: story.name };
    const reply = await answerOf(worker, sent);
    idle.push(worker);
    if ("cell" in reply) return reply.cell;
    if (typeof reply.error === "string") throw new Error(reply.error);
    throw new SetwayError(reply.error.code, reply.error.what, reply.error.detail);
  };
  return {
    lanes: { player, lanes: threads },
    close: async () => {
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

function answerOf(worker: Worker, play: SentPlay): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.removeListener("message", onMessage);
      worker.removeListener("error", onError);
      act();
    };
    const onMessage = (reply: Reply) => settle(() => resolve(reply));
    const onError = (error: Error) => settle(() => reject(error));
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.postMessage(play);
  });
}
