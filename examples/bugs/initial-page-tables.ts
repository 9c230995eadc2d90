/**
 * A kernel writes its first page tables with the MMU off, so into memory. Whatever ran before had that memory in its caches;
 * once the MMU is on, the walker looks there first and finds what was in the pages before.
 */
import { defineStory, Stage1Tables } from "setway";

const PAGE = 4096;
const TABLES = { base: 0x4000_0000, bytes: 4 * PAGE };
const VA = 0x7000_0000;

export default defineStory({
  name: "initial-page-tables",
  title: "a kernel's first page tables are in memory, and older lines of the same pages in the caches",
  source: "littlekernel/lk pull request 315: [arch][arm64] cache maintainance on page tables during boot",
  machine: "seattle",
  needs: ["caches"],
  starts: "reset",
  fixes: { invalidate: "the tables are invalidated by VA after they have been written" },
  expect: ({ has }) => (has("invalidate") ? [] : ["stale-walk"]),
  play(world) {
    const cpu = world.core(0);
    world.watch("the root table", TABLES.base);

    world.step("the boot loader uses the memory, cleans it, and hands over with the lines still cached");
    cpu.sctlr({ m: true, c: true, i: true });
    cpu.touch(TABLES.base, TABLES.bytes);
    cpu.sctlr({ m: false, c: false, i: false });

    world.step("the kernel writes tables past the caches");
    const tables = new Stage1Tables(cpu, { memory: TABLES }).map(VA, world.allocate(PAGE), PAGE).install();
    if (world.has("invalidate")) {
      cpu.maintain("DC_IVAC", tables.used.base, tables.used.bytes);
      cpu.dsb();
    }

    world.step("it turns its MMU on and goes to its virtual address");
    cpu.translate().sctlr({ m: true, c: true, i: true });
    const fault = cpu.expectFault(() => cpu.load(VA));
    world.tell("the access", fault === undefined ? "is translated" : `ends in a ${fault.type} fault`);
  },
});
