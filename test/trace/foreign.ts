/**
 * Writes other tools' formats for tests, from those formats' public descriptions and with nothing of the readers: drmemtrace
 * (`trace_entry.h`), ChampSim (`trace_instruction.h`), gem5 (`packet.proto`, `protoio.cc`), zip (PKWARE's APPNOTE).
 */
import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../src/trace/crc32.ts";

export type Entry = readonly [type: number, size: number, address: number | bigint];

/** Entries of 12 bytes, or of 8 as a 32-bit program's are. */
export function drmemtrace(entries: readonly Entry[], entryBytes: 8 | 12 = 12): Uint8Array {
  const bytes = new Uint8Array(entries.length * entryBytes);
  const view = new DataView(bytes.buffer);
  entries.forEach(([type, size, address], index) => {
    const at = index * entryBytes;
    view.setUint16(at, type, true);
    view.setUint16(at + 2, size, true);
    if (entryBytes === 12) view.setBigUint64(at + 4, BigInt.asUintN(64, BigInt(address)), true);
    else view.setUint32(at + 4, Number(address), true);
  });
  return bytes;
}

const AARCH64 = 0x8;
const ENCODINGS = 0x200;

export const read = (address: number | bigint, size = 8): Entry => [0, size, address];
export const wrote = (address: number | bigint, size = 8): Entry => [1, size, address];
export const instruction = (address: number | bigint, size = 4): Entry => [10, size, address];
export const thread = (id: number | bigint): Entry => [22, 0, id];
export const exited = (id: number): Entry => [23, 0, id];
const process = (id: number): Entry => [24, 0, id];
export const footer: Entry = [26, 0, 0];
export const marker = (kind: number, value: number | bigint): Entry => [28, kind, value];
export const timestamp = (value: number | bigint): Entry => marker(2, value);
export const cpu = (value: number | bigint): Entry => marker(3, value);
export const chunkFooter = (chunk: number): Entry => marker(21, chunk);
export const encoding = (word: number): Entry => [47, 4, word];

/** What a file begins with: header, version, type, and its thread if it has one. */
export const header = (id?: number, fileType = AARCH64 | ENCODINGS): Entry[] => [
  [25, 0, 5],
  marker(12, 5),
  marker(9, fileType),
  ...(id === undefined ? [] : [thread(id), process(1)]),
  marker(10, 64),
  marker(18, 4096),
];

export interface Instruction {
  readonly ip: number | bigint;
  readonly branch?: boolean;
  readonly stores?: readonly (number | bigint)[];
  readonly loads?: readonly (number | bigint)[];
}

export function champsim(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(64 * instructions.length);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ ip, branch = false, stores = [], loads = [] }, index) => {
    const at = 64 * index;
    view.setBigUint64(at, BigInt(ip), true);
    bytes[at + 8] = branch ? 1 : 0;
    bytes[at + 9] = branch ? 1 : 0;
    // Branches write the instruction pointer, which is register 26; others something else.
    bytes[at + 10] = branch ? 26 : 3;
    for (const [i, address] of stores.entries()) view.setBigUint64(at + 16 + 8 * i, BigInt(address), true);
    for (const [i, address] of loads.entries()) view.setBigUint64(at + 32 + 8 * i, BigInt(address), true);
  });
  return bytes;
}

function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const text = (value: string): number[] => [...new TextEncoder().encode(value)];
const number = (field: number, value: number | bigint): number[] => [...varint(field * 8), ...varint(value)];
const bytesField = (field: number, value: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(value.length),
  ...value,
];

export interface Packet {
  readonly command: number;
  readonly address: number | bigint;
  readonly size?: number;
  readonly flags?: number;
  readonly id?: number;
}

export function gem5(packets: readonly Packet[], names: Readonly<Record<number, string>> = {}): Uint8Array {
  const begin = [
    ...bytesField(1, text("system.monitor")),
    ...number(2, 0),
    ...number(3, 1_000_000_000_000n),
    ...Object.entries(names).flatMap(([key, name]) =>
      bytesField(4, [...number(1, Number(key)), ...bytesField(2, text(name))]),
    ),
  ];
  const messages = packets.map(({ command, address, size = 8, flags, id }, index) => [
    ...number(1, 500n * BigInt(index)),
    ...number(2, command),
    ...number(3, address),
    ...number(4, size),
    ...(flags === undefined ? [] : number(5, flags)),
    ...(id === undefined ? [] : number(6, id)),
    ...number(7, 0x400000),
  ]);
  return Uint8Array.from([
    ...text("gem5"),
    ...[begin, ...messages].flatMap((message) => [...varint(message.length), ...message]),
  ]);
}

/** A zip archive of deflated members. */
export function zip(members: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const packed = deflateRawSync(content);
    const nameBytes = new TextEncoder().encode(name);
    /** What a member's own header and its place in the directory have in common. */
    const common = (view: DataView, at: number): void => {
      view.setUint16(at, 20, true);
      view.setUint16(at + 4, 8, true);
      view.setUint32(at + 10, crc32(content), true);
      view.setUint32(at + 14, packed.length, true);
      view.setUint32(at + 18, content.length, true);
      view.setUint16(at + 22, nameBytes.length, true);
    };
    const local = new Uint8Array(30 + nameBytes.length);
    const localView = new DataView(local.buffer);
    localView.setUint32(0, 0x04034b50, true);
    common(localView, 4);
    local.set(nameBytes, 30);
    const central = new Uint8Array(46 + nameBytes.length);
    const centralView = new DataView(central.buffer);
    centralView.setUint32(0, 0x02014b50, true);
    centralView.setUint16(4, 20, true);
    common(centralView, 6);
    centralView.setUint32(42, offset, true);
    central.set(nameBytes, 46);
    parts.push(local, packed);
    directory.push(central);
    offset += local.length + packed.length;
  }
  const end = new Uint8Array(22);
  const endView = new DataView(end.buffer);
  endView.setUint32(0, 0x06054b50, true);
  endView.setUint16(8, directory.length, true);
  endView.setUint16(10, directory.length, true);
  endView.setUint32(
    12,
    directory.reduce((sum, part) => sum + part.length, 0),
    true,
  );
  endView.setUint32(16, offset, true);
  return Uint8Array.from([...parts, ...directory, end].flatMap((part) => [...part]));
}
