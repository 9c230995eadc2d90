/** A trace in one piece, for those who play it many times. */
import type { TraceSource } from "./source.ts";

/** All entries of a trace, as its batches have them. Throws `TraceError`. */
export async function readWhole(trace: Pick<TraceSource, "batches">): Promise<Uint32Array> {
  const batches: Uint32Array[] = [];
  for await (const batch of trace.batches()) batches.push(batch.slice());
  const words = new Uint32Array(batches.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const batch of batches) {
    words.set(batch, filled);
    filled += batch.length;
  }
  return words;
}
