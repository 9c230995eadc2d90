/**
 * What translation costs: memory references and cycles of walks, one stage or nested, with and without caches for the
 * walks, over how many pages a program touches.
 */
import { BareCpu } from "../cpu/bare.ts";
import type { Engine } from "../engine/engine.ts";
import { CONTEXT_WALKS } from "../engine/system-registers.ts";
import { Hypervisor, Stage1Tables } from "../hypervisor/index.ts";
import { AccessWords } from "./access-words.ts";
import { withTlb } from "./machine-variants.ts";
import { bufferOf } from "./memory.ts";
import { metered } from "./meter.ts";
import { defineStudy, type StudyContext } from "./study.ts";

const PAGE_BYTES = 4096;
const BLOCK_BYTES = 2 ** 21;
/** Room for stage-1 tables: 16384 pages need 32 last-level tables. */
const TABLE_BYTES = 2 ** 20;
/** Loads of one measured pass at least, so that single misses don't matter. */
const LEAST_ACCESSES = 4096;
const EL1 = 1n;
const EL2 = 2n;

export const tlb = defineStudy({
  name: "tlb",
  summary: "nested walk references and cycles, with and without walk caches",
  machine: "seattle",
  parameters: {
    pages: {
      summary: "pages of 4 KiB that are touched over and over, one load each, in no order",
      unit: "count",
      least: 1,
      most: 16384,
      whole: true,
      factor: 4,
      default: "64..16384",
    },
    stages: {
      summary: "who translates: stage 1 on bare metal, stage 2 under a guest without its own, or both",
      words: ["stage1", "stage2", "nested"],
      default: "all",
    },
    caches: {
      summary: "whether walks find tables (stage 1) and IPAs (stage 2) in caches of their own",
      words: ["walk-caches", "none"],
      default: "all",
    },
    "va-bits": {
      summary: "size of the stage-1 address space: three levels, or four",
      words: ["39", "48"],
      default: "48",
    },
    "ipa-bits": {
      summary: "size of the stage-2 address space: three levels up to 43, four beyond",
      words: ["40", "48"],
      default: "48",
    },
    leaves: {
      summary: "leaves of both stages: 4 KiB pages, or 2 MiB blocks",
      words: ["page", "block"],
      default: "page",
    },
  },
  columns: [
    { key: "coldReferences", title: "cold walk", summary: "table reads of one load after everything was invalidated" },
    { key: "missPercent", title: "miss %", summary: "loads that neither micro nor main TLB translated", digits: 2 },
    { key: "referencesPerMiss", title: "reads a miss", summary: "table reads of such a load", digits: 2 },
    {
      key: "walkCyclesPerLoad",
      title: "walk cycles",
      summary: "more than the same loads cost where nothing is translated",
      digits: 2,
    },
    { key: "cyclesPerLoad", title: "cycles a load", summary: "all of it, a load", digits: 2 },
  ],
  chart: {
    x: ["pages"],
    y: [{ key: "cyclesPerLoad", label: "cycles a load" }],
    yTitle: "cycles a load",
  },
  assumptions: [
    "every page is touched once before; loads are 8 bytes, each at the start of another line",
    "the order is a fixed pseudo-random permutation, the same in every row",
    "a walk's read costs its own latency and what the cache or memory that supplies it costs",
  ],
  measure: (values, context) => {
    const { pages, stages } = values;
    const machine = values.caches === "none" ? withTlb(context.machine, { walk: 0, ipa: 0 }) : context.machine;
    const engine = context.createEngine(machine);
    const program = stages === "stage1" ? onBareMetal(values, engine, context) : inGuest(values, engine);
    program.flush();
    const cold = metered(engine, () => program.play(loads(program.base, 1, 1)));
    program.play(loads(program.base, pages, pages));
    const passes = Math.ceil(LEAST_ACCESSES / pages);
    const words = loads(program.base, pages, passes * pages);
    const warm = metered(engine, () => program.play(words));
    const count = passes * pages;
    const misses = warm.tlbs.mainMisses;
    // The same lines by physical address, in the order and the caches that they have now.
    const flat = (loadCount: number) => () => program.playPhysical(loads(0, pages, loadCount, program.physical));
    flat(pages)();
    const untranslated = metered(engine, flat(count)).of(0).cycles;
    return {
      coldReferences: cold.machine.walkReads,
      missPercent: (100 * misses) / count,
      referencesPerMiss: misses > 0 ? warm.machine.walkReads / misses : 0,
      walkCyclesPerLoad: (warm.cycles - untranslated) / count,
      cyclesPerLoad: warm.cycles / count,
    };
  },
});

interface Program {
  /** Address of its first page. */
  readonly base: number;
  readonly play: (words: Uint32Array) => void;
  /** Plays at EL2, where addresses are physical. */
  readonly playPhysical: (words: Uint32Array) => void;
  readonly physical: (offset: number) => number;
  /** Every translation goes. */
  readonly flush: () => void;
}

interface Shape {
  readonly pages: number;
  readonly stages: "stage1" | "stage2" | "nested";
  readonly "va-bits": "39" | "48";
  readonly "ipa-bits": "40" | "48";
  readonly leaves: "page" | "block";
}

function onBareMetal(shape: Shape, engine: Engine, context: StudyContext): Program {
  const bytes = memoryOf(shape);
  const start = Math.ceil(bufferOf(context.machine, 2 * BLOCK_BYTES + bytes) / BLOCK_BYTES) * BLOCK_BYTES;
  const cpu = new BareCpu(engine, 0);
  const base = start + BLOCK_BYTES;
  mapAll(
    new Stage1Tables(cpu, { memory: { base: start, bytes: TABLE_BYTES }, vaBits: Number(shape["va-bits"]) }),
    shape,
    base,
  );
  cpu.sctlr({ m: true, c: true, i: true });
  cpu.msr("CONTEXT", EL1 | BigInt(CONTEXT_WALKS));
  return {
    base,
    play: (words) => engine.play(words),
    playPhysical: (words) => {
      cpu.msr("CONTEXT", EL2);
      engine.play(words);
    },
    physical: (offset) => base + offset,
    flush: () => cpu.tlbi("VMALLE1"),
  };
}

function inGuest(shape: Shape, engine: Engine): Program {
  const tables = shape.stages === "nested";
  // What maintenance costs when memory is mapped is another study's question.
  const without = ["flush at map", "instruction cache", "flush at SCTLR on"] as const;
  const hypervisor = new Hypervisor(engine, { era: "modern", without });
  const vm = hypervisor.createVm({
    memory: [{ bytes: BLOCK_BYTES + memoryOf(shape), mapping: shape.leaves }],
    ipaBits: Number(shape["ipa-bits"]),
    stage1: tables ? "tables" : "flat",
  });
  vm.populate(undefined, undefined, { zero: false });
  const guest = vm.vcpu(0);
  const base = vm.base + BLOCK_BYTES;
  if (tables) {
    mapAll(
      new Stage1Tables(guest, { memory: { base: vm.base, bytes: TABLE_BYTES }, vaBits: Number(shape["va-bits"]) }),
      shape,
      base,
    );
  }
  guest.sctlr({ m: true, c: true, i: true });
  return {
    base,
    play: (words) => guest.playTrace(words),
    playPhysical: (words) => {
      hypervisor.cores.asHost(0, () => {});
      engine.play(words);
    },
    physical: (offset) => vm.physical(base + offset),
    flush: () => hypervisor.cores.asHost(0, (records) => records.tlbi("ALLE1"), vm),
  };
}

const memoryOf = ({ pages }: Shape): number => Math.ceil((pages * PAGE_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;

function mapAll(tables: Stage1Tables, shape: Shape, base: number): void {
  tables.map(base, base, memoryOf(shape), { largest: shape.leaves === "page" ? "page" : "2 MiB" }).install();
}

/**
 * Loads of one line a page, in an order that neither TLBs nor caches can guess: a full-period generator over the pages.
 * `physical` says where an offset lies, if not at `base`.
 */
function loads(
  base: number,
  pages: number,
  count: number,
  physical: (offset: number) => number = (offset) => base + offset,
): Uint32Array {
  const words = new AccessWords();
  const how = { requester: 0, unitBytes: 8, attribute: "WRITE_BACK" } as const;
  const period = 2 ** Math.ceil(Math.log2(Math.max(pages, 2)));
  let page = 0;
  for (let done = 0; done < count; ) {
    page = (page * 1664525 + 1013904223) % period;
    if (page >= pages) continue;
    // Another line in each page, so that not all loads fall into one set.
    words.access("LOAD", physical(page * PAGE_BYTES + (((page * 40503) >>> 8) % 64) * 64), 8, how);
    done++;
  }
  return words.words;
}
