/** What `lscpu -J` and `lscpu -C -J` (util-linux) say of a machine, each alone or both together. */
import { MachineError } from "../../engine/errors.ts";
import { parseCpuList } from "./cpu-list.ts";
import type { Found, FoundCache, FoundCpu } from "./found.ts";

const MAX_CPUS = 4096;

export interface LscpuFile {
  readonly file: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Whether JSON is lscpu's. */
export const isLscpu = (content: unknown): content is Readonly<Record<string, unknown>> =>
  typeof content === "object" &&
  content !== null &&
  ("lscpu" in content || ("caches" in content && Array.isArray(content.caches)));

interface Summary {
  readonly file: string;
  readonly cpus: number;
  readonly threadsPerCore: number;
  readonly sockets: number | undefined;
  readonly nodes: readonly { readonly node: number; readonly cpus: readonly number[] }[];
  readonly models: readonly string[];
  readonly architecture: string | undefined;
  readonly caches: ReadonlyMap<string, { readonly sizeBytes: number; readonly instances: number | undefined }>;
}

interface CacheRow {
  readonly oneBytes: number | undefined;
  readonly allBytes: number | undefined;
  readonly ways: number | undefined;
  readonly sets: number | undefined;
  readonly lineBytes: number | undefined;
}

export function machineOfLscpu(files: readonly LscpuFile[]): Found {
  const summaries = files.filter(({ content }) => "lscpu" in content).map(readSummary);
  const tables = files.filter(({ content }) => "caches" in content).map(readCaches);
  for (const [list, name] of [
    [summaries, "lscpu -J"],
    [tables, "lscpu -C -J"],
  ] as const) {
    if (list.length > 1)
      throw new MachineError("two machines", { file: files.at(-1)?.file, found: `two of ${name}`, expected: "one" });
  }
  const [summary, table] = [summaries[0], tables[0]];
  const assumed: string[] = [];
  const left: string[] = [];
  if (summary === undefined)
    assumed.push("`lscpu -J` was not given: as many cores as there are L1 data caches, in one socket");
  if (table === undefined) left.push("associativity and line size: `lscpu -C -J` tells them");
  const names = [...new Set([...(table?.keys() ?? []), ...(summary?.caches.keys() ?? [])])].sort();
  const threads = summary?.threadsPerCore ?? 1;
  const cpuCount = summary?.cpus ?? (table === undefined ? 0 : instancesOf(table.get("L1d"), undefined)) ?? 0;
  if (cpuCount < 1 || cpuCount > MAX_CPUS) {
    throw new MachineError("no number of processors", {
      file: files[0]?.file,
      found: `${cpuCount}`,
      expected: `1 to ${MAX_CPUS}`,
    });
  }
  const coreCount = Math.max(1, Math.round(cpuCount / threads));
  if (threads > 1) assumed.push("threads of one core follow one another");
  if ((summary?.models.length ?? 0) > 1)
    assumed.push("cores of different kinds are described alike: lscpu only gives sums");
  const sockets = Math.min(summary?.sockets ?? 1, coreCount);
  const nodeOfCpu = new Map(
    (summary?.nodes ?? []).flatMap(({ node, cpus }) => cpus.map((cpu) => [cpu, node] as const)),
  );
  const model = summary?.models.length === 1 ? summary.models[0] : undefined;
  const cacheFor = (name: string, core: number): FoundCache | undefined => {
    const row = table?.get(name);
    const sum = summary?.caches.get(name);
    if (row === undefined && sum === undefined) return undefined;
    const instances = Math.min(
      coreCount,
      instancesOf(row, sum) ?? (name.startsWith("L1") || name === "L2" ? coreCount : sockets),
    );
    return {
      id: `${name}/${Math.floor((core * instances) / coreCount)}`,
      label: name,
      sizeBytes: row?.oneBytes ?? (sum === undefined ? undefined : sizeOfOne(sum)),
      sets: row?.sets,
      ways: row?.ways,
      lineBytes: row?.lineBytes,
    };
  };
  const cpus = Array.from({ length: cpuCount }, (_, cpu): FoundCpu => {
    const core = Math.min(coreCount - 1, Math.floor(cpu / threads));
    return {
      name: `cpu${cpu}`,
      model,
      socket: summary?.sockets === undefined ? undefined : Math.floor((core * sockets) / coreCount),
      node: nodeOfCpu.get(cpu),
      core: threads > 1 ? `core ${core}` : undefined,
      l1i: cacheFor("L1i", core),
      l1d: cacheFor("L1d", core) ?? cacheFor("L1", core),
      unified: names.filter((name) => /^L[2-9]$/.test(name)).flatMap((name) => cacheFor(name, core) ?? []),
    };
  });
  if (cpuCount > 1) assumed.push("processors that share a cache follow one another");
  return {
    format: "lscpu",
    files: files.map(({ file }) => file),
    name: model,
    architecture: summary?.architecture,
    cpus,
    memory: [],
    devices: [],
    assumed,
    left,
  };
}

const sizeOfOne = ({ sizeBytes, instances }: { sizeBytes: number; instances: number | undefined }): number =>
  instances === undefined ? sizeBytes : Math.round(sizeBytes / instances);

function instancesOf(
  row: CacheRow | undefined,
  sum: { instances: number | undefined } | undefined,
): number | undefined {
  if (row?.oneBytes !== undefined && row.allBytes !== undefined)
    return Math.max(1, Math.round(row.allBytes / row.oneBytes));
  return sum?.instances;
}

function readSummary({ file, content }: LscpuFile): Summary {
  const fields = new Map<string, string[]>();
  let count = 0;
  const visit = (list: unknown, depth: number): void => {
    if (!Array.isArray(list) || depth > 16) throw bad(file, "lscpu", "a list of {field, data}");
    for (const entry of list) {
      if (++count > 10_000) throw bad(file, "lscpu", "10000 fields at most");
      const { field, data, children } = (entry ?? {}) as Record<string, unknown>;
      if (typeof field === "string" && typeof data === "string") {
        const key = field.replace(/:$/, "").trim();
        fields.set(key, [...(fields.get(key) ?? []), data]);
      }
      if (children !== undefined) visit(children, depth + 1);
    }
  };
  visit(content.lscpu, 0);
  const natural = (key: string): number | undefined => {
    const text = fields.get(key)?.[0];
    return text !== undefined && /^[0-9]{1,6}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
  };
  const online = parseCpuList(fields.get("On-line CPU(s) list")?.[0] ?? "");
  const cpus = online === undefined || online.length === 0 ? natural("CPU(s)") : online.length;
  if (cpus === undefined) throw bad(file, "CPU(s)", "a number of processors");
  const caches = new Map<string, { sizeBytes: number; instances: number | undefined }>();
  const nodes: { node: number; cpus: readonly number[] }[] = [];
  for (const [key, values] of fields) {
    const cache = /^(L[1-9][di]?)(?: cache)?$/.exec(key)?.[1];
    if (cache !== undefined) caches.set(cache, readSum(file, key, values[0]!));
    const node = /^NUMA node([0-9]{1,4}) CPU\(s\)$/.exec(key)?.[1];
    const list = node === undefined ? undefined : parseCpuList(values[0]!);
    if (list !== undefined) nodes.push({ node: Number(node), cpus: list });
  }
  return {
    file,
    cpus,
    threadsPerCore: natural("Thread(s) per core") ?? 1,
    sockets: natural("Socket(s)"),
    nodes,
    models: (fields.get("Model name") ?? []).filter((name) => name !== "-"),
    architecture: fields.get("Architecture")?.[0],
    caches,
  };
}

/** `64 KiB (2 instances)`; older versions give one cache's size, `32K`. */
function readSum(file: string, key: string, text: string): { sizeBytes: number; instances: number | undefined } {
  const [, size, instances] = /^([0-9.]{1,12} ?[KMG]?i?B?)(?: \(([0-9]{1,5}) instances?\))?$/.exec(text.trim()) ?? [];
  const sizeBytes = size === undefined ? undefined : bytesOf(size);
  if (sizeBytes === undefined) throw bad(file, key, "a size such as 64 KiB (2 instances)", text);
  return { sizeBytes, instances: instances === undefined || Number(instances) === 0 ? undefined : Number(instances) };
}

function readCaches({ file, content }: LscpuFile): Map<string, CacheRow> {
  if (!Array.isArray(content.caches) || content.caches.length > 100) throw bad(file, "caches", "a list of caches");
  const rows = new Map<string, CacheRow>();
  for (const entry of content.caches as unknown[]) {
    const row = (entry ?? {}) as Record<string, unknown>;
    if (typeof row.name !== "string" || !/^L[1-9][di]?$/.test(row.name)) {
      throw bad(file, "caches", "names such as L1d and L2", typeof row.name === "string" ? row.name : undefined);
    }
    const number = (key: string) => {
      const value = Number(row[key] ?? Number.NaN);
      return Number.isSafeInteger(value) && value > 0 ? value : undefined;
    };
    const size = (key: string) => (row[key] === undefined || row[key] === null ? undefined : bytesOf(String(row[key])));
    rows.set(row.name, {
      oneBytes: size("one-size"),
      allBytes: size("all-size"),
      ways: number("ways"),
      sets: number("sets"),
      lineBytes: number("coherency-size"),
    });
  }
  return rows;
}

/** `32K`, `1.5M`, `64 KiB`, `1048576`; undefined where it is no positive whole number of bytes. */
function bytesOf(text: string): number | undefined {
  const [, digits, unit = ""] = /^([0-9]{1,12}(?:\.[0-9]{1,3})?) ?([KMG]?)(?:i?B)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Math.round(Number(digits) * ({ "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit] ?? 1));
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

const bad = (file: string, path: string, expected: string, found?: string): MachineError =>
  new MachineError("not what lscpu prints", { file, path, expected, found: found?.slice(0, 60) });
