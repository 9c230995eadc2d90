/**
 * Decoding in threads of its own: the trace is opened and decoded there, and whole batches come over (batch-queue.ts). Chunks of a
 * `.swt` know nothing of each other, so several threads decode them, and so does who plays them where it would have to wait.
 * Errors come with their place, after everything before them, as from the trace itself.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { receivedError, type SentError, TraceError } from "../engine/errors.ts";
import { threadFile } from "../engine/thread-file.node.ts";
import { type Batch, BatchQueue, type Progress, SLOTS } from "./batch-queue.ts";
import { Claims } from "./claims.ts";
import { openClaimed, openTraceFile } from "./open.node.ts";
import type { OpenOptions } from "./open.ts";
import { OwnDecoder } from "./own-decoder.ts";
import type { TraceSource } from "./source.ts";
import { checkTally, type Tally } from "./swt-reader.ts";

/** What a thread is started with. */
export interface DecoderTask {
  readonly path: string;
  readonly options: OpenOptions;
  /** `Claims` of the chunks of a `.swt`; all there is if undefined. */
  readonly claims: SharedArrayBuffer | undefined;
  /** A `BatchQueue`'s. */
  readonly memory: SharedArrayBuffer;
}

/** What it says beside the batches: that there is one again, or that it has no more of them. */
export type Decoded = { readonly more: true } | SentEnd;

interface SentEnd extends Omit<DecoderEnd, "failure"> {
  readonly failed?: SentError;
}

/** Where somebody has come to who has no more batches. */
export interface DecoderEnd {
  /** The number of the first batch that isn't there. */
  readonly at: number;
  readonly progress: Progress;
  /** Why it isn't, unless the trace ends before it. */
  readonly failure?: unknown;
  readonly tally?: Tally | undefined;
}

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
  return decodedInThreads(path, options, here, totalBytes >= LONG_BYTES ? free : 1);
}

/** Bare records need no decoding, what isn't a file can't be opened twice, and one processor can't do two things. */
function pays(path: string, { header, totalBytes = 0 }: TraceSource): boolean {
  const isBare = header.format === "raw64" && header.compression === "none";
  return !isBare && path !== "-" && totalBytes >= SHORT_BYTES && availableParallelism() > 1;
}

/** Decodes in threads whatever it is: in one if it isn't in chunks. Throws `TraceError`. */
export async function openInThreads(path: string, options: OpenOptions = {}, threads = 1): Promise<DecodedTrace> {
  return decodedInThreads(path, options, await openTraceFile(path, options), threads);
}

/** Chunks of a `.swt` know nothing of each other, unless addresses are mapped, by what came before. */
const isInChunks = ({ header }: TraceSource, { mapAddresses = "none" }: OpenOptions): boolean =>
  header.format === "swt" && header.compression === "none" && mapAddresses === "none";

/** What the trace is has been seen `here`, so that nobody waits for a thread until there is something to play. */
async function decodedInThreads(
  path: string,
  options: OpenOptions,
  here: TraceSource,
  most: number,
): Promise<DecodedTrace> {
  const { name, header, totalBytes } = here;
  await here.close();
  const claims = isInChunks(here, options) ? new Claims() : undefined;
  const own = claims && new OwnDecoder(await openClaimed(path, claims));
  const bell = new Bell();
  const start = (): DecodingThread => new DecodingThread(path, options, claims, bell);
  const threads = Array.from({ length: claims ? Math.max(1, most) : 1 }, start);
  const decoders: readonly Decoder[] = own ? [own, ...threads] : threads;
  // Who can't decode waits often, and telling takes longer than a batch.
  const worthWaking = own ? 1 : SLOTS / 2;
  let progress: Progress = { bytesRead: 0, skipped: 0 };
  let accessesOnly = false;
  let isClosed = false;

  const close = async (): Promise<void> => {
    isClosed = true;
    bell.ring();
    await Promise.all(decoders.map((decoder) => decoder.close()));
  };
  /** Who has that batch, or has come to where it should be. */
  const decoderOf = async (number: number): Promise<Decoder> => {
    for (;;) {
      if (isClosed) throw undecodable(path, new Error("the trace is closed"));
      const who =
        decoders.find((decoder) => decoder.get(number)) ??
        decoders.find(({ end }) => end !== undefined && end.at <= number);
      if (who) return who;
      if (await own?.decode(number)) continue;
      for (const thread of threads) thread.awaitNext(worthWaking);
      // What came before they were asked to tell isn't told.
      if (threads.some((thread) => thread.get(number))) continue;
      for (const { failure } of threads) if (failure) throw undecodable(path, failure);
      await bell.rung();
    }
  };

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
      let records = 0;
      try {
        for (let number = 0; ; number++) {
          const decoder = await decoderOf(number);
          const batch = decoder.get(number);
          if (batch === undefined) {
            ({ progress = progress } = decoder.end ?? {});
            if (decoder.end?.failure) throw decoder.end.failure;
            if (decoder.end?.tally) checkTally(records, decoder.end.tally, name);
            return;
          }
          progress = batch;
          ({ accessesOnly } = batch);
          records += batch.records;
          yield batch.words;
          decoder.release();
        }
      } finally {
        await close();
      }
    },
    close,
  };
}

const undecodable = (file: string, cause: Error): TraceError =>
  new TraceError("can't be decoded", { file, found: cause.message, cause });

/** Whoever decodes batches, in order, if not all of them. */
interface Decoder {
  /** When there are no more of them. */
  readonly end: DecoderEnd | undefined;
  /** The batch of that number if it is there, valid until it is released. */
  get(number: number): Batch | undefined;
  release(): void;
  close(): Promise<void>;
}

/** A thread, and the batches that come from it. */
class DecodingThread implements Decoder {
  end: DecoderEnd | undefined;
  /** Why nothing more comes from it, unless it has come to an end. */
  failure: Error | undefined;
  readonly #queue = new BatchQueue();
  readonly #worker: Worker;

  constructor(path: string, options: OpenOptions, claims: Claims | undefined, bell: Bell) {
    const task: DecoderTask = { path, options, claims: claims?.memory, memory: this.#queue.memory };
    const fail = (error: Error): void => {
      this.failure ??= error;
      bell.ring();
    };
    this.#worker = new Worker(WORKER, { workerData: task });
    this.#worker.on("message", (message: Decoded) => {
      if (!("more" in message)) this.end = receivedEnd(message);
      bell.ring();
    });
    this.#worker.on("error", fail);
    this.#worker.on("exit", () => {
      if (this.end === undefined) fail(new Error("the thread that decodes it ended"));
    });
  }

  get(number: number): Batch | undefined {
    return this.#queue.get(number);
  }

  release(): void {
    this.#queue.release();
  }

  /** Has the bell rung, once, when there are so many batches. */
  awaitNext(many: number): void {
    this.#queue.awaitNext(many);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const receivedEnd = ({ failed, ...end }: SentEnd): DecoderEnd =>
  failed ? { ...end, failure: receivedError(failed) } : end;

/** Wakes who waits for any of the threads. */
class Bell {
  #ring = (): void => {};

  ring(): void {
    this.#ring();
  }

  /** When it rings next. */
  rung(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve;
    });
  }
}
