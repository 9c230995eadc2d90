/** Do table, JSON, CSV and chart say the same, name what they rest on, and say so when rows are missing? */
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { runStudy, STUDIES, type StudyResult } from "../../src/cost/index.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { type CostReport, tellCost } from "../../src/report/cost.ts";
import { costChart } from "../../src/report/cost-chart.ts";
import { csvOf } from "../../src/report/tidy-table.ts";
import { A57, study } from "./played.ts";

/** What `-o csv:` writes. */
const costCsv = (result: StudyResult): string => csvOf(tellCost(result).table!());

const small = (): Promise<StudyResult> => study("jit", { bytes: "64..4KiB", features: "neither,idc+dic" });

/** Interrupted once two rows are measured. */
function partial(): Promise<StudyResult> {
  const interrupt = new AbortController();
  return runStudy(STUDIES.jit!, {
    machine: loadMachine(A57),
    ghz: 1,
    parameters: { bytes: "64..4KiB" },
    signal: interrupt.signal,
    progress: (done) => {
      if (done === 2) interrupt.abort();
    },
  });
}

describe("a report", () => {
  it("names clock, latencies, assumptions and every column, in text and in JSON", async () => {
    const result = await study("jit", { bytes: "64" }, A57, 1.5);
    const told = tellCost(result);
    const json = told.json as CostReport;
    const text = told.text(false).replace(/\s+/g, " ");
    expect(json).toMatchObject({
      study: "jit",
      machine: "two-a57",
      ghz: 1.5,
      partial: false,
      parameters: { bytes: [64] },
    });
    expect(text).toContain("a clock of 1.5 GHz");
    expect(text).toContain("maintenance 20");
    for (const assumption of json.assumptions) expect(text).toContain(assumption);
    for (const [key, summary] of Object.entries(json.columns)) {
      expect(text).toContain(summary);
      expect(json.rows[0]).toHaveProperty(key);
    }
    expect(told.text(false)).not.toContain("\u001b");
  });

  it("has in CSV what JSON has", async () => {
    const result = await small();
    const [head = "", ...lines] = costCsv(result).trimEnd().split("\r\n");
    const keys = head.split(",");
    const { rows } = tellCost(result).json as CostReport;
    expect(lines).toHaveLength(rows.length);
    expect(lines.map((line) => line.split(","))).toEqual(rows.map((row) => keys.map((key) => String(row[key]))));
  });

  it("quotes what would break CSV", async () => {
    const result = await partial();
    expect(costCsv({ ...result, rows: [{ values: { bytes: 'a"b,c' }, cells: {} }] })).toContain('"a""b,c"');
  });

  it("keeps finished rows of an interrupted study, labelled partial everywhere", async () => {
    const result = await partial();
    expect(result).toMatchObject({ partial: true, rowsPlanned: 16 });
    expect(result.rows).toHaveLength(2);
    const told = tellCost(result);
    expect(told.text(false)).toContain("PARTIAL RESULT: 2 of 16 rows");
    expect(told.json).toMatchObject({ partial: true, rowsPlanned: 16 });
    expect(costCsv(result)).toContain("PARTIAL: 2 of 16 rows");
    expect(costChart(result)).toContain("(PARTIAL)");
  });
});

interface Drawn {
  readonly lines: number;
  readonly points: readonly (readonly [number, number])[];
  readonly texts: readonly string[];
  readonly viewBox: readonly number[];
}

/** Fails where the XML is not well-formed. */
function drawn(svg: string): Drawn {
  const texts: string[] = [];
  const points: (readonly [number, number])[] = [];
  let viewBox: number[] = [];
  let lines = 0;
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    if (name === "svg") viewBox = String(attributes.viewBox).split(" ").map(Number);
    if (name === "polyline") {
      lines++;
      for (const pair of String(attributes.points).split(" ")) {
        const [x = Number.NaN, y = Number.NaN] = pair.split(",").map(Number);
        points.push([x, y]);
      }
    }
  });
  parser.on("text", (text) => texts.push(text));
  parser.write(svg).close();
  return { lines, points, texts, viewBox };
}

describe("a chart", () => {
  it("has one line a combination, each within the picture and in the legend", async () => {
    const { lines, points, texts, viewBox } = drawn(costChart(await small()));
    expect(lines).toBe(2);
    expect(points).toHaveLength(2 * 4);
    for (const word of ["neither", "idc+dic", "64 B", "4 KiB", "cycles"]) expect(texts).toContain(word);
    for (const [x, y] of points) {
      expect(x >= 0 && x <= viewBox[2]! && y >= 0 && y <= viewBox[3]!).toBe(true);
    }
    // More bytes cost more, and further up is more.
    const ys = points.slice(0, 4).map(([, y]) => y);
    expect(ys).toEqual([...ys].sort((a, b) => b - a));
  });

  it("can be drawn of a single row, of none, of zeroes, of words", async () => {
    const result = await small();
    const row = result.rows[0]!;
    for (const rows of [[], [row], [{ ...row, cells: { ...row.cells, cycles: 0 } }]]) {
      expect(costChart({ ...result, rows })).not.toContain("NaN");
      drawn(costChart({ ...result, rows }));
    }
    const words = await study("vga", { remedy: "coherent", resolution: "640x480,800x600", changed: "1" });
    expect(drawn(costChart(words)).texts).toContain("800x600");
  });

  it("escapes what XML would take for markup", async () => {
    const result = await small();
    const machine = { ...result.machine, name: 'a<b>&"c"' };
    expect(drawn(costChart({ ...result, machine })).texts.join()).toContain('a<b>&"c"');
  });
});
