/** Does the boot of a 32-bit kernel go stale where it should, stay clean where it should, and is it told so that it can be used? */
import { beforeAll, describe, expect, it } from "vitest";
import type { DecompressorReport, RunReport } from "../../src/report/decompressor.ts";
import { decompressorText } from "../../src/report/decompressor-text.ts";
import { type Captured, setway } from "../cli/capture.ts";
import { type Folder, temporaryFolder } from "../cli/files.ts";

const run = (...args: readonly string[]) => setway(["run", "decompressor", ...args]);
const reportOf = ({ stdout }: Captured): DecompressorReport => JSON.parse(stdout);

const observed = ({ hazards }: RunReport) => ({
  reads: hazards["stale-read"],
  fetches: hazards["stale-fetch"],
});
const NONE = { occurrences: 0, lines: 0 };
const CLEAN = { reads: NONE, fetches: NONE };
/** Every line of the image that the kernel reads or fetches while its caches are off and that it hasn't written. */
const STALE = { reads: { occurrences: 333, lines: 318 }, fetches: { occurrences: 541, lines: 25 } };

describe("all three ways on both machines (the demo)", () => {
  let captured: Captured;
  let report: DecompressorReport;
  let runs: Readonly<Record<string, RunReport>>;
  beforeAll(async () => {
    captured = await run("--json", "--expect-clean");
    report = reportOf(captured);
    runs = Object.fromEntries(report.runs.map((each) => [`${each.machine} ${each.maintenance}`, each]));
  });

  it("is six whole boots, and fails --expect-clean", () => {
    expect(Object.keys(runs)).toEqual([
      "seattle none",
      "seattle setway",
      "seattle va",
      "kunpeng916-2s none",
      "kunpeng916-2s setway",
      "kunpeng916-2s va",
    ]);
    expect(captured.code).toBe(1);
    expect(captured.stderr).toBe("expectation failed: 1748 stale or leaked observations (--expect-clean)\n");
    expect(report.partial).toBe(false);
  });

  it.each([
    ["seattle none", CLEAN],
    ["seattle setway", CLEAN],
    ["seattle va", CLEAN],
    ["kunpeng916-2s none", STALE],
    ["kunpeng916-2s setway", STALE],
    ["kunpeng916-2s va", CLEAN],
  ])("%s sees what it should", (name, expected) => {
    expect(observed(runs[name] as RunReport)).toEqual(expected);
    expect(runs[name]?.clean).toBe(expected === CLEAN);
  });

  it("leaves the whole image above the PoC by set/way in 32 MiB, and nothing of it in 8 MiB", () => {
    const { lines } = report.trace.image;
    expect(runs["kunpeng916-2s setway"]?.dirtyWhenCachesOff).toEqual({ L1D: 0, L2: 0, L3: 322_073 });
    expect(runs["kunpeng916-2s setway"]?.leftBeyondSetWay).toBe(322_073);
    // By VA cleans the image and nothing else, so the difference is the image.
    expect(322_073 - (runs["kunpeng916-2s va"]?.leftBeyondSetWay as number)).toBe(lines);
    expect(runs["seattle none"]?.dirtyWhenCachesOff).toEqual({ L1D: 7, L2: 0, L3: 0 });
    expect(runs["seattle setway"]?.leftBeyondSetWay).toBe(7);
  });

  it("tells what is lost or latent apart, and nobody misses what is lost", () => {
    for (const each of report.runs) expect(each.lossesNoticed).toBe(0);
    expect(runs["seattle va"]?.hazards["lost-write"]).toEqual({ occurrences: 7, lines: 7 });
    expect(runs["seattle setway"]?.hazards["lost-write"]).toEqual(NONE);
    expect(runs["seattle setway"]?.hazards["set/way-short-of-poc"]).toEqual({ occurrences: 2, lines: 7 });
    expect(runs["kunpeng916-2s setway"]?.hazards["set/way-short-of-poc"]?.lines).toBe(322_073);
    for (const name of ["seattle va", "kunpeng916-2s va"]) {
      expect(runs[name]?.hazards["mismatched-attributes"]).toEqual(NONE);
    }
    for (const each of report.runs) {
      expect(each.hazards["maintenance-pending"]).toEqual(NONE);
      expect(each.notAssessable).toEqual(["stale-dma", "leak"]);
    }
  });

  it("prices each way by cause and by phase", () => {
    for (const each of report.runs) {
      const byCause = Object.values(each.cycles.byCause).reduce((sum, cycles) => sum + cycles, 0);
      const byPhase = Object.values(each.phaseCycles).reduce((sum, cycles) => sum + cycles, 0);
      expect([byCause, byPhase]).toEqual([each.cycles.total, each.cycles.total]);
    }
    const flushes = report.runs.map(({ flushOperations }) => flushOperations);
    expect(flushes).toEqual([0, 33_792, 321_603, 0, 33_792, 321_603]);
    expect(runs["seattle va"]?.flushCycles).toBeGreaterThan(5 * (runs["seattle setway"]?.flushCycles as number));
  });

  it("explains the first hazards: the kernel's first instruction is the first that is stale", () => {
    const hazards = runs["kunpeng916-2s setway"]?.firstHazards ?? [];
    expect(hazards).toHaveLength(3);
    expect(hazards[0]).toMatchObject({
      class: "stale-fetch",
      line: "0x40208000",
      attribute: "Normal Write-Through Inner Shareable",
      recorded: { record: 2_394_992, lostAt: null },
      source: "memory",
    });
    expect(hazards[0]?.record).toBeLessThan(2_394_992);
    expect(hazards[0]?.explanation.what).toContain("record 2,394,992");
    expect(hazards[0]?.explanation.where).toContain("L3 (a system cache) of socket 0");
    expect(hazards[0]?.explanation.remedy).toContain("DC CVAC or DC CIVAC 0x40208000");
  });

  it("is told in 100 columns, colour or not, with the moral", () => {
    const text = decompressorText(report, false);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(text).not.toContain("\u001b");
    expect(text).toMatch(/what the kernel sees +clean +clean +clean +STALE +STALE +clean/);
    expect(text).toContain("depends on size and timing");
    expect(text).toContain("The first 3 hazards on kunpeng916-2s, flush set/way");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character.
    expect(decompressorText(report, true).replace(/\u001b\[[0-9;]*m/g, "")).toBe(text);
  });

  it("is told for a single machine and for many", () => {
    const [first] = report.runs as [RunReport];
    const many = ["a", "b", "c"].flatMap((machine) => report.runs.slice(0, 3).map((each) => ({ ...each, machine })));
    for (const some of [[first], many]) {
      const lines = decompressorText({ ...report, runs: some }, false).split("\n");
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
      for (const { machine } of some) expect(lines.some((line) => line.split(/ {2,}/).includes(machine))).toBe(true);
    }
  });
});

/** Whole boots that the demo does not have: only with SETWAY_FULL=1. */
const FULL = process.env.SETWAY_FULL === "1";

describe.runIf(FULL)("a sweep", () => {
  it("goes wrong from the size that holds the image, and says so", async () => {
    const captured = await run("--json", "--maintenance", "setway", "--sweep", "l3=0,32MiB");
    const report = reportOf(captured);
    expect(captured).toMatchObject({ code: 0, stderr: "" });
    expect(report.runs.map(({ machine, variant, clean }) => [machine, variant?.label, clean])).toEqual([
      ["seattle", "no L3", true],
      ["seattle", "L3 32 MiB", false],
    ]);
    expect(observed(report.runs[1] as RunReport)).toEqual(STALE);
    const text = decompressorText(report, false);
    expect(text).toMatch(/no L3 +0 +0 +clean\n +L3 32 MiB +322,073 +322,073 +343\n/);
  });
});

describe("set/way is enough where no cache stands beyond CLIDR", () => {
  it.runIf(FULL)("on rpi4, where not flushing loses nothing that matters either", async () => {
    const captured = await run("--json", "-m", "rpi4", "--maintenance", "setway,va", "--expect-clean");
    const [setwayRun, va] = reportOf(captured).runs as [RunReport, RunReport];
    expect(captured.code).toBe(0);
    expect([observed(setwayRun), observed(va)]).toEqual([CLEAN, CLEAN]);
    expect(setwayRun.dirtyWhenKernelStarts).toEqual({ L1D: 0, L2: 0 });
  });

  it("on a board described in a file; --strict counts what is lost and latent too", async () => {
    const folder: Folder = temporaryFolder();
    const board = folder.write(
      "board.yaml",
      "name: board\ncores: 1\ncaches:\n  L1I: { size: 32KiB, ways: 2 }\n  L1D: { size: 32KiB, ways: 4 }\n",
    );
    const captured = await run("-m", board, "--maintenance", "va", "--strict", "--hazards", "1");
    folder.remove();
    expect(captured.code).toBe(1);
    expect(captured.stderr).toMatch(/^expectation failed: \d+ hazards \(--strict\)\n$/);
    expect(captured.stdout).toContain("The first hazard on board, flush by VA (nobody saw an old byte)");
  });

  it("on flat, which is what an emulator does", async () => {
    const captured = await run("-m", "flat", "--strict");
    expect(captured).toMatchObject({ code: 0, stderr: "" });
    expect(captured.stdout).toContain("without caches there is nothing to flush");
  });
});

describe("refusals", () => {
  it.each([
    [["-m", "altra-2s"], /altra-2s can't run this kernel.*AArch32 at EL0 only.*--caches-only/],
    [["-m", "thunderx-2s"], /thunderx-2s can't run this kernel.*no AArch32/],
    [["-m", "seatle"], /did you mean seattle\?/],
    [["--maintenance", "setwya"], /did you mean setway\?/],
    [["--maintenance", ""], /unknown maintenance/],
    [["--sweep", "l4=4MiB"], /seattle has no such cache to sweep/],
    [["--sweep", "l3"], /bad sweep/],
    [["--hazards", "-1"], /bad number of hazards/],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("of a machine without memory at 1 GiB", async () => {
    const folder: Folder = temporaryFolder();
    const board = folder.write(
      "small.yaml",
      "name: small\ncores: 1\ncaches: {}\nmemory: [{ base: 0x0, size: 64MiB }]\n",
    );
    const { code, stderr } = await run("-m", board);
    folder.remove();
    expect(code).toBe(2);
    expect(stderr).toContain("small has no memory where this kernel was recorded");
  });
});

describe("Ctrl-C", () => {
  it("before the first boot gives an empty partial result and exits 130", async () => {
    const { code, stdout } = await setway(["run", "decompressor"], { signal: AbortSignal.abort() });
    expect(code).toBe(130);
    expect(stdout).toContain("PARTIAL RESULT: interrupted; 6 boots left out");
  });

  it("in a boot gives what was played until then", async () => {
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(), 1000);
    const { code, stdout } = await setway(["run", "decompressor", "--json"], { signal: interrupt.signal });
    const report: DecompressorReport = JSON.parse(stdout);
    expect(code).toBe(130);
    expect(report.partial).toBe(true);
    expect(report.runs.length + report.missing).toBe(6);
    expect(report.runs.at(-1)?.partial ?? true).toBe(true);
  });
});
