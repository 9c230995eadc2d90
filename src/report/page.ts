/**
 * A report as blocks that Markdown, HTML and the terminal all show: tables whose cells say what they mean, lines, and
 * explained hazards. Nothing here knows what a report is about, nor how a cell's tone looks.
 */
import type { Explanation } from "./explain.ts";
import type { Style } from "./style.ts";
import { type Picture, pictureDocument } from "./svg.ts";
import { type Column, table } from "./table.ts";

/** What a text means, apart from its words. */
export type Tone = "bad" | "warn" | "good" | "strong" | "quiet";

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface TableBlock {
  readonly kind: "table";
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface LinesBlock {
  readonly kind: "lines";
  readonly lines: readonly Cell[];
}

/** Hazards with the answers to the questions that a reader has. */
export interface ExplainedBlock {
  readonly kind: "explained";
  readonly hazards: readonly { readonly class: string; readonly explanation: Explanation }[];
}

/** What has a shape of its own: shown as it is, in letters of one width. */
export interface PlainBlock {
  readonly kind: "plain";
  readonly text: string;
}

/** A picture: one complete `<svg>` element. `about` says in words what it shows. */
export interface ChartBlock {
  readonly kind: "chart";
  readonly svg: string;
  readonly about: string;
}

export type Block = TableBlock | LinesBlock | ExplainedBlock | PlainBlock | ChartBlock;

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface Page {
  readonly title: string;
  /** Under the title. */
  readonly lead: readonly Cell[];
  readonly sections: readonly Section[];
}

export const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

export const toned = (tone: Tone, text: string): Cell => ({ text, tone });

/** What a hazard's kind sounds like. */
export const HAZARD_TONES = { observed: "bad", lost: "warn", latent: undefined } as const satisfies Record<
  string,
  Tone | undefined
>;

export const hazardCell = (name: string, kind: keyof typeof HAZARD_TONES): Cell => {
  const tone = HAZARD_TONES[kind];
  return tone === undefined ? name : toned(tone, name);
};

/** The questions that an explanation answers, in order, and what a report calls them. */
export const QUESTIONS: readonly (readonly [keyof Explanation, string])[] = [
  ["written", "written"],
  ["seen", "seen"],
  ["where", "was"],
  ["path", "path"],
  ["loss", "lost"],
  ["remedy", "remedy"],
];

export function tableBlock(columns: readonly Column[], rows: readonly (readonly Cell[])[]): TableBlock {
  return { kind: "table", columns, rows };
}

export const chartBlock = (picture: Picture): ChartBlock => ({
  kind: "chart",
  svg: pictureDocument(picture),
  about: picture.title,
});

const PAINTS: Readonly<Record<Tone, (style: Style) => (text: string) => string>> = {
  bad: (style) => style.red,
  warn: (style) => style.yellow,
  good: (style) => style.green,
  strong: (style) => style.bold,
  quiet: (style) => style.dim,
};

/** A cell for a terminal. */
export const painted = (cell: Cell, style: Style): string =>
  typeof cell === "string" ? cell : PAINTS[cell.tone](style)(cell.text);

/** A table for a terminal. */
export const tableText = ({ columns, rows }: TableBlock, style: Style): string =>
  table(
    columns,
    rows.map((row) => row.map((cell) => painted(cell, style))),
    style,
  );
