/** Identity, order, leaks, pending maintenance and provenance of hazards (D31 to D35, R26 to R30, R45, R48). */
import { assignPage, dc, device, dsb, fetch, ic, isb, load, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, pair, pairWithFetch, single, singleWithFetch } from "./small-machines.ts";

const nonCacheable = { attribute: "NON_CACHEABLE" } as const;

export const hazards: readonly Case[] = [
  {
    asks: "is the same stale read twice one hazard with two occurrences?",
    rules: "D35 R45",
    machine: single,
    records: [load(0, A), store(0, A, nonCacheable), load(0, A), load(0, A)],
    expect: {
      hazards: [
        { class: "mismatched-attributes", record: 1, occurrences: 1 },
        { class: "stale-read", newest: 1, record: 2, occurrences: 2 },
      ],
    },
  },
  {
    asks: "is a stale read of another newest write another hazard?",
    rules: "D35 R45",
    machine: single,
    records: [load(0, A), store(0, A, nonCacheable), load(0, A), store(0, A, nonCacheable), load(0, A)],
    expect: {
      hazards: [
        { class: "mismatched-attributes", record: 1, occurrences: 2 },
        { class: "stale-read", newest: 1, record: 2, occurrences: 1 },
        { class: "stale-read", newest: 3, record: 4, occurrences: 1 },
      ],
    },
  },
  {
    asks: "does a piece name the first word that differs?",
    rules: "D31",
    machine: single,
    records: [load(0, A), store(0, A + 24, nonCacheable), store(0, A + 8, nonCacheable), load(0, A, { sizeBytes: 64 })],
    expect: {
      hazards: [
        { class: "mismatched-attributes" },
        { class: "stale-read", newest: 2, address: A + 8, observed: 0n, expected: 3n, occurrences: 1 },
      ],
    },
  },
  {
    asks: "does reading the same value from an old place count as nothing?",
    rules: "D31",
    machine: single,
    records: [load(0, A), store(0, A, { ...nonCacheable, value: 0n }), load(0, A)],
    expect: { hazards: [{ class: "mismatched-attributes" }] },
  },
  {
    asks: "is a stale read of a page that was given away since the write a leak?",
    rules: "D31 R28",
    machine: single,
    records: [load(0, A), store(0, A, nonCacheable), assignPage(0, A + 0x800), load(0, A)],
    expect: { hazards: [{ class: "mismatched-attributes" }, { class: "leak", newest: 1, observer: 0, record: 3 }] },
  },
  {
    asks: "is a stale read of what the new owner wrote no leak?",
    rules: "D31 R28",
    machine: single,
    records: [load(0, A), assignPage(0, A), store(0, A, nonCacheable), load(0, A)],
    expect: { hazards: [{ class: "mismatched-attributes" }, { class: "stale-read", newest: 2, record: 3 }] },
  },
  {
    asks: "does a lost word that is written again harm nobody?",
    rules: "D32",
    machine: single,
    records: [store(0, A), dc.ivac(0, A), store(0, A), load(0, A)],
    expect: { value: 3n, hazards: [{ class: "lost-write", newest: 0, record: 1 }] },
  },
  {
    asks: "is a word lost once, not at every later removal?",
    rules: "D32",
    machine: single,
    records: [store(0, A), dc.ivac(0, A), store(0, A + 8), dc.ivac(0, A)],
    expect: {
      hazards: [
        { class: "lost-write", newest: 0, record: 1, occurrences: 1 },
        { class: "lost-write", newest: 2, record: 3, occurrences: 1 },
      ],
    },
  },
  {
    asks: "are zeroes that memory holds anyway not lost?",
    rules: "D32",
    machine: single,
    records: [store(0, A, { value: 0n }), dc.ivac(0, A)],
    expect: { hazards: [] },
  },
  {
    asks: "does a miss on maintenance that another core has not completed rely on luck?",
    rules: "D34 R25",
    machine: pair,
    records: [store(0, A), dc.civac(0, A), load(1, A)],
    expect: {
      hazards: [{ class: "maintenance-pending", line: A, newest: -1, observer: 1, record: 2, occurrences: 1 }],
    },
  },
  {
    asks: "does the issuer's DSB complete its maintenance?",
    rules: "D34 R25",
    machine: pair,
    records: [store(0, A), dc.civac(0, A), dsb(0), load(1, A)],
    expect: { hazards: [] },
  },
  {
    asks: "does another core's DSB not complete it?",
    rules: "D34 R25",
    machine: pair,
    records: [store(0, A), dc.civac(0, A), dsb(1), load(1, A)],
    expect: { hazards: [{ class: "maintenance-pending", observer: 1, record: 3 }] },
  },
  {
    asks: "may the issuer itself go on without a DSB?",
    rules: "D34",
    machine: pair,
    records: [store(0, A), dc.civac(0, A), load(0, A)],
    expect: { hazards: [] },
  },
  {
    asks: "does an L1D hit rely on nobody's maintenance?",
    rules: "D34",
    machine: pair,
    records: [load(1, A), dc.cvac(0, A), load(1, A)],
    expect: { hazards: [] },
  },
  {
    asks: "does a device that starts before the DSB rely on luck?",
    rules: "D34",
    machine: { ...single, devices: [{ coherent: false }] },
    records: [store(0, A), dc.cvac(0, A), device(1).read(A)],
    expect: { value: 1n, hazards: [{ class: "maintenance-pending", line: A, observer: 1, record: 2 }] },
  },
  {
    asks: "does a fetch without the core's own ISB rely on luck?",
    rules: "D34 R25",
    machine: singleWithFetch,
    records: [store(0, A), dc.cvau(0, A), dsb(0), ic.ivau(0, A), dsb(0), fetch(0, A)],
    expect: { value: 1n, hazards: [{ class: "maintenance-pending", line: A, observer: 0, record: 5 }] },
  },
  {
    asks: "does an ISB before the DSB not help?",
    rules: "D34",
    machine: singleWithFetch,
    records: [store(0, A), dc.cvau(0, A), dsb(0), ic.ivau(0, A), isb(0), dsb(0), fetch(0, A)],
    expect: { hazards: [{ class: "maintenance-pending", record: 6 }] },
  },
  {
    asks: "does another core's fetch need its own ISB?",
    rules: "D34",
    machine: pairWithFetch,
    records: [store(0, A), dc.cvau(0, A), dsb(0), ic.ivau(0, A), dsb(0), isb(0), fetch(1, A)],
    expect: { hazards: [{ class: "maintenance-pending", observer: 1, record: 6 }] },
  },
  {
    asks: "are hazards of one record in the order of pieces?",
    rules: "D35",
    machine: single,
    records: [load(0, A), load(0, B), store(0, A, { ...nonCacheable, sizeBytes: 128 }), load(0, A, { sizeBytes: 128 })],
    expect: {
      hazards: [
        { class: "mismatched-attributes", line: A, record: 2, piece: 0 },
        { class: "mismatched-attributes", line: B, record: 2, piece: 1 },
        { class: "stale-read", line: A, record: 3, piece: 0 },
        { class: "stale-read", line: B, record: 3, piece: 1 },
      ],
    },
  },
  {
    asks: "does a trace without maintenance yield no stale fetch, and say so?",
    rules: "D35 R48",
    machine: singleWithFetch,
    records: [fetch(0, A), store(0, A), fetch(0, A)],
    provenance: { maintenance: false },
    expect: {
      hazards: [],
      notAssessable: [
        "stale-read",
        "stale-fetch",
        "stale-dma",
        "stale-walk",
        "lost-write",
        "set/way-while-shared",
        "set/way-short-of-poc",
        "set/way-migrated",
        "maintenance-pending",
      ],
    },
  },
  {
    asks: "does a trace without ownership not find leaks?",
    rules: "D35 R48",
    machine: single,
    records: [load(0, A)],
    provenance: { ownership: false },
    expect: { hazards: [], notAssessable: ["leak"] },
  },
  {
    asks: "is everything assessable where everything was recorded?",
    rules: "R48",
    machine: single,
    records: [],
    expect: { notAssessable: [], hazards: [], records: 0 },
  },
];
