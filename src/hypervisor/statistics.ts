/** What a hypervisor counts of its VMs beside the engine's counters: exits by reason, and what its policy did. */

/** Why a virtual CPU left its guest. */
export const EXIT_REASONS = [
  "set/way",
  "virtual-memory register",
  "cache identification",
  "page fault",
  "permission",
  "mmio",
  "skipped maintenance",
  "injected fault",
  "other trap",
  "interrupted",
] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

export interface VmStatistics {
  readonly exits: Record<ExitReason, number>;
  /** Cleaned and invalidated by VA everything mapped (4.1, modern). */
  wholeVmFlushes: number;
  /** All set/way levels of a core flushed by the host (3.9). */
  coreFlushes: number;
  pagesMapped: number;
  pagesUnmapped: number;
  /** Pages cleaned and invalidated at map and at unmap. */
  pagesFlushedAtMap: number;
  pagesFlushedAtUnmap: number;
  swappedOut: number;
  swappedIn: number;
  /** Pages copied because a merged one was written. */
  copiedOnWrite: number;
  /** Times that a virtual CPU went on on another core. */
  migrations: number;
}

export function newStatistics(): VmStatistics {
  return {
    exits: Object.fromEntries(EXIT_REASONS.map((reason) => [reason, 0])) as Record<ExitReason, number>,
    wholeVmFlushes: 0,
    coreFlushes: 0,
    pagesMapped: 0,
    pagesUnmapped: 0,
    pagesFlushedAtMap: 0,
    pagesFlushedAtUnmap: 0,
    swappedOut: 0,
    swappedIn: 0,
    copiedOnWrite: 0,
    migrations: 0,
  };
}
