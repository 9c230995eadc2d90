/** Set/way reaches the caches of the core that executes it, and lines move between cores at any time. */
import { defineStory } from "../story.ts";

export default defineStory({
  name: "set-way-is-local",
  number: 1,
  title: "core 0 flushes by set/way a line that has moved to another core",
  source:
    "The talk's first rule: set/way operations act on the executing core's own caches, so that a loop over all sets " +
    "and ways is no flush of memory as soon as a second core can own a line (Arm ARM: set/way acts on the executing " +
    "PE).",
  machine: "seattle",
  needs: ["caches", "two cores"],
  fixes: {
    "by-va": "core 0 cleans and invalidates the line by VA to the PoC, wherever it is",
    "others-first": "the other core flushes its own caches by set/way and leaves, before core 0 does",
  },
  expect: ({ has, machine }) => {
    if (has("by-va")) return [];
    // An inclusive cache that both share takes the other core's copy along.
    if (has("others-first") || machine.peerOutOfReach < 0) return machine.setWayReachesPoc ? [] : ["stale-read"];
    return ["stale-read"];
  },
  play(world) {
    const cpu = world.core(0);
    const other = world.core(Math.max(1, world.machine.peerOutOfReach));
    const line = world.allocate(4096);

    world.step("core 0 writes a word");
    cpu.store(line, 0x1111n);

    world.step(`core ${other.core} writes another word of the line, which moves over to it`);
    other.store(line + 8, 0x2222n);

    if (world.has("by-va")) {
      world.step("core 0 cleans and invalidates the line by VA");
      cpu.maintain("DC_CIVAC", line, 64);
      cpu.dsb();
    } else {
      if (world.has("others-first")) {
        world.step(`core ${other.core} turns its caches off and flushes them by set/way`);
        other.sctlr({ m: false, c: false, i: false });
        other.setWayLoop("flushDcacheAll");
        other.dsb();
      }
      world.step("core 0 flushes all its sets and ways");
      cpu.setWayLoop("flushDcacheAll");
      cpu.dsb();
    }

    world.step("core 0 turns its caches off and reads the line");
    cpu.sctlr({ m: false, c: false, i: false });
    world.tell("its own word", cpu.load(line));
    world.tell("the other word", cpu.load(line + 8));
  },
});
