/** Is every format read as what it describes, whichever form it comes in, and is what comes out a description of ours? */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inputFiles } from "../../../src/machine/import/files.node.ts";
import { type Imported, type InputFile, importedText, importMachine } from "../../../src/machine/import/index.ts";
import { loadDescription, type ResolvedMachine } from "../../../src/machine/index.ts";
import {
  DATA,
  DRCACHESIM,
  dataFile,
  HWLOC,
  hasProgram,
  LSCPU,
  LSCPU_CACHES,
  sysfsFiles,
  TABLES,
  TREES,
  textFile,
} from "./fixtures.ts";

/** Imports, and reads the text that comes out as anybody would. */
function imported(...files: InputFile[]): Imported & { text: string; machine: ResolvedMachine } {
  const result = importMachine(files);
  const text = importedText(result);
  const { machine } = loadDescription(text, { file: "imported.yaml" });
  expect(machine).toEqual(loadDescription(result.description).machine);
  return { ...result, text, machine };
}

/** `4 x L1D 32 KiB 2-way 64 B`, a line for each kind of cache. */
function shape(machine: ResolvedMachine): string[] {
  const counts = new Map<string, number>();
  for (const { level, sets, ways, lineBytes, cores, kind } of [
    ...machine.caches,
    ...(machine.outer ? [machine.outer] : []),
  ]) {
    const text = `${level} ${(sets * ways * lineBytes) / 1024}K ${ways}w ${lineBytes}B ${kind} /${cores.length}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${count} x ${text}`);
}

const N1_SHAPE = [
  "8 x L1I 64K 4w 64B architected /1",
  "8 x L1D 64K 4w 64B architected /1",
  "8 x L2 1024K 8w 64B architected /1",
];

it("a machine that isn't Arm's is described as if it were, and that is said", () => {
  const lscpu = (architecture: string) =>
    textFile(
      "lscpu.json",
      JSON.stringify({
        lscpu: [
          { field: "Architecture:", data: architecture },
          { field: "CPU(s):", data: "2" },
        ],
      }),
    );
  const said = (architecture: string) =>
    imported(lscpu(architecture)).assumed.filter((line) => line.includes("Arm machine"));
  expect(said("x86_64")).toEqual(["an Arm machine of this shape: what was read is of x86_64"]);
  expect(said("aarch64")).toEqual([]);
  expect(said("armv7l")).toEqual([]);
});

describe("device trees", () => {
  const board = (cpus: string, rest = "") => ({
    path: "board.dts",
    bytes: new TextEncoder().encode(
      `/dts-v1/; / { compatible = "a,board"; cpus { #address-cells = <1>; #size-cells = <0>; ${cpus} }; ${rest} };`,
    ),
    named: true,
  });
  const cpu = (reg: number, kind: string, next: string) =>
    `cpu@${reg} { device_type = "cpu"; reg = <${reg}>; compatible = "arm,${kind}"; next-level-cache = <&${next}>; };`;

  it("a cache of unknown size that cores of two kinds share is one cache, its gaps filled once", () => {
    // As Linux describes Amlogic's G12B.
    const { assumed, machine } = imported(
      board(`${cpu(0, "cortex-a53", "l2")} ${cpu(1, "cortex-a73", "l2")} l2: l2-cache0 { compatible = "cache"; };`),
    );
    expect(assumed).toContain("L2: a size of 512 KiB as Cortex-A53s have");
    expect(assumed.join("\n")).not.toMatch(/L2: .* as Cortex-A73s have|though they differ/);
    expect(shape(machine)).toContain("1 x L2 512K 16w 64B architected /2");
  });

  it("clusters without a common cache: that none is described, and what would be missing, is said", () => {
    const caches = ["l2a", "l2b"].map((name) => `${name}: ${name} { compatible = "cache"; };`).join(" ");
    const beyond = (text: string) => imported(board(text)).assumed.filter((line) => line.startsWith("nothing beyond"));
    // As Linux describes HiSilicon's hip07, whose L3 no device tree mentions.
    expect(beyond(`${cpu(0, "cortex-a72", "l2a")} ${cpu(256, "cortex-a72", "l2b")} ${caches}`)).toEqual([
      "nothing beyond L2, because none is described: a system cache, which set/way doesn't reach, would be missing",
    ]);
    expect(beyond(`${cpu(0, "cortex-a72", "l2a")} ${cpu(1, "cortex-a72", "l2a")} ${caches}`)).toEqual([]);
  });

  it("a cache that no processor leads to is left out by name, what only counts its traffic isn't one", () => {
    const soc = ["llcc", "llcc-bwmon"].map(
      (name, at) => `${name}@${at} { compatible = "qcom,sdm845-${name}"; reg = <${at} 1>; };`,
    );
    const { left } = imported(board(cpu(0, "cortex-a53", "l2"), `l2: l2 { compatible = "cache"; }; ${soc.join(" ")}`));
    expect(left).toEqual(["/llcc@0 (qcom,sdm845-llcc): a cache that no processor's next-level-cache reaches"]);
  });

  it("a board of two clusters: caches, memory, and who is coherent by inheritance", () => {
    const { machine, description, read, assumed, text } = imported(dataFile("two-clusters.dtb"));
    expect(shape(machine)).toEqual([
      "2 x L1I 48K 3w 64B architected /1",
      "2 x L1D 32K 2w 64B architected /1",
      "4 x L1I 32K 2w 64B architected /1",
      "4 x L1D 32K 4w 64B architected /1",
      "1 x L2 2048K 16w 64B architected /2",
      "1 x L2 1024K 16w 64B architected /4",
    ]);
    expect(machine.cores.map(({ model }) => model)).toEqual([
      ...Array(2).fill("Cortex-A57"),
      ...Array(4).fill("Cortex-A53"),
    ]);
    // 0x7f000000 bytes from 2 GiB, 6 GiB from 34 GiB.
    expect(machine.memory).toEqual([
      { base: 0x80000000, sizeBytes: 0x7f000000, socket: 0, type: "ram" },
      { base: 0x880000000, sizeBytes: 0x180000000, socket: 0, type: "ram" },
    ]);
    expect(description.devices).toEqual([
      { name: "pcie@40000000", coherent: true },
      { name: "hdlcd@7ff60000", coherent: false },
      { name: "usb@7ffc0000", coherent: false },
    ]);
    expect(text).toContain("coherent: true } # read: dma-coherent of /soc");
    expect(text).toContain("coherent: false } # read: no dma-coherent on it or above");
    expect(read).toContain("3 devices, 1 of them coherent");
    expect(assumed).toContain("L2: 16 ways as Cortex-A53s have");
  });

  it("a server of two nodes: sockets, home memory, the nodes of devices", () => {
    const { machine, assumed } = imported(dataFile("numa-server.dtb"));
    expect(shape(machine)).toEqual([...N1_SHAPE, "2 x L3 32768K 16w 64B system /4"]);
    expect(machine.sockets).toBe(2);
    expect(machine.memory.map(({ base, socket }) => [base, socket])).toEqual([
      [0, 0],
      [0x8000000000, 1],
    ]);
    expect(machine.devices).toEqual([expect.objectContaining({ coherent: true, socket: 1 })]);
    expect(assumed).toContain("each NUMA node is a socket");
    expect(assumed.join()).toContain("L3 is a system cache");
  });

  it("a PL310 is an outer cache, and a silent tree is filled from the core's manual", () => {
    const { machine, text } = imported(dataFile("outer-cache.dtb"));
    expect(shape(machine)).toEqual([
      "4 x L1I 32K 4w 32B architected /1",
      "4 x L1D 32K 4w 32B architected /1",
      "1 x outer 1024K 16w 32B outer /4",
    ]);
    expect(text).toContain("# assumed: lines of 32 bytes as Cortex-A9s have");
  });

  it.each(TREES)("%s: source and blob say the same", (name) => {
    const [blob, source] = [imported(dataFile(`${name}.dtb`)), imported(dataFile(`${name}.dts`))];
    expect(source.machine).toEqual(blob.machine);
    expect(source.assumed).toEqual(blob.assumed);
  });

  describe.skipIf(!hasProgram("dtc", "--version"))("with dtc", () => {
    it.each(TREES)("%s: the blob that dtc makes now, and the source that it makes of that", (name) => {
      const blob = execFileSync("dtc", ["-q", "-O", "dtb", `${DATA}${name}.dts`]);
      const back = execFileSync("dtc", ["-q", "-I", "dtb", "-O", "dts"], { input: blob });
      const expected = imported(dataFile(`${name}.dtb`)).machine;
      expect(imported({ path: `${name}.dtb`, bytes: blob, named: true }).machine).toEqual(expected);
      expect(imported({ path: `${name}.dts`, bytes: back, named: true }).machine).toEqual(expected);
    });
  });

  // Debian's linux-image packages bring the trees of hundreds of boards.
  const boards = process.env.SETWAY_DTBS;
  it.skipIf(boards === undefined)("real boards' trees (SETWAY_DTBS names a folder)", () => {
    const trees = readdirSync(boards!, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".dtb"));
    expect(trees.length).toBeGreaterThan(0);
    for (const path of trees) imported({ path, bytes: readFileSync(join(boards!, path)), named: true });
  });
});

describe("ACPI tables", () => {
  const tables = TABLES.map((name) => dataFile(`${name}.aml`));

  it("PPTT, MADT, SRAT and IORT together", () => {
    const { machine, description, assumed, left } = imported(...tables);
    expect(shape(machine)).toEqual([
      "7 x L1I 48K 3w 64B architected /1",
      "7 x L1D 32K 2w 64B architected /1",
      "3 x L2 1024K 16w 64B architected /2",
      "1 x L2 1024K 16w 64B architected /1",
      "1 x L3 8192K 16w 64B system /4",
      "1 x L3 8192K 16w 64B system /3",
    ]);
    expect(machine.memory.map(({ base, sizeBytes, socket }) => [base, sizeBytes, socket])).toEqual([
      [0x80000000, 2 ** 32, 0],
      [0x10080000000, 2 ** 32, 1],
    ]);
    expect(description.devices).toEqual([
      { name: "pci0", coherent: true },
      { name: "pci1", coherent: true },
      { name: "\\_SB.USB0", coherent: false },
    ]);
    expect(left).toContain("processors that the MADT doesn't enable: 1");
    expect(assumed.join()).toContain("pci1 is coherent although its flags leave it to the SMMU");
  });

  it("in any order, in one file, and as acpidump prints them", () => {
    const expected = imported(...tables).machine;
    expect(imported(...[...tables].reverse()).machine).toEqual(expected);
    const together = Buffer.concat(tables.map(({ bytes }) => bytes));
    expect(imported({ path: "tables", bytes: together, named: true }).machine).toEqual(expected);
    const dump = TABLES.map((name, index) => {
      const rows = Buffer.from(tables[index]!.bytes)
        .toString("hex")
        .match(/.{1,32}/g)!
        .map(
          (row, at) =>
            `    ${(at * 16).toString(16).padStart(4, "0")}: ${row.match(/../g)!.join(" ")}  ................`,
        );
      return `${name.toUpperCase()} @ 0x0000000000000000\n${rows.join("\n")}\n`;
    });
    expect(imported(textFile("acpidump.txt", dump.join("\n"))).machine).toEqual(expected);
  });

  it("a wrong checksum is said, not refused; without a PPTT the caches are assumed", () => {
    const bytes = tables[1]!.bytes.slice();
    bytes[9]! ^= 0xff;
    const { assumed, machine } = imported({ path: "APIC", bytes, named: true });
    expect(assumed.join()).toContain("APIC (APIC) is right although its checksum is not");
    expect(assumed).toContain("no PPTT was given, so nothing of the caches is known");
    expect(machine.cores).toHaveLength(7);
  });

  describe.skipIf(!hasProgram("iasl", "-v"))("with iasl", () => {
    it.each(TABLES)("%s: the table that iasl makes now", (name) => {
      const folder = mkdtempSync(join(tmpdir(), "setway-iasl-"));
      try {
        spawnSync("iasl", ["-p", join(folder, name), `${DATA}${name}.asl`], { stdio: "ignore" });
        const path = join(folder, `${name}.aml`);
        expect(existsSync(path)).toBe(true);
        const fresh = { path: `${name}.aml`, bytes: new Uint8Array(readFileSync(path)), named: true };
        const others = tables.filter((_, index) => TABLES[index] !== name);
        expect(imported(...others, fresh).machine).toEqual(imported(...tables).machine);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});

describe("Linux sysfs", () => {
  it("two sockets of four Neoverse-N1", () => {
    const { machine, assumed } = imported(...sysfsFiles(2, 4, 1));
    expect(shape(machine)).toEqual([...N1_SHAPE, "2 x L3 16384K 16w 64B system /4"]);
    expect(machine.cores.map(({ model, socket }) => `${model} ${socket}`)).toEqual([
      ...Array(4).fill("Neoverse-N1 0"),
      ...Array(4).fill("Neoverse-N1 1"),
    ]);
    expect(machine.memory.map(({ base, sizeBytes }) => [base, sizeBytes])).toEqual([
      [0, 2 ** 32],
      [2 ** 32, 2 ** 32],
    ]);
    expect(assumed.join()).toContain("where it is: one after another from 0");
  });

  it("threads become one core", () => {
    const { machine, assumed } = imported(...sysfsFiles(1, 4, 2));
    expect(machine.cores).toHaveLength(4);
    expect(assumed.join()).toContain("8 threads are described as 4 cores");
  });

  it.skipIf(!existsSync("/sys/devices/system/cpu/cpu0/cache/index0/size"))(
    "this machine, as a folder, as a tar, and as lscpu counts it",
    async () => {
      const folders = ["/sys/devices/system/cpu", "/sys/devices/system/node"].filter((path) => existsSync(path));
      const fromFolders = imported(...(await inputFiles(folders, noInput)));
      const path = join(mkdtempSync(join(tmpdir(), "setway-sysfs-")), "sys.tar");
      try {
        spawnSync("tar", ["cf", path, ...folders], { stdio: "ignore" });
        const fromTar = imported(...(await inputFiles([path], noInput)));
        expect({ ...fromTar.machine, name: "" }).toEqual({ ...fromFolders.machine, name: "" });
      } finally {
        rmSync(join(path, ".."), { recursive: true });
      }
      const size = (index: number) =>
        readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${index}/size`, "utf8").trim();
      const first = fromFolders.machine.caches[fromFolders.machine.cores[0]!.l1d]!;
      const data = [0, 1].find(
        (index) => readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${index}/type`, "utf8").trim() === "Data",
      );
      if (data !== undefined) expect(`${(first.sets * first.ways * first.lineBytes) / 1024}K`).toBe(size(data));
      if (!hasProgram("lscpu", "--version")) return;
      const [all, caches] = [["-J"], ["-C", "-J"]].map((args) => spawnSync("lscpu", args, { encoding: "utf8" }).stdout);
      if (!caches?.includes("coherency-size")) return;
      const fromLscpu = imported(textFile("lscpu.json", all!), textFile("caches.json", caches));
      const levels = (machine: ResolvedMachine) => machine.caches.map(({ level }) => level).sort();
      expect(levels(fromLscpu.machine)).toEqual(levels(fromFolders.machine));
    },
  );
});

const noInput = async () => new Uint8Array();

describe("other tools", () => {
  it("lscpu: both outputs together, in either order", () => {
    const both = [textFile("a.json", LSCPU), textFile("b.json", LSCPU_CACHES)] as const;
    const { machine } = imported(...both);
    expect(shape(machine)).toEqual([...N1_SHAPE, "2 x L3 16384K 16w 64B system /4"]);
    expect(machine.sockets).toBe(2);
    expect(imported(both[1], both[0]).machine).toEqual(machine);
  });

  it("lscpu: one of them alone, with what it lacks assumed", () => {
    const { machine, left } = imported(textFile("a.json", LSCPU));
    // The core is known by its name, and so are its ways.
    expect(shape(machine)).toEqual([...N1_SHAPE, "2 x L3 16384K 16w 64B system /4"]);
    expect(left.join()).toContain("`lscpu -C -J` tells them");
    expect(imported(textFile("b.json", LSCPU_CACHES)).machine.cores).toHaveLength(8);
  });

  it("hwloc: packages, nodes, caches and which is inclusive", () => {
    const { machine, left, description } = imported(textFile("topology.xml", HWLOC));
    expect(shape(machine)).toEqual([...N1_SHAPE, "2 x L3 16384K 16w 64B system /4"]);
    expect(machine.caches.find(({ level }) => level === "L2")?.inclusionOfData).toBe("inclusive");
    expect(machine.memory.map(({ sizeBytes, socket }) => [sizeBytes, socket])).toEqual([
      [2 ** 32, 0],
      [2 ** 32, 1],
    ]);
    expect(description.name).toBe("test-host");
    expect(left.join()).toContain("hwloc doesn't say which are coherent");
  });

  it.skipIf(!hasProgram("lstopo-no-graphics", "--version"))("hwloc: this machine", () => {
    const text = execFileSync("lstopo-no-graphics", ["--of", "xml"], { encoding: "utf8" });
    expect(imported(textFile("topology.xml", text)).machine.cores.length).toBeGreaterThan(0);
  });

  it("drcachesim: a tree of caches by their parents", () => {
    const { machine, assumed, left } = imported(textFile("two.conf", DRCACHESIM));
    expect(shape(machine)).toEqual([
      "2 x L1I 64K 4w 64B architected /1",
      "2 x L1D 64K 4w 64B architected /1",
      "2 x L2 512K 16w 64B architected /1",
      "1 x L3 1024K 16w 64B system /2",
    ]);
    expect(machine.caches.find(({ level }) => level === "L1D")?.replacement).toBe("fifo");
    expect(assumed).toContain("LFU is described as lru");
    expect(left).toContain("the prefetcher nextline");
  });

  it("sysfs with tables or a tree beside it: the kernel's caches, the firmware's memory and devices", () => {
    const { machine, format } = imported(...sysfsFiles(2, 4, 1), dataFile("numa-server.dtb"));
    expect(format).toBe("Linux sysfs and device tree blob");
    expect(shape(machine)).toContain("2 x L3 16384K 16w 64B system /4");
    expect(machine.memory[1]?.base).toBe(0x8000000000);
    expect(machine.devices).toHaveLength(1);
  });
});

describe("what a description can hardly say", () => {
  /** Cores with an L2 for every two, an L3 for every four, and one L4. */
  it("sharing that nests deeper than clusters and sockets makes sockets of the inner groups", () => {
    const caches = Array.from({ length: 8 }, (_, core) => [
      `P${core}I { type instruction core ${core} size 32K assoc 4 parent B${core >> 1} }`,
      `P${core}D { type data core ${core} size 32K assoc 4 parent B${core >> 1} }`,
    ]).flat();
    const config = [
      "num_cores 8",
      ...caches,
      ...[0, 1, 2, 3].map((pair) => `B${pair} { size 512K assoc 8 parent C${pair >> 1} }`),
      ...[0, 1].map((four) => `C${four} { size 4M assoc 16 parent D }`),
      "D { size 32M assoc 16 parent memory }",
    ].join("\n");
    const { machine, assumed } = imported(textFile("deep.conf", config));
    expect(shape(machine).slice(2)).toEqual([
      "4 x L2 512K 8w 64B architected /2",
      "2 x L3 4096K 16w 64B system /4",
      "1 x L4 32768K 16w 64B system /8",
    ]);
    expect(assumed.join()).toContain("make a socket of their own");
  });

  it("clusters that are alike but not neighbours: the order of processors is said", () => {
    const config = ["num_cores 4"];
    for (let core = 0; core < 4; core++) {
      for (const [letter, type] of [
        ["I", "instruction"],
        ["D", "data"],
      ]) {
        config.push(`P${core}${letter} { type ${type} core ${core} size 32K assoc 4 parent B${core % 2} }`);
      }
    }
    config.push("B0 { size 512K assoc 8 parent memory }", "B1 { size 512K assoc 8 parent memory }");
    const { machine, left } = imported(textFile("odd.conf", config.join("\n")));
    expect(machine.cores.map(({ cluster }) => cluster)).toEqual([0, 0, 1, 1]);
    expect(left.join()).toContain("core 0, core 2, core 1, core 3");
  });

  it("more memory than a description may have is cut, socket by socket", () => {
    const files = sysfsFiles(2, 2, 1).map((file) =>
      file.path.endsWith("meminfo") ? textFile(file.path, "Node 0 MemTotal: 1073741824 kB") : file,
    );
    const { machine, assumed } = imported(...files.map((file) => ({ ...file, named: false })));
    expect(machine.memory.map(({ sizeBytes }) => sizeBytes)).toEqual([2 ** 37, 2 ** 37 - 64]);
    expect(assumed.join()).toContain("256 GiB of the machine's 2 TiB");
  });

  it("contradictory numbers are mended and said", () => {
    const tree = `/dts-v1/;\n/ { cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>;
      compatible = "arm,cortex-a57"; d-cache-size = <0x8000>; d-cache-line-size = <64>; d-cache-sets = <300>;
      i-cache-size = <1000>; i-cache-line-size = <48>; }; }; };`;
    const { machine, assumed } = imported(textFile("odd.dts", tree));
    expect(shape(machine)).toEqual(["1 x L1I 1.125K 3w 64B architected /1", "1 x L1D 32K 2w 64B architected /1"]);
    expect(assumed.join("\n")).toContain("300 sets don't divide 32768 bytes");
    expect(assumed.join("\n")).toContain("a line of 48 bytes can't be");
  });
});
