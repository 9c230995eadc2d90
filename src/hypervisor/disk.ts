/**
 * The host's swap disk, behind one of the machine's DMA devices: what it writes out is what the device read, stale bytes
 * included, and what comes back in is written by the device.
 */
import type { Engine } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import type { Device } from "../machine/resolved.ts";
import type { Cores } from "./cores.ts";
import { observePage, writePage } from "./observed-bytes.ts";

/** A page on the disk. */
export type DiskPage = Uint8Array;

export class Disk {
  readonly #engine: Engine;
  readonly #cores: Cores;
  readonly #name: string | undefined;

  /** `name`: which of the machine's devices; default the first coherent one. */
  constructor(engine: Engine, cores: Cores, name: string | undefined) {
    this.#engine = engine;
    this.#cores = cores;
    this.#name = name;
  }

  /** Throws where the machine has no such device. */
  get device(): Device {
    const { devices, name } = this.#engine.machine;
    const found = devices.find((each) => (this.#name === undefined ? each.coherent : each.name === this.#name));
    if (found) return found;
    throw new SetwayError("usage", `${name} has no device to swap to`, {
      found:
        devices.map((each) => `${each.name} (${each.coherent ? "coherent" : "non-coherent"})`).join(", ") || "none",
      expected: this.#name ?? "a coherent device",
    });
  }

  /** The device reads a page of RAM, on behalf of a core. */
  write(core: number, page: number): DiskPage {
    const { requester } = this.device;
    return observePage(this.#engine, page, (address, bytes) => {
      this.#cores.asHost(core, (records) => records.operation("DEVICE_READ", address, bytes, requester));
    });
  }

  /** The device writes a page of RAM. */
  read(core: number, page: number, stored: DiskPage): void {
    const { requester } = this.device;
    this.#cores.asHost(core, (records) => {
      writePage(page, stored, this.#engine.machine.smallestLineBytes, (address, value, size) =>
        records.valued("DEVICE_WRITE", address, value, size, requester),
      );
    });
  }
}
