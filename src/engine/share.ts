/** What a kernel that plays only some set groups is told and tells beyond an Engine (R49); `src/shard` makes the whole of the parts. */

/** The set groups of one shard. All shards of a play are given all records. */
export interface Share {
  /** Whether this shard counts what belongs to no set group: exactly one does. */
  readonly first: boolean;
  /** How many low bits of a block's number (a block is the largest line) are its group. */
  readonly groupBits: number;
  readonly groups: readonly number[];
}

/** A full loop of clean operations by set/way (D33), with the dirty lines that it left in this shard's part of the system caches. */
export interface FullLoop {
  readonly record: number;
  readonly core: number;
  readonly dirtyLines: number;
}

/**
 * A record of which a shard saw what the others can't know: they have gone wrong, and the play must begin again with one kernel.
 * Only that shard tells. Nothing is wrong with the record.
 */
export class WholeMachineNeeded extends Error {
  /** Number of the record. */
  readonly record: number;
  readonly reason: string;

  constructor(record: number, reason: string) {
    super(`record ${record}: ${reason}`);
    this.name = "WholeMachineNeeded";
    this.record = record;
    this.reason = reason;
  }
}

/** What a shard sees that the others don't. */
export const STALE_WALK = "a table walk observed an old descriptor, which other shards took for the newest";

/** Why a machine with prefetchers can be neither dealt into set groups nor shared among kernels. */
export const CROSSES_GROUPS = "a prefetcher brings in lines of other set groups";
