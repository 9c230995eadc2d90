/** Where the bytes of a record really are, and with which attribute its core accesses them (D38 to D41): one part a page. */
import type { MemoryRegion, ResolvedMachine } from "../../machine/resolved.ts";
import { RecordError } from "../errors.ts";
import { ATTRIBUTES, type AttributeCode } from "../operations.ts";
import { dataAttribute } from "./attributes.ts";
import { ALL_ENABLED, type Context } from "./context.ts";
import { Fault } from "./faults.ts";
import type { Mmu } from "./mmu.ts";
import type { Purpose } from "./permissions.ts";
import { covers, type Range, split } from "./ranges.ts";
import { type ExitAddress, faultExit, NO_ADDRESS, type Played } from "./records.ts";
import type { Topology } from "./topology.ts";

const PAGE_BYTES = 4096;

/** A part of a record that is in one place. Without translation the whole record is one. */
export interface Part {
  readonly at: ExitAddress;
  readonly range: Range;
  readonly region: MemoryRegion;
  /** What D8 starts from: the attribute, and the enable bits that it still has to look at. */
  readonly given: AttributeCode | undefined;
  readonly sctlr: number;
}

export class Parts {
  private readonly machine: ResolvedMachine;
  private readonly topology: Topology;
  private readonly mmu: Mmu;

  constructor(topology: Topology, mmu: Mmu) {
    this.machine = topology.machine;
    this.topology = topology;
    this.mmu = mmu;
  }

  /** The operand as an address of its core: 32 bits of it where AArch32 translates. */
  address({ requester, operand, upper }: Played): ExitAddress {
    const context = this.mmu.contextOf(requester);
    if (context.translates && context.aarch32) return { address: operand % 2 ** 32, upper: false };
    return { address: operand, upper };
  }

  /** Whether the record's core translates its addresses. */
  translates({ requester }: Played): boolean {
    return requester < this.machine.cores.length && this.mmu.contextOf(requester).translates;
  }

  /** Throws where the record errs (D7) or exits (D40). `extent` starts at the record's address. */
  resolve(played: Played, purpose: Purpose, extent: Range): readonly Part[] {
    const context = this.mmu.contextOf(played.requester);
    if (!context.translates) return [this.untranslated(played, context, extent)];
    const { upper } = this.address(played);
    const limit = context.aarch32 ? 2 ** 32 : 2 ** 48;
    return split(extent, PAGE_BYTES).map(({ address, sizeBytes }) =>
      this.translated(played, purpose, { address: address % limit, upper }, sizeBytes),
    );
  }

  /** R11: an access outside any memory, or across the end of a region, is refused. */
  regionAround(played: Played, range: Range): MemoryRegion {
    const region = this.regionOf(range);
    if (region) return region;
    const end = range.address + range.sizeBytes;
    throw new RecordError(`${played.operation.name} outside memory`, {
      record: played.number,
      found: `0x${range.address.toString(16)} to 0x${end.toString(16)}`,
      expected: `one of ${this.machine.memory.map(nameOfRegion).join(", ")}`,
    });
  }

  /** A physical address outside memory is an error of the trace, unless a guest gave it. */
  physicalRegion(played: Played, range: Range): MemoryRegion {
    const region = this.regionOf(range);
    if (region || !this.translates(played)) return region ?? this.regionAround(played, range);
    const fault = { type: "external", stage: 0, level: -1, physical: range.address } as const;
    throw faultExit(played, fault, NO_ADDRESS);
  }

  private untranslated(played: Played, context: Context, extent: Range): Part {
    const isHypervisors = context.exceptionLevel >= 2;
    return {
      at: { address: extent.address, upper: played.upper },
      range: extent,
      region: this.regionAround(played, extent),
      given: played.attribute,
      sctlr: isHypervisors ? ALL_ENABLED : context.sctlr,
    };
  }

  private translated(played: Played, purpose: Purpose, at: ExitAddress, sizeBytes: number): Part {
    try {
      const { physical, attribute, sctlr, level } = this.mmu.translate({
        moment: { record: played.number, piece: 0, requester: played.requester },
        purpose,
        ...at,
        given: played.attribute,
        unaligned: isAccess(purpose) && isUnaligned(played),
      });
      const range = { address: physical, sizeBytes };
      const region = this.regionOf(range);
      if (!region) throw new Fault({ type: "external", stage: 0, level: -1, physical });
      const part = { at, range, region, given: attribute, sctlr };
      // Memory-mapped I/O is Device memory whatever the tables say (D41).
      if (purpose === "zero" && isDeviceMemory(part)) throw new Fault({ type: "alignment", stage: 1, level });
      return part;
    } catch (error) {
      throw error instanceof Fault ? faultExit(played, error.detail, at) : error;
    }
  }

  private regionOf(range: Range): MemoryRegion | undefined {
    const region = this.topology.region(range.address);
    return region && covers({ address: region.base, sizeBytes: region.sizeBytes }, range) ? region : undefined;
  }
}

/** Whether data accesses see Device memory there. */
export function isDeviceMemory({ sctlr, region, given }: Part): boolean {
  return dataAttribute(sctlr, region.type === "device", given) === ATTRIBUTES.DEVICE.code;
}

const isAccess = (purpose: Purpose): boolean => purpose === "load" || purpose === "store" || purpose === "atomic";

/** D48: only sizes that a single access can have are aligned. */
function isUnaligned({ sizeBytes, operand }: Played): boolean {
  return [2, 4, 8, 16].includes(sizeBytes) && operand % sizeBytes !== 0;
}

function nameOfRegion({ base, sizeBytes }: MemoryRegion): string {
  return `0x${base.toString(16)} to 0x${(base + sizeBytes).toString(16)}`;
}
