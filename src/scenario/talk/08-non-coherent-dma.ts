/** A device that doesn't snoop, and Linux's DMA API around its transfers: each direction, what it needs, and why twice. */
import { DmaApi } from "../../devices/dma-api.ts";
import { defineStory, type ExpectedHazards } from "../story.ts";
import type { MachineTraits } from "../traits.ts";

const BYTES = 1024;
const OLD = 0x0101n;
const NEW = 0x0202n;
const SOURCE =
  "The talk on DMA without coherence, and Linux's arch/arm64/mm/dma-mapping.c: clean before the device reads, clean " +
  "before and invalidate after it writes, and never share a line (Linux 6.12 arch/arm64/mm/dma-mapping.c and " +
  "cache.S).";

const common = {
  number: 8,
  source: SOURCE,
  machine: "rpi4",
  devices: [{ name: "nic", coherent: false }],
} as const;

/** Without caches nothing can go wrong. */
const onCaches = (machine: MachineTraits, hazards: ExpectedHazards): ExpectedHazards => (machine.caches ? hazards : []);

const toDevice = defineStory({
  ...common,
  name: "dma-to-device",
  title: "a device reads a buffer that the CPU has just filled",
  fixes: { map: "dma_map_single: cleans the buffer to the PoC" },
  expect: ({ has, machine }) => (has("map") ? [] : onCaches(machine, ["stale-dma"])),
  play(world) {
    const cpu = world.core(0);
    const buffer = world.allocate(BYTES);
    world.step("the CPU fills the buffer");
    cpu.fill(buffer, BYTES, NEW);
    if (world.has("map")) {
      world.step("it maps the buffer for the device");
      new DmaApi(cpu).map(buffer, BYTES, "to-device");
    }
    world.step("the device reads it");
    world.tell("the device reads", world.device("nic").read(buffer, BYTES));
  },
});

const fromDevice = defineStory({
  ...common,
  name: "dma-from-device",
  title: "a device fills a buffer that the CPU has used before",
  fixes: {
    map: "dma_map_single: cleans the buffer, so that no dirty line can be written over the device's data",
    unmap: "dma_unmap_single: invalidates the buffer, so that the CPU reads memory",
  },
  variants: [[], ["map"], ["unmap"], ["map", "unmap"]],
  expect: ({ has, machine }) => {
    if (has("map")) return has("unmap") ? [] : onCaches(machine, ["stale-read"]);
    return onCaches(machine, ["lost-write", "stale-read"]);
  },
  play(world) {
    const cpu = world.core(0);
    const dma = new DmaApi(cpu);
    const buffer = world.allocate(BYTES);
    world.step("the CPU has used the buffer: its lines are dirty");
    cpu.fill(buffer, BYTES, OLD);
    if (world.has("map")) {
      world.step("it maps the buffer");
      dma.map(buffer, BYTES, "from-device");
    }
    world.step("the device fills it");
    world.device("nic").write(buffer, NEW, BYTES);
    world.step("other work replaces the first line in the caches");
    world.replace(cpu, buffer);
    if (world.has("unmap")) {
      world.step("it unmaps the buffer");
      dma.unmap(buffer, BYTES, "from-device");
    }
    world.step("the CPU reads it");
    cpu.touch(buffer, BYTES);
  },
});

const bothWays = defineStory({
  ...common,
  name: "dma-both-ways",
  title: "a device reads a descriptor and writes its status back into it",
  fixes: {
    sync: "dma_sync_single_for_device before, dma_sync_single_for_cpu after, both bidirectional",
    "coherent-pool": "dma_alloc_coherent: the descriptor is uncached for the CPU",
  },
  expect: ({ has, machine }) =>
    has("sync") || has("coherent-pool") ? [] : onCaches(machine, ["stale-dma", "stale-read", "lost-write"]),
  play(world) {
    const cpu = world.core(0);
    const nic = world.device("nic");
    const dma = new DmaApi(cpu);
    const ring = world.allocate(4096);
    const attribute = world.has("coherent-pool") ? "NON_CACHEABLE" : "WRITE_BACK";
    const use = { attribute } as const;
    if (world.has("coherent-pool")) {
      world.step("the pool cleans and invalidates what its cached alias may hold");
      cpu.maintain("DC_CIVAC", ring, 4096);
      cpu.dsb();
    }
    for (let round = 1; round <= 2; round++) {
      world.step(`round ${round}: the CPU writes the descriptor`);
      cpu.store(ring, round, use);
      cpu.store(ring + 8, 0, use);
      cpu.dsb();
      if (world.has("sync")) dma.syncForDevice(ring, 64, "bidirectional");
      world.step(`round ${round}: the device reads it and writes its status`);
      const seen = nic.read(ring);
      nic.write(ring + 8, seen + 100n);
      if (world.has("sync")) dma.syncForCpu(ring, 64, "bidirectional");
      world.step(`round ${round}: the CPU reads the status`);
      world.tell("status", cpu.load(ring + 8, use));
    }
    world.step("in the end the line is replaced");
    world.replace(cpu, ring);
  },
});

const partialLines = defineStory({
  ...common,
  name: "dma-partial-lines",
  title: "a buffer shares its first line with a variable that the CPU writes meanwhile",
  fixes: {
    "partial-lines":
      "invalidating cleans partial lines first, as Linux does: the neighbour lives, the device's bytes don't",
    align: "the buffer has its lines to itself",
  },
  variants: [[], ["partial-lines"], ["align"], ["align", "partial-lines"]],
  // Which of the two loses depends on the switch; that one does, doesn't.
  expect: ({ has, machine }) => (has("align") ? [] : onCaches(machine, ["lost-write", "stale-read"])),
  play(world) {
    const cpu = world.core(0);
    const dma = new DmaApi(cpu);
    const page = world.allocate(4096);
    const line = world.machine.resolved.largestLineBytes;
    const neighbour = page + line - 8;
    const buffer = world.has("align") ? page + line : page + line - 4;
    const bytes = 2 * line;
    world.step("the CPU writes the variable beside the buffer, and maps the buffer");
    cpu.store(neighbour, 1n, { size: 4 });
    dma.map(buffer, bytes, "from-device");
    world.step("while the transfer runs, it writes the variable again");
    cpu.store(neighbour, 2n, { size: 4 });
    world.device("nic").write(buffer, NEW, bytes);
    world.step(world.has("partial-lines") ? "unmap, partial lines cleaned" : "unmap by a plain DC IVAC of every line");
    if (world.has("partial-lines")) {
      dma.unmap(buffer, bytes, "from-device");
    } else {
      cpu.maintain("DC_IVAC", buffer, bytes);
      cpu.dsb();
    }
    world.step("the CPU reads the variable and the buffer");
    const kept = cpu.load(neighbour, { size: 4 });
    world.tell("the variable is", kept);
    cpu.touch(buffer, bytes);
  },
});

const refill = defineStory({
  ...common,
  name: "dma-refill",
  title: "speculation brings the buffer back into the cache before the device has written it",
  fixes: { "sync-for-cpu": "invalidates again when the transfer is over" },
  expect: ({ has, machine }) => (has("sync-for-cpu") ? [] : onCaches(machine, ["stale-read"])),
  play(world) {
    const cpu = world.core(0);
    const dma = new DmaApi(cpu);
    const buffer = world.allocate(BYTES);
    world.step("the CPU invalidates the buffer before the transfer, once and for all as it thinks");
    cpu.fill(buffer, BYTES, OLD);
    cpu.maintain("DC_CIVAC", buffer, BYTES);
    cpu.dsb();
    world.step("a speculative read fetches its first line (R19: any cacheable mapping, at any time)");
    cpu.prefetch(buffer);
    world.step("the device fills the buffer");
    world.device("nic").write(buffer, NEW, BYTES);
    if (world.has("sync-for-cpu")) dma.syncForCpu(buffer, BYTES, "from-device");
    world.step("the CPU reads it");
    cpu.touch(buffer, BYTES);
  },
});

export default [toDevice, fromDevice, bothWays, partialLines, refill];
