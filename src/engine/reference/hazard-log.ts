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

/** A hazard as it occurred first, and what the others of its identity added. */
interface Found {
  readonly first: Hazard;
  occurrences: number;
  lines: number;
}

const ORDER: ReadonlyMap<HazardName, number> = new Map(HAZARD_CLASSES.map(({ name }, index) => [name, index]));

export class HazardLog {
  readonly notAssessable: readonly HazardName[];
  private readonly suppressed: ReadonlySet<HazardName>;
  private readonly found = new Map<string, Found>();

  constructor(provenance: Provenance) {
    this.notAssessable = HAZARD_CLASSES.filter(({ needs }) => needs.some((need) => !provenance[need])).map(
      ({ name }) => name,
    );
    this.suppressed = new Set(this.notAssessable);
  }

  report(occurrence: Occurrence, { record, piece, requester }: Moment): void {
    if (this.suppressed.has(occurrence.class)) return;
    const { newest = NOTHING_KNOWN.newest, lines = NOTHING_KNOWN.lines } = occurrence;
    const identity = `${occurrence.class} ${occurrence.line} ${newest} ${requester}`;
    const known = this.found.get(identity);
    if (known) {
      known.occurrences += 1;
      known.lines = Math.max(known.lines, lines);
      return;
    }
    const first: Hazard = { ...NOTHING_KNOWN, ...occurrence, observer: requester, record, piece };
    this.found.set(identity, { first, occurrences: first.occurrences, lines });
  }

  all(): Hazard[] {
    const hazards = [...this.found.values()].map(({ first, occurrences, lines }) => ({ ...first, occurrences, lines }));
    return hazards.sort(
      (a, b) =>
        a.record - b.record ||
        a.piece - b.piece ||
        (ORDER.get(a.class) ?? 0) - (ORDER.get(b.class) ?? 0) ||
        a.line - b.line ||
        a.newest - b.newest,
    );
  }
}
