/**
 * dma_alloc_coherent(): memory that CPU and device use at the same time. For a device that Linux believes coherent it is
 * ordinary Write-Back memory; for another one it is zeroed and cleaned through the linear map, then used through an
 * uncached alias (Linux 6.12 kernel/dma/direct.c, pool.c: arch_dma_prep_coherent).
 */
import type { Cpu } from "../cpu/cpu.ts";
import type { AttributeName } from "../engine/record.ts";
import { dataLineBytes } from "./dma-api.ts";

export interface CoherentPoolOptions {
  /** What this operating system believes of the device. */
  readonly coherent?: boolean;
  /** The outer cache that 32-bit arm flushes too. */
  readonly outer?: { flushRange(cpu: Cpu, address: number, bytes: number): void };
  /** A known bug for stories: the uncached alias is made without cleaning what zeroing left dirty. */
  readonly withoutClean?: boolean;
}

/** A buffer, with the attribute that the CPU uses it by. */
export interface CoherentBuffer {
  readonly address: number;
  readonly bytes: number;
  readonly attribute: AttributeName;
}

export class CoherentPool {
  private readonly cpu: Cpu;
  private readonly allocatePages: (bytes: number) => number;
  private readonly options: CoherentPoolOptions;

  /** `allocatePages` gives page-aligned memory. */
  constructor(cpu: Cpu, allocatePages: (bytes: number) => number, options: CoherentPoolOptions = {}) {
    this.cpu = cpu;
    this.allocatePages = allocatePages;
    this.options = options;
  }

  allocate(bytes: number): CoherentBuffer {
    const { cpu, options } = this;
    const address = this.allocatePages(bytes);
    cpu.fill(address, bytes, 0n, { attribute: "WRITE_BACK" });
    if (options.coherent) return { address, bytes, attribute: "WRITE_BACK" };
    if (!options.withoutClean) {
      const line = dataLineBytes(cpu);
      for (let at = address; at < address + bytes; at += line) cpu.operation("DC_CIVAC", at);
      cpu.dsb();
      options.outer?.flushRange(cpu, address, bytes);
    }
    return { address, bytes, attribute: "NON_CACHEABLE" };
  }
}
