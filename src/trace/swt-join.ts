/**
 * Columns of `.swt` put together by WebAssembly (assembly/columns.ts): what `ColumnTransform.decode` does, several times faster,
 * for columns that are right. What is wrong with the others, that says.
 */
import { moduleOf } from "../engine/inlined-module.ts";
import { COLUMNS } from "./columns-binary.ts";
import type { Columns } from "./swt-columns.ts";
import { LARGEST_CHUNK_ENTRIES } from "./swt-layout.ts";

/** What assembly/columns.ts exports: where columns are put and words are found, as offsets in bytes. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly operations: WebAssembly.Global<"i32">;
  readonly requesters: WebAssembly.Global<"i32">;
  readonly lines: WebAssembly.Global<"i32">;
  readonly offsets: WebAssembly.Global<"i32">;
  readonly words: WebAssembly.Global<"i32">;
  join(entries: number, lineBytes: number): number;
}

export interface Joined {
  /** Valid until the next chunk. */
  readonly words: Uint32Array;
  readonly largestOperation: number;
}

let compiled: WebAssembly.Module | undefined;

/** Has memory for one chunk. */
export class ColumnJoiner {
  readonly #exports: Exports;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  constructor() {
    compiled ??= moduleOf(COLUMNS);
    this.#exports = new WebAssembly.Instance(compiled).exports as unknown as Exports;
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
