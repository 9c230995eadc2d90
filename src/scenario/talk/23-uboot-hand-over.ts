/** U-Boot hands over to Linux: recorded from reset, flushing by set/way with its caches already off, or still on. */
import { OPERATIONS, SCTLR_C } from "../../engine/operations.ts";
import { operationOf } from "../../trace/entry.ts";
import { type ReplayOptions, replay } from "../replay.ts";
import { defineStory, type ExpectedHazards, type Situation } from "../story.ts";
import type { RecordedTrace, World } from "../world.ts";

const LINE_BYTES = 64;

const common = {
  number: 23,
  source:
    "U-Boot 2023.01 on QEMU virt, recorded: cleanup_before_linux flushes and invalidates by set/way, which reaches " +
    "memory only where no cache lies beyond CLIDR_EL1.",
  starts: "reset",
  // Neither MMIO nor DMA was recorded.
  recorded: { dma: false },
  eras: ["bare", "none", "3.9", "4.1", "modern"],
  fixes: { "by-va": "at the hand-over, every line that U-Boot has written is cleaned and invalidated by VA instead" },
} as const;

/** 64-bit: SCTLR.M and C are cleared first, then come the loops. */
const caches64 = defineStory({
  ...common,
  name: "uboot64-hand-over",
  title: "64-bit U-Boot turns its caches off, then flushes them by set/way and starts Linux",
  machine: "seattle",
  traces: ["uboot64-fw"],
  expect: expected,
  async play(world) {
    play(world, await world.trace("uboot64-fw"));
  },
});

/** 32-bit: the loop runs with the caches on, and dirties its own stack. */
const caches32 = defineStory({
  ...common,
  name: "uboot32-hand-over",
  title: "32-bit U-Boot flushes its caches by set/way, then turns them off and starts Linux",
  machine: "kunpeng916-2s",
  needs: ["aarch32"],
  traces: ["uboot32-fw"],
  expect: expected,
  async play(world) {
    play(world, await world.trace("uboot32-fw"));
  },
});

function expected({ has, era, machine }: Situation<"by-va">): ExpectedHazards {
  if (era === "4.1" || era === "modern" || !machine.caches) return [];
  // Without maintenance at map the host's zeroes lie, dirty, over what the guest, its caches off, writes to memory. With its
  // caches on it reads and executes them, and where they are replaced they go over what it wrote: long before the hand-over.
  if (era !== "bare") return ["stale-read", "stale-fetch", "lost-write"];
  return has("by-va") || machine.setWayReachesPoc ? [] : ["stale-read"];
}

/** The flash that U-Boot runs from, and RAM. */
const GUEST_MEMORY = [
  { base: 0, bytes: 0x0800_0000, name: "flash" },
  { base: 0x4000_0000, bytes: 0x2000_0000, name: "RAM" },
];

function play(world: World<"by-va">, trace: RecordedTrace): void {
  const handOver = flushes(trace);
  const guest =
    world.era === "bare" ? undefined : world.hypervisor().createVm({ memory: GUEST_MEMORY, starts: "reset" }).vcpu(0);
  const replayed = (options: ReplayOptions): number =>
    guest === undefined
      ? world.replay(trace, options)
      : replay(world.engine, () => guest, trace.words, { ...options, play: (words) => guest.playTrace(words) });
  world.step("from reset to the hand-over: U-Boot runs");
  replayed({ end: handOver });
  const lines = linesWritten(trace, handOver);
  world.tell("lines that U-Boot has written with its caches on", lines.length);
  world.step(world.has("by-va") ? "the hand-over, by VA" : "the hand-over, by set/way");
  const loops = replayed({
    first: handOver,
    setWay: (cpu, operation) => {
      if (!world.has("by-va")) {
        cpu.setWayLoop("flushDcacheAll", operation);
      } else if (operation === "DC_CISW") {
        for (const [base, bytes] of ranges(lines)) cpu.maintain("DC_CIVAC", base, bytes);
      }
    },
  });
  world.tell("loops over all sets and ways", loops);
}

/** Where the last loop of DC CISW begins. */
function flushes({ words }: RecordedTrace): number {
  for (let entry = 0; entry < words.length / 2; entry++) {
    if (operationOf(words[2 * entry + 1] as number) === OPERATIONS.DC_CISW.code) return entry;
  }
  return words.length / 2;
}

/** Line numbers, ascending, each once. */
function linesWritten({ words }: RecordedTrace, end: number): Uint32Array {
  const lines = new Uint32Array(end);
  let count = 0;
  let on = false;
  for (let entry = 0; entry < end; entry++) {
    const low = words[2 * entry] as number;
    const code = operationOf(words[2 * entry + 1] as number);
    if (code === OPERATIONS.SCTLR.code) on = (low & SCTLR_C) !== 0;
    // The recording's addresses fit 32 bits.
    else if (on && code === OPERATIONS.STORE.code) lines[count++] = Math.floor(low / LINE_BYTES);
  }
  return lines
    .subarray(0, count)
    .sort()
    .filter((line, index, all) => index === 0 || line !== all[index - 1]);
}

/** Lines one after another as address and length. */
function* ranges(lines: Uint32Array): Generator<readonly [number, number]> {
  for (let index = 0; index < lines.length; ) {
    const first = lines[index] as number;
    let count = 1;
    while (lines[index + count] === first + count) count++;
    yield [first * LINE_BYTES, count * LINE_BYTES];
    index += count;
  }
}

export default [caches64, caches32];
