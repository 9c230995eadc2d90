/** Does `setway convert` keep every record, and leave either whole files or none? */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dc, load, store } from "../../src/engine/record.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { drmemtrace, footer, header, instruction, wrote, zip } from "../trace/foreign.ts";
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

  it("a .swt of bare records claims what there is among them, in the part that is taken", async () => {
    const swt = folder.path("trace.swt");
    const claims = async (...args: string[]) => {
      expect((await setway(["convert", ...args])).code).toBe(0);
      const trace = await openTraceFile(swt);
      await trace.close();
      const { maintenance, control } = trace.header.provenance;
      return { maintenance, control };
    };
    const accesses = folder.write("accesses.raw64", raw64(store(0, 0x1000), load(0, 0x1000)));
    const flushed = folder.write("flushed.raw64", raw64(store(0, 0x1000), load(0, 0x1000), dc.civac(0, 0x1000)));
    const [none, both] = [
      { maintenance: false, control: false },
      { maintenance: true, control: true },
    ];
    expect(await claims(accesses, swt)).toEqual(none);
    expect(await claims(flushed, swt)).toEqual(both);
    expect(await claims(flushed, swt, "--sim-refs", "2")).toEqual(none);
    expect(await claims(flushed, swt, "--skip-refs", "2")).toEqual(both);
    expect(await claims(accesses, swt, "--recorded", "all")).toEqual(both);
    // What another .swt claims isn't judged again.
    const again = folder.path("again.swt");
    await setway(["convert", accesses, again, "--recorded", "all"]);
    expect(await claims(again, swt)).toEqual(both);
  });

  it("says what the target has no place for", async () => {
    const sizes = folder.write("t.lackey", " S 1000,4\n L 1000,8\n");
    const outputs = ["-o", `swt:${folder.path("a.swt")}`, "-o", `din:${folder.path("a.din")}`];
    const { stdout } = await setway(["convert", sizes, ...outputs, "--json"]);
    const [swt, din] = JSON.parse(stdout).outputs;
    expect(swt.lost).toEqual(["sizes of accesses (--sizes keeps them, but in .din)"]);
    expect(din.lost).toContain("the description, requesters");
    const kept = await setway(["convert", sizes, folder.path("b.swt"), "--sizes"]);
    expect(kept.stdout).not.toContain("without");
    expect((await setway(["convert", sizes, folder.path("b.raw64")])).stdout).toContain("without the description");
    const back = folder.path("back.lackey");
    await setway(["convert", folder.path("b.swt"), back]);
    expect(readFileSync(back, "utf8")).toBe(" S 00001000,4\n L 00001000,8\n");
  });

  it("takes a part of a trace", async () => {
    const part = folder.path("part.raw64");
    const { code, stdout } = await setway(["convert", trace, part, "--skip-refs", "1", "--sim-refs", "1", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).records).toBe(1);
    expect(readFileSync(part)).toEqual(readFileSync(trace).subarray(8, 16));
  });

  it("reads every other tool's format and maps its addresses", async () => {
    const entries = [...header(1), instruction(0xffff_8000_0000_1000n), wrote(0x7fff_1000), footer];
    const zipped = folder.write("app.zip", zip({ "chunk.0000": drmemtrace(entries) }));
    const refused = await setway(["convert", zipped, folder.path("out.din")]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("app.zip (chunk.0000), byte 84: address too large; found ffff800000001000");
    const out = folder.path("out.din");
    const { code, stdout } = await setway(["convert", zipped, out, "--map-addresses", "pages"]);
    expect(code).toBe(0);
    expect(readFileSync(out, "utf8")).toBe("2 0\n1 1000\n");
    expect(stdout).toContain("without thread and process numbers, timestamps");
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
