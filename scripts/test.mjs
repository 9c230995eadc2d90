// `npm test`: installs, builds and runs the tests in a bare clone. `--full` adds the long suites; other arguments go to
// vitest. The totals are also left in build/vitest.json, where .ci/run reads them.
import { ensureInstalled } from "./install.mjs";
import { BUILD, requireNode, runNode, VITEST } from "./steps.mjs";

const args = process.argv.slice(2);
const full = args.includes("--full");

ensureInstalled();
requireNode(BUILD, []);
process.exitCode = runNode(VITEST, ["run", ...args.filter((arg) => arg !== "--full")], {
  env: full ? { SETWAY_FULL: "1" } : {},
});
