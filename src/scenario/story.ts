/**
 * What a story is: a bug played on a described machine, its fixes as switches, and which hazards each variant must show.
 * `defineStory` is the one way to write one, for those that come with setway and for a user's own file alike.
 */
import { SetwayError } from "../engine/errors.ts";
import type { HazardName } from "../engine/hazards.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { ERA_NAMES, type EraName } from "../hypervisor/eras.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { MachineDescription } from "../machine/schema.ts";
import type { MachineTraits } from "./traits.ts";
import type { World } from "./world.ts";

/** Where a story is played: on the bare machine, or in a VM under one of KVM's policies. */
export type Era = "bare" | EraName;
export const ERA_WORDS: readonly Era[] = ["bare", ...ERA_NAMES];

/** What a machine must have for a story to mean anything on it. */
export const NEEDS = {
  caches: { has: (machine: MachineTraits) => machine.caches, lacks: "has no caches" },
  "two cores": { has: (machine: MachineTraits) => machine.cores >= 2, lacks: "has one core only" },
  "two sockets": { has: (machine: MachineTraits) => machine.sockets >= 2, lacks: "has one socket only" },
  "system cache": { has: (machine: MachineTraits) => machine.systemCache, lacks: "has no system cache" },
  "outer cache": { has: (machine: MachineTraits) => machine.outerCache, lacks: "has no outer cache (PL310)" },
  aarch32: { has: (machine: MachineTraits) => machine.aarch32 === "all", lacks: "can't run 32-bit kernels" },
  fwb: { has: (machine: MachineTraits) => machine.fwb, lacks: "has no FEAT_S2FWB" },
} as const;
export type NeedName = keyof typeof NEEDS;
/** One of the named needs, or a story's own. */
export type Need = NeedName | { readonly has: (machine: MachineTraits) => boolean; readonly lacks: string };

/** Keys of the description that a story can change: switches that only hardware has. */
export const CHANGEABLE = [
  "features",
  "ncSnoops",
  "ncLookup",
  "ncAtomics",
  "cacheability",
  "invalidateCleans",
  "protocol",
  "registers",
  "tlb",
  "walker",
  "directory",
  "memory",
  "latencies",
] as const satisfies readonly (keyof MachineDescription)[];
export type MachineChanges = Partial<Pick<MachineDescription, (typeof CHANGEABLE)[number]>>;

/** A DMA master that the story adds to the machine; one of the same name is changed. */
export interface StoryDevice {
  readonly name: string;
  /** What the hardware does (R46), whatever software believes. */
  readonly coherent: boolean;
  readonly socket?: number;
  readonly allocate?: "system" | "memory";
  /** Behind an SMMU that can make its transactions snoop: `world.device(name).throughSmmu()`. */
  readonly smmu?: boolean;
}

/** One variant on one machine, as `expect` is asked about it. */
export interface Situation<Fix extends string = string> {
  /** Whether a fix is on. */
  readonly has: (fix: Fix) => boolean;
  readonly era: Era;
  readonly machine: MachineTraits;
}

/**
 * What `world.result` finds: software got something wrong that is no older value of a line, as by a stale translation or
 * out of a log that lacks a page. It stands beside the hazards of kind observed, but no engine sees it.
 */
export const WRONG_RESULT = "wrong-result";
/** What a variant can show: a class of hazard, or a wrong result. */
export type Outcome = HazardName | typeof WRONG_RESULT;

/**
 * What a variant must show. Findings of kind observed or lost must be exactly these (none: the variant is clean);
 * latent ones that are named must be there, others may be. `may` can be there or not.
 */
export type ExpectedHazards =
  | readonly Outcome[]
  | { readonly must: readonly Outcome[]; readonly may: readonly Outcome[] };

export interface StoryDefinition<Fix extends string = string> {
  /** The word after `setway run`: lower case, with hyphens. */
  readonly name: string;
  /** Its number in the talk; a user's own has none. */
  readonly number?: number;
  /** One line. */
  readonly title: string;
  /** Where it comes from: a passage in own words, a commit, a bug report. */
  readonly source: string;
  /** The preset that it is played on unless told otherwise. */
  readonly machine?: string;
  readonly needs?: readonly Need[];
  readonly devices?: readonly StoryDevice[];
  /** How the machine differs, fix by fix: what only hardware can repair. Mappings are merged with the machine's own. */
  readonly changes?: (has: (fix: Fix) => boolean) => MachineChanges;
  /** How every core starts: MMU and caches on (the default), or off as after reset. */
  readonly starts?: "caches on" | "reset";
  /** Where it can be played; the first is the default. Bare metal if absent. */
  readonly eras?: readonly Era[];
  /** Each fix as a switch, with one sentence that says what it does. */
  readonly fixes: Readonly<Record<Fix, string>>;
  /** Fixes that are on unless told otherwise; none: the bug. */
  readonly defaults?: readonly Fix[];
  /** The combinations that a matrix shows; if absent the defaults, nothing, and each fix alone. */
  readonly variants?: readonly (readonly Fix[])[];
  /** Recordings that it plays: without them it is skipped. */
  readonly traces?: readonly string[];
  /** The recording has no DMA in it: hazards that need it aren't assessed (R48). */
  readonly recorded?: Partial<Readonly<Record<"maintenance" | "control" | "dma" | "ownership", boolean>>>;
  readonly expect: (situation: Situation<Fix>) => ExpectedHazards;
  readonly play: (world: World<Fix>) => void | Promise<void>;
}

/** A checked definition. */
export interface Story<Fix extends string = string> extends StoryDefinition<Fix> {
  readonly kind: "story";
  readonly eras: readonly Era[];
  readonly defaults: readonly Fix[];
  readonly variants: readonly (readonly Fix[])[];
  readonly machine: string;
  readonly needs: readonly Need[];
}

/** Any story, whatever its fixes are called. */
// biome-ignore lint/suspicious/noExplicitAny: a story's own fixes are no concern of those who keep many stories.
export type AnyStory = Story<any>;

const DEFAULT_MACHINE = "seattle";

/** Every field of a definition; `kind` is of one that has been checked before. */
const FIELDS: Readonly<Record<keyof Story, true>> = {
  kind: true,
  name: true,
  number: true,
  title: true,
  source: true,
  machine: true,
  needs: true,
  devices: true,
  changes: true,
  starts: true,
  eras: true,
  fixes: true,
  defaults: true,
  variants: true,
  traces: true,
  recorded: true,
  expect: true,
  play: true,
};

/** Checks a definition and fills in what it leaves out. Throws a usage error that says what is wrong with it. */
export function defineStory<const Fix extends string>(definition: StoryDefinition<Fix>): Story<Fix> {
  const bad = (what: string, found: string, expected: string, nearest?: string): never => {
    throw new SetwayError("usage", `story ${definition.name}: ${what}`, { found, expected, nearest });
  };
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(definition.name ?? "")) {
    bad("bad name", String(definition.name), "lower-case words with hyphens");
  }
  for (const field of ["title", "source"] as const) {
    if (typeof definition[field] !== "string" || definition[field] === "") bad(`no ${field}`, "nothing", "a text");
  }
  for (const field of ["expect", "play"] as const) {
    if (typeof definition[field] !== "function") bad(`no ${field}`, typeof definition[field], "a function");
  }
  for (const field of Object.keys(definition)) {
    if (!Object.hasOwn(FIELDS, field)) {
      bad("unknown field", field, Object.keys(FIELDS).join(", "), nearestWord(field, Object.keys(FIELDS)));
    }
  }
  const fixes = Object.keys(definition.fixes ?? {}) as Fix[];
  const known = (list: readonly Fix[], field: string) => {
    for (const fix of list) {
      if (!fixes.includes(fix)) bad(`unknown fix in ${field}`, fix, fixes.join(", "), nearestWord(fix, fixes));
    }
  };
  const defaults = definition.defaults ?? [];
  known(defaults, "defaults");
  for (const variant of definition.variants ?? []) known(variant, "variants");
  for (const need of definition.needs ?? []) {
    if (typeof need === "string" && !Object.hasOwn(NEEDS, need)) {
      bad("unknown need", need, Object.keys(NEEDS).join(", "), nearestWord(need, Object.keys(NEEDS)));
    }
  }
  const eras = definition.eras ?? ["bare"];
  for (const era of eras) {
    if (!ERA_WORDS.includes(era)) bad("unknown era", era, ERA_WORDS.join(", "), nearestWord(era, ERA_WORDS));
  }
  if (eras.length === 0) bad("no era", "none", ERA_WORDS.join(", "));
  return {
    ...definition,
    kind: "story",
    eras,
    defaults,
    variants: definition.variants ?? distinct([defaults, [], ...fixes.map((fix) => [fix])]),
    machine: definition.machine ?? DEFAULT_MACHINE,
    needs: definition.needs ?? [],
  };
}

/** Whether something is what `defineStory` returns, from whichever copy of this package. */
export const isStory = (value: unknown): value is AnyStory =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "story";

/** Why a story means nothing on a machine in an era; undefined where it does. */
export function whyNot(story: AnyStory, machine: MachineTraits, era: Era): string | undefined {
  const lacking = story.needs
    .map((need) => (typeof need === "string" ? NEEDS[need] : need))
    .find((need) => !need.has(machine));
  if (lacking !== undefined) return `${machine.name} ${lacking.lacks}`;
  if (era === "fwb" && !machine.fwb) return `${machine.name} ${NEEDS.fwb.lacks}`;
  return undefined;
}

/** What a variant was expected to show. */
export interface HazardDemand {
  readonly must: readonly Outcome[];
  readonly may: readonly Outcome[];
}

const KIND = new Map<Outcome, string>([
  ...HAZARD_CLASSES.map(({ name, kind }) => [name, kind] as const),
  [WRONG_RESULT, "observed"],
]);
export const kindOf = (name: Outcome): string => KIND.get(name) ?? "latent";

/** Throws a usage error, with the nearest name, where a story expects what there is not. */
export function demandOf(expected: ExpectedHazards, storyName = ""): HazardDemand {
  const demand = "must" in expected ? { must: expected.must, may: expected.may ?? [] } : { must: expected, may: [] };
  const known = [...KIND.keys()];
  for (const name of [...demand.must, ...demand.may]) {
    if (KIND.has(name)) continue;
    throw new SetwayError("usage", `story ${storyName} expects an unknown hazard`, {
      found: String(name),
      expected: known.join(", "),
      nearest: nearestWord(String(name), known),
    });
  }
  return demand;
}

/** What is wrong with the findings, in words; nothing if they are as expected. */
export function unmetHazards(demand: HazardDemand, found: ReadonlySet<Outcome>): string[] {
  const missing = demand.must.filter((name) => !found.has(name)).map((name) => `expected ${name}, which didn't happen`);
  const extra = [...found]
    .filter((name) => kindOf(name) !== "latent" && !demand.must.includes(name) && !demand.may.includes(name))
    .map((name) => `${name} happened, which wasn't expected`);
  return [...missing, ...extra];
}

function distinct<Fix extends string>(lists: readonly (readonly Fix[])[]): (readonly Fix[])[] {
  const seen = new Set<string>();
  return lists.filter((list) => {
    const key = [...list].sort().join(" ");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
