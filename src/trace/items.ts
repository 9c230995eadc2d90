/** What binary formats share: items taken out of a stream of chunks in bounded memory, and everything before an error delivered. */
import { type ByteReader, concatenate } from "./bytes.ts";
import type { EntryBuffer } from "./entry-buffer.ts";

const NOTHING = new Uint8Array(0);

/** The bytes at hand of a stream; parsers move `at` over what they have used. */
export class ByteWindow {
  bytes: Uint8Array = NOTHING;
  at = 0;
  readonly #reader: ByteReader;
  /** Of the stream up to the end of `bytes`. */
  #received: number;

  constructor(reader: ByteReader) {
    this.#reader = reader;
    this.#received = reader.position;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Byte of the stream at which `at` stands. */
  get offset(): number {
    return this.#received - this.left;
  }

  /** Puts the next chunk behind what is left; false at the end of the stream. What `bytes` was is gone then. */
  async more(): Promise<boolean> {
    // Asking for the next chunk ends the life of this one.
    const rest = this.bytes.slice(this.at);
    this.bytes = rest;
    this.at = 0;
    const chunk = await this.#reader.next();
    if (chunk === undefined) return false;
    this.#received += chunk.length;
    this.bytes = rest.length === 0 ? chunk : concatenate([rest, chunk]);
    return true;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

export interface ItemTrace {
  /** Items left out because of the `skip` option. */
  readonly skipped: number;
  batches(): AsyncGenerator<Uint32Array, void, undefined>;
}

/**
 * Reads a stream of items. `parse` takes whole items until the bytes at hand or the room for entries run out; `finish` sees
 * what is left at the end of the stream, and throws if that is part of an item.
 */
export async function* readItems(
  window: ByteWindow,
  entries: EntryBuffer,
  parse: (window: ByteWindow) => "more" | "full",
  finish: (window: ByteWindow) => void,
): AsyncGenerator<Uint32Array, void, undefined> {
  let failure: { readonly error: unknown } | undefined;
  for (;;) {
    try {
      if (parse(window) === "more" && !(await window.more())) {
        finish(window);
        break;
      }
    } catch (error) {
      failure = { error };
      break;
    }
    if (!entries.hasRoom(ROOM_TO_GO_ON)) yield entries.take();
  }
  if (entries.count > 0) yield entries.take();
  if (failure) throw failure.error;
}

/** No item of any format gives more entries than this. */
export const ROOM_TO_GO_ON = 64;

/** A 64-bit number in two parts, for an error. */
export const hexadecimal = (low: number, high: number): string =>
  high === 0 ? low.toString(16) : `${high.toString(16)}${low.toString(16).padStart(8, "0")}`;

/** Bytes in hexadecimal, for an error. */
export const hexBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
