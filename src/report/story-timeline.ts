/** A story as a time line: its steps, every record on the lane of whoever issued it, and arrows for hazards. Time is records. */
import { OPERATION_BY_CODE, type Operation } from "../engine/operations.ts";
import { formatRecord, type RecordEntry } from "../engine/record.ts";
import type { PlayedStory } from "../scenario/run-story.ts";
import { hazardMarks } from "./hazard-arrows.ts";
import { afterLanes, laneOf, requesterLanes } from "./requester-lanes.ts";
import type { Slice, Timeline } from "./timeline.ts";

/** Records that are drawn one by one; in longer stories only those that hazards name. */
const MOST_RECORDS = 100_000;

export function storyTimeline(result: PlayedStory): Timeline {
  const { machine, story, steps, hazards, records } = result;
  const stepLane = afterLanes(machine);
  const marks = hazardMarks(hazards);
  const markAt = new Map(marks.map((mark) => [mark.record, mark]));
  const entries: readonly (readonly [number, RecordEntry | undefined])[] =
    records <= MOST_RECORDS
      ? [...result.recordsBetween(0, records)].map((entry, record) => [record, entry])
      : [...markAt.keys()].map((record) => [record, result.recordAt(record)]);
  const slices: Slice[] = steps
    .filter(({ first, end }) => end > first)
    .map(({ text, first, end, remarks }, index) => ({
      track: stepLane,
      from: first,
      to: end,
      name: text || "before the first step",
      category: "step",
      notes: {
        step: index + 1,
        records: end - first,
        ...Object.fromEntries(remarks.map((remark, number) => [`remark ${number + 1}`, remark.text])),
      },
    }));
  for (const [record, entry] of entries) {
    const mark = markAt.get(record);
    if (entry === undefined && mark === undefined) continue;
    const operation: Operation | undefined = entry === undefined ? undefined : OPERATION_BY_CODE[entry.code];
    const operand = entry === undefined || operation?.operand === "none" ? "" : ` 0x${entry.operand.toString(16)}`;
    const name = operation === undefined ? "record" : `${operation.name}${operand}`;
    slices.push({
      track: laneOf(entry?.requester ?? (mark?.requester as number)),
      from: record,
      to: record + 1,
      name: mark?.isHazard ? `${name}: ${mark.names.join(", ")}` : name,
      category: mark?.isHazard ? "hazard" : "record",
      arrowsFrom: mark?.arrowsFrom ?? [],
      arrowsTo: mark?.arrowsTo ?? [],
      notes: { record, ...(entry === undefined ? {} : { operation: formatRecord(entry) }), ...mark?.notes },
    });
  }
  return {
    title: `${story.name} on ${result.machineName}, ${result.era}`,
    unit: "record",
    tracks: [{ id: stepLane, name: "steps", kind: "lane" }, ...requesterLanes(machine)],
    slices,
    samples: [],
  };
}
