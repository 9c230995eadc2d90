/** What there is to choose from: stories, machines, studies and set/way routines, with what the page says about each. */

import { stringify } from "yaml";
import { STUDIES } from "../../src/cost/index.ts";
import { expectation, type Parameter } from "../../src/cost/parameter.ts";
import { SetwayError } from "../../src/engine/errors.ts";
import {
  type LoadedMachine,
  loadDescription,
  PRESET_NAMES,
  presets,
  summarizeMachine,
} from "../../src/machine/index.ts";
import { isPresetName } from "../../src/machine/presets/index.ts";
import { SET_WAY_ROUTINES } from "../../src/machine/setway.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { type AnyStory, type Era, whyNot } from "../../src/scenario/story.ts";
import { traitsOf } from "../../src/scenario/traits.ts";
import {
  type Catalogue,
  type CatalogueMachine,
  type CatalogueStory,
  OWN_MACHINE,
  type Questions,
} from "../protocol.ts";

const loaded = new Map<string, LoadedMachine>();

/** A preset, or the visitor's own. Throws `MachineError`. */
export function machineNamed(source: string): LoadedMachine {
  let machine = loaded.get(source);
  if (machine === undefined) {
    machine = loadDescription(source);
    loaded.set(source, machine);
  }
  return machine;
}

/** What a machine that was read has to say, or what is wrong with the text. */
export function ownMachine({ text, file }: Questions["machine"]["question"]): Questions["machine"]["answer"] {
  if (text === undefined) {
    loaded.delete(OWN_MACHINE);
    return { machine: undefined, unsuited: {} };
  }
  try {
    const own = loadDescription(text, { file: file ?? "the machine" });
    loaded.set(OWN_MACHINE, own);
    const traits = traitsOf(own.machine);
    const reasons = STORIES.flatMap((story) => {
      const reason = whyNot(story, traits, story.eras[0] as Era);
      return reason === undefined ? [] : [[story.name, reason] as const];
    });
    return { machine: machineOf(OWN_MACHINE, `${own.machine.name} (your own)`), unsuited: Object.fromEntries(reasons) };
  } catch (error) {
    if (!(error instanceof SetwayError)) throw error;
    const { line, column } = error.detail;
    return {
      wrong: error.message,
      ...(line === undefined ? {} : { line, ...(column === undefined ? {} : { column }) }),
    };
  }
}

/** A preset's description as somebody would write it. */
export const descriptionOf = (name: string): string =>
  isPresetName(name) ? stringify(presets[name], { lineWidth: 100 }) : "";

const machineOf = (name: string, title = name): CatalogueMachine => {
  const { machine } = machineNamed(name);
  return {
    name,
    title,
    isOwn: name === OWN_MACHINE,
    summary: summarizeMachine(machine),
    cores: machine.cores.length,
  };
};

export function catalogue(): Catalogue {
  const traits = PRESET_NAMES.map((name) => traitsOf(machineNamed(name).machine));
  return {
    stories: STORIES.map((story) => storyOf(story, traits)),
    machines: PRESET_NAMES.map((name) => machineOf(name)),
    studies: Object.values(STUDIES).map(({ name, summary, machine, parameters }) => ({
      name,
      summary,
      machine,
      parameters: Object.entries(parameters as Readonly<Record<string, Parameter>>).map(([key, parameter]) => ({
        name: key,
        summary: parameter.summary,
        default: parameter.default,
        expects: expectation(parameter),
      })),
    })),
    routines: Object.entries(SET_WAY_ROUTINES).map(([name, { source, order }]) => ({ name, source, order })),
  };
}

function storyOf(story: AnyStory, traits = PRESET_NAMES.map((name) => traitsOf(machineNamed(name).machine))) {
  const unsuited: Record<string, string> = {};
  for (const machine of traits) {
    const reason = whyNot(story, machine, story.eras[0] as Era);
    if (reason !== undefined) unsuited[machine.name] = reason;
  }
  const { name, number, title, source, machine, eras, fixes, defaults, traces = [] } = story;
  const texts = Object.entries(fixes as Readonly<Record<string, string>>);
  return {
    name,
    number,
    title,
    source,
    machine,
    eras,
    fixes: texts,
    defaults,
    traces,
    unsuited,
  } satisfies CatalogueStory;
}
