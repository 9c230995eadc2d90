/** Collects the entries of one batch: what readers of other tools' formats append accesses of 64-bit addresses to. */
import { NARROW_REQUESTERS, OPERATIONS } from "../engine/operations.ts";
import { AddressMap } from "./address-map.ts";
import { BATCH_ENTRIES } from "./source.ts";

/** The size field of `WITH`. */
export const LARGEST_SIZE = 0xffffff;

export class EntryBuffer {
  readonly words = new Uint32Array(2 * BATCH_ENTRIES);
  count = 0;
  readonly addresses: AddressMap;
  readonly #sizes: boolean;
  /** Bits 56-63 of the records, and of the prefix those that don't fit there. */
  #ownRequester = 0;
  #wideRequester = 0;

  /** With `sizes` an access keeps its size, in a `WITH` prefix; otherwise it is one record at its first byte. */
  constructor(addresses: AddressMap = new AddressMap(), sizes = false) {
    this.addresses = addresses;
    this.#sizes = sizes;
  }

  /** Who issues what is appended from now on. */
  setRequester(requester: number): void {
    this.#ownRequester = requester < NARROW_REQUESTERS ? requester << 24 : 0;
    this.#wideRequester = requester < NARROW_REQUESTERS ? 0 : requester + 1;
  }

  /** Whether this many entries more find room. */
  hasRoom(entries: number): boolean {
    return this.count + entries <= BATCH_ENTRIES;
  }

  /** Appends a record without an address, or with one that is mapped already. */
  push(operation: number, low: number, high16: number): void {
    if (this.#wideRequester !== 0) this.#pushWith(0);
    this.#push(operation, low, high16, this.#ownRequester);
  }

  /**
   * Appends an access: at most four entries. Returns false if its address can't be mapped; nothing has been appended then,
   * and `addresses.refusal` says why.
   */
  access(operation: number, low: number, high: number, sizeBytes: number): boolean {
    const { addresses } = this;
    if (!addresses.map(low, high)) return false;
    if (!this.#sizes || sizeBytes === 0) {
      this.push(operation, addresses.low, addresses.high16);
      return true;
    }
    const here = addresses.paged ? Math.min(sizeBytes, addresses.leftOfPage(low)) : sizeBytes;
    const before = this.count;
    this.#pushWith(here);
    this.#push(operation, addresses.low, addresses.high16, this.#ownRequester);
    if (here === sizeBytes) return true;
    const next = low + here;
    if (!addresses.map(next >>> 0, next > 0xffffffff ? (high + 1) >>> 0 : high)) {
      this.count = before;
      return false;
    }
    this.#pushWith(sizeBytes - here);
    this.#push(operation, addresses.low, addresses.high16, this.#ownRequester);
    return true;
  }

  take(): Uint32Array {
    const batch = this.words.subarray(0, 2 * this.count);
    this.count = 0;
    return batch;
  }

  /** WITH: size in bits 0-23, requester + 1 in bits 24-39. */
  #pushWith(sizeBytes: number): void {
    const low = (sizeBytes | (this.#wideRequester << 24)) >>> 0;
    this.#push(OPERATIONS.WITH.code, low, this.#wideRequester >>> 8, 0);
  }

  #push(operation: number, low: number, high16: number, requester: number): void {
    this.words[2 * this.count] = low;
    this.words[2 * this.count + 1] = high16 | (operation << 16) | requester;
    this.count++;
  }
}
