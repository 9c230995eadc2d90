/**
 * Flush first, then turn the caches off: between the two the function returns to its caller through the stack, and dirties a
 * line. What is stored past the caches afterwards is lost when that line is written back.
 */
import { defineStory } from "setway";

const STACK = 4096;

export default defineStory({
  name: "mmu-disable-stack",
  title: "a function that turns the MMU off pushes to its stack between the flush and the switch",
  source: "coreboot e0058e89ef94: arm64: Reimplement mmu_disable() in assembly",
  machine: "rpi4",
  needs: ["caches"],
  fixes: { "registers-only": "after the flush nothing is stored until the MMU is off" },
  expect: ({ has }) => (has("registers-only") ? [] : ["stale-read", "lost-write"]),
  play(world) {
    const cpu = world.core(0);
    const stack = world.allocate(STACK);
    const frame = stack + STACK - 64;
    world.watch("the stack frame", frame);

    world.step("the stack is in use, and is flushed");
    cpu.fill(stack, STACK, 0x11);
    cpu.maintain("DC_CIVAC", stack, STACK);
    cpu.dsb();
    if (!world.has("registers-only")) {
      world.step("the compiler's epilogue and the next call push to the stack");
      cpu.store(frame, 0x22);
    }
    world.step("MMU and caches go off");
    cpu.sctlr({ m: false, c: false, i: false });
    world.tell("popped from the stack", cpu.load(frame));
    world.step("the program goes on and pushes again; later the line is replaced");
    cpu.store(frame + 8, 0x33);
    world.replace(cpu, frame);
    world.tell("popped from the stack", cpu.load(frame + 8));
  },
});
