/**
 * Decoding in a thread of its own: the trace is opened and decoded there, and whole batches come over (batch-queue.ts), so that
 * who plays them does nothing else. Errors come with their place, after everything before them, as from the trace itself.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { receivedError, type SentError, TraceError } from "../engine/errors.ts";
import { threadFile } from "../engine/thread-file.node.ts";
import { BatchQueue, type Progress } from "./batch-queue.ts";
import { openTraceFile } from "./open.node.ts";
import type { OpenOptions } from "./open.ts";
import type { TraceSource } from "./source.ts";

/** What the thread is started with. */
export interface DecoderTask {
  readonly path: string;
  readonly options: OpenOptions;
  /** A `BatchQueue`'s. */
  readonly memory: SharedArrayBuffer;
}

/** What it says beside the batches: that there is one again, or that there are no more of them. */
export type Decoded =
  | { readonly more: true }
  | { readonly ended: Progress }
  | { readonly failed: SentError; readonly progress?: Progress };

/** A trace wherever it is decoded: what addresses were before they were mapped is known only in the thread that does it. */
export type DecodedTrace = Omit<TraceSource, "originalAddress"> & Partial<Pick<TraceSource, "originalAddress">>;

const WORKER = threadFile(import.meta.url, "decoder-thread.node.js");

/** A shorter trace has been decoded before a thread has started. */
const SHORT_BYTES = 1 << 20;

/** Opens a trace as `openTraceFile` does; it is decoded in a thread of its own where that pays. Throws `TraceError`. */
export async function openDecoded(path: string, options: OpenOptions = {}): Promise<DecodedTrace> {
  const here = await openTraceFile(path, options);
  if (!pays(path, here) || !existsSync(WORKER)) return here;
  return decodedInThread(path, options, here);
}

/** Bare records need no decoding, what isn't a file can't be opened twice, and one processor can't do two things. */
function pays(path: string, { header, totalBytes = 0 }: TraceSource): boolean {
  const isBare = header.format === "raw64" && header.compression === "none";
  return !isBare && path !== "-" && totalBytes >= SHORT_BYTES && availableParallelism() > 1;
}

/** Decodes in a thread whatever it is. Throws `TraceError`. */
export async function openInThread(path: string, options: OpenOptions = {}): Promise<DecodedTrace> {
  return decodedInThread(path, options, await openTraceFile(path, options));
}

/** What the trace is has been seen `here`, so that nobody waits for the thread until there is something to play. */
async function decodedInThread(path: string, options: OpenOptions, here: TraceSource): Promise<DecodedTrace> {
  const { name, header, totalBytes } = here;
  await here.close();
  const queue = new BatchQueue();
  const task: DecoderTask = { path, options, memory: queue.memory };
  const worker = new Worker(WORKER, { workerData: task });
  const mail = new Mail(path);
  worker.on("message", (message: Decoded) => mail.put(message));
  worker.on("error", (error) => mail.fail(error));
  worker.on("exit", () => mail.fail(new Error("the thread that decodes it ended")));
  const close = async (): Promise<void> => {
    mail.fail(new Error("the trace is closed"));
    await worker.terminate();
  };
  let progress: Progress = { bytesRead: 0, skipped: 0 };
  let accessesOnly = false;
  return {
    name,
    header,
    totalBytes,
    get bytesRead() {
      return progress.bytesRead;
    },
    get skipped() {
      return progress.skipped;
    },
    get accessesOnly() {
      return accessesOnly;
    },
    async *batches() {
      try {
        for (let last: Exclude<Decoded, { more: true }> | undefined; ; ) {
          for (let batch = queue.get(); batch !== undefined; batch = queue.get()) {
            progress = batch;
            accessesOnly = batch.accessesOnly;
            yield batch.words;
            queue.release();
          }
          if (last !== undefined) {
            progress = "ended" in last ? last.ended : (last.progress ?? progress);
            if ("failed" in last) throw receivedError(last.failed);
            return;
          }
          if (!queue.awaitNext()) continue;
          const message = await mail.take();
          // Batches that were put in before it may still be there.
          if (!("more" in message)) last = message;
        }
      } finally {
        await close();
      }
    },
    close,
  };
}

/** What has been said and what is waited for, in order; after a failure, what came before it. */
class Mail {
  readonly #file: string;
  readonly #come: Decoded[] = [];
  #failure: Error | undefined;
  #wake = (): void => {};

  constructor(file: string) {
    this.#file = file;
  }

  put(message: Decoded): void {
    this.#come.push(message);
    this.#wake();
  }

  /** The first failure stays. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Rejects with a `TraceError` when nothing more can come. */
  async take(): Promise<Decoded> {
    for (;;) {
      const message = this.#come.shift();
      if (message !== undefined) return message;
      if (this.#failure) {
        const { message: found } = this.#failure;
        throw new TraceError("can't be decoded", { file: this.#file, found, cause: this.#failure });
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
