/** Stage 2 (D47): from the guest's physical addresses to the machine's, by the hypervisor's tables. */
import { addressBits, addressField, alignDown, bit, field } from "./bits.ts";
import type { Context } from "./context.ts";
import { Fault, type FaultDetail } from "./faults.ts";
import type { Moment } from "./hazard-log.ts";
import {
  DESCRIPTOR_BYTES,
  decodeDescriptor,
  entryLog2,
  LAST_LEVEL,
  LEVEL_BITS,
  OUTPUT_BITS,
  PAGE_LOG2,
  walkType,
} from "./long-descriptors.ts";
import { attributeCode, isReservedMemAttr, type MemoryType, NORMAL_NC, OSH } from "./memory-attributes.ts";
import type { TableReader } from "./table-reader.ts";
import type { StageTwoLeaf, Tlbs } from "./tlb.ts";

/** Whose walk it is: a core with its registers and translation caches, and the record that it serves. */
export interface Walker {
  readonly context: Context;
  readonly tlbs: Tlbs;
  readonly moment: Moment;
}

/** Tables of stage 2 as VTCR_EL2 and VTTBR_EL2 describe them. */
export interface StageTwoTables {
  readonly inputBits: number;
  readonly outputBits: number;
  readonly firstLevel: number;
  /** Bits that the first level resolves: more than nine where tables are concatenated. */
  readonly firstBits: number;
  readonly base: number;
}

/** Undefined where the registers describe no tables. */
export function stageTwoTables(context: Context): StageTwoTables | undefined {
  const vtcr = context.get("VTCR_EL2");
  const inputBits = inputBitsOf(context);
  const sl0 = field(vtcr, 7, 6);
  if (sl0 === 3 || inputBits < 24 || inputBits > 48) return undefined;
  const firstLevel = 2 - sl0;
  const firstBits = inputBits - PAGE_LOG2 - LEVEL_BITS * (LAST_LEVEL - firstLevel);
  if (firstBits < 1 || firstBits > 13) return undefined;
  const outputBits = OUTPUT_BITS[field(vtcr, 18, 16)] ?? 48;
  const base = alignDown(addressField(context.get("VTTBR_EL2"), 47, 1), firstBits + 3);
  return { inputBits, outputBits, firstLevel, firstBits, base };
}

export const memAttrOf = (descriptor: bigint): number => field(descriptor, 5, 2);

export class StageTwo {
  private readonly reader: TableReader;

  constructor(reader: TableReader) {
    this.reader = reader;
  }

  /** The leaf that translates an IPA; what it permits is the caller's to check (D48). */
  leafFor(walker: Walker, ipa: number, duringWalk: boolean): StageTwoLeaf {
    const { context, tlbs } = walker;
    const fault = (detail: Omit<FaultDetail, "stage" | "ipa" | "duringWalk">): Fault =>
      new Fault({ ...detail, stage: 2, ipa, duringWalk });
    if (ipa >= 2 ** inputBitsOf(context)) throw fault({ type: "translation", level: 0 });
    const known = tlbs.findIpa(ipa, context.vmid);
    if (known) {
      tlbs.count("ipaHits");
      return known;
    }
    const leaf = this.walk(walker, ipa, fault);
    tlbs.fillIpa({ page: alignDown(ipa, leaf.sizeLog2), vmid: context.vmid, leaf });
    return leaf;
  }

  private walk(
    { context, moment }: Walker,
    ipa: number,
    fault: (detail: Pick<FaultDetail, "type" | "level" | "physical">) => Fault,
  ): StageTwoLeaf {
    const tables = stageTwoTables(context);
    if (!tables) throw fault({ type: "translation", level: 0 });
    const limit = 2 ** tables.outputBits;
    if (tables.base >= limit) throw fault({ type: "address-size", level: 0 });
    const attribute = attributeCode(stageTwoWalkType(context));
    let table = tables.base;
    let indexBits = tables.firstBits;
    for (let level = tables.firstLevel; ; level++) {
      const physical = table + DESCRIPTOR_BYTES * addressBits(ipa, entryLog2(level), indexBits);
      const piece = { address: physical, sizeBytes: DESCRIPTOR_BYTES };
      const value = this.reader.read("walker", piece, attribute, moment);
      if (value === undefined) throw fault({ type: "external", level, physical });
      const descriptor = decodeDescriptor(value, level);
      if (descriptor.kind === "invalid") throw fault({ type: "translation", level });
      if (descriptor.address >= limit) throw fault({ type: "address-size", level });
      if (descriptor.kind === "table") {
        table = descriptor.address;
        indexBits = LEVEL_BITS;
        continue;
      }
      if (!bit(value, 10)) throw fault({ type: "access-flag", level });
      const memAttr = memAttrOf(value);
      if (isReservedMemAttr(memAttr, context.hcr("FWB"))) throw fault({ type: "reserved", level, physical });
      return {
        address: descriptor.address,
        sizeLog2: descriptor.sizeLog2,
        level,
        memAttr,
        sh: field(value, 9, 8),
        read: bit(value, 6),
        write: bit(value, 7),
        executeNever: bit(value, 54),
      };
    }
  }
}

const inputBitsOf = (context: Context): number => 64 - field(context.get("VTCR_EL2"), 5, 0);

/** D51: HCR_EL2.CD makes walks of stage 2 Non-cacheable. */
function stageTwoWalkType(context: Context): MemoryType {
  return context.hcr("CD") ? { attr: NORMAL_NC, sh: OSH } : walkType(context.get("VTCR_EL2"), 8);
}
