/** CPUs that come and go: the one right use of set/way, and what a core that starts with its caches off can see. */
import type { Cpu } from "../../cpu/cpu.ts";
import { setWayOperand } from "../../engine/record.ts";
import { defineStory } from "../story.ts";

const BYTES = 4096;

const powerDown = defineStory({
  name: "cpu-power-down",
  number: 17,
  title: "a core is powered off with dirty lines of its own",
  source:
    "The talk: set/way is for power management, by a core on its own caches with nobody else in between; Linux's " +
    "v7_exit_coherency_flush, PSCI firmware.",
  machine: "exynos3250",
  needs: ["caches", "two cores"],
  fixes: {
    "set-way": "the core turns its caches off, then cleans and invalidates them by set/way, then leaves",
    "by-va": "the core cleans and invalidates the page by VA, if only somebody knew which",
  },
  expect: ({ has }) => (has("set-way") || has("by-va") ? [] : ["lost-write", "stale-read"]),
  play(world) {
    const [stays, leaves] = [world.core(0), world.core(1)];
    const page = world.allocate(BYTES);
    world.step("core 1 writes a page");
    leaves.fill(page, BYTES, 0x17n);
    world.step("core 1 says good-bye");
    if (world.has("set-way")) {
      leaves.sctlr({ m: false, c: false, i: false });
      leaves.setWayLoop("flushDcacheAll");
      leaves.dsb();
    } else if (world.has("by-va")) {
      leaves.maintain("DC_CIVAC", page, BYTES);
      leaves.dsb();
    }
    world.step("power is cut: what only its own caches hold is gone");
    losePower(leaves);
    world.step("core 0 reads the page");
    stays.touch(page, BYTES);
  },
});

/** Drops every line of the caches that only this core has: DC ISW is what losing power does to them. */
function losePower(cpu: Cpu): void {
  for (const cache of cpu.engine.machine.caches) {
    if (cache.cores.length !== 1 || cache.cores[0] !== cpu.core || !cache.setWay) continue;
    for (let way = 0; way < cache.ways; way++) {
      for (let set = 0; set < cache.sets; set++) cpu.operation("DC_ISW", setWayOperand(cache, set, way));
    }
  }
}

const bringUp = defineStory({
  name: "secondary-bring-up",
  number: 17,
  title: "a second core starts with its caches off and reads what the first has written for it",
  source:
    "The talk, and Linux's secondary_data: a core comes out of reset with MMU and caches off, so that its stack " +
    "pointer and page tables must be in memory (arch/arm/kernel/smp.c: sync_cache_w).",
  machine: "exynos3250",
  needs: ["caches", "two cores"],
  fixes: {
    "by-va": "the first core cleans what it wrote by VA to the PoC",
    "set-way": "the first core cleans all its sets and ways instead",
  },
  expect: ({ has, machine }) => (has("by-va") || (has("set-way") && machine.setWayReachesPoc) ? [] : ["stale-read"]),
  play(world) {
    const [first, second] = [world.core(0), world.core(1)];
    const data = world.allocate(64);
    second.sctlr({ m: false, c: false, i: false });
    world.step("core 0 writes the second core's stack pointer and page table address");
    first.store(data, 0xc000_1000n);
    first.store(data + 8, 0x4000_4000n);
    if (world.has("by-va")) first.maintain("DC_CVAC", data, 16);
    if (world.has("set-way")) first.setWayLoop("flushDcacheAll", "DC_CSW");
    first.dsb();
    world.step("core 1 comes out of reset and reads them");
    second.load(data);
    second.load(data + 8);
    world.step("core 1 turns its caches on");
    second.operation("IC_IALLU");
    second.dsb();
    second.sctlr({ m: true, c: true, i: true });
    second.isb();
    world.check("and now sees them", second.load(data), 0xc000_1000n);
  },
});

const garbage = defineStory({
  name: "secondary-l1-garbage",
  number: 17,
  title: "a second core's L1 holds dirty leftovers when it starts",
  source:
    "Linux's v7_invalidate_l1: an L1 can come out of reset with random contents; cleaning would write them to " +
    "memory, so that it is invalidated by set/way before the caches go on (arch/arm/mm/cache-v7.S: v7_invalidate_l1).",
  machine: "exynos3250",
  needs: [
    "two cores",
    {
      has: ({ resolved }) => {
        const l1d = resolved.caches[resolved.cores[1]?.l1d ?? -1];
        const outer = resolved.caches.find(({ depth, cores }) => depth === 2 && cores.includes(1));
        return l1d?.setWay === true && (outer === undefined || outer.inclusionOfData === "exclusive");
      },
      lacks: "fills its L2 beside L1, so that leftovers can't be in L1 alone",
    },
  ],
  fixes: {
    "invalidate-l1": "DC ISW over all sets and ways of L1, before anything else",
    clean: "DC CISW instead: looks safer, and writes the leftovers over the newest data",
  },
  expect: ({ has }) => (has("clean") || !has("invalidate-l1") ? ["lost-write", "stale-read"] : []),
  play(world) {
    const [first, second] = [world.core(0), world.core(1)];
    const page = world.allocate(4096);
    world.step("before its reset core 1 has dirtied a line");
    second.store(page, 0xdeadn);
    second.sctlr({ m: false, c: false, i: false });
    world.step("core 0, which doesn't look at a core in reset, writes memory");
    first.store(page, 0x900dn, { attribute: "NON_CACHEABLE" });
    world.step("core 1 starts");
    if (world.has("invalidate-l1")) second.setWayLoop("invalidateL1");
    else if (world.has("clean")) second.setWayLoop("invalidateL1", "DC_CISW");
    second.dsb();
    second.sctlr({ m: true, c: true, i: true });
    world.tell("core 1 reads", second.load(page));
    world.step("the line is replaced some day");
    world.replace(second, page);
    world.tell("memory has", first.load(page, { attribute: "NON_CACHEABLE" }));
  },
});

export default [powerDown, bringUp, garbage];
