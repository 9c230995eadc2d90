/** Exit codes, and which error means which. */
import { CommanderError } from "commander";
import { SetwayError } from "../engine/errors.ts";

export const EXIT = {
  OK: 0,
  /** It ran, and an expectation failed. */
  EXPECTATION: 1,
  /** Usage, or the machine description. */
  USAGE: 2,
  /** A trace that cannot be read, or a record that cannot be played. */
  TRACE: 3,
  INTERNAL: 70,
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Exit code and message for whatever was thrown. Commander has already written its own messages. */
export function exitFor(error: unknown): { readonly code: ExitCode; readonly message: string | undefined } {
  if (error instanceof CommanderError) {
    return { code: error.exitCode === 0 ? EXIT.OK : EXIT.USAGE, message: undefined };
  }
  if (error instanceof SetwayError) {
    const trace = error.code === "trace" || error.code === "record";
    return { code: trace ? EXIT.TRACE : EXIT.USAGE, message: `error: ${error.message}` };
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: EXIT.INTERNAL, message: `internal error, please report it: ${detail}` };
}
