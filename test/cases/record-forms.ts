/** Sizes, values, pieces and numbers of records (D5, D6, R44). */
import { device, load, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, single } from "./small-machines.ts";

export const recordForms: readonly Case[] = [
  {
    asks: "does a store without size write its record number + 1 over the aligned eight bytes?",
    rules: "D5 D6 R44",
    machine: single,
    records: [load(0, B), store(0, A + 13)],
    expect: { words: { truth: { [A]: 0n, [A + 8]: 2n, [A + 16]: 0n } }, records: 2 },
  },
  {
    asks: "does a sized store without value take its bytes by address?",
    rules: "D6",
    machine: single,
    // Bytes 6 and 7 of the number 1 are 0; byte 0 of it, at address 8, is 1.
    records: [store(0, 6, { sizeBytes: 4 }), load(0, 8)],
    expect: { words: { truth: { 0: 0n, 8: 1n } }, value: 1n },
  },
  {
    asks: "does a value repeat over a longer store from the record's first byte?",
    rules: "D6",
    machine: single,
    records: [store(0, 4, { sizeBytes: 12, value: 0x0807_0605_0403_0201n })],
    expect: { words: { truth: { 0: 0x0403_0201_0000_0000n, 8: 0x0403_0201_0807_0605n } } },
  },
  {
    asks: "does a store keep the bytes around it?",
    rules: "D6",
    machine: single,
    records: [
      store(0, A, { value: 0xffff_ffff_ffff_ffffn }),
      store(0, A + 2, { sizeBytes: 1, value: 0xabn }),
      load(0, A),
    ],
    expect: { value: 0xffff_ffff_ffab_ffffn, words: { truth: { [A]: 0xffff_ffff_ffab_ffffn } }, hazards: [] },
  },
  {
    asks: "is an access across lines played in pieces, in address order?",
    rules: "D5 R49",
    machine: single,
    records: [load(0, 0x20, { sizeBytes: 128 })],
    expect: {
      caches: { L1D: { loads: 3, loadMisses: 3, evictions: 1 } },
      ways: { L1D: { 0: -1, 64: 1, 128: 0 } },
    },
  },
  {
    asks: "are pieces cut at the smallest line of the machine?",
    rules: "D5",
    machine: { ...single, l1i: { sets: 1, ways: 1, line: 16 } },
    records: [load(0, 0, { sizeBytes: 64 })],
    expect: { caches: { L1D: { loads: 4, loadMisses: 1 } }, hits: { 0: { L1D: 3 } } },
  },
  {
    asks: "does a value store keep its pattern across pieces?",
    rules: "D5 D6",
    machine: single,
    records: [store(0, 0x3c, { sizeBytes: 8, value: 0x1122_3344_5566_7788n })],
    expect: { words: { truth: { 56: 0x5566_7788_0000_0000n, 64: 0x1122_3344n } } },
  },
  {
    asks: "does a device's write take its record number like a core's?",
    rules: "D6",
    machine: { ...single, devices: [{ coherent: false }] },
    records: [load(0, A), device(1).write(B)],
    expect: { words: { memory: { [B]: 2n } } },
  },
  {
    asks: "do prefixes have no number?",
    rules: "D5",
    machine: single,
    records: [store(0, A, { sizeBytes: 8, attribute: "WRITE_BACK", value: 5n }), store(0, A + 8)],
    expect: { records: 2, words: { truth: { [A]: 5n, [A + 8]: 2n } } },
  },
  {
    asks: "does memory above 4 GiB work like memory below?",
    rules: "D7",
    machine: { ...single, memory: [{ base: 0x8_8000_0000, size: 0x1000 }] },
    records: [store(0, 0x8_8000_0040), load(0, 0x8_8000_0040)],
    expect: { value: 1n, copies: { 36507222080: "L1D M, L2 E" }, words: { truth: { 36507222080: 1n } } },
  },
];
