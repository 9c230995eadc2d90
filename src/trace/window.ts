/** Parts of a trace: from one record to another. A prefix belongs to the record behind it. */
import { isPrefix, operationOf } from "./entry.ts";

/** How many words the first `records` records of a batch take, prefixes included, and how many records these are. */
export function firstRecords(
  words: Uint32Array,
  records: number,
): { readonly words: number; readonly records: number } {
  let found = 0;
  let end = 0;
  for (let at = 0; at < words.length && found < records; at += 2) {
    if (isPrefix(operationOf(words[at + 1] as number))) continue;
    found++;
    end = at + 2;
  }
  return { words: found < records ? words.length : end, records: found };
}

export interface Window {
  /** Records left out at the beginning. */
  readonly skip?: number | undefined;
  /** Records delivered at most. */
  readonly most?: number | undefined;
}

/** The batches of that part; reads no further than it must. */
export async function* windowed(
  batches: AsyncIterable<Uint32Array>,
  { skip = 0, most = Number.POSITIVE_INFINITY }: Window,
): AsyncGenerator<Uint32Array, void, undefined> {
  if (most === 0) return;
  let toSkip = skip;
  let left = most;
  for await (const batch of batches) {
    let words = batch;
    if (toSkip > 0) {
      const skipped = firstRecords(words, toSkip);
      toSkip -= skipped.records;
      words = words.subarray(skipped.words);
    }
    if (words.length === 0) continue;
    if (left !== Number.POSITIVE_INFINITY) {
      const taken = firstRecords(words, left);
      left -= taken.records;
      words = words.subarray(0, taken.words);
    }
    yield words;
    if (left === 0) return;
  }
}
