/**
 * The machine description: one declaration of every key, which feeds validation, defaults, error messages and
 * docs/machines.md. What a description means is decided in `resolve.ts`; rules between keys are checked there.
 */
import * as z from "zod/mini";
import { parseBytes } from "./quantity.ts";
import { PREFETCHER_KINDS } from "./resolved.ts";

/** What the schema library doesn't know about a key: its meaning, what a valid value looks like, a derived default. */
export interface KeyNote {
  readonly about: string;
  /** What is expected, in words; shown in errors and in the reference. */
  readonly expects: string;
  /** The default in words where it depends on other keys. */
  readonly otherwise?: string;
}

export const keyNotes = z.registry<KeyNote>();

const note = <T extends z.ZodMiniType>(schema: T, about: string, expects: string, otherwise?: string): T => {
  keyNotes.add(schema, otherwise === undefined ? { about, expects } : { about, expects, otherwise });
  return schema;
};

const integer = (low: number, high: number, about: string, otherwise?: string) => {
  const range = high === 2 ** 32 - 1 ? `${low} to 2^32 - 1` : `${low} to ${high}`;
  return note(z.int().check(z.gte(low), z.lte(high)), about, `an integer from ${range}`, otherwise);
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
    z.pipe(
      z.union([z.number(), z.string()]),
      z.transform((value, context) => {
        const parsed = parseBytes(value);
        if (parsed !== undefined && accepts(parsed)) return parsed;
        context.issues.push({ code: "custom", message: "bad size", input: value });
        return z.NEVER;
      }),
    ),
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

const MAX_PREFETCH_DEGREE = 16;
const MAX_PREFETCH_DISTANCE = 64;
const MAX_PREFETCH_ENTRIES = 256;

const prefetchSchema = note(
  z.union([
    z.enum(["none", ...PREFETCHER_KINDS]),
    z.strictObject({
      kind: choice(
        PREFETCHER_KINDS,
        "what it looks for: nothing, equal steps within a page, or a direction",
        "required",
      ),
      degree: z.optional(
        integer(1, MAX_PREFETCH_DEGREE, "lines that one training brings in at most", "1, of a stream 2"),
      ),
      distance: z.optional(
        integer(1, MAX_PREFETCH_DISTANCE, "how far ahead, in lines, of a stride in strides", "1, of a stream 8"),
      ),
      entries: z.optional(
        integer(1, MAX_PREFETCH_ENTRIES, "stride and stream: pages of 4 KiB that it keeps track of", "16"),
      ),
    }),
  ]),
  "a hardware prefetcher, trained by the loads and stores that miss here (D57)",
  `none, ${PREFETCHER_KINDS.join(", ")}, or {kind: ..., degree: ..., distance: ..., entries: ...}`,
  "none",
);

const cacheShape = {
  size: size("capacity of one instance", "from `sets`"),
  sets: integer(1, 2 ** 24, "number of sets, instead of `size`; any number, also an odd one", "from `size`"),
  ways: integer(1, 256, `associativity; any number, with tree-plru up to ${MAX_TREE_PLRU_WAYS}`, "required"),
  line: z._default(powerOfTwo(16, 2048, "line length"), 64),
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
        L1D: z._default(choice(INCLUSIONS, "towards the data side: L1D and the unified caches inside"), "nine"),
        L1I: z._default(choice(INCLUSIONS, "towards the instruction caches inside"), "nine"),
      }),
    ]),
    "R3: what this level promises about the levels nearer the core",
    "inclusive, exclusive or nine, or {L1D: ..., L1I: ...} with one word each",
    "nine",
  ),
  placement: z._default(
    choice(
      ["requester", "home"],
      "which socket's instance serves an access: the requester's, or that of the address's memory region",
    ),
    "requester",
  ),
  replacement: z._default(choice(["lru", "tree-plru", "fifo", "random", "srrip"], "victim policy (R39)"), "lru"),
  write: z._default(choice(["back", "through"], "write policy (D17)"), "back"),
  allocate: z._default(choice(["read-write", "read", "write"], "which misses allocate (D13)"), "read-write"),
  writebackTouches: flag(
    "whether a writeback that hits touches replacement state (R36)",
    "false where inclusive of data, else true",
  ),
  setWay: flag("whether DC xSW reaches it, which is also whether it is in CLIDR (R5)", "true for architected caches"),
  latency: cycles("a hit", "4 for L1, 12 for L2, 40 beyond"),
  prefetch: prefetchSchema,
  sharedOverride: flag(
    "outer only, R4: false (silicon default) lets shareable Normal Non-cacheable accesses look it up",
    "false",
  ),
};

/** A cluster changes single keys of a cache, so nothing may be filled in before both are laid over one another. */
const overrideShape = Object.fromEntries(
  Object.entries(cacheShape).map(([key, schema]) => [
    key,
    z.optional(schema instanceof z.ZodMiniDefault ? schema.def.innerType : schema),
  ]),
) as unknown as {
  [K in keyof typeof cacheShape]: z.ZodMiniOptional<
    (typeof cacheShape)[K] extends z.ZodMiniDefault<infer Inner> ? Inner : (typeof cacheShape)[K]
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
  "prefetch",
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

function byLevel<T extends z.ZodMiniType>(schema: T): { [L in LevelName]: z.ZodMiniOptional<T> } {
  return Object.fromEntries(LEVEL_NAMES.map((level) => [level, z.optional(schema)])) as {
    [L in LevelName]: z.ZodMiniOptional<T>;
  };
}

const unknownBits = integer(0, 15, "CCSIDR_EL1[31:28] of this cache, or of a level that isn't there");

/** R5: what geometry cannot determine. */
const registerShape = {
  clidr: z.optional(integer(0, 2 ** 47 - 1, "the whole of CLIDR_EL1, instead of its fields", "computed")),
  loc: z.optional(integer(0, 7, "CLIDR_EL1.LoC", "the outermost level that set/way reaches")),
  louu: z.optional(integer(0, 7, "CLIDR_EL1.LoUU", "0 with features.idc, else 1 if there is an L1")),
  louis: z.optional(integer(0, 7, "CLIDR_EL1.LoUIS", "like louu")),
  icb: z.optional(integer(0, 7, "CLIDR_EL1.ICB", "0")),
  ttype: z.optional(
    note(
      z.array(z.int().check(z.gte(0), z.lte(3))).check(z.maxLength(7)),
      "CLIDR_EL1.Ttype, level 1 first",
      "a list of up to 7 integers from 0 to 3",
      "all 0",
    ),
  ),
  l1ip: z.optional(choice(["vpipt", "aivivt", "vipt", "pipt"], "CTR_EL0.L1Ip", "pipt")),
  erg: z.optional(powerOfTwo(4, 2 ** 17, "CTR_EL0.ERG, exclusives' granule", "the largest line")),
  cwg: z.optional(powerOfTwo(4, 2 ** 17, "CTR_EL0.CWG, writeback granule", "the largest line")),
  iminLine: z.optional(powerOfTwo(4, 2 ** 17, "CTR_EL0.IminLine", "the L1I's line")),
  dminLine: z.optional(powerOfTwo(4, 2 ** 17, "CTR_EL0.DminLine", "the smallest data or unified line")),
  tminLine: z.optional(powerOfTwo(4, 2 ** 17, "CTR_EL0.TminLine", "the field is 0")),
  ccsidrUnknown: z.optional(
    note(
      z.strictObject(byLevel(unknownBits)),
      "bits of CCSIDR_EL1 that the architecture leaves unknown",
      "a mapping of L1I, L1D, L2... to integers from 0 to 15",
      "all 0",
    ),
  ),
};

const clusterSchema = note(
  z.strictObject({
    name: z.optional(text("what its cores are called", "none")),
    count: integer(1, 512, "cores in one cluster", "required"),
    repeat: z._default(integer(1, 512, "how many clusters like this follow one another"), 1),
    socket: z._default(integer(0, 63, "where they are"), 0),
    caches: z.optional(
      note(
        z.strictObject(
          byLevel(
            note(z.union([z.literal("none"), overrideSchema]), "changes", "a mapping of a cache's keys, or none"),
          ),
        ),
        "by level: keys that differ from `caches`, or `none` where these cores lack the level",
        "a mapping of L1I, L1D, L2... to changes",
        "no difference",
      ),
    ),
    registers: z.optional(
      note(
        z.strictObject(registerShape),
        "keys that differ from `registers` (all but zvaBlock)",
        "a mapping of register fields",
        "no difference",
      ),
    ),
  }),
  "a cluster",
  "a mapping with count, and maybe repeat, socket, name, caches, registers",
);

const regionSchema = note(
  z.strictObject({
    base: z._default(
      bytes("first address", "an address, a multiple of 4 KiB", (value) => value % 4096 === 0),
      0,
    ),
    size: bytes("length", "a size, a multiple of 4 KiB", (value) => value > 0 && value % 4096 === 0, "required"),
    socket: z._default(integer(0, 63, "home socket of its lines"), 0),
    type: z._default(choice(["ram", "device"], "device: MMIO, reads as zero, never cached (D7)"), "ram"),
  }),
  "a memory region",
  "a mapping with size, and maybe base, socket, type",
);

const deviceSchema = note(
  z.strictObject({
    name: z.optional(text("what reports call it", "device0, device1...")),
    coherent: z._default(flag("whether it snoops the caches (R46)"), false),
    socket: z._default(integer(0, 63, "where it is"), 0),
    allocate: z.optional(
      choice(
        ["system", "memory"],
        "where a coherent device's writes land (R46)",
        "system where there is a system cache and it is coherent, else memory",
      ),
    ),
  }),
  "a device",
  "a mapping with maybe name, coherent, socket, allocate",
);

export const machineSchema = z.strictObject({
  name: z._default(text("what reports call the machine"), "unnamed"),
  about: z.optional(text("one line for lists", "none")),
  sockets: z.optional(integer(1, 64, "number of sockets", "1, or one more than the highest socket that `cores` names")),
  cores: note(
    z.union([z.int().check(z.gte(1), z.lte(512)), z.array(clusterSchema).check(z.minLength(1), z.maxLength(512))]),
    "number of cores, spread evenly over sockets with one cluster a socket; or a list of clusters",
    "an integer from 1 to 512, or a list of clusters",
    "required",
  ),
  protocol: z._default(choice(["mesi", "moesi"], "coherence protocol (R17)"), "moesi"),
  caches: note(
    z.strictObject(byLevel(cacheSchema)),
    "the levels of cache, by name; an empty mapping for none",
    `a mapping of ${LEVEL_NAMES.join(", ")} to caches`,
    "required",
  ),
  memory: z.optional(
    note(
      z.array(regionSchema).check(z.minLength(1), z.maxLength(64)),
      "regions of memory; at most 2^32 of the smallest lines together, and 256 GiB",
      "a list of up to 64 regions",
      "16 GiB of RAM from 0, the sockets' shares one after another",
    ),
  ),
  devices: z._default(
    note(
      z.array(deviceSchema).check(z.maxLength(256)),
      "DMA masters, after the cores among requesters",
      "a list of devices",
    ),
    [],
  ),
  directory: z._default(
    note(
      z.union([
        z.literal("exact"),
        z.strictObject({
          sets: integer(1, 2 ** 24, "sets of one socket's directory", "required"),
          ways: integer(1, 256, "its ways", "required"),
        }),
      ]),
      "the coherence directory: exact, or a sized one a socket whose evictions back-invalidate (R17, D25)",
      "exact, or {sets: ..., ways: ...}",
    ),
    "exact",
  ),
  features: z.prefault(
    note(
      z.strictObject({
        idc: z._default(flag("CTR_EL0.IDC: no clean to the PoU is needed"), false),
        dic: z._default(flag("CTR_EL0.DIC: no instruction invalidate is needed; stores invalidate L1I copies"), false),
        fwb: z._default(flag("FEAT_S2FWB: stage 2 can force Write-Back"), false),
        ccidx: z._default(flag("FEAT_CCIDX: CCSIDR_EL1 in its 64-bit format"), false),
      }),
      "what the cores have",
      "a mapping of idc, dic, fwb, ccidx to true or false",
    ),
    {},
  ),
  cacheability: z._default(
    choice(["wb-only", "split"], "wb-only: anything but inner and outer Write-Back is Non-cacheable (R34); split: D21"),
    "wb-only",
  ),
  ncLookup: z._default(flag("Non-cacheable accesses are served by hits (R14)"), false),
  ncSnoops: z._default(flag("Non-cacheable accesses clean and invalidate cached copies first (R14)"), false),
  ncAtomics: z._default(
    choice(["fault", "fail", "memory"], "what an atomic on Non-cacheable memory does (D26)"),
    "fault",
  ),
  invalidateCleans: z._default(flag("DC ISW and DC IVAC clean dirty lines too (R22)"), false),
  aarch32: z._default(
    choice(["none", "el0", "all"], "where the cores can run 32-bit code; a 32-bit kernel needs all (R5)"),
    "all",
  ),
  registers: z.prefault(
    note(
      z.strictObject({
        ...registerShape,
        zvaBlock: z._default(
          bytes(
            "DCZID_EL0 block; 0 where DC ZVA is prohibited",
            "0, or a power of two from 4 to 2048 bytes",
            (value) => value === 0 || (value >= 4 && value <= 2048 && Number.isInteger(Math.log2(value))),
          ),
          64,
        ),
      }),
      "register fields that geometry cannot determine (R5)",
      "a mapping of register fields",
    ),
    {},
  ),
  initialSctlr: z._default(
    integer(0, 2 ** 32 - 1, "SCTLR_EL1 before the first record: M is bit 0, C bit 2, I bit 12"),
    0x1005,
  ),
  latencies: z.prefault(
    note(
      z.strictObject({
        snoop: z._default(cycles("a snoop within the socket"), 60),
        snoopRemote: z._default(cycles("a snoop of another socket"), 200),
        memory: z._default(cycles("memory of the same socket"), 200),
        memoryRemote: z._default(cycles("memory of another socket"), 350),
        writeback: z._default(cycles("a writeback"), 20),
        maintenance: z._default(cycles("a maintenance operation"), 20),
        dsb: z._default(cycles("a DSB"), 30),
        isb: z._default(cycles("an ISB"), 20),
        device: z._default(cycles("a device's access"), 200),
        tlbHit: z._default(cycles("a TLB hit"), 0),
        walkAccess: z._default(cycles("one access of a table walk"), 10),
        exit: z._default(cycles("an exit to the hypervisor"), 1500),
        entry: z._default(cycles("an entry to the guest"), 1000),
        syscall: z._default(cycles("a system call"), 300),
        mmioExit: z._default(cycles("an MMIO exit to user space and back"), 10000),
      }),
      "R31; the defaults are assumptions, not measurements",
      "a mapping of events to cycles",
    ),
    {},
  ),
  tlb: z.prefault(
    note(
      z.strictObject({
        micro: z._default(
          integer(0, 256, "entries of each core's instruction and data micro TLB; fully associative"),
          16,
        ),
        entries: z._default(integer(0, 65536, "entries of each core's main TLB, a multiple of `ways`"), 512),
        ways: z._default(integer(1, 64, "associativity of the main TLB"), 4),
        walk: z._default(integer(0, 1024, "pointers to stage-1 tables that walks keep; fully associative"), 32),
        ipa: z._default(integer(0, 1024, "stage-2 translations that walks keep; fully associative"), 32),
      }),
      "translation caches of each core (D52); 0: none. The defaults are assumptions",
      "a mapping of micro, entries, ways, walk, ipa to integers",
    ),
    {},
  ),
  walker: z._default(choice(["l1", "pou"], "where table walks look first: the L1D, or the PoU level (R8)"), "l1"),
  seed: z._default(integer(0, 2 ** 32 - 1, "seeds random replacement (R39)"), 1),
  sources: z._default(
    note(
      z.record(z.string(), z.string()),
      "where numbers come from: dotted key, or its beginning, to free text",
      "a mapping of keys to text",
    ),
    {},
  ),
});

/** A description as people write it. */
export type MachineDescription = z.input<typeof machineSchema>;
/** A description with sizes in bytes and the schema's defaults filled in; it is a valid description itself. */
export type CompleteDescription = z.output<typeof machineSchema>;
export type CacheDescription = z.output<typeof cacheSchema>;
export type CacheChange = z.output<typeof overrideSchema>;
export type ClusterDescription = z.output<typeof clusterSchema>;
export type RegisterDescription = NonNullable<ClusterDescription["registers"]>;
