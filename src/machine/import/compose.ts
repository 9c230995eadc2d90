/**
 * From what was found in a file to a machine description that `loadMachine` takes, with every step from one to the other
 * said: what was read, what was assumed, what is left out.
 */
import { MachineError, SetwayError } from "../../engine/errors.ts";
import { loadDescription } from "../index.ts";
import { formatBytes } from "../quantity.ts";
import { LEVEL_NAMES, type LevelName, type MachineDescription } from "../schema.ts";
import { type CoreModel, coreModel } from "./core-models.ts";
import type { Found, FoundCache, FoundCpu, FoundDevice, FoundMemory } from "./found.ts";
import { completeGeometry, type Geometry, sizeOf, withLine } from "./geometry.ts";
import { groupCores } from "./grouping.ts";

const MAX_CORES = 512;
const MAX_DEVICES = 64;
const MAX_REGIONS = 64;
const MAX_MEMORY_BYTES = 2 ** 38;
const MAX_LINES = 2 ** 32;
const ADDRESS_BYTES = 2 ** 48;
const PAGE_BYTES = 4096;
/** semantics R5: what a CCSIDR_EL1 of 32 bits can tell. */
const CCSIDR_MAX_SETS = 2 ** 15;

type Sharing = "core" | "cluster" | "socket" | "machine";

/** A machine description and where each part of it comes from. */
export interface Imported {
  readonly description: MachineDescription;
  readonly format: string;
  readonly files: readonly string[];
  /** In sentences, for people. */
  readonly read: readonly string[];
  readonly assumed: readonly string[];
  /** What the files say and a description can't. */
  readonly left: readonly string[];
  /** A remark for single keys, by dotted path. */
  readonly remarks: ReadonlyMap<string, string>;
}

interface Core {
  readonly cpus: readonly FoundCpu[];
  readonly model: string | undefined;
  readonly known: CoreModel | undefined;
  readonly levels: ReadonlyMap<LevelName, Level>;
}

interface Level {
  readonly id: string;
  readonly found: FoundCache | undefined;
  readonly geometry: Geometry;
}

/** One cache as the description writes it. */
interface Entry {
  readonly size: string | number;
  readonly ways: number;
  readonly line: number;
  readonly per: Sharing;
  readonly kind?: "architected" | "system" | "outer";
  readonly inclusion?: "inclusive" | "exclusive" | "nine" | { L1D: "inclusive"; L1I: "nine" };
  readonly replacement?: NonNullable<FoundCache["replacement"]>;
  readonly write?: "through";
  readonly allocate?: "read" | "write";
}

export interface ComposeOptions {
  /** What to call the machine, instead of what the file calls it. */
  readonly name?: string | undefined;
}

/** Throws `MachineError` where what was found makes no machine. */
export function compose(found: Found, options: ComposeOptions = {}): Imported {
  if (found.cpus.length === 0) {
    throw new MachineError("no processors in what was given", { file: found.files[0], expected: "at least one" });
  }
  return new Composer(found, options).imported();
}

class Composer {
  readonly #found: Found;
  readonly #options: ComposeOptions;
  readonly #read: string[] = [];
  readonly #assumed: string[];
  readonly #left: string[];
  readonly #remarks = new Map<string, string>();
  readonly #sources: Record<string, string> = {};

  constructor(found: Found, options: ComposeOptions) {
    this.#found = found;
    this.#options = options;
    this.#assumed = [...found.assumed];
    this.#left = [...found.left];
  }

  imported(): Imported {
    const { format, files, about, architecture } = this.#found;
    if (architecture !== undefined && !/^(aarch64|arm)/.test(architecture)) {
      this.#note(
        undefined,
        undefined,
        `an Arm machine of this shape: what was read is of ${printable(architecture).slice(0, 40)}`,
      );
    }
    this.#sources.caches = `read from ${format}`;
    const cores = this.#listCores();
    const { clusters, socketOf, entries, order } = this.#arrange(cores);
    const sockets = Math.max(...socketOf) + 1;
    const caches = this.#baseCaches(entries);
    this.#lookBeyond(caches, clusters.length > sockets);
    const described = clusters.map((members, index) =>
      this.#cluster(members, cores, socketOf, caches, entries[index]!),
    );
    const memory = this.#memory(cores, socketOf, sockets, caches);
    const devices = this.#devices(cores, socketOf, sockets, caches);
    const features = this.#features(cores, caches);
    this.#note("latencies", undefined, "latencies are the schema's defaults, not measured on this machine");
    this.#note("protocol", undefined, "the coherence protocol is MOESI; replacement is lru where not given");
    const description: MachineDescription = {
      name: nameOf(
        this.#options.name ?? this.#found.name ?? (format === "Linux sysfs" ? "imported" : fileName(files[0])),
      ),
      ...(about === undefined ? {} : { about: printable(about).slice(0, 120) }),
      ...(sockets > 1 ? { sockets } : {}),
      cores: this.#merged(described),
      caches: caches as MachineDescription["caches"],
      ...(memory === undefined ? {} : { memory }),
      ...(devices.length === 0 ? {} : { devices }),
      ...features,
      sources: this.#sources,
    };
    this.#checkOrder(order, cores);
    try {
      loadDescription(description);
    } catch (cause) {
      if (!(cause instanceof SetwayError)) throw cause;
      throw new MachineError("what was read makes no machine that can be described", {
        file: files[0],
        found: cause.message.slice(0, 300),
        cause,
      });
    }
    return {
      description,
      format,
      files,
      read: this.#read,
      assumed: [...new Set(this.#assumed)],
      left: [...new Set(this.#left)],
      remarks: this.#remarks,
    };
  }

  #note(source: string | undefined, path: string | undefined, sentence: string): void {
    if (!this.#assumed.includes(sentence)) this.#assumed.push(sentence);
    if (source !== undefined) this.#sources[source] = `assumption: ${sentence}`;
    if (path !== undefined) this.#remarks.set(path, `assumed: ${sentence}`);
  }

  // Cores

  /** Threads of one core become one; its caches get whole geometries. */
  #listCores(): Core[] {
    const byCore = new Map<string, FoundCpu[]>();
    for (const [index, cpu] of this.#found.cpus.entries()) {
      const key = cpu.core ?? (cpu.l1d === undefined ? `cpu ${index}` : `l1d ${cpu.l1d.id}`);
      const threads = byCore.get(key) ?? [];
      threads.push(cpu);
      byCore.set(key, threads);
    }
    const count = this.#found.cpus.length;
    if (byCore.size > MAX_CORES) {
      throw new MachineError("too many cores", {
        file: this.#found.files[0],
        found: `${byCore.size}`,
        expected: `${MAX_CORES} at most`,
      });
    }
    if (byCore.size < count)
      this.#note(
        "cores",
        undefined,
        `${count} threads are described as ${byCore.size} cores: a thread has no cache of its own`,
      );
    const isKnown = (cache: FoundCache | undefined) => (cache?.sizeBytes ?? cache?.sets ?? cache?.ways) !== undefined;
    const said = this.#found.cpus.some(({ l1i, l1d, unified }) => isKnown(l1i) || isKnown(l1d) || unified.length > 0);
    const clusterIds = new Map<string, string>();
    // A cache is one thing, whatever kinds of core reach it: what fills its gaps is said once.
    const shared = new Map<string, Geometry>();
    const cores = [...byCore.values()].map((cpus, index): Core => {
      const [first] = cpus as [FoundCpu, ...FoundCpu[]];
      const model = first.model;
      const known = coreModel(model);
      const levels = new Map<LevelName, Level>();
      const add = (name: LevelName, cache: FoundCache | undefined, own: string) => {
        const id = cache?.id ?? own;
        const geometry = shared.get(`${name} ${id}`) ?? completeGeometry(name, cache, known);
        shared.set(`${name} ${id}`, geometry);
        levels.set(name, { id, found: cache, geometry });
      };
      add("L1I", first.l1i, `core ${index}/i`);
      add("L1D", first.l1d, `core ${index}/d`);
      for (const [depth, cache] of first.unified.entries()) {
        const name = LEVEL_NAMES[depth + 2];
        if (name === undefined) {
          throw new MachineError("too many levels of cache", {
            file: this.#found.files[0],
            found: `${depth + 2}`,
            expected: "L7 at most",
          });
        }
        add(name, cache, cache.id);
      }
      // Nothing at all is known of caches, but the core is: it has the L2 that its manual describes.
      if (!said && known?.l2 !== undefined) {
        const group = `${first.socket ?? first.node ?? 0}/${first.cluster ?? ""}/${model}`;
        if (!clusterIds.has(group)) clusterIds.set(group, `L2 ${clusterIds.size}`);
        const own = known.l2Per === "core";
        add("L2", undefined, own ? `core ${index}/L2` : clusterIds.get(group)!);
        this.#note(
          undefined,
          undefined,
          `each ${own ? "core" : "cluster"} of ${known.name} has an L2, as its manual describes`,
        );
      }
      return { cpus, model, known, levels };
    });
    evenLines(cores);
    const models = [...new Set(cores.map(({ model }) => model ?? "unknown"))];
    this.#read.push(
      `${byCore.size} cores${models.every((model) => model === "unknown") ? "" : ` (${models.join(", ")})`} from ${this.#found.format}`,
    );
    this.#sources.cores ??= `read from ${this.#found.format}`;
    return cores;
  }

  /** Clusters and sockets, and what each level is for each cluster. */
  #arrange(cores: readonly Core[]): {
    clusters: readonly (readonly number[])[];
    socketOf: readonly number[];
    entries: readonly Map<LevelName, Entry>[];
    order: readonly number[];
  } {
    const sharers = new Map<string, number[]>();
    for (const [index, { levels }] of cores.entries()) {
      for (const [name, { id, found }] of levels) {
        if (name === "L1I" || name === "L1D" || found?.outer) continue;
        const list = sharers.get(`${name} ${id}`) ?? [];
        list.push(index);
        sharers.set(`${name} ${id}`, list);
      }
    }
    const firsts = cores.map(({ cpus }) => cpus[0]!);
    const packages = firsts.map(({ socket }) => socket);
    const nodes = firsts.map(({ node }) => node);
    const severalPackages = new Set(packages.filter((socket) => socket !== undefined)).size > 1;
    const severalNodes = new Set(nodes.filter((node) => node !== undefined)).size > 1;
    const byNode = !severalPackages && severalNodes && packages.every((socket) => socket === undefined);
    const groups = groupCores({
      cores: cores.length,
      socketOf: byNode ? nodes : packages,
      socketsAreNodes: byNode,
      shared: [...sharers.values()],
      kindOf: cores.map(kindOf),
      clusterOf: firsts.map(({ cluster }) => cluster),
    });
    const sockets = Math.max(...groups.socketOf) + 1;
    if (byNode && sockets > 1) this.#note("sockets", "sockets", "each NUMA node is a socket");
    else if (sockets > 1) this.#sources.sockets = `read from ${this.#found.format}`;
    for (const sentence of groups.assumed) this.#note("sockets", undefined, sentence);
    if (sockets > 64)
      throw new MachineError("too many sockets", {
        file: this.#found.files[0],
        found: `${sockets}`,
        expected: "64 at most",
      });
    const socketSize = (socket: number) => groups.socketOf.filter((each) => each === socket).length;
    const entries = groups.clusters.map((members) => {
      const map = new Map<LevelName, Entry>();
      const { levels, known } = cores[members[0]!]!;
      let inside: Sharing = "core";
      for (const [name, level] of levels) {
        const isFirst = name === "L1I" || name === "L1D";
        const shared = isFirst
          ? [members[0]!]
          : level.found?.outer
            ? cores.map((_, index) => index)
            : sharers.get(`${name} ${level.id}`)!;
        let per: Sharing = isFirst
          ? "core"
          : sharingOf(shared, members, cores.length, socketSize(groups.socketOf[members[0]!]!), name, inside);
        if (level.found?.outer) per = "machine";
        if (per === "core" && shared.length > 1) {
          this.#note(
            undefined,
            `caches.${name}.per`,
            `${name} is described as each core's own, though ${shared.length} cores share one: sharing nests too deep here`,
          );
        }
        if (SHARING.indexOf(per) < SHARING.indexOf(inside)) per = inside;
        if (!isFirst) inside = per;
        map.set(name, this.#entry(name, level, per, known));
      }
      return map;
    });
    return { clusters: groups.clusters, socketOf: groups.socketOf, entries, order: groups.clusters.flat() };
  }

  #entry(name: LevelName, { geometry, found }: Level, per: Sharing, known: CoreModel | undefined): Entry {
    const isFirst = name === "L1I" || name === "L1D";
    const bytes = sizeOf(geometry);
    const kind = found?.outer ? "outer" : isFirst || name === "L2" ? undefined : known?.dsu ? "architected" : "system";
    if (kind === "architected") {
      this.#note(
        `caches.${name}.kind`,
        undefined,
        `${name} is the one of a DynamIQ Shared Unit, which set/way reaches`,
      );
    } else if (kind === "system") {
      this.#note(
        `caches.${name}.kind`,
        undefined,
        `${name} is a system cache: not in CLIDR_EL1, set/way doesn't reach it`,
      );
    }
    let inclusion: Entry["inclusion"];
    if (!isFirst && kind !== "outer") {
      if (found?.inclusion !== undefined) inclusion = found.inclusion;
      else if (name === "L2" && known?.l2InclusiveOfData) {
        inclusion = { L1D: "inclusive", L1I: "nine" };
        this.#note(undefined, undefined, `the L2 of ${known.name} is inclusive of the L1Ds, as its manual says`);
      } else {
        inclusion = "nine";
        this.#note(undefined, undefined, "levels beyond L1 are neither inclusive nor exclusive (nine)");
      }
    }
    const isInclusive = inclusion === "inclusive" || typeof inclusion === "object";
    const data = name !== "L1I" && kind !== "outer";
    return {
      size: sizeText(bytes),
      ways: geometry.ways,
      line: geometry.lineBytes,
      per,
      ...(kind === undefined ? {} : { kind }),
      ...(inclusion === undefined ? {} : { inclusion }),
      ...(found?.replacement === undefined || (found.replacement === "tree-plru" && geometry.ways > 64)
        ? {}
        : { replacement: found.replacement }),
      ...(found?.write === "through" && data ? { write: "through" as const } : {}),
      ...((found?.allocate === "read" || found?.allocate === "write") && data && !isInclusive
        ? { allocate: found.allocate }
        : {}),
    };
  }

  // Caches

  /** `caches` of the description: each level as the first cluster that has it. */
  #baseCaches(entries: readonly Map<LevelName, Entry>[]): Partial<Record<LevelName, Entry>> {
    const base: Partial<Record<LevelName, Entry>> = {};
    for (const name of LEVEL_NAMES) {
      const having = entries.filter((map) => map.has(name));
      const first = having[0]?.get(name);
      if (first !== undefined) base[name] = first;
    }
    return base;
  }

  /**
   * Clusters without a common cache: real machines of that shape often have a system cache, of which neither CLIDR_EL1 nor a
   * device tree need say a word. Whoever reads the description should know that it was looked for.
   */
  #lookBeyond(caches: Partial<Record<LevelName, Entry>>, hasSeveralClusters: boolean): void {
    const outermost = LEVEL_NAMES.findLast((name) => caches[name] !== undefined);
    const per = outermost === undefined ? undefined : caches[outermost]?.per;
    if (!hasSeveralClusters || (per !== "core" && per !== "cluster")) return;
    this.#note(
      undefined,
      undefined,
      `nothing beyond ${outermost?.slice(0, 2)}, because none is described: a system cache, which set/way doesn't reach, would be missing`,
    );
  }

  /** One cluster with what differs from `caches`. */
  #cluster(
    members: readonly number[],
    cores: readonly Core[],
    socketOf: readonly number[],
    base: Partial<Record<LevelName, Entry>>,
    entries: ReadonlyMap<LevelName, Entry>,
  ): Cluster {
    const core = cores[members[0]!]!;
    const changes: Partial<Record<LevelName, "none" | Partial<Entry>>> = {};
    for (const name of LEVEL_NAMES) {
      const common = base[name];
      let own = entries.get(name);
      if (common === undefined) continue;
      // What a cluster of one core has is the cluster's, where others say so.
      if (own?.per === "core" && common.per === "cluster" && members.length === 1) own = { ...own, per: "cluster" };
      if (own === undefined) changes[name] = "none";
      else if (common.per === "socket" || common.per === "machine") {
        if (JSON.stringify(common) !== JSON.stringify(own)) {
          this.#note(undefined, `caches.${name}`, `every ${name} is like the first one, though they differ`);
        }
      } else if (own.per === "socket" || own.per === "machine") {
        this.#note(undefined, `caches.${name}`, `every ${name} is shared like the first one, though they differ`);
      } else {
        const change = Object.fromEntries(
          Object.entries(own).filter(
            ([key, value]) => JSON.stringify(common[key as keyof Entry]) !== JSON.stringify(value),
          ),
        );
        // A policy that the base has and this cluster lacks goes back to the default.
        if (common.write !== undefined && own.write === undefined) change.write = "back";
        if (common.allocate !== undefined && own.allocate === undefined) change.allocate = "read-write";
        if (common.replacement !== undefined && own.replacement === undefined) change.replacement = "lru";
        if (Object.keys(change).length > 0) changes[name] = change as Partial<Entry>;
      }
    }
    const remark = [...core.levels].flatMap(([name, level]) => this.#remark(name, level)).join("; ");
    return {
      remark,
      ...(core.model === undefined ? {} : { name: printable(core.model) }),
      count: members.length,
      socket: socketOf[members[0]!]!,
      ...(Object.keys(changes).length === 0 ? {} : { caches: changes }),
    };
  }

  /** Beside `caches.<level>`: what the file gave and what was assumed, of the first cluster; others add sentences. */
  #remark(name: LevelName, { geometry, found }: Level): string[] {
    const path = `caches.${name}`;
    const own = geometry.assumed.map((sentence) => `${name}: ${sentence}`);
    for (const sentence of own) if (!this.#assumed.includes(sentence)) this.#assumed.push(sentence);
    const policies = [
      ...(found?.write === undefined ? [] : ["write"]),
      ...(found?.allocate === undefined ? [] : ["allocate"]),
      ...(found?.replacement === undefined ? [] : ["replacement"]),
      ...(found?.inclusion === undefined || name.startsWith("L1") ? [] : ["inclusion"]),
    ];
    const read = [...geometry.read, ...policies];
    const parts = [
      ...(read.length === 0 ? [] : [`read: ${read.join(", ")}`]),
      ...(geometry.assumed.length === 0 ? [] : [`assumed: ${geometry.assumed.join("; ")}`]),
    ];
    const remark = parts.join("; ");
    const base = this.#remarks.get(path);
    if (base !== undefined) return remark === base ? [] : [`${name} ${remark}`];
    this.#remarks.set(path, remark);
    if (read.length > 0) this.#read.push(`${name}: ${read.join(", ")}`);
    if (geometry.assumed.length > 0)
      this.#sources[path] =
        `assumption: ${geometry.assumed.join("; ")}${geometry.read.length === 0 ? "" : `; ${geometry.read.join(", ")} read from ${this.#found.format}`}`;
    return [];
  }

  /** Clusters that follow one another and are alike are one with `repeat`. */
  #merged(clusters: readonly Cluster[]): ClusterText[] {
    const merged: (ClusterText & { repeat: number })[] = [];
    for (const cluster of clusters) {
      const last = merged.at(-1);
      const { repeat: _, ...same } = last ?? { repeat: 0 };
      const text = clusterText(cluster);
      if (last !== undefined && JSON.stringify(same) === JSON.stringify(text)) last.repeat++;
      else {
        if (cluster.remark !== "") this.#remarks.set(`cores.${merged.length}`, cluster.remark);
        merged.push({ ...text, repeat: 1 });
      }
    }
    return merged.map(({ repeat, ...cluster }) => (repeat === 1 ? cluster : { ...cluster, repeat }));
  }

  /** Cores are numbered cluster by cluster; that may be another order than the file's. */
  #checkOrder(order: readonly number[], cores: readonly Core[]): void {
    if (order.every((core, index) => core === index)) return;
    const names = order.map((core) => cores[core]!.cpus[0]!.name);
    const text = names.length > 64 ? `${names.slice(0, 64).join(", ")}...` : names.join(", ");
    this.#left.push(`the order of processors: cores 0, 1... of this description are ${printable(text)}`);
  }

  // Memory, devices, features

  #memory(
    cores: readonly Core[],
    socketOf: readonly number[],
    sockets: number,
    caches: Partial<Record<LevelName, Entry>>,
  ): MemoryRegion[] | undefined {
    const { format } = this.#found;
    if (this.#found.memory.length === 0) {
      this.#note("memory", undefined, "16 GiB of memory from 0: nothing was read about memory");
      return undefined;
    }
    const socketOfNode = this.#socketOfNode(cores, socketOf);
    const smallestLine = Math.min(...Object.values(caches).map(({ line }) => line), 2048);
    const budget = Math.floor(Math.min(MAX_MEMORY_BYTES, MAX_LINES * smallestLine) / PAGE_BYTES) * PAGE_BYTES;
    const total = this.#found.memory.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const places = new Set(this.#found.memory.map(({ node }) => socketOfNode(node))).size;
    const share = total > budget ? Math.floor(budget / places / PAGE_BYTES) * PAGE_BYTES : budget;
    if (total > budget) {
      this.#note(
        "memory",
        "memory",
        `${formatBytes(budget)} of the machine's ${formatBytes(total)}: no description has more`,
      );
    }
    const used = new Map<number, number>();
    const regions: MemoryRegion[] = [];
    let end = 0;
    let overlapping = 0;
    for (const { base, sizeBytes, node } of placed(this.#found.memory)) {
      const socket = Math.min(socketOfNode(node), sockets - 1);
      const from = Math.ceil(Math.max(base, end) / PAGE_BYTES) * PAGE_BYTES;
      if (base < end) overlapping++;
      const upTo = Math.floor(Math.min(base + sizeBytes, ADDRESS_BYTES) / PAGE_BYTES) * PAGE_BYTES;
      const left = share - (used.get(socket) ?? 0);
      const size = Math.min(upTo - from, left);
      if (size <= 0) continue;
      const last = regions.at(-1);
      if (last !== undefined && last.socket === socket && last.base + Number(last.size) === from)
        last.size = Number(last.size) + size;
      else regions.push({ base: from, size, socket });
      used.set(socket, (used.get(socket) ?? 0) + size);
      end = from + size;
    }
    if (overlapping > 0) this.#left.push(`${overlapping} regions of memory that lie in others`);
    if (this.#found.memory.some(({ base }) => base === undefined)) {
      this.#note(
        "memory",
        "memory",
        "how much memory each node has was read, but not where it is: one after another from 0",
      );
    } else this.#sources.memory ??= `read from ${format}`;
    if (regions.length > MAX_REGIONS)
      this.#left.push(`${regions.length - MAX_REGIONS} regions of memory beyond the first ${MAX_REGIONS}`);
    if (regions.length === 0) return undefined;
    this.#read.push(
      `${formatBytes(regions.reduce((sum, { size }) => sum + Number(size), 0))} of memory in ${regions.length} region${regions.length === 1 ? "" : "s"}`,
    );
    return regions
      .slice(0, MAX_REGIONS)
      .map(
        ({ base, size, socket }) =>
          ({ base: hex(base), size: sizeText(Number(size)), socket }) as unknown as MemoryRegion,
      );
  }

  #socketOfNode(cores: readonly Core[], socketOf: readonly number[]): (node: number | undefined) => number {
    const sockets = new Map<number, number>();
    for (const [index, { cpus }] of cores.entries()) {
      const node = cpus[0]!.node;
      if (node !== undefined && !sockets.has(node)) sockets.set(node, socketOf[index]!);
    }
    return (node) => {
      if (node === undefined) return 0;
      const socket = sockets.get(node);
      if (socket === undefined && sockets.size > 0) {
        this.#note("memory", undefined, `node ${node} has no processors: what it has belongs to socket 0`);
      }
      return socket ?? 0;
    };
  }

  #devices(
    cores: readonly Core[],
    socketOf: readonly number[],
    sockets: number,
    caches: Partial<Record<LevelName, Entry>>,
  ): { name: string; coherent: boolean; socket?: number }[] {
    const devices = this.#found.devices.slice(0, MAX_DEVICES);
    if (this.#found.devices.length > devices.length) {
      this.#left.push(`${this.#found.devices.length - devices.length} devices beyond the first ${MAX_DEVICES}`);
    }
    if (devices.length === 0) return [];
    const socketOfNode = this.#socketOfNode(cores, socketOf);
    const coherent = devices.filter((device: FoundDevice) => device.coherent).length;
    this.#read.push(`${devices.length} devices, ${coherent} of them coherent`);
    this.#sources.devices = `read from ${this.#found.format}`;
    if (coherent > 0 && Object.values(caches).some(({ kind }) => kind === "system")) {
      this.#note(undefined, undefined, "coherent devices' writes land in the system cache");
    }
    return devices.map(({ name, coherent, node, because }, index) => {
      this.#remarks.set(`devices.${index}`, `read: ${because}`);
      const socket = Math.min(socketOfNode(node), sockets - 1);
      return { name: printable(name), coherent, ...(socket === 0 ? {} : { socket }) };
    });
  }

  #features(
    cores: readonly Core[],
    caches: Partial<Record<LevelName, Entry>>,
  ): Pick<MachineDescription, "features" | "aarch32"> {
    const known = cores.map((core) => core.known);
    const fwb = known.every((model) => model?.fwb === true);
    const words = ["none", "el0", "all"] as const;
    const all = known.every((model) => model !== undefined);
    const aarch32 = all ? words[Math.min(...known.map((model) => words.indexOf(model!.aarch32)))]! : undefined;
    const setsOf = (entry: Entry) => bytesOfText(entry.size) / entry.ways / entry.line;
    const ccidx = Object.values(caches).some(
      (entry) => (entry.kind === undefined || entry.kind === "architected") && setsOf(entry) > CCSIDR_MAX_SETS,
    );
    this.#note(
      "features",
      "features",
      `CTR_EL0.IDC and DIC are 0, and ${fwb ? "the cores have" : "the cores lack"} FEAT_S2FWB${all ? ", by their kind" : ""}: the file doesn't say`,
    );
    if (ccidx)
      this.#note(undefined, undefined, "CCSIDR_EL1 has its 64-bit format, for the sets are too many for the other");
    if (aarch32 !== undefined) this.#note("aarch32", "aarch32", "AArch32 as cores of this kind have it");
    return { features: { idc: false, dic: false, fwb, ccidx }, ...(aarch32 === undefined ? {} : { aarch32 }) };
  }
}

const SHARING: readonly Sharing[] = ["core", "cluster", "socket", "machine"];

type MemoryRegion = { base: number; size: number | string; socket: number };

interface Cluster {
  readonly name?: string;
  readonly count: number;
  readonly socket: number;
  /** What was read and assumed of its caches, where that isn't what stands beside `caches`. */
  readonly remark: string;
  readonly caches?: Partial<Record<LevelName, "none" | Partial<Entry>>>;
}

type ClusterText = Extract<MachineDescription["cores"], readonly unknown[]>[number];

const clusterText = ({ socket, remark: _, ...cluster }: Cluster): ClusterText =>
  (socket === 0 ? cluster : { ...cluster, socket }) as ClusterText;

/** The word for who shares a cache, given who is in the core's cluster and socket. */
function sharingOf(
  shared: readonly number[],
  members: readonly number[],
  all: number,
  socketSize: number,
  name: LevelName,
  inside: Sharing,
): Sharing {
  const isCluster = shared.length === members.length;
  const isSocket = shared.length === socketSize;
  // An L2 is more likely a cluster's and anything beyond a socket's, where both are true.
  if (isCluster && (!isSocket || (name === "L2" && inside === "core")))
    return shared.length === 1 && name === "L2" ? "core" : members.length === 1 ? "core" : "cluster";
  if (isSocket) return "socket";
  if (shared.length === all) return "machine";
  return "core";
}

/** What distinguishes cores for the description: name and every cache's geometry. */
function kindOf({ model, levels }: Core): string {
  return JSON.stringify([
    model,
    [...levels].map(
      ([
        name,
        {
          geometry: { sets, ways, lineBytes },
          found,
        },
      ]) => [name, sets, ways, lineBytes, found?.write, found?.allocate, found?.inclusion, found?.replacement],
    ),
  ]);
}

/** D2: data and unified caches of one level have equal lines, and lines never get smaller outwards. */
function evenLines(cores: readonly Core[]): void {
  let inner = 0;
  for (const name of LEVEL_NAMES) {
    if (name === "L1I") continue;
    const geometries = cores.flatMap(({ levels }) => levels.get(name)?.geometry ?? []);
    if (geometries.length === 0) continue;
    const longest = Math.max(...geometries.map(({ lineBytes }) => lineBytes));
    const line = Math.max(longest, inner);
    for (const geometry of geometries) {
      withLine(
        geometry,
        line,
        geometry.lineBytes < longest ? "all caches of one level have equal lines" : "lines never get shorter outwards",
      );
    }
    inner = line;
    if (name !== "L1D") continue;
    // The L2 is next to the instruction caches too.
    for (const { levels } of cores)
      inner = Math.max(inner, levels.has("L2") ? (levels.get("L1I")?.geometry.lineBytes ?? 0) : 0);
  }
}

/** Regions in ascending order; those without an address follow one another. */
function placed(memory: readonly FoundMemory[]): { base: number; sizeBytes: number; node: number | undefined }[] {
  let next = 0;
  return memory
    .map(({ base, sizeBytes, node }) => {
      const at = base ?? next;
      next = Math.max(next, at + Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES);
      return {
        base: at,
        sizeBytes: base === undefined ? Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES : sizeBytes,
        node,
      };
    })
    .sort((a, b) => a.base - b.base);
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** `32KiB` where it is a whole number of one of the units, else bytes. */
function sizeText(bytes: number): string | number {
  for (const [unit, size] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return bytes;
}

function bytesOfText(size: string | number): number {
  if (typeof size === "number") return size;
  const [, digits, unit] = /^([0-9]+)([KMG])iB$/.exec(size)!;
  return Number(digits) * { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit as "K" | "M" | "G"];
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");

const fileName = (path: string | undefined): string =>
  (path ?? "imported")
    .split(/[/\\]/)
    .filter((part) => part !== "")
    .at(-1)
    ?.replace(/\.[a-z0-9.]+$/i, "") ?? "imported";

/** Lower case, digits and hyphens, as presets are called. */
function nameOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return slug === "" ? "imported" : slug;
}
