/** What a person sees when two engines disagree: the machine on a few lines, the records as text, the first record that went apart and how. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { formatRecord, type RecordEntry } from "../../src/engine/record.ts";
import { cacheNames, type Difference } from "./compare.ts";
import type { EngineKind } from "./engines.ts";
import { buildMachine, type MachineSpec } from "./machines.ts";
import { firstDifference } from "./play-case.ts";
import type { RandomCase } from "./random-case.ts";

const FAILURES = new URL("../../build/failures/", import.meta.url);
const MOST_DIFFERENCES = 25;

/** The description on one line a part: what is left out has its default. */
export function machineText(spec: MachineSpec): string {
  const lines: string[] = [];
  const { levels, l1i, l1d, outer, memorySide, memory, ...rest } = spec;
  lines.push(JSON.stringify(rest));
  for (const [name, part] of Object.entries({ l1i, l1d, outer, memorySide, memory })) {
    if (part) lines.push(`${name}: ${JSON.stringify(part)}`);
  }
  for (const level of levels ?? []) lines.push(JSON.stringify(level));
  const machine = buildMachine(spec);
  const names = cacheNames(machine);
  for (const cache of machine.caches) {
    const parents = [...new Set(cache.parentBySocket)].map((id) => names[id] ?? "interconnect");
    lines.push(
      `  ${names[cache.id]} (id ${cache.id}): cores ${cache.cores.join(",")} socket ${cache.socket} -> ${parents.join(" | ")}`,
    );
  }
  return lines.join("\n");
}

export function recordsText(entries: readonly RecordEntry[], mark = -1): string {
  return entries.map((entry, index) => `${index === mark ? "=>" : "  "} ${index}: ${formatRecord(entry)}`).join("\n");
}

/** The whole story of a failed comparison. */
export function disagreement(
  expected: EngineKind,
  found: EngineKind,
  each: RandomCase,
  atEnd: readonly Difference[],
): string {
  const first = firstDifference(expected, found, each);
  const shown = first?.differences ?? atEnd;
  return [
    `${found.name} does not do what ${expected.name} does.`,
    "machine:",
    machineText(each.machine),
    `provenance ${each.provenance}, batches of ${each.batch}, features ${each.features.join(",")}`,
    "records:",
    recordsText(each.entries, first?.record),
    first === undefined
      ? "played record by record they agree: it depends on the batches; differences at the end:"
      : `first difference ${first.record < 0 ? "before any record" : `after record ${first.record}`}:`,
    ...shown
      .slice(0, MOST_DIFFERENCES)
      .map((each) => `  ${each.what}: ${expected.name} ${each.expected}, ${found.name} ${each.found}`),
    ...(shown.length > MOST_DIFFERENCES ? [`  and ${shown.length - MOST_DIFFERENCES} more`] : []),
  ].join("\n");
}

/** Keeps a case for `replay.test.ts`; gives the file's name. */
export function keepCase(each: RandomCase, name: string): string {
  mkdirSync(FAILURES, { recursive: true });
  const text = JSON.stringify(each, (_key, value) => (typeof value === "bigint" ? `${value}n` : value));
  writeFileSync(new URL(`${name}.json`, FAILURES), text);
  return `build/failures/${name}.json`;
}

export function readCase(path: string): RandomCase {
  return JSON.parse(readFileSync(path, "utf8"), (key, value) =>
    key === "value" && typeof value === "string" ? BigInt(value.slice(0, -1)) : value,
  ) as RandomCase;
}
