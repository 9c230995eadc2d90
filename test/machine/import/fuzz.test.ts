/**
 * Can a damaged file make a reader fail otherwise than by a `MachineError`, hang, or give a description that isn't one? Each
 * reader gets 300 mutants, and 100,000 with SETWAY_FULL. The seed is printed with a failure.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { MachineError } from "../../../src/engine/errors.ts";
import { type InputFile, importedText, importMachine } from "../../../src/machine/import/index.ts";
import { loadMachine } from "../../../src/machine/index.ts";
import { mutant, randomFrom } from "../../mutation.ts";
import { DRCACHESIM, dataFile, HWLOC, LSCPU, LSCPU_CACHES, sysfsFiles, TABLES, textFile } from "./fixtures.ts";

const RUNS = process.env.SETWAY_FULL === "1" ? 100_000 : 300;
const SEED = Number(process.env.SETWAY_SEED ?? 1);
/** No mutant of these small files has a reason to take longer. */
const MOST_MS = 5000;

const mutated = (files: readonly InputFile[], random: () => number): InputFile[] => {
  const victim = Math.floor(random() * files.length);
  return files.map((file, index) => (index === victim ? { ...file, bytes: mutant(file.bytes, random) } : file));
};

/** All that a user would do with it. An import checks its description itself; reading its text again takes the longest. */
function survives(files: readonly InputFile[], readAgain = true): "read" | "refused" {
  try {
    const imported = importMachine(files);
    if (!readAgain) return "read";
    const text = importedText(imported);
    expect(text.length).toBeLessThan(2_000_000);
    loadMachine(text, { file: "imported.yaml" });
    return "read";
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    expect(error.message).not.toMatch(/undefined[^ ]|\[object|NaN/);
    expect(error.message.length).toBeLessThan(1500);
    return "refused";
  }
}

/** A tar of sysfs, as this machine's tar makes it. */
function tarOfSysfs(): InputFile {
  const folder = mkdtempSync(join(tmpdir(), "setway-tar-"));
  try {
    for (const { path, bytes } of sysfsFiles(1, 2, 1)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    spawnSync("tar", ["cf", join(folder, "x.tar"), "-C", folder, "devices"]);
    return { path: "x.tar", bytes: new Uint8Array(readFileSync(join(folder, "x.tar"))), named: true };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tables = TABLES.map((name) => dataFile(`${name}.aml`));
const READERS: readonly [string, readonly InputFile[]][] = [
  ["device tree blob", [dataFile("two-clusters.dtb")]],
  ["device tree source", [dataFile("two-clusters.dts")]],
  ["PPTT", tables.filter((_, index) => TABLES[index] === "pptt")],
  ["MADT, SRAT, IORT", tables],
  ["sysfs", sysfsFiles(1, 2, 1)],
  ["tar", [tarOfSysfs()]],
  ["lscpu -J", [textFile("a.json", LSCPU)]],
  ["lscpu -C -J", [textFile("b.json", LSCPU_CACHES)]],
  ["hwloc", [textFile("topology.xml", HWLOC)]],
  ["drcachesim", [textFile("two.conf", DRCACHESIM)]],
];

describe("mutants of", () => {
  it.each(READERS)("%s", (name, files) => {
    const outcomes = { read: 0, refused: 0 };
    for (let run = 0; run < RUNS; run++) {
      const seed = SEED * 1_000_003 + run;
      const start = performance.now();
      try {
        outcomes[survives(mutated(files, randomFrom(seed)), run % 10 === 0)]++;
      } catch (cause) {
        throw new Error(`${name}, seed ${seed} (SETWAY_SEED=${SEED}, run ${run})`, { cause });
      }
      expect(performance.now() - start, `${name}, seed ${seed}`).toBeLessThan(MOST_MS);
    }
    // A fuzzer whose mutants are all refused at the door, or all accepted, looks at nothing.
    expect(outcomes.read).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(0);
  });
});

describe("files made to break readers", () => {
  const deep = (open: string, close: string, count: number) => `${open.repeat(count)}${close.repeat(count)}`;

  it.each<[string, InputFile]>([
    ["nested source", textFile("x.dts", `/dts-v1/;\n/ ${deep("{ a ", "};", 50_000)};`)],
    ["nested parentheses", textFile("x.dts", `/dts-v1/;\n/ { a = <${deep("(", "1)", 50_000)}>; };`)],
    ["nested signs", textFile("x.dts", `/dts-v1/;\n/ { a = <(${"-".repeat(50_000)}1)>; };`)],
    ["a comment that doesn't end", textFile("x.dts", `/dts-v1/;\n/*${"/*".repeat(200_000)}`)],
    ["huge shifts", textFile("x.dts", "/dts-v1/;\n/ { a = <(1 << (1 << 60))>; };")],
    ["nested XML", textFile("x.xml", deep("<topology>", "</topology>", 50_000))],
    ["nested JSON", textFile("x.json", `{"lscpu":${deep("[", "]", 50_000)}}`)],
    ["nested fields", textFile("x.json", `{"lscpu":${deep('[{"children":', "}]", 5000)}}`)],
    ["a list of all processors", textFile("x.json", LSCPU.replace('"0-7"', '"0-999999"'))],
    ["braces", textFile("x.conf", `num_cores 1\n${"a { ".repeat(100_000)}`)],
    [
      "siblings",
      textFile("x.dts", `/dts-v1/;\n/ { ${Array.from({ length: 30_000 }, (_, index) => `a${index}{};`).join("")} };`),
    ],
    [
      "siblings that go again",
      textFile(
        "x.dts",
        `/dts-v1/;\n/ { ${Array.from({ length: 20_000 }, (_, index) => `a${index}: a${index}{}; `).join("")} };\n${Array.from({ length: 20_000 }, (_, index) => `/delete-node/ &a${index};`).join("")}`,
      ),
    ],
    [
      "more nodes than any tree has",
      blob(Array.from({ length: 700_000 }, (_, index) => (index % 3 === 0 ? 1 : index % 3 === 1 ? 0 : 2))),
    ],
    ["an archive in an archive", { path: "x.tar", bytes: nestedTar(2000), named: true }],
    ["a blob of NOPs", blob(new Array(1_000_000).fill(4))],
    ["a table of empty entries", emptyEntries(1_000_000)],
  ])("%s", (_, file) => {
    const start = performance.now();
    survives([file]);
    expect(performance.now() - start).toBeLessThan(MOST_MS);
  });

  /** A blob of these tokens in a root node. */
  function blob(tokens: readonly number[]): InputFile {
    const words = [1, 0, ...tokens];
    const bytes = new Uint8Array(40 + words.length * 4);
    const view = new DataView(bytes.buffer);
    const header = [0xd00dfeed, bytes.length, 40, 40, 40, 17, 16, 0, 0, words.length * 4];
    for (const [index, value] of [...header, ...words].entries()) view.setUint32(index * 4, value);
    return { path: "x.dtb", bytes, named: true };
  }

  /** Tar in tar in tar. */
  function nestedTar(depth: number): Uint8Array {
    const bytes = new Uint8Array(512 * depth);
    for (let level = 0; level < depth; level++) {
      const header = bytes.subarray(level * 512, (level + 1) * 512);
      const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
      put(0, "x.tar");
      put(124, ((depth - level - 1) * 512).toString(8).padStart(11, "0"));
      put(156, "0");
      put(257, "ustar");
      header.fill(32, 148, 156);
      const sum = header.reduce((total, byte) => total + byte, 0);
      put(148, `${sum.toString(8).padStart(6, "0")}\0`);
    }
    return bytes;
  }

  function emptyEntries(count: number): InputFile {
    const bytes = new Uint8Array(44 + count * 2);
    bytes.set(dataFile("apic.aml").bytes.subarray(0, 44));
    new DataView(bytes.buffer).setUint32(4, bytes.length, true);
    for (let at = 44; at < bytes.length; at += 2) bytes.set([0x7f, 2], at);
    return { path: "APIC", bytes, named: true };
  }
});
