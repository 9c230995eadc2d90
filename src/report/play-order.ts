/** In which order the kernel played records, and why: results are the same either way (R49), only the time isn't. */
import type { SetGroupUse } from "../engine/engine.ts";
import { count } from "./number.ts";

export interface PlayOrderReport {
  /** `set groups`: at least some accesses were dealt into set groups and played group by group. `program`: none were. */
  readonly order: "set groups" | "program";
  /** Set groups that the machine's caches make; 0 if accesses can't be dealt into any. */
  readonly setGroups: number;
  /** Records dealt, a warm-up's included; with shards, of the shard that dealt the most. */
  readonly dealtRecords: number;
  readonly why: string;
}

/** Two looks have to agree before anything is dealt, each after so many records (assembly/deal.ts). */
const KNOWN_AFTER = 2 * 65536;

/** `records` is how many were played, a warm-up's included. */
export function playOrderReport(use: SetGroupUse, records: number): PlayOrderReport {
  return {
    order: use.dealt > 0 ? "set groups" : "program",
    setGroups: use.groups,
    dealtRecords: use.dealt,
    why: reason(use, records),
  };
}

function reason({ order, logsMisses, groups, why, dealt }: SetGroupUse, records: number): string {
  if (logsMisses) return "misses are logged in program order";
  if (order === "program") return "program order was asked for";
  if (groups === 0) return `the machine has no set groups: ${why}`;
  if (order === "groups") return "set groups were asked for";
  if (dealt > 0) return "accesses miss so often that a set group's state pays for being kept in the host's caches";
  return records < KNOWN_AFTER
    ? `the trace is short: what pays is known after ${count(KNOWN_AFTER)} records`
    : "set groups don't pay: few accesses miss, the machine is small, or too many records can't be dealt";
}
