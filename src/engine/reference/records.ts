/** Records as the model plays them: decoded, with their prefixes folded in (D5, D6, D39), and what they say of an exit (D50). */
import { RecordError } from "../errors.ts";
import type { Exit } from "../exit.ts";
import type { ExitAccess } from "../exit-types.ts";
import { ATTRIBUTES, type AttributeCode, OPERATIONS, type Operation, type OperationName } from "../operations.ts";
import { type FaultDetail, Stopped, targetOf } from "./faults.ts";
import { blockAround, type Range } from "./ranges.ts";

/** R44: a record without a size covers the aligned eight bytes around its address. */
const DEFAULT_SIZE_BYTES = 8;

/** Operations that are records of their own. */
export type RecordName = Exclude<OperationName, "WITH" | "VALUE_LOW" | "VALUE_HIGH">;

/** What the prefixes before a record said (D5). */
export interface Prefix {
  readonly sizeBytes?: number;
  readonly requester?: number | undefined;
  readonly attribute?: number | undefined;
  readonly upper?: boolean;
  /** Bits 45 to 47 of `WITH`, which mean nothing. */
  readonly reserved?: number;
  readonly value?: bigint;
}

/** A record with its prefixes, checked as far as its operation and requester go. */
export interface Played {
  readonly number: number;
  /** Index of its own word in what was given to play. */
  readonly word: number;
  readonly operation: Operation;
  readonly requester: number;
  readonly operand: number;
  /** The address is in the upper half. */
  readonly upper: boolean;
  readonly sizeBytes: number;
  readonly attribute: AttributeCode | undefined;
  readonly value: bigint | undefined;
}

const ATTRIBUTE_CODES: ReadonlyMap<number, AttributeCode> = new Map(
  Object.values(ATTRIBUTES).map(({ code }) => [code, code]),
);
const NAMES = new Map((Object.keys(OPERATIONS) as OperationName[]).map((name) => [OPERATIONS[name].code, name]));

export function nameOf({ code }: Operation): RecordName {
  return NAMES.get(code) as RecordName;
}

/** What one more prefix adds to those before it. */
export function withPrefix(prefix: Prefix, code: number, operand: number): Prefix {
  if (code === OPERATIONS.WITH.code) {
    const requester = Math.floor(operand / 2 ** 24) % 2 ** 16;
    const attribute = Math.floor(operand / 2 ** 40) % 2 ** 4;
    return {
      ...prefix,
      sizeBytes: operand % 2 ** 24,
      requester: requester === 0 ? undefined : requester - 1,
      attribute: attribute === 0 ? undefined : attribute - 1,
      upper: Math.floor(operand / 2 ** 44) % 2 === 1,
      reserved: Math.floor(operand / 2 ** 45),
    };
  }
  const half = BigInt(operand % 2 ** 32);
  const value = prefix.value ?? 0n;
  const isLow = code === OPERATIONS.VALUE_LOW.code;
  return { ...prefix, value: isLow ? ((value >> 32n) << 32n) | half : (half << 32n) | (value & 0xffff_ffffn) };
}

/** The attribute of `WITH`, refused where it or the bits above it mean nothing (D39). */
export function checkedAttribute(record: number, { attribute: code, reserved = 0 }: Prefix): AttributeCode | undefined {
  if (reserved !== 0) {
    throw new RecordError("unknown bits in a prefix", { record, found: `bits 45 to 47 are ${reserved}` });
  }
  if (code === undefined) return undefined;
  const attribute = ATTRIBUTE_CODES.get(code);
  if (attribute !== undefined) return attribute;
  throw new RecordError("unknown memory attribute", { record, found: `attribute ${code}`, expected: "0 to 7" });
}

/** Bytes that a record covers; DC ZVA and maintenance don't ask. */
export function extentOf({ operand, sizeBytes }: Pick<Played, "operand" | "sizeBytes">): Range {
  return sizeBytes === 0 ? blockAround(operand, DEFAULT_SIZE_BYTES) : { address: operand, sizeBytes };
}

export function addressOf({ operand }: Pick<Played, "operand">): Range {
  return { address: operand, sizeBytes: 1 };
}

/**
 * D6: a given value repeats from the record's first byte; without one, record + 1 stands in every aligned word. `offset`
 * is where in the record the piece stands.
 */
export function bytesToStore({ value, number }: Played, offset: number, piece: Range): Uint8Array {
  const pattern = new DataView(new ArrayBuffer(8));
  pattern.setBigUint64(0, value ?? BigInt(number + 1), true);
  const first = value === undefined ? piece.address : offset;
  const bytes = new Uint8Array(piece.sizeBytes);
  for (let i = 0; i < bytes.length; i++) bytes[i] = pattern.getUint8((first + i) % 8);
  return bytes;
}

/** An address as an exit names it. */
export interface ExitAddress {
  readonly address: number;
  readonly upper: boolean;
}

export const NO_ADDRESS: ExitAddress = { address: -1, upper: false };

export function faultExit(played: Played, fault: FaultDetail, at: ExitAddress): Stopped {
  const { type, stage, level, ipa = -1, physical = -1, duringWalk = false } = fault;
  const target = targetOf(fault);
  return new Stopped({ ...exitOf(played, at), type, target, stage, level, ipa, physical, duringWalk });
}

export function trapExit(played: Played, target: 1 | 2, at: ExitAddress): Stopped {
  const nowhere = { level: -1, ipa: -1, physical: -1, duringWalk: false };
  return new Stopped({ ...exitOf(played, at), ...nowhere, type: "trap", target, stage: 0 });
}

function exitOf(
  { number, word, requester, operation, operand, value = 0n }: Played,
  { address, upper }: ExitAddress,
): Pick<Exit, "record" | "word" | "requester" | "access" | "address" | "upper" | "operation" | "operand" | "value"> {
  const access = accessOf(nameOf(operation));
  return { record: number, word, requester, access, address, upper, operation: operation.code, operand, value };
}

function accessOf(name: RecordName): ExitAccess {
  switch (name) {
    case "LOAD":
      return "read";
    case "FETCH":
      return "fetch";
    case "STORE":
    case "ATOMIC":
    case "DC_ZVA":
    case "DC_IVAC":
      return "write";
    default:
      return "maintenance";
  }
}
