// `npm run demo`: installs and builds in a bare clone, then plays the boot of a 32-bit kernel (`setway run decompressor`).
import { ensureInstalled } from "./install.mjs";
import { BUILD, requireNode, runNode } from "./steps.mjs";

ensureInstalled();
requireNode(BUILD, []);
process.exitCode = runNode("dist/cli/main.js", ["run", "decompressor", ...process.argv.slice(2)]);
