/** What a stretch of records cost: counters at its end less those at its start, priced by the machine's latencies (R31, R32). */
import {
  COST_EVENTS,
  type CostEvent,
  type Counters,
  type Engine,
  MACHINE_COUNTERS,
  type MachineCounter,
  TLB_COUNTERS,
  type TlbCounter,
} from "../engine/engine.ts";
import { cyclesOf } from "../machine/cycles.ts";

/** Of all requesters, or of one. */
export interface Spent {
  readonly cycles: number;
  /** Cycles by cause: hits by level, then cost events. */
  readonly byCause: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<CostEvent, number>>;
}

export interface Metered extends Spent {
  /** Counters of the whole machine. */
  readonly machine: Readonly<Record<MachineCounter, number>>;
  /** Sums over all cores. */
  readonly tlbs: Readonly<Record<TlbCounter, number>>;
  readonly of: (requester: number) => Spent;
}

/** Plays what `work` plays, and says what that alone cost. */
export function metered(engine: Engine, work: () => void): Metered {
  const before = engine.counters();
  work();
  const after = engine.counters();
  const of = (requester: number) => spentBy(engine, before, after, requester);
  const all = after.events.map((_, requester) => of(requester));
  return {
    ...sumOf(all),
    machine: difference(MACHINE_COUNTERS, before.machine, after.machine),
    tlbs: tlbDifference(before, after),
    of,
  };
}

function spentBy(engine: Engine, before: Counters, after: Counters, requester: number): Spent {
  const start = cyclesOf(engine.machine, before, requester);
  const end = cyclesOf(engine.machine, after, requester);
  const byCause: Record<string, number> = {};
  for (const [cause, cycles] of Object.entries(end.byCause)) {
    const more = cycles - (start.byCause[cause] ?? 0);
    if (more > 0) byCause[cause] = more;
  }
  const events = difference(COST_EVENTS, before.events[requester] ?? {}, after.events[requester] ?? {});
  return { cycles: end.total - start.total, byCause, events };
}

/** What several requesters spent. */
export function sumOf(parts: readonly Spent[]): Spent {
  const byCause: Record<string, number> = {};
  const events = Object.fromEntries(COST_EVENTS.map((event) => [event, 0])) as Record<CostEvent, number>;
  let cycles = 0;
  for (const part of parts) {
    cycles += part.cycles;
    for (const [cause, amount] of Object.entries(part.byCause)) byCause[cause] = (byCause[cause] ?? 0) + amount;
    for (const event of COST_EVENTS) events[event] += part.events[event];
  }
  return { cycles, byCause, events };
}

function tlbDifference(before: Counters, after: Counters): Record<TlbCounter, number> {
  const total = (counters: Counters, name: TlbCounter) => counters.tlbs.reduce((sum, core) => sum + core[name], 0);
  return Object.fromEntries(TLB_COUNTERS.map((name) => [name, total(after, name) - total(before, name)])) as Record<
    TlbCounter,
    number
  >;
}

function difference<Name extends string>(
  names: readonly Name[],
  before: Readonly<Partial<Record<Name, number>>>,
  after: Readonly<Partial<Record<Name, number>>>,
): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)])) as Record<
    Name,
    number
  >;
}
