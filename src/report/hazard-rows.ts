/**
 * A row of the long form for each hazard, however many there are: further columns say where, when and who, in the words and
 * numbers of JSON's `firstHazards`. Rows about anything else have nulls there.
 */
import type { Hazard } from "../engine/engine.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { attributeName, placeName } from "./explain.ts";
import { address, word } from "./number.ts";
import { LONG_COLUMNS, type LongRow, type TidyColumn, type TidyTable, type TidyValue } from "./tidy-table.ts";

const text = (name: string): TidyColumn => ({ name, type: "text" });
const integer = (name: string): TidyColumn => ({ name, type: "integer" });

/** Each column with what a hazard has there. */
const DETAILS: readonly (readonly [TidyColumn, (hazard: Hazard, machine: ResolvedMachine) => TidyValue])[] = [
  [text("line"), ({ line }) => address(line)],
  [integer("lines"), ({ lines }) => lines],
  [integer("record"), ({ record }) => record],
  [integer("observer"), ({ observer }) => observer],
  [text("attribute"), ({ attribute }) => (attribute < 0 ? null : attributeName(attribute))],
  [integer("newest"), ({ newest }) => orNull(newest)],
  [integer("writer"), ({ newest, writer }) => (newest < 0 ? null : orNull(writer))],
  [text("writerAttribute"), ({ newest, writerAttribute }) => (newest < 0 ? null : attributeName(writerAttribute))],
  // Without bytes, and where nothing was seen, there are no values.
  [text("address"), (hazard) => (saw(hazard) ? address(hazard.address) : null)],
  [text("observed"), (hazard) => (saw(hazard) ? word(hazard.observed) : null)],
  [text("expected"), (hazard) => (saw(hazard) ? word(hazard.expected) : null)],
  [text("source"), ({ source }, machine) => placeName(source, machine)],
  [text("newestAt"), ({ newestAt }, machine) => placeName(newestAt, machine)],
  [integer("lostAt"), ({ lostAt }) => orNull(lostAt)],
];

const orNull = (record: number): number | null => (record < 0 ? null : record);
const saw = ({ observed, expected }: Hazard): boolean => observed !== expected;

/** Columns of a long form that has rows of hazards too. */
export const LONG_AND_HAZARD_COLUMNS: readonly TidyColumn[] = [...LONG_COLUMNS, ...DETAILS.map(([column]) => column)];

/** The rows of `LONG_AND_HAZARD_COLUMNS`: those of the long form, then the hazards'. */
export function* withHazards(
  rows: Iterable<LongRow>,
  hazards: readonly Hazard[],
  machine: ResolvedMachine,
): Generator<TidyTable["rows"][number]> {
  const nothing = DETAILS.map(() => null);
  for (const row of rows) yield [...row, ...nothing];
  for (const hazard of hazards) {
    const core = hazard.observer < machine.cores.length ? hazard.observer : null;
    const long: LongRow = ["found", core, hazard.class, "occurrences", hazard.occurrences, "count"];
    yield [...long, ...DETAILS.map(([, value]) => value(hazard, machine))];
  }
}
