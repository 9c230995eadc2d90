/** A play of a stream of records by a team of shards: what they found is one engine's findings, to the last counter (R49). */
import type { Copy, EngineOptions, PeekPlace, Played, SetGroupUse } from "../engine/engine.ts";
import { kernelModule } from "../engine/kernel.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { mergeFindings } from "./findings.ts";
import { errorFor, type PartFindings, type PartSetup, type Stop } from "./part.ts";
import type { Sharding, ShardPlan } from "./plan.ts";
import { ShardError, type Team, type TeamFactory } from "./team.ts";

export interface ShardedOptions extends EngineOptions {
  /** Whether copies carry bytes; default true. */
  readonly data?: boolean;
  /** Ends the shards at once: whatever is waited for rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** 64-bit words of a batch. */
const BATCH_WORDS = 65536;

export class ShardedPlay {
  readonly sharding: Sharding;
  readonly #machine: ResolvedMachine;
  readonly #team: Team;
  #played: Played | undefined;
  #seconds = 0;

  private constructor(machine: ResolvedMachine, sharding: Sharding, team: Team) {
    this.#machine = machine;
    this.sharding = sharding;
    this.#team = team;
  }

  /** Starts the shards of a plan. Rejects with a ShardError if one can't start. */
  static async start(
    machine: ResolvedMachine,
    plan: ShardPlan,
    team: TeamFactory,
    options: ShardedOptions = {},
  ): Promise<ShardedPlay> {
    const { shares, ...sharding } = plan;
    const { signal, data = true, provenance } = options;
    const recorded = provenance === undefined ? {} : { provenance };
    const wasm = kernelModule({ data, ...recorded });
    const setups = shares.map((share): PartSetup => ({ machine, data, share, wasm, ...recorded }));
    return new ShardedPlay(machine, sharding, await team(setups, signal));
  }

  /**
   * Plays records as `Engine.play` does. The words are the caller's again when the promise settles, though not all shards need
   * have played them yet. A bad record rejects this call or a later one, or `look`, with what one engine would have thrown; so
   * does WholeMachineNeeded, after which the play has to begin again with one shard.
   */
  async play(words: Uint32Array): Promise<void> {
    for (let at = 0; at < words.length; at += BATCH_WORDS * 2) {
      await this.#team.send(words.subarray(at, at + BATCH_WORDS * 2));
      if (this.#team.stopped) await this.look();
    }
  }

  /** Settles when everything sent is played, like `Kernel.settle`. Rejects as `look` does. */
  async settle(): Promise<void> {
    const parts = await this.#ask({ what: "settled" });
    if (parts.some(({ stop }) => stop)) await this.look();
  }

  /** What has been found when everything sent is played. Rejects with what stopped the play; `played` is then what came before. */
  async look(): Promise<Played> {
    const parts = await this.#ask({ what: "findings" });
    this.#seconds = Math.max(...parts.map(({ seconds }) => seconds));
    const stop = commonStop(parts);
    if (stop?.kind === "whole") throw errorFor(stop);
    const played = playedBy(this.#machine, parts);
    this.#played = played;
    if (stop) throw errorFor(stop);
    return played;
  }

  /** What was found when last looked. */
  get played(): Played | undefined {
    return this.#played;
  }

  /** That the busiest shard had spent playing when last looked. */
  get seconds(): number {
    return this.#seconds;
  }

  /** As `Engine.peek`, when everything sent is played. */
  async peek(where: PeekPlace, address: number, size: number): Promise<Uint8Array> {
    const [first = new Uint8Array(0), ...others] = await this.#ask({ what: "peek", where, address, size });
    return first.map((byte, i) => others.reduce((all, bytes) => all | (bytes[i] as number), byte));
  }

  /** As `Engine.copies`, likewise. */
  async copies(address: number): Promise<readonly Copy[]> {
    return (await this.#ask({ what: "copies", address })).flat();
  }

  #ask<Q extends Parameters<Team["ask"]>[1]>(question: Q) {
    return Promise.all(Array.from({ length: this.#team.size }, (_, member) => this.#team.ask(member, question)));
  }

  /** Ends the shards. */
  close(): Promise<void> {
    return this.#team.close();
  }
}

/**
 * All shards stop at the same record for the same reason, but where memory gives out in one of them, or one says that the others
 * have gone wrong: whatever stopped those doesn't count.
 */
function commonStop(parts: readonly PartFindings[]): Stop | undefined {
  const needs = parts.flatMap(({ stop }) => (stop?.kind === "whole" ? [stop] : []));
  if (needs.length > 0) return needs.reduce((a, b) => (b.record < a.record ? b : a));
  const text = (stop: Stop | undefined) =>
    JSON.stringify(stop, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  const first = parts[0]?.stop;
  const other = parts.findIndex(({ stop }) => text(stop) !== text(first));
  if (other < 0) return first;
  const own = parts.findIndex(({ stop }) => stop?.kind === "error" && stop.code === "machine");
  const shard = own < 0 ? other : own;
  const stop = parts[shard]?.stop;
  throw new ShardError(shard, parts.length, stop ? errorFor(stop) : "it went on where another one stopped");
}

/** The parts as reports read an engine. */
export function playedBy(
  machine: ResolvedMachine,
  parts: readonly (Omit<PartFindings, "setGroups" | "seconds" | "stop"> & Partial<Pick<PartFindings, "setGroups">>)[],
): Played {
  const [{ notAssessable, carriesData }] = parts as [PartFindings];
  const whole = mergeFindings(
    parts.map(({ findings }) => findings),
    notAssessable,
  );
  return {
    machine,
    carriesData,
    records: whole.records,
    counters: () => whole.counters,
    hazards: () => whole.hazards,
    notAssessable: () => notAssessable,
    dirtyLines: () => whole.dirtyLines,
    setGroups: () => mostDealt(parts.flatMap(({ setGroups }) => setGroups ?? [])),
  };
}

/** Shards choose their order each for itself; the one that dealt the most speaks for all. */
const mostDealt = (uses: readonly SetGroupUse[]): SetGroupUse | undefined =>
  uses.toSorted((a, b) => b.dealt - a.dealt)[0];
