/** Descriptors come out of simulated memory through the caches, as their walker's attribute lets it see them (D51, R47). */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import type { AttributeCode } from "../operations.ts";
import { dataManner, NON_SHAREABLE } from "./attributes.ts";
import type { Access, Coherence } from "./coherence.ts";
import { ALL_ENABLED } from "./context.ts";
import type { Moment } from "./hazard-log.ts";
import type { Latent } from "./latent.ts";
import { covers, littleEndian, type Range } from "./ranges.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";
import type { Truth } from "./truth.ts";
import type { Uncached } from "./uncached.ts";

/** A core's walker may stand at the PoU (`walker: pou`); the hypervisor reads tables with ordinary loads (D54). */
export type TableObserver = "walker" | "hypervisor";

export class TableReader {
  private readonly machine: ResolvedMachine;
  private readonly topology: Topology;
  private readonly coherence: Coherence;
  private readonly uncached: Uncached;
  private readonly truth: Truth;
  private readonly latent: Latent;
  private readonly tally: Tally;

  constructor(
    topology: Topology,
    coherence: Coherence,
    uncached: Uncached,
    truth: Truth,
    latent: Latent,
    tally: Tally,
  ) {
    this.machine = topology.machine;
    this.topology = topology;
    this.coherence = coherence;
    this.uncached = uncached;
    this.truth = truth;
    this.latent = latent;
    this.tally = tally;
  }

  /** Undefined where there is no RAM: nothing is read then. */
  read(observer: TableObserver, piece: Range, attribute: AttributeCode, moment: Moment): bigint | undefined {
    const region = this.topology.region(piece.address);
    const isRam = region?.type === "ram" && covers({ address: region.base, sizeBytes: region.sizeBytes }, piece);
    if (!region || !isRam) return undefined;
    const core = moment.requester;
    const isAtPou = observer === "walker" && this.machine.walker === "pou";
    const path = isAtPou ? this.topology.fetchPath(core, piece.address) : this.topology.dataPath(core, piece.address);
    const manner = dataManner(this.machine, ALL_ENABLED, false, attribute, path);

    this.tally.beginPiece(core);
    this.tally.machine.walkReads += 1;
    this.tally.event("walk");
    if (manner.cacheable) this.latent.cachedData(core);
    else this.latent.bypasses(piece, manner.attribute, moment);
    const access: Access = {
      kind: "load",
      core,
      piece,
      path: manner.path,
      shareable: manner.attribute !== NON_SHAREABLE,
      ...(isAtPou && { atPou: true }),
    };
    const outcome = !manner.cacheable
      ? this.uncached.read(core, piece, manner.attribute)
      : isAtPou
        ? this.coherence.walkAtPou(access)
        : this.coherence.data(access);
    this.tally.supplied(outcome.supply, region.socket);
    this.truth.compare("stale-walk", piece, outcome.seen, outcome.supply.place, manner.attribute, moment);
    const isL1dHit = outcome.heldBy?.cache.id === this.machine.cores[core]?.l1d;
    if (!isL1dHit) this.latent.relies("load", piece, manner.attribute, moment);
    this.truth.checkLost(moment);
    return littleEndian(outcome.seen);
  }
}
