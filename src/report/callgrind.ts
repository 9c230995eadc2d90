/**
 * A profile in callgrind's format, for callgrind_annotate and KCachegrind. Traces know no symbols: what these tools call a
 * function is a page of code, and positions are instructions' addresses.
 */
import { NO_INSTRUCTION, PROFILE_EVENTS, type Profile, type ProfileRow } from "./profile.ts";

const PAGE_BYTES = 4096;

export function callgrindOf({ trace, machine, rows, totals, notes }: Profile): string {
  const lines = [
    "# callgrind format",
    "version: 1",
    "creator: setway",
    `cmd: ${oneLine(trace)}`,
    "part: 1",
    "",
    `desc: Machine: ${oneLine(machine)}`,
    "desc: Functions: none are known; each is a page of 4 KiB of code",
    "desc: Attribution: an access belongs to the last instruction that its core fetched",
    ...notes.map((note) => `desc: Note: ${oneLine(note)}`),
    "desc: Trigger: Program termination",
    "",
    "positions: instr line",
    `events: ${PROFILE_EVENTS.map(([name]) => name).join(" ")}`,
    `summary: ${totals.join(" ")}`,
    "",
    `ob=${oneLine(trace)}`,
    // No source is known, as callgrind writes it.
    "fl=???",
  ];
  let open: string | undefined;
  for (const row of rows) {
    const name = functionOf(row);
    if (name !== open) lines.push("", `fn=${name}`);
    open = name;
    lines.push(`0x${Math.max(0, row.address).toString(16)} 0 ${withoutTrailingZeros(row.costs).join(" ")}`);
  }
  lines.push("", `totals: ${totals.join(" ")}`, "");
  return lines.join("\n");
}

function functionOf({ address }: ProfileRow): string {
  if (address === NO_INSTRUCTION) return "(before the first fetch, and devices)";
  return `code 0x${(Math.floor(address / PAGE_BYTES) * PAGE_BYTES).toString(16)}`;
}

/** Costs that are left out at the end are zero. */
function withoutTrailingZeros(costs: readonly number[]): readonly number[] {
  let length = costs.length;
  while (length > 1 && costs[length - 1] === 0) length--;
  return costs.slice(0, length);
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ");
