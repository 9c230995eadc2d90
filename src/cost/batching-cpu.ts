/**
 * A bare core whose records are given to the engine in batches, so that a study plays millions of them quickly. What it
 * reads it does not look at: every observation is zero. Call `finish` before counters are read.
 */
import { Cpu } from "../cpu/cpu.ts";
import type { Engine } from "../engine/engine.ts";
import { encodeRecords, type RecordEntry } from "../engine/record.ts";

const BATCH_RECORDS = 8192;

export class BatchingCpu extends Cpu {
  readonly engine: Engine;
  readonly core: number;
  #entries: RecordEntry[] = [];

  constructor(engine: Engine, core: number) {
    super();
    this.engine = engine;
    this.core = core;
  }

  /** Plays what is still waiting. */
  finish(): void {
    if (this.#entries.length === 0) return;
    const words = encodeRecords(this.#entries);
    this.#entries = [];
    this.engine.play(words);
  }

  protected issue(entry: RecordEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= BATCH_RECORDS) this.finish();
  }

  protected override observed(): bigint {
    return 0n;
  }
}
