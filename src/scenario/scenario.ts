/**
 * What a scenario is to the rest of the house: a named story with options of its own, which plays something and hands
 * over what it saw. It never touches process, files or terminals, and doesn't know how its result is told: that is
 * `src/report/stories.ts`, one floor up.
 */
import type { Command } from "commander";
import type { LoadedMachine } from "../machine/index.ts";
import type { TraceSource } from "../trace/source.ts";

/** Where a scenario's inputs come from, and how it hands over its result, counts and is stopped. */
export interface ScenarioIo {
  /** A machine by its name, or from a file. */
  readonly machine: (source: string) => Promise<LoadedMachine>;
  /** A trace that ships with the package, by its file's name. */
  readonly shippedTrace: (name: string) => Promise<TraceSource>;
  /** Hands over the result, once. `src/report/stories.ts` turns it into text and JSON, by the scenario's name. */
  readonly emit: (result: unknown) => Promise<void>;
  /** One line on stderr, for what is not part of the result. */
  readonly note: (line: string) => void;
  /** Says how far a long play is; shown on stderr, only on a terminal. `total` is undefined where nobody knows it. */
  readonly progress: (label: string, done: number, total: number | undefined) => void;
  /** Aborted by Ctrl-C. A scenario then emits what it has, marked as partial, and returns 130. */
  readonly signal: AbortSignal;
  /** Lets signals and timers in; call it between batches. */
  readonly breathe: () => Promise<void>;
}

export interface Scenario {
  /** The word after `setway run`. */
  readonly name: string;
  readonly summary: string;
  /** Declares the scenario's own options and an example. `--json` and `-o` are there already. */
  configure(command: Command): void;
  /** Plays it with commander's parsed options. Returns the exit code: 0, 1 if an expectation failed, 130 if interrupted. */
  run(options: Readonly<Record<string, unknown>>, io: ScenarioIo): Promise<number>;
}
