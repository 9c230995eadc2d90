/** Machines by name, by description or by text: `loadMachine` is what engines, scenarios and the command line call. */
import { MachineError } from "../engine/errors.ts";
import { type LoadedMachine, loadContent } from "./load.ts";
import { nearestWord } from "./nearest.ts";
import { isPresetName, PRESET_NAMES, presets } from "./presets/index.ts";
import { type Locate, locateByPath, shown } from "./read.ts";
import { readDescriptionText } from "./read-text.ts";
import type { ResolvedMachine } from "./resolved.ts";
import type { MachineDescription } from "./schema.ts";

export { describeMachine, summarizeMachine } from "./describe.ts";
export type { LoadedMachine } from "./load.ts";
export { PRESET_NAMES, type PresetName, presets } from "./presets/index.ts";
export { type CoreRegisters, coreRegisters } from "./registers.ts";
export { resolveMachine } from "./resolve.ts";
export type { ResolvedMachine } from "./resolved.ts";
export type { CompleteDescription, MachineDescription } from "./schema.ts";
export { SET_WAY_ROUTINES, type SetWayRoutine } from "./setway.ts";

export interface LoadOptions {
  /** Where text came from, for errors. */
  readonly file?: string;
}

/**
 * The machine that a preset's name, a description, or YAML or JSON text means. Throws `MachineError` with the place
 * (line and column in text, dotted key else), what was found, what was expected and the nearest valid word.
 */
export function loadMachine(source: string | MachineDescription, options: LoadOptions = {}): ResolvedMachine {
  return loadDescription(source, options).machine;
}

/** As `loadMachine`, with the description beside the machine: for changing it, and for its sources. */
export function loadDescription(source: string | MachineDescription, options: LoadOptions = {}): LoadedMachine {
  const { content, locate } = contentOf(source, options.file);
  return loadContent(content, locate);
}

function contentOf(source: string | MachineDescription, file?: string): { content: unknown; locate: Locate } {
  if (typeof source !== "string") return { content: source, locate: locateByPath };
  if (file !== undefined) return readDescriptionText(source, file);
  if (isPresetName(source)) return { content: presets[source], locate: locateByPath };
  // One word is a name; a description has at least two keys.
  if (/[\n:{]/.test(source)) return readDescriptionText(source);
  throw new MachineError("no such machine", {
    found: shown(source),
    expected: `${PRESET_NAMES.join(", ")}, or a description in YAML or JSON`,
    nearest: nearestWord(source, PRESET_NAMES),
  });
}
