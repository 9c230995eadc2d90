/** A machine from a description that is an object. Text is index.ts's affair, which brings a reader of YAML along. */
import { completeDescription, type Locate, locateByPath } from "./read.ts";
import { resolveMachine } from "./resolve.ts";
import type { ResolvedMachine } from "./resolved.ts";
import type { CompleteDescription, MachineDescription } from "./schema.ts";

/** A description with its defaults, and the machine that it means. */
export interface LoadedMachine {
  readonly description: CompleteDescription;
  readonly machine: ResolvedMachine;
}

/** Checks what an object says, key by key and as a whole. Throws `MachineError` with the place that `locate` knows. */
export function loadContent(content: unknown, locate: Locate = locateByPath): LoadedMachine {
  return {
    description: completeDescription(content, locate),
    machine: resolveMachine(content as MachineDescription, locate),
  };
}
