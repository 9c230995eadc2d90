/**
 * What it costs to make new instructions visible, by bytes patched: Linux's caches_clean_inval_pou (arm-facts B.5) on
 * cores with and without CTR_EL0.IDC and DIC, then an ISB and the first execution on every core that runs the code.
 */
import { SetwayError } from "../engine/errors.ts";
import { BatchingCpu } from "./batching-cpu.ts";
import { withFeatures } from "./machine-variants.ts";
import { bufferOf } from "./memory.ts";
import { metered, sumOf } from "./meter.ts";
import { defineStudy, milliseconds } from "./study.ts";

const FEATURES = {
  neither: { idc: false, dic: false },
  idc: { idc: true, dic: false },
  dic: { idc: false, dic: true },
  "idc+dic": { idc: true, dic: true },
} as const;

export const jit = defineStudy({
  name: "jit",
  summary: "cleaning and invalidating patched code, by bytes patched, against IDC and DIC",
  machine: "graviton3",
  parameters: {
    bytes: {
      summary: "bytes of code patched",
      unit: "bytes",
      least: 4,
      most: 2 ** 24,
      factor: 4,
      default: "64..64KiB",
    },
    features: {
      summary: "what CTR_EL0 says, whatever the machine's own says",
      words: ["neither", "idc", "dic", "idc+dic"],
      default: "all",
    },
    by: {
      summary: "who does it: the program itself, or the kernel in a system call, as AArch32 programs must ask for",
      words: ["program", "syscall"],
      default: "program",
    },
    cores: {
      summary: "cores that execute the code before and after",
      unit: "count",
      least: 1,
      most: 1024,
      whole: true,
      default: "1",
    },
  },
  columns: [
    { key: "cleans", title: "DC CVAU", summary: "lines cleaned to the PoU" },
    { key: "invalidates", title: "IC IVAU", summary: "lines invalidated in the instruction caches" },
    { key: "barriers", title: "DSB+ISB", summary: "barriers of all cores" },
    { key: "writeCycles", title: "write cycles", summary: "storing the new code, 8 bytes a store" },
    {
      key: "maintenanceCycles",
      title: "maintenance cycles",
      summary: "maintenance, barriers and the system call, of all cores",
    },
    { key: "firstRunCycles", title: "first run cycles", summary: "fetching every line once, of all cores" },
    { key: "cycles", title: "total cycles", summary: "all three together" },
    { key: "cyclesPerByte", title: "cycles a byte", summary: "the total for each byte patched", digits: 2 },
    { key: "microseconds", title: "us", summary: "the total at the assumed clock, as if one core did all", digits: 2 },
  ],
  chart: { x: ["bytes", "cores"], y: [{ key: "cycles", label: "total" }], yTitle: "cycles" },
  assumptions: [
    "every core has executed the old code just before",
    "with IDC the clean is left out and one DSB stays, with DIC the invalidate; the ISB never goes (Linux 6.12, caches_clean_inval_pou)",
    "fetches are one a line; branch prediction and decoding cost nothing",
  ],
  check: (machine, { cores }) => {
    if (cores <= machine.cores.length) return;
    throw new SetwayError("usage", "--cores: more than the machine has", {
      found: String(cores),
      expected: `1 to ${machine.cores.length} (${machine.name})`,
    });
  },
  measure: ({ bytes, features, by, cores }, { machine: given, createEngine, ghz }) => {
    const machine = withFeatures(given, FEATURES[features]);
    const { idc, dic } = machine;
    const engine = createEngine(machine);
    const cpus = Array.from({ length: cores }, (_, core) => new BatchingCpu(engine, core));
    const writer = cpus[0]!;
    const code = bufferOf(machine, bytes);
    const line = machine.smallestLineBytes;
    const step = (work: (cpu: BatchingCpu) => void, on: readonly BatchingCpu[]) =>
      metered(engine, () => {
        for (const cpu of on) {
          work(cpu);
          cpu.finish();
        }
      });
    const execute = (cpu: BatchingCpu) => {
      for (let at = code; at < code + bytes; at += line) cpu.fetch(at);
    };
    for (const cpu of cpus) {
      execute(cpu);
      cpu.finish();
    }

    const write = step(
      (cpu) => {
        for (let at = code; at < code + bytes; at += 8) cpu.store(at, 7n, { size: Math.min(8, code + bytes - at) });
      },
      [writer],
    );
    const clean = step(
      (cpu) => {
        if (by === "syscall") cpu.charge("syscall");
        if (!idc) cpu.maintain("DC_CVAU", code, bytes);
        cpu.dsb();
      },
      [writer],
    );
    const invalidate = step(
      (cpu) => {
        if (dic) return;
        cpu.maintain("IC_IVAU", code, bytes);
        cpu.dsb();
      },
      [writer],
    );
    const synchronize = step((cpu) => cpu.isb(), cpus);
    const run = step(execute, cpus);

    const maintenance = sumOf([clean, invalidate, synchronize]);
    const cycles = write.cycles + maintenance.cycles + run.cycles;
    return {
      cleans: clean.events.maintenance,
      invalidates: invalidate.events.maintenance,
      barriers: maintenance.events.dsb + maintenance.events.isb,
      writeCycles: write.cycles,
      maintenanceCycles: maintenance.cycles,
      firstRunCycles: run.cycles,
      cycles,
      cyclesPerByte: cycles / bytes,
      microseconds: 1000 * milliseconds(cycles, ghz),
    };
  },
});
