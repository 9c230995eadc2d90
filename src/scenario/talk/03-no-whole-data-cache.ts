/** The instruction side has one operation for everything on every core; the data side has none. */
import { defineStory } from "../story.ts";

const CODE_BYTES = 256;
const DATA_BYTES = 4096;

export default defineStory({
  name: "no-whole-data-cache",
  number: 3,
  title: "IC IALLUIS empties every instruction cache; nothing does that for data",
  source:
    "The talk: people look for an instruction that flushes the data cache. There is IC IALLUIS for instructions; for data " +
    "there is a loop over sets and ways, of this core alone, or by VA (semantics R23).",
  machine: "seattle",
  needs: ["caches", "two cores"],
  devices: [{ name: "disk", coherent: false }],
  fixes: {
    "by-va": "cleans the data by VA to the PoC",
  },
  expect: ({ has, machine }) =>
    has("by-va") || (machine.peerOutOfReach < 0 && machine.setWayReachesPoc) ? [] : ["stale-dma"],
  play(world) {
    const cpu = world.core(0);
    const other = world.core(Math.max(1, world.machine.peerOutOfReach));
    const code = world.allocate(CODE_BYTES);
    const data = world.allocate(DATA_BYTES);

    world.step(`core ${other.core} has executed code that core 0 now replaces`);
    cpu.fill(code, CODE_BYTES, 1n);
    cpu.maintain("DC_CVAU", code, CODE_BYTES);
    cpu.dsb();
    for (let line = 0; line < CODE_BYTES; line += 64) other.fetch(code + line);
    cpu.fill(code, CODE_BYTES, 2n);

    world.step("instructions: clean the few lines, then one IC IALLUIS for all cores");
    cpu.maintain("DC_CVAU", code, CODE_BYTES);
    cpu.dsb();
    cpu.operation("IC_IALLUIS");
    cpu.dsb();
    other.isb();
    world.check(`core ${other.core} executes`, other.fetch(code), 2n);

    world.step(`data: core ${other.core} fills a page that a disk will read`);
    other.fill(data, DATA_BYTES, 3n);

    world.step(world.has("by-va") ? "core 0 cleans the page by VA" : "core 0 flushes all its sets and ways");
    if (world.has("by-va")) cpu.maintain("DC_CVAC", data, DATA_BYTES);
    else cpu.setWayLoop("flushDcacheAll");
    cpu.dsb();

    world.step("the disk, which doesn't snoop, reads the page");
    world.tell("the disk reads", world.device("disk").read(data, DATA_BYTES));
  },
});
