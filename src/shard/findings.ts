/** What a shard found, and the whole that the shards' findings make: the same numbers that one kernel would have found. */
import type { Counters, Hazard } from "../engine/engine.ts";
import { byOccurrence, type HazardName } from "../engine/hazards.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { FullLoop } from "../engine/share.ts";

/** Everything that can be added up. Plain data: it can be sent and written down. */
export interface Findings {
  /** Records gone through, the same for all shards. */
  readonly records: number;
  readonly counters: Counters;
  readonly hazards: readonly Hazard[];
  /** Of a shard: full set/way loops whose dirty lines are still to be added up. */
  readonly fullLoops: readonly FullLoop[];
  /** By cache id. */
  readonly dirtyLines: readonly number[];
  readonly lastObserved: number;
  readonly lastValue: bigint;
}

export function findingsOf(kernel: Kernel): Findings {
  return {
    records: kernel.records,
    counters: kernel.counters(),
    hazards: kernel.hazards(),
    fullLoops: kernel.fullLoops(),
    dirtyLines: kernel.dirtyLines(),
    lastObserved: kernel.lastObserved,
    lastValue: kernel.lastValue(),
  };
}

/** The findings of all shards as those of one kernel. Throws where they can't be of one play. */
export function mergeFindings(parts: readonly Findings[], notAssessable: readonly HazardName[]): Findings {
  const [first] = parts;
  if (first === undefined) throw new RangeError("no findings to merge");
  if (parts.length === 1) return first;
  for (const [shard, { records }] of parts.entries()) {
    if (records !== first.records)
      throw new Error(`shard ${shard} went through ${records} records, shard 0 through ${first.records}`);
  }
  const lastObserved = Math.max(...parts.map((part) => part.lastObserved));
  const loops = notAssessable.includes(SHORT_OF_POC) ? [] : loopHazards(parts.map(({ fullLoops }) => fullLoops));
  return {
    records: first.records,
    counters: addUp(parts.map(({ counters }) => counters)),
    hazards: [...parts.flatMap(({ hazards }) => hazards), ...loops].sort(byOccurrence),
    fullLoops: [],
    dirtyLines: addUp(parts.map(({ dirtyLines }) => dirtyLines)),
    lastObserved,
    // Bytes of one record that lie in several groups were observed by several shards.
    lastValue: parts
      .filter((part) => part.lastObserved === lastObserved)
      .reduce((value, part) => value | part.lastValue, 0n),
  };
}

type Numbers = number | undefined | readonly Numbers[] | { readonly [key: string]: Numbers };

/** The sum of numbers, or of lists or objects of such, part by part; all are of one shape. */
export function addUp<T>(parts: readonly T[]): T {
  const add = (values: readonly Numbers[]): Numbers => {
    const [first] = values;
    if (typeof first === "number") return (values as readonly number[]).reduce((sum, value) => sum + value, 0);
    if (Array.isArray(first))
      return first.map((_, index) => add(values.map((value) => (value as readonly Numbers[])[index])));
    if (typeof first !== "object") return first;
    return Object.fromEntries(
      Object.keys(first).map((key) => [key, add(values.map((value) => (value as Record<string, Numbers>)[key]))]),
    );
  };
  return add(parts as readonly Numbers[]) as T;
}

const SHORT_OF_POC = "set/way-short-of-poc" satisfies HazardName;

/** D33's set/way-short-of-poc, which a shard can't judge: the loops are the same in all of them, the dirty lines are added up. */
function loopHazards(parts: readonly (readonly FullLoop[])[]): Hazard[] {
  const found = new Map<number, Hazard>();
  const [first = []] = parts;
  first.forEach(({ record, core }, index) => {
    const lines = parts.reduce((sum, loops) => sum + (loops[index]?.dirtyLines ?? 0), 0);
    if (lines === 0) return;
    const earlier = found.get(core);
    // In the kernel's order of keys: it shows where hazards are written down.
    found.set(core, {
      class: SHORT_OF_POC,
      observer: core,
      line: 0,
      newest: -1,
      record: earlier?.record ?? record,
      occurrences: (earlier?.occurrences ?? 0) + 1,
      piece: 0,
      lines: Math.max(earlier?.lines ?? 0, lines),
      address: 0,
      observed: 0n,
      expected: 0n,
      writer: -1,
      writerAttribute: -1,
      source: "nowhere",
      newestAt: "nowhere",
      attribute: -1,
      lostAt: -1,
    });
  });
  return [...found.values()];
}
