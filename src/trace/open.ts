/** Opens a trace of any format from a stream of bytes: detects, decompresses, and gives a `TraceSource`. */
import type { Provenance } from "../engine/engine.ts";
import { SetwayError, TraceError } from "../engine/errors.ts";
import { AddressMap, type AddressMapping, type Region } from "./address-map.ts";
import { ByteReader, type ByteSource } from "./bytes.ts";
import { readChampsim } from "./champsim.ts";
import type { Codecs } from "./codec.ts";
import type { Schedule } from "./cores.ts";
import { DETECTION_BYTES, detectCompression, detectFormat } from "./detect.ts";
import { readDin } from "./din.ts";
import { readDrmemtrace } from "./drmemtrace.ts";
import { architectureOf, type DrmemtraceHead, drmemtraceHead, FILE_TYPE } from "./drmemtrace-layout.ts";
import { EntryBuffer } from "./entry-buffer.ts";
import { readGem5 } from "./gem5.ts";
import { ByteWindow, hexBytes } from "./items.ts";
import { readLackey } from "./lackey.ts";
import { mapEntries } from "./map-entries.ts";
import { readPerf } from "./perf.ts";
import { readRaw64 } from "./raw64.ts";
import {
  type AddressKind,
  type Compression,
  RAW_PROVENANCE,
  TEXT_PROVENANCE,
  type TraceDescription,
  type TraceFormat,
  type TraceSource,
} from "./source.ts";
import { readSwt } from "./swt-reader.ts";
import type { TextOptions } from "./text.ts";
import { unxz } from "./xz.ts";
import { type ZipStream, zipStream } from "./zip.ts";
import { unzstd } from "./zstd.ts";

export interface OpenOptions extends TextOptions {
  /** Instead of detecting it. */
  readonly format?: TraceFormat | undefined;
  readonly compression?: Compression | undefined;
  /** What the user knows better than the file or the defaults of its format. */
  readonly provenance?: Partial<Provenance> | undefined;
  readonly addresses?: AddressKind | undefined;
  readonly initialSctlr?: number | undefined;
  readonly requesters?: number | undefined;
  /** What becomes of addresses; `pages` gives out the pages of `memory`, in this order. */
  readonly mapAddresses?: AddressMapping | undefined;
  readonly memory?: readonly Region[] | undefined;
  /** How the threads of a drmemtrace share how many cores; without a number there is one for each at a time. */
  readonly cores?: number | undefined;
  readonly schedule?: Schedule | undefined;
  /** Threads take turns of so many instructions instead of following their timestamps. */
  readonly quantum?: number | undefined;
}

/** A source after decompression. */
interface Stream {
  readonly source: ByteSource;
  readonly compression: Compression;
  readonly outer: ByteReader;
  readonly input: ByteReader;
  readonly zip: ZipStream | undefined;
  /** The uncompressed length, if known. */
  readonly sizeBytes: number | undefined;
  /** What errors call it. */
  readonly file: string;
  readonly bytesRead: number;
  close(): Promise<void>;
}

/**
 * Opens one source, or the files of a trace that has one for every thread (drmemtrace). Throws `TraceError`; the inputs have
 * been let go then.
 */
export async function openTrace(
  sources: ByteSource | readonly ByteSource[],
  codecs: Codecs,
  options: OpenOptions = {},
): Promise<TraceSource> {
  const streams: Stream[] = [];
  const all: readonly ByteSource[] = "chunks" in sources ? [sources] : sources;
  const [first] = all;
  if (first === undefined) throw new TraceError("no trace", { found: "no file", expected: "one at least" });
  try {
    for (const source of all) streams.push(await openStream(source, codecs, options.compression));
    const stream = streams[0] as Stream;
    const format = options.format ?? detectFormat(await headOf(stream), stream.file, stream.sizeBytes);
    const opened =
      format === "drmemtrace"
        ? await openDrmemtrace(streams, options)
        : await openFormat(format, only(streams, format), codecs, options);
    return assemble(streams, format, { ...opened.description, ...overrides(opened.description, options) }, opened);
  } catch (error) {
    await Promise.all(streams.map((stream) => stream.close().catch(() => {})));
    throw asTraceError(error, first.name);
  }
}

/** The first bytes. What is wrong with an archive shows before it is judged by what is in it. */
async function headOf(stream: Stream): Promise<Uint8Array> {
  const head = await stream.input.peek(DETECTION_BYTES);
  if (head.length === 0 && stream.compression === "zip") {
    await stream.input.next();
    const found = "no member with anything in it";
    throw new TraceError("an empty zip archive", { file: stream.file, found, expected: "the chunks of a drmemtrace" });
  }
  return head;
}

/** Formats that aren't cut by threads have one file. */
function only(streams: readonly Stream[], format: TraceFormat): Stream {
  const [stream, other] = streams as readonly [Stream, ...Stream[]];
  if (other !== undefined) {
    throw new TraceError("several files aren't one trace", {
      file: stream.file,
      found: `${format}, and beside it ${other.file}`,
      expected: "drmemtrace, the files of whose threads are one trace",
    });
  }
  if (stream.compression === "zip") {
    throw new TraceError("a zip archive is only read as a drmemtrace", {
      file: stream.file,
      found: format,
      expected: "drmemtrace, or the trace itself: unpack it first",
    });
  }
  return stream;
}

async function openStream(source: ByteSource, codecs: Codecs, asked: Compression | undefined): Promise<Stream> {
  const outer = new ByteReader(source.chunks());
  let input = outer;
  let zip: ZipStream | undefined;
  let zipBytes = 0;
  try {
    const compression = asked ?? detectCompression(await outer.peek(DETECTION_BYTES));
    if (compression === "zip") {
      await outer.close();
      zip = zipStream(source, (bytes) => {
        zipBytes += bytes;
      });
      input = new ByteReader(zip.chunks());
    } else if (compression !== "none") {
      input = new ByteReader(decompressed(compression, outer, source.name, codecs));
    }
    return {
      source,
      compression,
      outer,
      input,
      zip,
      sizeBytes: compression === "none" ? source.totalBytes : undefined,
      get file() {
        return zip?.name ?? source.name;
      },
      get bytesRead() {
        return zip === undefined ? outer.received : Math.min(zipBytes, source.totalBytes ?? zipBytes);
      },
      close: async () => {
        await input.close();
        await outer.close();
        await source.close?.();
      },
    };
  } catch (error) {
    await input.close().catch(() => {});
    await outer.close().catch(() => {});
    await source.close?.().catch(() => {});
    throw error;
  }
}

interface Opened {
  readonly description: TraceDescription;
  readonly map: AddressMap;
  readonly skipped: number;
  /** Absent where that isn't known. */
  readonly accessesOnly?: boolean;
  batches(): AsyncGenerator<Uint32Array, void, undefined>;
}

async function openFormat(
  format: Exclude<TraceFormat, "drmemtrace">,
  stream: Stream,
  codecs: Codecs,
  options: OpenOptions,
): Promise<Opened> {
  const { input, file } = stream;
  const map = new AddressMap(options.mapAddresses, options.memory);
  const mapped = (batches: AsyncGenerator<Uint32Array, void, undefined>) =>
    map.mapping === "none" ? batches : mapEntries(batches, map, file);
  const buffer = (): EntryBuffer => new EntryBuffer(map, options.sizes);
  const { skip } = options;
  switch (format) {
    case "raw64":
      return {
        description: describe(RAW_PROVENANCE, "physical"),
        map,
        skipped: 0,
        batches: () => mapped(readRaw64(input, file)),
      };
    case "swt": {
      const trace = await readSwt(input, file, codecs);
      return {
        description: trace.description,
        map,
        skipped: 0,
        get accessesOnly() {
          // Mapped entries come in batches of their own.
          return map.mapping === "none" && trace.accessesOnly;
        },
        batches: () => mapped(trace.batches()),
      };
    }
    case "din":
      return withAccesses(readDin(input, file, buffer(), options), map, describe(TEXT_PROVENANCE, "unknown", 1));
    case "lackey":
      return withAccesses(readLackey(input, file, buffer(), options), map, describe(TEXT_PROVENANCE, "virtual", 1));
    case "champsim":
      return withAccesses(readChampsim(input, file, buffer(), skip), map, describe(TEXT_PROVENANCE, "virtual", 1));
    case "gem5":
      return withAccesses(readGem5(input, file, buffer(), skip), map, describe(GEM5_PROVENANCE, "physical"));
    case "perf":
      return withAccesses(readPerf(input, file, buffer(), skip), map, describe(TEXT_PROVENANCE, "unknown"));
  }
}

/** Every packet of a port is there, maintenance among them; writes of control registers are no packets. */
const GEM5_PROVENANCE: Provenance = { ...TEXT_PROVENANCE, maintenance: true };

const withAccesses = (
  trace: { readonly skipped: number; batches(): AsyncGenerator<Uint32Array, void, undefined> },
  map: AddressMap,
  description: TraceDescription,
): Opened => ({
  description,
  map,
  batches: () => trace.batches(),
  get skipped() {
    return trace.skipped;
  },
});

async function openDrmemtrace(streams: readonly Stream[], options: OpenOptions): Promise<Opened> {
  const heads: DrmemtraceHead[] = [];
  for (const stream of streams) {
    const head = drmemtraceHead(await headOf(stream));
    if (head === undefined) {
      const found = hexBytes(await stream.input.peek(12));
      throw new TraceError("not a drmemtrace", {
        file: stream.file,
        offset: 0,
        found: found === "" ? "nothing" : found,
        expected: "a header entry (19 00 00 00) and a version",
      });
    }
    heads.push(head);
  }
  const first = heads[0] as DrmemtraceHead;
  const inputs = streams.map((stream, index) => {
    const { entryBytes, fileType } = heads[index] as DrmemtraceHead;
    const place = () => ({ file: stream.file, offset: stream.zip?.memberOffset ?? 0 });
    return { window: new ByteWindow(stream.input), place, entryBytes, fileType };
  });
  const map = new AddressMap(options.mapAddresses, options.memory);
  const trace = readDrmemtrace(inputs, new EntryBuffer(map, options.sizes), options);
  // On x86 nothing needs maintenance, so that its absence says nothing (semantics R48).
  const isArm = (first.fileType & (FILE_TYPE.AARCH64 | FILE_TYPE.ARM32)) !== 0;
  return withAccesses(trace, map, {
    ...describe({ ...TEXT_PROVENANCE, maintenance: isArm }, map.mapping === "recorded" ? "physical" : "virtual"),
    requesters: options.cores,
    source: `drmemtrace of version ${first.version}, ${architectureOf(first.fileType)}`,
  });
}

const describe = (provenance: Provenance, addresses: AddressKind, requesters?: number): TraceDescription => ({
  provenance,
  addresses,
  requesters,
  initialSctlr: undefined,
  records: undefined,
  source: undefined,
  stripping: undefined,
});

const overrides = (description: TraceDescription, options: OpenOptions): Partial<TraceDescription> => ({
  provenance: { ...description.provenance, ...options.provenance },
  addresses: options.addresses ?? (options.mapAddresses === "pages" ? "physical" : description.addresses),
  initialSctlr: options.initialSctlr ?? description.initialSctlr,
  requesters: options.requesters ?? description.requesters,
  // A mapping may cut accesses in two.
  records: (options.mapAddresses ?? "none") === "none" ? description.records : undefined,
});

function assemble(
  streams: readonly Stream[],
  format: TraceFormat,
  description: TraceDescription,
  opened: Opened,
): TraceSource {
  const first = streams[0] as Stream;
  const close = async (): Promise<void> => {
    for (const stream of streams) await stream.close();
  };
  const totals = streams.map((stream) => stream.source.totalBytes);
  return {
    name: first.source.name,
    header: { ...description, format, compression: first.compression },
    totalBytes: totals.reduce((sum, bytes) => (sum === undefined || bytes === undefined ? undefined : sum + bytes), 0),
    get bytesRead() {
      return streams.reduce((sum, stream) => sum + stream.bytesRead, 0);
    },
    get skipped() {
      return opened.skipped;
    },
    get accessesOnly() {
      return opened.accessesOnly ?? false;
    },
    async *batches() {
      try {
        yield* opened.batches();
      } catch (error) {
        throw asTraceError(error, first.source.name);
      } finally {
        await close();
      }
    },
    originalAddress: (address) => opened.map.original(address),
    close,
  };
}

async function* decompressed(
  compression: "gz" | "xz" | "zst",
  outer: ByteReader,
  file: string,
  codecs: Codecs,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === "xz") {
    yield* unxz(outer.chunks(), file);
    return;
  }
  if (compression === "zst") {
    yield* unzstd(outer, file, codecs);
    return;
  }
  let offset = 0;
  try {
    for await (const chunk of codecs.gunzip(outer.chunks())) {
      offset += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof SetwayError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TraceError("can't decompress gzip", { file, offset, found, expected: "an intact gzip file", cause });
  }
}

/** Whatever the platform threw while reading is an error of this trace. */
function asTraceError(error: unknown, file: string): unknown {
  if (error instanceof SetwayError) return error;
  const found = error instanceof Error ? error.message : String(error);
  return new TraceError("can't be read", { file, found, cause: error });
}
