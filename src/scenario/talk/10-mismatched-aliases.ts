/** One physical page, mapped Write-Back and Non-cacheable at once. */
import { defineStory } from "../story.ts";

export default defineStory({
  name: "mismatched-aliases",
  number: 10,
  title: "a page is written through a cacheable and an uncacheable mapping",
  source:
    "The talk on mismatched attributes: the architecture then promises no coherence, and what is lost is what a " +
    "cache writes back over it, a line at a time (Arm ARM: Mismatched memory attributes).",
  machine: "seattle",
  needs: ["caches"],
  fixes: {
    "by-va": "cleans and invalidates the line by VA whenever the mapping in use changes",
    "one-attribute": "both mappings are Write-Back",
  },
  expect: ({ has }) =>
    has("by-va") || has("one-attribute")
      ? []
      : { must: ["stale-read", "lost-write", "mismatched-attributes"], may: [] },
  play(world) {
    const cpu = world.core(0);
    const line = world.allocate(4096);
    const other = { attribute: world.has("one-attribute") ? "WRITE_BACK" : "NON_CACHEABLE" } as const;
    const change = () => {
      if (!world.has("by-va")) return;
      cpu.maintain("DC_CIVAC", line, 64);
      cpu.dsb();
    };
    world.watch("the line", line);

    world.step("a store through the cacheable mapping");
    cpu.store(line, 0xaaaan);
    change();

    world.step("a store to its neighbour through the other mapping");
    cpu.store(line + 8, 0xbbbbn, other);
    change();

    world.step("the cacheable mapping reads the neighbour");
    world.tell("it reads", cpu.load(line + 8));

    world.step("the other mapping reads the first word");
    change();
    world.tell("it reads", cpu.load(line, other));

    world.step("later the line is replaced, and written back");
    world.replace(cpu, line);
    world.tell("memory has, beside the first word", cpu.load(line + 8, other));
  },
});
