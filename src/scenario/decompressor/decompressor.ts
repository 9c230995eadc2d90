/**
 * `setway run decompressor`: the recorded boot of a 32-bit kernel with each way of cache maintenance on each machine.
 * The first bug of the story of set/way: what the loops flush stays in a cache beyond CLIDR_EL1, and the kernel, whose
 * caches are off, doesn't see it (arm-facts E.2).
 */
import type { Command } from "commander";
import { MachineError, SetwayError } from "../../engine/errors.ts";
import { HAZARD_CLASSES } from "../../engine/hazards.ts";
import type { LoadedMachine, ResolvedMachine } from "../../machine/index.ts";
import { nearestWord } from "../../machine/nearest.ts";
import type { Scenario, ScenarioIo } from "../scenario.ts";
import { accessesIn, blocksAccessed, type RecordedBoot, readBoot } from "./boot.ts";
import { playBoot } from "./play.ts";
import type { BootRun, DecompressorResult, RecordedPhase } from "./result.ts";
import { bootStream, MAINTENANCES, type Maintenance, prepareDecompression } from "./stream.ts";
import { parseSweep, type Sweep, type Variant, variantsOf } from "./sweep.ts";

/** Ships with the package. */
const TRACE = "zimage-boot-l3.swt";
const MACHINES = ["seattle", "kunpeng916-2s"];
/** A sweep is a story about one machine. */
const SWEPT_MACHINES = ["seattle"];
const EXPLAINED = 3;

interface Options {
  readonly maintenance?: readonly Maintenance[];
  readonly machine?: readonly string[];
  readonly sweep?: Sweep;
  readonly cachesOnly?: true;
  readonly hazards: number;
  readonly expectClean?: true;
  readonly strict?: true;
}

export const decompressor: Scenario = {
  name: "decompressor",
  summary: "the boot of a 32-bit kernel, whose decompressor flushes its output in one of three ways",
  configure(command: Command): void {
    command
      .option(
        "--maintenance <kinds>",
        `how the output is flushed: some of ${MAINTENANCES.join(",")} (default: all); repeatable`,
        collectMaintenance,
      )
      .option(
        "-m, --machine <machines>",
        `machines' names, or files in YAML or JSON (default: ${MACHINES.join(",")}, with --sweep ${SWEPT_MACHINES.join(",")}); repeatable`,
        collectWords,
      )
      .option(
        "--sweep <level=sizes>",
        "play with other sizes of a cache, as in l3=0,4MiB..64MiB; 0 leaves it out",
        parseSweep,
      )
      .option("--caches-only", "play the accesses on machines whose cores can't run a 32-bit kernel too")
      .option("--hazards <count>", "how many hazards to explain", wholeNumber, EXPLAINED)
      .option("--expect-clean", "exit 1 if anybody observed a stale or leaked value (R26, R28)")
      .option("--strict", "exit 1 on any hazard (R26 to R29)")
      .addHelpText(
        "after",
        `
  none    nothing is flushed
  setway  the decompressor of Linux 4.1: DC CISW over all sets and ways, before and after the caches go off
  va      the decompressor since Linux 5.7: DC CIVAC over its output

Example:
  $ setway run decompressor
  $ setway run decompressor --maintenance setway --machine seattle,./my-board.yaml --expect-clean
  $ setway run decompressor --sweep l3=0,4MiB..64MiB`,
      );
  },
  async run(given, io): Promise<number> {
    const options = given as unknown as Options;
    const machines = await machinesOf(options, io);
    const boot = await readBoot(await io.shippedTrace(TRACE));
    for (const { machine } of machines) checkMachine(machine, boot, options.cachesOnly === true);
    const result = await playAll(machines, boot, options, io);
    await io.emit(result);
    if (result.partial) return 130;
    return expectation(result, options, io);
  },
};

/** A machine to play, maybe one size of a sweep. */
type Subject = LoadedMachine & Partial<Pick<Variant, "level" | "sizeBytes" | "label">>;

async function machinesOf({ machine: names, sweep }: Options, io: ScenarioIo): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const name of names ?? (sweep === undefined ? MACHINES : SWEPT_MACHINES)) {
    const loaded = await io.machine(name);
    subjects.push(...(sweep === undefined ? [loaded] : variantsOf(loaded, sweep)));
  }
  return subjects;
}

const AARCH32 = { none: "have no AArch32", el0: "have AArch32 at EL0 only", all: "" } as const;

/** Throws `MachineError` where this kernel couldn't run (R5) or has no memory where it was recorded. */
function checkMachine(machine: ResolvedMachine, boot: RecordedBoot, cachesOnly: boolean): void {
  if (machine.aarch32 !== "all" && !cachesOnly) {
    const models = [...new Set(machine.cores.map(({ model }) => model))].filter((model) => model !== undefined);
    const cores = models.length === 0 ? "its cores" : `its cores (${models.join(", ")})`;
    throw new MachineError(
      `${machine.name} can't run this kernel: it is a 32-bit one and ${cores} ${AARCH32[machine.aarch32]}; --caches-only plays its accesses all the same`,
      { found: `aarch32: ${machine.aarch32}`, expected: "aarch32: all" },
    );
  }
  const isRam = (at: number) =>
    machine.memory.some(({ base, sizeBytes, type }) => type === "ram" && at >= base && at < base + sizeBytes);
  const outside = blocksAccessed(boot).find((block) => !isRam(block));
  if (outside === undefined) return;
  throw new MachineError(`${machine.name} has no memory where this kernel was recorded`, {
    found: `no RAM at 0x${outside.toString(16)}`,
    expected: "RAM from 0x40000000 to 0x50000000",
  });
}

async function playAll(
  subjects: readonly Subject[],
  boot: RecordedBoot,
  options: Options,
  io: ScenarioIo,
): Promise<DecompressorResult> {
  const decompression = prepareDecompression(boot);
  const maintenances = options.maintenance ?? MAINTENANCES;
  const wanted = subjects.flatMap((subject) => maintenances.map((maintenance) => ({ subject, maintenance })));
  const runs: BootRun[] = [];
  let done = 0;
  for (const { subject, maintenance } of wanted) {
    if (io.signal.aborted) break;
    const { machine } = subject;
    const stream = bootStream(boot, decompression, machine, maintenance);
    const label = [machine.name, subject.label, maintenance].filter((word) => word !== undefined).join(" ");
    const total = wanted.length * stream.records;
    const played = await playBoot(machine, boot, stream, options.hazards, {
      ...io,
      played: (records) => io.progress(label, done + records, total),
    });
    done += stream.records;
    const { level, sizeBytes } = subject;
    runs.push({
      ...played,
      machine,
      variant:
        level === undefined ? undefined : { level, sizeBytes: sizeBytes as number, label: subject.label as string },
      maintenance,
      cachesOnly: machine.aarch32 !== "all",
      flushOperations: stream.flushOperations,
      invalidateOperations: stream.invalidateOperations,
    });
  }
  const { words: _, ...facts } = boot;
  return {
    boot: facts,
    phases: recordedPhases(boot),
    runs,
    missing: wanted.length - runs.length,
    partial: io.signal.aborted,
    explained: options.hazards,
  };
}

function recordedPhases(boot: RecordedBoot): RecordedPhase[] {
  const { cachesOn, cachesOff, flush, invalidate, mmuOn, records } = boot;
  const begins = [
    ["relocation", 0, false],
    ["decompression", cachesOn, true],
    ["flush", flush.first, true],
    ["caches-off", cachesOff, false],
    ["kernel", cachesOff + 1, false],
    ["invalidation", invalidate.first, false],
    ["mmu-on", mmuOn, true],
  ] as const;
  return begins.map(([phase, firstRecord, isOn], index) => {
    const end = begins[index + 1]?.[1] ?? records;
    return { phase, firstRecord, cachesOn: isOn, ...accessesIn(boot, { first: firstRecord, end }) };
  });
}

function expectation({ runs }: DecompressorResult, options: Options, io: ScenarioIo): number {
  const occurrences = (kinds: readonly string[]) => {
    const names = new Set<string>(HAZARD_CLASSES.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name));
    return runs
      .flatMap(({ hazards }) => hazards)
      .reduce((sum, hazard) => sum + (names.has(hazard.class) ? hazard.occurrences : 0), 0);
  };
  const observed = occurrences(["observed"]);
  if (options.expectClean && observed > 0) {
    io.note(`expectation failed: ${observed} stale or leaked observations (--expect-clean)`);
    return 1;
  }
  const all = occurrences(["observed", "lost", "latent"]);
  if (options.strict && all > 0) {
    io.note(`expectation failed: ${all} hazards (--strict)`);
    return 1;
  }
  return 0;
}

// Options

function collectWords(text: string, previous: readonly string[] | undefined): readonly string[] {
  const words = text.split(",").map((word) => word.trim());
  return [...new Set([...(previous ?? []), ...words.filter((word) => word !== "")])];
}

function collectMaintenance(text: string, previous: readonly string[] | undefined): readonly string[] {
  const unknown = collectWords(text, []).find((word) => !(MAINTENANCES as readonly string[]).includes(word));
  if (unknown !== undefined || text.trim() === "") {
    throw new SetwayError("usage", "unknown maintenance", {
      found: unknown ?? "nothing",
      expected: MAINTENANCES.join(", "),
      nearest: nearestWord(unknown ?? "", MAINTENANCES),
    });
  }
  return collectWords(text, previous);
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new SetwayError("usage", "bad number of hazards", { found: text, expected: "a whole number" });
}
