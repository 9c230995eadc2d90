/** DMA masters, coherent and not (D30, R46). */
import { dc, device, dsb, load, store } from "../../src/engine/record.ts";
import type { MachineSpec } from "../properties/machines.ts";
import type { Case } from "./case.ts";
import { A, B, level, oneSet, single } from "./small-machines.ts";

const nonCoherent: MachineSpec = { ...single, devices: [{ coherent: false }] };
const coherent: MachineSpec = { ...single, devices: [{ coherent: true, allocate: "memory" }] };
const intoSystemCache: MachineSpec = {
  cores: 1,
  l1d: oneSet(2),
  levels: [level("L2", 2, { kind: "system" })],
  devices: [{ coherent: true, allocate: "system" }],
};
/** The device follows the one core. */
const master = device(1);

export const devices: readonly Case[] = [
  {
    asks: "does a non-coherent device read memory past a dirty cache line?",
    rules: "D30 D31",
    machine: nonCoherent,
    records: [store(0, A), master.read(A)],
    expect: {
      machine: { memoryReads: 2, deviceReads: 1 },
      events: { 0: { memory: 1 }, 1: { device: 1 } },
      copies: { [A]: "L1D M, L2 E" },
      value: 0n,
      hazards: [
        {
          class: "stale-dma",
          line: A,
          newest: 0,
          writer: 0,
          observer: 1,
          record: 1,
          observed: 0n,
          expected: 1n,
          source: "memory",
          newestAt: { cache: 0 },
        },
      ],
    },
  },
  {
    asks: "does cleaning before a device reads make it right?",
    rules: "D27 D30 D34",
    machine: nonCoherent,
    records: [store(0, A), dc.cvac(0, A), dsb(0), master.read(A)],
    expect: { value: 1n, hazards: [] },
  },
  {
    asks: "does a core hit its old copy after a non-coherent device wrote memory?",
    rules: "D30 D31",
    machine: nonCoherent,
    records: [load(0, A), master.write(A), load(0, A)],
    expect: {
      machine: { memoryReads: 1, memoryWrites: 1, deviceWrites: 1 },
      value: 0n,
      hazards: [
        {
          class: "stale-read",
          newest: 1,
          writer: 1,
          observer: 0,
          record: 2,
          observed: 0n,
          expected: 2n,
          newestAt: "memory",
        },
      ],
    },
  },
  {
    asks: "does invalidating before and after a device's write make it right?",
    rules: "D27 D30 D34",
    machine: nonCoherent,
    records: [store(0, A), dc.civac(0, A), dsb(0), master.write(A), dc.ivac(0, A), dsb(0), load(0, A)],
    expect: { value: 4n, hazards: [] },
  },
  {
    asks: "does a later writeback destroy what a non-coherent device wrote beside dirty bytes?",
    rules: "R20 D32",
    machine: nonCoherent,
    records: [store(0, A), master.write(A + 8), dc.cvac(0, A)],
    expect: {
      words: { memory: { [A]: 1n, [A + 8]: 0n } },
      hazards: [{ class: "lost-write", line: A, newest: 1, writer: 1, observer: 0, record: 2 }],
    },
  },
  {
    asks: "does a coherent device's read take dirty bytes and change no state?",
    rules: "D30 R46",
    machine: coherent,
    records: [store(0, A), master.read(A)],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1, snoopsIn: 1 }, L2: { stores: 1, storeMisses: 1 } },
      machine: { memoryReads: 1, deviceReads: 1 },
      copies: { [A]: "L1D M, L2 E" },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does a coherent device's read that no cache can answer read memory and allocate nothing?",
    rules: "D30 R46",
    machine: coherent,
    records: [master.read(A)],
    expect: { machine: { memoryReads: 1, deviceReads: 1 }, copies: { [A]: "" }, events: { 1: { device: 1 } } },
  },
  {
    asks: "does a coherent device's write clean and remove copies before it lands in memory?",
    rules: "D30 R46",
    machine: coherent,
    records: [store(0, A), master.write(A + 8), load(0, A)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1 },
      },
      machine: { memoryReads: 2, memoryWrites: 2, deviceWrites: 1 },
      words: { memory: { [A]: 1n, [A + 8]: 2n } },
      value: 1n,
      hazards: [],
    },
  },
  {
    asks: "does a coherent device's write allocate in a system cache, reading the rest of the line?",
    rules: "D30 R46",
    machine: intoSystemCache,
    records: [master.write(A)],
    expect: {
      caches: { L1D: {}, L2: { stores: 1, storeMisses: 1 } },
      machine: { memoryReads: 1, deviceWrites: 1 },
      copies: { [A]: "L2 M" },
      words: { L2: { [A]: 1n }, memory: { [A]: 0n } },
    },
  },
  {
    asks: "does a coherent device's write of a whole line not read it first?",
    rules: "D30 R46",
    machine: intoSystemCache,
    records: [master.write(A, 64)],
    expect: {
      caches: { L2: { stores: 1, storeMisses: 1 } },
      machine: { deviceWrites: 1 },
      copies: { [A]: "L2 M" },
    },
  },
  {
    asks: "does a coherent device's write merge into the system cache's copy, with dirty bytes from inside?",
    rules: "D30 R46",
    machine: intoSystemCache,
    records: [store(0, A), master.write(A + 8), load(0, A + 8)],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1, writebacksOut: 1 },
        L2: { stores: 2, storeMisses: 1, loads: 1 },
      },
      machine: { memoryReads: 1, deviceWrites: 1 },
      copies: { [A]: "L1D E, L2 M" },
      words: { L2: { [A]: 1n, [A + 8]: 2n } },
      value: 2n,
      hazards: [],
    },
  },
  {
    asks: "is a burst split into pieces at line boundaries?",
    rules: "D5 R49",
    machine: coherent,
    records: [master.read(A + 48, 100)],
    expect: { machine: { memoryReads: 3, deviceReads: 3 }, events: { 1: { device: 3 } } },
  },
  {
    asks: "is a burst over several lines stale only where a line is dirty?",
    rules: "D31 R45",
    machine: nonCoherent,
    records: [store(0, B), master.read(A, 128)],
    expect: {
      hazards: [
        { class: "stale-dma", line: B, newest: 0, observer: 1, record: 1, piece: 1, address: B, occurrences: 1 },
      ],
    },
  },
];
