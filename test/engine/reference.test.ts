/**
 * Does the reference model tell the field's stories as the rules do? Machines are small enough that every counter here
 * was worked out by hand from docs/semantics.md.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordError, SetwayError } from "../../src/engine/errors.ts";
import { ATTRIBUTES, OPERATIONS } from "../../src/engine/operations.ts";
import {
  assignPage,
  atomic,
  dc,
  device,
  dsb,
  encodeRecords,
  evict,
  fetch,
  ic,
  isb,
  load,
  migrate,
  outer,
  prefetch,
  type RecordEntry,
  record,
  records,
  sctlr,
  setWayOperand,
  store,
} from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import { allowedFeatures } from "../properties/features.ts";
import { buildMachine, roomyLevel as level, machine, ONE_LINE, ROOMY } from "../properties/machines.ts";
import { randomCase } from "../properties/random-case.ts";
import { cacheId, counted, hazardNames, nonZero, played, states } from "./played.ts";

const NC = { attribute: "NON_CACHEABLE" } as const;
const NSH = { attribute: "WRITE_BACK_NON_SHAREABLE" } as const;
/** Three lines of different sets and pages. */
const A = 0x1000;
const B = 0x2040;
const C = 0x3080;

/** Every set and way of the caches that set/way reaches from a core, level by level. */
function setWayLoop(on: ResolvedMachine, core: number, operation: "isw" | "csw" | "cisw"): RecordEntry[] {
  const path = on.caches.filter((cache) => cache.setWay && cache.cores.includes(core));
  return path.flatMap((cache) =>
    Array.from({ length: cache.sets * cache.ways }, (_, index) =>
      dc[operation](core, setWayOperand(cache, Math.floor(index / cache.ways), index % cache.ways)),
    ),
  );
}

describe("one core", () => {
  const on = machine({ levels: [level("L2")] });

  test("a store miss fills every level and the next load hits", () => {
    const engine = played(on, store(0, A), load(0, A));
    expect(counted(engine, "L1D")).toEqual({ stores: 1, storeMisses: 1, loads: 1 });
    expect(counted(engine, "L2")).toEqual({ stores: 1, storeMisses: 1 });
    expect(nonZero(engine.counters().machine)).toEqual({ memoryReads: 1 });
    expect(nonZero(engine.counters().events[0] ?? {})).toEqual({ memory: 1 });
    expect(engine.counters().hits[0]).toEqual({ L1D: 1, L2: 0 });
    expect(states(engine, A)).toBe("L1D=M L2=E");
    expect(engine.lastValue()).toBe(1n);
    expect(engine.peek("memory", A, 8)).toEqual(new Uint8Array(8));
    expect(engine.peek("truth", A, 1)).toEqual(Uint8Array.of(1));
    expect(engine.hazards()).toEqual([]);
  });

  test("an access over a line's end is two pieces, and its value repeats from its first byte", () => {
    const value = 0x0807_0605_0403_0201n;
    const engine = played(on, store(0, A + 60, { sizeBytes: 8, value }), load(0, A + 60, { sizeBytes: 8 }));
    expect(counted(engine, "L1D")).toEqual({ stores: 2, storeMisses: 2, loads: 2 });
    expect(engine.lastValue()).toBe(value);
    expect(engine.peek("truth", A + 60, 8)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  });

  test("without a value each aligned word holds the record number plus one", () => {
    const engine = played(on, load(0, B), store(0, A + 4, { sizeBytes: 8 }));
    expect(engine.peek("truth", A, 16)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0));
  });

  test("DC ZVA stores its aligned block of zeroes", () => {
    const engine = played(on, store(0, A + 8), dc.zva(0, A + 20), load(0, A + 8));
    expect(engine.lastValue()).toBe(0n);
    expect(counted(engine, "L1D")).toEqual({ stores: 2, storeMisses: 1, loads: 1 });
  });

  test("a dirty victim is written back where the outer level holds it", () => {
    const small = machine({ l1d: ONE_LINE, levels: [level("L2")] });
    const engine = played(small, store(0, A), load(0, B));
    expect(counted(engine, "L1D")).toEqual({
      stores: 1,
      storeMisses: 1,
      loads: 1,
      loadMisses: 1,
      evictions: 1,
      writebacksOut: 1,
    });
    expect(counted(engine, "L2")).toEqual({ stores: 1, storeMisses: 1, loads: 1, loadMisses: 1, writebacksIn: 1 });
    expect(states(engine, A)).toBe("L2=M");
    expect(engine.counters().events[0]).toMatchObject({ memory: 2, writeback: 1 });
  });

  test("a prefetch fills and observes nothing; an eviction event is a replacement", () => {
    const engine = played(on, prefetch(0, A), evict(0, A), load(0, A));
    expect(counted(engine, "L1D")).toEqual({ loads: 2, loadMisses: 2, evictions: 1 });
    expect(engine.counters().hits[0]).toEqual({ L1D: 0, L2: 1 });
  });
});

describe("policies", () => {
  test("a write-through L1D is never dirty and passes only the bytes on", () => {
    const on = machine({ l1d: { ...ROOMY, write: "through" }, levels: [level("L2")] });
    const engine = played(on, store(0, A), store(0, A + 8));
    expect(counted(engine, "L1D")).toEqual({ stores: 2, storeMisses: 1, writebacksOut: 2 });
    expect(counted(engine, "L2")).toEqual({ stores: 1, storeMisses: 1, writebacksIn: 2 });
    expect(states(engine, A)).toBe("L1D=E L2=M");
  });

  test("a write-through L1D over a missing L2 line writes memory, which loses nothing", () => {
    const on = machine({ l1d: { ...ROOMY, write: "through" }, levels: [level("L2", ONE_LINE)] });
    const engine = played(on, load(0, A), load(0, B), store(0, A));
    expect(counted(engine, "L2")).toMatchObject({ writebacksIn: 1, writebackMisses: 1 });
    expect(engine.counters().machine.memoryWrites).toBe(1);
    expect(engine.hazards()).toEqual([]);
  });

  test("a store that nobody allocates goes to memory; one that L2 allocates stops there", () => {
    const reads = { ...ROOMY, allocate: "read" } as const;
    const past = played(machine({ l1d: reads, levels: [level("L2", { allocate: "read" })] }), store(0, A));
    expect(states(past, A)).toBe("");
    expect(nonZero(past.counters().machine)).toEqual({ memoryReads: 1, memoryWrites: 1 });
    const stops = played(machine({ l1d: reads, levels: [level("L2")] }), store(0, A));
    expect(states(stops, A)).toBe("L2=M");
    expect(nonZero(stops.counters().machine)).toEqual({ memoryReads: 1 });
  });

  test("an L1D that only stores allocate lets loads pass", () => {
    const engine = played(machine({ l1d: { ...ROOMY, allocate: "write" } }), load(0, A), store(0, B));
    expect(states(engine, A)).toBe("");
    expect(states(engine, B)).toBe("L1D=M");
  });

  test("an inclusive victim takes clean inner copies along", () => {
    const on = machine({ levels: [level("L2", { ...ONE_LINE, data: "inclusive" })] });
    const engine = played(on, load(0, A), load(0, B));
    expect(counted(engine, "L1D")).toEqual({ loads: 2, loadMisses: 2, backInvalidations: 1 });
    expect(counted(engine, "L2")).toEqual({ loads: 2, loadMisses: 2, evictions: 1 });
    expect(states(engine, A)).toBe("");
  });

  test("an inclusive victim merges dirty inner bytes and goes to memory with them", () => {
    const on = machine({ levels: [level("L2", { ...ONE_LINE, data: "inclusive" })] });
    const engine = played(on, store(0, A), load(0, B));
    expect(counted(engine, "L1D")).toMatchObject({ backInvalidations: 1 });
    expect(counted(engine, "L1D").writebacksOut).toBeUndefined();
    expect(counted(engine, "L2")).toMatchObject({ evictions: 1, writebacksOut: 1 });
    expect(engine.peek("memory", A, 1)).toEqual(Uint8Array.of(1));
    expect(engine.counters().machine.memoryWrites).toBe(1);
  });

  test("inclusion speaks of data and instructions apart", () => {
    const l2 = (instructions: "inclusive" | "nine") =>
      machine({ l1i: ROOMY, levels: [level("L2", { ...ONE_LINE, data: "nine", instructions })] });
    expect(states(played(l2("inclusive"), fetch(0, A), load(0, B)), A)).toBe("");
    expect(states(played(l2("nine"), fetch(0, A), load(0, B)), A)).toBe("L1I=S");
  });

  test("lines move into and out of an exclusive level", () => {
    const on = machine({ l1d: ONE_LINE, levels: [level("L2", { data: "exclusive" })] });
    const first = played(on, load(0, A), load(0, B));
    expect(states(first, A)).toBe("L2=E");
    expect(states(first, B)).toBe("L1D=E");
    expect(counted(first, "L2")).toEqual({ loads: 2, loadMisses: 2, writebacksIn: 1, writebackMisses: 1 });
    expect(counted(first, "L1D")).toEqual({ loads: 2, loadMisses: 2, evictions: 1 });
    const back = played(on, store(0, A), load(0, B), load(0, A));
    expect(states(back, A)).toBe("L1D=M");
    expect(states(back, B)).toBe("L2=E");
    expect(back.hazards()).toEqual([]);
  });
});

describe("replacement: after these accesses to a set of one cache, the victim is", () => {
  const line = (name: string): number => A + (name.charCodeAt(0) - "a".charCodeAt(0)) * 64;
  test.each([
    ["lru", 4, "abcda", "b"],
    ["fifo", 4, "abcda", "a"],
    // Filling d leaves the root pointing down, and a the victim of the lower half.
    ["tree-plru", 4, "abcd", "a"],
    // Touching a points the root up, where c was touched before d.
    ["tree-plru", 4, "abcda", "c"],
    // The fourth leaf is empty: its node can only give c.
    ["tree-plru", 3, "abca", "c"],
    ["tree-plru", 3, "abcaca", "c"],
    ["tree-plru", 1, "a", "a"],
    // All are at 2; a hit puts a at 0, ageing brings b to 3 first.
    ["srrip", 4, "abcd", "a"],
    ["srrip", 4, "abcda", "b"],
    // e came in at 2 when a was at 1 and c, d at 3.
    ["srrip", 4, "abcdae", "c"],
  ] as const)("%s of %i ways: %s then %s", (replacement, ways, accesses, victim) => {
    const on = machine({ l1d: { sets: 1, ways, replacement } });
    const before = [...accesses].map((name) => load(0, line(name)));
    const filled = played(on, ...before);
    expect(states(filled, line(victim))).toBe("L1D=E");
    const engine = played(on, ...before, load(0, line("z")));
    expect(states(engine, line(victim))).toBe("");
    expect(counted(engine, "L1D").evictions).toBe((counted(filled, "L1D").evictions ?? 0) + 1);
  });

  test("random: the way that R39's generator names, stepped only when no way is Invalid", () => {
    // The same arithmetic in big integers: fmix32(seed ^ cache * 0x9E3779B9 ^ set) | 1, then xorshift 13, 17, 5.
    const word = (value: bigint): bigint => value & 0xffff_ffffn;
    const mix = (start: bigint): bigint => {
      let h = word(start);
      h = word((h ^ (h >> 16n)) * 0x85eb_ca6bn);
      h = word((h ^ (h >> 13n)) * 0xc2b2_ae35n);
      return h ^ (h >> 16n);
    };
    const seed = 12345;
    let x = mix(BigInt(seed) ^ 0n ^ 0n) | 1n;
    const next = (): number => {
      x = word(x ^ (x << 13n));
      x ^= x >> 17n;
      x = word(x ^ (x << 5n));
      return Number(x % 3n);
    };
    const engine = played(machine({ l1d: { sets: 1, ways: 3, replacement: "random" }, seed }));
    const ways: string[] = [];
    for (const name of "abcdefghij") {
      const way = ways.length < 3 ? ways.length : next();
      ways[way] = name;
      engine.play(records(load(0, line(name))));
      for (const held of ways) expect(states(engine, line(held))).toBe("L1D=E");
    }
  });
});

describe("two cores under a shared L2", () => {
  const two = (protocol: "mesi" | "moesi") => machine({ cores: 2, protocol, levels: [level("L2")] });

  test.each([
    ["mesi", [store(0, A), load(1, A)], "L1D.0=S L1D.1=S L2=M"],
    ["moesi", [store(0, A), load(1, A)], "L1D.0=O L1D.1=S L2=E"],
    ["mesi", [load(0, A), load(1, A)], "L1D.0=S L1D.1=S L2=E"],
    ["moesi", [load(0, A), load(1, A)], "L1D.0=S L1D.1=S L2=E"],
    ["mesi", [store(0, A), store(1, A)], "L1D.1=M L2=M"],
    ["moesi", [store(0, A), store(1, A)], "L1D.1=M L2=E"],
    ["mesi", [store(0, A), load(1, A), store(1, A)], "L1D.1=M L2=M"],
    ["moesi", [store(0, A), load(1, A), store(0, A)], "L1D.0=M L2=E"],
    ["moesi", [store(0, A), load(1, A), evict(0, A)], "L1D.1=S L2=M"],
  ] as const)("%s: states", (protocol, entries, expected) => {
    const engine = played(two(protocol), ...entries, load(1, A));
    const before = played(two(protocol), ...entries);
    expect(states(before, A)).toBe(expected);
    expect(engine.lastValue()).toBe(truthWord(before, A));
    expect(engine.hazards()).toEqual([]);
  });

  test("a read of another core's dirty line snoops it, and is supplied by it", () => {
    const engine = played(two("mesi"), store(0, A), load(1, A));
    expect(counted(engine, "L1D.0")).toEqual({ stores: 1, storeMisses: 1, snoopsIn: 1 });
    expect(counted(engine, "L1D.1")).toEqual({ loads: 1, loadMisses: 1 });
    expect(counted(engine, "L2")).toEqual({ stores: 1, storeMisses: 1, loads: 1 });
    expect(nonZero(engine.counters().events[1] ?? {})).toEqual({ snoop: 1 });
    expect(engine.counters().machine.memoryWrites).toBe(0);
  });

  test("a store to a shared line upgrades and invalidates the others", () => {
    const engine = played(two("mesi"), load(0, A), load(1, A), store(0, A));
    expect(counted(engine, "L1D.0")).toEqual({ loads: 1, loadMisses: 1, stores: 1, snoopsIn: 1, upgrades: 1 });
    expect(counted(engine, "L1D.1")).toEqual({ loads: 1, loadMisses: 1, snoopsIn: 1, invalidations: 1 });
    // The upgrade is no access of the L2; the store hit L1D, and snooped without being supplied.
    expect(counted(engine, "L2")).toEqual({ loads: 2, loadMisses: 1 });
    expect(nonZero(engine.counters().events[0] ?? {})).toEqual({ memory: 1, snoop: 1 });
    expect(engine.counters().hits[0]).toEqual({ L1D: 1, L2: 0 });
  });

  test("without the line in the L2, a MESI owner's bytes go to memory and a MOESI owner keeps them", () => {
    const small = (protocol: "mesi" | "moesi") => machine({ cores: 2, protocol, levels: [level("L2", ONE_LINE)] });
    const steps = [store(0, A), load(0, B), load(1, A)];
    const mesi = played(small("mesi"), ...steps);
    expect(states(mesi, A)).toBe("L1D.0=S L1D.1=S L2=S");
    expect(mesi.counters().machine.memoryWrites).toBe(1);
    const moesi = played(small("moesi"), ...steps);
    expect(states(moesi, A)).toBe("L1D.0=O L1D.1=S L2=S");
    expect(moesi.counters().machine.memoryWrites).toBe(0);
    expect(moesi.counters().machine.memoryReads).toBe(2);
  });

  test("an atomic is a store that observes the old bytes", () => {
    const engine = played(two("mesi"), store(0, A, { value: 7n }), atomic(1, A, { value: 9n }));
    expect(engine.lastValue()).toBe(7n);
    expect(truthWord(engine, A)).toBe(9n);
    expect(counted(engine, "L1D.1")).toEqual({ stores: 1, storeMisses: 1 });
    expect(engine.hazards()).toEqual([]);
  });

  test("Non-shareable accesses neither snoop nor invalidate, and the last writeback wins", () => {
    const on = machine({ cores: 2, l1d: ONE_LINE });
    const engine = played(on, store(0, A, NSH), store(1, A, NSH), evict(0, A), evict(1, A), load(0, A));
    expect(engine.lastValue()).toBe(2n);
    expect(counted(engine, "L1D.0").snoopsIn).toBeUndefined();
    const reversed = played(on, store(0, A, NSH), store(1, A, NSH), evict(1, A), evict(0, A));
    expect(hazardNames(reversed)).toEqual(["lost-write 1>0"]);
  });
});

describe("sockets", () => {
  const on = machine({
    cores: 2,
    sockets: 2,
    levels: [level("L2", { per: "socket" })],
    memory: [
      { base: 0, size: 0x8000 },
      { base: 0x8000, size: 0x8000, socket: 1 },
    ],
  });

  test("a dirty line of the other socket is supplied by it and written home once", () => {
    const engine = played(on, store(0, A), load(1, A));
    expect(states(engine, A)).toBe("L1D.0=S L1D.1=S L2.0=S L2.1=S");
    // L1D.0 and L2.0 are both owners; the writeback counts at the root of the supplier's tree.
    expect(counted(engine, "L1D.0")).toMatchObject({ snoopsIn: 1 });
    expect(counted(engine, "L2.0")).toMatchObject({ snoopsIn: 1, writebacksOut: 1 });
    expect(nonZero(engine.counters().machine)).toEqual({ memoryReads: 1, memoryWrites: 1, crossings: 3 });
    expect(nonZero(engine.counters().events[1] ?? {})).toEqual({ snoopRemote: 1, writeback: 1 });
  });

  test("memory of the other socket is remote and a crossing", () => {
    const engine = played(on, load(0, 0x9000));
    expect(nonZero(engine.counters().events[0] ?? {})).toEqual({ memoryRemote: 1 });
    expect(engine.counters().machine.crossings).toBe(1);
  });

  test("a home-placed level is chosen by the address", () => {
    const home = machine({
      cores: 2,
      sockets: 2,
      levels: [level("L2", { per: "socket", placement: "home" })],
      memory: [
        { base: 0, size: 0x8000 },
        { base: 0x8000, size: 0x8000, socket: 1 },
      ],
    });
    const engine = played(home, load(0, A), load(0, 0x9000));
    expect(states(engine, A)).toBe("L1D.0=E L2.0=E");
    expect(states(engine, 0x9000)).toBe("L1D.0=E L2.1=E");
    // The access to the other socket's L2 crosses, and so does the memory read behind it.
    expect(engine.counters().machine.crossings).toBe(2);
  });

  test("a sized directory evicts the oldest line from the whole socket", () => {
    const sized = machine({ cores: 2, directory: { sets: 1, ways: 2 } });
    const engine = played(sized, store(0, A), load(1, B), load(1, C));
    expect(engine.counters().machine.directoryEvictions).toBe(1);
    expect(states(engine, A)).toBe("");
    expect(counted(engine, "L1D.0")).toEqual({ stores: 1, storeMisses: 1, backInvalidations: 1, writebacksOut: 1 });
    expect(truthWord(engine, A)).toBe(1n);
    expect(engine.peek("memory", A, 1)).toEqual(Uint8Array.of(1));
  });
});

describe("bypassing the caches", () => {
  const on = machine({});

  test("a Non-cacheable write under a clean cached line: the line goes stale", () => {
    const engine = played(on, load(0, A), store(0, A, NC), load(0, A));
    expect(hazardNames(engine)).toEqual(["mismatched-attributes", "stale-read 1>0"]);
    expect(engine.hazards()[1]).toMatchObject({
      line: A,
      writer: 0,
      writerAttribute: ATTRIBUTES.NON_CACHEABLE.code,
      attribute: ATTRIBUTES.WRITE_BACK.code,
      record: 2,
      address: A,
      observed: 0n,
      expected: 2n,
      source: { cache: 0 },
      newestAt: "memory",
      lostAt: -1,
    });
    expect(nonZero(engine.counters().machine)).toEqual({ memoryReads: 1, memoryWrites: 1, uncachedWrites: 1 });
    expect(nonZero(engine.counters().events[0] ?? {})).toEqual({ memory: 1, uncached: 1 });
  });

  test("a writeback writes the whole line: bytes that changed underneath are lost", () => {
    const engine = played(on, store(0, A), store(0, A + 8, NC), evict(0, A), load(0, A + 8));
    expect(hazardNames(engine)).toEqual(["mismatched-attributes", "lost-write 1>0", "stale-read 1>0"]);
    const [, lost, stale] = engine.hazards();
    expect(lost).toMatchObject({ line: A, address: A + 8, record: 2, expected: 2n, newestAt: "nowhere", lostAt: 2 });
    expect(stale).toMatchObject({ record: 3, observed: 0n, expected: 2n, newestAt: "nowhere", lostAt: 2 });
  });

  test("with caches off a core reads memory, and what is dirty stays in the cache", () => {
    const engine = played(on, store(0, A), sctlr(0, "M"), load(0, A));
    expect(engine.lastValue()).toBe(0n);
    expect(hazardNames(engine)).toEqual(["stale-read 0>0", "mismatched-attributes"]);
    expect(engine.hazards()[0]).toMatchObject({ source: "memory", newestAt: { cache: 0 }, attribute: 1 });
    expect(states(engine, A)).toBe("L1D=M");
  });

  test("ncLookup serves the hit and calls it unexpected; ncSnoops cleans and invalidates first", () => {
    const steps = [store(0, A), load(0, A, NC)];
    const lookup = played(machine({ ncLookup: true }), ...steps);
    expect(lookup.lastValue()).toBe(1n);
    expect(nonZero(lookup.counters().machine)).toEqual({ memoryReads: 1, unexpectedHits: 1 });
    const snoops = played(machine({ ncSnoops: true }), ...steps);
    expect(snoops.lastValue()).toBe(1n);
    expect(states(snoops, A)).toBe("");
    expect(nonZero(snoops.counters().machine)).toEqual({ memoryReads: 2, memoryWrites: 1, uncachedReads: 1 });
    expect(counted(snoops, "L1D")).toEqual({ stores: 1, storeMisses: 1, writebacksOut: 1 });
  });

  test("atomics without caches fault, fail or go to memory", () => {
    expect(() => played(machine({ ncAtomics: "fault" }), atomic(0, A, NC))).toThrow(RecordError);
    const fails = played(machine({ ncAtomics: "fail" }), atomic(0, A, NC));
    expect(nonZero(fails.counters().machine)).toEqual({ atomicFailures: 1 });
    const goes = played(machine({ ncAtomics: "memory" }), store(0, A, NC), atomic(0, A, NC));
    expect(goes.lastValue()).toBe(1n);
    expect(nonZero(goes.counters().machine)).toMatchObject({ uncachedReads: 1, uncachedWrites: 2 });
    expect(nonZero(goes.counters().events[0] ?? {})).toEqual({ uncached: 2 });
  });

  test("MMIO reads as zero, stores nothing and is never cached", () => {
    const mmio = machine({
      memory: [
        { base: 0, size: 0x1_0000 },
        { base: 0x10_0000, size: 0x1000, type: "device" },
      ],
    });
    const engine = played(mmio, store(0, 0x10_0000), load(0, 0x10_0000));
    expect(engine.lastValue()).toBe(0n);
    expect(nonZero(engine.counters().machine)).toEqual({ uncachedReads: 1, uncachedWrites: 1 });
    expect(engine.hazards()).toEqual([]);
  });

  test("split: Write-Through stores go to memory, or stop at a system cache that holds the line", () => {
    const split = machine({ cacheability: "split", levels: [level("L2", { kind: "system" })] });
    const through = played(split, load(0, A), store(0, A, { attribute: "WRITE_THROUGH" }));
    expect(states(through, A)).toBe("L1D=E L2=E");
    expect(through.counters().machine.memoryWrites).toBe(1);
    const stops = played(split, load(0, A), store(0, A, { attribute: "INNER_WT_OUTER_WB" }));
    expect(states(stops, A)).toBe("L1D=E L2=M");
    expect(stops.counters().machine.memoryWrites).toBe(0);
    expect(counted(stops, "L2")).toEqual({ loads: 1, loadMisses: 1 });
    const outerOnly = played(split, load(0, A, { attribute: "INNER_NC_OUTER_WB" }));
    expect(states(outerOnly, A)).toBe("L2=E");
    const innerOnly = played(split, load(0, A, { attribute: "INNER_WB_OUTER_NC" }));
    expect(states(innerOnly, A)).toBe("L1D=E");
  });
});

describe("maintenance", () => {
  test("set/way is local: a line that moved to another core stays there", () => {
    const on = machine({ cores: 2, levels: [level("L2", { per: "core" })] });
    const engine = played(on, store(0, A), store(1, A), ...setWayLoop(on, 0, "cisw"), sctlr(0, "M"), load(0, A));
    expect(engine.lastValue()).toBe(1n);
    expect(hazardNames(engine)).toEqual(["set/way-while-shared", "stale-read 1>0", "mismatched-attributes"]);
    expect(engine.hazards()[0]?.occurrences).toBe(32);
    expect(engine.hazards()[1]).toMatchObject({
      writer: 1,
      observed: 1n,
      expected: 2n,
      source: "memory",
      newestAt: { cache: cacheId(on, "L1D.1") },
    });
    // The other core's store had both copies of core 0 written home and removed.
    expect(counted(engine, "L1D.0")).toMatchObject({ snoopsIn: 1, invalidations: 1, maintenanceProbes: 16 });
    expect(counted(engine, "L2.0")).toMatchObject({ snoopsIn: 1, invalidations: 1, writebacksOut: 1 });
  });

  describe("set/way stops short of a system cache", () => {
    const on = machine({
      l1d: ONE_LINE,
      levels: [level("L2", { ...ONE_LINE, per: "core" }), level("L3", { kind: "system" })],
    });
    const loop = setWayLoop(on, 0, "cisw");

    test("the dirty line goes from level to level, and a read past the caches is stale", () => {
      expect(loop.length).toBe(2);
      const engine = played(on, store(0, A), ...loop, load(0, A, NC));
      expect(states(engine, A)).toBe("L3=M");
      expect(hazardNames(engine)).toEqual(["set/way-short-of-poc", "stale-read 0>0", "mismatched-attributes"]);
      expect(engine.hazards()[0]).toMatchObject({ line: 0, lines: 1, record: 2, observer: 0 });
      expect(counted(engine, "L1D")).toEqual({ stores: 1, storeMisses: 1, maintenanceProbes: 1, writebacksOut: 1 });
      expect(counted(engine, "L2")).toEqual({
        stores: 1,
        storeMisses: 1,
        writebacksIn: 1,
        maintenanceProbes: 1,
        writebacksOut: 1,
      });
      expect(counted(engine, "L3")).toEqual({ stores: 1, storeMisses: 1, writebacksIn: 1 });
      expect(engine.counters().events[0]).toMatchObject({ maintenance: 2, writeback: 2 });
    });

    test("by VA reaches memory", () => {
      const engine = played(on, store(0, A), dc.civac(0, A), load(0, A, NC));
      expect(engine.hazards()).toEqual([]);
      expect(engine.lastValue()).toBe(1n);
      // Only the L1D copy was dirty; three copies were found.
      expect(counted(engine, "L1D")).toMatchObject({ maintenanceProbes: 1, writebacksOut: 1 });
      expect(counted(engine, "L2")).toMatchObject({ maintenanceProbes: 1 });
      expect(counted(engine, "L3")).toMatchObject({ maintenanceProbes: 1 });
      expect(engine.counters().machine.memoryWrites).toBe(1);
    });

    test("operands out of range and levels that aren't there do nothing", () => {
      const level4 = { depth: 4, ways: 1, lineBytes: 64 };
      const engine = played(on, store(0, A), dc.cisw(0, setWayOperand(level4, 0, 0)), dc.cisw(0, 64));
      expect(states(engine, A)).toBe("L1D=M L2=E L3=E");
      expect(counted(engine, "L1D").maintenanceProbes).toBeUndefined();
    });
  });

  test("set/way on an inclusive level: CISW merges inner bytes, ISW drops them", () => {
    const on = machine({ levels: [level("L2", { ...ONE_LINE, data: "inclusive" })] });
    const operand = setWayOperand({ depth: 2, ways: 1, lineBytes: 64 }, 0, 0);
    const flushed = played(on, store(0, A), dc.cisw(0, operand));
    expect(flushed.peek("memory", A, 1)).toEqual(Uint8Array.of(1));
    expect(counted(flushed, "L1D")).toMatchObject({ backInvalidations: 1 });
    expect(flushed.hazards()).toEqual([]);
    const dropped = played(on, store(0, A), dc.isw(0, operand));
    expect(hazardNames(dropped)).toEqual(["lost-write 0>0"]);
    const promoted = played({ ...on, invalidateCleans: true }, store(0, A), dc.isw(0, operand));
    expect(promoted.hazards()).toEqual([]);
  });

  test("IVAC discards a dirty line; invalidateCleans saves it", () => {
    const engine = played(machine(), store(0, A), dc.ivac(0, A), load(0, A));
    expect(hazardNames(engine)).toEqual(["lost-write 0>0", "stale-read 0>0"]);
    expect(engine.hazards()[1]).toMatchObject({ lostAt: 1, observed: 0n, expected: 1n, newestAt: "nowhere" });
    const saved = played(machine({ invalidateCleans: true }), store(0, A), dc.ivac(0, A), load(0, A));
    expect(saved.hazards()).toEqual([]);
    expect(saved.lastValue()).toBe(1n);
  });

  test("CVAC keeps copies, makes them clean and refreshes those outside", () => {
    const engine = played(machine({ levels: [level("L2")] }), store(0, A), dc.cvac(0, A));
    expect(states(engine, A)).toBe("L1D=E L2=E");
    expect(engine.peek({ cache: 1 }, A, 1)).toEqual(Uint8Array.of(1));
    expect(engine.peek("memory", A, 1)).toEqual(Uint8Array.of(1));
  });

  test("a Non-shareable address is maintained on the core's own path only", () => {
    const engine = played(machine({ cores: 2 }), store(0, A), dc.civac(1, A, NSH));
    expect(states(engine, A)).toBe("L1D.0=M");
  });

  test("a loop that goes on on another core is told there", () => {
    const on = machine({ cores: 2, l1d: { sets: 1, ways: 2 } });
    const loop = setWayLoop(on, 1, "cisw");
    const half = played(on, dc.cisw(0, 0), migrate(0, 1), ...loop);
    expect(hazardNames(half)).toEqual(["set/way-migrated"]);
    expect(half.hazards()[0]).toMatchObject({ observer: 1, record: 2, occurrences: 1 });
    const whole = played(on, ...setWayLoop(on, 0, "cisw"), migrate(0, 1), ...loop);
    expect(whole.hazards()).toEqual([]);
  });
});

describe("code that was just written", () => {
  const spec = { l1i: ROOMY, levels: [level("L2")] };
  const cvau = [dc.cvau(0, A), dsb(0)];
  const ivau = [ic.ivau(0, A), dsb(0)];

  test.each([
    ["nothing", [], ["stale-fetch 1>0"], {}],
    ["CVAU alone", cvau, ["stale-fetch 1>0"], {}],
    ["IVAU alone", [...ivau, isb(0)], ["stale-fetch 1>0"], {}],
    ["both, no ISB", [...cvau, ...ivau], ["maintenance-pending"], {}],
    ["both and ISB", [...cvau, ...ivau, isb(0)], [], {}],
    ["IVAU on a machine with IDC", [...ivau, isb(0)], [], { idc: true }],
    ["CVAU on a machine with DIC", cvau, [], { dic: true }],
    ["nothing on a machine with both", [], [], { idc: true, dic: true }],
  ])("%s", (_, between, expected, features) => {
    const on = machine({ ...spec, ...features });
    const engine = played(on, fetch(0, A), store(0, A), ...between, fetch(0, A));
    expect(hazardNames(engine)).toEqual(expected);
    const isFresh = !expected.some((name) => name.startsWith("stale"));
    expect(engine.lastValue()).toBe(isFresh ? 2n : 0n);
  });

  test("a fetch asks neither its own L1D nor leaves it unsnooped by others", () => {
    const engine = played(machine({ ...spec, cores: 2 }), store(0, A), fetch(1, A));
    expect(engine.hazards()).toEqual([]);
    expect(counted(engine, "L1D.0")).toMatchObject({ snoopsIn: 1 });
    expect(states(engine, A)).toBe("L1D.0=S L1I.1=S L2=M");
  });

  test("with the MMU off and I set, a fetch allocates in L1I only and reads memory", () => {
    const engine = played(machine(spec), store(0, A), sctlr(0, "I"), fetch(0, A), fetch(0, A));
    expect(states(engine, A)).toBe("L1I=S L1D=M L2=E");
    expect(counted(engine, "L2")).toEqual({ stores: 1, storeMisses: 1 });
    expect(engine.hazards()[0]).toMatchObject({ class: "stale-fetch", occurrences: 2, source: "memory", attribute: 4 });
    expect(nonZero(engine.counters().events[0] ?? {})).toEqual({ memory: 1, uncached: 1 });
  });

  test("IALLU is the core's own, IALLUIS everybody's", () => {
    const steps = [fetch(0, A), fetch(1, A)];
    expect(states(played(machine({ ...spec, cores: 2 }), ...steps, ic.iallu(0)), A)).toBe("L1I.1=S L2=E");
    expect(states(played(machine({ ...spec, cores: 2 }), ...steps, ic.ialluis(0)), A)).toBe("L2=E");
  });
});

describe("DMA", () => {
  const spec = { levels: [level("L2", { kind: "system" })] } as const;
  const plain = machine({ ...spec, devices: [{ coherent: false }] });
  const coherent = machine({ ...spec, devices: [{ coherent: true, allocate: "system" }] });
  const master = device(1);

  test("a non-coherent device reads what is in memory", () => {
    const stale = played(plain, store(0, A), master.read(A));
    expect(hazardNames(stale)).toEqual(["stale-dma 0>1"]);
    expect(stale.hazards()[0]).toMatchObject({ source: "memory", newestAt: { cache: 0 } });
    const cleaned = played(plain, store(0, A), dc.cvac(0, A), dsb(0), master.read(A));
    expect(cleaned.hazards()).toEqual([]);
    expect(cleaned.lastValue()).toBe(1n);
    const pending = played(plain, store(0, A), dc.cvac(0, A), master.read(A));
    expect(hazardNames(pending)).toEqual(["maintenance-pending"]);
  });

  test("a non-coherent device writes under a cached line", () => {
    const clean = played(plain, load(0, A), master.write(A), load(0, A));
    expect(hazardNames(clean)).toEqual(["stale-read 1>0"]);
    const dirty = played(plain, store(0, A + 8), master.write(A), dc.civac(0, A));
    expect(hazardNames(dirty)).toEqual(["lost-write 1>0"]);
  });

  test("a coherent device's read snoops one copy and changes nothing", () => {
    const engine = played(coherent, store(0, A), master.read(A));
    expect(engine.lastValue()).toBe(1n);
    expect(states(engine, A)).toBe("L1D=M L2=E");
    expect(counted(engine, "L1D")).toMatchObject({ snoopsIn: 1 });
    expect(nonZero(engine.counters().machine)).toEqual({ memoryReads: 1, deviceReads: 1 });
    expect(nonZero(engine.counters().events[1] ?? {})).toEqual({ device: 1 });
  });

  test("a coherent device's write merges dirty bytes and lands in the system cache", () => {
    const engine = played(coherent, store(0, A), master.write(A + 8), load(0, A), load(0, A + 8));
    expect(engine.lastValue()).toBe(2n);
    expect(engine.hazards()).toEqual([]);
    expect(counted(engine, "L1D")).toMatchObject({ snoopsIn: 1, invalidations: 1, writebacksOut: 1 });
    expect(counted(engine, "L2")).toEqual({ stores: 2, storeMisses: 1, loads: 1 });
    expect(engine.counters().machine.memoryWrites).toBe(0);
  });

  test("what landed in a system cache is not in memory for a core with caches off", () => {
    const engine = played(coherent, master.write(A), load(0, A, NC));
    expect(hazardNames(engine)).toEqual(["stale-read 0>0", "mismatched-attributes"]);
    expect(counted(engine, "L2")).toEqual({ stores: 1, storeMisses: 1 });
  });
});

describe("behind the interconnect", () => {
  const pl310 = machine({ outer: ROOMY });

  test("an outer cache is neither looked up nor emptied until it is enabled", () => {
    const off = played(pl310, load(0, A));
    expect(nonZero(off.counters().outer ?? {})).toEqual({});
    const on = played(pl310, outer.enable(0), load(0, A), evict(0, A), load(0, A));
    expect(nonZero(on.counters().outer ?? {})).toEqual({ loads: 2, loadMisses: 1 });
    expect(on.counters().hits[0]).toEqual({ L1D: 0, outer: 1 });
    expect(on.counters().machine.memoryReads).toBe(1);
  });

  test("by VA stops at the outer cache, whose own operation reaches memory", () => {
    const cleaned = [outer.enable(0), store(0, A), dc.civac(0, A), dsb(0)];
    const short = played(pl310, ...cleaned);
    expect(nonZero(short.counters().outer ?? {})).toEqual({ loads: 1, loadMisses: 1, writebacksIn: 1 });
    expect(short.peek("memory", A, 1)).toEqual(Uint8Array.of(0));
    const whole = played(pl310, ...cleaned, outer.flush(0, A), outer.disable(0), load(0, A));
    expect(whole.lastValue()).toBe(2n);
    expect(whole.hazards()).toEqual([]);
    const lost = played(pl310, ...cleaned, outer.invalidateWays(0, 0xf));
    expect(hazardNames(lost)).toEqual(["lost-write 1>0"]);
  });

  test("Normal Non-cacheable accesses use its hits unless overridden; Device ones never do", () => {
    const steps = [outer.enable(0), store(0, A), dc.civac(0, A), dsb(0)];
    expect(played(pl310, ...steps, load(0, A, NC)).lastValue()).toBe(2n);
    expect(played(pl310, ...steps, load(0, A, { attribute: "DEVICE" })).lastValue()).toBe(0n);
    expect(played({ ...pl310, outerSharedOverride: true }, ...steps, load(0, A, NC)).lastValue()).toBe(0n);
  });

  test("every requester goes through a memory-side cache", () => {
    const on = machine({ memorySide: ROOMY, devices: [{ coherent: false }] });
    const engine = played(on, load(0, A, NC), device(1).read(A), device(1).write(A), load(0, A, NC));
    expect(nonZero(engine.counters().memorySide[0] ?? {})).toEqual({ loads: 3, loadMisses: 1, writebacksIn: 1 });
    expect(nonZero(engine.counters().machine)).toMatchObject({ memoryReads: 1 });
    expect(engine.lastValue()).toBe(3n);
    expect(engine.hazards()).toEqual([]);
  });
});

describe("hazards", () => {
  test("a page that was given away leaks what nobody cleaned", () => {
    const engine = played(
      machine(),
      store(0, A),
      evict(0, A),
      load(0, A),
      store(0, A, NC),
      assignPage(0, A),
      load(0, A),
    );
    expect(hazardNames(engine)).toEqual(["mismatched-attributes", "leak 3>0"]);
  });

  test("occurrences of one identity are one hazard", () => {
    const engine = played(machine(), load(0, A), store(0, A, NC), load(0, A), load(0, A), load(0, A + 8));
    expect(engine.hazards()[1]).toMatchObject({ class: "stale-read", record: 2, occurrences: 2 });
  });

  test("what a trace didn't record is not assessable and never found", () => {
    const provenance = { maintenance: false, control: true, dma: true, ownership: true };
    const engine = createReference(machine(), { provenance });
    engine.play(records(load(0, A), store(0, A, NC), load(0, A)));
    expect(hazardNames(engine)).toEqual(["mismatched-attributes"]);
    expect(engine.notAssessable()).toContain("stale-read");
    expect(engine.notAssessable()).not.toContain("leak");
  });
});

describe("records", () => {
  const on = machine({ devices: [{}], zva: 0 });

  test.each([
    ["an unknown operation", { code: 200, requester: 0, operand: A }, "unknown operation"],
    ["a requester that isn't there", load(2, A), "no such requester"],
    ["a device that loads", load(1, A), "wrong kind of requester"],
    ["a core that does DMA", device(0).read(A), "wrong kind of requester"],
    ["an address outside memory", load(0, 0x10_0000), "outside memory"],
    ["an access over the end of memory", load(0, 0xf_fffc, { sizeBytes: 8 }), "outside memory"],
    ["maintenance outside memory", dc.civac(0, 0x10_0000), "outside memory"],
    ["DC ZVA where it is prohibited", dc.zva(0, A), "prohibited"],
    ["a migration from nowhere", migrate(7, 0), "no such core"],
  ])("%s is refused, and nothing after it is played", (_, bad, message) => {
    const engine = createReference(on);
    const play = (): void => engine.play(encodeRecords([store(0, A), bad, store(0, B)]));
    expect(play).toThrow(message);
    expect(play).toThrow("record 2");
    expect(engine.records).toBe(2);
    expect(counted(engine, "L1D")).toMatchObject({ stores: 2 });
  });

  test("DC ZVA to Device memory is refused", () => {
    const normal = machine();
    expect(() => played(normal, dc.zva(0, A, { attribute: "DEVICE" }))).toThrow("Device");
    expect(() => played(normal, sctlr(0, ""), dc.zva(0, A))).toThrow("Device");
  });

  test("prefixes hold over the end of a batch and for one record", () => {
    const engine = createReference(on);
    const words = records(store(0, A, { sizeBytes: 4, value: 0x1122_3344_5566_7788n }), store(0, B));
    for (let at = 0; at < words.length; at += 2) engine.play(words.subarray(at, at + 2));
    expect(engine.records).toBe(2);
    expect(engine.peek("truth", A, 8)).toEqual(Uint8Array.of(0x88, 0x77, 0x66, 0x55, 0, 0, 0, 0));
    expect(truthWord(engine, B)).toBe(2n);
  });

  test("every operation can be played", () => {
    const full = machine({ cores: 2, l1i: ROOMY, levels: [level("L2")], outer: ROOMY, devices: [{}] });
    for (const [name, { requester, operand, ...rest }] of Object.entries(OPERATIONS)) {
      if ("prefix" in rest) continue;
      const entry = record(
        name as keyof typeof OPERATIONS,
        requester === "device" ? 2 : 0,
        operand === "address" ? A : 0,
      );
      expect(played(full, entry).records, name).toBe(1);
    }
  });
});

describe("coherence", () => {
  // Whatever the machine: loads, stores, atomics, prefetches and evictions of Write-Back shareable memory alone never
  // show an old value or lose a new one. This holds docs/semantics.md itself to account, not only this model.
  const features = [
    "basic,sizes,speculation,replacement,shapes,mixedlines,policies,inclusion,system,sockets,home,regions,memoryside",
    "atomics,directory",
  ].join(",");
  test("no random machine shows a stale or lost value to coherent accesses", () => {
    const isCoherent = fc.property(randomCase(allowedFeatures(features)), (each) => {
      const engine = createReference(buildMachine(each.machine));
      try {
        engine.play(encodeRecords(each.entries));
      } catch (error) {
        if (!(error instanceof SetwayError)) throw error;
      }
      expect(hazardNames(engine)).toEqual([]);
    });
    fc.assert(isCoherent, { numRuns: 100 });
  });
});

function truthWord(engine: ReturnType<typeof createReference>, address: number): bigint {
  return new DataView(engine.peek("truth", address, 8).slice().buffer).getBigUint64(0, true);
}
