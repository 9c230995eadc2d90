/** What records met on their way, as the kernel logs it (assembly/miss-log.ts): one entry a cost event or supply. */
import { COST_EVENTS, type CostEvent } from "./engine.ts";

/** Codes below are levels that hit, by position; then cost events; then levels that missed. */
const FIRST_EVENT = 16;
const FIRST_MISS = 48;
const SUPPLIED = 1;
const WALKED = 2;

/** One thing that happened to a record. */
export interface MissLogEntry {
  /** Number of the record since the engine was made. */
  readonly record: number;
  /** One of these: the level that hit, the cost event (D36), or the level that was asked and missed. */
  readonly level: string | undefined;
  readonly event: CostEvent | undefined;
  readonly missed: string | undefined;
  /** Whether it is where a demand piece came from: a level, another core's cache, memory or the outside of all caches. */
  readonly supplies: boolean;
  /** For a table walk rather than for the record's own access. */
  readonly walk: boolean;
}

const SUPPLIES: ReadonlySet<CostEvent> = new Set<CostEvent>(["memory", "memoryRemote", "uncached", "uncachedRemote"]);

/** Entries in the order of their records. Iterating decodes them one by one. */
export class MissLog implements Iterable<MissLogEntry> {
  readonly #parts: readonly BigUint64Array[];
  readonly #levels: readonly string[];

  constructor(parts: readonly BigUint64Array[], levels: readonly string[]) {
    this.#parts = parts;
    this.#levels = levels;
  }

  get length(): number {
    return this.#parts.reduce((sum, part) => sum + part.length, 0);
  }

  *[Symbol.iterator](): Generator<MissLogEntry> {
    for (const part of this.#parts) {
      const words = new Uint32Array(part.buffer, part.byteOffset, part.length * 2);
      for (let at = 0; at < words.length; at += 2) {
        const high = words[at + 1] as number;
        const code = (high >>> 16) & 255;
        const flags = high >>> 24;
        const event = code < FIRST_EVENT ? undefined : COST_EVENTS[code - FIRST_EVENT];
        const missed = code < FIRST_MISS ? undefined : this.#levels[code - FIRST_MISS];
        const level = code < FIRST_EVENT ? this.#levels[code] : undefined;
        yield {
          record: (high & 0xffff) * 2 ** 32 + (words[at] as number),
          level,
          event,
          missed,
          supplies: level !== undefined || (flags & SUPPLIED) !== 0 || (event !== undefined && SUPPLIES.has(event)),
          walk: (flags & WALKED) !== 0,
        };
      }
    }
  }
}
