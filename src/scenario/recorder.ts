/**
 * An engine that remembers which records it was given, so that an explanation can name them and a trace can show what
 * each step did.
 */
import { ForwardingEngine } from "../engine/forwarding.ts";
import { decodeRecords, type RecordEntry } from "../engine/record.ts";
import { isPrefix, operationOf } from "../trace/entry.ts";

/** Runs of at least this many words belong to somebody who keeps them (a trace): they are not copied. */
const SHARED_WORDS = 4096;
/** Copied words beyond this are forgotten: explanations then name records by number. */
const KEPT_WORDS = 1 << 24;

/** Records that a reader of many is given at once. */
const DECODED_RECORDS = 4096;

/** Records first up to, but not including, end, and their words. */
interface Segment {
  readonly first: number;
  end: number;
  readonly shared: boolean;
  words: Uint32Array;
  length: number;
}

export class Recorder extends ForwardingEngine {
  private readonly segments: Segment[] = [];
  private kept = 0;

  override run(words: Uint32Array, count: number = words.length / 2): number {
    const first = this.inner.records;
    try {
      return this.inner.run(words, count);
    } finally {
      this.keep(first, words, count);
    }
  }

  /** The record of a number with its prefixes, if it has been kept. */
  recordAt(number: number): RecordEntry | undefined {
    for (const entry of this.recordsBetween(number, number + 1)) return entry;
    return undefined;
  }

  /** Records first up to, but not including, end, as far as they have been kept. */
  *recordsBetween(first: number, end: number): Generator<RecordEntry> {
    for (const segment of this.segments) {
      if (segment.end <= first || segment.first >= end) continue;
      // Long runs have millions of records: only those asked for are taken apart, and not many at once.
      const last = Math.min(end, segment.end);
      let next = Math.max(first, segment.first);
      let from = wordsOf(segment.words, 0, next - segment.first);
      while (next < last) {
        const records = Math.min(DECODED_RECORDS, last - next);
        const to = wordsOf(segment.words, from, records);
        yield* decodeRecords(segment.words.subarray(from, to));
        from = to;
        next += records;
      }
    }
  }

  /** Keeps the words of the records that were played, whatever came after them. */
  private keep(first: number, words: Uint32Array, count: number): void {
    const records = this.inner.records - first;
    if (records <= 0) return;
    const length = lengthOf(words, count, records);
    if (length >= SHARED_WORDS) {
      const segment = { first, end: first + records, shared: true, words: words.subarray(0, length), length };
      this.segments.push(segment);
      return;
    }
    if (this.kept + length > KEPT_WORDS) return;
    this.kept += length;
    let last = this.segments.at(-1);
    if (last === undefined || last.shared || last.end !== first || last.length + length > last.words.length) {
      // Segments of moderate size keep looking one record up cheap.
      last = { first, end: first, shared: false, words: new Uint32Array(2 * SHARED_WORDS), length: 0 };
      this.segments.push(last);
    }
    last.words.set(words.subarray(0, length), last.length);
    last.length += length;
    last.end += records;
  }
}

/** How many words the first `records` records take, prefixes included. */
function lengthOf(words: Uint32Array, count: number, records: number): number {
  return records === count ? 2 * count : Math.min(2 * count, wordsOf(words, 0, records));
}

/** Where the words behind `records` records begin, counted from word `from`. */
function wordsOf(words: Uint32Array, from: number, records: number): number {
  let at = from;
  for (let left = records; left > 0 && at < words.length; at += 2) {
    if (!isPrefix(operationOf(words[at + 1] as number))) left--;
  }
  return at;
}
