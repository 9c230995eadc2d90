/** The thread of decoder.node.ts: opens a trace, and puts its batches into the queue as long as there is room. */
import { parentPort, workerData } from "node:worker_threads";
import { SetwayError, sentError, TraceError } from "../engine/errors.ts";
import { BatchQueue, SLOT_WORDS } from "./batch-queue.ts";
import type { Decoded, DecoderTask } from "./decoder.node.ts";
import { openTraceFile, openTraceShare } from "./open.node.ts";

const { path, options, share, memory } = workerData as DecoderTask;
const say = (message: Decoded): void => parentPort?.postMessage(message);

try {
  const source = share === undefined ? await openTraceFile(path, options) : await openTraceShare(path, share);
  const progress = () => ({ bytesRead: source.bytesRead, skipped: source.skipped });
  const queue = new BatchQueue(memory);
  let words: Uint32Array | undefined;
  let length = 0;
  let accessesOnly = true;
  const handOn = (): void => {
    if (length > 0 && queue.put(length, progress(), accessesOnly)) say({ more: true });
    words = undefined;
    length = 0;
    accessesOnly = true;
  };
  try {
    for await (const batch of source.batches()) {
      // Formats that come in small batches are gathered.
      if (length + batch.length > SLOT_WORDS) handOn();
      words ??= queue.room();
      words.set(batch, length);
      length += batch.length;
      accessesOnly &&= source.accessesOnly;
      // Batches of several threads are taken by turns.
      if (share !== undefined || length > SLOT_WORDS / 2) handOn();
    }
    handOn();
    say({ ended: progress(), tally: "tally" in source ? source.tally : undefined });
  } catch (error) {
    handOn();
    say({ failed: sent(error), progress: progress() });
  }
} catch (error) {
  say({ failed: sent(error) });
}
parentPort?.close();

function sent(error: unknown): ReturnType<typeof sentError> {
  if (error instanceof SetwayError) return sentError(error);
  return sentError(new TraceError("can't be decoded", { file: path, found: String(error) }));
}
