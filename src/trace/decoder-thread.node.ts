/** The thread of decoder.node.ts: opens a trace, and sends its batches as long as there is memory that the other side gave back. */
import { parentPort, workerData } from "node:worker_threads";
import { SetwayError, sentError, TraceError } from "../engine/errors.ts";
import { BATCHES_AHEAD, DECODED_BYTES, type Decoded, type DecoderTask, type Spent } from "./decoder.node.ts";
import { openTraceFile } from "./open.node.ts";

const { path, options } = workerData as DecoderTask;
const say = (message: Decoded, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer);

const free = Array.from({ length: BATCHES_AHEAD }, () => new ArrayBuffer(DECODED_BYTES));
let wake = (): void => {};
parentPort?.on("message", ({ spent }: Spent) => {
  free.push(spent);
  wake();
});

async function memory(): Promise<ArrayBuffer> {
  for (;;) {
    const buffer = free.pop();
    if (buffer !== undefined) return buffer;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

try {
  const source = await openTraceFile(path, options);
  const progress = () => ({ bytesRead: source.bytesRead, skipped: source.skipped });
  // Formats that come in small batches are gathered: a message costs as much as decoding thousands of records.
  let words = new Uint32Array(await memory());
  let length = 0;
  const send = async (): Promise<void> => {
    if (length === 0) return;
    say({ words: words.subarray(0, length), progress: progress() }, [words.buffer]);
    length = 0;
    words = new Uint32Array(await memory());
  };
  try {
    for await (const batch of source.batches()) {
      if (length + batch.length > words.length) await send();
      words.set(batch, length);
      length += batch.length;
    }
    await send();
    say({ ended: progress() });
  } catch (error) {
    await send();
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
