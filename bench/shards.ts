/** A stream in shards, playing only: what the busiest thread spends. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { planShards } from "../src/shard/plan.ts";
import { ShardedPlay } from "../src/shard/play.ts";
import { threadTeam } from "../src/shard/threads.node.ts";
import { machineFor } from "./contestants.ts";
import type { PlayOrder } from "./player.ts";

const BATCH_WORDS = 2 * 65536;
/** Linux has a folder for each thread, in which its CPU time is told. */
const THREADS = "/proc/self/task";
const WARM_UP_WORDS = 2_000_000;

/**
 * Milliseconds of CPU time of the busiest shard, the mean of as many plays as take `milliseconds`; where threads can't be told
 * apart, of the time on the clock. All records are in memory before it begins, and starting threads isn't in it.
 */
export async function playInShards(words: Uint32Array, shards: number, order: PlayOrder): Promise<number> {
  await playOnce(words.subarray(0, WARM_UP_WORDS), shards, order);
  const plays: number[] = [];
  const sum = () => plays.reduce((all, each) => all + each, 0);
  do plays.push(await playOnce(words, shards, order));
  while (sum() < order.milliseconds);
  return sum() / plays.length;
}

async function playOnce(words: Uint32Array, shards: number, order: PlayOrder): Promise<number> {
  const machine = machineFor(order);
  const { provenance, translates } = order;
  const others = new Set(threads());
  const play = await ShardedPlay.start(machine, planShards(machine, shards), threadTeam, {
    data: translates,
    provenance,
  });
  try {
    await play.look();
    const ours = threads().filter((thread) => !others.has(thread));
    const before = new Map(ours.map((thread) => [thread, cpuOf(thread)]));
    for (let at = 0; at < words.length; at += BATCH_WORDS) await play.play(words.subarray(at, at + BATCH_WORDS));
    // What was found isn't asked for in anybody's time.
    await play.settle();
    const spent = ours.map((thread) => cpuOf(thread) - (before.get(thread) ?? 0));
    if (spent.length > 0) return Math.max(...spent);
    await play.look();
    return play.seconds * 1000;
  } finally {
    await play.close();
  }
}

const threads = (): readonly string[] => (existsSync(THREADS) ? readdirSync(THREADS) : []);

/** Milliseconds on a CPU; 0 for a thread that has ended. */
function cpuOf(thread: string): number {
  try {
    return Number.parseInt(readFileSync(`${THREADS}/${thread}/schedstat`, "latin1"), 10) / 1e6;
  } catch {
    return 0;
  }
}
