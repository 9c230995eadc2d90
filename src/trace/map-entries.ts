/** Applies an address mapping to entries that are there already, as those of `.raw64` and `.swt` are. */
import { TraceError } from "../engine/errors.ts";
import { OPERATIONS } from "../engine/operations.ts";
import { type AddressMap, MAPPED } from "./address-map.ts";
import { isPrefix, operationOf } from "./entry.ts";
import { BATCH_ENTRIES } from "./source.ts";

const { WITH, FLUSH_STAGE2 } = OPERATIONS;
/** Bit 44 of `WITH`: the address is one of the upper half (semantics D39). Here within bits 32-47. */
const UPPER = 1 << 12;
const SIZE_FIELD = 0xffffff;

/** Batches with the addresses mapped; an access across two pages becomes two records. */
export async function* mapEntries(
  batches: AsyncIterable<Uint32Array>,
  map: AddressMap,
  file: string,
): AsyncGenerator<Uint32Array, void, undefined> {
  const out = new Uint32Array(2 * BATCH_ENTRIES);
  let filled = 0;
  let records = 0;
  for await (const words of batches) {
    let failure: TraceError | undefined;
    /** Where the prefixes of the record at hand begin. */
    let begin = 0;
    for (let at = 0; at < words.length; at += 2) {
      const high = words[at + 1] as number;
      const operation = operationOf(high);
      if (isPrefix(operation) && at + 2 < words.length) continue;
      const length = at + 2 - begin;
      // Twice its entries at most; batches that have no room are handed on before.
      if (filled + 2 * length > out.length) {
        yield out.subarray(0, filled);
        filled = 0;
      }
      if (2 * length > out.length) failure = refusal("more prefixes than a batch holds", high, 0);
      else if (MAPPED[operation] === 1) mapRecord(words, begin, at);
      else if (operation === FLUSH_STAGE2.code) failure = refusal("a range of stage 2 can't be mapped", high, 0);
      else {
        out.set(words.subarray(begin, at + 2), filled);
        filled += length;
      }
      if (failure) break;
      records++;
      begin = at + 2;
    }
    if (filled > 0) yield out.subarray(0, filled);
    filled = 0;
    if (failure) throw failure;

    function mapRecord(from: Uint32Array, first: number, at: number): void {
      const low = from[at] as number;
      const high = from[at + 1] as number;
      const withAt = lastWith(from, first, at);
      const withHigh = withAt < 0 ? 0 : (from[withAt + 1] as number);
      const size = withAt < 0 ? 0 : (from[withAt] as number) & SIZE_FIELD;
      const addressHigh = (withHigh & UPPER) === 0 ? high & 0xffff : (high & 0xffff) | 0xffff0000;
      const left = map.leftOfPage(low);
      const cut = map.paged && size > left;
      if (cut && at - first > 2) {
        failure = refusal("an access with a value across two pages can't be mapped", high, low);
        return;
      }
      if (!append(from, first, at, withAt, low, addressHigh >>> 0, cut ? left : size) || !cut) return;
      const next = low + left;
      append(
        from,
        first,
        at,
        withAt,
        next >>> 0,
        (next > 0xffffffff ? addressHigh + 1 : addressHigh) >>> 0,
        size - left,
      );
    }

    function append(
      from: Uint32Array,
      first: number,
      at: number,
      withAt: number,
      low: number,
      addressHigh: number,
      size: number,
    ): boolean {
      if (!map.map(low, addressHigh)) {
        failure = refusal(map.refusal.what, addressHigh, low, map.refusal.expected);
        return false;
      }
      out.set(from.subarray(first, at + 2), filled);
      if (withAt >= 0) {
        const place = filled + withAt - first;
        out[place] = ((out[place] as number) & ~SIZE_FIELD) | size;
        out[place + 1] = (out[place + 1] as number) & ~UPPER;
      }
      filled += at + 2 - first;
      out[filled - 2] = map.low;
      out[filled - 1] = ((from[at + 1] as number) & 0xffff0000) | map.high16;
      return true;
    }
  }

  function refusal(what: string, high: number, low: number, expected?: string): TraceError {
    const found = `address ${(high * 2 ** 32 + low).toString(16)}`;
    return new TraceError(what, { file, record: records, found, expected });
  }
}

/** The last `WITH` before a record is the one that counts (semantics D5); -1 if it has none. */
function lastWith(words: Uint32Array, first: number, at: number): number {
  for (let prefix = at - 2; prefix >= first; prefix -= 2) {
    if (operationOf(words[prefix + 1] as number) === WITH.code) return prefix;
  }
  return -1;
}
