/** A miss stream on its way into a file: it is there as a whole or not at all. */
import type { MissLog } from "../engine/miss-log.ts";
import type { MissStreamReport } from "../report/replay.ts";
import type { MissStream } from "../trace/miss-stream.ts";
import { createTraceFile } from "../trace/open.node.ts";
import type { TraceSource } from "../trace/source.ts";
import { asUsageError } from "./result.ts";

export interface MissFile {
  /** Keeps what missed of these words. */
  add(words: Uint32Array, first: number, log: MissLog): void;
  /** Writes what was kept. */
  flush(): Promise<void>;
  finish(): Promise<MissStreamReport>;
  abort(): Promise<undefined>;
}

/** Throws a usage error where the file can't be written. */
export async function openMissFile(
  path: string,
  about: {
    readonly stream: MissStream;
    readonly source: Pick<TraceSource, "name" | "header">;
    readonly machine: string;
  },
): Promise<MissFile> {
  const { stream, source, machine } = about;
  const description = stream.description(source.header, source.name, machine);
  const sink = await createTraceFile(path, description, { format: "swt" }).catch(asUsageError);
  let waiting: Uint32Array[] = [];
  const flush = async (): Promise<void> => {
    const parts = waiting;
    waiting = [];
    for (const part of parts) await sink.write(part).catch(asUsageError);
  };
  return {
    add: (words, first, log) => {
      const missed = stream.take(words, first, log);
      if (missed.length > 0) waiting.push(missed);
    },
    flush,
    finish: async () => {
      await flush();
      await sink.close().catch(asUsageError);
      return { path, level: stream.level, records: stream.records, bytes: sink.bytesWritten };
    },
    abort: async () => {
      await sink.abort();
      return undefined;
    },
  };
}
