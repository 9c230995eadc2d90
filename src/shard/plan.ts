/**
 * Which shard plays which set groups (R49). A group is the low bits of a block's number (the largest line) by which every cache
 * and directory of the machine is indexed, so lines of different groups never meet.
 */
import { CROSSES_GROUPS, type Share } from "../engine/share.ts";
import type { Cache, ResolvedMachine } from "../machine/resolved.ts";

/** How many shards a play was asked to have, how many it has, and why they are fewer. */
export interface Sharding {
  readonly asked: number;
  readonly used: number;
  readonly why?: string;
}

export interface ShardPlan extends Sharding {
  /** What each shard plays; of one shard, undefined: everything. */
  readonly shares: readonly (Share | undefined)[];
}

/** More group bits than these scatter a shard's sets over the kernel's memory, which is laid out in groups of its own. */
const FEW_BITS = 5;
/** The kernel's table of groups has room for so many bits. */
const MOST_BITS = 10;
/** Groups that a shard should have, if there are as many, so that one hot group makes little difference. */
const GROUPS_A_SHARD = 4;

/** How many low bits of a block's number index every cache and directory of a machine; 0: its lines can't be told apart. */
export function commonIndexBits(machine: ResolvedMachine): number {
  const caches: readonly (Cache | undefined)[] = [...machine.caches, machine.outer, ...machine.memorySide];
  const indexed = caches.filter((cache) => cache !== undefined).map(({ sets, lineBytes }) => ({ sets, lineBytes }));
  if (machine.directory) {
    const [lineBytes, ...others] = directoryLines(machine);
    // Lines of different sizes share a directory's sets, but not by the same bits of their addresses.
    if (others.length > 0) return 0;
    if (lineBytes !== undefined) indexed.push({ sets: machine.directory.sets, lineBytes });
  }
  const bits = indexed.map(
    ({ sets, lineBytes }) => trailingZeros(sets) - Math.log2(machine.largestLineBytes / lineBytes),
  );
  return Math.max(0, Math.min(MOST_BITS, ...bits));
}

/** The sizes of line that a sized directory keeps: those of the outermost architected caches on the cores' paths (D25). */
function directoryLines(machine: ResolvedMachine): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const { l1i, l1d, unifiedBySocket } of machine.cores) {
    unifiedBySocket.forEach((unified, home) => {
      const beyond: Cache[] = [];
      for (let cache = machine.caches[unified]; cache; cache = machine.caches[cache.parentBySocket[home] ?? -1]) {
        if (cache.kind === "architected") beyond.push(cache);
      }
      for (const first of [machine.caches[l1i], machine.caches[l1d]]) {
        const outermost = beyond.at(-1) ?? first;
        if (outermost) lines.add(outermost.lineBytes);
      }
    });
  }
  return lines;
}

const trailingZeros = (value: number): number => 31 - Math.clz32(value & -value);

/** Deals a machine's set groups to as many shards as asked for, if there are that many groups. */
export function planShards(machine: ResolvedMachine, asked: number): ShardPlan {
  if (asked <= 1) return wholeMachine(asked);
  if (machine.caches.some(({ prefetcher }) => prefetcher)) return wholeMachine(asked, CROSSES_GROUPS);
  const available = commonIndexBits(machine);
  if (available === 0)
    return wholeMachine(asked, "no bit of a line's number indexes every cache and directory of the machine");
  const groupBits = Math.min(available, Math.max(FEW_BITS, Math.ceil(Math.log2(GROUPS_A_SHARD * asked))));
  const groups = 2 ** groupBits;
  const used = Math.min(asked, groups);
  const shares: { first: boolean; groupBits: number; groups: number[] }[] = Array.from(
    { length: used },
    (_, shard) => ({
      first: shard === 0,
      groupBits,
      groups: [],
    }),
  );
  // In an order without pattern: programs like strides, and a stride of two lines would otherwise be all of one shard of two.
  const order = Array.from({ length: groups }, (_, group) => group).sort((a, b) => scatter(a) - scatter(b));
  order.forEach((group, position) => {
    shares[position % used]?.groups.push(group);
  });
  return {
    asked,
    used,
    ...(used < asked ? { why: `the machine has ${groups} set groups` } : {}),
    shares,
  };
}

/** One kernel for everything. */
export function wholeMachine(asked: number, why?: string): ShardPlan {
  return { asked, used: 1, ...(why === undefined ? {} : { why }), shares: [undefined] };
}

/** A bijection of 32-bit numbers without visible pattern (MurmurHash3's finalizer). */
function scatter(group: number): number {
  let hash = group + 1;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
