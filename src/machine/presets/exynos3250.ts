/** Samsung Exynos 3250, a smartwatch: everything is within set/way's reach. */
import type { MachineDescription } from "../schema.ts";

const A7 = "A7 TRM 6.1 and 7.1 as pytorch/cpuinfo quotes it";

export const exynos3250 = {
  name: "exynos3250",
  about: "Samsung Exynos 3250, a smartwatch: 2 Cortex-A7, L2 within set/way's reach",
  cores: [{ name: "Cortex-A7", count: 2 }],
  caches: {
    L1I: { size: "32KiB", ways: 2, line: 32 },
    L1D: { size: "32KiB", ways: 4, line: 64 },
    L2: { size: "512KiB", ways: 8, line: 64, per: "cluster", inclusion: { L1D: "exclusive", L1I: "nine" } },
  },
  devices: [{ name: "dma", coherent: false }],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "vipt", zvaBlock: 0 },
  sources: {
    cores: "Linux 6.12 exynos3250.dtsi",
    "caches.L1I": `2 ways, 32-byte lines: ${A7}`,
    "caches.L1I.size": "assumption: unknown",
    "caches.L1D": `4 ways, 64-byte lines: ${A7}`,
    "caches.L1D.size": "assumption: unknown",
    "caches.L2": `8 ways, 64-byte lines, one for the cluster: ${A7}`,
    "caches.L2.size": "assumption: unknown; the A7 allows 128 KiB to 1 MiB",
    "caches.L2.inclusion": "a cache-info dump of an A20's Cortex-A7 shows the L2 exclusive",
    devices: "no dma-coherent in exynos3250.dtsi",
    features: "Armv7: no such bits",
    aarch32: "Armv7",
    registers: "Cortex-A7 registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu32.c), bits 31:28 and L1Ip only",
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
