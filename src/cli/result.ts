/** Where a verb's one result goes: text or JSON on stdout, or `-o kind:path` as often as wanted. */
import { type Command, Option } from "commander";
import { SetwayError } from "../engine/errors.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { Emitted } from "../report/emitted.ts";
import { fileSink } from "../trace/output.node.ts";
import { type Terminal, wantsColor } from "./terminal.ts";

export interface ResultOptions {
  readonly json?: boolean;
  readonly output?: readonly KindAndPath[];
}

export interface KindAndPath {
  readonly kind: string;
  readonly path: string;
}

const KINDS = ["text", "json"] as const;

/** Adds `--json` and `-o kind:path`, for a verb that knows these kinds. */
export function withResultOptions(command: Command, kinds: readonly string[] = KINDS): Command {
  return command
    .option("--json", "print one JSON object on stdout")
    .addOption(
      new Option(
        "-o, --output <kind:path>",
        `write the result to a file, repeatable; kinds: ${kinds.join(", ")}; - is stdout`,
      ).argParser((text, previous: readonly KindAndPath[] | undefined) => [
        ...(previous ?? []),
        kindAndPath(text, kinds),
      ]),
    );
}

/** Splits `kind:path`. */
export function kindAndPath(text: string, kinds: readonly string[]): KindAndPath {
  const [kind = "", ...rest] = text.split(":");
  const path = rest.join(":");
  if (!kinds.includes(kind) || path === "") {
    throw new SetwayError("usage", "bad output", {
      found: text,
      expected: `kind:path with a kind of ${kinds.join(", ")}`,
      nearest: kinds.includes(kind) ? undefined : nearestWord(kind, kinds),
    });
  }
  return { kind, path };
}

/** Writes the result everywhere it was asked for; as text to stdout if nowhere. */
export async function emitResult(result: Emitted, options: ResultOptions, terminal: Terminal): Promise<void> {
  const asked = options.output ?? [];
  const targets = options.json ? [{ kind: "json", path: "-" }, ...asked] : asked;
  for (const { kind, path } of targets.length > 0 ? targets : [{ kind: "text", path: "-" }]) {
    const color = path === "-" && wantsColor(terminal.stdout, terminal.env);
    const content = kind === "json" ? `${JSON.stringify(result.json, undefined, 2)}\n` : result.text(color);
    await emitContent(content, path, terminal);
  }
}

/** Writes to a file, or to stdout (`-`). */
export async function emitContent(content: string, path: string, terminal: Terminal): Promise<void> {
  if (path === "-") await terminal.stdout.write(content);
  else await writeFile(path, content);
}

/** The file is there as a whole or not at all. Not being able to write is a matter of usage, not of a trace. */
async function writeFile(path: string, content: string): Promise<void> {
  const sink = await fileSink(path).catch(asUsageError);
  try {
    await sink.write(new TextEncoder().encode(content)).catch(asUsageError);
    await sink.close().catch(asUsageError);
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** For `catch`: an output that can't be written is no bad trace. */
export function asUsageError(error: unknown): never {
  throw error instanceof SetwayError ? new SetwayError("usage", error.what, error.detail) : error;
}
