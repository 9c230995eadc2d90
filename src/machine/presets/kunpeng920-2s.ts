/** Two sockets of Huawei Kunpeng 920 (Hi1620): an L3 for each die of 32 cores, with longer lines than the caches inside. */
import type { MachineDescription } from "../schema.ts";

const PPTT = "edk2-platforms Silicon/Hisilicon/Hi1620 Pptt.c";
const WIKICHIP = "en.wikichip.org taishan_v110";

export const kunpeng920DualSocket = {
  name: "kunpeng920-2s",
  about: "two Kunpeng 920: 128 TaiShan v110, 32 MiB L3 for each die of 32 cores",
  sockets: 2,
  cores: [
    { name: "TaiShan v110", count: 32, repeat: 2, socket: 0 },
    { name: "TaiShan v110", count: 32, repeat: 2, socket: 1 },
  ],
  caches: {
    L1I: { size: "64KiB", ways: 4, line: 64 },
    L1D: { size: "64KiB", ways: 4, line: 64 },
    L2: { size: "512KiB", ways: 8, line: 64, per: "core", inclusion: "nine" },
    L3: { size: "32MiB", ways: 16, line: 128, per: "cluster", kind: "system", inclusion: "nine" },
  },
  features: { idc: false, dic: false },
  aarch32: "el0",
  sources: {
    sockets: PPTT,
    cores: `64 a socket on 2 dies of 32: ${PPTT}; ${WIKICHIP}`,
    "caches.L1I": `64 KiB: ${WIKICHIP}; line: ${PPTT}`,
    "caches.L1I.ways": "assumption: unknown in the sources read",
    "caches.L1D": `64 KiB: ${WIKICHIP}; line: ${PPTT}`,
    "caches.L1D.ways": "assumption: unknown in the sources read",
    "caches.L2": `512 KiB, private: ${WIKICHIP}`,
    "caches.L2.ways": "assumption: unknown in the sources read",
    "caches.L2.line": "assumption: as L1",
    "caches.L2.inclusion": "assumption: unknown",
    "caches.L3": `1 MiB a core, 32 MiB a die, 128-byte lines: ${PPTT}; chipsandcheese.com huaweis-kunpeng-920`,
    "caches.L3.ways": `assumption: ${PPTT} says associativity 0x0F and 0x800 sets, which don't multiply to 32 MiB`,
    "caches.L3.kind": "assumption: the firmware fills its numbers in by hand, so CLIDR doesn't have it",
    "caches.L3.inclusion": "assumption: unknown",
    features: "assumption: unknown",
    aarch32: "assumption: AArch32 at EL0 only",
    registers: "assumption: unknown",
    memory: "assumption: 16 GiB from 0, half a socket",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
