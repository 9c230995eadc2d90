// Makes node_modules what package-lock.json says, so that every npm script works in a bare clone. It uses nothing but
// Node itself, and does nothing when the installed packages are already the locked ones.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Installs with `npm ci` if node_modules is missing or differs from the lock file. */
export function ensureInstalled() {
  const reason = whyStale();
  if (reason === undefined) return;
  console.error(`setway: npm ci (${reason})`);
  const { status, error } = spawnSync("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], {
    cwd: ROOT,
    // stdout belongs to the script that runs afterwards.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** npm leaves a copy of the lock file in node_modules: what is really installed. */
function whyStale() {
  const locked = readPackages("package-lock.json");
  const installed = readPackages("node_modules/.package-lock.json");
  if (locked === undefined) throw new Error("package-lock.json is missing");
  if (installed === undefined) return "node_modules is missing";
  for (const [path, entry] of Object.entries(locked)) {
    if (path === "") continue;
    const found = installed[path];
    // Optional packages are those of other platforms.
    if (found === undefined && entry.optional !== true) return `${path} is not installed`;
    if (found !== undefined && found.version !== entry.version)
      return `${path} is ${found.version}, not ${entry.version}`;
  }
  return undefined;
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(`${ROOT}/${path}`, "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
