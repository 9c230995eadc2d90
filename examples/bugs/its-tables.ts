/** An interrupt controller reads its tables by DMA like any device, and like any device it may not snoop. */
import { defineStory } from "setway";

const TABLE = 64 * 1024;
const LPI_ENABLED = 0xa1;

export default defineStory({
  name: "its-tables",
  title: "a GIC that doesn't snoop reads an interrupt's configuration before the driver's cache has written it back",
  source:
    "OpenBSD 2896618da4e7: Fix a couple of bugs in the ITS support code (the tables are flushed, for SynQuacer's GICv3)",
  machine: "seattle",
  needs: ["caches"],
  devices: [{ name: "redistributor", coherent: false }],
  fixes: {
    flush: "the driver cleans whatever it writes, by VA to the PoC",
    uncached: "it maps the tables Non-cacheable, and invalidates them first",
  },
  expect: ({ has }) => (has("flush") || has("uncached") ? [] : ["stale-dma"]),
  play(world) {
    const cpu = world.core(0);
    const table = world.allocate(TABLE, { alignBytes: TABLE });
    const mapping = world.has("uncached") ? ({ attribute: "NON_CACHEABLE" } as const) : {};
    const written = (address: number, bytes: number) => {
      if (!world.has("flush")) return;
      cpu.maintain("DC_CVAC", address, bytes);
      cpu.dsb();
    };

    world.step("the driver clears the configuration table and gives it to the redistributor");
    if (world.has("uncached")) {
      cpu.maintain("DC_CIVAC", table, TABLE);
      cpu.dsb();
    }
    cpu.fill(table, TABLE, 0, mapping);
    written(table, TABLE);
    world.step("it enables the first LPI");
    cpu.store(table, LPI_ENABLED, { size: 1, ...mapping });
    written(table, 1);
    world.step("an interrupt arrives, and the redistributor looks it up");
    world.tell("its configuration", world.device("redistributor").read(table, 1));
  },
});
