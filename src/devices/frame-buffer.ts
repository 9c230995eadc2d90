/**
 * A linear frame buffer: somebody draws frames into it, somebody else shows them, each through a mapping of its own. The
 * BAR of an emulated VGA adapter, the buffer that UEFI leaves to an operating system, or a display controller's scan-out.
 */
import type { AccessOptions, Cpu, RangeOperation } from "../cpu/cpu.ts";
import type { AttributeName } from "../engine/record.ts";
import type { MemoryPort } from "./memory-port.ts";

export interface FrameBufferGeometry {
  /** Address that is drawn to; the viewer may be given another one. */
  readonly base: number;
  readonly width: number;
  readonly height: number;
  readonly bytesPerPixel?: number;
  /** One access draws, or shows, this many bytes; 64 if absent. 8 where every store is trapped. */
  readonly unitBytes?: number;
}

export interface DrawOptions {
  /** The mapping that it is drawn through; where tables translate, they say it. */
  readonly attribute?: AttributeName;
  /** Rows from..to (not included); all if absent. */
  readonly rows?: readonly [number, number];
}

export interface ShowOptions extends DrawOptions {
  /** Where the viewer has the buffer; its own base if absent. */
  readonly base?: number;
  /** By-VA maintenance of what is about to be looked at, line by line, and a DSB: the remedy in user space. */
  readonly maintain?: RangeOperation;
}

/** What a hypervisor calls for accesses to an address range that has no memory. */
export interface EmulatedBar {
  read(offset: number, sizeBytes: number): bigint;
  write(offset: number, sizeBytes: number, value: bigint): void;
}

/** What a viewer saw. */
export interface Shown {
  readonly units: number;
  /** Units that weren't those of the frame. */
  readonly wrong: number;
}

export class FrameBuffer {
  readonly base: number;
  readonly width: number;
  readonly height: number;
  readonly bytesPerPixel: number;
  readonly unitBytes: number;

  constructor(geometry: FrameBufferGeometry) {
    this.base = geometry.base;
    this.width = geometry.width;
    this.height = geometry.height;
    this.bytesPerPixel = geometry.bytesPerPixel ?? 4;
    this.unitBytes = geometry.unitBytes ?? 64;
  }

  get strideBytes(): number {
    return this.width * this.bytesPerPixel;
  }

  get bytes(): number {
    return this.strideBytes * this.height;
  }

  /** What a frame has at an offset: every unit of every frame differs. */
  pixelsOf(frame: number, offset: number): bigint {
    return (BigInt(frame) << 32n) | BigInt(Math.floor(offset / this.unitBytes) + 1);
  }

  /** Stores every unit of a frame. */
  draw(cpu: Cpu, frame: number, options: DrawOptions = {}): void {
    for (const [offset, size] of this.units(options.rows)) {
      cpu.store(this.base + offset, this.pixelsOf(frame, offset), access(size, options.attribute));
    }
  }

  /** Loads every unit, and counts those that aren't the frame's. */
  show(cpu: Cpu, frame: number, options: ShowOptions = {}): Shown {
    const base = options.base ?? this.base;
    if (options.maintain !== undefined) {
      const [from, to] = this.rangeOf(options.rows);
      cpu.maintain(options.maintain, base + from, to - from);
      cpu.dsb();
    }
    return this.compare(frame, options.rows, (offset, size) =>
      cpu.load(base + offset, access(size, options.attribute)),
    );
  }

  /** A display controller reads every unit by DMA. */
  scanOut(master: { read(address: number, sizeBytes: number): bigint }, frame: number, base = this.base): Shown {
    return this.compare(frame, undefined, (offset, size) => master.read(base + offset, size));
  }

  /** A BAR without memory behind it: every access of the guest exits, and the device keeps the bytes through its own port. */
  emulated(port: MemoryPort, base: number): EmulatedBar {
    return {
      read: (offset, size) => port.read(base + offset, size),
      write: (offset, size, value) => port.write(base + offset, value, size),
    };
  }

  /** Copies a frame somewhere else, eight bytes at a time: what a back buffer is blitted by. */
  blit(from: MemoryPort, fromBase: number, to: MemoryPort, toBase: number): void {
    for (const [offset, size] of this.units()) {
      for (let done = 0; done < size; done += 8) {
        to.write(toBase + offset + done, from.read(fromBase + offset + done, 8), 8);
      }
    }
  }

  private compare(frame: number, rows: DrawOptions["rows"], read: (offset: number, size: number) => bigint): Shown {
    let units = 0;
    let wrong = 0;
    for (const [offset, size] of this.units(rows)) {
      units++;
      const wanted = BigInt.asUintN(Math.min(size, 8) * 8, this.pixelsOf(frame, offset));
      if (read(offset, size) !== wanted) wrong++;
    }
    return { units, wrong };
  }

  private rangeOf(rows: DrawOptions["rows"]): readonly [number, number] {
    return [(rows?.[0] ?? 0) * this.strideBytes, (rows?.[1] ?? this.height) * this.strideBytes];
  }

  private *units(rows?: DrawOptions["rows"]): Generator<readonly [number, number]> {
    const [from, to] = this.rangeOf(rows);
    for (let offset = from; offset < to; offset += this.unitBytes) {
      yield [offset, Math.min(this.unitBytes, to - offset)];
    }
  }
}

const access = (size: number, attribute?: AttributeName): AccessOptions =>
  attribute === undefined ? { size } : { size, attribute };
