/**
 * What Linux's sysfs says of a machine: /sys/devices/system/cpu (Documentation/ABI/testing/sysfs-devices-system-cpu) and
 * /sys/devices/system/node, from a folder or an archive of them.
 */
import { MachineError } from "../../engine/errors.ts";
import { latin1 } from "./byte-reader.ts";
import { nameOfMidr } from "./core-models.ts";
import { parseCpuList, parseCpuMask } from "./cpu-list.ts";
import type { InputFile } from "./file-tree.ts";
import type { Found, FoundCache, FoundCpu, FoundMemory } from "./found.ts";

const CPU_FILE =
  /(?:^|\/)cpu([0-9]{1,6})\/(?:cache\/index([0-9]{1,3})\/([a-z_]{1,64})|topology\/([a-z_]{1,64})|regs\/identification\/(midr_el1)|(online))$/;
const NODE_FILE = /(?:^|\/)node([0-9]{1,6})\/(cpulist|cpumap|meminfo)$/;

/** Whether a path is one of those that are read. */
export const isSysfsPath = (path: string): boolean => CPU_FILE.test(path) || NODE_FILE.test(path);

const WRITE_POLICIES: ReadonlyMap<string, FoundCache["write"]> = new Map([
  ["WriteBack", "back"],
  ["WriteThrough", "through"],
]);
const ALLOCATION_POLICIES: ReadonlyMap<string, FoundCache["allocate"]> = new Map([
  ["ReadWriteAllocate", "read-write"],
  ["ReadAllocate", "read"],
  ["WriteAllocate", "write"],
]);

interface CpuFiles {
  readonly topology: Map<string, string>;
  readonly caches: Map<number, Map<string, string>>;
  midr: string | undefined;
  online: string | undefined;
}

export function machineOfSysfs(files: readonly InputFile[], from: readonly string[]): Found {
  const cpuFiles = new Map<number, CpuFiles>();
  const nodes = new Map<number, { cpus?: number[] | undefined; bytes?: number | undefined }>();
  for (const { path, bytes } of files) {
    const text = contentOf(bytes);
    const cpu = CPU_FILE.exec(path);
    if (cpu !== null) {
      const [, number, index, cacheKey, topologyKey, midr] = cpu;
      const id = Number(number);
      const entry = cpuFiles.get(id) ?? { topology: new Map(), caches: new Map(), midr: undefined, online: undefined };
      cpuFiles.set(id, entry);
      if (cacheKey !== undefined) {
        const cache = entry.caches.get(Number(index)) ?? new Map<string, string>();
        cache.set(cacheKey, text);
        entry.caches.set(Number(index), cache);
      } else if (topologyKey !== undefined) entry.topology.set(topologyKey, text);
      else if (midr !== undefined) entry.midr = text;
      else entry.online = text;
      continue;
    }
    const [, number, key] = NODE_FILE.exec(path) ?? [];
    if (number === undefined) continue;
    const node = nodes.get(Number(number)) ?? {};
    if (key === "cpulist") node.cpus = parseCpuList(text) ?? invalid(path, text, "a list such as 0-3,8");
    else if (key === "cpumap") node.cpus ??= parseCpuMask(text);
    else node.bytes = memTotal(text);
    nodes.set(Number(number), node);
  }
  const working = [...cpuFiles]
    .filter(([, { online, topology, caches }]) => online !== "0" && (topology.size > 0 || caches.size > 0))
    .sort(([a], [b]) => a - b);
  if (working.length === 0) {
    throw new MachineError("no processors in what was given", {
      file: from[0],
      found: cpuFiles.size === 0 ? "no folder cpu0" : `${cpuFiles.size} processors without topology and caches`,
      expected: "/sys/devices/system/cpu, or an archive of it",
    });
  }
  const left: string[] = [];
  if (working.length < cpuFiles.size) left.push(`processors that are offline: ${cpuFiles.size - working.length}`);
  const nodeOfCpu = new Map([...nodes].flatMap(([node, { cpus }]) => (cpus ?? []).map((cpu) => [cpu, node] as const)));
  const memory: FoundMemory[] = [...nodes].flatMap(([node, { bytes }]) =>
    bytes === undefined || bytes === 0 ? [] : [{ sizeBytes: bytes, node }],
  );
  return {
    format: "Linux sysfs",
    files: from,
    cpus: working.map(([id, entry]) => cpuOf(id, entry, nodeOfCpu.get(id))),
    memory,
    devices: [],
    assumed: [],
    left,
  };
}

/** The first line; archives of sysfs pad files with NULs, for they turn out shorter than they said. */
function contentOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return latin1(bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, 65_536))).trim();
}

function cpuOf(id: number, { topology, caches, midr }: CpuFiles, node: number | undefined): FoundCpu {
  const natural = (key: string) => {
    const value = Number(topology.get(key) ?? "-1");
    return Number.isInteger(value) && value >= 0 && value < 65_535 ? value : undefined;
  };
  const socket = natural("physical_package_id");
  const cluster = natural("cluster_id");
  const threads = topology.get("core_cpus_list") ?? topology.get("thread_siblings_list");
  const byLevel = [...caches]
    .map(([index, entry]) => ({
      level: number(entry, "level"),
      type: entry.get("type"),
      cache: cacheOf(id, index, entry),
    }))
    .sort((a, b) => (a.level ?? 0) - (b.level ?? 0));
  const unified = byLevel.filter(({ type, level }) => type === "Unified" && (level ?? 0) > 1);
  return {
    name: `cpu${id}`,
    model: midr === undefined ? undefined : nameOfMidr(Number(midr)),
    socket,
    node,
    cluster: cluster === undefined ? undefined : `${socket ?? ""}/${cluster}`,
    core: threads?.includes(",") || threads?.includes("-") ? threads : undefined,
    l1i: byLevel.find(({ type, level }) => type === "Instruction" && level === 1)?.cache,
    l1d: byLevel.find(({ type, level }) => (type === "Data" || type === "Unified") && level === 1)?.cache,
    unified: unified.map(({ cache }) => cache),
  };
}

function cacheOf(cpu: number, index: number, entry: ReadonlyMap<string, string>): FoundCache {
  const level = number(entry, "level");
  const type = entry.get("type") ?? "";
  const list = entry.get("shared_cpu_list");
  const path = `cpu${cpu}/cache/index${index}`;
  const mask = entry.get("shared_cpu_map");
  // The kernel writes one set of processors in one way only, so the text will do as the cache's name.
  if (list !== undefined && parseCpuList(list) === undefined)
    invalid(`${path}/shared_cpu_list`, list, "a list such as 0-3,8");
  const shared =
    list !== undefined && list !== "" ? list : mask !== undefined && mask !== "" ? `mask ${mask}` : `${cpu}`;
  const size = entry.get("size");
  return {
    id: `${level ?? index}${type}:${shared}`,
    label: path,
    sizeBytes:
      size === undefined || size === "" || size === "0"
        ? undefined
        : (bytesOf(size) ?? invalid(`${path}/size`, size, "a size such as 32K")),
    sets: number(entry, "number_of_sets"),
    ways: number(entry, "ways_of_associativity"),
    lineBytes: number(entry, "coherency_line_size"),
    write: WRITE_POLICIES.get(entry.get("write_policy") ?? ""),
    allocate: ALLOCATION_POLICIES.get(entry.get("allocation_policy") ?? ""),
  };
}

/** A positive number; 0 and what the kernel doesn't know are absent. */
function number(entry: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = entry.get(key);
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) invalid(key, text, "a number");
  return value > 0 ? value : undefined;
}

function bytesOf(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,12})([KMG]?)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit as "" | "K" | "M" | "G"];
}

/** `Node 0 MemTotal: 12675276 kB`. */
function memTotal(text: string): number | undefined {
  const kib = /MemTotal:\s*([0-9]{1,12}) kB/.exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function invalid(path: string, found: string, expected: string): never {
  throw new MachineError("not what sysfs has there", {
    file: path,
    found: JSON.stringify(found.slice(0, 40)),
    expected,
  });
}
