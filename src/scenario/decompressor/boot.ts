/**
 * The recorded boot of a 32-bit kernel: its records, and where in them the caches go on and off, the output is flushed
 * and the kernel takes over. Everything is found in the records; no number of a particular trace stands here.
 */
import type { Provenance } from "../../engine/engine.ts";
import { TraceError } from "../../engine/errors.ts";
import { OPERATIONS, SCTLR_C } from "../../engine/operations.ts";
import { operationOf } from "../../trace/entry.ts";
import type { TraceSource } from "../../trace/source.ts";
import { readWhole } from "../../trace/whole.ts";

/** Records `first` up to, but not including, `end`. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** What the decompressor writes and flushes: addresses `first` up to, but not including, `end`. */
export interface Image extends Range {
  /** Step of the recorded loop: the smallest data line of the core that was recorded. */
  readonly strideBytes: number;
  /** Lines that the decompressor reads once more after its last write to the image. */
  readonly linesVerified: number;
}

export interface RecordedBoot {
  /** The file's name, and where the recording comes from. */
  readonly name: string;
  readonly source: string | undefined;
  /** Two words a record; there are no prefixes. */
  readonly words: Uint32Array;
  readonly records: number;
  readonly provenance: Provenance;
  readonly initialSctlr: number;
  /** The SCTLR writes that turn the caches on, off, and on again with the MMU. */
  readonly cachesOn: number;
  readonly cachesOff: number;
  readonly mmuOn: number;
  /** The run of DC CIVAC. */
  readonly flush: Range;
  /** The kernel's loop over L1 by DC ISW, with the fetches between. */
  readonly invalidate: Range;
  readonly image: Image;
  /** Stack pointer of the decompressor where it calls the flush. */
  readonly stackPointer: number;
}

const address = (words: Uint32Array, record: number): number =>
  (words[2 * record] as number) + ((words[2 * record + 1] as number) & 0xffff) * 2 ** 32;

const operation = (words: Uint32Array, record: number): number => operationOf(words[2 * record + 1] as number);

/** Reads a boot as a whole: it is played many times. Throws `TraceError` where it isn't such a boot. */
export async function readBoot(trace: TraceSource): Promise<RecordedBoot> {
  return findBoot(await readWhole(trace), trace);
}

/** What a boot keeps of where it was recorded. */
export interface Recording {
  readonly name: string;
  readonly header: Pick<TraceSource["header"], "source" | "provenance" | "initialSctlr">;
}

/** Finds the boot's landmarks. Throws `TraceError` where one is missing. */
export function findBoot(words: Uint32Array, { name, header }: Recording): RecordedBoot {
  const records = words.length / 2;
  const missing = (expected: string) =>
    new TraceError("not the boot of a decompressing kernel", { file: name, expected });
  const sctlr = positions(words, OPERATIONS.SCTLR.code, 0, records);
  const isOn = (record: number) => (address(words, record) & SCTLR_C) !== 0;
  const [cachesOn, cachesOff, mmuOn] = sctlr;
  if (cachesOn === undefined || cachesOff === undefined || mmuOn === undefined) {
    throw missing("three writes of SCTLR: caches on, off, on again");
  }
  if (!isOn(cachesOn) || isOn(cachesOff) || !isOn(mmuOn)) throw missing("SCTLR.C set, cleared and set again");
  const flushed = positions(words, OPERATIONS.DC_CIVAC.code, cachesOn, cachesOff);
  const flush = { first: flushed[0] ?? -1, end: (flushed.at(-1) ?? -2) + 1 };
  if (flush.end - flush.first !== flushed.length || flushed.length < 2) {
    throw missing("one unbroken run of DC CIVAC while the caches are on");
  }
  const invalidated = positions(words, OPERATIONS.DC_ISW.code, cachesOff, mmuOn);
  if (invalidated.length < 2) throw missing("a loop of DC ISW while the caches are off");
  const strideBytes = address(words, flush.first + 1) - address(words, flush.first);
  const output = { first: address(words, flush.first), end: address(words, flush.end - 1) + strideBytes };
  return {
    name,
    source: header.source,
    words,
    records,
    provenance: header.provenance,
    initialSctlr: header.initialSctlr ?? 0,
    cachesOn,
    cachesOff,
    mmuOn,
    flush,
    invalidate: { first: invalidated[0] as number, end: (invalidated.at(-1) as number) + 1 },
    image: { ...output, strideBytes, linesVerified: linesVerified(words, output, strideBytes, cachesOn, flush.first) },
    stackPointer: stackPointer(words, cachesOn, flush.first, strideBytes),
  };
}

function positions(words: Uint32Array, code: number, from: number, to: number): number[] {
  const found: number[] = [];
  for (let record = from; record < to; record++) if (operation(words, record) === code) found.push(record);
  return found;
}

/** Distinct lines of the image that are loaded after the last store to it: the decompressor's check of its output. */
function linesVerified(words: Uint32Array, image: Range, lineBytes: number, from: number, to: number): number {
  const lines = new Set<number>();
  for (let record = to - 1; record >= from; record--) {
    const code = operation(words, record);
    const at = address(words, record);
    if (at < image.first || at >= image.end) continue;
    if (code === OPERATIONS.STORE.code) break;
    if (code === OPERATIONS.LOAD.code) lines.add(Math.floor(at / lineBytes));
  }
  return lines.size;
}

/**
 * The first store with caches on is the prologue of decompress_kernel(), which the decompressor's assembly calls with
 * the stack pointer that it has at the flush too. The registers pushed end in the line where they begin, or the
 * recording would have the next line's first store.
 */
function stackPointer(words: Uint32Array, from: number, to: number, lineBytes: number): number {
  for (let record = from; record < to; record++) {
    if (operation(words, record) === OPERATIONS.STORE.code) {
      return (Math.floor(address(words, record) / lineBytes) + 1) * lineBytes;
    }
  }
  return 0;
}

/** How many loads, stores and fetches a range of records has. */
export function accessesIn({ words }: RecordedBoot, { first, end }: Range): Accesses {
  const counts = { loads: 0, stores: 0, fetches: 0 };
  for (let record = first; record < end; record++) {
    const code = operation(words, record);
    if (code === OPERATIONS.LOAD.code) counts.loads++;
    else if (code === OPERATIONS.STORE.code) counts.stores++;
    else if (code === OPERATIONS.FETCH.code) counts.fetches++;
  }
  return counts;
}

export interface Accesses {
  readonly loads: number;
  readonly stores: number;
  readonly fetches: number;
}

const BLOCK_BYTES = 2 ** 20;

/** Starts of the MiB blocks that the boot accesses, ascending: what a machine must have memory for. */
export function blocksAccessed({ words, records }: RecordedBoot): number[] {
  const blocks = new Set<number>();
  for (let record = 0; record < records; record++) {
    if (operation(words, record) <= OPERATIONS.FETCH.code) blocks.add(Math.floor(address(words, record) / BLOCK_BYTES));
  }
  return [...blocks].sort((a, b) => a - b).map((block) => block * BLOCK_BYTES);
}
