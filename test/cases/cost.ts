/** Which events a requester pays for (D36, D37, R31, R32). */
import { dc, device, dsb, fetch, ic, isb, load, outer, record, setWayOperand, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, C, FAR, level, oneSet, pair, pairWithFetch, single, twoSockets } from "./small-machines.ts";

export const cost: readonly Case[] = [
  {
    asks: "does each piece have one supply event, by the level that hit?",
    rules: "D36",
    machine: single,
    records: [load(0, A), load(0, B), load(0, C), load(0, A), load(0, A)],
    expect: { events: { 0: { memory: 3 } }, hits: { 0: { L2: 1, L1D: 1 } } },
  },
  {
    asks: "are events the requester's own?",
    rules: "D36 R32",
    machine: pairWithFetch,
    records: [load(0, A), fetch(1, B), fetch(1, B), dsb(1), isb(0), isb(0)],
    expect: {
      events: { 0: { memory: 1, isb: 2 }, 1: { memory: 1, dsb: 1 } },
      hits: { 0: {}, 1: { L1I: 1 } },
    },
  },
  {
    asks: "does every maintenance record cost one, whatever it found?",
    rules: "D36",
    machine: { ...single, outer: oneSet(2) },
    records: [
      dc.civac(0, A),
      dc.ivac(0, A),
      dc.cvau(0, A),
      dc.cvac(0, A),
      dc.cvap(0, A),
      dc.csw(0, setWayOperand({ depth: 1, ways: 2, lineBytes: 64 }, 0, 0)),
      ic.iallu(0),
      ic.ialluis(0),
      ic.ivau(0, A),
      outer.clean(0, A),
      outer.flushWays(0, 3),
    ],
    expect: { events: { 0: { maintenance: 11 } }, machine: {} },
  },
  {
    asks: "do barriers and what nothing models cost nothing else?",
    rules: "D36",
    machine: single,
    records: [record("DMB", 0, 0), record("TLBI_ALL", 0, 0), record("BP_INVALIDATE", 0, 0), record("SCTLR", 0, 0x1005)],
    expect: { events: { 0: { tlbi: 1 } }, machine: {} },
  },
  {
    asks: "is a writeback paid by the record that caused it?",
    rules: "D36",
    machine: { cores: 2, l1d: oneSet(2), levels: [level("L2", 1, { data: "inclusive" })] },
    records: [store(0, A), load(1, B)],
    expect: { events: { 0: { memory: 1 }, 1: { memory: 1, writeback: 1 } } },
  },
  {
    asks: "does an upgrade that snoops cost a snoop beside its hit?",
    rules: "D36",
    machine: pair,
    records: [load(0, A), load(1, A), store(1, A)],
    expect: { events: { 1: { snoop: 2 } }, hits: { 1: { L1D: 1 } } },
  },
  {
    asks: "is a snoop in the other socket remote, and counted as a crossing?",
    rules: "D36 D37",
    machine: twoSockets,
    records: [load(1, A), store(0, A)],
    expect: { events: { 0: { snoopRemote: 1 }, 1: { memoryRemote: 1 } }, machine: { memoryReads: 1, crossings: 3 } },
  },
  {
    asks: "does a device pay for each piece?",
    rules: "D36",
    machine: { ...single, devices: [{ coherent: false }] },
    records: [device(1).write(A, 256), device(1).read(A)],
    expect: {
      events: { 0: {}, 1: { device: 5 } },
      machine: { deviceWrites: 4, deviceReads: 1, memoryWrites: 4, memoryReads: 1 },
    },
  },
  {
    asks: "is a writeback to the other socket's memory a crossing?",
    rules: "D37",
    machine: twoSockets,
    records: [store(0, FAR), dc.civac(0, FAR)],
    expect: { machine: { memoryReads: 1, memoryWrites: 1, crossings: 2 } },
  },
];
