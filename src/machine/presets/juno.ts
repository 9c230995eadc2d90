/** Arm Juno: big.LITTLE in 64 bits, and devices of both kinds of coherence side by side. */
import type { MachineDescription } from "../schema.ts";

const UNKNOWN = "assumption: unknown in the sources read; the core's usual configuration";
const REGISTERS = "registers as QEMU 10.0.13 gives them (target/arm/cpu64.c)";

export const juno = {
  name: "juno",
  about: "Arm Juno: 2 Cortex-A57 + 4 Cortex-A53, coherent PCIe beside non-coherent HDLCD",
  cores: [
    { name: "Cortex-A57", count: 2 },
    {
      name: "Cortex-A53",
      count: 4,
      caches: {
        L1I: { size: "32KiB", ways: 2 },
        L1D: { ways: 4 },
        L2: { size: "1MiB", inclusion: "nine" },
      },
      registers: { l1ip: "vipt" },
    },
  ],
  caches: {
    L1I: { size: "48KiB", ways: 3, line: 64 },
    L1D: { size: "32KiB", ways: 2, line: 64 },
    L2: { size: "2MiB", ways: 16, line: 64, per: "cluster", inclusion: { L1D: "inclusive", L1I: "nine" } },
  },
  devices: [
    { name: "pcie", coherent: true },
    { name: "hdlcd", coherent: false },
  ],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "pipt", zvaBlock: 64 },
  sources: {
    cores: "2 + 4: Linux 6.12 juno-base.dtsi",
    "cores.1.caches": UNKNOWN,
    "cores.1.registers": `Cortex-A53 ${REGISTERS}`,
    "caches.L1I": "A57: as on seattle (amd-seattle-cpus.dtsi)",
    "caches.L1D": "A57: as on seattle (amd-seattle-cpus.dtsi)",
    "caches.L2": UNKNOWN,
    "caches.L2.line": "64-byte lines",
    "caches.L2.inclusion": "A57 TRM: inclusive of L1D; R3 for L1I",
    devices: "juno-base.dtsi: dma-coherent on PCIe, GPU and others, not on the HDLCDs; ACPI _CCA = 0 on USB",
    features: "A57 and A53: CTR_EL0.IDC = DIC = 0",
    aarch32: "A57 and A53: AArch32 at every exception level",
    registers: `Cortex-A57 ${REGISTERS}`,
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
