/** Does `setway cost` find studies and parameters by name, write every kind of file, and end as it should? */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STUDIES } from "../../src/cost/index.ts";
import { setway } from "./capture.ts";
import { type Folder, temporaryFolder } from "./files.ts";

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const SMALL = ["cost", "jit", "--bytes", "64,256", "--features", "neither", "--machine", "rpi4"];

describe("help", () => {
  it("of cost lists every study", async () => {
    const { code, stdout } = await setway(["cost", "--help"]);
    expect(code).toBe(0);
    for (const name of Object.keys(STUDIES)) expect(stdout).toContain(`  ${name} `);
    expect(stdout).toContain("Example:\n  $ setway cost ");
  });

  it.each(Object.keys(STUDIES))("of %s has every parameter with its range, and an example", async (name) => {
    const { code, stdout, stderr } = await setway(["cost", name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const parameter of [...Object.keys(STUDIES[name]!.parameters), "machine", "ghz", "json", "output"]) {
      expect(stdout).toContain(`--${parameter}`);
    }
    expect(stdout).toContain("Example:\n  $ setway cost ");
  });

  it("is in docs/cost.md too: every study, parameter and column", () => {
    const page = readFileSync(new URL("../../docs/cost.md", import.meta.url), "utf8");
    for (const study of Object.values(STUDIES)) {
      expect(page).toContain(`## ${study.name}`);
      for (const parameter of Object.keys(study.parameters)) expect(page).toContain(`\`--${parameter}\``);
      for (const { key } of study.columns) expect(page).toContain(`\`${key}\``);
    }
  });
});

describe("misspelt words", () => {
  it.each([
    [["cost", "setway-emulatoin"], "Did you mean setway-emulation?"],
    [["cost", "jit", "--bites", "64"], "Did you mean --bytes?"],
    [["cost", "jit", "--features", "idcc"], "did you mean idc?"],
    [["cost", "jit", "-m", "seatle"], "did you mean seattle?"],
    [["cost", "jit", "-o", "csw:x"], "did you mean csv?"],
    [["cost", "jit", "--ghz", "fast"], "expected 0.001 to 100"],
    [["cost", "jit", "--bytes", "1GiB"], "expected 4 B to 16 MiB"],
  ])("%j is exit 2 and says: %s", async (args, hint) => {
    const { code, stdout, stderr } = await setway(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(hint);
  });
});

describe("results", () => {
  it("are a table on stdout, with files beside it", async () => {
    const [csv, json, svg] = ["a.csv", "a.json", "a.svg"].map((name) => folder.path(name)) as [string, string, string];
    const outputs = ["-o", `csv:${csv}`, "-o", `json:${json}`, "-o", `svg:${svg}`];
    const { code, stdout, stderr } = await setway([...SMALL, "-m", "seattle", "--ghz", "1", ...outputs]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("jit on seattle");
    expect(stdout).toContain("a clock of 1 GHz");
    expect(readFileSync(csv, "utf8").split("\r\n")).toHaveLength(1 + 2 + 1);
    expect(JSON.parse(readFileSync(json, "utf8")).rows).toHaveLength(2);
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it("are one JSON object with --json, and whatever kind - is asked for", async () => {
    const { stdout } = await setway([...SMALL, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ study: "jit", machine: "rpi4", partial: false });
    expect((await setway([...SMALL, "-o", "csv:-"])).stdout).toMatch(/^bytes,features,/);
  });

  it("take a machine of one's own", async () => {
    const machine = folder.write(
      "own.yaml",
      "name: own\ncores: 1\ncaches:\n  L1I: { size: 32KiB, ways: 2 }\n  L1D: { size: 32KiB, ways: 4 }\n",
    );
    expect((await setway([...SMALL, "-m", machine])).stdout).toContain("jit on own");
  });

  it("of an interrupted study are labelled partial, and the exit code is 130", async () => {
    const interrupted = await setway(SMALL, { signal: AbortSignal.abort() });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stdout).toContain("PARTIAL RESULT: 0 of 2 rows");
  });

  it("leave stderr alone unless it is a terminal", async () => {
    expect((await setway(SMALL)).stderr).toBe("");
  });
});
