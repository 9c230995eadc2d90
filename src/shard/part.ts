/** One shard, wherever it lives: a kernel, how its play ended if it did, and what it is asked. Everything here can be sent. */
import type { Copy, EngineOptions, PeekPlace, SetGroupUse } from "../engine/engine.ts";
import { receivedError, type SentError, SetwayError, sentError } from "../engine/errors.ts";
import { type Exit, ExitError } from "../engine/exit.ts";
import type { HazardName } from "../engine/hazards.ts";
import { createKernel, type Kernel } from "../engine/kernel.ts";
import { type Share, WholeMachineNeeded } from "../engine/share.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { type Findings, findingsOf } from "./findings.ts";

/** What a shard is told at its start. */
export interface PartSetup extends EngineOptions {
  readonly machine: ResolvedMachine;
  readonly data: boolean;
  readonly share: Share | undefined;
  /** The kernel's module, compiled by whoever starts the shards. */
  readonly wasm?: WebAssembly.Module | undefined;
}

export type Question =
  | { readonly what: "settled" }
  | { readonly what: "findings" }
  | { readonly what: "peek"; readonly where: PeekPlace; readonly address: number; readonly size: number }
  | { readonly what: "copies"; readonly address: number };

/** What stopped a play, as plain data. */
export type Stop =
  | ({ readonly kind: "error" } & SentError)
  | { readonly kind: "exit"; readonly exit: Exit }
  | { readonly kind: "whole"; readonly record: number; readonly reason: string };

export interface PartFindings {
  readonly findings: Findings;
  readonly notAssessable: readonly HazardName[];
  readonly carriesData: boolean;
  readonly setGroups: SetGroupUse;
  /** Spent playing. */
  readonly seconds: number;
  readonly stop: Stop | undefined;
}

/** Answers by question. A byte or a copy is the owner's to tell: others say zero, or nothing. */
export interface Answers {
  /** Nothing waits to be played: what stopped the play, if something did. */
  readonly settled: { readonly stop: Stop | undefined };
  readonly findings: PartFindings;
  readonly peek: Uint8Array;
  readonly copies: readonly Copy[];
}
export type Answer = Answers[Question["what"]];

export class Part {
  readonly #kernel: Kernel;
  #seconds = 0;
  #stop: Stop | undefined;

  /** Throws MachineError for a machine that a kernel cannot hold. */
  constructor({ machine, data, share, provenance, wasm }: PartSetup) {
    this.#kernel = createKernel(machine, {
      data,
      share,
      ...(provenance ? { provenance } : {}),
      ...(wasm ? { wasm } : {}),
    });
  }

  /** Plays words of up to a batch; after a stop, nothing. */
  play(words: Uint32Array): void {
    if (this.#stop) return;
    this.#timed(() => {
      try {
        this.#kernel.play(words);
      } catch (error) {
        this.#stop = stopFor(error);
      }
    });
  }

  #timed(work: () => void): void {
    const began = performance.now();
    work();
    this.#seconds += (performance.now() - began) / 1000;
  }

  /** What the kernel has put off is playing too. */
  #settle(): void {
    this.#timed(() => this.#kernel.settle());
  }

  get stopped(): boolean {
    return this.#stop !== undefined;
  }

  answer(question: Question): Answer {
    const kernel = this.#kernel;
    switch (question.what) {
      case "settled":
        this.#settle();
        return { stop: this.#stop };
      case "findings":
        this.#settle();
        return {
          findings: findingsOf(kernel),
          notAssessable: kernel.notAssessable(),
          carriesData: kernel.carriesData,
          setGroups: kernel.setGroups(),
          seconds: this.#seconds,
          stop: this.#stop,
        };
      case "peek": {
        const { where, address, size } = question;
        const bytes = kernel.peek(where, address, size);
        return bytes.map((byte, i) => (kernel.owns(address + i) ? byte : 0));
      }
      case "copies":
        return kernel.owns(question.address) ? kernel.copies(question.address) : [];
    }
  }
}

/** Throws what isn't about the records or the machine: that is the shard's own failure. */
function stopFor(error: unknown): Stop {
  if (error instanceof WholeMachineNeeded) return { kind: "whole", record: error.record, reason: error.reason };
  if (error instanceof ExitError) return { kind: "exit", exit: error.exit };
  if (!(error instanceof SetwayError)) throw error;
  return { kind: "error", ...sentError(error) };
}

/** The error that a kernel would have thrown. */
export function errorFor(stop: Stop): Error {
  switch (stop.kind) {
    case "whole":
      return new WholeMachineNeeded(stop.record, stop.reason);
    case "exit":
      return new ExitError(stop.exit);
    case "error":
      return receivedError(stop);
  }
}

/** A shard that says whether it could start; undefined if not. */
export function startPart(
  setup: PartSetup,
  say: (message: { readonly ready: true } | { readonly failed: Stop }) => void,
): Part | undefined {
  try {
    const part = new Part(setup);
    say({ ready: true });
    return part;
  } catch (error) {
    say({ failed: stopFor(error) });
    return undefined;
  }
}
