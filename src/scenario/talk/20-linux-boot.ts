/** Debian's 32-bit kernel decompresses itself as Linux 4.1 did and as Linux 5.7 does, bare or as a guest of any era. */
import { EVERYTHING_RECORDED } from "../../engine/engine.ts";
import { findBoot } from "../decompressor/boot.ts";
import { bootStream, prepareDecompression } from "../decompressor/stream.ts";
import { defineStory } from "../story.ts";

const GUEST_BYTES = 0x1000_0000;

export default defineStory({
  name: "linux-boot",
  number: 20,
  title: "a recorded 32-bit kernel decompresses itself, flushing by set/way (4.1) or by VA (5.7)",
  source:
    "The talk's opening: 32-bit guests that boot on one machine and not on another. The recording flushes by VA; " +
    "without the fix that is replaced by 4.1's two loops by set/way (arch/arm/boot/compressed/head.S; 401b368caaec).",
  machine: "kunpeng916-2s",
  needs: ["aarch32", "caches"],
  traces: ["zimage-boot-l3"],
  recorded: { dma: false },
  starts: "reset",
  eras: ["bare", "none", "3.9", "4.1", "modern"],
  fixes: { "linux-5.7": "the decompressor cleans and invalidates the kernel by VA" },
  expect: ({ has, era, machine }) => {
    if (era === "4.1" || era === "modern") return [];
    // Without maintenance at map the host's zeroes lie, dirty, over what the guest, its caches off, has in memory. Whether they
    // are written back over it as well depends on whether the caches are large enough to keep them.
    if (era !== "bare") return { must: ["stale-read", "stale-fetch"], may: ["lost-write"] };
    // The kernel's own invalidation by set/way (v7_invalidate_l1) then discards a few dead lines of its stack.
    if (has("linux-5.7")) return ["lost-write"];
    if (machine.setWayReachesPoc) return [];
    // It bites if the system cache still holds what the kernel looks at first, past the caches: with 8 MiB it doesn't.
    const stale = ["stale-read", "stale-fetch"] as const;
    return machine.name === "kunpeng916-2s" ? stale : { must: [], may: stale };
  },
  async play(world) {
    const { name, words } = await world.trace("zimage-boot-l3");
    const header = { source: name, provenance: EVERYTHING_RECORDED, initialSctlr: 0 };
    const boot = findBoot(words, { name, header });
    const { resolved } = world.machine;
    const stream = bootStream(boot, prepareDecompression(boot), resolved, world.has("linux-5.7") ? "va" : "setway");
    const vm =
      world.era === "bare"
        ? undefined
        : world.hypervisor().createVm({ memory: GUEST_BYTES, aarch32: true, starts: "reset" });
    let phase = "";
    for (const part of stream.parts) {
      if (part.phase !== phase) world.step(`the boot: ${part.phase}`);
      phase = part.phase;
      if (vm === undefined) world.engine.play(part.words);
      else vm.vcpu(0).playTrace(part.words);
    }
    if (vm === undefined) return;
    world.tell("exits for set/way", vm.statistics.exits["set/way"]);
    world.tell("whole-VM flushes", vm.statistics.wholeVmFlushes);
  },
});
