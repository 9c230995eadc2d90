/**
 * The machine description: one declaration of every key, which feeds validation, defaults, error messages and
 * docs/machines.md. What a description means is decided in `resolve.ts`; rules between keys are checked there.
 */
import * as z from "zod";
import { parseBytes } from "./quantity.ts";

/** What the schema library doesn't know about a key: its meaning, what a valid value looks like, a derived default. */
export interface KeyNote {
  readonly about: string;
  /** What is expected, in words; shown in errors and in the reference. */
  readonly expects: string;
  /** The default in words where it depends on other keys. */
  readonly otherwise?: string;
}

export const keyNotes = z.registry<KeyNote>();

const note = <T extends z.ZodType>(schema: T, about: string, expects: string, otherwise?: string): T => {
  keyNotes.add(schema, otherwise === undefined ? { about, expects } : { about, expects, otherwise });
  return schema;
};

const integer = (low: number, high: number, about: string, otherwise?: string) => {
  const range = high === 2 ** 32 - 1 ? `${low} to 2^32 - 1` : `${low} to ${high}`;
  return note(z.number().int().min(low).max(high), about, `an integer from ${range}`, otherwise);
};
const cycles = (about: string, otherwise?: string) => integer(0, 1_000_000, `${about}, cycles`, otherwise);
const flag = (about: string, otherwise?: string) => note(z.boolean(), about, "true or false", otherwise);
const text = (about: string, otherwise?: string) => note(z.string(), about, "text", otherwise);
const choice = <const T extends readonly [string, ...string[]]>(values: T, about: string, otherwise?: string) =>
  note(z.enum(values), about, `one of ${values.join(", ")}`, otherwise);

const SIZE = "a size: bytes, or a number with KiB, MiB or GiB";

/** Bytes as a number or as text; `accepts` says which numbers of bytes make sense. */
const bytes = (about: string, expects: string, accepts: (value: number) => boolean, otherwise?: string) =>
  note(
    z.union([z.number(), z.string()]).transform((value, context) => {
      const parsed = parseBytes(value);
      if (parsed !== undefined && accepts(parsed)) return parsed;
      context.addIssue({ code: "custom", message: "bad size", input: value });
      return z.NEVER;
    }),
    about,
    expects,
    otherwise,
  );
const size = (about: string, otherwise?: string) => bytes(about, SIZE, (value) => value > 0, otherwise);
const powerOfTwo = (low: number, high: number, about: string, otherwise?: string) =>
  bytes(
    about,
    `a power of two from ${low} to ${high} bytes`,
    (value) => value >= low && value <= high && Number.isInteger(Math.log2(value)),
    otherwise,
  );

export const LEVEL_NAMES = ["L1I", "L1D", "L2", "L3", "L4", "L5", "L6", "L7"] as const;
export type LevelName = (typeof LEVEL_NAMES)[number];

/** A set's tree of bits is one 64-bit word. */
export const MAX_TREE_PLRU_WAYS = 64;

const INCLUSIONS = ["inclusive", "exclusive", "nine"] as const;

const cacheShape = {
  size: size("capacity of one instance", "from `sets`"),
  sets: integer(1, 2 ** 24, "number of sets, instead of `size`; any number, also an odd one", "from `size`"),
  ways: integer(1, 256, `associativity; any number, with tree-plru up to ${MAX_TREE_PLRU_WAYS}`, "required"),
  line: powerOfTwo(16, 2048, "line length").default(64),
  per: choice(
    ["core", "cluster", "socket", "machine"],
    "who shares one instance",
    "core for L1 and L2, socket beyond, machine for an outer cache",
  ),
  kind: choice(
    ["architected", "system", "memory-side", "outer"],
    "R4: in CLIDR; before the PoC but not in CLIDR; behind the PoC; PL310-like",
    "architected for L1 and L2, system beyond",
  ),
  inclusion: note(
    z.union([
      z.enum(INCLUSIONS),
      z.strictObject({
        L1D: choice(INCLUSIONS, "towards the data side: L1D and the unified caches inside").default("nine"),
        L1I: choice(INCLUSIONS, "towards the instruction caches inside").default("nine"),
      }),
    ]),
    "R3: what this level promises about the levels nearer the core",
    "inclusive, exclusive or nine, or {L1D: ..., L1I: ...} with one word each",
    "nine",
  ),
  placement: choice(
    ["requester", "home"],
    "which socket's instance serves an access: the requester's, or that of the address's memory region",
  ).default("requester"),
  replacement: choice(["lru", "tree-plru", "fifo", "random", "srrip"], "victim policy (R39)").default("lru"),
  write: choice(["back", "through"], "write policy (D17)").default("back"),
  allocate: choice(["read-write", "read", "write"], "which misses allocate (D13)").default("read-write"),
  writebackTouches: flag(
    "whether a writeback that hits touches replacement state (R36)",
    "false where inclusive of data, else true",
  ),
  setWay: flag("whether DC xSW reaches it, which is also whether it is in CLIDR (R5)", "true for architected caches"),
  latency: cycles("a hit", "4 for L1, 12 for L2, 40 beyond"),
  sharedOverride: flag(
    "outer only, R4: false (silicon default) lets shareable Normal Non-cacheable accesses look it up",
    "false",
  ),
};

/** A cluster changes single keys of a cache, so nothing may be filled in before both are laid over one another. */
const overrideShape = Object.fromEntries(
  Object.entries(cacheShape).map(([key, schema]) => [
    key,
    (schema instanceof z.ZodDefault ? schema.unwrap() : schema).optional(),
  ]),
) as unknown as {
  [K in keyof typeof cacheShape]: z.ZodOptional<
    (typeof cacheShape)[K] extends z.ZodDefault<infer Inner> ? Inner : (typeof cacheShape)[K]
  >;
};

const OPTIONAL_CACHE_KEYS = [
  "size",
  "sets",
  "per",
  "kind",
  "inclusion",
  "writebackTouches",
  "setWay",
  "latency",
  "sharedOverride",
] as const;

/** What a base cache must say. `ways` stays optional here, so that clusters alone may give it; `resolve.ts` asks for it. */
const cacheSchema = note(
  z.strictObject({ ...cacheShape, ...pick(overrideShape, OPTIONAL_CACHE_KEYS), ways: overrideShape.ways }),
  "a cache",
  "a mapping of a cache's keys",
);
const overrideSchema = note(
  z.strictObject(overrideShape),
  "changes to a cache",
  "a mapping of a cache's keys, or none",
);

function pick<T extends object, const K extends readonly (keyof T)[]>(from: T, keys: K): Pick<T, K[number]> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as unknown as Pick<T, K[number]>;
}

function byLevel<T extends z.ZodType>(schema: T): { [L in LevelName]: z.ZodOptional<T> } {
  return Object.fromEntries(LEVEL_NAMES.map((level) => [level, schema.optional()])) as {
    [L in LevelName]: z.ZodOptional<T>;
  };
}

const unknownBits = integer(0, 15, "CCSIDR_EL1[31:28] of this cache, or of a level that isn't there").optional();

/** R5: what geometry cannot determine. */
const registerShape = {
  clidr: integer(0, 2 ** 47 - 1, "the whole of CLIDR_EL1, instead of its fields", "computed").optional(),
  loc: integer(0, 7, "CLIDR_EL1.LoC", "the outermost level that set/way reaches").optional(),
  louu: integer(0, 7, "CLIDR_EL1.LoUU", "0 with features.idc, else 1 if there is an L1").optional(),
  louis: integer(0, 7, "CLIDR_EL1.LoUIS", "like louu").optional(),
  icb: integer(0, 7, "CLIDR_EL1.ICB", "0").optional(),
  ttype: note(
    z.array(z.number().int().min(0).max(3)).max(7),
    "CLIDR_EL1.Ttype, level 1 first",
    "a list of up to 7 integers from 0 to 3",
    "all 0",
  ).optional(),
  l1ip: choice(["vpipt", "aivivt", "vipt", "pipt"], "CTR_EL0.L1Ip", "pipt").optional(),
  erg: powerOfTwo(4, 2 ** 17, "CTR_EL0.ERG, exclusives' granule", "the largest line").optional(),
  cwg: powerOfTwo(4, 2 ** 17, "CTR_EL0.CWG, writeback granule", "the largest line").optional(),
  iminLine: powerOfTwo(4, 2 ** 17, "CTR_EL0.IminLine", "the L1I's line").optional(),
  dminLine: powerOfTwo(4, 2 ** 17, "CTR_EL0.DminLine", "the smallest data or unified line").optional(),
  tminLine: powerOfTwo(4, 2 ** 17, "CTR_EL0.TminLine", "the field is 0").optional(),
  ccsidrUnknown: note(
    z.strictObject(byLevel(unknownBits.unwrap())),
    "bits of CCSIDR_EL1 that the architecture leaves unknown",
    "a mapping of L1I, L1D, L2... to integers from 0 to 15",
    "all 0",
  ).optional(),
};

const clusterSchema = note(
  z.strictObject({
    name: text("what its cores are called", "none").optional(),
    count: integer(1, 512, "cores in one cluster", "required"),
    repeat: integer(1, 512, "how many clusters like this follow one another").default(1),
    socket: integer(0, 63, "where they are").default(0),
    caches: note(
      z.strictObject(
        byLevel(note(z.union([z.literal("none"), overrideSchema]), "changes", "a mapping of a cache's keys, or none")),
      ),
      "by level: keys that differ from `caches`, or `none` where these cores lack the level",
      "a mapping of L1I, L1D, L2... to changes",
      "no difference",
    ).optional(),
    registers: note(
      z.strictObject(registerShape),
      "keys that differ from `registers` (all but zvaBlock)",
      "a mapping of register fields",
      "no difference",
    ).optional(),
  }),
  "a cluster",
  "a mapping with count, and maybe repeat, socket, name, caches, registers",
);

const regionSchema = note(
  z.strictObject({
    base: bytes("first address", "an address, a multiple of 4 KiB", (value) => value % 4096 === 0).default(0),
    size: bytes("length", "a size, a multiple of 4 KiB", (value) => value > 0 && value % 4096 === 0, "required"),
    socket: integer(0, 63, "home socket of its lines").default(0),
    type: choice(["ram", "device"], "device: MMIO, reads as zero, never cached (D7)").default("ram"),
  }),
  "a memory region",
  "a mapping with size, and maybe base, socket, type",
);

const deviceSchema = note(
  z
    .strictObject({
      name: text("what reports call it", "device0, device1..."),
      coherent: flag("whether it snoops the caches (R46)").default(false),
      socket: integer(0, 63, "where it is").default(0),
      allocate: choice(
        ["system", "memory"],
        "where a coherent device's writes land (R46)",
        "system where there is a system cache and it is coherent, else memory",
      ),
    })
    .partial({ name: true, allocate: true }),
  "a device",
  "a mapping with maybe name, coherent, socket, allocate",
);

export const machineSchema = z.strictObject({
  name: text("what reports call the machine").default("unnamed"),
  about: text("one line for lists", "none").optional(),
  sockets: integer(1, 64, "number of sockets", "1, or one more than the highest socket that `cores` names").optional(),
  cores: note(
    z.union([z.number().int().min(1).max(512), z.array(clusterSchema).min(1).max(512)]),
    "number of cores, spread evenly over sockets with one cluster a socket; or a list of clusters",
    "an integer from 1 to 512, or a list of clusters",
    "required",
  ),
  protocol: choice(["mesi", "moesi"], "coherence protocol (R17)").default("moesi"),
  caches: note(
    z.strictObject(byLevel(cacheSchema)),
    "the levels of cache, by name; an empty mapping for none",
    `a mapping of ${LEVEL_NAMES.join(", ")} to caches`,
    "required",
  ),
  memory: note(
    z.array(regionSchema).min(1).max(64),
    "regions of memory; at most 2^32 of the smallest lines together, and 256 GiB",
    "a list of up to 64 regions",
    "16 GiB of RAM from 0, the sockets' shares one after another",
  ).optional(),
  devices: note(
    z.array(deviceSchema).max(256),
    "DMA masters, after the cores among requesters",
    "a list of devices",
  ).default([]),
  directory: note(
    z.union([
      z.literal("exact"),
      z.strictObject({
        sets: integer(1, 2 ** 24, "sets of one socket's directory", "required"),
        ways: integer(1, 256, "its ways", "required"),
      }),
    ]),
    "the coherence directory: exact, or a sized one a socket whose evictions back-invalidate (R17, D25)",
    "exact, or {sets: ..., ways: ...}",
  ).default("exact"),
  features: note(
    z.strictObject({
      idc: flag("CTR_EL0.IDC: no clean to the PoU is needed").default(false),
      dic: flag("CTR_EL0.DIC: no instruction invalidate is needed; stores invalidate L1I copies").default(false),
      fwb: flag("FEAT_S2FWB: stage 2 can force Write-Back").default(false),
      ccidx: flag("FEAT_CCIDX: CCSIDR_EL1 in its 64-bit format").default(false),
    }),
    "what the cores have",
    "a mapping of idc, dic, fwb, ccidx to true or false",
  ).prefault({}),
  cacheability: choice(
    ["wb-only", "split"],
    "wb-only: anything but inner and outer Write-Back is Non-cacheable (R34); split: D21",
  ).default("wb-only"),
  ncLookup: flag("Non-cacheable accesses are served by hits (R14)").default(false),
  ncSnoops: flag("Non-cacheable accesses clean and invalidate cached copies first (R14)").default(false),
  ncAtomics: choice(["fault", "fail", "memory"], "what an atomic on Non-cacheable memory does (D26)").default("fault"),
  invalidateCleans: flag("DC ISW and DC IVAC clean dirty lines too (R22)").default(false),
  aarch32: choice(
    ["none", "el0", "all"],
    "where the cores can run 32-bit code; a 32-bit kernel needs all (R5)",
  ).default("all"),
  registers: note(
    z.strictObject({
      ...registerShape,
      zvaBlock: bytes(
        "DCZID_EL0 block; 0 where DC ZVA is prohibited",
        "0, or a power of two from 4 to 2048 bytes",
        (value) => value === 0 || (value >= 4 && value <= 2048 && Number.isInteger(Math.log2(value))),
      ).default(64),
    }),
    "register fields that geometry cannot determine (R5)",
    "a mapping of register fields",
  ).prefault({}),
  initialSctlr: integer(0, 2 ** 32 - 1, "SCTLR_EL1 before the first record: M is bit 0, C bit 2, I bit 12").default(
    0x1005,
  ),
  latencies: note(
    z.strictObject({
      snoop: cycles("a snoop within the socket").default(60),
      snoopRemote: cycles("a snoop of another socket").default(200),
      memory: cycles("memory of the same socket").default(200),
      memoryRemote: cycles("memory of another socket").default(350),
      writeback: cycles("a writeback").default(20),
      maintenance: cycles("a maintenance operation").default(20),
      dsb: cycles("a DSB").default(30),
      isb: cycles("an ISB").default(20),
      device: cycles("a device's access").default(200),
      tlbHit: cycles("a TLB hit").default(0),
      walkAccess: cycles("one access of a table walk").default(10),
      exit: cycles("an exit to the hypervisor").default(1500),
      entry: cycles("an entry to the guest").default(1000),
      syscall: cycles("a system call").default(300),
      mmioExit: cycles("an MMIO exit to user space and back").default(10000),
    }),
    "R31; the defaults are assumptions, not measurements",
    "a mapping of events to cycles",
  ).prefault({}),
  tlb: note(
    z.strictObject({
      micro: integer(0, 256, "entries of each core's instruction and data micro TLB; fully associative").default(16),
      entries: integer(0, 65536, "entries of each core's main TLB, a multiple of `ways`").default(512),
      ways: integer(1, 64, "associativity of the main TLB").default(4),
      walk: integer(0, 1024, "pointers to stage-1 tables that walks keep; fully associative").default(32),
      ipa: integer(0, 1024, "stage-2 translations that walks keep; fully associative").default(32),
    }),
    "translation caches of each core (D52); 0: none. The defaults are assumptions",
    "a mapping of micro, entries, ways, walk, ipa to integers",
  ).prefault({}),
  walker: choice(["l1", "pou"], "where table walks look first: the L1D, or the PoU level (R8)").default("l1"),
  seed: integer(0, 2 ** 32 - 1, "seeds random replacement (R39)").default(1),
  sources: note(
    z.record(z.string(), z.string()),
    "where numbers come from: dotted key, or its beginning, to free text",
    "a mapping of keys to text",
  ).default({}),
});

/** A description as people write it. */
export type MachineDescription = z.input<typeof machineSchema>;
/** A description with sizes in bytes and the schema's defaults filled in; it is a valid description itself. */
export type CompleteDescription = z.output<typeof machineSchema>;
export type CacheDescription = z.output<typeof cacheSchema>;
export type CacheChange = z.output<typeof overrideSchema>;
export type ClusterDescription = z.output<typeof clusterSchema>;
export type RegisterDescription = NonNullable<ClusterDescription["registers"]>;
