/** Raspberry Pi 4 (BCM2711): no cache beyond L2, and no coherent device. */
import type { MachineDescription } from "../schema.ts";

const PPTT = "edk2-platforms Platform/RaspberryPi Pptt.aslc";

export const rpi4 = {
  name: "rpi4",
  about: "Raspberry Pi 4: 4 Cortex-A72, L2 is the last level, devices aren't coherent",
  cores: [{ name: "Cortex-A72", count: 4 }],
  caches: {
    L1I: { size: "48KiB", ways: 3, line: 64 },
    L1D: { size: "32KiB", ways: 2, line: 64 },
    L2: { size: "1MiB", ways: 16, line: 64, per: "cluster", inclusion: { L1D: "inclusive", L1I: "nine" } },
  },
  devices: [{ name: "dma", coherent: false }],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "pipt", zvaBlock: 64 },
  sources: {
    cores: "Linux 6.12 bcm2711.dtsi",
    "caches.L1I": PPTT,
    "caches.L1D": `${PPTT} (QEMU's model of the A72 has 4 ways: wrong)`,
    "caches.L2": PPTT,
    "caches.L2.inclusion": "A72 TRM: inclusive of L1D; R3 for L1I",
    devices: "no dma-coherent in bcm2711.dtsi; ACPI _CCA = 0 on USB, EMMC, GPU and PCIe nodes",
    features: "A72: CTR_EL0.IDC = DIC = 0",
    aarch32: "A72: AArch32 at every exception level",
    registers: "Cortex-A72 registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu64.c)",
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
