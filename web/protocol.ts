/**
 * What the page and its worker say to each other: the page asks, with a number; the worker answers each question once, and
 * may report progress before. Everything here can be cloned.
 */
import type { Film } from "./film.ts";

/** By this name everybody speaks of the visitor's own machine. */
export const OWN_MACHINE = "own";

/** What is played: a story of the catalogue, or the text of one. */
export interface Setting {
  readonly story: string;
  readonly machine: string;
  readonly era: string;
  readonly fixes: readonly string[];
}

export interface CatalogueStory {
  readonly name: string;
  readonly number: number | undefined;
  readonly title: string;
  readonly source: string;
  readonly machine: string;
  readonly eras: readonly string[];
  readonly fixes: readonly (readonly [name: string, what: string])[];
  readonly defaults: readonly string[];
  /** Recordings that it plays. */
  readonly traces: readonly string[];
  /** Machines on which it means nothing, and why. */
  readonly unsuited: Readonly<Record<string, string>>;
}

export interface CatalogueMachine {
  readonly name: string;
  /** What choices call it. */
  readonly title: string;
  readonly isOwn: boolean;
  readonly summary: string;
  readonly cores: number;
}

export interface OwnMachine {
  readonly machine: CatalogueMachine | undefined;
  /** By story that means nothing on it, why. */
  readonly unsuited: Readonly<Record<string, string>>;
}

export interface CatalogueParameter {
  readonly name: string;
  readonly summary: string;
  readonly default: string;
  readonly expects: string;
}

export interface CatalogueStudy {
  readonly name: string;
  readonly summary: string;
  readonly machine: string;
  readonly parameters: readonly CatalogueParameter[];
}

export interface Catalogue {
  readonly stories: readonly CatalogueStory[];
  readonly machines: readonly CatalogueMachine[];
  readonly studies: readonly CatalogueStudy[];
  readonly routines: readonly { readonly name: string; readonly source: string; readonly order: string }[];
}

/** A loop over sets and ways, as pictures of what is dirty in each cache on the way. */
export interface Sweep {
  readonly caches: readonly SweptCache[];
  /** By frame: operations done. */
  readonly operations: readonly number[];
  /** By frame: the operand of the last one, in words. */
  readonly operands: readonly string[];
  readonly dirtyInMemoryPath: readonly number[];
  readonly totalOperations: number;
  readonly lines: number;
  readonly cycles: number;
}

export interface SweptCache {
  readonly label: string;
  readonly size: string;
  readonly sets: number;
  /** Of the pictures: neighbouring sets share one where there are too many. */
  readonly columns: number;
  readonly ways: number;
  readonly kind: string;
  readonly isReached: boolean;
  /** By frame: a cell for each way of each column (column-major): 0 empty, 1 clean, 2 dirty, the worst of its sets. */
  readonly cells: readonly Uint8Array[];
  /** By frame: dirty lines. */
  readonly dirty: readonly number[];
}

export const HEAT_METRICS = ["misses", "sharing", "accesses"] as const;
export type HeatMetric = (typeof HEAT_METRICS)[number];

/** What a trace did so far: by metric, one row a core, one column an interval. */
export interface Heat {
  readonly trace: string;
  readonly machine: string;
  readonly records: number;
  readonly seconds: number;
  /** Those that accessed anything. */
  readonly cores: readonly { readonly id: number; readonly socket: number }[];
  readonly idleCores: number;
  readonly recordsPerColumn: number;
  readonly columns: number;
  /** By metric, then core-major. */
  readonly cells: Readonly<Record<HeatMetric, Float64Array>>;
  /** Whether the trace recorded enough for hazards to mean anything (R48). */
  readonly isAssessed: boolean;
  readonly levels: readonly { readonly level: string; readonly accesses: number; readonly misses: number }[];
  readonly hazards: readonly { readonly class: string; readonly occurrences: number }[];
  readonly notes: readonly string[];
}

/** A cost study as rows of text and lines of a chart. */
export interface CostSheet {
  readonly study: string;
  readonly columns: readonly { readonly title: string; readonly summary: string }[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
  readonly chart: {
    readonly title: string;
    readonly xTitle: string;
    readonly yTitle: string;
    /** Where x is a word, the words: `x` then counts them. */
    readonly words: readonly string[] | undefined;
    readonly isBytes: boolean;
    readonly x: readonly number[];
    readonly series: readonly { readonly label: string; readonly y: readonly (number | null)[] }[];
  };
}

/** Questions and their answers, by name. */
export interface Questions {
  catalogue: { readonly question: Record<never, never>; readonly answer: Catalogue };
  film: {
    readonly question: {
      readonly setting: Setting;
      readonly code?: string | undefined;
      /** Where recordings lie: the URL of the page. */
      readonly base: string;
    };
    readonly answer: { readonly film: Film } | { readonly skipped: string };
  };
  /** Gives the worker a recording for a story that plays those wanted, and is told as which of them it will be played. */
  recording: {
    readonly question: { readonly file: File; readonly wanted: readonly string[] };
    readonly answer: string;
  };
  code: { readonly question: { readonly setting: Setting }; readonly answer: string };
  /** Reads the visitor's own machine, in YAML or JSON; from then on it can be asked for. No text: there is none any more. */
  machine: {
    readonly question: { readonly text: string | undefined; readonly file?: string | undefined };
    readonly answer: OwnMachine | { readonly wrong: string; readonly line?: number; readonly column?: number };
  };
  /** A preset as YAML, to begin with. */
  description: { readonly question: { readonly machine: string }; readonly answer: string };
  sweep: {
    readonly question: { readonly machine: string; readonly routine: string; readonly footprint: number };
    readonly answer: Sweep;
  };
  trace: {
    /** Several files are the threads of one drmemtrace. */
    readonly question: { readonly files: readonly File[]; readonly machine: string };
    readonly answer: Heat;
    readonly progress: Heat;
  };
  cost: {
    readonly question: {
      readonly study: string;
      readonly machine: string;
      readonly parameters: Readonly<Record<string, string>>;
    };
    readonly answer: CostSheet;
  };
}
export type QuestionName = keyof Questions;

export type Question = {
  [Name in QuestionName]: { readonly id: number; readonly name: Name } & Questions[Name]["question"];
}[QuestionName];

/** Anything but a question: ends the one of that number. */
export interface Cancellation {
  readonly id: number;
  readonly name: "cancel";
}

export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
}

export type Reply =
  | { readonly id: number; readonly kind: "answer"; readonly answer: Questions[QuestionName]["answer"] }
  | { readonly id: number; readonly kind: "progress"; readonly progress: Progress; readonly partial?: Heat }
  | { readonly id: number; readonly kind: "error"; readonly message: string };
