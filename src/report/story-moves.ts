/** What a step moved where, from the counters before and after it: one line for each cache that something happened in. */
import type { CacheCounter, CacheCounters, MachineCounter } from "../engine/engine.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import type { StepState } from "../scenario/world.ts";
import { placeName } from "./explain.ts";
import { counted } from "./number.ts";

/** Caches named one by one; what many cores do alike is summed up. */
const CACHES_NAMED = 10;

const WORDS: readonly (readonly [CacheCounter, string])[] = [
  ["loads", "load"],
  ["stores", "store"],
  ["fetches", "fetch"],
  ["writebacksIn", "writeback in"],
  ["writebacksOut", "writeback out"],
  ["evictions", "eviction"],
  ["maintenanceProbes", "maintained copy"],
  ["snoopsIn", "snoop"],
  ["invalidations", "copy taken away"],
  ["backInvalidations", "back-invalidation"],
  ["prefetches", "line prefetched"],
];
const PLURALS: Readonly<Record<string, string>> = {
  fetch: "fetches",
  "writeback in": "writebacks in",
  "writeback out": "writebacks out",
  "maintained copy": "maintained copies",
  "copy taken away": "copies taken away",
  "line prefetched": "lines prefetched",
};

const MEMORY_WORDS: readonly (readonly [MachineCounter, string])[] = [
  ["memoryReads", "read"],
  ["memoryWrites", "write"],
  ["uncachedReads", "uncached read"],
  ["uncachedWrites", "uncached write"],
  ["deviceReads", "device read"],
  ["deviceWrites", "device write"],
  ["walkReads", "walk read"],
  ["flushedLines", "line flushed by the host"],
];

export function movesOf(machine: ResolvedMachine, before: StepState | undefined, after: StepState): readonly string[] {
  const moves: string[] = [];
  const quiet: string[] = [];
  const caches = [
    ...machine.caches.map(({ id }) => ({
      name: placeName({ cache: id }, machine),
      now: after.counters.caches[id],
      earlier: before?.counters.caches[id],
      dirty: (after.dirtyLines[id] ?? 0) - (before?.dirtyLines[id] ?? 0),
    })),
    { name: "the outer cache", now: after.counters.outer, earlier: before?.counters.outer, dirty: 0 },
  ];
  for (const { name, now, earlier, dirty } of caches) {
    if (now === undefined) continue;
    const parts = changesOf(now, earlier);
    if (dirty !== 0) parts.push(`${dirty > 0 ? "+" : "-"}${counted(Math.abs(dirty), "dirty line")}`);
    if (parts.length === 0) continue;
    if (moves.length < CACHES_NAMED) moves.push(`${name}: ${parts.join(", ")}`);
    else quiet.push(name);
  }
  if (quiet.length > 0) moves.push(`and ${counted(quiet.length, "more cache")}`);
  const memory = MEMORY_WORDS.flatMap(([counter, noun]) => {
    const times = after.counters.machine[counter] - (before?.counters.machine[counter] ?? 0);
    return times === 0 ? [] : [counted(times, noun, noun.replace(/^line/, "lines").replace(/(read|write)$/, "$1s"))];
  });
  if (memory.length > 0) moves.push(`memory: ${memory.join(", ")}`);
  return moves;
}

function changesOf(now: CacheCounters, earlier: CacheCounters | undefined): string[] {
  const change = (counter: CacheCounter) => now[counter] - (earlier?.[counter] ?? 0);
  const misses = change("loadMisses") + change("storeMisses") + change("fetchMisses");
  return WORDS.flatMap(([counter, noun]) => {
    const times = change(counter);
    return times === 0 ? [] : [counted(times, noun, PLURALS[noun] ?? `${noun}s`)];
  }).concat(misses === 0 ? [] : [counted(misses, "miss", "misses")]);
}
