/**
 * Decoding in threads of its own: the trace is opened and decoded there, and whole batches come over (batch-queue.ts), so that
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
import { checkTally, type Share, type Tally } from "./swt-reader.ts";

/** What a thread is started with. */
export interface DecoderTask {
  readonly path: string;
  readonly options: OpenOptions;
  /** Which chunks of a `.swt` it decodes; all there is if undefined. */
  readonly share: Share | undefined;
  /** A `BatchQueue`'s. */
  readonly memory: SharedArrayBuffer;
}

/** What it says beside the batches: that there is one again, or that there are no more of them. */
export type Decoded = { readonly more: true } | End;

type End =
  | { readonly ended: Progress; readonly tally?: Tally | undefined }
  | { readonly failed: SentError; readonly progress?: Progress };

/** A trace wherever it is decoded: what addresses were before they were mapped is known only in the thread that does it. */
export type DecodedTrace = Omit<TraceSource, "originalAddress"> & Partial<Pick<TraceSource, "originalAddress">>;

const WORKER = threadFile(import.meta.url, "decoder-thread.node.js");

/** A shorter trace has been decoded before a thread has started. */
const SHORT_BYTES = 1 << 20;
/** A second thread pays from here on: it takes as long to start as half of that to decode. */
const LONG_BYTES = 1 << 22;
/** As many decode as fast as anybody plays. */
const MOST_THREADS = 2;

/**
 * Opens a trace as `openTraceFile` does; it is decoded in threads of its own where that pays, beside so many that play. Throws
 * `TraceError`.
 */
export async function openDecoded(path: string, options: OpenOptions = {}, players = 1): Promise<DecodedTrace> {
  const here = await openTraceFile(path, options);
  if (!pays(path, here) || !existsSync(WORKER)) return here;
  const free = Math.min(MOST_THREADS, availableParallelism() - players);
  const { totalBytes = 0 } = here;
  return decodedInThreads(path, options, here, totalBytes >= LONG_BYTES && isShareable(here, options) ? free : 1);
}

/** Bare records need no decoding, what isn't a file can't be opened twice, and one processor can't do two things. */
function pays(path: string, { header, totalBytes = 0 }: TraceSource): boolean {
  const isBare = header.format === "raw64" && header.compression === "none";
  return !isBare && path !== "-" && totalBytes >= SHORT_BYTES && availableParallelism() > 1;
}

/** Chunks of a `.swt` know nothing of each other, unless addresses are mapped, by what came before. */
const isShareable = ({ header }: TraceSource, { mapAddresses = "none" }: OpenOptions): boolean =>
  header.format === "swt" && header.compression === "none" && mapAddresses === "none";

/** Decodes in threads whatever it is: in one if it can't be shared. Throws `TraceError`. */
export async function openInThreads(path: string, options: OpenOptions = {}, threads = 1): Promise<DecodedTrace> {
  const here = await openTraceFile(path, options);
  return decodedInThreads(path, options, here, isShareable(here, options) ? threads : 1);
}

/** What the trace is has been seen `here`, so that nobody waits for a thread until there is something to play. */
async function decodedInThreads(
  path: string,
  options: OpenOptions,
  here: TraceSource,
  count: number,
): Promise<DecodedTrace> {
  const { name, header, totalBytes } = here;
  await here.close();
  const of = Math.max(1, count);
  const threads = Array.from(
    { length: of },
    (_, index) => new DecodingThread(path, options, of === 1 ? undefined : { index, of }),
  );
  const close = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.close()));
  };
  let taken = threads[0] as DecodingThread;
  return {
    name,
    header,
    totalBytes,
    get bytesRead() {
      return taken.progress.bytesRead;
    },
    get skipped() {
      return taken.progress.skipped;
    },
    get accessesOnly() {
      return taken.accessesOnly;
    },
    async *batches() {
      try {
        for (let turn = 0; ; turn = (turn + 1) % of) {
          taken = threads[turn] as DecodingThread;
          const words = taken.ready() ?? (await taken.next());
          if (words === undefined) break;
          yield words;
          taken.release();
        }
        // Where one has no more of them, nobody has.
        await Promise.all(threads.map((thread) => thread.next()));
        const tallies = threads.flatMap((thread) => thread.tally() ?? []);
        const [tally] = tallies;
        if (tally) checkTally({ ...tally, records: tallies.reduce((sum, { records }) => sum + records, 0) }, name);
      } finally {
        await close();
      }
    },
    close,
  };
}
/** A thread, and the batches that come from it, in order. */
class DecodingThread {
  progress: Progress = { bytesRead: 0, skipped: 0 };
  /** Of the batch at hand. */
  accessesOnly = false;
  readonly #queue = new BatchQueue();
  readonly #mail: Mail;
  readonly #worker: Worker;
  #end: End | undefined;

  constructor(path: string, options: OpenOptions, share: Share | undefined) {
    const task: DecoderTask = { path, options, share, memory: this.#queue.memory };
    this.#mail = new Mail(path);
    this.#worker = new Worker(WORKER, { workerData: task });
    this.#worker.on("message", (message: Decoded) => this.#mail.put(message));
    this.#worker.on("error", (error) => this.#mail.fail(error));
    this.#worker.on("exit", () => this.#mail.fail(new Error("the thread that decodes it ended")));
  }

  /** The next batch if it has come, valid until it is released. */
  ready(): Uint32Array | undefined {
    const batch = this.#queue.get();
    if (batch === undefined) return undefined;
    this.progress = batch;
    this.accessesOnly = batch.accessesOnly;
    return batch.words;
  }

  release(): void {
    this.#queue.release();
  }

  /** Waits for the next batch; undefined where there is none any more. Throws what the thread has met. */
  async next(): Promise<Uint32Array | undefined> {
    for (;;) {
      // Batches that were put in before an end may still be there.
      const words = this.ready();
      if (words !== undefined) return words;
      if (this.#end !== undefined) {
        this.progress = "ended" in this.#end ? this.#end.ended : (this.#end.progress ?? this.progress);
        if ("failed" in this.#end) throw receivedError(this.#end.failed);
        return undefined;
      }
      if (!this.#queue.awaitNext()) continue;
      const message = await this.#mail.take();
      if (!("more" in message)) this.#end = message;
    }
  }

  /** What a thread with a share has counted, when there are no more batches. */
  tally(): Tally | undefined {
    return this.#end && "ended" in this.#end ? this.#end.tally : undefined;
  }

  async close(): Promise<void> {
    this.#mail.fail(new Error("the trace is closed"));
    await this.#worker.terminate();
  }
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
