/**
 * The reference model: the rules of docs/semantics.md in the plainest TypeScript, written for reading. It plays one piece
 * after another on objects that look like what they model (`reference/`), and is what the kernel is compared with. This
 * file takes records, refuses or traps those that may not be played (D7, D40) and says what each operation does; how, the
 * other files say.
 */
import type { ResolvedMachine } from "../machine/resolved.ts";
import {
  CHARGED_EVENTS,
  type Copy,
  type Counters,
  type Engine,
  type EngineOptions,
  EVERYTHING_RECORDED,
  type Hazard,
  type PeekPlace,
} from "./engine.ts";
import { RecordError } from "./errors.ts";
import { type Exit, ExitError } from "./exit.ts";
import type { HazardName } from "./hazards.ts";
import { OPERATION_BY_CODE, type Operation } from "./operations.ts";
import { Accesses } from "./reference/accesses.ts";
import { dataAttribute, NON_SHAREABLE } from "./reference/attributes.ts";
import { CacheArray, type LineCopy, zeroCacheCounters } from "./reference/cache-array.ts";
import { Coherence } from "./reference/coherence.ts";
import { Context, systemRegister } from "./reference/context.ts";
import { Devices } from "./reference/devices.ts";
import { Stopped } from "./reference/faults.ts";
import { HazardLog } from "./reference/hazard-log.ts";
import { dirtyLines, Latent } from "./reference/latent.ts";
import { Lines } from "./reference/lines.ts";
import { Maintenance, type SetWayOperation } from "./reference/maintenance.ts";
import { Memory } from "./reference/memory.ts";
import { Mmu } from "./reference/mmu.ts";
import { Parts } from "./reference/parts.ts";
import type { Purpose } from "./reference/permissions.ts";
import { blockAround, littleEndian, overlay, type Range } from "./reference/ranges.ts";
import {
  addressOf,
  checkedAttribute,
  NO_ADDRESS,
  nameOf,
  type Played,
  type Prefix,
  type RecordName,
  trapExit,
  withPrefix,
} from "./reference/records.ts";
import { StageTwoFlush } from "./reference/stage-two-flush.ts";
import { TableReader } from "./reference/table-reader.ts";
import { Tally } from "./reference/tally.ts";
import { Topology } from "./reference/topology.ts";
import { invalidateCleans, promoted, trapTarget } from "./reference/traps.ts";
import { Truth } from "./reference/truth.ts";
import { Uncached } from "./reference/uncached.ts";
import {
  CONTEXT_EL_MASK,
  SYSTEM_REGISTERS,
  type SystemRegister,
  TLBI_INNER_SHAREABLE,
  TLBI_KINDS,
} from "./system-registers.ts";

export function createReference(machine: ResolvedMachine, options: EngineOptions = {}): Engine {
  return new Reference(machine, options);
}

/** Records that name a VA: their traps do too (D50). */
const NAMES_ADDRESS: readonly RecordName[] = [
  "DC_IVAC",
  "DC_CVAC",
  "DC_CIVAC",
  "DC_CVAU",
  "DC_CVAP",
  "DC_ZVA",
  "IC_IVAU",
];

class Reference implements Engine {
  readonly machine: ResolvedMachine;
  readonly carriesData = true;
  private readonly topology: Topology;
  private readonly tally: Tally;
  private readonly memory: Memory;
  private readonly maintenance: Maintenance;
  private readonly mmu: Mmu;
  private readonly parts: Parts;
  private readonly accesses: Accesses;
  private readonly stageTwoFlush: StageTwoFlush;
  private readonly log: HazardLog;
  private readonly truth: Truth;
  private readonly latent: Latent;
  /** What stopped the last `run`. */
  exit: Exit | undefined = undefined;
  private prefix: Prefix = {};
  private recordCount = 0;

  constructor(machine: ResolvedMachine, options: EngineOptions) {
    this.machine = machine;
    const onChange = (range: Range): void => this.truth.noteChange(range);
    const arrays = machine.caches.map((cache) => new CacheArray(cache, machine.seed, onChange));
    this.topology = new Topology(machine, arrays);
    this.tally = new Tally(machine);
    this.memory = new Memory(this.topology, this.tally, onChange);
    const { topology, memory, tally } = this;
    const lines = new Lines(topology, memory, tally);
    const coherence = new Coherence(topology, lines, memory, tally);
    const maintenance = new Maintenance(topology, lines, memory, tally);
    const uncached = new Uncached(topology, lines, memory, maintenance, tally);
    const devices = new Devices(topology, lines, memory, maintenance, tally);
    this.maintenance = maintenance;
    this.log = new HazardLog(options.provenance ?? EVERYTHING_RECORDED);
    this.truth = new Truth(this.topology, this.memory, this.log, machine.smallestLineBytes);
    this.latent = new Latent(this.topology, this.maintenance, this.log);
    const { truth, latent } = this;
    const reader = new TableReader(topology, coherence, uncached, truth, latent, tally);
    const contexts = machine.cores.map(() => new Context(machine.initialSctlr));
    this.mmu = new Mmu(machine, contexts, reader, tally);
    this.parts = new Parts(topology, this.mmu);
    this.stageTwoFlush = new StageTwoFlush(topology, reader, maintenance, truth, latent, tally);
    const { parts } = this;
    this.accesses = new Accesses({
      topology,
      parts,
      coherence,
      uncached,
      maintenance,
      devices,
      lines,
      truth,
      latent,
      tally,
    });
  }

  run(words: Uint32Array, count = Math.floor(words.length / 2)): number {
    this.exit = undefined;
    try {
      this.playWords(words, count);
      return count;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.exit = error.exit;
      return error.exit.word;
    }
  }

  play(words: Uint32Array, count = Math.floor(words.length / 2)): void {
    this.run(words, count);
    if (this.exit) throw new ExitError(this.exit);
  }

  private playWords(words: Uint32Array, count: number): void {
    for (let index = 0; index < count; index++) {
      const low = words[index * 2] ?? 0;
      const high = words[index * 2 + 1] ?? 0;
      const operand = low + (high % 2 ** 16) * 2 ** 32;
      const code = Math.floor(high / 2 ** 16) % 256;
      const requester = Math.floor(high / 2 ** 24);
      if (OPERATION_BY_CODE[code]?.prefix) this.prefix = withPrefix(this.prefix, code, operand);
      else this.playRecord(index, code, requester, operand);
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
      tlbs: this.mmu.tlbs.map(({ counters }) => ({ ...counters })),
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

  peek(where: PeekPlace, address: number, size: number): Uint8Array {
    const range = { address, sizeBytes: size };
    if (where === "memory") return this.memory.ram.read(range);
    if (where === "truth") return this.truth.bytes.read(range);
    const bytes = new Uint8Array(size);
    for (const array of this.arraysAt(where)) {
      for (const copy of array.overlapping(range)) {
        overlay(bytes, address, copy.bytes, copy.line.address);
      }
    }
    return bytes;
  }

  /** A memory-side cache holds what is at home there, so those of all sockets together are the address's own. */
  private arraysAt(where: Exclude<PeekPlace, "memory" | "truth">): readonly CacheArray[] {
    const arrays =
      where === "outer"
        ? [this.memory.outer]
        : where === "memory-side"
          ? this.memory.memorySide
          : [this.topology.arrays[where.cache]];
    return arrays.filter((array) => array !== undefined);
  }

  lastValue(): bigint {
    return littleEndian(this.accesses.observed);
  }

  private playRecord(word: number, code: number, ownRequester: number, operand: number): void {
    const prefix = this.prefix;
    this.prefix = {};
    const number = this.recordCount;
    const requester = prefix.requester ?? ownRequester;
    const operation = OPERATION_BY_CODE[code];
    if (!operation) {
      throw new RecordError("unknown operation", { record: number, found: `operation code ${code}` });
    }
    this.checkRequester(number, operation, requester);
    const attribute = checkedAttribute(number, prefix);
    const { sizeBytes = 0, upper = false, value } = prefix;
    const played: Played = { number, word, operation, requester, operand, upper, sizeBytes, attribute, value };
    this.tally.beginPiece(requester);
    this.actions[this.permitted(played)](played);
    this.truth.checkLost({ record: number, piece: 0, requester });
    this.recordCount += 1;
  }

  /** What the record does at its core's exception level; throws the exit of one that is trapped (D49). */
  private permitted(played: Played): RecordName {
    const name = nameOf(played.operation);
    if (played.requester >= this.machine.cores.length) return name;
    const context = this.mmu.contextOf(played.requester);
    const target = trapTarget(context, name, played.operand);
    if (target !== undefined) {
      throw trapExit(played, target, NAMES_ADDRESS.includes(name) ? this.parts.address(played) : NO_ADDRESS);
    }
    return promoted(context, name);
  }

  /** What each operation does. */
  private readonly actions: Readonly<Record<RecordName, (played: Played) => void>> = {
    LOAD: (played) => this.accesses.data(played, "load"),
    STORE: (played) => this.accesses.data(played, "store"),
    FETCH: (played) => this.accesses.fetch(played),
    SPECULATIVE_FETCH: (played) => this.accesses.fetchAhead(played),
    ATOMIC: (played) => this.accesses.data(played, "atomic"),
    PREFETCH: (played) => this.accesses.data(played, "prefetch"),
    EVICT: (played) => this.accesses.evict(played),
    DC_ZVA: (played) => this.accesses.zero(played),
    DC_IVAC: (played) => {
      const cleans = invalidateCleans(this.mmu.contextOf(played.requester));
      this.toPoc(played, "invalidate", cleans, true);
    },
    DC_CVAC: (played) => this.toPoc(played, "clean", true, false),
    DC_CIVAC: (played) => this.toPoc(played, "clean", true, true),
    DC_CVAP: (played) => this.toPoc(played, "clean", true, false),
    DC_CVAU: (played) =>
      this.byAddress(played, "data", "clean", (address, core) => this.maintenance.cleanToPou(address, core)),
    IC_IVAU: (played) =>
      this.byAddress(played, "instructions", "clean", (address, core) =>
        this.maintenance.invalidateInstructions(address, core),
      ),
    IC_IALLU: (played) => this.invalidateInstructions(played.requester),
    IC_IALLUIS: () => this.invalidateInstructions(undefined),
    DC_ISW: (played) => this.bySetWay(played, "invalidate"),
    DC_CSW: (played) => this.bySetWay(played, "clean"),
    DC_CISW: (played) => this.bySetWay(played, "clean and invalidate"),
    SCTLR: ({ requester, operand }) => {
      this.mmu.contextOf(requester).write(SYSTEM_REGISTERS.SCTLR_EL1, BigInt(operand));
    },
    MSR: (played) => this.writeRegister(played),
    MRS: (played) => this.readRegister(played),
    TLBI: (played) => this.invalidateTlbs(played),
    TLBI_ALL: ({ requester }) => {
      this.mmu.invalidate(requester, TLBI_KINDS.VMALLE1, false, 0n);
    },
    DSB: ({ requester, number }) => {
      this.tally.event("dsb");
      this.latent.dsb(requester, number);
    },
    ISB: ({ requester, number }) => {
      this.tally.event("isb");
      this.latent.isb(requester, number);
    },
    // Records are played in order, and there is no prediction here: nothing happens.
    DMB: () => {},
    BP_INVALIDATE: () => {},
    DEVICE_READ: (played) => this.accesses.dma(played, "read"),
    DEVICE_WRITE: (played) => this.accesses.dma(played, "write"),
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
      this.parts.physicalRegion(played, addressOf(played));
      this.truth.assignPage(played.operand, played.number);
    },
    MIGRATE: (played) => this.migrate(played),
    CHARGE: (played) => this.charge(played),
    FLUSH_STAGE2: (played) => this.flushStageTwo(played),
  };

  // Maintenance

  private toPoc(played: Played, purpose: Purpose, clean: boolean, invalidate: boolean): void {
    this.byAddress(played, "data", purpose, (address, core) =>
      this.maintenance.byAddress(address, clean, invalidate, core),
    );
  }

  private byAddress(
    played: Played,
    kind: "data" | "instructions",
    purpose: Purpose,
    act: (address: number, onlyCore: number | undefined) => void,
  ): void {
    const { requester: core } = played;
    const named: Range = { ...addressOf(played), address: this.parts.address(played).address };
    for (const { range, region, given, sctlr } of this.parts.resolve(played, purpose, named)) {
      const attribute = dataAttribute(sctlr, region.type === "device", given);
      this.tally.event("maintenance");
      act(range.address, attribute === NON_SHAREABLE ? core : undefined);
      this.latent.maintains(kind, core, range.address);
    }
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
    this.parts.physicalRegion(played, addressOf(played));
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

  // System registers, translation and the hypervisor's hand

  private writeRegister({ number, requester, operand, value = 0n }: Played): void {
    const register = registerNamed(number, operand);
    if (register.number === SYSTEM_REGISTERS.CONTEXT.number && (value & BigInt(CONTEXT_EL_MASK)) === 3n) {
      throw new RecordError("no such exception level", { record: number, found: "3", expected: "0, 1 or 2" });
    }
    this.mmu.contextOf(requester).write(register, value);
  }

  private readRegister({ number, requester, operand }: Played): void {
    const value = this.mmu.contextOf(requester).read(registerNamed(number, operand));
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setBigUint64(0, value, true);
    this.accesses.observed = new Uint8Array(bytes.buffer);
  }

  private invalidateTlbs({ number, requester, operand, value = 0n }: Played): void {
    const kind = operand % 2 ** 8;
    const innerShareable = (operand & TLBI_INNER_SHAREABLE) !== 0;
    if (this.mmu.invalidate(requester, kind, innerShareable, value)) return;
    throw new RecordError("unknown TLBI", {
      record: number,
      found: `kind ${kind}`,
      expected: Object.entries(TLBI_KINDS)
        .map(([name, code]) => `${code} ${name}`)
        .join(", "),
    });
  }

  private charge({ number, operand }: Played): void {
    const event = CHARGED_EVENTS[operand];
    if (event) {
      this.tally.event(event);
      return;
    }
    throw new RecordError("unknown event to charge", {
      record: number,
      found: String(operand),
      expected: CHARGED_EVENTS.map((name, index) => `${index} ${name}`).join(", "),
    });
  }

  private flushStageTwo({ number, requester, operand, value = 0n }: Played): void {
    const end = operand + Number(value);
    const moment = { record: number, piece: 0, requester };
    this.stageTwoFlush.flush(this.mmu.contextOf(requester), { start: operand, end }, moment);
  }

  // What every record needs

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
}

function registerNamed(record: number, operand: number): SystemRegister {
  const register = systemRegister(operand);
  if (register) return register;
  const all = Object.values(SYSTEM_REGISTERS);
  throw new RecordError("unknown system register", {
    record,
    found: String(operand),
    expected: all.map((each) => `${each.number} ${each.name}`).join(", "),
  });
}

function stateOf({ dirty, shared }: LineCopy): Copy["state"] {
  if (dirty) return shared ? "O" : "M";
  return shared ? "S" : "E";
}
