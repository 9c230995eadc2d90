/** A study's rows as CSV (RFC 4180): every parameter, then every column, numbers in full. */
import type { StudyResult } from "../cost/study.ts";

export function costCsv({ study, lists, rows, rowsPlanned, partial }: StudyResult): string {
  const names = Object.keys(lists);
  const keys = study.columns.map(({ key }) => key);
  const lines = [
    [...names, ...keys],
    ...rows.map(({ values, cells }) => [...names.map((name) => values[name]), ...keys.map((key) => cells[key])]),
  ].map((fields) => fields.map((field) => quoted(String(field ?? ""))).join(","));
  // What is missing must not look complete.
  if (partial) lines.push(quoted(`PARTIAL: ${rows.length} of ${rowsPlanned} rows, then interrupted`));
  return `${lines.join("\r\n")}\r\n`;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
