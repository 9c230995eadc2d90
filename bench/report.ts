/** The bench's one table: millions of references a second, and ratios, side by side. */
import { styleFor } from "../src/report/style.ts";
import { table } from "../src/report/table.ts";
import { CONTESTANTS, type Contestant } from "./contestants.ts";
import type { BenchResult, Row } from "./result.ts";

const TITLES: Readonly<Record<Contestant, string>> = {
  yardstick: "yardstick",
  limit: "limit",
  hazards: "with hazards",
  tags: "tags-only",
  program: "program order",
  shards2: "2 shards",
  shards4: "4 shards",
  data: "data-carrying",
  typed: "typed arrays",
  reference: "reference",
  cachegrind: "cachegrind",
};

/** Where the floor for now is asked for: on streams that mostly hit, the tags-only kernel has half the yardstick's speed. */
const HIT_HEAVY: readonly string[] = [
  "gzip",
  "sqlite",
  "l1-hit",
  "l2-hit",
  "l1-hit-100",
  "l2-hit-100",
  "gzip-100",
  "sqlite-100",
];
const FLOOR = 0.5;

export function benchText(result: BenchResult, color: boolean): string {
  const { environment, rows } = result;
  const played = CONTESTANTS.filter((contestant) => rows.some((row) => row.contestants[contestant] !== undefined));
  const columns = [
    { title: "stream" },
    { title: "M", align: "right" as const },
    ...played.flatMap((contestant) => [
      { title: TITLES[contestant], align: "right" as const },
      ...(contestant === "yardstick" ? [] : [{ title: "x", align: "right" as const }]),
    ]),
  ];
  const cells = rows.map((row) => [
    `${row.stream}${row.easierForOthers ? " *" : ""}${row.unit === "references" ? "" : ` (${row.unit})`}`,
    millionsText(row.records),
    ...played.flatMap((contestant) => {
      const measured = row.contestants[contestant];
      const speed = measured === undefined ? "-" : speedText(measured.refsPerSecond);
      return contestant === "yardstick" ? [speed] : [speed, ratioText(row, contestant)];
    }),
  ]);
  const commit = `${environment.commit?.slice(0, 12) ?? "no commit"}${environment.modified ? " and changes" : ""}`;
  const lines = [
    `Millions of references (or what a row names) a second on ${result.machine}, and ratios (x). CPU time of playing alone; ${roundsText(result.rounds)}.`,
    `${environment.cpu}, ${environment.cores} cores, ${environment.platform}; Node ${environment.node}; ${commit}.`,
    "",
    table(columns, cells, styleFor(color)),
    "",
    ...notesOn(result),
  ];
  return `${lines.join("\n")}\n`;
}

function notesOn({ rows, missing, countersAgree }: BenchResult): string[] {
  const bases = new Set(rows.map(({ ratiosTo }) => ratiosTo));
  const notes: string[] = [];
  if (bases.has("yardstick")) notes.push("x: to the yardstick, native code for this one machine.");
  if (rows.some(({ contestants: { program, shards2, shards4 } }) => program ?? shards2 ?? shards4)) {
    notes.push(
      "x of program order and of shards: to tags-only, or to data-carrying where addresses are virtual; of shards it is the busiest thread that counts.",
    );
  }
  if (rows.some(({ contestants }) => contestants.cachegrind)) {
    notes.push("cachegrind: a whole process, which also runs the program, to the end.");
  }
  if (bases.has("typed")) notes.push("x: to the typed arrays, where there is no yardstick.");
  if (rows.some(({ unit }) => unit !== "references")) {
    notes.push(
      "Rows that name what they count: on one core, and their yardstick is loops.c; with hazards: built -DHAZARDS.",
    );
  }
  const beside = rows.flatMap(({ stream, contestants: { data, hazards } }) =>
    data && hazards ? [`${stream} ${(data.refsPerSecond / hazards.refsPerSecond).toFixed(2)}`] : [],
  );
  if (beside.length > 0) notes.push(`Data-carrying to loops.c with hazards: ${beside.join(", ")}.`);
  if (rows.some(({ easierForOthers }) => easierForOthers)) {
    notes.push("*: yardstick, limit and typed arrays play only its loads, stores and fetches, with caches always on.");
  }
  const short = rows.find(({ records, contestants }) => (contestants.reference?.records ?? records) < records);
  if (short !== undefined) {
    notes.push(`The reference model plays only the first ${short.contestants.reference?.records} records, cold.`);
  }
  if (countersAgree.length > 0) notes.push(`Counters are the same in all of them on: ${countersAgree.join(", ")}.`);
  notes.push(...floorNotes(rows), ...missing.map((reason) => `Left out: ${reason}.`));
  return notes;
}

function floorNotes(rows: readonly Row[]): string[] {
  const measured = rows.flatMap(({ stream, ratiosTo, contestants: { tags } }) =>
    ratiosTo === "yardstick" && HIT_HEAVY.includes(stream) && tags?.ratio ? [{ stream, ratio: tags.ratio }] : [],
  );
  if (measured.length === 0) return [];
  const below = measured.filter(({ ratio }) => ratio < FLOOR);
  const verdict = below.length === 0 ? "held" : `missed on ${below.map(({ stream }) => stream).join(", ")}`;
  return [`Floor (tags-only at half the yardstick on hit-heavy streams): ${verdict}.`];
}

const roundsText = (rounds: number): string => (rounds === 1 ? "one round" : `medians of ${rounds} interleaved rounds`);

const speedText = (refsPerSecond: number): string => {
  const millions = refsPerSecond / 1e6;
  return millions.toFixed(millions < 1 ? 3 : millions < 100 ? 1 : 0);
};

const millionsText = (records: number): string => (records / 1e6).toFixed(records < 1e6 ? 3 : 1);

const ratioText = (row: Row, contestant: Contestant): string => {
  const ratio = row.contestants[contestant]?.ratio;
  return ratio === undefined ? "" : ratio.toFixed(ratio < 0.01 ? 4 : ratio < 0.1 ? 3 : 2);
};
