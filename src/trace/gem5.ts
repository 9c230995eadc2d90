/**
 * Reads gem5's packet traces, what its CommMonitor's MemTraceProbe writes: the magic number `gem5`, then protobuf messages,
 * each behind its length: a `PacketHeader` and `Packet`s (its public `packet.proto`). Addresses are physical.
 */
import { TraceError } from "../engine/errors.ts";
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteReader } from "./bytes.ts";
import { type EntryBuffer, LARGEST_SIZE } from "./entry-buffer.ts";
import { ByteWindow, hexadecimal, hexBytes, type ItemTrace, ROOM_TO_GO_ON, readItems } from "./items.ts";
import { MessageReader, ProtobufError } from "./protobuf.ts";

/** Little-endian, `gem5`. */
export const GEM5_MAGIC = [0x67, 0x65, 0x6d, 0x35];
const MAGIC_BYTES = 4;
/** Headers name every requester of the machine; packets have a few numbers. */
const LARGEST_MESSAGE = 1 << 20;

const { LOAD, STORE, FETCH, ATOMIC, PREFETCH, DC_CVAC, DC_CIVAC, DC_IVAC } = OPERATIONS;
const NOTHING = -1;
/** By command, numbered as in `MemCmd` since gem5 22.1: requests that a cache sees as an access or as maintenance. */
const COMMANDS: ReadonlyMap<number, number> = new Map([
  [1, LOAD.code], // ReadReq
  [4, STORE.code], // WriteReq
  [7, STORE.code], // WritebackDirty
  [8, NOTHING], // WritebackClean
  [9, STORE.code], // WriteClean
  [10, NOTHING], // CleanEvict
  [11, PREFETCH.code], // SoftPFReq
  [12, PREFETCH.code], // SoftPFExReq
  [13, PREFETCH.code], // HardPFReq
  [16, STORE.code], // WriteLineReq
  [17, NOTHING], // UpgradeReq
  [18, NOTHING], // SCUpgradeReq
  [20, LOAD.code], // SCUpgradeFailReq
  [22, LOAD.code], // ReadExReq
  [24, LOAD.code], // ReadCleanReq
  [25, LOAD.code], // ReadSharedReq
  [26, LOAD.code], // LoadLockedReq
  [27, STORE.code], // StoreCondReq
  [28, NOTHING], // StoreCondFailReq
  [30, LOAD.code], // LockedRMWReadReq
  [32, STORE.code], // LockedRMWWriteReq
  [34, ATOMIC.code], // SwapReq
  [38, NOTHING], // MemFenceReq
  [39, NOTHING], // MemSyncReq
  [42, DC_CVAC.code], // CleanSharedReq
  [44, DC_CIVAC.code], // CleanInvalidReq
  [51, DC_CIVAC.code], // FlushReq
  [52, DC_IVAC.code], // InvalidateReq
]);

/** Bits of `Request::Flags`. */
export const INST_FETCH = 0x100;
const IS_PREFETCH = 0x01000000;

export function readGem5(input: ByteReader, file: string, entries: EntryBuffer, skip = false): ItemTrace {
  let skipped = 0;
  const window = new ByteWindow(input);
  const message = new MessageReader();
  let begun = false;
  /** By the header's number for a requester: the core it belongs to. */
  const cores = new Map<number, number>();

  function fail(what: string, offset: number, found: string, expected: string): never {
    throw new TraceError(what, { file, offset, found, expected });
  }

  const parse = (): "more" | "full" => {
    const { bytes } = window;
    for (;;) {
      if (!entries.hasRoom(ROOM_TO_GO_ON)) return "full";
      const from = begun || window.offset > 0 ? window.at : window.at + MAGIC_BYTES;
      const begins = window.offset + (from - window.at);
      if (begins === MAGIC_BYTES && !begun) {
        if (window.left < MAGIC_BYTES) return "more";
        const magic = bytes.subarray(window.at, from);
        if (GEM5_MAGIC.some((byte, index) => magic[index] !== byte)) {
          fail("not a gem5 trace", 0, hexBytes(magic), hexBytes(Uint8Array.from(GEM5_MAGIC)));
        }
      }
      message.open(bytes, from, bytes.length);
      let end: number;
      try {
        const length = message.tryVarint();
        if (length === undefined) return "more";
        if (length > LARGEST_MESSAGE)
          throw new ProtobufError("too long a message", `${length} bytes`, `at most ${LARGEST_MESSAGE}`);
        end = message.at + length;
        if (end > bytes.length) return "more";
        message.open(bytes, message.at, end);
        if (begun) packet(begins);
        else header(begins);
      } catch (error) {
        if (!(error instanceof ProtobufError)) throw error;
        fail(error.message, begins, error.found, error.expected);
      }
      begun = true;
      window.at = end;
    }
  };

  /** obj_id = 1, ver = 2, tick_freq = 3, id_strings = 4. */
  const header = (offset: number): void => {
    let name: string | undefined;
    let frequency: number | undefined;
    while (message.next()) {
      if (message.field === 1 && message.isBytes) name = message.text();
      else if (message.field === 2 && message.low > 0) {
        fail("unknown version of a packet trace", offset, `${message.low}`, "0");
      } else if (message.field === 3 && !message.isBytes) frequency = message.low;
      else if (message.field === 4) {
        if (!message.isBytes) fail("a gem5 trace of instructions", offset, "its header", "one of packets");
        idString(message.message());
      }
    }
    if (name === undefined || frequency === undefined) {
      fail("not a header of packets", offset, "other fields", "obj_id and tick_freq (a trace of a MemTraceProbe)");
    }
  };

  /** key = 1, value = 2. A requester is the core whose number its name has: `system.cpu3.data`, `board.cores2.core`. */
  const idString = (entry: MessageReader): void => {
    let key = 0;
    let name = "";
    while (entry.next()) {
      if (entry.field === 1) key = entry.low;
      else if (entry.field === 2 && entry.isBytes) name = entry.text();
    }
    const number = /(?:cpus?|cores?)(\d{1,4})(?![0-9])/.exec(name)?.[1];
    if (number !== undefined) cores.set(key, Number(number));
  };

  /** tick = 1, cmd = 2, addr = 3, size = 4, flags = 5, pkt_id = 6, pc = 7. */
  const packet = (offset: number): void => {
    let command: number | undefined;
    let low = 0;
    let high = 0;
    let hasAddress = false;
    let size = 0;
    let flags = 0;
    let id: number | undefined;
    while (message.next()) {
      if (message.isBytes) fail("not a packet", offset, `bytes in field ${message.field}`, "a number");
      switch (message.field) {
        case 2:
          command = message.low;
          break;
        case 3:
          ({ low, high } = message);
          hasAddress = true;
          break;
        case 4:
          size = message.low;
          break;
        case 5:
          flags = message.low;
          break;
        case 6:
          id = message.low;
          break;
      }
    }
    if (command === undefined || !hasAddress) fail("not a packet", offset, "other fields", "cmd and addr");
    let operation = COMMANDS.get(command);
    if (operation === undefined) {
      skipped++;
      if (!skip) fail("no request", offset, `command ${command}`, "a command of MemCmd that asks for something");
      return;
    }
    if (operation === NOTHING) return;
    if (operation === LOAD.code && (flags & INST_FETCH) !== 0) operation = FETCH.code;
    if (operation === LOAD.code && (flags & IS_PREFETCH) !== 0) operation = PREFETCH.code;
    entries.setRequester((id === undefined ? undefined : cores.get(id)) ?? 0);
    const hasSize = operation === LOAD.code || operation === STORE.code || operation === FETCH.code;
    if (entries.access(operation, low, high, hasSize ? Math.min(size, LARGEST_SIZE) : 0)) return;
    skipped++;
    if (skip) return;
    const { what, expected } = entries.addresses.refusal;
    fail(what, offset, hexadecimal(low, high), expected);
  };

  return {
    batches: () =>
      readItems(window, entries, parse, () => {
        if (window.left === 0 && begun) return;
        fail(
          "truncated message",
          window.offset,
          window.left === 0 ? "the end of the file" : `${window.left} bytes`,
          begun ? "a whole packet" : "the header",
        );
      }),
    get skipped() {
      return skipped;
    },
  };
}
