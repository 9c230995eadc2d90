/** Records in words: one by one, and many at once. */
import { OPERATION_BY_CODE, SCTLR_C, SCTLR_I, SCTLR_M } from "../../src/engine/operations.ts";
import { formatRecord, operationOf, type RecordEntry } from "../../src/engine/record.ts";
import { SYSTEM_REGISTERS } from "../../src/engine/system-registers.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import { count } from "../../src/report/number.ts";
import { requesterName } from "./moves.ts";

/** `core 0 load 0x1040, 8 bytes`; registers by name. */
export function recordText(entry: RecordEntry, machine: ResolvedMachine): string {
  const name = operationOf(entry)?.name;
  const who = requesterName(entry.requester, machine);
  if (name === "SCTLR") return `${who} SCTLR_EL1: ${controlText(entry.operand)}`;
  if (name === "MSR" || name === "MRS") {
    const register = Object.entries(SYSTEM_REGISTERS).find(([, { number }]) => number === entry.operand)?.[0];
    const value = name === "MSR" && entry.value !== undefined ? ` = 0x${entry.value.toString(16)}` : "";
    return `${who} ${name} ${register ?? entry.operand}${value}`;
  }
  return formatRecord(entry).replace(/^(core|device requester) \d+/, who);
}

/** `MMU on, D-cache off, I-cache off`. */
function controlText(value: number): string {
  return [
    ["MMU", SCTLR_M],
    ["D-cache", SCTLR_C],
    ["I-cache", SCTLR_I],
  ]
    .map(([name, bit]) => `${name} ${value & (bit as number) ? "on" : "off"}`)
    .join(", ");
}

/** Kinds of operations that a sum of many names. */
const KINDS_NAMED = 3;

/** Sums up records that did nothing to the lines of interest. */
export class Tally {
  count = 0;
  /** By operation code. */
  readonly #kinds = new Map<number, number>();
  readonly #requesters = new Set<number>();

  add({ code, requester }: Pick<RecordEntry, "code" | "requester">): void {
    this.count++;
    this.#kinds.set(code, (this.#kinds.get(code) ?? 0) + 1);
    this.#requesters.add(requester);
  }

  /** Records without prefixes that name another requester. */
  addPlain(words: Uint32Array): void {
    for (let at = 1; at < words.length; at += 2) {
      const high = words[at] as number;
      const code = (high >>> 16) & 255;
      if (OPERATION_BY_CODE[code]?.prefix !== true) this.add({ code, requester: high >>> 24 });
    }
  }

  /** The one who did it all; -1 if several did. */
  get requester(): number {
    const [first] = this.#requesters;
    return this.#requesters.size === 1 && first !== undefined ? first : -1;
  }

  /** `core 0: 1,298 stores, 94 loads and 12 others, elsewhere`. */
  text(machine: ResolvedMachine): string {
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b - a);
    const named = kinds
      .slice(0, KINDS_NAMED)
      .map(([code, times]) => `${count(times)} × ${OPERATION_BY_CODE[code]?.name ?? `operation ${code}`}`);
    const rest = kinds.slice(KINDS_NAMED).reduce((sum, [, times]) => sum + times, 0);
    const who = [...this.#requesters].sort((a, b) => a - b).map((each) => requesterName(each, machine));
    const names = who.length > 3 ? `${who.length} requesters` : who.join(", ");
    return `${names}: ${named.join(", ")}${rest > 0 ? ` and ${count(rest)} more` : ""}`;
  }
}
