/** What hwloc's XML export (`lstopo --of xml`) says of a machine, in the forms of its versions 1 and 2. */
import { MachineError } from "../../engine/errors.ts";
import type { Found, FoundCache, FoundCpu, FoundMemory } from "./found.ts";
import { elements, type XmlElement } from "./xml.ts";

const MAX_CPUS = 8192;

/** What stands around a processing unit. */
interface Around {
  readonly socket: number | undefined;
  readonly node: number | undefined;
  readonly core: string | undefined;
  readonly group: string | undefined;
  readonly model: string | undefined;
  /** Outermost first. */
  readonly caches: readonly { readonly level: number; readonly kind: string; readonly cache: FoundCache }[];
}

export function machineOfHwloc(file: string, topology: XmlElement): Found {
  const cpus: FoundCpu[] = [];
  const memory: FoundMemory[] = [];
  const infos = new Map<string, string>();
  const sockets = new Map<XmlElement, number>();
  const assumed: string[] = [];
  const left: string[] = [];
  let others = 0;

  const visit = (object: XmlElement, outside: Around): void => {
    const type = object.attributes.get("type") ?? "";
    let around = outside;
    const info = (name: string) =>
      elements(object, "info")
        .find((entry) => entry.attributes.get("name") === name)
        ?.attributes.get("value");
    if (type === "Machine") {
      for (const entry of elements(object, "info"))
        infos.set(entry.attributes.get("name") ?? "", entry.attributes.get("value") ?? "");
    } else if (type === "Package" || type === "Socket") {
      sockets.set(object, sockets.size);
      around = { ...around, socket: sockets.get(object), model: info("CPUModel") ?? around.model };
    } else if (type === "Core") around = { ...around, core: `core ${cpus.length}` };
    else if (type === "Group" || type === "Die") around = { ...around, group: `group at line ${object.line}` };
    else if (/^(L[1-9]i?Cache|Cache)$/.test(type))
      around = { ...around, caches: [...around.caches, cacheOf(file, object, type)] };
    else if (type === "MemCache") left.push("a memory-side cache");
    else if (type === "PU") {
      if (cpus.length >= MAX_CPUS) {
        throw new MachineError("too many processors", { file, line: object.line, expected: `${MAX_CPUS} at most` });
      }
      cpus.push(processorOf(object, around));
    } else if (/^(PCIDev|OSDev|Bridge|Misc)$/.test(type)) others++;
    // Version 2 hangs memory beside what it serves; version 1 puts what it serves inside.
    const node = nodeOf(file, object, type, memory) ?? besideOf(object);
    if (node !== undefined) around = { ...around, node };
    for (const next of elements(object, "object")) visit(next, around);
  };
  for (const object of elements(topology, "object")) {
    visit(object, {
      socket: undefined,
      node: undefined,
      core: undefined,
      group: undefined,
      model: undefined,
      caches: [],
    });
  }
  if (cpus.length === 0) {
    throw new MachineError("the topology has no processing units", {
      file,
      found: `<${topology.name}>`,
      expected: 'object type="PU"',
    });
  }
  if (others > 0) left.push("PCI and other devices: hwloc doesn't say which are coherent");
  return {
    format: "hwloc XML",
    files: [file],
    name: infos.get("DMIProductName") ?? infos.get("HostName"),
    architecture: infos.get("Architecture"),
    cpus,
    memory,
    devices: [],
    assumed,
    left,
  };
}

/** The NUMA node among an object's direct memory children. */
function besideOf(object: XmlElement): number | undefined {
  const beside = elements(object, "object").find(({ attributes }) => attributes.get("type") === "NUMANode");
  return beside === undefined ? undefined : natural(beside.attributes.get("os_index"));
}

/** Notes a NUMA node's memory, and says which node it is. */
function nodeOf(file: string, object: XmlElement, type: string, memory: FoundMemory[]): number | undefined {
  if (type !== "NUMANode" && !(type === "Machine" && object.attributes.has("local_memory"))) return undefined;
  const sizeBytes = natural(object.attributes.get("local_memory"));
  const node = natural(object.attributes.get("os_index"));
  if (object.attributes.has("local_memory") && sizeBytes === undefined) {
    throw new MachineError("not a size", {
      file,
      line: object.line,
      found: object.attributes.get("local_memory"),
      expected: "bytes",
    });
  }
  if (sizeBytes !== undefined && sizeBytes > 0) memory.push({ sizeBytes, node: type === "Machine" ? undefined : node });
  return type === "Machine" ? undefined : node;
}

function cacheOf(file: string, object: XmlElement, type: string): Around["caches"][number] {
  const attribute = (name: string) => natural(object.attributes.get(name));
  const level = attribute("depth") ?? Number(/^L([1-9])/.exec(type)?.[1] ?? Number.NaN);
  if (!Number.isInteger(level) || level < 1 || level > 9) {
    throw new MachineError("a cache without a level", {
      file,
      line: object.line,
      found: object.attributes.get("depth"),
      expected: "depth",
    });
  }
  const said = object.attributes.get("cache_type");
  const kind = said === "1" ? "data" : said === "2" || type.endsWith("iCache") ? "instructions" : "unified";
  const positive = (name: string) => {
    const value = attribute(name);
    // 0 is unknown, and -1 means fully associative.
    return value !== undefined && value > 0 ? value : undefined;
  };
  const inclusive = elements(object, "info")
    .find((entry) => entry.attributes.get("name") === "Inclusive")
    ?.attributes.get("value");
  const [sizeBytes, lineBytes] = [positive("cache_size"), positive("cache_linesize")];
  const fully =
    object.attributes.get("cache_associativity") === "-1" && sizeBytes !== undefined && lineBytes !== undefined;
  return {
    level,
    kind,
    cache: {
      id: `${type} at line ${object.line}, ${object.attributes.get("gp_index") ?? ""} ${object.attributes.get("cpuset") ?? ""}`,
      label: type,
      sizeBytes,
      lineBytes,
      ways: fully ? sizeBytes / lineBytes : positive("cache_associativity"),
      inclusion: inclusive === "1" ? "inclusive" : inclusive === "0" ? "nine" : undefined,
    },
  };
}

function processorOf(object: XmlElement, around: Around): FoundCpu {
  const inwards = [...around.caches].reverse();
  return {
    name: `PU ${object.attributes.get("os_index") ?? "?"}`,
    model: around.model,
    socket: around.socket,
    node: around.node,
    cluster: around.group,
    core: around.core,
    l1i: inwards.find(({ level, kind }) => level === 1 && kind === "instructions")?.cache,
    l1d: inwards.find(({ level, kind }) => level === 1 && kind !== "instructions")?.cache,
    unified: inwards
      .filter(({ level, kind }) => level > 1 && kind !== "instructions")
      .sort((a, b) => a.level - b.level)
      .map(({ cache }) => cache),
  };
}

function natural(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
