/**
 * What every trace reader gives and every trace writer takes: batches of 64-bit records, and a header that says what
 * they are. Formats live in their own files; the engine never sees anything but batches.
 */
import type { Provenance } from "../engine/engine.ts";

/** Formats that can be written too. */
export const WRITTEN_FORMATS = ["raw64", "swt", "din", "lackey", "drmemtrace", "gem5"] as const;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

export const TRACE_FORMATS = [...WRITTEN_FORMATS, "champsim", "perf"] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

export const COMPRESSIONS = ["none", "gz", "xz", "zst", "zip"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export const ADDRESS_KINDS = ["physical", "virtual", "unknown"] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

/** How a trace was made smaller before it was written: hits in a direct-mapped filter of so many sets were dropped. */
export interface Stripping {
  readonly sets: number;
  readonly lineBytes: number;
  readonly note?: string | undefined;
}

/** What is known of a trace beside its records. `.swt` files say it themselves; other formats get it from options and defaults. */
export interface TraceDescription {
  /** What the trace recorded, which decides the hazards that can be assessed (semantics R48). */
  readonly provenance: Provenance;
  readonly addresses: AddressKind;
  /** SCTLR_EL1 of every core before the first record, if the trace knows. */
  readonly initialSctlr: number | undefined;
  /** How many requesters it has; their numbers are below this. */
  readonly requesters: number | undefined;
  /** Records, prefixes not counted (semantics D5), if known before the end. */
  readonly records: number | undefined;
  /** Where it was recorded and how, for people. */
  readonly source: string | undefined;
  readonly stripping: Stripping | undefined;
}

export interface TraceHeader extends TraceDescription {
  readonly format: TraceFormat;
  readonly compression: Compression;
}

/** An opened trace. It can be read once, from front to back, in memory that doesn't grow with its length. */
export interface TraceSource {
  /** What errors call it: the file's name, or `standard input`. */
  readonly name: string;
  readonly header: TraceHeader;
  /**
   * Batches of up to 65,536 entries of two 32-bit words, low word first, as `Engine.play` takes them. A batch is valid
   * until the next one is asked for. A prefix is in the same batch as its record. On bad input everything before it is
   * delivered, then a `TraceError` is thrown. May be called once.
   */
  batches(): AsyncIterable<Uint32Array>;
  /**
   * Whether the batch at hand is known to have nothing but loads, stores, fetches and atomics in it, so that nobody needs to look
   * for anything else. False says nothing.
   */
  readonly accessesOnly: boolean;
  /** Bytes taken from the input so far, and all it has if that is known: for progress. Both before decompression. */
  readonly bytesRead: number;
  readonly totalBytes: number | undefined;
  /** Lines or items left out so far because of the `skip` option. */
  readonly skipped: number;
  /** What an address of a record was in the trace, as far as it was read: before `--map-addresses`. */
  originalAddress(address: number): number;
  /** Lets go of the input. Ending or leaving the loop over `batches()` does so too. */
  close(): Promise<void>;
}

/** Writes entries in one format. Whoever opened it ends with `close` or `abort`. */
export interface EntryWriter {
  /** Takes the entries of one batch; the words are the caller's again when the promise settles. */
  write(words: Uint32Array): Promise<void>;
  /** Writes what is left and makes the output final. */
  close(): Promise<void>;
  /** Throws away what was written. */
  abort(): Promise<void>;
  /** Entries left out so far because of the `skip` option. */
  readonly skipped: number;
}

/** Where a trace is written. */
export interface TraceSink extends EntryWriter {
  /** Bytes of the output so far, after compression. */
  readonly bytesWritten: number;
}

/** Entries (records and prefixes) of a full batch: enough for the kernel to get warm, little enough for a cache. */
export const BATCH_ENTRIES = 65536;

/** Bare records say nothing of how they were made; a recording by a plugin has maintenance and control, but no device's DMA. */
export const RAW_PROVENANCE: Provenance = { maintenance: true, control: true, dma: false, ownership: false };
/** Loads, stores and fetches are all that most formats of other tools can hold. */
export const TEXT_PROVENANCE: Provenance = { maintenance: false, control: false, dma: false, ownership: false };
