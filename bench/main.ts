/**
 * `npm run bench`: references a second of the kernel, in both builds, beside the native yardstick, typed arrays and the
 * reference model, on traces and on generated streams, and of walks, flushes and set/way loops beside native ones, in one
 * table. README.md says how to read it. Times never make it fail; only counters that differ do.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { PrintedCounters } from "../src/report/yardstick.ts";
import { runCachegrind } from "./cachegrind.ts";
import {
  CONTESTANTS,
  type Contestant,
  canPlay,
  NATIVES,
  type Native,
  onlyAccesses,
  type Player,
} from "./contestants.ts";
import { environment } from "./environment.ts";
import { requireSameCounters, requireSameLoop, requireSamePrints } from "./fairness.ts";
import { GENERATED, generateBatches, LIKE_MC100 } from "./generate.ts";
import { RECORDED_PROGRAMS, type RecordedProgram, whyNoRecorder } from "./lackey.ts";
import { countLoop, type LoopOrder, playLoop } from "./loop-player.ts";
import { LOOPS, type Loop, writeLoop } from "./loops.ts";
import { buildNativeLoops, type NativeLoops, runNativeLoop } from "./native-loops.ts";
import { type PlayOrder, play } from "./player.ts";
import { benchText } from "./report.ts";
import { type BenchResult, type Plays, type Row, rowOf, rowOfLoop } from "./result.ts";
import { type ScaleOptions, scale } from "./scale.ts";
import { SOURCES, type Stream } from "./streams.ts";
import { buildNative, runNative, type YardstickRun } from "./yardstick.ts";

const ROWS: readonly string[] = [...SOURCES, ...LOOPS].map(({ name }) => name);

const USAGE = `usage: npm run bench -- [options]
       npm run bench -- scale [--folder F] [--references N] [--longest N] [--rounds N]
       npm run bench -- generate <stream> <records> > trace.raw64
  --streams a,b      only these: ${ROWS.join(", ")}
  --contestants a,b  only these: ${CONTESTANTS.join(", ")}
  --records N        of a stream at most (default 5000000)
  --rounds N         interleaved rounds (default 3)
  --milliseconds N   CPU time that a contestant plays in a round, at least once (default 500)
  --wasm FILE        a kernel in the place of the package's, in both columns
  --profile FOLDER   leaves V8's CPU profiles there, one a play; the times are then not to be trusted
  --json FILE        everything measured, with the processor, Node and commit`;

/** The reference model is thousands of times slower. */
const REFERENCE_RECORDS = 10_000;
/** Of a native loop in one round: getting ready takes longer than what is timed, and its clock is a fine one. */
const NATIVE_RUNS = 5;

interface Options {
  readonly streams: readonly string[];
  readonly contestants: readonly Contestant[];
  readonly records: number;
  readonly rounds: number;
  readonly milliseconds: number;
  readonly wasm: string | undefined;
  readonly profile: string | undefined;
  readonly json: string | undefined;
}

class UsageError extends Error {}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "play") {
    process.stdout.write(JSON.stringify(await play(JSON.parse(args[1] ?? "") as PlayOrder)));
    return;
  }
  if (args[0] === "play-loop") {
    process.stdout.write(JSON.stringify(playLoop(JSON.parse(args[1] ?? "") as LoopOrder)));
    return;
  }
  if (args[0] === "scale") {
    for (const path of scale(readScaleOptions(args.slice(1)))) process.stdout.write(`${path}\n`);
    return;
  }
  if (args[0] === "generate") return writeGenerated(args.slice(1));
  const options = readOptions(args);
  const sources = SOURCES.filter(({ name }) => options.streams.includes(name));
  const wantsNative = options.contestants.includes("yardstick");
  const playsLoops = wantsNative || options.contestants.includes("data");
  const loops = LOOPS.filter(({ name }) => playsLoops && options.streams.includes(name));
  const missing: string[] = [];
  const natives = new Map<Native, string>();
  for (const which of NATIVES) {
    if (sources.length === 0 || !options.contestants.includes(which)) continue;
    const built = buildNative(which);
    if ("path" in built) natives.set(which, built.path);
    else missing.push(built.missing);
  }
  const countersAgree: string[] = [];
  const rows: Row[] = [];
  for (const source of sources) {
    progress(`${source.name}: preparing`);
    const stream = await source.make(options.records);
    if ("missing" in stream) {
      missing.push(`${source.name}: ${stream.missing}`);
      continue;
    }
    const { plays, printed } = measure(stream, natives, options);
    if (!stream.translates) {
      requireSameCounters(stream, printed.get("yardstick"));
      requireSamePrints(stream, printed);
      countersAgree.push(stream.name);
    }
    rows.push(rowOf(stream, plays));
  }
  const nativeLoops = wantsNative && loops.length > 0 ? buildNativeLoops() : undefined;
  if (nativeLoops !== undefined && "missing" in nativeLoops) missing.push(nativeLoops.missing);
  const native = nativeLoops !== undefined && "missing" in nativeLoops ? undefined : nativeLoops;
  for (const loop of loops) {
    const row = measureLoop(loop, native, options);
    if (native !== undefined) countersAgree.push(loop.name);
    rows.push(row);
  }
  progress("");
  const result: BenchResult = {
    environment: environment(),
    machine: "host-100c",
    rounds: options.rounds,
    missing,
    countersAgree,
    rows,
  };
  process.stdout.write(benchText(result, process.stdout.isTTY === true));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
}

function readScaleOptions(args: readonly string[]): ScaleOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      folder: { type: "string", default: "build/scale" },
      references: { type: "string", default: "2000000" },
      longest: { type: "string", default: "64000000" },
      rounds: { type: "string", default: "3" },
    },
  });
  return {
    folder: values.folder,
    references: wholeNumber("references", values.references),
    longest: wholeNumber("longest", values.longest),
    rounds: wholeNumber("rounds", values.rounds),
  };
}

/** Records of a generated stream on standard output, as many as are wanted: only those that nobody has taken yet are in memory. */
async function writeGenerated([name, many]: readonly string[]): Promise<void> {
  const streams = [LIKE_MC100, ...GENERATED];
  const stream = streams.find((each) => each.name === name);
  if (stream === undefined)
    throw new UsageError(`generate: ${name ?? "nothing"} is none of ${streams.map((each) => each.name).join(", ")}`);
  for (const words of generateBatches(stream, wholeNumber("records", many ?? ""), GENERATED_BATCH)) {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice();
    if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
  }
}

const GENERATED_BATCH = 65536;

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      streams: { type: "string" },
      contestants: { type: "string" },
      records: { type: "string", default: "5000000" },
      rounds: { type: "string", default: "3" },
      milliseconds: { type: "string", default: "500" },
      wasm: { type: "string" },
      profile: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  return {
    streams: someOf("streams", values.streams, ROWS),
    contestants: someOf("contestants", values.contestants, CONTESTANTS),
    records: wholeNumber("records", values.records),
    rounds: wholeNumber("rounds", values.rounds),
    milliseconds: wholeNumber("milliseconds", values.milliseconds),
    wasm: values.wasm,
    profile: values.profile,
    json: values.json,
  };
}

function someOf<Name extends string>(
  option: string,
  list: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (list === undefined) return known;
  const wanted = list.split(",");
  const unknown = wanted.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UsageError(`--${option}: ${unknown} is none of ${known.join(", ")}`);
  return known.filter((name) => wanted.includes(name));
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`--${option}: ${text} is not a whole number from 1`);
  return Number(text);
}

interface Measured {
  readonly plays: Plays;
  /** Of the native programs that played. */
  readonly printed: ReadonlyMap<Native, PrintedCounters>;
}

/** Every contestant in turn, as often as there are rounds: what else happens on the machine then meets them all alike. */
function measure(stream: Stream, natives: ReadonlyMap<Native, string>, options: Options): Measured {
  const plays = new Map<Contestant, { readonly records: number; readonly seconds: number[] }>();
  const printed = new Map<Native, PrintedCounters>();
  for (let round = 1; round <= options.rounds; round++) {
    for (const contestant of options.contestants.filter((each) => canPlay(each, stream))) {
      const native = isNative(contestant) ? natives.get(contestant) : undefined;
      // Natives that aren't built; and native loops, which play no streams.
      if ((isNative(contestant) && native === undefined) || contestant === "hazards") continue;
      const program = contestant === "cachegrind" ? programOf(stream) : undefined;
      if (contestant === "cachegrind" && program === undefined) continue;
      progress(`${stream.name}: ${contestant}, round ${round} of ${options.rounds}`);
      const file = onlyAccesses(contestant) ? stream.accesses : stream;
      if (contestant === "cachegrind") {
        const { refs, seconds } = runCachegrind(program as RecordedProgram);
        const before = plays.get(contestant)?.seconds ?? [];
        plays.set(contestant, { records: refs, seconds: [...before, seconds] });
        continue;
      }
      const records = contestant === "reference" ? Math.min(file.records, REFERENCE_RECORDS) : file.records;
      const sofar = plays.get(contestant) ?? { records, seconds: [] };
      plays.set(contestant, sofar);
      if (isNative(contestant)) {
        const runs: YardstickRun[] = [];
        const sum = () => runs.reduce((seconds, { cpuSeconds }) => seconds + cpuSeconds, 0);
        do runs.push(runNative(contestant, native as string, file.path));
        while (sum() * 1000 < options.milliseconds);
        sofar.seconds.push(sum() / runs.length);
        printed.set(contestant, (runs[0] as YardstickRun).counters);
      } else {
        const order = { ...orderFor(contestant, stream, options), path: file.path, records };
        sofar.seconds.push(apart("play", order, `${contestant} on ${file.path}`, options.profile) / 1000);
      }
    }
  }
  return { plays, printed };
}

const isNative = (contestant: Contestant): contestant is Native => (NATIVES as readonly string[]).includes(contestant);

/** The program that a stream is a recording of, where cachegrind can run it as well. */
function programOf({ name }: Stream): RecordedProgram | undefined {
  const program = RECORDED_PROGRAMS.find((each) => each.name === name);
  return program !== undefined && whyNoRecorder(program) === undefined ? program : undefined;
}

/** Native loops and data-carrying kernel in turn, after their counters were compared. */
function measureLoop(loop: Loop, native: NativeLoops | undefined, options: Options): Row {
  progress(`${loop.name}: preparing`);
  const files = writeLoop(loop);
  const counted = countLoop(loop, files, options.wasm);
  for (const program of Object.values(native ?? {}))
    requireSameLoop(loop, counted, runNativeLoop(program, loop, files));
  const records = loop.units(counted.counters) * loop.machines;
  const seconds: { [C in keyof NativeLoops | "data"]: number[] } = { yardstick: [], hazards: [], data: [] };
  for (let round = 1; round <= options.rounds; round++) {
    progress(`${loop.name}: round ${round} of ${options.rounds}`);
    for (const build of native === undefined ? [] : (["yardstick", "hazards"] as const)) {
      const runs: number[] = [];
      const sum = () => runs.reduce((total, each) => total + each, 0);
      do runs.push(runNativeLoop((native as NativeLoops)[build], loop, files).seconds);
      while (sum() * 1000 < options.milliseconds && runs.length < NATIVE_RUNS);
      seconds[build].push(sum() / runs.length);
    }
    if (options.contestants.includes("data")) {
      const order: LoopOrder = {
        loop: loop.name,
        files,
        milliseconds: options.milliseconds,
        ...(options.wasm === undefined ? {} : { wasm: options.wasm }),
      };
      seconds.data.push(apart("play-loop", order, loop.name, options.profile) / 1000);
    }
  }
  const played = (["yardstick", "hazards", "data"] as const).filter((contestant) => seconds[contestant].length > 0);
  return rowOfLoop(loop, records, new Map(played.map((each) => [each, { records, seconds: seconds[each] }])));
}

function orderFor(
  player: Player,
  { provenance, initialSctlr, translates }: Stream,
  options: Options,
): Omit<PlayOrder, "path" | "records"> {
  const isKernel = player === "tags" || player === "data";
  return {
    player,
    provenance,
    initialSctlr,
    translates,
    milliseconds: options.milliseconds,
    ...(isKernel && options.wasm !== undefined ? { wasm: options.wasm } : {}),
  };
}

/** In a process of its own, so that no contestant's garbage or compiled code is another's. */
function apart(verb: string, order: PlayOrder | LoopOrder, what: string, profile: string | undefined): number {
  const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
  const args = [...flags, fileURLToPath(import.meta.url), verb, JSON.stringify(order)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${what} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as number;
}

/** One line on a terminal, rewritten; nothing elsewhere. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  progress("");
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
  process.stderr.write(isUsage ? `${(error as Error).message}\n${USAGE}\n` : `${(error as Error).stack}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
