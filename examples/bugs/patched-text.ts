/**
 * A kernel patches itself while it runs, clean to the Point of Unification: far enough for cores whose MMU is on. One that
 * comes back with its MMU off may speculate the same lines from memory into its instruction cache, and keep them.
 */
import { defineStory, type MachineTraits } from "setway";

const [OLD, NEW] = [0x1111_1111n, 0x2222_2222n];

/** What is cleaned to the PoU stays in a cache of core 0; elsewhere (no L2, or an exclusive one) it goes on to memory. */
const keepsWhatIsCleaned = ({ resolved }: MachineTraits) =>
  resolved.caches.some(
    ({ holds, inclusionOfData, cores }) => holds === "unified" && inclusionOfData !== "exclusive" && cores.includes(0),
  );

export default defineStory({
  name: "patched-text",
  title: "a core that is plugged in executes kernel text as it was before it was patched",
  source: "Linux 8ec41987436d: arm64: mm: ensure patched kernel text is fetched from PoU",
  machine: "seattle",
  needs: ["two cores", { has: keepsWhatIsCleaned, lacks: "has no cache that keeps what is cleaned to the PoU" }],
  fixes: { "invalidate-i-cache": "the core empties its instruction cache once its MMU is on" },
  expect: ({ has }) => (has("invalidate-i-cache") ? [] : ["stale-fetch"]),
  play(world) {
    const [boot, other] = [world.core(0), world.core(1)];
    const text = world.allocate(4096);
    world.watch("the instruction", text);

    world.step("the boot loader has cleaned the kernel to the PoC");
    boot.fill(text, 4096, OLD);
    boot.maintain("DC_CIVAC", text, 4096);
    boot.dsb();
    world.step("core 0 patches an instruction: clean to the PoU, instruction caches invalidated");
    boot.store(text, NEW, { size: 4 });
    boot.maintain("DC_CVAU", text, 4);
    boot.dsb();
    boot.maintain("IC_IVAU", text, 4);
    boot.dsb();
    boot.isb();
    world.step("core 1 starts, its MMU off, and speculates into the kernel");
    other.sctlr({ m: false, c: false, i: true });
    other.prefetchCode(text);
    world.step("it turns its MMU on and executes the instruction");
    other.sctlr({ m: true, c: true, i: true });
    if (world.has("invalidate-i-cache")) {
      other.operation("IC_IALLU");
      other.dsb();
      other.isb();
    }
    world.tell("the instruction", other.fetch(text));
  },
});
