/**
 * What a guest's set/way loop costs: on the hardware, one exit an operation (3.9), a flush of the whole VM by VA (4.1), or
 * nothing but the exits (FEAT_S2FWB). The flush's lines are played for a sample and added for the rest.
 */
import { SetwayError } from "../engine/errors.ts";
import { HCR } from "../engine/system-registers.ts";
import {
  ERAS,
  type EraName,
  type EraPolicy,
  Hypervisor,
  type Vcpu,
  type Vm,
  type VmStatistics,
} from "../hypervisor/index.ts";
import { formatBytes } from "../machine/quantity.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { withFeatures } from "./machine-variants.ts";
import { metered } from "./meter.ts";
import type { ValuesOf } from "./parameter.ts";
import { defineStudy, milliseconds, type StudyContext } from "./study.ts";

type Method = "native" | "per-operation" | "whole-vm" | "fwb";
const ERA_OF: Readonly<Record<Method, EraName>> = {
  native: "none",
  "per-operation": "3.9",
  "whole-vm": "4.1",
  fwb: "fwb",
};

const PAGE_BYTES = 4096;
const BLOCK_BYTES = 2 ** 21;

const parameters = {
  guest: {
    summary: "the VM's memory",
    unit: "bytes",
    least: 64 * 2 ** 20,
    most: 64 * 2 ** 30,
    factor: 4,
    default: "64MiB..64GiB",
  },
  mapped: {
    summary: "share of it that stage 2 maps, from its lowest address up",
    unit: "%",
    least: 1,
    most: 100,
    factor: 10,
    default: "100",
  },
  dirty: {
    summary: "share of the mapped lines that the guest has just written; caches keep of them what they can",
    unit: "%",
    least: 0,
    most: 100,
    default: "1",
  },
  mapping: { summary: "leaves of stage 2: 4 KiB pages or 2 MiB blocks", words: ["page", "block"], default: "block" },
  geometry: {
    summary: "what the guest reads of the caches; fabricated (1 set, 1 way a level) only where operands are ignored",
    words: ["host", "fabricated"],
    default: "all",
  },
  method: {
    summary: "what a set/way operation does: eras none, 3.9, 4.1, and FEAT_S2FWB's",
    words: ["native", "per-operation", "whole-vm", "fwb"],
    default: "native,per-operation,whole-vm",
  },
  vcpus: {
    summary: "virtual CPUs, each on a core of its own; one runs the loop, the others keep a working set warm",
    unit: "count",
    least: 1,
    most: 100,
    whole: true,
    default: "1",
  },
  "working-set": {
    summary: "what each of the others has written, and writes again afterwards",
    unit: "bytes",
    least: 64,
    most: 2 ** 20,
    single: true,
    default: "16KiB",
  },
  sequence: {
    summary: "one loop with the caches on; or a zImage boot of 4.1: on, loop, off, loop, DC ISW of L1, on",
    words: ["loop", "boot"],
    default: "loop",
  },
  sample: {
    summary: "how much mapped memory is really played; more where the caches are larger",
    unit: "bytes",
    least: BLOCK_BYTES,
    most: 2 ** 30,
    single: true,
    default: "16MiB",
  },
} as const;
type Values = ValuesOf<typeof parameters>;

export const setwayEmulation = defineStudy({
  name: "setway-emulation",
  summary: "set/way by a guest: exits, lines, cycles and time, native, trapped, or as a flush of the whole VM by VA",
  machine: "seattle",
  parameters,
  columns: [
    { key: "exits", title: "exits", summary: "set/way operations that trapped" },
    { key: "otherExits", title: "other exits", summary: "virtual-memory registers, CLIDR and CCSIDR" },
    { key: "flushes", title: "flushes", summary: "of the whole VM by VA" },
    { key: "operations", title: "set/way ops", summary: "set/way operations that hardware executed" },
    { key: "lines", title: "lines by VA", summary: "DC CIVAC of all flushes" },
    { key: "cycles", title: "cycles", summary: "of the core that runs the loop, exits included" },
    { key: "milliseconds", title: "ms", summary: "the same at the assumed clock", digits: 3 },
    {
      key: "lockMilliseconds",
      title: "lock ms",
      summary: "the longest that a stage-2 fault of another virtual CPU waits for mmu_lock: one flush",
      digits: 3,
    },
    {
      key: "refillCycles",
      title: "refill cycles",
      summary: "what each of the others pays more to write its working set again",
    },
  ],
  chart: {
    x: ["guest", "mapped", "vcpus", "dirty"],
    y: [{ key: "milliseconds", label: "ms" }],
    yTitle: "milliseconds of the core that runs the loop",
  },
  assumptions: [
    "the guest's memory is mapped before, and in no cache but for what it and the others have just written",
    "walking all memslots' stage-2 leaves and the flush by VA hold mmu_lock; the other virtual CPUs go on meanwhile",
    "fabricated geometry is what Linux 6.12 makes up from CTR_EL0",
  ],
  check: (machine, { vcpus }) => {
    if (vcpus <= machine.cores.length) return;
    throw new SetwayError("usage", "--vcpus: more than the machine has cores", {
      found: String(vcpus),
      expected: `1 to ${machine.cores.length} (${machine.name}); or --machine host-100c, altra-2s`,
    });
  },
  applies: ({ method, geometry }) => geometry === "host" || method === "whole-vm" || method === "fwb",
  measure: (values, context) => {
    const { guest, mapped, mapping, method } = values;
    const unit = mapping === "block" ? BLOCK_BYTES : PAGE_BYTES;
    const line = context.machine.smallestLineBytes;
    const mappedBytes = Math.max(unit, Math.round((guest * mapped) / 100 / unit) * unit);
    const played = playSample(values, mappedBytes, context);
    const { flushes, sampleBytes } = played;
    const restLines = (mappedBytes - sampleBytes) / line;
    if (flushes > 0 && restLines > 0) context.note(scalingNote(played));
    if (method === "fwb" && context.machine.features?.fwb !== true) {
      context.note(`${context.machine.name} lacks FEAT_S2FWB: method fwb is played as if it had it`);
    }
    const cycles = played.cycles + flushes * restLines * played.cyclesPerLine;
    const flushCycles = flushes > 0 ? played.flushCycles / flushes + restLines * played.cyclesPerLine : 0;
    return {
      exits: played.exits,
      otherExits: played.otherExits,
      flushes,
      operations: played.operations,
      lines: played.lines + flushes * restLines,
      cycles: Math.round(cycles),
      milliseconds: milliseconds(cycles, context.ghz),
      lockMilliseconds: milliseconds(flushCycles, context.ghz),
      refillCycles: Math.round(played.refillCycles),
    };
  },
});

interface Played {
  readonly sampleBytes: number;
  readonly exits: number;
  readonly otherExits: number;
  readonly flushes: number;
  readonly operations: number;
  readonly lines: number;
  readonly cycles: number;
  /** Of all flushes together. */
  readonly flushCycles: number;
  /** Of one line that no cache has, its share of the stage-2 walk included. */
  readonly cyclesPerLine: number;
  readonly refillCycles: number;
}

/** Plays as much of the VM as is needed; beyond that a line more costs what a line costs that no cache has (R32). */
function playSample(values: Values, mappedBytes: number, context: StudyContext): Played {
  const { mapping, geometry, method, vcpus, sequence, dirty } = values;
  const line = context.machine.smallestLineBytes;
  const workingSet = Math.ceil(values["working-set"] / PAGE_BYTES) * PAGE_BYTES;
  const needed = Math.max(values.sample, vcpus * workingSet, dirty > 0 ? 2 * cacheBytes(context.machine) : 0);
  const sampleBytes = Math.min(mappedBytes, Math.ceil(needed / BLOCK_BYTES) * BLOCK_BYTES);
  const dirtyBytes = Math.min(sampleBytes, Math.floor(((mappedBytes / line) * dirty) / 100) * line);
  const facts = { mapping, geometry, method, vcpus, sequence, sampleBytes, dirtyBytes, workingSet };
  return context.once(facts, () => play(facts, context));
}

interface Facts {
  readonly mapping: "page" | "block";
  readonly geometry: "host" | "fabricated";
  readonly method: Method;
  readonly vcpus: number;
  readonly sequence: "loop" | "boot";
  readonly sampleBytes: number;
  readonly dirtyBytes: number;
  readonly workingSet: number;
}

function play(facts: Facts, context: StudyContext): Played {
  const { method, geometry, vcpus, sequence, sampleBytes, dirtyBytes } = facts;
  const machine = method === "fwb" ? withFeatures(context.machine, { fwb: true }) : context.machine;
  const engine = context.createEngine(machine);
  // What happens when the memory is mapped is no part of what is measured.
  const without = ["flush at map", "instruction cache"] as const;
  const hypervisor = new Hypervisor(engine, { era: ERA_OF[method], policy: policyFor(method, geometry), without });
  const vm = hypervisor.createVm({
    memory: [{ bytes: sampleBytes, mapping: facts.mapping }],
    vcpus,
    starts: sequence === "boot" ? "reset" : "caches on",
  });
  const others = vm.vcpus.slice(1);
  for (const other of others) other.sctlr({ m: true, c: true, i: true });
  vm.populate(undefined, undefined, { zero: false });
  const flushByHost = () => vm.flush();
  flushByHost();

  const guest = vm.vcpu(0);
  const parts: Part[] = [];
  if (sequence === "boot") parts.push(measured(vm, guest, () => guest.sctlr({ m: true, c: true, i: true })));
  for (let at = vm.base; at < vm.base + dirtyBytes; at += PAGE_BYTES) {
    guest.store(at, 1n, { size: Math.min(PAGE_BYTES, vm.base + dirtyBytes - at) });
  }
  const useWorkingSets = () => {
    for (const other of others) other.store(vm.base + other.index * facts.workingSet, 2n, { size: facts.workingSet });
  };
  useWorkingSets();
  const warm = metered(engine, useWorkingSets).cycles;
  parts.push(measured(vm, guest, () => guest.setWayLoop(sequence === "boot" ? "decompressorFlush" : "flushDcacheAll")));
  const cold = metered(engine, useWorkingSets).cycles;
  if (sequence === "boot") {
    parts.push(
      measured(vm, guest, () => {
        guest.sctlr({ m: false, c: false, i: true });
        guest.setWayLoop("decompressorFlush");
        guest.setWayLoop("invalidateL1");
        guest.sctlr({ m: true, c: true, i: true });
      }),
    );
  }
  const total = parts.reduce(sum);
  const again = metered(engine, flushByHost);
  return {
    sampleBytes,
    ...total,
    cyclesPerLine: (again.cycles - (again.byCause.exit ?? 0)) / again.machine.flushedLines,
    refillCycles: others.length > 0 ? (cold - warm) / others.length : 0,
  };
}

type Part = Pick<Played, "exits" | "otherExits" | "flushes" | "operations" | "lines" | "cycles" | "flushCycles">;

const sum = (a: Part, b: Part): Part => ({
  exits: a.exits + b.exits,
  otherExits: a.otherExits + b.otherExits,
  flushes: a.flushes + b.flushes,
  operations: a.operations + b.operations,
  lines: a.lines + b.lines,
  cycles: a.cycles + b.cycles,
  flushCycles: a.flushCycles + b.flushCycles,
});

function measured(vm: Vm, guest: Vcpu, work: () => void): Part {
  const before = snapshot(vm.statistics);
  const spent = metered(vm.hypervisor.engine, work);
  const after = snapshot(vm.statistics);
  const core = spent.of(guest.core);
  const exits = after.setWay - before.setWay;
  const flushes = after.flushes - before.flushes;
  const lines = spent.machine.flushedLines;
  return {
    exits,
    otherExits: after.exits - before.exits - exits,
    flushes,
    // A flushed line counts as one maintenance event too (D54).
    operations: core.events.maintenance - lines,
    lines,
    cycles: core.cycles,
    flushCycles: flushes > 0 ? core.cycles - (core.byCause.exit ?? 0) - (core.byCause.entry ?? 0) : 0,
  };
}

function snapshot({ exits, wholeVmFlushes }: VmStatistics) {
  return {
    setWay: exits["set/way"],
    exits: Object.values(exits).reduce((total, count) => total + count, 0),
    flushes: wholeVmFlushes,
  };
}

/** The era's own policy, with the geometry that is asked for. */
function policyFor(method: Method, geometry: "host" | "fabricated"): Partial<EraPolicy> {
  const { hcr } = ERAS[ERA_OF[method]];
  return { geometry, hcr: geometry === "fabricated" ? hcr | HCR.TID2 : hcr & ~HCR.TID2 };
}

/** Everything that can be dirty at once on one core's way to memory. */
function cacheBytes({ caches, outer, memorySide }: ResolvedMachine): number {
  const size = ({ sets, ways, lineBytes }: { sets: number; ways: number; lineBytes: number }) =>
    sets * ways * lineBytes;
  const served = caches.filter(({ cores, holds }) => holds !== "instructions" && cores.includes(0));
  const behind = [outer, ...new Set(memorySide)].filter((cache) => cache !== undefined);
  return [...served, ...behind].reduce((total, cache) => total + size(cache), 0);
}

const scalingNote = ({ sampleBytes, cyclesPerLine }: Played): string =>
  `played ${formatBytes(sampleBytes)} of mapped memory; every line beyond is added at the ${cyclesPerLine.toFixed(2)} cycles ` +
  "that a line costs which no cache holds, measured by a second flush: cost per line is additive (R32)";
