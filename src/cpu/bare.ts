/** A core without a hypervisor: its records go straight to the engine. */
import type { Engine } from "../engine/engine.ts";
import { encodeRecords, type RecordEntry } from "../engine/record.ts";
import { CONTEXT_WALKS } from "../engine/system-registers.ts";
import { Cpu, GuestFault } from "./cpu.ts";

/** Records that are handed over at once. */
const BATCH_RECORDS = 1024;

export class BareCpu extends Cpu {
  readonly engine: Engine;
  readonly core: number;

  constructor(engine: Engine, core: number) {
    super();
    this.engine = engine;
    this.core = core;
  }

  protected issue(entry: RecordEntry): void {
    this.play([entry]);
  }

  protected override issueAll(entries: Iterable<RecordEntry>): void {
    let batch: RecordEntry[] = [];
    for (const entry of entries) {
      batch.push(entry);
      if (batch.length === BATCH_RECORDS) {
        this.play(batch);
        batch = [];
      }
    }
    this.play(batch);
  }

  /**
   * Whether this core's stage 1 walks the tables of its TTBRs while SCTLR_EL1.M is set (D38). A bare core begins without:
   * its VA is the physical address, and accesses say their attribute.
   */
  translate(tables = true): this {
    const context = this.mrs("CONTEXT");
    const walks = BigInt(CONTEXT_WALKS);
    this.msr("CONTEXT", tables ? context | walks : context & ~walks);
    return this;
  }

  private play(entries: readonly RecordEntry[]): void {
    const words = encodeRecords(entries);
    if (this.engine.run(words) < words.length / 2 && this.engine.exit) throw new GuestFault(this.engine.exit);
  }
}
