/**
 * One random case, a machine and a stream for it, as a fast-check arbitrary: fast-check supplies randomness, seeds,
 * replay and the search for a smaller failing case; this file says how cases are made and what a smaller one is.
 */
import fc from "fast-check";
import type { RecordEntry } from "../../src/engine/record.ts";
import { operationOf } from "../../src/engine/record.ts";
import { ALL_FEATURES, type Feature } from "./features.ts";
import { buildMachine, type CacheSpec, type LevelSpec, type MachineSpec } from "./machines.ts";
import { type Draw, randomMachine, serverMachine } from "./random-machine.ts";
import { randomStream } from "./random-stream.ts";
import { overGroups, withGroups } from "./set-groups.ts";

export interface RandomCase {
  readonly features: readonly Feature[];
  readonly machine: MachineSpec;
  readonly entries: readonly RecordEntry[];
  /** What the trace recorded (R48), by bit: maintenance, control, dma, ownership. */
  readonly provenance: number;
  /** Record words are handed over in batches of this many, so that batches end anywhere, between a prefix and its record too. */
  readonly batch: number;
}

/**
 * Machines that cases are drawn on: `any`; `grouped` ones with a few set groups (R49), whose streams use them; `servers`, with
 * 32 or more groups, that the kernel plays on sharers where records are dealt (assembly/sharers.ts).
 */
export type MachineKind = "any" | "grouped" | "servers";

/** Fewer groups leave a record of a bucket too few bits for its line (assembly/sharers.ts). */
const SERVER_GROUP_BITS = 5;
const EVERYTHING = 15;
/** How long a failing case is made smaller, in milliseconds. */
const SHRINK_TIME = Number(process.env.SETWAY_SHRINK_MS ?? 30_000);
/** Records of a stream: fewest and most. */
const LENGTH: readonly [number, number] = [200, 400];

class CaseArbitrary extends fc.Arbitrary<RandomCase> {
  readonly allowed: ReadonlySet<Feature>;
  readonly shrinkTime: number;
  readonly length: readonly [number, number];
  readonly kind: MachineKind;
  deadline = 0;

  constructor(allowed: ReadonlySet<Feature>, shrinkTime: number, length: readonly [number, number], kind: MachineKind) {
    super();
    this.kind = kind;
    this.allowed = allowed;
    this.shrinkTime = shrinkTime;
    this.length = length;
  }

  override generate(random: fc.Random): fc.Value<RandomCase> {
    const draw: Draw = {
      int: (from, to) => random.nextInt(from, to),
      chance: (percent) => random.nextInt(0, 99) < percent,
      pick: <T>(from: readonly T[]) => from[random.nextInt(0, from.length - 1)] as T,
    };
    // A stream with everything finds that features meet; one with few things goes deep into those.
    const share = draw.pick([15, 30, 50, 80]);
    const features = ALL_FEATURES.filter((each) => this.allowed.has(each) && (each === "basic" || draw.chance(share)));
    const chosen = new Set<Feature>(features);
    const has = (feature: Feature) => chosen.has(feature);
    const small = this.kind === "servers" ? serverMachine(draw, has) : randomMachine(draw, has);
    const groupBits = this.kind === "any" ? 0 : this.kind === "servers" ? SERVER_GROUP_BITS : draw.int(1, 3);
    const machine = groupBits > 0 ? withGroups(small, groupBits) : small;
    const built = buildMachine(machine);
    const stream = randomStream(draw, has, built, draw.int(this.length[0], this.length[1]));
    const entries = groupBits > 0 ? overGroups(draw, built, stream, groupBits) : stream;
    const provenance = has("provenance") ? draw.int(0, EVERYTHING) : EVERYTHING;
    const batch = draw.pick([1, 2, 7, 64, 4096]);
    return new fc.Value({ features, machine, entries, provenance, batch }, undefined);
  }

  override canShrinkWithoutContext(_value: unknown): _value is RandomCase {
    return true;
  }

  override shrink(value: RandomCase, context: unknown): fc.Stream<fc.Value<RandomCase>> {
    if (this.deadline === 0) this.deadline = Date.now() + this.shrinkTime;
    return fc.stream(
      smaller(value, typeof context === "number" ? context : value.entries.length, () => Date.now() > this.deadline),
    );
  }
}

/** Cases of the allowed features. A new one for each check: it remembers when shrinking has to end. */
export const randomCase = (
  allowed: ReadonlySet<Feature>,
  shrinkTime = SHRINK_TIME,
  length = LENGTH,
  kind: MachineKind = "any",
): fc.Arbitrary<RandomCase> => new CaseArbitrary(allowed, shrinkTime, length, kind);

/** A smaller case that still `fails`, outside of a property. */
export function reduceCase(each: RandomCase, shrinkTime: number, fails: (each: RandomCase) => boolean): RandomCase {
  const arbitrary = randomCase(new Set(), shrinkTime);
  let smallest = new fc.Value(each, undefined as unknown);
  for (;;) {
    let found: fc.Value<RandomCase> | undefined;
    for (const candidate of arbitrary.shrink(smallest.value, smallest.context)) {
      if (fails(candidate.value)) {
        found = candidate;
        break;
      }
    }
    if (found === undefined) return smallest.value;
    smallest = found;
  }
}

/** Candidates for a smaller case, big steps first; the context of each is the size of the cut that made it. */
function* smaller(value: RandomCase, from: number, late: () => boolean): Generator<fc.Value<RandomCase>> {
  const { entries } = value;
  for (let cut = Math.max(1, Math.min(from, entries.length)); cut >= 1; cut = Math.floor(cut / 2)) {
    for (let end = entries.length; end > 0; end -= cut) {
      if (late()) return;
      const start = Math.max(0, end - cut);
      yield new fc.Value({ ...value, entries: [...entries.slice(0, start), ...entries.slice(end)] }, cut);
    }
    if (cut === 1) break;
  }
  if (value.batch !== 4096) yield new fc.Value({ ...value, batch: 4096 }, 1);
  if (value.provenance !== EVERYTHING) yield new fc.Value({ ...value, provenance: EVERYTHING }, 1);
  for (const candidate of simplerMachines(value)) {
    if (late()) return;
    yield new fc.Value(candidate, 1);
  }
  for (let index = 0; index < entries.length; index++) {
    for (const entry of simplerRecords(entries[index] as RecordEntry)) {
      if (late()) return;
      yield new fc.Value({ ...value, entries: entries.with(index, entry) }, 1);
    }
  }
}

function* simplerRecords(entry: RecordEntry): Generator<RecordEntry> {
  for (const field of ["value", "attribute", "sizeBytes"] as const) {
    if (entry[field] === undefined) continue;
    const { [field]: _dropped, ...rest } = entry;
    yield rest;
  }
  if (entry.sizeBytes !== undefined && entry.sizeBytes > 1)
    yield { ...entry, sizeBytes: Math.floor(entry.sizeBytes / 2) };
  const requester = operationOf(entry)?.requester;
  if (requester === "core" && entry.requester > 0) yield { ...entry, requester: 0 };
  if (operationOf(entry)?.operand === "address" && entry.operand % 8 !== 0) {
    yield { ...entry, operand: entry.operand - (entry.operand % 8) };
  }
}

function* simplerMachines(value: RandomCase): Generator<RandomCase> {
  const spec = value.machine;
  const attempt = function* (machine: MachineSpec, entries = value.entries): Generator<RandomCase> {
    try {
      buildMachine(machine);
    } catch {
      return;
    }
    yield { ...value, machine, entries };
  };
  const without = (key: keyof MachineSpec): MachineSpec => {
    const { [key]: _dropped, ...rest } = spec;
    return rest as MachineSpec;
  };
  for (const key of [
    "outer",
    "outerSharedOverride",
    "memorySide",
    "directory",
    "cacheability",
    "ncLookup",
    "ncSnoops",
    "ncAtomics",
    "invalidateCleans",
    "dic",
    "idc",
    "zva",
    "sctlr",
    "tlb",
    "walker",
    "seed",
    "devices",
    "cluster",
  ] as const) {
    if (spec[key] !== undefined) yield* attempt(without(key));
  }
  if (spec.l1i) yield* attempt({ ...spec, l1i: null });
  if (spec.l1d) yield* attempt({ ...spec, l1d: null });
  if (Array.isArray(spec.l1i)) for (const one of spec.l1i) yield* attempt({ ...spec, l1i: one });
  if (Array.isArray(spec.l1d)) for (const one of spec.l1d) yield* attempt({ ...spec, l1d: one });
  const levels = spec.levels ?? [];
  for (let index = 0; index < levels.length; index++) yield* attempt({ ...spec, levels: levels.toSpliced(index, 1) });
  // Devices follow the cores, so their requester numbers move when cores go.
  const fewer = (cores: number): RecordEntry[] =>
    value.entries.flatMap((entry) => {
      if (entry.requester >= spec.cores) return [{ ...entry, requester: entry.requester - spec.cores + cores }];
      return entry.requester < cores ? [entry] : [];
    });
  const sockets = spec.sockets ?? 1;
  for (let cores = sockets; cores < spec.cores; cores += sockets) yield* attempt({ ...spec, cores }, fewer(cores));
  if (sockets > 1) {
    const regions = spec.memory?.map((region) => ({ ...region, socket: 0 })) ?? [];
    const devices = spec.devices?.map((each) => ({ ...each, socket: 0 }));
    yield* attempt({ ...without("sockets"), memory: regions, ...(devices ? { devices } : {}) });
  }
  const caches: [string, CacheSpec, (changed: CacheSpec) => MachineSpec][] = [];
  for (const key of ["l1i", "l1d", "outer", "memorySide"] as const) {
    const at = spec[key];
    if (at && !Array.isArray(at)) caches.push([key, at as CacheSpec, (changed) => ({ ...spec, [key]: changed })]);
  }
  levels.forEach((level, index) => {
    caches.push([level.level, level, (changed) => ({ ...spec, levels: levels.with(index, changed as LevelSpec) })]);
  });
  for (const [, each, put] of caches) {
    for (const key of [
      "prefetcher",
      "replacement",
      "write",
      "allocate",
      "data",
      "instructions",
      "touches",
      "kind",
      "setWay",
      "placement",
    ] as const) {
      if (!(key in each)) continue;
      const { [key as keyof CacheSpec]: _dropped, ...rest } = each;
      yield* attempt(put(rest as CacheSpec));
    }
    for (const key of ["sets", "ways"] as const) {
      if (each[key] > 1) yield* attempt(put({ ...each, [key]: 1 }));
      if (each[key] > 2) yield* attempt(put({ ...each, [key]: each[key] - 1 }));
    }
  }
}
