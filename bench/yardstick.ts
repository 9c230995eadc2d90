/**
 * The native yardstick (`../shared/yardstick/reference.cpp`): builds it where there is a C++ compiler, runs it, reads what it
 * prints, and asks a kernel for the same numbers (semantics R38).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { cpus } from "node:os";
import type { PrintedCounters } from "../src/report/yardstick.ts";

const SOURCE = "../shared/yardstick/reference.cpp";
const FLAGS = ["-O3", "-march=native"];
const BUILD = "build/yardstick";

export interface YardstickRun {
  readonly refs: number;
  readonly cpuSeconds: number;
  readonly counters: PrintedCounters;
}

/** A program that can be run, or why there is none. */
export type Program = { readonly path: string } | { readonly missing: string };

/** The yardstick for this machine, built if that was not done yet. */
export function buildYardstick(): Program {
  if (!existsSync(SOURCE)) return { missing: `no yardstick: ${SOURCE} isn't there` };
  const candidates = process.env.CXX ? [process.env.CXX] : ["g++", "c++", "clang++"];
  const compiler = candidates.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (compiler === undefined) return { missing: `no yardstick: no C++ compiler (${candidates.join(", ")})` };
  return compile(compiler, SOURCE, FLAGS);
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
export function runYardstick(program: string, trace: string): YardstickRun {
  const { status, stdout, stderr } = spawnSync(program, [trace], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the yardstick ended with ${status}: ${stderr}`);
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
    if (match === null) throw new Error(`the yardstick printed something new:\n${printed}`);
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
