/** Records the accesses of real programs with Valgrind's lackey, as far as wanted. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { nodeCodecs } from "../src/trace/codec.node.ts";
import { openTrace } from "../src/trace/open.ts";

/** A program whose accesses are a stream, and what it is given. */
export interface RecordedProgram {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** The command as people read it. */
  readonly shown: string;
  /** A file that has to be there. */
  readonly input?: string;
}

/** Where nothing is cached yet, the file that every clone has and that is large enough to keep gzip busy. */
const INPUT = "package-lock.json";

/** A table, an index on it, two searches and a change: the same each time, some fifty million accesses. */
const SQL = `
  create table t(a integer primary key, b text, c real);
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
    insert into t select i, printf('%08x', i * 2654435761 % 4294967296), i * 40503 % 65536 / 7.0 from n;
  create index tb on t(b);
  select count(*), sum(c) from t where b like '%a%';
  select a, b from t order by c limit 5;
  update t set c = c * 2 where a % 3 = 0;`;

export const RECORDED_PROGRAMS: readonly RecordedProgram[] = [
  { name: "gzip", command: ["gzip", "-9", "-c", INPUT], shown: `gzip -9 -c ${INPUT}`, input: INPUT },
  { name: "sqlite", command: ["sqlite3", ":memory:", SQL], shown: "sqlite3 :memory: and some SQL" },
];

/** Why nothing can be recorded here, if so. */
export function whyNoRecorder({ command: [program], input }: RecordedProgram): string | undefined {
  for (const needed of ["valgrind", program]) {
    if (spawnSync(needed, ["--version"]).status !== 0) return `${needed} isn't installed`;
  }
  if (input !== undefined && !existsSync(input)) return `${input} isn't there`;
  return undefined;
}

/** The program's first `limit` loads, stores and fetches as records of core 0, two words each. Addresses are virtual. */
export async function recordProgram({ command }: RecordedProgram, limit: number): Promise<Uint32Array> {
  // Valgrind prints to standard error what it sees, and the program's own output is nobody's business.
  const child = spawn("valgrind", ["--tool=lackey", "--trace-mem=yes", ...command], {
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
