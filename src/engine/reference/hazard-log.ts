/** Collects occurrences of hazards by identity (R45, D35) and leaves out what the trace's provenance can't support (R48). */
import type { Hazard, Provenance } from "../engine.ts";
import { HAZARD_CLASSES, type HazardName } from "../hazards.ts";

/** The piece that is being played, and for whom. */
export interface Moment {
  readonly record: number;
  readonly piece: number;
  readonly requester: number;
}

export type Occurrence = Pick<Hazard, "class" | "line"> & Partial<Omit<Hazard, "record" | "piece" | "observer">>;

const NOTHING_KNOWN = {
  newest: -1,
  writer: -1,
  writerAttribute: -1,
  occurrences: 1,
  lines: 1,
  address: 0,
  observed: 0n,
  expected: 0n,
  source: "nowhere",
  newestAt: "nowhere",
  attribute: -1,
  lostAt: -1,
} as const;

const ORDER: ReadonlyMap<HazardName, number> = new Map(HAZARD_CLASSES.map(({ name }, index) => [name, index]));

export class HazardLog {
  readonly notAssessable: readonly HazardName[];
  private readonly found = new Map<string, Hazard>();

  constructor(provenance: Provenance) {
    this.notAssessable = HAZARD_CLASSES.filter(({ needs }) => needs.some((need) => !provenance[need])).map(
      ({ name }) => name,
    );
  }

  report(occurrence: Occurrence, { record, piece, requester }: Moment): void {
    if (this.notAssessable.includes(occurrence.class)) return;
    const hazard: Hazard = { ...NOTHING_KNOWN, ...occurrence, observer: requester, record, piece };
    const identity = `${hazard.class} ${hazard.line} ${hazard.newest} ${hazard.observer}`;
    const known = this.found.get(identity);
    if (!known) {
      this.found.set(identity, hazard);
      return;
    }
    const lines = Math.max(known.lines, hazard.lines);
    this.found.set(identity, { ...known, occurrences: known.occurrences + 1, lines });
  }

  all(): Hazard[] {
    return [...this.found.values()].sort(
      (a, b) =>
        a.record - b.record ||
        a.piece - b.piece ||
        (ORDER.get(a.class) ?? 0) - (ORDER.get(b.class) ?? 0) ||
        a.line - b.line ||
        a.newest - b.newest,
    );
  }
}
