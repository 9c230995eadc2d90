/**
 * What `--json` and `-o json:path` print, verb by verb. This is the one source of the published JSON Schema
 * (dist/report.schema.json, made from these types by scripts/report-schema.mjs). Keys are only ever added, never renamed.
 */
import type { HazardClass, HazardName } from "../engine/hazards.ts";
import type { Finding, LintResult } from "../lint/index.ts";
import type { CompleteDescription, MachineDescription } from "../machine/index.ts";
import type { TraceFormat } from "../trace/source.ts";
import type { CostReport } from "./cost.ts";
import type { DecompressorReport } from "./decompressor.ts";
import type { ReplayResult } from "./replay.ts";
import type { StoriesJson, StoryJson } from "./story.ts";
import type { MatrixJson } from "./story-matrix.ts";

/** Where the schema is, in the package. */
export const REPORT_SCHEMA = "dist/report.schema.json";

export interface MachineListJson {
  readonly machines: readonly { readonly name: string; readonly about: string; readonly summary: string }[];
}

export interface MachineShowJson {
  readonly description: CompleteDescription;
  /** Hexadecimal. */
  readonly registersOfCore0: {
    readonly clidr: string;
    readonly ctr: string;
    readonly dczid: string;
    readonly ccsidr: readonly {
      readonly level: number;
      readonly instruction: boolean;
      readonly csselr: string;
      readonly value: string;
    }[];
  };
}

export interface MachineImportJson {
  readonly description: MachineDescription;
  readonly format: string;
  readonly files: readonly string[];
  /** What the files say, in sentences. */
  readonly read: readonly string[];
  /** What they don't say. */
  readonly assumed: readonly string[];
  /** What they say and a description can't. */
  readonly left: readonly string[];
}

export interface MachineExportJson {
  readonly machine: string;
  readonly format: string;
  readonly text: string;
}

export interface LintJson {
  readonly file: string;
  readonly kind: LintResult["kind"];
  /** Absent for a device tree. */
  readonly guest?:
    | {
        readonly architecture: string;
        readonly accelerator: string;
        readonly machine?: string | undefined;
        readonly cpu?: string | undefined;
      }
    | undefined;
  readonly warnings: number;
  readonly notes: number;
  readonly findings: readonly (Omit<Finding, "line"> & { readonly line?: number | undefined })[];
}

export interface ConvertJson {
  readonly trace: string;
  /** Interrupted: outputs are its beginning, and have names that say so. */
  readonly partial?: true;
  readonly records: number;
  /** Records that an output's format can't hold. */
  readonly skipped: number;
  readonly outputs: readonly {
    readonly path: string;
    readonly bytes: number;
    /** What the format has no place for. */
    readonly lost: readonly string[];
  }[];
}

/** A hazard class, or a rule of docs/semantics.md. */
export type ExplainJson =
  | (HazardClass & { readonly name: HazardName; readonly cause: string; readonly remedy: string })
  | { readonly rule: string; readonly title: string; readonly text: string };

/** One thing that `setway doctor` looked at. `bad`: something will not work. `poor`: it works, but slower or with less. */
export interface DoctorFinding {
  readonly name: string;
  readonly verdict: "good" | "poor" | "bad";
  /** What was found, in words. */
  readonly found: string;
  /** What to do about it, or what it means; not for `good`. */
  readonly advice?: string;
  /** The same for programs. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface DoctorJson {
  /** Whether nothing is bad. */
  readonly ok: boolean;
  readonly findings: readonly DoctorFinding[];
}

interface Named {
  readonly name: string;
  readonly summary: string;
}

/** The lists that were asked for; all of them without a name. */
export interface ListJson extends Partial<MachineListJson> {
  readonly scenarios?: readonly (Named & {
    readonly number?: number | null;
    readonly eras?: readonly string[];
    readonly fixes?: readonly string[];
  })[];
  readonly hazards?: readonly HazardClass[];
  readonly rules?: readonly { readonly name: string; readonly title: string }[];
  readonly operations?: readonly (Named & { readonly code: number })[];
  readonly attributes?: readonly { readonly code: number; readonly name: string }[];
  readonly formats?: readonly { readonly name: TraceFormat; readonly summary: string }[];
  readonly reports?: {
    /** The path of the JSON Schema in the package. */
    readonly schema: string;
    /** `verbs` are those that write the kind, or `all`. */
    readonly kinds: readonly (Named & { readonly extension: string; readonly verbs: readonly string[] })[];
  };
}

/** By verb. */
export interface PublishedResults {
  readonly replay: ReplayResult;
  readonly merge: ReplayResult;
  readonly run: StoryJson | StoriesJson;
  readonly "run --matrix": MatrixJson;
  readonly "run decompressor": DecompressorReport;
  readonly cost: CostReport;
  readonly "machine list": MachineListJson;
  readonly "machine show": MachineShowJson;
  readonly "machine import": MachineImportJson;
  readonly "machine export": MachineExportJson;
  readonly lint: LintJson;
  readonly doctor: DoctorJson;
  readonly convert: ConvertJson;
  readonly explain: ExplainJson;
  readonly list: ListJson;
}

export type PublishedVerb = keyof PublishedResults;
