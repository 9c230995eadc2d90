/** What readers of traces run as WebAssembly: assembly/trace.ts, compiled once, an instance for whoever asks. */
import { moduleOf } from "../engine/inlined-module.ts";
import { TRACE } from "./trace-binary.ts";

/** Places are offsets in bytes. */
export interface TraceExports {
  readonly memory: WebAssembly.Memory;
  readonly operations: WebAssembly.Global<"i32">;
  readonly requesters: WebAssembly.Global<"i32">;
  readonly lines: WebAssembly.Global<"i32">;
  readonly offsets: WebAssembly.Global<"i32">;
  readonly words: WebAssembly.Global<"i32">;
  join(entries: number, lineBytes: number): number;
  inflate(from: number, fromBytes: number, to: number, toBytes: number): number;
  begin(): void;
  stripes(count: number): void;
  finish(bytes: number): number;
}

let compiled: WebAssembly.Module | undefined;

/** An instance of one's own. */
export function traceExports(): TraceExports {
  compiled ??= moduleOf(TRACE);
  return new WebAssembly.Instance(compiled).exports as unknown as TraceExports;
}
