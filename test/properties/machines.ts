/**
 * Small machines for tests: a compact description that prints on one line and replays from it, and the
 * `ResolvedMachine` that both engines read. It accepts shapes that no product has; `src/machine` is for real ones.
 */
import type {
  Allocation,
  Cache,
  Contents,
  Core,
  Device,
  Inclusion,
  Latencies,
  MemoryRegion,
  Prefetcher,
  Replacement,
  ResolvedMachine,
  TlbGeometry,
  WritePolicy,
} from "../../src/machine/resolved.ts";

/** A cache; what is left out is a 64-byte-line LRU write-back read-write-allocate NINE cache that set/way reaches. */
export interface CacheSpec {
  readonly sets: number;
  readonly ways: number;
  readonly line?: number;
  readonly replacement?: Replacement;
  readonly write?: WritePolicy;
  readonly allocate?: Allocation;
  readonly latency?: number;
  readonly prefetcher?: Prefetcher;
}

/** A level of unified caches; levels are listed inner first. */
export interface LevelSpec extends CacheSpec {
  readonly level: string;
  readonly per: "core" | "cluster" | "socket" | "machine";
  readonly kind?: "architected" | "system";
  readonly setWay?: boolean;
  readonly data?: Inclusion;
  readonly instructions?: Inclusion;
  readonly touches?: boolean;
  /** With `home`, an address goes to the instance of the socket that its memory region names. Needs `per: socket`. */
  readonly placement?: "requester" | "home";
}

export interface MachineSpec {
  readonly cores: number;
  readonly sockets?: number;
  /** Cores of a cluster; clusters never cross sockets. */
  readonly cluster?: number;
  readonly protocol?: "mesi" | "moesi";
  /** One description for all cores, or a list dealt round over the cores; null is a core without. */
  readonly l1i?: CacheSpec | null | readonly (CacheSpec | null)[];
  readonly l1d?: CacheSpec | null | readonly (CacheSpec | null)[];
  readonly levels?: readonly LevelSpec[];
  readonly outer?: CacheSpec;
  readonly outerSharedOverride?: boolean;
  readonly memorySide?: CacheSpec & { readonly per?: "socket" | "machine" };
  readonly memory?: readonly {
    readonly base: number;
    readonly size: number;
    readonly socket?: number;
    readonly type?: "ram" | "device";
  }[];
  readonly devices?: readonly {
    readonly coherent?: boolean;
    readonly socket?: number;
    readonly allocate?: "system" | "memory";
  }[];
  readonly directory?: { readonly sets: number; readonly ways: number };
  readonly cacheability?: "wb-only" | "split";
  readonly tlb?: TlbGeometry;
  readonly walker?: "l1" | "pou";
  readonly ncLookup?: boolean;
  readonly ncSnoops?: boolean;
  readonly ncAtomics?: "fault" | "fail" | "memory";
  readonly invalidateCleans?: boolean;
  readonly dic?: boolean;
  readonly idc?: boolean;
  readonly zva?: number;
  /** SCTLR_EL1 of every core at the start: M, C and I set unless given. */
  readonly sctlr?: number;
  readonly seed?: number;
}

const SCTLR_ALL_ON = 0x1005;
const DEFAULT_LINE = 64;

const LATENCIES: Latencies = {
  snoop: 50,
  snoopRemote: 150,
  memory: 100,
  memoryRemote: 200,
  writeback: 7,
  maintenance: 20,
  dsb: 30,
  isb: 10,
  device: 300,
  tlbHit: 0,
  walkAccess: 5,
  exit: 1000,
  entry: 900,
  syscall: 500,
  mmioExit: 5000,
};

/** Where a cache stands, before it has a number. */
interface Draft {
  readonly level: string;
  readonly depth: number;
  readonly holds: Contents;
  readonly spec: CacheSpec & Partial<LevelSpec>;
  readonly cores: readonly number[];
  readonly socket: number;
  /** By home socket; undefined at a root. */
  readonly parents: readonly (Draft | undefined)[];
}

/** A cache of one line. */
export const ONE_LINE: CacheSpec = { sets: 1, ways: 1 };
/** A cache in which the few lines of a test never meet. */
export const ROOMY: CacheSpec = { sets: 4, ways: 4 };

/** A roomy unified level; shared by the machine unless the test says otherwise. */
export const roomyLevel = (name: string, spec: Partial<LevelSpec> = {}): LevelSpec => ({
  ...ROOMY,
  level: name,
  per: "machine",
  ...spec,
});

/**
 * The machine of a test that says only what it is about: one core with a roomy L1D, no L1I and no L2, MESI, MMU and
 * caches on, 1 MiB of RAM, unless the test says otherwise.
 */
export const machine = (spec: Partial<MachineSpec> = {}): ResolvedMachine =>
  buildMachine({ cores: 1, protocol: "mesi", l1d: ROOMY, ...spec });

/** The machine that a description means. Throws where the description breaks D2 of docs/semantics.md. */
export function buildMachine(spec: MachineSpec): ResolvedMachine {
  const sockets = spec.sockets ?? 1;
  if (spec.cores % sockets !== 0) throw new Error(`${spec.cores} cores do not spread over ${sockets} sockets`);
  const coresPerSocket = spec.cores / sockets;
  const clusterSize = Math.min(spec.cluster ?? coresPerSocket, coresPerSocket);
  const clustersPerSocket = Math.ceil(coresPerSocket / clusterSize);
  const socketOf = (core: number) => Math.floor(core / coresPerSocket);
  const clusterOf = (core: number) =>
    socketOf(core) * clustersPerSocket + Math.floor((core % coresPerSocket) / clusterSize);
  const coreIds = Array.from({ length: spec.cores }, (_, core) => core);

  // Outermost first, so that a cache's parents exist when it is made; `outwards[core][home]` is the cache met next.
  const drafts: Draft[] = [];
  const outwards: (Draft | undefined)[][] = coreIds.map(() => new Array(sockets).fill(undefined));
  const levels = spec.levels ?? [];
  for (let index = levels.length - 1; index >= 0; index--) {
    const level = levels[index] as LevelSpec;
    const home = level.placement === "home";
    const groupOf = (core: number) =>
      level.per === "core"
        ? core
        : level.per === "cluster"
          ? clusterOf(core)
          : level.per === "socket"
            ? socketOf(core)
            : 0;
    const groups = home ? Array.from({ length: sockets }, (_, socket) => socket) : [...new Set(coreIds.map(groupOf))];
    const made = groups.map((group): Draft => {
      const members = home ? coreIds : coreIds.filter((core) => groupOf(core) === group);
      return {
        level: level.level,
        depth: index + 2,
        holds: "unified",
        spec: level,
        cores: members,
        socket: home ? group : socketOf(members[0] as number),
        parents: [...(outwards[members[0] as number] as (Draft | undefined)[])],
      };
    });
    for (const core of coreIds) {
      for (let homeSocket = 0; homeSocket < sockets; homeSocket++) {
        (outwards[core] as (Draft | undefined)[])[homeSocket] = home
          ? made[homeSocket]
          : made.find((draft) => draft.cores.includes(core));
      }
    }
    drafts.unshift(...made);
  }
  const firstLevel: Draft[] = [];
  const cores: { l1i: Draft | undefined; l1d: Draft | undefined }[] = coreIds.map((core) => {
    const make = (level: string, holds: Contents, from: MachineSpec["l1i"]): Draft | undefined => {
      const chosen = Array.isArray(from) ? from[core % from.length] : from;
      if (chosen === undefined || chosen === null) return undefined;
      const draft: Draft = {
        level,
        depth: 1,
        holds,
        spec: chosen,
        cores: [core],
        socket: socketOf(core),
        parents: outwards[core] as (Draft | undefined)[],
      };
      firstLevel.push(draft);
      return draft;
    };
    return { l1i: make("L1I", "instructions", spec.l1i), l1d: make("L1D", "data", spec.l1d) };
  });
  drafts.unshift(...firstLevel);

  const idOf = (draft: Draft | undefined) => (draft === undefined ? -1 : drafts.indexOf(draft));
  const caches = drafts.map((draft, id) =>
    finish(id, draft.level, draft.depth, draft.holds, draft.spec, draft.cores, draft.socket, draft.parents.map(idOf)),
  );
  checkLines(caches);
  checkFirstCaches(coreIds.map((core) => cores[core]?.l1d ?? outwards[core]?.[0]));
  const behind = (level: string, kind: "outer" | "memory-side", cache: CacheSpec, id: number, socket: number) => ({
    ...finish(id, level, levels.length + 2, "unified", cache, coreIds, socket, new Array(sockets).fill(-1)),
    kind,
    setWay: false,
  });
  const outer = spec.outer === undefined ? undefined : behind("outer", "outer", spec.outer, caches.length, 0);
  const memorySide: Cache[] = [];
  if (spec.memorySide !== undefined) {
    const one = behind("memory-side", "memory-side", spec.memorySide, caches.length + 1, 0);
    for (let socket = 0; socket < sockets; socket++) {
      memorySide.push(
        spec.memorySide.per === "machine" || socket === 0
          ? one
          : behind("memory-side", "memory-side", spec.memorySide, caches.length + 1 + socket, socket),
      );
    }
  }
  const lines = [...caches, ...(outer ? [outer] : []), ...memorySide].map((cache) => cache.lineBytes);
  return {
    name: "test",
    sockets,
    protocol: spec.protocol ?? "moesi",
    cores: coreIds.map(
      (id): Core => ({
        id,
        socket: socketOf(id),
        cluster: clusterOf(id),
        l1i: idOf(cores[id]?.l1i),
        l1d: idOf(cores[id]?.l1d),
        unifiedBySocket: (outwards[id] as (Draft | undefined)[]).map(idOf),
      }),
    ),
    caches,
    outer,
    outerSharedOverride: spec.outerSharedOverride ?? false,
    memorySide,
    memory: (spec.memory ?? [{ base: 0, size: 0x10_0000 }]).map(
      (region): MemoryRegion => ({
        base: region.base,
        sizeBytes: region.size,
        socket: region.socket ?? 0,
        type: region.type ?? "ram",
      }),
    ),
    devices: (spec.devices ?? []).map(
      (each, index): Device => ({
        name: `device${index}`,
        requester: spec.cores + index,
        coherent: each.coherent ?? false,
        socket: each.socket ?? 0,
        allocate: each.allocate ?? (levels.some((level) => level.kind === "system") ? "system" : "memory"),
      }),
    ),
    directory: spec.directory,
    cacheability: spec.cacheability ?? "wb-only",
    ncLookup: spec.ncLookup ?? false,
    ncSnoops: spec.ncSnoops ?? false,
    ncAtomics: spec.ncAtomics ?? "fault",
    invalidateCleans: spec.invalidateCleans ?? false,
    dic: spec.dic ?? false,
    idc: spec.idc ?? false,
    zvaBytes: spec.zva ?? 64,
    initialSctlr: spec.sctlr ?? SCTLR_ALL_ON,
    tlb: spec.tlb ?? { micro: 4, entries: 16, ways: 2, walk: 4, ipa: 4 },
    walker: spec.walker ?? "l1",
    seed: spec.seed ?? 0,
    latencies: LATENCIES,
    smallestLineBytes: lines.length === 0 ? DEFAULT_LINE : Math.min(...lines),
    largestLineBytes: lines.length === 0 ? DEFAULT_LINE : Math.max(...lines),
    aarch32: "none",
  };
}

function finish(
  id: number,
  level: string,
  depth: number,
  holds: Contents,
  spec: CacheSpec & Partial<LevelSpec>,
  cores: readonly number[],
  socket: number,
  parentBySocket: readonly number[],
): Cache {
  const inclusionOfData = spec.data ?? "nine";
  const kind = spec.kind ?? "architected";
  return {
    id,
    level,
    depth,
    holds,
    kind,
    sets: spec.sets,
    ways: spec.ways,
    lineBytes: spec.line ?? DEFAULT_LINE,
    replacement: spec.replacement ?? "lru",
    writePolicy: spec.write ?? "back",
    allocate: spec.allocate ?? "read-write",
    inclusionOfData,
    inclusionOfInstructions: spec.instructions ?? "nine",
    writebackTouches: spec.touches ?? inclusionOfData !== "inclusive",
    setWay: kind === "architected" && holds !== "instructions" && (spec.setWay ?? true),
    latencyCycles: spec.latency ?? depth * 4,
    ...(spec.prefetcher ? { prefetcher: spec.prefetcher } : {}),
    cores,
    socket,
    parentBySocket,
  };
}

/**
 * All cores have an L1D or none has: a hit in the first cache of a path asks no peers (D9), so that cache must not have
 * other cores' L1Ds inside. A level that is exclusive of data has data caches inside, since nothing else fills it (D13).
 */
function checkFirstCaches(first: readonly (Draft | undefined)[]): void {
  if (new Set(first.map((draft) => draft?.holds)).size > 1)
    throw new Error("some cores have an L1D and others have not");
  if (first.some((draft) => draft?.spec.data === "exclusive"))
    throw new Error("an exclusive level has no data cache inside");
}

/** D2: lines never get smaller outwards, equal depth means equal line, exclusive levels have the line of what is inside. */
function checkLines(caches: readonly Cache[]): void {
  for (const cache of caches) {
    for (const other of caches) {
      if (cache.depth === other.depth && cache.holds !== "instructions" && other.holds !== "instructions") {
        if (cache.lineBytes !== other.lineBytes) throw new Error("caches of equal depth need equal lines (D2)");
      }
    }
    for (const parentId of cache.parentBySocket) {
      const parent = caches[parentId];
      if (parent === undefined) continue;
      if (parent.lineBytes < cache.lineBytes) throw new Error(`line of cache ${parent.id} is smaller than inside (D2)`);
      if (
        parent.inclusionOfData === "exclusive" &&
        cache.holds !== "instructions" &&
        parent.lineBytes !== cache.lineBytes
      ) {
        throw new Error(`cache ${parent.id} is exclusive of data and its line is not that of cache ${cache.id} (D2)`);
      }
    }
  }
}
