/** Prices what happened: cost events times the machine's latencies (R31, R32, D36), by cause and by requester. */
import type { CostEvent, Counters } from "../engine/engine.ts";
import type { Latencies, ResolvedMachine } from "./resolved.ts";

export interface Cycles {
  readonly total: number;
  /** Cause to cycles, causes that cost nothing left out: hits by level, then cost events. */
  readonly byCause: Readonly<Record<string, number>>;
}

/** Which latency prices an event; an uncached access costs what memory costs (D36). */
const PRICE: Readonly<Record<CostEvent, keyof Latencies>> = {
  snoop: "snoop",
  snoopRemote: "snoopRemote",
  memory: "memory",
  memoryRemote: "memoryRemote",
  uncached: "memory",
  uncachedRemote: "memoryRemote",
  writeback: "writeback",
  maintenance: "maintenance",
  dsb: "dsb",
  isb: "isb",
  device: "device",
  walk: "walkAccess",
  tlb: "tlbHit",
  tlbi: "maintenance",
  exit: "exit",
  entry: "entry",
  syscall: "syscall",
  mmioExit: "mmioExit",
};

/** Cycles of one requester. */
export function cyclesOf(machine: ResolvedMachine, counters: Counters, requester: number): Cycles {
  const byCause: Record<string, number> = {};
  for (const [level, hits] of Object.entries(counters.hits[requester] ?? {})) {
    if (hits > 0) byCause[`${level} hit`] = hits * levelCycles(machine, requester, level);
  }
  for (const [event, times] of Object.entries(counters.events[requester] ?? {})) {
    if (times > 0) byCause[event] = times * eventCycles(machine, event as CostEvent);
  }
  return { total: Object.values(byCause).reduce((sum, cycles) => sum + cycles, 0), byCause };
}

/** Cycles of all requesters: costs are additive (R32). */
export function totalCycles(machine: ResolvedMachine, counters: Counters): Cycles {
  const byCause: Record<string, number> = {};
  let total = 0;
  for (let requester = 0; requester < counters.events.length; requester++) {
    const cycles = cyclesOf(machine, counters, requester);
    total += cycles.total;
    for (const [cause, amount] of Object.entries(cycles.byCause)) byCause[cause] = (byCause[cause] ?? 0) + amount;
  }
  return { total, byCause: inOrder(machine, byCause) };
}

/** Cycles of one event, whoever it happens to. */
export const eventCycles = (machine: ResolvedMachine, event: CostEvent): number => machine.latencies[PRICE[event]];

/** Latency of a level for a requester: of the cache on its own path, since levels of unlike clusters differ. */
export function levelCycles(machine: ResolvedMachine, requester: number, level: string): number {
  const socket = machine.cores[requester]?.socket ?? machine.devices[requester - machine.cores.length]?.socket ?? 0;
  if (level === "outer") return machine.outer?.latencyCycles ?? 0;
  if (level === "memory-side") return machine.memorySide[socket]?.latencyCycles ?? 0;
  const ofLevel = machine.caches.filter((cache) => cache.level === level);
  const own = ofLevel.find((cache) => cache.cores.includes(requester)) ?? ofLevel[0];
  return own?.latencyCycles ?? 0;
}

/** Causes from the core outwards, so that reports of two runs line up. */
function inOrder(machine: ResolvedMachine, byCause: Record<string, number>): Record<string, number> {
  const hits = [...levelNames(machine), "outer", "memory-side"].map((level) => `${level} hit`);
  const known = [...new Set([...hits, ...Object.keys(PRICE), ...Object.keys(byCause)])];
  return Object.fromEntries(
    known.filter((cause) => cause in byCause).map((cause) => [cause, byCause[cause] as number]),
  );
}

/** Names of the levels that counters are grouped by, from the core outwards: `L1I`, `L1D`, `L2`... */
export function levelNames(machine: ResolvedMachine): readonly string[] {
  const caches = [...machine.caches].sort((a, b) => a.depth - b.depth || order(a.holds) - order(b.holds));
  return [...new Set(caches.map((cache) => cache.level))];
}

const order = (holds: string): number => ["instructions", "data", "unified"].indexOf(holds);
