/** What ACPI tables say of a machine: processors of the MADT, caches of the PPTT, nodes of the SRAT, devices of the IORT. */
import { MachineError } from "../../engine/errors.ts";
import {
  type AcpiTable,
  type MadtProcessor,
  type Pptt,
  type PpttCache,
  type PpttProcessor,
  READ_TABLES,
  readIort,
  readMadt,
  readPptt,
  readSrat,
  type Srat,
} from "./acpi-tables.ts";
import type { Found, FoundCache, FoundCpu } from "./found.ts";

/** Cache levels and processor groups nest this deep at most. */
const MAX_CHAIN = 32;
const MAX_CPUS = 8192;
/** Caches that one processor reaches; real ones reach about four. */
const MAX_CACHES = 64;

export function machineOfAcpi(files: readonly string[], tables: readonly AcpiTable[]): Found {
  const assumed: string[] = [];
  const left: string[] = [];
  const table = (signature: (typeof READ_TABLES)[number]): AcpiTable | undefined => {
    const all = tables.filter((candidate) => candidate.signature === signature);
    if (all.length > 1) {
      throw new MachineError(`two tables of one kind`, {
        file: all[1]!.reader.name,
        found: `${all.length} times ${signature}`,
        expected: "the tables of one machine",
      });
    }
    return all[0];
  };
  for (const { signature, checksumRight, reader } of tables) {
    if (!checksumRight) assumed.push(`${reader.name} is right although its checksum is not`);
    if (!(READ_TABLES as readonly string[]).includes(signature)) left.push(`the table ${signature}`);
  }
  const [pptt, madt, srat, iort] = [table("PPTT"), table("APIC"), table("SRAT"), table("IORT")];
  if (pptt === undefined && madt === undefined) {
    throw new MachineError("the tables name no processors", {
      file: files[0],
      found: tables.map(({ signature }) => signature).join(", ") || "no table",
      expected: "PPTT, or APIC (the MADT)",
    });
  }
  const affinity = srat === undefined ? undefined : readSrat(srat);
  const processors = madt === undefined ? undefined : readMadt(madt);
  const cpus =
    pptt === undefined
      ? cpusOfMadt(processors ?? [], affinity)
      : cpusOfPptt(pptt.reader.name, readPptt(pptt), processors, affinity, left);
  if (pptt === undefined) assumed.push("no PPTT was given, so nothing of the caches is known");
  const devices = (iort === undefined ? [] : readIort(iort)).map((device) => {
    if (device.cca && !(device.coherentPath && device.cacheableAttributes)) {
      assumed.push(`${device.name} is coherent although its flags leave it to the SMMU to make it so (IORT CPM, DACS)`);
    }
    return {
      name: device.name,
      coherent: device.cca,
      because: `IORT CCA ${device.cca ? 1 : 0}, CPM ${device.coherentPath ? 1 : 0}, DACS ${device.cacheableAttributes ? 1 : 0}`,
    };
  });
  if (iort !== undefined) left.push("devices' own _CCA in the DSDT: it is code, not a table");
  return {
    format: "ACPI tables",
    files,
    name: (pptt ?? madt)?.oemTableId,
    // Local APICs are of x86, as the interfaces of a GIC are of Arm.
    architecture: processors?.some(({ apicId }) => apicId !== undefined) ? "x86" : undefined,
    cpus,
    memory: affinity?.memory ?? [],
    devices,
    assumed,
    left,
  };
}

function cpusOfMadt(processors: readonly MadtProcessor[], affinity: Srat | undefined): FoundCpu[] {
  return processors
    .filter(({ enabled }) => enabled)
    .map((processor) => ({ name: `UID ${processor.uid}`, node: nodeOf(processor, affinity), unified: [] }));
}

const nodeOf = ({ uid, apicId }: MadtProcessor, affinity: Srat | undefined): number | undefined =>
  affinity?.nodeOfUid.get(uid) ?? (apicId === undefined ? undefined : affinity?.nodeOfApicId.get(apicId));

function cpusOfPptt(
  file: string,
  pptt: Pptt,
  processors: readonly MadtProcessor[] | undefined,
  affinity: Srat | undefined,
  left: string[],
): FoundCpu[] {
  const byUid = new Map(processors?.map((processor) => [processor.uid, processor]));
  const parents = new Set([...pptt.processors.values()].map(({ parent }) => parent));
  const leaves = [...pptt.processors.values()].filter((node) => !parents.has(node.offset));
  if (leaves.length > MAX_CPUS) {
    throw new MachineError("too many processors", { file, found: `${leaves.length}`, expected: `${MAX_CPUS} at most` });
  }
  const working = leaves.filter(({ uid }) => uid === undefined || byUid.size === 0 || byUid.get(uid)?.enabled === true);
  if (working.length < leaves.length)
    left.push(`processors that the MADT doesn't enable: ${leaves.length - working.length}`);
  const packages = new Map<number, number>();
  return working.map((leaf) => {
    const chain = chainOf(file, leaf, pptt);
    const socket = chain.find(({ isPackage }) => isPackage);
    if (socket !== undefined && !packages.has(socket.offset)) packages.set(socket.offset, packages.size);
    const cluster = chain.find((node) => !node.isLeaf && !node.isThread && node !== leaf);
    return {
      name: leaf.uid === undefined ? `processor at ${leaf.offset}` : `UID ${leaf.uid}`,
      socket: socket === undefined ? undefined : packages.get(socket.offset),
      node: leaf.uid === undefined ? undefined : nodeOf(byUid.get(leaf.uid) ?? noApic(leaf.uid), affinity),
      cluster: cluster === undefined || cluster === socket ? undefined : `${cluster.offset}`,
      core: leaf.isThread ? `${leaf.parent}` : undefined,
      ...cachesOf(file, chain, pptt),
    };
  });
}

const noApic = (uid: number): MadtProcessor => ({ uid, apicId: undefined, enabled: true });

/** A processor and the groups around it, innermost first. */
function chainOf(file: string, leaf: PpttProcessor, { processors }: Pptt): PpttProcessor[] {
  const chain: PpttProcessor[] = [];
  let node: PpttProcessor | undefined = leaf;
  while (node !== undefined) {
    if (chain.length > MAX_CHAIN) {
      throw new MachineError("processor groups go round in a circle", { file, offset: node.offset });
    }
    chain.push(node);
    if (node.parent === 0) break;
    const parent = processors.get(node.parent);
    if (parent === undefined) {
      throw new MachineError("a parent that is no processor", {
        file,
        offset: node.offset,
        found: `${node.parent}`,
        expected: "the offset of a processor hierarchy node, or 0",
      });
    }
    node = parent;
  }
  return chain;
}

/**
 * Levels as Linux counts them (drivers/acpi/pptt.c): each group's caches in turn, each with what follows it. A cache
 * structure may be named by many groups: each of them has one of its own.
 */
function cachesOf(
  file: string,
  chain: readonly PpttProcessor[],
  { caches }: Pptt,
): Pick<FoundCpu, "l1i" | "l1d" | "unified"> {
  let l1i: FoundCache | undefined;
  let l1d: FoundCache | undefined;
  const unified: FoundCache[] = [];
  const seen = new Set<string>();
  for (const group of chain) {
    for (const resource of group.resources) {
      let at = resource;
      for (let steps = 0; at !== 0; steps++) {
        const cache = caches.get(at);
        // A resource may be an ID structure, which says nothing here.
        if (cache === undefined) break;
        if (steps > MAX_CHAIN) throw new MachineError("caches go round in a circle", { file, offset: at });
        const id = `${group.offset}/${cache.offset}`;
        // Both halves of an L1 lead to one L2, and a group may repeat what a chain inside it has named.
        if (!seen.has(id)) {
          seen.add(id);
          if (seen.size > MAX_CACHES)
            throw new MachineError("too many caches around one processor", { file, offset: at });
          if (cache.holds === "instructions") l1i ??= foundCache(id, cache);
          else if (cache.holds === "data") l1d ??= foundCache(id, cache);
          else unified.push(foundCache(id, cache));
        }
        at = cache.next;
      }
    }
  }
  return { l1i, l1d, unified: withoutRepeats(unified) };
}

/** A level that a core's chain and the group around both name is the group's: it is shared. */
function withoutRepeats(unified: readonly FoundCache[]): FoundCache[] {
  const structure = ({ id }: FoundCache) => id.split("/")[1];
  return unified.filter(
    (cache, index) => !unified.slice(index + 1).some((later) => structure(later) === structure(cache)),
  );
}

const foundCache = (id: string, cache: PpttCache): FoundCache => ({
  id,
  label: `cache at ${cache.offset}`,
  sizeBytes: cache.sizeBytes,
  sets: cache.sets,
  ways: cache.ways,
  lineBytes: cache.lineBytes,
  write: cache.write,
  allocate: cache.allocate,
});
