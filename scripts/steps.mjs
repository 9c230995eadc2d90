// How the npm scripts run other programs: one after another, from the repository root, with their output passed through.
import { spawnSync } from "node:child_process";
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

export const BUILD = "scripts/build.mjs";
export const VITEST = "node_modules/vitest/vitest.mjs";
export const TSC = "node_modules/typescript/bin/tsc";
