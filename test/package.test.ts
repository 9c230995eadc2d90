/** Does the package hold what its users need, and does the README's code do what it says? (Needs the build.) */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const built = existsSync(join(ROOT, "dist/index.js"));

describe.skipIf(!built)("the package", () => {
  it("holds the library, the command, both kernels, the trace and the licence, and no sources", () => {
    const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      "dist/index.js",
      "dist/index.d.ts",
      "dist/machine/index.js",
      "dist/cli/main.js",
      "dist/kernel.wasm",
      "dist/kernel.wasm.d.ts",
      "dist/kernel-tags.wasm",
      "dist/report.schema.json",
      "docs/semantics.md",
      "docs/trace-format.md",
      "LICENSE",
      "README.md",
    ]) {
      expect(paths).toContain(path);
    }
    expect(paths.filter((path) => /^(src|assembly|test|scripts|bench)\//.test(path))).toEqual([]);
  });

  it("runs the README's code: one stale read, explained", () => {
    const code = /```js\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? "";
    expect(code.trim().split("\n")).toHaveLength(5);
    // Inside the package its own name resolves to itself.
    const file = join(ROOT, "build/readme.mjs");
    mkdirSync(join(ROOT, "build"), { recursive: true });
    writeFileSync(file, code);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("core 0 read an old value from line 0x1000");
    expect(stdout).toContain("core 0's L1D");
    expect(stdout).toContain("DC CVAC or DC CIVAC 0x1000");
  });

  it("has a command that runs", () => {
    const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "dist/cli/main.js"), "--version"], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
