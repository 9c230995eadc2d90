/** The thread of decoder.node.ts: opens a trace, and puts its batches into the queue as long as there is room. */
import { parentPort, workerData } from "node:worker_threads";
import { SetwayError, sentError, TraceError } from "../engine/errors.ts";
import { BatchQueue, SLOT_WORDS } from "./batch-queue.ts";
import { Claims } from "./claims.ts";
import type { Decoded, DecoderTask } from "./decoder.node.ts";
import { openClaimed, openTraceFile } from "./open.node.ts";

const { path, options, claims, memory } = workerData as DecoderTask;
const say = (message: Decoded): void => parentPort?.postMessage(message);
const queue = new BatchQueue(memory);

try {
  await (claims === undefined ? decodeAll() : decodeClaimed(new Claims(claims)));
} catch (error) {
  say({ at: 0, failed: sent(error), progress: { bytesRead: 0, skipped: 0 } });
}
parentPort?.close();

/** Everything there is. Formats that come in small batches are gathered. */
async function decodeAll(): Promise<void> {
  const source = await openTraceFile(path, options);
  const progress = () => ({ bytesRead: source.bytesRead, skipped: source.skipped });
  let words: Uint32Array | undefined;
  let length = 0;
  let accessesOnly = true;
  let number = 0;
  const handOn = (): void => {
    if (length === 0) return;
    if (queue.put(length, { number, records: 0, accessesOnly, ...progress() })) say({ more: true });
    words = undefined;
    length = 0;
    accessesOnly = true;
    number++;
  };
  try {
    for await (const batch of source.batches()) {
      if (length + batch.length > SLOT_WORDS) handOn();
      words ??= queue.room();
      words.set(batch, length);
      length += batch.length;
      accessesOnly &&= source.accessesOnly;
      if (length > SLOT_WORDS / 2) handOn();
    }
    handOn();
    say({ at: number, progress: progress() });
  } catch (error) {
    handOn();
    say({ at: number, failed: sent(error), progress: progress() });
  }
}

/** The chunks that nobody else decodes, each a batch. */
async function decodeClaimed(claims: Claims): Promise<void> {
  const source = await openClaimed(path, claims);
  const progress = () => ({ bytesRead: source.bytesRead, skipped: 0 });
  try {
    for await (const batch of source.batches()) {
      queue.room().set(batch);
      const { chunk: number, records, accessesOnly } = source;
      if (queue.put(batch.length, { number, records, accessesOnly, ...progress() })) say({ more: true });
    }
    say({ at: source.chunk, progress: progress(), tally: source.tally });
  } catch (error) {
    say({ at: source.chunk, failed: sent(error), progress: progress() });
  }
}

function sent(error: unknown): ReturnType<typeof sentError> {
  if (error instanceof SetwayError) return sentError(error);
  return sentError(new TraceError("can't be decoded", { file: path, found: String(error) }));
}
