/**
 * The published result of a study of costs: what `--json` prints, and the table for people made from it. Keys are only ever
 * added, never renamed.
 */
import { formatValue, isWords, type Parameter, type Value } from "../cost/parameter.ts";
import type { Column, Row, StudyResult } from "../cost/study.ts";
import type { Latencies } from "../machine/resolved.ts";
import { costChart, costPicture } from "./cost-chart.ts";
import type { Emitted } from "./emitted.ts";
import { count } from "./number.ts";
import { chartBlock, type LinesBlock, type Page, type TableBlock, tableBlock, tableText, toned } from "./page.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column as TableColumn, wrap } from "./table.ts";
import type { TidyTable } from "./tidy-table.ts";

const WIDTH = 118;

export interface CostReport {
  readonly study: string;
  readonly question: string;
  readonly machine: string;
  /** Of the simulated cores: an assumption. */
  readonly ghz: number;
  /** True if it was interrupted: rows are whole, but some are missing. */
  readonly partial: boolean;
  readonly rowsPlanned: number;
  /** All values of each parameter. Sizes are bytes, shares are percent. */
  readonly parameters: Readonly<Record<string, readonly Value[]>>;
  /** What each column is. */
  readonly columns: Readonly<Record<string, string>>;
  /** Parameters and columns by name. */
  readonly rows: readonly Readonly<Record<string, Value>>[];
  /** What the numbers rest on. */
  readonly assumptions: readonly string[];
  /** How they were made: what was scaled, what the machine lacks. */
  readonly notes: readonly string[];
  /** Cycles of each event, as this machine's description has them. */
  readonly latencies: Latencies;
}

function costReport(result: StudyResult): CostReport {
  const { study, machine, ghz, partial, rowsPlanned, lists, rows, notes } = result;
  return {
    study: study.name,
    question: study.summary,
    machine: machine.name,
    ghz,
    partial,
    rowsPlanned,
    parameters: lists,
    columns: Object.fromEntries(study.columns.map(({ key, summary }) => [key, summary])),
    rows: rows.map(({ values, cells }) => ({ ...values, ...cells })),
    assumptions: [...assumptionsOf(result)],
    notes,
    latencies: machine.latencies,
  };
}

/** Latencies and clock first: no number of a study is better than they are. */
function* assumptionsOf({ study, machine, ghz }: StudyResult): Generator<string> {
  const { latencies } = machine;
  const listed = (Object.keys(latencies) as (keyof Latencies)[]).map((name) => `${name} ${latencies[name]}`);
  const hits = new Map(machine.caches.map(({ level, latencyCycles }) => [level, latencyCycles]));
  const levels = [...hits].map(([level, cycles]) => `${level} ${cycles}`);
  yield `a clock of ${ghz} GHz (--ghz)`;
  yield `latencies of ${machine.name}, in cycles, assumed unless its description names a source: ${[...levels, ...listed].join(", ")}`;
  yield "costs are additive (R32): nothing overlaps, nothing queues";
  yield* study.assumptions;
}

export const tellCost = (result: StudyResult): Emitted<CostReport> => ({
  json: costReport(result),
  text: (color) => costText(result, styleFor(color)),
  table: () => costTable(result),
  page: () => costPage(result),
  picture: () => costChart(result),
});

/** Every parameter, then every column, numbers in full. */
function costTable({ study, lists, rows, rowsPlanned, partial }: StudyResult): TidyTable {
  const columns = [...Object.keys(lists), ...study.columns.map(({ key }) => key)];
  const cells = rows.map((row) => columns.map((name) => row.values[name] ?? row.cells[name] ?? null));
  return {
    columns: columns.map((name, index) => ({
      name,
      type: cells.some((row) => typeof row[index] === "string") ? "text" : "number",
    })),
    rows: cells,
    partial: partial ? `${rows.length} of ${rowsPlanned} rows, then interrupted` : undefined,
  };
}

function costPage(result: StudyResult): Page {
  const { study, machine, rows, notes, partial, rowsPlanned } = result;
  const lines = (texts: readonly string[]): LinesBlock => ({ kind: "lines", lines: texts });
  return {
    title: `${study.name} on ${machine.name}`,
    lead: [
      ...(partial ? [toned("warn", partialText(rows.length, rowsPlanned))] : []),
      study.summary,
      ...fixedParameters(result),
    ],
    sections: [
      { title: "Result", blocks: [rows.length === 0 ? lines(["no rows"]) : rowsTable(result)] },
      { title: "Picture", blocks: rows.length === 0 ? [] : [chartBlock(costPicture(result))] },
      { title: "Columns", blocks: [lines(study.columns.map(({ title, summary }) => `${title}: ${summary}`))] },
      { title: "Assumptions", blocks: [lines([...assumptionsOf(result)])] },
      { title: "How", blocks: notes.length === 0 ? [] : [lines(notes)] },
    ],
  };
}

const partialText = (rows: number, planned: number): string =>
  `PARTIAL RESULT: ${rows} of ${planned} rows, the rest was interrupted`;

function costText(result: StudyResult, style: Style): string {
  const { study, machine, rows, notes, partial, rowsPlanned } = result;
  const lines = [
    `${style.bold(study.name)} on ${machine.name}: ${study.summary}`,
    ...(partial ? [style.yellow(partialText(rows.length, rowsPlanned))] : []),
    ...fixedParameters(result).map((text) => `  ${wrap(text, WIDTH, "  ")}`),
    "",
    rows.length === 0 ? "  no rows" : tableText(rowsTable(result), style),
    "",
    style.bold("Columns"),
    ...study.columns.map(({ title, summary }) => style.dim(`  ${wrap(`${title}: ${summary}`, WIDTH, "    ")}`)),
    style.bold("Assumptions"),
    ...[...assumptionsOf(result)].map((text) => `  ${wrap(text, WIDTH, "    ")}`),
    ...(notes.length > 0 ? [style.bold("How"), ...notes.map((text) => `  ${wrap(text, WIDTH, "    ")}`)] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** What has one value only is said once. */
function fixedParameters({ study, lists }: StudyResult): string[] {
  const fixed = Object.entries(lists).filter(([, values]) => values.length === 1);
  if (fixed.length === 0) return [];
  const texts = fixed.map(([name, [value]]) => `${name} ${formatValue(parameterOf(study, name), value as Value)}`);
  return [texts.join(", ")];
}

function rowsTable({ study, lists, rows }: StudyResult): TableBlock {
  const names = Object.keys(lists).filter((name) => (lists[name] as readonly Value[]).length > 1);
  const parameters = names.map((name) => parameterOf(study, name));
  const heads: TableColumn[] = [
    ...names.map((name, index) => ({ title: name, align: isWords(parameters[index]!) ? "left" : "right" }) as const),
    ...study.columns.map(({ key, title }) => ({ title, align: isText(rows, key) ? "left" : "right" }) as const),
  ];
  const cells = rows.map((row) => [
    ...names.map((name, index) => formatValue(parameters[index]!, row.values[name] as Value)),
    ...study.columns.map((column) => cellText(column, row)),
  ]);
  return tableBlock(heads, cells);
}

const isText = (rows: readonly Row[], key: string): boolean => typeof rows[0]?.cells[key] === "string";

function cellText({ key, digits = 0 }: Column, { cells }: Row): string {
  const value = cells[key];
  if (value === undefined) return "-";
  if (typeof value === "string") return value;
  return digits === 0 ? count(Math.round(value)) : decimals(value, digits);
}

/** So many decimals, but never less than three digits of a small number. */
function decimals(value: number, digits: number): string {
  const smallest = 10 ** -digits;
  if (value !== 0 && Math.abs(value) < 100 * smallest) return String(Number(value.toPrecision(3)));
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const parameterOf = (study: StudyResult["study"], name: string): Parameter =>
  (study.parameters as Readonly<Record<string, Parameter>>)[name] as Parameter;
