/** The one table of hazard classes (R26 to R29). The kernel numbers them by position; reports and documents read the texts. */

/** What a trace must have recorded before a class can be assessed (R48). */
export type Recorded = "maintenance" | "control" | "dma" | "ownership";

export interface HazardClass {
  readonly name: string;
  readonly rule: string;
  /** `observed`: somebody saw a wrong value. `lost`: a value is gone. `latent`: nothing has gone wrong yet. */
  readonly kind: "observed" | "lost" | "latent";
  readonly needs: readonly Recorded[];
  readonly summary: string;
}

export const HAZARD_CLASSES = [
  {
    name: "stale-read",
    rule: "R26",
    kind: "observed",
    needs: ["maintenance", "control"],
    summary: "a load got an older value than the newest write",
  },
  {
    name: "stale-fetch",
    rule: "R26",
    kind: "observed",
    needs: ["maintenance"],
    summary: "an instruction fetch got older bytes than the newest write",
  },
  {
    name: "stale-dma",
    rule: "R26",
    kind: "observed",
    needs: ["maintenance", "dma"],
    summary: "a device read an older value than the newest write",
  },
  {
    name: "stale-walk",
    rule: "R26",
    kind: "observed",
    needs: ["maintenance", "control"],
    summary: "a translation table walk got an older descriptor than the newest write",
  },
  {
    name: "lost-write",
    rule: "R27",
    kind: "lost",
    needs: ["maintenance", "control"],
    summary: "the newest value was overwritten or discarded and exists nowhere any more",
  },
  {
    name: "leak",
    rule: "R28",
    kind: "observed",
    needs: ["ownership"],
    summary: "somebody saw bytes that belonged to another owner before the page was given away",
  },
  {
    name: "mismatched-attributes",
    rule: "R29",
    kind: "latent",
    needs: ["control"],
    summary: "an uncached access to a line that a cache holds",
  },
  {
    name: "set/way-while-shared",
    rule: "R29",
    kind: "latent",
    needs: ["maintenance"],
    summary: "set/way maintenance while another core can hold lines",
  },
  {
    name: "set/way-short-of-poc",
    rule: "R29",
    kind: "latent",
    needs: ["maintenance"],
    summary: "a full set/way loop left dirty data in a system cache",
  },
  {
    name: "set/way-migrated",
    rule: "R29",
    kind: "latent",
    needs: ["maintenance"],
    summary: "a set/way loop went on on another core",
  },
  {
    name: "maintenance-pending",
    rule: "R29",
    kind: "latent",
    needs: ["maintenance"],
    summary: "an access relies on maintenance that no barrier has completed",
  },
] as const satisfies readonly HazardClass[];

export type HazardName = (typeof HAZARD_CLASSES)[number]["name"];

const ORDER = new Map<string, number>(HAZARD_CLASSES.map(({ name }, position) => [name, position]));

/** The order in which hazards are told (D35): record, piece, class, line, newest write. */
export function byOccurrence(a: Occurrence, b: Occurrence): number {
  return (
    a.record - b.record ||
    a.piece - b.piece ||
    (ORDER.get(a.class) as number) - (ORDER.get(b.class) as number) ||
    a.line - b.line ||
    a.newest - b.newest
  );
}

interface Occurrence {
  readonly class: HazardName;
  readonly record: number;
  readonly piece: number;
  readonly line: number;
  readonly newest: number;
}
