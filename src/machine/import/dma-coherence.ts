/** Which nodes of a device tree are DMA masters, and whether they snoop: the search that Linux's of_dma_is_coherent makes. */
import { baseName, cell, cells, type DeviceTreeNode, pathOf, strings, text } from "./device-tree.ts";

/** Generic node names (Devicetree Specification 2.2.2 and common bindings) of what reads or writes memory by itself. */
const MASTER_NAMES: ReadonlySet<string> = new Set([
  "crypto",
  "display",
  "dma",
  "dma-controller",
  "ethernet",
  "gpu",
  "hdlcd",
  "lcd-controller",
  "lcdif",
  "mmc",
  "nand-controller",
  "npu",
  "pcie",
  "pci",
  "sata",
  "sdhci",
  "ufs",
  "ufshc",
  "usb",
  "video-codec",
  "virtio",
  "virtio_mmio",
  "vop",
  "xhci",
]);

/** Real ways are shorter than ten. */
const MAX_HOPS = 256;

/** A node that says how it is coherent, is behind an IOMMU, is a PCI host, or bears the name of such a device. */
export function isDmaMaster(node: DeviceTreeNode): boolean {
  if (!node.properties.has("compatible")) return false;
  const compatible = strings(node, "compatible");
  // A bus passes on what it says; its children are the masters.
  if (compatible.some((word) => word === "simple-bus" || word === "simple-mfd")) return false;
  const says = ["dma-coherent", "dma-noncoherent", "iommus", "iommu-map"].some((name) => node.properties.has(name));
  if (says || text(node, "device_type") === "pci") return true;
  return node.properties.has("reg") && (MASTER_NAMES.has(baseName(node)) || compatible.includes("virtio,mmio"));
}

/**
 * From the node towards the root along the way of its DMA: the first node that says `dma-coherent` or `dma-noncoherent`
 * decides; where none does, Arm's default is non-coherent.
 */
export function dmaCoherence(
  node: DeviceTreeNode,
  byPhandle: ReadonlyMap<number, DeviceTreeNode>,
): { coherent: boolean; because: string } {
  const seen = new Set<DeviceTreeNode>();
  let at: DeviceTreeNode | undefined = node;
  while (at !== undefined && !seen.has(at) && seen.size < MAX_HOPS) {
    seen.add(at);
    const where = at === node ? "" : ` of ${pathOf(at)}`;
    if (at.properties.has("dma-coherent")) return { coherent: true, because: `dma-coherent${where}` };
    if (at.properties.has("dma-noncoherent")) return { coherent: false, because: `dma-noncoherent${where}` };
    at = dmaParent(at, byPhandle);
  }
  return { coherent: false, because: "no dma-coherent on it or above" };
}

/** An interconnect named `dma-mem`, else the parent node. */
function dmaParent(node: DeviceTreeNode, byPhandle: ReadonlyMap<number, DeviceTreeNode>): DeviceTreeNode | undefined {
  const index = strings(node, "interconnect-names").indexOf("dma-mem");
  const specifiers = index < 0 ? undefined : cells(node, "interconnects");
  if (specifiers === undefined) return node.parent;
  let at = 0;
  for (let entry = 0; at < specifiers.length; entry++) {
    const target = byPhandle.get(specifiers[at]!);
    if (target === undefined) break;
    if (entry === index) return target;
    at += 1 + Math.min(cell(target, "#interconnect-cells") ?? 0, 16);
  }
  return node.parent;
}
