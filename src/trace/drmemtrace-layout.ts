/**
 * The binary entries of DynamoRIO's drmemtrace, as its public header `trace_entry.h` describes them: a 16-bit type, a 16-bit
 * size and an address (or value) of 64 bits, packed, little-endian; 32 bits where a 32-bit program was traced.
 */

/** Entry types. Prefetches and branches are told apart there in ways that make no difference to a cache. */
export const TYPE = {
  READ: 0,
  WRITE: 1,
  PREFETCH: 2,
  INSTR: 10,
  INSTR_BUNDLE: 17,
  INSTR_FLUSH: 18,
  INSTR_FLUSH_END: 19,
  DATA_FLUSH: 20,
  DATA_FLUSH_END: 21,
  THREAD: 22,
  THREAD_EXIT: 23,
  PID: 24,
  HEADER: 25,
  FOOTER: 26,
  MARKER: 28,
  INSTR_NO_FETCH: 29,
  INSTR_MAYBE_FETCH: 30,
  ENCODING: 47,
} as const;
export const LAST_TYPE = 49;

/** Types of an instruction that was fetched: plain, branches of every kind, sysenter, taken and untaken. */
export const INSTRUCTIONS: readonly number[] = [10, 11, 12, 13, 14, 15, 16, 31, 48, 49];
/** Types of a prefetch of data, whatever the level and hint. */
export const DATA_PREFETCHES: readonly number[] = [2, 3, 4, 5, 6, 7, 8, 27, 32, 33, 34, 41, 42, 43, 44, 45, 46];

/** Kinds of marker, in the size field. */
export const MARKER = {
  TIMESTAMP: 2,
  CPU_ID: 3,
  FILETYPE: 9,
  CACHE_LINE_SIZE: 10,
  VERSION: 12,
  PHYSICAL_ADDRESS: 15,
  VIRTUAL_ADDRESS: 17,
  PAGE_SIZE: 18,
} as const;

/** Bits of the file type. */
export const FILE_TYPE = {
  AARCH64: 0x8,
  ARM32: 0x10,
  X86_32: 0x20,
  X86_64: 0x40,
  ENCODINGS: 0x200,
  CORE_SHARDED: 0x10000,
  /** Encodings are those of an artificial instruction set. */
  REGDEPS: 0x20000,
} as const;

/** Layouts change with versions in what markers mean, not in entries; those of 2016 on are from 2 to single digits. */
const MOST_VERSION = 255;

export interface DrmemtraceHead {
  readonly version: number;
  /** 12, or 8 in traces of 32-bit programs. */
  readonly entryBytes: 8 | 12;
  /** 0 if no such marker is near the beginning. */
  readonly fileType: number;
}

/** What the beginning of a trace says; `undefined` if it is none. */
export function drmemtraceHead(head: Uint8Array): DrmemtraceHead | undefined {
  if (head.length < 12) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getUint32(0, true) !== TYPE.HEADER) return undefined;
  const version = view.getUint32(4, true);
  if (version === 0 || version > MOST_VERSION) return undefined;
  for (const entryBytes of [12, 8] as const) {
    if (entryBytes === 12 && view.getUint32(8, true) !== 0) continue;
    const next = entryBytes + 2 > head.length ? TYPE.FOOTER : view.getUint16(entryBytes, true);
    if (next > LAST_TYPE) continue;
    // Of 8 bytes, zeroes could be a load of address 0: real ones go on with a marker or the thread.
    if (entryBytes === 8 && next < TYPE.THREAD) continue;
    return { version, entryBytes, fileType: fileTypeIn(view, entryBytes) };
  }
  return undefined;
}

function fileTypeIn(view: DataView, entryBytes: number): number {
  for (let at = entryBytes; at + entryBytes <= view.byteLength; at += entryBytes) {
    const type = view.getUint16(at, true);
    if (type === TYPE.MARKER && view.getUint16(at + 2, true) === MARKER.FILETYPE) return view.getUint32(at + 4, true);
    if (type < TYPE.THREAD) break;
  }
  return 0;
}

export function architectureOf(fileType: number): string {
  if (fileType & FILE_TYPE.AARCH64) return "aarch64";
  if (fileType & FILE_TYPE.X86_64) return "x86-64";
  if (fileType & FILE_TYPE.ARM32) return "arm";
  return fileType & FILE_TYPE.X86_32 ? "x86" : "an unnamed architecture";
}
