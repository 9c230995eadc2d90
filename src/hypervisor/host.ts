/** The host's kernel on a core, as a `Cpu`: at EL2, by physical address, through its cacheable linear map (or as `WITH` says). */
import { Cpu } from "../cpu/cpu.ts";
import type { Engine } from "../engine/engine.ts";
import { encodeRecords, type RecordEntry } from "../engine/record.ts";
import type { Cores } from "./cores.ts";

export class HostCpu extends Cpu {
  readonly engine: Engine;
  readonly core: number;
  readonly #cores: Cores;

  constructor(engine: Engine, cores: Cores, core: number) {
    super();
    this.engine = engine;
    this.#cores = cores;
    this.core = core;
  }

  protected issue(entry: RecordEntry): void {
    this.#cores.asHost(this.core, () => {});
    this.engine.play(encodeRecords([entry]));
  }
}
