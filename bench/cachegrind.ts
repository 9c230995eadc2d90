/**
 * Valgrind's cachegrind on a program whose accesses are a stream: a whole process, which runs the program and simulates
 * its caches as it goes. One core, two levels, no coherence and no writebacks.
 */
import { spawnSync } from "node:child_process";
import type { RecordedProgram } from "./lackey.ts";

/** The yardstick's L1s, and its L3 as the last level. */
const COMMAND =
  'valgrind --tool=cachegrind --cache-sim=yes --cachegrind-out-file=/dev/null --I1=32768,4,64 --D1=32768,4,64 --LL=16777216,16,64 "$@" 2>&1 >/dev/null; times';

export interface CachegrindRun {
  /** Instructions, loads and stores. */
  readonly refs: number;
  /** CPU time of the process. */
  readonly seconds: number;
}

export function runCachegrind({ command }: RecordedProgram): CachegrindRun {
  const { stdout, stderr } = spawnSync("sh", ["-c", COMMAND, "sh", ...command], { encoding: "utf8" });
  const refs = [...stdout.matchAll(/^==\d+== [ID] +refs: +([\d,]+)/gm)].map(([, digits = ""]) =>
    Number(digits.replaceAll(",", "")),
  );
  // The last line that `times` prints is of the shell's children: user, then system.
  const times = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout.trimEnd().split("\n").at(-1) ?? "");
  if (refs.length !== 2 || times === null) throw new Error(`cachegrind printed something new:\n${stdout}${stderr}`);
  const [userMinutes, user, systemMinutes, system] = times.slice(1).map(Number) as [number, number, number, number];
  return {
    refs: refs.reduce((sum, each) => sum + each, 0),
    seconds: 60 * (userMinutes + systemMinutes) + user + system,
  };
}
