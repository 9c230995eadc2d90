/** A flush by set/way ends in a system cache, and whoever reads past that cache finds old bytes. */
import { defineStory } from "../story.ts";

const IMAGE_BYTES = 0x4_0000;

export default defineStory({
  name: "set-way-short-of-poc",
  number: 2,
  title: "a decompressor flushes its output by set/way and jumps to it with its caches off",
  source:
    "The talk's decompressor: 32-bit Linux up to 5.6 flushes by set/way before it turns the caches off, and what it " +
    "flushed stays in a system cache that CLIDR_EL1 doesn't list (fixed by 401b368caaec, by VA).",
  machine: "kunpeng916-2s",
  needs: ["caches"],
  fixes: {
    "by-va": "cleans and invalidates the output by VA to the PoC, as since Linux 5.7",
  },
  expect: ({ has, machine }) => {
    if (has("by-va") || machine.setWayReachesPoc) return [];
    return { must: ["stale-read", "stale-fetch", "set/way-short-of-poc"], may: [] };
  },
  play(world) {
    const cpu = world.core(0);
    const image = world.allocate(IMAGE_BYTES);

    world.step("the decompressor writes the kernel with its caches on");
    cpu.fill(image, IMAGE_BYTES, 0xe1a0_0000_e1a0_0000n);

    world.step(world.has("by-va") ? "it flushes the kernel by VA" : "it flushes all sets and ways");
    if (world.has("by-va")) cpu.maintain("DC_CIVAC", image, IMAGE_BYTES);
    else cpu.setWayLoop("decompressorFlush");
    cpu.dsb();
    cpu.operation("IC_IALLU");
    cpu.dsb();
    cpu.isb();

    world.step("it turns MMU and caches off and jumps");
    cpu.sctlr({ m: false, c: false, i: false });
    cpu.isb();
    world.tell("the first instruction is", cpu.fetch(image));

    world.step("the kernel reads itself");
    cpu.touch(image, IMAGE_BYTES);
  },
});
