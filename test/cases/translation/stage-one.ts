/** Stage 1 of AArch64: where addresses go, and every fault on the way (D39 to D41, D45, D48). */
import { atomic, dc, evict, fetch, load, msr, prefetch, type RecordEntry, store } from "../../../src/engine/record.ts";
import type { Case } from "../case.ts";
import { level, oneSet } from "../small-machines.ts";
import {
  AP,
  block,
  data,
  EL0,
  EL1,
  EL2,
  entries,
  fetching,
  guest,
  guests,
  INDEX,
  L0,
  L1,
  L2,
  L3,
  OTHER,
  PAGE,
  PXN,
  page,
  SCTLR,
  stageOneOn,
  stageOneTables,
  table,
  tcr,
  translated,
  UPPER,
  UXN,
  VA,
  WALKS,
} from "./tables.ts";

/** One page is mapped, with that descriptor; then something is done. */
const mapped = (descriptor: bigint, ...then: readonly RecordEntry[]): RecordEntry[] => [
  data,
  ...stageOneTables(0, { [INDEX]: descriptor }),
  ...stageOneOn(0),
  ...then,
];

/** A fault that stage 1 meets: taken to EL1, no IPA. */
const toKernel = (type: string, level: number, more: object = {}) =>
  ({ type, target: 1, stage: 1, level, ipa: -1, physical: -1, duringWalk: false, upper: false, ...more }) as object;

export const stageOne: readonly Case[] = [
  translated("does a page map an address?", "D45", mapped(page(PAGE), load(0, VA)), { value: 77n, walkReads: 3 }),
  translated(
    "does a level-2 block map an address?",
    "D45",
    [
      data,
      ...entries(0, L1, { 0: table(L2) }),
      ...entries(0, L2, { 3: block(0) }),
      ...stageOneOn(0),
      load(0, 0x60_0000 + PAGE),
    ],
    { value: 77n, walkReads: 2 },
  ),
  translated(
    "does a level-1 block map an address?",
    "D45",
    [data, ...entries(0, L1, { 1: block(0) }), ...stageOneOn(0), load(0, 0x4000_0000 + PAGE)],
    { value: 77n, walkReads: 1 },
  ),
  translated(
    "do 48-bit addresses begin at level 0?",
    "D45",
    [
      data,
      ...entries(0, L0, { 2: table(L1) }),
      ...entries(0, L1, { 1: table(L2) }),
      ...entries(0, L2, { 0: table(L3) }),
      ...entries(0, L3, { [INDEX]: page(PAGE) }),
      ...stageOneOn(0, { ttbr0: L0, control: tcr(16) }),
      load(0, 2 * 2 ** 39 + 2 ** 30 + VA),
    ],
    { value: 77n, walkReads: 4 },
  ),
  translated(
    "do 25-bit addresses begin at level 2, with a table of sixteen entries?",
    "D45",
    [
      data,
      ...entries(0, L2 + 0x80, { 15: table(L3) }),
      ...entries(0, L3, { [INDEX]: page(PAGE) }),
      ...stageOneOn(0, { ttbr0: L2 + 0x80, control: tcr(39) }),
      load(0, 15 * 0x20_0000 + VA),
    ],
    { value: 77n, walkReads: 2 },
  ),
  translated(
    "do upper addresses go through TTBR1?",
    "D39 D45",
    [
      data,
      ...entries(0, UPPER, { 511: table(L2) }),
      ...entries(0, L2, { 511: table(L3) }),
      ...entries(0, L3, { 511: page(PAGE) }),
      ...stageOneOn(0),
      load(0, 0xffff_ffff_f000, { upper: true }),
    ],
    { value: 77n, walkReads: 3 },
  ),
  translated(
    "does an address with bits beyond TnSZ fault at level 0?",
    "D45",
    mapped(page(PAGE), load(0, 2 ** 39), load(0, 0xff7f_ffff_f000, { upper: true })),
    {
      exits: [
        toKernel("translation", 0, { address: 2 ** 39, access: "read" }),
        toKernel("translation", 0, { address: 0xff7f_ffff_f000, upper: true }),
      ],
      walkReads: 0,
    },
  ),
  translated(
    "do EPD0 and EPD1 switch walks off?",
    "D45",
    [
      ...stageOneOn(0, { control: tcr(25, 25, (1n << 7n) | (1n << 23n)) }),
      load(0, VA),
      load(0, 0xffff_ffff_f000, { upper: true }),
    ],
    { exits: [toKernel("translation", 0), toKernel("translation", 0, { upper: true })], walkReads: 0 },
  ),
  translated(
    "does a TnSZ that means nothing fault at level 0?",
    "D45",
    [...stageOneOn(0, { control: tcr(15) }), load(0, VA), ...stageOneOn(0, { control: tcr(40) }), load(0, 0)],
    { exits: [toKernel("translation", 0), toKernel("translation", 0)] },
  ),
  translated(
    "does an invalid entry fault at its level?",
    "D45 D50",
    [
      ...entries(0, L1, { 0: table(L2) }),
      ...entries(0, L2, { 0: table(L3) }),
      ...stageOneOn(0),
      load(0, VA),
      store(0, 0x20_0000),
      fetch(0, 0x4000_0000),
      dc.cvac(0, 0x4000_0000),
    ],
    {
      exits: [
        toKernel("translation", 3, { address: VA, access: "read" }),
        toKernel("translation", 2, { address: 0x20_0000, access: "write" }),
        toKernel("translation", 1, { address: 0x4000_0000, access: "fetch" }),
        toKernel("translation", 1, { address: 0x4000_0000, access: "maintenance" }),
      ],
    },
  ),
  translated("is a block at level 3 no mapping?", "D45", mapped(block(PAGE), load(0, VA)), {
    exits: [toKernel("translation", 3)],
  }),
  translated(
    "is a block at level 0 no mapping?",
    "D45",
    [...entries(0, L0, { 0: block(0) }), ...stageOneOn(0, { ttbr0: L0, control: tcr(16) }), load(0, VA)],
    { exits: [toKernel("translation", 0)] },
  ),
  translated(
    "is an address beyond IPS a fault of the descriptor that says it?",
    "D45",
    [
      ...stageOneTables(0, { [INDEX]: page(0x1_0000_0000) }),
      ...entries(0, L2, { 1: table(0x1_0000_0000) }),
      ...stageOneOn(0, { control: tcr(25) & ~(7n << 32n) }),
      load(0, VA),
      load(0, 0x20_0000),
      msr(0, "TTBR0_EL1", 0x1_0000_0000),
      load(0, 0x4000_0000),
    ],
    { exits: [toKernel("address-size", 3), toKernel("address-size", 2), toKernel("address-size", 0)] },
  ),
  translated(
    "does a clear access flag fault, and is nothing kept of it?",
    "D45 D52",
    mapped(
      page(PAGE, { af: false }),
      load(0, VA),
      dc.civac(0, VA),
      msr(0, "CONTEXT", EL2),
      ...entries(0, L3, { [INDEX]: page(PAGE) }),
      msr(0, "CONTEXT", EL1 | WALKS),
      load(0, VA),
    ),
    { exits: [toKernel("access-flag", 3), toKernel("access-flag", 3, { access: "maintenance" })], value: 77n },
  ),
  translated(
    "does a read-only page refuse stores, atomics, DC ZVA and DC IVAC, and nothing else?",
    "D48",
    mapped(
      page(PAGE, { bits: AP.KERNEL_READS }),
      store(0, VA),
      atomic(0, VA),
      dc.zva(0, VA),
      dc.ivac(0, VA),
      dc.civac(0, VA),
      dc.cvau(0, VA),
      load(0, VA),
    ),
    {
      exits: ["write", "write", "write", "write"].map((access) => toKernel("permission", 3, { access, address: VA })),
      value: 77n,
    },
  ),
  translated(
    "does EL0 reach only what AP lets it?",
    "D48",
    [
      data,
      ...stageOneTables(0, {
        1: page(PAGE, { bits: AP.KERNEL }),
        2: page(PAGE, { bits: AP.KERNEL_READS }),
        3: page(PAGE, { bits: AP.ALL_READ }),
        4: page(PAGE, { bits: AP.ALL }),
      }),
      ...stageOneOn(0, { context: EL0 | WALKS }),
      load(0, 0x1000),
      load(0, 0x2000),
      load(0, 0x3000),
      store(0, 0x3000),
      store(0, 0x4000, { value: 78n }),
      load(0, 0x4000),
    ],
    {
      exits: [
        toKernel("permission", 3, { address: 0x1000 }),
        toKernel("permission", 3, { address: 0x2000 }),
        toKernel("permission", 3, { address: 0x3000, access: "write" }),
      ],
      value: 78n,
    },
  ),
  translated(
    "do APTable, UXNTable and PXNTable forbid what leaves allow?",
    "D45",
    [
      ...entries(0, L1, { 0: table(L2, 1n << 61n), 1: table(L2, 1n << 62n), 2: table(L2, 3n << 59n) }),
      ...entries(0, L2, { 0: table(L3) }),
      ...entries(0, L3, { [INDEX]: page(PAGE, { bits: AP.ALL }), 6: page(PAGE) }),
      ...stageOneOn(0),
      store(0, 0x4000_5000),
      fetch(0, 0x8000_6000),
      msr(0, "CONTEXT", EL0 | WALKS),
      load(0, VA),
      load(0, 0x4000_5000),
      fetch(0, 0x8000_5000),
    ],
    {
      exits: [
        toKernel("permission", 3, { access: "write" }),
        toKernel("permission", 3, { access: "fetch" }),
        toKernel("permission", 3, { access: "read", address: VA }),
        toKernel("permission", 3, { access: "fetch", address: 0x8000_5000 }),
      ],
    },
    fetching,
  ),
  translated(
    "who may execute what?",
    "D48",
    [
      data,
      dc.cvau(0, PAGE),
      ...stageOneTables(0, {
        1: page(PAGE, { bits: PXN }),
        2: page(PAGE, { bits: UXN }),
        3: page(PAGE, { bits: AP.ALL }),
        4: page(PAGE, { bits: AP.ALL_READ | UXN }),
      }),
      ...stageOneOn(0),
      fetch(0, 0x1000),
      fetch(0, 0x2000),
      fetch(0, 0x3000),
      msr(0, "SCTLR_EL1", SCTLR.ALL | SCTLR.WXN),
      fetch(0, 0x2000),
      msr(0, "CONTEXT", EL0 | WALKS),
      fetch(0, 0x4000),
      fetch(0, 0x3000),
      msr(0, "CONTEXT", EL1 | WALKS),
      msr(0, "SCTLR_EL1", SCTLR.ALL),
      msr(0, "CONTEXT", EL0 | WALKS),
      fetch(0, 0x3000),
    ],
    {
      // PXN; writable by EL0; WXN at EL1; UXN; WXN at EL0. MSR at EL0 traps, so CONTEXT goes first.
      exits: [0x1000, 0x3000, 0x2000, 0x4000, 0x3000].map((address) => toKernel("permission", 3, { address })),
      value: 77n,
    },
    fetching,
  ),
  translated(
    "does an access across pages go where each page lies?",
    "D41",
    [
      ...stageOneTables(0, { [INDEX]: page(OTHER), 6: page(PAGE) }),
      ...stageOneOn(0),
      store(0, VA + 0xffc, { value: 0x8877_6655_4433_2211n, sizeBytes: 8 }),
      load(0, VA + 0xffc, { sizeBytes: 8 }),
    ],
    {
      value: 0x8877_6655_4433_2211n,
      words: { truth: { [OTHER + 0xff8]: 0x4433_2211_0000_0000n, [PAGE]: 0x8877_6655n } },
      tlbs: { 0: { lookups: 4, microMisses: 2, mainMisses: 2, walkHits: 1 } },
    },
  ),
  translated(
    "does an access whose second page faults do nothing?",
    "D40 D41",
    mapped(page(PAGE), store(0, VA + 0xffc, { value: 1n, sizeBytes: 8 })),
    {
      exits: [toKernel("translation", 3, { address: 0x6000, record: 9, operation: 1, operand: VA + 0xffc, value: 1n })],
      records: 9,
      words: { truth: { [PAGE + 0xff8]: 0n } },
    },
  ),
  translated(
    "is an unaligned access to Device memory a fault, of the sizes that instructions have?",
    "D48",
    mapped(
      page(PAGE, { attribute: "DEVICE" }),
      load(0, VA + 2, { sizeBytes: 4 }),
      store(0, VA + 4, { sizeBytes: 8 }),
      dc.zva(0, VA),
      load(0, VA + 1, { sizeBytes: 3 }),
      load(0, VA + 4, { sizeBytes: 4 }),
      dc.civac(0, VA + 3),
      prefetch(0, VA + 3, { sizeBytes: 4 }),
    ),
    {
      exits: [
        toKernel("alignment", 3, { address: VA + 2, access: "read" }),
        toKernel("alignment", 3, { address: VA + 4, access: "write" }),
        toKernel("alignment", 3, { address: VA, access: "write" }),
      ],
    },
  ),
  translated(
    "is Normal memory free of alignment?",
    "D48",
    mapped(page(PAGE, { attribute: "NC" }), load(0, VA + 1, { sizeBytes: 4 })),
    { exits: [] },
  ),
  translated(
    "is a reserved byte of MAIR_EL1 Device memory?",
    "D42",
    mapped(page(PAGE, { attribute: "RESERVED" }), load(0, VA + 1, { sizeBytes: 2 })),
    { exits: [toKernel("alignment", 3)] },
  ),
  translated(
    "is a page outside memory an external abort?",
    "D41",
    mapped(page(0x5000_0000), load(0, VA + 8), dc.cvac(0, VA + 8)),
    {
      exits: [
        { type: "external", target: 1, stage: 0, level: -1, physical: 0x5000_0008, address: VA + 8, duringWalk: false },
        { type: "external", access: "maintenance", physical: 0x5000_0008 },
      ],
      tlbs: { 0: { lookups: 2, microMisses: 1, mainMisses: 1 } },
    },
  ),
  translated(
    "is a table outside memory an external abort of the walk?",
    "D51",
    [
      ...entries(0, L1, { 0: table(0x5000_0000), 1: table(0x4000_0000) }),
      ...stageOneOn(0),
      load(0, VA),
      load(0, 0x4000_0000),
    ],
    {
      exits: [
        toKernel("external", 2, { physical: 0x5000_0000, duringWalk: true, address: VA }),
        toKernel("external", 2, { physical: 0x4000_0000, duringWalk: true }),
      ],
      walkReads: 2,
    },
  ),
  translated(
    "does MMIO stay Device however it is mapped?",
    "D41",
    mapped(page(0x4000_0000), store(0, VA), load(0, VA), dc.zva(0, VA)),
    { exits: [toKernel("alignment", 3, { access: "write" })], value: 0n },
  ),
  translated(
    "is an atomic on Non-cacheable memory an exit?",
    "D26 D40",
    mapped(page(PAGE, { attribute: "NC" }), atomic(0, VA)),
    {
      exits: [{ type: "atomic", target: 1, stage: 0, level: -1, address: VA, access: "write", physical: -1 }],
      records: 9,
    },
  ),
  translated(
    "can an atomic on Non-cacheable memory fail instead?",
    "D26",
    mapped(page(PAGE, { attribute: "NC" }), atomic(0, VA, { value: 5n })),
    { exits: [], words: { truth: { [PAGE]: 77n } }, records: 10 },
    { ...guest, ncAtomics: "fail" },
  ),
  translated(
    "do prefetches and evictions do nothing where they would exit?",
    "D40",
    [...stageOneOn(0), prefetch(0, VA), evict(0, VA)],
    { exits: [], records: 7, walkReads: 2 },
  ),
  translated(
    "does an eviction find its line through translation?",
    "D26 D39",
    mapped(page(PAGE), store(0, VA), evict(0, VA)),
    { copies: { [PAGE]: "L2 M" } },
  ),
  translated("does a loop of tables end?", "D45", [...entries(0, L1, { 0: table(L1) }), ...stageOneOn(0), load(0, 0)], {
    exits: [toKernel("access-flag", 3)],
    walkReads: 3,
  }),
  translated(
    "is a descriptor that another core holds dirty stale for a walker that bypasses caches?",
    "D51 R47",
    [...stageOneTables(1, { [INDEX]: page(PAGE) }), ...stageOneOn(0, { control: tcr(25) & ~0xf00n }), load(0, VA)],
    {
      exits: [toKernel("translation", 1)],
      hazards: [
        { class: "stale-walk", line: L1, newest: 0, observer: 0, record: 8, piece: 0, attribute: 1, source: "memory" },
        { class: "mismatched-attributes", line: L1, record: 8 },
      ],
    },
    guests,
  ),
  translated(
    "does a walker go past the caches with C clear?",
    "D51",
    mapped(page(PAGE), msr(0, "SCTLR_EL1", SCTLR.M | SCTLR.I), load(0, VA)),
    {
      exits: [toKernel("translation", 1)],
      hazards: [{ class: "stale-walk", line: L1 }, { class: "mismatched-attributes" }],
    },
  ),
  translated(
    "is a walk from the PoU level blind to the core's own L1D?",
    "D51",
    mapped(page(PAGE), load(0, VA)),
    {
      exits: [toKernel("translation", 1)],
      hazards: [{ class: "stale-walk", line: L1, attribute: 2 }],
      walkReads: 1,
    },
    { ...guest, walker: "pou" },
  ),
  translated(
    "does a walk from the PoU level see another core's L1D, and leave its own alone?",
    "D51",
    [store(1, PAGE, { value: 77n }), ...stageOneTables(1, { [INDEX]: page(PAGE) }), ...stageOneOn(0), load(0, VA)],
    { value: 77n, walkReads: 3, copies: { [L1]: "L1D.1 O, L2 E" } },
    { ...guests, walker: "pou" },
  ),
  translated(
    "does what a walk takes from an exclusive cache get lost in a write-through one?",
    "D17, D51",
    [...stageOneTables(0, { [INDEX]: page(PAGE) }), data, ...stageOneOn(0), load(0, VA)],
    // Dirty tables lie in the L3; the L2 that the walk fills can't be dirty, so they go to memory.
    { value: 77n, walkReads: 3, words: { memory: { [L3 + 8 * INDEX]: page(PAGE) } }, copies: { [L3]: "L2 E" } },
    {
      ...guest,
      l1d: oneSet(1),
      levels: [level("L2", 1, { write: "through" }), level("L3", 8, { sets: 64, data: "exclusive", kind: "system" })],
      walker: "pou",
    },
  ),
  translated("is a walk a load of the core's L1D?", "D51", mapped(page(PAGE), load(0, VA)), {
    value: 77n,
    hits: { 0: { L1D: 4 } },
    walkReads: 3,
  }),
  translated(
    "does M clear turn tables off?",
    "D42",
    mapped(page(OTHER), msr(0, "SCTLR_EL1", SCTLR.C | SCTLR.I), load(0, PAGE + 1, { sizeBytes: 2 }), load(0, PAGE)),
    { exits: [toKernel("alignment", -1, { address: PAGE + 1 })], walkReads: 0, value: 0n },
  ),
];
