/** The same frame buffer code on a machine whose uncached accesses snoop, as x86's do, and on one whose don't. */
import { FrameBuffer } from "../../devices/frame-buffer.ts";
import { defineStory } from "../story.ts";

export default defineStory({
  name: "self-snooping",
  number: 22,
  title: "a driver draws uncached what a viewer reads cached: right on x86, wrong here",
  source:
    "The talk: on x86 mismatched mappings of one page stay coherent because the processor snoops itself; code that " +
    "was ported from there has never needed maintenance, and breaks (R14; tianocore/edk2#7183).",
  machine: "seattle",
  needs: ["caches"],
  fixes: {
    "self-snoop": "hardware: uncached accesses clean and invalidate cached copies first, as on x86",
    "by-va": "the viewer invalidates the frame by VA before it reads it",
    "cached-draw": "the driver draws through a cacheable mapping too",
  },
  changes: (has) => (has("self-snoop") ? { ncSnoops: true } : {}),
  expect: ({ has, machine }) => (machine.ncSnoops || has("by-va") || has("cached-draw") ? [] : ["stale-read"]),
  play(world) {
    const driver = world.core(0);
    const viewer = world.core(world.machine.cores > 1 ? 1 : 0);
    const screen = new FrameBuffer({ base: world.allocate(64 * 16 * 4), width: 64, height: 16 });
    const attribute = world.has("cached-draw") ? "WRITE_BACK" : "NON_CACHEABLE";
    for (let frame = 1; frame <= 3; frame++) {
      world.step(`frame ${frame} is drawn`);
      screen.draw(driver, frame, { attribute });
      driver.dsb();
      world.step(`frame ${frame} is shown`);
      const { units, wrong } = screen.show(viewer, frame, world.has("by-va") ? { maintain: "DC_CIVAC" } : {});
      world.tell(`wrong units of ${units}`, wrong);
    }
  },
});
