/** A machine like the APM X-Gene 1, which the fix for set/way in KVM names. Hardly a number of it is public here. */
import type { MachineDescription } from "../schema.ts";

const UNKNOWN = "assumption: unknown in the sources read";

export const xGene = {
  name: "x-gene",
  about: "like APM X-Gene 1 (8 cores, L3 beyond set/way); most numbers are assumptions",
  cores: [{ name: "APM Potenza", count: 2, repeat: 4 }],
  caches: {
    L1I: { size: "32KiB", ways: 8, line: 64 },
    L1D: { size: "32KiB", ways: 8, line: 64 },
    L2: { size: "256KiB", ways: 16, line: 64, per: "cluster", inclusion: { L1D: "inclusive", L1I: "nine" } },
    L3: { size: "8MiB", ways: 16, line: 64, per: "socket", kind: "system", inclusion: "nine" },
  },
  devices: [{ name: "pcie", coherent: true }],
  features: { idc: false, dic: false },
  aarch32: "all",
  sources: {
    cores: "4 modules of 2: Linux 6.12 apm-storm.dtsi",
    "caches.L1I": UNKNOWN,
    "caches.L1D": UNKNOWN,
    "caches.L2": `unified, for 2 cores: apm-storm.dtsi; size, ways, line and inclusion: ${UNKNOWN}`,
    "caches.L3": `an L3 is present; size, ways, line and inclusion: ${UNKNOWN}`,
    "caches.L3.kind": "Linux commit 3c1e71650833: set/way can't reach the PoC past the system cache here",
    devices: "apm-storm.dtsi: 17 nodes are dma-coherent",
    features: UNKNOWN,
    aarch32: "Linux commit 3c1e71650833: it boots a 32-bit zImage in a guest",
    registers: UNKNOWN,
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
