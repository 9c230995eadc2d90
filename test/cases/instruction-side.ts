/** Fetches: where they look, what they don't see, and the ways to make them see it (D8, D23, R18, R35). */
import { dc, dsb, fetch, ic, isb, load, sctlr, speculativeFetch, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, level, oneSet, pairWithFetch, singleWithFetch } from "./small-machines.ts";

export const instructionSide: readonly Case[] = [
  {
    asks: "does a fetch miss fill L1I and L2 and leave the L1D alone?",
    rules: "D23",
    machine: singleWithFetch,
    records: [fetch(0, A), fetch(0, A + 4)],
    expect: {
      caches: { L1I: { fetches: 2, fetchMisses: 1 }, L1D: {}, L2: { fetches: 1, fetchMisses: 1 } },
      copies: { [A]: "L1I S, L2 E" },
      events: { 0: { memory: 1 } },
      hits: { 0: { L1I: 1 } },
    },
  },
  {
    asks: "does a speculative fetch fill like a fetch and observe nothing?",
    rules: "D26 R19",
    machine: singleWithFetch,
    records: [store(0, A), load(0, A), speculativeFetch(0, A)],
    expect: {
      caches: {
        L1I: { fetches: 1, fetchMisses: 1 },
        L1D: { loads: 1, stores: 1, storeMisses: 1 },
        L2: { stores: 1, storeMisses: 1, fetches: 1 },
      },
      copies: { [A]: "L1I S, L1D M, L2 E" },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does a core whose MMU is off speculate old code into its L1I?",
    rules: "D26 D8 R34",
    machine: singleWithFetch,
    records: [store(0, A), sctlr(0, "I"), speculativeFetch(0, A), sctlr(0, "MCI"), fetch(0, A)],
    expect: { value: 0n, hazards: [{ class: "stale-fetch", newest: 0, observer: 0, record: 4 }] },
  },
  {
    asks: "does a speculative fetch that would fill nothing do nothing?",
    rules: "D26",
    machine: singleWithFetch,
    records: [
      speculativeFetch(0, A, { attribute: "NON_CACHEABLE" }),
      sctlr(0, "MC"),
      speculativeFetch(0, A),
      sctlr(0, "C"),
      speculativeFetch(0, A),
    ],
    expect: { caches: { L1I: {} }, machine: {}, copies: { [A]: "" }, hazards: [] },
  },
  {
    asks: "does an L1I keep old bytes when data is written?",
    rules: "D23 D31 R18",
    machine: singleWithFetch,
    records: [fetch(0, A), store(0, A), fetch(0, A)],
    expect: {
      copies: { [A]: "L1I S, L1D M, L2 E" },
      value: 0n,
      hazards: [
        { class: "stale-fetch", line: A, newest: 1, writer: 0, observer: 0, record: 2, observed: 0n, expected: 2n },
      ],
    },
  },
  {
    asks: "does a fetch miss pass the core's own dirty L1D by?",
    rules: "D23 R35",
    machine: singleWithFetch,
    records: [store(0, A), fetch(0, A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1 }, L2: { stores: 1, storeMisses: 1, fetches: 1 } },
      hits: { 0: { L2: 1 } },
      value: 0n,
      hazards: [{ class: "stale-fetch", newest: 0, observer: 0, record: 1 }],
    },
  },
  {
    asks: "does a fetch miss ask the own L1D where IDC is effective?",
    rules: "D23 R35",
    machine: { ...singleWithFetch, idc: true },
    records: [store(0, A), fetch(0, A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1, snoopsIn: 1 } },
      copies: { [A]: "L1I S, L1D O, L2 E" },
      events: { 0: { memory: 1, snoop: 1 } },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does a fetch miss see another core's dirty L1D under the same L2?",
    rules: "D23 D10",
    machine: pairWithFetch,
    records: [store(1, A), fetch(0, A)],
    expect: {
      caches: { "L1D.1": { stores: 1, storeMisses: 1, snoopsIn: 1 } },
      copies: { [A]: "L1I.0 S, L1D.1 O, L2 E" },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does a store remove L1I copies of all cores where DIC is set?",
    rules: "D23 R18",
    machine: { ...pairWithFetch, dic: true },
    records: [fetch(0, A), fetch(1, A), store(0, A)],
    expect: {
      caches: {
        "L1I.0": { fetches: 1, fetchMisses: 1, invalidations: 1 },
        "L1I.1": { fetches: 1, fetchMisses: 1, invalidations: 1 },
      },
      copies: { [A]: "L1D.0 M, L2 E" },
    },
  },
  {
    asks: "does the architecture's sequence for new code make it visible?",
    rules: "D23 D27 D34 R25",
    machine: singleWithFetch,
    records: [fetch(0, A), store(0, A), dc.cvau(0, A), dsb(0), ic.ivau(0, A), dsb(0), isb(0), fetch(0, A)],
    expect: { value: 2n, hazards: [] },
  },
  {
    asks: "is IC IVAU without DC CVAU not enough?",
    rules: "D23 D31",
    machine: singleWithFetch,
    records: [fetch(0, A), store(0, A), ic.ivau(0, A), dsb(0), isb(0), fetch(0, A)],
    expect: {
      value: 0n,
      hazards: [{ class: "stale-fetch", newest: 1, record: 5, source: { cache: 2 }, newestAt: { cache: 1 } }],
    },
  },
  {
    asks: "does a fetch with the MMU off and I set allocate in the L1I alone?",
    rules: "D8 D23 R34",
    machine: singleWithFetch,
    records: [sctlr(0, "I"), fetch(0, A), fetch(0, A)],
    expect: {
      caches: { L1I: { fetches: 2, fetchMisses: 1 }, L2: {} },
      copies: { [A]: "L1I S" },
      hits: { 0: { L1I: 1 } },
      hazards: [],
    },
  },
  {
    asks: "does a fetch with the MMU off not see what the L2 holds?",
    rules: "D23 R34",
    machine: { ...singleWithFetch, l1d: oneSet(1) },
    records: [store(0, A), load(0, B), sctlr(0, "I"), fetch(0, A)],
    expect: {
      value: 0n,
      hazards: [{ class: "stale-fetch", newest: 0, record: 3, source: "memory", newestAt: { cache: 2 } }],
    },
  },
  {
    asks: "does a fetch with I clear bypass the L1I?",
    rules: "D8 D24 R9",
    machine: singleWithFetch,
    records: [fetch(0, A), sctlr(0, "MC"), fetch(0, A)],
    expect: {
      caches: { L1I: { fetches: 1, fetchMisses: 1 }, L2: { fetches: 1, fetchMisses: 1 } },
      machine: { memoryReads: 2, uncachedReads: 1 },
      copies: { [A]: "L1I S, L2 E" },
      events: { 0: { memory: 1, uncached: 1 } },
    },
  },
  {
    asks: "does an L2 that is inclusive of instructions take L1I copies away?",
    rules: "D19 R3",
    machine: { ...singleWithFetch, levels: [level("L2", 1, { instructions: "inclusive" })] },
    records: [fetch(0, A), load(0, B)],
    expect: {
      caches: { L1I: { fetches: 1, fetchMisses: 1, backInvalidations: 1 } },
      copies: { [A]: "", [B]: "L1D E, L2 E" },
    },
  },
  {
    asks: "does an L2 that is NINE for instructions leave L1I copies?",
    rules: "D19 R3",
    machine: { ...singleWithFetch, levels: [level("L2", 1, { data: "inclusive", instructions: "nine" })] },
    records: [fetch(0, A), load(0, B)],
    expect: { copies: { [A]: "L1I S", [B]: "L1D E, L2 E" } },
  },
  {
    asks: "does a level that is exclusive of instructions not fill for fetches?",
    rules: "D13",
    machine: { ...singleWithFetch, levels: [level("L2", 4, { instructions: "exclusive" })] },
    records: [fetch(0, A)],
    expect: { caches: { L2: { fetches: 1, fetchMisses: 1 } }, copies: { [A]: "L1I S" } },
  },
  {
    asks: "does a level that is exclusive of data keep its copy when a fetch hits?",
    rules: "D23 R41",
    machine: { ...singleWithFetch, l1d: oneSet(1), levels: [level("L2", 4, { data: "exclusive" })] },
    records: [store(0, A), load(0, B), fetch(0, A)],
    expect: { copies: { [A]: "L1I S, L2 M" }, value: 1n, hazards: [] },
  },
  {
    asks: "does a fetch go to the interconnect where no cache is unified?",
    rules: "D23 D12",
    machine: { cores: 2, l1i: oneSet(2), l1d: oneSet(2) },
    records: [store(1, A), fetch(0, A)],
    expect: {
      caches: { "L1D.1": { stores: 1, storeMisses: 1, snoopsIn: 1, writebacksOut: 1 } },
      copies: { [A]: "L1I.0 S, L1D.1 S" },
      words: { memory: { [A]: 1n } },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does an L1I with smaller lines than the L2 fetch its own line only?",
    rules: "D2 D23",
    machine: { ...singleWithFetch, l1i: oneSet(4, { line: 32 }) },
    records: [fetch(0, 0), fetch(0, 32), ic.ivau(0, 32)],
    expect: {
      caches: { L1I: { fetches: 2, fetchMisses: 2, maintenanceProbes: 1 }, L2: { fetches: 2, fetchMisses: 1 } },
      copies: { 0: "L1I S, L2 E", 32: "L2 E" },
    },
  },
  {
    asks: "does a full L1I drop a victim without telling anybody?",
    rules: "D15 D23",
    machine: { ...singleWithFetch, l1i: oneSet(1) },
    records: [fetch(0, A), fetch(0, B)],
    expect: {
      caches: { L1I: { fetches: 2, fetchMisses: 2, evictions: 1 }, L2: { fetches: 2, fetchMisses: 2 } },
      copies: { [A]: "L2 E", [B]: "L1I S, L2 E" },
    },
  },
];
