/**
 * A replay as a time line: what each core spent and what each level missed, sampled, and every hazard with an arrow from the
 * write that it missed. Time is the number of the record: costs are additive (R32), so cores have no common clock.
 */
import type { Engine, Hazard } from "../engine/engine.ts";
import { cyclesOf } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { hazardMarks } from "./hazard-arrows.ts";
import { levelReports } from "./json.ts";
import { afterLanes, laneOf, requesterLanes } from "./requester-lanes.ts";
import type { Sample, Slice, Timeline, Track } from "./timeline.ts";

const FIRST_STEP = 256;
/** Beyond this many, neighbours become one: the picture stays as fine as it can be drawn, whatever the trace's length. */
const MOST_SAMPLES = 1024;
/** Hazards that are drawn, the first ones. */
export const HAZARDS_DRAWN = 2000;

/** What happened in a stretch of records. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  /** By requester: cycles by cause. */
  readonly cycles: readonly Readonly<Record<string, number>>[];
  readonly misses: Readonly<Record<string, number>>;
}

/** Takes samples while a replay goes on; `next` says when it wants to be asked again. */
export class TimelineMeter {
  readonly #engine: Engine;
  #stretches: Stretch[] = [];
  #step = FIRST_STEP;
  #last: Snapshot;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#last = snapshotOf(engine);
  }

  /** Records that are to be played before the next cut. */
  get next(): number {
    return this.#last.records + this.#step;
  }

  cut(): void {
    const now = snapshotOf(this.#engine);
    const last = this.#last;
    if (now.records === last.records) return;
    this.#stretches.push({
      from: last.records,
      to: now.records,
      cycles: now.cycles.map((causes, requester) => less(causes, last.cycles[requester] ?? {})),
      misses: less(now.misses, last.misses),
    });
    this.#last = now;
    if (this.#stretches.length < MOST_SAMPLES) return;
    this.#step *= 2;
    this.#stretches = pairwise(this.#stretches);
  }

  /** Of the hazards the first are drawn. `operationAt` names the records that hazards name, where it can. */
  timeline(title: string, hazards: readonly Hazard[], operationAt: (record: number) => string | undefined): Timeline {
    const { machine } = this.#engine;
    const levels = [...new Set(this.#stretches.flatMap(({ misses }) => Object.keys(misses)))];
    const first = afterLanes(machine);
    const tracks: Track[] = [
      ...requesterLanes(machine),
      ...levels.map(
        (level, index): Track => ({
          id: first + index,
          name: `${level} misses per 1000 records`,
          kind: "counter",
          unit: "misses",
        }),
      ),
      ...machine.cores.map(
        ({ id }): Track => ({
          id: first + levels.length + id,
          name: `core ${id} cycles per record`,
          kind: "counter",
          of: laneOf(id),
          unit: "cycles",
        }),
      ),
    ];
    const samples: Sample[] = this.#stretches.flatMap((stretch) => {
      const { from, misses, cycles } = stretch;
      const length = stretch.to - from;
      return [
        ...levels.map((level, index) => ({
          track: first + index,
          at: from,
          value: ((misses[level] ?? 0) * 1000) / length,
        })),
        ...machine.cores.map(({ id }) => ({
          track: first + levels.length + id,
          at: from,
          value: sum(cycles[id] ?? {}) / length,
        })),
      ];
    });
    const end = this.#stretches.at(-1)?.to;
    if (end !== undefined) {
      for (const { id, kind } of tracks) if (kind === "counter") samples.push({ track: id, at: end, value: 0 });
    }
    return {
      title,
      unit: "record",
      tracks,
      slices: [
        ...stretchSlices(this.#stretches, machine),
        ...hazardSlices(hazards.slice(0, HAZARDS_DRAWN), operationAt),
      ],
      samples,
    };
  }
}

interface Snapshot {
  readonly records: number;
  readonly cycles: readonly Readonly<Record<string, number>>[];
  readonly misses: Readonly<Record<string, number>>;
}

function snapshotOf(engine: Engine): Snapshot {
  const counters = engine.counters();
  return {
    records: engine.records,
    cycles: counters.events.map((_, requester) => cyclesOf(engine.machine, counters, requester).byCause),
    misses: Object.fromEntries(Object.entries(levelReports(engine)).map(([level, { misses }]) => [level, misses])),
  };
}

const less = (now: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(now).map(([key, value]) => [key, value - (before[key] ?? 0)]));

const plus = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]),
  );

const sum = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((total, value) => total + value, 0);

function pairwise(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (let index = 0; index < stretches.length; index += 2) {
    const first = stretches[index] as Stretch;
    const second = stretches[index + 1];
    joined.push(
      second === undefined
        ? first
        : {
            from: first.from,
            to: second.to,
            cycles: first.cycles.map((causes, requester) => plus(causes, second.cycles[requester] ?? {})),
            misses: plus(first.misses, second.misses),
          },
    );
  }
  return joined;
}

/** What a requester did in a stretch is named by what cost it most. */
function* stretchSlices(stretches: readonly Stretch[], machine: ResolvedMachine): Generator<Slice> {
  for (let requester = 0; requester < machine.cores.length + machine.devices.length; requester++) {
    for (const { from, to, cycles } of stretches) {
      const causes = Object.entries(cycles[requester] ?? {}).filter(([, spent]) => spent > 0);
      if (causes.length === 0) continue;
      const [most] = causes.sort(([, a], [, b]) => b - a);
      yield {
        track: laneOf(requester),
        from,
        to,
        name: `mostly ${most?.[0]}`,
        category: "cycles",
        notes: { cycles: sum(cycles[requester] ?? {}), ...Object.fromEntries(causes) },
      };
    }
  }
}

function hazardSlices(
  hazards: readonly Hazard[],
  operationAt: (record: number) => string | undefined,
): readonly Slice[] {
  return hazardMarks(hazards)
    .filter(({ requester }) => requester >= 0)
    .map(({ requester, record, names, arrowsFrom, arrowsTo, notes, isHazard }) => {
      const operation = operationAt(record);
      return {
        track: laneOf(requester),
        from: record,
        to: record + 1,
        name: isHazard ? names.join(", ") : (operation ?? "missed write"),
        category: isHazard ? "hazard" : "missed write",
        arrowsFrom,
        arrowsTo,
        notes: { record, ...(operation === undefined ? {} : { operation }), ...notes },
      };
    });
}
