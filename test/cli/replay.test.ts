/** Does `setway replay` say what was asked, end with the right exit code, and name the place of what is wrong? */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dc, load, record, store } from "../../src/engine/record.ts";
import { drmemtrace, footer, header, read, zip } from "../trace/foreign.ts";
import { setway } from "./capture.ts";
import { CLEAN, type Folder, raw64, SMALL_MACHINE, STALE, temporaryFolder } from "./files.ts";

let folder: Folder;
let machine: string;
let stale: string;
let clean: string;

beforeAll(() => {
  folder = temporaryFolder();
  machine = folder.write("small.yaml", SMALL_MACHINE);
  stale = folder.write("stale.raw64", raw64(...STALE));
  clean = folder.write("clean.raw64", raw64(...CLEAN));
});
afterAll(() => folder.remove());

const replay = (trace: string, ...options: readonly string[]) => setway(["replay", trace, "-m", machine, ...options]);

describe("the result", () => {
  it.each(["kernel", "reference"])("is one JSON object with the published keys (%s)", async (engine) => {
    const { code, stdout, stderr } = await replay(stale, "--json", "--engine", engine);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      refs: 3,
      machine: "small",
      engine,
      carriesData: true,
      partial: false,
      shards: 1,
      levels: { L1D: { accesses: 1, hits: 0, misses: 1, writebacks: 0, dirtyLines: 1 }, L1I: { accesses: 0 } },
      memory: { reads: 2, writes: 0, uncachedReads: 1 },
      coherence: { snoops: 0 },
      hazards: { "stale-read": 1, "stale-fetch": 0 },
      hazardLines: { "stale-read": 1 },
    });
    expect(report.cycles.total).toBe(
      Object.values<number>(report.cycles.byCause).reduce((sum, cycles) => sum + cycles, 0),
    );
    expect(report.cycles.total).toBeGreaterThan(0);
    expect(report.perCore).toBeUndefined();
    expect(stderr).toContain("--caches off");
  });

  it("counts what prefetchers do, at their level and for people, where a machine has some", async () => {
    const with_ = folder.write(
      "prefetching.yaml",
      SMALL_MACHINE.replace("ways: 4 }", "ways: 4, prefetch: next-line }"),
    );
    const trace = folder.write("forward.raw64", raw64(load(0, 0x1000), load(0, 0x1040), load(0, 0x1080)));
    const play = (...options: readonly string[]) => setway(["replay", trace, "-m", with_, ...options]);
    const { levels } = JSON.parse((await play("--json")).stdout);
    expect(levels.L1D).toMatchObject({ accesses: 3, misses: 1, prefetches: 3, prefetchesUsed: 2, prefetchesUnused: 0 });
    const { stdout } = await play();
    expect(stdout).toMatch(/lines that prefetchers brought in +3\n.* of these used +2\n/);
    expect(stdout).not.toContain("evicted unused");
    expect((await replay(trace)).stdout).not.toContain("prefetch");
  });

  it("is a story for people: numbers with their names, and the hazard explained", async () => {
    const { stdout } = await replay(stale, "--caches", "on");
    expect(stdout).toContain("3 records");
    expect(stdout).toMatch(/L1D +1 +0 +1 +100\.00 %/);
    expect(stdout).toMatch(/stale-read +1 +1/);
    expect(stdout).toContain("core 0 read an old value from line 0x1000 at record 2");
    expect(stdout).toContain("by core 0 at record 0 as Normal Write-Back");
    expect(stdout).toContain("in core 0's L1D");
    expect(stdout).toMatch(/DC CVAC or DC CIVAC 0x1000, then DSB, between records 0 and 2/);
    expect(stdout).not.toContain("\u001b");
  });

  it("lists cores on request", async () => {
    const { stdout } = await replay(clean, "--json", "--per-core");
    expect(JSON.parse(stdout).perCore).toHaveLength(1);
  });

  it("goes to as many files as wanted", async () => {
    const json = folder.path("result.json");
    const { stdout } = await replay(clean, "-o", `json:${json}`, "-o", "text:-");
    expect(stdout).toContain("Caches");
    const { readFileSync } = await import("node:fs");
    expect(JSON.parse(readFileSync(json, "utf8")).refs).toBe(4);
  });

  it("explains as many hazards as wanted", async () => {
    const { stdout } = await replay(stale, "--json", "--hazards", "0");
    expect(JSON.parse(stdout).firstHazards).toEqual([]);
  });
});

describe("expectations", () => {
  it.each([
    ["a stale read", "stale", "--expect-clean", 1],
    ["a stale read", "stale", "--strict", 1],
    ["nothing stale", "clean", "--expect-clean", 0],
    ["nothing stale", "clean", "--strict", 0],
    ["no expectation", "stale", "--caches=on", 0],
  ])("%s in %s with %s exits %i", async (_, trace, option, code) => {
    expect((await replay(trace === "stale" ? stale : clean, option)).code).toBe(code);
  });

  it("--strict fails on a lost write that nobody reads, --expect-clean doesn't", async () => {
    const lost = folder.write("lost.raw64", raw64(store(0, 0x2000), dc.ivac(0, 0x2000)));
    expect((await replay(lost, "--expect-clean")).code).toBe(0);
    const strict = await replay(lost, "--strict");
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain("--strict");
    expect((await replay(lost)).stdout).toContain("DC CVAC (or CIVAC) 0x2000 in the place of DC IVAC");
  });
});

describe("what a trace did not record is not assessed (R48)", () => {
  it("says so, and finds nothing there", async () => {
    const report = JSON.parse((await replay(stale, "--json", "--recorded", "none")).stdout);
    expect(report.notAssessable).toContain("stale-read");
    expect(report.hazards["stale-read"]).toBeUndefined();
    expect(report.carriesData).toBe(false);
  });

  it("takes bare records without maintenance and control writes for a trace that recorded neither", async () => {
    const report = JSON.parse((await replay(stale, "--json")).stdout);
    expect(report.notAssessable).toContain("stale-dma");
    const bare = folder.write("bare.raw64", raw64(store(0, 0x40), load(0, 0x40)));
    expect(JSON.parse((await replay(bare, "--json")).stdout).notAssessable).toContain("stale-fetch");
  });
});

describe("bad input", () => {
  const unknownOperation = { ...load(0, 0x1000), code: 99 };

  it.each([
    ["an unknown operation", raw64(load(0, 0), unknownOperation), "record 1"],
    ["a core that the machine lacks", raw64(load(7, 0)), "record 0"],
    ["an address that the machine lacks", raw64(load(0, 0), load(0, 0), load(0, 0x1000_0000)), "record 2"],
    ["a truncated file", raw64(...CLEAN).subarray(0, 20), "record 2"],
    ["a record that follows a prefix", raw64(record("LOAD", 300, 0)), "record 0"],
  ])("%s is exit 3 and names file and place", async (name, bytes, place) => {
    const path = folder.write(`${name.replaceAll(" ", "-")}.raw64`, bytes);
    for (const engine of ["kernel", "reference"]) {
      const { code, stdout, stderr } = await replay(path, "--engine", engine);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain(path);
      expect(stderr).toContain(place);
    }
  });

  it("a trace that isn't there is exit 3", async () => {
    const { code, stderr } = await replay(folder.path("nowhere.raw64"));
    expect(code).toBe(3);
    expect(stderr).toContain("nowhere.raw64");
  });

  it("a .swt with a flipped bit is exit 3", async () => {
    const path = folder.path("flipped.swt");
    expect((await setway(["convert", stale, path])).code).toBe(0);
    const { readFileSync } = await import("node:fs");
    const bytes = readFileSync(path);
    bytes[bytes.length - 30] = (bytes[bytes.length - 30] as number) ^ 1;
    folder.write("flipped.swt", bytes);
    const { code, stderr } = await replay(path);
    expect(code).toBe(3);
    expect(stderr).toContain("flipped.swt");
  });

  it("a bad machine description is exit 2 with line, column and the nearest word", async () => {
    const bad = folder.write("bad.yaml", SMALL_MACHINE.replace("caches:", "cashes:"));
    const { code, stderr } = await setway(["replay", stale, "-m", bad]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.yaml, line 4, column 1/);
    expect(stderr).toContain("did you mean caches?");
  });

  it("text that is no YAML is exit 2", async () => {
    const bad = folder.write("broken.yaml", "cores: [1\ncaches: }");
    expect(await setway(["replay", stale, "-m", bad])).toMatchObject({ code: 2, stdout: "" });
  });

  it("an unknown machine is exit 2 and suggests one", async () => {
    const { code, stderr } = await setway(["replay", stale, "-m", "seatle"]);
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean seattle?");
  });

  it.each([
    ["--hazards", "many"],
    ["--recorded", "maintainance"],
    ["--caches", "warm"],
    ["--engine", "qemu"],
    ["-o", "jsn:x"],
    ["--data", "--tags-only"],
    ["--jsn"],
  ])("%s %s is exit 2", async (...options) => {
    const { code, stdout, stderr } = await replay(stale, ...options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });

  it("a missing machine is exit 2", async () => {
    expect((await setway(["replay", stale])).code).toBe(2);
  });
});

describe("parts of a trace", () => {
  // 40 loads of 20 lines, twice over; a store with a prefix at the end.
  const lines = Array.from({ length: 40 }, (_, i) => load(0, 64 * (i % 20)));
  let trace: string;
  beforeAll(() => {
    trace = folder.write("parts.raw64", raw64(...lines, store(0, 0x1000, { sizeBytes: 4 })));
  });
  const json = async (...options: readonly string[]) => {
    const { code, stdout, stderr } = await replay(trace, "--json", ...options);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout);
  };

  it("the first records are left out, the rest is cut off", async () => {
    expect(await json("--skip-refs", "30")).toMatchObject({
      refs: 11,
      skippedRefs: 30,
      levels: { L1D: { misses: 11 } },
    });
    expect(await json("--sim-refs", "30")).toMatchObject({ refs: 30, levels: { L1D: { accesses: 30, misses: 20 } } });
    expect(await json("--skip-refs", "5", "--sim-refs", "10")).toMatchObject({
      refs: 10,
      levels: { L1D: { misses: 10 } },
    });
    expect(await json("--skip-refs", "1000")).toMatchObject({ refs: 0 });
    expect(await json("--sim-refs", "0")).toMatchObject({ refs: 0 });
  });

  it.each(["kernel", "reference"])("a warm-up is played and not counted (%s)", async (engine) => {
    const report = await json("--warmup-refs", "20", "--engine", engine);
    expect(report).toMatchObject({ refs: 21, warmupRefs: 20, levels: { L1D: { accesses: 21, hits: 20, misses: 1 } } });
    expect(report.memory.reads).toBe(1);
    expect(await json("--warmup-refs", "20", "--sim-refs", "20", "--engine", engine)).toMatchObject({
      refs: 20,
      levels: { L1D: { misses: 0 } },
      cycles: { byCause: { "L1D hit": 80 } },
    });
    expect(await json("--warmup-refs", "1000", "--engine", engine)).toMatchObject({ refs: 0, warmupRefs: 41 });
  });

  it.each(["kernel", "reference"])("every so many records make a line, and the lines add up (%s)", async (engine) => {
    const { intervals, levels, cycles } = await json("--every", "15", "--engine", engine);
    expect(intervals).toMatchObject([
      { from: 0, records: 15, levels: { L1D: { accesses: 15, misses: 15 } } },
      { from: 15, records: 15, levels: { L1D: { accesses: 15, misses: 5 } } },
      { from: 30, records: 11, levels: { L1D: { accesses: 11, misses: 1 } }, memory: { reads: 1 } },
    ]);
    const sum = (value: (interval: never) => number) => intervals.map(value).reduce((a: number, b: number) => a + b, 0);
    expect(sum(({ levels }: { levels: { L1D: { misses: number } } }) => levels.L1D.misses)).toBe(levels.L1D.misses);
    expect(sum((interval: { cycles: number }) => interval.cycles)).toBe(cycles.total);
    const later = await json("--every", "15", "--skip-refs", "2", "--warmup-refs", "8", "--engine", engine);
    expect(later.intervals.map(({ from, records }: { from: number; records: number }) => [from, records])).toEqual([
      [10, 15],
      [25, 15],
      [40, 1],
    ]);
    const { stdout } = await replay(trace, "--every", "20");
    expect(stdout).toMatch(/Intervals\n.*L1D miss ratio/);
    expect(stdout).toMatch(/ 20 +20 .* 0\.00 %/);
  });

  it("an error names the record of the trace, and what would help", async () => {
    const far = folder.write("far.lackey", " L 1000,4\n L 7fff12345678,4\n");
    const { code, stderr } = await replay(far, "--skip-refs", "1");
    expect(code).toBe(3);
    expect(stderr).toMatch(/far\.lackey, record 1.*outside memory.*--map-addresses pages/);
    const { stdout } = await replay(far, "--map-addresses", "pages", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ refs: 2, levels: { L1D: { misses: 2 } } });
  });

  it("part of a large archive ends without reading the rest", async () => {
    const reads = Array.from({ length: 300_000 }, (_, i) => read(64 * (i % 1000)));
    const large = folder.write("large.zip", zip({ "chunk.0000": drmemtrace([...header(1), ...reads, footer]) }));
    const { code, stdout } = await replay(large, "--sim-refs", "2000", "--json", "--tags-only");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ refs: 2000, levels: { L1D: { accesses: 2000 } } });
  });
});
