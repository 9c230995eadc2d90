/** TLBs, walk and IPA caches: what they keep, and what each TLBI removes (D52, D53, D56). */
import { load, msr, type RecordEntry, record, store, tlbi } from "../../../src/engine/record.ts";
import type { TLBI_KINDS } from "../../../src/engine/system-registers.ts";
import type { Case } from "../case.ts";
import {
  block2,
  EL1,
  EL2,
  entries,
  guest,
  guests,
  INDEX,
  L3,
  NOT_GLOBAL,
  OTHER,
  PAGE,
  page,
  page2,
  S2,
  S2_L3,
  SCTLR,
  stageOneOn,
  stageOneTables,
  stageTwoOn,
  stageTwoTables,
  tcr,
  translated,
  VA,
  WALKS,
} from "./tables.ts";

const OLD = 77n;
const NEW = 88n;
/** What the old and the new page hold. */
const contents = [store(0, PAGE, { value: OLD }), store(0, OTHER, { value: NEW })];

/** The page is mapped. */
const mapped = (bits = 0n) => stageOneTables(0, { [INDEX]: page(PAGE, { bits }) });

const loads = (...addresses: readonly number[]) => addresses.map((address) => load(0, address));

/** The page is used in an address space. */
const used = (space: Parameters<typeof stageOneOn>[1] = {}) => [...stageOneOn(0, space), load(0, VA)];

/** The hypervisor changes memory, then the guest goes on. */
const meanwhile = (core: number, ...changes: readonly RecordEntry[]): RecordEntry[] => [
  msr(core, "CONTEXT", EL2),
  ...changes,
  msr(core, "CONTEXT", EL1 | WALKS),
];

const remap = (bits = 0n) => meanwhile(0, ...entries(0, L3, { [INDEX]: page(OTHER, { bits }) }));

/** A page is used, then mapped elsewhere; then something, then it is used again. */
const remapped = (bits: bigint, asid: number, ...then: readonly RecordEntry[]): RecordEntry[] => [
  ...contents,
  ...mapped(bits),
  ...used({ asid }),
  ...remap(bits),
  ...then,
  load(0, VA),
];

/** The same of stage 2, in which the hypervisor does something else. */
const remapped2 = (...then: readonly RecordEntry[]): RecordEntry[] => [
  ...contents,
  ...stageTwoTables(0, { [INDEX]: page2(PAGE) }),
  ...stageTwoOn(0),
  load(0, VA),
  msr(0, "CONTEXT", EL2),
  ...entries(0, S2_L3, { [INDEX]: page2(OTHER) }),
  ...then,
  msr(0, "CONTEXT", EL1),
  load(0, VA),
];

const removes = (kind: keyof typeof TLBI_KINDS, value: bigint, gone: number, walkReads: number): Case =>
  translated(`does TLBI ${kind} make a new mapping seen?`, "D53", remapped(NOT_GLOBAL, 7, tlbi(0, kind, { value })), {
    value: NEW,
    tlbs: {
      0: {
        lookups: 2,
        microMisses: 2,
        mainMisses: 2,
        invalidated: gone,
        ...(walkReads === 4 ? { walkHits: 1 } : {}),
      },
    },
    walkReads,
  });

const spares = (asks: string, bits: bigint, operation: RecordEntry): Case =>
  translated(asks, "D53 D56", remapped(bits, 7, operation), { value: OLD, walkReads: 3 });

const page44 = (address: number) => BigInt(address / 4096);
const asid = (number: number) => BigInt(number) << 48n;

export const tlbs: readonly Case[] = [
  translated("does a TLB keep what memory says no more?", "D56", remapped(0n, 0), {
    value: OLD,
    walkReads: 3,
    tlbs: { 0: { lookups: 2, microMisses: 1, mainMisses: 1 } },
  }),
  // Micro, main and the two pointers to tables.
  removes("VMALLE1", 0n, 4, 6),
  removes("VAE1", page44(VA) | asid(7), 4, 6),
  removes("VAAE1", page44(VA) | asid(9), 4, 6),
  removes("ASIDE1", asid(7), 4, 6),
  // The pointers stay: only the leaf is read again.
  removes("VALE1", page44(VA) | asid(7), 2, 4),
  removes("VAALE1", page44(VA), 2, 4),
  removes("VMALLS12E1", 0n, 4, 6),
  removes("ALLE1", 0n, 4, 6),
  translated("is the old TLBI ALL the core's own VMALLE1?", "D53", remapped(0n, 0, record("TLBI_ALL", 0, 5)), {
    value: NEW,
    walkReads: 6,
    tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2, invalidated: 4 } },
  }),
  spares("does TLBI VAE1 of another ASID spare a page?", NOT_GLOBAL, tlbi(0, "VALE1", { value: page44(VA) | asid(8) })),
  spares("does TLBI VAE1 of another page spare this one?", NOT_GLOBAL, tlbi(0, "VALE1", { value: 6n | asid(7) })),
  spares("does TLBI ASIDE1 of another ASID spare a page?", NOT_GLOBAL, tlbi(0, "ASIDE1", { value: asid(8) })),
  spares("does TLBI ASIDE1 spare global pages?", 0n, tlbi(0, "ASIDE1", { value: asid(7) })),
  spares("does TLBI IPAS2E1 spare combined translations?", 0n, tlbi(0, "IPAS2E1", { value: page44(PAGE) })),
  translated(
    "does TLBI VALE1 of any ASID take a global page?",
    "D53",
    remapped(0n, 7, tlbi(0, "VALE1", { value: page44(VA) | asid(8) })),
    { value: NEW, walkReads: 4 },
  ),
  translated(
    "does a TLBI spare another VMID's entries?",
    "D53",
    remapped(0n, 0, msr(0, "VTTBR_EL2", 3n << 48n), tlbi(0, "VMALLE1"), tlbi(0, "VMALLS12E1"), msr(0, "VTTBR_EL2", 0)),
    { value: OLD, walkReads: 3 },
  ),
  translated(
    "does TLBI ALLE1 take every VMID's?",
    "D53",
    remapped(0n, 0, msr(0, "VTTBR_EL2", 3n << 48n), tlbi(0, "ALLE1"), msr(0, "VTTBR_EL2", 0)),
    { value: NEW, walkReads: 6 },
  ),
  translated(
    "does a local TLBI reach its own core only, and an inner-shareable one all?",
    "D53",
    [
      ...contents,
      ...mapped(),
      ...stageOneOn(0),
      ...stageOneOn(1),
      load(0, VA),
      load(1, VA),
      tlbi(1, "VMALLE1"),
      tlbi(1, "VMALLE1", { innerShareable: true }),
    ],
    {
      tlbs: {
        0: { lookups: 1, microMisses: 1, mainMisses: 1, invalidated: 4 },
        1: { lookups: 1, microMisses: 1, mainMisses: 1, invalidated: 4 },
      },
    },
    guests,
  ),
  translated(
    "does FB make a guest's TLBI reach all cores?",
    "D49 D53",
    [...mapped(), ...stageOneOn(0), ...stageOneOn(1), load(0, VA), msr(1, "HCR_EL2", 1n << 9n), tlbi(1, "VMALLE1")],
    { tlbs: { 0: { lookups: 1, microMisses: 1, mainMisses: 1, invalidated: 4 } } },
    guests,
  ),
  translated(
    "do two address spaces keep their own pages?",
    "D52",
    [
      ...contents,
      ...mapped(NOT_GLOBAL),
      ...used({ asid: 1 }),
      ...meanwhile(0, ...entries(0, L3, { [INDEX]: page(OTHER, { bits: NOT_GLOBAL }) })),
      ...used({ asid: 2 }),
      ...used({ asid: 1 }),
    ],
    { value: OLD, tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2 } } },
  ),
  translated(
    "do global pages serve every address space?",
    "D52",
    [...contents, ...mapped(), ...used({ asid: 1 }), ...used({ asid: 2 })],
    { value: OLD, tlbs: { 0: { lookups: 2, microMisses: 1, mainMisses: 1 } } },
  ),
  translated(
    "has an ASID eight bits unless TCR_EL1.AS says sixteen?",
    "D45 D52",
    [
      ...mapped(NOT_GLOBAL),
      ...used({ asid: 0x101 }),
      ...used({ asid: 0x201 }),
      ...used({ asid: 0x201, control: tcr(25, 25, 1n << 36n) }),
    ],
    { tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2 } } },
  ),
  translated(
    "does A1 take the ASID from TTBR1?",
    "D45",
    [
      ...mapped(NOT_GLOBAL),
      ...used({ asid: 1, control: tcr(25, 25, 1n << 22n) }),
      ...used({ asid: 2, control: tcr(25, 25, 1n << 22n) }),
    ],
    { tlbs: { 0: { lookups: 2, microMisses: 1, mainMisses: 1 } } },
  ),
  translated(
    "do VMIDs keep guests apart?",
    "D52",
    [
      ...contents,
      ...entries(0, S2, { 0: block2(0) }),
      ...stageTwoTables(0, { [INDEX]: page2(PAGE) }),
      ...stageTwoOn(0, { vmid: 1 }),
      load(0, VA),
      msr(0, "CONTEXT", EL2),
      ...entries(0, S2_L3, { [INDEX]: page2(OTHER) }),
      msr(0, "CONTEXT", EL1),
      ...stageTwoOn(0, { vmid: 2 }),
      load(0, VA),
      ...stageTwoOn(0, { vmid: 1 }),
      load(0, VA),
    ],
    { value: OLD, tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2 } } },
  ),
  translated(
    "does the main TLB answer what the micro TLB has lost?",
    "D52",
    [
      ...stageOneTables(0, Object.fromEntries([0, 1, 2].map((n) => [n, page(PAGE)]))),
      ...stageOneOn(0),
      ...loads(0, 0x1000, 0, 0x2000, 0x1000, 0),
    ],
    {
      // Two entries: page 2 takes page 1's place, which takes page 0's.
      tlbs: { 0: { lookups: 6, microMisses: 5, mainMisses: 3, walkHits: 2 } },
      events: { 0: { walk: 5, tlb: 2, memory: 4 } },
    },
    { ...guest, tlb: { micro: 2, entries: 16, ways: 2, walk: 4, ipa: 4 } },
  ),
  translated(
    "is the least recent page of a main TLB's set the one to go?",
    "D52",
    [
      ...stageOneTables(0, Object.fromEntries([0, 2, 4].map((n) => [n, page(PAGE)]))),
      ...stageOneOn(0),
      ...loads(0, 0x2000, 0, 0x4000, 0, 0x2000),
    ],
    { tlbs: { 0: { lookups: 6, microMisses: 6, mainMisses: 4, walkHits: 3 } } },
    { ...guest, tlb: { micro: 0, entries: 4, ways: 2, walk: 4, ipa: 4 } },
  ),
  translated(
    "does a walk begin at the deepest table that is held?",
    "D52",
    [...stageOneTables(0, { 1: page(PAGE), 2: page(OTHER) }), ...stageOneOn(0), ...loads(0x1000, 0x2000)],
    { walkReads: 4, tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2, walkHits: 1 } } },
  ),
  translated(
    "are stage-2 translations of tables and pages kept by themselves?",
    "D52",
    [
      ...stageOneTables(0, { 1: page(PAGE), 2: page(PAGE) }),
      ...entries(0, S2, { 0: block2(0) }),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      ...loads(0x1000, 0x2000),
    ],
    {
      // One stage-2 block serves all: it is read once.
      walkReads: 5,
      tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2, walkHits: 1, ipaHits: 5 } },
    },
  ),
  translated(
    "does TLBI IPAS2E1 take what walks keep of stage 2?",
    "D53",
    remapped2(tlbi(0, "IPAS2E1", { value: page44(VA) }), tlbi(0, "VMALLE1")),
    { value: NEW, tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2, invalidated: 3 } } },
  ),
  translated("does VMALLE1 without IPAS2E1 leave a stale stage 2 behind?", "D53 D56", remapped2(tlbi(0, "VMALLE1")), {
    value: OLD,
    tlbs: { 0: { lookups: 2, microMisses: 2, mainMisses: 2, invalidated: 2, ipaHits: 1 } },
  }),
  translated(
    "is a page that refuses an access kept all the same?",
    "D52",
    [
      ...contents,
      ...mapped(2n << 6n),
      ...stageOneOn(0),
      store(0, VA),
      ...meanwhile(0, ...entries(0, L3, { [INDEX]: page(PAGE) })),
      store(0, VA),
      tlbi(0, "VALE1", { value: page44(VA) }),
      store(0, VA),
    ],
    {
      exits: [{ type: "permission" }, { type: "permission" }],
      tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2, walkHits: 1, invalidated: 2 } },
    },
  ),
  translated(
    "do entries of a core with M clear serve it with M set?",
    "D52",
    [
      ...contents,
      ...stageOneTables(0, { [INDEX]: page(OTHER) }),
      ...entries(0, S2, { 0: block2(0) }),
      ...stageTwoOn(0),
      ...stageOneOn(0),
      msr(0, "SCTLR_EL1", SCTLR.C | SCTLR.I),
      load(0, PAGE),
      msr(0, "SCTLR_EL1", SCTLR.ALL),
      load(0, VA),
      msr(0, "SCTLR_EL1", SCTLR.C | SCTLR.I),
      load(0, PAGE),
    ],
    { tlbs: { 0: { lookups: 3, microMisses: 2, mainMisses: 2, ipaHits: 4 } } },
  ),
  translated("does a core that walks nothing use no TLB?", "D52", [msr(0, "HCR_EL2", 1n << 27n), load(0, PAGE)], {
    tlbs: { 0: {} },
    walkReads: 0,
  }),
];
