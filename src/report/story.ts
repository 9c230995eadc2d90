/** How one play of a story is told: what was done, who saw what, what it cost, and whether that was to be expected. */
import type { Copy, Counters } from "../engine/engine.ts";
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import { formatRecord } from "../engine/record.ts";
import { type Cycles, cyclesOf, totalCycles } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { type PlayedStory, type StoryResult, shown } from "../scenario/run-story.ts";
import { type AnyStory, type Era, type HazardDemand, WRONG_RESULT } from "../scenario/story.ts";
import type { LineState, Remark, Step } from "../scenario/world.ts";
import { barChart } from "./bar-chart.ts";
import type { Emitted } from "./emitted.ts";
import { type NameOf, placeName } from "./explain.ts";
import { LONG_AND_HAZARD_COLUMNS, withHazards } from "./hazard-rows.ts";
import { type HazardReport, hazardReport, linesOf } from "./json.ts";
import { address, count, counted, percent } from "./number.ts";
import {
  type Cell,
  chartBlock,
  hazardCell,
  type LinesBlock,
  type Page,
  type TableBlock,
  tableBlock,
  tableText,
  toned,
} from "./page.ts";
import { cyclesRows } from "./replay-table.ts";
import { movesOf } from "./story-moves.ts";
import { storyTimeline } from "./story-timeline.ts";
import { type Style, styleFor } from "./style.ts";
import { type Picture, stacked } from "./svg.ts";
import { type Column, wrap } from "./table.ts";
import { cyclesTable, hazardsExplained } from "./text.ts";
import type { LongRow, TidyColumn, TidyTable } from "./tidy-table.ts";

const WIDTH = 100;
/** Classes of which the first hazard is explained in full. */
const EXPLAINED = 3;
/** Lines of a hypervisor's doings that a trace shows of one step. */
const DOINGS_SHOWN = 8;

function tellStory(result: StoryResult): Emitted<StoryJson> {
  return {
    json: storyJson(result),
    text: (color) => storyText(result, styleFor(color)),
    table: () => storyTable([result]),
    page: () => storyPage(result),
    ...(result.skipped === undefined
      ? { picture: () => stacked(titleOf(result), storyPictures(result)), timeline: () => storyTimeline(result) }
      : {}),
  };
}

/** Several plays: one after another as text and as pages, one list as JSON, one table. */
export function tellStories(results: readonly StoryResult[]): Emitted<StoryJson | StoriesJson> {
  const told = results.map(tellStory);
  const [first] = told;
  if (told.length === 1 && first !== undefined) return first;
  return {
    json: { stories: told.map(({ json }) => json) },
    text: (color) => told.map(({ text }) => text(color)).join(`\n${"-".repeat(WIDTH)}\n\n`),
    table: () => storyTable(results),
    page: () => ({
      title: `${counted(results.length, "play")} of stories`,
      lead: [],
      sections: results.flatMap((result) => {
        const { title, lead, sections } = storyPage(result);
        return [
          { title, blocks: [{ kind: "lines", lines: lead } satisfies LinesBlock] },
          ...sections.map((each) => ({ ...each, title: `${title}: ${each.title}` })),
        ];
      }),
    }),
  };
}

const eraText = (era: Era): string => (era === "bare" ? "bare metal" : `a VM under KVM ${era}`);

function fixesText(story: AnyStory, fixes: readonly string[]): string {
  if (fixes.length > 0) return fixes.join(", ");
  return Object.keys(story.fixes).length === 0 ? "none" : "none (the bug)";
}

const titleOf = ({ story, machineName, era }: StoryResult): string =>
  `${story.name}${story.number === undefined ? "" : ` (${story.number})`} on ${machineName}, ${eraText(era)}`;

// JSON

export interface LineJson {
  readonly name?: string;
  readonly address: string;
  readonly copies: readonly { readonly in: string; readonly state: Copy["state"] }[];
  readonly memoryIsNewest: boolean;
}

export interface StepJson {
  readonly text: string;
  readonly firstRecord: number;
  readonly records: number;
  /** Facts, and checks with what was expected. */
  readonly remarks: readonly {
    readonly text: string;
    readonly actual?: string;
    readonly expected?: string;
    readonly held?: boolean;
  }[];
  /** What the hypervisor did meanwhile. */
  readonly hypervisor?: readonly string[];
  /** These three with `--trace` only. */
  readonly cycles?: number;
  readonly moves?: readonly string[];
  readonly lines?: readonly LineJson[];
}

/** What `setway run` of a story prints. Everything behind `fixes` but `skipped` is absent where it was skipped. */
export interface StoryJson {
  readonly story: {
    readonly name: string;
    readonly number: number | null;
    readonly title: string;
    readonly source: string;
  };
  readonly machine: string;
  readonly era: Era;
  readonly engine: string;
  readonly fixes: Readonly<Record<string, boolean>>;
  /** Why it means nothing here. */
  readonly skipped?: string;
  readonly records?: number;
  readonly steps?: readonly StepJson[];
  /** Occurrences by class; classes that weren't found are absent. */
  readonly hazards?: Readonly<Partial<Record<HazardName, number>>>;
  /** How many of the story's results were wrong. */
  readonly wrongResults?: number;
  /** The first hazard of each class, explained. */
  readonly firstHazards?: readonly HazardReport[];
  readonly cycles?: Cycles;
  readonly expected?: HazardDemand;
  readonly met?: boolean;
  readonly unmet?: readonly string[];
}

export interface StoriesJson {
  readonly stories: readonly StoryJson[];
}

function storyJson(result: StoryResult): StoryJson {
  const { story } = result;
  const head = {
    story: { name: story.name, number: story.number ?? null, title: story.title, source: story.source },
    machine: result.machineName,
    era: result.era,
    engine: result.engine,
    fixes: Object.fromEntries(Object.keys(story.fixes).map((fix) => [fix, result.fixes.includes(fix)])),
  };
  if (result.skipped !== undefined) return { ...head, skipped: result.skipped };
  const { machine, steps } = result;
  return {
    ...head,
    records: result.records,
    steps: steps.map((step, index) => stepJson(step, steps[index - 1], machine)),
    hazards: Object.fromEntries(
      HAZARD_CLASSES.map(({ name }) => [name, occurrences(result, name)]).filter(([, times]) => times !== 0),
    ),
    wrongResults: result.wrongResults,
    firstHazards: firstOfEach(result).map((hazard) =>
      hazardReport(hazard, machine, operationAt(result), stepNames(steps)),
    ),
    cycles: totalCycles(machine, result.counters),
    expected: result.expected,
    met: result.unmet.length === 0,
    unmet: result.unmet,
  };
}

function stepJson(step: Step, before: Step | undefined, machine: ResolvedMachine): StepJson {
  const { text, first, end, remarks, hypervisor, after } = step;
  return {
    text,
    firstRecord: first,
    records: end - first,
    remarks: remarks.map((remark) => ({
      text: remark.text,
      ...("actual" in remark && remark.actual !== undefined ? { actual: shown(remark.actual) } : {}),
      ...("expected" in remark ? { expected: shown(remark.expected), held: remark.held } : {}),
    })),
    ...(hypervisor.length > 0 ? { hypervisor } : {}),
    ...(after === undefined
      ? {}
      : {
          cycles: cyclesBetween(machine, before?.after?.counters, after.counters),
          moves: movesOf(machine, before?.after, after),
          lines: after.lines.map((line) => ({ ...lineJson(line, machine) })),
        }),
  };
}

const lineJson = (line: LineState, machine: ResolvedMachine): LineJson => ({
  ...(line.name === undefined ? {} : { name: line.name }),
  address: address(line.address),
  copies: line.copies.map(({ cache, state }) => ({ in: placeName({ cache }, machine), state })),
  memoryIsNewest: line.memoryIsNewest,
});

// Text

function storyText(result: StoryResult, style: Style): string {
  const { story } = result;
  const head = [
    `${style.bold(story.name)}${story.number === undefined ? "" : ` (${story.number})`}: ${story.title}`,
    `on ${style.bold(result.machineName)}, ${eraText(result.era)}; fixes: ${fixesText(story, result.fixes)}${result.engine === "kernel" ? "" : `; ${result.engine} model`}`,
    style.dim(wrap(story.source, WIDTH)),
  ].join("\n");
  if (result.skipped !== undefined) return `${head}\n\n${style.yellow("Skipped:")} ${result.skipped}\n`;
  const sections = [
    head,
    section("What happens", stepsText(result, style), style),
    section("Hazards", hazardsText(result, style), style),
  ];
  const explained = firstOfEach(result);
  if (explained.length > 0) {
    const reports = explained.map((hazard) =>
      hazardReport(hazard, result.machine, operationAt(result), stepNames(result.steps)),
    );
    sections.push(section("Why", hazardsExplained(reports, style), style));
  }
  sections.push(section("What it costs", tableText(costsTable(result), style), style));
  if (Object.keys(story.fixes).length > 0)
    sections.push(section("Fixes", tableText(switchesTable(result), style), style));
  sections.push(verdict(result, style));
  return `${sections.join("\n\n")}\n`;
}

const section = (title: string, body: string, style: Style): string => `${style.bold(title)}\n${body}`;

function stepsText({ steps, machine, hazards }: PlayedStory, style: Style): string {
  const lines: string[] = [];
  steps.forEach((step, index) => {
    const size = step.end > step.first ? style.dim(`  ${counted(step.end - step.first, "record")}`) : "";
    const cycles =
      step.after === undefined
        ? ""
        : style.dim(
            `, ${count(cyclesBetween(machine, steps[index - 1]?.after?.counters, step.after.counters))} cycles`,
          );
    lines.push(
      `  ${String(index + 1).padStart(2)}. ${wrap(step.text || "before the first step", WIDTH - 6, "      ")}${size}${cycles}`,
    );
    for (const remark of step.remarks) lines.push(`      ${remarkText(remark, style)}`);
    if (step.after !== undefined) {
      for (const move of movesOf(machine, steps[index - 1]?.after, step.after)) lines.push(`      ${style.dim(move)}`);
      for (const line of step.after.lines) lines.push(`      ${lineText(line, machine, style)}`);
      for (const doing of step.hypervisor.slice(0, DOINGS_SHOWN))
        lines.push(`      ${style.dim(`hypervisor: ${doing}`)}`);
      const more = step.hypervisor.length - DOINGS_SHOWN;
      if (more > 0) lines.push(style.dim(`      hypervisor: and ${counted(more, "thing")} more`));
    }
    // A hazard belongs to the step in which it was first seen.
    for (const { name, kind } of HAZARD_CLASSES) {
      const here = hazards.filter((hazard) => hazard.class === name && stepOf(steps, hazard.record) === index);
      if (here.length === 0) continue;
      const paint = kind === "observed" ? style.red : kind === "lost" ? style.yellow : style.dim;
      lines.push(`      ${paint(`${name}: ${counted(here.length, "time")}`)}`);
    }
  });
  return lines.join("\n");
}

function remarkText({ text, actual, expected, held }: Remark, style: Style): string {
  if (expected === undefined) return actual === undefined ? text : `${text}: ${shown(actual)}`;
  const value = `${text}: ${shown(actual)}`;
  return held ? `${value} ${style.green("as it should be")}` : style.red(`${value}, should be ${shown(expected)}`);
}

function lineText(line: LineState, machine: ResolvedMachine, style: Style): string {
  const copies = line.copies.map(({ cache, state }) => `${state} in ${placeName({ cache }, machine)}`).join(", ");
  const memory = line.memoryIsNewest ? "memory has the newest bytes" : style.yellow("memory is behind");
  return `${line.name ?? address(line.address)}: ${copies || "in no cache"}; ${memory}`;
}

function hazardsText(result: PlayedStory, style: Style): string {
  const block = hazardsTable(result);
  return block.rows.length === 0 ? style.green("  none found") : tableText(block, style);
}

function hazardsTable(result: PlayedStory): TableBlock {
  const columns: Column[] = [
    { title: "class" },
    { title: "occurrences", align: "right" },
    { title: "lines", align: "right" },
    { title: "meaning" },
  ];
  const rows = HAZARD_CLASSES.filter(({ name }) => occurrences(result, name) > 0).map(({ name, kind, summary }) => [
    hazardCell(name, kind),
    count(occurrences(result, name)),
    count(linesOf(result.hazards, name)),
    kind === "latent" ? `${summary} (nothing has gone wrong yet)` : summary,
  ]);
  if (result.wrongResults > 0) {
    const meaning = "software got something wrong that is no old value of a line (said by the story)";
    rows.push([hazardCell(WRONG_RESULT, "observed"), count(result.wrongResults), "", meaning]);
  }
  return tableBlock(columns, rows);
}

const costsTable = ({ machine, counters, records }: PlayedStory): TableBlock =>
  cyclesTable(totalCycles(machine, counters), counted(records, "record"));

function switchesTable({ story, fixes }: PlayedStory): TableBlock {
  const rows = Object.entries(story.fixes).map(([fix, sentence]) => [
    fixes.includes(fix) ? toned("good", "on ") : "off",
    toned("strong", fix),
    String(sentence),
  ]);
  return tableBlock([{ title: "" }, { title: "fix" }, { title: "what it does" }], rows);
}

function verdict({ expected, unmet }: PlayedStory, style: Style): string {
  const must = expected.must.length === 0 ? "no observed or lost value" : expected.must.join(", ");
  if (unmet.length === 0) return `${style.green("As expected:")} ${must}`;
  return [`${style.red("NOT AS EXPECTED")} (${must}):`, ...unmet.map((each) => `  ${each}`)].join("\n");
}

// Pages, pictures and tables

function storyPage(result: StoryResult): Page {
  const { story } = result;
  const lead: Cell[] = [
    story.title,
    `fixes: ${fixesText(story, result.fixes)}; ${result.engine}`,
    toned("quiet", story.source),
  ];
  if (result.skipped !== undefined) {
    return { title: titleOf(result), lead: [...lead, toned("warn", `Skipped: ${result.skipped}`)], sections: [] };
  }
  const none: LinesBlock = { kind: "lines", lines: [toned("good", "none found")] };
  const hazards = hazardsTable(result);
  const explained = firstOfEach(result).map((hazard) =>
    hazardReport(hazard, result.machine, operationAt(result), stepNames(result.steps)),
  );
  return {
    title: titleOf(result),
    lead: [...lead, ...verdict(result, styleFor(false)).split("\n")],
    sections: [
      { title: "What happens", blocks: [stepsTable(result)] },
      { title: "Hazards", blocks: [hazards.rows.length === 0 ? none : hazards] },
      { title: "Why", blocks: explained.length === 0 ? [] : [{ kind: "explained", hazards: explained }] },
      { title: "What it costs", blocks: [costsTable(result)] },
      { title: "Fixes", blocks: Object.keys(story.fixes).length === 0 ? [] : [switchesTable(result)] },
      { title: "Pictures", blocks: storyPictures(result).map((picture) => chartBlock(picture)) },
    ],
  };
}

/** A row a step; facts, checks and hazards that belong to it in rows of their own beneath. */
function stepsTable({ steps, hazards }: PlayedStory): TableBlock {
  const rows = steps.flatMap(({ text, first, end, remarks }, index): (readonly Cell[])[] => [
    [String(index + 1), text || "before the first step", count(end - first)],
    ...remarks.map(({ text: remark, actual, expected, held }): readonly Cell[] => {
      const value = actual === undefined ? remark : `${remark}: ${shown(actual)}`;
      return ["", held ? value : toned("bad", `${value}, should be ${shown(expected)}`), ""];
    }),
    ...HAZARD_CLASSES.flatMap(({ name, kind }): (readonly Cell[])[] => {
      const here = hazards.filter(({ class: of, record }) => of === name && stepOf(steps, record) === index);
      if (here.length === 0) return [];
      const text = `${name}: ${counted(here.length, "time")}`;
      return [["", kind === "latent" ? toned("quiet", text) : hazardCell(text, kind), ""]];
    }),
  ]);
  return tableBlock([{ title: "", align: "right" }, { title: "step" }, { title: "records", align: "right" }], rows);
}

function storyPictures(result: PlayedStory): readonly Picture[] {
  const { total, byCause } = totalCycles(result.machine, result.counters);
  return [
    barChart({
      title: "Cycles by cause",
      subtitle: `${titleOf(result)}: ${count(total)} simulated cycles`,
      bars: Object.entries(byCause)
        .sort(([, a], [, b]) => b - a)
        .map(([label, value]) => ({ label, value, text: `${count(value)} (${percent(value, total)})` })),
    }),
  ];
}

/** The long form, each play named first. */
function storyTable(results: readonly StoryResult[]): TidyTable {
  const head = ["story", "machine", "era", "fixes"].map((name): TidyColumn => ({ name, type: "text" }));
  return {
    columns: [...head, ...LONG_AND_HAZARD_COLUMNS],
    rows: results.flatMap((result) => {
      const names = [result.story.name, result.machineName, result.era, result.fixes.join("+")];
      if (result.skipped !== undefined) return [];
      return [...withHazards(longRows(result), result.hazards, result.machine)].map((row) => [...names, ...row]);
    }),
  };
}

function* longRows(result: PlayedStory): Generator<LongRow> {
  yield ["story", null, result.story.name, "records", result.records, "records"];
  yield ["story", null, result.story.name, "unmet", result.unmet.length, "count"];
  for (const { name } of HAZARD_CLASSES) {
    yield ["hazard", null, name, "occurrences", occurrences(result, name), "count"];
    yield ["hazard", null, name, "lines", linesOf(result.hazards, name), "lines"];
  }
  yield ["hazard", null, WRONG_RESULT, "occurrences", result.wrongResults, "count"];
  yield* cyclesRows(null, totalCycles(result.machine, result.counters));
  for (const { id } of result.machine.cores) yield* cyclesRows(id, cyclesOf(result.machine, result.counters, id));
  for (const [index, { first, end }] of result.steps.entries()) {
    yield ["step", null, String(index + 1), "records", end - first, "records"];
  }
}

// What both need

/** The first hazard of each class, what was seen or lost before what is latent. */
function firstOfEach({ hazards }: PlayedStory): PlayedStory["hazards"] {
  const classes = [...new Set(hazards.map((hazard) => hazard.class))];
  return classes.slice(0, EXPLAINED).flatMap((name) => hazards.find((hazard) => hazard.class === name) ?? []);
}

function occurrences({ hazards }: PlayedStory, name: string): number {
  return hazards.reduce((sum, hazard) => sum + (hazard.class === name ? hazard.occurrences : 0), 0);
}

const operationAt = (result: PlayedStory) => (record: number) => {
  const entry = result.recordAt(record);
  return entry === undefined ? undefined : formatRecord(entry);
};

/** Index of the step that a record belongs to; one that faulted wasn't played, and is behind the last that was. */
function stepOf(steps: readonly Step[], record: number): number {
  const index = steps.findIndex(({ first, end }) => record >= first && record < end);
  return index >= 0 ? index : steps.findLastIndex(({ first }) => record >= first);
}

/** Records by the step that they belong to. */
const stepNames =
  (steps: readonly Step[]): NameOf =>
  (record) => {
    const index = stepOf(steps, record);
    return index < 0 ? `record ${count(record)}` : `record ${count(record)} (step ${index + 1})`;
  };

function cyclesBetween(machine: ResolvedMachine, before: Counters | undefined, after: Counters): number {
  return totalCycles(machine, after).total - (before === undefined ? 0 : totalCycles(machine, before).total);
}
