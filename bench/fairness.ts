/** Whether contestants did the same work: a comparison of speeds means nothing where one of them counts something else. */
import { createKernel } from "../src/engine/kernel.ts";
import { type PrintedCounters, printedByKernel } from "../src/report/yardstick.ts";
import { machineFor, type Native } from "./contestants.ts";
import type { Loop, LoopCounters } from "./loops.ts";
import { readWords, type Stream } from "./streams.ts";
import { TypedArrayHost } from "./typed-array.ts";

/** Played for the comparison with the kernel, which keeps its directory as the yardstick does only on request (R38). */
const PREFIX_RECORDS = 1_000_000;

/**
 * Compares the kernel with the typed arrays on the first records of a stream, and the typed arrays with what the yardstick
 * printed for all of it. Throws where a counter differs.
 */
export function requireSameCounters(stream: Stream, printed: PrintedCounters | undefined): void {
  const words = readWords(stream.accesses.path);
  const typed = new TypedArrayHost();
  const prefix = words.subarray(0, 2 * PREFIX_RECORDS);
  typed.play(prefix);
  const kernel = createKernel(machineFor({ initialSctlr: undefined }), {
    data: false,
    yardstick: true,
    provenance: stream.provenance,
  });
  kernel.play(prefix);
  requireSame(`${stream.name}: kernel and typed arrays`, printedByKernel(kernel), typed.counters());
  if (printed === undefined) return;
  typed.play(words.subarray(2 * PREFIX_RECORDS));
  requireSame(`${stream.name}: yardstick and typed arrays`, printed, typed.counters());
}

/** Compares what kernel and native loop counted, all that the native one counts, and what they loaded last. */
export function requireSameLoop(loop: Loop, kernel: CountedLoop, native: CountedLoop): void {
  const of = ({ counters, lastValue }: CountedLoop) => ({ ...counters, lastValue });
  requireSameNumbers(`${loop.name}: kernel and loops.c`, of(native), of(kernel));
}

export interface CountedLoop {
  readonly counters: LoopCounters;
  readonly lastValue: string;
}

function requireSame(who: string, left: PrintedCounters, right: PrintedCounters): void {
  requireSameNumbers(who, flat(left), flat(right));
}

type Named = Readonly<Record<string, number | string>>;

function requireSameNumbers(who: string, a: Named, b: Named): void {
  const different = Object.keys(a).filter((name) => a[name] !== b[name]);
  if (different.length === 0) return;
  const list = different.map((name) => `${name} ${a[name]} and ${b[name]}`).join(", ");
  throw new Error(`${who} count differently: ${list}`);
}

function flat({ sockets, ...whole }: PrintedCounters): Record<string, number> {
  const counters: Record<string, number> = { ...whole };
  sockets.forEach((socket, s) => {
    for (const [name, value] of Object.entries(socket)) counters[`L3[${s}] ${name}`] = value;
  });
  return counters;
}

/** Throws where the native programs counted differently: they are the same machine. */
export function requireSamePrints({ name }: Stream, printed: ReadonlyMap<Native, PrintedCounters>): void {
  const [first, ...others] = printed.values();
  if (first === undefined) return;
  for (const other of others) requireSame(`${name}: the native programs`, first, other);
}
