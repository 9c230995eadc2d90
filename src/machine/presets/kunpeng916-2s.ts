/** Two sockets of HiSilicon Hi1616: a server with a large L3 whose cores can run 32-bit kernels. */
import type { MachineDescription } from "../schema.ts";

const PUBLIC = "public figures of the Hi1616";
const A72 = "Cortex-A72: edk2-platforms RaspberryPi Pptt.aslc for the same core";

export const kunpeng916DualSocket = {
  name: "kunpeng916-2s",
  about: "two HiSilicon Hi1616: 64 Cortex-A72, 32 MiB L3 a socket, runs 32-bit kernels",
  sockets: 2,
  cores: [
    { name: "Cortex-A72", count: 4, repeat: 8, socket: 0 },
    { name: "Cortex-A72", count: 4, repeat: 8, socket: 1 },
  ],
  caches: {
    L1I: { size: "48KiB", ways: 3, line: 64 },
    L1D: { size: "32KiB", ways: 2, line: 64 },
    L2: { size: "1MiB", ways: 16, line: 64, per: "cluster", inclusion: { L1D: "inclusive", L1I: "nine" } },
    L3: { size: "32MiB", ways: 16, line: 64, per: "socket", kind: "system", inclusion: "nine" },
  },
  devices: [{ name: "sas", coherent: true }],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "pipt", zvaBlock: 64 },
  sources: {
    sockets: PUBLIC,
    cores: `${PUBLIC}: 32 Cortex-A72 a socket; clusters of 4 share an L2`,
    "caches.L1I": A72,
    "caches.L1D": A72,
    "caches.L2": `${PUBLIC}: 1 MiB for 4 cores; ways and line of the A72`,
    "caches.L2.inclusion": "A72 TRM: inclusive of L1D; R3 for L1I",
    "caches.L3": `${PUBLIC}: 32 MiB a socket`,
    "caches.L3.ways": "assumption: unknown",
    "caches.L3.line": "assumption: unknown",
    "caches.L3.kind": "the A72's CLIDR has two levels and LoC = 2",
    "caches.L3.inclusion": "assumption: unknown",
    devices: "Linux 6.12 hip07 device tree: dma-coherent nodes",
    features: "A72: CTR_EL0.IDC = DIC = 0",
    aarch32: "A72: AArch32 at every exception level",
    registers: "Cortex-A72 registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu64.c)",
    memory: "assumption: 16 GiB from 0, half a socket",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
