/** Accesses of cores and devices to memory, piece by piece (D5): what each does, and what is compared and noted about it. */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import { RecordError } from "../errors.ts";
import { ATTRIBUTES, type AttributeCode } from "../operations.ts";
import { dataManner, type FetchManner, fetchManner, type Manner, NON_SHAREABLE, writesThrough } from "./attributes.ts";
import type { CacheArray } from "./cache-array.ts";
import type { Access, Coherence, Outcome } from "./coherence.ts";
import type { Devices } from "./devices.ts";
import { Stopped } from "./faults.ts";
import type { Moment } from "./hazard-log.ts";
import type { Latent } from "./latent.ts";
import type { Lines } from "./lines.ts";
import type { Maintenance } from "./maintenance.ts";
import { isDeviceMemory, type Part, type Parts } from "./parts.ts";
import { blockAround, type Range, split } from "./ranges.ts";
import { addressOf, bytesToStore, extentOf, faultExit, type Played } from "./records.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";
import type { Truth } from "./truth.ts";
import type { Uncached } from "./uncached.ts";

/** What a data record does; an atomic loads and stores, a prefetch does neither but fills. */
export type DataKind = "load" | "store" | "atomic" | "prefetch";

/** What accesses are made of. */
export interface AccessModel {
  readonly topology: Topology;
  readonly parts: Parts;
  readonly coherence: Coherence;
  readonly uncached: Uncached;
  readonly maintenance: Maintenance;
  readonly devices: Devices;
  readonly lines: Lines;
  readonly truth: Truth;
  readonly latent: Latent;
  readonly tally: Tally;
}

/** How one part of a data record is accessed. */
interface DataManner {
  readonly path: readonly CacheArray[];
  readonly attribute: AttributeCode;
  readonly shareable: boolean;
  /** Through the caches; for an atomic also coherently. */
  readonly coherently: boolean;
}

export class Accesses {
  /** First bytes that the last observing record saw. */
  observed: Uint8Array = new Uint8Array(0);
  private readonly machine: ResolvedMachine;
  private readonly model: AccessModel;

  constructor(model: AccessModel) {
    this.machine = model.topology.machine;
    this.model = model;
  }

  data(played: Played, kind: DataKind): void {
    const extent = extentOf({ ...played, operand: this.model.parts.address(played).address });
    if (kind !== "prefetch") {
      this.access(played, kind, this.model.parts.resolve(played, kind, extent), extent.sizeBytes);
      return;
    }
    const parts = this.speculated(played, extent);
    if (parts) this.access(played, kind, parts, extent.sizeBytes);
  }

  /** DC ZVA (R21): a store of zeroes to its aligned block. */
  zero(played: Played): void {
    const { zvaBytes } = this.machine;
    if (zvaBytes === 0) {
      throw new RecordError("DC ZVA is prohibited on this machine", { record: played.number });
    }
    const block = blockAround(this.model.parts.address(played).address, zvaBytes);
    const parts = this.model.parts.resolve(played, "zero", block);
    if (parts.some(isDeviceMemory)) {
      throw new RecordError("DC ZVA to Device memory", { record: played.number, expected: "Normal memory" });
    }
    this.access({ ...played, value: 0n }, "store", parts, block.sizeBytes);
  }

  fetch(played: Played): void {
    const extent = extentOf({ ...played, operand: this.model.parts.address(played).address });
    const parts = this.model.parts.resolve(played, "fetch", extent);
    const seen = new Uint8Array(extent.sizeBytes);
    this.forEachPiece(played, parts, (part, piece, offset, moment) => {
      const isMmio = part.region.type === "device";
      const manner = this.fetchMannerOf(played.requester, part);
      const outcome = this.fetchPiece(played.requester, manner, isMmio, piece);
      this.model.tally.supplied(outcome.supply, part.region.socket);
      seen.set(outcome.seen, offset);
      if (isMmio) return;
      this.model.truth.compare("stale-fetch", piece, outcome.seen, outcome.supply.place, manner.attribute, moment);
      const isL1iHit = outcome.heldBy?.cache.id === this.machine.cores[played.requester]?.l1i;
      if (!isL1iHit) this.model.latent.relies("fetch", piece, manner.attribute, moment);
    });
    this.observed = seen;
  }

  /** A fetch by nobody: it fills what a fetch would fill, and does nothing where a fetch would fill nothing (D23). */
  fetchAhead(played: Played): void {
    const { requester: core } = played;
    const extent = extentOf({ ...played, operand: this.model.parts.address(played).address });
    const hasL1i = this.model.topology.instructionCache(core) !== undefined;
    this.forEachPiece(played, this.speculated(played, extent, "fetch") ?? [], (part, piece) => {
      const manner = this.fetchMannerOf(core, part);
      if (!manner.cacheable && !(manner.l1iOnly && hasL1i)) return;
      const outcome = this.fetchPiece(core, manner, false, piece);
      this.model.tally.supplied(outcome.supply, part.region.socket);
    });
  }

  /** The first holder on the core's path loses the line as if it were replaced (D26). */
  evict(played: Played): void {
    const address = this.model.parts.address(played);
    const [part] = this.speculated(played, { ...addressOf(played), address: address.address }) ?? [];
    if (!part) return;
    const path = this.model.topology.dataPath(played.requester, part.range.address);
    const holder = path.map((array) => array.find(part.range.address)).find((copy) => copy);
    if (holder) this.model.lines.evict(holder);
  }

  dma(played: Played, direction: "read" | "write"): void {
    const { requester } = played;
    const extent = extentOf(played);
    const device = this.machine.devices.find((each) => each.requester === requester);
    if (!device) throw new Error(`no device ${requester}`);
    const region = this.model.parts.regionAround(played, extent);
    const attribute = device.coherent ? ATTRIBUTES.WRITE_BACK.code : ATTRIBUTES.NON_CACHEABLE.code;
    const seen = new Uint8Array(extent.sizeBytes);
    this.forEachPiece(played, [{ range: extent }], (_part, piece, offset, moment) => {
      this.model.tally.event("device");
      if (region.type === "device") {
        this.model.tally.machine[direction === "read" ? "deviceReads" : "deviceWrites"] += 1;
        return;
      }
      if (direction === "read") {
        const read = this.model.devices.read(device, piece);
        seen.set(read.seen, offset);
        this.model.truth.compare("stale-dma", piece, read.seen, read.place, attribute, moment);
      } else {
        const bytes = bytesToStore(played, offset, piece);
        if (this.machine.dic) this.model.maintenance.invalidateInstructionsForStore(piece);
        this.model.devices.write(device, piece, bytes);
        this.model.truth.write(piece.address, bytes, attribute, moment);
      }
      this.model.latent.relies(direction === "read" ? "load" : "store", piece, attribute, moment);
    });
    if (direction === "read") this.observed = seen;
  }

  /** Prefetches and evictions do nothing where a load would exit, speculative fetches where a fetch would (D39). */
  private speculated(played: Played, extent: Range, purpose: "load" | "fetch" = "load"): readonly Part[] | undefined {
    try {
      return this.model.parts.resolve(played, purpose, extent);
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }

  private access(played: Played, kind: DataKind, parts: readonly Part[], sizeBytes: number): void {
    const { requester: core } = played;
    const manners = new Map(parts.map((part) => [part, this.dataMannerOf(core, kind, part)]));
    const incoherent = parts.find((part) => !manners.get(part)?.coherently);
    if (kind === "atomic" && incoherent && !this.atomicGoesToMemory(played, incoherent)) return;

    const loads = kind === "load" || kind === "atomic";
    const stores = kind === "store" || kind === "atomic";
    const seen = new Uint8Array(sizeBytes);
    this.forEachPiece(played, parts, (part, piece, offset, moment) => {
      const manner = manners.get(part);
      if (!manner || (kind === "prefetch" && !manner.coherently)) return;
      const { attribute } = manner;
      const isMmio = part.region.type === "device";
      if (manner.coherently) this.model.latent.cachedData(core);
      const bytes = stores ? bytesToStore(played, offset, piece) : undefined;
      const outcome = isMmio
        ? this.mmio(piece, loads, stores)
        : manner.coherently
          ? this.cached(core, kind, piece, manner, bytes)
          : this.bypassing(core, piece, attribute, loads, bytes, moment);
      this.model.tally.supplied(outcome.supply, part.region.socket);
      if (loads) seen.set(outcome.seen, offset);
      if (isMmio) return;
      const { place } = outcome.supply;
      if (loads) this.model.truth.compare("stale-read", piece, outcome.seen, place, attribute, moment);
      if (bytes) this.model.truth.write(piece.address, bytes, attribute, moment);
      const isL1dHit = outcome.heldBy?.cache.id === this.machine.cores[core]?.l1d;
      if (kind !== "prefetch" && !isL1dHit) {
        this.model.latent.relies(stores ? "store" : "load", piece, attribute, moment);
      }
      this.model.coherence.prefetch();
    });
    if (loads) this.observed = seen;
  }

  private dataMannerOf(core: number, kind: DataKind, { sctlr, region, given, range }: Part): DataManner {
    const path = this.model.topology.dataPath(core, range.address);
    const manner: Manner = dataManner(this.machine, sctlr, region.type === "device", given, path);
    const shareable = manner.attribute !== NON_SHAREABLE;
    const coherently = manner.cacheable && (kind !== "atomic" || shareable);
    // An atomic that the caches can't serve is a Non-cacheable access in every respect (D26).
    const isForced = manner.cacheable && !coherently;
    const attribute = isForced ? ATTRIBUTES.NON_CACHEABLE.code : manner.attribute;
    return { path: manner.path, attribute, shareable, coherently };
  }

  private cached(
    core: number,
    kind: DataKind,
    piece: Range,
    { path, attribute, shareable }: DataManner,
    bytes: Uint8Array | undefined,
  ): Outcome {
    const trains = kind !== "prefetch";
    const access: Access = {
      kind: bytes ? "store" : "load",
      core,
      piece,
      path,
      shareable,
      trains,
      ...(bytes && { bytes }),
    };
    if (!bytes) return this.model.coherence.data(access);
    if (this.machine.dic) this.model.maintenance.invalidateInstructionsForStore(piece);
    const through = writesThrough(attribute);
    if (!through) return this.model.coherence.data(access);
    return this.model.coherence.storeThrough(access, bytes, through.stopsAtSystem, kind === "atomic");
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
    if (bytes && this.machine.dic) this.model.maintenance.invalidateInstructionsForStore(piece);
    this.model.latent.bypasses(piece, attribute, moment);
    const read = reads ? this.model.uncached.read(core, piece, attribute) : undefined;
    const written = bytes && this.model.uncached.write(core, piece, attribute, bytes);
    const outcome = read ?? written;
    if (!outcome) throw new Error("an access that neither reads nor writes");
    return outcome;
  }

  private mmio(piece: Range, reads: boolean, writes: boolean): Outcome {
    const read = reads ? this.model.uncached.mmio(piece, "read") : undefined;
    const written = writes ? this.model.uncached.mmio(piece, "write") : undefined;
    const outcome = read ?? written;
    if (!outcome) throw new Error("an access that neither reads nor writes");
    return outcome;
  }

  /** `ncAtomics` (R17): whether an atomic on memory that isn't cacheable and shareable is played at all. */
  private atomicGoesToMemory(played: Played, part: Part): boolean {
    if (this.machine.ncAtomics === "fault") {
      if (this.model.parts.translates(played)) {
        throw faultExit(played, { type: "atomic", stage: 0, level: -1 }, part.at);
      }
      throw new RecordError("atomic on memory that is not cacheable and shareable", {
        record: played.number,
        expected: "Write-Back shareable memory with MMU and caches on (ncAtomics is fault)",
      });
    }
    if (this.machine.ncAtomics === "memory") return true;
    this.model.tally.machine.atomicFailures += 1;
    return false;
  }

  private fetchMannerOf(core: number, { sctlr, region, given, range }: Part): FetchManner {
    const { topology } = this.model;
    const path = topology.fetchPath(core, range.address);
    const hasL1i = topology.instructionCache(core) !== undefined;
    return fetchManner(this.machine, sctlr, region.type === "device", given, path, hasL1i);
  }

  private fetchPiece(core: number, manner: FetchManner, isMmio: boolean, piece: Range): Outcome {
    const { uncached, coherence } = this.model;
    const { attribute } = manner;
    if (isMmio) return uncached.mmio(piece, "read");
    if (manner.l1iOnly) return uncached.fetchL1iOnly(core, piece);
    if (!manner.cacheable) return uncached.fetch(core, piece, attribute);
    return coherence.fetch({ kind: "fetch", core, piece, path: manner.path, shareable: attribute !== NON_SHAREABLE });
  }

  /** Pieces end at multiples of the smallest line, and each is played to its end before the next (D5). */
  private forEachPiece<P extends { readonly range: Range }>(
    { number: record, requester }: Played,
    parts: readonly P[],
    play: (part: P, piece: Range, offset: number, moment: Moment) => void,
  ): void {
    let index = 0;
    let offset = 0;
    for (const part of parts) {
      for (const piece of split(part.range, this.machine.smallestLineBytes)) {
        const moment: Moment = { record, piece: index, requester };
        this.model.tally.beginPiece(requester);
        play(part, piece, offset, moment);
        this.model.truth.checkLost(moment);
        index += 1;
        offset += piece.sizeBytes;
      }
    }
  }
}
