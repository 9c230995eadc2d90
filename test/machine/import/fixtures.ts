/** Files for the tests of import: device trees and tables from test/machine/data, and what they were compiled from. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { InputFile } from "../../../src/machine/import/index.ts";

export const DATA = fileURLToPath(new URL("../data/", import.meta.url));

export const TREES = ["two-clusters", "numa-server", "outer-cache", "guest"] as const;
export const TABLES = ["pptt", "apic", "srat", "iort"] as const;

export const dataFile = (name: string): InputFile => ({
  path: name,
  bytes: new Uint8Array(readFileSync(`${DATA}${name}`)),
  named: true,
});

export const textFile = (path: string, text: string): InputFile => ({
  path,
  bytes: new TextEncoder().encode(text),
  named: true,
});

/** Whether a program is there; its tests are skipped with a message where it isn't. */
export function hasProgram(name: string, ...args: string[]): boolean {
  const { error } = spawnSync(name, args, { stdio: "ignore" });
  if (error !== undefined) console.warn(`${name} is not installed: its tests are skipped`);
  return error === undefined;
}

/** A machine in the manner of a big server, as sysfs has it: sockets of cores with threads, L2 a core, L3 a socket. */
export function sysfsFiles(sockets: number, coresPerSocket: number, threads: number): InputFile[] {
  const files: InputFile[] = [];
  const add = (path: string, text: string) =>
    files.push({ path: `devices/system/${path}`, bytes: new TextEncoder().encode(`${text}\n`), named: false });
  const perSocket = coresPerSocket * threads;
  for (let cpu = 0; cpu < sockets * perSocket; cpu++) {
    const socket = Math.floor(cpu / perSocket);
    const core = Math.floor(cpu / threads) * threads;
    const siblings = threads === 1 ? `${cpu}` : `${core}-${core + threads - 1}`;
    const inSocket = `${socket * perSocket}-${(socket + 1) * perSocket - 1}`;
    add(`cpu/cpu${cpu}/topology/physical_package_id`, `${socket}`);
    add(`cpu/cpu${cpu}/topology/core_cpus_list`, siblings);
    add(`cpu/cpu${cpu}/topology/cluster_id`, "-1");
    add(`cpu/cpu${cpu}/regs/identification/midr_el1`, "0x00000000413fd0c1");
    const caches = [
      ["Data", 1, "64K", 4, 256, siblings],
      ["Instruction", 1, "64K", 4, 256, siblings],
      ["Unified", 2, "1024K", 8, 2048, siblings],
      ["Unified", 3, "16384K", 16, 16384, inSocket],
    ] as const;
    for (const [index, [type, level, size, ways, sets, shared]] of caches.entries()) {
      const folder = `cpu/cpu${cpu}/cache/index${index}`;
      add(`${folder}/type`, type);
      add(`${folder}/level`, `${level}`);
      add(`${folder}/size`, size);
      add(`${folder}/ways_of_associativity`, `${ways}`);
      add(`${folder}/number_of_sets`, `${sets}`);
      add(`${folder}/coherency_line_size`, "64");
      add(`${folder}/shared_cpu_list`, shared);
    }
  }
  for (let node = 0; node < sockets; node++) {
    add(`node/node${node}/cpulist`, `${node * perSocket}-${(node + 1) * perSocket - 1}`);
    add(`node/node${node}/meminfo`, `Node ${node} MemTotal:        4194304 kB\nNode ${node} MemFree: 1 kB`);
  }
  return files;
}

export const LSCPU = JSON.stringify({
  lscpu: [
    { field: "Architecture:", data: "aarch64" },
    { field: "CPU(s):", data: "8", children: [{ field: "On-line CPU(s) list:", data: "0-7" }] },
    {
      field: "Vendor ID:",
      data: "ARM",
      children: [
        {
          field: "Model name:",
          data: "Neoverse-N1",
          children: [
            { field: "Thread(s) per core:", data: "1" },
            { field: "Core(s) per socket:", data: "4" },
            { field: "Socket(s):", data: "2" },
          ],
        },
      ],
    },
    {
      field: "Caches (sum of all):",
      data: null,
      children: [
        { field: "L1d:", data: "512 KiB (8 instances)" },
        { field: "L1i:", data: "512 KiB (8 instances)" },
        { field: "L2:", data: "8 MiB (8 instances)" },
        { field: "L3:", data: "32 MiB (2 instances)" },
      ],
    },
    { field: "NUMA:", data: null, children: [{ field: "NUMA node0 CPU(s):", data: "0-3" }] },
  ],
});

export const LSCPU_CACHES = JSON.stringify({
  caches: [
    {
      name: "L1d",
      "one-size": "64K",
      "all-size": "512K",
      ways: 4,
      type: "Data",
      level: 1,
      sets: 256,
      "coherency-size": 64,
    },
    {
      name: "L1i",
      "one-size": "64K",
      "all-size": "512K",
      ways: 4,
      type: "Instruction",
      level: 1,
      sets: 256,
      "coherency-size": 64,
    },
    {
      name: "L2",
      "one-size": "1M",
      "all-size": "8M",
      ways: 8,
      type: "Unified",
      level: 2,
      sets: 2048,
      "coherency-size": 64,
    },
    {
      name: "L3",
      "one-size": "16M",
      "all-size": "32M",
      ways: 16,
      type: "Unified",
      level: 3,
      sets: 16384,
      "coherency-size": 64,
    },
  ],
});

const hwlocCore = (core: number): string => `
      <object type="L2Cache" gp_index="${core * 10 + 1}" cache_size="1048576" depth="2" cache_linesize="64" cache_associativity="8" cache_type="0">
        <info name="Inclusive" value="1"/>
        <object type="L1Cache" gp_index="${core * 10 + 2}" cache_size="65536" depth="1" cache_linesize="64" cache_associativity="4" cache_type="1">
          <object type="L1iCache" gp_index="${core * 10 + 3}" cache_size="65536" depth="1" cache_linesize="64" cache_associativity="4" cache_type="2">
            <object type="Core" os_index="${core}"><object type="PU" os_index="${core}"/></object>
          </object>
        </object>
      </object>`;

export const HWLOC = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" gp_index="1">
    <info name="DMIProductName" value="Test Host"/>${[0, 1]
      .map(
        (socket) => `
    <object type="Package" os_index="${socket}">
      <info name="CPUModel" value="Neoverse-N1"/>
      <object type="NUMANode" os_index="${socket}" local_memory="4294967296"/>
      <object type="L3Cache" gp_index="${socket + 1000}" cache_size="16777216" depth="3" cache_linesize="64" cache_associativity="16" cache_type="0">${[0, 1, 2, 3].map((core) => hwlocCore(socket * 4 + core)).join("")}
      </object>
    </object>`,
      )
      .join("")}
    <object type="Bridge" bridge_type="0-1"><object type="PCIDev" pci_busid="0000:00:02.0"/></object>
  </object>
</topology>
`;

export const DRCACHESIM = `// Two cores.
num_cores 2
line_size 64
coherence true
${[0, 1]
  .map(
    (core) => `P${core}L1I { type instruction core ${core} size 65536 assoc 4 parent P${core}L2 }
P${core}L1D { // P${core} L1 D$
  type data core ${core} size 64K assoc 4 parent P${core}L2 replace_policy FIFO prefetcher nextline
}
P${core}L2 { size 512K assoc 16 inclusive true parent LLC replace_policy LRU }
`,
  )
  .join("")}LLC { size 1M assoc 16 parent memory replace_policy LFU miss_file misses.txt }
`;
