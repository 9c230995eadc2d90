/**
 * Loops that traces don't have: nested walks, FLUSH_STAGE2 and DC CISW over whole caches, each as records that the data-carrying
 * kernel and `loops.c` play alike. Tables are real descriptors in simulated memory.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import type { Counters, MachineCounter, TlbCounter } from "../src/engine/engine.ts";
import { CONTEXT_WALKS, HCR } from "../src/engine/system-registers.ts";
import {
  BLOCK_BYTES,
  memAttrOf,
  PAGE_BYTES,
  spanOf,
  stage1Leaf,
  stage2Leaf,
  tcrOf,
  vtcrOf,
  vttbrOf,
} from "../src/hypervisor/descriptors.ts";
import { RecordBuffer } from "../src/hypervisor/record-buffer.ts";
import type { TableTree } from "../src/hypervisor/tables.ts";
import { coreRegisters, loadMachine, presets, SET_WAY_ROUTINES } from "../src/machine/index.ts";
import type { ResolvedMachine } from "../src/machine/resolved.ts";
import { createRandom } from "./random.ts";
import { pageTables } from "./tables.ts";

const FOLDER = "build/loops";
const MIB = 2 ** 20;

export type LoopUnit = "walks" | "pages" | "operations";

export interface Loop {
  readonly name: string;
  readonly about: string;
  readonly unit: LoopUnit;
  /** Entries of the walk cache and of the IPA cache. */
  readonly walkCaches: number;
  /** So many machines are made ready before the time is taken; then all play. */
  readonly machines: number;
  /** What makes a machine ready. */
  readonly setup: (records: RecordBuffer) => void;
  readonly played: (records: RecordBuffer) => void;
  /** How many units one machine has played, by its counters. */
  readonly units: (counted: LoopCounters) => number;
}

/** Counters by name, those of caches with the level before them; of the played records alone. */
export type LoopCounters = Readonly<Record<string, number>>;

/** The loop's records in two files of bare records. */
export interface LoopFiles {
  readonly setup: string;
  readonly played: string;
}

// ---- where things lie: IPAs and physical addresses differ, so that a wrong translation shows
const VA = 0x1234_4000_0000;
const IPA = 0x8000_0000;
const GUEST = 0x4000_0000;
const STAGE2_TABLES = 0x1000_0000;
/** The guest's stage-1 tables are at the beginning of its memory. */
const STAGE1_BYTES = BLOCK_BYTES;

const WALKED_BYTES = 64 * MIB;
const WALKS = 100_000;
const COLD_BYTES = 128 * MIB;
/** As much as the last level holds. */
const FULL_BYTES = 16 * MIB;
const L2_BYTES = 2 * MIB;
const LINE_BYTES = 64;
const EL2 = 2n;
const EL1 = 1n;

/** `WITH` for a Normal Non-cacheable access: its code + 1 in bits 43:40. */
const NON_CACHEABLE = 2 * 2 ** 40;

export const LOOPS: readonly Loop[] = [
  walks("nested-walks", "loads of random pages in 64 MiB, 4 levels at 4: 24 reads a walk", 0),
  walks("nested-walks-512", "the same with 512 entries each of walk cache and IPA cache", 512),
  flush("flush-pages", "FLUSH_STAGE2 over 128 MiB of 4 KiB pages, caches empty", COLD_BYTES, 3, false),
  flush("flush-blocks", "FLUSH_STAGE2 over 128 MiB of 2 MiB blocks, caches empty", COLD_BYTES, 2, false),
  flush("flush-pages-full", "FLUSH_STAGE2 over 16 MiB of 4 KiB pages, all lines dirty in caches", FULL_BYTES, 3, true),
  flush(
    "flush-blocks-full",
    "FLUSH_STAGE2 over 16 MiB of 2 MiB blocks, all lines dirty in caches",
    FULL_BYTES,
    2,
    true,
  ),
  setWay("set-way", "20 loops of DC CISW over L1D and L2 (33,280 operations each), caches empty", 20, 1, false),
  setWay("set-way-full", "one such loop on each of 8 machines, L2 full of dirty lines", 1, 8, true),
];

/** One core of host-100c with the L2 of a Cortex-A57: what `loops.c` was compiled for. */
export function machineForLoop({ walkCaches }: Pick<Loop, "walkCaches">): ResolvedMachine {
  const { caches } = presets["host-100c"];
  return loadMachine({
    name: "host-1c",
    cores: 1,
    protocol: "mesi",
    caches: { ...caches, L2: { ...caches.L2, size: "2MiB", ways: 16 } },
    memory: [{ base: 0, size: "4GiB" }],
    tlb: { micro: 16, entries: 512, ways: 4, walk: walkCaches, ipa: walkCaches },
  });
}

export function writeLoop(loop: Loop): LoopFiles {
  mkdirSync(FOLDER, { recursive: true });
  const write = (part: "setup" | "played"): string => {
    const path = `${FOLDER}/${loop.name}-${part}.raw64`;
    const records = new RecordBuffer().begin(0);
    loop[part](records);
    writeFileSync(path, records.words);
    return path;
  };
  return { setup: write("setup"), played: write("played") };
}

const CACHE_NAMES = [
  "loads",
  "stores",
  "loadMisses",
  "storeMisses",
  "writebacksIn",
  "writebacksOut",
  "evictions",
  "maintenanceProbes",
  "backInvalidations",
] as const;
const MACHINE_NAMES: readonly MachineCounter[] = [
  "memoryReads",
  "memoryWrites",
  "walkReads",
  "flushedLeaves",
  "flushedLines",
];
const TLB_NAMES: readonly TlbCounter[] = ["lookups", "microMisses", "mainMisses", "walkHits", "ipaHits"];

/** What an engine has counted, by the names that `loops.c` prints. */
export function countersOfLoop(machine: ResolvedMachine, counters: Counters): Record<string, number> {
  const named: Record<string, number> = { maintenance: counters.events[0]?.maintenance ?? 0 };
  machine.caches.forEach((cache, index) => {
    if (cache.level === "L1I") return;
    for (const name of CACHE_NAMES) named[`${cache.level} ${name}`] = counters.caches[index]?.[name] ?? 0;
  });
  for (const name of MACHINE_NAMES) named[name] = counters.machine[name];
  for (const name of TLB_NAMES) named[name] = counters.tlbs[0]?.[name] ?? 0;
  return named;
}

function walks(name: string, about: string, walkCaches: number): Loop {
  return {
    name,
    about,
    unit: "walks",
    walkCaches,
    machines: 1,
    setup: (records) => {
      mapStage2(records, STAGE1_BYTES + WALKED_BYTES, 3);
      mapStage1(records, WALKED_BYTES);
      // Each word that will be loaded says where it lies.
      for (let page = 0; page < WALKED_BYTES / PAGE_BYTES; page++) {
        const at = GUEST + STAGE1_BYTES + wordOf(page);
        storeAround(records, at, BigInt(at));
      }
      records.msr("HCR_EL2", HCR.VM).msr("CONTEXT", EL1 | BigInt(CONTEXT_WALKS));
    },
    played: (records) => {
      const random = createRandom(5);
      for (let i = 0; i < WALKS; i++) records.operation("LOAD", VA + wordOf(random.below(WALKED_BYTES / PAGE_BYTES)));
    },
    units: ({ mainMisses = 0 }) => mainMisses,
  };
}

function flush(name: string, about: string, bytes: number, level: 2 | 3, full: boolean): Loop {
  return {
    name,
    about,
    unit: "pages",
    walkCaches: 0,
    machines: 1,
    setup: (records) => {
      mapStage2(records, bytes, level);
      records.msr("CONTEXT", EL2);
      if (full) dirty(records, bytes);
    },
    played: (records) => {
      records.valued("FLUSH_STAGE2", IPA, BigInt(bytes)).operation("DSB");
    },
    units: ({ flushedLeaves = 0 }) => flushedLeaves * (spanOf(level) / PAGE_BYTES),
  };
}

function setWay(name: string, about: string, times: number, machines: number, full: boolean): Loop {
  const machine = machineForLoop({ walkCaches: 0 });
  const { operands } = SET_WAY_ROUTINES.flushDcacheAll;
  return {
    name,
    about,
    unit: "operations",
    walkCaches: 0,
    machines,
    setup: (records) => {
      if (full) dirty(records, L2_BYTES);
    },
    played: (records) => {
      const loop = [...operands(coreRegisters(machine, 0))];
      for (let i = 0; i < times; i++) {
        for (const operand of loop) records.operation("DC_CISW", operand);
        records.operation("DSB").operation("ISB");
      }
    },
    units: ({ maintenance = 0 }) => maintenance,
  };
}

/** Another line in each page, so that not all loads fall into one set. */
const wordOf = (page: number): number => page * PAGE_BYTES + (((page * 40503) >>> 8) % 64) * LINE_BYTES;

/** Writes past the caches: they stay empty. */
function storeAround(records: RecordBuffer, address: number, value: bigint): void {
  records.operation("WITH", NON_CACHEABLE).store(address, value, 0);
}

/** Stores to every line from the guest's first on. */
function dirty(records: RecordBuffer, bytes: number): void {
  for (let at = 0; at < bytes; at += LINE_BYTES) records.operation("STORE", GUEST + at);
}

/** Tables from `first` on, written to where `offset` moves them. */
function tree(records: RecordBuffer, first: number, offset: number): TableTree {
  return pageTables(first, (entry, descriptor) => storeAround(records, entry + offset, descriptor));
}

function mapStage2(records: RecordBuffer, bytes: number, level: 2 | 3): void {
  const tables = tree(records, STAGE2_TABLES, 0);
  const memAttr = memAttrOf("write-back", false);
  for (let at = 0; at < bytes; at += spanOf(level)) {
    tables.set(IPA + at, level, stage2Leaf({ level, output: GUEST + at, memAttr }));
  }
  records.msr("VTCR_EL2", vtcrOf(48)).msr("VTTBR_EL2", vttbrOf(tables.root, 1));
}

function mapStage1(records: RecordBuffer, bytes: number): void {
  const tables = tree(records, IPA, GUEST - IPA);
  for (let at = 0; at < bytes; at += PAGE_BYTES) {
    tables.set(VA + at, 3, stage1Leaf({ level: 3, output: IPA + STAGE1_BYTES + at, attribute: 0 }));
  }
  records
    .msr("MAIR_EL1", 0xffn)
    .msr("TCR_EL1", tcrOf({ vaBits: 48, upper: false }))
    .msr("TTBR0_EL1", BigInt(tables.root));
}
