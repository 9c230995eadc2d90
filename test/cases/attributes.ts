/** Memory attributes, SCTLR overrides, Non-cacheable options, split cacheability, MMIO (D8, D20, D21, D24, D26, R8, R9, R13 to R16). */
import { atomic, dc, evict, load, sctlr, store } from "../../src/engine/record.ts";
import type { MachineSpec } from "../properties/machines.ts";
import type { Case } from "./case.ts";
import { A, B, FAR, level, oneSet, pair, single, twoSockets, withSystemCache } from "./small-machines.ts";

const nonCacheable = { attribute: "NON_CACHEABLE" } as const;
const writeThrough = { attribute: "WRITE_THROUGH" } as const;
const innerThroughOuterBack = { attribute: "INNER_WT_OUTER_WB" } as const;
const innerOnly = { attribute: "INNER_WB_OUTER_NC" } as const;
const outerOnly = { attribute: "INNER_NC_OUTER_WB" } as const;
const split: MachineSpec = { ...withSystemCache, cacheability: "split" };
const MMIO = 0x20_0000;
const withMmio: MachineSpec = {
  ...single,
  memory: [
    { base: 0, size: 0x1_0000 },
    { base: MMIO, size: 0x1000, type: "device" },
  ],
};

export const attributes: readonly Case[] = [
  {
    asks: "does a Non-cacheable load bypass every cache?",
    rules: "D24 R14",
    machine: single,
    records: [load(0, A, nonCacheable)],
    expect: {
      caches: { L1D: {}, L2: {} },
      machine: { memoryReads: 1, uncachedReads: 1 },
      events: { 0: { uncached: 1 } },
      hits: { 0: {} },
      copies: { [A]: "" },
      hazards: [],
    },
  },
  {
    asks: "does a Non-cacheable store write its bytes to memory?",
    rules: "D24 R14",
    machine: single,
    records: [store(0, A + 8, nonCacheable)],
    expect: {
      machine: { memoryWrites: 1, uncachedWrites: 1 },
      words: { memory: { [A]: 0n, [A + 8]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does a Non-cacheable load miss what a cache holds dirty?",
    rules: "D24 D31 D33",
    machine: single,
    records: [store(0, A), load(0, A, nonCacheable)],
    expect: {
      value: 0n,
      copies: { [A]: "L1D M, L2 E" },
      hazards: [
        {
          class: "stale-read",
          newest: 0,
          writer: 0,
          writerAttribute: 2,
          observer: 0,
          record: 1,
          attribute: 1,
          observed: 0n,
          expected: 1n,
          source: "memory",
          newestAt: { cache: 0 },
          lostAt: -1,
        },
        { class: "mismatched-attributes", line: A, newest: -1, observer: 0, record: 1, occurrences: 1 },
      ],
    },
  },
  {
    asks: "does a writeback overwrite what a Non-cacheable store put underneath?",
    rules: "R20 D32",
    machine: single,
    records: [store(0, A), store(0, A + 8, nonCacheable), dc.cvac(0, A), load(0, A + 8)],
    expect: {
      words: { memory: { [A]: 1n, [A + 8]: 0n }, truth: { [A]: 1n, [A + 8]: 2n } },
      hazards: [
        { class: "mismatched-attributes", record: 1, observer: 0 },
        { class: "lost-write", line: A, newest: 1, writer: 0, writerAttribute: 1, observer: 0, record: 2 },
        { class: "stale-read", newest: 1, record: 3, address: A + 8, observed: 0n, expected: 2n, lostAt: 2 },
      ],
    },
  },
  {
    asks: "does a cached load after a Non-cacheable store hit the old copy?",
    rules: "D24 D31",
    machine: single,
    records: [load(0, A), store(0, A, nonCacheable), load(0, A)],
    expect: {
      value: 0n,
      hazards: [
        { class: "mismatched-attributes", record: 1 },
        {
          class: "stale-read",
          newest: 1,
          record: 2,
          observed: 0n,
          expected: 2n,
          source: { cache: 0 },
          newestAt: "memory",
        },
      ],
    },
  },
  {
    asks: "does clearing SCTLR.C bypass the caches without emptying them?",
    rules: "D8 R9",
    machine: single,
    records: [store(0, A), sctlr(0, "MI"), load(0, A), sctlr(0, "MCI"), load(0, A)],
    expect: {
      copies: { [A]: "L1D M, L2 E" },
      hits: { 0: { L1D: 1 } },
      machine: { memoryReads: 2, uncachedReads: 1 },
      value: 1n,
      hazards: [
        { class: "stale-read", record: 2, attribute: 1 },
        { class: "mismatched-attributes", record: 2 },
      ],
    },
  },
  {
    asks: "is all data Device while the MMU is off, whatever the record says?",
    rules: "D8 R8",
    machine: { ...single, sctlr: 0x1004 },
    records: [store(0, A, { attribute: "WRITE_BACK" }), load(0, A)],
    expect: {
      caches: { L1D: {}, L2: {} },
      machine: { memoryReads: 1, memoryWrites: 1, uncachedReads: 1, uncachedWrites: 1 },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "is SCTLR each core's own?",
    rules: "D8 R9",
    machine: pair,
    records: [sctlr(0, ""), load(0, A), load(1, A)],
    expect: { caches: { "L1D.0": {}, "L1D.1": { loads: 1, loadMisses: 1 } } },
  },
  {
    asks: "is Write-Through data Non-cacheable under wb-only?",
    rules: "D8 R34",
    machine: single,
    records: [
      load(0, A, writeThrough),
      store(0, A, innerThroughOuterBack),
      load(0, A, innerOnly),
      load(0, A, outerOnly),
    ],
    expect: {
      caches: { L1D: {}, L2: {} },
      machine: { memoryReads: 3, memoryWrites: 1, uncachedReads: 3, uncachedWrites: 1 },
      value: 2n,
    },
  },
  {
    asks: "is an uncached access to the other socket's memory priced as remote?",
    rules: "D36 D37",
    machine: twoSockets,
    records: [load(0, FAR, nonCacheable)],
    expect: { events: { 0: { uncachedRemote: 1 } }, machine: { memoryReads: 1, uncachedReads: 1, crossings: 1 } },
  },
  {
    asks: "does ncLookup serve a Non-cacheable load from the first holder?",
    rules: "D24 R14",
    machine: { ...single, ncLookup: true },
    records: [store(0, A), load(0, A, nonCacheable)],
    expect: {
      machine: { memoryReads: 1, unexpectedHits: 1 },
      value: 1n,
      hazards: [{ class: "mismatched-attributes", record: 1 }],
    },
  },
  {
    asks: "does ncLookup let a Non-cacheable store change the copy it hits?",
    rules: "D24 R14",
    machine: { ...single, ncLookup: true },
    records: [load(0, A), store(0, A, nonCacheable), load(0, A)],
    expect: {
      machine: { memoryReads: 1, unexpectedHits: 1 },
      copies: { [A]: "L1D M, L2 E" },
      words: { memory: { [A]: 0n } },
      value: 2n,
      hazards: [{ class: "mismatched-attributes", record: 1 }],
    },
  },
  {
    asks: "does ncLookup that finds nothing go to memory?",
    rules: "D24",
    machine: { ...single, ncLookup: true },
    records: [load(0, A, nonCacheable)],
    expect: { machine: { memoryReads: 1, uncachedReads: 1 } },
  },
  {
    asks: "does ncSnoops clean and invalidate before a Non-cacheable access?",
    rules: "D24 R14",
    machine: { ...single, ncSnoops: true },
    records: [store(0, A), load(0, A, nonCacheable)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1, writebacksOut: 1 }, L2: { stores: 1, storeMisses: 1 } },
      copies: { [A]: "" },
      machine: { memoryReads: 2, memoryWrites: 1, uncachedReads: 1 },
      value: 1n,
      hazards: [{ class: "mismatched-attributes", record: 1 }],
    },
  },
  {
    asks: "does MMIO read as zero and store nothing?",
    rules: "D7",
    machine: withMmio,
    records: [store(0, MMIO), load(0, MMIO)],
    expect: { caches: { L1D: {}, L2: {} }, copies: { [MMIO]: "" }, value: 0n, hazards: [] },
  },
  {
    asks: "does a Non-cacheable atomic fail where the machine says fail?",
    rules: "D26 R17",
    machine: { ...single, ncAtomics: "fail" },
    records: [store(0, A, nonCacheable), atomic(0, A, nonCacheable)],
    expect: {
      machine: { memoryWrites: 1, uncachedWrites: 1, atomicFailures: 1 },
      words: { truth: { [A]: 1n }, memory: { [A]: 1n } },
    },
  },
  {
    asks: "does a Non-cacheable atomic read and write memory where the machine says memory?",
    rules: "D26 R17",
    machine: { ...single, ncAtomics: "memory" },
    records: [store(0, A, nonCacheable), atomic(0, A, nonCacheable)],
    expect: {
      machine: { memoryReads: 1, memoryWrites: 2, uncachedReads: 1, uncachedWrites: 2 },
      words: { truth: { [A]: 2n }, memory: { [A]: 2n } },
      value: 1n,
    },
  },
  {
    asks: "does inner Write-Back, outer Non-cacheable use the levels of CLIDR only?",
    rules: "D21 R15",
    machine: split,
    records: [load(0, A, innerOnly)],
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1 }, L2: { loads: 1, loadMisses: 1 }, L3: {} },
      copies: { [A]: "L1D E, L2 E" },
      machine: { memoryReads: 1 },
    },
  },
  {
    asks: "does inner Non-cacheable, outer Write-Back use system caches only?",
    rules: "D21 R15",
    machine: split,
    records: [load(0, A, outerOnly), store(0, B, outerOnly)],
    expect: {
      caches: { L1D: {}, L2: {}, L3: { loads: 1, loadMisses: 1, stores: 1, storeMisses: 1 } },
      copies: { [A]: "L3 E", [B]: "L3 M" },
      machine: { memoryReads: 2 },
    },
  },
  {
    asks: "is Normal Non-cacheable still Non-cacheable where cacheability is split?",
    rules: "D8 D21 D24",
    machine: split,
    records: [load(0, A, nonCacheable), sctlr(0, "MI"), store(0, B)],
    expect: {
      caches: { L1D: {}, L2: {}, L3: {} },
      machine: { memoryReads: 1, memoryWrites: 1, uncachedReads: 1, uncachedWrites: 1 },
      copies: { [A]: "", [B]: "" },
      hazards: [],
    },
  },
  {
    asks: "does a level that is exclusive of data not allocate even where it comes first?",
    rules: "D13 D16 D21",
    machine: {
      cores: 1,
      l1d: oneSet(2),
      levels: [level("L2", 4, { kind: "system", data: "exclusive" })],
      cacheability: "split",
    },
    records: [load(0, A, outerOnly), store(0, B, outerOnly)],
    expect: {
      caches: { L1D: {}, L2: { loads: 1, loadMisses: 1, stores: 1, storeMisses: 1 } },
      copies: { [A]: "", [B]: "" },
      words: { memory: { [B]: 2n } },
      hazards: [],
    },
  },
  {
    asks: "do Write-Through loads allocate where cacheability is split?",
    rules: "D21 R43",
    machine: split,
    records: [load(0, A, writeThrough)],
    expect: { copies: { [A]: "L1D E, L2 E, L3 E" } },
  },
  {
    asks: "does a Write-Through store update its path's copies in place and write memory?",
    rules: "D21 R43",
    machine: split,
    records: [load(0, A), store(0, A, writeThrough)],
    expect: {
      caches: {
        L1D: { loads: 1, loadMisses: 1, stores: 1 },
        L2: { loads: 1, loadMisses: 1 },
        L3: { loads: 1, loadMisses: 1 },
      },
      copies: { [A]: "L1D E, L2 E, L3 E" },
      machine: { memoryReads: 1, memoryWrites: 1 },
      words: { L1D: { [A]: 2n }, L2: { [A]: 2n }, L3: { [A]: 2n }, memory: { [A]: 2n } },
      hazards: [],
    },
  },
  {
    asks: "does a Write-Through store that misses allocate nothing?",
    rules: "D21 R43",
    machine: split,
    records: [store(0, A, writeThrough)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1 }, L2: {}, L3: {} },
      copies: { [A]: "" },
      machine: { memoryWrites: 1 },
      words: { memory: { [A]: 1n } },
    },
  },
  {
    asks: "does a Write-Through store leave a dirty copy dirty?",
    rules: "D21 R43",
    machine: split,
    records: [store(0, A), store(0, A + 8, writeThrough)],
    expect: {
      copies: { [A]: "L1D M, L2 E, L3 E" },
      words: { L1D: { [A]: 1n, [A + 8]: 2n }, memory: { [A]: 0n, [A + 8]: 2n } },
      hazards: [],
    },
  },
  {
    asks: "does an outer Write-Back store stop at a system cache that holds the line?",
    rules: "D21 R43",
    machine: split,
    records: [load(0, A), store(0, A, innerThroughOuterBack)],
    expect: {
      copies: { [A]: "L1D E, L2 E, L3 M" },
      machine: { memoryReads: 1 },
      words: { L1D: { [A]: 2n }, L3: { [A]: 2n }, memory: { [A]: 0n } },
      hazards: [],
    },
  },
  {
    asks: "does a Write-Through store remove other cores' copies, writing dirty ones to memory?",
    rules: "D21 R43",
    machine: { ...pair, cacheability: "split" },
    records: [store(0, A), store(1, A + 8, writeThrough)],
    expect: {
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1, invalidations: 1 },
        "L1D.1": { stores: 1, storeMisses: 1 },
      },
      words: { memory: { [A]: 1n, [A + 8]: 2n } },
    },
  },
  {
    asks: "does an eviction after the caches went off still write the line back?",
    rules: "R9 D15",
    machine: single,
    records: [store(0, A), sctlr(0, ""), evict(0, A), evict(0, A)],
    expect: { words: { memory: { [A]: 1n } }, copies: { [A]: "" } },
  },
];
