/**
 * What DMA maintenance costs, by direction and size, against a device that snoops: Linux's DMA API (arm-facts B.4) around
 * one transfer of one buffer.
 */
import { DmaApi, type DmaDirection } from "../devices/dma-api.ts";
import { DmaEngine } from "../devices/dma-engine.ts";
import type { Engine } from "../engine/engine.ts";
import { BatchingCpu } from "./batching-cpu.ts";
import { withDevice } from "./machine-variants.ts";
import { bufferOf } from "./memory.ts";
import { metered, type Spent, sumOf } from "./meter.ts";
import { defineStudy, milliseconds, type StudyContext } from "./study.ts";

const DEVICE = "study";

export const dma = defineStudy({
  name: "dma",
  summary: "DMA maintenance per direction and size, against a device that snoops the caches",
  machine: "rpi4",
  parameters: {
    direction: {
      summary: "who gives data to whom",
      words: ["to-device", "from-device", "bidirectional"],
      default: "all",
    },
    size: { summary: "bytes of the buffer", unit: "bytes", least: 64, most: 2 ** 25, factor: 8, default: "64..2MiB" },
    flavour: { summary: "whose DMA API: arch/arm64's or arch/arm's", words: ["arm64", "arm"], default: "arm64" },
    dirty: {
      summary: "share of the buffer's lines that the CPU has written shortly before a transfer from the device",
      unit: "%",
      least: 0,
      most: 100,
      default: "0",
    },
  },
  columns: [
    { key: "operations", title: "operations", summary: "cache maintenance instructions of map and unmap" },
    {
      key: "maintenanceCycles",
      title: "map+unmap cycles",
      summary: "CPU cycles in map and unmap: operations, barriers, writebacks",
    },
    {
      key: "cpuCycles",
      title: "CPU cycles",
      summary: "the same with the CPU's own writing or reading of the buffer, whose caches are cold now",
    },
    { key: "deviceCycles", title: "device cycles", summary: "the device's accesses" },
    { key: "coherentCpuCycles", title: "CPU, coherent", summary: "CPU cycles if the device snooped" },
    { key: "coherentDeviceCycles", title: "device, coherent", summary: "the device's accesses if it snooped" },
    { key: "timesCoherent", title: "CPU ratio", summary: "CPU cycles as a multiple of the coherent case's", digits: 2 },
    {
      key: "maintenanceMicroseconds",
      title: "map+unmap us",
      summary: "microseconds of map and unmap at the assumed clock",
      digits: 2,
    },
  ],
  chart: {
    x: ["size", "dirty"],
    y: [
      { key: "cpuCycles", label: "maintained" },
      { key: "coherentCpuCycles", label: "coherent" },
    ],
    yTitle: "CPU cycles",
  },
  assumptions: [
    "one core; the CPU writes what it gives and reads all that it gets, a line an access",
    "the device moves the whole buffer once, a line an access, to and from memory: a coherent one snoops every line and allocates in no cache",
    "buffers begin on a page and end on a line: no partial lines",
  ],
  measure: ({ direction, size, flavour, dirty }, context) => {
    const transfer = (coherent: boolean) => measure({ direction, size, flavour, dirty, coherent }, context);
    const maintained = transfer(false);
    const snooped = transfer(true);
    const cpuCycles = maintained.maintenance.cycles + maintained.use.cycles;
    const coherentCpuCycles = snooped.maintenance.cycles + snooped.use.cycles;
    const maintenanceCycles = maintained.maintenance.cycles;
    return {
      operations: maintained.maintenance.events.maintenance,
      maintenanceCycles,
      cpuCycles,
      deviceCycles: maintained.device.cycles,
      coherentCpuCycles,
      coherentDeviceCycles: snooped.device.cycles,
      timesCoherent: coherentCpuCycles > 0 ? cpuCycles / coherentCpuCycles : 1,
      maintenanceMicroseconds: 1000 * milliseconds(maintenanceCycles, context.ghz),
    };
  },
});

interface Transfer {
  readonly direction: DmaDirection;
  readonly size: number;
  readonly flavour: "arm64" | "arm";
  readonly dirty: number;
  readonly coherent: boolean;
}

interface Transferred {
  /** The CPU in dma_map and dma_unmap. */
  readonly maintenance: Spent;
  /** The CPU's own accesses to the buffer. */
  readonly use: Spent;
  readonly device: Spent;
}

function measure({ direction, size, flavour, dirty, coherent }: Transfer, context: StudyContext): Transferred {
  const machine = withDevice(context.machine, DEVICE, coherent);
  const engine = context.createEngine(machine);
  const cpu = new BatchingCpu(engine, 0);
  const api = new DmaApi(cpu, { flavour, coherent });
  const device = new DmaEngine(engine, DEVICE);
  const buffer = bufferOf(machine, size);
  const line = machine.smallestLineBytes;
  const gives = direction !== "from-device";
  const gets = direction !== "to-device";

  if (!gives) dirtySome(cpu, buffer, size, dirty);
  const write = play(engine, cpu, () => {
    if (gives) cpu.fill(buffer, size, 1n);
  });
  const map = play(engine, cpu, () => api.map(buffer, size, direction));
  const moved = play(engine, cpu, () => {
    for (let at = buffer; at < buffer + size; at += line) {
      if (gives) device.read(at, line);
      if (gets) device.write(at, 2n, line);
    }
  });
  const unmap = play(engine, cpu, () => api.unmap(buffer, size, direction));
  const read = play(engine, cpu, () => {
    if (gets) cpu.touch(buffer, size);
  });
  return { maintenance: sumOf([map, unmap]), use: sumOf([write, read]), device: moved };
}

/** Every n-th line, so that dirty ones lie everywhere. */
function dirtySome(cpu: BatchingCpu, buffer: number, size: number, dirty: number): void {
  const line = cpu.engine.machine.smallestLineBytes;
  const lines = Math.ceil(size / line);
  for (let index = 0; index < lines; index++) {
    const crossed = Math.floor(((index + 1) * dirty) / 100) > Math.floor((index * dirty) / 100);
    if (crossed) cpu.store(buffer + index * line, 3n, { size: line });
  }
  cpu.finish();
}

function play(engine: Engine, cpu: BatchingCpu, work: () => void): Spent {
  return metered(engine, () => {
    work();
    cpu.finish();
  });
}
