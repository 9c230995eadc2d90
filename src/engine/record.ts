/**
 * Records as people write them and as engines read them: builders (`store(0, 0x1000)`), the 64-bit encoding with its
 * prefixes (D5), the way back, and one line of text for each. What an operation does is none of this file's business.
 */
import { CHARGED_EVENTS } from "./engine.ts";
import { RecordError } from "./errors.ts";
import {
  ATTRIBUTES,
  type AttributeCode,
  NARROW_REQUESTERS,
  OPERATION_BY_CODE,
  OPERATIONS,
  type Operation,
  type OperationName,
  SCTLR_C,
  SCTLR_I,
  SCTLR_M,
} from "./operations.ts";
import { SYSTEM_REGISTERS, type SystemRegisterName, TLBI_INNER_SHAREABLE, TLBI_KINDS } from "./system-registers.ts";

/** One record with what its prefixes say. Immutable: `withSize` and its kin return a changed one. */
export interface RecordEntry {
  /** Operation code, as in `OPERATIONS`; codes that no operation has can be encoded too (an engine refuses them, D7). */
  readonly code: number;
  readonly requester: number;
  /** Address, set/way operand or value: 48 bits. */
  readonly operand: number;
  /** Size of an access; undefined means the aligned 8 bytes around the address (R44). */
  readonly sizeBytes?: number;
  readonly attribute?: AttributeCode;
  /** 64 bits that a write stores, little-endian and repeated (D6), or that an operation is given (MSR, TLBI). */
  readonly value?: bigint;
  /** Bits 63:48 of the address are ones (D39). */
  readonly upper?: true;
}

export type AttributeName = keyof typeof ATTRIBUTES;

/** What the prefixes of a record can say. */
export interface RecordDetail {
  readonly sizeBytes?: number;
  readonly attribute?: AttributeName;
  readonly value?: bigint;
  readonly upper?: true;
}

const OPERAND_LIMIT = 2 ** 48;
const SIZE_LIMIT = 2 ** 24;
const REQUESTER_LIMIT = 2 ** 16 - 1;
const VALUE_MASK = (1n << 64n) - 1n;

/** A record of any operation. `detail` becomes its prefixes. */
export function record(
  name: OperationName,
  requester: number,
  operand: number,
  detail: RecordDetail = {},
): RecordEntry {
  return {
    code: OPERATIONS[name].code,
    requester,
    operand,
    ...(detail.sizeBytes === undefined ? {} : { sizeBytes: detail.sizeBytes }),
    ...(detail.attribute === undefined ? {} : { attribute: ATTRIBUTES[detail.attribute].code }),
    ...(detail.value === undefined ? {} : { value: detail.value & VALUE_MASK }),
    ...(detail.upper === undefined ? {} : { upper: detail.upper }),
  };
}

export const withSize = (entry: RecordEntry, sizeBytes: number): RecordEntry => ({ ...entry, sizeBytes });
export const withValue = (entry: RecordEntry, value: bigint): RecordEntry => ({ ...entry, value: value & VALUE_MASK });
export const withAttribute = (entry: RecordEntry, attribute: AttributeName): RecordEntry => ({
  ...entry,
  attribute: ATTRIBUTES[attribute].code,
});

type ByAddress = (core: number, address: number, detail?: RecordDetail) => RecordEntry;
type ByNothing = (core: number) => RecordEntry;

const byAddress =
  (name: OperationName): ByAddress =>
  (core, address, detail) =>
    record(name, core, address, detail);
const byNothing =
  (name: OperationName): ByNothing =>
  (core) =>
    record(name, core, 0);

export const load: ByAddress = byAddress("LOAD");
export const store: ByAddress = byAddress("STORE");
export const fetch: ByAddress = byAddress("FETCH");
export const atomic: ByAddress = byAddress("ATOMIC");
export const prefetch: ByAddress = byAddress("PREFETCH");
export const speculativeFetch: ByAddress = byAddress("SPECULATIVE_FETCH");
export const evict: ByAddress = byAddress("EVICT");
export const dsb: ByNothing = byNothing("DSB");
export const isb: ByNothing = byNothing("ISB");
export const dmb: ByNothing = byNothing("DMB");
export const tlbiAll: ByNothing = byNothing("TLBI_ALL");
export const branchPredictorInvalidate: ByNothing = byNothing("BP_INVALIDATE");

/** Data cache maintenance. The set/way forms take an operand: see `setWayOperand`. */
export const dc = {
  ivac: byAddress("DC_IVAC"),
  cvac: byAddress("DC_CVAC"),
  civac: byAddress("DC_CIVAC"),
  cvau: byAddress("DC_CVAU"),
  cvap: byAddress("DC_CVAP"),
  zva: byAddress("DC_ZVA"),
  isw: byAddress("DC_ISW"),
  csw: byAddress("DC_CSW"),
  cisw: byAddress("DC_CISW"),
} as const;

/** Instruction cache maintenance. */
export const ic = {
  iallu: byNothing("IC_IALLU"),
  ialluis: byNothing("IC_IALLUIS"),
  ivau: byAddress("IC_IVAU"),
} as const;

/** Operations of a PL310-like outer cache (R4). The forms by way take a mask of ways. */
export const outer = {
  enable: (core: number): RecordEntry => record("OUTER_CONTROL", core, 1),
  disable: (core: number): RecordEntry => record("OUTER_CONTROL", core, 0),
  clean: byAddress("OUTER_CLEAN_PA"),
  invalidate: byAddress("OUTER_INVALIDATE_PA"),
  flush: byAddress("OUTER_FLUSH_PA"),
  cleanWays: byAddress("OUTER_CLEAN_WAY"),
  invalidateWays: byAddress("OUTER_INVALIDATE_WAY"),
  flushWays: byAddress("OUTER_FLUSH_WAY"),
} as const;

/** DMA of a device, named by its requester number: devices follow the cores. */
export const device = (requester: number) =>
  ({
    read: (address: number, sizeBytes?: number): RecordEntry =>
      record("DEVICE_READ", requester, address, sizeBytes === undefined ? {} : { sizeBytes }),
    write: (address: number, sizeBytes?: number): RecordEntry =>
      record("DEVICE_WRITE", requester, address, sizeBytes === undefined ? {} : { sizeBytes }),
  }) as const;

/** SCTLR_EL1 of a core: the bits of R8 that are named are set, all others clear. `sctlr(0, "MC")` is MMU and data cache on. */
export function sctlr(core: number, bits: "" | "M" | "C" | "I" | "MC" | "MI" | "CI" | "MCI"): RecordEntry {
  const value =
    (bits.includes("M") ? SCTLR_M : 0) | (bits.includes("C") ? SCTLR_C : 0) | (bits.includes("I") ? SCTLR_I : 0);
  return record("SCTLR", core, value);
}

/** Writes a system register (D38). */
export const msr = (core: number, register: SystemRegisterName, value: bigint | number): RecordEntry =>
  record("MSR", core, SYSTEM_REGISTERS[register].number, { value: BigInt(value) });

/** Reads a system register; `lastValue` is then what it holds. */
export const mrs = (core: number, register: SystemRegisterName): RecordEntry =>
  record("MRS", core, SYSTEM_REGISTERS[register].number);

/** TLBI of a kind; `value` is its register as the architecture has it, `innerShareable` reaches all cores (D53). */
export const tlbi = (
  core: number,
  kind: keyof typeof TLBI_KINDS,
  detail: { readonly value?: bigint | number; readonly innerShareable?: boolean } = {},
): RecordEntry =>
  record("TLBI", core, TLBI_KINDS[kind] + (detail.innerShareable ? TLBI_INNER_SHAREABLE : 0), {
    value: BigInt(detail.value ?? 0),
  });

/** One exit, entry, system call or MMIO exit is paid for (D54). */
export const charge = (core: number, event: (typeof CHARGED_EVENTS)[number]): RecordEntry =>
  record("CHARGE", core, CHARGED_EVENTS.indexOf(event));

/** What a hypervisor's walk over mapped stage 2 does to a range of IPAs (D54). */
export const flushStage2 = (core: number, ipa: number, sizeBytes: bigint | number): RecordEntry =>
  record("FLUSH_STAGE2", core, ipa, { value: BigInt(sizeBytes) });

/** The page of `address` now belongs to somebody else (R28). */
export const assignPage = (requester: number, address: number): RecordEntry =>
  record("ASSIGN_PAGE", requester, address);

/** Software that ran on core `from` goes on on core `to` (R29). */
export const migrate = (from: number, to: number): RecordEntry => record("MIGRATE", to, from);

/** Operand of DC ISW, CSW and CISW for a cache (D28): level - 1 in bits 3:1, way in the top bits of 32, set above log2(line). */
export function setWayOperand(
  cache: { readonly depth: number; readonly ways: number; readonly lineBytes: number },
  set: number,
  way: number,
): number {
  const wayBits = Math.ceil(Math.log2(cache.ways));
  return way * 2 ** (32 - wayBits) + set * cache.lineBytes + (cache.depth - 1) * 2;
}

/** The given records as an engine plays them. */
export function records(...entries: readonly RecordEntry[]): Uint32Array {
  return encodeRecords(entries);
}

/** Two words a record, low word first, each record after the prefixes it needs (D5). Throws `RecordError` on a field that does not fit. */
export function encodeRecords(entries: readonly RecordEntry[]): Uint32Array {
  const words: number[] = [];
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index] as RecordEntry;
    checkField(index, "operand", entry.operand, OPERAND_LIMIT);
    checkField(index, "requester", entry.requester, REQUESTER_LIMIT);
    const wide = entry.requester >= NARROW_REQUESTERS;
    if (wide || entry.sizeBytes !== undefined || entry.attribute !== undefined || entry.upper) {
      checkField(index, "size", entry.sizeBytes ?? 0, SIZE_LIMIT);
      const attribute = entry.attribute === undefined ? 0 : entry.attribute + 1;
      const requester = wide ? entry.requester + 1 : 0;
      push(
        words,
        OPERATIONS.WITH.code,
        0,
        (entry.sizeBytes ?? 0) + requester * 2 ** 24 + attribute * 2 ** 40 + (entry.upper ? 2 ** 44 : 0),
      );
    }
    if (entry.value !== undefined) {
      push(words, OPERATIONS.VALUE_LOW.code, 0, Number(entry.value & 0xffff_ffffn));
      const high = Number((entry.value >> 32n) & 0xffff_ffffn);
      if (high !== 0) push(words, OPERATIONS.VALUE_HIGH.code, 0, high);
    }
    push(words, entry.code, wide ? NARROW_REQUESTERS - 1 : entry.requester, entry.operand);
  }
  return new Uint32Array(words);
}

/** The records in `words`, each with its prefixes folded in. Prefixes at the very end modify nothing and are dropped. */
export function decodeRecords(words: Uint32Array): RecordEntry[] {
  const entries: RecordEntry[] = [];
  let prefix: {
    sizeBytes?: number;
    attribute?: AttributeCode;
    requester?: number;
    low?: bigint;
    high?: bigint;
    upper?: true;
  } = {};
  for (let index = 0; index + 1 < words.length; index += 2) {
    const low = words[index] as number;
    const high = words[index + 1] as number;
    const operand = low + (high & 0xffff) * 2 ** 32;
    const code = (high >>> 16) & 0xff;
    if (code === OPERATIONS.WITH.code) {
      const size = operand % SIZE_LIMIT;
      const requester = Math.floor(operand / 2 ** 24) & 0xffff;
      // Bits 45 to 47 are never set but by an attribute that no code has: it comes back as it was written.
      const top = Math.floor(operand / 2 ** 40);
      const attribute = top >= 32 ? top : top & 15;
      const upper = top < 32 && top >= 16;
      prefix = {
        ...(prefix.low === undefined ? {} : { low: prefix.low }),
        ...(prefix.high === undefined ? {} : { high: prefix.high }),
        ...(size === 0 ? {} : { sizeBytes: size }),
        ...(requester === 0 ? {} : { requester: requester - 1 }),
        ...(attribute === 0 ? {} : { attribute: (attribute - 1) as AttributeCode }),
        ...(upper ? { upper } : {}),
      };
    } else if (code === OPERATIONS.VALUE_LOW.code) {
      prefix.low = BigInt(low);
    } else if (code === OPERATIONS.VALUE_HIGH.code) {
      prefix.high = BigInt(low) << 32n;
    } else {
      entries.push({
        code,
        requester: prefix.requester ?? high >>> 24,
        operand,
        ...(prefix.sizeBytes === undefined ? {} : { sizeBytes: prefix.sizeBytes }),
        ...(prefix.attribute === undefined ? {} : { attribute: prefix.attribute }),
        ...(prefix.low === undefined && prefix.high === undefined
          ? {}
          : { value: (prefix.low ?? 0n) | (prefix.high ?? 0n) }),
        ...(prefix.upper === undefined ? {} : { upper: prefix.upper }),
      });
      prefix = {};
    }
  }
  return entries;
}

/** The operation of a record; undefined where its code means none. */
export const operationOf = (entry: RecordEntry): Operation | undefined => OPERATION_BY_CODE[entry.code];

/** One line: `core 1 store 0x1040, 4 bytes = 0x2a, Normal Non-cacheable`. */
export function formatRecord(entry: RecordEntry): string {
  const operation = operationOf(entry);
  const name = operation?.name ?? `operation ${entry.code}`;
  const who = operation?.requester === "device" ? "device requester" : "core";
  const operand = operation?.operand === "none" ? "" : ` 0x${entry.operand.toString(16)}`;
  const size = entry.sizeBytes === undefined ? "" : `, ${entry.sizeBytes} bytes`;
  const value = entry.value === undefined ? "" : ` = 0x${entry.value.toString(16)}`;
  const attribute =
    entry.attribute === undefined
      ? ""
      : `, ${Object.values(ATTRIBUTES).find((each) => each.code === entry.attribute)?.name ?? `attribute ${entry.attribute}`}`;
  return `${who} ${entry.requester} ${name}${operand}${size}${value}${attribute}`;
}

function push(words: number[], code: number, requester: number, operand: number): void {
  words.push(operand % 2 ** 32, ((requester << 24) | (code << 16) | Math.floor(operand / 2 ** 32)) >>> 0);
}

function checkField(index: number, field: string, value: number, limit: number): void {
  if (Number.isInteger(value) && value >= 0 && value < limit) return;
  throw new RecordError(`${field} does not fit a record`, {
    record: index,
    found: String(value),
    expected: `an integer from 0 to ${limit - 1}`,
  });
}
