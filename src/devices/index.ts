/** Everything on a machine that isn't a CPU, and what software does for it: what stories and studies build devices from. */
export { type CoherentBuffer, CoherentPool, type CoherentPoolOptions } from "./coherent-pool.ts";
export { DmaApi, type DmaApiOptions, type DmaDirection, type DmaFlavour } from "./dma-api.ts";
export { DmaEngine, type DmaEngineOptions, overriddenName } from "./dma-engine.ts";
export {
  type AcpiDevice,
  type Conclusion,
  concludeAll,
  concludeDma,
  type DeviceTreeNode,
  type DmaConclusion,
  type Firmware,
  type IortNode,
  type Lie,
  lieOf,
} from "./firmware.ts";
export {
  type DrawOptions,
  type EmulatedBar,
  FrameBuffer,
  type FrameBufferGeometry,
  type Shown,
  type ShowOptions,
} from "./frame-buffer.ts";
export { type CpuPortOptions, cpuPort, type MemoryPort } from "./memory-port.ts";
export { PL310_REGISTERS, Pl310 } from "./pl310.ts";
export { VirtioGpu, type VirtioGpuMemory } from "./virtio-gpu.ts";
export {
  DeviceQueue,
  DriverQueue,
  layoutQueue,
  type QueueBuffer,
  type QueueLayout,
  type QueueRequest,
} from "./virtqueue.ts";
