/** The boots of `setway run decompressor` side by side: one column each, by machine, or one row each size of a sweep. */
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import type { Maintenance } from "../scenario/decompressor/stream.ts";
import type { RunReport } from "./decompressor.ts";
import { count } from "./number.ts";
import { type Style, visibleLength } from "./style.ts";

export const MAINTENANCE_NAMES: Readonly<Record<Maintenance, string>> = {
  none: "none",
  setway: "set/way",
  va: "by VA",
};

/** Runs of one machine (and size) together, in order. */
export function byMachine(runs: readonly RunReport[]): readonly (readonly RunReport[])[] {
  const groups = new Map<string, RunReport[]>();
  for (const run of runs) {
    const key = `${run.machine} ${run.variant?.label ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

interface Row {
  readonly title: string;
  /** Undefined in the heading of a group of rows. */
  readonly cell?: (run: RunReport) => string;
}

const GAP = "  ";
/** Between machines. */
const WIDE_GAP = "    ";

/** As many machines beside one another as fit into `width`. */
export function comparison(runs: readonly RunReport[], style: Style, width: number): string {
  const rows = comparisonRows(runs, style);
  const titleWidth = Math.max(...rows.map(({ title }) => title.length));
  const blocks: RunReport[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const ofMachine of byMachine(runs)) {
    const needed = groupWidth(ofMachine, rows) + WIDE_GAP.length;
    if (used + needed > width) {
      blocks.push([]);
      used = GAP.length + titleWidth;
    }
    blocks.at(-1)?.push(...ofMachine);
    used += needed;
  }
  return blocks.map((block) => comparisonBlock(block, rows, titleWidth, style)).join("\n\n");
}

const titleOf = (run: RunReport): string => (run.cachesOnly ? `${run.machine} (caches only)` : run.machine);

const columnWidth = (run: RunReport, rows: readonly Row[]): number =>
  Math.max(MAINTENANCE_NAMES[run.maintenance].length, ...rows.map(({ cell }) => visibleLength(cell?.(run) ?? "")));

/** The columns of one machine with the gaps between them, and room for its name. */
const groupWidth = (runs: readonly RunReport[], rows: readonly Row[]): number =>
  Math.max(
    titleOf(runs[0] as RunReport).length,
    runs.reduce((sum, run) => sum + columnWidth(run, rows) + GAP.length, -GAP.length),
  );

function comparisonBlock(runs: readonly RunReport[], rows: readonly Row[], titleWidth: number, style: Style): string {
  const groups = byMachine(runs).map((ofMachine) => ({ ofMachine, width: groupWidth(ofMachine, rows) }));
  const line = (title: string, groupText: (group: (typeof groups)[number]) => string) =>
    `${GAP}${title.padEnd(titleWidth)}${groups.map((group) => WIDE_GAP + groupText(group)).join("")}`.trimEnd();
  const cells = ({ ofMachine, width }: (typeof groups)[number], text: (run: RunReport) => string) =>
    padStart(ofMachine.map((run) => padStart(text(run), columnWidth(run, rows))).join(GAP), width);
  return [
    line("", ({ ofMachine, width }) => style.bold(titleOf(ofMachine[0] as RunReport).padStart(width))),
    style.dim(line("flush", (group) => cells(group, (run) => MAINTENANCE_NAMES[run.maintenance]))),
    ...rows.map(({ title, cell }) =>
      cell === undefined ? `${GAP}${style.bold(title)}` : line(title, (group) => cells(group, cell)),
    ),
  ].join("\n");
}

const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - visibleLength(text))) + text;

/** A dash where nothing was measured: the level isn't there, or the play was interrupted before. */
const orDash = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : count(value);
const thousands = (value: number | null | undefined): string =>
  orDash(value === null || value === undefined ? value : Math.round(value / 1000));

/** What latent classes mean here, counted as it says most: in lines or in occurrences. */
const LATENT_TITLES: Readonly<Partial<Record<HazardName, readonly [title: string, what: "occurrences" | "lines"]>>> = {
  "mismatched-attributes": ["lines accessed uncached while cached", "lines"],
  "set/way-short-of-poc": ["set/way loops short of the PoC", "occurrences"],
};

function comparisonRows(runs: readonly RunReport[], style: Style): Row[] {
  const levels = [...new Set(runs.flatMap(({ caches }) => caches.map(({ level }) => level)))].sort();
  const beyond = (level: string) =>
    runs.some(({ caches }) => caches.some((cache) => cache.level === level && !cache.setWay));
  const found = HAZARD_CLASSES.filter(({ name }) => runs.some(({ hazards }) => (hazards[name]?.occurrences ?? 0) > 0));
  const seen = found.filter(({ kind }) => kind === "observed");
  const latent = found.filter(({ kind }) => kind === "latent");
  return [
    { title: "what the kernel sees", cell: (run) => verdict(run, style) },
    { title: "Dirty lines when the caches went off" },
    ...levels.map((level) => ({
      title: `  ${level}${beyond(level) ? ", which set/way doesn't reach" : ""}`,
      cell: (run: RunReport) => orDash(run.dirtyWhenCachesOff?.[level]),
    })),
    { title: "  left above the PoC for the kernel", cell: (run) => orDash(leftAbovePoc(run)) },
    { title: "Observed" },
    ...(seen.length === 0 ? [{ title: "  stale reads and fetches", cell: () => "0" }] : []),
    ...seen.flatMap(({ name }): Row[] => [
      { title: `  ${PLURALS[name] ?? name}`, cell: (run) => red(run.hazards[name]?.occurrences, style) },
      { title: "    distinct lines", cell: (run) => red(run.hazards[name]?.lines, style) },
    ]),
    { title: "Lost" },
    { title: "  lines whose newest value is gone", cell: (run) => orDash(run.hazards["lost-write"]?.lines) },
    { title: "    reads that missed it", cell: (run) => red(run.lossesNoticed, style) },
    ...(latent.length === 0 ? [] : [{ title: "Latent: could have gone wrong" }]),
    ...latent.map(({ name }): Row => {
      const [title, what] = LATENT_TITLES[name] ?? [name, "occurrences"];
      return { title: `  ${title}`, cell: (run) => orDash(run.hazards[name]?.[what]) };
    }),
    { title: "Cost, thousands of cycles" },
    ...causesOf(runs).map((cause) => ({
      title: `  ${CAUSES[cause] ?? cause}`,
      cell: (run: RunReport) => thousands(run.cycles.byCause[cause] ?? 0),
    })),
    { title: "  total", cell: (run) => thousands(run.cycles.total) },
    { title: "The flush" },
    { title: "  operations", cell: (run) => orDash(run.flushOperations) },
    { title: "  thousands of cycles, of the total", cell: (run) => thousands(run.flushCycles) },
  ];
}

/** Causes that show in thousands, hits before everything else; each machine has its own in order already. */
function causesOf(runs: readonly RunReport[]): string[] {
  const causes = new Set(runs.flatMap(({ cycles }) => Object.keys(cycles.byCause)));
  const isHit = (cause: string) => cause.endsWith(" hit");
  return [...[...causes].filter(isHit).sort(hitOrder), ...[...causes].filter((cause) => !isHit(cause))].filter(
    (cause) => runs.some(({ cycles }) => (cycles.byCause[cause] ?? 0) >= 500),
  );
}

/** `L1I hit`, `L1D hit`, `L2 hit`... as in a list of levels, which isn't the alphabet's order. */
const hitOrder = (a: string, b: string): number => rankOf(a) - rankOf(b);
const rankOf = (cause: string): number => (cause.startsWith("L1I") ? 0 : cause.startsWith("L") ? Number(cause[1]) : 8);

const PLURALS: Readonly<Partial<Record<HazardName, string>>> = {
  "stale-read": "stale reads",
  "stale-fetch": "stale fetches",
};

const CAUSES: Readonly<Record<string, string>> = {
  memory: "memory, through the caches",
  uncached: "memory, past the caches",
  writeback: "writebacks",
  maintenance: "maintenance operations",
  dsb: "DSB",
  isb: "ISB",
};

const leftAbovePoc = ({ dirtyWhenKernelStarts }: RunReport): number | null =>
  dirtyWhenKernelStarts && Object.values(dirtyWhenKernelStarts).reduce((sum, lines) => sum + lines, 0);

const verdict = (run: RunReport, style: Style): string =>
  run.clean ? style.green(run.partial ? "not yet" : "clean") : style.red("STALE");

const red = (value: number | undefined, style: Style): string =>
  value === undefined || value === 0 ? orDash(value) : style.red(count(value));

/** One machine in several sizes: what was dirty, and how many lines somebody saw old, by kind of flush. */
export function sweepTable(runs: readonly RunReport[], style: Style): string {
  const maintenances = [...new Set(runs.map(({ maintenance }) => maintenance))];
  const sizes = byMachine(runs);
  const names = maintenances.map((maintenance) => MAINTENANCE_NAMES[maintenance]);
  const labels = sizes.map(([run]) => run?.variant?.label ?? "");
  const cellsOf = (ofSize: readonly RunReport[], text: (run: RunReport) => string) =>
    maintenances.map((maintenance) => {
      const run = ofSize.find((each) => each.maintenance === maintenance);
      return run === undefined ? "-" : text(run);
    });
  const groups = [
    {
      title: "dirty when caches go off",
      rows: sizes.map((ofSize) => cellsOf(ofSize, (run) => orDash(sumDirty(run.dirtyWhenCachesOff)))),
    },
    { title: "left above the PoC", rows: sizes.map((ofSize) => cellsOf(ofSize, (run) => orDash(leftAbovePoc(run)))) },
    { title: "seen stale", rows: sizes.map((ofSize) => cellsOf(ofSize, (run) => seenStale(run, style))) },
  ];
  const labelWidth = Math.max(...labels.map(({ length }) => length));
  const laidOut = groups.map(({ title, rows }) => {
    const widths = names.map((name, column) =>
      Math.max(name.length, ...rows.map((row) => visibleLength(row[column] as string))),
    );
    const lines = [names, ...rows].map((row) =>
      row.map((cell, column) => padStart(cell, widths[column] as number)).join(GAP),
    );
    const width = Math.max(title.length, ...lines.map(visibleLength));
    return [title, ...lines].map((line) => padStart(line, width));
  });
  const lines = ["", "flush", ...labels].map((label, index) =>
    [GAP + label.padEnd(labelWidth), ...laidOut.map((column) => column[index] as string)].join(GAP.repeat(2)).trimEnd(),
  );
  return lines.map((line, index) => (index < 2 ? style.dim(line) : line)).join("\n");
}

const sumDirty = (dirty: RunReport["dirtyWhenCachesOff"]): number | null =>
  dirty && Object.values(dirty).reduce((sum, lines) => sum + lines, 0);

const seenStale = (run: RunReport, style: Style): string => {
  const observed = HAZARD_CLASSES.filter(({ kind }) => kind === "observed");
  const lines = observed.reduce((sum, { name }) => sum + (run.hazards[name]?.lines ?? 0), 0);
  return lines === 0 ? style.green(run.partial ? "not yet" : "clean") : style.red(count(lines));
};
