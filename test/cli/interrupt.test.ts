/** Does Ctrl-C end a long play with what was played until then, marked as partial, and leave no half-written file under a whole one's name? */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { untilAborted } from "../../src/cli/interrupt.ts";
import { encodeRecords, load } from "../../src/engine/record.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { readWhole } from "../../src/trace/whole.ts";
import { setway } from "./capture.ts";
import { CLEAN, type Folder, raw64, SMALL_MACHINE, temporaryFolder } from "./files.ts";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

let folder: Folder;
let machine: string;
beforeAll(() => {
  folder = temporaryFolder();
  machine = folder.write("small.yaml", SMALL_MACHINE);
});
afterAll(() => folder.remove());

/** 65,536 records: a batch. */
const BATCH = new Uint8Array(
  encodeRecords(Array.from({ length: 65536 }, (_, index) => load(0, (index * 64) % 0x10_0000))).buffer,
);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command with an endless standard input, and interrupts it once it has read some of it. */
function interrupted(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  // The pipe breaks when the command ends; that is what the test wants.
  child.stdin.on("error", () => {});
  let batches = 0;
  const feed = () => {
    // A pipe holds less than a batch, so the first callbacks mean that the command is playing.
    if (++batches === 8) child.kill("SIGINT");
    else child.stdin.write(BATCH, feed);
  };
  feed();
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

describe.skipIf(!existsSync(PROGRAM))("SIGINT (the built command; npm run build)", () => {
  it("prints the partial result of a replay and exits 130", async () => {
    const { code, stdout, stderr } = await interrupted(["replay", "-", "-m", machine, "--json"]);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    const report = JSON.parse(stdout);
    expect(report.partial).toBe(true);
    expect(report.refs).toBeGreaterThan(65535);
    expect(report.levels.L1D.accesses).toBe(report.refs);
  });

  it("keeps what was converted under a name that says so, and exits 130", async () => {
    folder.write("interrupted.swt", "an older one");
    const output = folder.path("interrupted.swt");
    const { code, stdout, stderr } = await interrupted(["convert", "-", output, "--json"]);
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    const part = folder.path("interrupted.partial.swt");
    const { partial, records, outputs } = JSON.parse(stdout);
    expect({ partial, place: outputs[0].path }).toEqual({ partial: true, place: part });
    expect(readdirSync(folder.path(".")).sort()).toEqual(["interrupted.partial.swt", "interrupted.swt", "small.yaml"]);
    expect(readFileSync(output, "utf8")).toBe("an older one");
    const words = await readWhole(await openTraceFile(part));
    expect(words.length).toBe(2 * records);
    expect(records).toBeGreaterThan(65535);
    expect(new Uint8Array(words.buffer, 0, BATCH.length)).toEqual(BATCH);
  });
});

describe("an aborted signal", () => {
  it("makes a partial result for people too", async () => {
    const trace = folder.write("trace.raw64", raw64(...CLEAN));
    const { code, stdout } = await setway(["replay", trace, "-m", machine], { signal: AbortSignal.abort() });
    expect(code).toBe(130);
    expect(stdout).toContain("PARTIAL RESULT");
  });
});

describe("what was read until an abort that never comes", () => {
  it("isn't kept", async () => {
    const batches = 2000;
    const batchBytes = 2 ** 20;
    let most = 0;
    async function* fresh(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let i = 0; i < batches; i++) {
        // Memory outside the heap makes V8 look for what can go, but not before it has had a turn.
        if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield new Uint8Array(batchBytes);
      }
    }
    for await (const batch of untilAborted(fresh(), new AbortController().signal)) {
      expect(batch.length).toBe(batchBytes);
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    expect(most).toBeLessThan((batches * batchBytes) / 2);
  });
});
