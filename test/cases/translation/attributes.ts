/** What both stages and the enable bits make of an access, told by where its bytes land (D42 to D44, arm-facts A). */
import { dc, fetch, load, msr, type RecordEntry, store, withAttribute } from "../../../src/engine/record.ts";
import type { Case, Expectation } from "../case.ts";
import {
  EL1,
  EL2,
  fetching,
  guests,
  INDEX,
  type Leaf,
  type Leaf2,
  PAGE,
  page,
  SCTLR,
  stageOneOn,
  stageOneTables,
  stageTwoIdentity,
  stageTwoOn,
  translated,
  VA,
} from "./tables.ts";

const VM = 1n;
const DC = 1n << 12n;
const TGE = 1n << 27n;
const CD = 1n << 32n;
const ID = 1n << 33n;
const FWB = 1n << 46n;

/** Tables in memory itself, for walks that stage 2 or CD makes Non-cacheable. */
const inMemory = (tables: readonly RecordEntry[]) => tables.map((each) => withAttribute(each, "NON_CACHEABLE"));

/** A store through both stages. */
const stored = (stage1: Leaf, stage2: Leaf2, hcr: bigint, ...first: readonly RecordEntry[]): RecordEntry[] => [
  ...inMemory(stageOneTables(0, { [INDEX]: page(PAGE, stage1) })),
  ...inMemory(stageTwoIdentity(0, stage2)),
  ...stageTwoOn(0, { hcr }),
  ...stageOneOn(0),
  ...first,
  store(0, VA, { value: 5n }),
];
const IN_CACHE: Expectation = { copies: { [PAGE]: "L1D M, L2 E" }, words: { memory: { [PAGE]: 0n } } };
const IN_MEMORY: Expectation = { copies: { [PAGE]: "" }, words: { memory: { [PAGE]: 5n } } };

const lands = (asks: string, stage1: Leaf, stage2: Leaf2, hcr: bigint, expect: Expectation): Case =>
  translated(asks, "D43 D44", stored(stage1, stage2, hcr), expect);

export const translatedAttributes: readonly Case[] = [
  lands("is Write-Back in both stages cached?", {}, {}, VM, IN_CACHE),
  lands("does a guest's Non-cacheable win over Write-Back stage 2?", { attribute: "NC" }, {}, VM, IN_MEMORY),
  lands("does Non-cacheable stage 2 win over a guest's Write-Back?", {}, { memAttr: 5 }, VM, IN_MEMORY),
  lands("does Device stage 2 win over a guest's Write-Back?", {}, { memAttr: 0 }, VM, IN_MEMORY),
  lands(
    "does FWB 0b0110 force a guest's Non-cacheable into caches?",
    { attribute: "NC" },
    { memAttr: 6 },
    VM | FWB,
    IN_CACHE,
  ),
  lands(
    "does FWB 0b0110 force a guest's Device into caches?",
    { attribute: "DEVICE" },
    { memAttr: 6 },
    VM | FWB,
    IN_CACHE,
  ),
  lands("does FWB 0b0111 leave the choice to the guest?", { attribute: "NC" }, { memAttr: 7 }, VM | FWB, IN_MEMORY),
  lands("does FWB 0b0111 leave a guest's Write-Back as it is?", {}, { memAttr: 7 }, VM | FWB, IN_CACHE),
  lands("does FWB 0b0101 force Non-cacheable?", {}, { memAttr: 5 }, VM | FWB, IN_MEMORY),
  lands("does FWB 0b0001 force Device?", {}, { memAttr: 1 }, VM | FWB, IN_MEMORY),
  lands("does CD take the guest's caches away?", {}, {}, VM | CD, IN_MEMORY),
  lands("does CD defeat FWB?", { attribute: "NC" }, { memAttr: 6 }, VM | FWB | CD, IN_MEMORY),
  lands(
    "is Write-Through memory Non-cacheable to caches that know only Write-Back?",
    { attribute: "WT" },
    {},
    VM,
    IN_MEMORY,
  ),
  translated(
    "does DC make a guest with its MMU off cacheable?",
    "D42",
    [...stageTwoIdentity(0), ...stageTwoOn(0, { hcr: DC }), msr(0, "SCTLR_EL1", 0), store(0, PAGE, { value: 5n })],
    IN_CACHE,
  ),
  translated(
    "does DC switch a guest's own tables off?",
    "D42",
    stored({}, {}, DC, load(0, PAGE)),
    // VA is then an IPA, and the identity's.
    { copies: { [PAGE]: "L1D E, L2 E", [VA]: "L1D M, L2 E" } },
  ),
  translated(
    "is memory with the MMU off Device, whatever stage 2 allows?",
    "D42",
    [
      ...stageTwoIdentity(0),
      ...stageTwoOn(0),
      msr(0, "SCTLR_EL1", SCTLR.C),
      load(0, PAGE + 2, { sizeBytes: 4 }),
      store(0, PAGE, { value: 5n }),
    ],
    { ...IN_MEMORY, exits: [{ type: "alignment", target: 1, stage: 1, level: -1, ipa: -1, address: PAGE + 2 }] },
  ),
  translated(
    "does FWB give a guest with its MMU off caches?",
    "D43",
    [
      ...stageTwoIdentity(0, { memAttr: 6 }),
      ...stageTwoOn(0, { hcr: VM | FWB }),
      msr(0, "SCTLR_EL1", 0),
      store(0, PAGE),
    ],
    { copies: { [PAGE]: "L1D M, L2 E" } },
  ),
  translated(
    "does C clear make a guest's Write-Back Non-cacheable?",
    "D42",
    [...stageTwoIdentity(0), ...stageTwoOn(0), msr(0, "SCTLR_EL1", SCTLR.M), store(0, PAGE, { value: 5n })],
    IN_MEMORY,
  ),
  translated(
    "does FWB defeat C clear?",
    "D42 D43",
    [
      ...stageTwoIdentity(0, { memAttr: 6 }),
      ...stageTwoOn(0, { hcr: VM | FWB }),
      msr(0, "SCTLR_EL1", SCTLR.M),
      store(0, PAGE, { value: 5n }),
    ],
    IN_CACHE,
  ),
  translated(
    "is stage 2's Device an alignment fault of stage 2?",
    "D48",
    [...stageTwoIdentity(0, { memAttr: 1 }), ...stageTwoOn(0), load(0, PAGE + 1, { sizeBytes: 2 }), dc.zva(0, PAGE)],
    {
      exits: [
        { type: "alignment", target: 1, stage: 2, level: 2, ipa: PAGE + 1, address: PAGE + 1 },
        { type: "alignment", target: 1, stage: 2, level: 2, ipa: PAGE, access: "write" },
      ],
    },
  ),
  translated(
    "does a guest's Non-shareable page keep its stores from other cores?",
    "D44 D20",
    [
      ...stageOneTables(0, { [INDEX]: page(PAGE, { sh: 0 }) }),
      load(1, PAGE),
      ...stageOneOn(0),
      store(0, VA, { value: 5n }),
      dc.civac(0, VA),
    ],
    { copies: { [PAGE]: "L1D.1 E" }, words: { memory: { [PAGE]: 5n } } },
    guests,
  ),
  translated(
    "does stage 2 make a Non-shareable page shareable?",
    "D43",
    [
      ...stageOneTables(0, { [INDEX]: page(PAGE, { sh: 0 }) }),
      ...stageTwoIdentity(0),
      load(1, PAGE),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      dc.civac(0, VA),
    ],
    { copies: { [PAGE]: "" } },
    guests,
  ),
  translated(
    "does a host see what its guest wrote uncached?",
    "R9 D43",
    [store(1, PAGE, { value: 1n }), ...stored({ attribute: "NC" }, {}, VM), load(1, PAGE)],
    {
      value: 1n,
      hazards: [
        { class: "mismatched-attributes", observer: 0 },
        { class: "stale-read", observer: 1 },
      ],
    },
    guests,
  ),
  translated(
    "does a host see what its guest wrote uncached under FWB?",
    "R9 D43",
    [store(1, PAGE, { value: 1n }), ...stored({ attribute: "NC" }, { memAttr: 6 }, VM | FWB), load(1, PAGE)],
    { value: 5n, hazards: [] },
    guests,
  ),
  translated(
    "is the hypervisor's own access cached whatever its guest's SCTLR_EL1 says?",
    "D38",
    [msr(0, "SCTLR_EL1", 0), msr(0, "CONTEXT", EL2), store(0, PAGE), msr(0, "CONTEXT", EL1), load(0, PAGE)],
    {
      copies: { [PAGE]: "L1D M, L2 E" },
      value: 0n,
      hazards: [{ class: "stale-read" }, { class: "mismatched-attributes" }],
    },
  ),
  translated(
    "does ID take the guest's instruction cache away?",
    "D43",
    [...stageTwoIdentity(0), ...stageTwoOn(0, { hcr: VM | ID }), fetch(0, PAGE)],
    { copies: { [PAGE]: "" } },
    fetching,
  ),
  translated(
    "does a guest's fetch fill its instruction cache?",
    "D44",
    [...stageTwoIdentity(0), ...stageTwoOn(0), fetch(0, PAGE)],
    { copies: { [PAGE]: "L1I S, L2 E" } },
    fetching,
  ),
  translated(
    "is a guest's fetch with I clear uncached?",
    "D42",
    [...stageTwoIdentity(0), ...stageTwoOn(0), msr(0, "SCTLR_EL1", SCTLR.M | SCTLR.C), fetch(0, PAGE)],
    { copies: { [PAGE]: "" } },
    fetching,
  ),
  translated(
    "is a fetch from what a guest calls Device uncached?",
    "D42",
    [...stageOneTables(0, { [INDEX]: page(PAGE, { attribute: "DEVICE" }) }), ...stageOneOn(0), fetch(0, VA)],
    { copies: { [PAGE]: "" } },
    fetching,
  ),
  translated(
    "is a guest's fetch with its MMU off Write-Through, which caches that know only Write-Back take as cacheable?",
    "D42 D44",
    [...stageTwoIdentity(0), ...stageTwoOn(0), msr(0, "SCTLR_EL1", SCTLR.I), fetch(0, PAGE)],
    { copies: { [PAGE]: "L1I S, L2 E" } },
    fetching,
  ),
  translated(
    "does a fetch that neither stage touches fill the instruction cache alone?",
    "D44",
    [msr(0, "HCR_EL2", TGE), fetch(0, PAGE)],
    { copies: { [PAGE]: "L1I S" }, machine: { uncachedReads: 1, memoryReads: 1 } },
    fetching,
  ),
  translated(
    "has a flat guest the attribute that the record names?",
    "D42",
    [
      ...stageTwoIdentity(0),
      ...stageTwoOn(0),
      store(0, PAGE, { value: 5n, attribute: "NON_CACHEABLE" }),
      load(0, PAGE + 0x41, { sizeBytes: 2, attribute: "DEVICE" }),
    ],
    { ...IN_MEMORY, exits: [{ type: "alignment", stage: 1 }] },
  ),
  translated(
    "does a change of enable bits reach translations that a TLB holds?",
    "D42",
    [...stored({}, {}, VM), dc.civac(0, VA), msr(0, "SCTLR_EL1", SCTLR.M), store(0, VA, { value: 6n })],
    {
      copies: { [PAGE]: "" },
      words: { memory: { [PAGE]: 6n } },
      tlbs: { 0: { lookups: 3, microMisses: 1, mainMisses: 1, ipaHits: 3 } },
    },
  ),
];
