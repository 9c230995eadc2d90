/** A machine as a cache configuration of DynamoRIO's drcachesim; what that simulator can't have stands in comments. */
import { MachineError } from "../../engine/errors.ts";
import type { Cache, ResolvedMachine } from "../resolved.ts";

export function drcachesimConfig(machine: ResolvedMachine): string {
  const without = machine.cores.find(({ l1i, l1d }) => l1i < 0 || l1d < 0);
  if (without !== undefined) {
    throw new MachineError("a machine that drcachesim can't have", {
      found: `${machine.name}: core ${without.id} without an L1I or an L1D`,
      expected: "both at every core",
    });
  }
  const notes = new Set<string>();
  const lines = machine.caches.map(({ lineBytes }) => lineBytes);
  const line = Math.min(...lines);
  if (new Set(lines).size > 1) notes.add(`lines are ${line} bytes everywhere; some of ${machine.name} are longer`);
  if (machine.outer !== undefined) notes.add("the outer cache is left out");
  if (machine.memorySide.length > 0) notes.add("the memory-side cache is left out");
  const names = machine.caches.map((cache) => nameOf(cache, machine));
  const blocks = machine.caches.map((cache) => blockOf(cache, names, line, notes));
  return [
    `// ${printable(machine.name)}, written by setway.`,
    ...[...notes].map((note) => `// Not the same: ${note}.`),
    "",
    `num_cores ${machine.cores.length}`,
    `line_size ${line}`,
    "",
    ...blocks,
    "",
  ].join("\n");
}

/** `P0L1D`, `C0L2`, `L3`: who has it, and which level it is. */
function nameOf(cache: Cache, machine: ResolvedMachine): string {
  const alike = machine.caches.filter(({ level }) => level === cache.level);
  if (alike.length === 1 && cache.depth > 1) return cache.level;
  return cache.cores.length === 1 ? `P${cache.cores[0]}${cache.level}` : `${cache.level}_${alike.indexOf(cache)}`;
}

function blockOf(cache: Cache, names: readonly string[], line: number, notes: Set<string>): string {
  const [ways, sets] = [powerOfTwo(cache.ways), powerOfTwo((cache.sets * cache.lineBytes) / line)];
  if (ways !== cache.ways) notes.add(`${cache.level} has ${ways} ways, not ${cache.ways}: a power of two`);
  if (sets * line !== cache.sets * cache.lineBytes) notes.add(`${cache.level} is smaller: its sets are a power of two`);
  const policy = cache.replacement === "fifo" ? "FIFO" : "LRU";
  if (cache.replacement !== "fifo" && cache.replacement !== "lru") {
    notes.add(`${cache.level} replaces as LRU, not ${cache.replacement}`);
  }
  if (cache.writePolicy === "through") notes.add(`${cache.level} is write-back, not write-through`);
  // Its next-line prefetcher crosses pages and acts on misses alone.
  if (cache.prefetcher) notes.add(`${cache.level} has no ${cache.prefetcher.kind} prefetcher`);
  if (cache.inclusionOfData === "exclusive") notes.add(`${cache.level} is not exclusive`);
  const parents = new Set(cache.parentBySocket);
  if (parents.size > 1) notes.add(`${cache.level} leads to its own socket's next level, whatever the address's home`);
  const parent = names[cache.parentBySocket[cache.socket]!] ?? "memory";
  const holds = { instructions: "instruction", data: "data", unified: "unified" }[cache.holds];
  return [
    `${names[cache.id]} {`,
    `  type ${holds}`,
    ...(cache.depth === 1 ? [`  core ${cache.cores[0]}`] : []),
    `  size ${ways * sets * line}`,
    `  assoc ${ways}`,
    ...(cache.inclusionOfData === "inclusive" ? ["  inclusive true"] : []),
    `  parent ${parent}`,
    `  replace_policy ${policy}`,
    "}",
  ].join("\n");
}

/** The largest that isn't larger. */
const powerOfTwo = (value: number): number => 2 ** Math.floor(Math.log2(Math.max(1, value)));

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");
