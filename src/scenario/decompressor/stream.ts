/**
 * The boot as one machine would have executed it with one kind of maintenance: the recorded records, with the flush in
 * the chosen kind and the DC ISW loop from that machine's own registers. Knows which record of the recording each is.
 */
import { OPERATIONS, type OperationName } from "../../engine/operations.ts";
import { decodeRecords, encodeRecords, formatRecord, type RecordEntry, record } from "../../engine/record.ts";
import { coreRegisters, type ResolvedMachine, SET_WAY_ROUTINES } from "../../machine/index.ts";
import { operationOf } from "../../trace/entry.ts";
import type { RecordedBoot } from "./boot.ts";

export const MAINTENANCES = ["none", "setway", "va"] as const;
export type Maintenance = (typeof MAINTENANCES)[number];

export const PHASES = [
  "relocation",
  "decompression",
  "flush",
  "caches-off",
  "kernel",
  "invalidation",
  "mmu-on",
] as const;
export type Phase = (typeof PHASES)[number];

/** Records that are played as one; a part is either a stretch of the recording or made for the machine. */
export interface Part {
  readonly phase: Phase;
  readonly words: Uint32Array;
  readonly records: number;
  /** Number in the recording of its first record; undefined where it isn't in the recording. */
  readonly recorded: number | undefined;
  /** What it is, where it isn't in the recording: `the first set/way loop`. */
  readonly label: string;
}

export interface BootStream {
  readonly parts: readonly Part[];
  readonly records: number;
  /** Data cache operations of the flush: by VA, or by set/way of both loops. */
  readonly flushOperations: number;
  readonly invalidateOperations: number;
}

/** The decompression as a machine plays it, made once for all machines of the same line. */
export type Decompression = (machine: ResolvedMachine) => Uint32Array;

/**
 * The recording kept only the first store to a line while the line was in its filter, and the decompressor writes its
 * output from end to end, so each store to the image stands for its whole line. Without this, whatever the kernel reads
 * elsewhere in a line would count as never written. Where a machine's data lines are smaller than the recorded ones, loads
 * of the image stand for whole recorded lines too, or their other halves would never have been read.
 */
export function prepareDecompression(boot: RecordedBoot): Decompression {
  const made = new Map<boolean, Uint32Array>();
  return (machine) => {
    const loadsToo = dataLineBytes(machine) < boot.image.strideBytes;
    const words = made.get(loadsToo) ?? withWholeLines(boot, loadsToo);
    made.set(loadsToo, words);
    return words;
  };
}

function withWholeLines({ words, image, cachesOn, flush }: RecordedBoot, loadsToo: boolean): Uint32Array {
  const lineBytes = image.strideBytes;
  const wholeLine = prefixOfSize(lineBytes);
  const expanded = new Uint32Array(4 * (flush.first - cachesOn));
  let length = 0;
  for (let index = 2 * cachesOn; index < 2 * flush.first; index += 2) {
    const low = words[index] as number;
    const high = words[index + 1] as number;
    const code = operationOf(high);
    const at = low + (high & 0xffff) * 2 ** 32;
    const stands = code === OPERATIONS.STORE.code || (loadsToo && code === OPERATIONS.LOAD.code);
    if (stands && at >= image.first && at < image.end) {
      expanded.set(wholeLine, length);
      length += 2;
      expanded[length] = low - (low % lineBytes);
    } else expanded[length] = low;
    expanded[length + 1] = high;
    length += 2;
  }
  return expanded.slice(0, length);
}

/** The two words of a `WITH` prefix that gives the next record a size (D5). */
const prefixOfSize = (sizeBytes: number): Uint32Array =>
  encodeRecords([record("STORE", 0, 0, { sizeBytes })]).slice(0, 2);

/** The boot with one kind of maintenance on one machine; core 0 runs it. */
export function bootStream(
  boot: RecordedBoot,
  decompression: Decompression,
  machine: ResolvedMachine,
  maintenance: Maintenance,
): BootStream {
  const { words, cachesOn, cachesOff, flush, invalidate, records } = boot;
  const recorded = (phase: Phase, first: number, end: number): Part => ({
    phase,
    words: words.subarray(2 * first, 2 * end),
    records: end - first,
    recorded: first,
    label: "",
  });
  const made = (phase: Phase, label: string, entries: readonly RecordEntry[]): Part => ({
    phase,
    words: encodeRecords(entries),
    records: entries.length,
    recorded: undefined,
    label,
  });
  const flushed = flushParts(boot, machine, maintenance, recorded, made);
  const invalidated = invalidateL1(boot, machine);
  const parts = [
    recorded("relocation", 0, cachesOn),
    { ...recorded("decompression", cachesOn, flush.first), words: decompression(machine) },
    ...flushed.before,
    recorded("flush", flush.end, cachesOff),
    recorded("caches-off", cachesOff, cachesOff + 1),
    ...flushed.after,
    recorded("kernel", cachesOff + 1, invalidate.first),
    made("invalidation", "the kernel's DC ISW loop", invalidated.entries),
    recorded("mmu-on", invalidate.end, records),
  ].filter((part) => part.records > 0);
  return {
    parts,
    records: parts.reduce((sum, part) => sum + part.records, 0),
    flushOperations: flushed.operations,
    invalidateOperations: invalidated.operations,
  };
}

type Recorded = (phase: Phase, first: number, end: number) => Part;
type Made = (phase: Phase, label: string, entries: readonly RecordEntry[]) => Part;

/** The flush before the caches go off, and what is done just after (only set/way does anything there). */
function flushParts(
  boot: RecordedBoot,
  machine: ResolvedMachine,
  maintenance: Maintenance,
  recorded: Recorded,
  made: Made,
): { readonly before: readonly Part[]; readonly after: readonly Part[]; readonly operations: number } {
  switch (maintenance) {
    case "none":
      return { before: [], after: [], operations: 0 };
    case "va": {
      const stride = dataLineBytes(machine);
      const before =
        stride === boot.image.strideBytes
          ? recorded("flush", boot.flush.first, boot.flush.end)
          : made("flush", "the loop by VA", flushByVa(boot, stride));
      return { before: [before], after: [], operations: before.records };
    }
    case "setway": {
      const loop = flushBySetWay(boot, machine);
      const completion = (["DSB", "IC_IALLU", "DSB", "ISB"] as const).map((name) => record(name, 0, 0));
      return {
        before: [made("flush", "the first set/way flush", loop.entries)],
        after: [made("caches-off", "the second set/way flush", [...loop.entries, ...completion])],
        operations: 2 * loop.operations,
      };
    }
  }
}

/** CTR_EL0.DminLine, by which the kernel steps. */
function dataLineBytes(machine: ResolvedMachine): number {
  return 4 << Number((coreRegisters(machine, 0).ctr >> 16n) & 15n);
}

function flushByVa({ image }: RecordedBoot, stride: number): RecordEntry[] {
  const entries: RecordEntry[] = [];
  for (let at = image.first - (image.first % stride); at < image.end; at += stride) {
    entries.push(record("DC_CIVAC", 0, at));
  }
  return entries;
}

/** Registers that the 4.1 routine pushes: r0-r7 and r9-r11. */
const PUSHED_REGISTERS = 11;
const REGISTER_BYTES = 4;

/**
 * Linux 4.1's __armv7_mmu_cache_flush up to its loops' end. It saves registers on the stack, so the routine itself
 * dirties a line (arm-facts B.2). The barriers that end it are in the recording already, before the caches go off.
 */
function flushBySetWay({ stackPointer }: RecordedBoot, machine: ResolvedMachine) {
  const stack = (name: OperationName) =>
    Array.from({ length: PUSHED_REGISTERS }, (_, register) =>
      record(name, 0, stackPointer - REGISTER_BYTES * (PUSHED_REGISTERS - register)),
    );
  const { operation, operands } = SET_WAY_ROUTINES.decompressorFlush;
  const loops = Array.from(operands(coreRegisters(machine, 0)), (operand) => record(operation, 0, operand));
  const entries = [record("DMB", 0, 0), ...stack("STORE"), ...loops, ...stack("LOAD")];
  return { entries, operations: loops.length };
}

/** The kernel's loop over this machine's L1D, with the fetch that was recorded between two operations. */
function invalidateL1({ words, invalidate }: RecordedBoot, machine: ResolvedMachine) {
  const loop = decodeRecords(words.subarray(2 * invalidate.first, 2 * invalidate.end)).slice(1);
  const between = loop.slice(
    0,
    loop.findIndex(({ code }) => code === OPERATIONS.DC_ISW.code),
  );
  const { operation, operands } = SET_WAY_ROUTINES.invalidateL1;
  const entries: RecordEntry[] = [];
  let operations = 0;
  for (const operand of operands(coreRegisters(machine, 0))) {
    if (operations++ > 0) entries.push(...between);
    entries.push(record(operation, 0, operand));
  }
  return { entries, operations };
}

/** A record of a stream: which it is in the recording, if it is there, and what it does. */
export interface RecordName {
  /** `record 2,394,992`, or `operation 12 of the first set/way flush`. */
  readonly name: string;
  /** Its number in the recording. */
  readonly recorded: number | undefined;
  readonly operation: string;
}

/** Names a record of a stream by its number as it was played. */
export function nameRecord({ parts }: BootStream, { words }: RecordedBoot, played: number): RecordName | undefined {
  let first = 0;
  for (const part of parts) {
    const index = played - first;
    if (index < part.records) {
      if (part.recorded === undefined) {
        const entry = decodeRecords(part.words.subarray(2 * index, 2 * index + 2))[0] as RecordEntry;
        const number = (index + 1).toLocaleString("en-US");
        return { name: `operation ${number} of ${part.label}`, recorded: undefined, operation: formatRecord(entry) };
      }
      const recorded = part.recorded + index;
      const entry = decodeRecords(words.subarray(2 * recorded, 2 * recorded + 2))[0] as RecordEntry;
      return { name: `record ${recorded.toLocaleString("en-US")}`, recorded, operation: formatRecord(entry) };
    }
    first += part.records;
  }
  return undefined;
}
