/** Instructions that a program has just written: what it takes until a core, this one or another, executes them. */
import type { Cpu } from "../../cpu/cpu.ts";
import { defineStory } from "../story.ts";
import type { World } from "../world.ts";

const CODE_BYTES = 256;
const LINE_BYTES = 32;
const OLD = 0x1111_1111n;
const NEW = 0x2222_2222n;

type Fix = "clean" | "invalidate" | "isb" | "linux" | "syscall" | "idc" | "dic";

export default defineStory({
  name: "code-loading",
  number: 7,
  title: "a JIT rewrites code that both it and another core have executed",
  source:
    "The talk on instruction caches: DC CVAU, DSB, IC IVAU, DSB, ISB, each for a reason; CTR_EL0.IDC and DIC make " +
    "the first and the third superfluous, nothing does so for the ISB, and 32-bit programs need a system call (Linux " +
    "6.12 arch/arm64/mm/cache.S: caches_clean_inval_pou; arch/arm cacheflush).",
  machine: "seattle",
  needs: ["two cores"],
  fixes: {
    clean: "DC CVAU for each line, DSB",
    invalidate: "IC IVAU for each line, DSB",
    isb: "an ISB on each core that executes",
    linux: "caches_clean_inval_pou: reads CTR_EL0 and does what is needed, with the barriers; each core has its ISB",
    syscall: "AArch32 has no such instructions for programs: the cacheflush system call does it all",
    idc: "hardware: data caches need no clean to the PoU (CTR_EL0.IDC)",
    dic: "hardware: stores invalidate instruction caches (CTR_EL0.DIC)",
  },
  variants: [
    [],
    ["clean"],
    ["invalidate"],
    ["clean", "invalidate"],
    ["clean", "invalidate", "isb"],
    ["linux"],
    ["syscall"],
    ["idc"],
    ["dic"],
    ["idc", "dic"],
    ["invalidate", "isb", "idc"],
    ["clean", "isb", "dic"],
    ["linux", "idc"],
    ["linux", "dic"],
    ["linux", "idc", "dic"],
  ],
  changes: (has) => ({
    features: { ...(has("idc") ? { idc: true } : {}), ...(has("dic") ? { dic: true } : {}) },
  }),
  expect: ({ has, machine }) => {
    const all = has("linux") || has("syscall");
    const reachesPou = all || has("clean") || machine.idc || !machine.caches;
    const forgotten = all || has("invalidate") || machine.dic || !machine.instructionCaches;
    return reachesPou && forgotten ? [] : ["stale-fetch"];
  },
  play(world) {
    const cpu = world.core(0);
    const other = world.core(1);
    const code = world.allocate(CODE_BYTES);

    world.step("both cores execute the first version");
    write(cpu, code, OLD);
    cpu.maintain("DC_CVAU", code, CODE_BYTES);
    cpu.dsb();
    cpu.maintain("IC_IVAU", code, CODE_BYTES);
    cpu.dsb();
    for (const core of [cpu, other]) {
      core.isb();
      execute(core, code);
    }

    world.step("core 0 writes the second version");
    write(cpu, code, NEW);

    world.step("core 0 makes it executable");
    makeExecutable(world, cpu, code);

    world.step("core 0 executes it");
    if (world.has("isb") || world.has("linux") || world.has("syscall")) cpu.isb();
    world.tell("old instructions", execute(cpu, code));

    world.step("core 1 executes it");
    if (world.has("isb") || world.has("linux") || world.has("syscall")) other.isb();
    world.tell("old instructions", execute(other, code));
  },
});

function write(cpu: Cpu, code: number, instruction: bigint): void {
  for (let at = code; at < code + CODE_BYTES; at += 8) cpu.store(at, (instruction << 32n) | instruction);
}

/** Fetches each line, and returns how many were not the second version. */
function execute(cpu: Cpu, code: number): number {
  let old = 0;
  for (let at = code; at < code + CODE_BYTES; at += LINE_BYTES) if (cpu.fetch(at) !== NEW) old++;
  return old;
}

function makeExecutable(world: World<Fix>, cpu: Cpu, code: number): void {
  const { idc, dic } = world.machine;
  const linux = world.has("linux") || world.has("syscall");
  // Charged as the kernel's entry and return; the work itself is done at EL1.
  if (world.has("syscall")) cpu.charge("syscall");
  if (linux ? !idc || world.has("syscall") : world.has("clean")) cpu.maintain("DC_CVAU", code, CODE_BYTES);
  if (linux || world.has("clean")) cpu.dsb();
  if (linux ? !dic || world.has("syscall") : world.has("invalidate")) {
    cpu.maintain("IC_IVAU", code, CODE_BYTES);
    cpu.dsb();
  }
}
