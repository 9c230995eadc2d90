/** A replay's result for a terminal: tables with units, then the first hazards explained. Every number comes from `ReplayReport`. */
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import type { Cycles } from "../machine/cycles.ts";
import type { Explanation } from "./explain.ts";
import type { HazardReport, LevelReport, ReplayReport } from "./json.ts";
import { allHazards } from "./json.ts";
import { count, percent, rate, seconds } from "./number.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, table, wrap } from "./table.ts";
import { yardstickText } from "./yardstick.ts";

const WIDTH = 100;

export function replayText(report: ReplayReport, color: boolean): string {
  const style = styleFor(color);
  const sections = [
    heading(report, style),
    section("Caches", levelsTable(report.levels, style), style),
    section("Memory and coherence", countersTable(report, style), style),
    section("Hazards", hazardsTable(report, style), style),
    section("Cycles by cause", cyclesTable(report.cycles, style), style),
  ];
  if (report.perCore !== undefined) sections.push(section("Cycles by core", coresTable(report, style), style));
  if (report.yardstick) sections.push(section("As the yardstick counts (R38)", yardstickText(report.yardstick), style));
  if (report.firstHazards.length > 0) {
    const total =
      report.firstHazards.length === 1 ? "The first hazard" : `The first ${report.firstHazards.length} hazards`;
    sections.push(section(`${total}, explained`, hazardsExplained(report.firstHazards, style), style));
  }
  return `${sections.join("\n\n")}\n`;
}

function heading(report: ReplayReport, style: Style): string {
  const build = report.carriesData ? "data-carrying" : "tags only";
  const lines = [
    `${style.bold(report.trace)} on ${style.bold(report.machine)} (${report.engine}, ${build})`,
    `${count(report.refs)} records in ${seconds(report.seconds)}, ${rate(report.refsPerSecond)}`,
  ];
  if (report.partial) lines.unshift(style.yellow("PARTIAL RESULT: interrupted before the end of the trace"));
  return lines.join("\n");
}

const section = (title: string, body: string, style: Style): string => `${style.bold(title)}\n${body}`;

const LEVEL_COLUMNS: readonly Column[] = [
  { title: "level" },
  ...["accesses", "hits", "misses", "miss ratio", "writebacks", "dirty lines left"].map(
    (title): Column => ({ title, align: "right" }),
  ),
];

function levelsTable(levels: Readonly<Record<string, LevelReport>>, style: Style): string {
  const rows = Object.entries(levels).map(([name, level]) => [
    name,
    count(level.accesses),
    count(level.hits),
    count(level.misses),
    percent(level.misses, level.accesses),
    count(level.writebacks),
    level.dirtyLines === null ? "-" : count(level.dirtyLines),
  ]);
  if (rows.length === 0) return "  none: every access goes to memory";
  return table(LEVEL_COLUMNS, rows, style);
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
  crossings: "socket crossings",
  directoryEvictions: "directory evictions",
  unexpectedHits: "uncached accesses that hit a cache",
  atomicFailures: "atomics that failed",
};

function countersTable(report: ReplayReport, style: Style): string {
  // Reads and writes always appear; what never happened does not.
  const rows = Object.entries({ ...report.memory, ...report.coherence })
    .filter(([name, value]) => value > 0 || name === "reads" || name === "writes")
    .map(([name, value]) => [COUNTER_TITLES[name] ?? name, count(value)]);
  return table([{ title: "what" }, { title: "times", align: "right" }], rows, style);
}

function hazardsTable(
  report: Pick<ReplayReport, "hazards" | "hazardLines" | "notAssessable" | "carriesData">,
  style: Style,
): string {
  const columns: Column[] = [
    { title: "class" },
    { title: "occurrences", align: "right" },
    { title: "lines", align: "right" },
    { title: "meaning" },
  ];
  const rows = HAZARD_CLASSES.filter(({ name }) => (report.hazards[name] ?? 0) > 0).map(({ name, kind, summary }) => [
    kind === "observed" ? style.red(name) : kind === "lost" ? style.yellow(name) : name,
    count(report.hazards[name] ?? 0),
    count(report.hazardLines[name] ?? 0),
    summary,
  ]);
  const lines = [
    allHazards(report) === 0
      ? report.notAssessable.length === HAZARD_CLASSES.length
        ? "  none could be assessed"
        : style.green("  none found")
      : table(columns, rows, style),
  ];
  if (!report.carriesData && rows.length > 0) {
    lines.push("  without data, stale and lost lines are possible ones, by line (R45)");
  }
  if (report.notAssessable.length > 0) {
    const names = report.notAssessable.join(", ");
    lines.push(style.dim(`  ${wrap(`not assessable from what this trace recorded (R48): ${names}`, WIDTH, "    ")}`));
  }
  return lines.join("\n");
}

function cyclesTable(cycles: Cycles, style: Style): string {
  const columns: Column[] = [
    { title: "cause" },
    { title: "cycles", align: "right" },
    { title: "share", align: "right" },
  ];
  const rows = Object.entries(cycles.byCause).map(([cause, amount]) => [
    cause,
    count(amount),
    percent(amount, cycles.total),
  ]);
  rows.push([style.bold("total"), style.bold(count(cycles.total)), ""]);
  return table(columns, rows, style);
}

function coresTable(report: ReplayReport, style: Style): string {
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
  return table(columns, rows, style);
}

export function hazardsExplained(hazards: readonly HazardReport[], style: Style): string {
  return hazards
    .map((hazard, index) => explanationText(hazard.class, hazard.explanation, index + 1, style))
    .join("\n\n");
}

const QUESTIONS: readonly (readonly [keyof Explanation, string])[] = [
  ["written", "written"],
  ["seen", "seen"],
  ["where", "was"],
  ["path", "path"],
  ["loss", "lost"],
  ["remedy", "remedy"],
];

function explanationText(name: string, explanation: Explanation, number: number, style: Style): string {
  const lines = [`  ${number}. ${style.bold(name)}: ${wrap(explanation.what, WIDTH - name.length - 7, "     ")}`];
  for (const [key, title] of QUESTIONS) {
    const text = explanation[key];
    if (text === undefined) continue;
    lines.push(`     ${style.dim(title.padEnd(8))} ${wrap(text, WIDTH - 14, " ".repeat(14))}`);
  }
  return lines.join("\n");
}
