/** Does a bad description say where it is bad, what was found, what was expected, and which word was meant? */
import { describe, expect, test } from "vitest";
import { MachineError } from "../../src/engine/errors.ts";
import { loadDescription, loadMachine } from "../../src/machine/index.ts";
import { nearestWord } from "../../src/machine/nearest.ts";
import { formatBytes, parseBytes } from "../../src/machine/quantity.ts";

function problemOf(source: string, file?: string): MachineError {
  try {
    loadMachine(source, file === undefined ? {} : { file });
  } catch (error) {
    expect(error).toBeInstanceOf(MachineError);
    return error as MachineError;
  }
  throw new Error("no error");
}

const GOOD = `name: small
cores: 2
caches:
  L1I: { size: 32KiB, ways: 2 }
  L1D: { size: 32KiB, ways: 4 }
  L2:
    size: 1 MiB
    ways: 16
    per: socket
memory:
  - { base: 0x4000_0000, size: 1GiB }
`;

test("a good description in YAML, in JSON and as an object mean the same machine", () => {
  const { description, machine } = loadDescription(GOOD);
  expect(loadMachine(JSON.stringify(description))).toEqual(machine);
  expect(loadMachine(description)).toEqual(machine);
  expect(machine.caches.map(({ level, sets }) => [level, sets])).toEqual([
    ["L1I", 256],
    ["L1D", 128],
    ["L1I", 256],
    ["L1D", 128],
    ["L2", 1024],
  ]);
  expect(machine.memory).toEqual([{ base: 0x4000_0000, sizeBytes: 2 ** 30, socket: 0, type: "ram" }]);
});

describe("where is it, and what was meant?", () => {
  // [what changes in the good text, its replacement, line, column, dotted key, nearest word]
  test.each([
    ["cores: 2", "core: 2", 2, 1, "core", "cores"],
    ["caches:", "cashes:", 3, 1, "cashes", "caches"],
    ["L1D:", "L1d:", 5, 3, "caches.L1d", "L1D"],
    ["L2:", "SLC:", 6, 3, "caches.SLC", "L2"],
    ["    ways: 16", "    wais: 16", 8, 5, "caches.L2.wais", "ways"],
    ["ways: 4 }", "ways: 4, replacement: rlu }", 5, 32, "caches.L1D.replacement", "lru"],
    ["ways: 4 }", "ways: 4, prefetch: strid }", 5, 32, "caches.L1D.prefetch", "stride"],
    ["ways: 4 }", "ways: 4, prefetch: { kind: strid } }", 5, 44, "caches.L1D.prefetch.kind", "stride"],
    ["ways: 4 }", "ways: 4, prefetch: { kind: stride, degre: 2 } }", 5, 58, "caches.L1D.prefetch.degre", "degree"],
    ["per: socket", "per: soket", 9, 5, "caches.L2.per", "socket"],
    ["1 MiB", "1 MB", 7, 5, "caches.L2.size", undefined],
    ["1 MiB", "0", 7, 5, "caches.L2.size", undefined],
    ["1 MiB", "1000000", 7, 5, "caches.L2.size", undefined],
    ["ways: 16", "ways: 0", 8, 5, "caches.L2.ways", undefined],
    ["ways: 16", "ways: 2.5", 8, 5, "caches.L2.ways", undefined],
    ["ways: 16", "ways: many", 8, 5, "caches.L2.ways", undefined],
    ["per: socket", "inclusion: { L1D: exclusiv }", 9, 18, "caches.L2.inclusion.L1D", "exclusive"],
    ["per: socket", "inclusion: { L1: nine }", 9, 18, "caches.L2.inclusion.L1", "L1D"],
    ["per: socket", "inclusion: 3", 9, 5, "caches.L2.inclusion", undefined],
    ["0x4000_0000", "0x4000_0001", 11, 7, "memory.0.base", undefined],
    ["cores: 2", "cores: [{ count: 2, sockt: 1 }]", 2, 21, "cores.0.sockt", "socket"],
    ["cores: 2", "cores: two", 2, 1, "cores", undefined],
    ["cores: 2", "cores: 2\nfeatures: { dci: true }", 3, 13, "features.dci", "idc"],
    ["cores: 2", "cores: 2\ndirectory: exakt", 3, 1, "directory", "exact"],
    ["cores: 2", "cores: 2\nsources: { caches.L2.wys: me }", 3, 12, "sources.caches.L2.wys", "ways"],
    ["name: small", "name: [", 2, 1, undefined, undefined],
    ["name: small", "name: small\nname: smaller", 2, 1, undefined, undefined],
  ])("%s -> %s", (from, to, line, column, path, nearest) => {
    const { detail } = problemOf(GOOD.replace(from, to));
    expect({ line: detail.line, column: detail.column, path: detail.path, nearest: detail.nearest }).toEqual({
      line,
      column,
      path,
      nearest,
    });
  });

  test("the sentence has everything in it", () => {
    expect(problemOf(GOOD.replace("per: socket", "per: soket"), "m.yaml").message).toBe(
      'm.yaml, line 9, column 5, caches.L2.per: not a valid value; found "soket"; expected one of core, cluster, socket, machine; did you mean socket?',
    );
  });

  test("a missing key", () => {
    const { message } = problemOf("name: x\ncaches: {}\n");
    expect(message).toContain("a required key is missing");
    expect(message).toContain("cores");
  });

  test("through an alias, the place is where the words are", () => {
    const { detail } = problemOf("cores: 1\ncaches:\n  L1I: &l1\n    size: 32KiB\n    wase: 2\n  L1D: *l1\n");
    expect([detail.line, detail.column]).toEqual([5, 5]);
  });

  test("a preset's name, misspelt", () => {
    expect(problemOf("seatle").detail).toMatchObject({ found: '"seatle"', nearest: "seattle" });
  });

  test("text from a file is never taken for a preset's name", () => {
    expect(problemOf("seattle", "seattle.yaml").message).toContain("expected a mapping with at least");
  });
});

test.each([
  ["32KiB", 32768],
  ["32 kib", 32768],
  ["1.5MiB", 1572864],
  ["0x4000_0000", 0x4000_0000],
  [" 100 ", 100],
  ["64B", 64],
  ["1TiB", 2 ** 40],
  [4096, 4096],
  ["32KB", undefined],
  ["0.3B", undefined],
  ["-1", undefined],
  ["", undefined],
  ["KiB", undefined],
  ["99999999TiB", undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [0.5, undefined],
])("parseBytes(%j) is %j", (text, bytes) => expect(parseBytes(text)).toBe(bytes));

test.each([
  [48 * 1024, "48 KiB"],
  [2304 * 1024, "2.25 MiB"],
  [16 * 2 ** 30, "16 GiB"],
  [100, "100 B"],
  [1025, "1025 B"],
])("formatBytes(%d) is %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test("the nearest word is near", () => {
  expect(nearestWord("L2", ["L1I", "L1D", "L3"])).toBe("L3");
  expect(nearestWord("latensies", ["caches", "latencies"])).toBe("latencies");
  expect(nearestWord("zzzzzz", ["caches", "latencies"])).toBeUndefined();
  expect(nearestWord("x", [])).toBeUndefined();
  expect(nearestWord("y".repeat(100_000), ["caches"])).toBeUndefined();
});
