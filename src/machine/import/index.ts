/**
 * Real machines' own descriptions, recognised by their content and read into ours: device trees, ACPI tables, Linux sysfs,
 * lscpu, hwloc and drcachesim. `importMachine` is all that others call; it runs in browsers too.
 */
import { MachineError } from "../../engine/errors.ts";
import { machineOfAcpi } from "./acpi-machine.ts";
import { type AcpiTable, isAcpiTable, splitAcpiTables } from "./acpi-tables.ts";
import { bytesOfAcpidump, isAcpidump } from "./acpidump.ts";
import { type ComposeOptions, compose, type Imported } from "./compose.ts";
import { machineOfDeviceTree } from "./device-tree-machine.ts";
import { isDrcachesim, machineOfDrcachesim } from "./drcachesim.ts";
import { isDeviceTreeBlob, readDeviceTreeBlob } from "./dtb.ts";
import { isDeviceTreeSource, readDeviceTreeSource } from "./dts.ts";
import { type InputFile, MAX_FILE_BYTES, MAX_TEXT_BYTES, MAX_TOTAL_BYTES } from "./file-tree.ts";
import type { Found } from "./found.ts";
import { machineOfHwloc } from "./hwloc.ts";
import { isLscpu, type LscpuFile, machineOfLscpu } from "./lscpu.ts";
import { isSysfsPath, machineOfSysfs } from "./sysfs.ts";
import { isTar, readTar } from "./tar.ts";
import { isXml, readXml } from "./xml.ts";

export type { Imported } from "./compose.ts";
export type { InputFile } from "./file-tree.ts";
export { importedText } from "./text.ts";

const FORMATS =
  "a device tree (blob or source), ACPI tables, a folder or tar of /sys/devices/system, `lscpu -J`, `lscpu -C -J`, hwloc XML, or a drcachesim configuration";

/**
 * The machine that files describe. Several files may describe one machine: tables, folders, both outputs of lscpu, or
 * sysfs with a device tree or tables beside it. Throws `MachineError` with file and place.
 */
export function importMachine(files: readonly InputFile[], options: ComposeOptions = {}): Imported {
  const sorted = new Sorted();
  for (const file of files) sorted.take(file);
  return compose(sorted.found(), options);
}

/** Files by what they are. */
class Sorted {
  readonly #sysfs: InputFile[] = [];
  readonly #sysfsFrom = new Set<string>();
  readonly #tables: AcpiTable[] = [];
  readonly #tableFiles: string[] = [];
  readonly #lscpu: LscpuFile[] = [];
  readonly #trees: { file: string; read: () => Found }[] = [];
  readonly #others: { file: string; read: () => Found }[] = [];
  #bytes = 0;
  #first: string | undefined;

  take(file: InputFile, from = file.from ?? file.path): void {
    const { path, bytes, named } = file;
    this.#first ??= from;
    this.#bytes += bytes.length;
    if (bytes.length > MAX_FILE_BYTES || this.#bytes > MAX_TOTAL_BYTES) {
      throw new MachineError("too much to read", {
        file: path,
        found: `${this.#bytes} bytes`,
        expected: `${MAX_FILE_BYTES} a file, ${MAX_TOTAL_BYTES} together`,
      });
    }
    if (isTar(bytes)) {
      // An archive in an archive is left alone: they could nest without end.
      if (path !== from && file.from === undefined) return;
      // What is inside was counted with the archive.
      this.#bytes -= bytes.length;
      for (const member of readTar(path, bytes)) this.#takeMember({ ...member, named: false }, path);
    } else if (!named && isSysfsPath(path)) this.#takeMember(file, from);
    else if (isDeviceTreeBlob(bytes)) {
      this.#trees.push({
        file: path,
        read: () => machineOfDeviceTree(path, "device tree blob", readDeviceTreeBlob(path, bytes)),
      });
    } else if (isAcpiTable(bytes)) {
      this.#tables.push(...splitAcpiTables(path, bytes));
      if (!this.#tableFiles.includes(from)) this.#tableFiles.push(from);
    } else if (!this.#takeText(path, bytes, named) && named) this.#refuse(path, bytes);
  }

  #takeMember(file: InputFile, from: string): void {
    if (isSysfsPath(file.path)) {
      this.#sysfs.push(file);
      this.#sysfsFrom.add(from);
    } else this.take({ ...file, path: `${from}: ${file.path}` }, from);
  }

  #takeText(path: string, bytes: Uint8Array, named: boolean): boolean {
    if (!named && bytes.length > MAX_TEXT_BYTES) return false;
    if (bytes.length === 0 || bytes.subarray(0, 4096).includes(0)) return false;
    if (bytes.length > MAX_TEXT_BYTES) {
      throw new MachineError("too long a text", {
        file: path,
        found: `${bytes.length} bytes`,
        expected: `${MAX_TEXT_BYTES} at most`,
      });
    }
    const text = new TextDecoder().decode(bytes);
    if (isDeviceTreeSource(text)) {
      this.#trees.push({
        file: path,
        read: () => machineOfDeviceTree(path, "device tree source", readDeviceTreeSource(path, text)),
      });
    } else if (isXml(text)) {
      const root = readXml(path, text);
      if (root.name !== "topology" && !named) return false;
      if (root.name !== "topology") {
        throw new MachineError("not hwloc's XML", {
          file: path,
          line: root.line,
          found: `<${root.name.slice(0, 40)}>`,
          expected: root.name.startsWith("domain")
            ? "<topology>; `setway lint` reads a guest's <domain>"
            : "<topology>",
        });
      }
      this.#others.push({ file: path, read: () => machineOfHwloc(path, root) });
    } else if (/^\uFEFF?\s*\{/.test(text)) {
      const content = jsonOf(path, text);
      if (!isLscpu(content)) return false;
      this.#lscpu.push({ file: path, content });
    } else if (isAcpidump(text)) {
      this.#tables.push(...splitAcpiTables(path, bytesOfAcpidump(path, text)));
      this.#tableFiles.push(path);
    } else if (isDrcachesim(text)) this.#others.push({ file: path, read: () => machineOfDrcachesim(path, text) });
    else return false;
    return true;
  }

  #refuse(path: string, bytes: Uint8Array): never {
    const text = new TextDecoder().decode(bytes.subarray(0, 4096));
    const start = JSON.stringify(text.slice(0, 24).replace(/[^\x20-\x7e]/g, "?"));
    const detail = { file: path, found: bytes.length === 0 ? "an empty file" : `a file that begins with ${start}` };
    if (bytes[0] === 0x1f && bytes[1] === 0x8b)
      throw new MachineError("compressed", { ...detail, expected: "the file decompressed" });
    if (/DefinitionBlock|^\s*\[0+4\]\s+Signature/m.test(text)) {
      throw new MachineError("ACPI source", { ...detail, expected: "the table that `iasl` makes of it" });
    }
    if (/^\s*#\s*(include|define|ifdef|ifndef)\b/m.test(text)) {
      throw new MachineError("source that isn't preprocessed", {
        ...detail,
        expected: "device tree source after `cpp`, or a blob from `dtc -O dtb`",
      });
    }
    if (/^(cores|caches)\s*:/m.test(text)) {
      throw new MachineError("a description of ours already", {
        ...detail,
        expected: "`setway machine show` for it, or what it was made from",
      });
    }
    throw new MachineError("nothing that can be imported", { ...detail, expected: FORMATS });
  }

  /** One machine of all that was given: caches from the kernel's own view where there is one. */
  found(): Found {
    const readers: { file: string; read: () => Found }[] = [];
    if (this.#sysfs.length > 0) {
      const from = [...this.#sysfsFrom];
      readers.push({ file: from[0]!, read: () => machineOfSysfs(this.#sysfs, from) });
    }
    readers.push(...this.#others);
    if (this.#lscpu.length > 0) readers.push({ file: this.#lscpu[0]!.file, read: () => machineOfLscpu(this.#lscpu) });
    const views = readers.length;
    if (this.#tables.length > 0) {
      const wanted = this.#tables.some(({ signature }) => signature === "PPTT" || signature === "APIC");
      if (wanted || views === 0)
        readers.push({ file: this.#tableFiles[0]!, read: () => machineOfAcpi(this.#tableFiles, this.#tables) });
    }
    readers.push(...this.#trees);
    if (readers.length === 0) {
      throw new MachineError("nothing that can be imported", {
        file: this.#first,
        found: "none of the files is known",
        expected: FORMATS,
      });
    }
    const firmware = readers.slice(views);
    if (views > 1 || firmware.length > 1) {
      const two = views > 1 ? readers : firmware;
      throw new MachineError("two descriptions of a machine", {
        file: two[1]!.file,
        found: `also ${two[0]!.file}`,
        expected: "one of them; sysfs, lscpu or hwloc may have a device tree or ACPI tables beside it",
      });
    }
    const [main, beside] = readers.map(({ read }) => read());
    return beside === undefined ? main! : together(main!, beside);
  }
}

/** Processors and caches of the one, memory's addresses and devices of the other. */
function together(main: Found, beside: Found): Found {
  const hasAddresses = beside.memory.length > 0 && beside.memory.every(({ base }) => base !== undefined);
  // Nodes of a device tree and of the kernel are the same numbers; ACPI's proximity domains needn't be.
  return {
    ...main,
    format: `${main.format} and ${beside.format}`,
    files: [...main.files, ...beside.files],
    name: beside.name ?? main.name,
    about: beside.about ?? main.about,
    memory: hasAddresses ? beside.memory : main.memory,
    devices: beside.devices,
    assumed: [
      ...main.assumed,
      `${beside.format} describe the same machine as ${main.format}, and number NUMA nodes alike`,
    ],
    left: [...main.left, ...beside.left],
  };
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new MachineError("not valid JSON", {
      file,
      found: String(cause).slice(0, 120),
      expected: "what `lscpu -J` prints",
      cause,
    });
  }
}
