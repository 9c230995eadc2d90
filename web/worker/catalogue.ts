/** What there is to choose from: stories, machines, studies and set/way routines, with what the page says about each. */

import { STUDIES } from "../../src/cost/index.ts";
import { expectation, type Parameter } from "../../src/cost/parameter.ts";
import { type LoadedMachine, loadDescription, PRESET_NAMES, summarizeMachine } from "../../src/machine/index.ts";
import { SET_WAY_ROUTINES } from "../../src/machine/setway.ts";
import { STORIES } from "../../src/scenario/index.ts";
import { type AnyStory, type Era, whyNot } from "../../src/scenario/story.ts";
import { traitsOf } from "../../src/scenario/traits.ts";
import type { Catalogue, CatalogueStory } from "../protocol.ts";

const loaded = new Map<string, LoadedMachine>();

/** A preset, or a description in YAML or JSON. Throws `MachineError`. */
export function machineNamed(source: string): LoadedMachine {
  let machine = loaded.get(source);
  if (machine === undefined) {
    machine = loadDescription(source);
    loaded.set(source, machine);
  }
  return machine;
}

export function catalogue(): Catalogue {
  const traits = PRESET_NAMES.map((name) => traitsOf(machineNamed(name).machine));
  return {
    stories: STORIES.map((story) => storyOf(story, traits)),
    machines: PRESET_NAMES.map((name) => ({
      name,
      summary: summarizeMachine(machineNamed(name).machine),
      cores: machineNamed(name).machine.cores.length,
    })),
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
