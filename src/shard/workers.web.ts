/**
 * Shards in Web Workers. Batches travel as messages, each worker's copy transferred, so neither shared memory nor the headers
 * that a page needs for it are asked for. Where no worker can start, `startInBrowser` plays in the page's own thread.
 */
import type { ResolvedMachine } from "../machine/resolved.ts";
import { type Answer, type Answers, Part, type PartSetup, type Question, startPart } from "./part.ts";
import { type ShardPlan, wholeMachine } from "./plan.ts";
import { type ShardedOptions, ShardedPlay } from "./play.ts";
import { type Members, type Message, ShardError, startTeam, type Team, type TeamFactory } from "./team.ts";

/** What is used of a Worker, seen from outside. */
export interface ShardWorker {
  postMessage(message: WorkerTask, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<Message>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

/** What a worker is sent: its setup first, then batches and questions. */
export type WorkerTask =
  | { readonly setup: PartSetup }
  | { readonly words: Uint32Array<ArrayBuffer> }
  | { readonly question: Question };

/** A worker that runs src/shard/worker.web.ts. Bundlers know this form of making one. */
const ownWorker = (): ShardWorker => new Worker(new URL("./worker.web.js", import.meta.url), { type: "module" });

/** Starts a worker for each setup. */
export function workerTeam(createWorker: () => ShardWorker = ownWorker): TeamFactory {
  return (setups, signal) => {
    const size = setups.length;
    const workers: ShardWorker[] = [];
    const members: Members = {
      size,
      start(mail) {
        setups.forEach((setup, member) => {
          const worker = createWorker();
          workers.push(worker);
          worker.onmessage = ({ data }) => mail.receive(member, data);
          worker.onerror = (event) => mail.fail(new ShardError(member, size, event.error ?? event.message));
          worker.postMessage({ setup }, []);
        });
      },
      send(words) {
        for (const worker of workers) {
          const copy = words.slice();
          worker.postMessage({ words: copy }, [copy.buffer]);
        }
      },
      ask: (member, question) => workers[member]?.postMessage({ question }, []),
      async end() {
        for (const worker of workers.splice(0)) worker.terminate();
      },
    };
    return startTeam(members, signal);
  };
}

/** A worker's side: answers what it is sent. */
export function serveShard(say: (message: Message) => void): (task: WorkerTask) => void {
  let part: Part | undefined;
  return (task) => {
    if ("setup" in task) part = startPart(task.setup, say);
    else if (part === undefined) return;
    else if ("words" in task) {
      part.play(task.words);
      say({ taken: true, stopped: part.stopped });
    } else say({ answer: part.answer(task.question) });
  };
}

/** One shard, in this thread. */
export const ownThread: TeamFactory = async ([setup], signal): Promise<Team> => {
  const part = new Part(setup as PartSetup);
  const open = <T>(act: () => T): Promise<T> =>
    new Promise((resolve) => {
      signal?.throwIfAborted();
      resolve(act());
    });
  return {
    size: 1,
    get stopped() {
      return part.stopped;
    },
    send: (words) => open(() => part.play(words)),
    ask: <Q extends Question>(_member: number, question: Q) =>
      open(() => part.answer(question) as Answer as Answers[Q["what"]]),
    async close() {},
  };
};

/** Starts a plan's shards in workers; if none can start, the whole machine in this thread, and `sharding` says why. */
export async function startInBrowser(
  machine: ResolvedMachine,
  plan: ShardPlan,
  options: ShardedOptions = {},
  createWorker?: () => ShardWorker,
): Promise<ShardedPlay> {
  if (plan.used === 1) return ShardedPlay.start(machine, plan, ownThread, options);
  try {
    return await ShardedPlay.start(machine, plan, workerTeam(createWorker), options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const alone = wholeMachine(plan.asked, `no workers could be started: ${reason}`);
    return ShardedPlay.start(machine, alone, ownThread, options);
  }
}
