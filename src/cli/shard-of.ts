/** `--shard k/n`, for commander. */
import { InvalidArgumentError } from "commander";

export interface ShardOf {
  readonly shard: number;
  readonly of: number;
}

export function shardOf(text: string): ShardOf {
  const [, first, second] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = Number(first);
  const of = Number(second);
  if (first === undefined || of === 0) throw new InvalidArgumentError("Expected k/n, part k of n, such as 0/8.");
  if (shard >= of) throw new InvalidArgumentError(`Parts of ${of} are counted from 0 to ${of - 1}.`);
  return { shard, of };
}
