/** Does a trace that a thread decodes give what it gives when it is decoded here: records, header, progress, errors with their place? */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { TraceError } from "../../src/engine/errors.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { type DecodedTrace, openDecoded, openInThread } from "../../src/trace/decoder.node.ts";
import { createTraceFile, openTraceFile } from "../../src/trace/open.node.ts";
import { temporaryFolder } from "../cli/files.ts";

const SHIPPED = fileURLToPath(new URL("../../traces/zimage-boot-l3.swt", import.meta.url));
const folder = temporaryFolder();
afterAll(() => folder.remove());

interface Read {
  readonly words: readonly number[];
  readonly records: number;
  readonly error: TraceError | undefined;
}

/** Everything that comes, as a checksum a batch's place doesn't matter to, and how it ended. */
async function readAll(source: DecodedTrace): Promise<Read> {
  let low = 0;
  let high = 0;
  let records = 0;
  let error: TraceError | undefined;
  try {
    for await (const words of source.batches()) {
      for (let i = 0; i < words.length; i += 2) {
        low = (Math.imul(low, 31) + (words[i] as number)) | 0;
        high = (Math.imul(high, 31) + (words[i + 1] as number)) | 0;
      }
      records += words.length / 2;
    }
  } catch (thrown) {
    error = thrown as TraceError;
  }
  return { words: [low, high], records, error };
}

test("the same records, header and progress", async () => {
  const [here, there] = [await openTraceFile(SHIPPED), await openInThread(SHIPPED)];
  expect({ name: there.name, header: there.header, totalBytes: there.totalBytes }).toEqual({
    name: here.name,
    header: here.header,
    totalBytes: here.totalBytes,
  });
  const [one, other] = [await readAll(here), await readAll(there)];
  expect(other).toEqual(one);
  expect(other.records).toBeGreaterThan(1_000_000);
  expect(there.bytesRead).toBe(here.bytesRead);
});

test("batches that are known to have accesses only are so, here and there", async () => {
  const known: string[] = [];
  for (const source of [await openTraceFile(SHIPPED), await openInThread(SHIPPED)]) {
    const seen: boolean[] = [];
    for await (const words of source.batches()) {
      const largest = words.reduce((most, word, i) => (i % 2 === 0 ? most : Math.max(most, (word >>> 16) & 255)), 0);
      expect(source.accessesOnly).toBe(largest <= OPERATIONS.ATOMIC.code);
      seen.push(source.accessesOnly);
    }
    expect(new Set(seen).size).toBe(2);
    known.push(seen.join());
  }
  expect(known[1]).toBe(known[0]);
});

test("options go with it, and what was left out comes back", async () => {
  const path = folder.path("odd.din");
  folder.write("odd.din", "0 1000\nnonsense\n1 123456789abc0\n2 2000\n");
  const options = { mapAddresses: "pages", skip: true } as const;
  const [here, there] = [await openTraceFile(path, options), await openInThread(path, options)];
  expect(await readAll(there)).toEqual(await readAll(here));
  expect(there.skipped).toBe(1);
});

test("drmemtrace, of a directory with a file for each thread too", async () => {
  const file = await convertedTo("threads/one.drmemtrace", 20_000);
  for (const path of [file, folder.path("threads")]) {
    const [here, there] = [await openTraceFile(path), await openInThread(path)];
    const read = await readAll(there);
    expect(there.header).toEqual(here.header);
    expect(read).toEqual(await readAll(here));
    expect(read.records).toBeGreaterThan(1000);
  }
});

test("a damaged file's error comes with its place, after everything before it", async () => {
  const bytes = await readFile(SHIPPED);
  bytes[1_500_000] = (bytes[1_500_000] as number) ^ 255;
  folder.write("damaged.swt", bytes);
  const path = folder.path("damaged.swt");
  const [here, there] = [await readAll(await openTraceFile(path)), await readAll(await openInThread(path))];
  expect(there.records).toBe(here.records);
  expect(there.error?.message).toBe(here.error?.message);
  expect(there.error).toMatchObject({ code: "trace", name: "TraceError", detail: here.error?.detail });
});

test("what can't be opened says so", async () => {
  const path = folder.path("none.swt");
  const here = await openTraceFile(path).catch((error: Error) => error.message);
  await expect(openInThread(path)).rejects.toThrow(here as string);
});

test("who leaves early, or never begins, leaves nothing running", async () => {
  const left = await openInThread(SHIPPED);
  for await (const words of left.batches()) {
    expect(words.length).toBeGreaterThan(0);
    break;
  }
  const closed = await openInThread(SHIPPED);
  await closed.close();
  expect((await readAll(closed)).error?.message).toContain("the trace is closed");
});

test("bare records and short traces are decoded here", async () => {
  const short = await openDecoded(await convertedTo("short.swt", 1000));
  const bare = await openDecoded(await convertedTo("bare.raw64", 400_000));
  const long = await openDecoded(SHIPPED);
  expect([short, bare, long].map((trace) => trace.originalAddress !== undefined)).toEqual([true, true, false]);
  for (const trace of [short, bare, long]) await trace.close();
});

async function convertedTo(name: string, records: number): Promise<string> {
  const source = await openTraceFile(SHIPPED);
  await mkdir(dirname(folder.path(name)), { recursive: true });
  const sink = await createTraceFile(folder.path(name), source.header, { skip: true });
  let left = records;
  for await (const words of source.batches()) {
    await sink.write(words.subarray(0, 2 * left));
    left -= Math.min(left, words.length / 2);
    if (left === 0) break;
  }
  await sink.close();
  return folder.path(name);
}
