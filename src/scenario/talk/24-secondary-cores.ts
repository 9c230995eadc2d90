/** Secondary cores of a real Linux boot coming up, each with its caches off at first. */
import { OPERATIONS } from "../../engine/operations.ts";
import { operationOf, requesterOf } from "../../trace/entry.ts";
import { defineStory } from "../story.ts";
import type { RecordedTrace } from "../world.ts";

/** How much of the boot is played before the first secondary core and after the last. */
const BEFORE = 300_000;
const AFTER = 60_000;

const BY_VA = new Set<number>(
  (["DC_IVAC", "DC_CVAC", "DC_CIVAC", "DC_CVAU", "IC_IVAU"] as const).map((name) => OPERATIONS[name].code),
);

export default defineStory({
  name: "secondary-cores",
  number: 24,
  title: "Linux brings up the secondary cores of a machine with four",
  source:
    "arm64 Linux 6.1 on four Cortex-A57 under QEMU, recorded: each secondary core enters with MMU and caches off, turns them " +
    "on and joins the others (Linux's head.S: secondary_entry, __enable_mmu).",
  machine: "seattle",
  needs: [{ has: ({ cores }) => cores >= 4, lacks: "has fewer than four cores" }],
  starts: "reset",
  traces: ["smp4-boot9M"],
  // DMA wasn't recorded.
  recorded: { dma: false },
  fixes: { "by-va": "the kernel's own maintenance by VA, as it was recorded" },
  defaults: ["by-va"],
  variants: [["by-va"], []],
  // What Linux patches in its own code is all that this part of the boot needs maintenance for.
  expect: ({ has, machine }) => (has("by-va") || machine.dic || !machine.instructionCaches ? [] : ["stale-fetch"]),
  async play(world) {
    const trace = await world.trace("smp4-boot9M");
    const arrivals = findArrivals(trace);
    const start = Math.max(0, (arrivals[0]?.first ?? 0) - BEFORE);
    world.step("core 0 is on; the part of the boot before the first secondary core");
    world.core(0).sctlr({ m: true, c: true, i: true });
    const leaveOut = world.has("by-va") ? {} : { leaveOut: (code: number) => BY_VA.has(code) };
    const requester = (index: number, recorded: number) => {
      const core = arrivals.find((each) => index >= each.controlFirst && index < each.controlEnd)?.core;
      return core !== undefined && isControl(trace, index) ? core : recorded;
    };
    let from = start;
    for (const { core, first, controlEnd } of arrivals) {
      world.replay(trace, { first: from, end: first, requester, ...leaveOut });
      world.step(`core ${core} comes out of reset, and turns its MMU and caches on`);
      world.replay(trace, { first, end: controlEnd, requester, ...leaveOut });
      world.step(`core ${core} is one of them`);
      from = controlEnd;
    }
    world.replay(trace, { first: from, end: Math.min(trace.words.length / 2, from + AFTER), requester, ...leaveOut });
  },
});

/** A secondary core's first record, and the entries in which it turns its caches on. */
interface Arrival {
  readonly core: number;
  readonly first: number;
  readonly controlFirst: number;
  readonly controlEnd: number;
}

/**
 * The recorder attributed control operations of code that core 0 had translated first to core 0. After core 0's own two
 * writes of SCTLR come pairs, caches off and on: the first pair is that of the core that appears first, and so on.
 */
function findArrivals({ words }: RecordedTrace): Arrival[] {
  const cores: { readonly core: number; readonly first: number }[] = [];
  const writes: number[] = [];
  const seen = new Set<number>([0]);
  for (let entry = 0; entry < words.length / 2; entry++) {
    const high = words[2 * entry + 1] as number;
    if (operationOf(high) === OPERATIONS.SCTLR.code) writes.push(entry);
    const core = requesterOf(high);
    if (seen.has(core)) continue;
    seen.add(core);
    cores.push({ core, first: entry });
  }
  return cores.flatMap(({ core, first }, index) => {
    const [off, on] = [writes[2 + 2 * index], writes[3 + 2 * index]];
    if (off === undefined || on === undefined) return [];
    // IC IALLU, DSB and ISB follow at once.
    return [{ core, first: Math.min(first, off), controlFirst: off, controlEnd: on + 16 }];
  });
}

function isControl({ words }: RecordedTrace, entry: number): boolean {
  const code = operationOf(words[2 * entry + 1] as number);
  return (
    code === OPERATIONS.SCTLR.code ||
    code === OPERATIONS.IC_IALLU.code ||
    code === OPERATIONS.TLBI_ALL.code ||
    code === OPERATIONS.ISB.code
  );
}
