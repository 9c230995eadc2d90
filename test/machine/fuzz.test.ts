/** Can anything that is called a description make the reader fail otherwise than by a `MachineError`? */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { MachineError } from "../../src/engine/errors.ts";
import { coreRegisters, describeMachine, loadDescription, presets, SET_WAY_ROUTINES } from "../../src/machine/index.ts";
import { validKeys } from "../../src/machine/keys.ts";

const RUNS = process.env.SETWAY_FULL === "1" ? 20_000 : 400;

const small = {
  ...presets.tc2,
  memory: [{ base: 0, size: "1GiB", socket: 0, type: "ram" }],
  directory: { sets: 64, ways: 4 },
  latencies: { snoop: 3 },
};
const TEXTS = [presets.seattle, presets.exynos4412, small].map((description) => stringify(description));

/** Reads, and uses what was read as far as it goes: whatever is accepted must be a whole machine. */
function survives(source: Parameters<typeof loadDescription>[0], file?: string): void {
  try {
    const { description, machine } = loadDescription(source, file === undefined ? {} : { file });
    expect(describeMachine(description).length).toBeGreaterThan(5);
    const registers = coreRegisters(machine, machine.cores.length - 1);
    const first = SET_WAY_ROUTINES.flushDcacheAll.operands(registers).next().value;
    expect(first ?? 0).toBeLessThan(2 ** 32);
    for (const cache of machine.caches) {
      for (const parent of cache.parentBySocket) expect(parent === -1 || parent > cache.id).toBe(true);
      expect(cache.cores.length).toBeGreaterThan(0);
    }
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    expect(error.message).not.toContain("undefined");
    expect(error.message.length).toBeLessThan(1000);
  }
}

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(12),
  insert: fc.oneof(
    fc.constantFrom(
      "",
      ":",
      "- ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a",
      "!!",
      "'",
      '"',
      "|",
      "#",
      "? ",
      "---\n",
      "\t",
    ),
    fc.constantFrom("null", "0", "-1", "1e999", ".nan", "0x10", "32KiB", "none", "__proto__", "constructor", "<<"),
    fc.string({ maxLength: 6 }),
  ),
});

test("edited YAML", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TEXTS), fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
      let edited = text;
      for (const { at, remove, insert } of edits) {
        const offset = Math.floor(at * edited.length);
        edited = edited.slice(0, offset) + insert + edited.slice(offset + remove);
      }
      survives(edited, "fuzz.yaml");
    }),
    { numRuns: RUNS },
  );
});

test("any text at all", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => survives(text, "fuzz.yaml")),
    { numRuns: RUNS },
  );
});

/** Values that are nearly right, and some that are not at all. */
const value = fc.oneof(
  fc.constantFrom(
    0,
    1,
    2,
    3,
    4,
    8,
    16,
    64,
    512,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ),
  fc.constantFrom("32KiB", "1MiB", "0x1000", "none", "exact", "home", "outer", "memory-side", "system", "architected"),
  fc.constantFrom("inclusive", "exclusive", "nine", "core", "cluster", "socket", "machine", "read", "through", "fifo"),
  fc.constantFrom(true, false, null, undefined, [], {}),
  fc.anything(),
);

/** A copy with one value somewhere replaced, or one key added. */
function mutate(target: unknown, steps: readonly number[], change: unknown, key: string): unknown {
  if (typeof target !== "object" || target === null || steps.length === 0) return change;
  const [step, ...rest] = steps;
  // An array whose __proto__ was a change before can't be iterated any more, but it is an array still.
  const copy: Record<string, unknown> | unknown[] = Array.isArray(target)
    ? Array.prototype.slice.call(target)
    : { ...target };
  const keys = [...Object.keys(copy), key];
  const chosen = keys[step! % keys.length]! as never;
  (copy as Record<string, unknown>)[chosen] = mutate((copy as Record<string, unknown>)[chosen], rest, change, key);
  return copy;
}

const KEYS = [...validKeys([]), ...validKeys(["caches"]), ...validKeys(["caches", "L2"]), ...validKeys(["registers"])];

test("changed values and added keys", () => {
  const change = fc.record({
    steps: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
    change: value,
    key: fc.constantFrom(...KEYS, "__proto__", "size", "count", "repeat", "0"),
  });
  fc.assert(
    fc.property(
      fc.constantFrom<unknown>(presets.graviton3, presets.exynos4412, small),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (description, changes) => {
        let changed: unknown = description;
        for (const { steps, change, key } of changes) changed = mutate(changed, steps, change, key);
        if (typeof changed === "string") return;
        survives(changed as never);
      },
    ),
    { numRuns: RUNS },
  );
});

test("what breaks other readers", () => {
  const bomb = Array.from({ length: 20 }, (_, level) => `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`);
  const circular: Record<string, unknown> = { cores: 1 };
  circular.caches = circular;
  for (const text of [
    "",
    "\uFEFFcores: 1\ncaches: {}\n",
    "[".repeat(20_000),
    "{a: ".repeat(20_000),
    `${["a: &a [x,x,x,x,x,x,x,x,x]", ...bomb.slice(1)].join("\n")}\n`,
    "caches: &c { L1D: *c }\ncores: 1\n",
    "a: *b\n",
    "--- 1\n--- 2\n",
    "? { a: 1 }\n: 2\n",
    "cores: !!binary aGVsbG8=\ncaches: {}\n",
    `${"x".repeat(1_000_000)}: 1\n`,
  ]) {
    survives(text, "fuzz.yaml");
  }
  survives(circular as never);
  survives(new Map([["cores", 1]]) as never);
  survives(Object.create(null) as never);
  survives((() => 1) as never);
  survives({
    get cores(): number {
      throw new Error("getter");
    },
    caches: {},
  } as never);
});
