/**
 * Walks keep pointers to page tables. When a table is freed, a TLBI of the leaves that were in it isn't enough: the next walk
 * starts in what used to be the table, and takes for descriptors whatever its new owner writes there.
 */
import { defineStory, PAGE_BYTES, Stage1Tables, stage1Leaf } from "setway";

const VA = 0x7000_0000;

export default defineStory({
  name: "freed-page-table",
  title: "a page table is freed and reused, and a core still walks it",
  source: "Linux 285994a62c80: arm64: Invalidate the TLB corresponding to intermediate page table levels",
  machine: "juno",
  needs: [{ has: ({ resolved }) => resolved.tlb.walk > 0, lacks: "keeps no pointers to tables" }],
  fixes: { "tlbi-of-tables": "clearing a table's last entry invalidates every level (VAE1), not only leaves (VALE1)" },
  expect: ({ has }) => (has("tlbi-of-tables") ? [] : ["wrong-result"]),
  play(world) {
    const cpu = world.core(0);
    const memory = { base: world.allocate(16 * PAGE_BYTES), bytes: 16 * PAGE_BYTES };
    const [own, other] = [world.allocate(PAGE_BYTES), world.allocate(PAGE_BYTES)];
    const without = world.has("tlbi-of-tables") ? [] : (["TLBI of tables"] as const);
    const tables = new Stage1Tables(cpu, { memory, without });
    tables.map(memory.base, memory.base, memory.bytes).map(VA, own, PAGE_BYTES).install();
    const [pointer, leaf] = [tables.entry(VA, 2) as number, tables.entry(VA, 3) as number];

    world.step("a page is mapped and read");
    cpu.translate();
    cpu.load(VA);
    world.step("it is unmapped, the pointer to its table is cleared, and the table freed");
    cpu.store(pointer, 0);
    tables.unmap(VA, PAGE_BYTES);
    world.step("the table's memory belongs to somebody else, whose data look like a descriptor");
    cpu.store(leaf, stage1Leaf({ level: 3, output: other, attribute: 3 }));
    world.step("the old address is used once more");
    const fault = cpu.expectFault(() => cpu.load(VA));
    world.result("the access", fault?.type ?? "reads a page", "translation");
  },
});
