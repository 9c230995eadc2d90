/** Samsung Exynos 4412: Cortex-A9 with a PL310, an outer cache that neither kind of instruction reaches. */
import type { MachineDescription } from "../schema.ts";

const CPUINFO = "pytorch/cpuinfo src/arm/cache.c";

export const exynos4412 = {
  name: "exynos4412",
  about: "Samsung Exynos 4412: 4 Cortex-A9, 1 MiB PL310 outer cache",
  cores: [{ name: "Cortex-A9", count: 4 }],
  caches: {
    L1I: { size: "32KiB", ways: 4, line: 32 },
    L1D: { size: "32KiB", ways: 4, line: 32 },
    L2: { size: "1MiB", ways: 16, line: 32, per: "machine", kind: "outer", sharedOverride: false },
  },
  devices: [{ name: "dma", coherent: false }],
  features: { idc: false, dic: false },
  aarch32: "all",
  registers: { louis: 0, ccsidrUnknown: { L1D: 14, L1I: 2 }, l1ip: "vipt", erg: 4, cwg: 4, zvaBlock: 0 },
  sources: {
    cores: "Linux 6.12 exynos4x12.dtsi",
    "caches.L1I": CPUINFO,
    "caches.L1D": CPUINFO,
    "caches.L2": `exynos4x12.dtsi; arch/arm/mm/cache-l2x0.c; ${CPUINFO}: 1 MiB, 16 ways`,
    "caches.L2.line": "PL310: 32-byte lines",
    "caches.L2.kind": "the A9's CLIDR has LoC = 1: the PL310 is reached by its own registers alone",
    "caches.L2.sharedOverride": "PL310's reset value (R4)",
    devices: "no dma-coherent in exynos4x12.dtsi",
    features: "Armv7: no such bits",
    aarch32: "Armv7, without virtualization",
    registers: "Cortex-A9 registers as QEMU 10.0.13 gives them (target/arm/tcg/cpu32.c); LoUIS = 0 is erratum 643719",
    memory: "assumption: 16 GiB from 0, not the board's map",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
