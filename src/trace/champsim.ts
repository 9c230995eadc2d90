/**
 * Reads ChampSim's traces: 64 bytes an instruction (`struct input_instr` of its public `trace_instruction.h`): address, branch
 * flags, registers, two addresses stored to and four loaded from, 0 where there is none. One core; addresses are virtual.
 */
import { TraceError } from "../engine/errors.ts";
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteReader } from "./bytes.ts";
import type { EntryBuffer } from "./entry-buffer.ts";
import { ByteWindow, hexadecimal, type ItemTrace, ROOM_TO_GO_ON, readItems } from "./items.ts";

const INSTRUCTION_BYTES = 64;
const IS_BRANCH = 8;
const BRANCH_TAKEN = 9;
const DESTINATION_REGISTERS = 10;
const DESTINATIONS = 16;
const DESTINATION_COUNT = 2;
const SOURCES = 32;
const SOURCE_COUNT = 4;
/** The number that ChampSim's tracers give the instruction pointer; every branch writes it. */
const INSTRUCTION_POINTER = 26;

export function readChampsim(input: ByteReader, file: string, entries: EntryBuffer, skip = false): ItemTrace {
  let skipped = 0;
  const window = new ByteWindow(input);

  const access = (operation: number, view: DataView, at: number, field: string): void => {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    if (entries.access(operation, low, high, 0)) return;
    skipped++;
    if (skip) return;
    const { what, expected } = entries.addresses.refusal;
    const offset = window.offset + (at - window.at);
    throw new TraceError(what, { file, offset, found: `${hexadecimal(low, high)} (${field})`, expected });
  };

  const parse = (): "more" | "full" => {
    const { bytes } = window;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; bytes.length - window.at >= INSTRUCTION_BYTES; window.at += INSTRUCTION_BYTES) {
      if (!entries.hasRoom(ROOM_TO_GO_ON)) return "full";
      const { at } = window;
      if ((bytes[at + IS_BRANCH] as number) > 1 || (bytes[at + BRANCH_TAKEN] as number) > 1) {
        const wrong = (bytes[at + IS_BRANCH] as number) > 1 ? IS_BRANCH : BRANCH_TAKEN;
        throw new TraceError("not an instruction of ChampSim", {
          file,
          offset: window.offset + wrong,
          found: `${bytes[at + wrong]} as a branch flag`,
          expected: "0 or 1 (64 bytes an instruction)",
        });
      }
      access(OPERATIONS.FETCH.code, view, at, "instruction");
      for (let i = 0; i < SOURCE_COUNT; i++) {
        if (!isZero(bytes, at + SOURCES + 8 * i)) access(OPERATIONS.LOAD.code, view, at + SOURCES + 8 * i, "source");
      }
      for (let i = 0; i < DESTINATION_COUNT; i++) {
        const place = at + DESTINATIONS + 8 * i;
        if (!isZero(bytes, place)) access(OPERATIONS.STORE.code, view, place, "destination");
      }
    }
    return "more";
  };

  return {
    batches: () =>
      readItems(window, entries, parse, () => {
        if (window.left === 0) return;
        throw new TraceError("truncated instruction", {
          file,
          offset: window.offset,
          found: `${window.left} bytes`,
          expected: `${INSTRUCTION_BYTES}`,
        });
      }),
    get skipped() {
      return skipped;
    },
  };
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 8; i++) if (bytes[i] !== 0) return false;
  return true;
}

/**
 * The format has no magic number. What tells it from bare entries: flags that are 0 or 1 in every instruction, addresses
 * that are canonical, one branch at least, and every branch writes the instruction pointer's register.
 */
export function looksLikeChampsim(head: Uint8Array, sizeBytes: number | undefined): boolean {
  if (head.length < INSTRUCTION_BYTES || (sizeBytes !== undefined && sizeBytes % INSTRUCTION_BYTES !== 0)) return false;
  let branches = 0;
  for (let at = 0; at + INSTRUCTION_BYTES <= head.length; at += INSTRUCTION_BYTES) {
    const isBranch = head[at + IS_BRANCH] as number;
    if (isBranch > 1 || (head[at + BRANCH_TAKEN] as number) > isBranch || isZero(head, at)) return false;
    for (const address of [0, 16, 24, 32, 40, 48, 56]) {
      const top = (head[at + address + 6] as number) | ((head[at + address + 7] as number) << 8);
      if (top !== 0 && top !== 0xffff) return false;
    }
    const writes = [head[at + DESTINATION_REGISTERS], head[at + DESTINATION_REGISTERS + 1]];
    if (isBranch === 1 && !writes.includes(INSTRUCTION_POINTER)) return false;
    branches += isBranch;
  }
  return branches > 0;
}
