/**
 * An engine that keeps every call of `run`, those that ended in an exit included, so that the same calls can be played
 * again on a fresh engine. A story's program cannot be stopped and looked at between two records; its tape can.
 */
import { ForwardingEngine } from "../../src/engine/forwarding.ts";
import { isPrefix, operationOf } from "../../src/trace/entry.ts";

export class Tape extends ForwardingEngine {
  /** What each call played: the words behind it, and those of the record that exited. */
  readonly calls: Uint32Array[] = [];

  override run(words: Uint32Array, count: number = words.length / 2): number {
    const behind = this.inner.run(words, count);
    // A record that exited may have walked tables: it is part of what happened.
    const end = this.inner.exit === undefined ? behind : afterRecord(words, behind);
    this.calls.push(words.slice(0, 2 * end));
    return behind;
  }
}

/** The entry behind the record at or after `entry`, its prefixes skipped. */
function afterRecord(words: Uint32Array, entry: number): number {
  let end = entry;
  while (2 * end + 1 < words.length && isPrefix(operationOf(words[2 * end + 1] as number))) end++;
  return Math.min(end + 1, words.length / 2);
}
