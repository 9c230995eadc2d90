/** Reads `.swt` (docs/trace-format.md) front to back, checking everything before it is believed. */
import { TraceError } from "../engine/errors.ts";
import type { ByteReader } from "./bytes.ts";
import type { Claims } from "./claims.ts";
import type { Codecs } from "./codec.ts";
import { countRecords, FIRST_PREFIX, LAST_ACCESS } from "./entry.ts";
import type { TraceDescription } from "./source.ts";
import { type Columns, ColumnTransform, LONGEST_VARINT } from "./swt-columns.ts";
import { ColumnJoiner } from "./swt-join.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_HEADER_BYTES,
  CHUNK_MARKER,
  decodeDescription,
  END_BYTES,
  END_MARKER,
  LARGEST_CHUNK_ENTRIES,
  LARGEST_DESCRIPTION_BYTES,
  MAGIC,
  MARKER_BYTES,
  mostCompressed,
  PREAMBLE_BYTES,
  VERSION,
} from "./swt-layout.ts";

/** In the order of the file. */
const COLUMN_NAMES = ["operations", "requesters", "lines", "offsets"] as const;

export interface SwtTrace {
  readonly description: TraceDescription;
  /** As `TraceSource` has it. */
  readonly accessesOnly: boolean;
  /** The number of the chunk at hand; after an end or an error, of the one that there wasn't. */
  readonly chunk: number;
  /** Of the batch at hand. */
  readonly records: number;
  /** After the last batch: for who knows of all records to check. */
  readonly tally: Tally | undefined;
  batches(): AsyncGenerator<Uint32Array, void, undefined>;
}

/** How many records there are by the end marker and by the description. */
export interface Tally {
  readonly ended: bigint;
  readonly described: number | undefined;
  /** Where the end marker stands. */
  readonly offset: number;
}

/** Throws `TraceError` if there are more or fewer records than that. */
export function checkTally(records: number, { ended, described, offset }: Tally, file: string): void {
  checkCount(file, offset, "records", records, ended);
  checkCount(file, offset, "records (by the description)", records, described ?? records);
}

function checkCount(file: string, offset: number, what: string, found: number, expected: number | bigint): void {
  if (BigInt(found) === BigInt(expected)) return;
  throw new TraceError(`wrong number of ${what}`, {
    file,
    offset,
    found: String(found),
    expected: String(expected),
  });
}

/** A chunk whose checksums were right, without columns if somebody else decodes it. */
interface Chunk {
  readonly number: number;
  readonly entries: number;
  readonly lineBytes: number;
  readonly offset: number;
  readonly columns: readonly Column[];
}
/** Valid until the next read. */
interface Column {
  readonly name: keyof Columns;
  readonly packed: Uint8Array;
  readonly bytes: number;
}
interface End {
  readonly offset: number;
  readonly chunks: number;
  readonly entries: bigint;
  readonly records: bigint;
}

/**
 * Reads the description; the records follow. With claims, only the chunks that are claimed are decoded and their contents checked;
 * all other checks are every reader's but that of the number of records. Throws `TraceError`.
 */
export async function readSwt(input: ByteReader, file: string, codecs: Codecs, claims?: Claims): Promise<SwtTrace> {
  let checksum = 0;
  const start = input.position;

  const wrong = (what: string, offset: number, found: string, expected: string, more = {}): TraceError =>
    new TraceError(what, { file, offset, found, expected, ...more });

  const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  /** The next bytes: a copy, unless nobody needs them when more than `behind` bytes have been taken after them. */
  const take = async (bytes: number, what: string, behind = Number.POSITIVE_INFINITY): Promise<Uint8Array> => {
    const received = input.readNow(bytes, behind);
    if (received !== undefined) return received;
    const offset = input.position - start;
    const taken = await input.read(bytes);
    if (taken.length === bytes) return taken;
    throw wrong(
      `truncated in ${what}`,
      offset + taken.length,
      "the end of the file",
      `${bytes - taken.length} more bytes`,
    );
  };
  /** Reads the checksum of `covered` and of the checksum before it. */
  const verify = async (what: string, ...covered: readonly Uint8Array[]): Promise<void> => {
    const offset = input.position - start;
    const stored = viewOf(await take(CHECKSUM_BYTES, what, 0)).getUint32(0, true);
    const before = new Uint8Array(CHECKSUM_BYTES);
    viewOf(before).setUint32(0, checksum, true);
    checksum = covered.reduce((sum, bytes) => codecs.crc32(bytes, sum), codecs.crc32(before, 0));
    if (stored !== checksum) {
      throw wrong(`wrong checksum of ${what}`, offset, hex(stored), hex(checksum));
    }
  };

  const preamble = await take(PREAMBLE_BYTES, "the preamble");
  if (!MAGIC.every((byte, index) => preamble[index] === byte)) {
    throw wrong("not a .swt trace", 0, bytesAsHex(preamble.subarray(0, MAGIC.length)), bytesAsHex(MAGIC));
  }
  const version = viewOf(preamble).getUint32(8, true);
  if (version !== VERSION) {
    throw wrong("unknown version of .swt", 8, String(version), String(VERSION));
  }
  const length = viewOf(preamble).getUint32(12, true);
  if (length > LARGEST_DESCRIPTION_BYTES) {
    throw wrong("description too long", 12, `${length} bytes`, `at most ${LARGEST_DESCRIPTION_BYTES}`);
  }
  const text = await take(length, "the description");
  await verify("the description", preamble, text);
  const description = decodeDescription(text, file);

  let entries = 0;
  let records = 0;

  const readNext = async (): Promise<Chunk | End> => {
    const what = `chunk ${trace.chunk}`;
    const offset = input.position - start;
    const markerBytes = await take(MARKER_BYTES, `the marker of ${what} or of the end`, CHUNK_HEADER_BYTES);
    const marker = viewOf(markerBytes).getUint32(0, true);
    if (marker === END_MARKER) return readEnd(offset, markerBytes);
    if (marker === CHUNK_MARKER) return readChunk(what, offset, markerBytes);
    throw wrong(`no chunk and no end after ${trace.chunk} chunks`, offset, bytesAsHex(markerBytes), "CHNK or END");
  };

  const readChunk = async (what: string, offset: number, marker: Uint8Array): Promise<Chunk> => {
    const rest = await take(CHUNK_HEADER_BYTES - MARKER_BYTES, `the header of ${what}`, CHECKSUM_BYTES);
    await verify(`the header of ${what}`, marker, rest);
    const header = viewOf(rest);
    const field = (index: number): number => header.getUint32(4 * index, true);
    const [number, count, lineBytes] = [field(0), field(1), field(2)];
    const sizes = [count, count, lineBytes, count];
    const packed = [field(3), field(4), field(5), field(6)];
    const within = (name: string, value: number, least: number, most: number): void => {
      if (value >= least && value <= most) return;
      throw wrong(`wrong header of ${what}`, offset, `${name} ${value}`, `${least} to ${most}`);
    };
    within("number", number, trace.chunk, trace.chunk);
    within("entries", count, 1, LARGEST_CHUNK_ENTRIES);
    within("bytes of lines", lineBytes, count, LONGEST_VARINT * count);
    for (const [index, bytes] of packed.entries())
      within(`length of column ${index}`, bytes, 1, mostCompressed(sizes[index] as number));
    const body = await take(
      packed.reduce((sum, bytes) => sum + bytes, 0),
      what,
      CHECKSUM_BYTES,
    );
    if (claims !== undefined && !claims.claim(number)) {
      // The next checksum covers this one, whose bytes are the affair of another reader.
      checksum = viewOf(await take(CHECKSUM_BYTES, what, 0)).getUint32(0, true);
      return { number, entries: count, lineBytes, offset, columns: [] };
    }
    await verify(what, body);
    let at = 0;
    const columns = COLUMN_NAMES.map((name, index): Column => {
      const from = at;
      at += packed[index] as number;
      return { name, packed: body.subarray(from, at), bytes: sizes[index] as number };
    });
    return { number, entries: count, lineBytes, offset, columns };
  };

  const readEnd = async (offset: number, marker: Uint8Array): Promise<End> => {
    const rest = await take(END_BYTES - MARKER_BYTES, "the end marker", CHECKSUM_BYTES);
    await verify("the end marker", marker, rest);
    if ((await input.peek(1)).length > 0) {
      throw wrong("more after the end marker", input.position - start, "another byte", "the end of the file");
    }
    const view = viewOf(rest);
    return {
      offset,
      chunks: view.getUint32(0, true),
      entries: view.getBigUint64(4, true),
      records: view.getBigUint64(12, true),
    };
  };

  const tallyAt = ({ offset, ...end }: End): Tally => {
    checkCount(file, offset, "chunks", trace.chunk, end.chunks);
    checkCount(file, offset, "entries", entries, end.entries);
    return { ended: end.records, described: description.records, offset };
  };

  async function* batches(): AsyncGenerator<Uint32Array, void, undefined> {
    const joiner = new ColumnJoiner();
    for (; ; trace.chunk++) {
      const now = await readNext();
      if (!("columns" in now)) {
        trace.tally = tallyAt(now);
        if (claims === undefined) checkTally(records, trace.tally, file);
        return;
      }
      entries += now.entries;
      if (now.columns.length === 0) continue;
      const damaged = (found: string, cause?: unknown): TraceError =>
        wrong(`damaged chunk ${now.number}`, now.offset, found, "what a writer of .swt writes", { cause });
      for (const { name, packed, bytes } of now.columns) {
        if (joiner.inflate(name, packed, bytes)) continue;
        const column = await codecs.inflateRaw(packed, bytes).catch((cause) => {
          throw damaged("a column that can't be inflated", cause);
        });
        if (column.length !== bytes) throw damaged("a column of another length than the header says");
        joiner.put(name, column);
      }
      const joined = joiner.join(now.entries, now.lineBytes);
      if (joined === undefined) {
        const columns = joiner.columns(now.entries, now.lineBytes);
        throw damaged(new ColumnTransform().decode(columns, new Uint32Array(2 * now.entries)) ?? "a wrong column");
      }
      trace.records = joined.largestOperation < FIRST_PREFIX ? now.entries : countRecords(joined.words);
      records += trace.records;
      trace.accessesOnly = joined.largestOperation <= LAST_ACCESS;
      yield joined.words;
    }
  }

  const trace: { -readonly [Key in keyof SwtTrace]: SwtTrace[Key] } = {
    description,
    accessesOnly: false,
    chunk: 0,
    records: 0,
    tally: undefined,
    batches,
  };
  return trace;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const bytesAsHex = (bytes: Uint8Array): string =>
  bytes.length === 0 ? "nothing" : Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
