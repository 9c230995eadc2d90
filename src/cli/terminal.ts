/**
 * What the command line needs of the process: streams, whether they are terminals, and Ctrl-C. Tests give it buffers.
 */

export interface Output {
  write(chunk: string | Uint8Array): Promise<void>;
  readonly isTerminal: boolean;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of stderr's terminal. */
  readonly columns: number;
  /** Aborted by the first SIGINT. */
  readonly signal: AbortSignal;
}

/** The process itself. The second Ctrl-C ends it at once. */
export function processTerminal(): Terminal {
  const interrupt = new AbortController();
  process.on("SIGINT", () => {
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  });
  // A reader that has seen enough (`| head`) is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    // Some terminals say 0.
    columns: process.stderr.columns || 80,
    signal: interrupt.signal,
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    isTerminal: stream.isTTY === true,
  };
}

/** https://no-color.org: any value that isn't empty turns colour off. */
export function wantsColor(output: Output, env: Terminal["env"]): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  return output.isTerminal && env.TERM !== "dumb";
}
