/**
 * The PL310 (L2C-310) by its memory-mapped registers: an outer cache that no instruction reaches (R4). A driver writes
 * its registers; each write becomes the engine's operation on the outer cache (D29).
 * Sources: Linux 6.12 arch/arm/include/asm/hardware/cache-l2x0.h, arch/arm/mm/cache-l2x0.c.
 */
import type { Cpu } from "../cpu/cpu.ts";
import type { OperationName } from "../engine/operations.ts";

/** Offsets of registers from its base. */
export const PL310_REGISTERS = {
  control: 0x100,
  cacheSync: 0x730,
  invalidateLinePa: 0x770,
  invalidateWay: 0x77c,
  cleanLinePa: 0x7b0,
  cleanWay: 0x7bc,
  cleanInvalidateLinePa: 0x7f0,
  cleanInvalidateWay: 0x7fc,
} as const;

const OPERATION_OF_REGISTER: Readonly<Record<number, OperationName>> = {
  [PL310_REGISTERS.control]: "OUTER_CONTROL",
  [PL310_REGISTERS.invalidateLinePa]: "OUTER_INVALIDATE_PA",
  [PL310_REGISTERS.invalidateWay]: "OUTER_INVALIDATE_WAY",
  [PL310_REGISTERS.cleanLinePa]: "OUTER_CLEAN_PA",
  [PL310_REGISTERS.cleanWay]: "OUTER_CLEAN_WAY",
  [PL310_REGISTERS.cleanInvalidateLinePa]: "OUTER_FLUSH_PA",
  [PL310_REGISTERS.cleanInvalidateWay]: "OUTER_FLUSH_WAY",
};

export class Pl310 {
  readonly lineBytes: number;
  /** One bit for each way: the operand of operations by way. */
  readonly allWays: number;
  /** Base address of its registers; -1 where nobody maps them. */
  readonly base: number;
  private enabled = false;

  constructor(geometry: { readonly lineBytes: number; readonly ways: number }, base = -1) {
    this.lineBytes = geometry.lineBytes;
    this.allWays = 2 ** geometry.ways - 1;
    this.base = base;
  }

  /** Whether an address is one of its registers (4 KiB from its base). */
  owns(address: number): boolean {
    return this.base >= 0 && address >= this.base && address < this.base + 4096;
  }

  /** A 32-bit store to a register. Offsets without an effect on contents are accepted and ignored, as hardware does. */
  write(cpu: Cpu, offset: number, value: number): void {
    const operation = OPERATION_OF_REGISTER[offset];
    if (operation === undefined) return;
    if (operation === "OUTER_CONTROL") this.enabled = (value & 1) !== 0;
    cpu.operation(operation, operation === "OUTER_CONTROL" ? value & 1 : value);
  }

  /** A 32-bit load from a register: operations complete at once (R25), so that sync and way registers read as idle. */
  read(offset: number): number {
    return offset === PL310_REGISTERS.control && this.enabled ? 1 : 0;
  }

  /** l2x0_init(): invalidates everything (its reset contents mean nothing), then enables it. */
  enable(cpu: Cpu): void {
    if (this.enabled) return;
    this.write(cpu, PL310_REGISTERS.invalidateWay, this.allWays);
    this.sync(cpu);
    this.write(cpu, PL310_REGISTERS.control, 1);
  }

  /** outer_disable(): cleans and invalidates everything, then disables it. */
  disable(cpu: Cpu): void {
    this.flushAll(cpu);
    this.write(cpu, PL310_REGISTERS.control, 0);
    cpu.dsb();
  }

  /** outer_flush_all(). */
  flushAll(cpu: Cpu): void {
    this.write(cpu, PL310_REGISTERS.cleanInvalidateWay, this.allWays);
    this.sync(cpu);
  }

  /** outer_clean_range(). */
  cleanRange(cpu: Cpu, address: number, bytes: number): void {
    this.range(cpu, PL310_REGISTERS.cleanLinePa, this.lineOf(address), address + bytes);
    this.sync(cpu);
  }

  /** outer_flush_range(). */
  flushRange(cpu: Cpu, address: number, bytes: number): void {
    this.range(cpu, PL310_REGISTERS.cleanInvalidateLinePa, this.lineOf(address), address + bytes);
    this.sync(cpu);
  }

  /** outer_inv_range(): partial lines at both ends are cleaned too (l2x0_inv_range). */
  invalidateRange(cpu: Cpu, address: number, bytes: number): void {
    let start = this.lineOf(address);
    let end = address + bytes;
    if (start !== address) {
      this.write(cpu, PL310_REGISTERS.cleanInvalidateLinePa, start);
      start += this.lineBytes;
    }
    if (this.lineOf(end) !== end) {
      end = this.lineOf(end);
      this.write(cpu, PL310_REGISTERS.cleanInvalidateLinePa, end);
    }
    this.range(cpu, PL310_REGISTERS.invalidateLinePa, start, end);
    this.sync(cpu);
  }

  /** outer_sync(), and the barrier that orders the register writes. */
  sync(cpu: Cpu): void {
    this.write(cpu, PL310_REGISTERS.cacheSync, 0);
    cpu.dsb();
  }

  private range(cpu: Cpu, register: number, from: number, to: number): void {
    for (let line = from; line < to; line += this.lineBytes) this.write(cpu, register, line);
  }

  private lineOf(address: number): number {
    return Math.floor(address / this.lineBytes) * this.lineBytes;
  }
}
