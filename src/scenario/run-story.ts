/**
 * Plays one variant of a story on one machine and keeps what there is to say: its steps, its hazards, what it cost, and
 * whether it met its expectations. How that is told is none of this file's business.
 */
import type { Counters, Engine, Hazard } from "../engine/engine.ts";
import { EVERYTHING_RECORDED } from "../engine/engine.ts";
import { MachineError, SetwayError } from "../engine/errors.ts";
import type { HazardName } from "../engine/hazards.ts";
import { createKernel } from "../engine/kernel.ts";
import { OPERATION_BY_CODE } from "../engine/operations.ts";
import type { RecordEntry } from "../engine/record.ts";
import { createReference } from "../engine/reference.ts";
import type { LoadedMachine } from "../machine/index.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { Recorder } from "./recorder.ts";
import { stageMachine } from "./stage.ts";
import {
  type AnyStory,
  demandOf,
  type Era,
  type HazardDemand,
  kindOf,
  type Outcome,
  unmetHazards,
  WRONG_RESULT,
  whyNot,
} from "./story.ts";
import { traitsOf } from "./traits.ts";
import { type LineState, type RecordedTrace, type Step, World } from "./world.ts";

export const STORY_ENGINES = ["kernel", "reference"] as const;
export type StoryEngine = (typeof STORY_ENGINES)[number];

/** Opens a recording by name; undefined where it isn't there. */
export type TraceShelf = (name: string) => Promise<RecordedTrace | undefined>;

export interface StoryOptions {
  readonly machine: LoadedMachine;
  /** Exactly these are on; the story's defaults if absent. */
  readonly fixes?: readonly string[];
  /** The story's first era if absent. */
  readonly era?: Era;
  readonly engine?: StoryEngine;
  /** Keeps the state after each step. */
  readonly trace?: boolean;
  readonly traces?: TraceShelf;
  /** See `StageOptions`. */
  readonly leaveOutIdle?: boolean;
  /** Puts an engine that passes everything on between the story and its engine, to see what it is given. */
  readonly wrap?: (engine: Engine) => Engine;
}

/** What a variant is: enough to play it again. */
export interface StoryVariant {
  readonly story: AnyStory;
  readonly machineName: string;
  readonly era: Era;
  /** In the order in which the story lists them. */
  readonly fixes: readonly string[];
  readonly engine: StoryEngine;
}

export interface PlayedStory extends StoryVariant {
  readonly skipped: undefined;
  readonly machine: ResolvedMachine;
  readonly steps: readonly Step[];
  readonly records: number;
  /** Observed first, then lost, then latent; each in order of their records. */
  readonly hazards: readonly Hazard[];
  /** How many of `world.result` were wrong. */
  readonly wrongResults: number;
  readonly counters: Counters;
  readonly expected: HazardDemand;
  /** Sentences; none if the expectations are met. */
  readonly unmet: readonly string[];
  /** The record of a number, if it was kept. */
  readonly recordAt: (number: number) => RecordEntry | undefined;
  /** Records first up to, but not including, end, as far as they were kept. */
  readonly recordsBetween: (first: number, end: number) => Iterable<RecordEntry>;
}

/** A story that means nothing here, and why. */
export interface SkippedStory extends StoryVariant {
  readonly skipped: string;
}

export type StoryResult = PlayedStory | SkippedStory;

/** Lines of a step that a trace shows when the story watches none. */
const LINES_SHOWN = 6;

/** Plays a story. Throws a usage error for unknown fixes and eras, and what the story itself throws. */
export async function runStory(story: AnyStory, options: StoryOptions): Promise<StoryResult> {
  const variant: StoryVariant = {
    story,
    machineName: options.machine.machine.name,
    era: checkedEra(story, options.era ?? (story.eras[0] as Era)),
    fixes: checkedFixes(story, options.fixes ?? story.defaults),
    engine: options.engine ?? "kernel",
  };
  const reason = whyNot(story, traitsOf(options.machine.machine), variant.era);
  if (reason !== undefined) return { ...variant, skipped: reason };
  const traces = new Map<string, RecordedTrace>();
  for (const name of story.traces ?? []) {
    const trace = await options.traces?.(name);
    if (trace === undefined) return { ...variant, skipped: `the recording ${name} isn't here` };
    traces.set(name, trace);
  }
  const trace = async (name: string): Promise<RecordedTrace> => traces.get(name) as RecordedTrace;
  if (!options.leaveOutIdle) return play(variant, options, trace, false);
  try {
    return await play(variant, options, trace, true);
  } catch {
    // It may have asked for a core that was left out as idle: whatever it was, the whole machine decides.
    return play(variant, options, trace, false);
  }
}

async function play(
  variant: StoryVariant,
  options: StoryOptions,
  trace: (name: string) => Promise<RecordedTrace>,
  leaveOutIdle: boolean,
): Promise<PlayedStory> {
  const { story, era, fixes } = variant;
  const machine = stageMachine(options.machine, story, fixes, { leaveOutIdle });
  const create = variant.engine === "kernel" ? createKernel : createReference;
  const { wrap = (inner: Engine) => inner } = options;
  const engine = new Recorder(wrap(create(machine, { provenance: { ...EVERYTHING_RECORDED, ...story.recorded } })));
  // A story asks about the machine as it is described, idle cores included.
  const traits = { ...traitsOf(machine), cores: options.machine.machine.cores.length };
  const world: World<string> = new World<string>(engine, {
    story,
    traits,
    fixes,
    era,
    trace,
    ...(options.trace ? { stepped: (step: Step) => keepState(step, world, engine) } : {}),
  });
  await playSteps(story, world);
  const hazards = byKind(engine.hazards());
  const has = (fix: string) => fixes.includes(fix);
  const expected = demandOf(story.expect({ has, era, machine: traits }), story.name);
  const wrong = world.steps.flatMap(({ remarks }) => remarks.filter(({ held }) => !held));
  const failed = wrong.filter(({ isResult }) => !isResult);
  const wrongResults = wrong.length - failed.length;
  const found = new Set<Outcome>(hazards.map((hazard) => hazard.class));
  if (wrongResults > 0) found.add(WRONG_RESULT);
  return {
    ...variant,
    skipped: undefined,
    machine,
    steps: world.steps,
    records: engine.records,
    hazards,
    wrongResults,
    counters: engine.counters(),
    expected,
    unmet: [
      ...unmetHazards(expected, found),
      ...failed.map(({ text, actual, expected }) => `${text}: found ${shown(actual)}, expected ${shown(expected)}`),
    ],
    recordAt: (number) => engine.recordAt(number),
    recordsBetween: (first, end) => engine.recordsBetween(first, end),
  };
}

/** What goes wrong in a story is told with the step in which it did. */
async function playSteps(story: AnyStory, world: World<string>): Promise<void> {
  try {
    await story.play(world);
    world.finish();
  } catch (error) {
    if (error instanceof MachineError) throw error;
    const step = world.steps.at(-1)?.text;
    const where = step === undefined || step === "" ? "before its first step" : `in step "${step}"`;
    throw new SetwayError("usage", `story ${story.name} failed ${where}`, {
      found: error instanceof Error ? `${error.message}${placeOf(error)}` : String(error),
      cause: error,
    });
  }
}

/** Where a program's own mistake is; setway's errors speak of records and need none. */
function placeOf(error: Error): string {
  if (error instanceof SetwayError) return "";
  const frame = (error.stack ?? "").split("\n").find((line) => line.trim().startsWith("at "));
  return frame === undefined ? "" : ` (${frame.trim()})`;
}

/** A value in words: numbers and addresses in hexadecimal where they are bigints. */
export const shown = (value: unknown): string =>
  typeof value === "bigint" ? `0x${value.toString(16)}` : typeof value === "string" ? value : String(value);

const KIND_ORDER = ["observed", "lost", "latent"];

function byKind(hazards: readonly Hazard[]): readonly Hazard[] {
  const rank = (name: HazardName) => KIND_ORDER.indexOf(kindOf(name));
  return [...hazards].sort((a, b) => rank(a.class) - rank(b.class));
}

function keepState(step: Step, world: World<string>, engine: Recorder): void {
  const lines = new Map<number, string | undefined>();
  const { smallestLineBytes, memory } = engine.machine;
  const lineOf = (address: number) => Math.floor(address / smallestLineBytes) * smallestLineBytes;
  for (const [name, address] of world.watched) lines.set(lineOf(address), name);
  // Under a hypervisor the addresses in records are a guest's: only what the story names can be looked up.
  if (world.era === "bare" && world.watched.size === 0) {
    for (const { code, operand } of engine.recordsBetween(step.first, step.end)) {
      if (lines.size >= LINES_SHOWN) break;
      if (OPERATION_BY_CODE[code]?.operand !== "address") continue;
      const isRam = memory.some(
        ({ base, sizeBytes, type }) => type === "ram" && operand >= base && operand < base + sizeBytes,
      );
      if (isRam && !lines.has(lineOf(operand))) lines.set(lineOf(operand), undefined);
    }
  }
  step.after = {
    counters: engine.counters(),
    dirtyLines: engine.dirtyLines(),
    lines: [...lines].map(([address, name]) => lineState(engine, address, name)),
  };
}

function lineState(engine: Engine, address: number, name: string | undefined): LineState {
  const bytes = engine.machine.smallestLineBytes;
  const memory = engine.peek("memory", address, bytes);
  const truth = engine.peek("truth", address, bytes);
  return {
    name,
    address,
    copies: engine.copies(address),
    memoryIsNewest: truth.every((byte, index) => byte === memory[index]),
  };
}

/** The fixes in the story's order. Throws a usage error with the nearest name for one that it doesn't have. */
export function checkedFixes(story: AnyStory, fixes: readonly string[]): readonly string[] {
  const known = Object.keys(story.fixes);
  for (const fix of fixes) {
    if (known.includes(fix)) continue;
    throw new SetwayError("usage", `story ${story.name} has no such fix`, {
      found: fix,
      expected: known.length === 0 ? "none: it has no fixes" : known.join(", "),
      nearest: nearestWord(fix, known),
    });
  }
  return known.filter((fix) => fixes.includes(fix));
}

function checkedEra(story: AnyStory, era: Era): Era {
  if (story.eras.includes(era)) return era;
  throw new SetwayError("usage", `story ${story.name} isn't played in this era`, {
    found: era,
    expected: story.eras.join(", "),
    nearest: nearestWord(era, story.eras),
  });
}
