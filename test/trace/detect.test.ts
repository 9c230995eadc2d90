/** Question: is a trace recognised by what it holds, and is what isn't a trace called by its name? */
import { describe, expect, test } from "vitest";
import { SetwayError, TraceError } from "../../src/engine/errors.ts";
import { bytesFrom, concatenate } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { outputFormat } from "../../src/trace/create.ts";
import { openTrace } from "../../src/trace/open.ts";
import { attempt, attemptText, bytesOf, entry, sameWords, trace, write, XZ_OF_DIN, XZ_OF_RAW64 } from "./samples.ts";

const WORDS = trace(entry(0, 0x1000), entry(1, 0x2000), entry(18, 0x2000));

const found = async (bytes: Uint8Array, name: string) => {
  const source = await openTrace(bytesFrom(bytes, name), nodeCodecs);
  await source.close();
  return `${source.header.format} ${source.header.compression}`;
};
const messageOf = async (bytes: Uint8Array | string, name: string) => {
  const { error } = await (typeof bytes === "string" ? attemptText(bytes, name) : attempt(bytes, name));
  expect(error).toBeInstanceOf(TraceError);
  return (error as Error).message;
};

describe("by content, whatever the name", () => {
  test.each(["t", "t.raw64", "t.din", "t.swt", "t.gz"])("%s", async (name) => {
    const encode = (text: string) => new TextEncoder().encode(text);
    expect(await found(await write(WORDS, "x.swt"), name)).toBe("swt none");
    expect(await found(await write(WORDS, "x.swt.gz"), name)).toBe("swt gz");
    expect(await found(encode("0 1000\n"), name)).toBe("din none");
    expect(await found(encode("\n\n  2 7fff0a0 x\n"), name)).toBe("din none");
    expect(await found(encode("I  0023C790,2\n"), name)).toBe("lackey none");
    expect(await found(encode("==77== Lackey\n"), name)).toBe("lackey none");
    expect(await found(XZ_OF_DIN, name)).toBe("din xz");
  });

  test("binary data is raw64 unless the name says otherwise", async () => {
    expect(await found(bytesOf(WORDS), "t")).toBe("raw64 none");
    expect(await found(await write(WORDS, "x.raw64.gz"), "t")).toBe("raw64 gz");
    expect(await found(XZ_OF_RAW64, "t")).toBe("raw64 xz");
    expect(await messageOf(bytesOf(WORDS), "t.swt")).toContain(
      "t.swt, byte 0: not a .swt trace; found 00 10 00 00 00 00 00 00; expected 89 53 57 54 0d 0a 1a 0a",
    );
  });

  test("raw64 gets its provenance from the user, or the default of a recording", async () => {
    const standard = await openTrace(bytesFrom(bytesOf(WORDS)), nodeCodecs);
    expect(standard.header.provenance).toEqual({ maintenance: true, control: true, dma: false, ownership: false });
    const told = await openTrace(bytesFrom(bytesOf(WORDS)), nodeCodecs, {
      provenance: { maintenance: false },
      initialSctlr: 5,
      addresses: "virtual",
      requesters: 2,
    });
    expect(told.header).toMatchObject({
      provenance: { maintenance: false, control: true, dma: false, ownership: false },
      initialSctlr: 5,
      addresses: "virtual",
      requesters: 2,
    });
  });
});

describe("what isn't a trace", () => {
  test("a tar archive, bare or compressed", async () => {
    const block = new Uint8Array(1024);
    new TextEncoder().encodeInto("trace/linux.raw64", block);
    block.fill(32, 148, 156);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    new TextEncoder().encodeInto(`${sum.toString(8).padStart(6, "0")}\0 `, block.subarray(148));
    const message =
      'a tar archive isn\'t a trace; found the header of "trace/linux.raw64"; expected the trace itself: unpack it first';
    expect(await messageOf(block, "t.tar")).toContain(message);
    expect(await messageOf(block, "t.raw64")).toContain(message);
    const gz = await write(new Uint32Array(block.buffer), "x.raw64.gz");
    expect(await messageOf(gz, "t.tar.gz")).toContain(message);
  });

  test("other containers, double compression, other texts, odd lengths", async () => {
    expect(await messageOf(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0), "t.zip")).toContain(
      "can't read the zip archive",
    );
    expect(await messageOf(Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0, 0, 0, 0), "t")).toContain(
      "unknown container; found lz4 data; expected no compression, gz, xz, zst or zip",
    );
    const gz = await write(WORDS, "x.raw64.gz");
    const twice = await write(
      new Uint32Array(concatenate([gz, new Uint8Array(8 - (gz.length % 8))]).buffer),
      "x.raw64.gz",
    );
    expect(await messageOf(twice, "t.gz")).toContain("compressed twice; found gz data inside");
    expect(await messageOf("\n\nname: host-100c\n", "machine.yaml")).toContain(
      'machine.yaml, line 3, column 1: not a trace; found "name: host-100c"; expected "label address" (din)',
    );
    expect(await messageOf(Uint8Array.of(0, 1, 2, 3, 4), "t")).toContain(
      "t: not a trace; found 5 bytes that are neither text nor .swt nor whole records of 8 bytes",
    );
  });

  test("nothing at all, unless its name says that it holds records", async () => {
    const message = "t: not a trace; found nothing at all; expected one of";
    expect(await messageOf(new Uint8Array(0), "t")).toContain(message);
    expect(await messageOf(await write(new Uint32Array(0), "x.raw64.gz"), "t")).toContain(message);
    expect(await found(new Uint8Array(0), "t.raw64")).toBe("raw64 none");
  });

  test("an output's name must say a format that can be written", () => {
    expect(outputFormat("a.b.raw64.gz", {})).toEqual({ format: "raw64", compression: "gz" });
    expect(outputFormat("a.SWT", {})).toEqual({ format: "swt", compression: "none" });
    expect(outputFormat("-", { format: "din" })).toEqual({ format: "din", compression: "none" });
    for (const [name, message] of [
      ["a.txt", "the output's name doesn't say its format"],
      ["a.raw64.xz", "xz is read but not written"],
      ["a.raw64.zst", "zst is read but not written"],
    ] as const) {
      expect(() => outputFormat(name, {})).toThrow(SetwayError);
      expect(() => outputFormat(name, {})).toThrow(message);
    }
  });
});

describe("cut and damaged compression", () => {
  test("raw64: a cut record is named after what came before it was delivered", async () => {
    for (let bytes = 1; bytes < 24; bytes++) {
      const { words, error } = await attempt(bytesOf(WORDS).subarray(0, bytes), "t.raw64");
      expect(words).toEqual(WORDS.subarray(0, 2 * (bytes >> 3)));
      if (bytes % 8 === 0) expect(error).toBeUndefined();
      else {
        const record = bytes >> 3;
        expect((error as TraceError).message).toBe(
          `t.raw64, record ${record}, byte ${8 * record}: truncated record; found ${bytes % 8} bytes; expected 8`,
        );
      }
    }
  });

  test("the record number of a cut raw64 doesn't count prefixes", async () => {
    const words = trace(entry(240, 4), entry(0, 0x1000), entry(0, 0x1000));
    const { error } = await attempt(bytesOf(words).subarray(0, 17), "t.raw64");
    expect((error as TraceError).detail).toMatchObject({ record: 1, offset: 16 });
  });

  test("gz: cut anywhere", async () => {
    const words = Uint32Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? (index * 0x9e3779b1) >>> 0 : 0));
    const gz = await write(words, "x.raw64.gz");
    for (let length = 3; length < gz.length; length += 5) {
      const { words: delivered, error } = await attempt(gz.subarray(0, length), "t.raw64.gz");
      expect(error, `${length} bytes`).toBeInstanceOf(TraceError);
      expect((error as Error).message).toContain("can't decompress gzip");
      expect(delivered).toEqual(words.subarray(0, delivered.length));
    }
  });

  test("xz: cut anywhere, any byte damaged", async () => {
    const whole = await attempt(XZ_OF_RAW64, "t.raw64.xz");
    expect(whole.error).toBeUndefined();
    expect(whole.words.length).toBe(40_000);
    for (let length = 6; length < XZ_OF_RAW64.length; length += 3) {
      const { words, error } = await attempt(XZ_OF_RAW64.subarray(0, length), "t.raw64.xz", {}, 50);
      expect((error as TraceError).message, `${length} bytes`).toContain(
        "truncated xz data; found the end of the file",
      );
      expect(sameWords(words, whole.words.subarray(0, words.length))).toBe(true);
    }
    for (let at = 6; at < XZ_OF_RAW64.length; at += 2) {
      const damaged = XZ_OF_RAW64.slice();
      damaged[at] = (damaged[at] as number) ^ 0x10;
      // One byte of LZMA, always 0, is read by nobody; then the checksum says that the data is right.
      const { words, error } = await attempt(damaged, "t.raw64.xz");
      if (error === undefined) expect(sameWords(words, whole.words), `byte ${at}`).toBe(true);
      else expect(error, `byte ${at}`).toBeInstanceOf(TraceError);
    }
  });

  test("xz: several streams after one another; garbage after them", async () => {
    const { words, error } = await attempt(concatenate([XZ_OF_DIN, new Uint8Array(4), XZ_OF_DIN]), "t.din.xz", {}, 10);
    expect(error).toBeUndefined();
    expect(words.length).toBe(12);
    expect(await messageOf(concatenate([XZ_OF_DIN, new Uint8Array(12).fill(1)]), "t.din.xz")).toContain(
      "can't decompress xz; found no xz header",
    );
  });

  test("xz: two traces at once, and one that nobody reads", async () => {
    const abandoned = await openTrace(bytesFrom(XZ_OF_RAW64, "t.xz"), nodeCodecs);
    expect(abandoned.header.format).toBe("raw64");
    const open = () => openTrace(bytesFrom(XZ_OF_RAW64, "t.xz", 20), nodeCodecs);
    const [a, b] = [(await open()).batches()[Symbol.asyncIterator](), (await open()).batches()[Symbol.asyncIterator]()];
    for (;;) {
      const [one, other] = [await a.next(), await b.next()];
      expect(one.done).toBe(other.done);
      if (one.done) break;
      expect(one.value).toEqual(other.value);
    }
  });
});
