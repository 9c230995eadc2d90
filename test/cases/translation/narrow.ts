/** Stage 1 of AArch32: LPAE and short descriptors (D46). */
import { fetch, load, msr, type RecordEntry, store } from "../../../src/engine/record.ts";
import type { Case } from "../case.ts";
import {
  AARCH32,
  data,
  EL0,
  EL1,
  entries,
  fetching,
  INDEX,
  L1,
  L2,
  OTHER,
  PAGE,
  page,
  SCTLR,
  stageOneOn,
  stageOneTables,
  stageTwoIdentity,
  stageTwoOn,
  table,
  translated,
  UXN,
  VA,
  WALKS,
} from "./tables.ts";

const KERNEL = EL1 | AARCH32 | WALKS;
const USER = EL0 | AARCH32 | WALKS;
const EAE = 1n << 31n;
const LPAE = EAE | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 24n) | (1n << 26n) | (3n << 28n);
const AFE = 1n << 29n;
const TRE = 1n << 28n;

const toKernel = (type: string, level: number, more: object = {}) =>
  ({ type, target: 1, stage: 1, level, ipa: -1, upper: false, ...more }) as object;

// ---- short descriptors: tables at SHORT (16 KiB) and SECOND (1 KiB)
const SHORT = 0x4_0000;
const SECOND = 0x4_4000;
/** TTBR0: Write-Back Inner Shareable walks. */
const WALKER = BigInt(SHORT) | (1n << 6n) | (1n << 3n) | 2n | 32n;
/** TEX 001, C and B: Write-Back, read- and write-allocate. */
const NORMAL = (1 << 12) | 0b1100;
const NORMAL_SMALL = (1 << 6) | 0b1100;
const S = 1 << 16;
const ALL = 3 << 10;
const ALL_SMALL = 3 << 4;

/** Entries of four bytes, by index. */
const words = (at: number, values: Readonly<Record<number, number>>): RecordEntry[] =>
  Object.entries(values).map(([index, value]) =>
    store(0, at + 4 * Number(index), { value: BigInt(value >>> 0), sizeBytes: 4 }),
  );

const shortOn = ({ ttbcr = 0n, dacr = 1n, context = KERNEL, sctlr = SCTLR.ALL as bigint } = {}): RecordEntry[] => [
  msr(0, "SCTLR_EL1", sctlr),
  msr(0, "TCR_EL1", ttbcr),
  msr(0, "TTBR0_EL1", WALKER),
  msr(0, "TTBR1_EL1", WALKER),
  msr(0, "DACR", dacr),
  msr(0, "CONTEXT", context),
];

/** Memory by sections: VA n MiB has that descriptor. */
const sections = (descriptors: Readonly<Record<number, number>>, ...then: readonly RecordEntry[]): RecordEntry[] => [
  data,
  ...words(SHORT, descriptors),
  ...then,
];
const section = (address: number, more = 0) => address | NORMAL | ALL | S | 2 | more;

export const narrow: readonly Case[] = [
  translated(
    "does LPAE map an address from level 1?",
    "D46",
    [
      data,
      ...stageOneTables(0, { [INDEX]: page(PAGE) }),
      ...stageOneOn(0, { control: LPAE, context: KERNEL }),
      load(0, 2 ** 40 + VA, { upper: true }),
    ],
    { value: 77n, walkReads: 3 },
  ),
  translated(
    "does LPAE with T0SZ 2 begin at level 2, and send what is above to TTBR1?",
    "D46",
    [
      data,
      ...entries(0, L2, { 511: table(0x1_3000) }),
      ...entries(0, 0x1_3000, { [INDEX]: page(PAGE) }),
      // T1SZ 0: TTBR1's addresses have 32 bits, from a level-1 table.
      ...entries(0, L1, { 1: table(L2) }),
      ...stageOneOn(0, { control: LPAE | 2n, ttbr0: L2, ttbr1: L1, context: KERNEL }),
      load(0, 511 * 0x20_0000 + VA),
      load(0, 0x4000_0000 + 511 * 0x20_0000 + VA),
    ],
    { value: 77n, walkReads: 5 },
  ),
  translated(
    "does LPAE fault between its two halves?",
    "D46",
    [
      ...stageOneOn(0, { control: LPAE | 1n | (1n << 16n) | (1n << 23n), context: KERNEL }),
      load(0, 0x8000_0000),
      msr(0, "TCR_EL1", LPAE | 2n | (2n << 16n)),
      load(0, 0x8000_0000),
    ],
    { exits: [toKernel("translation", 1), toKernel("translation", 1)], walkReads: 0 },
  ),
  translated(
    "are LPAE's addresses of 40 bits?",
    "D46",
    [
      ...stageOneTables(0, { [INDEX]: page(2 ** 40) }),
      ...stageOneOn(0, { control: LPAE, context: KERNEL }),
      load(0, VA),
      msr(0, "TTBR0_EL1", 2 ** 41),
      load(0, 0x4000_0000),
    ],
    { exits: [toKernel("address-size", 3), toKernel("address-size", 1)] },
  ),
  translated(
    "does XN hold for the kernel too in AArch32?",
    "D46 D48",
    [
      ...stageOneTables(0, { [INDEX]: page(PAGE, { bits: UXN }), 6: page(PAGE, { bits: 1n << 6n }) }),
      ...stageOneOn(0, { control: LPAE, context: KERNEL }),
      fetch(0, VA),
      fetch(0, 0x6000),
    ],
    { exits: [toKernel("permission", 3)] },
    fetching,
  ),
  translated(
    "does a section map a megabyte?",
    "D46",
    sections({ 3: section(0) }, ...shortOn(), load(0, 0x30_0000 + PAGE)),
    {
      value: 77n,
      walkReads: 1,
    },
  ),
  translated(
    "does a supersection map sixteen, beyond 32 bits?",
    "D46",
    sections(
      { 16: section(0, 1 << 18), 17: section(0x10_0000, 1 << 18) | (1 << 5) },
      ...shortOn(),
      load(0, 0x100_0000),
      load(0, 0x110_0000),
      load(0, 0x100_0000 + PAGE),
    ),
    { value: 77n, walkReads: 1 },
  ),
  translated(
    "is a supersection's address forty bits?",
    "D46",
    sections({ 16: section(0, 1 << 18) | (1 << 20) | (1 << 5) }, ...shortOn(), load(0, 0x100_0000)),
    { exits: [{ type: "external", physical: 2 ** 32 + 2 ** 36 }] },
  ),
  translated(
    "do large and small pages map theirs?",
    "D46",
    [
      data,
      store(0, OTHER, { value: 78n }),
      ...words(SHORT, { 0: SECOND | 1 }),
      ...words(SECOND, {
        5: PAGE | NORMAL_SMALL | ALL_SMALL | 2,
        16: 0x3_0000 | (1 << 12) | 0b1100 | ALL_SMALL | 1,
        17: 0x3_0000 | (1 << 12) | 0b1100 | ALL_SMALL | 1,
      }),
      ...shortOn(),
      load(0, 0x1_1000),
      load(0, 0x1_0000),
      load(0, VA),
    ],
    // The large page is one entry; the second-level table is kept.
    { value: 77n, walkReads: 3, tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2, walkHits: 1 } } },
  ),
  translated(
    "do short descriptors fault at the level of what is missing?",
    "D46",
    [...words(SHORT, { 1: SECOND | 1 }), ...shortOn(), load(0, VA), load(0, 0x10_5000)],
    { exits: [toKernel("translation", 1), toKernel("translation", 2)] },
  ),
  translated(
    "do TTBCR.N, PD0 and PD1 choose and close tables?",
    "D46",
    [
      data,
      ...words(SHORT, { 3: section(0), 2051: section(0) }),
      ...shortOn({ ttbcr: 1n }),
      load(0, 0x8030_0000 + PAGE),
      load(0, 0x30_0000 + PAGE),
      msr(0, "TCR_EL1", 1n | (1n << 5n)),
      load(0, 0x9030_0000),
      msr(0, "TCR_EL1", 1n | (1n << 4n)),
      load(0, 0x40_0000),
    ],
    { exits: [toKernel("translation", 1), toKernel("translation", 1)], value: 77n, walkReads: 2 },
  ),
  translated(
    "do domains refuse, check and wave through?",
    "D46 D48",
    [
      data,
      ...words(SHORT, {
        1: (section(0) & ~ALL) | (1 << 5),
        2: section(0) | (2 << 5),
        4: SECOND | 1 | (2 << 5),
        5: (section(0) & ~ALL) | (3 << 5) | 16,
      }),
      ...words(SECOND, { 0: PAGE | NORMAL_SMALL | ALL_SMALL | 2 }),
      // Domain 1: client, 2: none, 3: manager.
      ...shortOn({ dacr: (1n << 2n) | (3n << 6n) }),
      load(0, 0x10_0000),
      load(0, 0x20_0000),
      load(0, 0x40_0000),
      fetch(0, 0x50_0000),
      load(0, 0x50_0000 + PAGE),
      msr(0, "DACR", 1n << 4n),
      load(0, 0x20_0000 + PAGE),
    ],
    { exits: [toKernel("permission", 1), toKernel("domain", 1), toKernel("domain", 2)], value: 77n },
    fetching,
  ),
  translated(
    "does AP have three bits without AFE?",
    "D46",
    [
      data,
      ...words(
        SHORT,
        Object.fromEntries(
          [0, 1, 2, 3, 4, 5, 6, 7].map((ap) => [ap + 1, (section(0) & ~ALL) | ((ap & 3) << 10) | ((ap >> 2) << 15)]),
        ),
      ),
      ...shortOn({ context: USER }),
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => load(0, n * 0x10_0000 + PAGE)),
      ...[3, 4, 8].map((n) => store(0, n * 0x10_0000)),
      msr(0, "CONTEXT", KERNEL),
      ...[1, 5].map((n) => load(0, n * 0x10_0000 + PAGE)),
      ...[2, 3, 4, 6, 7, 8].map((n) => store(0, n * 0x10_0000)),
    ],
    {
      exits: [
        // Loads at EL0: none, kernel's, reserved, kernel's read-only.
        ...[1, 2, 5, 6].map((n) => toKernel("permission", 1, { address: n * 0x10_0000 + PAGE, access: "read" })),
        ...[3, 8].map((n) => toKernel("permission", 1, { address: n * 0x10_0000, access: "write" })),
        ...[1, 5].map((n) => toKernel("permission", 1, { address: n * 0x10_0000 + PAGE, access: "read" })),
        ...[6, 7, 8].map((n) => toKernel("permission", 1, { address: n * 0x10_0000, access: "write" })),
      ],
    },
  ),
  translated(
    "is AP[0] the access flag with AFE?",
    "D46",
    [
      data,
      ...words(SHORT, {
        1: (section(0) & ~ALL) | (2 << 10),
        2: (section(0) & ~ALL) | (1 << 10) | (1 << 15),
      }),
      ...shortOn({ sctlr: SCTLR.ALL | AFE }),
      load(0, 0x10_0000),
      store(0, 0x20_0000),
      load(0, 0x20_0000 + PAGE),
    ],
    { exits: [toKernel("access-flag", 1), toKernel("permission", 1)], value: 77n },
  ),
  translated(
    "does TEX remap take attributes from PRRR and NMRR?",
    "D46",
    [
      ...words(SHORT, { 1: 0xc02 | (1 << 2), 2: 0xc02 | (2 << 2), 3: 0xc02 | (3 << 2) | S }),
      // n 1: Device, n 2: Normal Non-cacheable, n 3: Normal Write-Back; S 1 is shareable, inner for n 3.
      msr(0, "MAIR_EL1", (1n << 2n) | (2n << 4n) | (2n << 6n) | (1n << 19n) | (1n << 27n) | (1n << 38n) | (1n << 54n)),
      ...shortOn({ sctlr: SCTLR.ALL | TRE }),
      load(0, 0x10_0001, { sizeBytes: 2 }),
      store(0, 0x20_0000 + PAGE),
      store(0, 0x30_0000 + OTHER),
    ],
    { exits: [toKernel("alignment", 1)], copies: { [PAGE]: "", [OTHER]: "L1D M, L2 E" } },
  ),
  translated(
    "do TEX, C and B say it themselves without remap?",
    "D46",
    [
      ...words(SHORT, {
        1: 0xc02,
        2: 0xc02 | 4,
        3: 0xc02 | (1 << 12),
        4: 0xc02 | 12,
        5: 0xc02 | (5 << 12) | 4,
        6: 0xc02 | (2 << 12),
      }),
      ...shortOn(),
      ...[1, 2, 3, 4, 5, 6].map((n) => load(0, n * 0x10_0000 + PAGE + n * 0x40 + 1, { sizeBytes: 2 })),
    ],
    {
      // Strongly ordered, Device, and TEX 010 fault; the rest are Normal, of which two are cached.
      exits: [1, 2, 6].map(() => toKernel("alignment", 1)),
      copies: { [PAGE + 0xc0]: "", [PAGE + 0x100]: "L1D E, L2 E", [PAGE + 0x140]: "L1D E, L2 E" },
    },
  ),
  translated(
    "is CONTEXTIDR the ASID of short descriptors?",
    "D46",
    sections(
      { 3: section(0, 1 << 17) },
      ...shortOn(),
      msr(0, "CONTEXTIDR_EL1", 0x101),
      load(0, 0x30_0000),
      msr(0, "CONTEXTIDR_EL1", 0x201),
      load(0, 0x30_0000),
      msr(0, "CONTEXTIDR_EL1", 0x202),
      load(0, 0x30_0000),
    ),
    { tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2 } } },
  ),
  translated(
    "is a 32-bit guest's table walked through stage 2?",
    "D46 D51",
    sections({ 3: section(0) }, ...stageTwoIdentity(0), ...stageTwoOn(0), ...shortOn(), load(0, 0x30_0000 + PAGE)),
    { value: 77n, walkReads: 2, tlbs: { 0: { lookups: 1, microMisses: 1, mainMisses: 1, ipaHits: 1 } } },
  ),
];
