/**
 * Which core runs a thread. As in DynamoRIO's simulators: a thread that is new goes to the core with the fewest threads, and
 * stays there until it ends; or it runs where the recording says that it ran, recorded CPUs being dealt to cores likewise.
 */

export const SCHEDULES = ["thread", "cpu"] as const;
/** Whether threads are dealt to cores, or the CPUs that they ran on. */
export type Schedule = (typeof SCHEDULES)[number];

/** No machine of ours has more. */
const MOST_CORES = 65_535;

export class CoreAssignment {
  readonly #cores: number | undefined;
  readonly #schedule: Schedule;
  /** By core: threads that run there, and recorded CPUs that became it. */
  readonly #threads: number[] = [];
  readonly #cpus: number[] = [];
  readonly #coreOfThread = new Map<number, number>();
  readonly #coreOfCpu = new Map<number, number>();

  /** Without a number of cores there is one for whoever needs one. */
  constructor(cores: number | undefined, schedule: Schedule) {
    this.#cores = cores;
    this.#schedule = schedule;
  }

  coreOf(thread: number): number {
    const known = this.#coreOfThread.get(thread);
    if (known !== undefined) return known;
    const core = this.#emptiest(this.#threads);
    this.#move(thread, core);
    return core;
  }

  /** The recording says that the thread runs on this CPU from now on. */
  runsOn(thread: number, cpu: number): void {
    if (this.#schedule !== "cpu") return;
    let core = this.#coreOfCpu.get(cpu);
    if (core === undefined) {
      core = this.#emptiest(this.#cpus);
      this.#cpus[core] = (this.#cpus[core] ?? 0) + 1;
      this.#coreOfCpu.set(cpu, core);
    }
    this.exit(thread);
    this.#move(thread, core);
  }

  exit(thread: number): void {
    const core = this.#coreOfThread.get(thread);
    if (core === undefined) return;
    this.#coreOfThread.delete(thread);
    this.#threads[core] = (this.#threads[core] ?? 1) - 1;
  }

  #move(thread: number, core: number): void {
    this.#coreOfThread.set(thread, core);
    this.#threads[core] = (this.#threads[core] ?? 0) + 1;
  }

  /** The lowest of those that have the least; without a limit, one that has nothing. */
  #emptiest(counts: readonly number[]): number {
    const cores = this.#cores ?? Math.min(counts.length + 1, MOST_CORES);
    let best = 0;
    for (let core = 1; core < cores; core++) {
      if ((counts[core] ?? 0) < (counts[best] ?? 0)) best = core;
    }
    return best;
  }
}
