/** Does the command line import and export, and is what it prints what the other verbs take? */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { setway } from "../../cli/capture.ts";
import { DATA, TABLES } from "./fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "setway-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("machine import", () => {
  it("prints a description that `machine show` takes", async () => {
    const { code, stdout, stderr } = await setway([
      "machine",
      "import",
      `${DATA}two-clusters.dtb`,
      "--name",
      "my board",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^# Imported by setway from /);
    expect(stdout).toContain("# Assumed:\n");
    expect(stdout).toContain("\nname: my-board\n");
    const path = join(folder, "board.yaml");
    writeFileSync(path, stdout);
    const shown = await setway(["machine", "show", path]);
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 0, stderr: "" });
    expect(shown.stdout).toContain("2 Cortex-A57 + 4 Cortex-A53 in 2 clusters");
  });

  it("takes several files, and has JSON", async () => {
    const { code, stdout } = await setway([
      "machine",
      "import",
      ...TABLES.map((name) => `${DATA}${name}.aml`),
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ format: "ACPI tables", description: { sockets: 2 } });
  });

  it("exits 2 with the reason", async () => {
    const { code, stdout, stderr } = await setway(["machine", "import", `${DATA}pptt.asl`]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("error: ");
    expect(stderr).toContain("the table that `iasl` makes of it");
  });
});

describe("machine export", () => {
  it.each(["dts", "drcachesim"])("to %s, which import takes back", async (format) => {
    const { code, stdout } = await setway(["machine", "export", "altra-2s", "--to", format]);
    expect(code).toBe(0);
    const path = join(folder, `altra.${format}`);
    writeFileSync(path, stdout);
    const back = await setway(["machine", "import", path, "--json"]);
    expect(back.code).toBe(0);
    expect(JSON.parse(back.stdout).read[0]).toMatch(/^160 cores/);
  });

  it("asks for a format, and names the valid ones", async () => {
    expect((await setway(["machine", "export", "altra-2s"])).stderr).toContain("required option '--to <format>'");
    const { code, stderr } = await setway(["machine", "export", "altra-2s", "--to", "yaml"]);
    expect(code).toBe(2);
    expect(stderr).toContain("drcachesim, dts");
  });
});

describe("help", () => {
  it.each(["machine import", "machine export", "lint"])("of %s has an example", async (verb) => {
    const { code, stdout } = await setway([...verb.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: setway ${verb}`);
    expect(stdout).toContain("Example:\n  $ ");
  });
});
