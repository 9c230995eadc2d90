/**
 * From what a file tells of a cache to a geometry that a description can have: gaps are filled from the core's manual or
 * from custom, numbers that contradict each other are mended, and every such step is said.
 */
import type { LevelName } from "../schema.ts";
import type { CoreModel } from "./core-models.ts";
import type { FoundCache } from "./found.ts";

export interface Geometry {
  sets: number;
  ways: number;
  lineBytes: number;
  /** Which numbers the file gave, in the words of the description. */
  readonly read: readonly string[];
  /** What was assumed, in sentences. */
  readonly assumed: string[];
}

const MAX_SETS = 2 ** 24;
const MAX_WAYS = 256;
const LINES: readonly number[] = [16, 32, 64, 128, 256, 512, 1024, 2048];
/** Custom, where neither file nor manual says anything: KiB and ways. */
const CUSTOMARY: Readonly<Record<string, readonly [kib: number, ways: number]>> = {
  L1I: [32, 4],
  L1D: [32, 4],
  L2: [512, 8],
};
const CUSTOMARY_BEYOND: readonly [kib: number, ways: number] = [4096, 16];
/** An outer cache of the PL310's kind, where its size is left to its registers. */
const CUSTOMARY_OUTER: readonly [kib: number, ways: number] = [1024, 16];

export const sizeOf = ({ sets, ways, lineBytes }: Geometry): number => sets * ways * lineBytes;

export function completeGeometry(
  level: LevelName,
  found: FoundCache | undefined,
  model: CoreModel | undefined,
): Geometry {
  const assumed: string[] = [];
  const [custom, why] = customOf(level, found, model);
  const sizeBytes = plausible(found?.sizeBytes, "size", 2 ** 40, assumed);
  let sets = plausible(found?.sets, "number of sets", MAX_SETS, assumed);
  let ways = plausible(found?.ways, "associativity", 2 ** 24, assumed);
  let lineBytes = found?.lineBytes;
  if (lineBytes !== undefined && !LINES.includes(lineBytes)) {
    assumed.push(`a line of ${lineBytes} bytes can't be`);
    lineBytes = undefined;
  }
  const read = [
    ...(sizeBytes === undefined ? [] : ["size"]),
    ...(sets === undefined ? [] : ["sets"]),
    ...(ways === undefined ? [] : ["ways"]),
    ...(lineBytes === undefined ? [] : ["line"]),
  ];
  // What the others determine is no assumption.
  if (lineBytes === undefined && sizeBytes !== undefined && sets !== undefined && ways !== undefined) {
    const line = sizeBytes / sets / ways;
    if (LINES.includes(line)) lineBytes = line;
  }
  if (lineBytes === undefined) {
    lineBytes = custom.line;
    assumed.push(`lines of ${lineBytes} bytes ${why}`);
  }
  if (sizeBytes === undefined && sets !== undefined && ways !== undefined) {
    return bounded({ sets, ways, lineBytes, read, assumed });
  }
  if (sizeBytes === undefined) {
    assumed.push(`a size of ${custom.kib} KiB ${why}`);
    ways ??= custom.ways;
    return fitted(custom.kib * 1024, ways, lineBytes, read, assumed, `${ways} ways ${why}`);
  }
  if (ways === undefined && sets !== undefined) {
    const implied = sizeBytes / (sets * lineBytes);
    if (Number.isInteger(implied) && implied <= MAX_WAYS)
      return bounded({ sets, ways: implied, lineBytes, read, assumed });
    assumed.push(
      `${sets} sets don't divide ${sizeBytes} bytes into lines of ${lineBytes}, so the number of sets is left out`,
    );
    sets = undefined;
  }
  if (ways !== undefined && sets !== undefined && sets * ways * lineBytes !== sizeBytes) {
    assumed.push(`size, sets, ways and line contradict each other: ${sets} sets are left out`);
  }
  if (ways === undefined) {
    ways = custom.ways;
    return fitted(sizeBytes, ways, lineBytes, read, assumed, `${ways} ways ${why}`);
  }
  return fitted(sizeBytes, ways, lineBytes, read, assumed, undefined);
}

function customOf(
  level: LevelName,
  found: FoundCache | undefined,
  model: CoreModel | undefined,
): [{ kib: number; ways: number; line: number }, string] {
  const known =
    level === "L1I"
      ? model?.l1i
      : level === "L1D"
        ? model?.l1d
        : level === "L2" && !found?.outer
          ? model?.l2
          : undefined;
  if (known !== undefined) return [{ kib: known[0], ways: known[1], line: known[2] }, `as ${model!.name}s have`];
  const [kib, ways] = found?.outer ? CUSTOMARY_OUTER : (CUSTOMARY[level] ?? CUSTOMARY_BEYOND);
  // An A9's PL310 has the lines of its cores.
  const line = found?.outer ? 32 : (model?.l1d[2] ?? 64);
  return [{ kib, ways, line }, found?.outer ? "as a PL310 may have" : "(nothing is known)"];
}

function plausible(value: number | undefined, what: string, most: number, assumed: string[]): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value > 0 && value <= most)) return value;
  assumed.push(`a ${what} of ${value} can't be`);
  return undefined;
}

/** Ways that divide the size into whole sets: those given, or the nearest that do; else the size is rounded up. */
function fitted(
  sizeBytes: number,
  ways: number,
  lineBytes: number,
  read: readonly string[],
  assumed: string[],
  sentence: string | undefined,
): Geometry {
  const fits = (count: number) => {
    const sets = sizeBytes / (count * lineBytes);
    return Number.isInteger(sets) && sets <= MAX_SETS;
  };
  let chosen = Math.min(ways, MAX_WAYS);
  if (!fits(chosen)) {
    const others = [chosen * 2, 16, 12, 8, 24, 20, 10, 6, 5, 4, 3, 2, 1].filter(
      (count) => count <= MAX_WAYS && fits(count),
    );
    const [nearest] = others.sort((a, b) => Math.abs(a - chosen) - Math.abs(b - chosen));
    if (nearest !== undefined) {
      assumed.push(`${nearest} ways, for ${ways} don't divide ${sizeBytes} bytes into sets`);
      chosen = nearest;
      return bounded({ sets: sizeBytes / (chosen * lineBytes), ways: chosen, lineBytes, read, assumed });
    }
    const sets = Math.min(MAX_SETS, Math.max(1, Math.ceil(sizeBytes / (chosen * lineBytes))));
    assumed.push(`${sets} sets, for ${sizeBytes} bytes are no whole number of sets`);
    return bounded({ sets, ways: chosen, lineBytes, read, assumed });
  }
  if (sentence !== undefined) assumed.push(sentence);
  return bounded({ sets: sizeBytes / (chosen * lineBytes), ways: chosen, lineBytes, read, assumed });
}

/** A fully associative cache of thousands of lines is described with the most ways a description has. */
function bounded(geometry: Geometry): Geometry {
  if (geometry.ways <= MAX_WAYS) return geometry;
  const lines = geometry.sets * geometry.ways;
  const sets = Math.min(MAX_SETS, Math.ceil(lines / MAX_WAYS));
  geometry.assumed.push(`${MAX_WAYS} ways, the most that a description has, for ${geometry.ways}`);
  return { ...geometry, ways: MAX_WAYS, sets };
}

/** With another line length: the same capacity if it divides, else as little more as possible. */
export function withLine(geometry: Geometry, lineBytes: number, why: string): void {
  if (geometry.lineBytes === lineBytes) return;
  geometry.assumed.push(`lines of ${lineBytes} bytes, not ${geometry.lineBytes}: ${why}`);
  geometry.sets = Math.max(1, Math.ceil((geometry.sets * geometry.lineBytes) / lineBytes));
  geometry.lineBytes = lineBytes;
}
