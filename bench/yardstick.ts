/**
 * The native programs of `../shared/yardstick`: builds them where there is a C++ compiler, runs them, and reads what they print,
 * which is the same (semantics R38). `reference.cpp` is the yardstick, `limit.cpp` the same machine played in set groups.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { cpus } from "node:os";
import type { PrintedCounters } from "../src/report/yardstick.ts";
import type { Native } from "./contestants.ts";

interface NativeProgram {
  readonly title: string;
  readonly source: string;
  readonly flags: readonly string[];
  /** Behind the trace's name. */
  readonly parameters: readonly string[];
}

const PROGRAMS: Readonly<Record<Native, NativeProgram>> = {
  yardstick: {
    title: "yardstick",
    source: "../shared/yardstick/reference.cpp",
    flags: ["-O3", "-march=native"],
    parameters: [],
  },
  // Vectors as wide as WebAssembly's, buckets as large as ours, one thread.
  limit: {
    title: "limit",
    source: "../shared/yardstick/limit.cpp",
    flags: ["-O3", "-march=native", "-mprefer-vector-width=128", "-pthread"],
    parameters: ["16384", "1"],
  },
};
const BUILD = "build/yardstick";

export interface YardstickRun {
  readonly refs: number;
  readonly cpuSeconds: number;
  readonly counters: PrintedCounters;
}

/** A program that can be run, or why there is none. */
export type Program = { readonly path: string } | { readonly missing: string };

/** A native program for this machine, built if that was not done yet. */
export function buildNative(which: Native): Program {
  const { title, source, flags } = PROGRAMS[which];
  if (!existsSync(source)) return { missing: `no ${title}: ${source} isn't there` };
  const candidates = process.env.CXX ? [process.env.CXX] : ["g++", "c++", "clang++"];
  const compiler = candidates.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (compiler === undefined) return { missing: `no ${title}: no C++ compiler (${candidates.join(", ")})` };
  return compile(compiler, source, flags);
}

/** Compiles a program of one file into build/, once for each text, compiler and processor. */
export function compile(
  compiler: string,
  source: string,
  flags: readonly string[],
  libraries: readonly string[] = [],
): Program {
  const hash = createHash("sha256")
    .update(JSON.stringify([compiler, flags, cpus()[0]?.model]))
    .update(readFileSync(source))
    .digest("hex");
  const name = source.slice(source.lastIndexOf("/") + 1, source.lastIndexOf("."));
  const path = `${BUILD}/${name}-${hash.slice(0, 16)}`;
  if (existsSync(path)) return { path };
  mkdirSync(BUILD, { recursive: true });
  // Whoever else builds it at this moment must not meet half a program.
  const fresh = `${path}.${process.pid}`;
  const { status, stderr } = spawnSync(compiler, [...flags, "-o", fresh, source, ...libraries], {
    encoding: "utf8",
  });
  if (status !== 0) return { missing: `${compiler} can't compile ${source}: ${String(stderr).split("\n")[0]}` };
  renameSync(fresh, path);
  return { path };
}

/** Plays a file of bare records: loads, stores and fetches of cores 0 to 99, below 2^38. */
export function runNative(which: Native, program: string, trace: string): YardstickRun {
  const { title, parameters } = PROGRAMS[which];
  const { status, stdout, stderr } = spawnSync(program, [trace, ...parameters], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${title} ended with ${status}: ${stderr}`);
  return parse(stdout);
}

const HEAD = /^refs (\d+) wall [\d.]+ s cpu ([\d.]+) s/m;
const LEVEL_1 = /^L1D load (\d+) miss (\d+) \| store (\d+) miss (\d+) \| L1I (\d+) miss (\d+)/m;
const LEVEL_2 =
  /^L2 miss load (\d+) store (\d+) ifetch (\d+) \| upgrades (\d+) wb1 (\d+) wb2 (\d+) inval (\d+) L2evict-with-L1 (\d+)/m;
const LEVEL_3 =
  /^L3\[(\d)\] acc (\d+) miss (\d+) wb (\d+) c2c (\d+) remoteprobehit (\d+) backinv (\d+) memread (\d+)/gm;

type Eight = [number, number, number, number, number, number, number, number];

function parse(printed: string): YardstickRun {
  const numbers = (match: RegExpMatchArray | null): Eight => {
    if (match === null) throw new Error(`a native program printed something new:\n${printed}`);
    return match.slice(1).map(Number) as Eight;
  };
  const [refs, cpuSeconds] = numbers(HEAD.exec(printed));
  const [loads, loadMisses, stores, storeMisses, fetches, fetchMisses] = numbers(LEVEL_1.exec(printed));
  const [
    l2LoadMisses,
    l2StoreMisses,
    l2FetchMisses,
    upgrades,
    l1Writebacks,
    l2Writebacks,
    invalidations,
    l2EvictionsWithInner,
  ] = numbers(LEVEL_2.exec(printed));
  const sockets = [...printed.matchAll(LEVEL_3)].map((match) => {
    const [, accesses, misses, writebacks, c2c, remoteHits, backInvalidations, memoryReads] = numbers(match);
    return { accesses, misses, writebacks, c2c, remoteHits, backInvalidations, memoryReads };
  });
  return {
    refs,
    cpuSeconds,
    counters: {
      loads,
      loadMisses,
      stores,
      storeMisses,
      fetches,
      fetchMisses,
      l2LoadMisses,
      l2StoreMisses,
      l2FetchMisses,
      upgrades,
      l1Writebacks,
      l2Writebacks,
      invalidations,
      l2EvictionsWithInner,
      sockets,
    },
  };
}
