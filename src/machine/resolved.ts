/**
 * A machine after the schema, defaults and presets have been applied: plain numbers, nothing left to decide.
 * Both engines read this and nothing else. Sizes are bytes, latencies are cycles, `-1` means none.
 */

export type Protocol = "mesi" | "moesi";
export type CacheKind = "architected" | "system" | "memory-side" | "outer";
export type Contents = "instructions" | "data" | "unified";
export type Inclusion = "inclusive" | "exclusive" | "nine";
export type Replacement = "lru" | "tree-plru" | "fifo" | "random" | "srrip";
export type WritePolicy = "back" | "through";
/** Which misses allocate: both, only reads (a store miss passes by), or only stores and writebacks (a read passes by). */
export type Allocation = "read-write" | "read" | "write";

export const PREFETCHER_KINDS = ["next-line", "stride", "stream"] as const;
export type PrefetcherKind = (typeof PREFETCHER_KINDS)[number];

/** A hardware prefetcher (D57 to D60). */
export interface Prefetcher {
  readonly kind: PrefetcherKind;
  /** Lines that one training brings in at most. */
  readonly degree: number;
  /** How far ahead: in lines, of `stride` in strides. */
  readonly distance: number;
  /** Pages of 4 KiB that it keeps track of; of `next-line` 0. */
  readonly entries: number;
}

/** One cache of the machine. Instances that look alike are still listed one by one: they are few. */
export interface Cache {
  /** Index in `ResolvedMachine.caches`; also seeds random replacement (R39). Inner caches come first. */
  readonly id: number;
  /** `L1I`, `L1D`, `L2`, `L3`...: what counters and reports are grouped by. */
  readonly level: string;
  /** 1 for L1I and L1D, then one more per level outwards. */
  readonly depth: number;
  readonly holds: Contents;
  readonly kind: CacheKind;
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: number;
  readonly replacement: Replacement;
  readonly writePolicy: WritePolicy;
  readonly allocate: Allocation;
  /** What this cache promises about the data side (L1D and unified caches) and the L1Is directly inside it. */
  readonly inclusionOfData: Inclusion;
  readonly inclusionOfInstructions: Inclusion;
  /** Whether a writeback that hits here touches replacement state (R36: true for nine, false for inclusive, unless given). */
  readonly writebackTouches: boolean;
  /** Whether DC xSW reaches it; its level operand is then `depth` (only architected caches). */
  readonly setWay: boolean;
  readonly latencyCycles: number;
  /** Absent: none. */
  readonly prefetcher?: Prefetcher | undefined;
  /** Cores whose accesses go through this cache, ascending. */
  readonly cores: readonly number[];
  readonly socket: number;
  /** Next cache outwards for an address whose home is socket s: `parentBySocket[s]`, -1 at a root (the interconnect follows). */
  readonly parentBySocket: readonly number[];
}

/** Fields of the identification registers that geometry cannot determine (R5); what is absent is computed. Sizes in bytes. */
export interface RegisterOverrides {
  /** The whole of CLIDR_EL1. */
  readonly clidr?: number | undefined;
  readonly loc?: number | undefined;
  readonly louu?: number | undefined;
  readonly louis?: number | undefined;
  readonly icb?: number | undefined;
  /** CLIDR_EL1.Ttype, level 1 first. */
  readonly ttype?: readonly number[] | undefined;
  readonly l1ip?: "vpipt" | "aivivt" | "vipt" | "pipt" | undefined;
  readonly erg?: number | undefined;
  readonly cwg?: number | undefined;
  readonly iminLine?: number | undefined;
  readonly dminLine?: number | undefined;
  readonly tminLine?: number | undefined;
  /** CCSIDR_EL1[31:28] by level name. */
  readonly ccsidrUnknown?: Readonly<Partial<Record<string, number | undefined>>> | undefined;
}

/** What CTR_EL0 and the identification registers say the cores have. */
export interface Features {
  readonly idc: boolean;
  readonly dic: boolean;
  readonly fwb: boolean;
  readonly ccidx: boolean;
}

export interface Core {
  readonly id: number;
  readonly socket: number;
  readonly cluster: number;
  /** Cache ids, -1 where the core has none. */
  readonly l1i: number;
  readonly l1d: number;
  /** First cache outwards of L1I and L1D (the PoU level), by home socket; -1 where the interconnect follows directly. */
  readonly unifiedBySocket: readonly number[];
  /** What the description calls such cores, if it does. */
  readonly model?: string | undefined;
  /** Absent: every register field is computed. Engines do not read this. */
  readonly registers?: RegisterOverrides | undefined;
}

export interface MemoryRegion {
  readonly base: number;
  readonly sizeBytes: number;
  readonly socket: number;
  /** `ram` holds bytes; `device` is MMIO: it accepts accesses, reads as zero, and is never cached. */
  readonly type: "ram" | "device";
}

export interface Device {
  readonly name: string;
  /** Requester number in records: `cores.length + index`. */
  readonly requester: number;
  readonly coherent: boolean;
  readonly socket: number;
  /** Where a coherent device's writes land (R46). */
  readonly allocate: "system" | "memory";
}

/** R31; every value in cycles. */
export interface Latencies {
  readonly snoop: number;
  readonly snoopRemote: number;
  readonly memory: number;
  readonly memoryRemote: number;
  readonly writeback: number;
  readonly maintenance: number;
  readonly dsb: number;
  readonly isb: number;
  readonly device: number;
  readonly tlbHit: number;
  readonly walkAccess: number;
  readonly exit: number;
  readonly entry: number;
  readonly syscall: number;
  readonly mmioExit: number;
}

/** Entries of each core's translation caches (D52); 0: it has none. */
export interface TlbGeometry {
  /** Each of the instruction and the data micro TLB; fully associative. */
  readonly micro: number;
  /** The main TLB; a multiple of `ways`. */
  readonly entries: number;
  readonly ways: number;
  /** Stage-1 table pointers, and stage-2 translations; fully associative. */
  readonly walk: number;
  readonly ipa: number;
}

export interface ResolvedMachine {
  readonly name: string;
  readonly sockets: number;
  readonly protocol: Protocol;
  readonly cores: readonly Core[];
  /** Coherent caches only, inner first: every `parentBySocket` points to a later id. */
  readonly caches: readonly Cache[];
  /** The PL310-like cache between the interconnect and memory, if any (R4). */
  readonly outer: Cache | undefined;
  /** `false` is the silicon default of R4: shareable Normal Non-cacheable accesses look the outer cache up. */
  readonly outerSharedOverride: boolean;
  /** Memory-side caches by home socket (one machine-wide cache appears at every index); empty if none. */
  readonly memorySide: readonly (Cache | undefined)[];
  readonly memory: readonly MemoryRegion[];
  readonly devices: readonly Device[];
  /** Sized directories, one a socket, or undefined for the exact one (R17). */
  readonly directory: { readonly sets: number; readonly ways: number } | undefined;
  readonly cacheability: "wb-only" | "split";
  readonly ncLookup: boolean;
  readonly ncSnoops: boolean;
  readonly ncAtomics: "fault" | "fail" | "memory";
  readonly invalidateCleans: boolean;
  /** CTR_EL0.DIC: stores invalidate L1I copies. */
  readonly dic: boolean;
  /** Effective IDC (CTR_EL0.IDC, or LoC = 0, or LoUU = LoUIS = 0): fetch misses snoop the core's own data caches. */
  readonly idc: boolean;
  /** DCZID_EL0 block, bytes; 0 where DC ZVA is prohibited. */
  readonly zvaBytes: number;
  /** SCTLR_EL1 of every core before the first record. */
  readonly initialSctlr: number;
  readonly tlb: TlbGeometry;
  /** Where table walks look first: the L1D, or the PoU level (R8). */
  readonly walker: "l1" | "pou";
  readonly seed: number;
  readonly latencies: Latencies;
  /** Smallest and largest line of any cache, bytes; 64 where there is no cache. */
  readonly smallestLineBytes: number;
  readonly largestLineBytes: number;
  readonly aarch32: "none" | "el0" | "all";
  /** Raw feature bits, for registers and hypervisor policies; absent: none. Engines read `idc` and `dic` above. */
  readonly features?: Features | undefined;
}
