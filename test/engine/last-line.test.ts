/** What becomes of the line whose number would be 2^32 - 1, which means "none" in the kernel's tags? */
import { describe, expect, test } from "vitest";
import { MachineError, RecordError } from "../../src/engine/errors.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { dc, encodeRecords, evict, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";
import { machine } from "../properties/machines.ts";

const GIB = 2 ** 30;
const ENGINES = [
  ["kernel", (on: ResolvedMachine) => createKernel(on)],
  ["tags-only kernel", (on: ResolvedMachine) => createKernel(on, { data: false })],
  ["reference", (on: ResolvedMachine) => createReference(on)],
] as const;

const small = (line: number) => ({ sets: 4, ways: 2, line });
/** Lines of 64 bytes, and 2^32 of them. */
const full: MachineDescription = { cores: 2, caches: { L1D: small(64), L2: small(64) }, memory: [{ size: "256GiB" }] };
/** 2^32 lines of 32 bytes, two to a line of the L2. */
const mixed: MachineDescription = { cores: 2, caches: { L1D: small(32), L2: small(64) }, memory: [{ size: "128GiB" }] };

describe.each(ENGINES)("%s", (_name, create) => {
  test.each<[string, MachineDescription, number]>([
    ["one size of line", full, 256 * GIB - 64],
    ["two sizes: the largest line goes as a whole", mixed, 128 * GIB - 64],
  ])("a machine with all 2^32 lines refuses its last, %s", (_title, description, end) => {
    const on = loadMachine(description);
    const bad: readonly RecordEntry[] = [load(0, end), store(1, end + 56), dc.civac(0, end + 63), evict(0, end)];
    for (const entry of bad) {
      const engine = create(on);
      const play = () => engine.play(encodeRecords([store(0, end - 8), entry]));
      expect(play).toThrow(RecordError);
      expect(play).toThrow("outside memory");
      expect(play).toThrow(end.toString(16));
      expect(engine.copies(end)).toEqual([]);
    }
    const engine = create(on);
    engine.play(encodeRecords([store(0, end - 8), load(1, end - 8)]));
    expect(engine.counters().caches[0]).toMatchObject({ stores: 1, storeMisses: 1, snoopsIn: 1 });
    if (engine.carriesData) expect(engine.lastValue()).toBe(1n);
    expect(engine.hazards()).toEqual([]);
  });

  test("memory that ends there and has a gap keeps its last line", () => {
    const on = loadMachine({ ...full, memory: [{ size: "1GiB" }, { base: "255GiB", size: "1GiB" }] });
    const last = 256 * GIB - 8;
    const engine = create(on);
    engine.play(encodeRecords([store(0, last), load(1, last)]));
    expect(engine.counters().caches[0]).toMatchObject({ stores: 1, storeMisses: 1, snoopsIn: 1 });
    expect(engine.copies(last)).toEqual(createReferenceCopies(on, last));
    expect(engine.hazards()).toEqual([]);
  });
});

function createReferenceCopies(on: ResolvedMachine, address: number) {
  const reference = createReference(on);
  reference.play(encodeRecords([store(0, address), load(1, address)]));
  return reference.copies(address);
}

test("host-100c plays up to its last line but one, with the sets that the addresses say", () => {
  const engine = createKernel(loadMachine("host-100c"));
  const last = 256 * GIB - 128;
  engine.play(encodeRecords([store(0, last), load(99, last)]));
  const [copy] = engine.copies(last);
  expect(copy).toMatchObject({ line: last, set: (last / 64) % engine.machine.caches[copy!.cache]!.sets });
  expect(() => engine.play(encodeRecords([load(0, last + 64)]))).toThrow("outside memory");
});

test.each([
  ["that number", machine({ memory: [{ base: 0, size: 256 * GIB }] })],
  ["two lines of one frame", machine({ l1d: { sets: 1, ways: 1, line: 128 }, memory: [{ base: 0, size: 512 * GIB }] })],
])("the kernel refuses a machine made elsewhere that would give %s", (_what, on) => {
  const make = () => createKernel(on);
  expect(make).toThrow(MachineError);
  expect(make).toThrow(/^memory: memory does not fit/);
});
