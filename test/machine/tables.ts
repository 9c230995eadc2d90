/** Tab-separated tables beside the tests, as rows of named columns. */
import { readFileSync } from "node:fs";

export type Row = Readonly<Record<string, string>>;

export function readTable(name: string): Row[] {
  const text = readFileSync(new URL(`./data/${name}`, import.meta.url), "utf8");
  const [header, ...rows] = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return rows.map((cells) => Object.fromEntries(header!.map((column, index) => [column, cells[index]!])));
}
