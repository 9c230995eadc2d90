/**
 * What reports look at while a replay goes on, beside the counters: samples for a time line, the log of misses for a profile
 * and for a miss stream. Costs nothing where none of them was asked for.
 */
import type { Engine, Hazard } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import type { Kernel } from "../engine/kernel.ts";
import { Profiler } from "../report/profile.ts";
import type { MissStreamReport, ReplayExtras } from "../report/replay.ts";
import { HAZARDS_DRAWN, TimelineMeter } from "../report/replay-timeline.ts";
import type { DecodedTrace } from "../trace/decoder.node.ts";
import { MissStream } from "../trace/miss-stream.ts";
import type { TraceOptions } from "./inputs.ts";
import { type MissFile, openMissFile } from "./miss-file.ts";
import { checkOutputs, type ResultOptions, streamedTo, wantsKind } from "./result.ts";

export interface WatchOptions extends TraceOptions, ResultOptions {
  readonly engine: "kernel" | "reference";
  readonly warmupRefs?: number;
  readonly misses?: string;
  readonly missesLevel?: string;
}

/** `--misses path` is `-o misses:path` by another name. Throws a usage error where both are given. */
export async function withMisses<Options extends WatchOptions>(options: Options): Promise<Options> {
  const { misses, output = [] } = options;
  if (misses === undefined) return options;
  const named = streamedTo(options, "misses");
  if (named !== undefined) {
    throw new SetwayError("usage", "two miss streams", {
      found: `--misses ${misses} and -o misses:${named}`,
      expected: "one of the two",
    });
  }
  const both = { ...options, output: [...output, { kind: "misses", path: misses }] };
  await checkOutputs(both);
  return both;
}

/** Whether the kernel has to keep a log. Throws a usage error for an engine that can't. */
export function wantsLog(options: WatchOptions): boolean {
  const wants = wantsKind(options, "misses") || wantsKind(options, "callgrind");
  if (wants && options.engine === "reference") {
    throw new SetwayError("usage", "the reference model keeps no log of misses", {
      found: "--engine reference with misses or callgrind",
      expected: "--engine kernel",
    });
  }
  return wants;
}

/** Why one kernel must play everything, in the order of the records; undefined where shards may as well. */
export function needsWholeMachine(options: WatchOptions): string | undefined {
  if (wantsKind(options, "perfetto")) return "the samples of a time line are those of one kernel";
  if (wantsKind(options, "callgrind")) return "a profile follows one kernel's log of misses";
  if (wantsKind(options, "misses")) return "a miss stream is in the order of one kernel's log";
  return undefined;
}

export class ReplayWatch {
  readonly #engine: Engine;
  readonly #source: DecodedTrace;
  readonly #options: WatchOptions;
  readonly #timeline: TimelineMeter | undefined;
  readonly #profiler: Profiler | undefined;
  readonly #misses: MissFile | undefined;

  private constructor(engine: Engine, source: DecodedTrace, options: WatchOptions, misses: MissFile | undefined) {
    this.#engine = engine;
    this.#source = source;
    this.#options = options;
    this.#timeline = wantsKind(options, "perfetto") ? new TimelineMeter(engine) : undefined;
    this.#profiler = wantsKind(options, "callgrind") ? new Profiler(engine.machine) : undefined;
    this.#misses = misses;
  }

  /** The engine is a kernel with a log if `wantsLog`. Throws a usage error where the miss stream can't be written. */
  static async open(engine: Engine, source: DecodedTrace, options: WatchOptions): Promise<ReplayWatch> {
    const path = streamedTo(options, "misses");
    const { machine } = engine;
    const misses =
      path === undefined
        ? undefined
        : await openMissFile(path, {
            stream: new MissStream(machine, options.missesLevel),
            source,
            machine: machine.name,
          });
    return new ReplayWatch(engine, source, options, misses);
  }

  /** When `played` is to be called at the latest: how many records are played by then. */
  get next(): number {
    return this.#timeline?.next ?? Number.POSITIVE_INFINITY;
  }

  /** How many hazards the time line draws. */
  get hazardsDrawn(): number {
    return this.#timeline === undefined ? 0 : HAZARDS_DRAWN;
  }

  /** These words have been played; `first` is the number of their first record, `counts` false within a warm-up. */
  played(words: Uint32Array, first: number, counts: boolean): void {
    if (this.#timeline !== undefined && this.#engine.records >= this.#timeline.next) this.#timeline.cut();
    if (this.#profiler === undefined && this.#misses === undefined) return;
    const log = (this.#engine as Kernel).takeMissLog();
    this.#profiler?.add(words, first, log, counts);
    if (counts) this.#misses?.add(words, first, log);
  }

  /** Writes what is waiting to be written. */
  async flush(): Promise<void> {
    await this.#misses?.flush();
  }

  /** Everything has been played. */
  end(): void {
    this.#timeline?.cut();
  }

  async finish(): Promise<MissStreamReport | undefined> {
    return this.#misses?.finish();
  }

  /** Nothing is left of the miss stream. */
  async abort(): Promise<undefined> {
    return this.#misses?.abort();
  }

  extras(hazards: readonly Hazard[], operationAt: (record: number) => string | undefined): ReplayExtras {
    const timeline = this.#timeline;
    const profiler = this.#profiler;
    const source = this.#source;
    const title = `${source.name} on ${this.#engine.machine.name}`;
    return {
      timeline: timeline && (() => timeline.timeline(title, hazards, operationAt)),
      profile:
        profiler &&
        (() =>
          profiler.profile({
            trace: source.name,
            notes: profileNotes(source, this.#options),
            originalAddress: (address) => source.originalAddress?.(address) ?? address,
          })),
    };
  }
}

/** What a reader of a profile must know of its addresses. */
function profileNotes({ header }: DecodedTrace, { mapAddresses, warmupRefs = 0 }: WatchOptions): string[] {
  const notes: string[] = [];
  if (mapAddresses === "pages" || mapAddresses === "recorded") {
    notes.push(`addresses are the program's own, from before --map-addresses ${mapAddresses}`);
  }
  if (header.format === "gem5" || header.format === "perf") {
    notes.push(`${header.format} traces have no instruction for each access: few or none can be attributed`);
  }
  if (warmupRefs > 0) notes.push(`without the first ${warmupRefs} records (--warmup-refs)`);
  return notes;
}
