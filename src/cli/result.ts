/**
 * Where a verb's one result goes: text or JSON on stdout, or `-o kind:path` as often as wanted. Paths are looked at before
 * anything is played; files appear all together once all are written, or none does.
 */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { SetwayError } from "../engine/errors.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { Emitted } from "../report/emitted.ts";
import { DEFAULT_KINDS, kindNamed, REPORT_KINDS, type ReportKindName, reportAs } from "../report/kinds.ts";
import type { PublishedResults, PublishedVerb } from "../report/published.ts";
import type { ByteSink } from "../trace/bytes.ts";
import { fileSink } from "../trace/output.node.ts";
import { type Terminal, wantsColor } from "./terminal.ts";

export interface ResultOptions {
  readonly json?: boolean;
  readonly output?: readonly KindAndPath[];
}

export interface KindAndPath<Kind extends string = string> {
  readonly kind: Kind;
  readonly path: string;
}

const STDOUT = "-";

/** Adds `--json` and `-o kind:path`, for a verb that can write these kinds. Unwritable paths end it before it begins. */
export function withResultOptions(command: Command, kinds: readonly ReportKindName[] = DEFAULT_KINDS): Command {
  const hint = kinds.length > DEFAULT_KINDS.length ? "; setway list reports says what they are" : "";
  return command
    .option("--json", "print one JSON object on stdout")
    .addOption(
      new Option(
        "-o, --output <kind:path>",
        `write the result to a file, repeatable; kinds: ${kinds.join(", ")}${hint}; - is stdout`,
      ).argParser((text, previous: readonly KindAndPath[] | undefined) => [
        ...(previous ?? []),
        kindAndPath(text, kinds),
      ]),
    )
    .hook("preAction", (owner) => checkOutputs(owner.opts<ResultOptions>()));
}

/** Splits `kind:path`. */
export function kindAndPath<Kind extends string>(text: string, kinds: readonly Kind[]): KindAndPath<Kind> {
  const [word = "", ...rest] = text.split(":");
  const path = rest.join(":");
  const kind = kinds.find((known) => known === word);
  if (kind === undefined || path === "") {
    throw new SetwayError("usage", "bad output", {
      found: text,
      expected: `kind:path with a kind of ${kinds.join(", ")}`,
      nearest: kind === undefined ? nearestWord(word, kinds) : undefined,
    });
  }
  return { kind, path };
}

/** The path of `-o misses:path` and its like: what is written while a replay goes on. */
export function streamedTo(options: ResultOptions, kind: ReportKindName): string | undefined {
  return options.output?.find((target) => target.kind === kind)?.path;
}

/** Whether the result is wanted in a kind at all: some need more work while playing. */
export const wantsKind = (options: ResultOptions, kind: ReportKindName): boolean =>
  options.output?.some((target) => target.kind === kind) === true;

/** Throws a usage error for kinds that don't exist of what is going to be played. */
export function refuseKinds(options: ResultOptions, kinds: readonly ReportKindName[], of: string): void {
  const refused = kinds.find((kind) => wantsKind(options, kind));
  if (refused === undefined) return;
  throw new SetwayError("usage", `${of} can't be written as ${refused}`, {
    found: `-o ${refused}:${streamedTo(options, refused)}`,
    expected: REPORT_KINDS.filter(({ name }) => !kinds.includes(name) && name !== "misses")
      .map(({ name }) => name)
      .join(", "),
  });
}

function targetsOf(options: ResultOptions): readonly KindAndPath[] {
  const asked = options.output ?? [];
  return options.json ? [{ kind: "json", path: STDOUT }, ...asked] : asked;
}

/** Throws a usage error for paths that can't be written, or that two results would share. */
export async function checkOutputs(options: ResultOptions): Promise<void> {
  const targets = targetsOf(options);
  const toStdout = targets.filter(({ path }) => path === STDOUT);
  if (toStdout.length > 1) {
    throw new SetwayError("usage", "standard output can hold one result only", {
      found: toStdout.map(({ kind }) => `${kind}:-`).join(", "),
      expected: "a path for the others",
    });
  }
  const seen = new Map<string, KindAndPath>();
  for (const target of targets) {
    if (target.path === STDOUT) continue;
    const whole = resolve(target.path);
    const other = seen.get(whole);
    if (other !== undefined) {
      throw new SetwayError("usage", "two results for one file", {
        found: `${other.kind}:${other.path} and ${target.kind}:${target.path}`,
        expected: "a path for each",
      });
    }
    seen.set(whole, target);
    await checkWritable(target.path);
  }
}

/** Files are put in their place by a rename, so it is the folder that has to be writable. */
async function checkWritable(path: string): Promise<void> {
  const refuse = (found: string, cause?: unknown): never => {
    throw new SetwayError("usage", "can't be written", {
      file: path,
      found,
      expected: "a file in a folder that is there",
      cause,
    });
  };
  const existing = await stat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? undefined : refuse(error.message, error),
  );
  if (existing?.isDirectory() || /[/\\]$/.test(path)) refuse("it is a directory");
  const isSpecial = existing !== undefined && !existing.isFile();
  const folder = dirname(path);
  if (!isSpecial) {
    const status = await stat(folder).catch(() => undefined);
    if (status === undefined) refuse(`there is no folder ${folder}`);
    else if (!status.isDirectory()) refuse(`${folder} is no folder`);
  }
  await access(isSpecial ? path : folder, constants.W_OK).catch((error: Error) => refuse(error.message, error));
}

export interface EmitOptions {
  /** Text on stdout whenever nothing else goes there, not only if nothing else was asked for. */
  readonly besideText?: boolean;
}

/** Writes a verb's result everywhere it was asked for; as text to stdout if nowhere. The verb says what its JSON is. */
export async function emitResult<Verb extends PublishedVerb>(
  _verb: Verb,
  result: Emitted<PublishedResults[Verb]>,
  options: ResultOptions,
  terminal: Terminal,
  { besideText = false }: EmitOptions = {},
): Promise<void> {
  const asked = targetsOf(options).filter(({ kind }) => !kindNamed(kind)?.streamed);
  const usesStdout = targetsOf(options).some(({ path }) => path === STDOUT);
  const wantsText = asked.length === 0 ? !usesStdout : besideText && !usesStdout;
  const targets = wantsText ? [{ kind: "text", path: STDOUT }, ...asked] : asked;
  const shown: (string | Uint8Array)[] = [];
  const files: { readonly path: string; readonly bytes: Uint8Array }[] = [];
  for (const { kind, path } of targets) {
    const color = path === STDOUT && wantsColor(terminal.stdout, terminal.env);
    const content = await reportAs(kind as ReportKindName, result, color);
    if (content === undefined) {
      throw new SetwayError("usage", "this result can't be written as that", { found: `${kind}:${path}` });
    }
    if (path === STDOUT) shown.push(content);
    else files.push({ path, bytes: typeof content === "string" ? new TextEncoder().encode(content) : content });
  }
  await writeFiles(files);
  for (const content of shown) await terminal.stdout.write(content);
}

/** Writes what is no report to a file, which is there as a whole or not at all, or to stdout (`-`). */
export async function emitContent(content: string, path: string, terminal: Terminal): Promise<void> {
  if (path === STDOUT) await terminal.stdout.write(content);
  else await writeFiles([{ path, bytes: new TextEncoder().encode(content) }]);
}

/** All of them or, as far as renaming goes, none. Not being able to write is a matter of usage, not of a trace. */
async function writeFiles(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Promise<void> {
  const sinks: ByteSink[] = [];
  try {
    for (const { path, bytes } of files) {
      const sink = await fileSink(path);
      sinks.push(sink);
      await sink.write(bytes);
    }
    for (const sink of sinks) await sink.close();
  } catch (error) {
    await Promise.all(sinks.map((sink) => sink.abort()));
    asUsageError(error);
  }
}

/** For `catch`: an output that can't be written is no bad trace. */
export function asUsageError(error: unknown): never {
  throw error instanceof SetwayError ? new SetwayError("usage", error.what, error.detail) : error;
}
