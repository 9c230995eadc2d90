/**
 * What a study of costs is: parameters as one table, columns as another, and a function that measures one row by playing
 * real sequences. The runner here walks through all combinations; it knows nothing of caches.
 */
import { SetwayError } from "../engine/errors.ts";
import { createKernel, type Kernel, type KernelOptions } from "../engine/kernel.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { type Parameters, parseValues, type Value, type ValuesOf } from "./parameter.ts";

export interface Column {
  /** The key in JSON and CSV; units last. */
  readonly key: string;
  /** The heading of a table for people. */
  readonly title: string;
  readonly summary: string;
  /** Decimals for people; whole numbers if absent. */
  readonly digits?: number;
}

/** What one row costs, by column key. */
export type Cells = Readonly<Record<string, Value>>;

/** What a chart shows: each of `y` over `x`, one line for each combination of the other parameters that vary. */
export interface Chart {
  /** Parameters that may be the x axis, the best first: the first with more than one value is. */
  readonly x: readonly string[];
  readonly y: readonly { readonly key: string; readonly label: string }[];
  readonly yTitle: string;
}

/** What measuring has besides its values. */
export interface StudyContext {
  readonly machine: ResolvedMachine;
  /** Clock of the simulated cores: an assumption. */
  readonly ghz: number;
  readonly createEngine: (machine: ResolvedMachine) => Kernel;
  /** Something about how the row was made that its reader must know: what was scaled, what was left out. Told once each. */
  readonly note: (text: string) => void;
  /** Plays what depends on these facts alone once, however many rows share it. */
  readonly once: <T>(facts: Readonly<Record<string, Value>>, play: () => T) => T;
}

/** One row: the values that it was measured with, and what came out. */
export interface Row {
  readonly values: Readonly<Record<string, Value>>;
  readonly cells: Cells;
}

export interface Study<P extends Parameters = Parameters> {
  /** The word after `setway cost`. */
  readonly name: string;
  /** One line: the question. */
  readonly summary: string;
  /** The preset that it is played on unless told otherwise. */
  readonly machine: string;
  readonly parameters: P;
  readonly columns: readonly Column[];
  readonly chart: Chart;
  /** Beside latencies and clock: what the numbers rest on. */
  readonly assumptions: readonly string[];
  /** Refuses values that this machine cannot have, before anything is played. */
  readonly check?: (machine: ResolvedMachine, values: ValuesOf<P>) => void;
  /** Whether a combination of values means anything; those that don't are left out. */
  readonly applies?: (values: ValuesOf<P>) => boolean;
  readonly measure: (values: ValuesOf<P>, context: StudyContext) => Cells;
}

/** Any study, whatever its parameters are called. */
// biome-ignore lint/suspicious/noExplicitAny: a study's own parameters are no concern of those who keep many studies.
export type AnyStudy = Study<any>;

/** Checks at compile time that a study's measuring fits its parameters. */
export const defineStudy = <const P extends Parameters>(study: Study<P>): Study<P> => study;

export interface StudyOptions {
  readonly machine: ResolvedMachine;
  readonly ghz: number;
  /** Texts as typed, by parameter; defaults for what is absent. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Asked before each row: the signal, and whoever wants to draw a bar. */
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
  /** Lets other things happen between rows. */
  readonly breathe?: () => Promise<void>;
  readonly kernel?: KernelOptions;
}

export interface StudyResult {
  readonly study: AnyStudy;
  readonly machine: ResolvedMachine;
  readonly ghz: number;
  /** All values of each parameter, in the order typed. */
  readonly lists: Readonly<Record<string, readonly Value[]>>;
  readonly rows: readonly Row[];
  readonly rowsPlanned: number;
  /** True if it was interrupted: the rows are whole, but some are missing. */
  readonly partial: boolean;
  readonly notes: readonly string[];
}

const MOST_ROWS = 10_000;

/** Measures every combination of values. Throws usage errors before it plays anything. */
export async function runStudy(study: AnyStudy, options: StudyOptions): Promise<StudyResult> {
  const { machine, ghz, signal, breathe = async () => {} } = options;
  const lists = listsOf(study, options.parameters ?? {});
  const plan = combinations(lists).filter((values) => study.applies?.(values) ?? true);
  if (plan.length === 0) {
    throw new SetwayError("usage", "no combination of these values means anything", {
      found: Object.entries(options.parameters ?? {})
        .map(([name, text]) => `--${name} ${text}`)
        .join(" "),
      expected: `what setway cost ${study.name} --help says`,
    });
  }
  if (plan.length > MOST_ROWS) {
    throw new SetwayError("usage", "too many rows", { found: String(plan.length), expected: `at most ${MOST_ROWS}` });
  }
  for (const values of plan) study.check?.(machine, values);
  const notes = new Set<string>();
  const played = new Map<string, unknown>();
  const context: StudyContext = {
    machine,
    ghz,
    createEngine: (variant) => createKernel(variant, options.kernel),
    note: (text) => void notes.add(text),
    once: (facts, play) => {
      const key = JSON.stringify(facts);
      if (!played.has(key)) played.set(key, play());
      return played.get(key) as ReturnType<typeof play>;
    },
  };
  const rows: Row[] = [];
  for (const values of plan) {
    options.progress?.(rows.length, plan.length);
    await breathe();
    if (signal?.aborted) break;
    rows.push({ values, cells: tidied(study.measure(values, context)) });
  }
  const partial = rows.length < plan.length;
  return { study, machine, ghz, lists, rows, rowsPlanned: plan.length, partial, notes: [...notes] };
}

/** Without the last digits of fractions, which are noise of their binary form. */
const tidied = (cells: Cells): Cells =>
  Object.fromEntries(
    Object.entries(cells).map(([key, value]) => [
      key,
      typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(12)) : value,
    ]),
  );

function listsOf(study: AnyStudy, texts: Readonly<Record<string, string>>): Record<string, readonly Value[]> {
  for (const name of Object.keys(texts)) {
    if (name in study.parameters) continue;
    const names = Object.keys(study.parameters);
    throw new SetwayError("usage", `study ${study.name} has no such parameter`, {
      found: name,
      expected: names.join(", "),
      nearest: nearestWord(name, names),
    });
  }
  return Object.fromEntries(
    Object.entries(study.parameters as Parameters).map(([name, parameter]) => [
      name,
      parseValues(name, parameter, texts[name] ?? parameter.default),
    ]),
  );
}

/** The first parameter changes slowest. */
function combinations(lists: Readonly<Record<string, readonly Value[]>>): Record<string, Value>[] {
  return Object.entries(lists).reduce<Record<string, Value>[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}

export const milliseconds = (cycles: number, ghz: number): number => cycles / (ghz * 1e6);
