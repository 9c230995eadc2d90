/** AArch32 stage 1 with 32-bit descriptors (D46): sections, supersections, large and small pages. */
import { addressBits, addressField, alignDown, bit, field } from "./bits.ts";
import type { Context } from "./context.ts";
import { Fault } from "./faults.ts";
import {
  DEVICE_NGNRE,
  DEVICE_NGNRNE,
  ISH,
  type MemoryType,
  NORMAL_NC,
  NSH,
  OSH,
  REGION_NIBBLES,
} from "./memory-attributes.ts";
import { accessPermissions, NOTHING_INHERITED, ownersOf, type StageOneTableReader } from "./stage-one.ts";
import type { Walker } from "./stage-two.ts";
import type { PageQuery, Permissions, StageOneLeaf } from "./tlb.ts";

const DESCRIPTOR_BYTES = 4;
const SECTION_LOG2 = 20;
const SUPERSECTION_LOG2 = 24;
const LARGE_PAGE_LOG2 = 16;
const SMALL_PAGE_LOG2 = 12;

/** SCTLR_EL1: AP[0] is an access flag; TEX is remapped by PRRR and NMRR. */
const AFE = 29;
const TRE = 28;

/** Where the fields stand that all leaves have. */
interface LeafLayout {
  readonly address: number;
  readonly sizeLog2: number;
  readonly level: number;
  readonly texLow: number;
  readonly apLow: number;
  /** AP[2], S and nG follow each other. */
  readonly ap2: number;
  readonly executeNever: number;
  readonly privilegedExecuteNever: boolean;
  readonly domain: number;
}

/** The leaf that translates an address, of tables with 32-bit descriptors. */
export function walkShortDescriptors(reader: StageOneTableReader, walker: Walker, query: PageQuery): StageOneLeaf {
  const { context, tlbs } = walker;
  const { address } = query;
  const { base, ttbr, indexBits } = firstLevelTable(context, address);
  const type = walkTypeOf(ttbr);
  const known = tlbs.findWalk([SECTION_LOG2], query);
  if (known) {
    tlbs.count("walkHits");
    const { domain = 0, executeNeverAtEl1 } = known.inherited;
    return secondLevel(reader, walker, address, known.table, type, domain, executeNeverAtEl1);
  }

  const ipa = base + DESCRIPTOR_BYTES * addressBits(address, SECTION_LOG2, indexBits);
  const value = reader.read(walker, ipa, DESCRIPTOR_BYTES, type, 1);
  const kind = field(value, 1, 0);
  if (kind === 0) throw new Fault({ type: "translation", stage: 1, level: 1 });
  if (kind === 1) {
    const table = addressField(value, 31, 10);
    const domain = field(value, 8, 5);
    const executeNeverAtEl1 = bit(value, 2);
    tlbs.fillWalk({
      ...ownersOf(query),
      page: alignDown(address, SECTION_LOG2),
      spanLog2: SECTION_LOG2,
      table,
      inherited: { ...NOTHING_INHERITED, domain, executeNeverAtEl1 },
    });
    return secondLevel(reader, walker, address, table, type, domain, executeNeverAtEl1);
  }
  const isSupersection = bit(value, 18);
  return leafOf(context, value, {
    address: isSupersection ? supersectionAddress(value) : addressField(value, 31, SECTION_LOG2),
    sizeLog2: isSupersection ? SUPERSECTION_LOG2 : SECTION_LOG2,
    level: 1,
    texLow: 12,
    apLow: 10,
    ap2: 15,
    executeNever: 4,
    privilegedExecuteNever: bit(value, 0),
    domain: isSupersection ? 0 : field(value, 8, 5),
  });
}

function secondLevel(
  reader: StageOneTableReader,
  walker: Walker,
  address: number,
  table: number,
  type: MemoryType,
  domain: number,
  privilegedExecuteNever: boolean,
): StageOneLeaf {
  const ipa = table + DESCRIPTOR_BYTES * addressBits(address, SMALL_PAGE_LOG2, 8);
  const value = reader.read(walker, ipa, DESCRIPTOR_BYTES, type, 2);
  const kind = field(value, 1, 0);
  if (kind === 0) throw new Fault({ type: "translation", stage: 1, level: 2 });
  const isLarge = kind === 1;
  const sizeLog2 = isLarge ? LARGE_PAGE_LOG2 : SMALL_PAGE_LOG2;
  return leafOf(walker.context, value, {
    address: addressField(value, 31, sizeLog2),
    sizeLog2,
    level: 2,
    texLow: isLarge ? 12 : 6,
    apLow: 4,
    ap2: 9,
    executeNever: isLarge ? 15 : 0,
    privilegedExecuteNever,
    domain,
  });
}

function firstLevelTable(
  context: Context,
  address: number,
): { readonly base: number; readonly ttbr: bigint; readonly indexBits: number } {
  const ttbcr = context.get("TCR_EL1");
  const n = field(ttbcr, 2, 0);
  const isLower = n === 0 || address < 2 ** (32 - n);
  if (bit(ttbcr, isLower ? 4 : 5)) throw new Fault({ type: "translation", stage: 1, level: 1 });
  const ttbr = context.get(isLower ? "TTBR0_EL1" : "TTBR1_EL1");
  const smaller = isLower ? n : 0;
  return { base: addressField(ttbr, 31, 14 - smaller), ttbr, indexBits: 12 - smaller };
}

/** D51: how the walk reads, from the TTBR. */
function walkTypeOf(ttbr: bigint): MemoryType {
  const inner = REGION_NIBBLES[(bit(ttbr, 0) ? 2 : 0) + (bit(ttbr, 6) ? 1 : 0)] ?? 0;
  const outer = REGION_NIBBLES[field(ttbr, 4, 3)] ?? 0;
  const sh = bit(ttbr, 5) ? ISH : OSH;
  return { attr: outer * 16 + inner, sh: bit(ttbr, 1) ? sh : NSH };
}

function supersectionAddress(value: bigint): number {
  return field(value, 31, 24) * 2 ** 24 + field(value, 23, 20) * 2 ** 32 + field(value, 8, 5) * 2 ** 36;
}

function leafOf(context: Context, value: bigint, layout: LeafLayout): StageOneLeaf {
  const { address, sizeLog2, level, domain } = layout;
  const ap = (bit(value, layout.ap2) ? 4 : 0) + field(value, layout.apLow + 1, layout.apLow);
  const hasAccessFlag = context.sctlrBit(AFE);
  if (hasAccessFlag && (ap & 1) === 0) throw new Fault({ type: "access-flag", stage: 1, level });
  const executeNever = bit(value, layout.executeNever);
  const tex = field(value, layout.texLow + 2, layout.texLow);
  const cb = field(value, 3, 2);
  return {
    address,
    sizeLog2,
    level,
    ...memoryType(context, tex, cb, bit(value, layout.ap2 + 1)),
    global: !bit(value, layout.ap2 + 2),
    permissions: {
      ...(hasAccessFlag ? accessPermissions((ap & 2) !== 0, (ap & 4) !== 0) : classicPermissions(ap)),
      executeNeverAtEl0: executeNever,
      executeNeverAtEl1: executeNever || layout.privilegedExecuteNever,
    },
    domain,
  };
}

/** AP[2:0] where AP[0] is no access flag. */
function classicPermissions(ap: number): Pick<Permissions, "el0" | "el1"> {
  const nothing = { read: false, write: false };
  const readOnly = { read: true, write: false };
  const all = { read: true, write: true };
  switch (ap) {
    case 1:
      return { el1: all, el0: nothing };
    case 2:
      return { el1: all, el0: readOnly };
    case 3:
      return { el1: all, el0: all };
    case 5:
      return { el1: readOnly, el0: nothing };
    case 6:
    case 7:
      return { el1: readOnly, el0: readOnly };
    default:
      return { el1: nothing, el0: nothing };
  }
}

function memoryType(context: Context, tex: number, cb: number, shareable: boolean): MemoryType {
  if (context.sctlrBit(TRE)) return remappedType(context, (tex & 1) * 4 + cb, shareable);
  return { attr: classicAttribute(tex, cb), sh: shareable ? ISH : NSH };
}

/** PRRR and NMRR are the halves of MAIR_EL1. */
function remappedType(context: Context, n: number, s: boolean): MemoryType {
  const mair = context.get("MAIR_EL1");
  const type = field(mair, 2 * n + 1, 2 * n);
  const inner = REGION_NIBBLES[field(mair, 32 + 2 * n + 1, 32 + 2 * n)] ?? 0;
  const outer = REGION_NIBBLES[field(mair, 32 + 2 * n + 17, 32 + 2 * n + 16)] ?? 0;
  const attr = type === 2 ? outer * 16 + inner : type === 1 ? DEVICE_NGNRE : DEVICE_NGNRNE;
  if (!bit(mair, s ? 19 : 18)) return { attr, sh: NSH };
  return { attr, sh: bit(mair, 24 + n) ? ISH : OSH };
}

/** TEX, C and B without remapping. */
function classicAttribute(tex: number, cb: number): number {
  if (tex >= 4) return (REGION_NIBBLES[tex & 3] ?? 0) * 16 + (REGION_NIBBLES[cb] ?? 0);
  switch (tex * 4 + cb) {
    case 0b00001:
    case 0b01000:
      return DEVICE_NGNRE;
    case 0b00010:
      return 0xaa;
    case 0b00011:
      return 0xee;
    case 0b00100:
      return NORMAL_NC;
    case 0b00111:
      return 0xff;
    default:
      return DEVICE_NGNRNE;
  }
}
