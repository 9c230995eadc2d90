// How the npm scripts run other programs: from the repository root, with their output passed through.
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { ROOT } from "./install.mjs";

/** Runs a Node program of an installed package, or one of ours; returns its exit code. */
export function runNode(path, args, { env = {} } = {}) {
  const { status, signal, error } = spawnSync(process.execPath, [path, ...args], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error !== undefined) throw error;
  if (signal !== null) return 128 + (signal === "SIGINT" ? 2 : 15);
  return status;
}

/** Ends the script with the program's exit code unless that is 0. */
export function requireNode(path, args, options) {
  const status = runNode(path, args, options);
  if (status !== 0) process.exit(status);
}

/** How many compilers may run at once: each takes some hundred MB. */
export const AT_ONCE = Math.min(availableParallelism(), 4);

/** Runs a Node program beside others; what it writes goes to stderr. Gives its exit code. */
export function startNode(path, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { cwd: ROOT, stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("exit", resolve);
  });
}

export const BUILD = "scripts/build.mjs";
export const VITEST = "node_modules/vitest/vitest.mjs";
export const ASC = "scripts/asc.mjs";
export const TSC = "node_modules/typescript/bin/tsc";
