/**
 * Columns of `.swt` put together by WebAssembly (assembly/columns.ts): what `ColumnTransform.decode` does, several times faster,
 * for columns that are right. What is wrong with the others, that says.
 */
import type { Columns } from "./swt-columns.ts";
import { LARGEST_CHUNK_ENTRIES } from "./swt-layout.ts";
import { type TraceExports, traceExports } from "./wasm.ts";

export interface Joined {
  /** Valid until the next chunk. */
  readonly words: Uint32Array;
  readonly largestOperation: number;
}

/** Has memory for one chunk. */
export class ColumnJoiner {
  readonly #exports: TraceExports = traceExports();
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  constructor() {
    const { memory, words } = this.#exports;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer, words.value, 2 * LARGEST_CHUNK_ENTRIES);
  }

  /** Columns of one length, 1 to 65,536 entries, with lines of 1 to 7 bytes each; `undefined` if something is wrong with them. */
  join({ operations, requesters, lines, offsets }: Columns): Joined | undefined {
    const exports = this.#exports;
    this.#bytes.set(operations, exports.operations.value);
    this.#bytes.set(requesters, exports.requesters.value);
    this.#bytes.set(lines, exports.lines.value);
    this.#bytes.set(offsets, exports.offsets.value);
    const largestOperation = exports.join(operations.length, lines.length);
    if (largestOperation < 0) return undefined;
    return { words: this.#words.subarray(0, 2 * operations.length), largestOperation };
  }
}
