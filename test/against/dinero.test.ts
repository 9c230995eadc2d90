/**
 * Does a single core on a machine that Dinero IV can describe miss exactly as often as Dinero IV says (R36, R37)?
 * Split L1 of 32 KiB, two-way for instructions and four-way for data, unified NINE L2 of 1 MiB and 16 ways, LRU, 64 bytes.
 */
import { describe, expect, test } from "vitest";
import { EVERYTHING_RECORDED } from "../../src/engine/engine.ts";
import { encodeRecords, fetch, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { DEBUG_KERNELS, ENGINES, REFERENCE } from "../properties/engines.ts";
import { buildMachine } from "../properties/machines.ts";
import { DineroCache } from "./dinero-model.ts";

const LINE = 64;
const COUNT = 100_000;
const MEMORY = 0x400_0000;

const machine = buildMachine({
  cores: 1,
  l1i: { sets: 256, ways: 2 },
  l1d: { sets: 128, ways: 4 },
  levels: [{ level: "L2", per: "core", sets: 1024, ways: 16 }],
  memory: [{ base: 0, size: MEMORY }],
});

/** xorshift32: the streams are the same in every run. */
function generator(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

type Stream = (index: number, next: (below: number) => number) => RecordEntry;

/** Data accesses spread over `span` bytes, a part of them stores, between fetches that walk through `code` bytes. */
const mixed =
  (span: number, stores: number, code: number): Stream =>
  (index, next) => {
    if (index % 3 === 0) return fetch(0, 0x200_0000 + ((index * 16 + next(4) * 4096) % code) - (index % 2) * 4);
    const address = next(span / 8) * 8;
    return next(100) < stores ? store(0, address) : load(0, address);
  };

const STREAMS: Readonly<Record<string, Stream>> = {
  "data that fit the L2": mixed(512 * 1024, 30, 64 * 1024),
  "data that don't": mixed(4 * 1024 * 1024, 50, 128 * 1024),
  "a copy loop over 3 MiB": (index) => {
    const at = (index >> 1) * 64;
    return index % 2 === 0 ? load(0, at % 0x18_0000) : store(0, 0x18_0000 + (at % 0x18_0000));
  },
  "code that writes itself": (index, next) => {
    const address = next(160 * 1024) & ~7;
    return [fetch(0, address), store(0, address), load(0, address)][(index + next(2)) % 3] as RecordEntry;
  },
  "lines that meet in one set": (_index, next) => {
    const address = next(24) * 64 * 1024 + next(3) * 64;
    return next(2) === 0 ? store(0, address) : load(0, address);
  },
};

function entriesOf(stream: Stream): RecordEntry[] {
  const next = generator(0x9e37_79b9);
  return Array.from({ length: COUNT }, (_, index) => stream(index, next));
}

function dinero(entries: readonly RecordEntry[]) {
  const l2 = new DineroCache(1024 * 1024, 16, LINE);
  const l1i = new DineroCache(32 * 1024, 2, LINE, l2);
  const l1d = new DineroCache(32 * 1024, 4, LINE, l2);
  for (const entry of entries) {
    const block = Math.floor(entry.operand / LINE);
    if (entry.code === 2) l1i.read(block);
    else if (entry.code === 1) l1d.write(block);
    else l1d.read(block);
  }
  return {
    l1i: l1i.misses,
    l1d: l1d.misses,
    l2: l2.misses,
    l2References: l2.references,
    l1dCopiesBack: l1d.copiesBack,
    memoryWrites: l2.copiesBack,
  };
}

const full = process.env.SETWAY_FULL === "1";
/** Debug builds are slow, and play the same streams in test/properties; so is the reference model, which plays two of these. */
const PLAYERS = ENGINES.filter((each) => full || !DEBUG_KERNELS.includes(each));
const FOR_ALL = ["code that writes itself", "lines that meet in one set"];

describe.each(Object.entries(STREAMS))("%s", (name, stream) => {
  const players = PLAYERS.filter((each) => full || each !== REFERENCE || FOR_ALL.includes(name));
  const entries = entriesOf(stream);
  const words = encodeRecords(entries);
  const expected = dinero(entries);

  test("is worth comparing", () => {
    expect(expected.l1d).toBeGreaterThan(COUNT / 100);
  });

  test.each(players.map((each) => [each.name, each] as const))("%s", { timeout: 60_000 }, (_engine, kind) => {
    const engine = kind.create(machine, EVERYTHING_RECORDED);
    engine.play(words);
    const { caches, machine: whole } = engine.counters();
    const [l1i, l1d, l2] = caches as [(typeof caches)[0], (typeof caches)[0], (typeof caches)[0]];
    expect({
      l1i: l1i.fetchMisses,
      l1d: l1d.loadMisses + l1d.storeMisses,
      l2: l2.loadMisses + l2.storeMisses + l2.fetchMisses + l2.writebackMisses,
      l2References: l2.loads + l2.stores + l2.fetches + l2.writebacksIn,
      l1dCopiesBack: l1d.writebacksOut,
      memoryWrites: whole.memoryWrites,
    }).toEqual(expected);
  });
});
