/** Hazards as arrows of a time line: from the write that was missed to whoever missed it, and from a lost write to its loss. */
import type { Hazard } from "../engine/engine.ts";
import { address, word } from "./number.ts";

/** What a record is on a time line. */
export interface Mark {
  readonly requester: number;
  readonly record: number;
  readonly names: string[];
  readonly arrowsFrom: number[];
  readonly arrowsTo: number[];
  readonly notes: Record<string, string | number>;
  isHazard: boolean;
}

/**
 * One mark for each record that a hazard names. An arrow goes from the newest write to the observation; who lost a value is
 * known as the observer of a `lost-write`.
 */
export function hazardMarks(hazards: readonly Hazard[]): readonly Mark[] {
  const marks = new Map<string, Mark>();
  const markOf = (requester: number, record: number): Mark => {
    const key = `${requester}:${record}`;
    let mark = marks.get(key);
    if (mark === undefined) {
      mark = { requester, record, names: [], arrowsFrom: [], arrowsTo: [], notes: {}, isHazard: false };
      marks.set(key, mark);
    }
    return mark;
  };
  hazards.forEach((hazard, index) => {
    const observation = markOf(hazard.observer, hazard.record);
    observation.isHazard = true;
    if (!observation.names.includes(hazard.class)) observation.names.push(hazard.class);
    Object.assign(observation.notes, {
      [`${hazard.class}: line`]: address(hazard.line),
      [`${hazard.class}: occurrences`]: hazard.occurrences,
    });
    if (hazard.observed !== hazard.expected) {
      Object.assign(observation.notes, {
        [`${hazard.class}: observed`]: word(hazard.observed),
        [`${hazard.class}: expected`]: word(hazard.expected),
      });
    }
    if (hazard.newest < 0 || hazard.writer < 0) return;
    // A hazard of one record with itself has no way to go.
    if (hazard.newest === hazard.record && hazard.writer === hazard.observer) return;
    const write = markOf(hazard.writer, hazard.newest);
    // Viewers draw arrows forward in time; what was written later (a read of what isn't written yet) has none.
    if (hazard.newest > hazard.record) return;
    write.arrowsFrom.push(index + 1);
    observation.arrowsTo.push(index + 1);
  });
  return [...marks.values()].sort((a, b) => a.record - b.record || a.requester - b.requester);
}
