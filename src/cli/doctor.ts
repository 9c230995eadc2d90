/** `setway doctor`: what setway finds where it runs, and what that means for it. */
import { readdir } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Command } from "commander";
import { createKernel } from "../engine/kernel.ts";
import { load, records, sctlr, store } from "../engine/record.ts";
import { loadMachine } from "../machine/index.ts";
import { formatBytes } from "../machine/quantity.ts";
import type { Emitted } from "../report/emitted.ts";
import type { DoctorFinding, DoctorJson } from "../report/published.ts";
import { styleFor } from "../report/style.ts";
import { wrap } from "../report/table.ts";
import { EXIT } from "./exit.ts";
import type { Session } from "./program.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
import { type Terminal, wantsColor } from "./terminal.ts";
import { TRACE_PLACES } from "./trace-shelf.ts";
import { VERSION } from "./version.ts";

const LEAST_NODE = [20, 11] as const;
/** Below this a replay of many cores and the traces around it get tight. */
const POOR_MEMORY_BYTES = 2 * 2 ** 30;
const WIDTH = 96;

export function addDoctor(program: Command, session: Session): void {
  withResultOptions(
    program
      .command("doctor")
      .description("look at Node, cores, memory, WebAssembly, workers, the terminal and where traces lie"),
  )
    .addHelpText(
      "after",
      `
Exit codes: 0 everything works, 1 something does not, 2 usage.

Example:
  $ setway doctor
  $ setway doctor --json`,
    )
    .action(
      session.action(async (options: ResultOptions) => {
        const findings = await examine(session.terminal);
        await emitResult("doctor", emittedFor(findings), options, session.terminal);
        return findings.some(({ verdict }) => verdict === "bad") ? EXIT.EXPECTATION : EXIT.OK;
      }),
    );
}

async function examine(terminal: Terminal): Promise<readonly DoctorFinding[]> {
  return [
    nodeVersion(),
    coreCount(),
    memory(),
    kernel(),
    simd(),
    await workers(),
    sharedMemory(),
    terminalFinding(terminal),
    ...(await Promise.all(TRACE_PLACES.map(traceFolder))).flat(),
  ];
}

function nodeVersion(): DoctorFinding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  const facts = {
    setway: VERSION,
    node: process.versions.node,
    v8: process.versions.v8,
    platform: process.platform,
    architecture: process.arch,
  };
  const found = `${process.versions.node} on ${process.platform} ${process.arch}, setway ${VERSION}`;
  if (enough) return { name: "Node", verdict: "good", found, facts };
  return { name: "Node", verdict: "bad", found, advice: `Node ${LEAST_NODE.join(".")} or later is needed.`, facts };
}

function coreCount(): DoctorFinding {
  const available = availableParallelism();
  const model = cpus()[0]?.model.trim() || "unknown";
  const facts = { available, present: cpus().length, model };
  const found = `${available} for this process, ${cpus().length} in all (${model})`;
  if (available > 1) return { name: "cores", verdict: "good", found, facts };
  return { name: "cores", verdict: "poor", found, advice: "Matrices of stories are played one after another.", facts };
}

function memory(): DoctorFinding {
  const limit = process.constrainedMemory?.() ?? 0;
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const facts = {
    totalBytes: totalmem(),
    freeBytes: freemem(),
    limitBytes: limit > 0 && limit < totalmem() ? limit : null,
  };
  const found = `${rounded(total)} ${total < totalmem() ? "allowed by a limit" : "in all"}, ${rounded(Math.min(freemem(), total))} free`;
  if (total >= POOR_MEMORY_BYTES) return { name: "memory", verdict: "good", found, facts };
  const advice = "Engines of many cores with bytes in their caches may not fit; --tags-only needs less.";
  return { name: "memory", verdict: "poor", found, advice, facts };
}

/** Bytes in the largest unit, two digits. */
const rounded = (bytes: number): string => {
  const unit = bytes >= 2 ** 30 ? 2 ** 30 : 2 ** 20;
  return `${(bytes / unit).toFixed(1)} ${formatBytes(unit).replace(/^1/, "")}`;
};

/** Not only whether it is there: one stale read is played. */
function kernel(): DoctorFinding {
  try {
    const began = performance.now();
    const engine = createKernel(loadMachine("seattle"));
    const milliseconds = Math.round(performance.now() - began);
    engine.play(records(store(0, 0x1000), sctlr(0, "I"), load(0, 0x1000)));
    const hazards = engine.hazards().map((hazard) => hazard.class);
    const facts = { compileMilliseconds: milliseconds, memoryBytes: engine.memoryBytes, hazards };
    if (!hazards.includes("stale-read")) {
      const found = `it played a stale read and reported ${hazards.join(", ") || "nothing"}`;
      return { name: "kernel", verdict: "bad", found, advice: "Please report this, with the output of --json.", facts };
    }
    const found = `WebAssembly, ready in ${milliseconds} ms; it found the stale read that it was given`;
    return { name: "kernel", verdict: "good", found, facts };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    const advice = "WebAssembly is needed: is it turned off, or too little address space left to it?";
    return { name: "kernel", verdict: "bad", found, advice, facts: {} };
  }
}

/** A module with one function that makes a v128 of zeros and drops it. */
const SIMD_MODULE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[10, 23, 1, 21, 0, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1a, 0x0b],
);

function simd(): DoctorFinding {
  const there = WebAssembly.validate(SIMD_MODULE);
  const facts = { simd: there };
  if (there) return { name: "wasm SIMD", verdict: "good", found: "there", facts };
  return { name: "wasm SIMD", verdict: "poor", found: "not there", advice: "setway runs without.", facts };
}

/** A thread is started and has to answer. */
async function workers(): Promise<DoctorFinding> {
  const found = await new Promise<string | undefined>((resolve) => {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage("here")', { eval: true });
    worker.once("message", () => resolve(undefined));
    worker.once("error", (error: Error) => resolve(error.message));
    worker.once("exit", () => resolve("a thread ended without an answer"));
  }).catch((error: unknown) => String(error));
  const facts = { threads: found === undefined, atATime: availableParallelism() };
  if (found === undefined) {
    return { name: "workers", verdict: "good", found: `threads start, ${availableParallelism()} at a time`, facts };
  }
  return { name: "workers", verdict: "bad", found, advice: "Matrices of stories need threads.", facts };
}

function sharedMemory(): DoctorFinding {
  const there = typeof SharedArrayBuffer === "function";
  const facts = { sharedArrayBuffer: there };
  if (there) return { name: "shared memory", verdict: "good", found: "threads can share it", facts };
  return {
    name: "shared memory",
    verdict: "poor",
    found: "none",
    advice: "Threads get copies of what they play.",
    facts,
  };
}

function terminalFinding(terminal: Terminal): DoctorFinding {
  const { stdout, stderr, env, columns } = terminal;
  const color = wantsColor(stdout, env);
  const facts = {
    stdoutIsTerminal: stdout.isTerminal,
    stderrIsTerminal: stderr.isTerminal,
    columns,
    color,
    term: env.TERM ?? null,
    noColor: env.NO_COLOR !== undefined && env.NO_COLOR !== "",
  };
  const where = stdout.isTerminal ? `a terminal of ${columns} columns` : "not a terminal";
  const why = stdout.isTerminal && !color ? (facts.noColor ? " (NO_COLOR)" : " (TERM)") : "";
  return { name: "terminal", verdict: "good", found: `${where}; colour ${color ? "on" : "off"}${why}`, facts };
}

async function traceFolder({
  folder,
  what,
  optional,
}: (typeof TRACE_PLACES)[number]): Promise<readonly DoctorFinding[]> {
  const path = fileURLToPath(folder);
  const name = `traces, ${what}`;
  const names = await readdir(path).catch(() => undefined);
  const traces = (names ?? []).filter((each) => /\.(swt|raw64(\.xz|\.gz|\.zst)?)$/.test(each)).sort();
  const facts = { path, traces };
  if (traces.length > 0) return [{ name, verdict: "good", found: `${path}: ${traces.join(", ")}`, facts }];
  if (optional) return [];
  const advice = "The package is incomplete: setway run decompressor needs its recording. Install it again.";
  return [{ name, verdict: "bad", found: `none in ${path}`, advice, facts }];
}

function emittedFor(findings: readonly DoctorFinding[]): Emitted<DoctorJson> {
  const counted = (verdict: DoctorFinding["verdict"]) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const bad = counted("bad");
  return {
    json: { ok: bad === 0, findings },
    text: (color) => {
      const style = styleFor(color);
      const words = { good: style.green("ok  "), poor: style.yellow("poor"), bad: style.red("bad ") };
      const width = Math.max(...findings.map(({ name }) => name.length));
      const indent = " ".repeat(width + 8);
      const lines = findings.map(({ name, verdict, found, advice }) =>
        [`${words[verdict]}  ${style.bold(name.padEnd(width))}`, wrap(found, WIDTH - indent.length, indent)]
          .join("  ")
          .concat(advice === undefined ? "" : `\n${indent}${wrap(advice, WIDTH - indent.length, indent)}`),
      );
      return `${lines.join("\n")}\n\n${bad === 0 ? "setway works here" : `${bad} of ${findings.length} would not work`}\n`;
    },
  };
}
