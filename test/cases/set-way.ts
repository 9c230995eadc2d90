/** Maintenance by set/way: literal, local, to the next level, and its latent hazards (D28, D33, R22, R40). */
import { dc, load, migrate, setWayOperand, store } from "../../src/engine/record.ts";
import type { Case } from "./case.ts";
import { A, B, level, oneSet, pair, single, withSystemCache } from "./small-machines.ts";

/** Operand for a cache with 64-byte lines. */
const at = (depth: number, ways: number, set: number, way: number) =>
  setWayOperand({ depth, ways, lineBytes: 64 }, set, way);

export const setWay: readonly Case[] = [
  {
    asks: "does DC CSW move dirty bytes to the next level and keep the copy?",
    rules: "D28 D18",
    machine: single,
    records: [store(0, A), dc.csw(0, at(1, 2, 0, 0))],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 },
        L2: { stores: 1, storeMisses: 1, writebacksIn: 1 },
      },
      copies: { [A]: "L1D E, L2 M" },
      words: { memory: { [A]: 0n }, L2: { [A]: 1n } },
      machine: { memoryReads: 1 },
      hazards: [],
    },
  },
  {
    asks: "does DC CISW move dirty bytes to the next level and remove the copy?",
    rules: "D28",
    machine: single,
    records: [store(0, A), dc.cisw(0, at(1, 2, 0, 0))],
    expect: { copies: { [A]: "L2 M" }, words: { memory: { [A]: 0n } }, hazards: [] },
  },
  {
    asks: "does DC ISW drop dirty bytes?",
    rules: "D28 D32",
    machine: single,
    records: [store(0, A), dc.isw(0, at(1, 2, 0, 0))],
    expect: {
      copies: { [A]: "L2 E" },
      hazards: [{ class: "lost-write", line: A, newest: 0, observer: 0, record: 1 }],
    },
  },
  {
    asks: "does DC ISW clean where invalidateCleans says so?",
    rules: "D28 R22",
    machine: { ...single, invalidateCleans: true },
    records: [store(0, A), dc.isw(0, at(1, 2, 0, 0))],
    expect: { copies: { [A]: "L2 M" }, hazards: [] },
  },
  {
    asks: "does DC CSW of a clean line only probe?",
    rules: "D28",
    machine: single,
    records: [load(0, A), dc.csw(0, at(1, 2, 0, 0))],
    expect: { caches: { L1D: { loads: 1, loadMisses: 1, maintenanceProbes: 1 }, L2: { loads: 1, loadMisses: 1 } } },
  },
  {
    asks: "is the named way taken, not the line?",
    rules: "D28",
    machine: single,
    records: [store(0, A), store(0, B), dc.cisw(0, at(1, 2, 0, 1))],
    expect: { copies: { [A]: "L1D M, L2 E", [B]: "L2 M" } },
  },
  {
    asks: "does DC CISW of an inclusive L2 first take the newest bytes from inside?",
    rules: "D28 D19 R40",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 4, { data: "inclusive" })] },
    records: [store(0, A), dc.cisw(0, at(2, 4, 0, 0))],
    expect: {
      caches: {
        L1D: { stores: 1, storeMisses: 1, backInvalidations: 1 },
        L2: { stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 },
      },
      copies: { [A]: "" },
      words: { memory: { [A]: 1n } },
      hazards: [],
    },
  },
  {
    asks: "does DC ISW of an inclusive L2 drop dirty bytes inside?",
    rules: "D28 R40",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 4, { data: "inclusive" })] },
    records: [store(0, A), dc.isw(0, at(2, 4, 0, 0))],
    expect: { copies: { [A]: "" }, hazards: [{ class: "lost-write", line: A, newest: 0, record: 1 }] },
  },
  {
    asks: "does DC CISW of a NINE L2 leave the dirty L1D copy inside?",
    rules: "D28",
    machine: single,
    records: [store(0, A), dc.cisw(0, at(2, 4, 0, 0))],
    expect: { copies: { [A]: "L1D M" }, words: { memory: { [A]: 0n } }, hazards: [] },
  },
  {
    asks: "does DC CSW of an inclusive L2 leave inner dirty bytes inside?",
    rules: "D28 R40",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 4, { data: "inclusive" })] },
    records: [store(0, A), dc.csw(0, at(2, 4, 0, 0))],
    expect: { copies: { [A]: "L1D M, L2 E" }, machine: { memoryReads: 1 } },
  },
  {
    asks: "does an out-of-range set do nothing?",
    rules: "D28 R22",
    machine: single,
    records: [store(0, A), dc.cisw(0, at(1, 2, 1, 0))],
    expect: {
      caches: { L1D: { stores: 1, storeMisses: 1 } },
      copies: { [A]: "L1D M, L2 E" },
      events: { 0: { memory: 1, maintenance: 1 } },
    },
  },
  {
    asks: "does an out-of-range way do nothing?",
    rules: "D28 R22",
    machine: { ...single, l1d: oneSet(3) },
    records: [store(0, A), dc.cisw(0, at(1, 3, 0, 3))],
    expect: { caches: { L1D: { stores: 1, storeMisses: 1 } }, copies: { [A]: "L1D M, L2 E" } },
  },
  {
    asks: "does set/way leave a system cache alone?",
    rules: "D28 R4",
    machine: withSystemCache,
    records: [load(0, A), dc.cisw(0, at(3, 8, 0, 0))],
    expect: { caches: { L3: { loads: 1, loadMisses: 1 } }, copies: { [A]: "L1D E, L2 E, L3 E" } },
  },
  {
    asks: "does set/way leave a level alone that is not in CLIDR?",
    rules: "D28 R5",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 4, { setWay: false })] },
    records: [load(0, A), dc.cisw(0, at(2, 4, 0, 0))],
    expect: { caches: { L2: { loads: 1, loadMisses: 1 } }, copies: { [A]: "L1D E, L2 E" } },
  },
  {
    asks: "does set/way reach the executing core's caches only, and is that said while cores share?",
    rules: "D28 D33 R22",
    machine: pair,
    records: [store(1, A), dc.cisw(0, at(1, 2, 0, 0))],
    expect: {
      caches: { "L1D.0": { maintenanceProbes: 1 }, "L1D.1": { stores: 1, storeMisses: 1 } },
      copies: { [A]: "L1D.1 M, L2 E" },
      hazards: [
        { class: "set/way-while-shared", line: 0, newest: -1, observer: 0, record: 1, occurrences: 1, lines: 1 },
      ],
    },
  },
  {
    asks: "is set/way by the only core that has used its caches fine?",
    rules: "D33",
    machine: pair,
    records: [store(0, A), dc.cisw(0, at(1, 2, 0, 0))],
    expect: { hazards: [] },
  },
  {
    asks: "does set/way on a shared L2 act on whatever core filled it?",
    rules: "D28 R40",
    machine: pair,
    records: [load(1, A), dc.cisw(0, at(2, 4, 0, 0))],
    expect: { copies: { [A]: "L1D.1 E" } },
  },
  {
    asks: "does a full loop that leaves dirty lines in a system cache fall short of the PoC?",
    rules: "D33 R29",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 2, { kind: "system" })] },
    records: [store(0, A), store(0, B), dc.cisw(0, at(1, 2, 0, 0)), dc.cisw(0, at(1, 2, 0, 1))],
    expect: {
      dirty: { L1D: 0, L2: 2 },
      hazards: [
        { class: "set/way-short-of-poc", line: 0, newest: -1, observer: 0, record: 3, occurrences: 1, lines: 2 },
      ],
    },
  },
  {
    asks: "is half a loop not yet short of the PoC?",
    rules: "D33",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 2, { kind: "system" })] },
    records: [store(0, A), store(0, B), dc.cisw(0, at(1, 2, 0, 0)), dc.cisw(0, at(1, 2, 0, 0))],
    expect: { hazards: [] },
  },
  {
    asks: "does a full loop on a machine without a system cache reach the PoC?",
    rules: "D33 R22",
    machine: { cores: 1, l1d: oneSet(1), levels: [level("L2", 1)] },
    records: [store(0, A), dc.cisw(0, at(1, 1, 0, 0)), dc.cisw(0, at(2, 1, 0, 0))],
    expect: { words: { memory: { [A]: 1n } }, dirty: { L1D: 0, L2: 0 }, hazards: [] },
  },
  {
    asks: "is a loop that goes on on another core reported there?",
    rules: "D33 R29",
    machine: { ...pair, l1d: { sets: 2, ways: 1 } },
    records: [dc.csw(0, at(1, 1, 0, 0)), migrate(0, 1), dc.csw(1, at(1, 1, 1, 0))],
    expect: { hazards: [{ class: "set/way-migrated", line: 0, newest: -1, observer: 1, record: 2, occurrences: 1 }] },
  },
  {
    asks: "may software migrate between loops?",
    rules: "D33",
    machine: { cores: 2, l1d: oneSet(1) },
    records: [dc.csw(0, at(1, 1, 0, 0)), migrate(0, 1), dc.csw(1, at(1, 1, 0, 0))],
    expect: { hazards: [] },
  },
  {
    asks: "does DC CSW of an exclusive L2's child clean past the exclusive level?",
    rules: "D18 R41",
    machine: { cores: 1, l1d: oneSet(2), levels: [level("L2", 2, { data: "exclusive" }), level("L3", 4)] },
    records: [store(0, A), dc.csw(0, at(1, 2, 0, 0))],
    expect: {
      caches: { L2: { stores: 1, storeMisses: 1 }, L3: { stores: 1, storeMisses: 1, writebacksIn: 1 } },
      copies: { [A]: "L1D E, L3 M" },
    },
  },
];
