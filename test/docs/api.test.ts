/** Is the library's reference written without a warning? With SETWAY_FULL=1: it takes twenty seconds. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

it.runIf(process.env.SETWAY_FULL === "1")("typedoc has nothing to complain about", () => {
  const typedoc = join(ROOT, "node_modules/typedoc/bin/typedoc");
  const args = [typedoc, "--emit", "none", "--logLevel", "Warn"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
