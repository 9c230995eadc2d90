/** The same program on a smartwatch and on a server: what worked on the one is a bug on the other. */
import { defineStory } from "../story.ts";

const BYTES_PER_CORE = 0x8000;
const CORES = 4;

export default defineStory({
  name: "watch-and-server",
  number: 15,
  title: "all cores fill memory, flush by set/way and hand it to code that runs with caches off",
  source:
    "The talk: a virtual machine should run on a watch and on a server of 160 cores. Set/way means something else on " +
    "each: two cores and one L2, or system caches and sockets that no loop reaches (Exynos 3250 and Altra).",
  machine: "altra-2s",
  needs: ["caches", "two cores"],
  fixes: {
    "by-va": "each core cleans and invalidates by VA what it has written",
    "one-by-one": "set/way, but each core in its turn, caches off first: all that set/way can ever do",
  },
  expect: ({ has, machine }) => {
    if (has("by-va")) return [];
    return machine.setWayReachesPoc ? [] : { must: ["stale-read", "set/way-short-of-poc"], may: [] };
  },
  play(world) {
    const cores = Array.from({ length: Math.min(CORES, world.machine.cores) }, (_, index) => world.core(index));
    const parts = cores.map((cpu) => ({ cpu, base: world.allocate(BYTES_PER_CORE) }));

    world.step(`${cores.length} of ${world.machine.cores} cores fill ${BYTES_PER_CORE / 1024} KiB each`);
    for (const { cpu, base } of parts) cpu.fill(base, BYTES_PER_CORE, 0x15n);

    world.step(world.has("by-va") ? "each flushes its part by VA" : "each flushes all its sets and ways");
    for (const { cpu, base } of parts) {
      if (world.has("one-by-one")) cpu.sctlr({ m: false, c: false, i: false });
      if (world.has("by-va")) cpu.maintain("DC_CIVAC", base, BYTES_PER_CORE);
      else cpu.setWayLoop("flushDcacheAll");
      cpu.dsb();
    }

    world.step("core 0, caches off, reads everything");
    const reader = world.core(0);
    reader.sctlr({ m: false, c: false, i: false });
    for (const { base } of parts) reader.touch(base, BYTES_PER_CORE);
  },
});
