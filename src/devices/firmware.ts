/**
 * What firmware tells an operating system about the coherence of each bus master, in a device tree or in ACPI, and what
 * the system concludes from it. What the hardware does is another matter (the machine's devices): both can be told apart,
 * so that a description can lie in either direction (arm-facts D).
 * Sources: Linux 6.12 drivers/of/address.c:of_dma_is_coherent, drivers/acpi/scan.c:acpi_init_coherency and
 * acpi_get_dma_attr, include/acpi/actbl2.h (IORT memory access properties).
 */
import { SetwayError } from "../engine/errors.ts";
import { nearestWord } from "../machine/nearest.ts";

/** A device tree as plain objects; names are those of nodes, properties those that matter here. */
export interface DeviceTreeNode {
  readonly name: string;
  readonly "dma-coherent"?: boolean;
  readonly "dma-noncoherent"?: boolean;
  /** The node that its DMA goes through, by name, where that isn't its parent (`interconnects` with `dma-mem`). */
  readonly dmaParent?: string;
  readonly children?: readonly DeviceTreeNode[];
}

/** An ACPI namespace as plain objects. */
export interface AcpiDevice {
  readonly name: string;
  /** `_CCA`: 1 coherent, 0 not; absent: the object isn't there. */
  readonly _CCA?: 0 | 1;
  readonly children?: readonly AcpiDevice[];
}

/** IORT memory access properties of a node: a root complex or a named component. */
export interface IortNode {
  readonly name: string;
  /** Cache coherency attribute: 1 coherent. */
  readonly cca: 0 | 1;
  /** Coherent path to memory: the device's transactions can snoop. */
  readonly cpm: 0 | 1;
  /** Device attributes are cacheable and inner-shareable: they do snoop, as they are. */
  readonly dacs: 0 | 1;
}

export type Firmware =
  | { readonly kind: "device tree"; readonly root: DeviceTreeNode; readonly defaultCoherent?: boolean }
  | { readonly kind: "acpi"; readonly devices: readonly AcpiDevice[]; readonly iort?: readonly IortNode[] };

/** What an operating system does about a device's DMA. */
export type DmaConclusion =
  /** Nothing: its transactions snoop. */
  | "coherent"
  /** Nothing, once the SMMU makes its transactions cacheable and inner-shareable. */
  | "SMMU override"
  /** Clean and invalidate around each transfer. */
  | "maintain"
  /** It doesn't let the device do DMA at all. */
  | "DMA unsupported";

export interface Conclusion {
  readonly device: string;
  readonly conclusion: DmaConclusion;
  /** Which fact decided, in words. */
  readonly because: string;
}

export interface ReaderOptions {
  /**
   * `linux`: arm64 Linux 6.12, which goes by `_CCA` alone and never reads CPM and DACS. `iort`: a system that follows the
   * IO Remapping Table to the letter.
   */
  readonly reader?: "linux" | "iort";
}

/** What a system concludes about one device. Throws a usage error, with the nearest name, where firmware doesn't know it. */
export function concludeDma(firmware: Firmware, device: string, options: ReaderOptions = {}): Conclusion {
  if (firmware.kind === "device tree") return fromDeviceTree(firmware.root, firmware.defaultCoherent ?? false, device);
  return fromAcpi(firmware.devices, firmware.iort ?? [], device, options.reader ?? "linux");
}

/** What a system concludes about every device that firmware names, in its order. */
export function concludeAll(firmware: Firmware, options: ReaderOptions = {}): readonly Conclusion[] {
  return namesOf(firmware).map((name) => concludeDma(firmware, name, options));
}

export type Lie =
  /** The description is true. */
  | "none"
  /** The device snoops, and the system maintains: slow, and IVAC can discard what the device wrote (arm-facts E.13). */
  | "called non-coherent"
  /** The device doesn't snoop, and the system doesn't maintain: stale data. */
  | "called coherent"
  /** The device could do DMA and isn't let. */
  | "called incapable";

/** Compares what a system concluded with what the hardware is; `overridden`: an SMMU makes the path coherent if asked. */
export function lieOf(
  conclusion: DmaConclusion,
  hardware: { readonly coherent: boolean; readonly overridden?: boolean },
): Lie {
  if (conclusion === "DMA unsupported") return "called incapable";
  if (conclusion === "maintain") return hardware.coherent ? "called non-coherent" : "none";
  const snoops = hardware.coherent || (conclusion === "SMMU override" && hardware.overridden === true);
  return snoops ? "none" : "called coherent";
}

interface Found<Node> {
  readonly node: Node;
  /** Parents, nearest first. */
  readonly ancestors: readonly Node[];
}

interface Tree<Node> {
  readonly name: string;
  readonly children?: readonly Node[];
}

function find<Node extends Tree<Node>>(
  nodes: readonly Node[],
  name: string,
  ancestors: readonly Node[] = [],
): Found<Node> | undefined {
  for (const node of nodes) {
    if (node.name === name) return { node, ancestors };
    const below = find(node.children ?? [], name, [node, ...ancestors]);
    if (below !== undefined) return below;
  }
  return undefined;
}

function names<Node extends Tree<Node>>(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => [node.name, ...names(node.children ?? [])]);
}

const namesOf = (firmware: Firmware): string[] =>
  firmware.kind === "device tree" ? names(firmware.root.children ?? []) : names(firmware.devices);

function findOrThrow<Node extends Tree<Node>>(nodes: readonly Node[], name: string): Found<Node> {
  const found = find(nodes, name);
  if (found !== undefined) return found;
  const known = names(nodes);
  throw new SetwayError("usage", "firmware doesn't describe this device", {
    found: name,
    expected: known.join(", "),
    nearest: nearestWord(name, known),
  });
}

/** of_dma_is_coherent(): the first node with either property on the way through DMA parents decides. */
function fromDeviceTree(root: DeviceTreeNode, defaultCoherent: boolean, device: string): Conclusion {
  const seen = new Set<string>();
  for (let at: Found<DeviceTreeNode> | undefined = findOrThrow([root], device); at !== undefined; ) {
    const { node, ancestors }: Found<DeviceTreeNode> = at;
    // A loop of DMA parents would keep a real kernel searching; here it ends the search.
    if (seen.has(node.name)) break;
    seen.add(node.name);
    const whose = node.name === device ? "its node" : node.name;
    if (node["dma-coherent"]) return { device, conclusion: "coherent", because: `dma-coherent on ${whose}` };
    if (node["dma-noncoherent"]) return { device, conclusion: "maintain", because: `dma-noncoherent on ${whose}` };
    const parent: string | undefined = node.dmaParent ?? ancestors[0]?.name;
    at = parent === undefined ? undefined : findOrThrow([root], parent);
  }
  return defaultCoherent
    ? { device, conclusion: "coherent", because: "nothing says otherwise, and this architecture assumes coherence" }
    : { device, conclusion: "maintain", because: "no dma-coherent on its node or any DMA ancestor" };
}

/** acpi_init_coherency(): the outermost ancestor with a _CCA wins; without one arm64 allows no DMA. */
function fromAcpi(
  devices: readonly AcpiDevice[],
  iort: readonly IortNode[],
  device: string,
  reader: "linux" | "iort",
): Conclusion {
  const { node, ancestors } = findOrThrow(devices, device);
  const chain = [node, ...ancestors];
  const said = chain.filter((each) => each._CCA !== undefined).at(-1);
  if (said === undefined) {
    return { device, conclusion: "DMA unsupported", because: "no _CCA on it or above it, which arm64 requires" };
  }
  const whose = said.name === device ? "" : ` of ${said.name}`;
  const byCca = said._CCA === 1;
  if (reader === "linux") {
    return { device, conclusion: byCca ? "coherent" : "maintain", because: `_CCA${whose} is ${said._CCA}` };
  }
  const properties = chain
    .map((each) => iort.find(({ name }) => name === each.name))
    .find((each) => each !== undefined);
  if (properties === undefined) {
    return {
      device,
      conclusion: byCca ? "coherent" : "maintain",
      because: `_CCA${whose} is ${said._CCA}; no IORT node`,
    };
  }
  const because = `IORT ${properties.name}: CCA=${properties.cca} CPM=${properties.cpm} DACS=${properties.dacs}`;
  // CCA without a coherent path contradicts itself; only maintenance is right on every hardware.
  if (properties.cca === 0 || properties.cpm === 0) return { device, conclusion: "maintain", because };
  return { device, conclusion: properties.dacs === 1 ? "coherent" : "SMMU override", because };
}
