/** Page tables are data of somebody who may have had his caches off; the walker has its own opinion of where they are. */
import { HCR } from "../../engine/system-registers.ts";
import { PAGE_BYTES, stage2Leaf, tableDescriptor, vtcrOf, vttbrOf } from "../../hypervisor/descriptors.ts";
import { defineStory } from "../story.ts";

const IPA = 0x4000_0000;
const IPA_BITS = 39;
const MEMORY_WRITE_BACK = 0b1111;

export default defineStory({
  name: "tables-written-uncached",
  number: 18,
  title: "a hypervisor writes stage-2 tables with its caches off, and the walker reads old lines of them",
  source:
    "The talk on early boot: tables written with caches off are in memory, and a walk that looks into caches finds " +
    "what was there before. Linux invalidates its own boot tables for that reason (arch/arm64/kernel/head.S).",
  machine: "seattle",
  needs: ["caches"],
  fixes: {
    "by-va": "the tables are invalidated by VA before they are used",
    "walks-uncached": "VTCR_EL2 makes walks Non-cacheable, as the writer was",
  },
  expect: ({ has }) => (has("by-va") || has("walks-uncached") ? [] : ["stale-walk"]),
  play(world) {
    const cpu = world.core(0);
    const first = world.allocate(2 * PAGE_BYTES, { alignBytes: 2 * PAGE_BYTES });
    const [second, third, target] = [0, 0, 0].map(() => world.allocate(PAGE_BYTES)) as [number, number, number];
    const tables = [first, second, third];

    world.step("something earlier has left lines of the table pages in the caches");
    for (const table of tables) cpu.touch(table, PAGE_BYTES);
    world.watch("the last table's first line", third);

    world.step("the hypervisor, caches off, writes tables that map one page");
    cpu.sctlr({ m: false, c: false, i: false });
    const write = (table: number, index: number, descriptor: bigint) => cpu.store(table + 8 * index, descriptor);
    write(first, 1, tableDescriptor(second));
    write(second, 0, tableDescriptor(third));
    write(third, 0, stage2Leaf({ level: 3, output: target, memAttr: MEMORY_WRITE_BACK }));
    cpu.dsb();
    if (world.has("by-va")) {
      for (const table of tables) cpu.maintain("DC_IVAC", table, PAGE_BYTES);
      cpu.dsb();
    }

    world.step("it turns stage 2 on for a guest, whose first access is translated");
    cpu.msr("VTCR_EL2", vtcrOf(IPA_BITS, 48, world.has("walks-uncached") ? "non-cacheable" : "write-back"));
    cpu.msr("VTTBR_EL2", vttbrOf(first, 1));
    cpu.msr("HCR_EL2", HCR.VM);
    const fault = cpu.expectFault(() => cpu.load(IPA));
    world.tell(
      "the guest's access",
      fault === undefined ? "reads the page" : `${fault.type} fault, stage ${fault.stage}, level ${fault.level}`,
    );
  },
});
