/**
 * A bus master: what a device's DMA does to memory. Whether it snoops is a fact of the machine (R46), whatever software
 * believes; an SMMU in front can override the attributes of its transactions and so make a coherent path usable.
 */
import type { Engine } from "../engine/engine.ts";
import { MachineError } from "../engine/errors.ts";
import { encodeRecords, type RecordDetail, record } from "../engine/record.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { Device } from "../machine/resolved.ts";
import type { MemoryPort } from "./memory-port.ts";

/** What the second requester of a device behind an SMMU is called: the same device, its attributes overridden. */
export const overriddenName = (name: string): string => `${name}@smmu`;

export interface DmaEngineOptions {
  /** From the addresses that the device is given (a guest's, an IOMMU's) to physical ones; applied page by page. */
  readonly translate?: (address: number) => number;
}

const PAGE_BYTES = 4096;
const WORD_BYTES = 8;

export class DmaEngine implements MemoryPort {
  readonly engine: Engine;
  readonly device: Device;
  private readonly translate: (address: number) => number;

  /** `name` is one of `machine.devices`. Throws `MachineError` with the nearest name where the machine has no such device. */
  constructor(engine: Engine, name: string, options: DmaEngineOptions = {}) {
    const { devices } = engine.machine;
    const device = devices.find((each) => each.name === name);
    if (device === undefined) {
      const names = devices.map((each) => each.name);
      throw new MachineError(`${engine.machine.name} has no such device`, {
        found: name,
        expected: names.length === 0 ? "a machine with devices" : names.join(", "),
        nearest: nearestWord(name, names),
      });
    }
    this.engine = engine;
    this.device = device;
    this.translate = options.translate ?? ((address) => address);
  }

  get name(): string {
    return this.device.name;
  }

  /** Whether its transactions snoop the caches: the truth of the hardware. */
  get coherent(): boolean {
    return this.device.coherent;
  }

  /** The same device with its attributes overridden by the SMMU, if the machine has it behind one. */
  throughSmmu(): DmaEngine {
    return new DmaEngine(this.engine, overriddenName(this.name), { translate: this.translate });
  }

  /** The same device, given other addresses: those of a guest that it is assigned to. */
  translatedBy(translate: (address: number) => number): DmaEngine {
    return new DmaEngine(this.engine, this.name, { translate });
  }

  /** Reads, and returns the first eight bytes (fewer if it reads fewer). */
  read(address: number, sizeBytes: number = WORD_BYTES): bigint {
    let first: bigint | undefined;
    for (const [at, size] of this.pages(address, sizeBytes)) {
      this.play("DEVICE_READ", at, { sizeBytes: size });
      first ??= BigInt.asUintN(Math.min(size, WORD_BYTES) * 8, this.engine.lastValue());
    }
    return first ?? 0n;
  }

  /** Writes the value's eight bytes over and over (D6). */
  write(address: number, value: bigint | number, sizeBytes: number = WORD_BYTES): void {
    for (const [at, size] of this.pages(address, sizeBytes)) {
      this.play("DEVICE_WRITE", at, { sizeBytes: size, value: BigInt.asUintN(64, BigInt(value)) });
    }
  }

  /** Moves bytes from one place to another, word by word. */
  copy(from: number, to: number, bytes: number): void {
    for (let done = 0; done < bytes; done += WORD_BYTES) {
      const size = Math.min(WORD_BYTES, bytes - done);
      this.write(to + done, this.read(from + done, size), size);
    }
  }

  /** Writes of one master to one memory stay in order. */
  barrier(): void {}

  private play(name: "DEVICE_READ" | "DEVICE_WRITE", address: number, detail: RecordDetail): void {
    this.engine.play(encodeRecords([record(name, this.device.requester, address, detail)]));
  }

  private *pages(address: number, bytes: number): Generator<readonly [number, number]> {
    for (let at = address; at < address + bytes; ) {
      const end = Math.min(address + bytes, (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES);
      yield [this.translate(at), end - at];
      at = end;
    }
  }
}
