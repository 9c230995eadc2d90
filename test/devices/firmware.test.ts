/** What does a system conclude about a device's DMA from each description, and is that the truth? */
import { describe, expect, it } from "vitest";
import { concludeAll, concludeDma, type DeviceTreeNode, type Firmware, lieOf } from "../../src/devices/index.ts";

const tree = (...children: DeviceTreeNode[]): Firmware => ({ kind: "device tree", root: { name: "/", children } });

describe("device tree (of_dma_is_coherent)", () => {
  it.each([
    ["nothing said", tree({ name: "nic" }), "maintain"],
    ["on the node", tree({ name: "nic", "dma-coherent": true }), "coherent"],
    ["on a parent", tree({ name: "bus", "dma-coherent": true, children: [{ name: "nic" }] }), "coherent"],
    [
      "taken back below a coherent bus",
      tree({ name: "bus", "dma-coherent": true, children: [{ name: "nic", "dma-noncoherent": true }] }),
      "maintain",
    ],
    [
      "by the DMA parent, not the parent",
      tree({ name: "bus", children: [{ name: "nic", dmaParent: "smmu" }] }, { name: "smmu", "dma-coherent": true }),
      "coherent",
    ],
    ["a loop of DMA parents", tree({ name: "a", dmaParent: "nic" }, { name: "nic", dmaParent: "a" }), "maintain"],
    ["an architecture that assumes coherence", { ...tree({ name: "nic" }), defaultCoherent: true }, "coherent"],
  ] as const)("%s", (_, firmware, conclusion) => {
    expect(concludeDma(firmware as Firmware, "nic").conclusion).toBe(conclusion);
  });

  it("names the nearest device where there is none of that name", () => {
    expect(() => concludeDma(tree({ name: "ethernet" }), "etherent")).toThrow(/did you mean ethernet\?/);
  });
});

describe("ACPI", () => {
  const acpi = (parent: 0 | 1 | undefined, own: 0 | 1 | undefined): Firmware => ({
    kind: "acpi",
    devices: [
      {
        name: "PCI0",
        ...(parent === undefined ? {} : { _CCA: parent }),
        children: [{ name: "nic", ...(own === undefined ? {} : { _CCA: own }) }],
      },
    ],
  });

  it.each([
    [undefined, undefined, "DMA unsupported"],
    [undefined, 1, "coherent"],
    [undefined, 0, "maintain"],
    [1, undefined, "coherent"],
    [0, undefined, "maintain"],
    // acpi_init_coherency: an ancestor's _CCA wins.
    [1, 0, "coherent"],
    [0, 1, "maintain"],
  ] as const)("_CCA %s above, %s on the device: %s", (parent, own, conclusion) => {
    expect(concludeDma(acpi(parent, own), "nic").conclusion).toBe(conclusion);
  });

  it.each([
    [1, 1, 1, "coherent"],
    [1, 1, 0, "SMMU override"],
    [1, 0, 0, "maintain"],
    [1, 0, 1, "maintain"],
    [0, 0, 0, "maintain"],
    [0, 1, 1, "maintain"],
  ] as const)("IORT CCA=%i CPM=%i DACS=%i: %s, which Linux doesn't look at", (cca, cpm, dacs, conclusion) => {
    const firmware = { ...acpi(1, undefined), iort: [{ name: "PCI0", cca, cpm, dacs }] } as Firmware;
    expect(concludeDma(firmware, "nic", { reader: "iort" }).conclusion).toBe(conclusion);
    expect(concludeDma(firmware, "nic").conclusion).toBe("coherent");
  });

  it("concludes for every device", () => {
    expect(concludeAll(acpi(1, undefined)).map(({ device }) => device)).toEqual(["PCI0", "nic"]);
  });
});

describe("lies", () => {
  it.each([
    ["coherent", true, false, "none"],
    ["coherent", false, false, "called coherent"],
    ["coherent", false, true, "called coherent"],
    ["SMMU override", false, true, "none"],
    ["SMMU override", false, false, "called coherent"],
    ["maintain", false, false, "none"],
    ["maintain", true, false, "called non-coherent"],
    ["DMA unsupported", true, false, "called incapable"],
  ] as const)("%s, hardware coherent %s, overridden %s: %s", (conclusion, coherent, overridden, lie) => {
    expect(lieOf(conclusion, { coherent, overridden })).toBe(lie);
  });
});
