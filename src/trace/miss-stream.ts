/**
 * The records of a play that missed a level: what a simulator of the levels beyond it would be given. Whole records with
 * their prefixes, in program order; a record of many pieces is there if any of them missed.
 */
import { SetwayError } from "../engine/errors.ts";
import type { MissLog } from "../engine/miss-log.ts";
import { OPERATIONS, SCTLR_C, SCTLR_I, SCTLR_M } from "../engine/operations.ts";
import { levelNames } from "../machine/cycles.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { isPrefix, operationOf } from "./entry.ts";
import type { TraceDescription } from "./source.ts";

const { LOAD, STORE, FETCH, PREFETCH, ATOMIC, DC_ZVA } = OPERATIONS;
const DATA: ReadonlySet<number> = new Set([LOAD, STORE, PREFETCH, ATOMIC, DC_ZVA].map(({ code }) => code));

/** Both first-level caches together. */
const FIRST_LEVEL = "L1";

const isOf = (cache: string, level: string): boolean =>
  cache === level || (level === FIRST_LEVEL && /^L1[ID]$/.test(cache));

/** The levels that can be missed, from the core outwards. */
export const missableLevels = (machine: ResolvedMachine): readonly string[] => {
  const levels = levelNames(machine);
  return levels.includes(FIRST_LEVEL) || levels.length === 0 ? levels : [FIRST_LEVEL, ...levels];
};

/** The level that is missed unless another is named: the last that every core has for itself, else the first. */
export function lastPrivateLevel(machine: ResolvedMachine): string | undefined {
  const own = levelNames(machine).filter((name) =>
    machine.caches.every(({ level, cores }) => level !== name || cores.length === 1),
  );
  const last = own.at(-1);
  return last === undefined || isOf(last, FIRST_LEVEL) ? missableLevels(machine)[0] : last;
}

function checkedLevel(machine: ResolvedMachine, level: string | undefined): string {
  const levels = missableLevels(machine);
  const chosen = level === undefined ? lastPrivateLevel(machine) : level;
  if (chosen !== undefined && levels.includes(chosen)) return chosen;
  throw new SetwayError("usage", `${machine.name} has no such level to miss`, {
    found: level ?? "no caches",
    expected: levels.join(", ") || "a machine with caches",
    nearest: level === undefined ? undefined : nearestWord(level, levels),
  });
}

export class MissStream {
  readonly level: string;
  readonly #fetches: boolean;
  readonly #data: boolean;
  #records = 0;

  /** Throws a usage error for a level that the machine lacks; the last private one if none is named. */
  constructor(machine: ResolvedMachine, level?: string) {
    this.level = checkedLevel(machine, level);
    const caches = machine.caches.filter((cache) => isOf(cache.level, this.level));
    this.#fetches = caches.some(({ holds }) => holds !== "data");
    this.#data = caches.some(({ holds }) => holds !== "instructions");
  }

  /** Records so far. */
  get records(): number {
    return this.#records;
  }

  /** Those of the entries in `words` whose record missed. `first` is the number of the first record, as the log counts. */
  take(words: Uint32Array, first: number, log: MissLog): Uint32Array {
    const missed = new Set<number>();
    // A table walk's misses aren't the access's own.
    for (const { record: of, missed: level, walk } of log) {
      if (level !== undefined && !walk && isOf(level, this.level)) missed.add(of);
    }
    const kept: number[] = [];
    let record = first;
    let prefixes = 0;
    for (let at = 0; at < words.length; at += 2) {
      const operation = operationOf(words[at + 1] as number);
      if (isPrefix(operation)) {
        prefixes++;
        continue;
      }
      if (missed.has(record) && (operation === FETCH.code ? this.#fetches : this.#data && DATA.has(operation))) {
        for (let from = at - 2 * prefixes; from <= at + 1; from++) kept.push(words[from] as number);
        this.#records++;
      }
      prefixes = 0;
      record++;
    }
    return Uint32Array.from(kept);
  }

  /**
   * What a trace of the misses says of itself. It has accesses only: caches are on throughout, and nothing of what makes
   * values stale can be assessed from it (R48).
   */
  description(of: TraceDescription, trace: string, machine: string): TraceDescription {
    return {
      ...of,
      provenance: { maintenance: false, control: false, dma: false, ownership: false },
      initialSctlr: SCTLR_M | SCTLR_C | SCTLR_I,
      records: undefined,
      // The file's name without the folder that somebody happened to have it in.
      source: `records of ${trace.split(/[/\\]/).at(-1)} that missed ${this.level} of ${machine}`,
    };
  }
}
