/**
 * Plays a recording of bare records inside a story. Loops over sets and ways were recorded with the geometry of the
 * machine that they ran on; a story plays the loop that the same code would run on this one, or something else instead.
 */
import type { Cpu } from "../cpu/cpu.ts";
import type { Engine } from "../engine/engine.ts";
import { OPERATIONS } from "../engine/operations.ts";
import { isPrefix, operationOf, requesterOf } from "../trace/entry.ts";

export type SetWayOperation = "DC_ISW" | "DC_CSW" | "DC_CISW";

export interface ReplayOptions {
  /** Entries first up to, but not including, end; the whole recording if absent. */
  readonly first?: number;
  readonly end?: number;
  /**
   * Called in the place of each loop over sets and ways, with the CPU that ran it; by default the loop is run with the
   * operands that this machine's registers give.
   */
  readonly setWay?: (cpu: Cpu, operation: SetWayOperation) => void;
  /** Step of the recorded loops by VA, 64 if absent: a machine with smaller lines gets one operation for each of them. */
  readonly lineBytes?: number;
  /** How entries are played: by a virtual CPU, say; straight by the engine if absent. */
  readonly play?: (words: Uint32Array) => void;
  /** Entries that aren't played: their operation code, requester and operand. */
  readonly leaveOut?: (code: number, requester: number, operand: number) => boolean;
  /** Who an entry belongs to, where the recording is wrong about it; `index` counts entries. */
  readonly requester?: (index: number, requester: number) => number;
}

const SET_WAY = new Map<number, SetWayOperation>([
  [OPERATIONS.DC_ISW.code, "DC_ISW"],
  [OPERATIONS.DC_CSW.code, "DC_CSW"],
  [OPERATIONS.DC_CISW.code, "DC_CISW"],
]);
/** A loop has fetches and its own stack between its operations, and no more than this many records of them. */
const LOOP_GAP = 512;

const BY_VA = new Set<number>(
  [
    OPERATIONS.DC_IVAC,
    OPERATIONS.DC_CVAC,
    OPERATIONS.DC_CIVAC,
    OPERATIONS.DC_CVAU,
    OPERATIONS.DC_CVAP,
    OPERATIONS.IC_IVAU,
  ].map(({ code }) => code),
);

const ownLoop = (cpu: Cpu, operation: SetWayOperation): void => {
  cpu.setWayLoop("flushDcacheAll", operation);
};

/** Returns how many loops over sets and ways were replaced. */
export function replay(
  engine: Engine,
  coreOf: (core: number) => Cpu,
  words: Uint32Array,
  options: ReplayOptions = {},
): number {
  const { first = 0, end = words.length / 2, setWay = ownLoop, leaveOut, requester, lineBytes = 64 } = options;
  const { play = (batch: Uint32Array) => engine.play(batch) } = options;
  const step = engine.machine.smallestLineBytes;
  const steps = Math.max(1, Math.ceil(lineBytes / step));
  let kept = new Uint32Array(2 * (end - first) * steps);
  let length = 0;
  let loops = 0;
  let open: { readonly operation: SetWayOperation; readonly core: number; last: number } | undefined;
  const flush = () => {
    play(kept.subarray(0, length));
    // What was played may be looked up later: it is not written over.
    kept = kept.subarray(length);
    length = 0;
  };
  for (let entry = first; entry < end; entry++) {
    const low = words[2 * entry] as number;
    const high = words[2 * entry + 1] as number;
    const code = operationOf(high);
    const core = requester === undefined ? requesterOf(high) : requester(entry, requesterOf(high));
    const operation = SET_WAY.get(code);
    if (operation !== undefined) {
      const goesOn = open?.operation === operation && open.core === core && entry - open.last <= LOOP_GAP;
      if (!goesOn) {
        flush();
        setWay(coreOf(core), operation);
        loops++;
        open = { operation, core, last: entry };
      }
      if (open !== undefined) open.last = entry;
      continue;
    }
    if (leaveOut !== undefined && !isPrefix(code) && leaveOut(code, core, low + (high & 0xffff) * 2 ** 32)) continue;
    const top = ((high & 0x00ff_ffff) | (core << 24)) >>> 0;
    const repeats = steps > 1 && BY_VA.has(code) ? steps : 1;
    const base = repeats > 1 ? low - (low % lineBytes) : low;
    for (let line = 0; line < repeats; line++) {
      kept[length++] = base + line * step;
      kept[length++] = top;
    }
  }
  flush();
  return loops;
}
