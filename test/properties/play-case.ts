/** Plays a random case on engines, compares them, and finds the first record after which they differ. */
import { isDeepStrictEqual } from "node:util";
import type { Engine, Provenance } from "../../src/engine/engine.ts";
import { SetwayError } from "../../src/engine/errors.ts";
import type { Exit } from "../../src/engine/exit.ts";
import { OPERATION_BY_CODE } from "../../src/engine/operations.ts";
import { encodeRecords } from "../../src/engine/record.ts";
import {
  blocksOf,
  type Difference,
  differences,
  differingValues,
  type Scope,
  type Snapshot,
  snapshot,
} from "./compare.ts";
import type { EngineKind } from "./engines.ts";
import { buildMachine } from "./machines.ts";
import type { RandomCase } from "./random-case.ts";

/** Where playing stopped, if it did: the record that was refused, or what went wrong inside the engine. */
type Stop = string;
export const FINISHED: Stop = "played to the end";

function provenanceOf(bits: number): Provenance {
  return {
    maintenance: (bits & 1) !== 0,
    control: (bits & 2) !== 0,
    dma: (bits & 4) !== 0,
    ownership: (bits & 8) !== 0,
  };
}

/** How a stream is handed over: what `play` refuses ends it, what stops `run` is an exit after which it goes on (D40). */
type Drive = (engine: Engine, words: Uint32Array, batch: number, exits: Exit[]) => void;

function driveByPlay(engine: Engine, words: Uint32Array, batch: number): void {
  for (let at = 0; at < words.length; at += batch * 2) {
    const part = words.subarray(at, at + batch * 2);
    engine.play(part, part.length / 2);
  }
}

/** One exit in this many is tried again from its prefixes before it is skipped. */
const RETRIED = 3;

function driveByRun(engine: Engine, words: Uint32Array, batch: number, exits: Exit[]): void {
  const count = words.length / 2;
  let retried = -1;
  for (let at = 0; at < count; ) {
    const end = Math.min(count, at + batch);
    const done = engine.run(words.subarray(at * 2, end * 2), end - at);
    const { exit } = engine;
    if (!exit) {
      at = end;
      continue;
    }
    const word = at + done;
    if (exit.word !== done) throw new Error(`run stopped at word ${done}, its exit says ${exit.word}`);
    exits.push({ ...exit, word });
    if (exits.length % RETRIED === 0 && retried !== word) {
      retried = word;
      at = firstPrefix(words, word);
    } else {
      at = word + 1;
    }
  }
}

/** Where the prefixes of the record at `word` begin. */
function firstPrefix(words: Uint32Array, word: number): number {
  const isPrefix = (index: number) =>
    OPERATION_BY_CODE[((words[index * 2 + 1] as number) >>> 16) & 0xff]?.prefix === true;
  let first = word;
  while (first > 0 && isPrefix(first - 1)) first -= 1;
  return first;
}

/** Plays `words` in batches. A bad record is an outcome like any other; so is an engine that breaks. */
function play({ engine, exits, drive }: Omit<Played, "stop">, words: Uint32Array, batch: number): Stop {
  try {
    drive(engine, words, batch, exits);
    return FINISHED;
  } catch (error) {
    if (error instanceof SetwayError) return `${error.code} error at record ${error.detail.record}`;
    return `broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

export interface Played {
  readonly engine: Engine;
  readonly stop: Stop;
  /** What stopped `run`, in order; `word` counts from the start of the stream. */
  readonly exits: Exit[];
  readonly drive: Drive;
}

/** The whole case on a new engine; an engine that cannot be made is a stop too. */
export function playCase(kind: EngineKind, each: RandomCase, batch = each.batch): Played | Stop {
  try {
    const engine = kind.create(buildMachine(each.machine), provenanceOf(each.provenance));
    const drive: Drive = each.features.includes("translation") ? driveByRun : driveByPlay;
    const played = { engine, exits: [], drive };
    return { ...played, stop: play(played, encodeRecords(each.entries), batch) };
  } catch (error) {
    return `cannot be made: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** What a play came to, for comparisons: its state is asked for once, however many others it is compared with. */
export interface Outcome {
  readonly played: Played | Stop;
  state(scope: Scope): Snapshot;
}

export function outcomeOf(played: Played | Stop, each: RandomCase): Outcome {
  const states = new Map<boolean, Snapshot>();
  return {
    played,
    state(scope) {
      if (typeof played === "string") throw new Error(`nothing was played: ${played}`);
      const { engine } = played;
      const state = states.get(scope.bytes) ?? snapshot(engine, blocksOf(engine.machine, each.entries), scope);
      states.set(scope.bytes, state);
      return state;
    },
  };
}

/** What differs between two engines that played the same case. */
export function compareEngines(
  one: Played | Stop,
  other: Played | Stop,
  each: RandomCase,
  bytes: boolean,
): Difference[] {
  return compareOutcomes(outcomeOf(one, each), outcomeOf(other, each), { bytes });
}

export function compareOutcomes(one: Outcome, other: Outcome, scope: Scope): Difference[] {
  const [expected, found] = [one.played, other.played];
  if (typeof expected === "string" || typeof found === "string") {
    const text = (played: Played | Stop) => (typeof played === "string" ? played : played.stop);
    return [{ what: "outcome", expected: text(expected), found: text(found) }];
  }
  const stops = expected.stop === found.stop ? [] : [{ what: "outcome", expected: expected.stop, found: found.stop }];
  // After a bad record nothing but the records before it may have been played (D7): the rest is compared all the same.
  return [
    ...stops,
    ...differingExits(expected.exits, found.exits),
    ...differences(one.state(scope), other.state(scope)),
  ];
}

function differingExits(expected: readonly Exit[], found: readonly Exit[]): Difference[] {
  return isDeepStrictEqual(expected, found) ? [] : differingValues(exitsText(expected), exitsText(found));
}

const exitsText = (exits: readonly Exit[]): Map<string, string> =>
  new Map(
    exits.map((exit, index) => {
      const fields = Object.entries(exit).sort(([a], [b]) => (a < b ? -1 : 1));
      return [`exit ${index}`, fields.map(([name, value]) => `${name} ${value}`).join(", ")];
    }),
  );

export interface FirstDifference {
  /** Record after which the engines differ; -1 if they differ before the first one. */
  readonly record: number;
  readonly differences: readonly Difference[];
}

/** Plays record by record and compares after each. Undefined if the engines agree all the way when played like that. */
export function firstDifference(
  expected: EngineKind,
  found: EngineKind,
  each: RandomCase,
): FirstDifference | undefined {
  const start = { ...each, entries: [] };
  const one = playCase(expected, start);
  const other = playCase(found, start);
  const bytes = expected.carriesData && found.carriesData;
  for (let record = -1; record < each.entries.length; record++) {
    if (record >= 0 && typeof one !== "string" && typeof other !== "string") {
      const words = encodeRecords(each.entries.slice(record, record + 1));
      const stops = [play(one, words, 4096), play(other, words, 4096)] as const;
      if (stops[0] !== stops[1]) {
        return { record, differences: [{ what: "outcome", expected: stops[0], found: stops[1] }] };
      }
      if (stops[0] !== FINISHED) return undefined;
    }
    const found = compareEngines(one, other, each, bytes);
    if (found.length > 0) return { record, differences: found };
  }
  return undefined;
}
