/** `setway convert`: copies a trace into other formats, as many at a time as wanted; each whole or not at all. */
import { type Command, Option } from "commander";
import { SetwayError } from "../engine/errors.ts";
import { count, counted } from "../report/number.ts";
import type { ConvertJson } from "../report/published.ts";
import { type ConvertProgress, convert } from "../trace/convert.ts";
import { outputFormat } from "../trace/create.ts";
import { losses } from "../trace/losses.ts";
import { createTraceFile, openTraceFile } from "../trace/open.node.ts";
import {
  ADDRESS_KINDS,
  type AddressKind,
  type TraceSink,
  type TraceSource,
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
  const source = await openTraceFile(path, { ...openOptions(options), addresses: options.addresses });
  const isPart = options.skipRefs !== undefined || options.simRefs !== undefined;
  const description = {
    ...source.header,
    source: options.source ?? source.header.source,
    records: isPart ? undefined : source.header.records,
  };
  const sinks: TraceSink[] = [];
  const progress = new Progress(terminal);
  try {
    for (const { path: output, format } of targets) {
      sinks.push(
        await createTraceFile(output, description, { format, skip: options.skipUnwritable }).catch(asUsageError),
      );
    }
    const part = partOf(untilInterrupted(source, terminal.signal), options);
    const converted = await convert(part, everyOne(sinks), {
      signal: terminal.signal,
      onProgress: ({ records, bytesRead, totalBytes }: ConvertProgress) =>
        totalBytes === undefined
          ? progress.show("records", records, source.header.records)
          : progress.show("converting", bytesRead, totalBytes),
    });
    await progress.clear();
    const result: ConvertJson = {
      trace: source.name,
      records: converted.records,
      skipped: converted.skipped,
      outputs: targets.map((target, index) => ({
        path: target.path,
        bytes: sinks[index]?.bytesWritten ?? 0,
        lost: losses(source.header, outputFormat(target.path, { format: target.format }).format, options.sizes),
      })),
    };
    const text = [
      `${source.name}: ${counted(result.records, "record")}`,
      ...result.outputs.flatMap((output) => [
        `  ${output.path}: ${count(output.bytes)} bytes`,
        ...output.lost.map((lost) => `    without ${lost}`),
      ]),
      ...(result.skipped > 0 ? [`  left out: ${count(result.skipped)}`] : []),
      "",
    ].join("\n");
    if (options.json) await terminal.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else await (targets.some((target) => target.path === "-") ? terminal.stderr : terminal.stdout).write(text);
    return EXIT.OK;
  } catch (error) {
    await Promise.all(sinks.map((sink) => sink.abort().catch(() => {})));
    // An interrupted read may never end.
    void source.close().catch(() => {});
    if (!terminal.signal.aborted) throw error;
    await progress.clear();
    await terminal.stderr.write("interrupted: nothing was written\n");
    return EXIT.INTERRUPTED;
  } finally {
    await progress.clear();
  }
}

const untilInterrupted = (source: TraceSource, signal: AbortSignal): TraceSource =>
  Object.create(source, { batches: { value: () => untilAborted(source.batches(), signal) } });

const partOf = (source: TraceSource, { skipRefs: skip, simRefs: most }: ConvertOptions): TraceSource =>
  Object.create(source, { batches: { value: () => windowed(source.batches(), { skip, most }) } });

/** Several sinks as one. */
function everyOne(sinks: readonly TraceSink[]): TraceSink {
  const sum = (value: (sink: TraceSink) => number) => sinks.reduce((total, sink) => total + value(sink), 0);
  return {
    write: async (words) => {
      for (const sink of sinks) await sink.write(words);
    },
    close: async () => {
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
