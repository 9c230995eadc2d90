/** `setway run decompressor` for a terminal: what the guest did, the runs side by side, why, and the first hazards. */
import { formatBytes } from "../machine/quantity.ts";
import type { Maintenance, Phase } from "../scenario/decompressor/stream.ts";
import type { DecompressorReport, RunReport } from "./decompressor.ts";
import { count, counted, seconds } from "./number.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, table, wrap } from "./table.ts";
import { hazardsExplained } from "./text.ts";

const WIDTH = 100;

export const MAINTENANCE_NAMES: Readonly<Record<Maintenance, string>> = { none: "none", setway: "set/way", va: "by VA" };

export function decompressorText(report: DecompressorReport, color: boolean): string {
  const style = styleFor(color);
  const swept = report.runs.some(({ variant }) => variant !== null);
  const sections = [
    heading(report, style),
    section("What the guest did", phasesTable(report, style), style),
    ...(report.runs.length === 0 ? [] : swept ? sweepSections(report, style) : [comparison(report.runs, style)]),
    ...(report.runs.length === 0 ? [] : [section("Why", why(report), style)]),
    ...explainedSections(report, style),
  ];
  return `${sections.join("\n\n")}\n`;
}

const section = (title: string, body: string, style: Style): string => `${style.bold(title)}\n${body}`;
const paragraph = (text: string): string => `  ${wrap(text, WIDTH - 2, "  ")}`;

function heading({ trace, runs, partial, missing }: DecompressorReport, style: Style): string {
  const records = runs.reduce((sum, run) => sum + run.records, 0);
  const took = runs.reduce((sum, run) => sum + run.seconds, 0);
  const lines = [
    style.bold("A 32-bit kernel boots, and its decompressor flushes what it wrote in one of three ways"),
    wrap(`${trace.name}: ${trace.source ?? "a recorded boot"}; ${count(trace.records)} records.`, WIDTH),
    `Played here as bare metal: ${counted(runs.length, "boot")}, ${count(records)} records in ${seconds(took)}.`,
  ];
  if (partial) {
    const left = missing === 0 ? "the last boot isn't whole" : `${counted(missing, "boot")} left out, the last isn't whole`;
    lines.unshift(style.yellow(`PARTIAL RESULT: interrupted; ${left}`));
  }
  return lines.join("\n");
}

const PHASE_TEXTS: Readonly<Record<Phase, (trace: DecompressorReport["trace"]) => string>> = {
  relocation: () => "moves itself out of its output's way",
  decompression: ({ image }) => `decompresses ${megabytes(image.bytes)}, then reads it all to verify it`,
  flush: ({ image }) => `flushes ${image.first}..${image.end}`,
  "caches-off": () => "clears SCTLR.M and SCTLR.C",
  kernel: () => "enters the kernel, which relocates itself",
  invalidation: () => "invalidates L1 by set/way (DC ISW)",
  "mmu-on": () => "turns MMU and caches on and goes on",
};

function phasesTable({ trace }: DecompressorReport, style: Style): string {
  const columns: Column[] = [
    { title: "from record", align: "right" },
    { title: "caches" },
    { title: "" },
    ...["loads", "stores", "fetches"].map((title): Column => ({ title, align: "right" })),
  ];
  const rows = trace.phases.map(({ phase, firstRecord, cachesOn, loads, stores, fetches }) => [
    count(firstRecord),
    cachesOn ? "on" : "off",
    PHASE_TEXTS[phase](trace),
    count(loads),
    count(stores),
    count(fetches),
  ]);
  return table(columns, rows, style);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

// The runs side by side

/** One line of the comparison; an absent value is a dash. */
interface Row {
  readonly title: string;
  readonly cell: (run: RunReport) => string;
}

const GAP = 2;

/** As many machines beside one another as fit. */
function comparison(runs: readonly RunReport[], style: Style): string {
  const rows = comparisonRows(runs, style);
  const titleWidth = Math.max(...rows.map(({ title }) => title.length));
  const blocks: RunReport[][] = [];
  let used = WIDTH;
  for (const ofMachine of byMachine(runs)) {
    const width = ofMachine.reduce((sum, run) => sum + GAP + columnWidth(run, rows), 0);
    if (used + width > WIDTH) {
      blocks.push([]);
      used = GAP + titleWidth;
    }
    blocks.at(-1)?.push(...ofMachine);
    used += width;
  }
  return blocks.map((block) => comparisonTable(block, rows, style)).join("\n\n");
}

const PLAIN = styleFor(false);

const columnWidth = (run: RunReport, rows: readonly Row[]): number =>
  Math.max(
    MAINTENANCE_NAMES[run.maintenance].length,
    ...rows.map(({ cell }) => cell(run)).map((text) => visible(text).length),
  );

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character.
const visible = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, "");

function comparisonTable(runs: readonly RunReport[], rows: readonly Row[], style: Style): string {
  const titleWidth = Math.max(...rows.map(({ title }) => title.length));
  const machines = byMachine(runs).map((ofMachine) => {
    const width = ofMachine.reduce((sum, run) => sum + GAP + columnWidth(run, rows), -GAP);
    const [{ machine, cachesOnly } = { machine: "", cachesOnly: false }] = ofMachine;
    const name = cachesOnly ? `${machine} (caches only)` : machine;
    return style.bold(name.padStart(Math.max(width, name.length)));
  });
  const header = `${" ".repeat(GAP + titleWidth)}${machines.map((name) => " ".repeat(GAP) + name).join("")}`;
  const columns: Column[] = [
    { title: "" },
    ...runs.map((run): Column => ({ title: MAINTENANCE_NAMES[run.maintenance].padStart(columnWidth(run, rows)), align: "right" })),
  ];
  const cells = rows.map(({ title, cell }) => [title.padEnd(titleWidth), ...runs.map(cell)]);
  return `${header}\n${table(columns, cells, style)}`;
}

function comparisonRows(runs: readonly RunReport[], style: Style): Row[] {
  const levels = [...new Set(runs.flatMap(({ caches }) => caches.map(({ level }) => level)))].sort();
  const causes = [...new Set(runs.flatMap(({ cycles }) => Object.keys(cycles.byCause)))];
  const title = (text: string): Row => ({ title: style === PLAIN ? text : text, cell: () => "" });
  return [
    { title: "did the kernel see an old byte?", cell: (run) => verdict(run, style) },
    title("dirty lines when the caches went off"),
    ...levels.map((level) => ({
      title: `  ${level}${runs.some(({ caches }) => caches.some((cache) => cache.level === level && !cache.setWay)) ? " (system cache)" : ""}`,
      cell: (run: RunReport) => orDash(run.dirtyWhenCachesOff?.[level]),
    })),
    { title: "  left beyond set/way's reach", cell: (run) => orDash(run.leftBeyondSetWay ?? undefined) },
    title("old bytes observed"),
    observedRow("stale-fetch", "  stale fetches", "occurrences", style),
    observedRow("stale-fetch", "    of distinct lines", "lines", style),
    observedRow("stale-read", "  stale reads", "occurrences", style),
    observedRow("stale-read", "    of distinct lines", "lines", style),
    title("lost or latent, and unseen"),
    {
      title: "  lines lost, never read again",
      cell: (run) => orDash((run.hazards["lost-write"]?.lines ?? 0) - Math.min(run.lossesNoticed, 1) * 0),
    },
    { title: "  uncached lines that a cache held", cell: (run) => orDash(run.hazards["mismatched-attributes"]?.lines) },
    { title: "  set/way loops that left dirty lines", cell: (run) => orDash(run.hazards["set/way-short-of-poc"]?.occurrences) },
    title("cost, thousands of cycles"),
    ...causes.map((cause) => ({ title: `  ${cause}`, cell: (run: RunReport) => thousands(run.cycles.byCause[cause]) })),
    { title: "  all", cell: (run) => thousands(run.cycles.total) },
    { title: "  of these, the flush", cell: (run) => thousands(run.flushCycles ?? undefined) },
    { title: "operations of the flush", cell: (run) => orDash(run.flushOperations) },
  ];
}
