/**
 * What the native yardstick would print of a play (semantics R38): its counters, its names, its order. A kernel that was
 * created with `yardstick` mimics its directory; everything else here is the kernel's own counting, added up.
 */
import type { Kernel } from "../engine/kernel.ts";

export interface SocketCounters {
  readonly accesses: number;
  readonly misses: number;
  readonly writebacks: number;
  readonly c2c: number;
  readonly remoteHits: number;
  readonly backInvalidations: number;
  readonly memoryReads: number;
}

/** Every counter that it prints, in its order: sums over cores, then its sockets. */
export interface PrintedCounters {
  readonly loads: number;
  readonly loadMisses: number;
  readonly stores: number;
  readonly storeMisses: number;
  readonly fetches: number;
  readonly fetchMisses: number;
  readonly l2LoadMisses: number;
  readonly l2StoreMisses: number;
  readonly l2FetchMisses: number;
  readonly upgrades: number;
  readonly l1Writebacks: number;
  readonly l2Writebacks: number;
  readonly invalidations: number;
  readonly l2EvictionsWithInner: number;
  readonly sockets: readonly SocketCounters[];
}

/** Of a kernel that played with the option `yardstick`, on a machine with L1I, L1D, L2 and an L3 a socket. */
export function printedByKernel(kernel: Kernel): PrintedCounters {
  const { machine } = kernel;
  const { caches, events } = kernel.counters();
  const { c2c, backInvalidatingEvictions, evictionsWithInner } = kernel.yardstick();
  const sum = (level: string, counter: keyof (typeof caches)[number]) =>
    machine.caches.reduce((all, cache, i) => (cache.level === level ? all + (caches[i]?.[counter] ?? 0) : all), 0);
  const lastLevels = machine.caches.filter(({ level }) => level === "L3");
  return {
    loads: sum("L1D", "loads"),
    loadMisses: sum("L1D", "loadMisses"),
    stores: sum("L1D", "stores"),
    storeMisses: sum("L1D", "storeMisses"),
    fetches: sum("L1I", "fetches"),
    fetchMisses: sum("L1I", "fetchMisses"),
    l2LoadMisses: sum("L2", "loadMisses"),
    l2StoreMisses: sum("L2", "storeMisses"),
    l2FetchMisses: sum("L2", "fetchMisses"),
    upgrades: sum("L1D", "upgrades") + sum("L2", "upgrades"),
    l1Writebacks: sum("L1D", "writebacksOut"),
    l2Writebacks: sum("L2", "writebacksOut"),
    invalidations: sum("L2", "invalidations") + sum("L2", "backInvalidations"),
    l2EvictionsWithInner: evictionsWithInner,
    sockets: lastLevels.map(({ id, socket }) => {
      const last = caches[id] as (typeof caches)[number];
      return {
        accesses: last.loads + last.stores + last.fetches,
        misses: last.loadMisses + last.storeMisses + last.fetchMisses,
        writebacks: last.writebacksOut,
        c2c: c2c[socket] ?? 0,
        remoteHits: last.snoopsIn,
        backInvalidations: backInvalidatingEvictions[socket] ?? 0,
        memoryReads: events.reduce(
          (all, { memory, memoryRemote }, core) =>
            machine.cores[core]?.socket === socket ? all + memory + memoryRemote : all,
          0,
        ),
      };
    }),
  };
}

/** The lines that the yardstick prints. */
export function yardstickText(view: PrintedCounters): string {
  const lines = [
    `L1D load ${view.loads} miss ${view.loadMisses} | store ${view.stores} miss ${view.storeMisses} | L1I ${view.fetches} miss ${view.fetchMisses}`,
    `L2 miss load ${view.l2LoadMisses} store ${view.l2StoreMisses} ifetch ${view.l2FetchMisses} | upgrades ${view.upgrades} wb1 ${view.l1Writebacks} wb2 ${view.l2Writebacks} inval ${view.invalidations} L2evict-with-L1 ${view.l2EvictionsWithInner}`,
    ...view.sockets.map(
      (s, socket) =>
        `L3[${socket}] acc ${s.accesses} miss ${s.misses} wb ${s.writebacks} c2c ${s.c2c} remoteprobehit ${s.remoteHits} backinv ${s.backInvalidations} memread ${s.memoryReads}`,
    ),
  ];
  return lines.join("\n");
}
