/**
 * What a reference costs as machines and traces grow: against the number of cores, cache sizes, and the trace's length. Written
 * as CSV with what it should grow with (misses, copies taken from others), and as plots.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { createKernel, type Kernel } from "../src/engine/kernel.ts";
import { OPERATIONS } from "../src/engine/operations.ts";
import { loadDescription, resolveMachine } from "../src/machine/index.ts";
import type { ResolvedMachine } from "../src/machine/resolved.ts";
import { lineChart, numberAxis, type Series } from "../src/report/line-chart.ts";
import { pictureDocument } from "../src/report/svg.ts";
import { TEXT_PROVENANCE } from "../src/trace/source.ts";
import { GENERATED, generateBatches, LIKE_MC100 } from "./generate.ts";
import { createRandom, type Random } from "./random.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** One point of one line of a plot. */
interface Measured {
  readonly stream: string;
  readonly x: number;
  /** CPU time of playing, nanoseconds a reference: the median of the rounds. */
  readonly nanoseconds: number;
  /** Of a thousand references. */
  readonly misses: { readonly L1: number; readonly L2: number; readonly memory: number };
  /** Copies of a thousand references that other cores lost, or were asked for. */
  readonly snoops: number;
  /** Linear memory that the kernel used. */
  readonly memoryBytes: number;
}

interface Plot {
  readonly name: string;
  readonly title: string;
  readonly xTitle: string;
  readonly points: readonly Measured[];
}

/** A machine of so many cores, 64 a socket at most, with caches as those of host-100c unless said otherwise. */
function machineOf(cores: number, { l2 = 512 * KIB, l3 = 16 * MIB } = {}): ResolvedMachine {
  const { sources: _, ...host } = loadDescription("host-100c").description;
  return resolveMachine({
    ...host,
    name: `${cores}-cores`,
    sockets: Math.max(1, cores / 64),
    cores,
    caches: { ...host.caches, L2: { ...host.caches.L2, size: l2 }, L3: { ...host.caches.L3, size: l3 } },
  });
}

type Draw = (core: number, random: Random) => { readonly address: number; readonly isStore: boolean };

/** Data of each core's own, so many bytes at random; one core's after another's, so that they spread over the sets of an L3. */
const ownData =
  (span: number): Draw =>
  (core, random) => ({ address: core * span + random.below(span / 8) * 8, isStore: random.below(100) < 30 });

/** Data that all cores read, and now and then write. */
const sharedData =
  (span: number, stores: number): Draw =>
  (_core, random) => ({ address: random.below(span / 8) * 8, isStore: random.below(1000) < stores });

/** Records of cores that take turns of eight references; a core from 256 on needs a prefix for each (D5). */
function streamOf(draw: Draw, cores: number, records: number): Uint32Array {
  const random = createRandom(cores);
  const words = new Uint32Array(records * 4);
  let length = 0;
  for (let i = 0; i < records; i++) {
    const core = (i >> 3) % cores;
    const { address, isStore } = draw(core, random);
    if (core > 255) {
      const operand = (core + 1) * 2 ** 24;
      words[length++] = operand % 2 ** 32;
      words[length++] = (OPERATIONS.WITH.code << 16) | Math.floor(operand / 2 ** 32);
    }
    words[length++] = address % 2 ** 32;
    words[length++] = Math.floor(address / 2 ** 32) | (isStore ? 1 << 16 : 0) | ((core & 255) << 24);
  }
  return words.subarray(0, length);
}

const BATCH_WORDS = 2 * 65536;

function playAll(kernel: Kernel, words: Uint32Array): void {
  for (let at = 0; at < words.length; at += BATCH_WORDS) kernel.play(words.subarray(at, at + BATCH_WORDS));
  kernel.settle();
}

/** Nanoseconds of CPU time; of the whole process, in which nothing else happens but compiling what is played for the first time. */
function nanosecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

/** Plays a stream once to fill the caches, then so many rounds of it. */
function measure(stream: string, x: number, machine: ResolvedMachine, words: Uint32Array, rounds: number): Measured {
  const kernel = createKernel(machine, { data: false, provenance: TEXT_PROVENANCE });
  playAll(kernel, words);
  const before = counted(kernel);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(nanosecondsOf(() => playAll(kernel, words)));
  return { stream, x, ...perReference(kernel, before, median(times) * rounds) };
}

/** What was counted between two moments, for each reference. */
function perReference(kernel: Kernel, before: Counted, nanoseconds: number): Omit<Measured, "stream" | "x"> {
  const after = counted(kernel);
  const references = after.references - before.references;
  const each = (key: keyof Counted): number => (1000 * (after[key] - before[key])) / references;
  return {
    nanoseconds: nanoseconds / references,
    misses: { L1: each("l1Misses"), L2: each("l2Misses"), memory: each("memoryReads") },
    snoops: each("snoops"),
    memoryBytes: kernel.memoryBytes,
  };
}

interface Counted {
  readonly references: number;
  readonly l1Misses: number;
  readonly l2Misses: number;
  readonly memoryReads: number;
  readonly snoops: number;
}

function counted(kernel: Kernel): Counted {
  const { caches, machine } = kernel.counters();
  const sum = (level: RegExp, keys: readonly (keyof (typeof caches)[number])[]): number =>
    caches.reduce((all, each, id) => {
      const isOfLevel = level.test(kernel.machine.caches[id]?.level ?? "");
      return isOfLevel ? all + keys.reduce((some, key) => some + each[key], 0) : all;
    }, 0);
  const misses = ["loadMisses", "storeMisses", "fetchMisses"] as const;
  return {
    references: kernel.records,
    l1Misses: sum(/^L1/, misses),
    l2Misses: sum(/^L2/, misses),
    memoryReads: machine.memoryReads,
    snoops: sum(/^L2/, ["snoopsIn", "invalidations"]),
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const CORES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

function againstCores({ references, rounds }: ScaleOptions): Plot {
  const streams: readonly (readonly [string, Draw])[] = [
    ["own 16 KiB: hits", ownData(16 * KIB)],
    ["own 256 KiB: the L2", ownData(256 * KIB)],
    ["own 4 MiB: misses", ownData(4 * MIB)],
    ["common 64 KiB, 1 store in 1000", sharedData(64 * KIB, 1)],
    ["common 64 KiB, 1 store in 20", sharedData(64 * KIB, 50)],
  ];
  const points = CORES.flatMap((cores) => {
    progress(`cores: ${cores}`);
    const machine = machineOf(cores);
    return streams.map(([name, draw]) => measure(name, cores, machine, streamOf(draw, cores, references), rounds));
  });
  return { name: "cores", title: "Cost of a reference against the number of cores", xTitle: "cores", points };
}

function againstSizes({ references, rounds }: ScaleOptions): Plot {
  const cores = 16;
  const points = [128 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB].flatMap((l2) => {
    progress(`caches: L2 of ${l2 / KIB} KiB`);
    const machine = machineOf(cores, { l2, l3: 32 * l2 });
    const streams: readonly (readonly [string, number])[] = [
      ["half of the L2", l2 / 2],
      ["twice the L2", 2 * l2],
      ["1 MiB each", MIB],
    ];
    return streams.map(([name, span]) =>
      measure(name, l2, machine, streamOf(ownData(span), cores, references), rounds),
    );
  });
  return {
    name: "sizes",
    title: "Cost of a reference against cache sizes",
    xTitle: "bytes of each of 16 private L2s; the L3 has 32 times as many",
    points,
  };
}

/** As the trace goes on: nothing of it is stored, and nothing that is kept of it should grow. */
function againstLength({ longest }: ScaleOptions): Plot {
  const streams = [LIKE_MC100, ...GENERATED.filter(({ name }) => name === "misses-100")];
  const points = streams.flatMap((stream) => {
    const kernel = createKernel(machineOf(128), { data: false, provenance: TEXT_PROVENANCE });
    const found: Measured[] = [];
    let next = 1_000_000;
    let before = counted(kernel);
    let nanoseconds = 0;
    for (const words of generateBatches(stream, longest, 1_000_000)) {
      nanoseconds += nanosecondsOf(() => playAll(kernel, words));
      if (kernel.records < next) continue;
      progress(`length: ${stream.name}, ${kernel.records / 1e6} M`);
      found.push({ stream: stream.name, x: kernel.records, ...perReference(kernel, before, nanoseconds) });
      before = counted(kernel);
      nanoseconds = 0;
      next *= 2;
    }
    return found;
  });
  return {
    name: "length",
    title: "Cost of a reference as a trace goes on, since the last point",
    xTitle: "references played",
    points,
  };
}

export interface ScaleOptions {
  /** Where CSV and plots go. */
  readonly folder: string;
  /** Of each play. */
  readonly references: number;
  readonly rounds: number;
  /** References of the longest trace. */
  readonly longest: number;
}

/** Measures everything and writes `scale.csv` and a plot for each of the three. Returns the files' names. */
export function scale(options: ScaleOptions): readonly string[] {
  mkdirSync(options.folder, { recursive: true });
  const plots = [againstCores(options), againstSizes(options), againstLength(options)];
  progress("");
  const csv = `${options.folder}/scale.csv`;
  writeFileSync(csv, csvOf(plots));
  const pictures = plots.map((plot) => {
    const path = `${options.folder}/scale-${plot.name}.svg`;
    writeFileSync(path, svgOf(plot));
    return path;
  });
  return [csv, ...pictures];
}

const COLUMNS = [
  "plot",
  "stream",
  "x",
  "nanoseconds",
  "l1_misses_per_1000",
  "l2_misses_per_1000",
  "memory_reads_per_1000",
  "snoops_per_1000",
  "kernel_bytes",
];

function csvOf(plots: readonly Plot[]): string {
  const rows = plots.flatMap(({ name, points }) =>
    points.map(({ stream, x, nanoseconds, misses, snoops, memoryBytes }) => [
      name,
      `"${stream}"`,
      x,
      nanoseconds.toFixed(2),
      ...[misses.L1, misses.L2, misses.memory, snoops].map((each) => each.toFixed(1)),
      memoryBytes,
    ]),
  );
  return `${[COLUMNS, ...rows].map((row) => row.join(",")).join("\n")}\n`;
}

function svgOf({ title, xTitle, points }: Plot): string {
  const names = [...new Set(points.map(({ stream }) => stream))];
  const series = names.map(
    (label): Series => ({
      label,
      points: points.filter(({ stream }) => stream === label).map(({ x, nanoseconds }) => ({ x, y: nanoseconds })),
    }),
  );
  const xs = [...new Set(points.map(({ x }) => x))];
  return pictureDocument(
    lineChart({
      title,
      subtitle: "tags only; CPU time of playing on this machine",
      xTitle,
      yTitle: "nanoseconds a reference",
      xAxis: numberAxis(xs, undefined, xs),
      yAxis: numberAxis(points.map(({ nanoseconds }) => nanoseconds)),
      series,
    }),
  );
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
