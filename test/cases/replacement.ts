/** Which way is filled and which line goes: one single-set cache a case (D14, R39). */
import { dc, load, store } from "../../src/engine/record.ts";
import type { Replacement } from "../../src/machine/resolved.ts";
import type { MachineSpec } from "../properties/machines.ts";
import type { Case } from "./case.ts";
import { A, B, C, D, E, level, oneSet } from "./small-machines.ts";

const F = 0x140;
const lone = (ways: number, replacement: Replacement, more: Partial<MachineSpec> = {}): MachineSpec => ({
  cores: 1,
  l1d: oneSet(ways, { replacement }),
  ...more,
});

/** R39 written down once more: the finalizer of MurmurHash3, then xorshift32 with 13, 17, 5. */
function fmix32(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
function randomWays(seed: number, cache: number, set: number, ways: number, count: number): number[] {
  let x = (fmix32(seed ^ Math.imul(cache, 0x9e3779b9) ^ set) | 1) >>> 0;
  return Array.from({ length: count }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x % ways;
  });
}
/** The ways of the lines A, B, C... when every one that doesn't fit replaces the way that the generator names. */
function randomPlaces(seed: number, ways: number, lines: readonly number[]): Record<number, number> {
  const victims = randomWays(seed, 0, 0, ways, lines.length);
  const held: (number | undefined)[] = new Array(ways).fill(undefined);
  lines.forEach((line, index) => {
    held[index < ways ? index : (victims[index - ways] as number)] = line;
  });
  return Object.fromEntries(lines.map((line) => [line, held.indexOf(line)]));
}

export const replacement: readonly Case[] = [
  {
    asks: "does lru evict the line that was used longest ago?",
    rules: "D14",
    machine: lone(2, "lru"),
    records: [load(0, A), load(0, B), load(0, A), load(0, C)],
    expect: { ways: { L1D: { [A]: 0, [B]: -1, [C]: 1 } } },
  },
  {
    asks: "does fifo ignore use?",
    rules: "D14",
    machine: lone(2, "fifo"),
    records: [load(0, A), load(0, B), load(0, A), load(0, C)],
    expect: { ways: { L1D: { [A]: -1, [B]: 1, [C]: 0 } } },
  },
  {
    asks: "does tree-plru follow its bits where lru would choose otherwise?",
    rules: "D14",
    machine: lone(4, "tree-plru"),
    // Using A (way 0) points the root at the upper half, whose bit points at C since D came last.
    records: [load(0, A), load(0, B), load(0, C), load(0, D), load(0, A), load(0, E)],
    expect: { ways: { L1D: { [A]: 0, [B]: 1, [C]: -1, [D]: 3, [E]: 2 } } },
  },
  {
    asks: "does tree-plru never enter the half that has no ways?",
    rules: "D14 R39",
    machine: lone(3, "tree-plru"),
    // D replaces A (root and left bit point there); then E goes to the upper half, which holds way 2 only.
    records: [load(0, A), load(0, B), load(0, C), load(0, D), load(0, E)],
    expect: { ways: { L1D: { [A]: -1, [B]: 1, [C]: -1, [D]: 0, [E]: 2 } } },
  },
  {
    asks: "does srrip keep a line that was hit over one that was only filled?",
    rules: "D14 R39",
    machine: lone(2, "srrip"),
    // A is at 0 after its hit; B ages from 2 to 3 first, then C does.
    records: [load(0, A), load(0, B), load(0, A), load(0, C), load(0, D)],
    expect: { ways: { L1D: { [A]: 0, [B]: -1, [C]: -1, [D]: 1 } } },
  },
  {
    asks: "does srrip take the lowest way of those at 3?",
    rules: "D14 R39",
    machine: lone(3, "srrip"),
    records: [load(0, A), load(0, B), load(0, C), load(0, D)],
    expect: { ways: { L1D: { [A]: -1, [B]: 1, [C]: 2, [D]: 0 } } },
  },
  {
    asks: "does random follow its seeded generator of each set?",
    rules: "D14 R39 R6",
    machine: lone(3, "random", { seed: 0x1234_5678 }),
    records: [A, B, C, D, E, F].map((line) => load(0, line)),
    expect: { ways: { L1D: randomPlaces(0x1234_5678, 3, [A, B, C, D, E, F]) } },
  },
  {
    asks: "is the random generator not stepped while a way is free?",
    rules: "R39",
    machine: lone(2, "random", { seed: 99 }),
    // A goes away before C comes, so C fills way 0 without a step and D is the first to ask the generator.
    records: [load(0, A), load(0, B), dc.civac(0, A), load(0, C), load(0, D)],
    expect: {
      ways: {
        L1D: {
          [B]: randomWays(99, 0, 0, 2, 1)[0] === 1 ? -1 : 1,
          [C]: randomWays(99, 0, 0, 2, 1)[0] === 0 ? -1 : 0,
          [D]: randomWays(99, 0, 0, 2, 1)[0] as number,
        },
      },
    },
  },
  {
    asks: "does a removed copy leave the order of the others alone?",
    rules: "D14",
    machine: lone(3, "lru"),
    // B goes, D takes its way; then A is the oldest.
    records: [load(0, A), load(0, B), load(0, C), dc.civac(0, B), load(0, D), load(0, E)],
    expect: { ways: { L1D: { [A]: -1, [C]: 2, [D]: 1, [E]: 0 } } },
  },
  {
    asks: "does maintenance not touch replacement state?",
    rules: "D14 R36",
    machine: lone(2, "lru"),
    records: [store(0, A), load(0, B), dc.cvac(0, A), load(0, C)],
    expect: { ways: { L1D: { [A]: -1, [B]: 1, [C]: 0 } } },
  },
  {
    asks: "does a snoop not touch replacement state?",
    rules: "D14 R36",
    machine: { cores: 2, l1d: oneSet(2), levels: [level("L2", 4)] },
    records: [store(0, A), load(0, B), load(1, A), load(0, C)],
    expect: { ways: { "L1D.0": { [A]: -1, [B]: 1, [C]: 0 } } },
  },
  {
    asks: "does a writeback that hits a NINE level touch the line there?",
    rules: "D16 R36",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 2)] },
    // A is written back when B has come; so C replaces B.
    records: [store(0, A), load(0, B), load(0, C)],
    expect: { copies: { [A]: "L2 M", [B]: "", [C]: "L1D E, L2 E" }, machine: { memoryReads: 3 } },
  },
  {
    asks: "does a writeback not touch where writebackTouches is off?",
    rules: "D16 R36",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 2, { touches: false })] },
    records: [store(0, A), load(0, B), load(0, C)],
    expect: { copies: { [A]: "", [B]: "L2 E", [C]: "L1D E, L2 E" }, machine: { memoryReads: 3, memoryWrites: 1 } },
  },
  {
    asks: "do a set count and a way count that are no powers of two index by the remainder?",
    rules: "D14 D3",
    machine: { cores: 1, l1d: { sets: 3, ways: 3 } },
    // Lines 0, 3, 6 and 9 meet in set 0; lines 1 and 2 don't meet them.
    records: [0, 3, 6, 1, 2, 9].map((line) => load(0, line * 64)),
    expect: { ways: { L1D: { 0: -1, [3 * 64]: 1, [6 * 64]: 2, [9 * 64]: 0, 64: 0, 128: 0 } } },
  },
  {
    asks: "does a cache wider than sixteen ways keep its order?",
    rules: "D14",
    machine: lone(18, "lru"),
    records: [...Array.from({ length: 18 }, (_, line) => load(0, line * 64)), load(0, 0), load(0, 18 * 64)],
    expect: { ways: { L1D: { 0: 0, 64: -1, [18 * 64]: 1 } } },
  },
];
