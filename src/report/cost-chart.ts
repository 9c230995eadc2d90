/**
 * A study as a line chart in SVG: one line for each combination of what varies beside the x axis. No scripts, no fonts of
 * its own; lines differ in colour, dashes and marks, so that none of these is needed alone.
 */
import { formatValue, isWords, type Parameter, type Value } from "../cost/parameter.ts";
import type { StudyResult } from "../cost/study.ts";

const LEAST_WIDTH = 960;
/** Of one letter of a legend, generously. */
const LETTER_WIDTH = 7;
const PLOT = { left: 84, top: 56, width: 600, height: 380 } as const;
const MARGIN_BELOW = 64;
const LEGEND_LINE = 18;
const LEGEND_LEFT = PLOT.left + PLOT.width + 24;
const HEIGHT = PLOT.top + PLOT.height + MARGIN_BELOW;
/** Told apart by people who see colours differently (Okabe and Ito). */
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
/** Beyond a factor of this much between the smallest and the largest value an axis is logarithmic. */
const LOGARITHMIC_FROM = 30;

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Series {
  readonly label: string;
  readonly points: readonly Point[];
}

interface Tick {
  readonly value: number;
  readonly label: string;
}

interface Axis {
  /** From 0 to 1. */
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

export function costChart(result: StudyResult): string {
  const { study, lists, machine, partial } = result;
  const x = xOf(result);
  const series = seriesOf(result, x);
  const xAxis = xAxisOf(parameterOf(result, x), lists[x] as readonly Value[]);
  const yAxis = numberAxis(
    series.flatMap(({ points }) => points.map((point) => point.y)),
    compact,
  );
  const title = `${study.name} on ${machine.name}${partial ? " (PARTIAL)" : ""}`;
  const longest = Math.max(...series.map(({ label }) => label.length), 0);
  const width = Math.max(LEAST_WIDTH, LEGEND_LEFT + 48 + longest * LETTER_WIDTH);
  const height = Math.max(HEIGHT, PLOT.top + series.length * LEGEND_LINE + 24);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(`${title}: ${study.summary}`)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(PLOT.left, 24, title, 'font-size="16" font-weight="bold"'),
    text(PLOT.left, 42, `${study.summary}; clock ${result.ghz} GHz, latencies assumed`, 'fill="#555"'),
    ...xAxis.ticks.flatMap((tick) => xTick(xAxis, tick)),
    ...yAxis.ticks.flatMap((tick) => yTick(yAxis, tick)),
    `<rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.width}" height="${PLOT.height}" fill="none" stroke="#333"/>`,
    text(PLOT.left + PLOT.width / 2, PLOT.top + PLOT.height + 46, axisTitle(result, x), 'text-anchor="middle"'),
    text(
      0,
      0,
      study.chart.yTitle,
      `text-anchor="middle" transform="translate(18 ${PLOT.top + PLOT.height / 2}) rotate(-90)"`,
    ),
    ...series.flatMap((each, index) => line(each, index, xAxis, yAxis)),
    "</svg>",
    "",
  ].join("\n");
}

/** The first parameter of the study's choice that varies; else its first choice. */
export function xOf({ study, lists }: StudyResult): string {
  const { x } = study.chart;
  return x.find((name) => (lists[name] as readonly Value[]).length > 1) ?? (x[0] as string);
}

/** The lines of the chart, with points by ascending x; a word's x is its position among the values. */
export function seriesOf({ study, lists, rows }: StudyResult, x: string): readonly Series[] {
  const varying = Object.keys(lists).filter((name) => name !== x && (lists[name] as readonly Value[]).length > 1);
  const parameters = study.parameters as Readonly<Record<string, Parameter>>;
  const values = lists[x] as readonly Value[];
  const series = new Map<string, Point[]>();
  for (const { key, label } of study.chart.y) {
    for (const row of rows) {
      const y = row.cells[key];
      if (typeof y !== "number" || !Number.isFinite(y)) continue;
      const words = varying.map((name) => {
        const parameter = parameters[name] as Parameter;
        const value = formatValue(parameter, row.values[name] as Value);
        return isWords(parameter) ? value : `${name} ${value}`;
      });
      const name = [...words, ...(study.chart.y.length > 1 ? [label] : [])].join(", ") || label;
      const value = row.values[x] as Value;
      const point = { x: typeof value === "number" ? value : values.indexOf(value), y };
      series.set(name, [...(series.get(name) ?? []), point]);
    }
  }
  return [...series].map(([label, points]) => ({ label, points: [...points].sort((a, b) => a.x - b.x) }));
}

/** Words stand beside one another at equal distances. */
function xAxisOf(parameter: Parameter, values: readonly Value[]): Axis {
  if (!isWords(parameter)) {
    return numberAxis(
      values as readonly number[],
      (value) => formatValue(parameter, value),
      values as readonly number[],
    );
  }
  const last = Math.max(1, values.length - 1);
  return { at: (value) => value / last, ticks: values.map((label, value) => ({ value, label: String(label) })) };
}

/** Linear from 0, or logarithmic in powers of ten; `wanted` are the only ticks if they are given and few. */
function numberAxis(values: readonly number[], label: (value: number) => string, wanted?: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0);
  const most = Math.max(...positive, 0) || 1;
  const least = Math.min(...positive, most);
  const logarithmic = most / least >= LOGARITHMIC_FROM;
  const from = logarithmic ? (wanted ? least : 10 ** Math.floor(Math.log10(least))) : 0;
  const step = 10 ** Math.floor(Math.log10(most)) / (most / 10 ** Math.floor(Math.log10(most)) < 4 ? 2 : 1);
  const to = wanted ? most : logarithmic ? 10 ** Math.ceil(Math.log10(most)) : Math.ceil(most / step) * step;
  const at = logarithmic
    ? // What is zero lies on the axis.
      (value: number) => (value <= from ? 0 : Math.log(value / from) / Math.log(to / from))
    : (value: number) => value / to;
  const ticks = wanted && wanted.length <= 10 ? [...wanted] : logarithmic ? decades(from, to) : steps(step, to);
  return { at, ticks: ticks.map((value) => ({ value, label: label(value) })) };
}

function decades(from: number, to: number): number[] {
  const ticks: number[] = [];
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / 8));
  for (let exponent = first; exponent <= last; exponent += every) ticks.push(10 ** exponent);
  return ticks;
}

function steps(step: number, to: number): number[] {
  return Array.from({ length: Math.round(to / step) + 1 }, (_, index) => index * step);
}

const xAt = (axis: Axis, value: number): string => (PLOT.left + PLOT.width * axis.at(value)).toFixed(1);
const yAt = (axis: Axis, value: number): string => (PLOT.top + PLOT.height * (1 - axis.at(value))).toFixed(1);

function xTick(axis: Axis, { value, label }: Tick): string[] {
  const x = xAt(axis, value);
  const bottom = PLOT.top + PLOT.height;
  return [
    `<line x1="${x}" y1="${PLOT.top}" x2="${x}" y2="${bottom}" stroke="#eee"/>`,
    text(x, bottom + 18, label, 'text-anchor="middle"'),
  ];
}

function yTick(axis: Axis, { value, label }: Tick): string[] {
  const y = yAt(axis, value);
  return [
    `<line x1="${PLOT.left}" y1="${y}" x2="${PLOT.left + PLOT.width}" y2="${y}" stroke="#eee"/>`,
    text(PLOT.left - 8, Number(y) + 4, label, 'text-anchor="end"'),
  ];
}

function line({ label, points }: Series, index: number, xAxis: Axis, yAxis: Axis): string[] {
  const color = COLORS[index % COLORS.length] as string;
  const dash = DASHES[Math.floor(index / COLORS.length) % DASHES.length] as string;
  const stroke = `stroke="${color}" stroke-width="2"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}`;
  const at = points.map((point) => [xAt(xAxis, point.x), yAt(yAxis, point.y)] as const);
  const legendY = PLOT.top + 8 + index * LEGEND_LINE;
  return [
    `<polyline fill="none" ${stroke} points="${at.map((pair) => pair.join(",")).join(" ")}"/>`,
    ...at.map(([x, y]) => mark(index, x, y, color)),
    `<line x1="${LEGEND_LEFT}" y1="${legendY}" x2="${LEGEND_LEFT + 28}" y2="${legendY}" ${stroke}/>`,
    mark(index, String(LEGEND_LEFT + 14), String(legendY), color),
    text(LEGEND_LEFT + 36, legendY + 4, label),
  ];
}

/** A circle, a square or a diamond. */
function mark(index: number, x: string, y: string, color: string): string {
  if (index % 3 === 0) return `<circle cx="${x}" cy="${y}" r="3.5" fill="${color}"/>`;
  const turned = index % 3 === 2 ? ` transform="rotate(45 ${x} ${y})"` : "";
  return `<rect x="${(Number(x) - 3).toFixed(1)}" y="${(Number(y) - 3).toFixed(1)}" width="6" height="6" fill="${color}"${turned}/>`;
}

function axisTitle(result: StudyResult, x: string): string {
  const parameter = parameterOf(result, x);
  return `${x}: ${parameter.summary}`.slice(0, 100);
}

const parameterOf = ({ study }: StudyResult, name: string): Parameter =>
  (study.parameters as Readonly<Record<string, Parameter>>)[name] as Parameter;

/** `1.5 k`, `20 M`. */
function compact(value: number): string {
  for (const [unit, size] of [
    ["T", 1e12],
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (value >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  }
  return String(Number(value.toPrecision(3)));
}

const text = (x: number | string, y: number | string, content: string, attributes = ""): string =>
  `<text x="${x}" y="${y}"${attributes === "" ? "" : ` ${attributes}`}>${escaped(content)}</text>`;

const escaped = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
