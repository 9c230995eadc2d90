/** How one play of a story is told: what was done, who saw what, what it cost, and whether that was to be expected. */
import type { Counters } from "../engine/engine.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { formatRecord } from "../engine/record.ts";
import { totalCycles } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { type PlayedStory, type StoryResult, shown } from "../scenario/run-story.ts";
import type { AnyStory, Era } from "../scenario/story.ts";
import type { LineState, Remark, Step } from "../scenario/world.ts";
import type { Emitted } from "./emitted.ts";
import { type NameOf, placeName } from "./explain.ts";
import { hazardReport, linesOf } from "./json.ts";
import { address, count, counted, percent } from "./number.ts";
import { movesOf } from "./story-moves.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, table, wrap } from "./table.ts";
import { hazardsExplained } from "./text.ts";

const WIDTH = 100;
/** Classes of which the first hazard is explained in full. */
const EXPLAINED = 3;
/** Lines of a hypervisor's doings that a trace shows of one step. */
const DOINGS_SHOWN = 8;

export function tellStory(result: StoryResult): Emitted {
  return { json: storyJson(result), text: (color) => storyText(result, styleFor(color)) };
}

const eraText = (era: Era): string => (era === "bare" ? "bare metal" : `a VM under KVM ${era}`);

function fixesText(story: AnyStory, fixes: readonly string[]): string {
  if (fixes.length > 0) return fixes.join(", ");
  return Object.keys(story.fixes).length === 0 ? "none" : "none (the bug)";
}

// JSON

function storyJson(result: StoryResult): unknown {
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
    firstHazards: firstOfEach(result).map((hazard) =>
      hazardReport(hazard, machine, operationAt(result), stepNames(steps)),
    ),
    cycles: totalCycles(machine, result.counters),
    expected: result.expected,
    met: result.unmet.length === 0,
    unmet: result.unmet,
  };
}

function stepJson(step: Step, before: Step | undefined, machine: ResolvedMachine): unknown {
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

const lineJson = (line: LineState, machine: ResolvedMachine) => ({
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
  sections.push(section("What it costs", cyclesText(result, style), style));
  if (Object.keys(story.fixes).length > 0) sections.push(section("Fixes", switchesText(result, style), style));
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
      const here = hazards.filter(
        (hazard) => hazard.class === name && hazard.record >= step.first && hazard.record < step.end,
      );
      if (here.length === 0) continue;
      const paint = kind === "observed" ? style.red : kind === "lost" ? style.yellow : style.dim;
      lines.push(`      ${paint(`${name}: ${counted(here.length, "time")}`)}`);
    }
  });
  return lines.join("\n");
}

function remarkText({ text, actual, expected, held, ...rest }: Remark, style: Style): string {
  void rest;
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
  const columns: Column[] = [
    { title: "class" },
    { title: "occurrences", align: "right" },
    { title: "lines", align: "right" },
    { title: "meaning" },
  ];
  const rows = HAZARD_CLASSES.filter(({ name }) => occurrences(result, name) > 0).map(({ name, kind, summary }) => [
    kind === "observed" ? style.red(name) : kind === "lost" ? style.yellow(name) : name,
    count(occurrences(result, name)),
    count(linesOf(result.hazards, name)),
    kind === "latent" ? `${summary} (nothing has gone wrong yet)` : summary,
  ]);
  return rows.length === 0 ? style.green("  none found") : table(columns, rows, style);
}

function cyclesText({ machine, counters, records }: PlayedStory, style: Style): string {
  const { total, byCause } = totalCycles(machine, counters);
  const columns: Column[] = [
    { title: "cause" },
    { title: "cycles", align: "right" },
    { title: "share", align: "right" },
  ];
  const rows = Object.entries(byCause).map(([cause, cycles]) => [cause, count(cycles), percent(cycles, total)]);
  rows.push([style.bold("total"), style.bold(count(total)), `${counted(records, "record")}`]);
  return table(columns, rows, style);
}

function switchesText({ story, fixes }: PlayedStory, style: Style): string {
  const rows = Object.entries(story.fixes).map(([fix, sentence]) => [
    fixes.includes(fix) ? style.green("on ") : "off",
    style.bold(fix),
    String(sentence),
  ]);
  return table([{ title: "" }, { title: "fix" }, { title: "what it does" }], rows, style);
}

function verdict({ expected, unmet }: PlayedStory, style: Style): string {
  const must = expected.must.length === 0 ? "no observed or lost value" : expected.must.join(", ");
  if (unmet.length === 0) return `${style.green("As expected:")} ${must}`;
  return [`${style.red("NOT AS EXPECTED")} (${must}):`, ...unmet.map((each) => `  ${each}`)].join("\n");
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

/** Records by the step that they belong to. */
const stepNames =
  (steps: readonly Step[]): NameOf =>
  (record) => {
    const index = steps.findIndex(({ first, end }) => record >= first && record < end);
    return index < 0 ? `record ${count(record)}` : `record ${count(record)} (step ${index + 1})`;
  };

function cyclesBetween(machine: ResolvedMachine, before: Counters | undefined, after: Counters): number {
  return totalCycles(machine, after).total - (before === undefined ? 0 : totalCycles(machine, before).total);
}
