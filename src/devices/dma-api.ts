/**
 * Linux's streaming DMA API as arm64 and 32-bit arm implement it: which lines are cleaned or invalidated at map, unmap
 * and sync, in which order, and what becomes of lines that the buffer shares with its neighbours (arm-facts B.4).
 * Sources: Linux 6.12 arch/arm64/mm/dma-mapping.c and cache.S, arch/arm/mm/dma-mapping.c and cache-v7.S, kernel/dma/direct.h.
 */
import type { Cpu } from "../cpu/cpu.ts";
import type { OperationName } from "../engine/operations.ts";
import { entryOf } from "../machine/nearest.ts";
import type { Pl310 } from "./pl310.ts";

/** Directions, and what Linux calls them. */
const DIRECTIONS = {
  "to-device": "DMA_TO_DEVICE",
  "from-device": "DMA_FROM_DEVICE",
  bidirectional: "DMA_BIDIRECTIONAL",
} as const;
export type DmaDirection = keyof typeof DIRECTIONS;
export type DmaFlavour = "arm64" | "arm";

export interface DmaApiOptions {
  /** Whose rules: those of arch/arm64 (the default) or of arch/arm. */
  readonly flavour?: DmaFlavour;
  /** What this operating system believes of the device (`dma-coherent`, `_CCA`): if true, nothing is maintained. */
  readonly coherent?: boolean;
  /** The outer cache that arch/arm maintains too. */
  readonly outer?: Pl310;
  /** The step of its loops; the smallest data line of the core's CTR_EL0 if absent. */
  readonly lineBytes?: number;
  /** ARCH_DMA_MINALIGN, or what kmalloc guarantees. */
  readonly minimumAlignmentBytes?: number;
}

type LineOperation = Extract<OperationName, "DC_CVAC" | "DC_IVAC" | "DC_CIVAC">;

/** arch/arm64: ARCH_DMA_MINALIGN; arch/arm: L1_CACHE_BYTES of ARMv7. */
const MINIMUM_ALIGNMENT_BYTES = { arm64: 128, arm: 64 } as const;

export class DmaApi {
  readonly cpu: Cpu;
  readonly flavour: DmaFlavour;
  readonly coherent: boolean;
  readonly lineBytes: number;
  readonly minimumAlignmentBytes: number;
  private readonly outer: Pl310 | undefined;

  constructor(cpu: Cpu, options: DmaApiOptions = {}) {
    this.cpu = cpu;
    this.flavour = options.flavour ?? "arm64";
    this.coherent = options.coherent ?? false;
    this.outer = options.outer;
    this.lineBytes = options.lineBytes ?? dataLineBytes(cpu);
    this.minimumAlignmentBytes = options.minimumAlignmentBytes ?? MINIMUM_ALIGNMENT_BYTES[this.flavour];
  }

  /** dma_map_single(): the CPU gives the buffer to the device. */
  map(address: number, bytes: number, direction: DmaDirection): void {
    this.syncForDevice(address, bytes, direction);
  }

  /** dma_unmap_single(): the buffer is the CPU's again. */
  unmap(address: number, bytes: number, direction: DmaDirection): void {
    this.syncForCpu(address, bytes, direction);
  }

  /** dma_sync_single_for_device(). */
  syncForDevice(address: number, bytes: number, direction: DmaDirection): void {
    entryOf(DIRECTIONS, direction, "direction");
    if (this.coherent) return;
    if (this.flavour === "arm64") {
      // Every direction, FROM_DEVICE too: what neighbours wrote into partial lines must not be lost.
      this.clean(address, bytes);
      return;
    }
    if (direction === "from-device") {
      this.invalidateArm(address, bytes);
      this.outer?.invalidateRange(this.cpu, address, bytes);
    } else {
      this.clean(address, bytes);
      this.outer?.cleanRange(this.cpu, address, bytes);
    }
  }

  /** dma_sync_single_for_cpu(). */
  syncForCpu(address: number, bytes: number, direction: DmaDirection): void {
    entryOf(DIRECTIONS, direction, "direction");
    if (this.coherent || direction === "to-device") return;
    if (this.flavour === "arm64") {
      this.invalidateArm64(address, bytes);
      return;
    }
    // Outer first: an inner line that is invalidated first could be refilled from the outer cache's old copy.
    this.outer?.invalidateRange(this.cpu, address, bytes);
    this.invalidateArm(address, bytes);
  }

  /** What arch_setup_dma_ops() warns of: lines (CTR_EL0.CWG) that are larger than what buffers are aligned to. */
  get alignmentTooSmall(): boolean {
    return !this.coherent && this.cpu.engine.machine.largestLineBytes > this.minimumAlignmentBytes;
  }

  /** dcache_clean_poc(), v7_dma_clean_range(). */
  private clean(address: number, bytes: number): void {
    for (let line = this.lineOf(address); line < address + bytes; line += this.lineBytes) this.line("DC_CVAC", line);
    this.cpu.dsb();
  }

  /** dcache_inval_poc(): the end's line first, then the start's, then what lies between. */
  private invalidateArm64(address: number, bytes: number): void {
    const end = address + bytes;
    const last = this.lineOf(end);
    if (last !== end) this.line("DC_CIVAC", last);
    let line = this.lineOf(address);
    if (line !== address) {
      this.line("DC_CIVAC", line);
      line += this.lineBytes;
    }
    for (; line < last; line += this.lineBytes) this.line("DC_IVAC", line);
    this.cpu.dsb();
  }

  /** v7_dma_inv_range(): the start's line first. */
  private invalidateArm(address: number, bytes: number): void {
    const end = address + bytes;
    let line = this.lineOf(address);
    if (line !== address) {
      this.line("DC_CIVAC", line);
      line += this.lineBytes;
    }
    const last = this.lineOf(end);
    if (last !== end) this.line("DC_CIVAC", last);
    for (; line < last; line += this.lineBytes) this.line("DC_IVAC", line);
    this.cpu.dsb();
  }

  private lineOf(address: number): number {
    return Math.floor(address / this.lineBytes) * this.lineBytes;
  }

  private line(operation: LineOperation, address: number): void {
    this.cpu.operation(operation, address);
  }
}

/** CTR_EL0.DminLine, from the machine: the smallest line of data and unified caches, so that a loop skips none. */
export function dataLineBytes(cpu: Cpu): number {
  const { caches, smallestLineBytes } = cpu.engine.machine;
  const lines = caches.filter(({ holds }) => holds !== "instructions").map(({ lineBytes }) => lineBytes);
  return lines.length === 0 ? smallestLineBytes : Math.min(...lines);
}
