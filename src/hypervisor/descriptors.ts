/**
 * The bits of VMSAv8-64 descriptors and control registers with a 4 KiB granule, as pure functions: what D45 and D47 of
 * docs/semantics.md read. Nothing here knows where tables lie.
 */
import { SetwayError } from "../engine/errors.ts";

export const PAGE_BYTES = 4096;
export const BLOCK_BYTES = 2 ** 21;
/** Entries of one table page. */
export const TABLE_ENTRIES = 512;

/** Bytes that one entry of a level covers: 512 GiB, 1 GiB, 2 MiB, 4 KiB. */
export const spanOf = (level: number): number => 2 ** (12 + 9 * (3 - level));

/** Bit 0 says that an entry is valid, bit 1 that it is a table, or a page at level 3. */
const VALID = 1n;
const TABLE_OR_PAGE = 2n;
const ACCESS_FLAG = 1n << 10n;

/** SH of descriptors and control registers. */
export const SHAREABILITY = { non: 0, outer: 2, inner: 3 } as const;
export type Shareability = keyof typeof SHAREABILITY;

export const tableDescriptor = (table: number): bigint => BigInt(table) | VALID | TABLE_OR_PAGE;

/** What stage 2 says of memory. `stage 1` leaves the guest's attribute as it is. */
export type Stage2Memory =
  | "write-back"
  | "write-through"
  | "non-cacheable"
  | "device"
  | "forced write-back"
  | "stage 1";

/** Stage-2 MemAttr (arm-facts A.1, A.2). Throws where the encoding would be reserved, or wouldn't mean what it says. */
export function memAttrOf(memory: Stage2Memory, fwb: boolean): number {
  switch (memory) {
    case "non-cacheable":
      return 0b0101;
    case "device":
      return 0b0001;
    case "write-back":
      return fwb ? 0b0110 : 0b1111;
    case "stage 1":
      return fwb ? 0b0111 : 0b1111;
    case "forced write-back":
      if (fwb) return 0b0110;
      break;
    case "write-through":
      if (!fwb) return 0b1010;
      break;
  }
  throw new SetwayError("usage", `stage 2 cannot say ${memory}`, {
    found: fwb ? "HCR_EL2.FWB set" : "HCR_EL2.FWB clear",
  });
}

export interface Stage2Leaf {
  /** 1: 1 GiB block, 2: 2 MiB block, 3: page. */
  readonly level: number;
  /** Physical address. */
  readonly output: number;
  readonly memAttr: number;
  readonly read?: boolean;
  readonly write?: boolean;
  readonly execute?: boolean;
  readonly shareability?: Shareability;
  readonly accessed?: boolean;
}

export function stage2Leaf(leaf: Stage2Leaf): bigint {
  const { read = true, write = true, execute = true, shareability = "inner", accessed = true } = leaf;
  return (
    leafOf(leaf.output, leaf.level, accessed, shareability) |
    (BigInt(leaf.memAttr) << 2n) |
    (read ? 1n << 6n : 0n) |
    (write ? 1n << 7n : 0n) |
    (execute ? 0n : 1n << 54n)
  );
}

export interface Stage1Leaf {
  readonly level: number;
  /** Output address: an IPA, or physical where stage 2 is off. */
  readonly output: number;
  /** Index into MAIR_EL1. */
  readonly attribute: number;
  readonly write?: boolean;
  /** Whether EL0 may access it. */
  readonly user?: boolean;
  readonly execute?: boolean;
  readonly executeAtUser?: boolean;
  readonly shareability?: Shareability;
  readonly accessed?: boolean;
  readonly global?: boolean;
}

export function stage1Leaf(leaf: Stage1Leaf): bigint {
  const { write = true, user = false, execute = true, executeAtUser = user, shareability = "inner" } = leaf;
  const { accessed = true, global = true } = leaf;
  return (
    leafOf(leaf.output, leaf.level, accessed, shareability) |
    (BigInt(leaf.attribute) << 2n) |
    (user ? 1n << 6n : 0n) |
    (write ? 0n : 1n << 7n) |
    (global ? 0n : 1n << 11n) |
    (execute ? 0n : 1n << 53n) |
    (executeAtUser ? 0n : 1n << 54n)
  );
}

function leafOf(output: number, level: number, accessed: boolean, shareability: Shareability): bigint {
  return (
    BigInt(output) |
    VALID |
    (level === 3 ? TABLE_OR_PAGE : 0n) |
    (BigInt(SHAREABILITY[shareability]) << 8n) |
    (accessed ? ACCESS_FLAG : 0n)
  );
}

/** Cacheability of table walks: TCR and VTCR's IRGN and ORGN. */
export const WALK_CACHEABILITY = { "non-cacheable": 0, "write-back": 1, "write-through": 2 } as const;
export type WalkCacheability = keyof typeof WALK_CACHEABILITY;

/** TCR_EL1.IPS and VTCR_EL2.PS of a size in bits. */
function physicalSizeCode(bits: number): number {
  const code = [32, 36, 40, 42, 44, 48].indexOf(bits);
  if (code < 0) {
    throw new SetwayError("usage", "no such physical address size", {
      found: `${bits} bits`,
      expected: "32, 36, 40, 42, 44 or 48",
    });
  }
  return code;
}

export interface Stage2Shape {
  /** 0, 1 or 2. */
  readonly startLevel: number;
  /** Concatenated tables at that level: 1 to 16. */
  readonly tables: number;
}

/** Where a stage-2 walk starts: as deep as up to 16 concatenated tables allow, as KVM has it (stage2_pgtable_levels). */
export function stage2Shape(ipaBits: number): Stage2Shape {
  if (!Number.isInteger(ipaBits) || ipaBits < 32 || ipaBits > 48) {
    throw new SetwayError("usage", "no such IPA size", { found: `${ipaBits} bits`, expected: "32 to 48 bits" });
  }
  const levels = Math.ceil((ipaBits - 4 - 12) / 9);
  const startLevel = 4 - levels;
  return { startLevel, tables: Math.max(1, 2 ** (ipaBits - 12 - 9 * levels)) };
}

/** VTCR_EL2 with Write-Back inner-shareable walks and 16-bit VMIDs. */
export function vtcrOf(ipaBits: number, physicalBits = 48, walks: WalkCacheability = "write-back"): bigint {
  const cacheability = WALK_CACHEABILITY[walks];
  const shareability = walks === "non-cacheable" ? SHAREABILITY.outer : SHAREABILITY.inner;
  const fields: readonly (readonly [number, number])[] = [
    [64 - ipaBits, 0],
    [2 - stage2Shape(ipaBits).startLevel, 6],
    [cacheability, 8],
    [cacheability, 10],
    [shareability, 12],
    [physicalSizeCode(physicalBits), 16],
    [1, 19],
  ];
  return fields.reduce((value, [field, shift]) => value | (BigInt(field) << BigInt(shift)), 0n);
}

export const vttbrOf = (table: number, vmid: number): bigint => BigInt(table) | (BigInt(vmid) << 48n);

export interface Stage1Control {
  /** Bits of VA of each half. */
  readonly vaBits: number;
  readonly physicalBits?: number;
  readonly walks?: WalkCacheability;
  /** EPD0 and EPD1: no walks of that half. */
  readonly lower?: boolean;
  readonly upper?: boolean;
}

/** TCR_EL1 with 16-bit ASIDs from TTBR0. */
export function tcrOf({
  vaBits,
  physicalBits = 48,
  walks = "write-back",
  lower = true,
  upper = true,
}: Stage1Control): bigint {
  const cacheability = WALK_CACHEABILITY[walks];
  const shareability = walks === "non-cacheable" ? SHAREABILITY.outer : SHAREABILITY.inner;
  const half = (on: boolean, shift: number): readonly (readonly [number, number])[] => [
    [64 - vaBits, shift],
    [on ? 0 : 1, shift + 7],
    [cacheability, shift + 8],
    [cacheability, shift + 10],
    [shareability, shift + 12],
  ];
  const fields = [...half(lower, 0), ...half(upper, 16), [physicalSizeCode(physicalBits), 32], [1, 36]] as const;
  return fields.reduce((value, [field = 0, shift = 0]) => value | (BigInt(field) << BigInt(shift)), 0n);
}
