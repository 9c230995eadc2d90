/** A coherent device and a CPU that doesn't use its caches: now the CPU is the one that isn't coherent. */
import { defineStory } from "../story.ts";

const BYTES = 256;

export default defineStory({
  name: "coherent-dma-caches-off",
  number: 9,
  title: "a boot loader with its caches off talks to a coherent device",
  source:
    "The talk: coherent DMA is coherent with caches. What the device wrote may lie in a system cache, what it reads " +
    "may come from an old line; accesses with caches off need not look there (Arm ARM: Non-cacheable accesses).",
  machine: "seattle",
  devices: [{ name: "disk", coherent: true }],
  fixes: {
    "by-va": "cleans and invalidates the buffers by VA to the PoC, before the CPU writes and after the device has",
    "caches-on": "turns the caches on",
  },
  expect: ({ has, machine }) => {
    if (has("by-va") || has("caches-on") || !machine.caches) return [];
    return machine.systemCache ? ["stale-dma", "stale-read"] : ["stale-dma"];
  },
  play(world) {
    const cpu = world.core(0);
    const disk = world.device("disk");
    const command = world.allocate(4096);
    const data = world.allocate(4096);

    world.step("earlier software has left a line of the command buffer in the caches");
    cpu.load(command);

    world.step(world.has("caches-on") ? "the boot loader keeps its caches on" : "the boot loader runs with caches off");
    if (!world.has("caches-on")) cpu.sctlr({ m: false, c: false, i: false });

    world.step("it writes a command");
    if (world.has("by-va")) {
      cpu.maintain("DC_CIVAC", command, BYTES);
      cpu.maintain("DC_CIVAC", data, BYTES);
      cpu.dsb();
    }
    cpu.store(command, 0x28n);
    cpu.dsb();

    world.step("the device reads the command and writes the sector");
    world.tell("the device reads", disk.read(command));
    disk.write(data, 0xdadan, BYTES);

    world.step("the boot loader reads the sector");
    if (world.has("by-va")) {
      cpu.maintain("DC_CIVAC", data, BYTES);
      cpu.dsb();
    }
    world.tell("it reads", cpu.load(data));
  },
});
