/**
 * What a case of the shared suite is: a tiny machine, a few records, and what must come out on every engine, derived by
 * hand from the rules of docs/semantics.md that the case names.
 */
import type {
  CacheCounters,
  CostEvent,
  Hazard,
  MachineCounter,
  Provenance,
  TlbCounters,
} from "../../src/engine/engine.ts";
import type { Exit } from "../../src/engine/exit.ts";
import type { HazardName } from "../../src/engine/hazards.ts";
import type { RecordEntry } from "../../src/engine/record.ts";
import type { MachineSpec } from "../properties/machines.ts";

export interface Case {
  /** The question that the case answers. */
  readonly asks: string;
  /** Rules of docs/semantics.md that give the answer. */
  readonly rules: string;
  readonly machine: MachineSpec;
  readonly records: readonly RecordEntry[];
  readonly provenance?: Partial<Provenance>;
  /** A core translates, so only engines that carry data can play it (D38). */
  readonly translates?: true;
  readonly expect: Expectation;
}

export interface Expectation {
  /** Counters by cache (`L1D`, or `L1D.1` where there are several; `outer`, `memory-side`). What is not given is 0. */
  readonly caches?: Readonly<Record<string, Partial<CacheCounters>>>;
  /** What is not given is 0. */
  readonly machine?: Partial<Record<MachineCounter, number>>;
  /** Cost events by requester; what is not given is 0. */
  readonly events?: Readonly<Record<number, Partial<Record<CostEvent, number>>>>;
  /** Demand pieces that a level supplied, by requester; what is not given is 0. */
  readonly hits?: Readonly<Record<number, Readonly<Record<string, number>>>>;
  /** Copies by address, by cache id: `"L1D.0 M, L2 E"`, or `""`. */
  readonly copies?: Readonly<Record<number, string>>;
  /** Where lines sit: by cache, then by address, the way; -1 for a line that the cache does not hold. */
  readonly ways?: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** Dirty copies by cache. */
  readonly dirty?: Readonly<Record<string, number>>;
  /** Aligned 64-bit words at the end, by address, in memory, in the truth or in a cache's copy (data-carrying engines). */
  readonly words?: Readonly<Record<string, Readonly<Record<number, bigint>>>>;
  /** What the last observation saw (data-carrying engines). */
  readonly value?: bigint;
  /**
   * Every hazard, in order; fields that are not given are not checked. Tags-only engines are asked for the latent ones
   * alone, since their byte hazards are possible ones (R45).
   */
  readonly hazards?: readonly (Partial<Omit<Hazard, "class">> & { readonly class: HazardName })[];
  readonly notAssessable?: readonly HazardName[];
  /** The record that is refused (D7), and words of the message. */
  readonly refused?: { readonly record: number; readonly message: RegExp };
  /** What exited, in order; the case goes on behind each. Fields that are not given are not checked. */
  readonly exits?: readonly Partial<Exit>[];
  /** Descriptors that walks read, where the other counters of the machine don't matter. */
  readonly walkReads?: number;
  /** Counters of translation by core; what is not given is 0. */
  readonly tlbs?: Readonly<Record<number, Partial<TlbCounters>>>;
  /** Records played. */
  readonly records?: number;
}
