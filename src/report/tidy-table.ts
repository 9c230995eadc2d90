/**
 * Numbers as tidy data: one observation a row, every row with the same columns, so that a data frame or a database takes it
 * as it is. CSV (RFC 4180) and Parquet are written from it.
 */

/** A column's values are all of its type, or null. Integers are whole and safe. */
export interface TidyColumn {
  readonly name: string;
  readonly type: "text" | "integer" | "number";
}

export type TidyValue = string | number | null;

export interface TidyTable {
  readonly columns: readonly TidyColumn[];
  readonly rows: readonly (readonly TidyValue[])[];
  /** What is missing must not look complete: said in a last line of a CSV, and in a Parquet's metadata. */
  readonly partial?: string | undefined;
}

/** Lines end in CR LF, fields are quoted where they must be, null is an empty field. */
export function csvOf({ columns, rows, partial }: TidyTable): string {
  const lines = [columns.map(({ name }) => name), ...rows].map((fields) =>
    fields.map((field) => quoted(String(field ?? ""))).join(","),
  );
  if (partial !== undefined) lines.push(quoted(`PARTIAL: ${partial}`));
  return `${lines.join("\r\n")}\r\n`;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const PARQUET_TYPES = { text: "STRING", integer: "INT64", number: "DOUBLE" } as const;

/** Integers are INT64, numbers DOUBLE, texts UTF-8; every column may be null. Loads its writer when it is called. */
export async function parquetOf({ columns, rows, partial }: TidyTable): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const columnData = columns.map(({ name, type }, index) => ({
    name,
    type: PARQUET_TYPES[type],
    nullable: true,
    data: rows.map((row) => {
      const value = row[index] ?? null;
      return type === "integer" && value !== null ? BigInt(value) : value;
    }),
  }));
  const kvMetadata = partial === undefined ? undefined : [{ key: "partial", value: partial }];
  return new Uint8Array(parquetWriteBuffer({ columnData, ...(kvMetadata ? { kvMetadata } : {}) }));
}

/**
 * The long form that most results have: what kind of thing, which core (null for all), which one, what of it, how much, in
 * which unit.
 */
export const LONG_COLUMNS = [
  { name: "section", type: "text" },
  { name: "core", type: "integer" },
  { name: "name", type: "text" },
  { name: "metric", type: "text" },
  { name: "value", type: "number" },
  { name: "unit", type: "text" },
] as const satisfies readonly TidyColumn[];

export type LongRow = readonly [
  section: string,
  core: number | null,
  name: string,
  metric: string,
  value: number,
  unit: string,
];
