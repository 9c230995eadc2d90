/** Stories over machines, eras and fixes: every variant played once, each reduced to what a table's cell says. */
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import type { LoadedMachine } from "../machine/index.ts";
import { runStory, type StoryEngine, type TraceShelf } from "./run-story.ts";
import type { AnyStory, Era } from "./story.ts";

export interface MatrixOptions {
  readonly stories: readonly AnyStory[];
  /** The machines of a story; its own default alone if it is given so. */
  readonly machines: (story: AnyStory) => Promise<readonly LoadedMachine[]>;
  /** All of the story's if absent. */
  readonly eras?: readonly Era[] | undefined;
  /** All of the story's if absent. */
  readonly variants?: (story: AnyStory) => readonly (readonly string[])[];
  readonly engine?: StoryEngine;
  readonly traces?: TraceShelf | undefined;
  readonly signal?: AbortSignal;
  /** Plays one of them somewhere else; `lanes` are played at a time. */
  readonly player?: (play: MatrixPlay) => Promise<Cell>;
  readonly lanes?: number;
  /** Lets signals and timers in; called between plays. */
  readonly breathe?: () => Promise<void>;
  readonly progress?: (label: string, done: number, total: number) => void;
}

/** One variant of one story on one machine. */
export interface Cell {
  readonly story: string;
  readonly machine: string;
  readonly era: Era;
  readonly fixes: readonly string[];
  /** Distinct hazards (R45) by class, none left out that was found. */
  readonly hazards: Readonly<Partial<Record<HazardName, number>>>;
  /** How many of the story's results were wrong (`world.result`). */
  readonly wrongResults: number;
  readonly unmet: readonly string[];
  readonly skipped?: string;
}

export interface Matrix {
  readonly stories: readonly AnyStory[];
  readonly cells: readonly Cell[];
  /** Whether it was interrupted. */
  readonly partial: boolean;
  readonly seconds: number;
}

/** One variant of one story on one machine, to be played. Apart from the story itself it is plain data. */
export interface MatrixPlay {
  readonly story: AnyStory;
  readonly machine: LoadedMachine;
  readonly era: Era;
  readonly fixes: readonly string[];
}

export async function playMatrix(options: MatrixOptions): Promise<Matrix> {
  const started = performance.now();
  const plays = await planned(options);
  const cells: (Cell | undefined)[] = plays.map(() => undefined);
  const player = options.player ?? ((play) => playCell(play, options));
  let next = 0;
  let done = 0;
  const lane = async () => {
    while (next < plays.length && !options.signal?.aborted) {
      const index = next++;
      const play = plays[index] as MatrixPlay;
      options.progress?.(`${play.story.name} on ${play.machine.machine.name}`, done, plays.length);
      cells[index] = await player(play);
      done++;
      await options.breathe?.();
    }
  };
  await Promise.all(Array.from({ length: options.lanes ?? 1 }, lane));
  return {
    stories: options.stories,
    cells: cells.filter((cell) => cell !== undefined),
    partial: done < plays.length,
    seconds: (performance.now() - started) / 1000,
  };
}

async function planned(options: MatrixOptions): Promise<MatrixPlay[]> {
  const plays: MatrixPlay[] = [];
  for (const story of options.stories) {
    for (const machine of await options.machines(story)) {
      for (const era of options.eras?.filter((each) => story.eras.includes(each)) ?? story.eras) {
        for (const fixes of options.variants?.(story) ?? story.variants) plays.push({ story, machine, era, fixes });
      }
    }
  }
  return plays;
}

/** Plays one of them, and keeps what a cell says. */
export async function playCell(
  { story, machine, era, fixes }: MatrixPlay,
  { engine, traces }: Pick<MatrixOptions, "engine" | "traces">,
): Promise<Cell> {
  const result = await runStory(story, {
    machine,
    era,
    fixes,
    leaveOutIdle: true,
    ...(engine === undefined ? {} : { engine }),
    ...(traces === undefined ? {} : { traces }),
  });
  const place = { story: story.name, machine: result.machineName, era, fixes: result.fixes };
  if (result.skipped !== undefined)
    return { ...place, hazards: {}, wrongResults: 0, unmet: [], skipped: result.skipped };
  const hazards: Partial<Record<HazardName, number>> = {};
  for (const { name } of HAZARD_CLASSES) {
    const found = result.hazards.filter((hazard) => hazard.class === name).length;
    if (found > 0) hazards[name] = found;
  }
  return { ...place, hazards, wrongResults: result.wrongResults, unmet: result.unmet };
}
