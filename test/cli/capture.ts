/** Runs the command line inside the test's process and keeps what it wrote. */
import { programOutline, runCommandLine } from "../../src/cli/program.ts";
import type { Output, Terminal } from "../../src/cli/terminal.ts";

// Verbs are loaded when they are named. Here all are before the first test, after which nothing may be new (leaves-no-trace.ts).
await programOutline();

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CaptureOptions {
  readonly signal?: AbortSignal;
  readonly stderrIsTerminal?: boolean;
  readonly env?: Terminal["env"];
}

/** One command line, without the program's name. */
export async function setway(args: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const stdout = buffer(false);
  const stderr = buffer(options.stderrIsTerminal ?? false);
  const code = await runCommandLine(args, {
    stdout: stdout.output,
    stderr: stderr.output,
    env: options.env ?? {},
    columns: 100,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function buffer(isTerminal: boolean): { readonly output: Output; readonly text: () => string } {
  const chunks: Uint8Array[] = [];
  return {
    output: {
      isTerminal,
      write: async (chunk) => {
        chunks.push(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk.slice());
      },
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}
