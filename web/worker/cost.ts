/** A cost study, played in the worker, as the rows and the lines that the page shows. */
import { runStudy, STUDIES } from "../../src/cost/index.ts";
import { formatValue, isWords, type Parameter, type Value } from "../../src/cost/parameter.ts";
import type { StudyResult } from "../../src/cost/study.ts";
import { SetwayError } from "../../src/engine/errors.ts";
import { nearestWord } from "../../src/machine/nearest.ts";
import { seriesOf, xOf } from "../../src/report/cost-chart.ts";
import type { CostSheet, Progress, Questions } from "../protocol.ts";
import { machineNamed } from "./catalogue.ts";

/** Clock of the simulated cores, as on the command line. */
const GHZ = 2;

export async function costSheet(
  { study: name, machine, parameters }: Questions["cost"]["question"],
  isCancelled: () => boolean,
  report: (progress: Progress) => void,
): Promise<CostSheet> {
  const study = STUDIES[name];
  if (study === undefined) {
    const names = Object.keys(STUDIES);
    throw new SetwayError("usage", "no such study", {
      found: name,
      expected: names.join(", "),
      nearest: nearestWord(name, names),
    });
  }
  const stop = new AbortController();
  const result = await runStudy(study, {
    machine: machineNamed(machine).machine,
    ghz: GHZ,
    parameters,
    signal: stop.signal,
    progress: (done, total) => report({ done, total }),
    breathe: async () => {
      await new Promise((resolve) => setTimeout(resolve));
      if (isCancelled()) stop.abort();
    },
  });
  return sheetOf(result);
}

function sheetOf(result: StudyResult): CostSheet {
  const { study, lists, rows, notes, machine, partial } = result;
  const parameters = study.parameters as Readonly<Record<string, Parameter>>;
  const text = (value: Value | undefined, digits = 0): string =>
    typeof value === "number"
      ? value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits })
      : String(value ?? "");
  const x = xOf(result);
  const parameter = parameters[x] as Parameter;
  const values = lists[x] as readonly Value[];
  const series = seriesOf(result, x);
  const at = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b);
  return {
    study: study.name,
    columns: [
      ...Object.entries(parameters).map(([name, { summary }]) => ({ title: name, summary })),
      ...study.columns.map(({ title, summary }) => ({ title, summary })),
    ],
    rows: rows.map(({ values: own, cells }) => [
      ...Object.entries(parameters).map(([name, each]) => formatValue(each, own[name] as Value)),
      ...study.columns.map(({ key, digits }) => text(cells[key], digits)),
    ]),
    notes: [
      ...(partial ? [`stopped after ${rows.length} of ${result.rowsPlanned} rows`] : []),
      ...notes,
      ...study.assumptions,
      `a clock of ${result.ghz} GHz and the latencies of ${machine.name}; costs are additive (R32)`,
    ],
    chart: {
      title: `${study.name} on ${machine.name}`,
      xTitle: `${x}: ${parameter.summary}`,
      yTitle: study.chart.yTitle,
      words: isWords(parameter) ? values.map(String) : undefined,
      isBytes: !isWords(parameter) && parameter.unit === "bytes",
      x: at,
      series: series.map(({ label, points }) => ({
        label,
        y: at.map((value) => points.find((point) => point.x === value)?.y ?? null),
      })),
    },
  };
}
