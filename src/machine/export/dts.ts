/**
 * A machine as device tree source that `dtc` compiles: processors, caches, memory, and devices with `dma-coherent`. It
 * describes; nothing boots from it.
 */
import { coreModel } from "../import/core-models.ts";
import type { Cache, Core, ResolvedMachine } from "../resolved.ts";

export function deviceTreeSource(machine: ResolvedMachine): string {
  const caches = machine.caches.filter(({ depth }) => depth > 1);
  const notes = notesOn(machine);
  return [
    "/dts-v1/;",
    "",
    `/* ${printable(machine.name).replaceAll("*/", "* /")}, written by setway. */`,
    ...notes.map((note) => `/* Not said here: ${note}. */`),
    "",
    "/ {",
    `\tmodel = ${quoted(machine.name)};`,
    `\tcompatible = ${quoted(`setway,${word(machine.name)}`)};`,
    "\t#address-cells = <2>;",
    "\t#size-cells = <2>;",
    "",
    "\tcpus {",
    "\t\t#address-cells = <1>;",
    "\t\t#size-cells = <0>;",
    "",
    ...indent(cpuMap(machine), 2),
    ...machine.cores.flatMap((core) => ["", ...indent(cpuNode(core, machine), 2)]),
    ...caches.flatMap((cache) => ["", ...indent(cacheNode(cache, machine), 2)]),
    ...(machine.outer === undefined ? [] : ["", ...indent(outerNode(machine.outer), 2)]),
    "\t};",
    ...machine.memory
      .filter(({ type }) => type === "ram")
      .flatMap(({ base, sizeBytes, socket }) => {
        // A machine that uses every line number lacks its last line; memory comes in pages.
        const size = Math.ceil(sizeBytes / 4096) * 4096;
        return [
          "",
          `\tmemory@${base.toString(16)} {`,
          '\t\tdevice_type = "memory";',
          `\t\treg = <${wide(base)} ${wide(size)}>;`,
          ...nodeId(machine, socket).map((line) => `\t\t${line}`),
          "\t};",
        ];
      }),
    ...machine.devices.flatMap(({ name, coherent, socket }, index) => [
      "",
      `\tdevice-${index} {`,
      '\t\tcompatible = "setway,dma-master";',
      `\t\tlabel = ${quoted(name)};`,
      `\t\t${coherent ? "dma-coherent" : "dma-noncoherent"};`,
      ...nodeId(machine, socket).map((line) => `\t\t${line}`),
      "\t};",
    ]),
    "};",
    "",
  ].join("\n");
}

function notesOn(machine: ResolvedMachine): string[] {
  const { caches } = machine;
  return [
    ...(machine.memorySide.length > 0 ? ["the memory-side cache"] : []),
    ...(caches.some(({ inclusionOfData }) => inclusionOfData !== "nine")
      ? ["which levels are inclusive or exclusive"]
      : []),
    ...(caches.some(({ replacement }) => replacement !== "lru") ? ["replacement policies"] : []),
    ...(caches.some(({ depth, kind }) => depth > 2 || (depth === 2 && kind !== "architected"))
      ? ["which caches set/way reaches"]
      : []),
    ...(caches.some(({ parentBySocket }) => new Set(parentBySocket).size > 1) ? ["placement by home socket"] : []),
  ];
}

function cpuMap(machine: ResolvedMachine): string[] {
  const lines = ["cpu-map {"];
  for (let socket = 0; socket < machine.sockets; socket++) {
    const clusters = new Map<number, Core[]>();
    for (const core of machine.cores) {
      if (core.socket !== socket) continue;
      clusters.set(core.cluster, [...(clusters.get(core.cluster) ?? []), core]);
    }
    if (clusters.size === 0) continue;
    const inSocket = [...clusters.values()].flatMap((cores, cluster) => [
      `cluster${cluster} {`,
      ...cores.map(({ id }, index) => `\tcore${index} { cpu = <&cpu${id}>; };`),
      "};",
    ]);
    lines.push(...indent(machine.sockets > 1 ? [`socket${socket} {`, ...indent(inSocket, 1), "};"] : inSocket, 1));
  }
  return [...lines, "};"];
}

function cpuNode(core: Core, machine: ResolvedMachine): string[] {
  const compatible =
    core.model === undefined
      ? "arm,armv8"
      : coreModel(core.model) === undefined
        ? `setway,${word(core.model)}`
        : `arm,${core.model.toLowerCase()}`;
  const next = core.unifiedBySocket[core.socket] ?? -1;
  return [
    `cpu${core.id}: cpu@${core.id.toString(16)} {`,
    '\tdevice_type = "cpu";',
    `\tcompatible = ${quoted(compatible)};`,
    `\treg = <0x${core.id.toString(16)}>;`,
    ...geometry("i-cache", machine.caches[core.l1i]),
    ...geometry("d-cache", machine.caches[core.l1d]),
    ...nextLevel(next, machine),
    ...nodeId(machine, core.socket).map((line) => `\t${line}`),
    "};",
  ];
}

function cacheNode(cache: Cache, machine: ResolvedMachine): string[] {
  return [
    `cache${cache.id}: l${cache.depth}-cache-${cache.id} {`,
    '\tcompatible = "cache";',
    "\tcache-unified;",
    `\tcache-level = <${cache.depth}>;`,
    ...geometry("cache", cache),
    ...nextLevel(cache.parentBySocket[cache.socket] ?? -1, machine),
    "};",
  ];
}

const outerNode = (outer: Cache): string[] => [
  "outer: outer-cache {",
  '\tcompatible = "arm,pl310-cache";',
  "\tcache-unified;",
  `\tcache-level = <${outer.depth}>;`,
  ...geometry("cache", outer),
  "};",
];

function nextLevel(id: number, machine: ResolvedMachine): string[] {
  if (machine.caches[id] !== undefined) return [`\tnext-level-cache = <&cache${id}>;`];
  return machine.outer === undefined ? [] : ["\tnext-level-cache = <&outer>;"];
}

function geometry(prefix: string, cache: Cache | undefined): string[] {
  if (cache === undefined) return [];
  return [
    `\t${prefix}-size = <0x${(cache.sets * cache.ways * cache.lineBytes).toString(16)}>;`,
    `\t${prefix}-line-size = <${cache.lineBytes}>;`,
    `\t${prefix}-sets = <${cache.sets}>;`,
  ];
}

const nodeId = (machine: ResolvedMachine, socket: number): string[] =>
  machine.sockets > 1 ? [`numa-node-id = <${socket}>;`] : [];

const wide = (value: number): string =>
  `0x${Math.floor(value / 2 ** 32).toString(16)} 0x${(value % 2 ** 32).toString(16)}`;

const indent = (lines: readonly string[], tabs: number): string[] =>
  lines.map((line) => (line === "" ? "" : "\t".repeat(tabs) + line));

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");
const quoted = (text: string): string => `"${printable(text).replace(/[\\"]/g, "\\$&")}"`;
const word = (text: string): string => text.toLowerCase().replace(/[^a-z0-9.+-]+/g, "-") || "machine";
