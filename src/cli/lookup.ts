/** Reads a trace again to say in words what certain records did: explanations name records, engines don't keep them. */
import { decodeRecords, formatRecord } from "../engine/record.ts";
import { countRecords } from "../trace/entry.ts";
import { openTraceFile } from "../trace/open.node.ts";
import type { OpenOptions } from "../trace/open.ts";

/** Record numbers to one line each; reads no further than the last of them. */
export async function describeRecords(
  path: string,
  options: OpenOptions,
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  if (wanted.size === 0) return found;
  const last = Math.max(...wanted);
  const source = await openTraceFile(path, options);
  let first = 0;
  for await (const batch of source.batches()) {
    const next = first + countRecords(batch);
    const here = [...wanted].filter((record) => record >= first && record < next);
    if (here.length > 0) {
      const entries = decodeRecords(batch);
      for (const record of here) {
        const entry = entries[record - first];
        if (entry !== undefined) found.set(record, formatRecord(entry));
      }
    }
    first = next;
    if (first > last) break;
  }
  return found;
}
