/** `.raw64`: nothing but little-endian 64-bit entries. What they hold is the engine's to judge (semantics D7); only the length can be wrong. */
import { TraceError } from "../engine/errors.ts";
import type { ByteReader, ByteSink } from "./bytes.ts";
import { countRecords, trailingPrefixes } from "./entry.ts";
import { BATCH_ENTRIES, type EntryWriter } from "./source.ts";

/** Chunks from here on are played where they lie; smaller ones are gathered first. */
const DIRECT_BYTES = 1 << 16;

// Typed arrays have the byte order of the host, which is little-endian wherever this runs.
export async function* readRaw64(input: ByteReader, file: string): AsyncGenerator<Uint32Array, void, undefined> {
  const gathered = new Uint32Array(2 * BATCH_ENTRIES);
  const gatheredBytes = new Uint8Array(gathered.buffer);
  let held = 0;
  let records = 0;

  /** The entries gathered so far, but for prefixes whose record hasn't come; those stay. */
  const take = (last: boolean): Uint32Array => {
    const whole = gathered.subarray(0, 2 * (held >>> 3));
    const ready = last ? whole : whole.subarray(0, whole.length - 2 * trailingPrefixes(whole));
    records += countRecords(ready);
    return ready;
  };
  const drop = (bytes: number): void => {
    gatheredBytes.copyWithin(0, bytes, held);
    held -= bytes;
  };

  let failure: { readonly error: unknown } | undefined;
  for (;;) {
    let chunk: Uint8Array | undefined;
    try {
      chunk = await input.next();
    } catch (error) {
      failure = { error };
    }
    if (chunk === undefined) break;
    let at = 0;
    while (at < chunk.length) {
      if (held === 0 && chunk.length - at >= DIRECT_BYTES && (chunk.byteOffset + at) % 4 === 0) {
        const entries = Math.min((chunk.length - at) >>> 3, BATCH_ENTRIES);
        const whole = new Uint32Array(chunk.buffer, chunk.byteOffset + at, 2 * entries);
        const ready = whole.subarray(0, whole.length - 2 * trailingPrefixes(whole));
        if (ready.length > 0) {
          records += countRecords(ready);
          at += ready.byteLength;
          yield ready;
          continue;
        }
      }
      const taken = chunk.subarray(at, at + gatheredBytes.length - held);
      gatheredBytes.set(taken, held);
      held += taken.length;
      at += taken.length;
      // The reader of a slow pipe needn't wait for a full batch of 65,536.
      if (held >= DIRECT_BYTES) {
        const ready = take(false);
        if (ready.length > 0) yield ready;
        drop(ready.byteLength);
      }
    }
  }
  const rest = take(true);
  if (rest.length > 0) yield rest;
  if (failure) throw failure.error;
  if (held % 8 !== 0) {
    throw new TraceError("truncated record", {
      file,
      record: records,
      offset: input.position - (held % 8),
      found: `${held % 8} bytes`,
      expected: "8",
    });
  }
}

export function writeRaw64(sink: ByteSink): EntryWriter {
  return {
    skipped: 0,
    async write(words) {
      await sink.write(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    },
    close: () => sink.close(),
    abort: () => sink.abort(),
  };
}
