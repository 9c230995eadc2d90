/** Do shards behind a browser's worker interface find what one kernel finds, and does the page's thread stand in for them? */
import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { load, records, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { planShards, type ShardedPlay, type ShardWorker, startInBrowser } from "../../src/shard/index.ts";
import type { Message } from "../../src/shard/team.ts";
import { serveShard, type WorkerTask } from "../../src/shard/workers.web.ts";

const MACHINE = loadMachine("seattle");
const WORDS = records(
  ...Array.from({ length: 3000 }, (_, i) => (i % 3 ? load(i % 8, (i * 328) % 65536) : store(i % 8, (i * 712) % 65536))),
);

/** Workers of this thread whose messages are cloned as between threads. */
function localWorkers(): { readonly create: () => ShardWorker; readonly ended: () => number } {
  let ended = 0;
  const create = (): ShardWorker => {
    const { port1, port2 } = new MessageChannel();
    const worker: ShardWorker = {
      onmessage: null,
      onerror: null,
      postMessage: (message, transfer) => port1.postMessage(message, transfer as never),
      terminate: () => {
        ended++;
        port1.close();
      },
    };
    port1.on("message", (data: Message) => worker.onmessage?.({ data } as MessageEvent<Message>));
    const serve = serveShard((message) => port2.postMessage(message));
    port2.on("message", (task: WorkerTask) => {
      try {
        serve(task);
      } catch (error) {
        worker.onerror?.({ error, message: String(error) } as ErrorEvent);
      }
    });
    return worker;
  };
  return { create, ended: () => ended };
}

async function expectWhole(play: ShardedPlay): Promise<void> {
  const kernel = createKernel(MACHINE);
  kernel.play(WORDS);
  for (let at = 0; at < WORDS.length; at += 1000) await play.play(WORDS.subarray(at, at + 1000));
  const played = await play.look();
  expect(played.counters()).toEqual(kernel.counters());
  expect(played.hazards()).toEqual(kernel.hazards());
  expect(await play.peek("truth", 0, 4096)).toEqual(kernel.peek("truth", 0, 4096));
  expect(await play.copies(64)).toEqual(kernel.copies(64));
}

describe("workers", () => {
  it("find what one kernel finds, and end with the play", async () => {
    const workers = localWorkers();
    const play = await startInBrowser(MACHINE, planShards(MACHINE, 3), {}, workers.create);
    expect(play.sharding).toEqual({ asked: 3, used: 3 });
    await expectWhole(play);
    await play.close();
    expect(workers.ended()).toBe(3);
    await expect(play.look()).rejects.toThrow("closed");
  });

  it("that fail are an error with the shard's number", async () => {
    const play = await startInBrowser(MACHINE, planShards(MACHINE, 2), {}, localWorkers().create);
    await expect(play.copies(0.5)).rejects.toThrow(/^shard [01] of 2 failed: .*0\.5/);
    await expect(play.look()).rejects.toThrow(/^shard [01] of 2 failed: .*0\.5/);
    await play.close();
  });

  it("end when the signal says so", async () => {
    const stop = new AbortController();
    const workers = localWorkers();
    const play = await startInBrowser(MACHINE, planShards(MACHINE, 2), { signal: stop.signal }, workers.create);
    const playing = play.look();
    stop.abort(new Error("enough"));
    await expect(playing).rejects.toThrow("enough");
    expect(workers.ended()).toBe(2);
  });
});

describe("the page's own thread", () => {
  it("plays alone where no worker can start, and says why", async () => {
    const play = await startInBrowser(MACHINE, planShards(MACHINE, 2), {}, () => {
      throw new Error("not allowed here");
    });
    expect(play.sharding).toEqual({ asked: 2, used: 1, why: "no workers could be started: not allowed here" });
    await expectWhole(play);
    await play.close();
  });

  it("does so too where a worker's script fails", async () => {
    const workers = localWorkers();
    const play = await startInBrowser(MACHINE, planShards(MACHINE, 2), {}, () => {
      const worker = workers.create();
      worker.postMessage = () =>
        queueMicrotask(() => worker.onerror?.({ error: undefined, message: "no such file" } as ErrorEvent));
      return worker;
    });
    expect(play.sharding).toMatchObject({ used: 1, why: expect.stringContaining("no such file") });
    expect(workers.ended()).toBe(2);
    await play.close();
  });
});
