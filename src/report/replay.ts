/** How a replay is told, in every form. */
import type { Emitted } from "./emitted.ts";
import { type IntervalReport, intervalsText } from "./intervals.ts";
import type { ReplayReport } from "./json.ts";
import { count, counted } from "./number.ts";
import type { Profile } from "./profile.ts";
import { replayPictures } from "./replay-pictures.ts";
import { type Found, replayTable } from "./replay-table.ts";
import { stacked } from "./svg.ts";
import { replayPage, replayText } from "./text.ts";
import type { Timeline } from "./timeline.ts";

/** What `setway replay --json` prints. */
export interface ReplayResult extends ReplayReport {
  /** Records that were left out at the beginning (`--skip-refs`). */
  readonly skippedRefs?: number;
  /** Records that were played before anything was counted (`--warmup-refs`). */
  readonly warmupRefs?: number;
  /** With `--every`. */
  readonly intervals?: readonly IntervalReport[];
  /** With `-o misses:path` or `--misses`. */
  readonly missStream?: MissStreamReport;
}

export interface MissStreamReport {
  readonly path: string;
  /** The level that was missed. */
  readonly level: string;
  readonly records: number;
  readonly bytes: number;
}

const missText = ({ path, level, records, bytes }: MissStreamReport): string =>
  `${counted(records, "record")} that missed ${level}: ${path === "-" ? "on standard output" : path}, ${count(bytes)} bytes`;

/** What was looked at while playing, beside the counters. */
export interface ReplayExtras {
  readonly timeline?: (() => Timeline) | undefined;
  readonly profile?: (() => Profile) | undefined;
}

/** `found` has all hazards; the result explains the first of them. */
export function tellReplay(result: ReplayResult, found: Found, extras: ReplayExtras = {}): Emitted<ReplayResult> {
  const { intervals } = result;
  const { timeline, profile } = extras;
  return {
    json: result,
    text: (color) =>
      [
        replayText(result, color),
        intervals === undefined ? "" : intervalsText(intervals, color),
        result.missStream === undefined ? "" : `\n${missText(result.missStream)}\n`,
      ].join(""),
    table: () => replayTable(result, intervals, found),
    page: () => replayPage(result, intervals),
    picture: () => stacked(`${result.trace} on ${result.machine}`, replayPictures(result, intervals)),
    ...(timeline ? { timeline } : {}),
    ...(profile ? { profile } : {}),
  };
}
