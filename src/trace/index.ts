/**
 * Traces for programs (`setway/trace`): any format in, batches for `Engine.play` out, and the other way round. Names are
 * paths in Node and URLs in a page; bytes, blobs and streams are the same everywhere.
 */
import { platform } from "#platform";
import { type ByteSink, type ByteSource, bytesFrom } from "./bytes.ts";
import { type CreateOptions, createTrace as createTraceIn } from "./create.ts";
import { blobSource, streamSource } from "./fetched.ts";
import { type OpenOptions, openTrace as openTraceFrom } from "./open.ts";
import { RAW_PROVENANCE, type TraceDescription, type TraceSink, type TraceSource } from "./source.ts";

export type { AddressMapping, Region } from "./address-map.ts";
export { type ByteSink, type ByteSource, bytesFrom, bytesInto } from "./bytes.ts";
export { type Converted, type Convertible, type ConvertOptions, type ConvertProgress, convert } from "./convert.ts";
export type { Schedule } from "./cores.ts";
export type { CreateOptions } from "./create.ts";
export type { OpenOptions } from "./open.ts";
export {
  type AddressKind,
  type Compression,
  type EntryWriter,
  type Stripping,
  TRACE_FORMATS,
  type TraceDescription,
  type TraceFormat,
  type TraceHeader,
  type TraceSink,
  type TraceSource,
  WRITTEN_FORMATS,
  type WrittenFormat,
} from "./source.ts";

/** A path or URL, what a page has of a file, bytes, or a source of one's own. */
export type TraceInput = string | URL | Blob | ReadableStream<Uint8Array> | Uint8Array | ByteSource;

/**
 * Opens a trace, or the files of a trace that has one for each thread (drmemtrace). In Node a name is a path, which may be
 * a directory; in a page it is a URL. Throws `TraceError`; the inputs have been let go then.
 */
export async function openTrace(
  input: TraceInput | readonly TraceInput[],
  options: OpenOptions = {},
): Promise<TraceSource> {
  const inputs = isList(input) ? input : [input];
  const sources: ByteSource[] = [];
  try {
    for (const each of inputs) sources.push(...(await sourcesOf(each)));
  } catch (error) {
    await Promise.all(sources.map((source) => source.close?.().catch(() => {})));
    throw error;
  }
  return openTraceFrom(sources, platform.codecs, options);
}

/**
 * Creates a trace in the format and compression that the output's name says, or the options do. What the description
 * doesn't say is as for bare records: physical addresses, maintenance and control recorded, nothing else known. Throws a
 * usage error, or `TraceError` where the file can't be created.
 */
export async function createTrace(
  output: string | URL | ByteSink,
  description: Partial<TraceDescription> = {},
  options: CreateOptions = {},
): Promise<TraceSink> {
  const sink = typeof output === "string" || output instanceof URL ? await platform.sinkAt(output) : output;
  try {
    return createTraceIn(sink, { ...UNDESCRIBED, ...description }, platform.codecs, options);
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

const UNDESCRIBED: TraceDescription = {
  provenance: RAW_PROVENANCE,
  addresses: "physical",
  initialSctlr: undefined,
  requesters: undefined,
  records: undefined,
  source: undefined,
  stripping: undefined,
};

const isList = (input: TraceInput | readonly TraceInput[]): input is readonly TraceInput[] => Array.isArray(input);

async function sourcesOf(input: TraceInput): Promise<readonly ByteSource[]> {
  if (typeof input === "string" || input instanceof URL) {
    const found = await platform.sourcesAt(input);
    return "chunks" in found ? [found] : found;
  }
  if (input instanceof Blob) return [blobSource(input)];
  if (input instanceof ReadableStream) return [streamSource(input)];
  if (input instanceof Uint8Array) return [bytesFrom(input)];
  return [input];
}
