/**
 * How something that isn't a driver looks at memory: reads and writes of up to eight bytes, by a CPU with one attribute
 * or by a device's DMA. Rings, displays and virtual devices are written over this and work from either side.
 */
import type { AccessOptions, Cpu } from "../cpu/cpu.ts";
import type { AttributeName } from "../engine/record.ts";

/** Sizes are bytes, 1 to 8; values are little-endian. */
export interface MemoryPort {
  /** Who looks, for narration. */
  readonly name: string;
  read(address: number, sizeBytes: number): bigint;
  write(address: number, value: bigint, sizeBytes: number): void;
  /** Orders what was written before against what is written after. */
  barrier(): void;
}

export interface CpuPortOptions {
  /** Attribute of the mapping that it looks through; the CPU's own default (Write-Back) if absent. */
  readonly attribute?: AttributeName;
  /** From the addresses that are spoken of (a guest's) to those that this CPU uses (the host's). */
  readonly translate?: (address: number) => number;
  readonly name?: string;
}

/** A CPU's own mapping: a driver in a guest, or the VMM in user space. */
export function cpuPort(cpu: Cpu, options: CpuPortOptions = {}): MemoryPort {
  const { attribute, translate = (address: number) => address } = options;
  const access = (size: number): AccessOptions => (attribute === undefined ? { size } : { size, attribute });
  return {
    name: options.name ?? `core ${cpu.core}`,
    read: (address, sizeBytes) => cpu.load(translate(address), access(sizeBytes)),
    write: (address, value, sizeBytes) => cpu.store(translate(address), value, access(sizeBytes)),
    barrier: () => cpu.dmb(),
  };
}
