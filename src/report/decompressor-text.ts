/** `setway run decompressor` for a terminal: what the guest did, the boots side by side, why, and the first hazards. */
import { formatBytes } from "../machine/quantity.ts";
import type { Phase } from "../scenario/decompressor/stream.ts";
import type { DecompressorReport, RunReport } from "./decompressor.ts";
import { byMachine, comparison, MAINTENANCE_NAMES, sweepTable } from "./decompressor-table.ts";
import { count, counted, seconds } from "./number.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, table, wrap } from "./table.ts";
import { hazardsExplained } from "./text.ts";

const WIDTH = 100;

export function decompressorText(report: DecompressorReport, color: boolean): string {
  const style = styleFor(color);
  const { runs } = report;
  const isSweep = runs.some(({ variant }) => variant !== null);
  const sections = [heading(report, style), section("What the guest does", phasesTable(report, style), style)];
  if (runs.length > 0) {
    if (isSweep) sections.push(...sweeps(runs, style));
    else sections.push(section("What becomes of it", comparison(runs, style, WIDTH), style));
    sections.push(section("Why", reasons(report).map(paragraph).join("\n"), style));
  }
  const explained = toExplain(runs);
  if (explained !== undefined) sections.push(explanations(explained, style));
  return `${sections.join("\n\n")}\n`;
}

const section = (title: string, body: string, style: Style): string => `${style.bold(title)}\n${body}`;
const paragraph = (text: string): string => `  ${wrap(text, WIDTH - 2, "  ")}`;

function heading({ trace, runs, partial, missing }: DecompressorReport, style: Style): string {
  const records = runs.reduce((sum, run) => sum + run.records, 0);
  const took = runs.reduce((sum, run) => sum + run.seconds, 0);
  const lines = [
    style.bold("A 32-bit kernel boots. Its decompressor flushes its output in one of three ways, or should."),
    wrap(`${trace.name}: ${trace.source ?? "a recorded boot"}.`, WIDTH),
    "Set/way loops are those of Linux 4.1, from each machine's own CLIDR_EL1 and CCSIDR_EL1.",
    `Played as bare metal: ${counted(runs.length, "boot")}, ${count(records)} records in ${seconds(took)}.`,
  ];
  if (partial) lines.unshift(style.yellow(`PARTIAL RESULT: interrupted${leftOut(runs, missing)}`));
  return lines.join("\n");
}

function leftOut(runs: readonly RunReport[], missing: number): string {
  const cut = runs.at(-1)?.partial ? "; the last boot isn't whole" : "";
  return missing === 0 ? cut : `${cut}; ${counted(missing, "boot")} left out`;
}

const PHASE_TEXTS: Readonly<Record<Phase, (trace: DecompressorReport["trace"]) => string>> = {
  relocation: () => "moves itself out of its output's way",
  decompression: ({ image }) => `decompresses ${megabytes(image.bytes)}, then reads it to verify`,
  flush: ({ image }) => `flushes ${image.first}..${image.end}`,
  "caches-off": () => "clears SCTLR.M and SCTLR.C",
  kernel: () => "jumps to the kernel, which patches itself",
  invalidation: () => "invalidates L1 by set/way (DC ISW)",
  "mmu-on": () => "sets SCTLR.M and SCTLR.C and goes on",
};

function phasesTable({ trace }: DecompressorReport, style: Style): string {
  const columns: Column[] = [
    { title: "at record", align: "right" },
    { title: "caches" },
    { title: "" },
    ...["loads", "stores", "fetches"].map((title): Column => ({ title, align: "right" })),
  ];
  const rows = trace.phases.map(({ phase, firstRecord, cachesOn, loads, stores, fetches }) => [
    count(firstRecord),
    cachesOn ? "on" : "off",
    PHASE_TEXTS[phase](trace),
    ...[loads, stores, fetches].map(count),
  ]);
  return table(columns, rows, style);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function sweeps(runs: readonly RunReport[], style: Style): string[] {
  const machines = [...new Set(runs.map(({ machine }) => machine))];
  return machines.map((machine) => {
    const ofMachine = runs.filter((run) => run.machine === machine);
    const note = ofMachine[0]?.cachesOnly ? " (caches only)" : "";
    return section(`${machine}${note}, in lines`, sweepTable(ofMachine, style), style);
  });
}

// Why

function reasons({ runs, trace: { image } }: DecompressorReport): string[] {
  const groups = alike(byMachine(runs));
  const paragraphs = groups.map((group) => reasonFor(group, image));
  const isSweep = runs.some(({ variant }) => variant !== null);
  const last = isSweep ? "" : " Try other sizes with --sweep l3=0,4MiB..64MiB.";
  paragraphs.push(
    `Whether a machine bites depends on size and timing: the same kernel with the same bug boots where its image has left the caches in time, and dies where it hasn't.${last}`,
  );
  if (runs.some(({ clean }) => !clean)) {
    paragraphs.push("A real boot ends at its first stale fetch or soon after it; the play goes on as recorded.");
  }
  if (runs.some((run) => run.maintenance === "va" && sum(run.dirtyWhenKernelStarts) > 0)) {
    paragraphs.push(
      "What is dirty after a flush by VA lies outside its range: stack and heap of the decompressor, dead by then, so that nobody misses what the kernel's DC ISW discards of them.",
    );
  }
  if (runs.some(({ cachesOnly }) => cachesOnly)) {
    paragraphs.push(
      "Caches only: that machine's cores can't run a 32-bit kernel, but this is how its caches treat one.",
    );
  }
  paragraphs.push(
    "The recording keeps one access to a line where more would have hit: with the caches on again, more reads than these may be stale. Latencies are the machine's (setway machine show).",
  );
  return paragraphs;
}

type Runs = readonly RunReport[];
type Image = DecompressorReport["trace"]["image"];

/** Sizes of a sweep, one after another, whose boots all ended alike; without a sweep each machine alone. */
function alike(groups: readonly Runs[]): (readonly Runs[])[] {
  const joined: Runs[][] = [];
  for (const group of groups) {
    const previous = joined.at(-1);
    const key = (runs: Runs | undefined) => runs?.map(({ machine, clean }) => `${machine} ${clean}`).join();
    if (group[0]?.variant && previous !== undefined && key(previous[0]) === key(group)) previous.push(group);
    else joined.push([group]);
  }
  return joined;
}

/** Why a machine's boots went as they did, from what was measured. */
function reasonFor(groups: readonly Runs[], image: Image): string {
  const runs = groups[0] as Runs;
  const [first] = runs as readonly [RunReport];
  const labels = groups.flatMap(([run]) => run?.variant?.label ?? []);
  const name = [first.machine, labels.join(", ")].filter((part) => part !== "").join(", ");
  const last = first.caches.at(-1);
  if (last === undefined) return `${name}: without caches there is nothing to flush. This is what an emulator shows.`;
  const cache = labels.length > 1 ? "last level" : `${last.level} of ${formatBytes(last.sizeBytes)}`;
  const worst = runs.find(({ clean }) => !clean);
  if (worst === undefined) {
    const isSmall = groups.every(([run]) => (run?.caches.at(-1)?.sizeBytes ?? 0) < image.bytes);
    if (!isSmall) return `${name}: nothing that the kernel reads past the caches was left dirty in one.`;
    return `${name}: the ${cache} is too small for the image of ${megabytes(image.bytes)}. To verify its output the decompressor reads all of it once more (${count(image.linesVerified)} lines), which evicts what was dirty to memory before any flush. Nothing that the kernel reads was left to flush.`;
  }
  const dirty = Math.max(...Object.values(worst.dirtyWhenCachesOff ?? {}), 0);
  const where = Object.entries(worst.dirtyWhenCachesOff ?? {}).find(([, lines]) => lines === dirty)?.[0];
  const held = `${name}: when the caches go off the ${where === last.level ? cache : where} still holds ${counted(dirty, "dirty line")} (the image has ${count(image.lines)})`;
  const seen = "The kernel begins with its caches off, reads memory past them, and gets what was there before";
  const setway = runs.find(({ maintenance }) => maintenance === "setway");
  if (setway === undefined) return `${held}. ${seen}.`;
  if (setway.clean) return `${held}. ${seen}; set/way reaches every level here, so its loops prevent that.`;
  return `${held}. CLIDR_EL1 doesn't list the ${last.level}, so set/way moves lines into it and none out of it: ${count(setway.leftBeyondSetWay ?? 0)} stay. ${seen}. Only a flush by VA reaches the PoC.`;
}

const sum = (dirty: RunReport["dirtyWhenKernelStarts"]): number =>
  Object.values(dirty ?? {}).reduce((total, lines) => total + lines, 0);

// Hazards

/** The boot whose hazards tell most: one with observed hazards, set/way before the others; else one with any. */
function toExplain(runs: readonly RunReport[]): RunReport | undefined {
  const order = ["setway", "none", "va"];
  const sorted = runs.toSorted((a, b) => order.indexOf(a.maintenance) - order.indexOf(b.maintenance));
  const explained = sorted.filter(({ firstHazards }) => firstHazards.length > 0);
  return explained.find(({ clean }) => !clean) ?? explained[0];
}

function explanations(run: RunReport, style: Style): string {
  const { firstHazards, variant, machine, maintenance, clean } = run;
  const where = `${machine}${variant === null ? "" : ` with ${variant.label}`}, flush ${MAINTENANCE_NAMES[maintenance]}`;
  const which = firstHazards.length === 1 ? "The first hazard" : `The first ${firstHazards.length} hazards`;
  const title = `${which} on ${where}${clean ? " (nobody saw an old byte)" : ""}; records are the recording's`;
  return section(wrap(title, WIDTH), hazardsExplained(firstHazards, style), style);
}
