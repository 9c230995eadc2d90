/** A study as a line chart: one line for each combination of what varies beside the x axis. */
import { formatValue, isWords, type Parameter, type Value } from "../cost/parameter.ts";
import type { StudyResult } from "../cost/study.ts";
import { type Axis, lineChart, numberAxis, type Point, type Series } from "./line-chart.ts";
import { type Picture, pictureDocument } from "./svg.ts";

export const costChart = (result: StudyResult): string => pictureDocument(costPicture(result));

export function costPicture(result: StudyResult): Picture {
  const { study, lists, machine, partial } = result;
  const x = xOf(result);
  const series = seriesOf(result, x);
  const title = `${study.name} on ${machine.name}${partial ? " (PARTIAL)" : ""}`;
  return lineChart({
    title,
    subtitle: `${study.summary}; clock ${result.ghz} GHz, latencies assumed`,
    xTitle: axisTitle(result, x),
    yTitle: study.chart.yTitle,
    xAxis: xAxisOf(parameterOf(result, x), lists[x] as readonly Value[]),
    yAxis: numberAxis(series.flatMap(({ points }) => points.map((point) => point.y))),
    series,
  });
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

function axisTitle(result: StudyResult, x: string): string {
  const parameter = parameterOf(result, x);
  return `${x}: ${parameter.summary}`.slice(0, 100);
}

const parameterOf = ({ study }: StudyResult, name: string): Parameter =>
  (study.parameters as Readonly<Record<string, Parameter>>)[name] as Parameter;
