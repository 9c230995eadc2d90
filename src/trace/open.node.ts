/** Traces in files and on standard input and output. Here alone a path becomes bytes. */
import { type FileHandle, open } from "node:fs/promises";
import { TraceError } from "../engine/errors.ts";
import type { ByteSource } from "./bytes.ts";
import { nodeCodecs } from "./codec.node.ts";
import { type CreateOptions, createTrace, outputFormat } from "./create.ts";
import { type OpenOptions, openTrace } from "./open.ts";
import { fileSink, stdoutSink } from "./output.node.ts";
import type { TraceDescription, TraceSink, TraceSource } from "./source.ts";

const READ_BYTES = 1 << 19;

/** Opens a file, or standard input for `-`. Throws `TraceError`. */
export async function openTraceFile(path: string, options: OpenOptions = {}): Promise<TraceSource> {
  return openTrace(path === "-" ? stdinSource() : await fileSource(path), nodeCodecs, options);
}

/**
 * Creates a file, or writes to standard output for `-`, which needs the option `format`. The file appears under its name
 * when the sink is closed. Throws a usage error, or `TraceError` when it can't be created.
 */
export async function createTraceFile(
  path: string,
  description: TraceDescription,
  options: CreateOptions = {},
): Promise<TraceSink> {
  // A wrong name must not leave a file behind.
  outputFormat(path, options);
  return createTrace(path === "-" ? stdoutSink() : await fileSink(path), description, nodeCodecs, options);
}

async function fileSource(path: string): Promise<ByteSource> {
  const { handle, size } = await opened(path);
  return {
    name: path,
    totalBytes: size,
    async *chunks() {
      // One buffer, read into again and again: a chunk is only valid until the next one is asked for.
      const buffer = new Uint8Array(READ_BYTES);
      try {
        for (;;) {
          const { bytesRead } = await handle.read(buffer, 0, READ_BYTES);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    },
  };
}

async function opened(path: string): Promise<{ handle: FileHandle; size: number | undefined }> {
  try {
    const handle = await open(path, "r");
    const status = await handle.stat();
    if (status.isDirectory()) {
      await handle.close();
      throw new TraceError("not a trace", { file: path, found: "a directory", expected: "a file" });
    }
    // Pipes and devices have a size of 0 that says nothing.
    return { handle, size: status.isFile() ? status.size : undefined };
  } catch (cause) {
    if (cause instanceof TraceError) throw cause;
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
