/**
 * Batches in shared memory, from the thread that decodes them to the one that takes them, in order. Waking a thread costs as much as
 * decoding thousands of records: nobody is woken as long as both have something to do, and who waits says for how many batches.
 */
import { BATCH_ENTRIES } from "./source.ts";

/** Batches that are decoded before anybody takes them, with the one in use. */
export const SLOTS = 8;
/** Who puts batches in and waits for room does so until there is some for so many. */
const WORTH_WAKING = SLOTS / 2;
export const SLOT_WORDS = 2 * BATCH_ENTRIES;
/** Words of the control block: how many batches were put in and taken out (wrapping around), and how many there are to be when the taker is told (0: never). */
const PUT = 0;
const TAKEN = 1;
const WAITS = 2;
const CONTROL_BYTES = 64;
/** Numbers beside each batch: its place, words and records, whether it is known to have accesses only, bytes read and items left out until then. */
const FACTS = 6;
const FACTS_BYTES = SLOTS * FACTS * 8;
const QUEUE_BYTES = CONTROL_BYTES + FACTS_BYTES + SLOTS * SLOT_WORDS * 4;

export interface Progress {
  readonly bytesRead: number;
  readonly skipped: number;
}

/** What is said of a batch. */
export interface BatchFacts extends Progress {
  /** Its place in the trace, from 0: others of them may be decoded elsewhere. */
  readonly number: number;
  /** 0 where nobody counts them. */
  readonly records: number;
  readonly accessesOnly: boolean;
}

/** A batch, valid until it is released. */
export interface Batch extends BatchFacts {
  readonly words: Uint32Array;
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
  put(length: number, { number, records, accessesOnly, bytesRead, skipped }: BatchFacts): boolean {
    const put = Atomics.load(this.#control, PUT);
    const facts = [number, length, records, accessesOnly ? 1 : 0, bytesRead, skipped];
    this.#facts.set(facts, (put & (SLOTS - 1)) * FACTS);
    Atomics.store(this.#control, PUT, (put + 1) | 0);
    const ready = (put + 1 - Atomics.load(this.#control, TAKEN)) | 0;
    const waits = Atomics.load(this.#control, WAITS);
    return waits > 0 && ready >= waits && Atomics.exchange(this.#control, WAITS, 0) > 0;
  }

  // ---- the side that takes, which has other things to do while there is nothing

  /** The next batch, if there is one and it is that one. */
  get(number: number): Batch | undefined {
    const taken = Atomics.load(this.#control, TAKEN);
    if (Atomics.load(this.#control, PUT) === taken) return undefined;
    const slot = taken & (SLOTS - 1);
    const at = slot * FACTS;
    const fact = (index: number): number => this.#facts[at + index] as number;
    if (fact(0) !== number) return undefined;
    return {
      number,
      words: (this.#slots[slot] as Uint32Array).subarray(0, fact(1)),
      records: fact(2),
      accessesOnly: fact(3) === 1,
      bytesRead: fact(4),
      skipped: fact(5),
    };
  }

  /** The memory of the batch that `get` gave is the other side's again. */
  release(): void {
    const taken = (Atomics.add(this.#control, TAKEN, 1) + 1) | 0;
    const ready = (Atomics.load(this.#control, PUT) - taken) | 0;
    if (ready <= SLOTS - WORTH_WAKING) Atomics.notify(this.#control, TAKEN);
  }

  /** Asks to be told, once, when there are so many batches and one is put in. */
  awaitNext(many: number): void {
    Atomics.store(this.#control, WAITS, many);
  }
}
