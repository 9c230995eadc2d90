/** `setway run decompressor` for a terminal: what the guest did, the boots side by side, why, and the first hazards. */
import { formatBytes } from "../machine/quantity.ts";
import type { Phase } from "../scenario/decompressor/stream.ts";
import type { DecompressorReport, RunReport } from "./decompressor.ts";
import { byMachine, comparison, MAINTENANCE_NAMES, sumOf, sweepTable } from "./decompressor-table.ts";
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
    `Played as bare metal: ${counted(runs.length, "boot")}, ${count(records)} records in ${seconds(took)}.`,
  ];
  if (partial) {
    const left = missing === 0 ? "" : `, and ${counted(missing, "boot")} left out`;
    lines.unshift(style.yellow(`PARTIAL RESULT: interrupted; the last boot isn't whole${left}`));
  }
  return lines.join("\n");
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

function reasons(report: DecompressorReport): string[] {
  const whys = byMachine(report.runs).map((runs) => reasonFor(runs, report.trace.image));
  const isSweep = report.runs.some(({ variant }) => variant !== null);
  const moral =
    "So whether a machine bites depends on size and timing, and the same kernel with the same bug boots on one and dies on the other.";
  const next = isSweep ? "" : " Other sizes: --sweep l3=0,4MiB..64MiB.";
  const paragraphs = [...whys, moral + next];
  if (report.runs.some((run) => run.maintenance === "va" && run.clean)) {
    paragraphs.push(
      "Dirty lines that are left after a flush by VA lie outside its range: the decompressor's own stack and heap, dead by then. What the kernel's DC ISW discards of them is lost harmlessly.",
    );
  }
  if (report.runs.some(({ cachesOnly }) => cachesOnly)) {
    paragraphs.push(
      "Caches only: the cores of that machine can't run a 32-bit kernel; what its caches do to such accesses is real all the same.",
    );
  }
  paragraphs.push(
    "The recording keeps one access to a line where more would have hit, so stale reads with the caches on again may be more than these. Latencies are the machines' (setway machine show).",
  );
  return paragraphs;
}

type Image = DecompressorReport["trace"]["image"];

/** Why one machine's boots went as they did, from what was measured. */
function reasonFor(runs: readonly RunReport[], image: Image): string {
  const [{ machine, variant, caches }] = runs as readonly [RunReport, ...RunReport[]];
  const name = variant === null ? machine : `${machine}, ${variant.label}`;
  const last = caches.at(-1);
  if (last === undefined) return `${name}: without caches there is nothing to flush; this is what an emulator shows.`;
  const size = `${formatBytes(last.sizeBytes)} ${last.level}`;
  const wrong = runs.filter(({ clean }) => !clean);
  const setway = runs.find(({ maintenance }) => maintenance === "setway");
  const [worst] = wrong;
  if (worst === undefined) {
    if (last.sizeBytes < image.bytes) {
      return `${name}: ${indefinite(size)} is too small for the ${megabytes(image.bytes)} image. The decompressor reads its whole output once more (${count(image.linesVerified)} of ${count(image.lines)} lines) to verify it, which evicts what is dirty to memory before anybody flushes. Nothing that the kernel reads is left in a cache${setway === undefined ? "" : ", whatever set/way reaches"}.`;
    }
    return `${name}: nothing that the kernel reads is left dirty in a cache when its caches are off.`;
  }
  const dirty = worst.dirtyWhenCachesOff?.[last.level] ?? 0;
  const holds = `${name}: when the caches go off, the ${size} still holds ${counted(dirty, "dirty line")} of ${count(image.lines)}`;
  const sees =
    "The kernel starts with caches off, so it fetches and reads memory past them and gets what was there before";
  if (setway !== undefined && !setway.clean) {
    return `${holds}. CLIDR_EL1 doesn't list the ${last.level}: set/way pushes dirty lines into it and never out of it, and ${count(setway.leftBeyondSetWay ?? 0)} are left there. ${sees}. Cleaning by VA reaches the PoC.`;
  }
  return `${holds}. ${sees}${setway === undefined ? "" : "; here set/way reaches every level, so its loops are enough"}.`;
}

const indefinite = (size: string): string => `${/^8/.test(size) ? "an" : "a"} ${size}`;

// Hazards

/** The boot whose hazards tell most: one with observed hazards, set/way before the others; else one with any. */
function toExplain(runs: readonly RunReport[]): RunReport | undefined {
  const order = ["setway", "none", "va"];
  const sorted = runs.toSorted((a, b) => order.indexOf(a.maintenance) - order.indexOf(b.maintenance));
  return sorted.find(({ clean }) => !clean) ?? sorted.find(({ firstHazards }) => firstHazards.length > 0);
}

function explanations(run: RunReport, style: Style): string {
  const { firstHazards, variant, machine, maintenance } = run;
  const where = `${machine}${variant === null ? "" : ` with ${variant.label}`}, ${MAINTENANCE_NAMES[maintenance]}`;
  const found = sumOf(run, "observed", "lines") > 0 ? "" : "; nobody saw an old byte";
  const title = firstHazards.length === 1 ? "The first hazard" : `The first ${firstHazards.length} hazards`;
  return section(`${title} on ${where}, explained${found}`, hazardsExplained(firstHazards, style), style);
}
