/**
 * Cores that are offline wait in a holding pen with their caches off and compare a variable with their own number. A core that
 * has started answers through its cache, where it won't look when it waits again.
 */
import { type BareCpu, defineStory } from "setway";

export default defineStory({
  name: "pen-release",
  title: "a core that is taken offline reads in the holding pen that it was asked to start, as it was last time",
  source: "Linux 3705ff6da538: ARM: Fix subtle race in CPU pen_release hotplug code",
  machine: "tc2",
  needs: ["caches", "two cores"],
  fixes: { "clean-every-write": "every write of pen_release is followed by cleaning its line" },
  expect: ({ has }) => (has("clean-every-write") ? [] : ["stale-read"]),
  play(world) {
    const [boot, other] = [world.core(0), world.core(1)];
    const pen = world.allocate(64);
    world.watch("pen_release", pen);
    const clean = (cpu: BareCpu) => {
      cpu.maintain("DC_CVAC", pen, 8);
      cpu.dsb();
    };

    world.step("core 0 asks for core 1, and cleans the line");
    boot.store(pen, 1);
    clean(boot);
    world.step("core 1 sees it with its caches off, starts, and answers -1");
    other.sctlr({ m: false, c: false, i: true });
    other.load(pen);
    other.sctlr({ m: true, c: true, i: true });
    other.store(pen, -1n);
    if (world.has("clean-every-write")) clean(other);
    world.step("core 1 is taken offline and waits, caches off");
    other.sctlr({ m: false, c: false, i: true });
    world.tell("core 1 reads", other.load(pen));
  },
});
