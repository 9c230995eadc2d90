/**
 * The one interface that the kernel and the reference model implement. A user plays batches of 64-bit records and
 * asks afterwards what happened; nothing here knows where records come from.
 */
import type { ResolvedMachine } from "../machine/resolved.ts";
import type { Exit } from "./exit.ts";
import type { HazardName, Recorded } from "./hazards.ts";

/** Counters of one cache (R37); D9 to D30 and D57 to D60 of docs/semantics.md say what counts. */
export const CACHE_COUNTERS = [
  "loads",
  "stores",
  "fetches",
  "loadMisses",
  "storeMisses",
  "fetchMisses",
  "writebacksIn",
  "writebackMisses",
  "writebacksOut",
  "evictions",
  "maintenanceProbes",
  "snoopsIn",
  "invalidations",
  "upgrades",
  "backInvalidations",
  "prefetches",
  "prefetchesUsed",
  "prefetchesUnused",
] as const;
export type CacheCounter = (typeof CACHE_COUNTERS)[number];
export type CacheCounters = Record<CacheCounter, number>;

/** Counters of the whole machine. */
export const MACHINE_COUNTERS = [
  "memoryReads",
  "memoryWrites",
  "uncachedReads",
  "uncachedWrites",
  "deviceReads",
  "deviceWrites",
  "unexpectedHits",
  "atomicFailures",
  "directoryEvictions",
  "crossings",
  "walkReads",
  "flushedLeaves",
  "flushedLines",
] as const;
export type MachineCounter = (typeof MACHINE_COUNTERS)[number];

/** Cost events of one requester (D36). A hit is named by the level that hit: `hits[level]`. */
export const COST_EVENTS = [
  "snoop",
  "snoopRemote",
  "memory",
  "memoryRemote",
  "uncached",
  "uncachedRemote",
  "writeback",
  "maintenance",
  "dsb",
  "isb",
  "device",
  "walk",
  "tlb",
  "tlbi",
  "exit",
  "entry",
  "syscall",
  "mmioExit",
] as const;
export type CostEvent = (typeof COST_EVENTS)[number];

/** Events that a `CHARGE` record counts, by its operand (D54). */
export const CHARGED_EVENTS = ["exit", "entry", "syscall", "mmioExit"] as const satisfies readonly CostEvent[];

/** Counters of one core's translation (D52, D53). */
export const TLB_COUNTERS = ["lookups", "microMisses", "mainMisses", "walkHits", "ipaHits", "invalidated"] as const;
export type TlbCounter = (typeof TLB_COUNTERS)[number];
export type TlbCounters = Record<TlbCounter, number>;

export interface Counters {
  /** By cache id; then the outer cache and the memory-side caches (`outer`, `memorySide` by socket), if any. */
  readonly caches: readonly CacheCounters[];
  readonly outer: CacheCounters | undefined;
  readonly memorySide: readonly CacheCounters[];
  readonly machine: Record<MachineCounter, number>;
  /** By requester (cores, then devices): how often each event happened. */
  readonly events: readonly Record<CostEvent, number>[];
  /** By requester, then by level name (`L1D`, `L2`, ..., `outer`, `memory-side`): demand pieces that this level supplied. */
  readonly hits: readonly Readonly<Record<string, number>>[];
  /** By core. */
  readonly tlbs: readonly TlbCounters[];
}

/** Where a value is: a cache by id, or one of the places behind the interconnect. */
export type Place = { readonly cache: number } | "outer" | "memory-side" | "memory" | "nowhere";

export interface Hazard {
  readonly class: HazardName;
  /** Address of the line (smallest line of the machine); 0 where the class has none. */
  readonly line: number;
  /** Record of the newest write, -1 if none or not meaningful. */
  readonly newest: number;
  /** Who wrote it (-1 if nobody) and with which attribute code. */
  readonly writer: number;
  readonly writerAttribute: number;
  readonly observer: number;
  /** First occurrence. */
  readonly record: number;
  readonly piece: number;
  readonly occurrences: number;
  /** Dirty lines of set/way-short-of-poc; 1 for other classes. */
  readonly lines: number;
  /** First wrong byte's word: its address, what was seen and what would have been right (64-bit, as bigint). Zero for latent classes. */
  readonly address: number;
  readonly observed: bigint;
  readonly expected: bigint;
  /** What supplied the observer, and where the newest value was at that moment (innermost place first). */
  readonly source: Place;
  readonly newestAt: Place;
  /** Attribute code with which the observer looked. */
  readonly attribute: number;
  /** Record at which the newest value was lost, -1 if it wasn't. */
  readonly lostAt: number;
}

/** What a trace recorded (R48). Everything is true for scenarios. */
export type Provenance = Readonly<Record<Recorded, boolean>>;
export const EVERYTHING_RECORDED: Provenance = { maintenance: true, control: true, dma: true, ownership: true };

export interface EngineOptions {
  /** Defaults to EVERYTHING_RECORDED. */
  readonly provenance?: Provenance;
}

/** A copy of a line, for explanations and pages. */
export interface Copy {
  readonly cache: number;
  readonly set: number;
  readonly way: number;
  /** Address of the copy's line. */
  readonly line: number;
  readonly state: "S" | "E" | "O" | "M";
}

/** Where bytes can be looked at; of memory-side caches it is that of the address's home. */
export type PeekPlace = "memory" | "truth" | "outer" | "memory-side" | { readonly cache: number };

export interface Engine {
  readonly machine: ResolvedMachine;
  /** Whether copies have bytes: byte hazards and `read` need that. */
  readonly carriesData: boolean;
  /**
   * Plays records: two 32-bit words each, low word first. Throws `RecordError` on a bad record (D7).
   * `count` records from `words`; default all of it. Throws `ExitError` where `run` would stop.
   */
  play(words: Uint32Array, count?: number): void;
  /**
   * Plays records until one exits (D40). Returns how many words of 64 bits are behind it: `count` if none exited, else
   * the index of the record that did, which has not been played; `exit` then says why. Whoever goes on gives the rest
   * again: from that record's prefixes to try it once more, from behind it where a hypervisor has emulated it.
   */
  run(words: Uint32Array, count?: number): number;
  /** What stopped the last `run`. */
  readonly exit: Exit | undefined;
  /** Records played so far, prefixes not counted. */
  readonly records: number;
  counters(): Counters;
  hazards(): readonly Hazard[];
  /** Hazard classes that the provenance cannot support (R48). */
  notAssessable(): readonly HazardName[];
  /** Valid copies that overlap the smallest line around the address: data, unified and instruction caches, by cache id. */
  copies(address: number): readonly Copy[];
  /** Dirty copies by cache id, right now. */
  dirtyLines(): readonly number[];
  /** Bytes of RAM, or of the truth (D31), or of a cache's copies (zero where it has none). Empty if the engine carries no data. */
  peek(where: PeekPlace, address: number, size: number): Uint8Array;
  /** The value that the last load, atomic, fetch or device read observed: its first 8 bytes, little-endian. 0 if no data. */
  lastValue(): bigint;
}

/** In the kernel's numbers. */
export const PLAY_ORDERS = ["automatic", "program", "groups"] as const;
export type PlayOrder = (typeof PLAY_ORDERS)[number];

/** How far set groups were used. Plain data: it can be sent and written down. */
export interface SetGroupUse {
  /** What was asked for; a log of misses asks for program order. */
  readonly order: PlayOrder;
  readonly logsMisses: boolean;
  /** Set groups that the machine has; 0 if there are none that accesses could be dealt into. */
  readonly groups: number;
  /** Why there are none. */
  readonly why?: string;
  /** Records dealt; a shard counts those of other shards that it passed by while dealing. */
  readonly dealt: number;
}

/** What has been played, as reports read it: an engine, or what several shards of one found together. */
export interface Played
  extends Pick<
    Engine,
    "machine" | "carriesData" | "records" | "counters" | "hazards" | "notAssessable" | "dirtyLines"
  > {
  /** Absent where nothing is played by set groups. */
  setGroups?(): SetGroupUse | undefined;
}
