/** Maintenance by VA, DC ZVA, and what instructions by VA reach (D27, R21, R50). */
import { dc, dsb, fetch, ic, load, sctlr, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, level, oneSet, pair, pairWithFetch, single, singleWithFetch, withSystemCache } from "./small-machines.ts";

export const maintenance: readonly Case[] = [
  {
    asks: "does DC CVAC write a dirty line to memory and keep every copy, clean?",
    rules: "D27 R50",
    machine: single,
    records: [store(0, A), dc.cvac(0, A), dsb(0)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, maintenanceProbes: 1 },
      },
      machine: { memoryReads: 1, memoryWrites: 1 },
      events: { 0: { memory: 1, maintenance: 1, writeback: 1, dsb: 1 } },
      copies: { [A]: "L1D E, L2 E" },
      words: { memory: { [A]: 1n }, L2: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does DC CVAP what DC CVAC does?",
    rules: "D27",
    machine: single,
    records: [store(0, A), dc.cvap(0, A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 } },
      copies: { [A]: "L1D E, L2 E" },
      words: { memory: { [A]: 1n } },
    },
  },
  {
    asks: "does DC CIVAC write dirty bytes to memory and remove every copy?",
    rules: "D27",
    machine: pair,
    records: [store(0, A), load(1, A), dc.civac(1, A)],
    expect: {
      caches: { "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1, maintenanceProbes: 1, writebacksOut: 1 } },
      copies: { [A]: "" },
      machine: { memoryReads: 1, memoryWrites: 1 },
      words: { memory: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does DC CIVAC of a clean line write nothing?",
    rules: "D27",
    machine: single,
    records: [load(0, A), dc.civac(0, A)],
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1, maintenanceProbes: 1 }, L2: { loads: 1, loadMisses: 1, maintenanceProbes: 1 } },
      machine: { memoryReads: 1 },
      copies: { [A]: "" },
    },
  },
  {
    asks: "does DC IVAC drop dirty bytes, and is that a lost write that a later load sees?",
    rules: "D27 D32 D31",
    machine: single,
    records: [store(0, A), dc.ivac(0, A), load(0, A)],
    expect: {
      copies: { [A]: "L1D E, L2 E" },
      machine: { memoryReads: 2 },
      value: 0n,
      hazards: [
        { class: "lost-write", line: A, newest: 0, writer: 0, observer: 0, record: 1, occurrences: 1 },
        {
          class: "stale-read", line: A, newest: 0, writer: 0, observer: 0, record: 2,
          observed: 0n, expected: 1n, source: "memory", newestAt: "nowhere", lostAt: 1,
        },
      ],
    },
  },
  {
    asks: "does DC IVAC clean where invalidateCleans says so?",
    rules: "D27 R22",
    machine: { ...single, invalidateCleans: true },
    records: [store(0, A), dc.ivac(0, A), load(0, A)],
    expect: { words: { memory: { [A]: 1n } }, value: 1n, hazards: [], machine: { memoryReads: 2, memoryWrites: 1 } },
  },
  {
    asks: "does DC CIVAC lay dirty bytes of inner copies over those of outer ones?",
    rules: "D27 R50",
    machine: { ...single, l1d: oneSet(1) },
    // Word 0 is dirty in the L2 (written back at B), then word 8 in the L1D again.
    records: [store(0, A), load(0, B), store(0, A + 8), dc.civac(0, A)],
    expect: {
      words: { memory: { [A]: 1n, [A + 8]: 3n } },
      machine: { memoryReads: 2, memoryWrites: 1 },
      copies: { [A]: "" },
      hazards: [],
    },
  },
  {
    asks: "does maintenance by VA reach a system cache?",
    rules: "D27 R4 R21",
    machine: withSystemCache,
    records: [load(0, A), dc.civac(0, A)],
    expect: {
      caches: { L3: { loads: 1, loadMisses: 1, maintenanceProbes: 1 } },
      copies: { [A]: "" },
    },
  },
  {
    asks: "does maintenance by VA reach cached lines when the core's own accesses are Non-cacheable?",
    rules: "D27 R21",
    machine: single,
    records: [store(0, A), sctlr(0, "MI"), dc.civac(0, A)],
    expect: { copies: { [A]: "" }, words: { memory: { [A]: 1n } }, hazards: [] },
  },
  {
    asks: "does maintenance by VA stay on the core's own path for a Non-shareable address?",
    rules: "D27",
    machine: pair,
    records: [store(1, A), dc.civac(0, A, { attribute: "WRITE_BACK_NON_SHAREABLE" })],
    expect: {
      caches: { "L1D.1": { stores: 1, storeMisses: 1 }, L2: { stores: 1, storeMisses: 1, maintenanceProbes: 1 } },
      copies: { [A]: "L1D.1 M" },
      words: { memory: { [A]: 0n } },
    },
  },
  {
    asks: "is a Non-shareable address Outer Shareable while the MMU is off?",
    rules: "D8 D27 R21",
    machine: pair,
    records: [store(1, A), sctlr(0, "I"), dc.civac(0, A, { attribute: "WRITE_BACK_NON_SHAREABLE" })],
    expect: { copies: { [A]: "" }, words: { memory: { [A]: 1n } } },
  },
  {
    asks: "does DC CVAU clean the L1D to the L2 and no further?",
    rules: "D27 D18 R50",
    machine: singleWithFetch,
    records: [store(0, A), dc.cvau(0, A)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, writebacksIn: 1 },
      },
      copies: { [A]: "L1D E, L2 M" },
      machine: { memoryReads: 1 },
      words: { L2: { [A]: 1n }, memory: { [A]: 0n } },
    },
  },
  {
    asks: "does DC CVAU clean other cores' data caches too?",
    rules: "D27 R50",
    machine: pairWithFetch,
    records: [store(1, A), dc.cvau(0, A)],
    expect: {
      caches: { "L1D.0": {}, "L1D.1": { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 } },
      copies: { [A]: "L1D.1 E, L2 M" },
    },
  },
  {
    asks: "does DC CVAU do nothing where instruction fetches see data caches?",
    rules: "D27 R35",
    machine: { ...singleWithFetch, idc: true },
    records: [store(0, A), dc.cvau(0, A)],
    expect: { caches: { L1D: { stores: 1, storeMisses: 1 } }, copies: { [A]: "L1D M, L2 E" } },
  },
  {
    asks: "does DC CVAU write to memory where no cache unifies the sides?",
    rules: "D18 D27",
    machine: { cores: 1, l1i: oneSet(2), l1d: oneSet(2) },
    records: [store(0, A), dc.cvau(0, A), fetch(0, A)],
    expect: { copies: { [A]: "L1I S, L1D E" }, words: { memory: { [A]: 1n } }, value: 1n },
  },
  {
    asks: "does IC IVAU remove the line from every L1I of the domain, and nothing else?",
    rules: "D27 R23",
    machine: pairWithFetch,
    records: [fetch(0, A), fetch(1, A), ic.ivau(0, A)],
    expect: { copies: { [A]: "L2 E" }, caches: { "L1I.1": { fetches: 1, fetchMisses: 1, maintenanceProbes: 1 } } },
  },
  {
    asks: "does IC IALLU empty the own L1I only?",
    rules: "D27 R23",
    machine: pairWithFetch,
    records: [fetch(0, A), fetch(1, A), fetch(0, B), ic.iallu(0)],
    expect: { copies: { [A]: "L1I.1 S, L2 E", [B]: "L2 E" }, events: { 0: { memory: 2, maintenance: 1 } } },
  },
  {
    asks: "does IC IALLUIS empty every L1I?",
    rules: "D27 R23",
    machine: pairWithFetch,
    records: [fetch(0, A), fetch(1, A), ic.ialluis(0)],
    expect: { copies: { [A]: "L2 E" } },
  },
  {
    asks: "does DC ZVA store zeroes over its whole aligned block?",
    rules: "D6 R21",
    machine: { ...single, zva: 128 },
    records: [store(0, A), store(0, B + 56), dc.zva(0, B + 8), load(0, B + 56)],
    expect: {
      caches: { L1D: { stores: 4, storeMisses: 2, loads: 1 } },
      words: { truth: { [A]: 0n, [B + 56]: 0n }, L1D: { [A]: 0n } },
      value: 0n,
      hazards: [],
    },
  },
  {
    asks: "does an inclusive L2's copy go without counting back-invalidations when by-VA names the inner copies itself?",
    rules: "D19 D27",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 4, { data: "inclusive" })] },
    records: [store(0, A), dc.civac(0, A)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, maintenanceProbes: 1 },
      },
      words: { memory: { [A]: 1n } },
    },
  },
];
