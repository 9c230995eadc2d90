/** Two sockets of Ampere Altra (Mt. Jade): private L2s in CLIDR, a system-level cache a socket beyond. */
import type { MachineDescription } from "../schema.ts";

const PPTT = "edk2-platforms Platform/Ampere/JadePkg AcpiPptt.c";
const N1 = "Neoverse-N1 registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu64.c)";

export const altraDualSocket = {
  name: "altra-2s",
  about: "two Ampere Altra: 160 Neoverse-N1, 32 MiB system cache a socket",
  sockets: 2,
  cores: [
    { name: "Neoverse-N1", count: 80, socket: 0 },
    { name: "Neoverse-N1", count: 80, socket: 1 },
  ],
  caches: {
    L1I: { size: "64KiB", ways: 4, line: 64 },
    L1D: { size: "64KiB", ways: 4, line: 64 },
    L2: { size: "1MiB", ways: 8, line: 64, per: "core", inclusion: { L1D: "inclusive", L1I: "nine" } },
    L3: { size: "32MiB", ways: 16, line: 64, per: "socket", kind: "system", inclusion: "nine", placement: "home" },
  },
  devices: [
    { name: "pcie0", coherent: true, socket: 0 },
    { name: "pcie1", coherent: true, socket: 1 },
  ],
  features: { idc: false, dic: false },
  aarch32: "el0",
  registers: { louu: 0, louis: 0, icb: 2, ccsidrUnknown: { L1D: 7, L1I: 2, L2: 7 }, l1ip: "pipt", zvaBlock: 64 },
  sources: {
    sockets: "Mt. Jade; anandtech.com/show/16979",
    cores: `80 a socket: ${PPTT}; anandtech.com/show/16979`,
    "caches.L1I": PPTT,
    "caches.L1D": PPTT,
    "caches.L2": `${PPTT}; 2048 sets, private`,
    "caches.L2.inclusion": "assumption: unknown in the sources read",
    "caches.L3": `${PPTT}: 16 ways, 1024 sets in each 1 MiB slice, 32 MiB a socket`,
    "caches.L3.kind": "the N1's CLIDR ends at L2 (LoC = 2); the system-level cache is added to the PPTT by hand",
    "caches.L3.inclusion": "assumption: unknown",
    "caches.L3.placement": "assumption: the mesh's home nodes are chosen by address",
    devices: "AcpiIort.c: root complexes CCA = 1, CPM and DACS; ACPI _CCA = 1 on all devices listed",
    features: "N1: IDC = 0 in the register, effective because LoUU = LoUIS = 0; DIC: assumption, parts differ",
    aarch32: "N1 TRM: AArch32 at EL0 only",
    registers: N1,
    memory: "assumption: 16 GiB from 0, half a socket",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI, as the interconnect's shared-dirty state allows",
  },
} as const satisfies MachineDescription;
