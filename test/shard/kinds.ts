/** Sharded kernels as engines of the shared tests, each beside the kernel of which it must not differ in anything. */
import { createKernel, type KernelOptions } from "../../src/engine/kernel.ts";
import { debugBuild, type EngineKind } from "../properties/engines.ts";
import { InProcessShards } from "./in-process.ts";

/** 64 is more than most of the tests' machines have groups: the rest is idle. */
const SHARD_COUNTS = [1, 2, 3, 8, 64] as const;

export interface ShardedKind {
  readonly whole: EngineKind;
  readonly sharded: readonly (EngineKind & { readonly shards: number })[];
}

function kindOf(name: string, options: KernelOptions, counts: readonly number[]): ShardedKind {
  const carriesData = options.data === true;
  return {
    whole: {
      name,
      carriesData,
      create: (machine, provenance) => createKernel(machine, { ...options, provenance }),
    },
    sharded: counts.map((count) => ({
      shards: count,
      name: `${name} in ${count} shards`,
      carriesData,
      create: (machine, provenance) => new InProcessShards(machine, count, { ...options, provenance }),
    })),
  };
}

export const DATA = kindOf("kernel", { data: true }, SHARD_COUNTS);
export const TAGS = kindOf("tags-only kernel", { data: false }, SHARD_COUNTS);
/** With assertions, and slow: the two counts that differ most from each other. */
export const DEBUG: readonly ShardedKind[] = [
  kindOf("debug kernel", { data: true, wasm: debugBuild("data") }, [3, 64]),
  kindOf("tags-only debug kernel", { data: false, wasm: debugBuild("versions") }, [2]),
  kindOf("plain tags debug kernel", { data: false, wasm: debugBuild("tags") }, [8]),
];
