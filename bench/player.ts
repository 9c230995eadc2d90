/**
 * One contestant, one stream, one process: plays it from cold a few times, after a warm-up for the compiler, and prints how
 * long each time took. `main.js play '{...}'` runs this.
 */
import { readFileSync } from "node:fs";
import { Bench } from "tinybench";
import { cpuMilliseconds } from "./clock.ts";
import { type PlayedStream, type Player, playerFactory, SHARDS } from "./contestants.ts";
import { playInShards } from "./shards.ts";
import { readWords } from "./streams.ts";

export interface PlayOrder extends PlayedStream {
  readonly player: Player;
  readonly path: string;
  /** Plays only so many records of the file. */
  readonly records: number;
  /** Plays on until this much CPU time was measured; once at least. */
  readonly milliseconds: number;
  /** A kernel of one's own, for example one with function names to profile. */
  readonly wasm?: string;
}

/** As much as a trace reader gives at a time. */
const BATCH_WORDS = 2 * 65536;
/** Enough for V8 to have compiled every function that matters with its optimizing compiler. */
const WARM_UP_RECORDS = 1_000_000;
const WARM_UP_MILLISECONDS = 300;

/** CPU milliseconds of a play of the stream; of shards, those of the busiest. */
export async function play(order: PlayOrder): Promise<number> {
  const words = readWords(order.path).subarray(0, 2 * order.records);
  const { player } = order;
  const shards = SHARDS[player];
  if (shards !== undefined) return playInShards(words, shards, order);
  return playAlone(words, { ...order, player: player as Exclude<Player, "shards2" | "shards4"> });
}

function playAlone(
  words: Uint32Array,
  order: PlayOrder & { readonly player: Exclude<Player, "shards2" | "shards4"> },
): number {
  const wasm = order.wasm === undefined ? undefined : new WebAssembly.Module(readFileSync(order.wasm));
  const create = playerFactory(order.player, order, wasm);
  let engine = create();
  let length = 0;
  return meanMilliseconds(order.player, order.milliseconds, {
    setup: (mode) => {
      length = mode === "warmup" ? Math.min(words.length, 2 * WARM_UP_RECORDS) : words.length;
    },
    beforeEach: () => {
      engine = create();
    },
    work: () => {
      for (let at = 0; at < length; at += BATCH_WORDS) {
        engine.play(words.subarray(at, Math.min(length, at + BATCH_WORDS)));
      }
      engine.settle?.();
    },
  });
}

export interface Timed {
  readonly setup?: (mode: "run" | "warmup" | undefined) => void;
  /** Not in the time. */
  readonly beforeEach: () => void;
  readonly work: () => void;
}

/**
 * CPU milliseconds of `work`, after a warm-up: the mean of as many times as take `milliseconds`, because Linux brings this
 * clock up to date only a few times in ten milliseconds.
 */
export function meanMilliseconds(name: string, milliseconds: number, { setup, beforeEach, work }: Timed): number {
  const bench = new Bench({
    now: cpuMilliseconds,
    time: milliseconds,
    iterations: 1,
    warmupTime: WARM_UP_MILLISECONDS,
    warmupIterations: 1,
    throws: true,
    setup: (_task, mode) => setup?.(mode),
  });
  bench.add(name, work, { beforeEach });
  const [task] = bench.runSync();
  const result = task?.result;
  if (result?.state !== "completed") throw new Error(`${name} did not play`);
  return result.latency.mean;
}
