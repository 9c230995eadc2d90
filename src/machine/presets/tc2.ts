/** Arm Versatile Express TC2, big.LITTLE: set/way works on one cluster and leaves the other alone. */
import type { MachineDescription } from "../schema.ts";

const DEVICE_TREE = "Linux 6.12 vexpress-v2p-ca15_a7.dts";
const A7 = "A7 TRM 6.1 and 7.1 as pytorch/cpuinfo quotes it";
const A15 = "pytorch/cpuinfo src/arm/cache.c";
const REGISTERS = "registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu32.c)";

export const tc2 = {
  name: "tc2",
  about: "Arm Versatile Express TC2: 2 Cortex-A15 + 3 Cortex-A7, CCI-400, no cache beyond L2",
  cores: [
    { name: "Cortex-A15", count: 2 },
    {
      name: "Cortex-A7",
      count: 3,
      caches: {
        L1I: { line: 32 },
        L1D: { ways: 4 },
        L2: { size: "512KiB", ways: 8, inclusion: { L1D: "exclusive", L1I: "nine" } },
      },
      registers: { l1ip: "vipt" },
    },
  ],
  caches: {
    L1I: { size: "32KiB", ways: 2, line: 64 },
    L1D: { size: "32KiB", ways: 2, line: 64 },
    L2: { size: "1MiB", ways: 16, line: 64, per: "cluster", inclusion: { L1D: "inclusive", L1I: "nine" } },
  },
  devices: [{ name: "hdlcd", coherent: false }],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "pipt", zvaBlock: 0 },
  sources: {
    cores: `2 Cortex-A15 and 3 Cortex-A7 on two ports of a CCI-400: ${DEVICE_TREE}`,
    "cores.1.caches.L1I": A7,
    "cores.1.caches.L1D": A7,
    "cores.1.caches.L2": `8 ways: ${A7}; size: assumption`,
    "cores.1.caches.L2.inclusion": "a cache-info dump of an A20's Cortex-A7 shows the L2 exclusive",
    "cores.1.registers": `Cortex-A7 ${REGISTERS}`,
    "caches.L1I": `A15: ${A15}; the A7's size: assumption`,
    "caches.L1D": `A15: ${A15}; the A7's size: assumption`,
    "caches.L2": `A15: 16 ways: ${A15}; one a cluster`,
    "caches.L2.size": "assumption: unknown",
    "caches.L2.inclusion": "assumption: unknown",
    devices: `no dma-coherent in ${DEVICE_TREE}`,
    features: "Armv7: no such bits",
    aarch32: "Armv7",
    registers: `Cortex-A15 ${REGISTERS}; Armv7 has no DC ZVA`,
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI, as ACE's shared-dirty state allows",
  },
} as const satisfies MachineDescription;
