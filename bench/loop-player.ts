/** The kernel's side of a loop: machines made ready untimed, then timed; and once untimed, for its counters. */
import { readFileSync } from "node:fs";
import { createKernel, type Kernel } from "../src/engine/kernel.ts";
import { countersOfLoop, LOOPS, type Loop, type LoopCounters, type LoopFiles, machineForLoop } from "./loops.ts";
import { meanMilliseconds } from "./player.ts";
import { readWords } from "./streams.ts";

export interface LoopOrder {
  readonly loop: string;
  readonly files: LoopFiles;
  readonly milliseconds: number;
  readonly wasm?: string;
}

/** CPU milliseconds in which all machines play the loop. */
export function playLoop({ loop: name, files, milliseconds, wasm }: LoopOrder): number {
  const loop = LOOPS.find((each) => each.name === name);
  if (loop === undefined) throw new Error(`no loop is called ${name}`);
  const setup = readWords(files.setup);
  const played = readWords(files.played);
  const create = kernelFactory(loop, wasm);
  let kernels: Kernel[] = [];
  return meanMilliseconds(name, milliseconds, {
    beforeEach: () => {
      kernels = Array.from({ length: loop.machines }, () => {
        const kernel = create();
        kernel.play(setup);
        // Stores may wait in buckets, and would be played in the loop's time.
        kernel.settle();
        return kernel;
      });
    },
    work: () => {
      for (const kernel of kernels) {
        kernel.play(played);
        kernel.settle();
      }
    },
  });
}

/** What one machine counts over the played records, and what the last of them observed. */
export function countLoop(
  loop: Loop,
  files: LoopFiles,
  wasm?: string,
): { readonly counters: LoopCounters; readonly lastValue: string } {
  const kernel = kernelFactory(loop, wasm)();
  kernel.play(readWords(files.setup));
  const before = countersOfLoop(kernel.machine, kernel.counters());
  kernel.play(readWords(files.played));
  const after = countersOfLoop(kernel.machine, kernel.counters());
  const counters = Object.fromEntries(
    Object.entries(after).map(([counter, value]) => [counter, value - (before[counter] ?? 0)]),
  );
  return { counters, lastValue: String(kernel.lastValue()) };
}

function kernelFactory(loop: Loop, wasm: string | undefined): () => Kernel {
  const machine = machineForLoop(loop);
  const module = wasm === undefined ? undefined : new WebAssembly.Module(readFileSync(wasm));
  return () => createKernel(machine, module === undefined ? {} : { wasm: module });
}
