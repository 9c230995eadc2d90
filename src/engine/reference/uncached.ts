/** Non-cacheable and Device accesses of cores (D24), and fetches that allocate in L1I only (D23, R34). */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import { ATTRIBUTES, type AttributeCode } from "../operations.ts";
import { bytesOf, type CacheArray } from "./cache-array.ts";
import type { Outcome } from "./coherence.ts";
import type { Lines } from "./lines.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Bypass, Memory } from "./memory.ts";
import { type Range, slice } from "./ranges.ts";
import type { Supply, Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";

export class Uncached {
  private readonly machine: ResolvedMachine;
  private readonly topology: Topology;
  private readonly lines: Lines;
  private readonly memory: Memory;
  private readonly maintenance: Maintenance;
  private readonly tally: Tally;

  constructor(topology: Topology, lines: Lines, memory: Memory, maintenance: Maintenance, tally: Tally) {
    this.machine = topology.machine;
    this.topology = topology;
    this.lines = lines;
    this.memory = memory;
    this.maintenance = maintenance;
    this.tally = tally;
  }

  read(core: number, piece: Range, attribute: AttributeCode): Outcome {
    return this.readBeside(this.topology.dataPath(core, piece.address), piece, attribute);
  }

  fetch(core: number, piece: Range, attribute: AttributeCode): Outcome {
    const l1i = this.topology.instructionCache(core);
    const path = this.topology.fetchPath(core, piece.address);
    return this.readBeside(l1i ? [l1i, ...path] : path, piece, attribute);
  }

  write(core: number, piece: Range, attribute: AttributeCode, bytes: Uint8Array): Outcome {
    const seen = new Uint8Array(0);
    if (this.machine.ncSnoops) this.maintenance.cleanAndInvalidate(piece);
    const path = this.topology.dataPath(core, piece.address);
    const holder = this.unexpectedHolder(path, piece);
    if (holder) {
      this.lines.land(holder, piece.address, bytes);
      return { seen, supply: from(holder.array), heldBy: holder.array };
    }
    this.tally.machine.uncachedWrites += 1;
    this.memory.writeUncached(piece.address, bytes, bypassOf(attribute));
    return { seen, supply: { place: "memory", how: "uncached" }, heldBy: undefined };
  }

  /** MMIO accepts accesses; reads give zero and nothing is stored (D7). */
  mmio(piece: Range, kind: "read" | "write"): Outcome {
    this.tally.machine[kind === "read" ? "uncachedReads" : "uncachedWrites"] += 1;
    return {
      seen: new Uint8Array(piece.sizeBytes),
      supply: { place: "memory", how: "uncached" },
      heldBy: undefined,
    };
  }

  /** D23: neither unified nor system caches are asked; the L1I reads its whole line from memory. */
  fetchL1iOnly(core: number, piece: Range): Outcome {
    const l1i = this.topology.instructionCache(core);
    const held = l1i?.find(piece.address);
    if (l1i) this.tally.demand(l1i, "fetch", held !== undefined);
    if (l1i && held) {
      l1i.touch(held);
      return { seen: bytesOf(held, piece), supply: from(l1i), heldBy: l1i };
    }
    const range = l1i ? l1i.lineAround(piece.address) : piece;
    const { bytes, place } = this.readMemory(range, "normal");
    if (l1i) l1i.fill(this.lines.makeRoom(l1i, piece.address), range, bytes, { dirty: false, shared: true });
    const seen = slice(bytes, range.address, piece);
    return { seen, supply: { place, how: "uncached" }, heldBy: undefined };
  }

  private readBeside(path: readonly CacheArray[], piece: Range, attribute: AttributeCode): Outcome {
    if (this.machine.ncSnoops) this.maintenance.cleanAndInvalidate(piece);
    const holder = this.unexpectedHolder(path, piece);
    if (holder) {
      return { seen: bytesOf(holder, piece), supply: from(holder.array), heldBy: holder.array };
    }
    const { bytes, place } = this.readMemory(piece, bypassOf(attribute));
    return { seen: bytes, supply: { place, how: "uncached" }, heldBy: undefined };
  }

  private readMemory(range: Range, bypass: Bypass): { bytes: Uint8Array; place: Supply["place"] } {
    this.tally.machine.uncachedReads += 1;
    return this.memory.readUncached(range, bypass);
  }

  /** With `ncLookup` the first cache on the path that holds the line serves the access, and that is recorded (R14). */
  private unexpectedHolder(path: readonly CacheArray[], piece: Range) {
    if (!this.machine.ncLookup) return undefined;
    const holder = path.map((array) => array.find(piece.address)).find((copy) => copy);
    if (holder) this.tally.machine.unexpectedHits += 1;
    return holder;
  }
}

const from = (array: CacheArray): Supply => ({ place: { cache: array.cache.id }, how: "level" });
const bypassOf = (attribute: AttributeCode): Bypass => (attribute === ATTRIBUTES.DEVICE.code ? "device" : "normal");
