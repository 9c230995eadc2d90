/** What `setway run decompressor` hands over: plain facts, told by `src/report/decompressor.ts`. */
import type { ResolvedMachine } from "../../machine/index.ts";
import type { Accesses, RecordedBoot } from "./boot.ts";
import type { PlayedBoot } from "./play.ts";
import type { Maintenance, Phase } from "./stream.ts";

export interface BootRun extends PlayedBoot {
  readonly machine: ResolvedMachine;
  /** Which size of a swept cache this machine has; undefined where nothing is swept. */
  readonly variant: { readonly level: string; readonly sizeBytes: number; readonly label: string } | undefined;
  readonly maintenance: Maintenance;
  /** The cores couldn't run this kernel: only its accesses were played. */
  readonly cachesOnly: boolean;
  readonly flushOperations: number;
  readonly invalidateOperations: number;
}

/** One phase of the boot, as recorded. */
export interface RecordedPhase extends Accesses {
  readonly phase: Phase;
  /** Number of its first record in the recording. */
  readonly firstRecord: number;
  readonly cachesOn: boolean;
}

export interface DecompressorResult {
  readonly boot: Omit<RecordedBoot, "words">;
  readonly phases: readonly RecordedPhase[];
  /** By machine, then maintenance, in the order in which they were asked for. */
  readonly runs: readonly BootRun[];
  /** What was asked for that an interrupt kept from being played. */
  readonly missing: number;
  readonly partial: boolean;
  /** How many hazards of a run to explain. */
  readonly explained: number;
}
