/** Question: is every way of damaging a `.swt` found and named, and is everything before the damage delivered? */
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { concatenate } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { crc32 } from "../../src/trace/crc32.ts";
import { type Columns, ColumnTransform } from "../../src/trace/swt-columns.ts";
import { attempt, bytesOf, entry, read, sameWords, trace, walked, write } from "./samples.ts";

const SMALL = trace(
  entry(0, 0x40000000),
  entry(1, 0x40000040),
  entry(2, 0x40008000),
  entry(18, 0x40000040),
  entry(28, 0),
);

const detailOf = (error: unknown) => {
  expect(error).toBeInstanceOf(TraceError);
  return error as TraceError;
};

/** Three chunks, and where they and the end begin. */
async function threeChunks(): Promise<{ bytes: Uint8Array; words: Uint32Array; starts: readonly number[] }> {
  const words = walked(140_000);
  const bytes = await write(words, "t.swt");
  const view = new DataView(bytes.buffer);
  const starts = [16 + view.getUint32(12, true) + 4];
  for (let at = starts[0] as number; view.getUint32(at, true) === 0x4b4e4843; starts.push(at)) {
    at += 36 + [16, 20, 24, 28].reduce((sum, field) => sum + view.getUint32(at + field, true), 0) + 4;
  }
  return { bytes, words, starts };
}

test("CRC-32 is that of zlib", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new TextEncoder().encode("56789"), crc32(new TextEncoder().encode("1234")))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test("a file cut anywhere is truncated, at that byte", async () => {
  const bytes = await write(SMALL, "t.swt");
  for (let length = 0; length < bytes.length; length++) {
    const { error, words } = await attempt(bytes.subarray(0, length), "t.swt");
    const { message, detail } = detailOf(error);
    expect(message, `${length} bytes`).toContain("truncated in");
    expect(detail.offset).toBe(length);
    expect([0, SMALL.length]).toContain(words.length);
  }
});

test("any flipped bit is found", async () => {
  const bytes = await write(SMALL, "t.swt");
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    const { error } = await attempt(damaged, "t.swt");
    expect(error, `bit ${bit}`).toBeInstanceOf(TraceError);
  }
});

describe("chunks", () => {
  test("a wrong checksum names its chunk, and the chunks before it are delivered", async () => {
    const { bytes, words, starts } = await threeChunks();
    expect(starts.length).toBe(4);
    for (const [chunk, start] of starts.slice(0, 3).entries()) {
      for (const [at, what] of [
        [9, `the header of chunk ${chunk}`],
        [40, `chunk ${chunk}`],
        [2000, `chunk ${chunk}`],
      ] as const) {
        const damaged = bytes.slice();
        damaged[start + at] = (damaged[start + at] as number) ^ 4;
        const { error, words: delivered } = await attempt(damaged, "t.swt");
        expect(detailOf(error).message).toContain(`wrong checksum of ${what};`);
        expect(delivered.length).toBe(2 * 65536 * chunk);
        expect(sameWords(delivered, words.subarray(0, delivered.length))).toBe(true);
      }
    }
  });

  test("left out, exchanged, doubled or taken from another file", async () => {
    const { bytes, starts } = await threeChunks();
    const [a, b, c, end] = starts as [number, number, number, number];
    const part = (from: number, to?: number) => bytes.subarray(from, to);
    const preamble = part(0, a);
    const forged: Record<string, readonly Uint8Array[]> = {
      "without the first": [preamble, part(b)],
      "without the last": [preamble, part(a, c), part(end)],
      exchanged: [preamble, part(b, c), part(a, b), part(c)],
      doubled: [preamble, part(a, b), part(a)],
    };
    for (const [what, parts] of Object.entries(forged)) {
      expect(detailOf((await attempt(concatenate(parts), "t.swt")).error).message, what).toContain(
        "wrong checksum of the",
      );
    }
    const other = await write(trace(entry(0, 0x123440)), "t.swt");
    const spliced = concatenate([other.subarray(0, other.length - 28), bytes.subarray(end)]);
    expect(detailOf((await attempt(spliced, "t.swt")).error).message).toContain("wrong checksum of the end marker");
  });

  test("bytes after the end", async () => {
    const bytes = await write(SMALL, "t.swt");
    const { error, words } = await attempt(concatenate([bytes, Uint8Array.of(0)]), "t.swt");
    expect(detailOf(error).message).toContain("more after the end marker");
    expect(words).toEqual(SMALL);
  });
});

describe("files that a bad writer made, checksums right", () => {
  const text = new TextEncoder();
  const GOOD_JSON =
    '{"addresses":"physical","provenance":{"maintenance":true,"control":true,"dma":false,"ownership":false}}';
  type Chunk = {
    number?: number;
    entries?: number;
    lineBytes?: number;
    columns?: Partial<Columns>;
    packed?: Uint8Array[];
  };

  async function forge(
    json: string,
    chunk?: Chunk,
    end: readonly [chunks: number, entries: number, records: number] = [1, 5, 5],
    version = 1,
  ) {
    const parts: Uint8Array[] = [];
    let checksum = 0;
    const words = (...values: number[]) => bytesOf(Uint32Array.from(values));
    const seal = (bytes: Uint8Array) => {
      checksum = crc32(bytes, crc32(words(checksum)));
      parts.push(bytes, words(checksum));
    };
    const description = text.encode(json);
    seal(
      concatenate([
        Uint8Array.of(0x89, 0x53, 0x57, 0x54, 13, 10, 26, 10),
        words(version, description.length),
        description,
      ]),
    );
    if (chunk) {
      const columns = { ...new ColumnTransform().encode(SMALL), ...chunk.columns };
      const raw = [columns.operations, columns.requesters, columns.lines, columns.offsets];
      const packed = chunk.packed ?? (await Promise.all(raw.map((column) => nodeCodecs.deflateRaw(column))));
      seal(
        words(
          0x4b4e4843,
          chunk.number ?? 0,
          chunk.entries ?? 5,
          chunk.lineBytes ?? columns.lines.length,
          ...packed.map((column) => column.length),
        ),
      );
      seal(concatenate(packed));
    }
    seal(words(0x20444e45, end[0], end[1], 0, end[2], 0));
    return concatenate(parts);
  }
  const messageOf = async (bytes: Uint8Array) => detailOf((await attempt(bytes, "t.swt")).error).message;

  test("the forger itself makes good files", async () => {
    expect(await read(await forge(GOOD_JSON, {}), "t.swt")).toEqual(SMALL);
    expect(await read(await forge(GOOD_JSON.replace("{", '{"future":[1],'), {}), "t.swt")).toEqual(SMALL);
  });

  test("descriptions", async () => {
    const broken: readonly (readonly [json: string, message: string])[] = [
      ["{", "the description isn't JSON"],
      ["[]", "the description: wrong description; found []; expected an object"],
      ["{}", "provenance: wrong description; found nothing; expected an object"],
      [GOOD_JSON.replace("true", "1"), "provenance.maintenance: wrong description; found 1; expected true or false"],
      [
        GOOD_JSON.replace("physical", "astral"),
        'addresses: wrong description; found "astral"; expected physical, virtual, unknown',
      ],
      [
        GOOD_JSON.replace("{", '{"requesters":-1,'),
        "requesters: wrong description; found -1; expected a whole number from 1 to 65535",
      ],
      [GOOD_JSON.replace("{", '{"initialSctlr":1e99,'), "initialSctlr: wrong description"],
      [GOOD_JSON.replace("{", '{"source":5,'), "source: wrong description; found 5; expected a string"],
      [GOOD_JSON.replace("{", '{"stripping":{"sets":4},'), "stripping.lineBytes: wrong description"],
      [GOOD_JSON.replace("{", '{"records":4,'), "wrong number of records (by the description); found 5; expected 4"],
    ];
    for (const [json, message] of broken) expect(await messageOf(await forge(json, {}))).toContain(message);
    expect(await messageOf(await forge(GOOD_JSON, {}, undefined, 2))).toContain(
      "unknown version of .swt; found 2; expected 1",
    );
  });

  test("headers and ends", async () => {
    expect(await messageOf(await forge(GOOD_JSON, { number: 1 }))).toContain("wrong header of chunk 0; found number 1");
    expect(await messageOf(await forge(GOOD_JSON, { entries: 65537 }))).toContain("found entries 65537");
    expect(await messageOf(await forge(GOOD_JSON, { entries: 0 }))).toContain("found entries 0");
    expect(await messageOf(await forge(GOOD_JSON, { lineBytes: 36 }))).toContain("found bytes of lines 36");
    expect(await messageOf(await forge(GOOD_JSON, {}, [2, 5, 5]))).toContain(
      "wrong number of chunks; found 1; expected 2",
    );
    expect(await messageOf(await forge(GOOD_JSON, {}, [1, 6, 5]))).toContain(
      "wrong number of entries; found 5; expected 6",
    );
    expect(await messageOf(await forge(GOOD_JSON, {}, [1, 5, 4]))).toContain(
      "wrong number of records; found 5; expected 4",
    );
  });

  test("columns", async () => {
    const damaged = (chunk: Chunk) => forge(GOOD_JSON, chunk).then(messageOf);
    expect(await damaged({ columns: { operations: new Uint8Array(4) } })).toContain("a column of another length");
    expect(await damaged({ columns: { operations: new Uint8Array(6) } })).toContain("a column that can't be inflated");
    expect(await damaged({ columns: { offsets: Uint8Array.of(0, 0, 64, 0, 0) } })).toContain(
      "an offset of 64 in entry 2",
    );
    expect(await damaged({ columns: { lines: new Uint8Array(6) } })).toContain(
      "6 bytes of lines, of which 5 were needed",
    );
    expect(await damaged({ columns: { lines: Uint8Array.of(0, 0, 0, 0, 128) } })).toContain(
      "5 bytes of lines, of which 6 were needed",
    );
    expect(await damaged({ columns: { lines: Uint8Array.of(1, 0, 0, 0, 0) } })).toContain(
      "an operand beyond 48 bits in entry 0",
    );
    const long = Uint8Array.of(0, 0, 0, 0, 128, 128, 128, 128, 128, 128, 128, 0);
    expect(await damaged({ columns: { lines: long } })).toContain("a number of more than 7 groups in entry 4");
    expect(await damaged({ packed: [1, 2, 3, 4].map(() => Uint8Array.of(7, 7)) })).toContain(
      "a column that can't be inflated",
    );
    // Something that inflates to far more than it may.
    const bomb = await nodeCodecs.deflateRaw(new Uint8Array(1 << 20));
    const packed = [bomb, bomb, bomb, bomb];
    expect(await damaged({ packed })).toContain("found length of column 0 1033; expected 1 to 1029");
    expect(await damaged({ packed, entries: 65536, lineBytes: 65536 })).toContain("a column that can't be inflated");
  });
});
