/**
 * Lines over a shared x axis. They differ in colour, dashes and marks, so that none of these is needed alone; axes begin at
 * zero, or are logarithmic where values lie far apart.
 */
import { COLORS, compact, type Picture, svgText as text } from "./svg.ts";

const LEAST_WIDTH = 960;
/** Of one letter of a legend, generously. */
const LETTER_WIDTH = 7;
const PLOT = { left: 84, top: 56, width: 600, height: 380 } as const;
const MARGIN_BELOW = 64;
const LEGEND_LINE = 18;
const LEGEND_LEFT = PLOT.left + PLOT.width + 24;
const HEIGHT = PLOT.top + PLOT.height + MARGIN_BELOW;
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
/** Marks tell lines apart, and hide them where points are many. */
const MOST_MARKS = 64;
/** Beyond a factor of this much between the smallest and the largest value an axis is logarithmic. */
const LOGARITHMIC_FROM = 30;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly label: string;
  readonly points: readonly Point[];
}

interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface Axis {
  /** From 0 to 1. */
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xAxis: Axis;
  readonly yAxis: Axis;
  readonly series: readonly Series[];
}

export function lineChart({ title, subtitle, xTitle, yTitle, xAxis, yAxis, series }: LineChart): Picture {
  const longest = Math.max(...series.map(({ label }) => label.length), 0);
  const width = Math.max(LEAST_WIDTH, LEGEND_LEFT + 48 + longest * LETTER_WIDTH);
  const height = Math.max(HEIGHT, PLOT.top + series.length * LEGEND_LINE + 24);
  const parts = [
    text(PLOT.left, 24, title, 'font-size="16" font-weight="bold"'),
    text(PLOT.left, 42, subtitle, 'class="quiet"'),
    ...xAxis.ticks.flatMap((tick) => xTick(xAxis, tick)),
    ...yAxis.ticks.flatMap((tick) => yTick(yAxis, tick)),
    `<rect class="frame" x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.width}" height="${PLOT.height}"/>`,
    text(PLOT.left + PLOT.width / 2, PLOT.top + PLOT.height + 46, xTitle, 'text-anchor="middle"'),
    text(0, 0, yTitle, `text-anchor="middle" transform="translate(18 ${PLOT.top + PLOT.height / 2}) rotate(-90)"`),
    ...series.flatMap((each, index) => line(each, index, xAxis, yAxis)),
  ];
  return { title: `${title}: ${subtitle}`, width, height, parts };
}

/** Linear from 0, or logarithmic in powers of ten; `wanted` are the only ticks if they are given and few. */
export function numberAxis(
  values: readonly number[],
  label: (value: number) => string = compact,
  wanted?: readonly number[],
): Axis {
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
    `<line x1="${x}" y1="${PLOT.top}" x2="${x}" y2="${bottom}" class="grid"/>`,
    text(x, bottom + 18, label, 'text-anchor="middle"'),
  ];
}

function yTick(axis: Axis, { value, label }: Tick): string[] {
  const y = yAt(axis, value);
  return [
    `<line x1="${PLOT.left}" y1="${y}" x2="${PLOT.left + PLOT.width}" y2="${y}" class="grid"/>`,
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
    ...(at.length > MOST_MARKS ? [] : at.map(([x, y]) => mark(index, x, y, color))),
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
