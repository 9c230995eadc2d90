/** Cores among themselves: owners, peers, upgrades, protocols, sockets, sized directories, Non-shareable copies (D4, D9 to D12, D20, D25). */
import { atomic, dc, evict, load, prefetch, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, FAR, level, oneSet, pair, pairMesi, twoSockets } from "./small-machines.ts";

const nonShareable = { attribute: "WRITE_BACK_NON_SHAREABLE" } as const;

export const coherence: readonly Case[] = [
  {
    asks: "does a load of another core's dirty line make it Owned in MOESI?",
    rules: "D10 D11 R17",
    machine: pair,
    records: [store(0, A), load(1, A)],
    expect: {
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1 },
        "L1D.1": { loads: 1, loadMisses: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1 },
      },
      copies: { [A]: "L1D.0 O, L1D.1 S, L2 E" },
      events: { 0: { memory: 1 }, 1: { snoop: 1 } },
      hits: { 1: {} },
      words: { "L1D.1": { [A]: 1n }, L2: { [A]: 0n } },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does an older dirty copy leave its dirtiness behind when it moves inwards beside a MOESI owner?",
    rules: "D10 R17",
    machine: { cores: 3, l1d: oneSet(2), levels: [level("L3", 2, { data: "exclusive" })] },
    records: [store(0, A), load(1, A), evict(0, A), store(1, A), load(2, A)],
    expect: {
      copies: { [A]: "L1D.1 O, L1D.2 S" },
      words: { "L1D.1": { [A]: 4n }, "L1D.2": { [A]: 4n } },
      value: 4n,
      hazards: [],
    },
  },
  {
    asks: "does MESI write the owner's bytes to the level above both?",
    rules: "D10 D11 R33",
    machine: pairMesi,
    records: [store(0, A), load(1, A)],
    expect: {
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1 },
      },
      copies: { [A]: "L1D.0 S, L1D.1 S, L2 M" },
      words: { L2: { [A]: 1n }, memory: { [A]: 0n } },
      machine: { memoryReads: 1 },
      value: 1n,
    },
  },
  {
    asks: "does a clean exclusive copy supply, and become shared?",
    rules: "D10 D11",
    machine: pair,
    records: [load(0, A), load(1, A)],
    expect: {
      caches: { "L1D.0": { loads: 1, loadMisses: 1, snoopsIn: 1 } },
      copies: { [A]: "L1D.0 S, L1D.1 S, L2 E" },
      events: { 1: { snoop: 1 } },
    },
  },
  {
    asks: "are copies that are shared already left alone by a load?",
    rules: "D10 D11",
    machine: { ...pair, cores: 3 },
    records: [load(0, A), load(1, A), load(2, A)],
    expect: {
      caches: { "L1D.0": { loads: 1, loadMisses: 1, snoopsIn: 1 }, "L1D.1": { loads: 1, loadMisses: 1 } },
      copies: { [A]: "L1D.0 S, L1D.1 S, L1D.2 S, L2 E" },
      events: { 2: {} },
      hits: { 2: { L2: 1 } },
    },
  },
  {
    asks: "does a store to a shared copy upgrade it and remove the others?",
    rules: "D9 climb",
    machine: pair,
    records: [load(0, A), load(1, A), store(0, A)],
    expect: {
      caches: {
        "L1D.0": { loads: 1, loadMisses: 1, stores: 1, snoopsIn: 1, upgrades: 1 },
        "L1D.1": { loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1 },
        L2: { loads: 2, loadMisses: 1 },
      },
      copies: { [A]: "L1D.0 M, L2 E" },
      events: { 0: { memory: 1, snoop: 1 }, 1: { snoop: 1 } },
      hits: { 0: { L1D: 1 } },
    },
  },
  {
    asks: "does a store miss take the line and its bytes from the owner?",
    rules: "D10 D11",
    machine: pair,
    records: [store(0, A), store(1, A + 8)],
    expect: {
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1, invalidations: 1 },
        "L1D.1": { stores: 1, storeMisses: 1 },
        L2: { stores: 2, storeMisses: 1 },
      },
      copies: { [A]: "L1D.1 M, L2 E" },
      events: { 1: { snoop: 1 } },
      words: { "L1D.1": { [A]: 1n, [A + 8]: 2n }, L2: { [A]: 0n } },
      hazards: [],
    },
  },
  {
    asks: "does a store miss in MESI leave the old owner's bytes in the L2, dirty?",
    rules: "D10 D11",
    machine: pairMesi,
    records: [store(0, A), store(1, A + 8)],
    expect: {
      copies: { [A]: "L1D.1 M, L2 M" },
      words: { "L1D.1": { [A]: 1n, [A + 8]: 2n }, L2: { [A]: 1n, [A + 8]: 0n } },
    },
  },
  {
    asks: "does an Owned line stay the supplier, and lose to an upgrade of a sharer?",
    rules: "D4 D11 climb",
    machine: pair,
    // Core 1's upgrade removes the Owned copy; core 1 has the same bytes.
    records: [store(0, A), load(1, A), store(1, A + 8)],
    expect: {
      copies: { [A]: "L1D.1 M, L2 E" },
      words: { "L1D.1": { [A]: 1n, [A + 8]: 3n } },
      hazards: [],
    },
  },
  {
    asks: "do private L2s under a shared L3 hand a line over below it?",
    rules: "D10 D11",
    machine: {
      cores: 2,
      l1d: oneSet(2),
      levels: [level("L2", 4, { per: "core" }), level("L3", 8)],
    },
    records: [store(0, A), load(1, A)],
    expect: {
      // Of the peers the L1D is dirty and first; the L2 beside it is an owner too (E) and is snooped.
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1 },
        "L2.0": { stores: 1, storeMisses: 1, snoopsIn: 1 },
        "L2.1": { loads: 1, loadMisses: 1 },
        L3: { stores: 1, storeMisses: 1, loads: 1 },
      },
      copies: { [A]: "L1D.0 O, L1D.1 S, L2.0 S, L2.1 S, L3 E" },
      value: 1n,
    },
  },
  {
    asks: "does a read across sockets write dirty bytes to the home once?",
    rules: "D12 D37 R33",
    machine: twoSockets,
    records: [store(0, A), load(1, A)],
    expect: {
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1 },
        "L2.0": { stores: 1, storeMisses: 1, snoopsIn: 1, writebacksOut: 1 },
        "L2.1": { loads: 1, loadMisses: 1 },
      },
      copies: { [A]: "L1D.0 S, L1D.1 S, L2.0 S, L2.1 S" },
      // Two snooped copies, and the write of socket 0's memory by core 1's record.
      machine: { memoryReads: 1, memoryWrites: 1, crossings: 3 },
      events: { 1: { snoopRemote: 1, writeback: 1 } },
      words: { memory: { [A]: 1n }, "L2.0": { [A]: 1n } },
      value: 1n,
    },
  },
  {
    asks: "does the L1D that has the newest bytes supply, not the shared L2 outside it?",
    rules: "D3 D12",
    machine: { ...twoSockets, cores: 4 },
    // The L2 of socket 0 gets core 0's bytes at its eviction; then core 1, whose number is higher than the L2's lowest, writes.
    records: [store(0, A), evict(0, A), store(1, A), load(2, A)],
    expect: { value: 3n, words: { memory: { [A]: 3n } }, hazards: [] },
  },
  {
    asks: "does a store across sockets remove every copy of the other side?",
    rules: "D12",
    machine: twoSockets,
    records: [store(0, A), store(1, A + 8)],
    expect: {
      caches: {
        "L1D.0": { stores: 1, storeMisses: 1, snoopsIn: 1, invalidations: 1 },
        "L2.0": { stores: 1, storeMisses: 1, snoopsIn: 1, invalidations: 1, writebacksOut: 1 },
      },
      copies: { [A]: "L1D.1 M, L2.1 E" },
      machine: { memoryReads: 1, memoryWrites: 1, crossings: 3 },
      words: { "L1D.1": { [A]: 1n, [A + 8]: 2n } },
      hazards: [],
    },
  },
  {
    asks: "does an upgrade climb past the root to the other socket?",
    rules: "climb D12",
    machine: twoSockets,
    records: [load(0, A), load(1, A), store(0, A)],
    expect: {
      caches: {
        "L1D.0": { loads: 1, loadMisses: 1, stores: 1, snoopsIn: 1, upgrades: 1 },
        "L2.0": { loads: 1, loadMisses: 1, snoopsIn: 1 },
        "L1D.1": { loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1 },
        "L2.1": { loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1 },
      },
      copies: { [A]: "L1D.0 M, L2.0 E" },
      machine: { memoryReads: 1, crossings: 4 },
      events: { 0: { memory: 1, snoopRemote: 1 }, 1: { snoopRemote: 1 } },
      hits: { 0: { L1D: 1 } },
    },
  },
  {
    asks: "is a root's label made exact when the other socket's copies are gone?",
    rules: "D10",
    machine: twoSockets,
    records: [load(0, A), load(1, A), evict(1, A), evict(1, A), evict(0, A), load(0, A)],
    expect: { copies: { [A]: "L1D.0 E, L2.0 E" }, hits: { 0: { L2: 1 } } },
  },
  {
    asks: "does a remote read of unshared memory cross once and cost remote memory?",
    rules: "D36 D37",
    machine: twoSockets,
    records: [load(0, FAR)],
    expect: {
      machine: { memoryReads: 1, crossings: 1 },
      events: { 0: { memoryRemote: 1 } },
      copies: { [FAR]: "L1D.0 E, L2.0 E" },
    },
  },
  {
    asks: "does a peer whose line is smaller than the range write its dirty bytes to memory first?",
    rules: "D11 D12",
    machine: {
      ...twoSockets,
      l1d: oneSet(2, { line: 32 }),
      levels: [level("L2", 4, { line: 64 })],
    },
    // L1D.0's 32 bytes don't cover L2.1's 64: they are written to memory and refresh the L2 beside them, which supplies.
    records: [store(0, A), load(1, A + 32), load(1, A)],
    expect: {
      words: { memory: { [A]: 1n }, "L2.0": { [A]: 1n }, "L2.1": { [A]: 1n } },
      machine: { memoryReads: 1, memoryWrites: 1, crossings: 3 },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does a sized directory's eviction remove the line it forgets?",
    rules: "D25",
    machine: {
      cores: 1,
      l1d: oneSet(2),
      levels: [level("L2", 4)],
      directory: { sets: 1, ways: 1 },
    },
    records: [load(0, A), load(0, B), load(0, A)],
    expect: {
      caches: {
        L1D: { loads: 3, loadMisses: 3, backInvalidations: 2 },
        L2: { loads: 3, loadMisses: 3, backInvalidations: 2 },
      },
      machine: { memoryReads: 3, directoryEvictions: 2 },
      copies: { [A]: "L1D E, L2 E", [B]: "" },
    },
  },
  {
    asks: "does a sized directory write back the dirty line that it removes?",
    rules: "D25",
    machine: {
      cores: 1,
      l1d: oneSet(2),
      levels: [level("L2", 4)],
      directory: { sets: 1, ways: 1 },
    },
    records: [store(0, A), load(0, B)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, backInvalidations: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, backInvalidations: 1 },
      },
      machine: { memoryReads: 2, memoryWrites: 1, directoryEvictions: 1 },
      words: { memory: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does a directory entry survive while its set has room?",
    rules: "D25",
    machine: { cores: 1, l1d: oneSet(4), levels: [level("L2", 4)], directory: { sets: 2, ways: 1 } },
    records: [load(0, A), load(0, B), load(0, A)],
    expect: { machine: { memoryReads: 2 }, hits: { 0: { L1D: 1 } } },
  },
  {
    asks: "does a Non-shareable store leave another core's copy standing, stale?",
    rules: "D20 R42",
    machine: pair,
    records: [load(0, A), store(1, A, nonShareable), load(0, A)],
    expect: {
      caches: {
        "L1D.0": { loads: 2, loadMisses: 1 },
        "L1D.1": { stores: 1, storeMisses: 1 },
        L2: { loads: 1, loadMisses: 1, stores: 1 },
      },
      copies: { [A]: "L1D.0 E, L1D.1 M, L2 E" },
      value: 0n,
      hazards: [
        {
          class: "stale-read",
          newest: 1,
          writer: 1,
          writerAttribute: 3,
          observer: 0,
          record: 2,
          observed: 0n,
          expected: 2n,
        },
      ],
    },
  },
  {
    asks: "does a shareable load find a Non-shareable store's copy?",
    rules: "D20 R42",
    machine: pair,
    records: [store(0, A, nonShareable), load(1, A)],
    expect: { value: 1n, hazards: [], copies: { [A]: "L1D.0 O, L1D.1 S, L2 E" } },
  },
  {
    asks: "does the last writeback of two Non-shareable Modified copies win?",
    rules: "D20 D32 R42",
    machine: pair,
    records: [store(0, A, nonShareable), store(1, A + 8, nonShareable), evict(0, A), evict(1, A), load(0, A)],
    expect: {
      words: { L2: { [A]: 0n, [A + 8]: 2n } },
      hazards: [
        { class: "lost-write", line: A, newest: 0, writer: 0, observer: 1, record: 3 },
        { class: "stale-read", line: A, newest: 0, observer: 0, record: 4, observed: 0n, expected: 1n, lostAt: 3 },
      ],
    },
  },
  {
    asks: "does an atomic take the line exclusively and observe the old bytes?",
    rules: "D26 R17",
    machine: pair,
    records: [store(0, A, { value: 5n }), atomic(1, A, { value: 9n })],
    expect: {
      copies: { [A]: "L1D.1 M, L2 E" },
      caches: { "L1D.1": { stores: 1, storeMisses: 1 } },
      words: { truth: { [A]: 9n }, "L1D.1": { [A]: 9n } },
      value: 5n,
      hazards: [],
    },
  },
  {
    asks: "does an evicted event take the innermost holder as replacement would?",
    rules: "D26 D15",
    machine: pair,
    records: [store(0, A), evict(0, A)],
    expect: {
      caches: { "L1D.0": { stores: 1, storeMisses: 1, evictions: 1, writebacksOut: 1 } },
      copies: { [A]: "L2 M" },
    },
  },
  {
    asks: "does a prefetch fill like a load and observe nothing?",
    rules: "D26 R19",
    machine: pair,
    records: [prefetch(0, A), load(0, A)],
    expect: {
      caches: { "L1D.0": { loads: 2, loadMisses: 1 } },
      hits: { 0: { L1D: 1 } },
    },
  },
  {
    asks: "does a prefetch of Non-cacheable memory do nothing?",
    rules: "D26",
    machine: pair,
    records: [prefetch(0, A, { attribute: "NON_CACHEABLE" })],
    expect: { caches: { "L1D.0": {} }, machine: {}, copies: { [A]: "" }, hazards: [] },
  },
  {
    asks: "does maintenance by one core reach another core's Owned copy?",
    rules: "D27",
    machine: pair,
    records: [store(0, A), load(1, A), dc.cvac(1, A)],
    expect: { copies: { [A]: "L1D.0 S, L1D.1 S, L2 E" }, words: { memory: { [A]: 1n } } },
  },
];
