/** A Cortex-A9 with a PL310: an outer cache that no instruction reaches, off at reset, turned on by the kernel. */
import { DmaApi } from "../../devices/dma-api.ts";
import { defineStory } from "../story.ts";

const BYTES = 1024;
const NEW = 0x0b0bn;

const common = {
  number: 16,
  source:
    "The talk on outer caches, and Linux's arch/arm/mm/cache-l2x0.c: neither set/way nor by-VA instructions reach a " +
    "PL310, only its own registers, by PA and by way (Linux arch/arm/mm/cache-l2x0.c; R4).",
  machine: "exynos4412",
  needs: ["outer cache"],
  devices: [{ name: "dma", coherent: false }],
} as const;

const dmaStory = defineStory({
  ...common,
  name: "pl310-dma",
  title: "DMA maintenance by VA ends in the outer cache",
  fixes: {
    outer: "outer_clean_range and outer_inv_range beside the instructions, as arch/arm does",
    "left-off": "the kernel leaves the PL310 off, as it is at reset",
  },
  expect: ({ has }) => (has("outer") || has("left-off") ? [] : ["stale-dma", "stale-read"]),
  play(world) {
    const cpu = world.core(0);
    const device = world.device("dma");
    const pl310 = world.pl310();
    const dma = new DmaApi(cpu, { flavour: "arm", ...(world.has("outer") ? { outer: pl310 } : {}) });
    const out = world.allocate(BYTES);
    const back = world.allocate(BYTES);
    if (!world.has("left-off")) {
      world.step("the kernel invalidates the PL310 by way and enables it");
      pl310.enable(cpu);
    }
    world.step("the CPU fills a buffer and maps it for the device");
    cpu.fill(out, BYTES, NEW);
    dma.map(out, BYTES, "to-device");
    world.step("the device reads it");
    world.tell("the device reads", device.read(out, BYTES));

    world.step("the CPU gives the device a buffer to fill");
    cpu.touch(back, BYTES);
    dma.map(back, BYTES, "from-device");
    device.write(back, NEW, BYTES);
    world.step("speculation fetches a line of it again");
    cpu.prefetch(back);
    dma.unmap(back, BYTES, "from-device");
    world.step("the CPU reads it");
    cpu.touch(back, BYTES);
  },
});

const orderStory = defineStory({
  ...common,
  name: "pl310-order",
  title: "invalidating the inner cache before the outer one lets old bytes back in",
  fixes: { "outer-first": "after a transfer the outer cache is invalidated first, then L1" },
  expect: ({ has }) => (has("outer-first") ? [] : ["stale-read"]),
  play(world) {
    const cpu = world.core(0);
    const pl310 = world.pl310();
    const buffer = world.allocate(BYTES);
    world.step("the PL310 is on and holds the buffer");
    pl310.enable(cpu);
    cpu.touch(buffer, BYTES);
    world.step("the device fills the buffer");
    world.device("dma").write(buffer, NEW, BYTES);
    const inner = () => {
      cpu.maintain("DC_IVAC", buffer, BYTES);
      cpu.dsb();
    };
    const outer = () => pl310.invalidateRange(cpu, buffer, BYTES);
    const speculate = () => cpu.prefetch(buffer);
    world.step(world.has("outer-first") ? "outer, then inner" : "inner, then outer");
    for (const step of world.has("outer-first") ? [outer, speculate, inner] : [inner, speculate, outer]) step();
    world.step("the CPU reads it");
    cpu.touch(buffer, BYTES);
  },
});

const flushStory = defineStory({
  ...common,
  name: "pl310-power-off",
  title: "the machine goes to sleep with dirty lines in the PL310",
  fixes: { "flush-by-way": "outer_flush_all: clean and invalidate by way, before the PL310 is disabled" },
  expect: ({ has }) => (has("flush-by-way") ? [] : ["stale-read"]),
  play(world) {
    const cpu = world.core(0);
    const pl310 = world.pl310();
    const page = world.allocate(4096);
    world.step("the PL310 is on; the CPU writes, and flushes L1 by set/way");
    pl310.enable(cpu);
    cpu.fill(page, 4096, NEW);
    cpu.setWayLoop("flushDcacheAll");
    cpu.dsb();
    world.step("the PL310 is turned off");
    if (world.has("flush-by-way")) pl310.disable(cpu);
    else cpu.operation("OUTER_CONTROL", 0);
    world.step("firmware, caches off, saves the page");
    cpu.sctlr({ m: false, c: false, i: false });
    cpu.touch(page, 4096);
  },
});

export default [dmaStory, orderStory, flushStory];
