/** Counts what happens (R37, D36, D37): counters of caches and the machine, and cost events of the record's requester. */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import { COST_EVENTS, type CostEvent, MACHINE_COUNTERS, type MachineCounter, type Place } from "../engine.ts";
import type { CacheArray, LineCopy } from "./cache-array.ts";

export type AccessKind = "load" | "store" | "fetch";

/** Who supplied a piece: a level that hit, a peer that was snooped, memory and what stands before it, or an uncached access. */
export interface Supply {
  readonly place: Place;
  readonly how: "level" | "peer" | "memory" | "uncached";
}

const DEMAND = {
  load: { access: "loads", miss: "loadMisses" },
  store: { access: "stores", miss: "storeMisses" },
  fetch: { access: "fetches", miss: "fetchMisses" },
} as const;

export class Tally {
  readonly machine: Record<MachineCounter, number>;
  /** By requester. */
  readonly events: Record<CostEvent, number>[];
  readonly hits: Record<string, number>[];
  private readonly description: ResolvedMachine;
  private readonly socketOf: readonly number[];
  private requester = 0;
  private snooped = false;
  private snoopedRemotely = false;

  constructor(machine: ResolvedMachine) {
    this.description = machine;
    this.socketOf = [...machine.cores, ...machine.devices].map(({ socket }) => socket);
    this.machine = zeroes(MACHINE_COUNTERS);
    this.events = this.socketOf.map(() => zeroes(COST_EVENTS));
    const levels = new Set(machine.caches.map(({ level }) => level));
    if (machine.outer) levels.add("outer");
    if (machine.memorySide.some((cache) => cache)) levels.add("memory-side");
    this.hits = this.socketOf.map(() => zeroes([...levels]));
  }

  /** Everything until the next call is counted for this requester. */
  beginPiece(requester: number): void {
    this.requester = requester;
    this.snooped = false;
    this.snoopedRemotely = false;
  }

  event(name: CostEvent): void {
    const events = this.events[this.requester];
    if (events) events[name] += 1;
  }

  /** A demand access to a cache (D9, D10). */
  demand(array: CacheArray, kind: AccessKind, held: boolean): void {
    array.counters[DEMAND[kind].access] += 1;
    if (!held) array.counters[DEMAND[kind].miss] += 1;
    this.crossTo(array.cache.socket);
  }

  snoop(copy: LineCopy): void {
    copy.array.counters.snoopsIn += 1;
    this.snooped = true;
    if (this.isRemote(copy.array.cache.socket)) this.snoopedRemotely = true;
    this.crossTo(copy.array.cache.socket);
  }

  writebackOut(array: CacheArray): void {
    array.counters.writebacksOut += 1;
    this.event("writeback");
  }

  /** A read or write that reaches memory, or the memory-side cache before it. */
  memoryAccess(home: number): void {
    this.crossTo(home);
  }

  /** The one supply event of a demand piece, and the event of snoops that did not supply it (D36). */
  supplied(supply: Supply, home: number): void {
    const { place, how } = supply;
    if (how === "peer" && typeof place === "object") {
      this.event(this.isRemote(this.description.caches[place.cache]?.socket ?? 0) ? "snoopRemote" : "snoop");
      return;
    }
    if (how === "uncached") this.event(this.isRemote(home) ? "uncachedRemote" : "uncached");
    else if (typeof place === "object") this.hit(this.description.caches[place.cache]?.level ?? "");
    else if (place === "outer" || place === "memory-side") this.hit(place);
    else this.event(this.isRemote(home) ? "memoryRemote" : "memory");
    if (this.snooped) this.event(this.snoopedRemotely ? "snoopRemote" : "snoop");
  }

  private hit(level: string): void {
    const hits = this.hits[this.requester];
    if (hits) hits[level] = (hits[level] ?? 0) + 1;
  }

  private isRemote(socket: number): boolean {
    return socket !== this.socketOf[this.requester];
  }

  private crossTo(socket: number): void {
    if (this.isRemote(socket)) this.machine.crossings += 1;
  }
}

function zeroes<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
