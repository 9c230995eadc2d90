/** XXH64, which zstd's frames have as a checksum, by WebAssembly (assembly/xxh64.ts). */
import { type TraceExports, traceExports } from "./wasm.ts";

const STRIPE_BYTES = 32;
/** What is copied at a time: a part of the room for words. */
const MOST_BYTES = 1 << 16;

export class Xxh64 {
  readonly #exports: TraceExports = traceExports();
  readonly #input: Uint8Array;
  /** Bytes at the beginning of the input that aren't a stripe yet. */
  #held = 0;

  constructor() {
    const { memory, words } = this.#exports;
    this.#input = new Uint8Array(memory.buffer, words.value, MOST_BYTES);
    this.#exports.begin();
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + MOST_BYTES - this.#held);
      this.#input.set(taken, this.#held);
      at += taken.length;
      const filled = this.#held + taken.length;
      const stripes = Math.floor(filled / STRIPE_BYTES);
      this.#exports.stripes(stripes);
      this.#input.copyWithin(0, stripes * STRIPE_BYTES, filled);
      this.#held = filled % STRIPE_BYTES;
    }
  }

  /** Its low 32 bits, when all bytes have been added. */
  low(): number {
    return this.#exports.finish(this.#held) >>> 0;
  }
}
