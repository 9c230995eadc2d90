/** Are the set/way loops those that Linux executes: number, order and every operand? */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadMachine } from "../../src/machine/index.ts";
import { coreRegisters } from "../../src/machine/registers.ts";
import { resolveMachine } from "../../src/machine/resolve.ts";
import { SET_WAY_ROUTINES, type SetWayRoutine, setWayLevels } from "../../src/machine/setway.ts";
import { qemuCpus } from "./qemu-cpus.ts";
import { readTable } from "./tables.ts";

const routines: readonly SetWayRoutine[] = Object.values(SET_WAY_ROUTINES);
const registersByCpu = new Map(
  qemuCpus().map(({ row, description }) => [row.cpu!, coreRegisters(resolveMachine(description), 0)]),
);
const hex32 = (operand: number | undefined) =>
  operand === undefined ? "-" : `0x${operand.toString(16).padStart(8, "0")}`;

function play(routine: string, cpu: string): number[] {
  const found = routines.find(({ source }) => source === routine)!;
  return [...found.operands(registersByCpu.get(cpu)!)];
}

describe("every row of setway_summary.tsv is reproduced", () => {
  const rows = readTable("setway_summary.tsv");
  test("the table has 28 rows", () => expect(rows).toHaveLength(28));

  test.each(rows.map((row) => [row.routine!, row.cpu!, row] as const))("%s on %s", (routine, cpu, row) => {
    const operands = play(routine, cpu);
    const levels = [...new Set(operands.map((operand) => (operand >> 1) & 7))];
    const perLevel = levels.map(
      (level) => `${level}: ${operands.filter((each) => ((each >> 1) & 7) === level).length}`,
    );
    expect({
      clidr: `0x${registersByCpu.get(cpu)!.clidr.toString(16)}`,
      levels_visited: `[${levels.join(", ")}]`,
      total_ops: String(operands.length),
      per_level_ops: `{${perLevel.join(", ")}}`,
      first_operand: hex32(operands[0]),
      last_operand: hex32(operands.at(-1)),
      unique: new Set(operands).size === operands.length ? "True" : "False",
    }).toEqual({
      clidr: row.clidr,
      levels_visited: row.levels_visited,
      total_ops: row.total_ops,
      per_level_ops: row.per_level_ops,
      first_operand: row.first_operand,
      last_operand: row.last_operand,
      unique: row.unique,
    });
    const order = routines.find(({ source }) => source === routine)!.order;
    expect(`${order.replaceAll(" outer", "-outer").replaceAll(" inner", "-inner").replace(",", "")} descending`).toBe(
      row.order,
    );
  });
});

test("every row of setway_ops.tsv is reproduced", () => {
  const rows = readTable("setway_ops.tsv");
  expect(rows).toHaveLength(150);
  const played = new Map<string, number[]>();
  for (const { routine, cpu, seq, operand, level, set, way, way_shift, set_shift } of rows) {
    const key = `${routine} ${cpu}`;
    if (!played.has(key)) played.set(key, play(routine!, cpu!));
    expect([key, seq, hex32(played.get(key)![Number(seq)])]).toEqual([key, seq, operand]);
    const bounds = setWayLevels(registersByCpu.get(cpu!)!).find(({ csselr }) => csselr >> 1 === Number(level))!;
    expect(bounds).toMatchObject({ wayShift: Number(way_shift), setShift: Number(set_shift) });
    expect(Number(way) * 2 ** bounds.wayShift + Number(set) * 2 ** bounds.setShift + 2 * Number(level)).toBe(
      Number(operand),
    );
  }
});

describe("what do the loops do where geometry is odd?", () => {
  const odd = (L1D: object, rest: object = {}) =>
    coreRegisters(resolveMachine({ cores: 1, caches: { L1D }, ...rest } as never), 0);

  test("a direct-mapped cache has no way field", () => {
    const operands = [...SET_WAY_ROUTINES.flushDcacheAll.operands(odd({ sets: 3, ways: 1 }))];
    expect(operands).toEqual([0x80, 0x40, 0]);
  });

  test("three ways take two bits, and sets needn't be a power of two", () => {
    const operands = [...SET_WAY_ROUTINES.decompressorFlush.operands(odd({ sets: 2, ways: 3, line: 32 }))];
    expect(operands).toEqual([0x80000020, 0x40000020, 0x20, 0x80000000, 0x40000000, 0]);
  });

  test("with FEAT_CCIDX the loop covers the same lines", () => {
    const cache = { sets: 256, ways: 4 };
    const plain = [...SET_WAY_ROUTINES.flushDcacheAll.operands(odd(cache))];
    expect([...SET_WAY_ROUTINES.flushDcacheAll.operands(odd(cache, { features: { ccidx: true } }))]).toEqual(plain);
  });

  test("v7_invalidate_l1 never looks at CLIDR, and its two versions cover the same lines", () => {
    const registers = odd({ sets: 128, ways: 4 });
    const before = [...SET_WAY_ROUTINES.invalidateL1.operands(registers)];
    const after = [...SET_WAY_ROUTINES.invalidateL1ByWay.operands(registers)];
    expect(before).toHaveLength(512);
    expect(before.slice(0, 5)).toEqual([0xc0001fc0, 0x80001fc0, 0x40001fc0, 0x1fc0, 0xc0001f80]);
    expect(after.slice(0, 2)).toEqual([0xc0001fc0, 0xc0001f80]);
    expect(new Set(after)).toEqual(new Set(before));
    const nothing = coreRegisters(loadMachine("flat"), 0);
    expect([...SET_WAY_ROUTINES.invalidateL1.operands(nothing)]).toEqual([0]);
    expect([...SET_WAY_ROUTINES.flushDcacheAll.operands(nothing)]).toEqual([]);
  });
});

const trace = new URL("../../../shared/traces/zimage-boot-l3.raw64.xz", import.meta.url);
test.skipIf(!existsSync(trace))(
  "v7_invalidate_l1 is what a real 6.1 kernel executed at boot (skipped without ../shared)",
  async () => {
    const { readFile } = await import("node:fs/promises");
    const { XzReadableStream } = (await import("xz-decompress")) as unknown as {
      XzReadableStream: new (from: ReadableStream) => ReadableStream<Uint8Array>;
    };
    const bytes = await new Response(
      new XzReadableStream(new Blob([new Uint8Array(await readFile(trace))]).stream()),
    ).arrayBuffer();
    const words = new Uint32Array(bytes);
    const recorded: number[] = [];
    for (let at = 0; at < words.length; at += 2) {
      if (((words[at + 1]! >>> 16) & 0xff) === 20) recorded.push(words[at]!);
    }
    // The emulated core's L1: 32 KiB, 4 ways.
    const machine = resolveMachine({ cores: 1, caches: { L1D: { size: "32KiB", ways: 4 } } });
    expect(recorded).toEqual([...SET_WAY_ROUTINES.invalidateL1.operands(coreRegisters(machine, 0))]);
  },
);
