/** Question: is an output file either whole or absent, whatever ends the conversion? */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { convert } from "../../src/trace/convert.ts";
import { createTraceFile, openTraceFile } from "../../src/trace/open.node.ts";
import { bytesOf, DESCRIPTION, drain, entry, read, sameWords, trace, walked, write } from "./samples.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "setway-convert-"));
});
afterAll(() => rm(directory, { recursive: true }));

let place: string;
let count = 0;
beforeEach(async () => {
  place = join(directory, `${count++}`);
  await mkdir(place);
});
const here = (name: string): string => join(place, name);

test("every format into every other", async () => {
  const words = walked(5000).map((word, index) => (index % 2 === 0 ? word : (word % 3) << 16));
  await writeFile(here("0.raw64"), bytesOf(words));
  const names = ["0.raw64", "1.swt", "2.raw64.gz", "3.din", "4.lackey", "5.din.gz", "6.swt.gz", "7.raw64"];
  for (let step = 1; step < names.length; step++) {
    const source = await openTraceFile(here(names[step - 1] as string));
    const result = await convert(source, await createTraceFile(here(names[step] as string), source.header));
    const { size } = await stat(here(names[step] as string));
    expect(result).toEqual({ records: 5000, skipped: 0, bytesWritten: size });
    expect(source.bytesRead).toBe(source.totalBytes);
  }
  expect(sameWords((await drain(await openTraceFile(here("7.raw64")))).words, words)).toBe(true);
  expect((await readdir(place)).sort()).toEqual(names);
});

test("progress, and the numbers of records", async () => {
  await writeFile(here("a.swt"), await write(walked(200_000), "a.swt"));
  const source = await openTraceFile(here("a.swt"));
  const seen: number[] = [];
  await convert(source, await createTraceFile(here("b.raw64"), source.header), {
    onProgress: ({ records }) => seen.push(records),
  });
  expect(seen).toEqual([65536, 131072, 196608, 200000]);
});

describe("nothing half-written", () => {
  const CUT = bytesOf(walked(70_000)).subarray(0, 70_000 * 8 - 3);

  test("after a bad input; the old output stays", async () => {
    await writeFile(here("a.raw64"), CUT);
    await writeFile(here("b.swt"), "old");
    const source = await openTraceFile(here("a.raw64"));
    await expect(convert(source, await createTraceFile(here("b.swt"), source.header))).rejects.toThrow(
      "record 69999, byte 559992: truncated record; found 5 bytes",
    );
    expect((await readdir(place)).sort()).toEqual(["a.raw64", "b.swt"]);
    expect(await readFile(here("b.swt"), "utf8")).toBe("old");
  });

  test("after a record that the output can't hold", async () => {
    await writeFile(here("a.raw64"), bytesOf(trace(entry(0, 64), entry(18, 64))));
    for (const name of ["b.din", "b.din.gz"]) {
      const source = await openTraceFile(here("a.raw64"));
      await expect(convert(source, await createTraceFile(here(name), source.header))).rejects.toThrow(
        "din can't hold this record",
      );
    }
    expect(await readdir(place)).toEqual(["a.raw64"]);
  });

  test("after an abort", async () => {
    await writeFile(here("a.raw64"), bytesOf(walked(200_000)));
    for (const name of ["b.raw64", "b.swt", "b.raw64.gz"]) {
      const source = await openTraceFile(here("a.raw64"));
      const controller = new AbortController();
      const converting = convert(source, await createTraceFile(here(name), source.header), {
        signal: controller.signal,
        onProgress: () => controller.abort(new Error("enough")),
      });
      await expect(converting).rejects.toThrow("enough");
    }
    expect(await readdir(place)).toEqual(["a.raw64"]);
  });

  test("when there is no such input, no such directory, or a directory in its place", async () => {
    await expect(openTraceFile(here("no.swt"))).rejects.toThrow(TraceError);
    await expect(openTraceFile(here("no.swt"))).rejects.toThrow("no.swt: can't be opened; found ENOENT");
    await expect(openTraceFile(place)).rejects.toThrow(
      "not a trace; found a directory without traces; expected a file",
    );
    await expect(createTraceFile(here("no/b.swt"), DESCRIPTION)).rejects.toThrow("can't be written; found ENOENT");
    await expect(createTraceFile(here("b.txt"), DESCRIPTION)).rejects.toThrow(
      "the output's name doesn't say its format",
    );
    await mkdir(here("d.swt"));
    await expect(createTraceFile(here("d.swt"), DESCRIPTION)).rejects.toThrow(
      "can't be written; found it is a directory",
    );
    expect(await readdir(place)).toEqual(["d.swt"]);
  });
});

describe("interrupted, in a process of its own", () => {
  let compiled: string;

  // Node 20 doesn't run TypeScript: the few files that matter are translated one by one.
  beforeAll(async () => {
    compiled = join(directory, "compiled");
    for (const folder of ["src/engine", "src/trace"]) {
      await mkdir(join(compiled, folder), { recursive: true });
      const needed =
        folder === "src/engine" ? ["errors.ts", "inlined-module.ts", "operations.ts"] : await readdir(folder);
      for (const name of needed) {
        const { outputText } = ts.transpileModule(await readFile(join(folder, name), "utf8"), {
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            rewriteRelativeImportExtensions: true,
            verbatimModuleSyntax: true,
          },
        });
        await writeFile(join(compiled, folder, name.replace(/\.ts$/, ".js")), outputText);
      }
    }
    const imports = { "#platform": "./src/trace/platform.node.js" };
    await writeFile(join(compiled, "package.json"), JSON.stringify({ type: "module", imports }));
    await symlink(resolve("node_modules"), join(compiled, "node_modules"));
    await writeFile(
      join(compiled, "main.js"),
      `import { convert } from "./src/trace/convert.js";
       import { createTraceFile, openTraceFile } from "./src/trace/open.node.js";
       const [output, manner] = process.argv.slice(2);
       if (manner === "exit") process.on("SIGINT", () => process.exit(130));
       const source = await openTraceFile("-", { format: "raw64" });
       const result = await convert(source, await createTraceFile(output, source.header, { format: "swt" }), { onProgress: () => process.stderr.write(".") });
       process.stderr.write(JSON.stringify(result));`,
    );
  });

  function start(output: string, manner: string) {
    const child = spawn(process.execPath, [join(compiled, "main.js"), output, manner], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const chunks: Uint8Array[] = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stdin.on("error", () => {});
    return { child, chunks, ended: endOf(child) };
  }
  const endOf = (child: ChildProcess) =>
    new Promise<number | string | null>((settle) => child.on("close", (code, signal) => settle(signal ?? code)));

  test.each([
    ["nobody else listens: the signal kills", "die", "SIGINT"],
    ["a listener exits with 130", "exit", 130],
  ] as const)("%s", async (_, manner, expected) => {
    const { child, ended } = start(here("b.swt"), manner);
    child.stdin.write(bytesOf(walked(200_000)));
    await new Promise((settle) => child.stderr.once("data", settle));
    expect((await readdir(place)).some((name) => name.endsWith(".tmp"))).toBe(true);
    child.kill("SIGINT");
    expect(await ended).toBe(expected);
    expect(await readdir(place)).toEqual([]);
  });

  test("from standard input to standard output", async () => {
    const words = walked(100_000);
    const { child, chunks, ended } = start("-", "run");
    child.stdin.end(bytesOf(words));
    expect(await ended).toBe(0);
    expect(sameWords(await read(Buffer.concat(chunks), "t.swt"), words)).toBe(true);
  });

  test("a pipe or device is written in place", async () => {
    const { child, ended } = start("/dev/null", "run");
    child.stdin.end(bytesOf(walked(10)));
    expect(await ended).toBe(0);
    expect((await stat("/dev/null")).isFile()).toBe(false);
  });
});
