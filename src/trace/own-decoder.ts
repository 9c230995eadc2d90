/**
 * Decodes chunks of a `.swt` where they are played, as long as there is nothing to play: who would wait for one decodes the next that
 * nobody has claimed.
 */
import type { Batch } from "./batch-queue.ts";
import type { DecoderEnd } from "./decoder.node.ts";
import type { ClaimedTrace } from "./open.node.ts";
import { BATCH_ENTRIES } from "./source.ts";

/** Chunks that are decoded before their turn. Who has so many waits for a thread that the system doesn't let run. */
const AHEAD = 8;

interface Decoded {
  readonly batch: Batch;
  /** Where its words are, unless they are the trace's. */
  readonly room: Uint32Array | undefined;
}

export class OwnDecoder {
  end: DecoderEnd | undefined;
  readonly #trace: ClaimedTrace;
  readonly #batches: AsyncIterator<Uint32Array>;
  /** In order. */
  readonly #decoded: Decoded[] = [];
  readonly #rooms: Uint32Array[] = [];

  constructor(trace: ClaimedTrace) {
    this.#trace = trace;
    this.#batches = trace.batches()[Symbol.asyncIterator]();
  }

  /** The batch of that number if it has been decoded here, valid until it is released. */
  get(number: number): Batch | undefined {
    const batch = this.#decoded[0]?.batch;
    return batch?.number === number ? batch : undefined;
  }

  release(): void {
    const room = this.#decoded.shift()?.room;
    if (room) this.#rooms.push(room);
  }

  /** Decodes one more; false if there are enough, or no more of them. The awaited one is released before this is called again. */
  async decode(awaited: number): Promise<boolean> {
    if (this.end !== undefined || this.#decoded.length === AHEAD) return false;
    try {
      const { value: words, done = false } = await this.#batches.next();
      const { chunk: number, records, accessesOnly, bytesRead, tally } = this.#trace;
      const progress = { bytesRead, skipped: 0 };
      if (done) this.end = { at: number, progress, tally };
      else {
        // The trace's words are valid until its next chunk is decoded.
        const room = number === awaited ? undefined : (this.#rooms.pop() ?? new Uint32Array(2 * BATCH_ENTRIES));
        room?.set(words);
        const kept = room ? room.subarray(0, words.length) : words;
        this.#decoded.push({ batch: { number, words: kept, records, accessesOnly, ...progress }, room });
      }
    } catch (failure) {
      const { chunk: at, bytesRead } = this.#trace;
      this.end = { at, failure, progress: { bytesRead, skipped: 0 } };
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#trace.close();
  }
}
