/** The package as users get it: packed once, unpacked into projects of their own outside the repository. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const isBuilt = existsSync(join(ROOT, "dist/browser/setway.js"));

export interface Packed {
  readonly tarball: string;
  /** Paths of the package's files. */
  readonly files: readonly string[];
  /** A new project with the package installed, and these others linked to the repository's own. */
  project(dependencies?: readonly string[]): Project;
  remove(): void;
}

export interface Project {
  readonly folder: string;
  write(name: string, text: string): string;
  /** Runs a program in the project: Node with these arguments unless another is named. */
  run(args: readonly string[], program?: string): Ran;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Names of the packages that setway depends on. */
export const DEPENDENCIES: readonly string[] = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies: Record<string, string> })
    .dependencies,
);

export function pack(): Packed {
  const root = mkdtempSync(join(tmpdir(), "setway-package-"));
  const output = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", root], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    shell: process.platform === "win32",
  });
  const [{ filename, files }] = JSON.parse(output) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(root, filename);
  let projects = 0;
  return {
    tarball,
    files: files.map(({ path }) => path),
    project: (dependencies = []) => {
      const folder = join(root, `project-${++projects}`);
      mkdirSync(join(folder, "node_modules/setway"), { recursive: true });
      writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
      execFileSync("tar", ["-xzf", tarball, "-C", join(folder, "node_modules/setway"), "--strip-components=1"]);
      for (const name of dependencies) link(name, folder);
      return projectIn(folder);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export function projectIn(folder: string): Project {
  return {
    folder,
    write: (name, text) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    run: (args, program = process.execPath) => {
      const { status, stdout, stderr, error } = spawnSync(program, args, {
        cwd: folder,
        encoding: "utf8",
        timeout: 120_000,
      });
      if (error !== undefined) throw error;
      return { status, stdout, stderr };
    },
  };
}

function link(name: string, folder: string): void {
  const place = join(folder, "node_modules", name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(ROOT, "node_modules", name), place, "junction");
}

/** The README's program. */
export function readmeProgram(): string {
  return /```js\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? "";
}

/** What the README's program prints, whatever runs it. */
export const README_SAYS = ["core 0 read an old value from line 0x1000", "core 0's L1D", "DC CVAC or DC CIVAC 0x1000"];

/** The example programs, by name. */
export const EXAMPLES: readonly string[] = readdirSync(join(ROOT, "examples")).filter((name) => name.endsWith(".mjs"));
