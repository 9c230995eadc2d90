// What a shard knows of lines that others play: what memory would hold of them if there were no caches. Records say themselves what
// they store, so each shard can keep that for all lines; and a table walk that observes nothing old observes just that. So every
// shard translates for itself, without a word from the one whose line a descriptor is in. That one compares (walk.ts).

import { cacheable, pathFor } from "./access";
import { value } from "./bytes";
import { C_ACTIVE, CARRY, coreAt, VERSIONS } from "./layout";
import { byteOf, TRUTH, who } from "./memory";

/** Whether shards need the truth of each other's lines: only the build with bytes can read tables. */
export const TELLS_TABLES: bool = CARRY && !VERSIONS;

/** Whether this shard has gone on by what another one's descriptor should be: if that one disagrees, what was found here is wrong. */
export let trusted: bool = false;

/** A piece in a line of another shard is written: `value` has its bytes. */
export function writeElsewhere(compact: u64, bytes: u32): void {
  const at = byteOf(compact) + TRUTH;
  if (bytes == 8) store<u64>(at, load<u64>(value));
  else memory.copy(at, value, bytes);
}

/** The same for a plain store, whose 8 bytes are its number + 1 (D6). */
export function storeElsewhere(compact: u64, number: u64): void {
  store<u64>(byteOf(compact & ~(<u64>7)) + TRUTH, number + 1);
}

/** A descriptor as nobody sees it old. */
export function trueDescriptor(compact: u64, bytes: u32): u64 {
  const at = byteOf(compact) + TRUTH;
  return bytes == 8 ? load<u64>(at) : <u64>load<u32>(at);
}

/** What another shard's read of a descriptor leaves behind of which all must know: that its core has used its caches (D33, D51). */
export function readElsewhere(code: u32, fromUnification: bool): void {
  trusted = true;
  if (!cacheable(code)) return;
  const path = pathFor(who, code, fromUnification);
  if (path && load<u32>(path)) store<u32>(coreAt(who), 1, C_ACTIVE);
}
