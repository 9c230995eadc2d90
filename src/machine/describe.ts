/** A machine in words: the lines of `setway machine show` and the one line of `setway machine list`. */
import { formatBytes } from "./quantity.ts";
import { type CoreRegisters, coreRegisters, levelsOfClidr } from "./registers.ts";
import { resolveMachine } from "./resolve.ts";
import type { Cache, Core, Device, Prefetcher, ResolvedMachine } from "./resolved.ts";
import type { MachineDescription } from "./schema.ts";

const PAGE_BYTES = 4096;

/** `8 cores, 1 socket; L1 48+32 KiB, L2 1 MiB, L3 8 MiB (system); MOESI`. */
export function summarizeMachine(machine: ResolvedMachine): string {
  const core = machine.cores[0]!;
  const { l1i, path } = pathOf(machine, core);
  const levels = path.map((cache) => `${cache.level} ${formatBytes(sizeOf(cache))}${kindNote(cache)}`);
  if (l1i !== undefined) levels.unshift(`L1I ${formatBytes(sizeOf(l1i))}`);
  if (machine.outer !== undefined) levels.push(`outer ${formatBytes(sizeOf(machine.outer))}`);
  if (machine.memorySide[0] !== undefined) levels.push(`memory-side ${formatBytes(sizeOf(machine.memorySide[0]))}`);
  const caches = levels.length === 0 ? "no caches" : levels.join(", ");
  return `${counted(machine.cores.length, "core")}, ${counted(machine.sockets, "socket")}; ${caches}; ${machine.protocol.toUpperCase()}`;
}

/** What a person wants to know of a machine, line by line. */
export function describeMachine(description: MachineDescription): string[] {
  const machine = resolveMachine(description);
  const about = description.about === undefined ? "" : `: ${description.about}`;
  return [
    `${machine.name}${about}`,
    "",
    "cores",
    ...indent(coreLines(machine)),
    "caches",
    ...indent(cacheLines(machine)),
    "memory",
    ...indent(machine.memory.map((region) => memoryLine(region, machine.sockets))),
    ...section("devices", machine.devices.map(deviceLine)),
    "maintenance",
    ...indent(maintenanceLines(machine)),
    ...registerLines(machine),
    "latencies, cycles",
    ...indent([latencyLine(machine)]),
    ...section("sources", sourceLines(description)),
  ];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...indent(lines)];
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
const sizeOf = (cache: Cache): number => cache.sets * cache.ways * cache.lineBytes;
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const kindNote = ({ kind }: Cache): string => (kind === "architected" ? "" : ` (${kind})`);

/** A core's caches as it meets them for memory of its own socket. */
function pathOf(machine: ResolvedMachine, core: Core): { l1i: Cache | undefined; path: Cache[] } {
  const path: Cache[] = [];
  const l1d = machine.caches[core.l1d];
  if (l1d !== undefined) path.push(l1d);
  let cache = machine.caches[core.unifiedBySocket[core.socket]!];
  while (cache !== undefined) {
    path.push(cache);
    cache = machine.caches[cache.parentBySocket[core.socket]!];
  }
  return { l1i: machine.caches[core.l1i], path };
}

// Cores

/** Cores that differ in nothing a program could see: the first of each kind, with how many there are. */
function kindsOfCore(machine: ResolvedMachine): { first: Core; count: number }[] {
  const kinds = new Map<string, { first: Core; count: number }>();
  for (const core of machine.cores) {
    const { l1i, path } = pathOf(machine, core);
    const caches = [l1i, ...path].map((cache) => cache && [cache.level, geometryText(cache), cache.setWay]);
    const key = JSON.stringify([core.model, caches, core.registers]);
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { first: core, count: 1 });
    else kind.count++;
  }
  return [...kinds.values()];
}

function coreLines(machine: ResolvedMachine): string[] {
  const clusters = new Set(machine.cores.map(({ cluster }) => cluster)).size;
  const models = kindsOfCore(machine).map(({ first, count }) =>
    first.model === undefined ? counted(count, "core") : `${count} ${first.model}`,
  );
  const aarch32 = { none: "no AArch32", el0: "AArch32 at EL0 only", all: "AArch32 at every level" }[machine.aarch32];
  const { fwb = false, ccidx = false } = machine.features ?? {};
  const yesNo = (value: boolean) => (value ? "yes" : "no");
  return [
    `${models.join(" + ")} in ${counted(clusters, "cluster")}, ${counted(machine.sockets, "socket")}; ${machine.protocol.toUpperCase()}`,
    `${aarch32}: ${machine.aarch32 === "all" ? "can" : "can't"} run a 32-bit kernel`,
    `effective IDC ${yesNo(machine.idc)}, DIC ${yesNo(machine.dic)}, FWB ${yesNo(fwb)}, CCIDX ${yesNo(ccidx)}`,
  ];
}

// The tree of caches, outermost first, alike branches once

function cacheLines(machine: ResolvedMachine): string[] {
  const lines: string[] = [];
  for (const [name, cache] of [
    ["memory-side", machine.memorySide[0]],
    ["outer", machine.outer],
  ] as const) {
    if (cache === undefined) continue;
    const instances = name === "outer" ? 1 : new Set(machine.memorySide).size;
    lines.push(`${times(instances)}${name}  ${geometryText(cache)}`);
  }
  const roots = machine.caches.filter((cache) => treeParent(machine, cache) === undefined);
  lines.push(...branchLines(machine, roots));
  return lines.length === 0 ? ["none"] : lines;
}

/** A home-placed parent is one a home; in the tree a cache hangs on that of its own socket. */
const treeParent = (machine: ResolvedMachine, cache: Cache): Cache | undefined =>
  machine.caches[cache.parentBySocket[cache.socket]!];

function branchLines(machine: ResolvedMachine, siblings: readonly Cache[]): string[] {
  const branches = new Map<string, { lines: string[]; count: number }>();
  for (const cache of siblings) {
    const children = machine.caches.filter((child) => child !== cache && treeParent(machine, child) === cache);
    const lines = [cacheText(machine, cache), ...indent(branchLines(machine, children))];
    const key = lines.join("\n");
    const branch = branches.get(key);
    if (branch === undefined) branches.set(key, { lines, count: 1 });
    else branch.count++;
  }
  return [...branches.values()].flatMap(({ lines: [first, ...rest], count }) => [`${times(count)}${first}`, ...rest]);
}

const times = (count: number): string => (count === 1 ? "" : `${count} x `);

function geometryText(cache: Cache): string {
  const policy = [
    cache.replacement,
    ...(cache.writePolicy === "through" ? ["write-through"] : []),
    ...(cache.allocate === "read-write" ? [] : [`allocates on ${cache.allocate} only`]),
    ...(cache.prefetcher === undefined ? [] : [prefetcherText(cache.prefetcher)]),
  ];
  return `${formatBytes(sizeOf(cache))}, ${counted(cache.ways, "way")} x ${counted(cache.sets, "set")} x ${cache.lineBytes} B, ${policy.join(", ")}, ${cache.latencyCycles} cycles`;
}

/** `stream prefetcher (degree 2, distance 8, 16 pages)`. */
function prefetcherText({ kind, degree, distance, entries }: Prefetcher): string {
  const pages = kind === "next-line" ? "" : `, ${counted(entries, "page")}`;
  return `${kind} prefetcher (degree ${degree}, distance ${distance}${pages})`;
}

function cacheText(machine: ResolvedMachine, cache: Cache): string {
  const home = machine.caches.some(
    ({ parentBySocket }) => parentBySocket.includes(cache.id) && new Set(parentBySocket).size > 1,
  );
  const { inclusionOfData: data, inclusionOfInstructions: instructions } = cache;
  const inclusion = data === instructions ? data : `L1D ${data}, L1I ${instructions}`;
  const notes = [
    ...(cache.depth === 1 ? [] : [inclusion]),
    ...(cache.kind === "architected" ? [] : [`${cache.kind} cache`]),
    ...(cache.kind === "architected" && cache.holds !== "instructions" && !cache.setWay ? ["not in CLIDR"] : []),
    ...(home ? ["placed by home socket"] : []),
    ...(cache.cores.length > 1 && !home ? [`${cache.cores.length} cores`] : []),
  ];
  return `${cache.level}  ${geometryText(cache)}${notes.length === 0 ? "" : `; ${notes.join("; ")}`}`;
}

// What else there is

function memoryLine(region: ResolvedMachine["memory"][number], sockets: number): string {
  const home = sockets === 1 ? "" : `, socket ${region.socket}`;
  const end = region.base + region.sizeBytes - 1;
  // Regions are whole pages, except where the last line has no number.
  const missing = (PAGE_BYTES - (region.sizeBytes % PAGE_BYTES)) % PAGE_BYTES;
  const size = `${formatBytes(region.sizeBytes + missing)}${missing === 0 ? "" : ` less ${missing} B`}`;
  return `${hex(region.base)}..${hex(end)}  ${size} ${region.type === "ram" ? "RAM" : "MMIO"}${home}`;
}

function deviceLine(device: Device): string {
  const landing = device.allocate === "system" ? "writes land in the system cache" : "writes land in memory";
  const coherence = device.coherent ? `coherent, ${landing}` : "not coherent: sees memory only";
  return `${device.name}  requester ${device.requester}, socket ${device.socket}; ${coherence}`;
}

/** What maintenance reaches from each kind of core, once where they are alike. */
function maintenanceLines(machine: ResolvedMachine): string[] {
  const byText = new Map<string, { lines: string[]; cores: string[] }>();
  for (const { first } of kindsOfCore(machine)) {
    const lines = reachLines(machine, first);
    const group = byText.get(lines.join("\n")) ?? { lines, cores: [] };
    group.cores.push(first.model ?? `core ${first.id}`);
    byText.set(lines.join("\n"), group);
  }
  const groups = [...byText.values()];
  const lines = groups.flatMap(({ lines, cores }) =>
    groups.length === 1 ? lines : lines.map((line) => `${cores.join(", ")}: ${line}`),
  );
  if (machine.outer !== undefined) {
    lines.push(
      "the outer cache stands behind the PoC, starts disabled, and obeys its own operations only, by PA and by way",
    );
  }
  if (machine.memorySide.length > 0) lines.push("the memory-side cache stands behind the PoC; software can't see it");
  if (machine.directory !== undefined) {
    const { sets, ways } = machine.directory;
    lines.push(`directory: ${counted(sets, "set")} x ${counted(ways, "way")} a socket; its evictions back-invalidate`);
  }
  return lines;
}

/** What set/way reaches and what it leaves, and where PoU and PoC are, in the words of R4 and R22. */
function reachLines(machine: ResolvedMachine, core: Core): string[] {
  const { path } = pathOf(machine, core);
  const reached = path.filter(({ setWay }) => setWay).map(({ level }) => level);
  const missed = path.filter(({ setWay }) => !setWay).map(({ level }) => level);
  const lines = [
    reached.length === 0
      ? "set/way reaches nothing"
      : `set/way reaches ${reached.join(", ")} of the executing core's path, nothing of other cores' own caches`,
  ];
  if (missed.length > 0) {
    lines.push(`set/way stops short of ${missed.join(", ")}: what it cleans stays there, before the PoC`);
  }
  const unified = path.find(({ holds }) => holds === "unified");
  const last = path.at(-1);
  const idc = machine.idc && last !== undefined ? " (no clean needed: effective IDC)" : "";
  lines.push(`PoU: ${unified === undefined ? "memory" : unified.level}${idc}`);
  lines.push(
    last === undefined ? "PoC: memory" : `PoC: memory; maintenance by VA reaches every cache up to ${last.level}`,
  );
  return lines;
}

function registerLines(machine: ResolvedMachine): string[] {
  return kindsOfCore(machine).flatMap(({ first }, _index, kinds) => {
    const title = kinds.length === 1 ? "registers" : `registers of ${first.model ?? `core ${first.id}`}`;
    return [title, ...indent(registersOf(coreRegisters(machine, first.id)))];
  });
}

function registersOf(registers: CoreRegisters): string[] {
  const { loc, louu, louis } = levelsOfClidr(registers.clidr);
  return [
    `CLIDR_EL1   ${hex(registers.clidr)}  LoC ${loc}, LoUU ${louu}, LoUIS ${louis}`,
    `CTR_EL0     ${hex(registers.ctr)}`,
    `DCZID_EL0   ${hex(registers.dczid)}`,
    ...registers.ccsidrs.map(({ level, instruction, csselr, value }) => {
      const name = level === 1 ? (instruction ? "L1I" : "L1D") : `L${level}`;
      return `CCSIDR_EL1  ${hex(value)}  ${name}, CSSELR_EL1 = ${hex(csselr)}`;
    }),
  ];
}

const latencyLine = ({ latencies }: ResolvedMachine): string =>
  Object.entries(latencies)
    .map(([event, cycles]) => `${event} ${cycles}`)
    .join(", ");

const sourceLines = (description: MachineDescription): string[] =>
  Object.entries(description.sources ?? {}).map(([key, source]) => `${key}: ${source}`);
