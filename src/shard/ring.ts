/** Batches in shared memory: one thread puts them in, every reader takes them all, in order. Readers wait asleep. */
import { BATCHES_AHEAD } from "./team.ts";

/** 32-bit words of a slot: a batch of 65,536 words of 64 bits. */
const SLOT_WORDS = 65536 * 2;
/** How many batches were put in (wrapping around), how often somebody was woken, and how long the batch of each slot is. */
const PUT = 0;
const WOKEN = 1;
const LENGTHS = 2;
const CONTROL_WORDS = 16;

export const RING_BYTES = (CONTROL_WORDS + BATCHES_AHEAD * SLOT_WORDS) * 4;

export class Ring {
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #slots: Uint32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.#control = new Int32Array(memory, 0, CONTROL_WORDS);
    this.#slots = new Uint32Array(memory, CONTROL_WORDS * 4);
  }

  /** Puts a batch in. Its slot's last batch must have been taken by everybody: whoever puts counts what is taken. */
  put(words: Uint32Array): void {
    const put = Atomics.load(this.#control, PUT);
    const slot = put & (BATCHES_AHEAD - 1);
    this.#slots.set(words, slot * SLOT_WORDS);
    Atomics.store(this.#control, LENGTHS + slot, words.length);
    Atomics.store(this.#control, PUT, (put + 1) | 0);
    this.wake();
  }

  /** Wakes readers that wait, for a batch or for something beside the ring. */
  wake(): void {
    Atomics.add(this.#control, WOKEN, 1);
    Atomics.notify(this.#control, WOKEN);
  }

  /** How often readers were woken: to be looked at before looking for work, and given to `sleep`. */
  woken(): number {
    return Atomics.load(this.#control, WOKEN);
  }

  /** Waits until readers are woken again. */
  sleep(woken: number): void {
    Atomics.wait(this.#control, WOKEN, woken);
  }

  /** The batch that follows `taken` others, or undefined while there is none. It lies in shared memory. */
  get(taken: number): Uint32Array | undefined {
    if (Atomics.load(this.#control, PUT) === (taken | 0)) return undefined;
    const slot = taken & (BATCHES_AHEAD - 1);
    return this.#slots.subarray(slot * SLOT_WORDS, slot * SLOT_WORDS + Atomics.load(this.#control, LENGTHS + slot));
  }
}
