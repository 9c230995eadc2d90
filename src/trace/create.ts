/** Creates the writer of any format over a stream of bytes. */
import { SetwayError } from "../engine/errors.ts";
import type { ByteSink } from "./bytes.ts";
import type { Codecs } from "./codec.ts";
import { formatByName } from "./detect.ts";
import { writeDin } from "./din.ts";
import { writeDrmemtrace } from "./drmemtrace-writer.ts";
import { writeGem5 } from "./gem5-writer.ts";
import { writeLackey } from "./lackey.ts";
import { writeRaw64 } from "./raw64.ts";
import {
  type Compression,
  type EntryWriter,
  type TraceDescription,
  type TraceSink,
  WRITTEN_FORMATS,
  type WrittenFormat,
} from "./source.ts";
import { writeSwt } from "./swt-writer.ts";

export interface CreateOptions {
  /** Instead of what the name says. */
  readonly format?: WrittenFormat | undefined;
  readonly compression?: Compression | undefined;
  /** Leaves out what the format can't hold, and counts it, where there would be an error. */
  readonly skip?: boolean | undefined;
}

/** Format and compression of an output by its name and the options. Throws a usage error. */
export function outputFormat(
  name: string,
  options: CreateOptions,
): { readonly format: WrittenFormat; readonly compression: "none" | "gz" } {
  const named = formatByName(name);
  const format = options.format ?? WRITTEN_FORMATS.find((written) => written === named.format);
  const compression = options.compression ?? named.compression;
  if (format === undefined) {
    throw new SetwayError("usage", "the output's name doesn't say its format", {
      file: name,
      expected: WRITTEN_FORMATS.map((known) => (known === "gem5" ? ".trc (gem5)" : `.${known}`))
        .join(", ")
        .concat(", or any of them with .gz; or --format"),
    });
  }
  if (compression !== "none" && compression !== "gz") {
    throw new SetwayError("usage", `${compression} is read but not written`, {
      file: name,
      found: `.${compression}`,
      expected: ".gz, or a .swt",
    });
  }
  return { format, compression };
}

/** The sink is not touched before the first write. Throws a usage error. */
export function createTrace(
  sink: ByteSink,
  description: TraceDescription,
  codecs: Codecs,
  options: CreateOptions = {},
): TraceSink {
  const { format, compression } = outputFormat(sink.name, options);
  let bytesWritten = 0;
  const counted: ByteSink = {
    name: sink.name,
    async write(bytes) {
      const { length } = bytes;
      await sink.write(bytes);
      bytesWritten += length;
    },
    close: () => sink.close(),
    abort: () => sink.abort(),
  };
  const bytes = compression === "gz" ? codecs.gzip(counted) : counted;
  const writer = createWriter(format, bytes, description, codecs, options);
  return {
    write: (words) => writer.write(words),
    close: () => writer.close(),
    abort: () => writer.abort(),
    get skipped() {
      return writer.skipped;
    },
    get bytesWritten() {
      return bytesWritten;
    },
  };
}

function createWriter(
  format: WrittenFormat,
  bytes: ByteSink,
  description: TraceDescription,
  codecs: Codecs,
  options: CreateOptions,
): EntryWriter {
  switch (format) {
    case "raw64":
      return writeRaw64(bytes);
    case "swt":
      return writeSwt(bytes, description, codecs);
    case "din":
      return writeDin(bytes, options.skip);
    case "lackey":
      return writeLackey(bytes, options.skip);
    case "drmemtrace":
      return writeDrmemtrace(bytes, options.skip);
    case "gem5":
      return writeGem5(bytes, description, options.skip);
  }
}
