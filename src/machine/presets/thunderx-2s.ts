/** Two sockets of Cavium ThunderX CN88xx: the shared L2 is the last level. */
import type { MachineDescription } from "../schema.ts";

export const thunderxDualSocket = {
  name: "thunderx-2s",
  about: "two Cavium ThunderX CN88xx: 96 cores, 16 MiB L2 a socket is the last level",
  sockets: 2,
  cores: [
    { name: "Cavium ThunderX", count: 48, socket: 0 },
    { name: "Cavium ThunderX", count: 48, socket: 1 },
  ],
  caches: {
    L1I: { size: "78KiB", ways: 39, line: 128 },
    L1D: { size: "32KiB", ways: 32, line: 128 },
    L2: { size: "16MiB", ways: 16, line: 128, per: "socket", kind: "architected", inclusion: "nine" },
  },
  features: { idc: false, dic: false },
  aarch32: "none",
  sources: {
    sockets: "dual socket: anandtech.com/show/8776",
    cores: "48 a socket: Linux 6.12 thunder-88xx.dtsi",
    "caches.L1I": "78 KiB: ThunderX_CP_PB_Rev1.pdf as pytorch/cpuinfo quotes it",
    "caches.L1I.ways": "assumption: 39 ways (anandtech.com/show/8776 prints 37) of 16 sets, which divides 78 KiB",
    "caches.L1I.line": "assumption: 128 bytes, widely reported, not confirmed",
    "caches.L1D": "32 KiB: ThunderX_CP_PB_Rev1.pdf as pytorch/cpuinfo quotes it",
    "caches.L1D.ways": "assumption: unknown in the sources read",
    "caches.L1D.line": "assumption: 128 bytes, widely reported, not confirmed",
    "caches.L2": "16 MiB shared by the socket, the last level: ThunderX_CP_PB_Rev1.pdf as pytorch/cpuinfo quotes it",
    "caches.L2.ways": "assumption: unknown in the sources read",
    "caches.L2.line": "assumption: 128 bytes, widely reported, not confirmed",
    "caches.L2.kind": "assumption: in CLIDR as level 2; whether set/way reaches it is unknown",
    "caches.L2.inclusion": "assumption: unknown",
    features: "assumption: unknown",
    aarch32: "assumption: a 64-bit only core",
    registers: "assumption: unknown",
    memory: "assumption: 16 GiB from 0, half a socket",
    latencies: "assumption: the schema's defaults, not measured on this machine",
    protocol: "assumption: MOESI",
  },
} as const satisfies MachineDescription;
