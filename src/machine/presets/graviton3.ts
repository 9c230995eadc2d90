/** AWS Graviton3: a core with IDC and DIC, where code needs no maintenance. */
import type { MachineDescription } from "../schema.ts";

const WIKICHIP = "en.wikichip.org AWS Graviton3";
const V1 = "Neoverse-V1 registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu64.c)";

export const graviton3 = {
  name: "graviton3",
  about: "AWS Graviton3: 64 Neoverse-V1 with IDC and DIC, 32 MiB system cache",
  cores: [{ name: "Neoverse-V1", count: 64 }],
  caches: {
    L1I: { size: "64KiB", ways: 4, line: 64 },
    L1D: { size: "64KiB", ways: 4, line: 64 },
    L2: { size: "1MiB", ways: 8, line: 64, per: "core", inclusion: { L1D: "inclusive", L1I: "nine" } },
    L3: { size: "32MiB", ways: 16, line: 64, per: "socket", kind: "system", inclusion: "nine" },
  },
  features: { idc: true, dic: true, fwb: true, ccidx: true },
  aarch32: "el0",
  registers: { louu: 0, louis: 0, icb: 2, l1ip: "pipt", zvaBlock: 64 },
  sources: {
    cores: WIKICHIP,
    "caches.L1I": V1,
    "caches.L1D": V1,
    "caches.L2": `${V1}; ${WIKICHIP}: private`,
    "caches.L2.inclusion": "assumption: unknown in the sources read",
    "caches.L3": `32 MiB, shared: ${WIKICHIP}`,
    "caches.L3.ways": "assumption: unknown",
    "caches.L3.line": "assumption: as L2",
    "caches.L3.kind": "the V1's CLIDR ends at L2 (LoC = 2)",
    "caches.L3.inclusion": "assumption: unknown",
    features: `CTR_EL0.IDC = DIC = 1 and 64-bit CCSIDR: ${V1}`,
    "features.fwb": "assumption: an Armv8.4 core, where FEAT_S2FWB is mandatory",
    aarch32: "V1 TRM: AArch32 at EL0 only",
    registers: V1,
    memory: "assumption: 16 GiB from 0",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI, as the interconnect's shared-dirty state allows",
  },
} as const satisfies MachineDescription;
