/** Copies a trace from a reader to a writer. Either the output is whole and final at the end, or it is gone. */
import { countRecords } from "./entry.ts";
import type { TraceSink, TraceSource } from "./source.ts";

export interface ConvertOptions {
  /** Stops between two batches; `convert` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
}

export interface ConvertProgress {
  /** Records read so far, prefixes not counted. */
  readonly records: number;
  readonly bytesRead: number;
  readonly totalBytes: number | undefined;
}

export interface Converted {
  readonly records: number;
  readonly bytesWritten: number;
  /** Lines and entries left out on the way because of the `skip` options. */
  readonly skipped: number;
}

/** What is asked of a source. */
export type Convertible = Pick<TraceSource, "batches" | "bytesRead" | "totalBytes" | "skipped">;

export async function convert(source: Convertible, sink: TraceSink, options: ConvertOptions = {}): Promise<Converted> {
  let records = 0;
  try {
    for await (const batch of source.batches()) {
      options.signal?.throwIfAborted();
      await sink.write(batch);
      records += countRecords(batch);
      options.onProgress?.({ records, bytesRead: source.bytesRead, totalBytes: source.totalBytes });
    }
    options.signal?.throwIfAborted();
    await sink.close();
  } catch (error) {
    // The first error is the one to tell.
    await sink.abort().catch(() => {});
    throw error;
  }
  return { records, bytesWritten: sink.bytesWritten, skipped: source.skipped + sink.skipped };
}
