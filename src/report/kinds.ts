/**
 * The one table of report kinds: what `-o kind:path` may write, which part of a result each needs, and who gives which. Help,
 * parsing, documents and tests read it.
 */
import { callgrindOf } from "./callgrind.ts";
import type { Emitted } from "./emitted.ts";
import { htmlOf } from "./html.ts";
import { markdownOf } from "./markdown.ts";
import { perfettoOf } from "./perfetto.ts";
import { csvOf, parquetOf } from "./tidy-table.ts";

export interface ReportKind {
  readonly name: string;
  /** Of its files, by habit. */
  readonly extension: string;
  readonly summary: string;
  /** Whether a terminal can't show it. */
  readonly binary?: true;
  /** Written while a replay goes on, not from its result. */
  readonly streamed?: true;
}

export const REPORT_KINDS = [
  { name: "text", extension: "txt", summary: "what the terminal shows, without colours in a file" },
  { name: "json", extension: "json", summary: "one object, as dist/report.schema.json describes it" },
  { name: "csv", extension: "csv", summary: "one number a row (RFC 4180); of studies one row a combination" },
  { name: "parquet", extension: "parquet", binary: true, summary: "the rows of csv, typed, for data frames" },
  { name: "md", extension: "md", summary: "Markdown with tables" },
  { name: "html", extension: "html", summary: "one page with tables and pictures that needs nothing else" },
  { name: "svg", extension: "svg", summary: "the pictures alone" },
  {
    name: "perfetto",
    extension: "pftrace",
    binary: true,
    summary: "a time line for ui.perfetto.dev: cores as tracks, hazards as arrows, time in records",
  },
  {
    name: "callgrind",
    extension: "callgrind",
    summary: "costs by instruction, for callgrind_annotate and KCachegrind",
  },
  {
    name: "misses",
    extension: "swt",
    binary: true,
    streamed: true,
    summary: "the records that missed a level (--misses-level), as a trace",
  },
] as const satisfies readonly ReportKind[];

export type ReportKindName = (typeof REPORT_KINDS)[number]["name"];

export const kindNamed = (name: string): ReportKind | undefined => REPORT_KINDS.find((kind) => kind.name === name);

const PAGES = ["text", "json", "csv", "parquet", "md", "html"] as const;

/** What each verb can write; the others write what `DEFAULT_KINDS` says. */
export const KINDS_OF = {
  replay: [...PAGES, "svg", "perfetto", "callgrind", "misses"],
  merge: [...PAGES, "svg"],
  cost: [...PAGES, "svg"],
  run: [...PAGES, "svg", "perfetto"],
  decompressor: PAGES,
} as const satisfies Record<string, readonly ReportKindName[]>;

export const DEFAULT_KINDS = ["text", "json"] as const satisfies readonly ReportKindName[];

type Writer = (result: Emitted, color: boolean) => string | Uint8Array | Promise<string | Uint8Array> | undefined;

/** How a result becomes a kind; undefined where it lacks the part that the kind needs. */
const WRITERS: Readonly<Record<ReportKindName, Writer>> = {
  text: ({ text }, color) => text(color),
  json: ({ json }) => `${JSON.stringify(json, undefined, 2)}\n`,
  csv: ({ table }) => table && csvOf(table()),
  parquet: ({ table }) => table && parquetOf(table()),
  md: ({ page }) => page && markdownOf(page()),
  html: ({ page }) => page && htmlOf(page()),
  svg: ({ picture }) => picture?.(),
  perfetto: ({ timeline }) => timeline && perfettoOf(timeline()),
  callgrind: ({ profile }) => profile && callgrindOf(profile()),
  misses: () => undefined,
};

/** The bytes or the text of a result in a kind; undefined where the result has nothing of that kind. */
export async function reportAs(
  kind: ReportKindName,
  result: Emitted,
  color: boolean,
): Promise<string | Uint8Array | undefined> {
  return WRITERS[kind](result, color);
}
