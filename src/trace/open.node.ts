/** Traces in files and on standard input and output. Here alone a path becomes bytes. */
import { readSync } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { TraceError } from "../engine/errors.ts";
import { ByteReader, type ByteSource } from "./bytes.ts";
import type { Claims } from "./claims.ts";
import { nodeCodecs } from "./codec.node.ts";
import { type CreateOptions, createTrace, outputFormat } from "./create.ts";
import { type OpenOptions, openTrace } from "./open.ts";
import { type FileSink, fileSink, stdoutSink } from "./output.node.ts";
import type { TraceDescription, TraceSink, TraceSource } from "./source.ts";
import { readSwt, type SwtTrace } from "./swt-reader.ts";

const READ_BYTES = 1 << 19;
/** Of each of many files at a time. */
const MANY_READ_BYTES = 1 << 16;

/**
 * Opens a file, standard input for `-`, or a directory whose files are a trace's threads (drmemtrace). Throws `TraceError`.
 */
export async function openTraceFile(path: string, options: OpenOptions = {}): Promise<TraceSource> {
  return openTrace(path === "-" ? stdinSource() : await sourcesAt(path), nodeCodecs, options);
}

/** What one of several readers decodes of a trace. */
export type ClaimedTrace = Pick<TraceSource, "bytesRead" | "skipped" | "accessesOnly" | "batches" | "close"> &
  Pick<SwtTrace, "chunk" | "records" | "tally">;

/** Opens an uncompressed `.swt` for the chunks that it comes to first, each a batch. Throws `TraceError`. */
export async function openClaimed(path: string, claims: Claims): Promise<ClaimedTrace> {
  // What else runs where this is read waits for it, too; being told of each piece would take longer than getting it.
  const source = await fileSource(path, READ_BYTES, "at once");
  const input = new ByteReader(source.chunks());
  const close = async (): Promise<void> => source.close?.();
  try {
    const trace = await readSwt(input, path, nodeCodecs, claims);
    return {
      async *batches() {
        try {
          yield* trace.batches();
        } finally {
          await close();
        }
      },
      get accessesOnly() {
        return trace.accessesOnly;
      },
      get chunk() {
        return trace.chunk;
      },
      get records() {
        return trace.records;
      },
      get tally() {
        return trace.tally;
      },
      get bytesRead() {
        return input.received;
      },
      skipped: 0,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The bytes of a file, or of each file of a directory. Throws `TraceError`; nothing is left open then. */
export async function sourcesAt(path: string): Promise<ByteSource | readonly ByteSource[]> {
  const files = await threadFiles(path);
  if (files === undefined) return fileSource(path);
  const sources: ByteSource[] = [];
  try {
    for (const file of files) sources.push(await fileSource(file, MANY_READ_BYTES));
  } catch (error) {
    for (const source of sources) await source.close?.();
    throw error;
  }
  return sources;
}

/** What DynamoRIO puts beside the traces of threads. */
const BESIDE = /^(?:\.|cpu_schedule\.|serial_schedule\.|modules\.log|funclist\.log|encodings\.bin|v2p\.|[^.]*\.log$)/;

/** The files of a directory, by name, numbers by their value; those of its folder `trace` if it has one. */
async function threadFiles(path: string): Promise<readonly string[] | undefined> {
  const isDirectory = async (place: string): Promise<boolean> =>
    (await stat(place).catch(() => undefined))?.isDirectory() === true;
  if (!(await isDirectory(path))) return undefined;
  const folder = (await isDirectory(join(path, "trace"))) ? join(path, "trace") : path;
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && !BESIDE.test(entry.name))
    .map((entry) => entry.name);
  if (names.length === 0) {
    const expected = "a file, or a directory with the files of a drmemtrace's threads";
    throw new TraceError("not a trace", { file: path, found: "a directory without traces", expected });
  }
  const order = new Intl.Collator("en", { numeric: true });
  return names.sort((a, b) => order.compare(a, b)).map((name) => join(folder, name));
}

/**
 * Creates a file, or writes to standard output for `-`, which needs the option `format`. The file appears under its name
 * when the sink is closed. Throws a usage error, or `TraceError` when it can't be created.
 */
export async function createTraceFile(
  path: string,
  description: TraceDescription,
  options: CreateOptions = {},
): Promise<TraceFileSink> {
  // A wrong name must not leave a file behind.
  outputFormat(path, options);
  const file = path === "-" ? stdoutSink() : await fileSink(path);
  const sink = createTrace(file, description, nodeCodecs, options);
  return Object.assign(sink, { becomePartial: () => file.becomePartial() });
}

export type TraceFileSink = TraceSink & Pick<FileSink, "becomePartial">;

async function fileSource(path: string, readBytes = READ_BYTES, how?: "at once"): Promise<ByteSource> {
  const { handle, size } = await opened(path);
  const read = async (buffer: Uint8Array): Promise<number> =>
    how === "at once" ? readSync(handle.fd, buffer) : (await handle.read(buffer, 0, buffer.length)).bytesRead;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  return {
    name: path,
    totalBytes: size,
    async *chunks() {
      // One buffer, read into again and again: a chunk is only valid until the next one is asked for.
      const buffer = new Uint8Array(readBytes);
      while (isOpen) {
        const bytesRead = await read(buffer);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    },
    ...(size === undefined ? {} : { readAt: (offset: number, length: number) => bytesAt(handle, offset, length) }),
    close,
  };
}

async function bytesAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function opened(path: string): Promise<{ handle: FileHandle; size: number | undefined }> {
  try {
    const handle = await open(path, "r");
    const status = await handle.stat();
    // Pipes and devices have a size of 0 that says nothing.
    return { handle, size: status.isFile() ? status.size : undefined };
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TraceError("can't be opened", { file: path, found, cause });
  }
}

function stdinSource(): ByteSource {
  return {
    name: "standard input",
    totalBytes: undefined,
    async *chunks() {
      for await (const chunk of process.stdin) yield chunk as Uint8Array;
    },
  };
}
