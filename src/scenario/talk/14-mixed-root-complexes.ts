/** Root complexes of both kinds of coherence on one machine, the same driver on each, and firmware that tells the truth or lies. */
import { DmaApi } from "../../devices/dma-api.ts";
import { concludeDma, type Firmware } from "../../devices/firmware.ts";
import { defineStory } from "../story.ts";
import type { World } from "../world.ts";

const BYTES = 512;
const SOURCE =
  "The talk: there are machines with coherent and non-coherent DMA side by side, and a guest can only do right what " +
  "it is told: dma-coherent, _CCA, IORT's CCA, CPM and DACS (Linux drivers/of/address.c, drivers/acpi/scan.c; ACPI " +
  "IORT).";

/** What hardware there is, whatever firmware says. `gpu` snoops only where the SMMU makes its transactions cacheable. */
const DEVICES = [
  { name: "pcie", coherent: true },
  { name: "usb", coherent: false },
  { name: "gpu", coherent: false, smmu: true },
] as const;

/** The one driver: a buffer to the device, a buffer back; it maintains if the system has concluded that it must. */
function transfer(
  world: World<never> | World<string>,
  firmware: Firmware,
  device: string,
  reader: "linux" | "iort",
): void {
  const cpu = world.core(0);
  const { conclusion, because } = concludeDma(firmware, device, { reader });
  world.step(`${device}: the system concludes "${conclusion}" (${because})`);
  if (conclusion === "DMA unsupported") return;
  const dma = new DmaApi(cpu, { coherent: conclusion !== "maintain" });
  const port = conclusion === "SMMU override" ? world.device(device).throughSmmu() : world.device(device);
  const out = world.allocate(BYTES);
  const back = world.allocate(BYTES);
  cpu.fill(out, BYTES, 0x1111n);
  cpu.fill(back, BYTES, 0x2222n);
  dma.map(out, BYTES, "to-device");
  dma.map(back, BYTES, "from-device");
  world.step(`${device}: the device reads one buffer and fills the other`);
  world.tell("it reads", port.read(out, BYTES));
  port.write(back, 0x3333n, BYTES);
  dma.unmap(out, BYTES, "to-device");
  dma.unmap(back, BYTES, "from-device");
  world.step(`${device}: the driver reads what came back`);
  cpu.touch(back, BYTES);
  world.tell("it reads", cpu.load(back));
}

const deviceTree = (pcie: boolean, usb: boolean): Firmware => ({
  kind: "device tree",
  root: {
    name: "/",
    children: [
      { name: "pcie-bus", "dma-coherent": pcie, children: [{ name: "pcie" }] },
      { name: "usb-bus", "dma-coherent": usb, children: [{ name: "usb" }] },
    ],
  },
});

const mixed = defineStory({
  name: "mixed-root-complexes",
  number: 14,
  title: "one driver on a coherent and a non-coherent root complex, as the device tree describes them",
  source: SOURCE,
  machine: "juno",
  devices: DEVICES,
  fixes: {
    "coherent-is-called-so": "the device tree has dma-coherent on the root complex that snoops",
    "non-coherent-is-called-so": "the device tree has none on the one that doesn't",
  },
  variants: [
    ["coherent-is-called-so", "non-coherent-is-called-so"],
    ["non-coherent-is-called-so"],
    ["coherent-is-called-so"],
    [],
  ],
  expect: ({ has, machine }) => {
    if (!machine.caches) return [];
    // Maintaining a coherent device is only slow, unless what it wrote is still dirty in a system cache: DC IVAC drops it.
    const discarded = !has("coherent-is-called-so") && machine.systemCache;
    const stale = !has("non-coherent-is-called-so");
    return [
      ...(discarded || stale ? (["stale-read"] as const) : []),
      ...(discarded ? (["lost-write"] as const) : []),
      ...(stale ? (["stale-dma"] as const) : []),
    ];
  },
  play(world) {
    const firmware = deviceTree(world.has("coherent-is-called-so"), !world.has("non-coherent-is-called-so"));
    for (const device of ["pcie", "usb"]) transfer(world, firmware, device, "linux");
  },
});

const smmu = defineStory({
  name: "smmu-override",
  number: 14,
  title: "ACPI says CCA=1, CPM=1, DACS=0: coherent, once the SMMU overrides the attributes",
  source: SOURCE,
  machine: "seattle",
  devices: DEVICES,
  fixes: {
    iort: "the system reads CPM and DACS and lets the SMMU override the device's attributes",
    "cca-0": "firmware says _CCA = 0, so that the system maintains by VA",
  },
  expect: ({ has, machine }) => (has("iort") || has("cca-0") || !machine.caches ? [] : ["stale-dma", "stale-read"]),
  play(world) {
    const _CCA = world.has("cca-0") ? 0 : 1;
    const firmware: Firmware = {
      kind: "acpi",
      devices: [{ name: "PCI0", _CCA, children: [{ name: "gpu" }] }],
      iort: [{ name: "PCI0", cca: _CCA, cpm: 1, dacs: 0 }],
    };
    transfer(world, firmware, "gpu", world.has("iort") ? "iort" : "linux");
  },
});

const unsupported = defineStory({
  name: "acpi-without-cca",
  number: 14,
  title: "ACPI without _CCA: arm64 Linux lets the device do no DMA at all",
  source: SOURCE,
  machine: "seattle",
  devices: DEVICES,
  fixes: { cca: "firmware has _CCA = 1" },
  expect: () => [],
  play(world) {
    const _CCA = world.has("cca") ? { _CCA: 1 as const } : {};
    const firmware: Firmware = { kind: "acpi", devices: [{ name: "PCI0", ..._CCA, children: [{ name: "pcie" }] }] };
    const { conclusion } = concludeDma(firmware, "pcie");
    transfer(world, firmware, "pcie", "linux");
    world.check("the system's conclusion", conclusion, world.has("cca") ? "coherent" : "DMA unsupported");
  },
});

export default [mixed, smmu, unsupported];
