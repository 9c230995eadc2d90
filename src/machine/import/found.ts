/**
 * What a reader found in a file, before anything is assumed: processors, the caches each goes through, memory and
 * devices. `compose.ts` turns it into a machine description.
 */

/** Geometry of one cache as far as the file tells it; sizes in bytes. */
export interface FoundCache {
  /** Two processors with the same id share the cache. */
  readonly id: string;
  /** What the file calls it. */
  readonly label: string;
  readonly sizeBytes?: number | undefined;
  readonly sets?: number | undefined;
  readonly ways?: number | undefined;
  readonly lineBytes?: number | undefined;
  readonly write?: "back" | "through" | undefined;
  readonly allocate?: "read-write" | "read" | "write" | undefined;
  readonly replacement?: "lru" | "tree-plru" | "fifo" | "srrip" | undefined;
  readonly inclusion?: "inclusive" | "exclusive" | "nine" | undefined;
  /** An outer cache (PL310-like) stands before memory and obeys its own operations only. */
  readonly outer?: boolean | undefined;
}

export interface FoundCpu {
  /** What the file calls it. */
  readonly name: string;
  /** `Cortex-A57` and the like; unknown where the file doesn't say. */
  readonly model?: string | undefined;
  /** Physical package. */
  readonly socket?: number | undefined;
  /** NUMA node. */
  readonly node?: number | undefined;
  /** Which cores the file puts together, by any name. */
  readonly cluster?: string | undefined;
  /** Processors with the same core are its threads. */
  readonly core?: string | undefined;
  readonly l1i?: FoundCache | undefined;
  readonly l1d?: FoundCache | undefined;
  /** Unified caches, L2 first. */
  readonly unified: readonly FoundCache[];
}

export interface FoundMemory {
  /** Unknown where the file only says how much there is. */
  readonly base?: number | undefined;
  readonly sizeBytes: number;
  readonly node?: number | undefined;
}

export interface FoundDevice {
  readonly name: string;
  readonly coherent: boolean;
  readonly node?: number | undefined;
  /** How the file says so. */
  readonly because: string;
}

export interface Found {
  /** `device tree blob`, `ACPI tables`... */
  readonly format: string;
  readonly files: readonly string[];
  readonly name?: string | undefined;
  readonly about?: string | undefined;
  /** As `uname -m` says it; unknown where the file doesn't say. */
  readonly architecture?: string | undefined;
  readonly cpus: readonly FoundCpu[];
  readonly memory: readonly FoundMemory[];
  readonly devices: readonly FoundDevice[];
  /** What the file says and a description can't, or what was taken for granted while reading. */
  readonly assumed: readonly string[];
  readonly left: readonly string[];
}
