/**
 * What a device tree says of a machine: /cpus with its cache nodes and cpu-map, memory, and which devices snoop. Linux's
 * reading is followed: drivers/base/cacheinfo, of_dma_is_coherent, the cpu-map and NUMA bindings.
 */
import { MachineError } from "../../engine/errors.ts";
import { coreModel, nameOfCompatible } from "./core-models.ts";
import {
  baseName,
  cell,
  cells,
  child,
  type DeviceTreeNode,
  isEnabled,
  pathOf,
  phandles,
  regions,
  strings,
  text,
  walk,
} from "./device-tree.ts";
import { dmaCoherence, isDmaMaster } from "./dma-coherence.ts";
import type { Found, FoundCache, FoundCpu, FoundDevice, FoundMemory } from "./found.ts";

/** Controllers that stand before memory and that only their own registers operate (semantics R4). */
const OUTER_CACHES = ["arm,pl310-cache", "arm,l220-cache", "arm,l210-cache", "marvell,aurora-outer-cache"];

const MAX_LEVELS = 16;
const MAX_CPUS = 8192;

interface Placing {
  readonly socket: number | undefined;
  readonly cluster: string;
  readonly core: string;
}

export function machineOfDeviceTree(file: string, format: string, root: DeviceTreeNode): Found {
  const cpusNode = child(root, "cpus");
  if (cpusNode === undefined) {
    throw new MachineError("the device tree has no processors", {
      file,
      found:
        root.children.length === 0
          ? "an empty tree"
          : root.children
              .slice(0, 5)
              .map(({ name }) => name)
              .join(", "),
      expected: "a node /cpus",
    });
  }
  const byPhandle = phandles(root);
  const assumed: string[] = [];
  const left: string[] = [];
  const cpuNodes = cpusNode.children.filter(
    (node) => text(node, "device_type") === "cpu" || (baseName(node) === "cpu" && node.properties.has("reg")),
  );
  if (cpuNodes.length > MAX_CPUS) {
    throw new MachineError("too many processors", {
      file,
      found: `${cpuNodes.length}`,
      expected: `${MAX_CPUS} at most`,
    });
  }
  const working = cpuNodes.filter((node) => !(text(node, "status") ?? "").startsWith("fail"));
  if (working.length < cpuNodes.length) left.push(`processors that failed: ${cpuNodes.length - working.length}`);
  const placing = readCpuMap(cpusNode, byPhandle);
  const caches = new CacheNodes(byPhandle, assumed);
  const outer = [...walk(root)].find((node) => isEnabled(node) && isOuterCache(node));
  const cpus: FoundCpu[] = working.map((node) => {
    const place = placing.get(node);
    const compatible = strings(node, "compatible");
    const model = nameOfCompatible(compatible.find((word) => word !== "arm,armv8"));
    return {
      name: node.name,
      model,
      socket: place?.socket,
      node: cell(node, "numa-node-id"),
      cluster: place?.cluster ?? clusterByAffinity(node, model),
      core: place?.core,
      ...caches.of(node, outer),
    };
  });
  const unreached = [...walk(root)].filter(
    (node) =>
      strings(node, "compatible").some((word) => isCacheName(word)) &&
      node.parent !== undefined &&
      !caches.reached.has(node),
  );
  for (const node of unreached.slice(0, 8)) {
    left.push(
      `${pathOf(node)} (${strings(node, "compatible")[0]}): a cache that no processor's next-level-cache reaches`,
    );
  }
  const compatible = strings(root, "compatible")[0];
  const title = text(root, "model");
  return {
    format,
    files: [file],
    name: compatible ?? title,
    about: title,
    cpus,
    memory: readMemory(root),
    devices: readDevices(root, byPhandle),
    assumed,
    left,
  };
}

/** /cpus/cpu-map: sockets, clusters in clusters, cores, threads. */
function readCpuMap(
  cpusNode: DeviceTreeNode,
  byPhandle: ReadonlyMap<number, DeviceTreeNode>,
): Map<DeviceTreeNode, Placing> {
  const placing = new Map<DeviceTreeNode, Placing>();
  const visit = (node: DeviceTreeNode, socket: number | undefined, cluster: string, core: string | undefined): void => {
    const cpu = byPhandle.get(cell(node, "cpu") ?? -1);
    if (cpu !== undefined) placing.set(cpu, { socket, cluster, core: core ?? pathOf(node) });
    for (const next of node.children) {
      const [, kind, number] = /^(socket|cluster|core|thread)([0-9]{1,4})$/.exec(next.name) ?? [];
      if (kind === "socket") visit(next, Number(number), pathOf(next), undefined);
      else if (kind === "cluster") visit(next, socket, pathOf(next), undefined);
      else if (kind === "core") visit(next, socket, cluster, pathOf(next));
      else if (kind === "thread") visit(next, socket, cluster, core);
    }
  };
  const map = child(cpusNode, "cpu-map");
  if (map !== undefined) visit(map, undefined, "", undefined);
  return placing;
}

const isOuterCache = (node: DeviceTreeNode): boolean =>
  strings(node, "compatible").some((word) => OUTER_CACHES.includes(word));

/** `cache`, `arm,pl310-cache`, `qcom,sdm845-llcc`: not `qcom,sdm845-llcc-bwmon`, which counts what goes through it. */
const isCacheName = (word: string): boolean =>
  /(^|,|-)(cache|llcc)(-|$)/.test(word) && !/-(bwmon|pmu|edac)$/.test(word);

/** MPIDR_EL1.Aff1 and beyond: clusters, for cores that share an L2; later cores count themselves there. */
function clusterByAffinity(cpu: DeviceTreeNode, model: string | undefined): string | undefined {
  const affinity = cells(cpu, "reg")?.at(-1);
  if (affinity === undefined || coreModel(model)?.l2Per !== "cluster") return undefined;
  return `affinity ${Math.floor(affinity / 256)}`;
}

/** Caches as their nodes describe them; a node is one cache however many processors reach it. */
class CacheNodes {
  readonly #byPhandle: ReadonlyMap<number, DeviceTreeNode>;
  readonly #assumed: string[];
  readonly #known = new Map<DeviceTreeNode, FoundCache>();
  readonly reached = new Set<DeviceTreeNode>();

  constructor(byPhandle: ReadonlyMap<number, DeviceTreeNode>, assumed: string[]) {
    this.#byPhandle = byPhandle;
    this.#assumed = assumed;
  }

  /** `outer` stands before memory whether or not the processors' nodes lead to it: it is found by its name. */
  of(cpu: DeviceTreeNode, outer: DeviceTreeNode | undefined): Pick<FoundCpu, "l1i" | "l1d" | "unified"> {
    const name = pathOf(cpu);
    const unified: FoundCache[] = [];
    const seen = new Set<DeviceTreeNode>([cpu]);
    let node = this.#next(cpu);
    while (node !== undefined) {
      if (seen.has(node)) {
        throw new MachineError("caches go round in a circle", {
          path: pathOf(node),
          expected: "next-level-cache leads outwards",
        });
      }
      if (unified.length >= MAX_LEVELS) {
        throw new MachineError("too many levels of cache", { path: pathOf(node), expected: "L7 at most" });
      }
      seen.add(node);
      this.reached.add(node);
      unified.push(this.#cache(node));
      node = this.#next(node);
    }
    if (outer !== undefined && !seen.has(outer)) {
      this.reached.add(outer);
      unified.push(this.#cache(outer));
      this.#assume(
        `${pathOf(outer)} stands between all processors and memory, though next-level-cache doesn't lead there`,
      );
    }
    // A single L1 for both is described as two of half the size by no one; Linux gives it no name either.
    const single = cell(cpu, "cache-size") !== undefined && cell(cpu, "d-cache-size") === undefined;
    if (single) this.#assume("an L1 for instructions and data together is described as one of each");
    return {
      l1i: geometry(cpu, single ? "cache" : "i-cache", `${name}/i`, `${cpu.name} i-cache`),
      l1d: geometry(cpu, single ? "cache" : "d-cache", `${name}/d`, `${cpu.name} d-cache`),
      unified,
    };
  }

  #next(node: DeviceTreeNode): DeviceTreeNode | undefined {
    const phandle = cells(node, "next-level-cache")?.[0] ?? cells(node, "l2-cache")?.[0];
    return phandle === undefined ? undefined : this.#byPhandle.get(phandle);
  }

  #cache(node: DeviceTreeNode): FoundCache {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const hasUnified = ["cache-size", "cache-sets", "cache-line-size"].some((name) => node.properties.has(name));
    const prefix = hasUnified || !node.properties.has("d-cache-size") ? "cache" : "d-cache";
    if (prefix === "d-cache") this.#assume(`${pathOf(node)}: the data half of a split cache stands for the whole`);
    const found: FoundCache = {
      ...geometry(node, prefix, pathOf(node), node.name),
      outer: isOuterCache(node),
    };
    this.#known.set(node, found);
    return found;
  }

  #assume(sentence: string): void {
    if (!this.#assumed.includes(sentence)) this.#assumed.push(sentence);
  }
}

function geometry(node: DeviceTreeNode, prefix: string, id: string, label: string): FoundCache {
  const number = (key: string) => {
    const value = cell(node, `${prefix}-${key}`);
    return value === undefined || value === 0 ? undefined : value;
  };
  return {
    id,
    label,
    sizeBytes: number("size"),
    sets: number("sets"),
    lineBytes: number("line-size") ?? number("block-size"),
  };
}

function readMemory(root: DeviceTreeNode): FoundMemory[] {
  return root.children
    .filter((node) => (text(node, "device_type") === "memory" || baseName(node) === "memory") && isEnabled(node))
    .flatMap((node) =>
      regions(node).map(({ base, size }) => ({ base, sizeBytes: size, node: cell(node, "numa-node-id") })),
    )
    .filter(({ sizeBytes }) => sizeBytes > 0);
}

function readDevices(root: DeviceTreeNode, byPhandle: ReadonlyMap<number, DeviceTreeNode>): FoundDevice[] {
  const devices: (FoundDevice & { readonly path: string })[] = [];
  const visit = (node: DeviceTreeNode): void => {
    for (const next of node.children) {
      if (!isEnabled(next)) continue;
      if (isDmaMaster(next)) {
        const { coherent, because } = dmaCoherence(next, byPhandle);
        devices.push({ name: next.name, path: pathOf(next), coherent, node: nodeOf(next), because });
      }
      visit(next);
    }
  };
  visit(root);
  // Names are unique among siblings only.
  const count = new Map<string, number>();
  for (const { name } of devices) count.set(name, (count.get(name) ?? 0) + 1);
  return devices.map(({ path, ...device }) => (count.get(device.name)! > 1 ? { ...device, name: path } : device));
}

function nodeOf(node: DeviceTreeNode): number | undefined {
  for (let at: DeviceTreeNode | undefined = node; at !== undefined; at = at.parent) {
    const id = cell(at, "numa-node-id");
    if (id !== undefined) return id;
  }
  return undefined;
}
