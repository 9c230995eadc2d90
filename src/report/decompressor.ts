/** The published result of `setway run decompressor`: what `--json` prints and the text is made from. Keys are only ever added. */
import type { Hazard } from "../engine/engine.ts";
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import { type Cycles, levelNames, totalCycles } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import type { Checkpoint, PlayedBoot } from "../scenario/decompressor/play.ts";
import type { BootRun, DecompressorResult, RecordedPhase } from "../scenario/decompressor/result.ts";
import type { Maintenance, Phase } from "../scenario/decompressor/stream.ts";
import { decompressorText } from "./decompressor-text.ts";
import type { Emitted } from "./emitted.ts";
import { type HazardReport, hazardReport, type LevelReport, levelReports, linesOf } from "./json.ts";
import { address, count } from "./number.ts";
import type { Page } from "./page.ts";
import { cyclesRows, levelRows } from "./replay-table.ts";
import { LONG_COLUMNS, type LongRow, type TidyColumn, type TidyTable } from "./tidy-table.ts";

export interface ClassReport {
  readonly occurrences: number;
  /** Distinct lines; of set/way-short-of-poc the dirty ones (D33). */
  readonly lines: number;
}

/** A hazard with the numbers that its records have in the recording; null where they aren't in it. */
export interface BootHazardReport extends HazardReport {
  readonly recorded: { readonly record: number | null; readonly newest: number | null; readonly lostAt: number | null };
}

/** Levels from the core outwards to dirty lines, data and unified caches only. */
export type DirtyLines = Readonly<Record<string, number>>;

export interface RunReport {
  readonly machine: string;
  /** The size of the swept cache; null where nothing is swept. */
  readonly variant: { readonly level: string; readonly sizeBytes: number; readonly label: string } | null;
  readonly maintenance: Maintenance;
  /** True if the machine's cores couldn't run this kernel. */
  readonly cachesOnly: boolean;
  readonly partial: boolean;
  readonly records: number;
  readonly seconds: number;
  /** The data caches on the way of the core that boots. */
  readonly caches: readonly { readonly level: string; readonly sizeBytes: number; readonly setWay: boolean }[];
  /** Data cache operations of the flush, and of the kernel's DC ISW loop. */
  readonly flushOperations: number;
  readonly invalidateOperations: number;
  /** Null where the play was interrupted before. */
  readonly dirtyWhenCachesOff: DirtyLines | null;
  /** The same when the kernel gets control: after the second set/way flush, if there is one. */
  readonly dirtyWhenKernelStarts: DirtyLines | null;
  /** Of these, what is in caches that set/way doesn't reach: above the Point of Coherency all the same. */
  readonly leftBeyondSetWay: number | null;
  readonly dirtyAtEnd: DirtyLines;
  /** Whether nobody saw an old value. */
  readonly clean: boolean;
  readonly hazards: Readonly<Partial<Record<HazardName, ClassReport>>>;
  readonly notAssessable: readonly HazardName[];
  /** Stale observations of a value that had been lost: 0 says that all that was lost was dead. */
  readonly lossesNoticed: number;
  readonly cycles: Cycles;
  /** Cycles of each phase that was played to its end. */
  readonly phaseCycles: Readonly<Partial<Record<Phase, number>>>;
  /** Cycles from the flush's beginning to the kernel's entry. */
  readonly flushCycles: number | null;
  readonly levels: Readonly<Record<string, LevelReport>>;
  readonly firstHazards: readonly BootHazardReport[];
}

export interface DecompressorReport {
  readonly scenario: "decompressor";
  readonly partial: boolean;
  /** Boots that an interrupt left out. */
  readonly missing: number;
  readonly trace: {
    readonly name: string;
    readonly source: string | null;
    readonly records: number;
    readonly image: {
      readonly first: string;
      readonly end: string;
      readonly bytes: number;
      readonly lines: number;
      readonly linesVerified: number;
    };
    readonly phases: readonly RecordedPhase[];
  };
  readonly runs: readonly RunReport[];
}

/** The story of a result, as text and JSON. */
export function tellDecompressor(result: DecompressorResult): Emitted<DecompressorReport> {
  const report = decompressorReport(result);
  return {
    json: report,
    text: (color) => decompressorText(report, color),
    table: () => decompressorTable(report),
    page: () => decompressorPage(report),
  };
}

/** The long form, each boot's machine, size and flush first. */
function decompressorTable({ runs, partial, missing }: DecompressorReport): TidyTable {
  const head = ["machine", "variant", "flush"].map((name): TidyColumn => ({ name, type: "text" }));
  return {
    columns: [...head, ...LONG_COLUMNS],
    rows: runs.flatMap((run) =>
      [...longRows(run)].map((row) => [run.machine, run.variant?.label ?? null, run.maintenance, ...row]),
    ),
    partial: partial ? `interrupted; ${missing} boots left out` : undefined,
  };
}

function* longRows(run: RunReport): Generator<LongRow> {
  yield ["boot", null, run.machine, "records", run.records, "records"];
  yield ["boot", null, run.machine, "clean", run.clean ? 1 : 0, "0 or 1"];
  yield ["boot", null, run.machine, "flushOperations", run.flushOperations, "count"];
  yield ["boot", null, run.machine, "lossesNoticed", run.lossesNoticed, "count"];
  if (run.flushCycles !== null) yield ["boot", null, run.machine, "flushCycles", run.flushCycles, "cycles"];
  const dirty = { dirtyWhenCachesOff: run.dirtyWhenCachesOff, dirtyWhenKernelStarts: run.dirtyWhenKernelStarts };
  for (const [metric, levels] of Object.entries({ ...dirty, dirtyAtEnd: run.dirtyAtEnd })) {
    for (const [level, lines] of Object.entries(levels ?? {})) yield ["level", null, level, metric, lines, "lines"];
  }
  for (const [name, { occurrences, lines }] of Object.entries(run.hazards)) {
    yield ["hazard", null, name, "occurrences", occurrences, "count"];
    yield ["hazard", null, name, "lines", lines, "lines"];
  }
  for (const [level, counters] of Object.entries(run.levels)) yield* levelRows(level, counters);
  for (const [phase, cycles] of Object.entries(run.phaseCycles)) {
    yield ["phase", null, phase, "cycles", cycles, "cycles"];
  }
  yield* cyclesRows(null, run.cycles);
}

/** Boots stand side by side in the terminal's report, which is shown as it is. */
function decompressorPage(report: DecompressorReport): Page {
  const [title = "", ...rest] = decompressorText(report, false).split("\n");
  return { title, lead: [], sections: [{ title: "Boots", blocks: [{ kind: "plain", text: rest.join("\n").trim() }] }] };
}

function decompressorReport({
  boot,
  phases,
  runs,
  missing,
  partial,
  explained,
}: DecompressorResult): DecompressorReport {
  const { first, end, strideBytes, linesVerified } = boot.image;
  return {
    scenario: "decompressor",
    partial,
    missing,
    trace: {
      // The file's name without the folder in which this installation has it.
      name: boot.name.split(/[/\\]/).at(-1) as string,
      source: boot.source ?? null,
      records: boot.records,
      image: {
        first: address(first),
        end: address(end),
        bytes: end - first,
        lines: (end - first) / strideBytes,
        linesVerified,
      },
      phases,
    },
    runs: runs.map((run) => runReport(run, explained)),
  };
}

function runReport(run: BootRun, explained: number): RunReport {
  const { machine, played, hazards, checkpoints } = run;
  const notAssessable = played.notAssessable();
  const at = (phase: Phase) => checkpoints.find((checkpoint) => checkpoint.phase === phase);
  const kernelStarts = at("caches-off");
  const flushBegins = at("decompression");
  const observed = hazards.filter((hazard) => kindOf(hazard) === "observed");
  return {
    machine: machine.name,
    variant: run.variant ?? null,
    maintenance: run.maintenance,
    cachesOnly: run.cachesOnly,
    partial: run.partial,
    records: played.records,
    seconds: run.seconds,
    caches: cachesOfBootCore(machine),
    flushOperations: run.flushOperations,
    invalidateOperations: run.invalidateOperations,
    dirtyWhenCachesOff: dirtyByLevel(machine, at("flush")?.dirtyLines),
    dirtyWhenKernelStarts: dirtyByLevel(machine, kernelStarts?.dirtyLines),
    leftBeyondSetWay: beyondSetWay(machine, kernelStarts?.dirtyLines),
    dirtyAtEnd: dirtyByLevel(machine, played.dirtyLines()) as DirtyLines,
    clean: observed.length === 0,
    hazards: Object.fromEntries(
      HAZARD_CLASSES.filter(({ name }) => !notAssessable.includes(name)).map(({ name }) => [
        name,
        ofClass(hazards, name),
      ]),
    ),
    notAssessable,
    lossesNoticed: observed.reduce((sum, { lostAt, occurrences }) => sum + (lostAt < 0 ? 0 : occurrences), 0),
    cycles: totalCycles(machine, played.counters()),
    phaseCycles: cyclesByPhase(machine, checkpoints),
    flushCycles:
      kernelStarts === undefined || flushBegins === undefined
        ? null
        : totalCycles(machine, kernelStarts.counters).total - totalCycles(machine, flushBegins.counters).total,
    levels: levelReports(played),
    firstHazards: hazards.slice(0, explained).map((hazard) => bootHazardReport(hazard, machine, run)),
  };
}

const kindOf = (hazard: Hazard) => HAZARD_CLASSES.find(({ name }) => name === hazard.class)?.kind;

function ofClass(hazards: readonly Hazard[], name: HazardName): ClassReport {
  const occurrences = hazards.reduce((sum, hazard) => sum + (hazard.class === name ? hazard.occurrences : 0), 0);
  return { occurrences, lines: linesOf(hazards, name) };
}

/** The boot runs on core 0, in memory of the low addresses: its data caches, inner first. */
function cachesOfBootCore(machine: ResolvedMachine): RunReport["caches"] {
  return machine.caches
    .filter(({ holds, cores }) => holds !== "instructions" && cores.includes(0))
    .map(({ level, sets, ways, lineBytes, setWay }) => ({ level, sizeBytes: sets * ways * lineBytes, setWay }))
    .filter(({ level }, index, all) => all.findIndex((other) => other.level === level) === index);
}

function dirtyByLevel(machine: ResolvedMachine, dirtyLines: readonly number[] | undefined): DirtyLines | null {
  if (dirtyLines === undefined) return null;
  const caches = machine.caches.filter(({ holds }) => holds !== "instructions");
  const levels = levelNames(machine).filter((level) => caches.some((cache) => cache.level === level));
  return Object.fromEntries(
    levels.map((level) => [
      level,
      caches.reduce((sum, cache) => sum + (cache.level === level ? (dirtyLines[cache.id] ?? 0) : 0), 0),
    ]),
  );
}

function beyondSetWay(machine: ResolvedMachine, dirtyLines: readonly number[] | undefined): number | null {
  if (dirtyLines === undefined) return null;
  return machine.caches.reduce((sum, { id, setWay }) => sum + (setWay ? 0 : (dirtyLines[id] ?? 0)), 0);
}

function cyclesByPhase(machine: ResolvedMachine, checkpoints: readonly Checkpoint[]): Partial<Record<Phase, number>> {
  const totals = checkpoints.map(({ counters }) => totalCycles(machine, counters).total);
  return Object.fromEntries(
    checkpoints.map(({ phase }, index) => [phase, (totals[index] as number) - (totals[index - 1] ?? 0)]),
  );
}

function bootHazardReport(hazard: Hazard, machine: ResolvedMachine, { names }: PlayedBoot): BootHazardReport {
  const recorded = (record: number) => names.get(record)?.recorded ?? null;
  return {
    ...hazardReport(
      hazard,
      machine,
      (record) => names.get(record)?.operation,
      (record) => names.get(record)?.name ?? `record ${count(record)} as played`,
    ),
    recorded: { record: recorded(hazard.record), newest: recorded(hazard.newest), lostAt: recorded(hazard.lostAt) },
  };
}
