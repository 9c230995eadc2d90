/** Shards without threads: kernels side by side that are all given every record. An Engine like any other, for the tests that all engines pass. */
import type { Copy, Counters, Engine, Hazard, PeekPlace } from "../../src/engine/engine.ts";
import type { Exit } from "../../src/engine/exit.ts";
import type { HazardName } from "../../src/engine/hazards.ts";
import { createKernel, type Kernel, type KernelOptions } from "../../src/engine/kernel.ts";
import { WholeMachineNeeded } from "../../src/engine/share.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import { type Findings, findingsOf, mergeFindings } from "../../src/shard/findings.ts";
import { planShards, type Sharding } from "../../src/shard/plan.ts";

export class InProcessShards implements Engine {
  readonly machine: ResolvedMachine;
  readonly #options: KernelOptions;
  #kernels: readonly Kernel[];
  #sharding: Sharding;
  /** What was played, call by call: a record that needs the whole machine makes it begin again. */
  readonly #journal: Uint32Array[] = [];

  constructor(machine: ResolvedMachine, asked: number, options: KernelOptions) {
    this.machine = machine;
    this.#options = options;
    const { shares, ...sharding } = planShards(machine, asked);
    this.#sharding = sharding;
    // Unless said, some shards play set group by set group, others as the records come: that must not matter either.
    this.#kernels = shares.map((share, shard) =>
      createKernel(machine, { order: shard % 2 === 0 ? "groups" : "program", ...options, share }),
    );
  }

  get sharding(): Sharding {
    return this.#sharding;
  }

  play(words: Uint32Array, count = words.length / 2): void {
    this.#all((kernel) => kernel.play(words, count), words.slice(0, count * 2));
  }

  run(words: Uint32Array, count = words.length / 2): number {
    return this.#all((kernel) => kernel.run(words, count), words.slice(0, count * 2));
  }

  #all<T>(act: (kernel: Kernel) => T, words: Uint32Array): T {
    const outcomes = this.#kernels.map((kernel): { readonly value: T } | { readonly error: Error } => {
      try {
        return { value: act(kernel) };
      } catch (error) {
        return { error: error as Error };
      }
    });
    const needsWhole = outcomes.find((each) => "error" in each && each.error instanceof WholeMachineNeeded);
    if (needsWhole && "error" in needsWhole) {
      this.#beginAgain(needsWhole.error as WholeMachineNeeded);
      return this.#all(act, words);
    }
    const [first] = outcomes as [(typeof outcomes)[number]];
    const text = (outcome: typeof first) =>
      "error" in outcome ? `${outcome.error.name}: ${outcome.error.message}` : String(outcome.value);
    for (const outcome of outcomes)
      if (text(outcome) !== text(first))
        throw new Error(`shards disagree about what happened: ${text(first)}; ${text(outcome)}`);
    this.#journal.push(words);
    if ("error" in first) throw first.error;
    return first.value;
  }

  #beginAgain(reason: WholeMachineNeeded): void {
    const whole = createKernel(this.machine, this.#options);
    for (const words of this.#journal) {
      try {
        whole.run(words);
      } catch {
        // It was refused the first time too.
      }
    }
    this.#kernels = [whole];
    this.#sharding = { ...this.#sharding, used: 1, why: reason.message };
  }

  /** How many records each shard dealt. */
  get dealt(): readonly number[] {
    return this.#kernels.map((kernel) => kernel.setGroups().dealt);
  }

  /** Some shard: they agree about everything that isn't counted. */
  get #any(): Kernel {
    return this.#kernels[0] as Kernel;
  }

  get carriesData(): boolean {
    return this.#any.carriesData;
  }

  get exit(): Exit | undefined {
    return this.#any.exit;
  }

  get records(): number {
    return this.#any.records;
  }

  get #findings(): Findings {
    return mergeFindings(this.#kernels.map(findingsOf), this.notAssessable());
  }

  counters(): Counters {
    return this.#findings.counters;
  }

  hazards(): readonly Hazard[] {
    return this.#findings.hazards;
  }

  notAssessable(): readonly HazardName[] {
    return this.#any.notAssessable();
  }

  copies(address: number): readonly Copy[] {
    return this.#kernels.find((kernel) => kernel.owns(address))?.copies(address) ?? [];
  }

  dirtyLines(): readonly number[] {
    return this.#findings.dirtyLines;
  }

  peek(where: PeekPlace, address: number, size: number): Uint8Array {
    const bytes = new Uint8Array(this.carriesData ? size : 0);
    const { smallestLineBytes } = this.machine;
    // A line lies in one set group.
    for (let i = 0, end = 0; i < bytes.length; i = end) {
      end = Math.min(bytes.length, i + smallestLineBytes - ((address + i) % smallestLineBytes));
      const owner = this.#kernels.find((kernel) => kernel.owns(address + i));
      if (owner) bytes.set(owner.peek(where, address + i, end - i), i);
    }
    return bytes;
  }

  lastValue(): bigint {
    return this.#findings.lastValue;
  }
}
