/** How a matrix of stories is told: machines and eras down, fixes across, and in each cell the hazards that were found. */
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import type { Cell, Matrix } from "../scenario/matrix.ts";
import { type AnyStory, WRONG_RESULT } from "../scenario/story.ts";
import type { Emitted } from "./emitted.ts";
import { counted, seconds } from "./number.ts";
import {
  type LinesBlock,
  type Page,
  type Section,
  type Cell as TableCell,
  tableBlock,
  tableText,
  toned,
} from "./page.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, wrap } from "./table.ts";
import type { TidyColumn, TidyTable } from "./tidy-table.ts";

const WIDTH = 100;

/** Short for a cell; the legend says what they stand for. */
const LETTERS: Readonly<Partial<Record<HazardName, string>>> = {
  "stale-read": "read",
  "stale-fetch": "fetch",
  "stale-dma": "dma",
  "stale-walk": "walk",
  "lost-write": "lost",
  leak: "leak",
};

export function tellMatrix(matrix: Matrix): Emitted<MatrixJson> {
  return {
    json: matrixJson(matrix),
    text: (color) => matrixText(matrix, styleFor(color)),
    table: () => matrixTable(matrix),
    page: () => matrixPage(matrix),
  };
}

/** What `setway run --matrix` prints. */
export interface MatrixJson {
  readonly stories: readonly { readonly name: string; readonly number: number | null; readonly title: string }[];
  readonly cells: readonly (Cell & { readonly met: boolean })[];
  /** Whether every variant that was played met its expectations. */
  readonly met: boolean;
  /** Whether it was interrupted. */
  readonly partial: boolean;
  readonly seconds: number;
}

/** Whether every variant that was played met its expectations. */
export const matrixMet = (matrix: Matrix): boolean => matrix.cells.every(({ unmet }) => unmet.length === 0);

function matrixJson(matrix: Matrix): MatrixJson {
  return {
    stories: matrix.stories.map(({ name, number, title }) => ({ name, number: number ?? null, title })),
    cells: matrix.cells.map((cell) => ({ ...cell, met: cell.unmet.length === 0 })),
    met: matrixMet(matrix),
    partial: matrix.partial,
    seconds: matrix.seconds,
  };
}

function matrixText(matrix: Matrix, style: Style): string {
  const sections = matrix.stories.map((story) => storyTable(story, matrix.cells, style));
  if (matrix.partial) sections.unshift(style.yellow("PARTIAL RESULT: interrupted before the end"));
  const played = matrix.cells.filter(({ skipped }) => skipped === undefined);
  const unmet = played.filter((cell) => cell.unmet.length > 0);
  sections.push([style.dim(LEGEND), style.dim("cores that would idle are left out of large machines")].join("\n"));
  if (unmet.length > 0) {
    sections.push([style.red("NOT AS EXPECTED"), ...unmet.map(unmetText)].join("\n"));
  }
  const verdict = unmet.length === 0 ? style.green("all as expected") : style.red(`${unmet.length} not as expected`);
  sections.push(`${counted(played.length, "play")} in ${seconds(matrix.seconds)}, ${verdict}`);
  return `${sections.join("\n\n")}\n`;
}

const unmetText = ({ story, machine, era, fixes, unmet }: Cell): string =>
  `  ${story} on ${machine} (${era}), fixes ${fixes.join("+") || "none"}: ${unmet.join("; ")}`;

/** A row for each class of each variant: how many were found, 0 included. What was skipped has no rows. */
function matrixTable({ cells, partial }: Matrix): TidyTable {
  return {
    columns: [
      ...["story", "machine", "era", "fixes", "class"].map((name): TidyColumn => ({ name, type: "text" })),
      { name: "hazards", type: "integer" },
      { name: "met", type: "integer" },
    ],
    rows: cells
      .filter(({ skipped }) => skipped === undefined)
      .flatMap(({ story, machine, era, fixes, hazards, wrongResults, unmet }) =>
        [
          ...HAZARD_CLASSES.map(({ name }) => [name, hazards[name] ?? 0] as const),
          [WRONG_RESULT, wrongResults] as const,
        ].map(([name, found]) => [story, machine, era, fixes.join("+"), name, found, unmet.length === 0 ? 1 : 0]),
      ),
    partial: partial ? "interrupted before the end" : undefined,
  };
}

function matrixPage(matrix: Matrix): Page {
  const { stories, cells, partial, seconds: took } = matrix;
  const played = cells.filter(({ skipped }) => skipped === undefined);
  const unmet = played.filter((cell) => cell.unmet.length > 0);
  const sections = stories.map((story): Section => {
    const { columns, rows, reasons } = storyRows(story, cells);
    const notPlayed: LinesBlock = {
      kind: "lines",
      lines: reasons.length === 0 ? [] : [toned("quiet", `not played: ${reasons.join("; ")}`)],
    };
    return { title: storyTitle(story), blocks: [...(rows.length === 0 ? [] : [tableBlock(columns, rows)]), notPlayed] };
  });
  return {
    title: `${counted(stories.length, "story", "stories")} on their machines`,
    lead: [
      ...(partial ? [toned("warn", "PARTIAL RESULT: interrupted before the end")] : []),
      `${counted(played.length, "play")} in ${seconds(took)}`,
      unmet.length === 0 ? toned("good", "all as expected") : toned("bad", `${unmet.length} not as expected`),
      ...unmet.map((cell) => toned("bad", unmetText(cell).trim())),
      toned("quiet", LEGEND),
    ],
    sections,
  };
}

const LEGEND =
  "stale read, fetch, dma, walk: lines seen old; lost: newest values gone; wrong: results; (n): latent hazards only";

const storyTitle = ({ name, number, title }: AnyStory): string =>
  `${name}${number === undefined ? "" : ` (${number})`}: ${title}`;

function storyTable(story: AnyStory, all: readonly Cell[], style: Style): string {
  const { columns, rows, reasons } = storyRows(story, all);
  const lines = [
    `${style.bold(story.name)}${story.number === undefined ? "" : ` (${story.number})`}: ${story.title}`,
    ...(rows.length === 0 ? [] : [tableText(tableBlock(columns, rows), style)]),
    ...(reasons.length === 0 ? [] : [style.dim(`  ${wrap(`not played: ${reasons.join("; ")}`, WIDTH, "  ")}`)]),
  ];
  return lines.join("\n");
}

interface StoryRows {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly TableCell[])[];
  /** Why some weren't played. */
  readonly reasons: readonly string[];
}

function storyRows(story: AnyStory, all: readonly Cell[]): StoryRows {
  const cells = all.filter((cell) => cell.story === story.name);
  const variants = [...new Set(cells.map(({ fixes }) => fixes.join("+")))];
  const rowKeys = [...new Set(cells.map(({ machine, era }) => `${machine}\n${era}`))];
  const onlyBare = cells.every(({ era }) => era === "bare");
  const reasons = new Set<string>();
  const rows: TableCell[][] = [];
  for (const key of rowKeys) {
    const [machine = "", era = ""] = key.split("\n");
    const here = cells.filter((cell) => cell.machine === machine && cell.era === era);
    const skipped = here.find((cell) => cell.skipped !== undefined)?.skipped;
    if (skipped !== undefined) {
      reasons.add(skipped);
      continue;
    }
    const across = variants.map((variant) => {
      const cell = here.find(({ fixes }) => fixes.join("+") === variant);
      return cell === undefined ? "" : cellOf(cell);
    });
    rows.push([machine, ...(onlyBare ? [] : [era]), ...across]);
  }
  const columns: Column[] = [
    { title: "machine" },
    ...(onlyBare ? [] : [{ title: "era" }]),
    ...variants.map((variant) => ({ title: variant === "" ? "no fix" : variant })),
  ];
  return { columns, rows, reasons: [...reasons] };
}

function cellOf({ hazards, wrongResults, unmet }: Cell): TableCell {
  const parts: string[] = [];
  let latent = 0;
  for (const { name, kind } of HAZARD_CLASSES) {
    const times = hazards[name] ?? 0;
    if (times === 0) continue;
    if (kind === "latent") latent += times;
    else parts.push(`${LETTERS[name] ?? name} ${times}`);
  }
  if (wrongResults > 0) parts.push(`wrong ${wrongResults}`);
  const mark = unmet.length > 0 ? " !" : "";
  if (parts.length > 0) return toned("bad", parts.join(" ") + mark);
  const text = latent > 0 ? `clean (${latent})` : "clean";
  if (unmet.length > 0) return toned("bad", text + mark);
  return latent > 0 ? text : toned("good", text);
}
