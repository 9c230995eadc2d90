/** 64-bit descriptors with 4 KiB granule, which both stages share (D45, D47), and fields of the registers beside them. */
import { addressField, field } from "./bits.ts";
import { type MemoryType, REGION_NIBBLES } from "./memory-attributes.ts";

export const PAGE_LOG2 = 12;
/** Bits of an address that one level resolves, the first level apart. */
export const LEVEL_BITS = 9;
export const DESCRIPTOR_BYTES = 8;
export const LAST_LEVEL = 3;
/** Address bits by TCR_EL1.IPS and VTCR_EL2.PS. */
export const OUTPUT_BITS: readonly number[] = [32, 36, 40, 42, 44, 48, 48, 48];

export type Descriptor =
  | { readonly kind: "invalid" }
  | { readonly kind: "table"; readonly address: number }
  | { readonly kind: "leaf"; readonly address: number; readonly sizeLog2: number };

/** What one entry of a table of this level translates, log2 of bytes. */
export const entryLog2 = (level: number): number => PAGE_LOG2 + LEVEL_BITS * (LAST_LEVEL - level);

/** What a whole table of this level translates, the first level apart. */
export const spanLog2 = (level: number): number => entryLog2(level) + LEVEL_BITS;

export function decodeDescriptor(value: bigint, level: number): Descriptor {
  const type = field(value, 1, 0);
  if (type === 0 || type === 2) return { kind: "invalid" };
  if (type === 3 && level < LAST_LEVEL) return { kind: "table", address: addressField(value, 47, PAGE_LOG2) };
  if (type === 1 && (level === 0 || level === LAST_LEVEL)) return { kind: "invalid" };
  const sizeLog2 = entryLog2(level);
  return { kind: "leaf", address: addressField(value, 47, sizeLog2), sizeLog2 };
}

/** How a walk's reads are cached: IRGN, ORGN and SH, which stand together in TCR_EL1 and VTCR_EL2 (D51). */
export function walkType(control: bigint, low: number): MemoryType {
  const inner = REGION_NIBBLES[field(control, low + 1, low)] ?? 0;
  const outer = REGION_NIBBLES[field(control, low + 3, low + 2)] ?? 0;
  return { attr: outer * 16 + inner, sh: field(control, low + 5, low + 4) };
}
