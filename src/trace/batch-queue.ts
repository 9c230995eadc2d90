/**
 * Batches in shared memory, from the thread that decodes them to the one that takes them, in order. Waking a thread costs as much as
 * decoding thousands of records: nobody is woken as long as both have something to do, and who waits is woken for several batches.
 */
import { BATCH_ENTRIES } from "./source.ts";

/** Batches that are decoded before anybody takes them, with the one in use. */
const SLOTS = 8;
/** Whoever waits does so until there are so many batches, or until so many may be put in. */
const WORTH_WAKING = SLOTS / 2;
export const SLOT_WORDS = 2 * BATCH_ENTRIES;
/** Words of the control block: how many batches were put in and taken out (wrapping around), and whether the taker waits to be told. */
const PUT = 0;
const TAKEN = 1;
const WAITS = 2;
const CONTROL_BYTES = 64;
/** Numbers beside each batch: its words, bytes read and items left out until then, whether it is known to have accesses only. */
const FACTS = 4;
const FACTS_BYTES = SLOTS * FACTS * 8;
const QUEUE_BYTES = CONTROL_BYTES + FACTS_BYTES + SLOTS * SLOT_WORDS * 4;

export interface Progress {
  readonly bytesRead: number;
  readonly skipped: number;
}

/** A batch, valid until it is released. */
export interface QueuedBatch extends Progress {
  readonly words: Uint32Array;
  readonly accessesOnly: boolean;
}

export class BatchQueue {
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #facts: Float64Array;
  readonly #slots: readonly Uint32Array[];

  constructor(memory = new SharedArrayBuffer(QUEUE_BYTES)) {
    this.memory = memory;
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.#facts = new Float64Array(memory, CONTROL_BYTES, SLOTS * FACTS);
    const first = CONTROL_BYTES + FACTS_BYTES;
    this.#slots = Array.from(
      { length: SLOTS },
      (_, slot) => new Uint32Array(memory, first + slot * SLOT_WORDS * 4, SLOT_WORDS),
    );
  }

  // ---- the side that decodes, which may sleep

  /** Memory for the next batch; sleeps until there is some. */
  room(): Uint32Array {
    const put = Atomics.load(this.#control, PUT);
    for (let most = SLOTS - 1; ; most = SLOTS - WORTH_WAKING) {
      const taken = Atomics.load(this.#control, TAKEN);
      if (((put - taken) | 0) <= most) return this.#slots[put & (SLOTS - 1)] as Uint32Array;
      Atomics.wait(this.#control, TAKEN, taken);
    }
  }

  /** Hands on what is in the memory that was asked for last. Whether the other side has to be told. */
  put(length: number, { bytesRead, skipped }: Progress, accessesOnly: boolean): boolean {
    const put = Atomics.load(this.#control, PUT);
    this.#facts.set([length, bytesRead, skipped, accessesOnly ? 1 : 0], (put & (SLOTS - 1)) * FACTS);
    Atomics.store(this.#control, PUT, (put + 1) | 0);
    const ready = (put + 1 - Atomics.load(this.#control, TAKEN)) | 0;
    return ready >= WORTH_WAKING && Atomics.exchange(this.#control, WAITS, 0) === 1;
  }

  // ---- the side that takes, which has other things to do while there is nothing

  /** The next batch, if there is one. */
  get(): QueuedBatch | undefined {
    const taken = Atomics.load(this.#control, TAKEN);
    if (Atomics.load(this.#control, PUT) === taken) return undefined;
    const slot = taken & (SLOTS - 1);
    const [length, bytesRead, skipped, accessesOnly] = this.#facts.subarray(slot * FACTS, (slot + 1) * FACTS);
    return {
      words: (this.#slots[slot] as Uint32Array).subarray(0, length),
      bytesRead: bytesRead as number,
      skipped: skipped as number,
      accessesOnly: accessesOnly === 1,
    };
  }

  /** The memory of the batch that `get` gave is the other side's again. */
  release(): void {
    const taken = (Atomics.add(this.#control, TAKEN, 1) + 1) | 0;
    const ready = (Atomics.load(this.#control, PUT) - taken) | 0;
    if (ready <= SLOTS - WORTH_WAKING) Atomics.notify(this.#control, TAKEN);
  }

  /** Asks to be told of the next batches, once; false if there is one already. */
  awaitNext(): boolean {
    Atomics.store(this.#control, WAITS, 1);
    return Atomics.load(this.#control, PUT) === Atomics.load(this.#control, TAKEN);
  }
}
