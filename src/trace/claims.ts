/**
 * Which chunks of a `.swt` are decoded by whom: several readers go through the same file, each from front to back, and whoever
 * comes to a chunk first that nobody has claimed decodes it. So nobody waits for another as long as there is something to decode.
 */
export class Claims {
  readonly memory: SharedArrayBuffer;
  /** How many chunks are claimed: all before that one. */
  readonly #claimed: Int32Array;

  constructor(memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#claimed = new Int32Array(memory);
  }

  /** Whether that chunk is the caller's from now on. Chunks are asked for in order; the others are somebody else's. */
  claim(chunk: number): boolean {
    return Atomics.compareExchange(this.#claimed, 0, chunk, (chunk + 1) | 0) === chunk;
  }
}
