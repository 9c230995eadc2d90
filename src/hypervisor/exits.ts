/** Every exit of a guest comes here: it is handled, and the guest goes on with the same record or behind it. */
import { GuestFault } from "../cpu/cpu.ts";
import type { Exit } from "../engine/exit.ts";
import { OPERATION_BY_CODE, OPERATIONS } from "../engine/operations.ts";
import { handleFault } from "./faults.ts";
import { handleTrap } from "./traps.ts";
import type { Vcpu } from "./vcpu.ts";

/** `again`: the record is tried once more; `skip`: it has been emulated. */
export type Answer = "again" | "skip";

/** The record that exited, among the words that were played. */
export interface ExitedRecord {
  /** With its prefixes. */
  readonly words: Uint32Array;
  /** 0 if none is given (D5). */
  readonly sizeBytes: number;
}

/** How often one record may be tried again: the largest access touches 4096 pages, and each may need its tables. */
const MOST_TRIES = 3 * 4096;

/**
 * Handles what stopped the engine in `words` from word `at` on, and returns where to go on. Throws `GuestFault` where EL1
 * takes it, or has something injected.
 */
export function handleExit(vcpu: Vcpu, words: Uint32Array, at: number): number {
  const exit = vcpu.engine.exit as Exit;
  if (exit.target === 1) throw new GuestFault(exit);
  const own = at + exit.word;
  const first = firstPrefix(words, own);
  if (vcpu.triesOf(words, own) > MOST_TRIES) throw new GuestFault(exit);
  const record = { words: words.subarray(2 * first, 2 * own + 2), sizeBytes: sizeOf(words, first, own) };
  vcpu.exiting = true;
  try {
    // The exit itself, whatever it comes to.
    vcpu.vm.hypervisor.cores.asHost(vcpu.core, () => {});
    const answer = exit.type === "trap" ? handleTrap(vcpu, exit, record) : handleFault(vcpu, exit, record);
    return answer === "skip" ? own + 1 : first;
  } finally {
    vcpu.exiting = false;
  }
}

const codeOf = (words: Uint32Array, index: number): number => ((words[2 * index + 1] as number) >>> 16) & 0xff;

/** Prefixes are dropped with the record that exits, so it is given again with them (D40). */
function firstPrefix(words: Uint32Array, own: number): number {
  let first = own;
  while (first > 0 && OPERATION_BY_CODE[codeOf(words, first - 1)]?.prefix) first--;
  return first;
}

function sizeOf(words: Uint32Array, first: number, own: number): number {
  for (let index = own - 1; index >= first; index--) {
    if (codeOf(words, index) === OPERATIONS.WITH.code) return (words[2 * index] as number) & 0xff_ffff;
  }
  return 0;
}
