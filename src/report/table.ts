/** Aligned tables for terminals: a header, rows, numbers to the right. */
import { type Style, visibleLength } from "./style.ts";

export interface Column {
  readonly title: string;
  /** Numbers stand to the right, words to the left (the default). */
  readonly align?: "left" | "right";
}

/** Lines without a newline at the end, indented by two blanks. Columns are as wide as their widest cell. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => visibleLength(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, index) => pad(cell, widths[index] as number, columns[index]?.align)).join("  ")}`.trimEnd();
  const header = line(columns.map((column) => column.title));
  return [style.dim(header), ...rows.map(line)].join("\n");
}

function pad(text: string, width: number, align: Column["align"]): string {
  const blanks = " ".repeat(Math.max(0, width - visibleLength(text)));
  return align === "right" ? blanks + text : text + blanks;
}

/** Text broken at blanks so that no line is longer than `width`, not counting the indent of every line after the first. */
export function wrap(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + piece.length > width) {
      lines.push(line);
      line = piece;
    } else {
      line = line === "" ? piece : `${line} ${piece}`;
    }
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}
