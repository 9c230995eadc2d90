/** The small family of errors that setway throws on bad input. Each has a stable code, its place, what was found and what was expected. */

export type ErrorCode = "usage" | "machine" | "trace" | "record";

export interface ErrorPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Record number, from 0. */
  readonly record?: number | undefined;
  /** Byte offset in the (uncompressed) file. */
  readonly offset?: number | undefined;
  /** Dotted path in a machine description. */
  readonly path?: string | undefined;
}

export interface ErrorDetail extends ErrorPlace {
  readonly found?: string | undefined;
  readonly expected?: string | undefined;
  /** The nearest valid word. */
  readonly nearest?: string | undefined;
  readonly cause?: unknown;
}

export class SetwayError extends Error {
  readonly code: ErrorCode;
  /** The message without place, findings and advice. */
  readonly what: string;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, what: string, detail: ErrorDetail = {}) {
    super(sentence(what, detail), detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "SetwayError";
    this.code = code;
    this.what = what;
    this.detail = detail;
  }
}

/** A record that cannot be played (D7), a trace that cannot be read, or a machine that cannot be built. */
export class RecordError extends SetwayError {
  constructor(what: string, detail: ErrorDetail) {
    super("record", what, detail);
    this.name = "RecordError";
  }
}

export class TraceError extends SetwayError {
  constructor(what: string, detail: ErrorDetail) {
    super("trace", what, detail);
    this.name = "TraceError";
  }
}

export class MachineError extends SetwayError {
  constructor(what: string, detail: ErrorDetail) {
    super("machine", what, detail);
    this.name = "MachineError";
  }
}

/** An error as plain data, for another thread. */
export interface SentError {
  readonly code: ErrorCode;
  readonly what: string;
  readonly detail: ErrorDetail;
}

/** Without its cause: that may be anything, and not everything travels. */
export function sentError({ code, what, detail: { cause: _, ...detail } }: SetwayError): SentError {
  return { code, what, detail };
}

/** The error that was sent. */
export function receivedError({ code, what, detail }: SentError): SetwayError {
  if (code === "record") return new RecordError(what, detail);
  if (code === "machine") return new MachineError(what, detail);
  if (code === "trace") return new TraceError(what, detail);
  return new SetwayError(code, what, detail);
}

function sentence(what: string, detail: ErrorDetail): string {
  const place = [
    detail.file,
    detail.line === undefined ? undefined : `line ${detail.line}`,
    detail.column === undefined ? undefined : `column ${detail.column}`,
    detail.path,
    detail.record === undefined ? undefined : `record ${detail.record}`,
    detail.offset === undefined ? undefined : `byte ${detail.offset}`,
  ].filter((part) => part !== undefined);
  const text = [place.length > 0 ? `${place.join(", ")}: ${what}` : what];
  if (detail.found !== undefined) text.push(`found ${detail.found}`);
  if (detail.expected !== undefined) text.push(`expected ${detail.expected}`);
  if (detail.nearest !== undefined) text.push(`did you mean ${detail.nearest}?`);
  return text.join("; ");
}
