/** A hundred cores in two sockets: exactly the geometry of the native yardstick that speed is compared with (R38). */
import type { MachineDescription } from "../schema.ts";

const YARDSTICK = "the yardstick's constants (../shared/yardstick/reference.cpp)";

export const host100c = {
  name: "host-100c",
  about: "100 cores in two sockets, the yardstick's geometry",
  sockets: 2,
  cores: 100,
  protocol: "mesi",
  caches: {
    L1I: { size: "32KiB", ways: 4, line: 64, per: "core", replacement: "lru", latency: 4 },
    L1D: { size: "32KiB", ways: 4, line: 64, per: "core", replacement: "lru", latency: 4 },
    L2: { size: "512KiB", ways: 8, line: 64, per: "core", inclusion: "inclusive", replacement: "lru", latency: 11 },
    L3: {
      size: "16MiB",
      ways: 16,
      line: 64,
      per: "socket",
      kind: "system",
      inclusion: "inclusive",
      placement: "requester",
      replacement: "lru",
      latency: 40,
    },
  },
  memory: [{ base: 0, size: "256GiB", socket: 0 }],
  features: { idc: false, dic: false, fwb: false, ccidx: false },
  sources: {
    sockets: YARDSTICK,
    cores: YARDSTICK,
    protocol: YARDSTICK,
    caches: YARDSTICK,
    "caches.L1I.latency": "assumption",
    "caches.L1D.latency": "assumption",
    "caches.L2.latency": "assumption",
    "caches.L3.latency": "assumption",
    "caches.L3.kind": "assumption: no machine of this shape is meant",
    memory: "the yardstick's 38 bits of address",
    features: "assumption: no machine of this shape is meant",
    aarch32: "assumption: no machine of this shape is meant",
    registers: "assumption: no machine of this shape is meant",
    latencies: "assumption: the schema's defaults",
  },
} as const satisfies MachineDescription;
