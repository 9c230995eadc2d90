/**
 * Reads what Linux's perf prints of sampled accesses: lines of `perf script -F cpu,event,addr,data_src`, and the packets of
 * Arm's Statistical Profiling Extension in a dump (`perf script -D`). Samples are some accesses of many, in the order printed.
 */
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteReader } from "./bytes.ts";
import type { EntryBuffer } from "./entry-buffer.ts";
import { LineError, readText, type TextTrace } from "./text.ts";

const { LOAD, STORE, ATOMIC, PREFETCH } = OPERATIONS;

/**
 * `[003] cpu/mem-loads,ldlat=30/P:     7f0012345678`: the CPU, the event, the address, and perhaps other numbers. A symbol
 * behind it would mean that it is the address of the instruction: perf prints that where it isn't asked for the data's.
 */
const SAMPLE = /^(?:.*?\[(\d{1,6})\])?.*?([A-Za-z_]\S*):\s+([0-9a-f]{1,16})(?=\s*$|\s+(?:\||[0-9a-f]+(?:\s|$)))/;
/** perf mem's decoding of the data source. */
const DATA_SOURCE = /\|OP ([A-Z]+)/;
const DATA_SOURCES: Readonly<Record<string, number>> = {
  LOAD: LOAD.code,
  STORE: STORE.code,
  PFETCH: PREFETCH.code,
};
/** `.  0000000b:  b3 c0 eb 24 fb 00 00 00 80      PA 0xfb24ebc0 ns=1`: what stands behind the bytes of a packet. */
const PACKET = /^\.\s+[0-9a-f]{8}:\s+(?:[0-9a-f]{2} )+\s*([A-Z][A-Z0-9-]*)(?:\s+(.*))?$/;
const AUXTRACE = /PERF_RECORD_AUXTRACE .*\bcpu: (\d{1,6})\b/;
/** The beginning of a dump: a record with its place in the file, or its hexadecimal. */
const DUMP = /^(?:0x[0-9a-f]+\S* \[0x[0-9a-f]+\]: |\.)/;
const ADDRESS = /^(?:0x)?([0-9a-f]{1,16})(?=\s|$)/;

export function readPerf(input: ByteReader, file: string, entries: EntryBuffer, skip = false): TextTrace {
  const packets = new PacketReader(entries);
  let isDump: boolean | undefined;
  const parse = (bytes: Uint8Array, start: number, end: number): void => {
    const line = latin(bytes, start, end);
    if (line.trim() === "" || line.startsWith("#")) return;
    isDump ??= DUMP.test(line);
    if (isDump) packets.line(line, start);
    else sample(line, start, entries);
  };
  return readText(input, file, entries, parse, skip);
}

export const looksLikePerf = (line: string): boolean =>
  DUMP.test(line) || (SAMPLE.test(line) && /\[\d{1,6}\]|load|store|\|OP /i.test(line));

function sample(line: string, start: number, entries: EntryBuffer): void {
  const match = SAMPLE.exec(line);
  if (match === null) {
    throw new LineError(
      "not a sample",
      start,
      quoted(line),
      "[cpu] event: address (perf script -F cpu,event,addr,data_src)",
    );
  }
  const [, cpu, event, digits] = match as unknown as [string, string | undefined, string, string];
  // Samples without an address have this one.
  if (/^0+$/.test(digits)) return;
  const operation = DATA_SOURCES[DATA_SOURCE.exec(line)?.[1] ?? ""] ?? operationOfEvent(event);
  if (operation === undefined) {
    const expected = "an event whose name has load or store, or the field data_src";
    throw new LineError("neither a load nor a store", start, event, expected);
  }
  entries.setRequester(Number(cpu ?? 0));
  append(entries, operation, digits, start);
}

function operationOfEvent(event: string): number | undefined {
  if (/store/i.test(event)) return STORE.code;
  return /load/i.test(event) ? LOAD.code : undefined;
}

/** Puts the packets of a record together; a timestamp or an end packet is its last. */
class PacketReader {
  readonly #entries: EntryBuffer;
  #operation: number | undefined;
  #virtual: string | undefined;
  #physical: string | undefined;
  /** Whether the recording has physical addresses; the first access decides for all. */
  #isPhysical: boolean | undefined;

  constructor(entries: EntryBuffer) {
    this.#entries = entries;
  }

  line(line: string, start: number): void {
    const packet = PACKET.exec(line);
    if (packet === null) {
      // Everything else that perf dumps.
      const cpu = AUXTRACE.exec(line)?.[1];
      if (cpu !== undefined) this.#entries.setRequester(Number(cpu));
      return;
    }
    const [, kind, rest = ""] = packet as unknown as [string, string, string | undefined];
    switch (kind) {
      case "LD":
      case "ST":
        this.#operation = /\bAT\b/.test(rest) ? ATOMIC.code : kind === "LD" ? LOAD.code : STORE.code;
        break;
      case "VA":
        this.#virtual = canonical(digitsOf(rest, line, start));
        break;
      case "PA":
        this.#physical = digitsOf(rest, line, start);
        break;
      case "TS":
      case "END":
        this.#end(line, start);
        break;
    }
  }

  #end(line: string, start: number): void {
    const operation = this.#operation;
    const virtual = this.#virtual;
    const physical = this.#physical;
    this.#operation = undefined;
    this.#virtual = undefined;
    this.#physical = undefined;
    if (operation === undefined || (virtual === undefined && physical === undefined)) return;
    this.#isPhysical ??= physical !== undefined;
    const digits = this.#isPhysical ? physical : virtual;
    if (digits === undefined) {
      const expected = `a ${this.#isPhysical ? "physical" : "virtual"} one, as before`;
      throw new LineError("a sample without an address", start, quoted(line), expected);
    }
    append(this.#entries, operation, digits, start);
  }
}

function digitsOf(text: string, line: string, start: number): string {
  const digits = ADDRESS.exec(text)?.[1];
  if (digits === undefined) throw new LineError("no address", start, quoted(line), "a hexadecimal address");
  return digits;
}

/** A virtual address has 56 bits in its packet, and the tag of a pointer above; bit 55 says in which half it is. */
function canonical(digits: string): string {
  const padded = digits.padStart(16, "0");
  const isUpper = Number.parseInt(padded[2] as string, 16) >= 8;
  return isUpper ? `ff${padded.slice(2)}` : padded.slice(2);
}

function append(entries: EntryBuffer, operation: number, digits: string, start: number): void {
  const padded = digits.padStart(16, "0");
  const high = Number.parseInt(padded.slice(0, 8), 16);
  const low = Number.parseInt(padded.slice(8), 16);
  if (entries.access(operation, low, high, 0)) return;
  const { what, expected } = entries.addresses.refusal;
  throw new LineError(what, start, digits, expected);
}

const quoted = (line: string): string => `"${line.trim().slice(0, 40)}"${line.trim().length > 40 ? "..." : ""}`;

function latin(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + 4096)));
  }
  return text;
}
