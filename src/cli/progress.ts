/** A progress bar on stderr, for plays that take longer than a blink; silent where stderr is no terminal. */
import { count } from "../report/number.ts";
import type { Terminal } from "./terminal.ts";

const INTERVAL_MS = 100;
const BAR_WIDTH = 24;
const ERASE_LINE = "\r\u001b[K";

export class Progress {
  private readonly terminal: Terminal;
  private readonly started = performance.now();
  private drawnAt = 0;
  private drawn = false;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  /** Draws at most ten times a second, and not in the first moments. */
  show(label: string, done: number, total: number | undefined): void {
    if (!this.terminal.stderr.isTerminal) return;
    const now = performance.now();
    if (now - this.started < 3 * INTERVAL_MS || now - this.drawnAt < INTERVAL_MS) return;
    this.drawnAt = now;
    this.drawn = true;
    const line = total === undefined || total <= 0 ? `${label} ${count(done)}` : this.bar(label, done, total);
    void this.terminal.stderr.write(ERASE_LINE + line.slice(0, this.terminal.columns - 1));
  }

  /** Removes the bar, so that what follows stands on a line of its own. */
  async clear(): Promise<void> {
    if (this.drawn) await this.terminal.stderr.write(ERASE_LINE);
    this.drawn = false;
  }

  private bar(label: string, done: number, total: number): string {
    const share = Math.min(1, done / total);
    const full = Math.round(share * BAR_WIDTH);
    const left = share > 0 ? ((performance.now() - this.started) / 1000) * (1 / share - 1) : 0;
    const bar = "#".repeat(full) + ".".repeat(BAR_WIDTH - full);
    return `${label} [${bar}] ${Math.floor(share * 100)} %, ${Math.ceil(left)} s left`;
  }
}
