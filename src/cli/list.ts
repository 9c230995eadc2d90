/** `setway list`: everything that has a name here. */
import { Argument, type Command } from "commander";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { ATTRIBUTES, OPERATIONS } from "../engine/operations.ts";
import type { Emitted } from "../report/emitted.ts";
import { DEFAULT_KINDS, KINDS_OF, REPORT_KINDS, type ReportKindName } from "../report/kinds.ts";
import { type ListJson, REPORT_SCHEMA } from "../report/published.ts";
import { RULES } from "../report/rules.ts";
import { styleFor } from "../report/style.ts";
import { table } from "../report/table.ts";
import { SCENARIOS, STORIES } from "../scenario/index.ts";
import { TRACE_FORMATS, type TraceFormat } from "../trace/source.ts";
import { machineList } from "./machine.ts";
import type { Session } from "./program.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";

const FORMAT_TEXTS: Readonly<Record<TraceFormat, string>> = {
  raw64: "64-bit records, nothing else (also .gz, .xz, .zst)",
  swt: "setway's own: header, provenance, checksums",
  din: "Dinero: label and address, one access a line",
  lackey: "Valgrind's lackey with --trace-mem=yes",
  drmemtrace: "DynamoRIO: a .zip or .gz a thread, or a directory of them",
  champsim: "ChampSim: 64 bytes an instruction, mostly .xz (read only)",
  gem5: "gem5's packet trace: protobuf, .trc, mostly .gz",
  perf: "text of perf script with addresses, and its dump of Arm SPE (read only)",
};

const LISTS: Readonly<Record<string, () => Emitted>> = {
  scenarios: () =>
    named(
      "scenario",
      [
        ...Object.values(SCENARIOS).map(({ name, summary }) => ({ name, summary })),
        ...STORIES.map(({ name, number, title, eras, fixes }) => ({
          name,
          number: number ?? null,
          summary: title,
          eras,
          fixes: Object.keys(fixes),
        })),
      ],
      (each) => [
        each.name,
        "number" in each && each.number !== null ? `${each.number}: ${each.summary}` : each.summary,
      ],
    ),
  machines: machineList,
  hazards: () => named("hazard", HAZARD_CLASSES, ({ name, rule, summary }) => [name, `${rule}: ${summary}`]),
  rules: () =>
    named(
      "rule",
      Object.entries(RULES).map(([name, { title }]) => ({ name, title })),
      ({ name, title }) => [name, title],
    ),
  operations: () =>
    named(
      "operation",
      Object.values(OPERATIONS).map(({ code, name, summary }) => ({ code, name, summary })),
      ({ code, name, summary }) => [`${code}`.padStart(3), `${name}: ${summary}`],
    ),
  attributes: () => named("attribute", Object.values(ATTRIBUTES), ({ code, name }) => [String(code), name]),
  formats: () =>
    named(
      "format",
      TRACE_FORMATS.map((name) => ({ name, summary: FORMAT_TEXTS[name] })),
      ({ name, summary }) => [name, summary],
    ),
  reports: () => {
    const reports = reportList();
    return {
      json: { reports },
      text: (color) => {
        const style = styleFor(color);
        const rows = reports.kinds.map(({ name, summary, verbs }) => [style.bold(name), summary, verbs.join(", ")]);
        const columns = [{ title: "kind" }, { title: "" }, { title: "of" }];
        return `${table(columns, rows, style)}\n  The schema of every verb's JSON: ${reports.schema} in the package\n`;
      },
    };
  },
};

/** Report kinds, who writes which, and where the schema of what they all print as JSON is. */
function reportList(): NonNullable<ListJson["reports"]> {
  const verbsOf = (kind: ReportKindName): string[] => {
    if ((DEFAULT_KINDS as readonly string[]).includes(kind)) return ["all"];
    return Object.entries(KINDS_OF)
      .filter(([, kinds]) => (kinds as readonly string[]).includes(kind))
      .map(([verb]) => (verb === "decompressor" ? "run decompressor" : verb));
  };
  return {
    schema: REPORT_SCHEMA,
    kinds: REPORT_KINDS.map(({ name, extension, summary }) => ({ name, extension, summary, verbs: verbsOf(name) })),
  };
}

export function addList(program: Command, session: Session): void {
  withResultOptions(
    program
      .command("list")
      .description("list what there is by name")
      .addArgument(new Argument("[what]", "one list only").choices(Object.keys(LISTS))),
  )
    .addHelpText("after", "\nExample:\n  $ setway list\n  $ setway list operations")
    .action(
      session.action(async (what: string | undefined, options: ResultOptions) => {
        const names = what === undefined ? Object.keys(LISTS) : [what];
        const lists = names.map((name) => ({ name, list: LISTS[name]!() }));
        await emitResult(
          "list",
          {
            json: Object.assign({}, ...lists.map(({ list }) => list.json)),
            text: (color) => lists.map(({ name, list }) => titled(name, list.text(color), color)).join("\n"),
          },
          options,
          session.terminal,
        );
        return 0;
      }),
    );
}

const titled = (name: string, text: string, color: boolean): string => `${styleFor(color).bold(name)}\n${text}`;

/** A list as JSON under its plural, and as two columns. */
function named<T>(noun: string, items: readonly T[], row: (item: T) => readonly [string, string]): Emitted {
  return {
    json: { [`${noun}s`]: items },
    text: (color) => {
      const style = styleFor(color);
      const rows = items.map(row).map(([name, text]) => [style.bold(name), text]);
      return rows.length === 0 ? "  none yet\n" : `${table([{ title: noun }, { title: "" }], rows, style)}\n`;
    },
  };
}
