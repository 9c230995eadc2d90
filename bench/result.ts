/** What the bench found: medians, ratios, and everything needed to judge them. `--json` writes this. */
import { CONTESTANTS, type Contestant, comparedWith, onlyAccesses } from "./contestants.ts";
import type { Environment } from "./environment.ts";
import type { Loop, LoopUnit } from "./loops.ts";
import type { Stream } from "./streams.ts";

export interface Measurement {
  /** Records of one play, or what else the row counts. */
  readonly records: number;
  /** CPU time of one play, by round: the mean of that round's plays. */
  readonly seconds: readonly number[];
  /** By the median of `seconds`. */
  readonly refsPerSecond: number;
  /** To `ratioTo`; undefined for that one itself. */
  readonly ratio: number | undefined;
  readonly ratioTo: Contestant | undefined;
}

export interface Row {
  readonly stream: string;
  readonly about: string;
  /** What is counted. Of loops the yardstick is `loops.c`. */
  readonly unit: "references" | LoopUnit;
  readonly records: number;
  /** What the ratios are to: the yardstick, or the typed arrays where there is none. */
  readonly ratiosTo: Contestant | undefined;
  /** Whether native programs and typed arrays left out records that they don't know, so that they played something easier. */
  readonly easierForOthers: boolean;
  readonly contestants: Readonly<Partial<Record<Contestant, Measurement>>>;
}

export interface BenchResult {
  readonly environment: Environment;
  readonly machine: string;
  readonly rounds: number;
  /** What was left out, and why. */
  readonly missing: readonly string[];
  /** Rows on which yardstick, typed arrays and kernel counted the same, to the last counter that they share. */
  readonly countersAgree: readonly string[];
  readonly rows: readonly Row[];
}

/** Plays of one stream: records and CPU seconds by contestant. */
export type Plays = ReadonlyMap<Contestant, { readonly records: number; readonly seconds: readonly number[] }>;

export function rowOf(stream: Stream, plays: Plays): Row {
  const easierForOthers = stream.accesses.path !== stream.path && [...plays.keys()].some(onlyAccesses);
  return {
    stream: stream.name,
    about: stream.about,
    unit: "references",
    records: stream.records,
    easierForOthers,
    ...measured(plays, stream),
  };
}

/** `units`: what one play comes to. */
export function rowOfLoop(
  { name, about, unit }: Pick<Loop, "name" | "about" | "unit">,
  units: number,
  plays: Plays,
): Row {
  return {
    stream: name,
    about,
    unit,
    records: units,
    easierForOthers: false,
    ...measured(plays, { translates: true }),
  };
}

function measured(plays: Plays, stream: Pick<Stream, "translates">): Pick<Row, "ratiosTo" | "contestants"> {
  const speeds = new Map(
    [...plays].map(([contestant, { records, seconds }]) => [contestant, records / median(seconds)]),
  );
  const ratiosTo = (["yardstick", "typed"] as const).find((contestant) => speeds.has(contestant));
  const contestants: Partial<Record<Contestant, Measurement>> = {};
  for (const contestant of CONTESTANTS) {
    const played = plays.get(contestant);
    const refsPerSecond = speeds.get(contestant);
    if (played === undefined || refsPerSecond === undefined) continue;
    const ratioTo = comparedWith(contestant, stream) ?? ratiosTo;
    const base = ratioTo === undefined ? undefined : speeds.get(ratioTo);
    const ratio = base === undefined || contestant === ratioTo ? undefined : refsPerSecond / base;
    contestants[contestant] = { ...played, refsPerSecond, ratio, ratioTo };
  }
  return { ratiosTo, contestants };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
