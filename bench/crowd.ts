/** A recorded program on many cores at once: hit-heavy, as hosts that nobody has stripped of hits are. */
import { OPERATIONS } from "../src/engine/operations.ts";
import { operationOf } from "../src/trace/entry.ts";

/** Accesses that a core makes in its turn. */
const TURN = 20;
/** Addresses that the yardstick knows. */
const SPACE = 2 ** 38;
/** From one core's data to the next one's: no power of two, so that they don't all fall into the same sets. */
const DATA_APART = 0x1_3000_0000;

/**
 * As many accesses as the recording has. Each core begins at another place of it and goes on from there, at its end from the beginning.
 * Code is common to all; data are each core's own.
 */
export function onManyCores(recorded: Uint32Array, cores: number): Uint32Array {
  const words = new Uint32Array(recorded.length);
  const next = Array.from({ length: cores }, (_, core) => 2 * Math.floor((core * recorded.length) / 2 / cores));
  for (let to = 0; to < words.length; to += 2) {
    const core = Math.floor(to / 2 / TURN) % cores;
    const at = next[core] as number;
    next[core] = (at + 2) % recorded.length;
    const high = recorded[at + 1] as number;
    const operation = operationOf(high);
    const address = (recorded[at] as number) + (high & 0xffff) * 2 ** 32;
    const moved = (operation === OPERATIONS.FETCH.code ? address : address + core * DATA_APART) % SPACE;
    words[to] = moved % 2 ** 32;
    words[to + 1] = ((core << 24) | (operation << 16) | Math.floor(moved / 2 ** 32)) >>> 0;
  }
  return words;
}
