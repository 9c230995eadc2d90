/** Ranges of byte addresses. Addresses go up to 2^48, so nothing here uses bitwise operations on them. */

export interface Range {
  readonly address: number;
  readonly sizeBytes: number;
}

/** The aligned block of `blockBytes` around an address. */
export function blockAround(address: number, blockBytes: number): Range {
  return { address: address - (address % blockBytes), sizeBytes: blockBytes };
}

export function covers(outer: Range, inner: Range): boolean {
  return outer.address <= inner.address && inner.address + inner.sizeBytes <= outer.address + outer.sizeBytes;
}

/** The parts of a range between multiples of `unitBytes`, in address order. */
export function split(range: Range, unitBytes: number): Range[] {
  const parts: Range[] = [];
  const end = range.address + range.sizeBytes;
  let address = range.address;
  while (address < end) {
    const next = Math.min(address - (address % unitBytes) + unitBytes, end);
    parts.push({ address, sizeBytes: next - address });
    address = next;
  }
  return parts;
}

/** Lays `bytes`, which stand at `address`, over `target`, which stands at `targetAddress`, where the two overlap. */
export function overlay(target: Uint8Array, targetAddress: number, bytes: Uint8Array, address: number): void {
  const from = Math.max(targetAddress, address);
  const to = Math.min(targetAddress + target.length, address + bytes.length);
  if (from < to) target.set(bytes.subarray(from - address, to - address), from - targetAddress);
}

/** The bytes of `range` out of `bytes`, which stand at `address` and cover it. */
export function slice(bytes: Uint8Array, address: number, range: Range): Uint8Array {
  return bytes.slice(range.address - address, range.address - address + range.sizeBytes);
}

/** Up to eight bytes as a little-endian number. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = Math.min(bytes.length, 8) - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}
