/** Can the bytes of every place be looked at, behind the interconnect too, and do the engines show the same? */
import { describe, expect, test } from "vitest";
import { createKernel } from "../../src/engine/kernel.ts";
import { dc, encodeRecords, load, outer, store } from "../../src/engine/record.ts";
import { createReference } from "../../src/engine/reference.ts";
import { machine, ROOMY } from "../properties/machines.ts";

const A = 0x1000;
const FAR = 0x9000;

describe.each([
  ["kernel", createKernel],
  ["reference", createReference],
] as const)("%s", (_name, create) => {
  test("an outer cache's bytes, which memory lacks until they are flushed", () => {
    const engine = create(machine({ outer: ROOMY }));
    engine.play(encodeRecords([outer.enable(0), store(0, A, { value: 7n }), dc.civac(0, A)]));
    expect(engine.peek("outer", A, 2)).toEqual(Uint8Array.of(7, 0));
    expect(engine.peek("outer", A - 1, 3)).toEqual(Uint8Array.of(0, 7, 0));
    expect(engine.peek("memory", A, 1)).toEqual(Uint8Array.of(0));
    // Disabled, it still holds what it held (D29).
    engine.play(encodeRecords([outer.disable(0)]));
    expect(engine.peek("outer", A, 1)).toEqual(Uint8Array.of(7));
    engine.play(encodeRecords([outer.flush(0, A)]));
    expect(engine.peek("outer", A, 1)).toEqual(Uint8Array.of(0));
    expect(engine.peek("memory", A, 1)).toEqual(Uint8Array.of(7));
  });

  test.each(["socket", "machine"] as const)("a memory-side cache's bytes, one per %s", (per) => {
    const on = machine({
      cores: 2,
      sockets: 2,
      memorySide: { ...ROOMY, per },
      memory: [
        { base: 0, size: 0x8000 },
        { base: 0x8000, size: 0x8000, socket: 1 },
      ],
    });
    const engine = create(on);
    const writes = [A, FAR].flatMap((address, i) => [
      store(0, address, { value: BigInt(i + 1) }),
      dc.civac(0, address),
    ]);
    engine.play(encodeRecords(writes));
    expect([A, FAR].map((address) => engine.peek("memory-side", address, 1)[0])).toEqual([1, 2]);
    expect([A, FAR].map((address) => engine.peek("memory", address, 1)[0])).toEqual([0, 0]);
    expect(engine.peek("memory-side", A + 0x40, 1)).toEqual(Uint8Array.of(0));
  });

  test("zeroes where there is no such cache", () => {
    const engine = create(machine());
    engine.play(encodeRecords([store(0, A), load(0, A)]));
    expect(engine.peek("outer", A, 2)).toEqual(new Uint8Array(2));
    expect(engine.peek("memory-side", A, 2)).toEqual(new Uint8Array(2));
    expect(engine.peek({ cache: 0 }, A, 1)).toEqual(Uint8Array.of(1));
  });
});

test("an engine without data shows nothing", () => {
  const engine = createKernel(machine({ outer: ROOMY, memorySide: ROOMY }), { data: false });
  engine.play(encodeRecords([outer.enable(0), store(0, A), dc.civac(0, A)]));
  expect(engine.peek("outer", A, 8)).toHaveLength(0);
  expect(engine.peek("memory-side", A, 8)).toHaveLength(0);
});
