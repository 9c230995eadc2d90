/**
 * The reference model: the rules of docs/semantics.md in the plainest TypeScript, written for reading. It plays one piece
 * after another on objects that look like what they model (`reference/`), and is what the kernel is compared with. This
 * file decodes records, refuses bad ones (D5 to D7) and says what each operation does; how, the other files say.
 */
import type { MemoryRegion, ResolvedMachine } from "../machine/resolved.ts";
import {
  type Copy,
  type Counters,
  type Engine,
  type EngineOptions,
  EVERYTHING_RECORDED,
  type Hazard,
} from "./engine.ts";
import { RecordError } from "./errors.ts";
import type { HazardName } from "./hazards.ts";
import {
  ATTRIBUTES,
  type AttributeCode,
  OPERATION_BY_CODE,
  OPERATIONS,
  type Operation,
  type OperationName,
} from "./operations.ts";
import { dataAttribute, dataManner, fetchManner, NON_SHAREABLE, writesThrough } from "./reference/attributes.ts";
import { CacheArray, type LineCopy, zeroCacheCounters } from "./reference/cache-array.ts";
import { type Access, Coherence, type Outcome } from "./reference/coherence.ts";
import { Devices } from "./reference/devices.ts";
import { HazardLog, type Moment } from "./reference/hazard-log.ts";
import { dirtyLines, Latent } from "./reference/latent.ts";
import { Lines } from "./reference/lines.ts";
import { Maintenance, type SetWayOperation } from "./reference/maintenance.ts";
import { Memory } from "./reference/memory.ts";
import { blockAround, covers, littleEndian, overlay, type Range, split } from "./reference/ranges.ts";
import { Tally } from "./reference/tally.ts";
import { Topology } from "./reference/topology.ts";
import { Truth } from "./reference/truth.ts";
import { Uncached } from "./reference/uncached.ts";

export function createReference(machine: ResolvedMachine, options: EngineOptions = {}): Engine {
  return new Reference(machine, options);
}

/** R44: a record without a size covers the aligned eight bytes around its address. */
const DEFAULT_SIZE_BYTES = 8;

/** What the prefixes before a record said (D5). */
interface Prefix {
  sizeBytes?: number | undefined;
  requester?: number | undefined;
  attribute?: number | undefined;
  value?: bigint | undefined;
}

/** A record with its prefixes, checked as far as its operation and requester go. */
interface Played {
  readonly number: number;
  readonly operation: Operation;
  readonly requester: number;
  readonly operand: number;
  readonly sizeBytes: number;
  readonly attribute: AttributeCode | undefined;
  readonly value: bigint | undefined;
}

/** Operations that are records of their own. */
type RecordName = Exclude<OperationName, "WITH" | "VALUE_LOW" | "VALUE_HIGH">;

/** What a data record does; an atomic loads and stores, a prefetch does neither but fills. */
type DataKind = "load" | "store" | "atomic" | "prefetch";

class Reference implements Engine {
  readonly machine: ResolvedMachine;
  readonly carriesData = true;
  private readonly topology: Topology;
  private readonly tally: Tally;
  private readonly memory: Memory;
  private readonly lines: Lines;
  private readonly coherence: Coherence;
  private readonly maintenance: Maintenance;
  private readonly uncached: Uncached;
  private readonly devices: Devices;
  private readonly log: HazardLog;
  private readonly truth: Truth;
  private readonly latent: Latent;
  /** SCTLR_EL1 by core. */
  private readonly sctlr: number[];
  private prefix: Prefix = {};
  private recordCount = 0;
  /** First bytes that the last observing record saw. */
  private observed: Uint8Array = new Uint8Array(0);

  constructor(machine: ResolvedMachine, options: EngineOptions) {
    this.machine = machine;
    const onChange = (range: Range): void => this.truth.noteChange(range);
    const arrays = machine.caches.map((cache) => new CacheArray(cache, machine.seed, onChange));
    this.topology = new Topology(machine, arrays);
    this.tally = new Tally(machine);
    this.memory = new Memory(this.topology, this.tally, onChange);
    this.lines = new Lines(this.topology, this.memory, this.tally);
    this.coherence = new Coherence(this.topology, this.lines, this.memory, this.tally);
    this.maintenance = new Maintenance(this.topology, this.lines, this.memory, this.tally);
    this.uncached = new Uncached(this.topology, this.lines, this.memory, this.maintenance, this.tally);
    this.devices = new Devices(this.topology, this.lines, this.memory, this.maintenance, this.tally);
    this.log = new HazardLog(options.provenance ?? EVERYTHING_RECORDED);
    this.truth = new Truth(this.topology, this.memory, this.log, machine.smallestLineBytes);
    this.latent = new Latent(this.topology, this.maintenance, this.log);
    this.sctlr = machine.cores.map(() => machine.initialSctlr);
  }

  play(words: Uint32Array, count = Math.floor(words.length / 2)): void {
    for (let index = 0; index < count; index++) {
      const low = words[index * 2] ?? 0;
      const high = words[index * 2 + 1] ?? 0;
      const operand = low + (high % 2 ** 16) * 2 ** 32;
      const code = Math.floor(high / 2 ** 16) % 256;
      const requester = Math.floor(high / 2 ** 24);
      if (OPERATION_BY_CODE[code]?.prefix) this.playPrefix(code, operand);
      else this.playRecord(code, requester, operand);
    }
  }

  get records(): number {
    return this.recordCount;
  }

  counters(): Counters {
    return {
      caches: this.topology.arrays.map(({ counters }) => ({ ...counters })),
      outer: this.memory.outer && { ...this.memory.outer.counters },
      memorySide: this.memory.memorySide.map((array) => ({ ...(array?.counters ?? zeroCacheCounters()) })),
      machine: { ...this.tally.machine },
      events: this.tally.events.map((events) => ({ ...events })),
      hits: this.tally.hits.map((hits) => ({ ...hits })),
    };
  }

  hazards(): readonly Hazard[] {
    return this.log.all();
  }

  notAssessable(): readonly HazardName[] {
    return this.log.notAssessable;
  }

  copies(address: number): readonly Copy[] {
    const range = blockAround(address, this.machine.smallestLineBytes);
    return this.topology.arrays.flatMap((array) =>
      array.overlapping(range).map((copy) => ({
        cache: array.cache.id,
        set: copy.set,
        way: copy.way,
        line: copy.line.address,
        state: stateOf(copy),
      })),
    );
  }

  dirtyLines(): readonly number[] {
    return this.topology.arrays.map(dirtyLines);
  }

  peek(where: "memory" | "truth" | { readonly cache: number }, address: number, size: number): Uint8Array {
    const range = { address, sizeBytes: size };
    if (where === "memory") return this.memory.ram.read(range);
    if (where === "truth") return this.truth.bytes.read(range);
    const bytes = new Uint8Array(size);
    for (const copy of this.topology.arrays[where.cache]?.overlapping(range) ?? []) {
      overlay(bytes, address, copy.bytes, copy.line.address);
    }
    return bytes;
  }

  lastValue(): bigint {
    return littleEndian(this.observed);
  }

  private playPrefix(code: number, operand: number): void {
    if (code === OPERATIONS.WITH.code) {
      const requester = Math.floor(operand / 2 ** 24) % 2 ** 16;
      const attribute = Math.floor(operand / 2 ** 40);
      this.prefix.sizeBytes = operand % 2 ** 24;
      this.prefix.requester = requester === 0 ? undefined : requester - 1;
      this.prefix.attribute = attribute === 0 ? undefined : attribute - 1;
      return;
    }
    const half = BigInt(operand % 2 ** 32);
    const value = this.prefix.value ?? 0n;
    const isLow = code === OPERATIONS.VALUE_LOW.code;
    this.prefix.value = isLow ? ((value >> 32n) << 32n) | half : (half << 32n) | (value & 0xffff_ffffn);
  }

  private playRecord(code: number, ownRequester: number, operand: number): void {
    const prefix = this.prefix;
    this.prefix = {};
    const number = this.recordCount;
    const requester = prefix.requester ?? ownRequester;
    const operation = OPERATION_BY_CODE[code];
    if (!operation) {
      throw new RecordError("unknown operation", { record: number, found: `operation code ${code}` });
    }
    this.checkRequester(number, operation, requester);
    const attribute = checkedAttribute(number, prefix.attribute);
    const { sizeBytes = 0, value } = prefix;
    const played: Played = { number, operation, requester, operand, sizeBytes, attribute, value };
    this.tally.beginPiece(requester);
    this.actions[nameOf(operation)](played);
    this.truth.checkLost({ record: number, piece: 0, requester });
    this.recordCount += 1;
  }

  /** What each operation does. */
  private readonly actions: Readonly<Record<RecordName, (played: Played) => void>> = {
    LOAD: (played) => this.data(played, "load", extentOf(played)),
    STORE: (played) => this.data(played, "store", extentOf(played)),
    FETCH: (played) => this.fetch(played, extentOf(played)),
    ATOMIC: (played) => this.data(played, "atomic", extentOf(played)),
    PREFETCH: (played) => this.data(played, "prefetch", extentOf(played)),
    EVICT: (played) => this.evict(played),
    DC_ZVA: (played) => this.zero(played),
    DC_IVAC: (played) =>
      this.byAddress(played, "data", (core) => this.maintenance.byAddress(played.operand, false, true, core)),
    DC_CVAC: (played) =>
      this.byAddress(played, "data", (core) => this.maintenance.byAddress(played.operand, true, false, core)),
    DC_CIVAC: (played) =>
      this.byAddress(played, "data", (core) => this.maintenance.byAddress(played.operand, true, true, core)),
    DC_CVAP: (played) =>
      this.byAddress(played, "data", (core) => this.maintenance.byAddress(played.operand, true, false, core)),
    DC_CVAU: (played) => this.byAddress(played, "data", (core) => this.maintenance.cleanToPou(played.operand, core)),
    IC_IVAU: (played) =>
      this.byAddress(played, "instructions", (core) => this.maintenance.invalidateInstructions(played.operand, core)),
    IC_IALLU: (played) => this.invalidateInstructions(played.requester),
    IC_IALLUIS: () => this.invalidateInstructions(undefined),
    DC_ISW: (played) => this.bySetWay(played, "invalidate"),
    DC_CSW: (played) => this.bySetWay(played, "clean"),
    DC_CISW: (played) => this.bySetWay(played, "clean and invalidate"),
    SCTLR: ({ requester, operand }) => {
      this.sctlr[requester] = operand % 2 ** 32;
    },
    DSB: ({ requester, number }) => {
      this.tally.event("dsb");
      this.latent.dsb(requester, number);
    },
    ISB: ({ requester, number }) => {
      this.tally.event("isb");
      this.latent.isb(requester, number);
    },
    // Records are played in order, and there is no translation or prediction here: nothing happens.
    DMB: () => {},
    TLBI_ALL: () => {},
    BP_INVALIDATE: () => {},
    DEVICE_READ: (played) => this.dma(played, "read", extentOf(played)),
    DEVICE_WRITE: (played) => this.dma(played, "write", extentOf(played)),
    OUTER_CONTROL: ({ operand }) => {
      this.memory.outerEnabled = operand % 2 === 1;
    },
    OUTER_CLEAN_PA: (played) => this.outerByAddress(played, true, false),
    OUTER_INVALIDATE_PA: (played) => this.outerByAddress(played, false, true),
    OUTER_FLUSH_PA: (played) => this.outerByAddress(played, true, true),
    OUTER_CLEAN_WAY: (played) => this.outerByWay(played, true, false),
    OUTER_INVALIDATE_WAY: (played) => this.outerByWay(played, false, true),
    OUTER_FLUSH_WAY: (played) => this.outerByWay(played, true, true),
    ASSIGN_PAGE: (played) => {
      this.regionAround(played, addressOf(played));
      this.truth.assignPage(played.operand, played.number);
    },
    MIGRATE: (played) => this.migrate(played),
  };

  // Accesses

  private data(played: Played, kind: DataKind, extent: Range): void {
    const { requester: core, number } = played;
    const region = this.regionAround(played, extent);
    const isMmio = region.type === "device";
    const path = this.topology.dataPath(core, extent.address);
    const manner = dataManner(this.machine, this.sctlr[core] ?? 0, isMmio, played.attribute, path);
    if (kind === "prefetch" && !manner.cacheable) return;
    const shareable = manner.attribute !== NON_SHAREABLE;
    const coherently = manner.cacheable && (kind !== "atomic" || shareable);
    if (kind === "atomic" && !coherently && !this.atomicGoesToMemory(number)) return;
    // An atomic that the caches can't serve is a Non-cacheable access in every respect (D26).
    const isForced = manner.cacheable && !coherently;
    const attribute = isForced ? ATTRIBUTES.NON_CACHEABLE.code : manner.attribute;

    const loads = kind === "load" || kind === "atomic";
    const stores = kind === "store" || kind === "atomic";
    if (coherently) this.latent.cachedData(core);
    const seen = new Uint8Array(extent.sizeBytes);
    this.forEachPiece(played, extent, (piece, moment) => {
      const bytes = stores ? bytesToStore(played, extent, piece) : undefined;
      const outcome = isMmio
        ? this.mmio(piece, loads, stores)
        : coherently
          ? this.cached(core, kind, piece, manner.path, attribute, shareable, bytes)
          : this.bypassing(core, piece, attribute, loads, bytes, moment);
      this.tally.supplied(outcome.supply, region.socket);
      if (loads) overlay(seen, extent.address, outcome.seen, piece.address);
      if (isMmio) return;
      const { place } = outcome.supply;
      if (loads) this.truth.compare("stale-read", piece, outcome.seen, place, attribute, moment);
      if (bytes) this.truth.write(piece.address, bytes, attribute, moment);
      const isL1dHit = outcome.heldBy?.cache.id === this.machine.cores[core]?.l1d;
      if (kind !== "prefetch" && !isL1dHit) {
        this.latent.relies(stores ? "store" : "load", piece, attribute, moment);
      }
    });
    if (loads) this.observed = seen;
  }

  private cached(
    core: number,
    kind: DataKind,
    piece: Range,
    path: readonly CacheArray[],
    attribute: AttributeCode,
    shareable: boolean,
    bytes: Uint8Array | undefined,
  ): Outcome {
    const access: Access = { kind: bytes ? "store" : "load", core, piece, path, shareable, ...(bytes && { bytes }) };
    if (!bytes) return this.coherence.data(access);
    if (this.machine.dic) this.maintenance.invalidateInstructionsForStore(piece);
    const through = writesThrough(attribute);
    if (!through) return this.coherence.data(access);
    return this.coherence.storeThrough(access, bytes, through.stopsAtSystem, kind === "atomic");
  }

  /** A Non-cacheable or Device access; an atomic reads and then writes, and is one piece with one supply. */
  private bypassing(
    core: number,
    piece: Range,
    attribute: AttributeCode,
    reads: boolean,
    bytes: Uint8Array | undefined,
    moment: Moment,
  ): Outcome {
    if (bytes && this.machine.dic) this.maintenance.invalidateInstructionsForStore(piece);
    this.latent.bypasses(piece, attribute, moment);
    const read = reads ? this.uncached.read(core, piece, attribute) : undefined;
    const written = bytes && this.uncached.write(core, piece, attribute, bytes);
    const outcome = read ?? written;
    if (!outcome) throw new Error("an access that neither reads nor writes");
    return outcome;
  }

  private mmio(piece: Range, reads: boolean, writes: boolean): Outcome {
    const read = reads ? this.uncached.mmio(piece, "read") : undefined;
    const written = writes ? this.uncached.mmio(piece, "write") : undefined;
    const outcome = read ?? written;
    if (!outcome) throw new Error("an access that neither reads nor writes");
    return outcome;
  }

  /** `ncAtomics` (R17): whether an atomic on memory that isn't cacheable and shareable is played at all. */
  private atomicGoesToMemory(number: number): boolean {
    if (this.machine.ncAtomics === "fault") {
      throw new RecordError("atomic on memory that is not cacheable and shareable", {
        record: number,
        expected: "Write-Back shareable memory with MMU and caches on (ncAtomics is fault)",
      });
    }
    if (this.machine.ncAtomics === "memory") return true;
    this.tally.machine.atomicFailures += 1;
    return false;
  }

  private fetch(played: Played, extent: Range): void {
    const { requester: core } = played;
    const region = this.regionAround(played, extent);
    const isMmio = region.type === "device";
    const path = this.topology.fetchPath(core, extent.address);
    const hasL1i = this.topology.instructionCache(core) !== undefined;
    const manner = fetchManner(this.machine, this.sctlr[core] ?? 0, isMmio, played.attribute, path, hasL1i);
    const { attribute } = manner;
    const seen = new Uint8Array(extent.sizeBytes);
    this.forEachPiece(played, extent, (piece, moment) => {
      const outcome = isMmio
        ? this.uncached.mmio(piece, "read")
        : manner.l1iOnly
          ? this.uncached.fetchL1iOnly(core, piece)
          : manner.cacheable
            ? this.coherence.fetch({
                kind: "fetch",
                core,
                piece,
                path: manner.path,
                shareable: attribute !== NON_SHAREABLE,
              })
            : this.uncached.fetch(core, piece, attribute);
      this.tally.supplied(outcome.supply, region.socket);
      overlay(seen, extent.address, outcome.seen, piece.address);
      if (isMmio) return;
      this.truth.compare("stale-fetch", piece, outcome.seen, outcome.supply.place, attribute, moment);
      const isL1iHit = outcome.heldBy?.cache.id === this.machine.cores[core]?.l1i;
      if (!isL1iHit) this.latent.relies("fetch", piece, attribute, moment);
    });
    this.observed = seen;
  }

  /** DC ZVA (R21): a store of zeroes to its aligned block. */
  private zero(played: Played): void {
    const { zvaBytes } = this.machine;
    if (zvaBytes === 0) {
      throw new RecordError("DC ZVA is prohibited on this machine", { record: played.number });
    }
    const block = blockAround(played.operand, zvaBytes);
    const region = this.regionAround(played, block);
    const sctlr = this.sctlr[played.requester] ?? 0;
    if (dataAttribute(sctlr, region.type === "device", played.attribute) === ATTRIBUTES.DEVICE.code) {
      throw new RecordError("DC ZVA to Device memory", { record: played.number, expected: "Normal memory" });
    }
    this.data({ ...played, value: 0n }, "store", block);
  }

  /** The first holder on the core's path loses the line as if it were replaced (D26). */
  private evict(played: Played): void {
    const address = played.operand;
    this.regionAround(played, addressOf(played));
    const path = this.topology.dataPath(played.requester, address);
    const holder = path.map((array) => array.find(address)).find((copy) => copy);
    if (holder) this.lines.evict(holder);
  }

  private dma(played: Played, direction: "read" | "write", extent: Range): void {
    const { requester } = played;
    const device = this.machine.devices.find((each) => each.requester === requester);
    if (!device) throw new Error(`no device ${requester}`);
    const region = this.regionAround(played, extent);
    const attribute = device.coherent ? ATTRIBUTES.WRITE_BACK.code : ATTRIBUTES.NON_CACHEABLE.code;
    const seen = new Uint8Array(extent.sizeBytes);
    this.forEachPiece(played, extent, (piece, moment) => {
      this.tally.event("device");
      if (region.type === "device") {
        this.tally.machine[direction === "read" ? "deviceReads" : "deviceWrites"] += 1;
        return;
      }
      if (direction === "read") {
        const read = this.devices.read(device, piece);
        overlay(seen, extent.address, read.seen, piece.address);
        this.truth.compare("stale-dma", piece, read.seen, read.place, attribute, moment);
      } else {
        const bytes = bytesToStore(played, extent, piece);
        if (this.machine.dic) this.maintenance.invalidateInstructionsForStore(piece);
        this.devices.write(device, piece, bytes);
        this.truth.write(piece.address, bytes, attribute, moment);
      }
      this.latent.relies(direction === "read" ? "load" : "store", piece, attribute, moment);
    });
    if (direction === "read") this.observed = seen;
  }

  // Maintenance

  private byAddress(played: Played, kind: "data" | "instructions", act: (onlyCore: number | undefined) => void): void {
    const { requester: core, operand } = played;
    const region = this.regionAround(played, addressOf(played));
    const attribute = dataAttribute(this.sctlr[core] ?? 0, region.type === "device", played.attribute);
    this.tally.event("maintenance");
    act(attribute === NON_SHAREABLE ? core : undefined);
    this.latent.maintains(kind, core, operand);
  }

  private invalidateInstructions(onlyCore: number | undefined): void {
    this.tally.event("maintenance");
    this.maintenance.invalidateAllInstructions(onlyCore);
  }

  private bySetWay(played: Played, operation: SetWayOperation): void {
    const { requester: core, number } = played;
    this.tally.event("maintenance");
    const named = this.maintenance.bySetWay(core, played.operand, operation);
    this.latent.setWay(core, operation, named, { record: number, piece: 0, requester: core });
  }

  private outerByAddress(played: Played, clean: boolean, invalidate: boolean): void {
    this.regionAround(played, addressOf(played));
    this.tally.event("maintenance");
    const copy = this.memory.outer?.find(played.operand);
    if (copy) this.memory.maintainOuter([copy], clean, invalidate);
  }

  private outerByWay(played: Played, clean: boolean, invalidate: boolean): void {
    this.tally.event("maintenance");
    const { outer } = this.memory;
    if (!outer) return;
    const copies: LineCopy[] = [];
    for (let set = 0; set < outer.cache.sets; set++) {
      for (let way = 0; way < outer.cache.ways; way++) {
        const isNamed = Math.floor(played.operand / 2 ** way) % 2 === 1;
        const copy = isNamed ? outer.at(set, way) : undefined;
        if (copy) copies.push(copy);
      }
    }
    this.memory.maintainOuter(copies, clean, invalidate);
  }

  private migrate(played: Played): void {
    const { number, operand: from, requester: to } = played;
    if (from >= this.machine.cores.length) {
      throw new RecordError("no such core to migrate from", {
        record: number,
        found: `core ${from}`,
        expected: `0 to ${this.machine.cores.length - 1}`,
      });
    }
    this.latent.migrate(from, to);
  }

  // What every record needs

  /** Pieces end at multiples of the smallest line, and each is played to its end before the next (D5). */
  private forEachPiece(played: Played, extent: Range, play: (piece: Range, moment: Moment) => void): void {
    const { number: record, requester } = played;
    split(extent, this.machine.smallestLineBytes).forEach((range, piece) => {
      const moment: Moment = { record, piece, requester };
      this.tally.beginPiece(requester);
      play(range, moment);
      this.truth.checkLost(moment);
    });
  }

  private checkRequester(record: number, operation: Operation, requester: number): void {
    const cores = this.machine.cores.length;
    const isCore = requester < cores;
    const isDevice = this.machine.devices.some((device) => device.requester === requester);
    if (!isCore && !isDevice) {
      throw new RecordError("no such requester", {
        record,
        found: `requester ${requester}`,
        expected: `0 to ${cores + this.machine.devices.length - 1}`,
      });
    }
    if ((operation.requester === "core" && !isCore) || (operation.requester === "device" && !isDevice)) {
      throw new RecordError(`${operation.name} by the wrong kind of requester`, {
        record,
        found: `${isCore ? "core" : "device"} ${requester}`,
        expected: `a ${operation.requester}`,
      });
    }
  }

  /** R11: an access outside any memory, or across the end of a region, is refused. */
  private regionAround(played: Played, range: Range): MemoryRegion {
    const region = this.topology.region(range.address);
    if (region && covers({ address: region.base, sizeBytes: region.sizeBytes }, range)) return region;
    const end = range.address + range.sizeBytes;
    throw new RecordError(`${played.operation.name} outside memory`, {
      record: played.number,
      found: `0x${range.address.toString(16)} to 0x${end.toString(16)}`,
      expected: `one of ${this.machine.memory.map(nameOfRegion).join(", ")}`,
    });
  }
}

const NAMES = Object.keys(OPERATIONS) as OperationName[];

function nameOf({ code }: Operation): RecordName {
  return NAMES.find((name) => OPERATIONS[name].code === code) as RecordName;
}

/** Bytes that a record covers; DC ZVA and maintenance don't ask. */
function extentOf({ operand, sizeBytes }: Played): Range {
  return sizeBytes === 0 ? blockAround(operand, DEFAULT_SIZE_BYTES) : { address: operand, sizeBytes };
}

function addressOf({ operand }: Played): Range {
  return { address: operand, sizeBytes: 1 };
}

/** D6: a given value repeats from the record's first byte; without one, record + 1 stands in every aligned word. */
function bytesToStore({ value, number }: Played, extent: Range, piece: Range): Uint8Array {
  const pattern = new DataView(new ArrayBuffer(8));
  pattern.setBigUint64(0, value ?? BigInt(number + 1), true);
  const start = value === undefined ? 0 : extent.address;
  return Uint8Array.from({ length: piece.sizeBytes }, (_, i) => pattern.getUint8((piece.address + i - start) % 8));
}

function checkedAttribute(record: number, code: number | undefined): AttributeCode | undefined {
  if (code === undefined) return undefined;
  const attribute = Object.values(ATTRIBUTES).find((each) => each.code === code);
  if (attribute) return attribute.code;
  throw new RecordError("unknown memory attribute", { record, found: `attribute ${code}`, expected: "0 to 7" });
}

function stateOf({ dirty, shared }: LineCopy): Copy["state"] {
  if (dirty) return shared ? "O" : "M";
  return shared ? "S" : "E";
}

function nameOfRegion({ base, sizeBytes }: MemoryRegion): string {
  return `0x${base.toString(16)} to 0x${(base + sizeBytes).toString(16)}`;
}
