/** AMD Opteron A1100 (Seattle): a system cache beyond what set/way reaches. */
import type { MachineDescription } from "../schema.ts";

const DEVICE_TREE = "Linux 6.12 amd-seattle-cpus.dtsi; edk2-platforms Silicon/AMD/Styx Pptt.aslc";
const A57 = "Cortex-A57 registers as QEMU 10.0.13 gives them (target/arm/cpu64.c)";

export const seattle = {
  name: "seattle",
  about: "AMD Opteron A1100: 8 Cortex-A57, 8 MiB L3 beyond set/way",
  cores: [{ name: "Cortex-A57", count: 2, repeat: 4 }],
  caches: {
    L1I: { size: "48KiB", ways: 3, line: 64 },
    L1D: { size: "32KiB", ways: 2, line: 64 },
    L2: { size: "1MiB", ways: 16, line: 64, per: "cluster", inclusion: { L1D: "inclusive", L1I: "nine" } },
    L3: { size: "8MiB", ways: 16, line: 64, per: "socket", kind: "system", inclusion: "nine" },
  },
  devices: [{ name: "sata", coherent: true }],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "pipt", zvaBlock: 64 },
  sources: {
    cores: `4 modules of 2 Cortex-A57: ${DEVICE_TREE}`,
    "caches.L1I": DEVICE_TREE,
    "caches.L1D": `${DEVICE_TREE}; A57 TRM (QEMU's model of the A57 has 4 ways: wrong)`,
    "caches.L2": `${DEVICE_TREE}; 1 MiB for 2 cores`,
    "caches.L2.inclusion": "A57 TRM: inclusive of L1D; R3 for L1I",
    "caches.L3": `${DEVICE_TREE}: 8 MiB, 16 ways, 8192 sets, write-back, shared`,
    "caches.L3.kind": "CLIDR of the A57 has two levels and LoC = 2, so set/way never selects the L3",
    "caches.L3.inclusion": "assumption: unknown",
    devices: "amd-seattle-soc.dtsi: dma-coherent on SATA, CCP, PCIe, XGBE; ACPI _CCA = 1",
    features: "machines of this core: CTR_EL0.IDC = DIC = 0",
    aarch32: "A57: AArch32 at every exception level",
    registers: A57,
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI, as the interconnect's shared-dirty state allows",
  },
} as const satisfies MachineDescription;
