/** Stage 2: concatenated tables, its faults, nested walks, and the hypervisor's flush (D47, D48, D50, D51, D54). */
import { dc, fetch, flushStage2, load, msr, type RecordEntry, store } from "../../../src/engine/record.ts";
import type { Case } from "../case.ts";
import {
  AP,
  block,
  block2,
  data,
  EL1,
  EL2,
  entries,
  fetching,
  guest,
  INDEX,
  L1,
  L2,
  OTHER,
  PAGE,
  page,
  page2,
  S2,
  S2_L2,
  S2_L3,
  stageOneOn,
  stageOneTables,
  stageTwoIdentity,
  stageTwoOn,
  stageTwoTables,
  table,
  translated,
  vtcr,
  WALKS,
} from "./tables.ts";

const IPA = 0x5000;

/** Flat stage 1; one page at IPA has that descriptor. */
const mapped = (descriptor: bigint, ...then: readonly RecordEntry[]): RecordEntry[] => [
  data,
  ...stageTwoTables(0, { [INDEX]: descriptor }),
  ...stageTwoOn(0),
  ...then,
];

const toHypervisor = (type: string, level: number, more: object = {}) =>
  ({ type, target: 2, stage: 2, level, address: IPA, ipa: IPA, physical: -1, duringWalk: false, ...more }) as object;

const NO_CACHES = { micro: 0, entries: 0, ways: 1, walk: 0, ipa: 0 };
const HCR_PTW = 4n;
const HCR_FWB = 1n << 46n;

export const stageTwo: readonly Case[] = [
  translated("does stage 2 map what a flat guest uses?", "D47", mapped(page2(PAGE), load(0, IPA)), {
    value: 77n,
    walkReads: 2,
  }),
  translated(
    "does a stage-2 block map two MiB?",
    "D47",
    [data, ...stageTwoIdentity(0), ...stageTwoOn(0), load(0, PAGE)],
    {
      value: 77n,
      walkReads: 1,
    },
  ),
  translated(
    "are the tables of the first level concatenated?",
    "D47",
    [data, ...entries(0, S2, { 512: block2(0) }), ...stageTwoOn(0), load(0, 0x4000_0000 + PAGE)],
    { value: 77n, walkReads: 1 },
  ),
  translated(
    "does a 40-bit stage 2 begin at level 1 with two tables?",
    "D47",
    [
      data,
      ...entries(0, S2, { 513: block2(0) }),
      ...stageTwoOn(0, { control: vtcr(24, 1) }),
      load(0, 2 ** 39 + 2 ** 30 + PAGE),
    ],
    { value: 77n, walkReads: 1 },
  ),
  translated(
    "does a 48-bit stage 2 begin at level 0?",
    "D47",
    [
      data,
      ...entries(0, S2, { 1: table(S2_L2) }),
      ...entries(0, S2_L2, { 2: block2(0) }),
      ...stageTwoOn(0, { control: vtcr(16, 0) }),
      load(0, 2 ** 39 + 2 * 2 ** 30 + PAGE),
    ],
    { value: 77n, walkReads: 2 },
  ),
  translated("is an IPA beyond T0SZ a level-0 fault?", "D47", mapped(page2(PAGE), load(0, 2 ** 32 + IPA)), {
    exits: [toHypervisor("translation", 0, { address: 2 ** 32 + IPA, ipa: 2 ** 32 + IPA })],
    walkReads: 0,
  }),
  translated(
    "is a VTCR_EL2 that describes no tables a level-0 fault?",
    "D47",
    [
      ...stageTwoOn(0, { control: vtcr(32, 2) | (3n << 6n) }),
      load(0, IPA),
      msr(0, "VTCR_EL2", vtcr(41, 2)),
      load(0, IPA),
      msr(0, "VTCR_EL2", vtcr(24, 2)),
      load(0, IPA),
      msr(0, "VTCR_EL2", vtcr(34, 1)),
      load(0, IPA),
    ],
    { exits: [0, 1, 2, 3].map(() => toHypervisor("translation", 0)), walkReads: 0 },
  ),
  translated(
    "does stage 2 fault at the level of what is missing?",
    "D47 D50",
    mapped(0n, load(0, IPA), store(0, 0x20_0000), fetch(0, IPA)),
    {
      exits: [
        toHypervisor("translation", 3, { access: "read" }),
        toHypervisor("translation", 2, { address: 0x20_0000, ipa: 0x20_0000, access: "write" }),
        toHypervisor("translation", 3, { access: "fetch" }),
      ],
    },
  ),
  translated(
    "do S2AP and XN refuse what they say?",
    "D48",
    [
      data,
      ...stageTwoTables(0, {
        1: page2(PAGE, { access: 1 }),
        2: page2(PAGE, { access: 2 }),
        3: page2(PAGE, { bits: 1n << 54n }),
      }),
      ...stageTwoOn(0),
      store(0, 0x1000),
      dc.ivac(0, 0x1000),
      dc.civac(0, 0x1000),
      load(0, 0x2000),
      fetch(0, 0x3000),
      load(0, 0x1000),
    ],
    {
      exits: [
        toHypervisor("permission", 3, { address: 0x1000, ipa: 0x1000, access: "write" }),
        toHypervisor("permission", 3, { address: 0x1000, ipa: 0x1000, access: "write" }),
        toHypervisor("permission", 3, { address: 0x2000, ipa: 0x2000, access: "read" }),
        toHypervisor("permission", 3, { address: 0x3000, ipa: 0x3000, access: "fetch" }),
      ],
      value: 77n,
    },
    fetching,
  ),
  translated("does stage 2 have an access flag?", "D47", mapped(page2(PAGE, { af: false }), load(0, IPA)), {
    exits: [toHypervisor("access-flag", 3)],
  }),
  translated(
    "does stage 2 know its output size?",
    "D47",
    [
      ...stageTwoTables(0, { [INDEX]: page2(0x1_0000_0000) }),
      ...stageTwoOn(0, { control: vtcr(32, 2) & ~(7n << 16n) }),
      load(0, IPA),
      msr(0, "VTTBR_EL2", 0x1_0000_0000),
      load(0, IPA),
    ],
    { exits: [toHypervisor("address-size", 3), toHypervisor("address-size", 0)] },
  ),
  translated(
    "is a reserved MemAttr met when it is walked?",
    "D43 D50",
    [
      ...stageTwoTables(0, { [INDEX]: page2(PAGE, { memAttr: 4 }), 6: page2(PAGE, { memAttr: 15 }) }),
      ...stageTwoOn(0),
      load(0, IPA),
      msr(0, "HCR_EL2", 1n | HCR_FWB),
      load(0, 0x6000),
      load(0, IPA),
    ],
    {
      exits: [
        toHypervisor("reserved", 3, { physical: S2_L3 + 8 * INDEX }),
        toHypervisor("reserved", 3, { address: 0x6000, ipa: 0x6000, physical: S2_L3 + 8 * 6 }),
        toHypervisor("reserved", 3, { physical: S2_L3 + 8 * INDEX }),
      ],
    },
  ),
  translated(
    "is a stage-2 table outside memory an external abort?",
    "D51",
    [...entries(0, S2, { 0: table(0x5000_0000) }), ...stageTwoOn(0), load(0, IPA)],
    {
      exits: [{ type: "external", target: 1, stage: 2, level: 3, physical: 0x5000_0028, ipa: IPA, duringWalk: false }],
    },
  ),
  translated(
    "does a walk of both stages read each table through stage 2?",
    "D51 D52",
    [
      data,
      ...stageOneTables(0, { [INDEX]: page(PAGE) }),
      ...stageTwoTables(0, Object.fromEntries([0x11, 0x12, 0x13, 0x30].map((n) => [n, page2(n * 0x1000)]))),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      load(0, IPA),
      load(0, IPA),
    ],
    {
      value: 77n,
      // Three tables and the page, at two stage-2 reads each, and three descriptors of stage 1; nothing is kept.
      walkReads: 22,
      tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2 } },
    },
    { ...guest, tlb: NO_CACHES },
  ),
  translated(
    "is a stage-1 table that stage 2 lacks a fault during the walk?",
    "D50 D51",
    [
      ...stageOneTables(0, { [INDEX]: page(PAGE) }),
      ...stageTwoTables(0, { 17: page2(L1) }),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      store(0, IPA),
    ],
    { exits: [toHypervisor("translation", 3, { ipa: L2, duringWalk: true, access: "write" })] },
  ),
  translated(
    "may a stage-1 table lie in what stage 2 calls Device?",
    "D51",
    [
      ...stageTwoTables(0, { 17: page2(L1, { memAttr: 0 }), 18: page2(L2, { access: 2 }) }),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      load(0, IPA),
      msr(0, "HCR_EL2", 1n | HCR_PTW),
      load(0, IPA),
      msr(0, "CONTEXT", EL2),
      store(0, L1, { value: table(L2), attribute: "NON_CACHEABLE" }),
      msr(0, "HCR_EL2", 1n),
      msr(0, "CONTEXT", EL1 | WALKS),
      load(0, IPA),
    ],
    {
      exits: [
        // Without PTW it is read Non-cacheable: nothing is there yet.
        { type: "translation", target: 1, stage: 1, level: 1 },
        toHypervisor("permission", 3, { ipa: L1, duringWalk: true }),
        toHypervisor("permission", 3, { ipa: L2, duringWalk: true }),
      ],
      hazards: [],
    },
  ),
  translated(
    "is a page the smaller of what both stages map?",
    "D52",
    [
      data,
      store(0, OTHER, { value: 78n }),
      ...stageOneTables(0, {}),
      ...entries(0, L2, { 0: block(0) }),
      ...stageTwoTables(0, {
        17: page2(L1),
        18: page2(L2),
        [INDEX]: page2(PAGE),
        6: page2(OTHER),
      }),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      load(0, 0x6000),
      load(0, IPA),
    ],
    {
      value: 77n,
      // The second page is another entry; the walk cache has its level-2 table, the IPA cache that table's page.
      tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2, walkHits: 1, ipaHits: 1 } },
    },
  ),
  translated(
    "does a guest's stage 1 refuse before its hypervisor does?",
    "D48",
    [
      ...stageOneTables(0, { [INDEX]: page(PAGE, { bits: AP.KERNEL_READS }) }),
      ...stageTwoIdentity(0, { access: 1 }),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      store(0, IPA),
    ],
    { exits: [{ type: "permission", stage: 1, target: 1, ipa: -1 }] },
  ),
  translated(
    "does DC IVAC under stage 2 clean what it invalidates?",
    "D49",
    mapped(page2(PAGE), store(0, IPA, { value: 5n }), dc.ivac(0, IPA)),
    { copies: { [PAGE]: "" }, words: { memory: { [PAGE]: 5n } }, hazards: [] },
  ),
  translated(
    "does the hypervisor's flush find every page that is mapped Write-Back, and no other?",
    "D54",
    [
      store(0, PAGE, { value: 1n }),
      store(0, OTHER, { value: 2n }),
      store(0, 0x3_2000, { value: 3n }),
      ...stageTwoTables(0, {
        2: page2(PAGE),
        3: page2(OTHER, { memAttr: 5 }),
        4: page2(0x3_2000),
        5: page2(0x5000_0000),
        6: page2(0x3_3000, { memAttr: 10 }),
      }),
      ...stageTwoOn(0),
      msr(0, "CONTEXT", EL2),
      flushStage2(0, 0x2000, 0x2800),
    ],
    {
      words: { memory: { [PAGE]: 1n, [OTHER]: 0n, 204800: 3n } },
      // Level-2 entry 0, then level-3 entries 2, 3, 4; 64 lines of a page, and 32 of half a page.
      walkReads: 4,
      copies: { [PAGE]: "", [OTHER]: "L1D M, L2 E", 204800: "" },
      events: {
        0: {
          walk: 4,
          maintenance: 96,
          writeback: 2,
          memory: 5,
        },
      },
      hits: { 0: { L1D: 8 } },
    },
  ),
  translated(
    "what does the flush count?",
    "D54",
    [...stageTwoIdentity(0), ...stageTwoOn(0), flushStage2(0, 0x1_0010, 0x100)],
    {
      machine: {
        walkReads: 1,
        flushedLeaves: 1,
        // From the line around 0x10010 to that around 0x1010f.
        flushedLines: 5,
        memoryReads: 1,
      },
    },
  ),
  translated(
    "does the flush with FWB leave out Device and forced Non-cacheable alone?",
    "D54",
    [
      ...stageTwoTables(0, {
        0: page2(PAGE, { memAttr: 0 }),
        1: page2(PAGE, { memAttr: 5 }),
        2: page2(PAGE, { memAttr: 6 }),
        3: page2(PAGE, { memAttr: 7 }),
      }),
      ...stageTwoOn(0, { hcr: 1n | HCR_FWB }),
      flushStage2(0, 0, 2n ** 63n),
    ],
    {
      machine: {
        // Four first-level tables of 512 entries, and the level-3 table.
        walkReads: 4 * 512 + 512,
        flushedLeaves: 2,
        flushedLines: 128,
        memoryReads: (4 * 512 + 512) / 8,
      },
    },
  ),
];
