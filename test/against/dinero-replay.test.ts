/**
 * Does `setway replay` miss exactly as often as Dinero IV, on the machine and the trace as a user gives them: YAML, and text
 * or bare records of one core (R36, R37)? Dinero's L2 misses are misses and writeback misses together.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { setway } from "../cli/capture.ts";
import { type Folder, temporaryFolder } from "../cli/files.ts";
import { DineroCache } from "./dinero-model.ts";

const MACHINE = `
name: dinero
cores: 1
caches:
  L1I: { size: 32KiB, ways: 2, line: 64, replacement: lru }
  L1D: { size: 32KiB, ways: 4, line: 64, replacement: lru }
  L2: { size: 1MiB, ways: 16, line: 64, inclusion: nine, replacement: lru }
memory: [{ base: 0, size: 256GiB }]
`;

/** 0 a read, 1 a write, 2 an instruction fetch: Dinero's own labels. */
type Access = readonly [label: number, address: number];

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("dinero.yaml", MACHINE);
});
afterAll(() => folder.remove());

/** A program: it walks through code, calls, and works on a stack, a table that fits the L2, and one that doesn't. */
function program(length: number, seed: number): readonly Access[] {
  const random = createRandom(seed);
  const accesses: Access[] = [];
  let code = 0;
  while (accesses.length < length) {
    code = random.below(20) === 0 ? random.below(24 * 1024) * 8 : code + 4;
    accesses.push([2, 0x4000_0000 + code]);
    const kind = random.below(10);
    if (kind < 3) accesses.push([random.below(3) === 0 ? 1 : 0, 0x1f_ff00_0000 - random.below(512) * 8]);
    else if (kind < 6) accesses.push([random.below(4) === 0 ? 1 : 0, 0x5000_0000 + random.below(96 * 1024) * 8]);
    else if (kind < 8) accesses.push([random.below(2), 0x6000_0000 + random.below(512 * 1024) * 8]);
  }
  return accesses;
}

function expected(accesses: readonly Access[]) {
  const l2 = new DineroCache(1024 * 1024, 16, 64);
  const l1i = new DineroCache(32 * 1024, 2, 64, l2);
  const l1d = new DineroCache(32 * 1024, 4, 64, l2);
  for (const [label, address] of accesses) {
    const block = Math.floor(address / 64);
    if (label === 2) l1i.read(block);
    else if (label === 1) l1d.write(block);
    else l1d.read(block);
  }
  return {
    refs: accesses.length,
    l1i: { references: l1i.references, misses: l1i.misses },
    l1d: { references: l1d.references, misses: l1d.misses, copiesBack: l1d.copiesBack },
    l2: { references: l2.references, misses: l2.misses, copiesBack: l2.copiesBack },
  };
}

async function replayed(trace: string, ...options: readonly string[]) {
  const { code, stdout, stderr } = await setway([
    "replay",
    trace,
    "-m",
    folder.path("dinero.yaml"),
    "--json",
    ...options,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { refs, levels } = JSON.parse(stdout);
  const { L1I, L1D, L2 } = levels;
  return {
    refs,
    l1i: { references: L1I.accesses, misses: L1I.misses },
    l1d: { references: L1D.accesses, misses: L1D.misses, copiesBack: L1D.writebacks },
    l2: {
      references: L2.accesses + L2.writebacksIn,
      misses: L2.misses + L2.writebackMisses,
      copiesBack: L2.writebacks,
    },
  };
}

const din = (accesses: readonly Access[]): string =>
  accesses.map(([label, address]) => `${label} ${address.toString(16)}\n`).join("");

/** A write right after a read of the same place is one `M` line, as Valgrind prints it. */
function lackey(accesses: readonly Access[]): string {
  const lines: string[] = ["==1== Lackey, an example Valgrind tool\n"];
  accesses.forEach(([label, address], i) => {
    const [nextLabel, nextAddress] = accesses[i + 1] ?? [];
    const [lastLabel, lastAddress] = accesses[i - 1] ?? [];
    const hex = address.toString(16).padStart(8, "0");
    if (label === 1 && lastLabel === 0 && lastAddress === address) return;
    if (label === 0 && nextLabel === 1 && nextAddress === address) lines.push(` M ${hex},8\n`);
    else lines.push(label === 2 ? `I  ${hex},4\n` : ` ${label === 1 ? "S" : "L"} ${hex},8\n`);
  });
  return lines.join("");
}

function raw64(accesses: readonly Access[]): Uint8Array {
  const words = new BigUint64Array(accesses.length);
  accesses.forEach(([label, address], i) => {
    words[i] = BigInt(address) | (BigInt(label) << 48n);
  });
  return new Uint8Array(words.buffer);
}

describe("a program of reads, writes and fetches", () => {
  // Every now and then a read-modify-write.
  const accesses = program(60_000, 7).flatMap(([label, address], i): Access[] =>
    label === 0 && i % 5 === 0
      ? [
          [0, address],
          [1, address],
        ]
      : [[label, address]],
  );
  const counts = expected(accesses);

  test("is worth comparing", () => {
    expect(counts.l1i.misses).toBeGreaterThan(1000);
    expect(counts.l2.misses).toBeGreaterThan(1000);
    expect(counts.l2.references - counts.l2.misses).toBeGreaterThan(1000);
    expect(counts.l2.copiesBack).toBeGreaterThan(100);
  });

  test.each([
    ["din", din],
    ["lackey", lackey],
    ["raw64", raw64],
  ] as const)("as .%s", async (extension, write) => {
    const trace = folder.write(`program.${extension}`, write(accesses));
    for (const options of [["--data"], ["--tags-only"], ["--engine", "reference"]]) {
      expect(await replayed(trace, ...options)).toEqual(counts);
    }
  });
});

describe("a real program, as Valgrind's lackey records it", () => {
  test("/bin/true", async ({ skip }) => {
    const text = folder.path("true.lackey");
    const { status } = spawnSync("valgrind", ["--tool=lackey", "--trace-mem=yes", `--log-file=${text}`, "true"]);
    if (status !== 0) return skip("valgrind isn't installed");
    const accesses = [...readFileSync(text, "latin1").matchAll(/^(I| [LSM]) +([\da-f]+),\d+$/gm)].flatMap(
      ([, kind, hex]): Access[] => {
        const address = Number.parseInt(hex as string, 16);
        if (kind === "I") return [[2, address]];
        if (kind === " L") return [[0, address]];
        if (kind === " S") return [[1, address]];
        return [
          [0, address],
          [1, address],
        ];
      },
    );
    expect(accesses.length).toBeGreaterThan(10_000);
    expect(await replayed(text, "--tags-only")).toEqual(expected(accesses));
  });
});
