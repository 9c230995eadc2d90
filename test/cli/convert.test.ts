/** Does `setway convert` keep every record, and leave either whole files or none? */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setway } from "./capture.ts";
import { type Folder, raw64, SMALL_MACHINE, STALE, temporaryFolder } from "./files.ts";

let folder: Folder;
let trace: string;
beforeEach(() => {
  folder = temporaryFolder();
  trace = folder.write("trace.raw64", raw64(...STALE));
});
afterEach(() => folder.remove());

describe("conversion", () => {
  it("there and back again gives the same bytes, with several outputs at a time", async () => {
    const swt = folder.path("trace.swt");
    const gz = folder.path("trace.raw64.gz");
    const { code, stdout } = await setway(["convert", trace, swt, "-o", `raw64:${gz}`, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ records: 3, outputs: [{ path: swt }, { path: gz }] });
    for (const source of [swt, gz]) {
      const back = folder.path("back.raw64");
      expect((await setway(["convert", source, back])).code).toBe(0);
      expect(readFileSync(back)).toEqual(readFileSync(trace));
    }
  });

  it("a .swt keeps what was recorded and how it began", async () => {
    const machine = folder.write("small.yaml", SMALL_MACHINE);
    const swt = folder.path("trace.swt");
    await setway(["convert", trace, swt, "--recorded", "control", "--caches", "off"]);
    const report = JSON.parse((await setway(["replay", swt, "-m", machine, "--json"])).stdout);
    expect(report.notAssessable).toContain("stale-read");
    expect(report.levels.L1D.accesses).toBe(0);
  });

  it("a truncated input is exit 3 and leaves nothing behind", async () => {
    writeFileSync(trace, readFileSync(trace).subarray(0, 20));
    const { code, stdout, stderr } = await setway(["convert", trace, folder.path("out.swt")]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("record 2");
    expect(readdirSync(folder.path("."))).toEqual(["trace.raw64"]);
  });

  it.each([
    ["no output", []],
    ["an output whose name says no format", ["out.bin"]],
    ["an unknown format", ["-o", "champsim:out"]],
    ["a folder that isn't there", ["nowhere/out.swt"]],
    ["JSON and a trace on one stream", ["-o", "raw64:-", "--json"]],
    ["standard output without a format", ["-"]],
  ])("%s is exit 2", async (_, args) => {
    const placed = args.map((arg) => (arg.includes("out") && !arg.includes(":") ? folder.path(arg) : arg));
    const { code, stdout, stderr } = await setway(["convert", trace, ...placed]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
    expect(readdirSync(folder.path("."))).toEqual(["trace.raw64"]);
  });
});
