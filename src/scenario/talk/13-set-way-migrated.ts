/** A virtual CPU is moved in the middle of a loop over sets and ways: half of it happens here, half of it there. */
import { SET_WAY_ROUTINES } from "../../machine/setway.ts";
import { defineStory } from "../story.ts";

const BYTES = 0x8000;

export default defineStory({
  name: "set-way-migrated",
  number: 13,
  title: "a guest is descheduled half-way through its set/way loop and goes on on another core",
  source:
    "The talk: set/way is for one core, and a virtual CPU isn't one. 3.9 kept a mask of cores that owe a flush; 4.1 " +
    "gave up and flushes the VM by VA (3c1e71650833).",
  machine: "juno",
  needs: ["caches", { has: ({ peerOutOfReach }) => peerOutOfReach >= 0, lacks: "has no core out of core 0's reach" }],
  eras: ["none", "3.9", "4.1", "modern", "fwb"],
  fixes: { "by-va": "the guest cleans and invalidates by VA instead" },
  expect: ({ has, era, machine }) => {
    if (has("by-va") || era === "4.1" || era === "modern" || era === "fwb") return [];
    return machine.caches ? { must: ["stale-read"], may: [] } : [];
  },
  play(world) {
    const vm = world.hypervisor().createVm({ memory: BYTES, starts: "caches on" });
    const cpu = vm.vcpu(0);
    const elsewhere = world.machine.peerOutOfReach;

    world.step("the guest fills its memory on core 0");
    cpu.fill(vm.base, BYTES, 0x15n);
    world.watch("the first line", vm.physical(vm.base));

    if (world.has("by-va")) {
      world.step("it begins to flush by VA, is moved, and goes on");
      cpu.maintain("DC_CIVAC", vm.base, BYTES / 2);
      cpu.runOn(elsewhere);
      cpu.maintain("DC_CIVAC", vm.base + BYTES / 2, BYTES / 2);
    } else {
      world.step(`it begins its loop, is moved to core ${elsewhere}, and goes on`);
      const operands = [...SET_WAY_ROUTINES.flushDcacheAll.operands(cpu.cacheRegisters)];
      for (const [index, operand] of operands.entries()) {
        // A few sets in: what the loop has not reached yet stays behind.
        if (index === Math.min(16, operands.length >> 1)) cpu.runOn(elsewhere);
        cpu.operation("DC_CISW", operand);
      }
      world.tell("operations by set/way", operands.length);
    }
    cpu.dsb();

    world.step("it turns its caches off and reads its memory");
    cpu.sctlr({ m: false, c: false, i: false });
    cpu.touch(vm.base, BYTES);
    world.tell("whole-VM flushes", vm.statistics.wholeVmFlushes);
  },
});
