/**
 * Where output bytes go under Node. A file is written beside its place under another name and put there by a rename, so
 * that neither an error nor an interruption leaves half of it, and the old one stays until the new one is whole.
 */
import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { type FileHandle, open, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { TraceError } from "../engine/errors.ts";
import type { ByteSink } from "./bytes.ts";

/** Files that would be left behind if the process ended now. */
const unfinished = new Set<string>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A sink whose file can be told to be a part of what was wanted. */
export interface FileSink extends ByteSink {
  /** Lets the file appear under a name that says so, which is returned; `undefined` for what is written in place. */
  becomePartial(): string | undefined;
}

/** Throws `TraceError` when the file can't be created. */
export async function fileSink(path: string): Promise<FileSink> {
  try {
    // Pipes and devices are written as they are: there is nothing to put in their place.
    const existing = await stat(path).catch(() => undefined);
    if (existing?.isDirectory()) throw new Error("it is a directory");
    if (existing && !existing.isFile()) return handleSink(path, await open(path, "w"), undefined);
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
    return handleSink(path, await open(temporary, "wx"), temporary);
  } catch (cause) {
    throw writeError(path, cause);
  }
}

function handleSink(path: string, handle: FileHandle, temporary: string | undefined): FileSink {
  let open = true;
  let place = path;
  if (temporary !== undefined) remember(temporary);

  const release = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await handle.close();
  };
  return {
    name: path,
    becomePartial() {
      if (temporary === undefined) return undefined;
      place = path.replace(/(?:\.[^./\\]+(?:\.gz)?)?$/, ".partial$&");
      return place;
    },
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
      } catch (cause) {
        throw writeError(path, cause);
      }
    },
    async close() {
      try {
        await release();
        if (temporary === undefined) return;
        await rename(temporary, place);
        forget(temporary);
      } catch (cause) {
        throw writeError(path, cause);
      }
    },
    async abort() {
      await release().catch(() => {});
      if (temporary === undefined || !unfinished.has(temporary)) return;
      await unlink(temporary).catch(() => {});
      forget(temporary);
    },
  };
}

export function stdoutSink(): FileSink {
  return {
    name: "standard output",
    becomePartial: () => undefined,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        // The stream may keep what it is given beyond the callback of a later write; the bytes are only lent to us.
        process.stdout.write(bytes.slice(), (cause) =>
          cause ? reject(writeError("standard output", cause)) : resolve(),
        );
      }),
    async close() {},
    async abort() {},
  };
}

const writeError = (file: string, cause: unknown): TraceError =>
  new TraceError("can't be written", { file, found: cause instanceof Error ? cause.message : String(cause), cause });

function remember(temporary: string): void {
  if (unfinished.size === 0) {
    process.on("exit", removeUnfinished);
    for (const signal of SIGNALS) process.on(signal, interrupted);
  }
  unfinished.add(temporary);
}

function forget(temporary: string): void {
  unfinished.delete(temporary);
  if (unfinished.size === 0) stopListening();
}

function stopListening(): void {
  process.off("exit", removeUnfinished);
  for (const signal of SIGNALS) process.off(signal, interrupted);
}

function removeUnfinished(): void {
  for (const temporary of unfinished) {
    try {
      unlinkSync(temporary);
    } catch {
      // Gone already, or not ours any more: nothing is left to do when the process ends.
    }
  }
  unfinished.clear();
}

/** Somebody else who listens decides what the signal means (and `exit` comes); alone, we only tidy up before it kills. */
function interrupted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removeUnfinished();
  stopListening();
  process.kill(process.pid, signal);
}
