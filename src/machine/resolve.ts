/**
 * From a complete description to a `ResolvedMachine`: clusters and caches are listed one by one, derived defaults are
 * filled in, and the rules between keys are checked (D1, D2, R4, R49). Every problem is a `MachineError` with its key.
 */
import { type ErrorDetail, MachineError } from "../engine/errors.ts";
import type { Path } from "./keys.ts";
import { completeDescription, type Locate, locateByPath, shown } from "./read.ts";
import { levelsOfUnification } from "./registers.ts";
import type {
  Cache,
  CacheKind,
  Contents,
  Core,
  Device,
  Inclusion,
  MemoryRegion,
  Prefetcher,
  RegisterOverrides,
  ResolvedMachine,
} from "./resolved.ts";
import {
  type CacheChange,
  type CacheDescription,
  type ClusterDescription,
  type CompleteDescription,
  LEVEL_NAMES,
  type LevelName,
  MAX_TREE_PLRU_WAYS,
  type MachineDescription,
  type RegisterDescription,
} from "./schema.ts";

const MAX_CORES = 512;
const ADDRESS_BITS = 48;
/** Engines number lines with 32 bits; the number 2^32 - 1 means none (Readings, D7). */
const MAX_LINES = 2 ** 32;
/** What the kernel has frames for. */
const MAX_MEMORY_BYTES = 2 ** 38;
/** R5: a 32-bit CCSIDR_EL1 has 15 bits for NumSets - 1. */
const CCSIDR_MAX_SETS = 2 ** 15;
const DEFAULT_MEMORY_BYTES = 16 * 2 ** 30;
const DEFAULT_LINE_BYTES = 64;
const PAGE_BYTES = 4096;

type Sharing = "core" | "cluster" | "socket" | "machine";
const SHARING_ORDER: readonly Sharing[] = ["core", "cluster", "socket", "machine"];
const KIND_ORDER: readonly CacheKind[] = ["architected", "system", "outer", "memory-side"];

/** One cluster of the machine, after `repeat`. */
interface Cluster {
  readonly id: number;
  readonly socket: number;
  readonly cores: readonly number[];
  readonly levels: ReadonlyMap<LevelName, Level>;
  /** Position in the description's list of clusters. */
  readonly described: number;
  readonly registers: RegisterOverrides;
  readonly model: string | undefined;
}

/** What a level of cache is for one cluster, with nothing left to derive. `path` is where the description says so. */
interface Level {
  readonly name: LevelName;
  readonly path: Path;
  readonly depth: number;
  readonly holds: Contents;
  readonly kind: CacheKind;
  readonly per: Sharing;
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: number;
  readonly home: boolean;
  readonly inclusionOfData: Inclusion;
  readonly inclusionOfInstructions: Inclusion;
  readonly writebackTouches: boolean;
  readonly setWay: boolean;
  readonly latencyCycles: number;
  readonly prefetcher: Prefetcher | undefined;
  readonly sharedOverride: boolean;
  readonly said: CacheDescription;
}

/** Throws with the place of a key; every check of this file ends here. */
class Problems {
  readonly #locate: Locate;
  constructor(locate: Locate) {
    this.#locate = locate;
  }
  fail(path: Path, what: string, detail: ErrorDetail = {}): never {
    throw new MachineError(what, { ...this.#locate(path), ...detail });
  }
}

/**
 * The machine that a description means. Throws `MachineError`; `locate` turns keys into lines where the description
 * came from text.
 */
export function resolveMachine(description: MachineDescription, locate: Locate = locateByPath): ResolvedMachine {
  const complete = completeDescription(description, locate);
  const problems = new Problems(locate);
  const sockets = countSockets(complete, problems);
  const clusters = listClusters(complete, sockets, problems);
  for (const cluster of clusters) checkOrder(cluster, problems);
  checkEqualLines(clusters, problems);
  const tree = plantTree(clusters, sockets, problems);
  checkLinesOutwards(tree, problems);
  checkFirstDataCaches(complete, clusters, problems);
  const { outer, outerSharedOverride, memorySide } = behindInterconnect(clusters, tree, sockets, problems);
  const lines = [...tree.caches, ...(outer === undefined ? [] : [outer]), ...memorySide].map(
    (cache) => cache.lineBytes,
  );
  const smallestLineBytes = lines.length === 0 ? DEFAULT_LINE_BYTES : Math.min(...lines);
  const largestLineBytes = lines.length === 0 ? DEFAULT_LINE_BYTES : Math.max(...lines);
  const memory = listMemory(complete, sockets, { smallestLineBytes, largestLineBytes }, problems);
  checkDirectory(complete, tree, problems);
  const { zvaBlock } = complete.registers;
  const machine: ResolvedMachine = {
    name: complete.name,
    sockets,
    protocol: complete.protocol,
    cores: tree.cores,
    caches: tree.caches,
    outer,
    outerSharedOverride,
    memorySide,
    memory,
    devices: listDevices(complete, tree, sockets, problems),
    directory: complete.directory === "exact" ? undefined : complete.directory,
    cacheability: complete.cacheability,
    ncLookup: complete.ncLookup,
    ncSnoops: complete.ncSnoops,
    ncAtomics: complete.ncAtomics,
    invalidateCleans: complete.invalidateCleans,
    dic: complete.features.dic,
    idc: complete.features.idc,
    zvaBytes: zvaBlock,
    initialSctlr: complete.initialSctlr,
    tlb: checkedTlb(complete, problems),
    walker: complete.walker,
    seed: complete.seed,
    latencies: complete.latencies,
    smallestLineBytes,
    largestLineBytes,
    aarch32: complete.aarch32,
    features: complete.features,
  };
  return { ...machine, idc: hasEffectiveIdc(machine) };
}

/** D52: sets of the main TLB are entries / ways. */
function checkedTlb({ tlb }: CompleteDescription, problems: Problems): CompleteDescription["tlb"] {
  if (tlb.entries % tlb.ways !== 0) {
    problems.fail(["tlb", "entries"], "entries don't fill the ways", {
      found: String(tlb.entries),
      expected: `a multiple of ${tlb.ways}`,
    });
  }
  return tlb;
}

/** R35: as Linux computes it, for a system whose cores all agree. */
function hasEffectiveIdc(machine: ResolvedMachine): boolean {
  if (machine.idc) return true;
  return machine.cores.every((core) => {
    const { loc, louu, louis } = levelsOfUnification(machine, core.id);
    return loc === 0 || (louu === 0 && louis === 0);
  });
}

function countSockets(complete: CompleteDescription, problems: Problems): number {
  const named = typeof complete.cores === "number" ? 1 : Math.max(...complete.cores.map(({ socket }) => socket)) + 1;
  const sockets = complete.sockets ?? named;
  if (sockets < named) {
    problems.fail(["sockets"], "fewer sockets than `cores` names", {
      found: `${sockets}`,
      expected: `${named} or more`,
    });
  }
  return sockets;
}

function listClusters(complete: CompleteDescription, sockets: number, problems: Problems): Cluster[] {
  const described =
    typeof complete.cores === "number" ? evenClusters(complete.cores, sockets, problems) : complete.cores;
  const { zvaBlock: _, ...registers } = complete.registers;
  const clusters: Cluster[] = [];
  let nextCore = 0;
  for (const [index, cluster] of described.entries()) {
    const coreCount = cluster.count * cluster.repeat;
    if (nextCore + coreCount > MAX_CORES) {
      problems.fail(["cores"], "too many cores", { found: `more than ${MAX_CORES}`, expected: `${MAX_CORES} at most` });
    }
    const levels = levelsOf(complete, cluster, index, problems);
    const merged = mergeRegisters(registers, cluster.registers);
    checkRegisters(merged, cluster.registers === undefined ? ["registers"] : ["cores", index, "registers"], problems);
    for (let copy = 0; copy < cluster.repeat; copy++) {
      const first = nextCore;
      nextCore += cluster.count;
      clusters.push({
        id: clusters.length,
        socket: cluster.socket,
        cores: Array.from({ length: cluster.count }, (_, core) => first + core),
        levels,
        described: index,
        registers: merged,
        model: cluster.name,
      });
    }
  }
  return clusters;
}

/** `cores: 100` with two sockets: 50 each, one cluster a socket. */
function evenClusters(cores: number, sockets: number, problems: Problems): ClusterDescription[] {
  if (cores % sockets !== 0) {
    problems.fail(["cores"], "cores don't spread evenly over the sockets", {
      found: `${cores} cores in ${sockets} sockets`,
      expected: "a multiple, or a list of clusters",
    });
  }
  return Array.from({ length: sockets }, (_, socket) => ({ count: cores / sockets, repeat: 1, socket }));
}

function mergeRegisters(base: RegisterDescription, change: RegisterDescription | undefined): RegisterOverrides {
  return { ...base, ...change, ccsidrUnknown: { ...base.ccsidrUnknown, ...change?.ccsidrUnknown } };
}

function checkRegisters(registers: RegisterOverrides, path: Path, problems: Problems): void {
  if (registers.clidr === undefined) return;
  for (const field of ["loc", "louu", "louis", "icb", "ttype"] as const) {
    if (registers[field] === undefined) continue;
    problems.fail([...path, field], "a field of a register that is given whole", {
      found: `clidr and ${field}`,
      expected: "one of the two",
    });
  }
}

// Levels of cache

function levelsOf(
  complete: CompleteDescription,
  cluster: ClusterDescription,
  index: number,
  problems: Problems,
): Map<LevelName, Level> {
  const levels = new Map<LevelName, Level>();
  for (const name of LEVEL_NAMES) {
    const base = complete.caches[name];
    const change = cluster.caches?.[name];
    if (change === "none" || (base === undefined && change === undefined)) continue;
    const path = change === undefined ? ["caches", name] : ["cores", index, "caches", name];
    const level = levelOf(name, mergeCache(base, change), path, complete.features.ccidx, problems);
    if (change !== undefined && (level.per === "socket" || level.per === "machine")) {
      problems.fail(path, "a cluster changes a cache that it shares with others", {
        found: `per: ${level.per}`,
        expected: "a cache per core or cluster",
      });
    }
    levels.set(name, level);
  }
  return levels;
}

function mergeCache(base: CacheDescription | undefined, change: CacheChange | undefined): CacheDescription {
  const under: CacheChange = { ...base };
  // A change of capacity says it in its own way.
  if (change?.size !== undefined || change?.sets !== undefined) {
    delete under.size;
    delete under.sets;
  }
  const merged = { ...under, ...change };
  return {
    ...merged,
    line: merged.line ?? DEFAULT_LINE_BYTES,
    placement: merged.placement ?? "requester",
    replacement: merged.replacement ?? "lru",
    write: merged.write ?? "back",
    allocate: merged.allocate ?? "read-write",
  };
}

function levelOf(name: LevelName, said: CacheDescription, path: Path, ccidx: boolean, problems: Problems): Level {
  const isFirst = name === "L1I" || name === "L1D";
  const depth = isFirst ? 1 : Number(name.slice(1));
  const holds: Contents = name === "L1I" ? "instructions" : name === "L1D" ? "data" : "unified";
  const kind = said.kind ?? (depth <= 2 ? "architected" : "system");
  const behind = kind === "outer" || kind === "memory-side";
  const per = said.per ?? (kind === "outer" ? "machine" : behind || depth > 2 ? "socket" : "core");
  checkMeaningful(said, path, { isFirst, holds, kind, behind, per }, problems);
  const { sets, ways } = geometryOf(said, path, problems);
  if (said.replacement === "tree-plru" && ways > MAX_TREE_PLRU_WAYS) {
    problems.fail([...path, "ways"], "too many ways for tree-plru", {
      found: `${ways}`,
      expected: `${MAX_TREE_PLRU_WAYS} at most, or another policy`,
    });
  }
  const inclusion = said.inclusion ?? "nine";
  const inclusionOfData = typeof inclusion === "string" ? inclusion : inclusion.L1D;
  const inclusionOfInstructions = typeof inclusion === "string" ? inclusion : inclusion.L1I;
  if (said.allocate !== "read-write" && [inclusionOfData, inclusionOfInstructions].includes("inclusive")) {
    // Else a line could be inside and not here.
    problems.fail([...path, "allocate"], "an inclusive level must allocate whatever is inside", {
      found: said.allocate,
      expected: "read-write",
    });
  }
  const setWay = kind === "architected" && holds !== "instructions" && (said.setWay ?? true);
  const level: Level = {
    name,
    path,
    depth,
    holds,
    kind,
    per,
    sets,
    ways,
    lineBytes: said.line,
    home: said.placement === "home",
    inclusionOfData,
    inclusionOfInstructions,
    writebackTouches: said.writebackTouches ?? inclusionOfData !== "inclusive",
    setWay,
    latencyCycles: said.latency ?? (depth === 1 ? 4 : depth === 2 ? 12 : 40),
    prefetcher: prefetcherOf(said, path, { holds, behind, inclusionOfData }, problems),
    sharedOverride: said.sharedOverride ?? false,
    said,
  };
  if (setWay) checkOperandFits(level, ccidx, problems);
  return level;
}

/** D57: what a prefetcher brings in is filled as a load would be. */
function prefetcherOf(
  said: CacheDescription,
  path: Path,
  cache: { readonly holds: Contents; readonly behind: boolean; readonly inclusionOfData: Inclusion },
  problems: Problems,
): Prefetcher | undefined {
  const { prefetch = "none" } = said;
  const given = typeof prefetch === "string" ? { kind: prefetch } : prefetch;
  const { kind } = given;
  if (kind === "none") return undefined;
  const refuse = (why: string, found: string, expected: string): never =>
    problems.fail([...path, "prefetch"], why, { found, expected });
  if (cache.holds === "instructions") {
    refuse("prefetchers are trained by loads and stores", `${kind} at an instruction cache`, "none");
  }
  if (cache.behind) {
    refuse("a prefetcher belongs to a core's path", `${kind} at a cache of kind ${said.kind}`, "none");
  }
  if (cache.inclusionOfData === "exclusive") {
    refuse("loads fill no level that is exclusive of data", `${kind} and inclusion: exclusive`, "none");
  }
  if (said.allocate === "write") {
    refuse("a cache with a prefetcher must allocate on reads", `${kind} and allocate: write`, "read or read-write");
  }
  const isStream = kind === "stream";
  const { degree = isStream ? 2 : 1, distance = isStream ? 8 : 1, entries } = given as Partial<Prefetcher>;
  if (kind === "next-line" && entries !== undefined) {
    problems.fail([...path, "prefetch", "entries"], "a next-line prefetcher keeps track of nothing", {
      found: String(entries),
      expected: "nothing",
    });
  }
  return { kind, degree, distance, entries: kind === "next-line" ? 0 : (entries ?? 16) };
}

/** Keys that say something about a cache of another kind than this one. */
function checkMeaningful(
  said: CacheDescription,
  path: Path,
  cache: { isFirst: boolean; holds: Contents; kind: CacheKind; behind: boolean; per: Sharing },
  problems: Problems,
): void {
  const refuse = (key: keyof CacheDescription, why: string, expected: string): never =>
    problems.fail([...path, key], why, { found: shown(said[key]), expected });
  const { isFirst, holds, kind, behind, per } = cache;
  if (isFirst && kind !== "architected") refuse("kind", "an L1 belongs to a core", "architected");
  if (isFirst && per !== "core") refuse("per", "an L1 belongs to a core", "core");
  if (said.placement === "home" && per !== "socket") refuse("placement", "only sockets are homes", "per: socket");
  if ((isFirst || behind) && said.placement === "home") {
    refuse("placement", "a key that means nothing here", "a cache beyond L1, before the interconnect");
  }
  if ((isFirst || behind) && said.inclusion !== undefined && said.inclusion !== "nine") {
    refuse("inclusion", "a key that means nothing here", "a level with coherent caches inside");
  }
  if ((holds === "instructions" || behind) && said.write !== "back") {
    refuse("write", "a policy that isn't modelled here", "back");
  }
  if ((holds === "instructions" || behind) && said.allocate !== "read-write") {
    refuse("allocate", "a policy that isn't modelled here", "read-write");
  }
  if (said.setWay === true && kind !== "architected")
    refuse("setWay", `set/way never reaches a ${kind} cache (R4)`, "false");
  if (said.setWay !== undefined && holds === "instructions") {
    refuse("setWay", "DC xSW reaches no instruction cache", "nothing");
  }
  if (said.sharedOverride !== undefined && kind !== "outer") {
    refuse("sharedOverride", "a key of outer caches", "kind: outer");
  }
  if (kind === "outer" && per !== "machine") refuse("per", "there is one outer cache", "machine");
  if (kind === "memory-side" && (per === "core" || per === "cluster")) {
    refuse("per", "a memory-side cache belongs to memory", "socket or machine");
  }
}

/** R3: sets = size / (ways * line), a whole number but any number. */
function geometryOf(said: CacheDescription, path: Path, problems: Problems): { sets: number; ways: number } {
  const { ways, size, line } = said;
  if (ways === undefined) {
    problems.fail([...path, "ways"], "a required key is missing", {
      found: "nothing",
      expected: "an integer from 1 to 256",
    });
  }
  if (size === undefined) {
    if (said.sets !== undefined) return { sets: said.sets, ways };
    problems.fail([...path, "size"], "a required key is missing", { found: "nothing", expected: "`size` or `sets`" });
  }
  const sets = size / (ways * line);
  if (!Number.isInteger(sets) || sets > 2 ** 24) {
    problems.fail([...path, "size"], "size isn't a whole number of sets (at most 2^24)", {
      found: `${size} bytes / (${ways} ways * ${line} bytes) = ${sets} sets`,
      expected: `a multiple of ${ways * line}`,
    });
  }
  if (said.sets !== undefined && said.sets !== sets) {
    problems.fail([...path, "sets"], "`sets` and `size` disagree", { found: `${said.sets}`, expected: `${sets}` });
  }
  return { sets, ways };
}

/** Set/way names sets that CCSIDR_EL1 can tell and a 32-bit operand can hold (arm-facts C). */
function checkOperandFits(level: Level, ccidx: boolean, problems: Problems): void {
  const bits = Math.log2(level.lineBytes) + Math.ceil(Math.log2(level.sets)) + Math.ceil(Math.log2(level.ways));
  const sizeKey = [...level.path, level.said.size === undefined ? "sets" : "size"];
  if (bits > 32) {
    problems.fail(sizeKey, "a set/way operand can't name every line of this cache", {
      found: `${level.sets} sets, ${level.ways} ways, ${level.lineBytes} byte lines`,
      expected: "32 bits for line, set and way, or setWay: false",
    });
  }
  if (!ccidx && level.sets > CCSIDR_MAX_SETS) {
    problems.fail(sizeKey, "CCSIDR_EL1 can't tell so many sets", {
      found: `${level.sets}`,
      expected: `${CCSIDR_MAX_SETS} at most, features.ccidx, or setWay: false`,
    });
  }
}

const unifiedLevels = (cluster: Cluster): Level[] =>
  [...cluster.levels.values()].filter(({ depth, kind }) => depth > 1 && kind !== "outer" && kind !== "memory-side");

/** D1, R4: levels follow one another, are shared ever more widely, and stand in the order of their kinds. */
function checkOrder(cluster: Cluster, problems: Problems): void {
  let inside: Level | undefined;
  for (const level of [...cluster.levels.values()].filter(({ depth }) => depth > 1)) {
    const expectedDepth = inside === undefined ? 2 : inside.depth + 1;
    if (level.depth !== expectedDepth) {
      problems.fail(level.path, "a level is missing inside", {
        found: level.name,
        expected: `L${expectedDepth} first`,
      });
    }
    if (inside !== undefined) {
      const rank = KIND_ORDER.indexOf(level.kind) - KIND_ORDER.indexOf(inside.kind);
      const twice = rank === 0 && (level.kind === "outer" || level.kind === "memory-side");
      if (rank < 0 || twice) {
        problems.fail([...level.path, "kind"], "kinds of cache out of order", {
          found: `${level.kind} outside ${inside.kind}`,
          expected: "architected, then system, then one outer, then one memory-side (R4)",
        });
      }
      const coherent = level.kind === "architected" || level.kind === "system";
      if (coherent && SHARING_ORDER.indexOf(level.per) < SHARING_ORDER.indexOf(inside.per)) {
        problems.fail([...level.path, "per"], "a level is shared less widely than the one inside", {
          found: `per: ${level.per} outside per: ${inside.per}`,
          expected: `per: ${SHARING_ORDER.slice(SHARING_ORDER.indexOf(inside.per)).join(" or ")}`,
        });
      }
    }
    inside = level;
  }
}

/** D2: data and unified caches of equal depth have equal lines. */
function checkEqualLines(clusters: readonly Cluster[], problems: Problems): void {
  const lineOfDepth = new Map<number, number>();
  for (const level of clusters.flatMap((cluster) => [...cluster.levels.values()])) {
    if (level.holds === "instructions") continue;
    const line = lineOfDepth.get(level.depth) ?? level.lineBytes;
    lineOfDepth.set(level.depth, line);
    if (line !== level.lineBytes) {
      problems.fail([...level.path, "line"], "data caches of one level have different lines (D2)", {
        found: `${level.lineBytes}`,
        expected: `${line}`,
      });
    }
  }
}

/**
 * D1: all cores have an L1D or none has. A hit in the first cache of a path asks no peers (D9), so that cache must not
 * have other cores' L1Ds inside.
 */
function checkFirstDataCaches(complete: CompleteDescription, clusters: readonly Cluster[], problems: Problems): void {
  const having = clusters.find(({ levels }) => levels.has("L1D"));
  const lacking = clusters.find(({ levels }) => !levels.has("L1D"));
  if (having === undefined || lacking === undefined) return;
  // One of the two says so: the first adds what `caches` lacks, or the second takes it away.
  const isAdded = complete.caches.L1D === undefined;
  const path = isAdded ? having.levels.get("L1D")!.path : ["cores", lacking.described, "caches", "L1D"];
  const coresOf = ({ cores }: Cluster) =>
    cores.length === 1 ? `core ${cores[0]}` : `cores ${cores[0]} to ${cores.at(-1)}`;
  problems.fail(path, "some cores have an L1D and others have not (D1)", {
    found: `an L1D at ${coresOf(having)}, none at ${coresOf(lacking)}`,
    expected: "an L1D at every core, or at none",
  });
}

// The tree of caches

interface Tree {
  readonly caches: readonly Cache[];
  readonly cores: readonly Core[];
  /** The level that each cache was made from. */
  readonly levelOf: readonly Level[];
}

/** A cache while the tree grows. */
interface Seedling {
  readonly id: number;
  readonly level: Level;
  readonly socket: number;
  readonly cores: Set<number>;
  /** By home socket; filled when the next level has been planted. */
  parents: readonly (Seedling | undefined)[];
}

function plantTree(clusters: readonly Cluster[], sockets: number, problems: Problems): Tree {
  const seedlings: Seedling[] = [];
  const plant = (level: Level, socket: number): Seedling => {
    const seedling = { id: seedlings.length, level, socket, cores: new Set<number>(), parents: [] };
    seedlings.push(seedling);
    return seedling;
  };
  const noParents: readonly undefined[] = new Array(sockets).fill(undefined);
  const first = new Map<number, { l1i: Seedling | undefined; l1d: Seedling | undefined }>();
  for (const cluster of clusters) {
    const [instructions, data] = [cluster.levels.get("L1I"), cluster.levels.get("L1D")];
    for (const core of cluster.cores) {
      first.set(core, {
        l1i: instructions && plant(instructions, cluster.socket),
        l1d: data && plant(data, cluster.socket),
      });
    }
  }
  const deepest = Math.max(1, ...clusters.flatMap((cluster) => unifiedLevels(cluster).map(({ depth }) => depth)));
  /** Which instance of a level serves a core, by home socket. */
  const servedBy: Map<number, readonly (Seedling | undefined)[]>[] = [];
  for (let depth = 2; depth <= deepest; depth++) servedBy[depth] = plantLevel(clusters, depth, sockets, plant);
  const next = (core: number, depth: number) => servedBy[depth + 1]?.get(core) ?? noParents;

  // Walk every core outwards, once for each home, and tie what it meets.
  const cores: Core[] = [];
  for (const cluster of clusters) {
    for (const core of cluster.cores) {
      const { l1i, l1d } = first.get(core)!;
      const unified = next(core, 1);
      for (const cache of [l1i, l1d]) {
        if (cache === undefined) continue;
        cache.cores.add(core);
        cache.parents = unified;
      }
      for (let depth = 2; depth <= deepest; depth++) {
        for (const cache of next(core, depth - 1)) {
          if (cache === undefined) continue;
          cache.cores.add(core);
          cache.parents = agreedParents(cache, next(core, depth), problems);
        }
      }
      cores.push({
        id: core,
        socket: cluster.socket,
        cluster: cluster.id,
        l1i: l1i?.id ?? -1,
        l1d: l1d?.id ?? -1,
        unifiedBySocket: unified.map((cache) => cache?.id ?? -1),
        model: cluster.model,
        registers: cluster.registers,
      });
    }
  }
  return {
    cores,
    caches: seedlings.map((seedling) =>
      finishCache(
        seedling.id,
        seedling.level,
        seedling.level.name,
        seedling.socket,
        [...seedling.cores].sort((a, b) => a - b),
        seedling.parents.map((parent) => parent?.id ?? -1),
      ),
    ),
    levelOf: seedlings.map(({ level }) => level),
  };
}

/** Plants all instances of one level, by lowest core or by socket, and says which serve each core. */
function plantLevel(
  clusters: readonly Cluster[],
  depth: number,
  sockets: number,
  plant: (level: Level, socket: number) => Seedling,
): Map<number, readonly (Seedling | undefined)[]> {
  const served = new Map<number, readonly (Seedling | undefined)[]>();
  const having = clusters.flatMap((cluster) => {
    const level = unifiedLevels(cluster).find((candidate) => candidate.depth === depth);
    return level === undefined ? [] : [{ cluster, level }];
  });
  // A socket's instance at or outside a home-placed level serves its memory, whoever asks, even where it has no cores.
  const ofHomes = having.find(
    ({ cluster, level }) =>
      level.per === "socket" && unifiedLevels(cluster).some((inner) => inner.home && inner.depth <= depth),
  );
  const bySocket = new Map<number, Seedling>();
  if (ofHomes !== undefined) {
    for (let socket = 0; socket < sockets; socket++) bySocket.set(socket, plant(ofHomes.level, socket));
  }
  let ofMachine: Seedling | undefined;
  for (const { cluster, level } of having) {
    const byHome = ofHomes !== undefined && level.per === "socket";
    let ofCluster: Seedling | undefined;
    for (const core of cluster.cores) {
      let own: Seedling;
      if (level.per === "core") own = plant(level, cluster.socket);
      else if (level.per === "cluster") own = ofCluster ??= plant(level, cluster.socket);
      else if (level.per === "machine") own = ofMachine ??= plant(level, 0);
      else {
        own = bySocket.get(cluster.socket) ?? plant(level, cluster.socket);
        bySocket.set(cluster.socket, own);
      }
      served.set(
        core,
        Array.from({ length: sockets }, (_, home) => (byHome ? bySocket.get(home) : own)),
      );
    }
  }
  return served;
}

/** D1: all cores that go through a cache go on the same way. */
function agreedParents(
  cache: Seedling,
  ofCore: readonly (Seedling | undefined)[],
  problems: Problems,
): readonly (Seedling | undefined)[] {
  if (cache.parents.length > 0 && cache.parents.some((parent, home) => parent !== ofCore[home])) {
    problems.fail(cache.level.path, "cores that share a cache go on through different caches", {
      found: `${cache.level.name} of socket ${cache.socket}`,
      expected: "one way outwards for all of them (D1)",
    });
  }
  return ofCore;
}

function finishCache(
  id: number,
  level: Level,
  name: string,
  socket: number,
  cores: readonly number[],
  parentBySocket: readonly number[],
): Cache {
  return {
    id,
    level: name,
    depth: level.depth,
    holds: level.holds,
    kind: level.kind,
    sets: level.sets,
    ways: level.ways,
    lineBytes: level.lineBytes,
    replacement: level.said.replacement,
    writePolicy: level.said.write,
    allocate: level.said.allocate,
    inclusionOfData: level.inclusionOfData,
    inclusionOfInstructions: level.inclusionOfInstructions,
    writebackTouches: level.writebackTouches,
    setWay: level.setWay,
    latencyCycles: level.latencyCycles,
    ...(level.prefetcher === undefined ? {} : { prefetcher: level.prefetcher }),
    cores,
    socket,
    parentBySocket,
  };
}

/** D2: lines never get smaller outwards, and a level that is exclusive of data has the lines of the data inside. */
function checkLinesOutwards(tree: Tree, problems: Problems): void {
  for (const cache of tree.caches) {
    for (const parentId of cache.parentBySocket) {
      const parent = tree.caches[parentId];
      if (parent === undefined) continue;
      const path = [...tree.levelOf[parentId]!.path, "line"];
      const lines = { found: `${parent.lineBytes} around ${cache.level}'s ${cache.lineBytes}` };
      if (parent.lineBytes < cache.lineBytes) {
        problems.fail(path, "lines get smaller outwards (D2)", { ...lines, expected: `${cache.lineBytes} or more` });
      }
      const exclusive = parent.inclusionOfData === "exclusive" && cache.holds !== "instructions";
      if (exclusive && parent.lineBytes !== cache.lineBytes) {
        problems.fail(path, "an exclusive level has the line of the data caches inside (D2)", {
          ...lines,
          expected: `${cache.lineBytes}`,
        });
      }
    }
  }
}

// Behind the interconnect

interface Behind {
  readonly outer: Cache | undefined;
  readonly outerSharedOverride: boolean;
  readonly memorySide: readonly Cache[];
}

/** The outer and the memory-side cache (R4, D22). They serve every requester, so no cluster can lack or change them. */
function behindInterconnect(clusters: readonly Cluster[], tree: Tree, sockets: number, problems: Problems): Behind {
  const everyCore = tree.cores.map(({ id }) => id);
  const roots: readonly number[] = new Array(sockets).fill(-1);
  let innerLine = Math.max(0, ...tree.caches.map(({ lineBytes }) => lineBytes));
  const find = (kind: CacheKind): Level | undefined => {
    const levels = clusters.map(({ levels }) => [...levels.values()].find((level) => level.kind === kind));
    const level = levels.find((candidate) => candidate !== undefined);
    if (level === undefined) return undefined;
    if (levels.includes(undefined) || levels.some((candidate) => candidate?.path[0] !== "caches")) {
      problems.fail(level.path, `a ${kind} cache serves the whole machine`, { expected: "the same for every cluster" });
    }
    if (level.lineBytes < innerLine) {
      problems.fail([...level.path, "line"], "lines get smaller outwards (D2)", {
        found: `${level.lineBytes}`,
        expected: `${innerLine} or more`,
      });
    }
    innerLine = level.lineBytes;
    return level;
  };
  const outer = find("outer");
  const side = find("memory-side");
  const sideCache = (socket: number) =>
    finishCache(tree.caches.length + 1 + socket, side!, "memory-side", socket, everyCore, roots);
  const first = side === undefined ? undefined : sideCache(0);
  return {
    outer: outer && finishCache(tree.caches.length, outer, "outer", 0, everyCore, roots),
    outerSharedOverride: outer?.sharedOverride ?? false,
    memorySide:
      side === undefined
        ? []
        : Array.from({ length: sockets }, (_, socket) =>
            side.per === "machine" || socket === 0 ? first! : sideCache(socket),
          ),
  };
}

// Memory, devices, directory

function listMemory(
  complete: CompleteDescription,
  sockets: number,
  { smallestLineBytes, largestLineBytes }: Pick<ResolvedMachine, "smallestLineBytes" | "largestLineBytes">,
  problems: Problems,
): MemoryRegion[] {
  const mostLines = Math.min(MAX_LINES, MAX_MEMORY_BYTES / smallestLineBytes);
  const regions = (complete.memory ?? defaultMemory(sockets))
    .map(({ base, size, socket, type }, index) => ({ base, sizeBytes: size, socket, type, index }))
    .sort((a, b) => a.base - b.base);
  let end = 0;
  let lines = 0;
  for (const { base, sizeBytes, socket, index } of regions) {
    const path = ["memory", index];
    if (socket >= sockets) {
      problems.fail([...path, "socket"], "no such socket", { found: `${socket}`, expected: `less than ${sockets}` });
    }
    if (base < end) {
      problems.fail([...path, "base"], "memory regions overlap", {
        found: `0x${base.toString(16)}`,
        expected: `0x${end.toString(16)} or more`,
      });
    }
    end = base + sizeBytes;
    if (end > 2 ** ADDRESS_BITS) {
      problems.fail([...path, "size"], `memory ends beyond ${ADDRESS_BITS} bits`, { found: `0x${end.toString(16)}` });
    }
    lines += sizeBytes / smallestLineBytes;
    if (lines > mostLines) {
      problems.fail([...path, "size"], "too much memory", {
        found: `${lines} lines of ${smallestLineBytes} bytes`,
        expected: `2^${Math.log2(mostLines)} of the smallest lines at most`,
      });
    }
  }
  // The last line of a machine that uses up all numbers has none left, and the largest line around it goes with it.
  const missingBytes = lines === MAX_LINES ? largestLineBytes : 0;
  return regions.map(({ index: _, ...region }, position) =>
    position === regions.length - 1 ? { ...region, sizeBytes: region.sizeBytes - missingBytes } : region,
  );
}

/** Each socket's share of 16 GiB, one after another from 0; the last takes what doesn't divide. */
function defaultMemory(sockets: number): NonNullable<CompleteDescription["memory"]> {
  const share = Math.floor(DEFAULT_MEMORY_BYTES / sockets / PAGE_BYTES) * PAGE_BYTES;
  return Array.from({ length: sockets }, (_, socket) => ({
    base: share * socket,
    size: socket === sockets - 1 ? DEFAULT_MEMORY_BYTES - share * socket : share,
    socket,
    type: "ram" as const,
  }));
}

function listDevices(complete: CompleteDescription, tree: Tree, sockets: number, problems: Problems): Device[] {
  const systemCaches = tree.caches.filter(({ kind }) => kind === "system");
  return complete.devices.map((device, index) => {
    const path = ["devices", index];
    if (device.socket >= sockets) {
      problems.fail([...path, "socket"], "no such socket", {
        found: `${device.socket}`,
        expected: `less than ${sockets}`,
      });
    }
    if (device.allocate === "system" && systemCaches.length === 0) {
      problems.fail([...path, "allocate"], "the machine has no system cache", { found: "system", expected: "memory" });
    }
    const allocate = device.allocate ?? (device.coherent && systemCaches.length > 0 ? "system" : "memory");
    return {
      name: device.name ?? `device${index}`,
      requester: tree.cores.length + index,
      coherent: device.coherent,
      socket: device.socket,
      allocate,
    };
  });
}

/** D25: a sized directory is asked beyond the outermost architected cache, so every core needs one. */
function checkDirectory(complete: CompleteDescription, tree: Tree, problems: Problems): void {
  if (complete.directory === "exact") return;
  const served = new Set(tree.caches.filter(({ holds }) => holds !== "instructions").flatMap(({ cores }) => cores));
  const without = tree.cores.find(({ id }) => !served.has(id));
  if (without === undefined) return;
  problems.fail(["directory"], "a sized directory needs a data or unified cache at every core", {
    found: `none at core ${without.id}`,
    expected: "exact",
  });
}
