/** A replay's result for a terminal: tables with units, then the first hazards explained. Every number comes from `ReplayReport`. */
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import type { Cycles } from "../machine/cycles.ts";
import type { Explanation } from "./explain.ts";
import { type IntervalReport, intervalsTable } from "./intervals.ts";
import type { HazardReport, LevelReport, ReplayReport } from "./json.ts";
import { allHazards } from "./json.ts";
import { count, percent, rate, seconds } from "./number.ts";
import {
  type Cell,
  chartBlock,
  hazardCell,
  type LinesBlock,
  type Page,
  painted,
  QUESTIONS,
  type Section,
  type TableBlock,
  tableBlock,
  tableText,
  toned,
} from "./page.ts";
import { replayPictures } from "./replay-pictures.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, wrap } from "./table.ts";
import { yardstickText } from "./yardstick.ts";

const WIDTH = 100;

export function replayText(report: ReplayReport, color: boolean): string {
  const style = styleFor(color);
  const sections = [
    heading(report, style),
    section("Caches", levelsText(report.levels, style), style),
    section("Memory and coherence", tableText(countersTable(report), style), style),
    section("Hazards", hazardsText(report, style), style),
    section("Cycles by cause", tableText(cyclesTable(report.cycles), style), style),
  ];
  if (report.perCore !== undefined)
    sections.push(section("Cycles by core", tableText(coresTable(report), style), style));
  if (report.yardstick) sections.push(section("As the yardstick counts (R38)", yardstickText(report.yardstick), style));
  if (report.firstHazards.length > 0) {
    sections.push(section(firstHazardsTitle(report), hazardsExplained(report.firstHazards, style), style));
  }
  return `${sections.join("\n\n")}\n`;
}

function heading(report: ReplayReport, style: Style): string {
  const { trace, machine, engine } = report;
  const lines = [
    `${style.bold(trace)} on ${style.bold(machine)} (${engine}, ${buildName(report)})`,
    playedText(report),
  ];
  if (report.partial) lines.unshift(style.yellow(PARTIAL));
  return lines.join("\n");
}

const PARTIAL = "PARTIAL RESULT: interrupted before the end of the trace";
const buildName = ({ carriesData }: ReplayReport): string => (carriesData ? "data-carrying" : "tags only");
const playedText = ({ refs, seconds: took, refsPerSecond }: ReplayReport): string =>
  `${count(refs)} records in ${seconds(took)}, ${rate(refsPerSecond)}`;

/** The same as a page, with its pictures. */
export function replayPage(report: ReplayReport, intervals: readonly IntervalReport[] | undefined): Page {
  const { trace, machine, engine } = report;
  const noLevels = Object.keys(report.levels).length === 0;
  const hazards = hazardsTable(report);
  const sections: Section[] = [
    { title: "Caches", blocks: noLevels ? [lines(NO_LEVELS)] : [levelsTable(report.levels)] },
    { title: "Memory and coherence", blocks: [countersTable(report)] },
    {
      title: "Hazards",
      blocks: [hazards.rows.length === 0 ? lines(noHazards(report)) : hazards, lines(...hazardNotes(report))],
    },
  ];
  if (report.firstHazards.length > 0) {
    sections.push({ title: firstHazardsTitle(report), blocks: [{ kind: "explained", hazards: report.firstHazards }] });
  }
  sections.push({ title: "Cycles by cause", blocks: [cyclesTable(report.cycles)] });
  if (report.perCore !== undefined) sections.push({ title: "Cycles by core", blocks: [coresTable(report)] });
  if (intervals !== undefined) sections.push({ title: "Intervals", blocks: [intervalsTable(intervals)] });
  if (report.yardstick) {
    const text = yardstickText(report.yardstick);
    sections.push({ title: "As the yardstick counts (R38)", blocks: [{ kind: "plain", text }] });
  }
  const charts = replayPictures(report, intervals).map((picture) => chartBlock(picture));
  sections.push({ title: "Pictures", blocks: charts });
  return {
    title: `${trace} on ${machine}`,
    lead: [...(report.partial ? [toned("warn", PARTIAL)] : []), `${engine}, ${buildName(report)}`, playedText(report)],
    sections,
  };
}

const lines = (...cells: readonly Cell[]): LinesBlock => ({ kind: "lines", lines: cells });

const firstHazardsTitle = ({ firstHazards: { length } }: ReplayReport): string =>
  `${length === 1 ? "The first hazard" : `The first ${length} hazards`}, explained`;

const section = (title: string, body: string, style: Style): string => `${style.bold(title)}\n${body}`;

const LEVEL_COLUMNS: readonly Column[] = [
  { title: "level" },
  ...["accesses", "hits", "misses", "miss ratio", "writebacks", "dirty lines left"].map(
    (title): Column => ({ title, align: "right" }),
  ),
];

const NO_LEVELS = "none: every access goes to memory";

const levelsText = (levels: ReplayReport["levels"], style: Style): string =>
  Object.keys(levels).length === 0 ? `  ${NO_LEVELS}` : tableText(levelsTable(levels), style);

function levelsTable(levels: Readonly<Record<string, LevelReport>>): TableBlock {
  const rows = Object.entries(levels).map(([name, level]) => [
    name,
    count(level.accesses),
    count(level.hits),
    count(level.misses),
    percent(level.misses, level.accesses),
    count(level.writebacks),
    level.dirtyLines === null ? "-" : count(level.dirtyLines),
  ]);
  return tableBlock(LEVEL_COLUMNS, rows);
}

const COUNTER_TITLES: Readonly<Record<string, string>> = {
  reads: "reads of memory",
  writes: "writes of memory",
  uncachedReads: "  of these uncached or Device reads",
  uncachedWrites: "  of these uncached or Device writes",
  deviceReads: "device reads (DMA)",
  deviceWrites: "device writes (DMA)",
  snoops: "snoops answered",
  invalidations: "copies invalidated by others",
  upgrades: "upgrades (shared to modified)",
  backInvalidations: "back-invalidations",
  prefetches: "lines that prefetchers brought in",
  prefetchesUsed: "  of these used",
  prefetchesUnused: "  of these evicted unused",
  crossings: "socket crossings",
  directoryEvictions: "directory evictions",
  unexpectedHits: "uncached accesses that hit a cache",
  atomicFailures: "atomics that failed",
};

function countersTable(report: ReplayReport): TableBlock {
  const levels = Object.values(report.levels);
  const prefetchers = Object.fromEntries(
    (["prefetches", "prefetchesUsed", "prefetchesUnused"] as const).map((name) => [
      name,
      levels.reduce((sum, level) => sum + level[name], 0),
    ]),
  );
  // Reads and writes always appear; what never happened does not.
  const rows = Object.entries({ ...report.memory, ...report.coherence, ...prefetchers })
    .filter(([name, value]) => value > 0 || name === "reads" || name === "writes")
    .map(([name, value]) => [COUNTER_TITLES[name] ?? name, count(value)]);
  return tableBlock([{ title: "what" }, { title: "times", align: "right" }], rows);
}

type Hazards = Pick<ReplayReport, "hazards" | "hazardLines" | "notAssessable" | "carriesData">;

function hazardsText(report: Hazards, style: Style): string {
  const { rows } = hazardsTable(report);
  const lines = [rows.length === 0 ? `  ${painted(noHazards(report), style)}` : tableText(hazardsTable(report), style)];
  for (const note of hazardNotes(report)) {
    lines.push(
      `  ${painted(typeof note === "string" ? note : { ...note, text: wrap(note.text, WIDTH, "    ") }, style)}`,
    );
  }
  return lines.join("\n");
}

const noHazards = (report: Hazards): Cell =>
  report.notAssessable.length === HAZARD_CLASSES.length ? "none could be assessed" : toned("good", "none found");

/** What limits what the table says. */
function hazardNotes(report: Hazards): readonly Cell[] {
  const notes: Cell[] = [];
  if (!report.carriesData && allHazards(report) > 0) {
    notes.push("without data, stale and lost lines are possible ones, by line (R45)");
  }
  if (report.notAssessable.length > 0) {
    const names = report.notAssessable.join(", ");
    notes.push(toned("quiet", `not assessable from what this trace recorded (R48): ${names}`));
  }
  return notes;
}

function hazardsTable(report: Pick<Hazards, "hazards" | "hazardLines">): TableBlock {
  const columns: Column[] = [
    { title: "class" },
    { title: "occurrences", align: "right" },
    { title: "lines", align: "right" },
    { title: "meaning" },
  ];
  const rows = HAZARD_CLASSES.filter(({ name }) => (report.hazards[name] ?? 0) > 0).map(({ name, kind, summary }) => [
    hazardCell(name, kind),
    count(report.hazards[name] ?? 0),
    count(report.hazardLines[name] ?? 0),
    summary,
  ]);
  return tableBlock(columns, rows);
}

export function cyclesTable(cycles: Cycles, last = ""): TableBlock {
  const columns: Column[] = [
    { title: "cause" },
    { title: "cycles", align: "right" },
    { title: "share", align: "right" },
  ];
  const rows = Object.entries(cycles.byCause).map(([cause, amount]): readonly Cell[] => [
    cause,
    count(amount),
    percent(amount, cycles.total),
  ]);
  return tableBlock(columns, [...rows, [toned("strong", "total"), toned("strong", count(cycles.total)), last]]);
}

function coresTable(report: ReplayReport): TableBlock {
  const columns: Column[] = [
    { title: "core" },
    { title: "cache hits", align: "right" },
    { title: "snoops", align: "right" },
    { title: "memory", align: "right" },
    { title: "uncached", align: "right" },
    { title: "cycles", align: "right" },
  ];
  const rows = (report.perCore ?? []).map(({ core, levels, events, cycles }) => [
    String(core),
    count(Object.values(levels).reduce((sum, hits) => sum + hits, 0)),
    count((events.snoop ?? 0) + (events.snoopRemote ?? 0)),
    count((events.memory ?? 0) + (events.memoryRemote ?? 0)),
    count((events.uncached ?? 0) + (events.uncachedRemote ?? 0)),
    count(cycles.total),
  ]);
  return tableBlock(columns, rows);
}

export function hazardsExplained(hazards: readonly HazardReport[], style: Style): string {
  return hazards
    .map((hazard, index) => explanationText(hazard.class, hazard.explanation, index + 1, style))
    .join("\n\n");
}

function explanationText(name: string, explanation: Explanation, number: number, style: Style): string {
  const lines = [`  ${number}. ${style.bold(name)}: ${wrap(explanation.what, WIDTH - name.length - 7, "     ")}`];
  for (const [key, title] of QUESTIONS) {
    const text = explanation[key];
    if (text === undefined) continue;
    lines.push(`     ${style.dim(title.padEnd(8))} ${wrap(text, WIDTH - 14, " ".repeat(14))}`);
  }
  return lines.join("\n");
}
