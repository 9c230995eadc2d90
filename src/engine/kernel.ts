/** The kernel as an Engine: one WebAssembly instance with private memory, typed views over its state, nothing else. */
import type { Cache, ResolvedMachine } from "../machine/resolved.ts";
import {
  CACHE_COUNTERS,
  type CacheCounters,
  CHARGED_EVENTS,
  COST_EVENTS,
  type Copy,
  type CostEvent,
  type Counters,
  type Engine,
  type EngineOptions,
  EVERYTHING_RECORDED,
  type Hazard,
  MACHINE_COUNTERS,
  type PeekPlace,
  PLAY_ORDERS,
  type Place,
  type PlayOrder,
  type Provenance,
  type SetGroupUse,
  TLB_COUNTERS,
  type TlbCounters,
} from "./engine.ts";
import { MachineError, RecordError } from "./errors.ts";
import { type Exit, ExitError } from "./exit.ts";
import { EXIT_ACCESSES, EXIT_TYPES, type ExitAccess, type ExitType } from "./exit-types.ts";
import { byOccurrence, HAZARD_CLASSES, type HazardName } from "./hazards.ts";
import { moduleOf } from "./inlined-module.ts";
import { KERNELS } from "./kernel-binary.ts";
import { MissLog } from "./miss-log.ts";
import { OPERATION_BY_CODE } from "./operations.ts";
import { type KernelCache, type Placement, place } from "./placement.ts";
import { CROSSES_GROUPS, type FullLoop, type Share, STALE_WALK, WholeMachineNeeded } from "./share.ts";
import { TLBI_KINDS } from "./system-registers.ts";

export interface KernelOptions extends EngineOptions {
  /** Whether copies carry bytes, so that stale values can be seen; default true. */
  readonly data?: boolean;
  /** A kernel of your own instead of the inlined one (a debug build, or a module that was compiled elsewhere). */
  readonly wasm?: BufferSource | WebAssembly.Module;
  /**
   * In which order plain accesses are played; results are the same to the last counter (R49). `automatic` deals them into set
   * groups where that pays, `groups` wherever the machine has groups.
   */
  readonly order?: PlayOrder;
  /** R38: mimic the yardstick's directory and counters; for that one comparison only. */
  readonly yardstick?: boolean;
  /** Logs what records meet (`takeMissLog`): for miss streams and profiles. Hits in the L2 are then slower. */
  readonly missLog?: boolean;
  /** Makes the kernel a shard: it goes through all records and plays what lies in these set groups. All of them if absent. */
  readonly share?: Share | undefined;
}

/** Counters that only the yardstick's view has (R38), by socket, and lines ever filled inwards at their L2 eviction. */
export interface YardstickCounters {
  readonly c2c: readonly number[];
  readonly backInvalidatingEvictions: readonly number[];
  readonly evictionsWithInner: number;
}

export interface Kernel extends Engine {
  /** One requester's cost events, as `counters` has them: cheap enough to be read between any two records. */
  eventsOf(requester: number): Record<CostEvent, number>;
  /** By level name, how many demand pieces of one requester it supplied; plain hits in its L1s aren't among them. */
  hitsOf(requester: number): Readonly<Record<string, number>>;
  /** The state of the copy behind the interconnect that overlaps an address, if there is one. */
  heldBehind(where: "outer" | "memory-side", address: number): Copy["state"] | undefined;
  yardstick(): YardstickCounters;
  setGroups(): SetGroupUse;
  /** Plays whatever still waits in buckets; reading any result does so too. */
  settle(): void;
  /**
   * What the records that were played since the last time met, in the order of their numbers; a record without an entry was
   * a plain hit in its L1. Empty unless the kernel was made with `missLog`.
   */
  takeMissLog(): MissLog;
  /** Bytes of linear memory in use. */
  readonly memoryBytes: number;
  /** Whether this kernel plays what happens to the line around an address: always, unless it is a shard. */
  owns(address: number): boolean;
  /** The full set/way loops that a shard went through; a whole kernel judges them itself. */
  fullLoops(): readonly FullLoop[];
  /** Number of the last record of which a shard observed a byte (`lastValue`), -1 if none. */
  readonly lastObserved: number;
  /**
   * Whether a shard took another one's descriptor for what it should be. Until all of them have come to the same record, what such
   * a shard says may be wrong, an error or an exit too: if so, another one will throw WholeMachineNeeded.
   */
  readonly trustsOthers: boolean;
}

/** What assembly/index.ts exports. Addresses are numbers, 64-bit values bigints. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  startMissLog(): void;
  missLogAddress(): number;
  missLogLength(): number;
  clearMissLog(): void;
  setShape(cores: number, devices: number, sockets: number, caches: number, levels: number): void;
  setProtocol(moesi: number, split: number, ncLookup: number, ncSnoops: number, ncAtomics: number): void;
  setFeatures(
    cleans: number,
    dic: number,
    idc: number,
    zva: number,
    seed: number,
    overrides: number,
    sticky: number,
  ): void;
  setDirectory(sets: number, ways: number, smallestShift: number, largestShift: number): void;
  begin(): void;
  addRegion(base: bigint, size: bigint, delta: bigint, home: number, isDevice: number): void;
  addCache(...parameters: number[]): void;
  setParent(index: number, socket: number, parent: number): void;
  setUnit(index: number, unit: number, covered: number, unitsFrom: number, unitsTo: number): void;
  setUnitsAreCores(on: number): void;
  addCore(core: number, socket: number, l1i: number, l1d: number, sctlr: number): void;
  addToPath(core: number, home: number, index: number, isFetch: number): void;
  setPrefetcher(index: number, kind: number, degree: number, distance: number, entries: number): void;
  addDevice(device: number, coherent: number, socket: number): void;
  setLanding(device: number, home: number, index: number): void;
  newList(length: number): number;
  listNode(position: number, index: number): void;
  newUnits(count: number): void;
  setUnitList(unit: number, list: number): void;
  setMemorySide(socket: number, index: number): void;
  build(units: number, sharedRoots: number, outer: number): void;
  setYardstick(on: number): void;
  setAssessable(mask: number): void;
  batchAddress(): number;
  /** Records to play at once next; never more than the batch holds. */
  batchCapacity(): number;
  play(count: number): number;
  setOrder(order: number): void;
  settle(): void;
  groupsToDeal(): number;
  readonly dealt: WebAssembly.Global;
  playError(): number;
  errorRequester(): number;
  exitAddress(): number;
  setTlb(micro: number, entries: number, ways: number, walk: number, ipa: number): void;
  setWalker(atUnification: number): void;
  tlbCounterAddress(): number;
  tlbCountersApart(): number;
  recordsPlayed(): bigint;
  lastValue(): bigint;
  carriesData(): number;
  counterAddress(): number;
  machineCounterAddress(): number;
  eventAddress(): number;
  hitAddress(): number;
  fastHitAddress(): number;
  yardstickAddress(): number;
  dirtyLines(index: number): number;
  bytesUsed(): number;
  setShard(first: number, bits: number): void;
  ownGroup(group: number): void;
  ownsAddress(address: bigint): number;
  loopCount(): number;
  loopAt(i: number): number;
  readonly lastObserved: WebAssembly.Global;
  readonly trusted: WebAssembly.Global;
  hazardCount(): number;
  hazardAt(i: number): number;
  locate(address: bigint): number;
  findCopy(index: number, address: bigint): bigint;
  copyState(index: number, address: bigint): number;
  copyByte(index: number, address: bigint): number;
  memoryByte(address: bigint): number;
  truthOffset(): number;
}

const modules = new Map<string, WebAssembly.Module>();

/** `versions` is the tags-only kernel that can tell possible hazards (R45); plain `tags` knows nothing of contents. */
type Flavour = "tags" | "versions" | "data";

/** Without bytes, versions are kept only where the provenance can support a hazard that they would tell. */
function flavourFor(data: boolean, provenance: Provenance): Flavour {
  if (data) return "data";
  const told = HAZARD_CLASSES.filter((each) => each.kind !== "latent");
  return told.some((each) => each.needs.every((need) => provenance[need])) ? "versions" : "tags";
}

/** The module of the kernel that `createKernel` would take: to be sent to threads, which then needn't compile it again. */
export function kernelModule(options: Pick<KernelOptions, "data" | "provenance">): WebAssembly.Module {
  return inlined(flavourFor(options.data ?? true, options.provenance ?? EVERYTHING_RECORDED));
}

export function inlined(flavour: Flavour): WebAssembly.Module {
  let module = modules.get(flavour);
  if (!module) {
    module = moduleOf(KERNELS[flavour]);
    modules.set(flavour, module);
  }
  return module;
}

const HOLDS = ["instructions", "data", "unified"];
const KINDS = ["architected", "system", "memory-side", "outer"];
const POLICIES = ["lru", "tree-plru", "fifo", "random", "srrip"];
const PREFETCHERS = ["next-line", "stride", "stream"];
const STATES: Record<number, Copy["state"]> = { 1: "S", 3: "E", 5: "O", 7: "M" };
/** Counters in one cache's block, and levels in one requester's block of hits. */
const CACHE_BLOCK = 24;
const LEVEL_BLOCK = 16;
/** Counters in one requester's block of events. */
const EVENT_BLOCK = 32;
const NONE = -1;
/** Linear memory that cannot grow by another large table. */
const FULL_MEMORY_BYTES = 1.9 * 2 ** 30;
/** The kernel's number for a record that exits (assembly/play.ts), and how many numbers describe one. */
const ERROR_EXIT = 9;
const EXIT_FIELDS = 14;
/** Its number for a record that a shard leaves to a whole kernel. */
const ERROR_WHOLE = 14;

/** Creates a kernel for a machine. Throws MachineError for what it cannot hold. */
export function createKernel(machine: ResolvedMachine, options: KernelOptions = {}): Kernel {
  const module =
    options.wasm === undefined
      ? kernelModule(options)
      : options.wasm instanceof WebAssembly.Module
        ? options.wasm
        : new WebAssembly.Module(options.wasm);
  const instance = new WebAssembly.Instance(module, {
    env: {
      abort: (_message: number, _file: number, line: number, column: number) => {
        throw new Error(`kernel assertion failed at ${line}:${column}`);
      },
    },
  });
  return new WasmKernel(machine, instance.exports as unknown as Exports, options);
}

class WasmKernel implements Kernel {
  readonly machine: ResolvedMachine;
  readonly carriesData: boolean;
  readonly #exports: Exports;
  readonly #placement: Placement;
  readonly #provenance: Provenance;
  /** Whether what all shards do alike is counted here. */
  readonly #isFirst: boolean;
  readonly #logs: boolean;
  readonly #order: PlayOrder;
  #log: BigUint64Array[] = [];
  #exit: Exit | undefined;

  constructor(machine: ResolvedMachine, exports: Exports, options: KernelOptions) {
    this.machine = machine;
    this.#exports = exports;
    this.#placement = place(machine);
    this.#provenance = options.provenance ?? EVERYTHING_RECORDED;
    describe(exports, machine, this.#placement, options.yardstick ?? false);
    if (options.share) {
      exports.setShard(options.share.first ? 1 : 0, options.share.groupBits);
      for (const group of options.share.groups) exports.ownGroup(group);
    }
    this.#isFirst = options.share?.first ?? true;
    this.#logs = options.missLog === true;
    // A log has its entries in the order of the records.
    this.#order = this.#logs ? "program" : (options.order ?? "automatic");
    exports.setOrder(PLAY_ORDERS.indexOf(this.#order));
    if (this.#logs) exports.startMissLog();
    this.carriesData = exports.carriesData() !== 0;
    const missing = new Set<string>(this.notAssessable());
    exports.setAssessable(
      HAZARD_CLASSES.reduce((mask, each, i) => (missing.has(each.name) ? mask : mask | (1 << i)), 0),
    );
  }

  play(words: Uint32Array, count = words.length / 2): void {
    this.run(words, count);
    if (this.#exit) throw new ExitError(this.#exit);
  }

  run(words: Uint32Array, count = words.length / 2): number {
    const exports = this.#exports;
    this.#exit = undefined;
    for (let done = 0; done < count; ) {
      const many = Math.min(exports.batchCapacity(), count - done);
      new Uint32Array(exports.memory.buffer, exports.batchAddress(), many * 2).set(
        words.subarray(done * 2, (done + many) * 2),
      );
      const played = this.#playBatch(many);
      if (this.#logs) this.#keepLog();
      if (played < many) {
        if (exports.playError() !== ERROR_EXIT) this.#fail(words, done + played);
        this.#exit = this.#readExit(done + played);
        return done + played;
      }
      done += many;
    }
    return count;
  }

  /** A kernel that finds no more memory traps; that is the machine's size, not a record's fault. */
  #playBatch(count: number): number {
    const { memory, play } = this.#exports;
    try {
      return play(count);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError) || memory.buffer.byteLength < FULL_MEMORY_BYTES) throw error;
      throw new MachineError("the simulated memory that was touched does not fit the kernel", {
        found: `${(memory.buffer.byteLength / 2 ** 30).toFixed(2)} GiB in use after record ${this.records}`,
        expected: "less than 4 GiB, of which each touched page of 4 KiB takes about 12 KiB",
        cause: error,
      });
    }
  }

  /** What stopped the batch, in the order of assembly/exit.ts. */
  #readExit(word: number): Exit {
    const exports = this.#exports;
    const block = new BigInt64Array(exports.memory.buffer, exports.exitAddress(), EXIT_FIELDS);
    const [
      type,
      target,
      stage,
      level,
      requester,
      access,
      address,
      upper,
      ipa,
      physical,
      duringWalk,
      operation,
      operand,
    ] = Array.from(block, Number) as [number, ...number[]];
    return {
      type: EXIT_TYPES[type] as ExitType,
      target: target as Exit["target"],
      stage: stage as Exit["stage"],
      level: level as number,
      record: this.records,
      word,
      requester: requester as number,
      access: EXIT_ACCESSES[access as number] as ExitAccess,
      address: address as number,
      upper: upper !== 0,
      ipa: ipa as number,
      physical: physical as number,
      duringWalk: duringWalk !== 0,
      operation: operation as number,
      operand: operand as number,
      value: BigInt.asUintN(64, block[EXIT_FIELDS - 1] as bigint),
    };
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  #fail(words: Uint32Array, at: number): never {
    const low = words[at * 2] as number;
    const high = words[at * 2 + 1] as number;
    const operation = OPERATION_BY_CODE[(high >>> 16) & 255];
    const address = `0x${((high & 0xffff) * 2 ** 32 + low).toString(16)}`;
    const name = operation?.name ?? `operation ${(high >>> 16) & 255}`;
    const record = this.records;
    const requester = this.#exports.errorRequester();
    const { cores, devices } = this.machine;
    switch (this.#exports.playError()) {
      case ERROR_WHOLE:
        throw new WholeMachineNeeded(record, STALE_WALK);
      case 1:
        throw new RecordError("unknown operation", {
          record,
          found: `code ${(high >>> 16) & 255}`,
          expected: "a code of the operation table",
        });
      case 2:
        throw new RecordError(`${name} by a requester that the machine lacks`, {
          record,
          found: `requester ${requester}`,
          expected: `0 to ${cores.length + devices.length - 1}`,
        });
      case 3:
        throw new RecordError(`${name} by the wrong kind of requester`, {
          record,
          found: `requester ${requester}`,
          expected: operation?.requester === "device" ? "a device" : "a core",
        });
      case 4:
        throw new RecordError(`${name} outside memory`, {
          record,
          found: address,
          expected: this.machine.memory
            .map((region) => `0x${region.base.toString(16)}..0x${(region.base + region.sizeBytes).toString(16)}`)
            .join(", "),
        });
      case 5:
        throw new RecordError("DC ZVA is prohibited here", {
          record,
          found: address,
          expected: "Normal memory and a machine whose DCZID_EL0 allows it",
        });
      case 6:
        throw new RecordError("atomic on memory that isn't cacheable and shareable", {
          record,
          found: address,
          expected: "Write-Back shareable memory, or ncAtomics other than fault",
        });
      case 10:
        throw new RecordError(`${name} of a register or a value that the model lacks`, {
          record,
          found: `register ${Number(address)}`,
          expected: "a number of the table of system registers, and an exception level from 0 to 2",
        });
      case 11:
        throw new RecordError(`${name} would make the core translate, which needs an engine that carries data`, {
          record,
          found: `register ${Number(address)}`,
          expected: "a kernel made with data: true",
        });
      case 12:
        throw new RecordError("unknown kind of TLBI", {
          record,
          found: `operand ${address}`,
          expected: `a kind from 0 to ${Object.keys(TLBI_KINDS).length - 1}`,
        });
      case 13:
        throw new RecordError("unknown event to charge", {
          record,
          found: `event ${Number(address)}`,
          expected: CHARGED_EVENTS.map((event, i) => `${i} (${event})`).join(", "),
        });
      case 8:
        throw new RecordError("no such core to migrate from", {
          record,
          found: `core ${Number(address)}`,
          expected: `0 to ${cores.length - 1}`,
        });
      default:
        throw new RecordError("unknown memory attribute", {
          record,
          found: `WITH prefix 0x${high.toString(16)}${low.toString(16).padStart(8, "0")}`,
          expected: "an attribute code from 0 to 7",
        });
    }
  }

  #keepLog(): void {
    const exports = this.#exports;
    const length = exports.missLogLength();
    if (length > 0) this.#log.push(new BigUint64Array(exports.memory.buffer, exports.missLogAddress(), length).slice());
    exports.clearMissLog();
  }

  takeMissLog(): MissLog {
    const parts = this.#log;
    this.#log = [];
    return new MissLog(parts, this.#placement.levels);
  }

  get records(): number {
    return Number(this.#exports.recordsPlayed());
  }

  setGroups(): SetGroupUse {
    const exports = this.#exports;
    const groups = exports.groupsToDeal();
    return {
      order: this.#order,
      logsMisses: this.#logs,
      groups,
      dealt: Number(exports.dealt.value),
      ...(groups > 0 ? {} : { why: whyNoGroups(this.machine) }),
    };
  }

  settle(): void {
    this.#exports.settle();
  }

  get memoryBytes(): number {
    return this.#exports.bytesUsed() >>> 0;
  }

  counters(): Counters {
    const exports = this.#exports;
    const view = (address: number, length: number) => new BigUint64Array(exports.memory.buffer, address, length);
    const { cores, devices, caches, sockets } = this.machine;
    const blocks = view(exports.counterAddress(), (caches.length + 1 + sockets) * CACHE_BLOCK);
    const all = new Map<number, CacheCounters>();
    for (const { index } of this.#placement.caches) {
      const counters = {} as CacheCounters;
      CACHE_COUNTERS.forEach((name, i) => {
        counters[name] = Number(blocks[index * CACHE_BLOCK + i]);
      });
      all.set(index, counters);
    }
    const requesters = cores.length + devices.length;
    const eventView = view(exports.eventAddress(), requesters * EVENT_BLOCK);
    const hitView = view(exports.hitAddress(), requesters * LEVEL_BLOCK);
    const fast = view(exports.fastHitAddress(), cores.length * 4);
    const events = [];
    const hits: Record<string, number>[] = [];
    for (let r = 0; r < requesters; r++) {
      events.push(
        Object.fromEntries(
          COST_EVENTS.map((name, i) => [name, Number(eventView[r * EVENT_BLOCK + i])]),
        ) as Counters["events"][number],
      );
      hits.push(
        Object.fromEntries(this.#placement.levels.map((name, i) => [name, Number(hitView[r * LEVEL_BLOCK + i])])),
      );
    }
    // Fast hits are counted apart (assembly/play.ts): they are loads, stores or fetches that an L1 supplied.
    cores.forEach((core, c) => {
      const [loads, stores, fetches] = [Number(fast[c * 4]), Number(fast[c * 4 + 1]), Number(fast[c * 4 + 2])] as const;
      const mine = hits[c] as Record<string, number>;
      if (core.l1d >= 0) {
        const counters = all.get(core.l1d) as CacheCounters;
        counters.loads += loads;
        counters.stores += stores;
        const level = (caches[core.l1d] as Cache).level;
        mine[level] = (mine[level] ?? 0) + loads + stores;
      }
      if (core.l1i >= 0) {
        (all.get(core.l1i) as CacheCounters).fetches += fetches;
        const level = (caches[core.l1i] as Cache).level;
        mine[level] = (mine[level] ?? 0) + fetches;
      }
    });
    const machineView = view(exports.machineCounterAddress(), MACHINE_COUNTERS.length);
    return {
      caches: caches.map((cache) => all.get(cache.id) as CacheCounters),
      outer: all.get(this.#placement.outer),
      memorySide: this.#placement.memorySide.flatMap((index) => all.get(index) ?? []),
      machine: Object.fromEntries(
        MACHINE_COUNTERS.map((name, i) => [name, Number(machineView[i])]),
      ) as Counters["machine"],
      events,
      hits,
      tlbs: cores.map((_, c) => this.#tlbCounters(c)),
    };
  }

  #tlbCounters(core: number): TlbCounters {
    const exports = this.#exports;
    const at = exports.tlbCounterAddress() + core * exports.tlbCountersApart() * 8;
    const counters = new BigUint64Array(exports.memory.buffer, at, TLB_COUNTERS.length);
    const count = (i: number) => (this.#isFirst ? Number(counters[i]) : 0);
    return Object.fromEntries(TLB_COUNTERS.map((name, i) => [name, count(i)])) as TlbCounters;
  }

  hazards(): readonly Hazard[] {
    const exports = this.#exports;
    const count = exports.hazardCount();
    const found: Hazard[] = [];
    const view = new DataView(exports.memory.buffer);
    for (let i = 0; i < count; i++) {
      const at = exports.hazardAt(i);
      const u32 = (offset: number) => view.getUint32(at + offset, true);
      const i32 = (offset: number) => view.getInt32(at + offset, true);
      const u64 = (offset: number) => Number(view.getBigUint64(at + offset, true));
      const i64 = (offset: number) => Number(view.getBigInt64(at + offset, true));
      found.push({
        class: (HAZARD_CLASSES[u32(0)] as (typeof HAZARD_CLASSES)[number]).name,
        observer: u32(4),
        line: u64(8),
        newest: i64(16),
        record: u64(24),
        occurrences: u64(32),
        piece: u32(40),
        lines: u32(44),
        address: u64(48),
        observed: view.getBigUint64(at + 56, true),
        expected: view.getBigUint64(at + 64, true),
        writer: i32(72),
        writerAttribute: i32(76),
        source: this.#place(i32(80)),
        newestAt: this.#place(i32(84)),
        attribute: i32(88),
        lostAt: i64(96),
      });
    }
    return found.sort(byOccurrence);
  }

  #place(code: number): Place {
    if (code === -2) return "nowhere";
    if (code < 0) return "memory";
    const { length } = this.machine.caches;
    return code < length ? { cache: code } : code === length ? "outer" : "memory-side";
  }

  notAssessable(): readonly HazardName[] {
    return HAZARD_CLASSES.filter((each) => each.needs.some((need) => !this.#provenance[need])).map((each) => each.name);
  }

  copies(address: number): readonly Copy[] {
    const exports = this.#exports;
    if (!exports.locate(BigInt(address))) return [];
    const { smallestLineBytes } = this.machine;
    const line = Math.floor(address / smallestLineBytes) * smallestLineBytes;
    const copies: Copy[] = [];
    for (const cache of this.machine.caches) {
      const found = exports.findCopy(cache.id, BigInt(line));
      if (found < 0n) continue;
      copies.push({
        cache: cache.id,
        set: Number(found >> 16n),
        way: Number(found & 0xffffn),
        line: Math.floor(line / cache.lineBytes) * cache.lineBytes,
        state: STATES[exports.copyState(cache.id, BigInt(line))] as Copy["state"],
      });
    }
    return copies;
  }

  dirtyLines(): readonly number[] {
    return this.machine.caches.map((cache) => this.#exports.dirtyLines(cache.id));
  }

  peek(where: PeekPlace, address: number, size: number): Uint8Array {
    const bytes = new Uint8Array(this.carriesData ? size : 0);
    const exports = this.#exports;
    const { smallestLineBytes } = this.machine;
    // The bytes of a line lie together, wherever they are.
    for (let i = 0, end = 0; i < bytes.length; i = end) {
      end = Math.min(bytes.length, i + smallestLineBytes - ((address + i) % smallestLineBytes));
      const here = BigInt(address + i);
      if (!exports.locate(here)) continue;
      const isRam = where === "memory" || where === "truth";
      const index = isRam ? NONE : this.#cacheIndex(where, address + i);
      if (!isRam && index === NONE) continue;
      const at = isRam ? exports.memoryByte(here) : exports.copyByte(index, here);
      if (at === 0) continue;
      // Frames may have been made just now, so the memory may have grown.
      bytes.set(new Uint8Array(exports.memory.buffer, where === "truth" ? at + exports.truthOffset() : at, end - i), i);
    }
    return bytes;
  }

  eventsOf(requester: number): Record<CostEvent, number> {
    const exports = this.#exports;
    const at = exports.eventAddress() + requester * EVENT_BLOCK * 8;
    const events = new BigUint64Array(exports.memory.buffer, at, COST_EVENTS.length);
    return Object.fromEntries(COST_EVENTS.map((name, i) => [name, Number(events[i])])) as Record<CostEvent, number>;
  }

  hitsOf(requester: number): Readonly<Record<string, number>> {
    const exports = this.#exports;
    const { levels } = this.#placement;
    const at = exports.hitAddress() + requester * LEVEL_BLOCK * 8;
    const hits = new BigUint64Array(exports.memory.buffer, at, levels.length);
    return Object.fromEntries(levels.map((name, i) => [name, Number(hits[i])]));
  }

  heldBehind(where: "outer" | "memory-side", address: number): Copy["state"] | undefined {
    const exports = this.#exports;
    const index = this.#cacheIndex(where, address);
    if (index === NONE || !exports.locate(BigInt(address))) return undefined;
    if (exports.findCopy(index, BigInt(address)) < 0n) return undefined;
    return STATES[exports.copyState(index, BigInt(address))] as Copy["state"];
  }

  /** The kernel's number of the cache that holds an address there, if there is one. */
  #cacheIndex(where: Exclude<PeekPlace, "memory" | "truth">, address: number): number {
    if (typeof where === "object") return where.cache;
    if (where === "outer") return this.#placement.outer;
    const region = this.machine.memory.find(({ base, sizeBytes }) => address >= base && address < base + sizeBytes);
    return this.#placement.memorySide[region?.socket ?? 0] ?? NONE;
  }

  owns(address: number): boolean {
    return this.#exports.locate(BigInt(address)) !== 0 && this.#exports.ownsAddress(BigInt(address)) !== 0;
  }

  fullLoops(): readonly FullLoop[] {
    const exports = this.#exports;
    return Array.from({ length: exports.loopCount() }, (_, i) => {
      const loop = new DataView(exports.memory.buffer, exports.loopAt(i));
      return {
        record: Number(loop.getBigUint64(0, true)),
        core: loop.getUint32(8, true),
        dirtyLines: loop.getUint32(12, true),
      };
    });
  }

  get lastObserved(): number {
    return Number(this.#exports.lastObserved.value) - 1;
  }

  get trustsOthers(): boolean {
    return Boolean(this.#exports.trusted.value);
  }

  lastValue(): bigint {
    return this.carriesData ? BigInt.asUintN(64, this.#exports.lastValue()) : 0n;
  }

  yardstick(): YardstickCounters {
    const view = new BigUint64Array(this.#exports.memory.buffer, this.#exports.yardstickAddress(), 48);
    const sockets = (row: number) =>
      this.machine.sockets && Array.from({ length: this.machine.sockets }, (_, s) => Number(view[row * 16 + s]));
    return {
      c2c: sockets(0) as number[],
      backInvalidatingEvictions: sockets(1) as number[],
      evictionsWithInner: Number(view[32]),
    };
  }
}

/** What keeps accesses from being dealt into set groups (assembly/deal.ts). */
function whyNoGroups(machine: ResolvedMachine): string {
  if (machine.caches.some(({ prefetcher }) => prefetcher)) return CROSSES_GROUPS;
  if (machine.directory) return "a sized directory has an index of its own";
  if (machine.smallestLineBytes < machine.largestLineBytes) return "caches have lines of several sizes";
  return "too few bits of a line's number index every cache";
}

/** Tells the kernel what the machine is, in plain numbers. */
function describe(exports: Exports, machine: ResolvedMachine, placement: Placement, yardstick: boolean): void {
  const flag = (value: boolean) => (value ? 1 : 0);
  const { cores, devices, sockets, caches } = machine;
  const requesters = cores.length + devices.length;
  if (requesters > 65535)
    throw new MachineError("too many requesters", { found: String(requesters), expected: "at most 65535" });
  if (placement.levels.length > LEVEL_BLOCK) {
    throw new MachineError("too many levels", {
      found: String(placement.levels.length),
      expected: `at most ${LEVEL_BLOCK}`,
    });
  }
  exports.setShape(cores.length, devices.length, sockets, caches.length, placement.levels.length);
  exports.setProtocol(
    flag(machine.protocol === "moesi"),
    flag(machine.cacheability === "split"),
    flag(machine.ncLookup),
    flag(machine.ncSnoops),
    ["fault", "fail", "memory"].indexOf(machine.ncAtomics),
  );
  exports.setFeatures(
    flag(machine.invalidateCleans),
    flag(machine.dic),
    flag(machine.idc),
    machine.zvaBytes,
    machine.seed,
    flag(machine.outerSharedOverride),
    flag(yardstick),
  );
  exports.setDirectory(
    machine.directory?.sets ?? 0,
    machine.directory?.ways ?? 0,
    Math.log2(machine.smallestLineBytes),
    Math.log2(machine.largestLineBytes),
  );
  const { tlb } = machine;
  exports.setTlb(tlb.micro, tlb.entries, tlb.ways, tlb.walk, tlb.ipa);
  exports.setWalker(flag(machine.walker === "pou"));
  exports.setUnitsAreCores(flag(placement.unitsAreCores));
  exports.begin();
  exports.setYardstick(flag(yardstick));
  for (const region of placement.regions) {
    exports.addRegion(
      BigInt(region.base),
      BigInt(region.sizeBytes),
      BigInt.asUintN(64, region.delta),
      region.socket,
      flag(region.isDevice),
    );
  }
  for (const each of placement.caches) addCache(exports, each, sockets, caches.length);
  cores.forEach((core, c) => {
    exports.addCore(c, core.socket, core.l1i, core.l1d, machine.initialSctlr);
    for (let home = 0; home < sockets; home++) {
      const unified = pathFrom(machine, core.unifiedBySocket[home] ?? NONE, home);
      if (core.l1d >= 0) exports.addToPath(c, home, core.l1d, 0);
      for (const id of unified) {
        exports.addToPath(c, home, id, 0);
        exports.addToPath(c, home, id, 1);
      }
    }
  });
  devices.forEach((device, d) => {
    exports.addDevice(d, flag(device.coherent), device.socket);
    if (device.allocate !== "system") return;
    for (let home = 0; home < sockets; home++) {
      const landing = landingCache(machine, device.socket, home);
      if (landing >= 0) exports.setLanding(d, home, landing);
    }
  });
  placement.memorySide.forEach((index, socket) => {
    if (index >= 0) exports.setMemorySide(socket, index);
  });
  const list = (indices: readonly number[]) => {
    const address = exports.newList(indices.length);
    indices.forEach((index, i) => {
      exports.listNode(i, index);
    });
    return address;
  };
  exports.newUnits(placement.units.length);
  placement.units.forEach((unit, u) => {
    exports.setUnitList(u, list(unit));
  });
  exports.build(placement.units.length, list(placement.sharedRoots), placement.outer);
}

function addCache(exports: Exports, each: KernelCache, sockets: number, treeSize: number): void {
  const { cache, index } = each;
  const flags = [
    cache.writePolicy === "through",
    cache.allocate !== "write",
    cache.allocate !== "read",
    cache.inclusionOfData === "inclusive",
    cache.inclusionOfInstructions === "inclusive",
    cache.inclusionOfData === "exclusive",
    cache.inclusionOfInstructions === "exclusive",
    cache.writebackTouches,
    cache.setWay && index < treeSize,
    each.isTop,
  ].reduce((all, on, bit) => (on ? all | (1 << bit) : all), 0);
  exports.addCache(
    index,
    cache.id,
    cache.depth,
    HOLDS.indexOf(cache.holds),
    KINDS.indexOf(cache.kind),
    cache.sets,
    cache.ways,
    Math.log2(cache.lineBytes),
    POLICIES.indexOf(cache.replacement),
    flags,
    cache.socket,
    cache.cores[0] ?? 0,
    cache.cores.at(-1) ?? 0,
    each.rank,
    each.level,
  );
  const { prefetcher } = cache;
  if (prefetcher) {
    const { kind, degree, distance, entries } = prefetcher;
    exports.setPrefetcher(index, PREFETCHERS.indexOf(kind), degree, distance, entries);
  }
  exports.setUnit(index, each.unit, each.covered ? 1 : 0, each.units[0], each.units[1]);
  for (let s = 0; s < sockets; s++)
    exports.setParent(index, s, index < treeSize ? (cache.parentBySocket[s] ?? NONE) : NONE);
}

function pathFrom(machine: ResolvedMachine, first: number, home: number): number[] {
  const path: number[] = [];
  for (let id = first; id >= 0; id = (machine.caches[id] as Cache).parentBySocket[home] ?? NONE) path.push(id);
  return path;
}

/** The system cache for a device's socket, or for the address's home where placement is by home (D30). */
function landingCache(machine: ResolvedMachine, socket: number, home: number): number {
  const system = machine.caches.filter((cache) => cache.kind === "system");
  const core = machine.cores.find((each) => each.socket === socket) ?? machine.cores[0];
  if (!core) return NONE;
  const path = pathFrom(machine, core.l1d >= 0 ? core.l1d : (core.unifiedBySocket[home] ?? NONE), home);
  return path.find((id) => system.some((cache) => cache.id === id)) ?? NONE;
}
