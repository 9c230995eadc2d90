/** Does `setway run` play stories as asked: by name, number or file, with switches, machines, eras, tables and traces? */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { STORIES } from "../../src/scenario/index.ts";
import { setway } from "./capture.ts";

/** Outside every project: `setway` must resolve all the same. */
const FOLDER = mkdtempSync(join(tmpdir(), "setway-stories-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

const STORY = (name: string, expected: string, body: string) => `
import { defineStory, DmaApi, type HazardName } from "setway";
import { loadMachine } from "setway/machine";

const expected: HazardName[] = ${expected};
export default defineStory({
  name: "${name}",
  title: "a driver of my own",
  source: "my bug tracker",
  machine: "rpi4",
  devices: [{ name: "nic", coherent: false }],
  fixes: { map: "cleans before the device reads" },
  expect: ({ has }) => (has("map") ? [] : expected),
  play(world) {
    const cpu = world.core(0);
    const at = world.allocate(64);
    world.check("machines are there", loadMachine("rpi4").cores.length, 4);
    cpu.store(at, 1n);
    if (world.has("map")) new DmaApi(cpu).map(at, 64, "to-device");
    world.device("nic").read(at);
    ${body}
  },
});
`;

describe("a story", () => {
  it("is told with steps, hazards, reasons, cost, fixes and a verdict", async () => {
    const { code, stdout, stderr } = await setway(["run", "dma-from-device"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const part of ["What happens", "Hazards", "Why", "remedy", "What it costs", "Fixes", "As expected"]) {
      expect(stdout).toContain(part);
    }
  });

  it("says with --trace what moved where", async () => {
    const { stdout } = await setway(["run", "mismatched-aliases", "--trace"]);
    expect(stdout).toContain("core 0's L1D: 1 store");
    expect(stdout).toContain("the line: M in core 0's L1D");
    expect(stdout).toContain("memory is behind");
  });

  it("takes fixes and machines, and is JSON if asked", async () => {
    const { code, stdout } = await setway(["run", "dma-from-device", "--with", "map,unmap", "--on", "juno", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      story: { name: "dma-from-device", number: 8 },
      machine: "juno",
      era: "bare",
      fixes: { map: true, unmap: true },
      hazards: {},
      met: true,
    });
  });

  it("can be asked for by number, all of that number", async () => {
    const { code, stdout } = await setway(["run", "8", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).stories).toHaveLength(STORIES.filter(({ number }) => number === 8).length);
  });

  it("plays on the reference model too", async () => {
    const { code, stdout } = await setway(["run", "dma-refill", "--engine", "reference", "--json"]);
    expect({ code, engine: JSON.parse(stdout).engine }).toEqual({ code: 0, engine: "reference" });
  });

  it.each(STORIES.map(({ name }) => name))("%s has help with its fixes", async (name) => {
    const { code, stdout } = await setway(["run", name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Fixes:");
    expect(stdout).toContain(`Example:\n  $ setway run ${name}`);
  });
});

describe("a matrix", () => {
  it("has machines down and fixes across", async () => {
    const { code, stdout } = await setway(["run", "dma-refill", "--matrix", "--on", "rpi4,flat,tc2"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/machine +no fix +sync-for-cpu/);
    expect(stdout).toMatch(/rpi4 +read 1 +clean/);
    expect(stdout).toMatch(/flat +clean +clean/);
    expect(stdout).toContain("6 plays in");
  });

  it("is JSON cell by cell, and keeps to the fixes that were given", async () => {
    const { stdout } = await setway([
      "run",
      "dma-refill",
      "--matrix",
      "--on",
      "rpi4",
      "--with",
      "sync-for-cpu",
      "--json",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      cells: [{ story: "dma-refill", machine: "rpi4", era: "bare", fixes: ["sync-for-cpu"], hazards: {}, met: true }],
      met: true,
      partial: false,
    });
  });

  it("says why a machine is left out", async () => {
    const { code, stdout } = await setway(["run", "pl310-dma", "--matrix", "--on", "rpi4,exynos4412"]);
    expect(code).toBe(0);
    expect(stdout).toContain("not played: rpi4 has no outer cache");
  });
});

describe("a file of the user's own", () => {
  it("is TypeScript anywhere, with setway's own modules", async () => {
    const path = file("mine.ts", STORY("mine", '["stale-dma"]', ""));
    expect(await setway(["run", path])).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await setway(["run", path, "--matrix", "--on", "rpi4,seattle"]);
    expect(stdout).toContain("4 plays in");
  });

  it("is exit 1 where its expectations fail, and 2 where it isn't a story", async () => {
    const wrong = await setway(["run", file("wrong.ts", STORY("wrong", "[]", ""))]);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain("NOT AS EXPECTED");
    expect(wrong.stdout).toContain("stale-dma happened, which wasn't expected");
    for (const [text, message] of [
      ["export default 5;", "exports no story"],
      ["export const story = 5;", "no default export"],
      ["export default {", "can't be loaded"],
      [STORY("broken", "[]", "world.device('nik');"), "did you mean nic?"],
      [STORY("fell-over", "[]", "world.core(0).store(2 ** 50, 1n);"), "story fell-over failed"],
    ] as const) {
      const { code, stdout, stderr } = await setway(["run", file("other.ts", text)]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(message);
    }
  });

  it("can export a list, and be JavaScript", async () => {
    const text = STORY("first", '["stale-dma"]', "").replace(/, type HazardName|: HazardName\[\]/g, "");
    const path = file(
      "list.mjs",
      text.replace("export default ", "const story = ").concat("\nexport default [story];"),
    );
    expect((await setway(["run", path])).code).toBe(0);
  });

  it("may be missing", async () => {
    const { code, stderr } = await setway(["run", "./nowhere.ts"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("no such file") });
  });
});

describe("misspelt", () => {
  it.each([
    [["run", "dma-refil"], "did you mean dma-refill?"],
    [["run", "decompresor"], "did you mean decompressor?"],
    [["run", "dma-refill", "--with", "sync-cpu"], "did you mean sync-for-cpu?"],
    [["run", "dma-refill", "--kvm", "4.2"], "did you mean 4.1?"],
    [["run", "dma-refill", "--kvm", "4.1"], "isn't played in this era"],
    [["run", "dma-refill", "--on", "rpi"], "did you mean rpi4?"],
    [["run", "pl310-dma", "--on", "rpi4"], "has no outer cache"],
    [["run", "dma-refill", "--with", "sync-for-cpu", "--without", "sync-for-cpu"], "both on and off"],
    [["run", "dma-refill", "--engine", "kernal"], "Allowed choices are kernel, reference. Did you mean kernel?"],
    [["run", "--all", "dma-refill"], "one of the two"],
  ])("%j is exit 2 and says: %s", async (args, hint) => {
    const { code, stdout, stderr } = await setway(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(hint);
  });
});
