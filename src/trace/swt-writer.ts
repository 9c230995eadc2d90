/** Writes `.swt` (docs/trace-format.md) front to back: the output need not be seekable. */
import type { ByteSink } from "./bytes.ts";
import type { Codecs } from "./codec.ts";
import { countRecords, trailingPrefixes } from "./entry.ts";
import { BATCH_ENTRIES, type EntryWriter, type TraceDescription } from "./source.ts";
import { ColumnTransform } from "./swt-columns.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_HEADER_BYTES,
  CHUNK_MARKER,
  END_BYTES,
  END_MARKER,
  encodeDescription,
  MAGIC,
  PREAMBLE_BYTES,
  VERSION,
} from "./swt-layout.ts";

export function writeSwt(sink: ByteSink, description: TraceDescription, codecs: Codecs): EntryWriter {
  const transform = new ColumnTransform();
  const gathered = new Uint32Array(2 * BATCH_ENTRIES);
  let held = 0;
  let begun = false;
  let chunks = 0;
  let entries = 0;
  let records = 0;
  let checksum = 0;

  /** Every checksum covers the one before it, so that nothing can be left out, put in or exchanged. */
  const seal = (bytes: Uint8Array): Uint8Array => {
    checksum = codecs.crc32(bytes, codecs.crc32(little32(checksum), 0));
    return little32(checksum);
  };
  const put = async (...parts: readonly Uint8Array[]): Promise<void> => {
    for (const part of parts) await sink.write(part);
  };

  const begin = async (): Promise<void> => {
    begun = true;
    const text = encodeDescription(description);
    const preamble = new Uint8Array(PREAMBLE_BYTES + text.length);
    const view = new DataView(preamble.buffer);
    preamble.set(MAGIC);
    view.setUint32(8, VERSION, true);
    view.setUint32(12, text.length, true);
    preamble.set(text, PREAMBLE_BYTES);
    await put(preamble, seal(preamble));
  };

  const writeChunk = async (words: Uint32Array): Promise<void> => {
    const columns = transform.encode(words);
    const packed = await Promise.all(
      [columns.operations, columns.requesters, columns.lines, columns.offsets].map((column) =>
        codecs.deflateRaw(column),
      ),
    );
    const header = new Uint8Array(CHUNK_HEADER_BYTES);
    const view = new DataView(header.buffer);
    const fields = [
      CHUNK_MARKER,
      chunks,
      words.length / 2,
      columns.lines.length,
      ...packed.map((column) => column.length),
    ];
    for (const [index, field] of fields.entries()) view.setUint32(4 * index, field, true);
    const body = new Uint8Array(packed.reduce((sum, column) => sum + column.length, 0));
    let at = 0;
    for (const column of packed) {
      body.set(column, at);
      at += column.length;
    }
    await put(header, seal(header), body, seal(body));
    chunks++;
    entries += words.length / 2;
    records += countRecords(words);
  };

  /** Writes what is gathered, but for prefixes whose record hasn't come. */
  const flush = async (): Promise<void> => {
    const whole = gathered.subarray(0, 2 * held);
    const ready = whole.subarray(0, whole.length - 2 * trailingPrefixes(whole));
    await writeChunk(ready);
    gathered.copyWithin(0, ready.length, whole.length);
    held -= ready.length / 2;
  };

  return {
    skipped: 0,
    async write(words) {
      if (!begun) await begin();
      for (let at = 0; at < words.length; ) {
        const taken = words.subarray(at, at + gathered.length - 2 * held);
        gathered.set(taken, 2 * held);
        held += taken.length / 2;
        at += taken.length;
        if (held === BATCH_ENTRIES) await flush();
      }
    },
    async close() {
      if (!begun) await begin();
      if (held > 0) await writeChunk(gathered.subarray(0, 2 * held));
      held = 0;
      const end = new Uint8Array(END_BYTES);
      const view = new DataView(end.buffer);
      view.setUint32(0, END_MARKER, true);
      view.setUint32(4, chunks, true);
      view.setBigUint64(8, BigInt(entries), true);
      view.setBigUint64(16, BigInt(records), true);
      await put(end, seal(end));
      await sink.close();
    },
    abort: () => sink.abort(),
  };
}

function little32(value: number): Uint8Array {
  const bytes = new Uint8Array(CHECKSUM_BYTES);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
