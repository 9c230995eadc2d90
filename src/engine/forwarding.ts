/**
 * An engine around another, for those who want to see what is played: it passes everything on and decides nothing.
 * Whoever extends it says what `run` does besides.
 */
import type { Engine } from "./engine.ts";
import { ExitError } from "./exit.ts";

export abstract class ForwardingEngine implements Engine {
  /** The engine that plays. */
  protected readonly inner: Engine;

  constructor(inner: Engine) {
    this.inner = inner;
  }

  abstract run(words: Uint32Array, count?: number): number;

  play(words: Uint32Array, count: number = words.length / 2): void {
    this.run(words, count);
    if (this.inner.exit !== undefined) throw new ExitError(this.inner.exit);
  }

  get machine() {
    return this.inner.machine;
  }
  get carriesData() {
    return this.inner.carriesData;
  }
  get records() {
    return this.inner.records;
  }
  get exit() {
    return this.inner.exit;
  }
  counters() {
    return this.inner.counters();
  }
  hazards() {
    return this.inner.hazards();
  }
  notAssessable() {
    return this.inner.notAssessable();
  }
  copies(address: number) {
    return this.inner.copies(address);
  }
  dirtyLines() {
    return this.inner.dirtyLines();
  }
  peek(...parameters: Parameters<Engine["peek"]>) {
    return this.inner.peek(...parameters);
  }
  lastValue() {
    return this.inner.lastValue();
  }
}
