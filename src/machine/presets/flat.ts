/** No caches at all: what a software emulator (TCG) does, and so what every stale read is compared with. */
import type { MachineDescription } from "../schema.ts";

export const flat = {
  name: "flat",
  about: "no caches: what QEMU's TCG does",
  cores: 128,
  caches: {},
  aarch32: "all",
  sources: {
    cores: "assumption: enough for any guest here; without caches a core costs nothing",
    caches: "TCG: loads and stores go to one host memory",
    aarch32: "assumption",
    registers: "assumption",
    memory: "assumption: 16 GiB from 0",
    latencies: "assumption: the schema's defaults",
  },
} as const satisfies MachineDescription;
