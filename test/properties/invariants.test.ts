/**
 * What must hold on the reference model whatever a stream does, without a second engine to compare with: one owner,
 * inclusion, coherent loads, sums of counters and costs, and independence of how records are cut into batches.
 */
import { describe, expect, test } from "vitest";
import type { Copy, Engine } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import type { Cache, ResolvedMachine } from "../../src/machine/resolved.ts";
import { blocksOf, cacheNames, differences, snapshot } from "./compare.ts";
import { REFERENCE } from "./engines.ts";
import { allowedFeatures, type Feature } from "./features.ts";
import { type Played, playCase } from "./play-case.ts";
import type { RandomCase } from "./random-case.ts";
import { machineText, recordsText } from "./report.ts";
import { checkProperty, SEED, streamCount } from "./run-property.ts";

/** What leaves caches coherent: no bypassing, no maintenance, no Non-shareable accesses, no page changes. */
const COHERENT: readonly Feature[] = [
  "basic",
  "sizes",
  "speculation",
  "replacement",
  "shapes",
  "mixedlines",
  "policies",
  "inclusion",
  "system",
  "sockets",
  "home",
  "regions",
  "atomics",
  "directory",
  "memoryside",
];
const LATENT: ReadonlySet<string> = new Set(
  HAZARD_CLASSES.filter((each) => each.kind === "latent").map((each) => each.name),
);
const LIMIT = 3_600_000;

type Invariant = (engine: Engine, each: RandomCase) => string | undefined;

/** Checks after every record if `stepwise`, else at the end. */
function check(
  name: string,
  features: readonly Feature[] | undefined,
  streams: number,
  invariant: Invariant,
  stepwise = false,
): void {
  const wrong = (each: RandomCase): string | undefined => {
    const last = stepwise ? 0 : each.entries.length;
    // Prefixes of a stream are streams: playing them all from the start would be quadratic, so every 16th is looked at.
    for (let end = each.entries.length; end >= last; end -= 16) {
      const part = { ...each, entries: each.entries.slice(0, end) };
      const played = playCase(REFERENCE, part, 4096);
      if (typeof played === "string") return played;
      if (played.stop.startsWith("broke")) return played.stop;
      const found = invariant(played.engine, part);
      if (found !== undefined) return `after ${end} records: ${found}`;
    }
    return undefined;
  };
  const allowed = allowedFeatures();
  const played = checkProperty({
    name: `invariant ${name}`,
    streams,
    features: features ? new Set(features.filter((feature) => allowed.has(feature))) : allowed,
    wrong,
    explain: (each) =>
      [wrong(each), "machine:", machineText(each.machine), "records:", recordsText(each.entries)].join("\n"),
  });
  expect(played).toBe(streams);
}

interface Held extends Copy {
  readonly at: Cache;
}

function* allBlocks(machine: ResolvedMachine): Generator<number> {
  for (const { base, sizeBytes, type } of machine.memory) {
    if (type !== "ram") continue;
    for (let block = base; block < base + sizeBytes; block += machine.largestLineBytes) yield block;
  }
}

/** Every copy on the machine, once. */
function allCopies(engine: Engine, each: RandomCase): Held[] {
  const { machine } = engine;
  const copies = new Map<string, Held>();
  // Streams that translate touch what their tables say: then every block of their small memory counts.
  const translates = each.entries.some(({ code }) => code === OPERATIONS.MSR.code);
  for (const block of translates ? allBlocks(machine) : blocksOf(machine, each.entries)) {
    for (let line = block; line < block + machine.largestLineBytes; line += machine.smallestLineBytes) {
      for (const copy of engine.copies(line)) {
        copies.set(`${copy.cache},${copy.set},${copy.way}`, { ...copy, at: machine.caches[copy.cache] as Cache });
      }
    }
  }
  return [...copies.values()];
}

const overlap = (a: Held, b: Held): boolean => a.line < b.line + b.at.lineBytes && b.line < a.line + a.at.lineBytes;
const isOwner = (copy: Held): boolean => copy.state !== "S";
const isDirty = (copy: Held): boolean => copy.state === "M" || copy.state === "O";
/** Whether `inner` is inside `outer` (D1). */
const isInside = (inner: Cache, outer: Cache): boolean =>
  inner.depth < outer.depth && inner.cores.every((core) => outer.cores.includes(core));

describe(`invariants of the reference model (SETWAY_SEED=${SEED})`, () => {
  const few = Math.ceil(streamCount() / 10);

  test("coherent streams never observe anything but the newest value, nor lose one", { timeout: LIMIT }, () => {
    check("coherent", COHERENT, few, (engine) => {
      const found = engine.hazards().filter((hazard) => !LATENT.has(hazard.class));
      return found.length === 0 ? undefined : `${found[0]?.class} at record ${found[0]?.record}`;
    });
  });

  test("instruction fetches are coherent too where IDC and DIC are set", { timeout: LIMIT }, () => {
    check("coherent fetch", [...COHERENT, "fetch", "coherentfetch"], few, (engine) => {
      // A fetch path without any cache makes fetches Non-cacheable.
      const { idc, dic, cores } = engine.machine;
      if (!idc || !dic || cores.some((core) => core.l1i < 0 && core.unifiedBySocket.every((id) => id < 0)))
        return undefined;
      const found = engine.hazards().filter((hazard) => !LATENT.has(hazard.class));
      return found.length === 0 ? undefined : `${found[0]?.class} at record ${found[0]?.record}`;
    });
  });

  test("among shareable accesses an exclusive L1D copy is the only one, and one copy at most owns dirty bytes", {
    timeout: LIMIT,
  }, () => {
    check(
      "one owner",
      [...COHERENT, "maintenance", "setway"],
      Math.ceil(few / 4),
      (engine, each) => {
        const copies = allCopies(engine, each).filter((copy) => copy.at.holds === "data");
        const names = cacheNames(engine.machine);
        for (const copy of copies) {
          const others = copies.filter((other) => other.cache !== copy.cache && overlap(copy, other));
          if ((copy.state === "M" || copy.state === "E") && others.length > 0) {
            return `${names[copy.cache]} holds 0x${copy.line.toString(16)} ${copy.state} beside ${names[others[0]?.cache ?? 0]}`;
          }
          if (isDirty(copy) && others.some(isDirty)) return `two L1Ds own 0x${copy.line.toString(16)}`;
        }
        return undefined;
      },
      true,
    );
  });

  test("an exclusive copy in a root means that no other root's tree holds the line", { timeout: LIMIT }, () => {
    check(
      "one root",
      COHERENT.filter((feature) => feature !== "home"),
      Math.ceil(few / 4),
      (engine, each) => {
        const copies = allCopies(engine, each).filter((copy) => copy.at.holds !== "instructions");
        const rootOf = (cache: Cache): Cache => {
          const parent = engine.machine.caches[cache.parentBySocket[0] as number];
          return parent === undefined ? cache : rootOf(parent);
        };
        for (const copy of copies) {
          if (!isOwner(copy) || copy.state === "O") continue;
          const other = copies.find((other) => rootOf(other.at).id !== rootOf(copy.at).id && overlap(copy, other));
          if (other)
            return `${copy.state} of 0x${copy.line.toString(16)} in cache ${copy.cache} beside cache ${other.cache}`;
        }
        return undefined;
      },
    );
  });

  test("inclusive levels hold what is inside them", { timeout: LIMIT }, () => {
    // Allocation policies let lines pass an inclusive level by, and a line that moves in from an exclusive level leaves it.
    // What is promised about instructions is promised to the L1Is directly inside.
    const features = [
      ...COHERENT.filter((feature) => feature !== "policies"),
      "fetch",
      "maintenance",
      "setway",
    ] as Feature[];
    check("inclusion", features, Math.ceil(few / 4), (engine, each) => {
      const copies = allCopies(engine, each);
      for (const outer of engine.machine.caches.filter((cache) => cache.holds === "unified")) {
        for (const copy of copies) {
          const instructions = copy.at.holds === "instructions";
          const inclusion = instructions ? outer.inclusionOfInstructions : outer.inclusionOfData;
          if (inclusion !== "inclusive" || !isInside(copy.at, outer)) continue;
          // A level that is exclusive of instructions lets fetches pass by, whatever it promises about data.
          if (outer.inclusionOfInstructions === "exclusive") continue;
          if (instructions && (outer.inclusionOfData === "exclusive" || pathOf(engine, copy)[0] !== outer.id)) continue;
          // Of home-placed caches only the one on the line's path counts.
          if (!pathOf(engine, copy).includes(outer.id)) continue;
          if (!copies.some((held) => held.cache === outer.id && overlap(held, copy))) {
            return `cache ${copy.cache} holds 0x${copy.line.toString(16)} and cache ${outer.id}, inclusive of it, does not`;
          }
        }
      }
      return undefined;
    });
  });

  test("counters and costs add up", { timeout: LIMIT }, () => {
    check("sums", undefined, few, (engine, each) => {
      const { caches, outer, memorySide, events, machine } = engine.counters();
      // One memory-side cache for the whole machine is listed for every socket.
      const sides = engine.machine.memorySide;
      const behind = [
        ...(outer ? [outer] : []),
        ...memorySide.filter((_, socket) => sides.indexOf(sides[socket]) === socket),
      ];
      for (const [id, counters] of caches.entries()) {
        for (const [all, missed] of [
          ["loads", "loadMisses"],
          ["stores", "storeMisses"],
          ["fetches", "fetchMisses"],
        ] as const) {
          if (counters[missed] > counters[all]) return `cache ${id} has more ${missed} than ${all}`;
        }
        if (counters.writebackMisses > counters.writebacksIn) return `cache ${id} misses more writebacks than come`;
        if (counters.invalidations > counters.snoopsIn && engine.machine.caches[id]?.holds !== "instructions") {
          return `cache ${id} is invalidated without being snooped`;
        }
      }
      const seen = new Map<string, number>();
      for (const copy of allCopies(engine, each)) {
        if (isDirty(copy)) seen.set(String(copy.cache), (seen.get(String(copy.cache)) ?? 0) + 1);
      }
      const dirty = engine.dirtyLines();
      const wrong = engine.machine.caches.find((cache) => dirty[cache.id] !== (seen.get(String(cache.id)) ?? 0));
      if (wrong)
        return `cache ${wrong.id} says ${dirty[wrong.id]} dirty lines and has ${seen.get(String(wrong.id)) ?? 0}`;
      const devices = events.reduce((sum, each) => sum + each.device, 0);
      if (devices !== machine.deviceReads + machine.deviceWrites) return `${devices} device events`;
      const paid = events.reduce((sum, each) => sum + each.writeback, 0);
      const written = [...caches, ...behind].reduce((sum, each) => sum + each.writebacksOut, 0);
      return paid === written ? undefined : `${written} writebacks and ${paid} events for them`;
    });
  });

  test("every L1 hit is a supply event of the requester", { timeout: LIMIT }, () => {
    check("L1 hits", [...COHERENT, "fetch"], few, (engine) => {
      const { caches, hits } = engine.counters();
      for (const core of engine.machine.cores) {
        for (const [level, id] of [
          ["L1D", core.l1d],
          ["L1I", core.l1i],
        ] as const) {
          const counters = caches[id];
          if (counters === undefined) continue;
          const hit =
            counters.loads +
            counters.stores +
            counters.fetches -
            counters.loadMisses -
            counters.storeMisses -
            counters.fetchMisses;
          if ((hits[core.id]?.[level] ?? 0) !== hit)
            return `core ${core.id} has ${hit} ${level} hits and ${hits[core.id]?.[level]} events`;
        }
      }
      return undefined;
    });
  });

  test("batches don't matter", { timeout: LIMIT }, () => {
    check("batches", undefined, Math.ceil(few / 4), (engine, each) => {
      const other = playCase(REFERENCE, each, 1) as Played;
      const blocks = blocksOf(engine.machine, each.entries);
      const found = differences(
        snapshot(engine, blocks, { bytes: true }),
        snapshot(other.engine, blocks, { bytes: true }),
      );
      return found[0]?.what;
    });
  });
});

/** Ids of the caches outwards of a copy on its line's path. */
function pathOf(engine: Engine, copy: Held): number[] {
  const { machine } = engine;
  const home =
    machine.memory.find((each) => copy.line >= each.base && copy.line < each.base + each.sizeBytes)?.socket ?? 0;
  const path: number[] = [];
  for (let id = copy.at.parentBySocket[home] ?? -1; id >= 0; id = machine.caches[id]?.parentBySocket[home] ?? -1)
    path.push(id);
  return path;
}
