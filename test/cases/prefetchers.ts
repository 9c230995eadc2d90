/** Hardware prefetchers (D57 to D60), line by line: a page of 4 KiB has 64 lines. */
import { dc, device, dsb, fetch, load, record, store } from "../../src/engine/record.ts";
import type { Prefetcher } from "../../src/machine/resolved.ts";
import type { MachineSpec } from "../properties/machines.ts";
import type { Case } from "./case.ts";
import { level, oneSet } from "./small-machines.ts";

/** Address of a line of the first page, or the following ones. */
const line = (number: number): number => number * 0x40;
const loads = (...lines: number[]) => lines.map((each) => load(0, line(each)));

const NEXT: Prefetcher = { kind: "next-line", degree: 1, distance: 1, entries: 0 };
const STRIDE: Prefetcher = { kind: "stride", degree: 1, distance: 1, entries: 2 };
const STREAM: Prefetcher = { kind: "stream", degree: 2, distance: 3, entries: 2 };

/** One core with a roomy L1D that has a prefetcher, and memory. */
const alone = (prefetcher: Prefetcher, ways = 16): MachineSpec => ({ cores: 1, l1d: oneSet(ways, { prefetcher }) });
const both = (prefetcher: Prefetcher): MachineSpec => ({
  cores: 2,
  protocol: "moesi",
  l1d: oneSet(4, { prefetcher }),
  levels: [level("L2", 8)],
});

export const prefetchers: readonly Case[] = [
  {
    asks: "does a miss bring the next line in, and its first hit the one after that?",
    rules: "D57 D58 D59 D60 R19",
    machine: alone(NEXT),
    // 0 misses and brings 1; 1 hits it and brings 2; the second load of 1 is an ordinary hit; 5 misses and brings 6.
    records: loads(0, 1, 1, 5),
    expect: {
      caches: { L1D: { loads: 4, loadMisses: 2, prefetches: 3, prefetchesUsed: 1 } },
      machine: { memoryReads: 5 },
      events: { 0: { memory: 2 } },
      hits: { 0: { L1D: 2 } },
      copies: { [line(2)]: "L1D E", [line(6)]: "L1D E", [line(3)]: "" },
    },
  },
  {
    asks: "does a next-line prefetcher of degree 2 and distance 3 bring two lines in, three ahead?",
    rules: "D59",
    machine: alone({ ...NEXT, degree: 2, distance: 3 }),
    records: loads(10),
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1, prefetches: 2 } },
      copies: { [line(12)]: "", [line(13)]: "L1D E", [line(14)]: "L1D E", [line(15)]: "" },
    },
  },
  {
    asks: "does a prefetcher stay within its page, and leave alone what the cache holds?",
    rules: "D59 D60",
    machine: alone({ ...NEXT, degree: 2 }),
    // 62 brings 63 but not 64; then 61 wants 62 and 63, which are there.
    records: loads(62, 61),
    expect: {
      caches: { L1D: { loads: 2, loadMisses: 2, prefetches: 1 } },
      machine: { memoryReads: 3 },
      copies: { [line(63)]: "L1D E", [line(64)]: "" },
    },
  },
  {
    asks: "does a stride prefetcher act on the second equal step, upwards and downwards?",
    rules: "D59",
    machine: alone(STRIDE),
    // Steps +3, +3: 9 comes. 9 hits it: 12 comes. Page 1, steps -5, -5: 75 comes.
    records: [...loads(0, 3, 6, 9), ...loads(90, 85, 80)],
    expect: {
      caches: { L1D: { loads: 7, loadMisses: 6, prefetches: 3, prefetchesUsed: 1 } },
      copies: { [line(9)]: "L1D E", [line(12)]: "L1D E", [line(75)]: "L1D E", [line(15)]: "" },
    },
  },
  {
    asks: "does a stride prefetcher count distance and degree in strides, and forget a stride that changes?",
    rules: "D59",
    machine: alone({ ...STRIDE, degree: 2, distance: 2 }),
    // 0, 2, 4: steps +2, +2 bring 8 and 10. 5: step +1, nothing. 7: step +2, nothing. 9: the same again, 13 and 15.
    records: loads(0, 2, 4, 5, 7, 9),
    expect: {
      caches: { L1D: { loads: 6, loadMisses: 6, prefetches: 4 } },
      copies: {
        [line(6)]: "",
        [line(8)]: "L1D E",
        [line(10)]: "L1D E",
        [line(12)]: "",
        [line(13)]: "L1D E",
        [line(15)]: "L1D E",
      },
    },
  },
  {
    asks: "does a stride prefetcher's table replace the page that was used least recently?",
    rules: "D59",
    machine: alone(STRIDE),
    // Pages 0 and 1 are known; 0 is used again; page 2 takes the place of page 1. Page 0 has steps +1, +1: 3 comes. Page 1 begins anew.
    records: loads(0, 64, 1, 128, 2, 66, 68),
    expect: {
      caches: { L1D: { loads: 7, loadMisses: 7, prefetches: 1 } },
      copies: { [line(3)]: "L1D E", [line(70)]: "" },
    },
  },
  {
    asks: "does a stream prefetcher run ahead of a direction, no further than its distance?",
    rules: "D59",
    machine: alone(STREAM),
    // 0 begins, 1 sets the direction, 3 goes on: 4 and 5. 4 hits: the front is 5, so 6 and 7. 5 hits: 8 alone is within 3.
    records: loads(0, 1, 3, 4, 5),
    expect: {
      caches: { L1D: { loads: 5, loadMisses: 3, prefetches: 5, prefetchesUsed: 2 } },
      copies: { [line(2)]: "", [line(8)]: "L1D E", [line(9)]: "" },
    },
  },
  {
    asks: "does a stream prefetcher follow a stream downwards to the end of its page?",
    rules: "D59",
    machine: alone(STREAM),
    // Page 1 begins at line 64. Down from 67: 66 sets the direction, 65 brings 64 and no more.
    records: loads(67, 66, 65),
    expect: {
      caches: { L1D: { loads: 3, loadMisses: 3, prefetches: 1 } },
      copies: { [line(64)]: "L1D E", [line(63)]: "" },
    },
  },
  {
    asks: "does a stream that turns round begin again?",
    rules: "D59",
    machine: alone(STREAM),
    // Up: 10, 12, 14 bring 15 and 16. 9 turns: nothing. 8 goes on downwards: 7 and 6.
    records: loads(10, 12, 14, 9, 8),
    expect: {
      caches: { L1D: { loads: 5, loadMisses: 5, prefetches: 4 } },
      copies: { [line(17)]: "", [line(7)]: "L1D E", [line(6)]: "L1D E", [line(5)]: "" },
    },
  },
  {
    asks: "is a prefetched line that is evicted before its first hit counted as unused?",
    rules: "D58",
    machine: alone(NEXT, 2),
    // 0 and 1 fill both ways. 8 takes the place of 0, and 9 that of 1. 8 hits; 9 hits, and 10 takes the place of 8.
    records: loads(0, 8, 8, 9),
    expect: {
      caches: { L1D: { loads: 4, loadMisses: 2, evictions: 3, prefetches: 3, prefetchesUsed: 1, prefetchesUnused: 1 } },
    },
  },
  {
    asks: "do stores train, and do fetches, PREFETCH records and Non-cacheable loads not?",
    rules: "D57",
    machine: { ...alone(NEXT), l1i: oneSet(2) },
    records: [
      store(0, line(0)),
      fetch(0, line(8)),
      record("PREFETCH", 0, line(16)),
      load(0, line(24), { attribute: "NON_CACHEABLE" }),
    ],
    expect: {
      caches: { L1D: { loads: 1, loadMisses: 1, stores: 1, storeMisses: 1, prefetches: 1 } },
      copies: { [line(1)]: "L1D E", [line(9)]: "", [line(17)]: "", [line(25)]: "" },
    },
  },
  {
    asks: "does a prefetch share another core's dirty line as a load does, and leave its owner dirty in MOESI?",
    rules: "D60 R17",
    machine: both(NEXT),
    // Core 1 stores to 3 and its prefetcher brings 4. Core 0 misses 2, so its prefetcher asks for 3.
    records: [store(1, line(3)), load(0, line(2))],
    expect: {
      caches: {
        "L1D.0": { loads: 1, loadMisses: 1, prefetches: 1 },
        "L1D.1": { stores: 1, storeMisses: 1, prefetches: 1, snoopsIn: 1 },
        L2: { loads: 1, loadMisses: 1, stores: 1, storeMisses: 1 },
      },
      events: { 0: { memory: 1 }, 1: { memory: 1 } },
      copies: { [line(3)]: "L1D.0 S, L1D.1 O, L2 E", [line(4)]: "L1D.1 E, L2 E" },
    },
  },
  {
    asks: "does a prefetcher of the L2 fill the L2 alone, and leave alone what the L1D holds?",
    rules: "D57 D60",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 4, { prefetcher: NEXT, replacement: "fifo" })] },
    // 0 misses both: 1 comes into the L2. 1 misses the L1D and hits it there: 2 comes. 4 brings 5, and 5's load 6; 0, 1 and 2 go.
    records: loads(0, 1, 4),
    expect: {
      caches: {
        L1D: { loads: 3, loadMisses: 3, evictions: 1 },
        L2: { loads: 3, loadMisses: 2, evictions: 1, prefetches: 3, prefetchesUsed: 1 },
      },
      hits: { 0: { L2: 1 } },
      copies: { [line(0)]: "", [line(1)]: "L1D E, L2 E", [line(2)]: "L2 E", [line(5)]: "L2 E" },
    },
  },
  {
    asks: "does a fetch that hits a prefetched line of the L2 use it, and train nobody?",
    rules: "D57 D58",
    machine: { cores: 1, l1i: oneSet(2), l1d: oneSet(2), levels: [level("L2", 8, { prefetcher: NEXT })] },
    records: [load(0, line(0)), fetch(0, line(1))],
    expect: {
      caches: { L2: { loads: 1, loadMisses: 1, fetches: 1, prefetches: 1, prefetchesUsed: 1 } },
      copies: { [line(2)]: "" },
    },
  },
  {
    asks: "does a prefetch bring a line back between its invalidation and a device's write, so that the read after it is stale?",
    rules: "D60 R19 R26",
    machine: { ...alone(NEXT), devices: [{ coherent: false }] },
    // The driver invalidates the buffer in line 1, reads its own data in line 0, and the device writes the buffer. 1 brought 2 in,
    // and 0 brings 1 back, whose hit wants 2 once more.
    records: [
      load(0, line(1)),
      dc.ivac(0, line(1)),
      dsb(0),
      load(0, line(0)),
      device(1).write(line(1)),
      load(0, line(1)),
    ],
    expect: {
      caches: { L1D: { loads: 3, loadMisses: 2, maintenanceProbes: 1, prefetches: 2, prefetchesUsed: 1 } },
      value: 0n,
      hazards: [{ class: "stale-read", line: line(1), newest: 4, record: 5, source: { cache: 0 } }],
    },
  },
  {
    asks: "does the driver that invalidates once more after the device has written read what it wrote?",
    rules: "D60 R21",
    machine: { ...alone(NEXT), devices: [{ coherent: false }] },
    records: [
      dc.ivac(0, line(1)),
      dsb(0),
      load(0, line(0)),
      device(1).write(line(1)),
      dc.ivac(0, line(1)),
      dsb(0),
      load(0, line(1)),
    ],
    expect: { value: 4n, hazards: [] },
  },
  {
    asks: "does a dirty victim of a prefetch go out like any other?",
    rules: "D60 D36",
    machine: alone(NEXT, 1),
    // One way: 0's store is written back when the prefetch of 1 takes its place.
    records: [store(0, line(0))],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1, evictions: 1, writebacksOut: 1, prefetches: 1 } },
      machine: { memoryReads: 2, memoryWrites: 1 },
      events: { 0: { memory: 1, writeback: 1 } },
      copies: { [line(0)]: "", [line(1)]: "L1D E" },
      words: { memory: { [line(0)]: 1n } },
    },
  },
];
