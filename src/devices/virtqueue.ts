/**
 * A split virtio queue in guest memory: descriptor table, available and used rings, written and read field by field, from
 * the driver's side and from the device's (virtio 1.2, 2.7). Both sides go through a `MemoryPort`, so that a ring's own
 * bytes are as cached, or as stale, as everything else.
 */
import type { MemoryPort } from "./memory-port.ts";

const DESCRIPTOR_BYTES = 16;
const NEXT = 1;
const DEVICE_WRITES = 2;

/** Where the three parts are; sizes as in virtio 1.2, 2.7. */
export interface QueueLayout {
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  /** From the first byte to behind the last. */
  readonly base: number;
  readonly bytes: number;
}

/** One buffer of a request. */
export interface QueueBuffer {
  readonly address: number;
  readonly bytes: number;
  /** The device fills it; else it reads it. */
  readonly deviceWrites?: boolean;
}

export interface QueueRequest {
  /** Its first descriptor: what the used ring names. */
  readonly head: number;
  readonly buffers: readonly QueueBuffer[];
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

/** The parts one after another, each aligned as the specification asks. `size` is a power of two. */
export function layoutQueue(base: number, size: number): QueueLayout {
  const available = base + size * DESCRIPTOR_BYTES;
  const used = align(available + 6 + 2 * size, 4);
  const end = used + 6 + 8 * size;
  return { size, descriptors: base, available, used, base, bytes: end - base };
}

/** The guest's side. */
export class DriverQueue {
  private readonly port: MemoryPort;
  private readonly layout: QueueLayout;
  private nextDescriptor = 0;
  private availableIndex = 0;
  private usedIndex = 0;

  constructor(port: MemoryPort, layout: QueueLayout) {
    this.port = port;
    this.layout = layout;
  }

  /** Makes both rings empty. Descriptors are written when they are used. */
  initialize(): void {
    const { available, used } = this.layout;
    this.port.write(available, 0n, 4);
    this.port.write(used, 0n, 4);
    this.port.barrier();
  }

  /** Puts a request into the available ring and returns its head. The caller notifies the device. */
  add(buffers: readonly QueueBuffer[]): number {
    const { port, layout } = this;
    const { size } = layout;
    const head = this.nextDescriptor % size;
    for (const [index, buffer] of buffers.entries()) {
      const at = layout.descriptors + ((head + index) % size) * DESCRIPTOR_BYTES;
      const last = index === buffers.length - 1;
      const flags = (last ? 0 : NEXT) | (buffer.deviceWrites ? DEVICE_WRITES : 0);
      port.write(at, BigInt(buffer.address), 8);
      port.write(at + 8, BigInt(buffer.bytes), 4);
      port.write(at + 12, BigInt(flags), 2);
      port.write(at + 14, BigInt((head + index + 1) % size), 2);
    }
    this.nextDescriptor += buffers.length;
    port.write(layout.available + 4 + 2 * (this.availableIndex % size), BigInt(head), 2);
    port.barrier();
    this.availableIndex = (this.availableIndex + 1) & 0xffff;
    port.write(layout.available + 2, BigInt(this.availableIndex), 2);
    port.barrier();
    return head;
  }

  /** The next request that the device has finished, if it sees one. */
  collect(): { readonly head: number; readonly bytes: number } | undefined {
    const { port, layout } = this;
    if (Number(port.read(layout.used + 2, 2)) === this.usedIndex) return undefined;
    port.barrier();
    const at = layout.used + 4 + 8 * (this.usedIndex % layout.size);
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    return { head: Number(port.read(at, 4)), bytes: Number(port.read(at + 4, 4)) };
  }
}

/** The device's side: a VMM in user space, or hardware by DMA. */
export class DeviceQueue {
  private readonly port: MemoryPort;
  private readonly layout: QueueLayout;
  private availableIndex = 0;
  private usedIndex = 0;

  constructor(port: MemoryPort, layout: QueueLayout) {
    this.port = port;
    this.layout = layout;
  }

  /** The next request, if it sees one. A chain longer than the ring ends there, as a broken driver's does. */
  next(): QueueRequest | undefined {
    const { port, layout } = this;
    if (Number(port.read(layout.available + 2, 2)) === this.availableIndex) return undefined;
    port.barrier();
    const head = Number(port.read(layout.available + 4 + 2 * (this.availableIndex % layout.size), 2)) % layout.size;
    this.availableIndex = (this.availableIndex + 1) & 0xffff;
    const buffers: QueueBuffer[] = [];
    for (let index = head; buffers.length < layout.size; ) {
      const at = layout.descriptors + index * DESCRIPTOR_BYTES;
      const flags = Number(port.read(at + 12, 2));
      buffers.push({
        address: Number(port.read(at, 8) & 0xffff_ffff_ffffn),
        bytes: Number(port.read(at + 8, 4)),
        deviceWrites: (flags & DEVICE_WRITES) !== 0,
      });
      if ((flags & NEXT) === 0) break;
      index = Number(port.read(at + 14, 2)) % layout.size;
    }
    return { head, buffers };
  }

  /** Gives a request back, with how many bytes the device wrote. */
  complete(head: number, bytes: number): void {
    const { port, layout } = this;
    const at = layout.used + 4 + 8 * (this.usedIndex % layout.size);
    port.write(at, BigInt(head), 4);
    port.write(at + 4, BigInt(bytes), 4);
    port.barrier();
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    port.write(layout.used + 2, BigInt(this.usedIndex), 2);
    port.barrier();
  }
}
