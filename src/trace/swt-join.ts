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

  /** Inflates a column; false if that doesn't give exactly so many bytes, or might not, for somebody else to say why. */
  inflate(column: keyof Columns, packed: Uint8Array, bytes: number): boolean {
    const { words, inflate, [column]: place } = this.#exports;
    this.#bytes.set(packed, words.value);
    return inflate(words.value, packed.length, place.value, bytes) !== 0;
  }

  /** A column that has been inflated elsewhere. */
  put(column: keyof Columns, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#exports[column].value);
  }

  /** What has been put or inflated, 1 to 65,536 entries with lines of 1 to 7 bytes each; `undefined` if something is wrong with it. */
  join(entries: number, lineBytes: number): Joined | undefined {
    const largestOperation = this.#exports.join(entries, lineBytes);
    if (largestOperation < 0) return undefined;
    return { words: this.#words.subarray(0, 2 * entries), largestOperation };
  }

  /** The columns as they were put or inflated. */
  columns(entries: number, lineBytes: number): Columns {
    const at = (column: keyof Columns, bytes: number): Uint8Array =>
      this.#bytes.subarray(this.#exports[column].value, this.#exports[column].value + bytes);
    return {
      operations: at("operations", entries),
      requesters: at("requesters", entries),
      lines: at("lines", lineBytes),
      offsets: at("offsets", entries),
    };
  }
}
