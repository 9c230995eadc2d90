/**
 * Shards in threads of Node: batches go through a ring of shared memory that all of them read, and from there into each
 * kernel's private memory; answers come back as messages.
 */
import { existsSync } from "node:fs";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import { threadFile } from "../engine/thread-file.node.ts";
import type { PartSetup } from "./part.ts";
import { RING_BYTES, Ring } from "./ring.ts";
import { type Members, type Message, ShardError, startTeam, type Team } from "./team.ts";

/** What a thread gets: its setup, the ring's memory, and its end of the channel. */
export interface ThreadTask {
  readonly setup: PartSetup;
  readonly ring: SharedArrayBuffer;
  readonly port: MessagePort;
}

const WORKER = threadFile(import.meta.url, "thread.node.js");

/** Starts a thread for each setup. */
export async function threadTeam(setups: readonly PartSetup[], signal?: AbortSignal): Promise<Team> {
  const size = setups.length;
  if (!existsSync(WORKER)) throw new ShardError(0, size, `${WORKER} is missing: the package isn't built`);
  const pool = new Piscina<ThreadTask, void>({
    filename: WORKER,
    minThreads: size,
    maxThreads: size,
    // Each thread has one task, which lasts as long as the play.
    concurrentTasksPerWorker: 1,
    atomics: "disabled",
  });
  // A thread that dies without a task is none of ours; one with a task rejects that.
  pool.on("error", () => {});
  const memory = new SharedArrayBuffer(RING_BYTES);
  const ring = new Ring(memory);
  const ending = new AbortController();
  const ports: MessagePort[] = [];
  const threads: Members = {
    size,
    start(mail) {
      setups.forEach((setup, member) => {
        const { port1, port2 } = new MessageChannel();
        ports.push(port1);
        port1.on("message", (message: Message) => mail.receive(member, message));
        pool
          .run({ setup, ring: memory, port: port2 }, { transferList: [port2], signal: ending.signal })
          .then(() => "it ended before the play did")
          .catch((error: unknown) => error)
          .then((reason) => mail.fail(new ShardError(member, size, reason)));
      });
    },
    send: (words) => ring.put(words),
    ask(member, question) {
      ports[member]?.postMessage(question);
      ring.wake();
    },
    async end() {
      ending.abort();
      await pool.destroy();
      for (const port of ports) port.close();
    },
  };
  return startTeam(threads, signal);
}
