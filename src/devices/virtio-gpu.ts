/**
 * A virtio-gpu display: the guest draws into its own ordinary memory and asks the device, over a virtio queue, to take
 * the frame over. Nothing is shared uncached, so that nothing can be mismatched (arm-facts E.4; tianocore/edk2#7183).
 */
import type { FrameBuffer, Shown } from "./frame-buffer.ts";
import type { MemoryPort } from "./memory-port.ts";
import { DeviceQueue, DriverQueue, layoutQueue, type QueueLayout } from "./virtqueue.ts";

/** Commands of virtio 1.2, 5.7.6.7: the two that every frame needs. */
const TRANSFER_TO_HOST_2D = 0x0105n;
const RESOURCE_FLUSH = 0x0104n;
const RESPONSE_OK = 0x1100n;
const COMMAND_BYTES = 32;

export interface VirtioGpuMemory {
  /** Guest memory for the rings and one command with its response: at least `VirtioGpu.queueBytes`. */
  readonly queue: number;
  /** What the guest draws into, by the guest's addresses. */
  readonly guestBuffer: FrameBuffer;
  /** Where the device keeps its own copy, by the device's addresses. */
  readonly resource: number;
}

export class VirtioGpu {
  static readonly queueBytes = 4096;
  private readonly memory: VirtioGpuMemory;
  private readonly layout: QueueLayout;
  private readonly guest: DriverQueue;
  private readonly host: DeviceQueue;
  private readonly guestPort: MemoryPort;
  private readonly hostPort: MemoryPort;

  /** `hostPort` takes the guest's addresses: a VMM's mapping of guest memory, or a device's DMA. */
  constructor(memory: VirtioGpuMemory, guestPort: MemoryPort, hostPort: MemoryPort) {
    this.memory = memory;
    this.layout = layoutQueue(memory.queue, 16);
    this.guestPort = guestPort;
    this.hostPort = hostPort;
    this.guest = new DriverQueue(guestPort, this.layout);
    this.host = new DeviceQueue(hostPort, this.layout);
    this.guest.initialize();
  }

  /** The guest asks for the frame that it has drawn. */
  present(): void {
    for (const command of [TRANSFER_TO_HOST_2D, RESOURCE_FLUSH]) {
      const at = this.commandAddress;
      this.guestPort.write(at, command, 8);
      this.guest.add([
        { address: at, bytes: COMMAND_BYTES },
        { address: at + COMMAND_BYTES, bytes: 8, deviceWrites: true },
      ]);
      this.serve();
    }
  }

  /** What the device shows: its own copy, compared with the frame. `port` takes the device's addresses. */
  shown(port: MemoryPort, frame: number): Shown {
    return this.memory.guestBuffer.scanOut(port, frame, this.memory.resource);
  }

  /** Whether the guest sees all its requests answered. */
  answered(): boolean {
    let answers = 0;
    while (this.guest.collect() !== undefined) answers++;
    return answers === 2 && this.guestPort.read(this.commandAddress + COMMAND_BYTES, 8) === RESPONSE_OK;
  }

  private get commandAddress(): number {
    return Math.ceil((this.layout.base + this.layout.bytes) / 64) * 64;
  }

  private serve(): void {
    for (let request = this.host.next(); request !== undefined; request = this.host.next()) {
      const [command, response] = request.buffers;
      if (command === undefined || response === undefined) continue;
      if (this.hostPort.read(command.address, 8) === TRANSFER_TO_HOST_2D) {
        const { guestBuffer, resource } = this.memory;
        guestBuffer.blit(this.hostPort, guestBuffer.base, this.hostPort, resource);
      }
      this.hostPort.write(response.address, RESPONSE_OK, 8);
      this.host.complete(request.head, response.bytes);
    }
  }
}
