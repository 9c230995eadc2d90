/** Latent hazards (D33, D34): nothing has gone wrong yet, but what software does relies on luck. */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import type { AttributeCode } from "../operations.ts";
import type { CacheArray } from "./cache-array.ts";
import type { HazardLog, Moment } from "./hazard-log.ts";
import type { Maintenance, NamedWay, SetWayOperation } from "./maintenance.ts";
import { blockAround, type Range } from "./ranges.ts";
import type { AccessKind } from "./tally.ts";
import type { Topology } from "./topology.ts";

/** By-VA maintenance that a requester has issued since its last DSB. */
interface Batch {
  readonly issuer: number;
  /** Record of the DSB that closed it; undefined while it is open. */
  closedAt: number | undefined;
}

/** The last maintenance of a block, by whom it was issued. */
interface Stamps {
  data?: Batch;
  instructions?: Batch;
}

export class Latent {
  private readonly machine: ResolvedMachine;
  private readonly topology: Topology;
  private readonly maintenance: Maintenance;
  private readonly log: HazardLog;
  private readonly coresThatCached = new Set<number>();
  /** Per core: ways that the loop in progress has cleaned, as `cache/set/way`. */
  private readonly marks: Set<string>[];
  private readonly loopMigratedTo = new Set<number>();
  private readonly openBatches = new Map<number, Batch>();
  private readonly stamps = new Map<number, Stamps>();
  private readonly lastIsb = new Map<number, number>();

  constructor(topology: Topology, maintenance: Maintenance, log: HazardLog) {
    this.machine = topology.machine;
    this.topology = topology;
    this.maintenance = maintenance;
    this.log = log;
    this.marks = this.machine.cores.map(() => new Set());
  }

  /** mismatched-attributes: asked before an access that bypasses the caches. */
  bypasses(piece: Range, attribute: AttributeCode, moment: Moment): void {
    if (this.topology.dataCopies(piece).length === 0) return;
    this.log.report({ class: "mismatched-attributes", line: this.lineOf(piece), attribute }, moment);
  }

  cachedData(core: number): void {
    this.coresThatCached.add(core);
  }

  setWay(core: number, operation: SetWayOperation, named: NamedWay | undefined, moment: Moment): void {
    if ([...this.coresThatCached].some((other) => other !== core)) {
      this.log.report({ class: "set/way-while-shared", line: 0 }, moment);
    }
    if (this.loopMigratedTo.delete(core)) this.log.report({ class: "set/way-migrated", line: 0 }, moment);
    const marks = this.marks[core];
    if (!marks || !named || operation === "invalidate") return;
    marks.add(`${named.array.cache.id}/${named.set}/${named.way}`);
    const ways = this.maintenance.setWayCaches(core).reduce((sum, { cache }) => sum + cache.sets * cache.ways, 0);
    if (marks.size < ways) return;
    marks.clear();
    const lines = this.dirtyLinesInSystemCaches();
    if (lines > 0) this.log.report({ class: "set/way-short-of-poc", line: 0, lines }, moment);
  }

  migrate(from: number, to: number): void {
    const marks = this.marks[from];
    if (!marks || marks.size === 0) return;
    marks.clear();
    this.loopMigratedTo.add(to);
  }

  /** By-VA maintenance was issued; a later one of the same kind on the same block takes its place. */
  maintains(kind: "data" | "instructions", issuer: number, address: number): void {
    const batch = this.openBatches.get(issuer) ?? { issuer, closedAt: undefined };
    this.openBatches.set(issuer, batch);
    const block = this.blockOf(address);
    this.stamps.set(block, { ...this.stamps.get(block), [kind]: batch });
  }

  dsb(issuer: number, record: number): void {
    const batch = this.openBatches.get(issuer);
    if (batch) batch.closedAt = record;
    this.openBatches.delete(issuer);
  }

  isb(core: number, record: number): void {
    this.lastIsb.set(core, record);
  }

  /** maintenance-pending: asked for every access that its own first-level cache did not answer. */
  relies(kind: AccessKind, piece: Range, attribute: AttributeCode, moment: Moment): void {
    const stamps = this.stamps.get(this.blockOf(piece.address));
    if (!stamps) return;
    const { data, instructions } = stamps;
    const othersOpen = data !== undefined && data.closedAt === undefined && data.issuer !== moment.requester;
    const isb = this.lastIsb.get(moment.requester) ?? -1;
    const unseen = instructions !== undefined && (instructions.closedAt === undefined || instructions.closedAt > isb);
    if (othersOpen || (kind === "fetch" && unseen)) {
      this.log.report({ class: "maintenance-pending", line: this.lineOf(piece), attribute }, moment);
    }
  }

  private dirtyLinesInSystemCaches(): number {
    const systemCaches = this.topology.arrays.filter(({ cache }) => cache.kind === "system");
    return systemCaches.reduce((sum, array) => sum + dirtyLines(array), 0);
  }

  private lineOf(piece: Range): number {
    return blockAround(piece.address, this.machine.smallestLineBytes).address;
  }

  private blockOf(address: number): number {
    return blockAround(address, this.machine.largestLineBytes).address;
  }
}

export function dirtyLines(array: CacheArray): number {
  let count = 0;
  for (const copy of array.copies()) if (copy.dirty) count += 1;
  return count;
}
