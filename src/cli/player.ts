/** Who plays a replay's records: one engine in this thread, or shards in threads of their own. */

import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "commander";
import type { Engine, Played } from "../engine/engine.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { planShards, type ShardPlan, wholeMachine } from "../shard/plan.ts";
import { type ShardedOptions, ShardedPlay } from "../shard/play.ts";
import { countRecords } from "../trace/entry.ts";

export interface Player {
  /** What was played until the last `look`. */
  readonly engine: Played;
  /** Records taken so far; a `look` waits until they are played. */
  readonly records: number;
  /** Spent playing, without reading and decoding, until the last `look`. */
  readonly seconds: number;
  play(words: Uint32Array): Promise<void> | void;
  look(): Promise<void> | void;
  close(): Promise<void>;
}

/** `before` is told all words before they are played. */
export function enginePlayer(
  engine: Engine & Partial<Pick<Kernel, "settle">>,
  before?: (words: Uint32Array) => void,
): Player {
  let seconds = 0;
  const timed = (work: () => void): void => {
    const began = performance.now();
    work();
    seconds += (performance.now() - began) / 1000;
  };
  return {
    engine,
    get records() {
      return engine.records;
    },
    get seconds() {
      return seconds;
    },
    play(words) {
      before?.(words);
      timed(() => engine.play(words));
    },
    look() {
      // What the kernel has put off is playing too.
      timed(() => engine.settle?.());
    },
    async close() {},
  };
}

/** Starts the shards of a plan in threads. */
export async function shardPlayer(machine: ResolvedMachine, plan: ShardPlan, options: ShardedOptions): Promise<Player> {
  // Most replays start no threads, and needn't wait for what does.
  const { threadTeam } = await import("../shard/threads.node.ts");
  const play = await ShardedPlay.start(machine, plan, threadTeam, options);
  let records = 0;
  let played = await play.look();
  return {
    // Reports keep it and read it again later.
    engine: {
      machine,
      carriesData: played.carriesData,
      get records() {
        return played.records;
      },
      counters: () => played.counters(),
      hazards: () => played.hazards(),
      notAssessable: () => played.notAssessable(),
      dirtyLines: () => played.dirtyLines(),
      setGroups: () => played.setGroups?.(),
    },
    get records() {
      return records;
    },
    get seconds() {
      return play.seconds;
    },
    async play(words) {
      records += countRecords(words);
      await play.play(words);
    },
    async look() {
      played = await play.look();
    },
    close: () => play.close(),
  };
}

/** For commander: how many shards, or `auto`. */
export function shardCount(text: string): number | "auto" {
  const value = Number(text);
  if (text === "auto") return "auto";
  if (!/^\d+$/.test(text) || value < 1 || value > MOST_SHARDS)
    throw new InvalidArgumentError(`Expected auto, or a number of shards from 1 to ${MOST_SHARDS}.`);
  return value;
}

const MOST_SHARDS = 1024;
/** A trace of fewer bytes is played before threads have started. */
const SHORT_TRACE_BYTES = 4 * 2 ** 20;

/** The plan for a trace; a record that needs the whole machine makes it begin again, which standard input can't. */
export async function planFor(path: string, machine: ResolvedMachine, asked: number | "auto"): Promise<ShardPlan> {
  if (asked === 1) return wholeMachine(1);
  if (path === "-") {
    return wholeMachine(
      asked === "auto" ? 1 : asked,
      "standard input can't be read again, as a record that needs the whole machine would ask for",
    );
  }
  if (asked !== "auto") return planShards(machine, asked);
  const file = await stat(path).catch(() => undefined);
  if (file?.isFile() && file.size < SHORT_TRACE_BYTES) return wholeMachine(1, "the trace is short");
  return planShards(machine, availableParallelism());
}
