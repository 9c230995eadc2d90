/** Lookup outwards, fill inwards, victims, inclusion, write and allocation policies, line sizes (D1 to D3, D9, D10, D13 to D19). */
import { dc, load, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, C, D, FAR, level, oneSet, single, twoSockets, withSystemCache } from "./small-machines.ts";

export const hierarchy: readonly Case[] = [
  {
    asks: "does a first load miss everywhere and fill every level exclusively?",
    rules: "D9 D10 D12",
    machine: single,
    records: [load(0, A)],
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1 }, L2: { loads: 1, loadMisses: 1 } },
      machine: { memoryReads: 1 },
      events: { 0: { memory: 1 } },
      hits: { 0: {} },
      copies: { [A]: "L1D E, L2 E" },
      hazards: [],
    },
  },
  {
    asks: "does a second load stop at the L1D?",
    rules: "D9",
    machine: single,
    records: [load(0, A), load(0, A + 32)],
    expect: {
      caches: { L1D: { loads: 2, loadMisses: 1 }, L2: { loads: 1, loadMisses: 1 } },
      events: { 0: { memory: 1 } },
      hits: { 0: { L1D: 1 } },
    },
  },
  {
    asks: "is a clean victim of the L1D dropped and found again in the L2?",
    rules: "D9 D15",
    machine: single,
    records: [load(0, A), load(0, B), load(0, C), load(0, A)],
    expect: {
      caches: { L1D: { loads: 4, loadMisses: 4, evictions: 2 }, L2: { loads: 4, loadMisses: 3 } },
      hits: { 0: { L2: 1 } },
      copies: { [A]: "L1D E, L2 E", [B]: "L2 E", [C]: "L1D E, L2 E" },
      machine: { memoryReads: 3 },
    },
  },
  {
    asks: "does a store miss fetch the line and leave only the L1D dirty?",
    rules: "D9 D10",
    machine: single,
    records: [store(0, A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1 }, L2: { stores: 1, storeMisses: 1 } },
      machine: { memoryReads: 1 },
      copies: { [A]: "L1D M, L2 E" },
      dirty: { L1D: 1, L2: 0 },
      words: { memory: { [A]: 0n }, truth: { [A]: 1n }, L1D: { [A]: 1n }, L2: { [A]: 0n } },
    },
  },
  {
    asks: "does a store to an exclusive line become dirty silently?",
    rules: "D9 R17",
    machine: single,
    records: [load(0, A), store(0, A)],
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1, stores: 1 }, L2: { loads: 1, loadMisses: 1 } },
      hits: { 0: { L1D: 1 } },
      copies: { [A]: "L1D M, L2 E" },
    },
  },
  {
    asks: "does a dirty victim merge into the L2 that holds its line?",
    rules: "D15 D16 R12",
    machine: single,
    records: [store(0, A), load(0, B), load(0, C)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, evictions: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, writebacksIn: 1 },
      },
      machine: { memoryReads: 3 },
      events: { 0: { memory: 3, writeback: 1 } },
      copies: { [A]: "L2 M" },
      words: { memory: { [A]: 0n }, L2: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does a writeback that misses allocate without fetching, and evict for that?",
    rules: "D16 R36",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 1)] },
    records: [store(0, A), load(0, B), load(0, C)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, evictions: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, writebacksIn: 1, writebackMisses: 1, evictions: 3 },
      },
      machine: { memoryReads: 3 },
      copies: { [A]: "L2 M", [B]: "L1D E", [C]: "L1D E" },
    },
  },
  {
    asks: "does a dirty victim of the last level reach memory?",
    rules: "D15 D16 D22",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 1)] },
    records: [store(0, A), load(0, B), load(0, C)],
    expect: {
      // At B the L2 drops A, then takes it back from the L1D in place of B; at C it evicts A, dirty by now.
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, evictions: 2, writebacksOut: 1 },
        L2: {
          stores: 1,
          storeMisses: 1,
          loads: 2,
          loadMisses: 2,
          writebacksIn: 1,
          writebackMisses: 1,
          evictions: 3,
          writebacksOut: 1,
        },
      },
      copies: { [A]: "", [B]: "", [C]: "L1D E, L2 E" },
      machine: { memoryReads: 3, memoryWrites: 1 },
      words: { memory: { [A]: 1n } },
    },
  },
  {
    asks: "does a lone L1D write its dirty victim to memory?",
    rules: "D1 D16",
    machine: { cores: 1, l1d: oneSet(1) },
    records: [store(0, A), load(0, B)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, evictions: 1, writebacksOut: 1 } },
      machine: { memoryReads: 2, memoryWrites: 1 },
      words: { memory: { [A]: 1n } },
      copies: { [A]: "" },
    },
  },
  {
    asks: "does an inclusive L2 take its victim's L1D copy away before the L1D has to evict?",
    rules: "D15 D19 R36",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 2, { data: "inclusive" })] },
    records: [load(0, A), load(0, B), load(0, C)],
    expect: {
      caches: {
        L1D: { loads: 3, loadMisses: 3, backInvalidations: 1 },
        L2: { loads: 3, loadMisses: 3, evictions: 1 },
      },
      copies: { [A]: "", [B]: "L1D E, L2 E", [C]: "L1D E, L2 E" },
      ways: { L1D: { [B]: 1, [C]: 0 } },
    },
  },
  {
    asks: "does an inclusive victim carry its inner copy's dirty bytes out?",
    rules: "D15 D19",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 2, { data: "inclusive" })] },
    records: [store(0, A), load(0, B), load(0, C)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, backInvalidations: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, evictions: 1, writebacksOut: 1 },
      },
      machine: { memoryReads: 3, memoryWrites: 1 },
      words: { memory: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does a NINE L2 leave the L1D alone when it evicts?",
    rules: "D15 D19",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 1)] },
    records: [load(0, A), load(0, B)],
    expect: {
      caches: { L1D: { loads: 2, loadMisses: 2 }, L2: { loads: 2, loadMisses: 2, evictions: 1 } },
      copies: { [A]: "L1D E", [B]: "L1D E, L2 E" },
    },
  },
  {
    asks: "does a copy lost at an inclusive L3 leave L2 and L1D?",
    rules: "D19 R3",
    machine: {
      cores: 1,
      l1d: oneSet(4),
      levels: [level("L2", 4), level("L3", 1, { data: "inclusive" })],
    },
    records: [load(0, A), load(0, B)],
    expect: {
      caches: {
        L1D: { loads: 2, loadMisses: 2, backInvalidations: 1 },
        L2: { loads: 2, loadMisses: 2, backInvalidations: 1 },
        L3: { loads: 2, loadMisses: 2, evictions: 1 },
      },
      copies: { [A]: "" },
    },
  },
  {
    asks: "does an exclusive L2 hold only clean victims, and give a line back by moving it?",
    rules: "D13 D15 D16 R41",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 2, { data: "exclusive" })] },
    records: [load(0, A), load(0, B), load(0, C), load(0, A)],
    expect: {
      caches: {
        L1D: { loads: 4, loadMisses: 4, evictions: 2 },
        L2: { loads: 4, loadMisses: 3, writebacksIn: 2, writebackMisses: 2 },
      },
      machine: { memoryReads: 3 },
      hits: { 0: { L2: 1 } },
      copies: { [A]: "L1D E", [B]: "L2 E", [C]: "L1D E" },
    },
  },
  {
    asks: "does dirtiness move inwards with a line from an exclusive L2?",
    rules: "D10 R41",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 2, { data: "exclusive" })] },
    records: [store(0, A), load(0, B), load(0, A)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 2, evictions: 2, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 2, loadMisses: 1, writebacksIn: 2, writebackMisses: 2 },
      },
      copies: { [A]: "L1D M", [B]: "L2 E" },
      machine: { memoryReads: 2 },
      value: 1n,
    },
  },
  {
    asks: "does a write-through L1D stay clean and pass each store's bytes on?",
    rules: "D17",
    machine: { ...single, l1d: oneSet(2, { write: "through" }) },
    records: [store(0, A), store(0, A + 8)],
    expect: {
      caches: {
        L1D: { stores: 2, storeMisses: 1, writebacksOut: 2 },
        L2: { stores: 1, storeMisses: 1, writebacksIn: 2 },
      },
      copies: { [A]: "L1D E, L2 M" },
      words: { L1D: { [A]: 1n, [A + 8]: 2n }, L2: { [A]: 1n, [A + 8]: 2n }, memory: { [A]: 0n } },
      machine: { memoryReads: 1 },
    },
  },
  {
    asks: "does a lone write-through L1D write each store's bytes to memory?",
    rules: "D17 D22",
    machine: { cores: 1, l1d: oneSet(2, { write: "through" }) },
    records: [store(0, A), store(0, A + 8)],
    expect: {
      caches: { L1D: { stores: 2, storeMisses: 1, writebacksOut: 2 } },
      machine: { memoryReads: 1, memoryWrites: 2 },
      copies: { [A]: "L1D E" },
      words: { memory: { [A]: 1n, [A + 8]: 2n } },
    },
  },
  {
    asks: "does a dirty victim pass through a write-through L2 to memory?",
    rules: "D16 D17",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 4, { write: "through" })] },
    records: [store(0, A), load(0, B)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, evictions: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, writebacksIn: 1, writebacksOut: 1 },
      },
      machine: { memoryReads: 2, memoryWrites: 1 },
      copies: { [A]: "L2 E" },
      words: { L2: { [A]: 1n }, memory: { [A]: 1n } },
    },
  },
  {
    asks: "does a store that the L1D does not allocate take place in the L2?",
    rules: "D13 D16",
    machine: { ...single, l1d: oneSet(2, { allocate: "read" }) },
    records: [store(0, A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1 }, L2: { stores: 1, storeMisses: 1 } },
      copies: { [A]: "L2 M" },
      machine: { memoryReads: 1 },
      words: { L2: { [A]: 1n }, memory: { [A]: 0n } },
      hazards: [],
    },
  },
  {
    asks: "does a store hit in a read-allocating L1D stay there?",
    rules: "D9 D13",
    machine: { ...single, l1d: oneSet(2, { allocate: "read" }) },
    records: [load(0, A), store(0, A)],
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1, stores: 1 }, L2: { loads: 1, loadMisses: 1 } },
      copies: { [A]: "L1D M, L2 E" },
    },
  },
  {
    asks: "do stores that no level allocates end in memory as their bytes?",
    rules: "D13 D16",
    machine: { cores: 1, l1d: oneSet(2, { allocate: "read" }) },
    records: [store(0, A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1 } },
      copies: { [A]: "" },
      words: { memory: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "do loads pass by a write-allocating L1D?",
    rules: "D13",
    machine: { ...single, l1d: oneSet(2, { allocate: "write" }) },
    records: [load(0, A), store(0, A), load(0, A)],
    expect: {
      caches: {
        L1D: { loads: 2, loadMisses: 1, stores: 1, storeMisses: 1 },
        L2: { loads: 1, loadMisses: 1, stores: 1 },
      },
      hits: { 0: { L1D: 1, L2: 1 } },
      copies: { [A]: "L1D M, L2 E" },
      value: 2n,
    },
  },
  {
    asks: "do writebacks pass by a read-allocating L2 that does not hold the line?",
    rules: "D13 D16",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 1, { allocate: "read" })] },
    records: [store(0, A), load(0, B)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, evictions: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, writebacksIn: 1, writebackMisses: 1 },
      },
      machine: { memoryReads: 2, memoryWrites: 1 },
      copies: { [A]: "", [B]: "L1D E, L2 E" },
    },
  },
  {
    asks: "does an L2 with larger lines serve both halves after one miss?",
    rules: "D2 D10",
    machine: { cores: 1, l1d: oneSet(4, { line: 32 }), levels: [level("L2", 2, { line: 64 })] },
    records: [load(0, 0), load(0, 32)],
    expect: {
      caches: { L1D: { loads: 2, loadMisses: 2 }, L2: { loads: 2, loadMisses: 1 } },
      hits: { 0: { L2: 1 } },
      machine: { memoryReads: 1 },
      copies: { 0: "L1D E, L2 E", 32: "L1D E, L2 E" },
    },
  },
  {
    asks: "does an inclusive victim take all the smaller lines inside it?",
    rules: "D3 D15 D19",
    machine: { cores: 1, l1d: oneSet(4, { line: 32 }), levels: [level("L2", 1, { line: 64, data: "inclusive" })] },
    records: [store(0, 0), store(0, 32), load(0, 64)],
    expect: {
      caches: {
        L1D: { stores: 2, storeMisses: 2, loads: 1, loadMisses: 1, backInvalidations: 2 },
        L2: { stores: 2, storeMisses: 1, loads: 1, loadMisses: 1, evictions: 1, writebacksOut: 1 },
      },
      machine: { memoryReads: 2, memoryWrites: 1 },
      words: { memory: { 0: 1n, 32: 2n } },
    },
  },
  {
    asks: "does a smaller dirty victim that misses in a larger line's level go on to memory?",
    rules: "D16",
    machine: { cores: 1, l1d: oneSet(1, { line: 32 }), levels: [level("L2", 1, { line: 64 })] },
    records: [store(0, 0), load(0, 64)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, evictions: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, writebacksIn: 1, writebackMisses: 1, evictions: 1 },
      },
      machine: { memoryReads: 2, memoryWrites: 1 },
      words: { memory: { 0: 1n } },
    },
  },
  {
    asks: "does a home-placed level serve an address at the socket that owns it?",
    rules: "D1 D37",
    machine: { ...twoSockets, levels: [level("L2", 4, { placement: "home" })] },
    records: [load(0, FAR)],
    expect: {
      caches: { "L2.0": {}, "L2.1": { loads: 1, loadMisses: 1 } },
      copies: { [FAR]: "L1D.0 E, L2.1 E" },
      // The access at the other socket's cache, and the read of that socket's memory.
      machine: { memoryReads: 1, crossings: 2 },
      events: { 0: { memoryRemote: 1 } },
    },
  },
  {
    asks: "does a machine without caches see every store at once?",
    rules: "D1 D9 R2",
    machine: { cores: 2 },
    records: [store(0, A), load(1, A)],
    expect: { copies: { [A]: "" }, words: { memory: { [A]: 1n } }, value: 1n, hazards: [] },
  },
  {
    asks: "does a core without an L1D start at its first unified level?",
    rules: "D1 D9",
    machine: { ...single, l1d: null },
    records: [store(0, A), load(0, A)],
    expect: {
      caches: { L2: { stores: 1, storeMisses: 1, loads: 1 } },
      hits: { 0: { L2: 1 } },
      copies: { [A]: "L2 M" },
    },
  },
  {
    asks: "does a line pass through three levels on its way out?",
    rules: "D16 R12",
    machine: { ...withSystemCache, levels: [level("L2", 4, { touches: false }), level("L3", 8, { kind: "system" })] },
    records: [store(0, A), load(0, B), load(0, C), load(0, D), load(0, 0x100), load(0, 0x140)],
    expect: {
      // The L1D writes A back at C, which does not touch it there; the L2 evicts it at 0x100 and the L3 holds it.
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 5, loadMisses: 5, evictions: 4, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 5, loadMisses: 5, writebacksIn: 1, evictions: 2, writebacksOut: 1 },
        L3: { stores: 1, storeMisses: 1, loads: 5, loadMisses: 5, writebacksIn: 1 },
      },
      copies: { [A]: "L3 M" },
      words: { L3: { [A]: 1n }, memory: { [A]: 0n } },
    },
  },
  {
    asks: "does a removed copy's way come first when the next line fills?",
    rules: "D14 R39",
    machine: single,
    records: [load(0, A), load(0, B), dc.civac(0, B), load(0, C)],
    expect: { ways: { L1D: { [A]: 0, [C]: 1 } }, caches: { L1D: { loads: 3, loadMisses: 3, maintenanceProbes: 1 } } },
  },
];
