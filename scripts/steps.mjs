// How the npm scripts run other programs: from the repository root, with their output passed through.
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { ROOT } from "./install.mjs";

/** Runs a Node program of an installed package, or one of ours; returns its exit code. */
export function runNode(path, args, { env = {}, stdout = "inherit" } = {}) {
  const { status, signal, error } = spawnSync(process.execPath, [path, ...args], {
    cwd: ROOT,
    stdio: ["inherit", stdout, "inherit"],
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

/** Compilers take some hundred MB each. */
const MOST_AT_ONCE = Math.min(availableParallelism(), 4);

/** Runs a Node program once for each list of arguments, several at once; what it writes goes to stderr. Gives the exit codes. */
export async function runNodeForEach(path, lists) {
  const codes = new Array(lists.length);
  const waiting = lists.entries();
  const work = async () => {
    for (const [index, args] of waiting) codes[index] = await exitOf(path, args);
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
  return codes;
}

function exitOf(path, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { cwd: ROOT, stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("exit", resolve);
  });
}

export const BUILD = "scripts/build.mjs";
export const VITEST = "node_modules/vitest/vitest.mjs";
export const ASC = "node_modules/assemblyscript/bin/asc.js";
export const TSC = "node_modules/typescript/bin/tsc";
