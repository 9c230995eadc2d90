/** How a matrix of stories is told: machines and eras down, fixes across, and in each cell the hazards that were found. */
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";
import type { Cell, Matrix } from "../scenario/matrix.ts";
import type { AnyStory } from "../scenario/story.ts";
import type { Emitted } from "./emitted.ts";
import { counted, seconds } from "./number.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, table, wrap } from "./table.ts";

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

export function tellMatrix(matrix: Matrix): Emitted {
  return { json: matrixJson(matrix), text: (color) => matrixText(matrix, styleFor(color)) };
}

/** Whether every variant that was played met its expectations. */
export const matrixMet = (matrix: Matrix): boolean => matrix.cells.every(({ unmet }) => unmet.length === 0);

function matrixJson(matrix: Matrix): unknown {
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
  sections.push(
    [
      style.dim("stale read, fetch, dma, walk: lines seen old; lost: newest values gone; (n): latent hazards only"),
      style.dim("cores that would idle are left out of large machines"),
    ].join("\n"),
  );
  if (unmet.length > 0) {
    sections.push([style.red("NOT AS EXPECTED"), ...unmet.map(unmetText)].join("\n"));
  }
  const verdict = unmet.length === 0 ? style.green("all as expected") : style.red(`${unmet.length} not as expected`);
  sections.push(`${counted(played.length, "play")} in ${seconds(matrix.seconds)}, ${verdict}`);
  return `${sections.join("\n\n")}\n`;
}

const unmetText = ({ story, machine, era, fixes, unmet }: Cell): string =>
  `  ${story} on ${machine} (${era}), fixes ${fixes.join("+") || "none"}: ${unmet.join("; ")}`;

function storyTable(story: AnyStory, all: readonly Cell[], style: Style): string {
  const cells = all.filter((cell) => cell.story === story.name);
  const variants = [...new Set(cells.map(({ fixes }) => fixes.join("+")))];
  const rowKeys = [...new Set(cells.map(({ machine, era }) => `${machine}\n${era}`))];
  const onlyBare = cells.every(({ era }) => era === "bare");
  const reasons = new Set<string>();
  const rows: string[][] = [];
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
      return cell === undefined ? "" : cellText(cell, style);
    });
    rows.push([machine, ...(onlyBare ? [] : [era]), ...across]);
  }
  const columns: Column[] = [
    { title: "machine" },
    ...(onlyBare ? [] : [{ title: "era" }]),
    ...variants.map((variant) => ({ title: variant === "" ? "no fix" : variant })),
  ];
  const lines = [
    `${style.bold(story.name)}${story.number === undefined ? "" : ` (${story.number})`}: ${story.title}`,
    ...(rows.length === 0 ? [] : [table(columns, rows, style)]),
    ...(reasons.size === 0 ? [] : [style.dim(`  ${wrap(`not played: ${[...reasons].join("; ")}`, WIDTH, "  ")}`)]),
  ];
  return lines.join("\n");
}

function cellText({ hazards, unmet }: Cell, style: Style): string {
  const parts: string[] = [];
  let latent = 0;
  for (const { name, kind } of HAZARD_CLASSES) {
    const times = hazards[name] ?? 0;
    if (times === 0) continue;
    if (kind === "latent") latent += times;
    else parts.push(`${LETTERS[name] ?? name} ${times}`);
  }
  const mark = unmet.length > 0 ? style.red(" !") : "";
  if (parts.length > 0) return style.red(parts.join(" ")) + mark;
  return (latent > 0 ? `clean (${latent})` : style.green("clean")) + mark;
}
