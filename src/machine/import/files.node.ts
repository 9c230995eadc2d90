/** Files, folders, and standard input as `importMachine` wants them. Folders are walked for what can mean something only. */
import { readdir, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { MachineError } from "../../engine/errors.ts";
import { type InputFile, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES } from "./file-tree.ts";
import { isSysfsPath } from "./sysfs.ts";

const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

/** /sys has folders without end; of those outside these there is nothing to read. */
const FRUITLESS =
  /^(block|bus|class|dev|fs|hypervisor|kernel|module|power|cpufreq|cpuidle|hotplug|microcode|vulnerabilities|smt|crash_hotplug|memory|data|dynamic)$/;
const MAX_DEPTH = 8;

/** Reads what was named on a command line; `standardInput` is what `-` stands for. */
export async function inputFiles(
  paths: readonly string[],
  standardInput: () => Promise<Uint8Array>,
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  const budget = { files: MAX_FILES, bytes: MAX_TOTAL_BYTES };
  for (const path of paths) {
    if (path === "-") {
      files.push({
        path: "standard input",
        bytes: await decompressed("standard input", await standardInput()),
        named: true,
      });
      continue;
    }
    const status = await stat(path).catch((cause: Error) => unreadable(path, cause));
    if (status.isDirectory()) await walkFolder(path, path, 0, files, budget);
    else {
      if (status.size > MAX_FILE_BYTES) throw tooLarge(path, status.size);
      const bytes = await readFile(path).catch((cause: Error) => unreadable(path, cause));
      files.push({ path, bytes: await decompressed(path, bytes), named: true });
    }
  }
  return files;
}

/** Links are not followed: sysfs's lead round in circles. */
async function walkFolder(
  from: string,
  path: string,
  depth: number,
  files: InputFile[],
  budget: { files: number; bytes: number },
): Promise<void> {
  if (depth > MAX_DEPTH) return;
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: Error) => unreadable(path, cause));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = `${path.replace(/\/+$/, "")}/${entry.name}`;
    if (entry.isDirectory() && !FRUITLESS.test(entry.name)) await walkFolder(from, inside, depth + 1, files, budget);
    if (!entry.isFile() || !isOfInterest(inside)) continue;
    const { size } = await stat(inside);
    if (size > MAX_FILE_BYTES) continue;
    const bytes = await readFile(inside).catch((cause: Error) => unreadable(inside, cause));
    budget.bytes -= bytes.length;
    if (--budget.files < 0 || budget.bytes < 0) throw tooLarge(path, MAX_TOTAL_BYTES - budget.bytes);
    files.push({ path: inside, bytes, named: false, from });
  }
}

/** In a folder of the kernel's, most files are settings and events, some of which can't be read. */
function isOfInterest(path: string): boolean {
  if (isSysfsPath(path)) return true;
  const isKernel =
    /(^|\/)(sys|proc)\/|\/(devices\/system|cpu[0-9]+|node[0-9]+|cpu|node)\/[^/]*$|\/(cpu|node)[0-9]+\//.test(path);
  return !isKernel || /firmware\/(acpi\/tables\/[A-Z0-9]{4}|fdt)$/.test(path);
}

async function decompressed(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return inflate(bytes, { maxOutputLength: MAX_FILE_BYTES }).catch((cause: Error) => {
    throw new MachineError("can't decompress", {
      file: path,
      found: cause.message,
      expected: `gzip, ${MAX_FILE_BYTES} bytes at most inside`,
      cause,
    });
  });
}

function unreadable(path: string, cause: Error): never {
  const denied = (cause as NodeJS.ErrnoException).code === "EACCES";
  throw new MachineError("can't read", {
    file: path,
    found: cause.message,
    expected: denied ? "to be run as a user who may (root, for ACPI tables)" : "a file or a folder",
    cause,
  });
}

const tooLarge = (path: string, found: number): MachineError =>
  new MachineError("too much to read", {
    file: path,
    found: `${found} bytes`,
    expected: `${MAX_FILE_BYTES} a file, ${MAX_TOTAL_BYTES} together`,
  });
