/** Does a trace that one or more threads decode give what it gives when it is decoded here: records, header, progress, errors with their place? */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { TraceError } from "../../src/engine/errors.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { type DecodedTrace, openDecoded, openInThreads } from "../../src/trace/decoder.node.ts";
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

/** One that decodes everything, and threads that share the chunks. */
const THREADS = [1, 2, 3];

test.each(THREADS)("the same records, header and progress, of %i", async (threads) => {
  const [here, there] = [await openTraceFile(SHIPPED), await openInThreads(SHIPPED, {}, threads)];
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
  for (const source of [await openTraceFile(SHIPPED), ...(await Promise.all(THREADS.map(inThreads)))]) {
    const seen: boolean[] = [];
    for await (const words of source.batches()) {
      const largest = words.reduce((most, word, i) => (i % 2 === 0 ? most : Math.max(most, (word >>> 16) & 255)), 0);
      expect(source.accessesOnly).toBe(largest <= OPERATIONS.ATOMIC.code);
      seen.push(source.accessesOnly);
    }
    expect(new Set(seen).size).toBe(2);
    known.push(seen.join());
  }
  expect(new Set(known).size).toBe(1);
});

test("options go with it, and what was left out comes back", async () => {
  const path = folder.path("odd.din");
  folder.write("odd.din", "0 1000\nnonsense\n1 123456789abc0\n2 2000\n");
  const options = { mapAddresses: "pages", skip: true } as const;
  const [here, there] = [await openTraceFile(path, options), await openInThreads(path, options)];
  expect(await readAll(there)).toEqual(await readAll(here));
  expect(there.skipped).toBe(1);
});

test("drmemtrace, of a directory with a file for each thread too", async () => {
  const file = await convertedTo("threads/one.drmemtrace", 20_000);
  for (const path of [file, folder.path("threads")]) {
    const [here, there] = [await openTraceFile(path), await openInThreads(path)];
    const read = await readAll(there);
    expect(there.header).toEqual(here.header);
    expect(read).toEqual(await readAll(here));
    expect(read.records).toBeGreaterThan(1000);
  }
});

/** Expects every number of threads to give the same records and the same error, if one, as reading it here. */
async function expectTheSame(path: string): Promise<Read> {
  const here = await readAll(await openTraceFile(path));
  for (const threads of [1, 2]) {
    const there = await readAll(await openInThreads(path, {}, threads));
    expect({ threads, ...there, error: there.error?.message }).toEqual({
      threads,
      ...here,
      error: here.error?.message,
    });
    if (here.error) expect(there.error).toMatchObject({ code: "trace", detail: here.error.detail });
  }
  return here;
}

test("a damaged file's error comes with its place, after everything before it", async () => {
  const bytes = await readFile(await convertedTo("whole.swt", 400_000));
  const sums = checksums(bytes);
  const found = new Set<string>();
  // Checksums of columns, the columns before them, the header behind one, and the end.
  const inside = sums.slice(2, 4).flatMap((at) => [at, at - 2000, at + 10]);
  for (const damage of [...inside, bytes.length - 6]) {
    const damaged = Buffer.from(bytes);
    damaged[damage] = (damaged[damage] as number) ^ 255;
    folder.write("damaged.swt", damaged);
    found.add((await expectTheSame(folder.path("damaged.swt"))).error?.message as string);
    folder.write("cut.swt", bytes.subarray(0, damage));
    found.add((await expectTheSame(folder.path("cut.swt"))).error?.message as string);
  }
  expect(found.size).toBe(2 * inside.length + 2);
});

/** Where the checksums of chunks' columns stand. */
function checksums(bytes: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = 16 + bytes.readUInt32LE(12) + 4; bytes.toString("latin1", at, at + 4) === "CHNK"; ) {
    at += 36 + [16, 20, 24, 28].reduce((sum, column) => sum + bytes.readUInt32LE(at + column), 0) + 4;
    places.push(at - 4);
  }
  return places;
}

test("records that aren't as many as the description says are missed by threads that share them, too", async () => {
  const { error, records } = await expectTheSame(await convertedTo("fewer.swt", 200_000, 200_001));
  expect(error?.message).toContain("wrong number of records (by the description)");
  expect(records).toBe(200_000);
});

test("what isn't an uncompressed .swt, or is mapped, is one thread's", async () => {
  const text = await convertedTo("text.din", 5000);
  const own = await convertedTo("own.swt", 100_000);
  const options = { mapAddresses: "low48" } as const;
  for (const [path, how] of [
    [text, {}],
    [own, options],
  ] as const) {
    const [here, there] = [await openTraceFile(path, how), await openInThreads(path, how, 2)];
    expect(await readAll(there)).toEqual(await readAll(here));
  }
});

test("what can't be opened says so", async () => {
  const path = folder.path("none.swt");
  const here = await openTraceFile(path).catch((error: Error) => error.message);
  await expect(openInThreads(path)).rejects.toThrow(here as string);
});

test.each(THREADS)("who leaves early, or never begins, leaves nothing of %i running", async (threads) => {
  const left = await inThreads(threads);
  for await (const words of left.batches()) {
    expect(words.length).toBeGreaterThan(0);
    break;
  }
  const closed = await inThreads(threads);
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

const inThreads = (threads: number): Promise<DecodedTrace> => openInThreads(SHIPPED, {}, threads);

async function convertedTo(name: string, records: number, said?: number): Promise<string> {
  const source = await openTraceFile(SHIPPED);
  await mkdir(dirname(folder.path(name)), { recursive: true });
  const sink = await createTraceFile(folder.path(name), { ...source.header, records: said }, { skip: true });
  let left = records;
  for await (const words of source.batches()) {
    await sink.write(words.subarray(0, 2 * left));
    left -= Math.min(left, words.length / 2);
    if (left === 0) break;
  }
  await sink.close();
  return folder.path(name);
}
