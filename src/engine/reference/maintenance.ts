/** Cache maintenance by VA, by set/way and of instruction caches (D27, D28). */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import type { CacheArray, LineCopy } from "./cache-array.ts";
import type { Lines } from "./lines.ts";
import type { Memory } from "./memory.ts";
import { overlay, type Range } from "./ranges.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";

export type SetWayOperation = "clean" | "invalidate" | "clean and invalidate";

/** A way of a set of a cache that set/way named. */
export interface NamedWay {
  readonly array: CacheArray;
  readonly set: number;
  readonly way: number;
}

export class Maintenance {
  private readonly machine: ResolvedMachine;
  private readonly topology: Topology;
  private readonly lines: Lines;
  private readonly memory: Memory;
  private readonly tally: Tally;

  constructor(topology: Topology, lines: Lines, memory: Memory, tally: Tally) {
    this.machine = topology.machine;
    this.topology = topology;
    this.lines = lines;
    this.memory = memory;
    this.tally = tally;
  }

  /** DC IVAC, CVAC, CIVAC, CVAP. Without `onlyCore` the domain is every cache, else that core's own path. */
  byAddress(address: number, clean: boolean, invalidate: boolean, onlyCore: number | undefined): void {
    const domain = onlyCore === undefined ? this.topology.dataByDepth : this.topology.dataPath(onlyCore, address);
    const copies = present(domain.map((array) => array.find(address)));
    for (const copy of copies) copy.array.counters.maintenanceProbes += 1;
    const cleans = clean || this.machine.invalidateCleans;
    if (cleans && invalidate) this.lines.writeUnnamedAside(copies);
    if (cleans) this.cleanToPoc(copies);
    if (invalidate) this.removeAll(copies);
  }

  /** What `ncSnoops` does before an access that bypasses the caches: DC CIVAC without its maintenance counters (D24). */
  cleanAndInvalidate(piece: Range): void {
    const copies = this.topology.dataByDepth.flatMap((array) => array.overlapping(piece));
    this.lines.writeUnnamedAside(copies);
    this.cleanToPoc(copies);
    this.removeAll(copies);
  }

  /**
   * Cleans copies, given innermost depth first: each dirty one refreshes what stands around it, and memory is written
   * once with the largest dirty line, on which the innermost bytes win. `write` says where that goes.
   */
  cleanToPoc(
    copies: readonly LineCopy[],
    write = (line: Range, bytes: Uint8Array): void => this.memory.write(line.address, bytes),
  ): void {
    const dirty = copies.filter((copy) => copy.dirty);
    for (const copy of dirty) {
      this.lines.refreshOutwards(copy);
      this.tally.writebackOut(copy.array);
    }
    const largest = dirty.reduce<LineCopy | undefined>(
      (best, copy) => (best && best.line.sizeBytes >= copy.line.sizeBytes ? best : copy),
      undefined,
    );
    if (!largest) return;
    const bytes = largest.bytes.slice();
    for (const copy of outermostFirst(dirty)) overlay(bytes, largest.line.address, copy.bytes, copy.line.address);
    for (const copy of dirty) copy.dirty = false;
    write(largest.line, bytes);
  }

  /** Removes copies in the given order; some go with another one that is inclusive of them. */
  removeAll(copies: readonly LineCopy[]): void {
    for (const copy of copies) if (copy.array.has(copy)) this.lines.remove(copy);
  }

  /** DC CVAU: data caches clean the line to the PoU, unless fetches look into them anyway. */
  cleanToPou(address: number, onlyCore: number | undefined): void {
    if (this.machine.idc) return;
    for (const core of this.machine.cores) {
      if (onlyCore !== undefined && core.id !== onlyCore) continue;
      const copy = this.topology.arrays[core.l1d]?.find(address);
      if (!copy) continue;
      copy.array.counters.maintenanceProbes += 1;
      if (copy.dirty) this.lines.clean(copy);
    }
  }

  /** IC IVAU. */
  invalidateInstructions(address: number, onlyCore: number | undefined): void {
    for (const array of this.instructionCachesOf(onlyCore)) {
      const copy = array.find(address);
      if (!copy) continue;
      array.counters.maintenanceProbes += 1;
      array.drop(copy);
    }
  }

  /** IC IALLU and IALLUIS. */
  invalidateAllInstructions(onlyCore: number | undefined): void {
    for (const array of this.instructionCachesOf(onlyCore)) for (const copy of [...array.copies()]) array.drop(copy);
  }

  /** DIC: a store takes the line out of every instruction cache before anything else (D23). */
  invalidateInstructionsForStore(piece: Range): void {
    for (const array of this.topology.instructionCaches) {
      for (const copy of array.overlapping(piece)) {
        array.counters.invalidations += 1;
        array.drop(copy);
      }
    }
  }

  /** DC ISW, CSW, CISW (R22, R40). Returns the way that was named, if the operand names one. */
  bySetWay(core: number, operand: number, operation: SetWayOperation): NamedWay | undefined {
    const named = this.decode(core, operand);
    if (!named) return undefined;
    const { array, set, way } = named;
    array.counters.maintenanceProbes += 1;
    const copy = array.at(set, way);
    if (!copy) return named;
    const cleans = operation !== "invalidate" || this.machine.invalidateCleans;
    if (operation === "clean") {
      if (copy.dirty) this.lines.clean(copy);
    } else if (cleans) {
      this.lines.cleanAndRemove(copy);
    } else {
      this.lines.remove(copy);
    }
    return named;
  }

  /** Caches that set/way reaches from a core: of home-placed ones that of its own socket (D28). */
  setWayCaches(core: number): CacheArray[] {
    const socket = this.machine.cores[core]?.socket ?? 0;
    return this.topology.dataPathToHome(core, socket).filter((array) => array.cache.setWay);
  }

  private decode(core: number, operand: number): NamedWay | undefined {
    const value = operand % 2 ** 32;
    const depth = (Math.floor(value / 2) % 8) + 1;
    const array = this.setWayCaches(core).find((each) => each.cache.depth === depth);
    if (!array) return undefined;
    const { ways, sets, lineBytes } = array.cache;
    const wayUnit = 2 ** (32 - Math.ceil(Math.log2(ways)));
    const way = Math.floor(value / wayUnit);
    const set = Math.floor((value % wayUnit) / lineBytes);
    return way < ways && set < sets ? { array, set, way } : undefined;
  }

  private instructionCachesOf(onlyCore: number | undefined): readonly CacheArray[] {
    if (onlyCore === undefined) return this.topology.instructionCaches;
    return present([this.topology.instructionCache(onlyCore)]);
  }
}

/** Outermost depth first, and in core order within a depth, from innermost depth first in core order. */
function outermostFirst(copies: readonly LineCopy[]): LineCopy[] {
  return [...copies].sort((a, b) => b.array.cache.depth - a.array.cache.depth);
}

function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.filter((item) => item !== undefined);
}
