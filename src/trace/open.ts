/** Opens a trace of any format from a stream of bytes: detects, decompresses, and gives a `TraceSource`. */
import type { Provenance } from "../engine/engine.ts";
import { SetwayError, TraceError } from "../engine/errors.ts";
import { ByteReader, type ByteSource } from "./bytes.ts";
import type { Codecs } from "./codec.ts";
import { DETECTION_BYTES, detectCompression, detectFormat } from "./detect.ts";
import { readDin } from "./din.ts";
import { readLackey } from "./lackey.ts";
import { readRaw64 } from "./raw64.ts";
import {
  type AddressKind,
  type Compression,
  RAW_PROVENANCE,
  TEXT_PROVENANCE,
  type TraceDescription,
  type TraceFormat,
  type TraceHeader,
  type TraceSource,
} from "./source.ts";
import { readSwt } from "./swt-reader.ts";
import type { TextOptions } from "./text.ts";
import { unxz } from "./xz.ts";

export interface OpenOptions extends TextOptions {
  /** Instead of detecting it. */
  readonly format?: TraceFormat | undefined;
  readonly compression?: Compression | undefined;
  /** What the user knows better than the file or the defaults of its format. */
  readonly provenance?: Partial<Provenance> | undefined;
  readonly addresses?: AddressKind | undefined;
  readonly initialSctlr?: number | undefined;
  readonly requesters?: number | undefined;
}

/** Throws `TraceError`; the input has been let go then. */
export async function openTrace(source: ByteSource, codecs: Codecs, options: OpenOptions = {}): Promise<TraceSource> {
  const file = source.name;
  const outer = new ByteReader(source.chunks());
  let input = outer;
  try {
    const compression = options.compression ?? detectCompression(await outer.peek(DETECTION_BYTES));
    input = compression === "none" ? outer : new ByteReader(decompressed(compression, outer, file, codecs));
    const sizeBytes = compression === "none" ? source.totalBytes : undefined;
    const format = options.format ?? detectFormat(await input.peek(DETECTION_BYTES), file, sizeBytes);
    const opened = await openFormat(format, input, file, codecs, options);
    return assemble(
      source,
      outer,
      input,
      { ...opened.description, ...overrides(opened.description, options), format, compression },
      opened,
    );
  } catch (error) {
    await input.close().catch(() => {});
    await outer.close().catch(() => {});
    throw asTraceError(error, file);
  }
}

interface Opened {
  readonly description: TraceDescription;
  readonly skipped: number;
  batches(): AsyncGenerator<Uint32Array, void, undefined>;
}

async function openFormat(
  format: TraceFormat,
  input: ByteReader,
  file: string,
  codecs: Codecs,
  options: TextOptions,
): Promise<Opened> {
  switch (format) {
    case "raw64":
      return {
        description: describe(RAW_PROVENANCE, "physical", undefined),
        skipped: 0,
        batches: () => readRaw64(input, file),
      };
    case "swt": {
      const { description, batches } = await readSwt(input, file, codecs);
      return { description, batches, skipped: 0 };
    }
    case "din":
    case "lackey": {
      const text = (format === "din" ? readDin : readLackey)(input, file, options);
      return {
        description: describe(TEXT_PROVENANCE, format === "din" ? "unknown" : "virtual", 1),
        batches: () => text.batches(),
        get skipped() {
          return text.skipped;
        },
      };
    }
  }
}

const describe = (
  provenance: Provenance,
  addresses: AddressKind,
  requesters: number | undefined,
): TraceDescription => ({
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
  addresses: options.addresses ?? description.addresses,
  initialSctlr: options.initialSctlr ?? description.initialSctlr,
  requesters: options.requesters ?? description.requesters,
});

function assemble(
  source: ByteSource,
  outer: ByteReader,
  input: ByteReader,
  header: TraceHeader,
  opened: Opened,
): TraceSource {
  const close = async (): Promise<void> => {
    await input.close();
    await outer.close();
  };
  return {
    name: source.name,
    header,
    totalBytes: source.totalBytes,
    get bytesRead() {
      return outer.received;
    },
    get skipped() {
      return opened.skipped;
    },
    async *batches() {
      try {
        yield* opened.batches();
      } catch (error) {
        throw asTraceError(error, source.name);
      } finally {
        await close();
      }
    },
    close,
  };
}

async function* decompressed(
  compression: "gz" | "xz",
  outer: ByteReader,
  file: string,
  codecs: Codecs,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === "xz") {
    yield* unxz(outer.chunks(), file);
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
