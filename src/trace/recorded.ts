/**
 * What the records of a trace show of its recorder. Bare records don't say what was recorded; where there is neither maintenance
 * nor a write of SCTLR among them, the recorder saw accesses only, and what they seem to show of stale values is nothing but
 * the absence of maintenance (semantics R48).
 */
import type { Provenance } from "../engine/engine.ts";
import { OPERATIONS } from "../engine/operations.ts";
import { operationOf } from "./entry.ts";
import type { TraceHeader, TraceSource } from "./source.ts";

/** By operation code: 1 for maintenance. */
const MAINTENANCE = new Uint8Array(256);
for (const { code, name } of Object.values(OPERATIONS)) {
  if (/^(DC|IC) /.test(name) || name.startsWith("outer ")) MAINTENANCE[code] = 1;
}

/** Where bits of an operation stand that loads, stores, fetches and atomics don't have. */
const NO_ACCESS = 0xfc_0000;
/** Entries looked at together. */
const STEP = 4;

export class Sightings {
  maintenance = false;
  control = false;

  get none(): boolean {
    return !this.maintenance && !this.control;
  }

  look(words: Uint32Array): void {
    // Whoever writes control registers is no recorder of accesses, whatever else there is.
    if (this.control) return;
    let at = 1;
    for (const end = words.length - 2 * STEP; at < end; at += 2 * STEP) {
      const high =
        (words[at] as number) | (words[at + 2] as number) | (words[at + 4] as number) | (words[at + 6] as number);
      if ((high & NO_ACCESS) !== 0) for (let i = 0; i < STEP; i++) this.#see(words[at + 2 * i] as number);
    }
    for (; at < words.length; at += 2) this.#see(words[at] as number);
  }

  #see(high: number): void {
    const operation = operationOf(high);
    if (operation === OPERATIONS.SCTLR.code) this.control = true;
    else if (MAINTENANCE[operation] === 1) this.maintenance = true;
  }
}

/** What can be assessed of a trace in whose records this was seen. */
export function assessable({ format, provenance }: TraceHeader, seen: Sightings): Provenance {
  if (format !== "raw64" || !seen.none) return provenance;
  return { ...provenance, maintenance: false, control: false };
}

/** Reads bare records until one shows what their recorder saw, or to their end. Throws `TraceError`. */
export async function sightingsIn(source: Pick<TraceSource, "batches">): Promise<Sightings> {
  const seen = new Sightings();
  for await (const words of source.batches()) {
    seen.look(words);
    if (!seen.none) break;
  }
  return seen;
}
