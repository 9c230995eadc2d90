/** What several verbs read from the command line: machines, and what is known of a trace beside its records. */
import { readFile, stat } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Provenance } from "../engine/engine.ts";
import { MachineError } from "../engine/errors.ts";
import { SCTLR_C, SCTLR_I, SCTLR_M } from "../engine/operations.ts";
import { type LoadedMachine, loadContent } from "../machine/load.ts";
import { nearestWord } from "../machine/nearest.ts";
import { isPresetName, PRESET_NAMES, presets } from "../machine/presets/index.ts";
import { ADDRESS_MAPPINGS, type AddressMapping } from "../trace/address-map.ts";
import { SCHEDULES, type Schedule } from "../trace/cores.ts";
import type { OpenOptions } from "../trace/open.ts";
import { TRACE_FORMATS, type TraceFormat } from "../trace/source.ts";

/** A preset's name, or a file with a description in YAML or JSON, or `-` for standard input. */
export async function machineFrom(source: string): Promise<LoadedMachine> {
  if (isPresetName(source)) return loadContent(presets[source]);
  // Only text needs a reader of text.
  const { loadDescription } = await import("../machine/index.ts");
  if (source === "-") return loadDescription(await standardInput(), { file: "standard input" });
  const isFile = await stat(source).then(
    (status) => status.isFile(),
    () => false,
  );
  if (!isFile && !/[/\\]|\.(ya?ml|json)$/i.test(source)) {
    throw new MachineError("no such machine", {
      found: source,
      expected: `${PRESET_NAMES.join(", ")}, or a file in YAML or JSON`,
      nearest: nearestWord(source, PRESET_NAMES),
    });
  }
  const text = await readFile(source, "utf8").catch((cause: Error) => {
    throw new MachineError("can't read the machine description", {
      file: source,
      found: cause.message,
      cause,
    });
  });
  return loadDescription(text, { file: source });
}

async function standardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}

/** Options about a trace, as commander parses them. */
export interface TraceOptions {
  readonly format?: TraceFormat;
  readonly recorded?: Provenance;
  readonly caches?: "on" | "off";
  readonly skip?: boolean;
  readonly sizes?: boolean;
  readonly mapAddresses?: AddressMapping;
  readonly cores?: number;
  readonly schedule?: Schedule;
  readonly quantum?: number;
  readonly skipRefs?: number;
  readonly simRefs?: number;
}

/** SCTLR_EL1 that stands for caches on (and the MMU with them), and off. */
const SCTLR = { on: SCTLR_M | SCTLR_C | SCTLR_I, off: 0 } as const;

/** What a trace may have recorded, as words of `--recorded`. */
export const RECORDED = ["maintenance", "control", "dma", "ownership"] as const;

export function withTraceOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--format <format>", "read the trace as this, instead of detecting it").choices(TRACE_FORMATS),
    )
    .addOption(
      new Option(
        "--recorded <list>",
        `what the trace recorded: all, none, or some of ${RECORDED.join(",")} (R48); instead of what it says itself`,
      ).argParser(recorded),
    )
    .addOption(
      new Option("--caches <state>", "MMU and caches of every core before the first record").choices(["on", "off"]),
    )
    .option("--sizes", "keep the sizes of accesses of other tools' traces (one record is one block otherwise)")
    .option("--skip", "leave out what can't be understood of other tools' traces, and count it")
    .addOption(
      new Option(
        "--map-addresses <how>",
        "what becomes of addresses: keep them (none), drop the bits above 48 (low48), give every page the next page of RAM at its first touch (pages), or the physical one that a drmemtrace tells (recorded)",
      ).choices(ADDRESS_MAPPINGS),
    )
    .option("--cores <count>", "cores that the threads of a drmemtrace share", positiveNumber)
    .addOption(
      new Option("--schedule <by>", "deal threads to cores, or the CPUs that they were recorded on").choices(SCHEDULES),
    )
    .option(
      "--quantum <count>",
      "threads take turns of so many instructions (they follow their timestamps otherwise)",
      positiveNumber,
    )
    .option("--skip-refs <count>", "leave out so many records at the beginning", wholeNumber)
    .option("--sim-refs <count>", "end after so many records", wholeNumber);
}

export function openOptions(options: TraceOptions): OpenOptions {
  return {
    format: options.format,
    provenance: options.recorded,
    initialSctlr: options.caches === undefined ? undefined : SCTLR[options.caches],
    skip: options.skip,
    sizes: options.sizes,
    mapAddresses: options.mapAddresses,
    cores: options.cores,
    schedule: options.schedule,
    quantum: options.quantum,
  };
}

function recorded(text: string): Provenance {
  const words = text === "all" ? RECORDED : text === "none" ? [] : text.split(",");
  for (const word of words) {
    if ((RECORDED as readonly string[]).includes(word)) continue;
    const nearest = nearestWord(word, [...RECORDED, "all", "none"]);
    throw new InvalidArgumentError(
      `Unknown: ${word}; expected all, none, or some of ${RECORDED.join(",")}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
    );
  }
  const has = (word: string) => (words as readonly string[]).includes(word);
  return {
    maintenance: has("maintenance"),
    control: has("control"),
    dma: has("dma"),
    ownership: has("ownership"),
  };
}

/** For commander: a whole number that isn't negative. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("Expected a whole number.");
  return value;
}

/** For commander: a whole number from 1 on. */
export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("Expected a whole number from 1 on.");
  return value;
}
