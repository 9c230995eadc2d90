/** Translation tables for cases: descriptors as bits, records that write them, and the registers that turn them on. */
import { msr, type RecordEntry, store } from "../../../src/engine/record.ts";
import type { MachineSpec } from "../../properties/machines.ts";
import type { Case, Expectation } from "../case.ts";
import { level, oneSet } from "../small-machines.ts";

/** Two MiB of RAM, an L1D and L2 in which tables and data don't meet, and MMIO above. */
export const guest: MachineSpec = {
  cores: 1,
  l1d: { sets: 64, ways: 8 },
  levels: [level("L2", 16, { sets: 64 })],
  memory: [
    { base: 0, size: 0x20_0000 },
    { base: 0x4000_0000, size: 0x1000, type: "device" },
  ],
};
export const guests: MachineSpec = { ...guest, cores: 2 };
export const fetching: MachineSpec = { ...guest, l1i: oneSet(4) };

/** A case of a core that translates. */
export const translated = (
  asks: string,
  rules: string,
  records: readonly RecordEntry[],
  expect: Expectation,
  machine = guest,
): Case => ({ asks, rules, machine, translates: true, records, expect });

/** The page that most cases map: its address, and its place in the level-3 table. */
export const VA = 0x5000;
export const INDEX = 5;

/** Addresses of tables by level, for stage 1, for TTBR1, and for stage 2. */
export const L0 = 0x1_0000;
export const L1 = 0x1_1000;
export const L2 = 0x1_2000;
export const L3 = 0x1_3000;
export const UPPER = 0x1_4000;
export const S2 = 0x2_0000;
export const S2_L2 = 0x2_4000;
export const S2_L3 = 0x2_5000;
/** Two pages of data. */
export const PAGE = 0x3_0000;
export const OTHER = 0x3_1000;
/** The first has something in it. */
export const data = store(0, PAGE, { value: 77n });

// ---- stage-1 descriptors
const AF = 1n << 10n;
export const NOT_GLOBAL = 1n << 11n;
export const PXN = 1n << 53n;
export const UXN = 1n << 54n;
/** AP[2:1]. */
export const AP = { KERNEL: 0n, ALL: 1n << 6n, KERNEL_READS: 2n << 6n, ALL_READ: 3n << 6n } as const;
/** Fields of a leaf that a case changes. */
export interface Leaf {
  /** Index into MAIR_EL1: see `MAIR`. */
  readonly attribute?: keyof typeof MAIR;
  readonly sh?: 0 | 2 | 3;
  readonly bits?: bigint;
  readonly af?: false;
}
/** Bytes of MAIR_EL1 by what they mean. */
export const MAIR = { WB: 0xff, NC: 0x44, DEVICE: 0x00, WT: 0xbb, RESERVED: 0x40, GRE: 0x0c } as const;
const MAIR_VALUE = Object.values(MAIR).reduce((value, byte, index) => value | (BigInt(byte) << BigInt(8 * index)), 0n);

const leaf = (address: number, { attribute = "WB", sh = 3, bits = 0n, af }: Leaf): bigint =>
  BigInt(address) |
  (BigInt(Object.keys(MAIR).indexOf(attribute)) << 2n) |
  (BigInt(sh) << 8n) |
  (af === false ? 0n : AF) |
  bits;
export const page = (address: number, more: Leaf = {}): bigint => leaf(address, more) | 3n;
export const block = (address: number, more: Leaf = {}): bigint => leaf(address, more) | 1n;
export const table = (address: number, bits = 0n): bigint => BigInt(address) | 3n | bits;

// ---- stage-2 descriptors
export interface Leaf2 {
  readonly memAttr?: number;
  readonly sh?: 0 | 2 | 3;
  /** S2AP: 1 read, 2 write. */
  readonly access?: 0 | 1 | 2 | 3;
  readonly bits?: bigint;
  readonly af?: false;
}
const leaf2 = (address: number, { memAttr = 15, sh = 3, access = 3, bits = 0n, af }: Leaf2): bigint =>
  BigInt(address) |
  (BigInt(memAttr) << 2n) |
  (BigInt(access) << 6n) |
  (BigInt(sh) << 8n) |
  (af === false ? 0n : AF) |
  bits;
export const page2 = (address: number, more: Leaf2 = {}): bigint => leaf2(address, more) | 3n;
export const block2 = (address: number, more: Leaf2 = {}): bigint => leaf2(address, more) | 1n;

/** Stores that write entries of a table, by index. */
export const entries = (core: number, at: number, values: Readonly<Record<number, bigint>>): RecordEntry[] =>
  Object.entries(values).map(([index, value]) => store(core, at + 8 * Number(index), { value }));

// ---- registers
export const SCTLR = {
  M: 1n,
  C: 4n,
  I: 0x1000n,
  ALL: 0x1005n,
  WXN: 1n << 19n,
  UCI: 1n << 26n,
  DZE: 1n << 14n,
} as const;
/** CONTEXT (D38): the exception level, AArch32, and whether stage 1 walks tables. */
export const EL0 = 0;
export const EL1 = 1;
export const EL2 = 2;
export const AARCH32 = 1 << 4;
export const WALKS = 1 << 5;

/** TCR_EL1: sizes of both halves, Write-Back Inner Shareable walks, 48-bit output. */
export const tcr = (t0sz: number, t1sz = 25, bits = 0n): bigint =>
  BigInt(t0sz) |
  (1n << 8n) |
  (1n << 10n) |
  (3n << 12n) |
  (BigInt(t1sz) << 16n) |
  (1n << 24n) |
  (1n << 26n) |
  (3n << 28n) |
  (5n << 32n) |
  bits;

/** VTCR_EL2: T0SZ, SL0 by the level at which walks start, Write-Back Inner Shareable walks, 48-bit output. */
export const vtcr = (t0sz: number, startLevel: 0 | 1 | 2, bits = 0n): bigint =>
  BigInt(t0sz) | (BigInt(2 - startLevel) << 6n) | (1n << 8n) | (1n << 10n) | (3n << 12n) | (5n << 16n) | bits;

/** Turns stage 1 on: 39-bit addresses from the table at L1 unless the case says otherwise. */
export const stageOneOn = (
  core: number,
  { ttbr0 = L1, ttbr1 = UPPER, control = tcr(25), asid = 0, context = EL1 | WALKS } = {},
): RecordEntry[] => [
  msr(core, "MAIR_EL1", MAIR_VALUE),
  msr(core, "TCR_EL1", control),
  msr(core, "TTBR0_EL1", BigInt(ttbr0) | (BigInt(asid) << 48n)),
  msr(core, "TTBR1_EL1", ttbr1),
  msr(core, "CONTEXT", context),
];

/** Turns stage 2 on: 32-bit IPAs from four concatenated level-2 tables at S2. */
export const stageTwoOn = (
  core: number,
  { base = S2, control = vtcr(32, 2), hcr = 1n, vmid = 0 } = {},
): RecordEntry[] => [
  msr(core, "VTCR_EL2", control),
  msr(core, "VTTBR_EL2", BigInt(base) | (BigInt(vmid) << 48n)),
  msr(core, "HCR_EL2", hcr),
];

/** Stage 1: VA 0 to 4 KiB steps from the level-3 table. */
export const stageOneTables = (core: number, pages: Readonly<Record<number, bigint>>): RecordEntry[] => [
  ...entries(core, L1, { 0: table(L2) }),
  ...entries(core, L2, { 0: table(L3) }),
  ...entries(core, L3, pages),
];

/** Stage 2: IPA 0 to 2 MiB from one level-3 table, so that the case says each page. */
export const stageTwoTables = (core: number, pages: Readonly<Record<number, bigint>>): RecordEntry[] => [
  ...entries(core, S2, { 0: table(S2_L3) }),
  ...entries(core, S2_L3, pages),
];

/** Stage 2 that maps everything to itself with one block. */
export const stageTwoIdentity = (core: number, more: Leaf2 = {}): RecordEntry[] =>
  entries(core, S2, { 0: block2(0, more) });
