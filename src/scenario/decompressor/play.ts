/** Plays one boot on one machine and keeps what the engine had to say, so that the engine itself can be let go. */
import type { Counters, Engine, Hazard } from "../../engine/engine.ts";
import { HAZARD_CLASSES } from "../../engine/hazards.ts";
import { createKernel } from "../../engine/kernel.ts";
import type { ResolvedMachine } from "../../machine/index.ts";
import { BATCH_ENTRIES } from "../../trace/source.ts";
import type { RecordedBoot } from "./boot.ts";
import { type BootStream, nameRecord, PHASES, type Phase, type RecordName } from "./stream.ts";

/** What is kept of an engine: enough for every report. */
export type Played = Pick<
  Engine,
  "machine" | "carriesData" | "records" | "counters" | "hazards" | "notAssessable" | "dirtyLines"
>;

/** The state at the end of a phase. Counters are those from the beginning. */
export interface Checkpoint {
  readonly phase: Phase;
  readonly counters: Counters;
  /** Dirty copies by cache id. */
  readonly dirtyLines: readonly number[];
}

export interface PlayedBoot {
  readonly played: Played;
  /** One for each phase that was played to its end. */
  readonly checkpoints: readonly Checkpoint[];
  /** Observed first, then lost, then latent; each in order of their records. */
  readonly hazards: readonly Hazard[];
  /** Names of the records that the first hazards speak of, by their number as played. */
  readonly names: ReadonlyMap<number, RecordName>;
  /** Whether it was interrupted. */
  readonly partial: boolean;
  /** Playing only. */
  readonly seconds: number;
}

export interface PlayIo {
  readonly signal: AbortSignal;
  readonly breathe: () => Promise<void>;
  /** Called with the records played so far. */
  readonly played: (records: number) => void;
}

/** How long signals and the progress bar may wait. */
const BREATH_MS = 50;

export async function playBoot(
  machine: ResolvedMachine,
  boot: RecordedBoot,
  stream: BootStream,
  explained: number,
  io: PlayIo,
): Promise<PlayedBoot> {
  const { initialSctlr, provenance } = boot;
  const engine = createKernel({ ...machine, initialSctlr }, { provenance, data: true });
  const checkpoints: Checkpoint[] = [];
  const stopwatch = new Stopwatch(io);
  for (const phase of PHASES) {
    for (const { words } of stream.parts.filter((part) => part.phase === phase)) {
      for (let at = 0; at < words.length && !io.signal.aborted; at += 2 * BATCH_ENTRIES) {
        await stopwatch.play(() => engine.play(words.subarray(at, at + 2 * BATCH_ENTRIES)));
        io.played(engine.records);
      }
    }
    if (io.signal.aborted) break;
    checkpoints.push({ phase, counters: engine.counters(), dirtyLines: engine.dirtyLines() });
  }
  const hazards = byKind(engine.hazards());
  return {
    played: snapshot(engine),
    checkpoints,
    hazards,
    names: namesOf(hazards.slice(0, explained), stream, boot),
    partial: io.signal.aborted,
    seconds: stopwatch.seconds,
  };
}

/** Times what is played and lets others have a turn now and then. */
class Stopwatch {
  seconds = 0;
  readonly #io: PlayIo;
  #breathed = performance.now();

  constructor(io: PlayIo) {
    this.#io = io;
  }

  async play(work: () => void): Promise<void> {
    const began = performance.now();
    work();
    const ended = performance.now();
    this.seconds += (ended - began) / 1000;
    if (ended - this.#breathed < BREATH_MS) return;
    await this.#io.breathe();
    this.#breathed = performance.now();
  }
}

function snapshot(engine: Engine): Played {
  const { machine, carriesData, records } = engine;
  const [counters, hazards, notAssessable, dirtyLines] = [
    engine.counters(),
    engine.hazards(),
    engine.notAssessable(),
    engine.dirtyLines(),
  ];
  return {
    machine,
    carriesData,
    records,
    counters: () => counters,
    hazards: () => hazards,
    notAssessable: () => notAssessable,
    dirtyLines: () => dirtyLines,
  };
}

const KINDS = ["observed", "lost", "latent"];

/** What somebody saw tells more than what nobody noticed. */
function byKind(hazards: readonly Hazard[]): Hazard[] {
  const rank = new Map<string, number>(HAZARD_CLASSES.map(({ name, kind }) => [name, KINDS.indexOf(kind)]));
  return hazards.toSorted((a, b) => (rank.get(a.class) ?? 0) - (rank.get(b.class) ?? 0));
}

function namesOf(hazards: readonly Hazard[], stream: BootStream, boot: RecordedBoot): Map<number, RecordName> {
  const names = new Map<number, RecordName>();
  for (const record of hazards.flatMap(({ record, newest, lostAt }) => [record, newest, lostAt])) {
    const name = record < 0 ? undefined : nameRecord(stream, boot, record);
    if (name !== undefined) names.set(record, name);
  }
  return names;
}
