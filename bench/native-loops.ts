/** `loops.c`, the native versions of the loops: built where there is a C compiler, run, and what it prints. */
import { spawnSync } from "node:child_process";
import type { Loop, LoopCounters, LoopFiles } from "./loops.ts";
import { compile } from "./yardstick.ts";

const SOURCE = "bench/loops.c";
const FLAGS = ["-O3", "-march=native"];

/** Programs: the caches alone, and with all that the semantics ask for beside them. */
export interface NativeLoops {
  readonly yardstick: string;
  readonly hazards: string;
}

export interface NativeLoopRun {
  /** CPU time of the played records on all machines. */
  readonly seconds: number;
  /** What the last load observed. */
  readonly lastValue: string;
  /** Of one machine. */
  readonly counters: LoopCounters;
}

/** Both builds' programs, or why there are none. */
export function buildNativeLoops(): NativeLoops | { readonly missing: string } {
  const candidates = process.env.CC ? [process.env.CC] : ["gcc", "cc", "clang"];
  const compiler = candidates.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (compiler === undefined) return { missing: `native loops: no C compiler (${candidates.join(", ")})` };
  const yardstick = compile(compiler, SOURCE, FLAGS);
  const hazards = compile(compiler, SOURCE, [...FLAGS, "-DHAZARDS"]);
  if ("missing" in yardstick) return yardstick;
  return "missing" in hazards ? hazards : { yardstick: yardstick.path, hazards: hazards.path };
}

export function runNativeLoop(program: string, loop: Loop, files: LoopFiles): NativeLoopRun {
  const args = [loop.walkCaches, loop.walkCaches, loop.machines, files.setup, files.played].map(String);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${loop.name}: loops.c ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as NativeLoopRun;
}
