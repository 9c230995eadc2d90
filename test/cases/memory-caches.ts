/** Caches behind the interconnect: a PL310-like outer cache with its own operations, and memory-side caches (D22, D24, D29, R4). */
import { dc, device, evict, load, outer, store } from "../../src/engine/record.ts";
import type { MachineSpec } from "../properties/machines.ts";
import type { Case } from "./case.ts";
import { A, B, FAR, oneSet, single, twoSockets } from "./small-machines.ts";

const nonCacheable = { attribute: "NON_CACHEABLE" } as const;
const withOuter: MachineSpec = { cores: 1, l1d: oneSet(2), outer: oneSet(2), devices: [{ coherent: false }] };
const withMemorySide: MachineSpec = { ...single, memorySide: oneSet(2), devices: [{ coherent: false }] };
const master = device(1);

export const memoryCaches: readonly Case[] = [
  {
    asks: "is an outer cache not looked up before it is enabled?",
    rules: "D22 D29 R4",
    machine: withOuter,
    records: [load(0, A)],
    expect: { caches: { outer: {} }, machine: { memoryReads: 1 }, events: { 0: { memory: 1 } } },
  },
  {
    asks: "does an enabled outer cache allocate on reads and serve them?",
    rules: "D22 D36",
    machine: withOuter,
    records: [outer.enable(0), load(0, A), evict(0, A), load(0, A)],
    expect: {
      caches: { outer: { loads: 2, loadMisses: 1 } },
      machine: { memoryReads: 1 },
      hits: { 0: { outer: 1 } },
    },
  },
  {
    asks: "does maintenance by VA stop at an outer cache, so that a device reads stale memory?",
    rules: "D22 D27 D30 R4",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), master.read(A)],
    expect: {
      caches: { outer: { loads: 1, loadMisses: 1, writebacksIn: 1 } },
      words: { memory: { [A]: 0n } },
      value: 0n,
      machine: { memoryReads: 2, deviceReads: 1 },
    },
  },
  {
    asks: "does cleaning the outer cache by PA reach memory?",
    rules: "D29",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), outer.clean(0, A)],
    expect: { words: { memory: { [A]: 2n } }, machine: { memoryReads: 1, memoryWrites: 1 }, hazards: [] },
  },
  {
    asks: "does an outer line stay after cleaning, and go after cleaning and invalidating?",
    rules: "D29",
    machine: withOuter,
    records: [
      outer.enable(0),
      store(0, A),
      dc.civac(0, A),
      outer.clean(0, A),
      load(0, A),
      dc.civac(0, A),
      outer.flush(0, A),
      load(0, A),
    ],
    expect: {
      caches: { outer: { loads: 3, loadMisses: 2, writebacksIn: 1, writebacksOut: 1 } },
      value: 2n,
      hazards: [],
    },
  },
  {
    asks: "does invalidating the outer cache by PA lose what only it held?",
    rules: "D29 D32",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), outer.invalidate(0, A)],
    expect: {
      words: { memory: { [A]: 0n } },
      hazards: [{ class: "lost-write", line: A, newest: 1, observer: 0, record: 3 }],
    },
  },
  {
    asks: "do operations by way act on the ways of the mask?",
    rules: "D29",
    machine: withOuter,
    // A is in way 0, B in way 1.
    records: [outer.enable(0), store(0, A), store(0, B), dc.civac(0, A), dc.civac(0, B), outer.cleanWays(0, 0b10)],
    expect: { words: { memory: { [A]: 0n, [B]: 3n } }, hazards: [] },
  },
  {
    asks: "does invalidating by way drop dirty lines?",
    rules: "D29 D32",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), outer.invalidateWays(0, 0b11)],
    expect: { hazards: [{ class: "lost-write", line: A, newest: 1, record: 3 }] },
  },
  {
    asks: "does cleaning and invalidating by way write and empty?",
    rules: "D29",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), outer.flushWays(0, 0b11), load(0, A)],
    expect: {
      caches: { outer: { loads: 2, loadMisses: 2, writebacksIn: 1, writebacksOut: 1 } },
      value: 2n,
      hazards: [],
    },
  },
  {
    asks: "does disabling the outer cache leave its dirty lines behind?",
    rules: "D29 R4",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), outer.disable(0), load(0, A)],
    expect: {
      value: 0n,
      hazards: [{ class: "stale-read", newest: 1, record: 4, source: "memory", newestAt: "outer", lostAt: -1 }],
    },
  },
  {
    asks: "does a shareable Non-cacheable load look an outer cache up whose override bit is clear?",
    rules: "D24 R4",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), load(0, A, nonCacheable)],
    expect: { value: 2n, hazards: [], caches: { outer: { loads: 2, loadMisses: 1, writebacksIn: 1 } } },
  },
  {
    asks: "does it pass by where the override bit is set?",
    rules: "D24 R4",
    machine: { ...withOuter, outerSharedOverride: true },
    records: [outer.enable(0), store(0, A), dc.civac(0, A), load(0, A, nonCacheable)],
    expect: {
      value: 0n,
      hazards: [{ class: "stale-read", newest: 1, record: 3, source: "memory", newestAt: "outer" }],
    },
  },
  {
    asks: "does a Device load pass an outer cache by?",
    rules: "D24",
    machine: withOuter,
    records: [outer.enable(0), store(0, A), dc.civac(0, A), load(0, A, { attribute: "DEVICE" })],
    expect: { value: 0n, hazards: [{ class: "stale-read", newest: 1, record: 3 }] },
  },
  {
    asks: "does a Non-cacheable miss not allocate in the outer cache?",
    rules: "D24 R4",
    machine: withOuter,
    records: [outer.enable(0), load(0, A, nonCacheable), load(0, A, nonCacheable)],
    expect: { machine: { memoryReads: 2, uncachedReads: 2 } },
  },
  {
    asks: "does a Non-cacheable store that hits the outer cache stay there?",
    rules: "D24 R4",
    machine: withOuter,
    records: [outer.enable(0), load(0, A), dc.civac(0, A), store(0, A, nonCacheable)],
    expect: { words: { memory: { [A]: 0n }, truth: { [A]: 4n } }, hazards: [] },
  },
  {
    asks: "does every requester go through a memory-side cache?",
    rules: "D22 D24 D30 R4",
    machine: withMemorySide,
    records: [load(0, A), load(0, A, nonCacheable), master.read(A)],
    expect: {
      caches: { "memory-side": { loads: 3, loadMisses: 1 } },
      machine: { memoryReads: 1, uncachedReads: 1, deviceReads: 1 },
    },
  },
  {
    asks: "does a memory-side cache keep written lines, visible to devices?",
    rules: "D22 R4",
    machine: withMemorySide,
    records: [store(0, A), dc.civac(0, A), master.read(A)],
    expect: {
      caches: { "memory-side": { loads: 2, loadMisses: 1, writebacksIn: 1 } },
      machine: { memoryReads: 1, deviceReads: 1 },
      value: 1n,
    },
  },
  {
    asks: "does a small write that misses a memory-side cache pass by, and a small read fill it?",
    rules: "D22 D24",
    machine: withMemorySide,
    records: [store(0, A, nonCacheable), load(0, A, nonCacheable), load(0, A + 8, nonCacheable)],
    expect: {
      caches: { "memory-side": { loads: 2, loadMisses: 1, writebacksIn: 1, writebackMisses: 1 } },
      machine: { memoryReads: 1, memoryWrites: 1, uncachedReads: 2, uncachedWrites: 1 },
    },
  },
  {
    asks: "does a memory-side cache evict to memory?",
    rules: "D22",
    machine: { cores: 1, l1d: oneSet(2), memorySide: oneSet(1) },
    records: [store(0, A), dc.cvac(0, A), load(0, B)],
    expect: {
      caches: { "memory-side": { loads: 2, loadMisses: 2, writebacksIn: 1, writebacksOut: 1, evictions: 1 } },
      machine: { memoryReads: 2, memoryWrites: 1 },
      words: { memory: { [A]: 1n } },
    },
  },
  {
    asks: "does each socket's memory have its own memory-side cache?",
    rules: "D22",
    machine: { ...twoSockets, memorySide: { ...oneSet(2), per: "socket" } },
    records: [load(0, A), load(0, FAR)],
    expect: {
      caches: { "memory-side.0": { loads: 1, loadMisses: 1 }, "memory-side.1": { loads: 1, loadMisses: 1 } },
      machine: { memoryReads: 2, crossings: 1 },
    },
  },
];
