/** Do all verbs have help with an example, exit codes and JSON as documented, and a hint where a word is misspelt? */
import { describe, expect, it } from "vitest";
import { everyCommand } from "../../src/cli/outline.ts";
import { programOutline } from "../../src/cli/program.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { PRESET_NAMES } from "../../src/machine/index.ts";
import { setway } from "./capture.ts";

const PROGRAM = await programOutline();
const COMMANDS = everyCommand(PROGRAM)
  .slice(1)
  .map(({ path }) => path.slice(1).join(" "));

describe("help", () => {
  it.each(COMMANDS)("of %s has an example and exits 0", async (verb) => {
    const { code, stdout, stderr } = await setway([...verb.split(" "), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Usage: setway ${verb}`);
    expect(stdout).toMatch(/Example:\n {2}\$ (.* )?setway /);
  });

  it("of the program names every verb and the exit codes", async () => {
    const { code, stdout } = await setway(["--help"]);
    expect(code).toBe(0);
    for (const verb of PROGRAM.commands.map(({ path }) => path[1])) {
      expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
    }
    expect(stdout).toContain("Exit codes: 0 it ran");
  });

  it("goes to stderr with exit 2 where a verb is missing", async () => {
    for (const args of [[], ["run"], ["machine"]]) {
      const { code, stdout, stderr } = await setway(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("Usage: setway");
    }
  });

  it("--version prints the package's version", async () => {
    const { code, stdout } = await setway(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("misspelt words", () => {
  it.each([
    [["rplay"], "Did you mean replay?"],
    [["machine", "shwo"], "Did you mean show?"],
    [["list", "--jsn"], "Did you mean --json?"],
    [["machine", "show", "altra"], "did you mean altra-2s?"],
    [["explain", "stale-raed"], "did you mean stale-read?"],
    [["list", "machnes"], "Did you mean machines?"],
    [["replay", "t.swt", "-m", "flat", "--caches", "onn"], "Did you mean on?"],
    [["replay", "t.swt", "-m", "flat", "--recorded", "controll"], "did you mean control?"],
    [["replay", "t.swt", "-m", "flat", "-o", "jsno:-"], "did you mean json?"],
    [["replay", "t.swt", "-m", "seatle"], "did you mean seattle?"],
    [["run", "swap-uot"], "did you mean swap-out?"],
    [["run", "swap-out", "--with", "flush-at-mpa"], "did you mean flush-at-map?"],
    [["run", "swap-out", "--kvm", "modren"], "did you mean modern?"],
    [["run", "swap-out", "--engine", "kernl"], "Did you mean kernel?"],
    [["run", "decompressor", "--maintenance", "setwya"], "did you mean setway?"],
    [["cost", "vgaa"], "Did you mean vga?"],
    [["cost", "dma", "--flavour", "arm46"], "did you mean arm64?"],
    [["explain", "r222"], "did you mean R22?"],
    [["completion", "bahs"], "Did you mean bash?"],
    [["docter"], "Did you mean doctor?"],
  ])("%j is exit 2 and says: %s", async (args, hint) => {
    const { code, stdout, stderr } = await setway(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(hint);
  });
});

describe("list", () => {
  it("has every kind of name, as text and as JSON", async () => {
    const { stdout } = await setway(["list"]);
    for (const word of ["seattle", "stale-read", "DC CISW", "R22", ".swt".slice(1)]) expect(stdout).toContain(word);
    const lists = JSON.parse((await setway(["list", "--json"])).stdout);
    expect(Object.keys(lists)).toEqual([
      "scenarios",
      "machines",
      "hazards",
      "rules",
      "operations",
      "attributes",
      "formats",
      "reports",
    ]);
    expect(lists.rules).toHaveLength(50);
  });

  it("can be asked for one kind", async () => {
    const lists = JSON.parse((await setway(["list", "hazards", "--json"])).stdout);
    expect(lists).toEqual({ hazards: [...HAZARD_CLASSES] });
  });
});

describe("machine", () => {
  it("list names every preset", async () => {
    const { code, stdout } = await setway(["machine", "list"]);
    expect(code).toBe(0);
    for (const name of PRESET_NAMES) expect(stdout).toContain(name);
    expect(JSON.parse((await setway(["machine", "list", "--json"])).stdout).machines).toHaveLength(PRESET_NAMES.length);
  });

  it("show has geometry and registers", async () => {
    const { code, stdout } = await setway(["machine", "show", "seattle"]);
    expect(code).toBe(0);
    expect(stdout).toContain("CLIDR_EL1");
    const shown = JSON.parse((await setway(["machine", "show", "seattle", "--json"])).stdout);
    expect(shown.description.name).toBe("seattle");
    expect(shown.registersOfCore0.clidr).toMatch(/^0x/);
  });
});

describe("explain", () => {
  it.each(HAZARD_CLASSES.map(({ name }) => name))("knows %s", async (name) => {
    const { code, stdout } = await setway(["explain", name]);
    expect(code).toBe(0);
    expect(stdout).toContain("cause");
    expect(stdout).toContain("remedy");
    expect(JSON.parse((await setway(["explain", name, "--json"])).stdout).name).toBe(name);
  });

  it.each(Array.from({ length: 50 }, (_, index) => `R${index + 1}`))("knows %s", async (rule) => {
    const { code, stdout } = await setway(["explain", rule.toLowerCase()]);
    expect(code).toBe(0);
    expect(stdout.startsWith(`${rule} `)).toBe(true);
  });
});

describe("standard error", () => {
  it("has no escape sequences unless it is a terminal", async () => {
    expect((await setway(["machine", "list"])).stdout).not.toContain("\u001b");
  });
});
