/** `loops.c`, the native versions of the loops: built where there is a C compiler, run, and what it prints. */
import { spawnSync } from "node:child_process";
import type { Loop, LoopCounters, LoopFiles } from "./loops.ts";
import { compile, type Program } from "./yardstick.ts";

const SOURCE = "bench/loops.c";
const FLAGS = ["-O3", "-march=native"];

export interface NativeLoopRun {
  /** CPU time of the played records on all machines. */
  readonly seconds: number;
  /** What the last load observed. */
  readonly lastValue: string;
  /** Of one machine. */
  readonly counters: LoopCounters;
}

export function buildNativeLoops(): Program {
  const candidates = process.env.CC ? [process.env.CC] : ["gcc", "cc", "clang"];
  const compiler = candidates.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (compiler === undefined) return { missing: `native loops: no C compiler (${candidates.join(", ")})` };
  return compile(compiler, SOURCE, FLAGS);
}

export function runNativeLoop(program: string, loop: Loop, files: LoopFiles): NativeLoopRun {
  const args = [loop.walkCaches, loop.walkCaches, loop.machines, files.setup, files.played].map(String);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${loop.name}: loops.c ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as NativeLoopRun;
}
