/**
 * Bytes as somebody really got them, stale ones included: what the disk writes out, what a migration sends, what a copy
 * on write copies. An engine tells only eight bytes of an access, so a line is read as one only where nobody could get
 * anything but the newest bytes.
 */
import type { Engine, PeekPlace } from "../engine/engine.ts";
import { PAGE_BYTES } from "./descriptors.ts";
import type { RecordBuffer } from "./record-buffer.ts";

const WORD_BYTES = 8;

/** Plays reads of a page by `read` and returns what they got. */
export function observePage(engine: Engine, page: number, read: (address: number, bytes: number) => void): Uint8Array {
  const observed = new Uint8Array(PAGE_BYTES);
  const view = new DataView(observed.buffer);
  const line = Math.min(engine.machine.smallestLineBytes, PAGE_BYTES);
  for (let offset = 0; offset < PAGE_BYTES; offset += line) {
    const newest = newestIfCertain(engine, page + offset, line);
    if (newest) {
      read(page + offset, line);
      observed.set(newest, offset);
      continue;
    }
    for (let word = offset; word < offset + line; word += WORD_BYTES) {
      read(page + word, WORD_BYTES);
      view.setBigUint64(word, engine.lastValue(), true);
    }
  }
  return observed;
}

/** Writes a page's bytes with as few records as repeated values allow (D6). */
export function writePage(
  page: number,
  bytes: Uint8Array,
  lineBytes: number,
  write: (address: number, value: bigint, size: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const line = Math.min(lineBytes, PAGE_BYTES);
  for (let offset = 0; offset < PAGE_BYTES; offset += line) {
    const first = view.getBigUint64(offset, true);
    let uniform = true;
    for (let word = offset + WORD_BYTES; word < offset + line && uniform; word += WORD_BYTES) {
      uniform = view.getBigUint64(word, true) === first;
    }
    if (uniform) write(page + offset, first, line);
    else {
      for (let word = offset; word < offset + line; word += WORD_BYTES) {
        write(page + word, view.getBigUint64(word, true), WORD_BYTES);
      }
    }
  }
}

/** Host stores of a page's bytes. */
export function storePage(records: RecordBuffer, page: number, bytes: Uint8Array, lineBytes: number): void {
  writePage(page, bytes, lineBytes, (address, value, size) => records.store(address, value, size));
}

/**
 * The newest bytes of a line, if a coherent reader can get no others: every copy has them, and where none of them is
 * dirty (so that memory may be what answers) everything behind the caches has them too.
 */
function newestIfCertain(engine: Engine, address: number, bytes: number): Uint8Array | undefined {
  const { machine } = engine;
  const truth = engine.peek("truth", address, bytes);
  const copies = engine.copies(address).filter(({ cache }) => machine.caches[cache]?.holds !== "instructions");
  const places: PeekPlace[] = copies.map(({ cache }) => ({ cache }));
  if (!copies.some(({ state }) => state === "M" || state === "O")) {
    places.push("memory");
    // These may hold nothing of the line, and then show zeroes: that only costs a slower look.
    if (machine.outer) places.push("outer");
    if (machine.memorySide.some((cache) => cache !== undefined)) places.push("memory-side");
  }
  const agrees = (place: PeekPlace) => {
    const held = engine.peek(place, address, bytes);
    return truth.every((byte, index) => byte === held[index]);
  };
  return places.every(agrees) ? truth : undefined;
}
