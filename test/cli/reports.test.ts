/** Does `-o kind:path` write every kind at once, each with what the result says, before it fails say why, and leave nothing half-written? */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { parquetReadObjects } from "hyparquet";
import { SaxesParser } from "saxes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/program.ts";
import { fetch, load, store } from "../../src/engine/record.ts";
import { KINDS_OF, REPORT_KINDS } from "../../src/report/kinds.ts";
import { setway } from "./capture.ts";
import { type Folder, raw64, SMALL_MACHINE, STALE, temporaryFolder } from "./files.ts";

let folder: Folder;
let machine: string;
let trace: string;

beforeAll(() => {
  folder = temporaryFolder();
  machine = folder.write("small.yaml", SMALL_MACHINE);
  trace = folder.write("stale.raw64", raw64(fetch(0, 0x8000), ...STALE));
});
afterAll(() => folder.remove());

const replay = (...options: readonly string[]) => setway(["replay", trace, "-m", machine, ...options]);
const text = (name: string): string => readFileSync(folder.path(name), "utf8");

/** Rows of a CSV as objects; fields may be quoted. */
function csvRows(content: string): Record<string, string>[] {
  const records = content
    .trimEnd()
    .split("\r\n")
    .map((line) =>
      [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
        .slice(0, -1)
        .map(([, field = ""]) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)),
    );
  const [head = [], ...rows] = records;
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ""])));
}

async function parquetRows(name: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(folder.path(name));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({ file });
}

/** Parquet's values as CSV writes them. */
const asTexts = (rows: readonly Record<string, unknown>[]) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value ?? "")])));

function wellFormed(xml: string): void {
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(xml).close();
}

describe("the table of kinds", () => {
  it("names each once, and verbs write kinds of it", () => {
    const names = REPORT_KINDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const kinds of Object.values(KINDS_OF)) for (const kind of kinds) expect(names).toContain(kind);
  });

  it.each([
    ["replay", ["replay"]],
    ["cost", ["cost", "jit"]],
    ["run", ["run"]],
    ["decompressor", ["run", "decompressor"]],
  ] as const)("is what the help of %s says", async (verb, words) => {
    const { stdout } = await setway([...words, "--help"]);
    expect(stdout.replace(/\s+/g, " ")).toContain(`kinds: ${KINDS_OF[verb].join(", ")};`);
  });

  it("is what setway list reports says", async () => {
    const { stdout } = await setway(["list", "reports"]);
    for (const { name, summary } of REPORT_KINDS)
      expect(stdout).toMatch(new RegExp(`^ +${name} +.*${summary.slice(0, 20).replace(/[()]/g, ".")}`, "m"));
    expect(stdout).toContain("dist/report.schema.json");
  });
});

describe("a replay", () => {
  const path = (kind: string) => `all.${kind}`;

  beforeAll(async () => {
    const outputs = KINDS_OF.replay
      .filter((kind) => kind !== "text")
      .flatMap((kind) => ["-o", `${kind}:${folder.path(path(kind))}`]);
    const { code, stdout } = await replay(...outputs, "-o", "text:-", "--per-core", "--every", "2");
    expect(code).toBe(0);
    expect(stdout).toContain("Cycles by cause");
  });

  it("is written in every kind in one run", () => {
    for (const kind of KINDS_OF.replay) if (kind !== "text") expect(text(path(kind)).length, kind).toBeGreaterThan(100);
  });

  it("has the same numbers in CSV, Parquet and JSON", async () => {
    const rows = csvRows(text(path("csv")));
    expect(asTexts(await parquetRows(path("parquet")))).toEqual(rows);
    const json = JSON.parse(text(path("json")));
    const value = (section: string, name: string, metric: string, core = "") =>
      Number(
        rows.find((row) => row.section === section && row.name === name && row.metric === metric && row.core === core)
          ?.value,
      );
    expect(value("level", "L1D", "misses")).toBe(json.levels.L1D.misses);
    expect(value("hazard", "stale-read", "occurrences")).toBe(1);
    expect(value("cycles", "total", "cycles")).toBe(json.cycles.total);
    expect(value("cycles", "total", "cycles", "0")).toBe(json.perCore[0].cycles.total);
    const intervals = rows.filter(({ section, metric }) => section === "interval" && metric === "records");
    expect(intervals.map(({ name, value }) => [name, value])).toEqual([
      ["0", "2"],
      ["2", "2"],
    ]);
    expect(new Set(rows.map(({ unit }) => unit))).toEqual(
      new Set(["records", "s", "records/s", "count", "lines", "cycles"]),
    );
  });

  it("has a row for each hazard, with what JSON says of it", async () => {
    const { firstHazards } = JSON.parse(text(path("json")));
    const rows = csvRows(text(path("csv"))).filter(({ section }) => section === "found");
    expect(rows.length).toBe(firstHazards.length);
    for (const [index, hazard] of firstHazards.entries()) {
      expect(rows[index]).toMatchObject({
        core: String(hazard.observer),
        name: hazard.class,
        value: String(hazard.occurrences),
        line: hazard.line,
        record: String(hazard.record),
        attribute: hazard.attribute,
        newest: String(hazard.newest?.record ?? ""),
        writer: String(hazard.newest?.writer ?? ""),
        observed: hazard.observed === hazard.expected ? "" : hazard.observed,
        expected: hazard.observed === hazard.expected ? "" : hazard.expected,
      });
    }
    expect(rows[0]).toMatchObject({ name: "stale-read", source: "memory", newestAt: "core 0's L1D", lostAt: "" });
    const typed = (await parquetRows(path("parquet"))).find(({ section }) => section === "found");
    expect(typed).toMatchObject({ record: BigInt(firstHazards[0].record), line: firstHazards[0].line });
  });

  it("says in which order it was played, and why", async () => {
    const orderOf = async (file: string, ...options: readonly string[]) => {
      const { stdout } = await setway(["replay", file, "--json", "--tags-only", ...options]);
      return JSON.parse(stdout).playOrder;
    };
    // Lines of two sizes.
    expect(await orderOf(trace, "-m", "tc2", "--map-addresses", "pages")).toMatchObject({
      order: "program",
      dealtRecords: 0,
      setGroups: 0,
      why: expect.stringContaining("no set groups"),
    });
    expect(await orderOf(trace, "-m", machine)).toMatchObject({
      order: "program",
      why: expect.stringContaining("trace is short"),
    });
    expect(await orderOf(trace, "-m", machine, "--engine", "reference")).toBeUndefined();
    // Loads (the operation of code 0) that all miss; the state of a hundred cores is more than a host's caches hold.
    const missing = Uint32Array.from({ length: 400_000 }, (_, i) =>
      i % 2 === 0 ? (i * 4128) % 0x4000_0000 : (((i >>> 1) % 100) << 24) >>> 0,
    );
    const dealt = await orderOf(folder.write("missing.raw64", new Uint8Array(missing.buffer)), "-m", "host-100c");
    expect(dealt).toMatchObject({ order: "set groups", why: expect.stringContaining("miss") });
    expect(dealt.dealtRecords).toBeGreaterThan(30_000);
    const logged = await orderOf(trace, "-m", machine, "--misses", folder.path("log.swt"));
    expect(logged).toMatchObject({ order: "program", why: expect.stringContaining("logged") });
  });

  it("types what Parquet holds", async () => {
    const [row] = (await parquetRows(path("parquet"))).filter(({ core }) => core !== null && core !== undefined);
    expect(row).toMatchObject({ section: expect.any(String), core: 0n, value: expect.any(Number) });
  });

  it("is a page that fetches nothing and runs nothing", () => {
    const html = text(path("html"));
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|javascript:|\son\w+=/i);
    // Names of namespaces are the only addresses.
    expect(
      [...html.matchAll(/https?:\/\/[^"'\s<]+/g)]
        .map(([url]) => url)
        .filter((url) => url !== "http://www.w3.org/2000/svg"),
    ).toEqual([]);
    for (const word of ["stale-read", "Cycles by cause", "DC CVAC or DC CIVAC", "prefers-color-scheme", "<svg"])
      expect(html).toContain(word);
    for (const [svg] of html.matchAll(/<svg[\s\S]*?<\/svg>/g)) wellFormed(svg);
  });

  it("is Markdown whose tables have as many cells in each row", () => {
    const markdown = text(path("md"));
    for (const block of markdown.split("\n\n").filter((each) => each.startsWith("|"))) {
      const counts = new Set(
        block
          .trimEnd()
          .split("\n")
          .map((line) => line.replaceAll("\\|", "").split("|").length),
      );
      expect(counts.size, block).toBe(1);
    }
    expect(markdown).toContain("| **stale-read** | 1 | 1 |");
  });

  it("is a picture in SVG", () => {
    wellFormed(text(path("svg")));
    expect(text(path("svg"))).toContain("Cycles by cause");
  });
});

describe("other verbs", () => {
  it("cost writes its rows as Parquet, Markdown and HTML", async () => {
    const outputs = ["csv", "parquet", "md", "html"].flatMap((kind) => [
      "-o",
      `${kind}:${folder.path(`cost.${kind}`)}`,
    ]);
    const { code } = await setway(["cost", "jit", "--bytes", "64,256", "--features", "neither", ...outputs]);
    expect(code).toBe(0);
    expect(asTexts(await parquetRows("cost.parquet"))).toEqual(csvRows(text("cost.csv")));
    expect(text("cost.html")).toContain("<polyline");
    expect(text("cost.md")).toMatch(/^# jit on /);
  });

  it("run writes a story in every kind, and several as tables and pages", async () => {
    const outputs = KINDS_OF.run
      .filter((kind) => kind !== "text")
      .flatMap((kind) => ["-o", `${kind}:${folder.path(`story.${kind}`)}`]);
    expect((await setway(["run", "set-way-is-local", ...outputs])).code).toBe(0);
    const rows = csvRows(text("story.csv"));
    const json = JSON.parse(text("story.json"));
    expect(
      Number(rows.find(({ section, name, core }) => section === "cycles" && name === "total" && core === "")?.value),
    ).toBe(json.cycles.total);
    expect(asTexts(await parquetRows("story.parquet"))).toEqual(rows);
    for (const step of json.steps) expect(text("story.html")).toContain(step.text.split(/[&<>"]/)[0]);
    const several = [
      "run",
      "set-way-is-local",
      "--on",
      "juno,rpi4",
      "-o",
      `csv:${folder.path("two.csv")}`,
      "-o",
      `html:${folder.path("two.html")}`,
    ];
    expect((await setway(several)).code).toBe(0);
    expect(new Set(csvRows(text("two.csv")).map((row) => row.machine))).toEqual(new Set(["juno", "rpi4"]));
  });

  it("run --matrix writes a row for each class of each variant", async () => {
    const { code } = await setway([
      "run",
      "set-way-is-local",
      "--matrix",
      "--on",
      "juno",
      "-o",
      `csv:${folder.path("m.csv")}`,
      "-o",
      `md:${folder.path("m.md")}`,
    ]);
    expect(code).toBe(0);
    const rows = csvRows(text("m.csv"));
    expect(Object.keys(rows[0] ?? {})).toEqual(["story", "machine", "era", "fixes", "class", "hazards", "met"]);
    expect(rows.some(({ hazards }) => Number(hazards) > 0)).toBe(true);
  });
});

describe("before anything is played", () => {
  const wrong = (outputs: readonly string[], ...words: readonly string[]) => [outputs, words] as const;

  it.each([
    wrong(["csw:x"], "did you mean csv?"),
    wrong(["csv:"], "kind:path"),
    wrong(["json:-", "csv:-"], "standard output can hold one result only", "json:-, csv:-"),
    wrong(["json:same", "csv:./same"], "two results for one file"),
    wrong(["json:no/such/folder/x.json"], "there is no folder no/such/folder"),
    wrong(["json:."], "it is a directory"),
    wrong(["json:new/"], "it is a directory"),
  ])("%j is refused", async (outputs, words) => {
    // The trace isn't there either: outputs are looked at first.
    const args = outputs.flatMap((output) => ["-o", output]);
    const { code, stdout, stderr } = await setway(["replay", "no-such-trace", "-m", machine, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const word of words) expect(stderr).toContain(word);
  });

  it("a miss stream and another result can't share a path or standard output", async () => {
    const shared = folder.path("shared");
    for (const args of [
      ["--misses", "-", "--json"],
      ["--misses", shared, "-o", `json:${shared}`],
    ]) {
      const { code, stdout } = await replay(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    }
    expect((await replay("--misses", folder.path("no/such/x.swt"))).stderr).toContain("there is no folder");
  });

  it("kinds that the result won't have are refused", async () => {
    for (const args of [
      ["run", "1", "--matrix", "-o", "perfetto:x"],
      ["run", "1", "--on", "juno,rpi4", "-o", "svg:x"],
    ]) {
      const { code, stderr } = await setway(args);
      expect(code).toBe(2);
      expect(stderr).toContain("can't be written as");
    }
    const { code, stderr } = await replay("--engine", "reference", "-o", `callgrind:${folder.path("x.callgrind")}`);
    expect(code).toBe(2);
    expect(stderr).toContain("keeps no log");
  });
});

describe("files", () => {
  it("are all there or none: a failure leaves what was there before, and nothing else", async () => {
    mkdirSync(folder.path("out"));
    writeFileSync(folder.path("out/a.json"), "old");
    const bad = folder.write("bad.raw64", new Uint8Array(12));
    const outputs = ["-o", `json:${folder.path("out/a.json")}`, "-o", `html:${folder.path("out/b.html")}`];
    const misses = ["--misses", folder.path("out/c.swt")];
    expect((await setway(["replay", bad, "-m", machine, ...outputs, ...misses])).code).toBe(3);
    expect(readdirSync(folder.path("out"))).toEqual(["a.json"]);
    expect(readFileSync(folder.path("out/a.json"), "utf8")).toBe("old");
  });

  it("an interrupted replay writes what it has, labelled partial, and no miss stream", async () => {
    mkdirSync(folder.path("cut"));
    const many = folder.write(
      "many.raw64",
      raw64(...Array.from({ length: 50 }, (_, i) => (i % 2 ? store : load)(0, 64 * i))),
    );
    const outputs = ["csv", "md", "misses"].flatMap((kind) => ["-o", `${kind}:${folder.path(`cut/x.${kind}`)}`]);
    const { code } = await setway(["replay", many, "-m", machine, ...outputs], { signal: AbortSignal.abort() });
    expect(code).toBe(130);
    expect(readdirSync(folder.path("cut")).sort()).toEqual(["x.csv", "x.md"]);
    expect(text("cut/x.csv")).toContain("PARTIAL: interrupted");
    expect(text("cut/x.md")).toContain("PARTIAL RESULT");
  });

  it("colours are for terminals, unless NO_COLOR or TERM=dumb says no", async () => {
    const onTerminal = async (env: Record<string, string>) => {
      const shown: string[] = [];
      const stdout = { isTerminal: true, write: async (chunk: string | Uint8Array) => void shown.push(String(chunk)) };
      const signal = new AbortController().signal;
      const stderr = { isTerminal: false, write: async () => {} };
      await runCommandLine(["replay", trace, "-m", machine], { stdout, stderr, env, columns: 80, signal });
      return shown.join("");
    };
    expect(await onTerminal({})).toContain("\u001b[31mstale-read");
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) expect(await onTerminal(env)).not.toContain("\u001b");
    expect(await onTerminal({ NO_COLOR: "" })).toContain("\u001b");
  });

  it("have no escape sequences", async () => {
    const { stdout } = await setway([
      "replay",
      trace,
      "-m",
      machine,
      "-o",
      `text:${folder.path("plain.txt")}`,
      "-o",
      "md:-",
    ]);
    expect(stdout).not.toContain("\u001b");
    expect(text("plain.txt")).not.toContain("\u001b");
  });
});
