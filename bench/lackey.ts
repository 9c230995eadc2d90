/** Records the accesses of a real program with Valgrind's lackey, as far as wanted. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { nodeCodecs } from "../src/trace/codec.node.ts";
import { openTrace } from "../src/trace/open.ts";

/** Where nothing is cached yet, the file that every clone has and that is large enough to keep gzip busy. */
const INPUT = "package-lock.json";
const PROGRAM = ["gzip", "-9", "-c", INPUT] as const;

export const RECORDED_PROGRAM = PROGRAM.join(" ");

/** Why nothing can be recorded here, if so. */
export function whyNoRecorder(): string | undefined {
  if (spawnSync("valgrind", ["--version"]).status !== 0) return "valgrind isn't installed";
  if (spawnSync(PROGRAM[0], ["--version"]).status !== 0) return `${PROGRAM[0]} isn't installed`;
  if (!readdirSync(".").includes(INPUT)) return `${INPUT} isn't there`;
  return undefined;
}

/** The program's first `limit` loads, stores and fetches as records of core 0, two words each. Addresses are virtual. */
export async function recordProgram(limit: number): Promise<Uint32Array> {
  // Valgrind prints to standard error what it sees, and the program's own output is nobody's business.
  const child = spawn("valgrind", ["--tool=lackey", "--trace-mem=yes", ...PROGRAM], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const words = new Uint32Array(limit * 2);
  let length = 0;
  try {
    const source = { name: "valgrind", totalBytes: undefined, chunks: () => bytesOf(child.stderr) };
    const trace = await openTrace(source, nodeCodecs, { format: "lackey", compression: "none" });
    for await (const batch of trace.batches()) {
      const part = batch.subarray(0, words.length - length);
      words.set(part, length);
      length += part.length;
      if (length === words.length) break;
    }
  } finally {
    child.kill("SIGKILL");
  }
  return words.subarray(0, length);
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of stream) yield chunk as Uint8Array;
}
