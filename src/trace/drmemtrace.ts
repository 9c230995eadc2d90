/**
 * Reads drmemtrace, what DynamoRIO records: a file a thread (or a core), whose accesses are interleaved here as they were
 * recorded, or in turns, and given to cores. Addresses are virtual.
 */
import { TraceError } from "../engine/errors.ts";
import { OPERATIONS } from "../engine/operations.ts";
import { barrierOf, maintenanceOf } from "./a64-maintenance.ts";
import { CoreAssignment, type Schedule } from "./cores.ts";
import { DATA_PREFETCHES, FILE_TYPE, INSTRUCTIONS, LAST_TYPE, MARKER, TYPE } from "./drmemtrace-layout.ts";
import type { EntryBuffer } from "./entry-buffer.ts";
import { type ByteWindow, hexadecimal, type ItemTrace, ROOM_TO_GO_ON } from "./items.ts";

const { LOAD, STORE, FETCH, PREFETCH, DC_CIVAC, IC_IVAU } = OPERATIONS;
/** A flush of more lines than this is a damaged trace: 64 MiB of 64-byte lines. */
const MOST_FLUSHED_LINES = 1 << 20;
const DEFAULT_LINE_BYTES = 64;
/** Value of a marker that wasn't known, in each half. */
const UNKNOWN = 0xffffffff;

/** What to do with an entry, by its type. */
const ACTION = new Uint8Array(65536);
const LOADS = 1;
const STORES = 2;
const PREFETCHES = 3;
const FETCHES = 4;
const IS_MARKER = 5;
const OTHER = 6;
const ACCESSES_TOO = new Set<number>([
  TYPE.INSTR_BUNDLE,
  TYPE.INSTR_MAYBE_FETCH,
  TYPE.INSTR_FLUSH,
  TYPE.INSTR_FLUSH_END,
  TYPE.DATA_FLUSH,
  TYPE.DATA_FLUSH_END,
]);
ACTION.fill(OTHER, 0, LAST_TYPE + 1);
ACTION[TYPE.READ] = LOADS;
ACTION[TYPE.WRITE] = STORES;
for (const type of DATA_PREFETCHES) ACTION[type] = PREFETCHES;
for (const type of INSTRUCTIONS) ACTION[type] = FETCHES;
ACTION[TYPE.MARKER] = IS_MARKER;

/** Types whose entries may become records: prefetches, instructions and flushes among them. */
const IS_ACCESS = new Uint8Array(ACTION.length);
for (const type of [...DATA_PREFETCHES, ...INSTRUCTIONS, ...ACCESSES_TOO, TYPE.READ, TYPE.WRITE]) IS_ACCESS[type] = 1;

export interface DrmemtraceOptions {
  readonly cores?: number | undefined;
  readonly schedule?: Schedule | undefined;
  /** Threads take turns of so many instructions, in the order of their files; without it they follow their timestamps. */
  readonly quantum?: number | undefined;
  readonly skip?: boolean | undefined;
}

/** One file of a trace, decompressed. */
export interface DrmemtraceInput {
  readonly window: ByteWindow;
  /** What errors call it now, and the byte of the stream at which that part began. */
  place(): { readonly file: string; readonly offset: number };
  readonly entryBytes: 8 | 12;
  readonly fileType: number;
}

export function readDrmemtrace(
  inputs: readonly DrmemtraceInput[],
  entries: EntryBuffer,
  options: DrmemtraceOptions = {},
): ItemTrace {
  const shared: Shared = {
    entries,
    cores: new CoreAssignment(options.cores, options.schedule ?? "thread"),
    processes: new Map(),
    quantum: options.quantum,
    skip: options.skip === true,
    skipped: 0,
  };

  async function* batches(): AsyncGenerator<Uint32Array, void, undefined> {
    let failure: { readonly error: unknown } | undefined;
    let threads = inputs.map((input, index) => new Thread(input, index, shared));
    let current = pick(threads, undefined, shared.quantum);
    current?.resume();
    while (current !== undefined) {
      let status: Status;
      try {
        status = current.parse();
        if (status === "more" && !(await current.input.window.more())) current.failTruncated();
        if (status === "ended") await current.close();
      } catch (error) {
        failure = { error };
        break;
      }
      if (!entries.hasRoom(ROOM_TO_GO_ON)) yield entries.take();
      if (status === "ended") threads = threads.filter((thread) => thread !== current);
      if (status === "turn" || status === "ended") {
        current = pick(threads, current, shared.quantum);
        current?.resume();
      }
    }
    if (entries.count > 0) yield entries.take();
    if (failure) throw failure.error;
  }

  return {
    batches,
    get skipped() {
      return shared.skipped;
    },
  };
}

interface Shared {
  readonly entries: EntryBuffer;
  readonly cores: CoreAssignment;
  /** By thread: its process. */
  readonly processes: Map<number, number>;
  readonly quantum: number | undefined;
  readonly skip: boolean;
  skipped: number;
}

type Status = "more" | "full" | "turn" | "ended";

/** Who goes on: the earliest, or whoever stands behind the last one. */
function pick(threads: readonly Thread[], last: Thread | undefined, quantum: number | undefined): Thread | undefined {
  if (quantum !== undefined) return threads.find((thread) => thread.index > (last?.index ?? -1)) ?? threads[0];
  let earliest = threads[0];
  for (const thread of threads) if (earliest !== undefined && thread.isBefore(earliest)) earliest = thread;
  return earliest;
}

class Thread {
  readonly input: DrmemtraceInput;
  readonly index: number;
  readonly #shared: Shared;
  /** File of a core: threads come and go in it, and the core is always the same. */
  readonly #isCore: boolean;
  readonly #isA64: boolean;
  /** Of the last timestamp, in two parts. */
  #timeLow = 0;
  #timeHigh = 0;
  #thread: number;
  /** Whether the next access must say who issues it. As in drcachesim a thread gets its core at its first access. */
  #isAway = true;
  #turnEnds = Number.POSITIVE_INFINITY;
  #instructions = 0;
  #lineBytes = DEFAULT_LINE_BYTES;
  /** A flush whose end comes in an entry of its own. */
  #flushType = -1;
  #flushLow = 0;
  #flushHigh = 0;
  /** A flush that is being written out, line by line. */
  #lineOperation = 0;
  #lineLow = 0;
  #lineHigh = 0;
  #linesLeft = 0;
  #pcLow = 0;
  #pcHigh = 0;
  #nextPcLow = 0;
  #nextPcHigh = 0;
  /** Encoding of the instruction that comes next, if the trace gives it: it does so once for every address. */
  #encoding = 0;
  #hasEncoding = false;
  /** Maintenance instructions and barriers seen, by address. */
  readonly #kinds = new Map<number, number>();
  /** What the last instruction is, if it is one of those. */
  #kind: number | undefined;
  #physicalLow = 0;
  #physicalHigh = 0;

  constructor(input: DrmemtraceInput, index: number, shared: Shared) {
    this.input = input;
    this.index = index;
    this.#shared = shared;
    this.#isCore = (input.fileType & FILE_TYPE.CORE_SHARDED) !== 0;
    this.#isA64 = (input.fileType & (FILE_TYPE.AARCH64 | FILE_TYPE.REGDEPS)) === FILE_TYPE.AARCH64;
    // Until the file says which thread this is; real ones are positive.
    this.#thread = -1 - index;
  }

  isBefore(other: Thread): boolean {
    return this.#timeHigh === other.#timeHigh ? this.#timeLow < other.#timeLow : this.#timeHigh < other.#timeHigh;
  }

  /** Begins a turn. */
  resume(): void {
    const { quantum } = this.#shared;
    if (quantum !== undefined) this.#turnEnds = this.#instructions + quantum;
    this.#isAway = true;
  }

  #enter(): void {
    const { entries, cores, processes } = this.#shared;
    this.#isAway = false;
    entries.setRequester(cores.coreOf(this.#isCore ? -1 - this.index : this.#thread));
    entries.addresses.enter(processes.get(this.#thread) ?? 0);
  }

  /** Takes entries until bytes, room or the turn run out. */
  parse(): Status {
    const { entries } = this.#shared;
    const { window, entryBytes } = this.input;
    const { bytes } = window;
    while (entries.hasRoom(ROOM_TO_GO_ON)) {
      if (this.#linesLeft > 0) {
        this.#flushLines();
        continue;
      }
      if (this.#instructions >= this.#turnEnds) return "turn";
      const at = window.at;
      if (bytes.length - at < entryBytes) return "more";
      const type = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      const size = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
      const low = little32(bytes, at + 4);
      const high = entryBytes === 12 ? little32(bytes, at + 8) : 0;
      window.at = at + entryBytes;
      if (this.#isAway && IS_ACCESS[type] === 1) this.#enter();
      switch (ACTION[type]) {
        case LOADS:
          if (!entries.access(LOAD.code, low, high, size)) this.#refuse(low, high);
          break;
        case STORES:
          if (!entries.access(STORE.code, low, high, size)) this.#refuse(low, high);
          break;
        case FETCHES:
          this.#fetch(low, high, size);
          break;
        case PREFETCHES:
          if (!entries.access(PREFETCH.code, low, high, 0)) this.#refuse(low, high);
          break;
        case IS_MARKER: {
          const isTurn = this.#marker(size, low, high);
          if (isTurn && this.#shared.quantum === undefined) return "turn";
          break;
        }
        case OTHER:
          if (type === TYPE.FOOTER) return "ended";
          this.#rare(type, size, low, high);
          break;
        default:
          throw this.#error("unknown type of entry", `${type}`, `0 to ${LAST_TYPE}`);
      }
    }
    return "full";
  }

  /** The file ended, and no footer had announced it. */
  failTruncated(): never {
    const { window, entryBytes } = this.input;
    if (window.left > 0) {
      throw this.#error("truncated entry", `${window.left} bytes`, `${entryBytes}`, window.offset);
    }
    throw this.#error("truncated trace", "the end of the file", "a footer entry", window.offset);
  }

  /** Nothing may come after the footer. */
  async close(): Promise<void> {
    const { window } = this.input;
    if (window.left > 0 || (await window.more())) {
      throw this.#error("data after the footer", `${window.left} bytes`, "the end of the file", window.offset);
    }
    await window.close();
  }

  #fetch(low: number, high: number, size: number): void {
    this.#pcLow = low;
    this.#pcHigh = high;
    this.#setNextPc(low, high, size);
    // Without a size it is there to tell the address of the instruction of the accesses that follow (filtered traces).
    if (size === 0) return;
    this.#instructions++;
    if (!this.#shared.entries.access(FETCH.code, low, high, size)) this.#refuse(low, high);
    if (!this.#isA64) return;
    this.#kind = undefined;
    if (!this.#hasEncoding && this.#kinds.size === 0) return;
    const pc = high * 2 ** 32 + low;
    if (this.#hasEncoding) {
      this.#hasEncoding = false;
      const kind = maintenanceOf(this.#encoding) ?? barrierOf(this.#encoding);
      if (kind === undefined) this.#kinds.delete(pc);
      else this.#kinds.set(pc, kind);
    }
    const kind = this.#kinds.get(pc);
    if (kind === OPERATIONS.DSB.code || kind === OPERATIONS.DMB.code || kind === OPERATIONS.ISB.code) {
      this.#shared.entries.push(kind, 0, 0);
    } else this.#kind = kind;
  }

  #setNextPc(low: number, high: number, size: number): void {
    const next = low + size;
    this.#nextPcLow = next >>> 0;
    this.#nextPcHigh = next > 0xffffffff ? high + 1 : high;
  }

  /** Returns whether others may have come first. */
  #marker(kind: number, low: number, high: number): boolean {
    const { entries, cores } = this.#shared;
    switch (kind) {
      case MARKER.TIMESTAMP:
        if (low === UNKNOWN && (high === UNKNOWN || this.input.entryBytes === 8)) return false;
        this.#timeLow = low;
        this.#timeHigh = high;
        return true;
      case MARKER.CPU_ID:
        if (low !== UNKNOWN && !this.#isCore) {
          cores.runsOn(this.#thread, low);
          this.#isAway = true;
        }
        break;
      case MARKER.CACHE_LINE_SIZE:
        if (low < 4 || low > 4096 || (low & (low - 1)) !== 0) {
          throw this.#error("wrong cache line size", `${low}`, "a power of two from 4 to 4096");
        }
        this.#lineBytes = low;
        break;
      case MARKER.PAGE_SIZE: {
        const shift = 31 - Math.clz32(low);
        if (high !== 0 || 2 ** shift !== low || shift < 12 || shift > 30) {
          throw this.#error("wrong page size", hexadecimal(low, high), "a power of two from 4 KiB to 1 GiB");
        }
        entries.addresses.setPageShift(shift);
        break;
      }
      case MARKER.PHYSICAL_ADDRESS:
        this.#physicalLow = low;
        this.#physicalHigh = high;
        break;
      case MARKER.VIRTUAL_ADDRESS:
        if (this.#isAway) entries.addresses.enter(this.#shared.processes.get(this.#thread) ?? 0);
        entries.addresses.tell(low, high, this.#physicalLow, this.#physicalHigh);
        break;
    }
    return false;
  }

  #rare(type: number, size: number, low: number, high: number): void {
    const { cores, processes } = this.#shared;
    const { entryBytes, window } = this.input;
    switch (type) {
      case TYPE.INSTR_MAYBE_FETCH:
        // Of an instruction that repeats itself only the first time is a fetch.
        if (low !== this.#pcLow || high !== this.#pcHigh) this.#fetch(low, high, size);
        break;
      case TYPE.INSTR_NO_FETCH:
        this.#instructions++;
        this.#pcLow = low;
        this.#pcHigh = high;
        this.#hasEncoding = false;
        break;
      case TYPE.INSTR_BUNDLE:
        if (size > entryBytes - 4) {
          throw this.#error("wrong bundle", `${size} instructions`, `at most ${entryBytes - 4}`);
        }
        for (let i = 0; i < size; i++) {
          const length = window.bytes[window.at - entryBytes + 4 + i] as number;
          this.#fetch(this.#nextPcLow, this.#nextPcHigh, length);
        }
        break;
      case TYPE.INSTR_FLUSH:
      case TYPE.DATA_FLUSH:
        this.#flushType = type;
        this.#flushLow = low;
        this.#flushHigh = high;
        if (size > 0) this.#flush(size);
        break;
      case TYPE.INSTR_FLUSH_END:
      case TYPE.DATA_FLUSH_END: {
        const bytes = (high - this.#flushHigh) * 2 ** 32 + (low - this.#flushLow);
        if (this.#flushType !== type - 1 || bytes < 0) {
          throw this.#error("the end of a flush that didn't begin", hexadecimal(low, high), "its begin before it");
        }
        if (bytes > 0) this.#flush(bytes);
        break;
      }
      case TYPE.THREAD:
        this.#thread = high * 2 ** 32 + low;
        this.#isAway = true;
        break;
      case TYPE.THREAD_EXIT:
        if (!this.#isCore) cores.exit(high * 2 ** 32 + low);
        this.#isAway = true;
        break;
      case TYPE.PID:
        processes.set(this.#thread, high * 2 ** 32 + low);
        this.#isAway = true;
        break;
      case TYPE.ENCODING:
        // The first four bytes are all of an A64 instruction.
        this.#hasEncoding = size === 4;
        this.#encoding = low;
        break;
      // Instruction prefetches reach no cache that this record could name; the header says what is known already.
    }
  }

  #flush(sizeBytes: number): void {
    const line = this.#lineBytes;
    const lines = Math.floor(((this.#flushLow & (line - 1)) + sizeBytes - 1) / line) + 1;
    if (lines > MOST_FLUSHED_LINES) {
      throw this.#error("too large a flush", `${sizeBytes} bytes`, `at most ${MOST_FLUSHED_LINES} lines`);
    }
    const isData = this.#flushType === TYPE.DATA_FLUSH;
    const known = this.#kind !== undefined && (this.#kind === IC_IVAU.code) !== isData ? this.#kind : undefined;
    this.#lineOperation = known ?? (isData ? DC_CIVAC.code : IC_IVAU.code);
    // The address itself first: an instruction's operand needn't be aligned, and stays what it was.
    this.#lineLow = this.#flushLow;
    this.#lineHigh = this.#flushHigh;
    this.#linesLeft = lines;
    this.#flushType = -1;
  }

  #flushLines(): void {
    const { entries } = this.#shared;
    while (this.#linesLeft > 0 && entries.hasRoom(ROOM_TO_GO_ON)) {
      if (!entries.access(this.#lineOperation, this.#lineLow, this.#lineHigh, 0)) {
        this.#refuse(this.#lineLow, this.#lineHigh);
      }
      this.#linesLeft--;
      const next = (this.#lineLow & ~(this.#lineBytes - 1)) >>> 0;
      if (next + this.#lineBytes > 0xffffffff) this.#lineHigh = (this.#lineHigh + 1) >>> 0;
      this.#lineLow = (next + this.#lineBytes) >>> 0;
    }
  }

  #refuse(low: number, high: number): void {
    const { what, expected } = this.#shared.entries.addresses.refusal;
    if (!this.#shared.skip) throw this.#error(what, hexadecimal(low, high), expected);
    this.#shared.skipped++;
  }

  #error(what: string, found: string, expected: string, offset?: number): TraceError {
    const { window, entryBytes } = this.input;
    const place = this.input.place();
    const at = offset ?? window.offset - entryBytes;
    // A member of an archive may have begun behind the entry that is wrong.
    return new TraceError(what, { file: place.file, offset: Math.max(at - place.offset, 0), found, expected });
  }
}

const little32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;
