// `npm run check`: formatting and lint, types, dead code and package lint in one. All four run, whatever the first says.
import { spawnSync } from "node:child_process";
import { ensureInstalled, ROOT } from "./install.mjs";
import { BUILD, requireNode } from "./steps.mjs";

const CHECKS = ["check:style", "check:types", "check:dead-code", "check:package"];

ensureInstalled();
// Types and package lint look at generated files.
requireNode(BUILD, []);
const failed = CHECKS.filter((name) => {
  const { status } = spawnSync("npm", ["run", "--silent", name], {
    cwd: ROOT,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  return status !== 0;
});
console.log(failed.length === 0 ? "check: all four passed" : `check: ${failed.join(", ")} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
