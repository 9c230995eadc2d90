/**
 * Question: can any format, in any compression that holds it, be converted into any other, with the same accesses in the end? And are
 * all of them played by `replay`, in part and as a miss stream too?
 */
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetch, load, store } from "../../src/engine/record.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { TRACE_FORMATS, type TraceFormat, WRITTEN_FORMATS } from "../../src/trace/source.ts";
import { readWhole } from "../../src/trace/whole.ts";
import { champsim, drmemtrace, footer, gem5, header, instruction, read, wrote, zip } from "../trace/foreign.ts";
import { write } from "../trace/samples.ts";
import { setway } from "./capture.ts";
import { type Folder, raw64, SMALL_MACHINE, temporaryFolder } from "./files.ts";

/** What all formats but perf's samples can say, many times over. */
const TIMES = 300;
const ACCESSES = [fetch(0, 0x1000), load(0, 0x2000), fetch(0, 0x1004), store(0, 0x3000)];
const often = <T>(items: readonly T[]): T[] => Array.from({ length: TIMES }, () => items).flat();
const text = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(`${often(lines).join("\n")}\n`);
const EXPECTED = raw64(...often(ACCESSES));
const SAMPLED = raw64(...often(ACCESSES.filter(({ code }) => code < 2)));

const words = (): Uint32Array => new Uint32Array(EXPECTED.slice().buffer);
const SOURCES: Readonly<Record<TraceFormat, () => Uint8Array | Promise<Uint8Array>>> = {
  raw64: () => EXPECTED,
  swt: () => write(words(), "t.swt"),
  din: () => text(["2 1000", "0 2000", "2 1004", "1 3000"]),
  lackey: () => text(["I  1000,4", " L 2000,8", "I  1004,4", " S 3000,8"]),
  drmemtrace: () =>
    drmemtrace([
      ...header(1),
      ...often([instruction(0x1000), read(0x2000), instruction(0x1004), wrote(0x3000)]),
      footer,
    ]),
  gem5: () =>
    gem5(
      often([
        { command: 1, address: 0x1000, size: 4, flags: 0x100 },
        { command: 1, address: 0x2000 },
        { command: 1, address: 0x1004, size: 4, flags: 0x100 },
        { command: 4, address: 0x3000 },
      ]),
    ),
  champsim: () =>
    champsim(
      often([
        { ip: 0x1000, loads: [0x2000] },
        { ip: 0x1004, stores: [0x3000] },
      ]),
    ),
  perf: () =>
    text(["[000] mem-loads:  2000 20042 |OP LOAD|LVL N/A", "[000] mem-stores:  3000 20044 |OP STORE|LVL N/A"]),
};

/** Extensions that say a format where its contents don't. */
const NAMES: Partial<Record<TraceFormat, string>> = { gem5: "trc", champsim: "champsimtrace" };
const byCommand =
  (command: string, ...options: string[]) =>
  (bytes: Uint8Array): Uint8Array => {
    const { status, stdout } = spawnSync(command, [...options, "-c"], { input: bytes });
    expect(status).toBe(0);
    return stdout;
  };
const installed = (command: string): boolean => spawnSync(command, ["--version"]).status === 0;
const WRAPPED: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  none: (bytes) => bytes,
  gz: (bytes) => gzipSync(bytes),
  ...(installed("xz") ? { xz: byCommand("xz", "--check=crc32") } : {}),
  ...(installed("zstd") ? { zst: byCommand("zstd", "-q") } : {}),
};

interface Source {
  readonly name: string;
  readonly format: TraceFormat;
  readonly wrap: (bytes: Uint8Array) => Uint8Array;
}
const CASES: readonly Source[] = [
  ...TRACE_FORMATS.flatMap((format) =>
    Object.entries(WRAPPED).map(([compression, wrap]) => {
      const name = `t.${NAMES[format] ?? format}`;
      return { name: compression === "none" ? name : `${name}.${compression}`, format, wrap };
    }),
  ),
  { name: "t.drmemtrace.zip", format: "drmemtrace", wrap: (bytes) => zip({ "chunk.0": bytes }) },
];

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("small.yaml", SMALL_MACHINE);
});
afterAll(() => folder.remove());

const accessesIn = async (path: string): Promise<Uint8Array> =>
  new Uint8Array((await readWhole(await openTraceFile(path))).buffer);

describe.each(CASES)("$name", ({ name, format, wrap }) => {
  const expected = format === "perf" ? SAMPLED : EXPECTED;
  let path: string;
  beforeAll(async () => {
    path = folder.write(name, wrap(await SOURCES[format]()));
  });

  it("is converted into every format, bare and compressed", async () => {
    const targets = WRITTEN_FORMATS.flatMap((target) => {
      const bare = `to.${NAMES[target] ?? target}`;
      return target === "swt" ? [bare] : [bare, `${bare}.gz`];
    }).map((target) => folder.path(target));
    const outputs = targets.slice(1).flatMap((target) => {
      const kind = WRITTEN_FORMATS.find((each) => target.includes(`.${NAMES[each] ?? each}`));
      return ["-o", `${kind}:${target}`];
    });
    const { code, stderr } = await setway(["convert", path, targets[0] as string, ...outputs]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const target of targets) expect(await accessesIn(target), target).toEqual(expected);
  });

  it("is played, in part too, with a miss stream", async () => {
    const misses = folder.path("misses.swt");
    const replay = async (...args: string[]) => {
      const all = ["replay", path, "-m", folder.path("small.yaml"), "--recorded", "none", "--json", ...args];
      const { code, stdout, stderr } = await setway(all);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const records = expected.length / 8;
    const whole = await replay("--misses", misses);
    expect(whole.refs).toBe(records);
    // Two lines of data, or one more of code, are missed once each.
    expect(await accessesIn(misses)).toHaveLength(8 * (format === "perf" ? 2 : 3));
    const part = await replay("--skip-refs", "10", "--warmup-refs", "20", "--sim-refs", "100", "--every", "40");
    expect(part).toMatchObject({ refs: 100, warmupRefs: 20, skippedRefs: 10 });
    expect(part.intervals.map((each: { records: number }) => each.records)).toEqual([40, 40, 20]);
  });
});
