/** Question: are Dinero's and Valgrind's texts read as their documents say, and is every error told with its place? */
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { bytesFrom, bytesInto } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { createTrace } from "../../src/trace/create.ts";
import { openTrace } from "../../src/trace/open.ts";
import { attemptText, DESCRIPTION, entry, trace, write } from "./samples.ts";

const { LOAD, STORE, FETCH, WITH } = OPERATIONS;

async function readText(text: string, name: string, options = {}): Promise<Uint32Array> {
  const { words, error } = await attemptText(text, name, options);
  if (error !== undefined) throw error;
  return words;
}

describe("din", () => {
  test("labels, addresses, comments, blanks and line ends", async () => {
    const text = "2 0\n0 1000 a comment\n1\t70f60888\r\n\n  0   0x2cb5  \n0 FFFFFFFFFFFF\n2 000000000000000000ffff";
    const words = trace(
      entry(FETCH.code, 0),
      entry(LOAD.code, 0x1000),
      entry(STORE.code, 0x70f60888),
      entry(LOAD.code, 0x2cb5),
      entry(LOAD.code, 2 ** 48 - 1),
      entry(FETCH.code, 0xffff),
    );
    expect(await readText(text, "t.din")).toEqual(words);
    expect(await readText("", "t.din")).toEqual(trace());
  });

  const wrong: readonly (readonly [text: string, message: string])[] = [
    [
      "0 10\n3 20\n",
      't.din, line 2, column 1: an escape record isn\'t an access; found "3"; expected 0 (read), 1 (write) or 2 (instruction fetch)',
    ],
    ["4 0\n", 't.din, line 1, column 1: an escape record isn\'t an access; found "4"'],
    ["0 10\n\n  9 20\n", 't.din, line 3, column 3: unknown label; found "9"'],
    ["0 10\nr 20 4\n", 't.din, line 2, column 1: unknown label; found "r"'],
    ["0 10\n00 20\n", 't.din, line 2, column 1: unknown label; found "00"'],
    ["0 10\n0\n", "t.din, line 2, column 2: no address; found the end of the line; expected a hexadecimal address"],
    ["0 10\n0 xyz\n", 't.din, line 2, column 3: no address; found "xyz"'],
    ["0 10\n0 0x\n", 't.din, line 2, column 3: no address; found "0x"'],
    ["0 10\n0 12g4\n", 't.din, line 2, column 5: not a hexadecimal digit; found "g4"'],
    [
      "0 10\n1 1000000000000\n",
      't.din, line 2, column 3: address too large; found "1000000000000"; expected at most 48 bits (ffffffffffff)',
    ],
    ["0 10\n1 \x00\xff\n", 't.din, line 2, column 3: no address; found "\\x00\\xc3\\xbf"'],
    [`0 10\n0 ${"f".repeat(70000)}`, "t.din, line 2, column 65537: line too long"],
  ];
  test.each(wrong)("%j", async (text, message) => {
    for (const chunkBytes of [1, 7, 1 << 17]) {
      const { words, error } = await attemptText(text, "t.din", {}, text.length > 1000 ? 1 << 12 : chunkBytes);
      expect(error).toBeInstanceOf(TraceError);
      expect((error as Error).message).toContain(message);
      if (text.startsWith("0 10")) expect(words).toEqual(trace(entry(LOAD.code, 0x10)));
    }
  });

  test("`skip` leaves out what isn't an access, and counts it", async () => {
    const bytes = new TextEncoder().encode("0 10\n4 0\nhello\n1 20\n");
    const source = await openTrace(bytesFrom(bytes, "t.din"), nodeCodecs, { skip: true });
    const words: number[] = [];
    for await (const batch of source.batches()) words.push(...batch);
    expect(Uint32Array.from(words)).toEqual(trace(entry(LOAD.code, 0x10), entry(STORE.code, 0x20)));
    expect(source.skipped).toBe(2);
  });

  test("its provenance supports no hazard, because it has neither maintenance nor control", async () => {
    const source = await openTrace(bytesFrom(new TextEncoder().encode("0 10\n"), "t.din"), nodeCodecs);
    expect(source.header).toMatchObject({
      format: "din",
      addresses: "unknown",
      requesters: 1,
      provenance: { maintenance: false, control: false, dma: false, ownership: false },
    });
    await source.close();
  });
});

describe("lackey", () => {
  const TEXT = [
    "==1234== Lackey, an example Valgrind tool",
    "==1234== ",
    "--1234-- a warning",
    "I  0023C790,2",
    " S BE80199C,4",
    " L 1FFEFFE7E0,8",
    " M 0025747C,1",
    "",
  ].join("\n");

  test("a modify is a load and a store; messages are passed over; an access is one record", async () => {
    const words = trace(
      entry(FETCH.code, 0x23c790),
      entry(STORE.code, 0xbe80199c),
      entry(LOAD.code, 0x1ffeffe7e0),
      entry(LOAD.code, 0x25747c),
      entry(STORE.code, 0x25747c),
    );
    expect(await readText(TEXT, "t.lackey")).toEqual(words);
    expect(await readText(TEXT, "trace.txt")).toEqual(words);
  });

  test("`sizes` keeps them as prefixes", async () => {
    const sized = (size: number, operation: number, address: number) =>
      [entry(WITH.code, size), entry(operation, address)] as const;
    expect(await readText(TEXT, "t.lackey", { sizes: true })).toEqual(
      trace(
        ...sized(2, FETCH.code, 0x23c790),
        ...sized(4, STORE.code, 0xbe80199c),
        ...sized(8, LOAD.code, 0x1ffeffe7e0),
        ...sized(1, LOAD.code, 0x25747c),
        ...sized(1, STORE.code, 0x25747c),
      ),
    );
  });

  test("modifies with sizes fill batches to the last entry, whatever the chunks", async () => {
    const text = " M 1000,4\n".repeat(40_000);
    for (const chunkBytes of [997, 4096, 1 << 19]) {
      const { words, error } = await attemptText(text, "t.lackey", { sizes: true }, chunkBytes);
      expect(error).toBeUndefined();
      expect(words.length).toBe(2 * 160_000);
      expect(
        words.every((word, index) => (index % 4 === 0 ? word === 4 : index % 4 === 2 ? word === 0x1000 : true)),
      ).toBe(true);
    }
  });

  const wrong: readonly (readonly [text: string, message: string])[] = [
    [
      "I  10,4\n X 10,4\n",
      't.lackey, line 2, column 2: unknown access; found "X"; expected I, L, S or M, then address,size',
    ],
    ["I  10,4\nhello world\n", 't.lackey, line 2, column 1: unknown access; found "hello"'],
    [
      "I  10,4\n L 10\n",
      "t.lackey, line 2, column 6: no size; found the end of the line; expected a comma and the size in bytes",
    ],
    ["I  10,4\n L 10 4\n", "t.lackey, line 2, column 6: no size"],
    ["I  10,4\n L 10,0\n", 't.lackey, line 2, column 7: wrong size; found "0"; expected 1 to 16777215, decimal'],
    ["I  10,4\n L 10,\n", "t.lackey, line 2, column 7: wrong size; found the end of the line"],
    ["I  10,4\n L 10,99999999\n", "t.lackey, line 2, column 7: wrong size"],
    ["I  10,4\n L 10,4x\n", 't.lackey, line 2, column 8: more than an access; found "x"'],
    ["I  10,4\n L ffffffffff600000,8\n", 't.lackey, line 2, column 4: address too large; found "ffffffffff600000,8"'],
    ["I  10,4\n=== what\n", 't.lackey, line 2, column 1: unknown access; found "==="'],
  ];
  test.each(wrong)("%j", async (text, message) => {
    const { words, error } = await attemptText(text, "t.lackey");
    expect(error).toBeInstanceOf(TraceError);
    expect((error as Error).message).toContain(message);
    expect(words).toEqual(trace(entry(FETCH.code, 0x10)));
  });
});

describe("writing what a text can't hold", () => {
  const words = trace(
    entry(LOAD.code, 0x10),
    entry(18, 0x40),
    entry(WITH.code, 4),
    entry(STORE.code, 0x20),
    entry(FETCH.code, 0x30, 1),
  );

  test("is an error that names the record", async () => {
    await expect(write(words, "t.din")).rejects.toThrow(
      "t.din, record 1: din can't hold this record; found operation 18; expected load, store or fetch",
    );
    await expect(write(words.subarray(4), "t.din")).rejects.toThrow(
      "t.din, record 0: din can't hold this record; found a prefix",
    );
    await expect(write(words.subarray(6), "t.lackey")).rejects.toThrow(
      "t.lackey, record 1: lackey can't hold this record; found requester 1",
    );
  });

  test("is left out with `skip`, and counted", async () => {
    const bytes = bytesInto("t.din");
    const sink = createTrace(bytes, DESCRIPTION, nodeCodecs, { skip: true });
    await sink.write(words);
    await sink.close();
    expect(new TextDecoder().decode(bytes.bytes())).toBe("0 10\n1 20\n");
    expect(sink.skipped).toBe(3);
  });
});
