/** Random small machines: every geometry, policy and option that a `MachineSpec` can say, within D1 and D2. */
import { type Inclusion, PREFETCHER_KINDS } from "../../src/machine/resolved.ts";
import type { Feature } from "./features.ts";
import type { CacheSpec, LevelSpec, MachineSpec } from "./machines.ts";
import { TRANSLATED_RAM_BYTES } from "./random-tables.ts";

/** The few draws that generators need; fast-check's source of random numbers stands behind it. */
export interface Draw {
  /** Uniform, both ends included. */
  int(from: number, to: number): number;
  chance(percent: number): boolean;
  pick<T>(from: readonly T[]): T;
}

export type Has = (feature: Feature) => boolean;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

type FirstLevel = NonNullable<MachineSpec["l1d"]> | null;

const RAM_BYTES = 0x4000;
const MMIO_BASE = 0x1000_0000;

export function randomMachine(draw: Draw, has: Has): MachineSpec {
  const spec = withoutPrefetchers(draw, has);
  return has("prefetchers") ? withPrefetchers(draw, spec) : spec;
}

/** The machine with prefetchers at some of the caches that may have one (D57); all of a level have the same. */
function withPrefetchers(draw: Draw, spec: MachineSpec): MachineSpec {
  const add = <C extends CacheSpec & Partial<LevelSpec>>(cache: C): C => {
    if (cache.allocate === "write" || cache.data === "exclusive" || draw.chance(40)) return cache;
    const kind = draw.pick(PREFETCHER_KINDS);
    const entries = kind === "next-line" ? 0 : draw.int(1, 3);
    return { ...cache, prefetcher: { kind, degree: draw.int(1, 4), distance: draw.int(1, 4), entries } };
  };
  const { l1d } = spec;
  const first = Array.isArray(l1d)
    ? l1d.map((each: CacheSpec | null) => each && add(each))
    : l1d && add(l1d as CacheSpec);
  return { ...spec, l1d: first ?? null, levels: (spec.levels ?? []).map(add) };
}

function withoutPrefetchers(draw: Draw, has: Has): MachineSpec {
  const sockets = has("sockets") ? draw.pick([2, 2, 3]) : 1;
  const coresPerSocket = sockets === 1 ? draw.pick([1, 2, 2, 3, 4, 6]) : draw.int(1, sockets === 2 ? 3 : 2);
  if (has("hosts") && draw.chance(40)) return hostMachine(draw, has, sockets, coresPerSocket);
  const lines = lineLadder(draw, has);
  const bare = has("shapes") && draw.chance(4);
  const firstLevelHas = (percent: number) => !has("shapes") || (!bare && draw.chance(percent));
  const levels = bare ? [] : unifiedLevels(draw, has, lines, sockets);
  const needed = levels.length === 0 || levels[0]?.data === "exclusive";
  const l1d = firstLevelHas(needed ? 100 : 92) ? firstLevel(draw, has, lines[0] as number, true) : null;
  const instructionLine = has("mixedlines")
    ? draw.pick([16, 32, 64, 128, 256].filter((line) => line <= (lines[Math.min(1, levels.length)] as number)))
    : (lines[0] as number);
  const l1i = has("fetch") && firstLevelHas(92) ? firstLevel(draw, has, instructionLine, false) : null;
  const spec: Writable<MachineSpec> = {
    cores: sockets * coresPerSocket,
    cluster: draw.int(1, coresPerSocket),
    protocol: draw.pick(["mesi", "moesi"] as const),
    l1i,
    l1d,
    levels,
    memory: memory(draw, has, sockets),
    seed: has("replacement") ? draw.int(0, 0xffff_ffff) : 0,
  };
  if (sockets > 1) spec.sockets = sockets;
  addOptions(draw, has, spec, sockets);
  const outermostLine = lines[levels.length] as number;
  const behindLine = has("mixedlines") && draw.chance(40) ? outermostLine * 2 : outermostLine;
  if (has("outer")) {
    spec.outer = { ...cache(draw, has, outermostLine, 4), ways: draw.int(1, 5) };
    spec.outerSharedOverride = draw.chance(30);
  }
  if (has("memoryside")) {
    spec.memorySide = { ...cache(draw, has, behindLine, 4), per: draw.pick(["socket", "machine"] as const) };
  }
  if (has("directory")) spec.directory = { sets: draw.pick([1, 2, 3, 4]), ways: draw.int(1, 4) };
  return spec;
}

/** What machines of all shapes may have besides caches. */
function addOptions(draw: Draw, has: Has, spec: Writable<MachineSpec>, sockets: number): void {
  if (has("devices")) {
    spec.devices = Array.from({ length: draw.int(1, 2) }, () => ({
      coherent: draw.chance(60),
      socket: draw.int(0, sockets - 1),
      allocate: draw.pick(["system", "memory"] as const),
    }));
  }
  if (has("split")) spec.cacheability = "split";
  if (has("nc")) {
    spec.ncLookup = draw.chance(50);
    spec.ncSnoops = draw.chance(50);
  }
  if (has("atomics")) spec.ncAtomics = draw.pick(["fault", "fail", "memory"] as const);
  if (has("setway") || has("maintenance")) spec.invalidateCleans = draw.chance(25);
  if (has("coherentfetch")) {
    spec.dic = draw.chance(60);
    spec.idc = draw.chance(60);
  }
  if (has("maintenance")) spec.zva = draw.pick([0, 16, 32, 64, 64, 128]);
  if (has("translation")) {
    const ways = draw.int(1, 3);
    spec.tlb = {
      micro: draw.int(0, 3),
      entries: draw.int(0, 4) * ways,
      ways,
      walk: draw.int(0, 3),
      ipa: draw.int(0, 3),
    };
    if (draw.chance(30)) spec.walker = "pou";
  }
  if (has("control")) spec.sctlr = draw.pick([0, 1, 4, 5, 5, 0x1000, 0x1001, 0x1004, 0x1005, 0x1005, 0x1005]);
}

/** The shape of servers, for which the kernel has ways of its own: cores alike, private L1s and an L2 that includes the L1D, one last level a socket. */
function hostMachine(draw: Draw, has: Has, sockets: number, coresPerSocket: number): MachineSpec {
  const line = draw.pick([16, 64]);
  const lru = (sets: readonly number[], ways: readonly number[]): CacheSpec => ({
    sets: draw.pick(sets),
    ways: draw.pick(ways),
    line,
  });
  const includes = () => draw.pick(["inclusive", "inclusive", "nine"] as const);
  const touches = draw.chance(20) ? { touches: draw.chance(50) } : {};
  const system = has("system") && draw.chance(70) ? { kind: "system" as const } : {};
  const spec: Writable<MachineSpec> = {
    cores: sockets * coresPerSocket,
    protocol: draw.pick(["mesi", "moesi"] as const),
    l1i: has("fetch") ? lru([2, 4], [1, 2, 3]) : null,
    l1d: lru([2, 4], [1, 2, 3]),
    levels: [
      { ...lru([2, 4], [2, 3, 4]), level: "L2", per: "core", data: "inclusive", instructions: includes(), ...touches },
      {
        ...lru([2, 4, 8], [2, 4, 6]),
        level: "L3",
        per: "socket",
        data: includes(),
        instructions: includes(),
        ...touches,
        ...system,
        ...(has("home") && sockets > 1 ? { placement: "home" as const } : {}),
      },
    ],
    memory: memory(draw, has, sockets),
    seed: 0,
  };
  if (sockets > 1) spec.sockets = sockets;
  addOptions(draw, has, spec, sockets);
  return spec;
}

/** Such a machine under MESI whose L2s and L3s include what is inside, so that buckets are played on sharers (assembly/sharers.ts). */
export function serverMachine(draw: Draw, has: Has): MachineSpec {
  const sockets = draw.pick([1, 2, 2, 3]);
  const host = hostMachine(draw, (feature) => feature !== "home" && has(feature), sockets, draw.int(1, 4));
  const ways = draw.int(1, 4);
  const [l2, l3] = host.levels as [LevelSpec, LevelSpec];
  const { idc: _idc, dic: _dic, ...rest } = host;
  const inclusive = { data: "inclusive", instructions: "inclusive" } as const;
  return {
    ...rest,
    protocol: "mesi",
    l1d: { ...(host.l1d as CacheSpec), ways },
    l1i: { ...(host.l1d as CacheSpec), sets: draw.pick([1, 2]), ways },
    levels: [
      { ...l2, ways: draw.pick([2, 4, 8]), ...inclusive },
      { ...l3, ways: draw.pick([2, 4, 8, 16]), ...inclusive, ...(draw.chance(30) ? { instructions: "nine" } : {}) },
    ],
  };
}

/** Line sizes of L1D and of each unified level, never smaller outwards (D2). */
function lineLadder(draw: Draw, has: Has): number[] {
  if (!has("mixedlines")) {
    const line = has("shapes") ? draw.pick([16, 32, 64, 64, 128]) : 64;
    return [line, line, line, line];
  }
  const ladder = [draw.pick([16, 32, 64])];
  while (ladder.length < 4) ladder.push(Math.min(256, (ladder.at(-1) as number) * draw.pick([1, 1, 2, 4])));
  return ladder;
}

function cache(draw: Draw, has: Has, line: number, most: number): CacheSpec {
  const spec: Writable<CacheSpec> = {
    sets: has("shapes") ? draw.int(1, most + 1) : draw.pick([1, 2, 4].filter((sets) => sets <= most)),
    ways: has("shapes") ? draw.int(1, most + 1) : draw.pick([1, 2, 4].filter((ways) => ways <= most)),
    line,
  };
  if (has("replacement")) spec.replacement = draw.pick(["lru", "tree-plru", "fifo", "random", "srrip"] as const);
  return spec;
}

function firstLevel(draw: Draw, has: Has, line: number, data: boolean): FirstLevel {
  const one = (): CacheSpec => {
    const spec: Writable<CacheSpec> = cache(draw, has, line, 2);
    if (data && has("policies")) addPolicies(draw, spec);
    return spec;
  };
  if (!has("shapes") || draw.chance(80)) return one();
  return [one(), !data && draw.chance(25) ? null : one()];
}

function addPolicies(draw: Draw, spec: Writable<CacheSpec>): void {
  if (draw.chance(30)) spec.write = "through";
  if (draw.chance(40)) spec.allocate = draw.pick(["read", "read", "write"] as const);
}

function unifiedLevels(draw: Draw, has: Has, lines: readonly number[], sockets: number): LevelSpec[] {
  const count = has("shapes") ? draw.pick([0, 1, 1, 2, 2, 3]) : draw.int(1, 2);
  const reach = ["core", "cluster", "socket", "machine"] as const;
  let nearest = 0;
  const levels: LevelSpec[] = [];
  for (let index = 0; index < count; index++) {
    const last = index === count - 1;
    // A level serves at least the cores that the level inside it serves; the last one mostly many.
    nearest = last && draw.chance(60) ? Math.max(nearest, draw.int(1, 3)) : draw.int(nearest, 3);
    const line = lines[index + 1] as number;
    const level: Writable<LevelSpec> = {
      ...cache(draw, has, line, 4),
      level: `L${index + 2}`,
      per: reach[nearest] as LevelSpec["per"],
    };
    if (has("shapes") && draw.chance(6)) level.ways = draw.int(17, 20);
    if (has("policies") && draw.chance(50)) addPolicies(draw, level);
    if (has("inclusion")) {
      const exclusivePossible = line === lines[index];
      const choices: Inclusion[] = exclusivePossible ? ["inclusive", "exclusive", "nine"] : ["inclusive", "nine"];
      level.data = draw.pick(choices);
      level.instructions = draw.pick(choices);
      if (draw.chance(30)) level.touches = draw.chance(50);
    }
    if (has("system")) {
      if (last && draw.chance(70)) level.kind = "system";
      else if (draw.chance(15)) level.setWay = false;
    }
    if (has("home") && last && sockets > 1) {
      level.per = "socket";
      level.placement = "home";
    }
    levels.push(level);
  }
  return levels;
}

function memory(draw: Draw, has: Has, sockets: number): NonNullable<MachineSpec["memory"]> {
  const regions: NonNullable<MachineSpec["memory"]>[number][] = [];
  const bytes = has("translation") ? TRANSLATED_RAM_BYTES : RAM_BYTES;
  for (let socket = 0; socket < sockets; socket++) {
    regions.push({ base: socket * bytes, size: bytes, ...(socket === 0 ? {} : { socket }) });
  }
  if (has("regions")) {
    const bases = [0x4000_0000, 0x9000_0000, 0x8_8000_0000, 0xff_0000_0000];
    for (let more = draw.int(1, 2); more > 0; more--) {
      const base = bases.splice(draw.int(0, bases.length - 1), 1)[0] as number;
      regions.push({ base, size: RAM_BYTES / 2, socket: draw.int(0, sockets - 1) });
    }
  }
  if (has("mmio")) regions.push({ base: MMIO_BASE, size: 0x1000, socket: draw.int(0, sockets - 1), type: "device" });
  return regions.sort((a, b) => a.base - b.base);
}
