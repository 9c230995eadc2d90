/** `setway convert`: copies a trace into other formats, as many at a time as wanted; each whole or not at all. */
import { type Command, Option } from "commander";
import type { Provenance } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import { count, counted } from "../report/number.ts";
import type { ConvertJson } from "../report/published.ts";
import { type Convertible, type ConvertProgress, convert } from "../trace/convert.ts";
import { outputFormat } from "../trace/create.ts";
import { type DecodedTrace, openDecoded } from "../trace/decoder.node.ts";
import { losses } from "../trace/losses.ts";
import { createTraceFile, type TraceFileSink } from "../trace/open.node.ts";
import type { OpenOptions } from "../trace/open.ts";
import { assessable, sightingsIn } from "../trace/recorded.ts";
import {
  ADDRESS_KINDS,
  type AddressKind,
  type TraceSink,
  WRITTEN_FORMATS,
  type WrittenFormat,
} from "../trace/source.ts";
import { windowed } from "../trace/window.ts";
import { EXIT } from "./exit.ts";
import { openOptions, type TraceOptions, withTraceOptions } from "./inputs.ts";
import { untilAborted } from "./interrupt.ts";
import type { Session } from "./program.ts";
import { Progress } from "./progress.ts";
import { asUsageError, type KindAndPath, kindAndPath } from "./result.ts";
import type { Terminal } from "./terminal.ts";

interface ConvertOptions extends TraceOptions {
  readonly output?: readonly KindAndPath[];
  readonly json?: true;
  readonly source?: string;
  readonly addresses?: AddressKind;
  readonly skipUnwritable?: true;
}

export function addConvert(program: Command, session: Session): void {
  const command = program
    .command("convert")
    .description("write a trace in other formats")
    .argument("<trace>", "a file of any format that replay reads, or - for standard input")
    .argument(
      "[output]",
      "a file; its name says the format (.swt, .raw64, .din, .lackey, .drmemtrace, .trc for gem5; all but .swt also .gz)",
    );
  withTraceOptions(command)
    .addOption(
      new Option(
        "-o, --output <format:path>",
        `write this format to this path, repeatable; kinds: ${WRITTEN_FORMATS.join(", ")}; - is stdout`,
      ).argParser((text, previous: readonly KindAndPath[] | undefined) => [
        ...(previous ?? []),
        kindAndPath(text, WRITTEN_FORMATS),
      ]),
    )
    .option("--source <text>", "where the trace was recorded and how, for a .swt's header")
    .addOption(new Option("--addresses <kind>", "what its addresses are, for a .swt's header").choices(ADDRESS_KINDS))
    .option("--skip-unwritable", "leave out records that an output's format can't hold, and count them")
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
Example:
  $ setway convert boot.raw64.xz boot.swt --recorded maintenance,control --caches off
  $ setway convert boot.swt -o raw64:- | other-simulator`,
    )
    .action(
      session.action(async (path: string, output: string | undefined, options: ConvertOptions) =>
        convertTrace(path, outputsOf(output, options), options, session.terminal),
      ),
    );
}

interface Target {
  readonly path: string;
  readonly format: WrittenFormat | undefined;
}

function outputsOf(output: string | undefined, options: ConvertOptions): readonly Target[] {
  const targets: Target[] = (options.output ?? []).map(({ kind, path }) => ({ path, format: kind as WrittenFormat }));
  if (output === "-") {
    throw new SetwayError("usage", "standard output has no name to say its format", {
      found: "-",
      expected: "-o format:-, for example -o raw64:-",
    });
  }
  if (output !== undefined) targets.unshift({ path: output, format: undefined });
  if (targets.length === 0) {
    throw new SetwayError("usage", "no output", { expected: "a file, or -o format:path" });
  }
  if (options.json && targets.some(({ path }) => path === "-")) {
    throw new SetwayError("usage", "standard output can't hold both the trace and a JSON object", {
      found: "--json with -",
    });
  }
  return targets;
}

async function convertTrace(
  path: string,
  targets: readonly Target[],
  options: ConvertOptions,
  terminal: Terminal,
): Promise<number> {
  const opening = { ...openOptions(options), addresses: options.addresses };
  const formats = targets.map(({ path: output, format }) => outputFormat(output, { format }).format);
  const source = await openDecoded(path, opening);
  const sinks: TraceFileSink[] = [];
  const progress = new Progress(terminal);
  try {
    const provenance = formats.includes("swt") ? await recordedBy(path, source, opening) : source.header.provenance;
    const isPart = options.skipRefs !== undefined || options.simRefs !== undefined;
    const description = {
      ...source.header,
      provenance,
      source: options.source ?? source.header.source,
      records: isPart ? undefined : source.header.records,
    };
    for (const { path: output, format } of targets) {
      sinks.push(
        await createTraceFile(output, description, { format, skip: options.skipUnwritable }).catch(asUsageError),
      );
    }
    // An interrupted trace ends there, and what was read of it is written to its end.
    const places = targets.map(({ path: output }) => output);
    const converted = await convert(partOf(source), everyOne(sinks, nameParts), {
      onProgress: ({ records, bytesRead, totalBytes }: ConvertProgress) =>
        totalBytes === undefined
          ? progress.show("records", records, source.header.records)
          : progress.show("converting", bytesRead, totalBytes),
    });
    await progress.clear();
    const partial = terminal.signal.aborted;
    const result: ConvertJson = {
      trace: source.name,
      ...(partial ? { partial } : {}),
      records: converted.records,
      skipped: converted.skipped,
      outputs: places.map((place, index) => ({
        path: place,
        bytes: sinks[index]?.bytesWritten ?? 0,
        lost: losses(source.header, formats[index] as WrittenFormat, options.sizes),
      })),
    };
    if (options.json) await terminal.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else await (places.includes("-") ? terminal.stderr : terminal.stdout).write(textOf(result));
    return partial ? EXIT.INTERRUPTED : EXIT.OK;

    function nameParts(): void {
      if (!terminal.signal.aborted) return;
      for (const [index, sink] of sinks.entries()) places[index] = sink.becomePartial() ?? (places[index] as string);
    }
  } catch (error) {
    await Promise.all(sinks.map((sink) => sink.abort().catch(() => {})));
    throw error;
  } finally {
    // An interrupted read may never end.
    void source.close().catch(() => {});
    await progress.clear();
  }

  /** The part that was asked for, up to an interruption. */
  function partOf(whole: DecodedTrace): Convertible {
    const { skipRefs: skip, simRefs: most } = options;
    const batches = () => windowed(untilAborted(whole.batches(), terminal.signal), { skip, most });
    return Object.create(whole, { batches: { value: batches } });
  }

  /** Bare records don't say what was recorded: a file of them is looked through before its `.swt` says it. */
  async function recordedBy(file: string, { header }: DecodedTrace, how: OpenOptions): Promise<Provenance> {
    if (header.format !== "raw64" || options.recorded !== undefined || file === "-") return header.provenance;
    return assessable(header, await sightingsIn(partOf(await openDecoded(file, how))));
  }
}

const textOf = ({ trace, partial, records, skipped, outputs }: ConvertJson): string =>
  [
    `${trace}: ${partial ? "PARTIAL, interrupted after " : ""}${counted(records, "record")}`,
    ...outputs.flatMap((output) => [
      `  ${output.path}: ${count(output.bytes)} bytes`,
      ...output.lost.map((lost) => `    without ${lost}`),
    ]),
    ...(skipped > 0 ? [`  left out: ${count(skipped)}`] : []),
    "",
  ].join("\n");

/** Several sinks as one, with something to do before they are closed. */
function everyOne(sinks: readonly TraceSink[], beforeClose: () => void): TraceSink {
  const sum = (value: (sink: TraceSink) => number) => sinks.reduce((total, sink) => total + value(sink), 0);
  return {
    write: async (words) => {
      for (const sink of sinks) await sink.write(words);
    },
    close: async () => {
      beforeClose();
      for (const sink of sinks) await sink.close();
    },
    abort: async () => {
      for (const sink of sinks) await sink.abort();
    },
    get bytesWritten() {
      return sum((sink) => sink.bytesWritten);
    },
    get skipped() {
      return sum((sink) => sink.skipped);
    },
  };
}
