/** Is the machine the one that was described, and is every rule between keys checked? */
import { describe, expect, test } from "vitest";
import { MachineError } from "../../src/engine/errors.ts";
import { resolveMachine } from "../../src/machine/resolve.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { MachineDescription } from "../../src/machine/schema.ts";

const l1 = { size: "32KiB", ways: 4 };
const l2 = { size: "512KiB", ways: 8 };
const l3 = { size: "16MiB", ways: 16 };

const shape = (machine: ResolvedMachine) =>
  machine.caches.map(({ level, cores, socket, parentBySocket }) => [level, cores, socket, parentBySocket]);

describe("what does the tree look like?", () => {
  test("inner first, cores ascending, parents later", () => {
    const machine = resolveMachine({ cores: 4, sockets: 2, caches: { L1I: l1, L1D: l1, L2: l2, L3: l3 } });
    expect(shape(machine)).toEqual([
      ["L1I", [0], 0, [8, 8]],
      ["L1D", [0], 0, [8, 8]],
      ["L1I", [1], 0, [9, 9]],
      ["L1D", [1], 0, [9, 9]],
      ["L1I", [2], 1, [10, 10]],
      ["L1D", [2], 1, [10, 10]],
      ["L1I", [3], 1, [11, 11]],
      ["L1D", [3], 1, [11, 11]],
      ["L2", [0], 0, [12, 12]],
      ["L2", [1], 0, [12, 12]],
      ["L2", [2], 1, [13, 13]],
      ["L2", [3], 1, [13, 13]],
      ["L3", [0, 1], 0, [-1, -1]],
      ["L3", [2, 3], 1, [-1, -1]],
    ]);
    expect(machine.caches.map(({ id }) => id)).toEqual(machine.caches.map((_, index) => index));
    expect(machine.cores[2]).toMatchObject({ socket: 1, cluster: 1, l1i: 4, l1d: 5, unifiedBySocket: [10, 10] });
    expect(machine.caches.map(({ kind }) => kind).slice(8)).toEqual([
      ...["architected", "architected", "architected", "architected"],
      ...["system", "system"],
    ]);
  });

  test("with `placement: home` the parent is that of the address's socket, for every core", () => {
    const machine = resolveMachine({
      cores: 2,
      sockets: 2,
      caches: { L1D: l1, L2: l2, L3: { ...l3, placement: "home" } },
    });
    expect(shape(machine)).toEqual([
      ["L1D", [0], 0, [2, 2]],
      ["L1D", [1], 1, [3, 3]],
      ["L2", [0], 0, [4, 5]],
      ["L2", [1], 1, [4, 5]],
      ["L3", [0, 1], 0, [-1, -1]],
      ["L3", [0, 1], 1, [-1, -1]],
    ]);
  });

  test("a socket without cores still has its home-placed cache; what stands outside follows it", () => {
    const machine = resolveMachine({
      sockets: 2,
      cores: [{ count: 1 }],
      caches: { L1D: l1, L2: { ...l2, per: "socket", placement: "home" }, L3: l3 },
    });
    expect(shape(machine)).toEqual([
      ["L1D", [0], 0, [1, 2]],
      ["L2", [0], 0, [3, 4]],
      ["L2", [0], 1, [3, 4]],
      ["L3", [0], 0, [-1, -1]],
      ["L3", [0], 1, [-1, -1]],
    ]);
  });

  test("big.LITTLE: clusters differ in single keys, and may lack a level", () => {
    const machine = resolveMachine({
      cores: [
        { name: "big", count: 1 },
        { name: "LITTLE", count: 2, caches: { L1D: { ways: 2 }, L2: { sets: 64, per: "cluster" }, L1I: "none" } },
      ],
      caches: { L1I: l1, L1D: { ...l1, latency: 3 }, L2: l2 },
    });
    expect(shape(machine)).toEqual([
      ["L1I", [0], 0, [4]],
      ["L1D", [0], 0, [4]],
      ["L1D", [1], 0, [5]],
      ["L1D", [2], 0, [5]],
      ["L2", [0], 0, [-1]],
      ["L2", [1, 2], 0, [-1]],
    ]);
    expect(machine.caches.map(({ sets, ways }) => [sets, ways])).toEqual([
      [128, 4],
      [128, 4],
      [256, 2],
      [256, 2],
      [1024, 8],
      [64, 8],
    ]);
    expect(machine.caches[2]!.latencyCycles).toBe(3);
    expect(machine.cores.map(({ model, l1i }) => [model, l1i])).toEqual([
      ["big", 0],
      ["LITTLE", -1],
      ["LITTLE", -1],
    ]);
  });

  test("a cluster without the last level goes past it", () => {
    const machine = resolveMachine({
      cores: [{ count: 1 }, { count: 1, caches: { L3: "none" } }],
      caches: { L1D: l1, L2: l2, L3: l3 },
    });
    expect(shape(machine).slice(2)).toEqual([
      ["L2", [0], 0, [4]],
      ["L2", [1], 0, [-1]],
      ["L3", [0], 0, [-1]],
    ]);
  });

  test("outer and memory-side caches stand behind the interconnect, with the ids that follow", () => {
    const machine = resolveMachine({
      sockets: 2,
      cores: 2,
      caches: { L1D: l1, L2: { ...l2, kind: "outer", sharedOverride: true }, L3: { ...l3, kind: "memory-side" } },
    });
    expect(machine.caches.map(({ level }) => level)).toEqual(["L1D", "L1D"]);
    expect(machine.outer).toMatchObject({ id: 2, level: "outer", kind: "outer", setWay: false, cores: [0, 1] });
    expect(machine.outerSharedOverride).toBe(true);
    expect(machine.memorySide.map((cache) => [cache?.id, cache?.level, cache?.socket])).toEqual([
      [3, "memory-side", 0],
      [4, "memory-side", 1],
    ]);
    const shared = resolveMachine({
      sockets: 2,
      cores: 2,
      caches: { L2: { ...l2, kind: "memory-side", per: "machine" } },
    });
    expect(shared.memorySide).toHaveLength(2);
    expect(shared.memorySide[0]).toBe(shared.memorySide[1]);
  });

  test("odd sets and ways that are no power of two are machines too", () => {
    const machine = resolveMachine({
      cores: 1,
      caches: { L1D: { sets: 37, ways: 3, line: 32 }, L2: { size: "2304KiB", ways: 9 } },
    });
    expect(machine.caches.map(({ sets, ways }) => [sets, ways])).toEqual([
      [37, 3],
      [4096, 9],
    ]);
    expect([machine.smallestLineBytes, machine.largestLineBytes]).toEqual([32, 64]);
  });
});

describe("what are the defaults?", () => {
  test("all of them", () => {
    const machine = resolveMachine({ cores: 1, caches: { L1D: l1, L2: { ...l2, inclusion: { L1D: "inclusive" } } } });
    expect(machine).toMatchObject({
      name: "unnamed",
      sockets: 1,
      protocol: "moesi",
      memory: [{ base: 0, sizeBytes: 16 * 2 ** 30, socket: 0, type: "ram" }],
      devices: [],
      directory: undefined,
      cacheability: "wb-only",
      ncLookup: false,
      ncSnoops: false,
      ncAtomics: "fault",
      invalidateCleans: false,
      dic: false,
      idc: false,
      zvaBytes: 64,
      initialSctlr: 0x1005,
      seed: 1,
      aarch32: "all",
    });
    expect(machine.caches).toMatchObject([
      {
        lineBytes: 64,
        replacement: "lru",
        writePolicy: "back",
        allocate: "read-write",
        setWay: true,
        writebackTouches: true,
      },
      { inclusionOfData: "inclusive", inclusionOfInstructions: "nine", writebackTouches: false, latencyCycles: 12 },
    ]);
  });

  test("without caches a line is 64 bytes; memory is dealt to the sockets", () => {
    const machine = resolveMachine({ cores: 3, sockets: 3, caches: {} });
    expect([machine.smallestLineBytes, machine.largestLineBytes, machine.caches.length]).toEqual([64, 64, 0]);
    expect(machine.cores.every(({ l1d, unifiedBySocket }) => l1d === -1 && unifiedBySocket.join() === "-1,-1,-1")).toBe(
      true,
    );
    const { memory } = machine;
    expect(memory.map(({ socket }) => socket)).toEqual([0, 1, 2]);
    expect(memory.every(({ base, sizeBytes }) => base % 4096 === 0 && sizeBytes % 4096 === 0)).toBe(true);
    expect(memory[2]!.base + memory[2]!.sizeBytes).toBe(16 * 2 ** 30);
  });

  test("devices are the requesters after the cores; a coherent one allocates in a system cache if there is one", () => {
    const devices = [{ coherent: true }, { name: "gpu" }, { coherent: true, allocate: "memory" as const }];
    const machine = resolveMachine({ cores: 2, caches: { L1D: l1, L2: l2, L3: l3 }, devices });
    expect(machine.devices).toEqual([
      { name: "device0", requester: 2, coherent: true, socket: 0, allocate: "system" },
      { name: "gpu", requester: 3, coherent: false, socket: 0, allocate: "memory" },
      { name: "device2", requester: 4, coherent: true, socket: 0, allocate: "memory" },
    ]);
    expect(resolveMachine({ cores: 1, caches: { L1D: l1 }, devices: [{ coherent: true }] }).devices[0]!.allocate).toBe(
      "memory",
    );
  });

  test("a complete machine of 512 cores in 8 sockets is quick to build", () => {
    const machine = resolveMachine({ cores: 512, sockets: 8, caches: { L1I: l1, L1D: l1, L2: l2, L3: l3 } });
    expect(machine.caches).toHaveLength(3 * 512 + 8);
  });
});

describe("is every rule between keys checked?", () => {
  const base = { cores: 2, caches: { L1I: l1, L1D: l1, L2: l2 } } satisfies MachineDescription;
  const withL2 = (change: object): MachineDescription => ({
    ...base,
    caches: { ...base.caches, L2: { ...l2, ...change } },
  });
  const withL1D = (change: object): MachineDescription => ({
    ...base,
    caches: { ...base.caches, L1D: { ...l1, ...change } },
  });
  const withL3 = (change: object): MachineDescription => ({
    ...base,
    caches: { ...base.caches, L3: { ...l3, ...change } },
  });

  test.each<[string, MachineDescription, string]>([
    ["sets aren't whole", withL2({ size: "500KiB", ways: 7 }), "caches.L2.size"],
    ["size and sets disagree", withL2({ sets: 1000 }), "caches.L2.sets"],
    ["no capacity", { cores: 1, caches: { L1D: { ways: 4 } } }, "caches.L1D.size"],
    ["no ways", { cores: 1, caches: { L1D: { size: 4096 } } }, "caches.L1D.ways"],
    ["a missing level", { cores: 1, caches: { L1D: l1, L3: l3 } }, "caches.L3"],
    ["D2: lines get smaller outwards", withL2({ line: 32 }), "caches.L2.line"],
    ["D2: around a larger L1I", { ...base, caches: { ...base.caches, L1I: { ...l1, line: 128 } } }, "caches.L2.line"],
    ["D2: exclusive with another line", withL2({ line: 128, inclusion: "exclusive" }), "caches.L2.line"],
    [
      "D2: equal depth, different lines",
      { ...base, cores: [{ count: 1 }, { count: 1, caches: { L1D: { line: 32 } } }] },
      "cores.1.caches.L1D.line",
    ],
    ["D2: behind the interconnect", withL3({ kind: "memory-side", line: 32 }), "caches.L3.line"],
    ["inclusive levels allocate", withL2({ inclusion: "inclusive", allocate: "read" }), "caches.L2.allocate"],
    ["also of instructions", withL2({ inclusion: { L1I: "inclusive" }, allocate: "write" }), "caches.L2.allocate"],
    ["an L1 is a core's", withL1D({ per: "cluster" }), "caches.L1D.per"],
    ["an L1 is architected", withL1D({ kind: "system" }), "caches.L1D.kind"],
    ["an L1 includes nothing", withL1D({ inclusion: "inclusive" }), "caches.L1D.inclusion"],
    [
      "D1: a cluster without the L1D",
      { ...base, cores: [{ count: 1 }, { count: 2, caches: { L1D: "none" } }] },
      "cores.1.caches.L1D",
    ],
    [
      "D1: a cluster with the only L1D",
      { cores: [{ count: 1, caches: { L1D: l1 } }, { count: 1 }], caches: { L2: l2 } },
      "cores.0.caches.L1D",
    ],
    [
      "tree-plru of 65 ways",
      withL2({ size: undefined, sets: 64, ways: 65, replacement: "tree-plru" }),
      "caches.L2.ways",
    ],
    [
      "tree-plru of 96 ways, in a cluster",
      {
        ...withL2({ size: undefined, sets: 64, ways: 96 }),
        cores: [{ count: 2, caches: { L2: { replacement: "tree-plru" } } }],
      },
      "cores.0.caches.L2.ways",
    ],
    ["homes are sockets", withL2({ placement: "home" }), "caches.L2.placement"],
    ["set/way stops at a system cache (R4)", withL3({ setWay: true }), "caches.L3.setWay"],
    ["sharedOverride is the outer cache's", withL2({ sharedOverride: true }), "caches.L2.sharedOverride"],
    [
      "an outer cache inside a system cache",
      { cores: 1, caches: { L1D: l1, L2: { ...l2, kind: "outer" }, L3: l3 } },
      "caches.L3.kind",
    ],
    [
      "two memory-side caches",
      { cores: 1, caches: { L1D: l1, L2: { ...l2, kind: "memory-side" }, L3: { ...l3, kind: "memory-side" } } },
      "caches.L3.kind",
    ],
    [
      "architected outside system",
      { cores: 1, caches: { L1D: l1, L2: { ...l2, kind: "system" }, L3: { ...l3, kind: "architected" } } },
      "caches.L3.kind",
    ],
    ["one outer cache", withL3({ kind: "outer", per: "socket" }), "caches.L3.per"],
    ["memory-side per core", withL3({ kind: "memory-side", per: "core" }), "caches.L3.per"],
    [
      "less shared outside",
      { ...withL3({ per: "core" }), caches: { L1D: l1, L2: { ...l2, per: "socket" }, L3: { ...l3, per: "core" } } },
      "caches.L3.per",
    ],
    [
      "a cluster changes what it shares",
      { cores: [{ count: 1, caches: { L3: { ways: 8 } } }, { count: 1 }], caches: { L1D: l1, L2: l2, L3: l3 } },
      "cores.0.caches.L3",
    ],
    [
      "ways out of a shared cache differ",
      {
        cores: [{ count: 1, caches: { L3: "none" } }, { count: 1 }],
        caches: { L1D: l1, L2: { ...l2, per: "socket" }, L3: l3 },
      },
      "caches.L2",
    ],
    [
      "a cluster without the outer cache",
      {
        cores: [{ count: 1, caches: { L2: "none" } }, { count: 1 }],
        caches: { L1D: l1, L2: { ...l2, kind: "outer" } },
      },
      "caches.L2",
    ],
    ["more sets than CCSIDR can tell", withL2({ size: undefined, sets: 40000 }), "caches.L2.sets"],
    [
      "more lines than an operand can name",
      { ...withL2({ size: undefined, sets: 2 ** 20, ways: 256 }), features: { ccidx: true } },
      "caches.L2.sets",
    ],
    ["uneven sockets", { ...base, sockets: 3 }, "cores"],
    ["fewer sockets than named", { ...base, sockets: 1, cores: [{ count: 2, socket: 1 }] }, "sockets"],
    ["too many cores", { ...base, cores: [{ count: 512 }, { count: 1 }] }, "cores"],
    ["memory overlaps", { ...base, memory: [{ size: 8192 }, { base: 4096, size: 4096 }] }, "memory.1.base"],
    ["memory beyond 48 bits", { ...base, memory: [{ base: 2 ** 48 - 4096, size: 8192 }] }, "memory.0.size"],
    [
      "more than 2^32 lines",
      { ...base, memory: [{ size: "256GiB" }, { base: "512GiB", size: 4096 }] },
      "memory.1.size",
    ],
    [
      "more than the kernel has frames for",
      { cores: 1, caches: { L1D: { ...l1, line: 128 } }, memory: [{ size: "512GiB" }] },
      "memory.0.size",
    ],
    ["memory of no socket", { ...base, memory: [{ size: 4096, socket: 1 }] }, "memory.0.socket"],
    ["a device of no socket", { ...base, devices: [{ socket: 1 }] }, "devices.0.socket"],
    [
      "no system cache to land in",
      { ...base, devices: [{ coherent: true, allocate: "system" }] },
      "devices.0.allocate",
    ],
    ["a directory of nothing", { cores: 1, caches: {}, directory: { sets: 4, ways: 4 } }, "directory"],
    ["CLIDR twice", { ...base, registers: { clidr: 0x0a200023, loc: 2 } }, "registers.loc"],
    [
      "CLIDR twice, by cluster",
      { ...base, registers: { clidr: 1 }, cores: [{ count: 1, registers: { icb: 2 } }] },
      "cores.0.registers.icb",
    ],
  ])("%s", (_title, description, path) => {
    let error: unknown;
    try {
      resolveMachine(description);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MachineError);
    expect((error as MachineError).detail.path).toBe(path);
    expect((error as MachineError).detail.found ?? "-").not.toContain("undefined");
  });

  test("exactly 2^32 lines is a machine without its last line", () => {
    const { memory } = resolveMachine({ ...base, memory: [{ size: "128GiB" }, { base: "1TiB", size: "128GiB" }] });
    expect(memory.map(({ sizeBytes }) => sizeBytes)).toEqual([2 ** 37, 2 ** 37 - 64]);
    const fewer = resolveMachine({ ...base, memory: [{ size: 2 ** 38 - 4096 }] });
    expect(fewer.memory[0]!.sizeBytes).toBe(2 ** 38 - 4096);
  });

  test("all cores without an L1D, or 64 ways of tree-plru, is a machine", () => {
    expect(resolveMachine({ cores: [{ count: 1 }, { count: 1 }], caches: { L2: l2 } }).cores).toHaveLength(2);
    const plru = withL2({ size: undefined, sets: 64, ways: 64, replacement: "tree-plru" });
    expect(resolveMachine(plru).caches.at(-1)!.ways).toBe(64);
  });

  test("the error says which cores have an L1D and which have not", () => {
    const mixed = { ...base, cores: [{ count: 1 }, { count: 2, caches: { L1D: "none" as const } }] };
    expect(() => resolveMachine(mixed)).toThrow(
      "cores.1.caches.L1D: some cores have an L1D and others have not (D1); " +
        "found an L1D at core 0, none at cores 1 to 2; expected an L1D at every core, or at none",
    );
  });

  test("resolving what was resolved from changes nothing", () => {
    const description = { ...base, memory: [{ size: "4GiB" }] };
    expect(resolveMachine(description)).toEqual(resolveMachine(structuredClone(description)));
  });
});

describe("prefetchers (D57)", () => {
  const withL1D = (prefetch: unknown, more: object = {}) =>
    resolveMachine({ cores: 2, caches: { L1I: l1, L1D: { ...l1, prefetch, ...more }, L2: l2 } } as MachineDescription);
  const ofL1D = (prefetch: unknown) => withL1D(prefetch).caches[1]?.prefetcher;

  test("there is none unless one is given, and a word is a kind with its defaults", () => {
    expect(ofL1D(undefined)).toBeUndefined();
    expect(ofL1D("none")).toBeUndefined();
    expect(ofL1D("next-line")).toEqual({ kind: "next-line", degree: 1, distance: 1, entries: 0 });
    expect(ofL1D("stride")).toEqual({ kind: "stride", degree: 1, distance: 1, entries: 16 });
    expect(ofL1D("stream")).toEqual({ kind: "stream", degree: 2, distance: 8, entries: 16 });
    expect(ofL1D({ kind: "stream", degree: 4, entries: 1 })).toEqual({
      ...{ kind: "stream", degree: 4, distance: 8, entries: 1 },
    });
    expect(
      withL1D("stream")
        .caches.filter(({ prefetcher }) => prefetcher)
        .map(({ level }) => level),
    ).toEqual(["L1D", "L1D"]);
  });

  test("a cluster may go without", () => {
    const machine = resolveMachine({
      cores: [{ count: 1 }, { count: 1, caches: { L2: { prefetch: "none" } } }],
      caches: { L1D: l1, L2: { ...l2, prefetch: "stride" } },
    });
    expect(machine.caches.filter(({ level }) => level === "L2").map(({ prefetcher }) => prefetcher?.kind)).toEqual([
      "stride",
      undefined,
    ]);
  });

  test.each([
    [{ L1I: { ...l1, prefetch: "stride" } }, "caches.L1I.prefetch", "stride at an instruction cache"],
    [{ L1D: { ...l1, allocate: "write", prefetch: "stride" } }, "caches.L1D.prefetch", "stride and allocate: write"],
    [
      { L1D: l1, L2: { ...l2, inclusion: "exclusive", prefetch: "stream" } },
      "caches.L2.prefetch",
      "stream and inclusion: exclusive",
    ],
    [
      { L1D: l1, L2: { ...l2, kind: "memory-side", per: "machine", prefetch: "next-line" } },
      "caches.L2.prefetch",
      "next-line at a cache of kind memory-side",
    ],
    [{ L1D: { ...l1, prefetch: { kind: "next-line", entries: 4 } } }, "caches.L1D.prefetch.entries", "4"],
    [{ L1D: { ...l1, prefetch: { kind: "stride", degree: 17 } } }, "caches.L1D.prefetch.degree", "17"],
    [{ L1D: { ...l1, prefetch: { degree: 1 } } }, "caches.L1D.prefetch.kind", "nothing"],
    [{ L1D: { ...l1, prefetch: "sequential" } }, "caches.L1D.prefetch", '"sequential"'],
  ])("%j is refused", (caches, path, found) => {
    const attempt = () => resolveMachine({ cores: 1, caches } as unknown as MachineDescription);
    expect(attempt).toThrow(MachineError);
    try {
      attempt();
    } catch (error) {
      const { detail } = error as MachineError;
      expect({ path: detail.path, found: detail.found }).toEqual({ path, found });
      expect(detail.expected).not.toBe("");
    }
  });
});
