/** Stage 1 with 64-bit descriptors: AArch64 (D45) and AArch32's LPAE (D46). Short descriptors are another file's. */
import { ATTRIBUTES, type AttributeCode, SCTLR_C } from "../operations.ts";
import { addressBits, addressField, alignDown, bit, field } from "./bits.ts";
import type { Context } from "./context.ts";
import { Fault } from "./faults.ts";
import {
  DESCRIPTOR_BYTES,
  decodeDescriptor,
  entryLog2,
  LAST_LEVEL,
  LEVEL_BITS,
  OUTPUT_BITS,
  PAGE_LOG2,
  spanLog2,
  walkType,
} from "./long-descriptors.ts";
import {
  attributeCode,
  combineAttributes,
  isDeviceMemAttr,
  type MemoryType,
  mairByte,
  NORMAL_NC,
  OSH,
} from "./memory-attributes.ts";
import type { StageTwo, Walker } from "./stage-two.ts";
import type { TableReader } from "./table-reader.ts";
import type { Inherited, PageQuery, Permissions, StageOneLeaf } from "./tlb.ts";

export const NOTHING_INHERITED: Inherited = {
  el0Denied: false,
  readOnly: false,
  executeNeverAtEl0: false,
  executeNeverAtEl1: false,
  domain: undefined,
};

/** Tables below the first level, smallest span first. */
const SPANS_LOG2: readonly number[] = [3, 2, 1].map(spanLog2);
const UPPER = 2 ** 48;

/** Tables of stage 1 as TCR_EL1 and a TTBR describe them. */
interface StageOneTables {
  readonly inputBits: number;
  readonly outputBits: number;
  readonly firstLevel: number;
  readonly base: number;
  /** Level that faults of the registers name. */
  readonly registerLevel: number;
  readonly walkType: MemoryType;
}

/** Reads tables of stage 1, which stage 2 translates like anything else of the guest. */
export class StageOneTableReader {
  private readonly reader: TableReader;
  private readonly stageTwo: StageTwo;

  constructor(reader: TableReader, stageTwo: StageTwo) {
    this.reader = reader;
    this.stageTwo = stageTwo;
  }

  /** The descriptor at an IPA. */
  read(walker: Walker, ipa: number, sizeBytes: number, type: MemoryType, level: number): bigint {
    const { physical, attribute } = this.locate(walker, ipa, type);
    const value = this.reader.read("walker", { address: physical, sizeBytes }, attribute, walker.moment);
    if (value === undefined) throw new Fault({ type: "external", stage: 1, level, physical, duringWalk: true });
    return value;
  }

  private locate(walker: Walker, ipa: number, given: MemoryType): { physical: number; attribute: AttributeCode } {
    const { context } = walker;
    const isCached = (context.sctlr & SCTLR_C) !== 0;
    const type = isCached ? given : { attr: NORMAL_NC, sh: OSH };
    if (!context.stageTwoIsOn) return { physical: ipa, attribute: attributeCode(type) };
    const leaf = this.stageTwo.leafFor(walker, ipa, true);
    const physical = leaf.address + (ipa % 2 ** leaf.sizeLog2);
    const isDevice = isDeviceMemAttr(leaf.memAttr);
    if (!leaf.read || (isDevice && context.hcr("PTW"))) {
      throw new Fault({ type: "permission", stage: 2, level: leaf.level, ipa, duringWalk: true });
    }
    if (isDevice) return { physical, attribute: ATTRIBUTES.NON_CACHEABLE.code };
    const combined = combineAttributes({
      fetch: false,
      s1Attr: type.attr,
      s1Sh: type.sh,
      s2MemAttr: leaf.memAttr,
      s2Sh: leaf.sh,
      fwb: context.hcr("FWB"),
      cd: context.hcr("CD"),
      id: context.hcr("ID"),
    });
    return { physical, attribute: attributeCode(combined) };
  }
}

/** The leaf that translates an address, of tables with 64-bit descriptors. */
export function walkLongDescriptors(reader: StageOneTableReader, walker: Walker, query: PageQuery): StageOneLeaf {
  const { context, tlbs } = walker;
  const tables = context.aarch32 ? lpaeTables(context, query.address) : aarch64Tables(context, query.address);
  const address = query.address % UPPER;
  const limit = 2 ** tables.outputBits;

  let level = tables.firstLevel;
  let table = tables.base;
  let indexBits = tables.inputBits - entryLog2(level);
  let inherited = NOTHING_INHERITED;
  const known = tlbs.findWalk(SPANS_LOG2, query);
  if (known) {
    tlbs.count("walkHits");
    level = LAST_LEVEL - (known.spanLog2 - spanLog2(LAST_LEVEL)) / LEVEL_BITS;
    table = known.table;
    indexBits = LEVEL_BITS;
    inherited = known.inherited;
  } else if (table >= limit) {
    throw new Fault({ type: "address-size", stage: 1, level: tables.registerLevel });
  }

  for (; ; level++) {
    const ipa = table + DESCRIPTOR_BYTES * addressBits(address, entryLog2(level), indexBits);
    const value = reader.read(walker, ipa, DESCRIPTOR_BYTES, tables.walkType, level);
    const descriptor = decodeDescriptor(value, level);
    if (descriptor.kind === "invalid") throw new Fault({ type: "translation", stage: 1, level });
    if (descriptor.address >= limit) throw new Fault({ type: "address-size", stage: 1, level });
    if (descriptor.kind === "leaf") {
      if (!bit(value, 10)) throw new Fault({ type: "access-flag", stage: 1, level });
      const { address: output, sizeLog2 } = descriptor;
      return { address: output, sizeLog2, level, ...leafFields(context, value, inherited) };
    }
    table = descriptor.address;
    indexBits = LEVEL_BITS;
    inherited = inherit(inherited, value);
    const span = spanLog2(level + 1);
    tlbs.fillWalk({ ...ownersOf(query), page: alignDown(query.address, span), spanLog2: span, table, inherited });
  }
}

/** Whose translations the walk cache keeps. */
export function ownersOf({ vmid, asid, kind }: PageQuery): Pick<PageQuery, "vmid" | "asid" | "kind"> {
  return { vmid, asid, kind };
}

/** D45: TTBR0 or TTBR1 by the upper bits. */
function aarch64Tables(context: Context, address: number): StageOneTables {
  const tcr = context.get("TCR_EL1");
  const isUpper = address >= UPPER;
  const low = isUpper ? 16 : 0;
  const size = field(tcr, low + 5, low);
  const inputBits = 64 - size;
  // Bits from the input size upwards are all like the upper bit.
  const above = Math.floor((address % UPPER) / 2 ** inputBits);
  const isInRange = above === (isUpper ? 2 ** (48 - inputBits) - 1 : 0);
  if (bit(tcr, low + 7) || size < 16 || size > 39 || !isInRange) {
    throw new Fault({ type: "translation", stage: 1, level: 0 });
  }
  const firstLevel = 4 - Math.ceil((inputBits - PAGE_LOG2) / LEVEL_BITS);
  return {
    inputBits,
    outputBits: OUTPUT_BITS[field(tcr, 34, 32)] ?? 48,
    firstLevel,
    base: baseOf(context.get(isUpper ? "TTBR1_EL1" : "TTBR0_EL1"), inputBits, firstLevel),
    registerLevel: 0,
    walkType: walkType(tcr, low + 8),
  };
}

/** D46: TTBR0 for addresses below 2^(32-T0SZ), TTBR1 for those from the top or, with T1SZ = 0, for all others. */
function lpaeTables(context: Context, address: number): StageOneTables {
  const ttbcr = context.get("TCR_EL1");
  const t0sz = field(ttbcr, 2, 0);
  const t1sz = field(ttbcr, 18, 16);
  const isBelow = address < 2 ** (32 - t0sz);
  const isUpper = t1sz > 0 ? address >= 2 ** 32 - 2 ** (32 - t1sz) : !isBelow;
  const low = isUpper ? 16 : 0;
  const isDisabled = bit(ttbcr, low + 7);
  if ((!isUpper && !isBelow) || isDisabled) throw new Fault({ type: "translation", stage: 1, level: 1 });
  const inputBits = 32 - (isUpper ? t1sz : t0sz);
  const firstLevel = inputBits > 30 ? 1 : 2;
  return {
    inputBits,
    outputBits: 40,
    firstLevel,
    base: baseOf(context.get(isUpper ? "TTBR1_EL1" : "TTBR0_EL1"), inputBits, firstLevel),
    registerLevel: 1,
    walkType: walkType(ttbcr, low + 8),
  };
}

/** A first-level table is aligned to its own size. */
function baseOf(ttbr: bigint, inputBits: number, firstLevel: number): number {
  return alignDown(addressField(ttbr, 47, 1), inputBits - entryLog2(firstLevel) + 3);
}

function inherit(above: Inherited, table: bigint): Inherited {
  return {
    readOnly: above.readOnly || bit(table, 62),
    el0Denied: above.el0Denied || bit(table, 61),
    executeNeverAtEl0: above.executeNeverAtEl0 || bit(table, 60),
    executeNeverAtEl1: above.executeNeverAtEl1 || bit(table, 59),
    domain: undefined,
  };
}

function leafFields(
  context: Context,
  leaf: bigint,
  inherited: Inherited,
): Omit<StageOneLeaf, "address" | "sizeLog2" | "level"> {
  const executeNever = inherited.executeNeverAtEl0 || bit(leaf, 54);
  const privilegedExecuteNever = inherited.executeNeverAtEl1 || bit(leaf, 53);
  const index = field(leaf, 4, 2);
  return {
    attr: mairByte(field(context.get("MAIR_EL1"), 8 * index + 7, 8 * index)),
    sh: field(leaf, 9, 8),
    global: !bit(leaf, 11),
    permissions: {
      ...accessPermissions(bit(leaf, 6) && !inherited.el0Denied, bit(leaf, 7) || inherited.readOnly),
      executeNeverAtEl0: executeNever,
      // AArch32's XN is for both levels of privilege.
      executeNeverAtEl1: privilegedExecuteNever || (context.aarch32 && executeNever),
    },
    domain: undefined,
  };
}

/** AP[2:1] (D48). */
export function accessPermissions(el0Allowed: boolean, readOnly: boolean): Pick<Permissions, "el0" | "el1"> {
  return {
    el0: { read: el0Allowed, write: el0Allowed && !readOnly },
    el1: { read: true, write: !readOnly },
  };
}
