/** What a conversion loses, for people to read: what a source holds that no entry can, and what the target has no place for. */
import type { TraceFormat, TraceHeader, WrittenFormat } from "./source.ts";

/** What the readers of other tools' formats pass over. */
const NOT_READ: Readonly<Partial<Record<TraceFormat, string>>> = {
  drmemtrace: "thread and process numbers, timestamps, encodings, kinds of branches, and all other markers",
  champsim: "registers and branch outcomes",
  gem5: "ticks, flags and addresses of instructions, and packets that ask for no data",
  perf: "times, latencies, levels that hit, and which accesses came between the samples",
};
const HAVE_SIZES: readonly TraceFormat[] = ["lackey", "drmemtrace", "gem5"];

/** One phrase for each thing lost; empty if the target holds all that the source does. */
export function losses(header: TraceHeader, target: WrittenFormat, sizes = false): readonly string[] {
  const lost: string[] = [];
  const unread = NOT_READ[header.format];
  if (unread !== undefined) lost.push(unread);
  const hasSizes = !HAVE_SIZES.includes(header.format) || sizes;
  if (!hasSizes) lost.push("sizes of accesses (--sizes keeps them, but in .din)");
  switch (target) {
    case "swt":
      break;
    case "raw64":
      lost.push(`the description: what was recorded, that addresses are ${header.addresses}, how caches began`);
      break;
    case "din":
      lost.push(`the description, requesters${hasSizes && HAVE_SIZES.includes(header.format) ? ", sizes" : ""}`);
      break;
    case "lackey":
      lost.push("the description, requesters");
      break;
    case "drmemtrace":
    case "gem5":
      lost.push("the description, and that an access had no size");
      break;
  }
  return lost;
}
