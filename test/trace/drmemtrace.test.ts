/** Question: do the records of a drmemtrace say what its entries say, on the cores and in the order that were asked for? */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { OPERATION_BY_CODE } from "../../src/engine/operations.ts";
import { bytesFrom } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { openTraceFile } from "../../src/trace/open.node.ts";
import { type OpenOptions, openTrace } from "../../src/trace/open.ts";
import {
  chunkFooter,
  cpu,
  drmemtrace,
  type Entry,
  encoding,
  exited,
  footer,
  header,
  instruction,
  marker,
  read,
  thread,
  timestamp,
  wrote,
  zip,
} from "./foreign.ts";
import { attempt, drain, sameWords } from "./samples.ts";

/** `load 1000`, with `@1` for core 1 and `+8` for a size. */
function spelled(words: Uint32Array): string[] {
  const records: string[] = [];
  let prefix: { readonly size: number; readonly requester: number } | undefined;
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at] as number;
    const high = words[at + 1] as number;
    const code = (high >>> 16) & 255;
    const operand = (high & 0xffff) * 2 ** 32 + low;
    if (code === 240) {
      prefix = { size: operand & 0xffffff, requester: Math.floor(operand / 2 ** 24) & 0xffff };
      continue;
    }
    const requester = prefix?.requester ? prefix.requester - 1 : high >>> 24;
    const size = prefix?.size ? `+${prefix.size}` : "";
    const core = requester > 0 ? ` @${requester}` : "";
    records.push(`${OPERATION_BY_CODE[code]?.name} ${operand.toString(16)}${size}${core}`);
    prefix = undefined;
  }
  return records;
}

async function records(entries: readonly Entry[], options: OpenOptions = {}, entryBytes: 8 | 12 = 12) {
  const { words, error } = await attempt(drmemtrace(entries, entryBytes), "t.trace", options);
  if (error !== undefined) throw error;
  return spelled(words);
}

async function threads(files: readonly (readonly Entry[])[], options: OpenOptions = {}) {
  const sources = files.map((entries, index) => bytesFrom(drmemtrace(entries), `thread${index}`));
  const { words, error } = await drain(await openTrace(sources, nodeCodecs, options));
  if (error !== undefined) throw error;
  return spelled(words);
}

const whole = (...entries: readonly Entry[]): Entry[] => [...header(77), timestamp(1000), cpu(3), ...entries, footer];

describe("entries", () => {
  test("loads, stores, prefetches, instructions of every kind, and what is none", async () => {
    const branches = [11, 12, 13, 14, 15, 16, 31, 48, 49].map((type): Entry => [type, 4, 0x400000 + type]);
    const found = await records(
      whole(
        instruction(0x400000),
        read(0x7fff_1230),
        wrote(0x7fff_1240, 16),
        [2, 0, 0x5000],
        [44, 0, 0x6000],
        ...branches,
      ),
    );
    expect(found).toEqual([
      "fetch 400000",
      "load 7fff1230",
      "store 7fff1240",
      "prefetch 5000",
      "prefetch 6000",
      ...branches.map(([type]) => `fetch ${(0x400000 + type).toString(16)}`),
    ]);
    // Not fetched, only the address of what follows, a prefetch of instructions, a size of 0, kernel events, windows.
    const silent: Entry[] = [
      [29, 4, 0x400000],
      [9, 0, 0x7000],
      [40, 0, 0x7000],
      [10, 0, 0x8000],
      marker(0, 5),
      marker(14, 1),
    ];
    expect(await records(whole(...silent))).toEqual([]);
  });

  test("a bundle is instructions one after another; a repeated one is fetched once", async () => {
    const bundle: Entry = [17, 3, 0x02_04_03n];
    expect(await records(whole(instruction(0x1000, 2), bundle))).toEqual([
      "fetch 1000",
      "fetch 1002",
      "fetch 1005",
      "fetch 1009",
    ]);
    const repeated: Entry[] = [[30, 2, 0x1000], read(0x2000), [30, 2, 0x1000], read(0x2008)];
    expect(await records(whole(...repeated))).toEqual(["fetch 1000", "load 2000", "load 2008"]);
  });

  test("sizes are kept on request, and cores above 255", async () => {
    expect(await records(whole(instruction(0x1000), wrote(0x2000, 16)), { sizes: true })).toEqual([
      "fetch 1000+4",
      "store 2000+16",
    ]);
    const many = Array.from({ length: 300 }, (_, id): Entry[] => [...header(id + 1), read(0x1000 + id, 4), footer]);
    const found = await threads(many, { sizes: true });
    expect(found[299]).toBe("load 112b+4 @299");
    expect(found[255]).toBe("load 10ff+4 @255");
  });

  test("of 8 bytes, as those of 32-bit programs are", async () => {
    const entries: Entry[] = [
      [25, 0, 4],
      marker(12, 4),
      marker(9, 0x10),
      thread(5),
      [24, 0, 1],
      instruction(0x8000),
      read(0x9000),
      footer,
    ];
    expect(await records(entries, {}, 8)).toEqual(["fetch 8000", "load 9000"]);
  });
});

describe("maintenance", () => {
  test("flushes are by-VA operations on every line of theirs", async () => {
    const found = await records(whole([20, 64, 0x1010], [18, 8, 0x2000], [20, 0, 0x3000], [21, 0, 0x3081]));
    expect(found).toEqual([
      "DC CIVAC 1010",
      "DC CIVAC 1040",
      "IC IVAU 2000",
      "DC CIVAC 3000",
      "DC CIVAC 3040",
      "DC CIVAC 3080",
    ]);
    expect(await records(whole(marker(10, 32), [20, 64, 0x1000]))).toEqual(["DC CIVAC 1000", "DC CIVAC 1020"]);
  });

  test("A64 encodings tell which operation it is, and barriers; they are given once", async () => {
    // As `as` encodes them: dc cvau, x3; dsb ish; ic ivau, x3; isb; dc cvac, x0; nop.
    const clean: Entry[] = [instruction(0x1000), [20, 64, 0x8000]];
    const found = await records(
      whole(
        encoding(0xd50b7b23),
        ...clean,
        encoding(0xd5033b9f),
        instruction(0x1004),
        encoding(0xd50b7523),
        instruction(0x1008),
        [18, 64, 0x8000],
        encoding(0xd5033fdf),
        instruction(0x100c),
        ...clean,
        encoding(0xd50b7a20),
        ...clean,
        encoding(0xd503201f),
        instruction(0x1004),
        instruction(0x1004),
      ),
    );
    expect(found.filter((record) => !record.startsWith("fetch"))).toEqual([
      "DC CVAU 8000",
      "DSB 0",
      "IC IVAU 8000",
      "ISB 0",
      "DC CVAU 8000",
      "DC CVAC 8000",
    ]);
  });

  test("a flush longer than a batch streams", async () => {
    const bytes = 64 * 200_000;
    const found = await records(whole([20, 0, 0x100000], [21, 0, 0x100000 + bytes], read(0x1000)));
    expect(found.length).toBe(200_001);
    expect(found[199_999]).toBe(`DC CIVAC ${(0x100000 + bytes - 64).toString(16)}`);
  });

  test("what was recorded decides what can be assessed", async () => {
    const arm = await openTrace(bytesFrom(drmemtrace(whole())), nodeCodecs);
    expect(arm.header).toMatchObject({
      format: "drmemtrace",
      addresses: "virtual",
      source: "drmemtrace of version 5, aarch64",
      provenance: { maintenance: true, control: false, dma: false, ownership: false },
    });
    const x86 = await openTrace(bytesFrom(drmemtrace([...header(1, 0x40), footer])), nodeCodecs);
    expect(x86.header).toMatchObject({ provenance: { maintenance: false }, source: "drmemtrace of version 5, x86-64" });
  });
});

describe("threads", () => {
  const first: Entry[] = [...header(1), timestamp(100), cpu(7), read(0xa0), timestamp(300), cpu(8), read(0xa1), footer];
  const second: Entry[] = [
    ...header(2),
    timestamp(200),
    cpu(8),
    read(0xb0),
    timestamp(400),
    cpu(7),
    read(0xb1),
    exited(2),
    footer,
  ];
  const third: Entry[] = [...header(3), timestamp(500), cpu(9), read(0xc0), read(0xc1), footer];

  test("follow their timestamps, each on a core of its own, which it leaves when it ends", async () => {
    expect(await threads([first, second, third])).toEqual([
      "load a0",
      "load b0 @1",
      "load a1",
      "load b1 @1",
      "load c0 @1",
      "load c1 @1",
    ]);
  });

  test("timestamps of this century are more than a double holds exactly", async () => {
    const now = 13_300_000_000_000_001n;
    const late: Entry[] = [...header(1), timestamp(now + 1n), read(0xa0), footer];
    const early: Entry[] = [...header(2), timestamp(now), read(0xb0), footer];
    expect(await threads([late, early])).toEqual(["load b0", "load a0 @1"]);
  });

  test("share cores: the emptiest is next, and a thread that ends makes room", async () => {
    const unending = second.filter(([type]) => type !== 23);
    expect(await threads([first, unending, third], { cores: 2 })).toEqual([
      "load a0",
      "load b0 @1",
      "load a1",
      "load b1 @1",
      "load c0",
      "load c1",
    ]);
    const sequel: Entry[] = [
      ...header(1),
      timestamp(1),
      read(0xa0),
      exited(1),
      thread(2),
      read(0xb0),
      thread(3),
      read(0xc0),
      footer,
    ];
    expect(await records(sequel, { cores: 2 })).toEqual(["load a0", "load b0", "load c0 @1"]);
  });

  test("run where the recording had them: CPUs are dealt to cores", async () => {
    const found = await threads([first, second], { schedule: "cpu" });
    expect(found).toEqual(["load a0", "load b0 @1", "load a1 @1", "load b1"]);
  });

  test("take turns of a quantum of instructions", async () => {
    const code = (id: number): Entry[] => [
      ...header(id),
      timestamp(id),
      ...Array.from({ length: 4 }, (_, i) => instruction(0x1000 * id + 4 * i)),
      footer,
    ];
    expect(await threads([code(1), code(2)], { quantum: 3 })).toEqual([
      "fetch 1000",
      "fetch 1004",
      "fetch 1008",
      "fetch 2000 @1",
      "fetch 2004 @1",
      "fetch 2008 @1",
      "fetch 100c",
      "fetch 200c @1",
    ]);
  });

  test("in one file are told apart by their entries", async () => {
    const found = await records([...header(1), read(0xa0), thread(2), read(0xb0), thread(1), read(0xa1), footer]);
    expect(found).toEqual(["load a0", "load b0 @1", "load a1"]);
  });

  test("in a file of a core run on that core", async () => {
    const sharded = 0x8 | 0x10000;
    const idle = BigInt.asUintN(64, -1n);
    const core = (id: number): Entry[] => [
      ...header(id, sharded),
      timestamp(idle),
      cpu(idle),
      timestamp(id),
      read(0x10 * id),
      thread(9),
      read(0x10 * id + 1),
      footer,
    ];
    expect(await threads([core(1), core(2)])).toEqual(["load 10", "load 11", "load 20 @1", "load 21 @1"]);
  });

  test("of two processes have page tables of their own; threads of one share them", async () => {
    const one: Entry[] = [...header(1), timestamp(1), read(0x7000_0000), footer];
    const same: Entry[] = [...header(2), timestamp(2), read(0x7000_0008), footer];
    const other: Entry[] = [...header(3), [24, 0, 99], timestamp(3), read(0x7000_0000), footer];
    expect(await threads([one, same, other], { mapAddresses: "pages" })).toEqual([
      "load 0",
      "load 8 @1",
      "load 1000 @2",
    ]);
  });
});

describe("containers", () => {
  const entries = whole(instruction(0x1000), read(0x2000), instruction(0x1004), wrote(0x3000));
  const bytes = drmemtrace(entries);
  const expected = ["fetch 1000", "load 2000", "fetch 1004", "store 3000"];
  const cut = 12 * (entries.length - 3);
  const chunked = zip({
    "chunk.0000": Uint8Array.from([...bytes.subarray(0, cut), ...drmemtrace([chunkFooter(0)])]),
    "chunk.0001": bytes.subarray(cut),
  });

  test.each([
    ["bare", bytes, "none"],
    ["gz", gzipSync(bytes), "gz"],
    ["zip of chunks", chunked, "zip"],
    ["zip of one", zip({ x: bytes }), "zip"],
  ])("%s", async (_, content, compression) => {
    const source = await openTrace(bytesFrom(content, "no.name", 17), nodeCodecs);
    expect(source.header).toMatchObject({ format: "drmemtrace", compression });
    const { words, error } = await drain(source);
    expect(error).toBeUndefined();
    expect(spelled(words)).toEqual(expected);
  });

  test("a directory: files of threads by the numbers in their names, and what DynamoRIO puts beside them", async () => {
    const place = mkdtempSync(join(tmpdir(), "setway-drmemtrace-"));
    try {
      mkdirSync(join(place, "trace"));
      const file = (id: number) => drmemtrace([...header(id), timestamp(5), read(id), footer]);
      writeFileSync(join(place, "trace", "drmemtrace.app.10.0.trace.gz"), gzipSync(file(10)));
      writeFileSync(join(place, "trace", "drmemtrace.app.9.0.trace.zip"), zip({ "chunk.0": file(9) }));
      writeFileSync(join(place, "trace", "cpu_schedule.bin.zip"), zip({ "1": new Uint8Array(32) }));
      writeFileSync(join(place, "trace", "modules.log"), "nothing");
      const { words, error } = await drain(await openTraceFile(place));
      expect(error).toBeUndefined();
      expect(spelled(words)).toEqual(["load 9", "load a @1"]);
      writeFileSync(join(place, "trace", "zzz.raw64"), new Uint8Array(16));
      await expect(openTraceFile(place)).rejects.toThrow(/zzz\.raw64, byte 0: not a drmemtrace; found 00 00/);
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  test("a zip archive from a pipe, of something else, without members, damaged", async () => {
    const failing = async (content: Uint8Array, isPipe = false) => {
      const source = bytesFrom(content, "t.zip");
      const { readAt: _, ...pipe } = source;
      const open = openTrace(isPipe ? pipe : source, nodeCodecs).then(drain);
      const error = await open.then(
        ({ error }) => error,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(TraceError);
      return (error as Error).message;
    };
    expect(await failing(chunked, true)).toContain("t.zip: a zip archive can't be read from a pipe");
    expect(await failing(zip({ "a.din": new TextEncoder().encode("0 1000\n") }))).toBe(
      "t.zip (a.din): a zip archive is only read as a drmemtrace; found din; expected drmemtrace, or the trace itself: unpack it first",
    );
    expect(await failing(zip({}))).toContain("t.zip: an empty zip archive");
    expect(await failing(chunked.subarray(0, 60))).toContain("can't read the zip archive");
    const damaged = chunked.slice();
    damaged[45] = (damaged[45] as number) ^ 0xff;
    expect(await failing(damaged)).toContain("t.zip (chunk.0000): can't read the zip archive");
  });

  test("cut anywhere: what was before is delivered, then the place is named", async () => {
    for (let length = 24; length < bytes.length; length++) {
      const { words, error } = await attempt(bytes.subarray(0, length), "t.trace", {}, 17);
      expect((error as TraceError).message).toContain("t.trace");
      expect((error as TraceError).what).toBe(length % 12 === 0 ? "truncated trace" : "truncated entry");
      expect((error as TraceError).detail.offset).toBe(length - (length % 12));
      expect(expected.slice(0, words.length / 2)).toEqual(spelled(words));
    }
    const missing = zip({ "chunk.0000": bytes.subarray(0, cut) });
    const { error } = await attempt(missing, "t.zip");
    expect((error as Error).message).toContain(`t.zip (chunk.0000), byte ${cut}: truncated trace`);
  });

  test.each<[string, Entry[], string]>([
    ["an unknown type", whole([50, 0, 0]), "byte 108: unknown type of entry; found 50; expected 0 to 49"],
    ["the end of no flush", whole([21, 0, 5]), "the end of a flush that didn't begin"],
    ["a flush of everything", whole([20, 0, 0], [21, 0, 2 ** 40]), "too large a flush"],
    ["a bundle of too many", whole([17, 9, 0]), "wrong bundle; found 9 instructions; expected at most 8"],
    ["lines of 3 bytes", whole(marker(10, 3)), "wrong cache line size; found 3"],
    [
      "an address of 64 bits",
      whole(read(0xffff_8000_0000_1234n)),
      "address too large; found ffff800000001234; expected at most 48",
    ],
    ["more after the footer", [...whole(), read(0)], "data after the footer; found 12 bytes"],
  ])("%s", async (_, entries, message) => {
    await expect(records(entries)).rejects.toThrow(message);
  });

  test("addresses that can't be held are left out and counted on request, or cut, or mapped", async () => {
    const upper = drmemtrace(whole(read(0xffff_8000_0000_1234n), read(0x1000)));
    const source = await openTrace(bytesFrom(upper), nodeCodecs, { skip: true });
    expect(spelled((await drain(source)).words)).toEqual(["load 1000"]);
    expect(source.skipped).toBe(1);
    expect(spelled((await attempt(upper, "t", { mapAddresses: "low48" })).words)[0]).toBe("load 800000001234");
    expect(spelled((await attempt(upper, "t", { mapAddresses: "pages" })).words)).toEqual(["load 234", "load 1000"]);
  });
});

test("recorded physical pages are taken, at the recorded page size", async () => {
  const known = (virtual: number, physical: number): Entry[] => [marker(15, physical), marker(17, virtual)];
  const told = [marker(18, 65536), ...known(0x40000, 0x870000), read(0x4fff8, 16), ...known(0x50000, 0x10000)];
  expect(await records(whole(...told), { mapAddresses: "recorded" })).toEqual(["load 87fff8"]);
  await expect(records(whole(...told), { mapAddresses: "recorded", sizes: true })).rejects.toThrow(
    "no physical address",
  );
  const both = [marker(18, 65536), ...known(0x40000, 0x870000), ...known(0x50000, 0x10000), read(0x4fff8, 16)];
  expect(await records(whole(...both), { mapAddresses: "recorded", sizes: true })).toEqual([
    "load 87fff8+8",
    "load 10000+8",
  ]);
});

test("a long trace gives the same records whatever the chunks", async () => {
  const entries = whole(
    ...Array.from(
      { length: 100_000 },
      (_, i): Entry => (i % 3 === 0 ? instruction(0x1000 + i) : read(0x100000 + 8 * i)),
    ),
  );
  const bytes = drmemtrace(entries);
  const one = await attempt(bytes, "t", {}, bytes.length);
  const other = await attempt(bytes, "t", {}, 50_001);
  expect(one.words.length).toBe(200_000);
  expect(sameWords(one.words, other.words)).toBe(true);
});
