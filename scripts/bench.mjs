// `npm run bench`: installs and builds in a bare clone, compiles bench/ and runs bench/main.ts. Arguments go to it.
import { ensureInstalled } from "./install.mjs";
import { BUILD, requireNode, runNode, TSC } from "./steps.mjs";

ensureInstalled();
requireNode(BUILD, []);
requireNode(TSC, ["-p", "tsconfig.bench.json"]);
process.exitCode = runNode("build/bench/bench/main.js", process.argv.slice(2));
