/** Bit fields of 64-bit registers and descriptors. */

export const bit = (value: bigint, index: number): boolean => ((value >> BigInt(index)) & 1n) === 1n;

/** Bits `high` to `low`; at most 48 of them, so that they fit a number. */
export function field(value: bigint, high: number, low: number): number {
  return Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
}

/** Bits `high` to `low` where they stand, the others zero: an address out of a descriptor. */
export function addressField(value: bigint, high: number, low: number): number {
  return field(value, high, low) * 2 ** low;
}

/** `count` bits of an address from `low` upwards. Addresses are numbers of up to 49 bits. */
export function addressBits(address: number, low: number, count: number): number {
  return Math.floor(address / 2 ** low) % 2 ** count;
}

/** The address of the block of 2^`log2` bytes around an address. */
export const alignDown = (address: number, log2: number): number => address - (address % 2 ** log2);
