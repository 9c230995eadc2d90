/** A guest's own device tree: whether what a hypervisor emulates is described as coherent, which it always is. */
import { type DeviceTreeNode, isEnabled, pathOf, phandles, strings, walk } from "../machine/import/device-tree.ts";
import { dmaCoherence } from "../machine/import/dma-coherence.ts";
import { type Finding, finding } from "./finding.ts";

/** What hypervisors emulate and what does DMA. */
const MASTERS: readonly string[] = ["virtio,mmio", "pci-host-ecam-generic", "pci-host-cam-generic", "qemu,fw-cfg-mmio"];

/** Throws nothing: any tree can be looked at; what is not a guest's has no findings. */
export function lintDeviceTree(file: string, root: DeviceTreeNode, fwb: boolean): Finding[] {
  if (fwb) return [];
  const byPhandle = phandles(root);
  const nodes = [...walk(root)].filter(
    (node) => isEnabled(node) && strings(node, "compatible").some((word) => MASTERS.includes(word)),
  );
  return nodes
    .filter((node) => !dmaCoherence(node, byPhandle).coherent)
    .map((node) =>
      finding(
        "not-described-coherent",
        file,
        undefined,
        `${pathOf(node)} (${strings(node, "compatible")[0]}) without dma-coherent`,
      ),
    );
}
