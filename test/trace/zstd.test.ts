/**
 * Question: is a `.zst` read as what was compressed, by Node's own decompressor where it has one and by the portable one, whatever
 * made its frames, and is every way of cutting or damaging it found? Files of the `zstd` command where it is installed.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { bytesFrom, concatenate } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import { webCodecs } from "../../src/trace/codec.web.ts";
import { openTrace } from "../../src/trace/open.ts";
import { Xxh64 } from "../../src/trace/xxh64.ts";
import { type Attempt, bytesOf, drain, sameWords, walked, ZST_OF_DIN, ZST_OF_RAW64 } from "./samples.ts";

const SKIPPABLE = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
const PLATFORMS = [
  ["Node's own", nodeCodecs],
  ["portable", webCodecs],
] as const;

const hasZstd = spawnSync("zstd", ["--version"]).status === 0;
function zstd(bytes: Uint8Array, ...options: string[]): Uint8Array {
  const { status, stdout } = spawnSync("zstd", ["-q", "-c", ...options], { input: bytes, maxBuffer: 1 << 28 });
  expect(status).toBe(0);
  return stdout;
}

/** 300,000 records as the command packs them, of every kind of frame; packed once for both platforms. */
const WALKED = walked(300_000);
const KINDS = [
  ["-1"],
  ["-19"],
  ["--fast=5"],
  ["-3", "--no-check"],
  ["-3", "--long=27"],
  ["-3", "-T2", "-B200000"],
  ["-3", "--long=30"],
];
let packed: Map<string, Uint8Array> | undefined;
function packedAs(options: string): Uint8Array {
  packed ??= new Map(KINDS.map((kind) => [kind.join(" "), zstd(bytesOf(WALKED), ...kind)]));
  return packed.get(options) as Uint8Array;
}

describe.each(PLATFORMS)("%s", (_, codecs) => {
  async function attempt(bytes: Uint8Array, name: string, chunkBytes = 65536): Promise<Attempt> {
    try {
      return await drain(await openTrace(bytesFrom(bytes, name, chunkBytes), codecs));
    } catch (error) {
      return { words: new Uint32Array(0), error };
    }
  }
  const messageOf = async (bytes: Uint8Array, name = "t.din.zst") => {
    const { error } = await attempt(bytes, name);
    expect(error).toBeInstanceOf(TraceError);
    return (error as TraceError).message;
  };

  test("is told by its content, and read in pieces of any size", async () => {
    for (const chunkBytes of [1, 7, 65536]) {
      const din = await attempt(ZST_OF_DIN, "t", chunkBytes);
      expect(din.error).toBeUndefined();
      expect(din.words).toEqual(Uint32Array.of(0x1000, 0, 0x1040, 1 << 16, 0x8000, 2 << 16));
      const raw = await attempt(ZST_OF_RAW64, "t.raw64.zst", chunkBytes);
      expect(raw.error).toBeUndefined();
      expect(raw.words.length).toBe(40_000);
      expect(raw.words.every((word, i) => word === (i % 2 === 0 ? 0x40000000 + 8 * ((i >> 1) % 16) : 0))).toBe(true);
    }
    const source = await openTrace(bytesFrom(ZST_OF_RAW64, "t"), codecs);
    expect(source.header).toMatchObject({ format: "raw64", compression: "zst" });
    await source.close();
  });

  test("several frames are one stream, skippable ones among them and before them", async () => {
    const { words, error } = await attempt(concatenate([SKIPPABLE, ZST_OF_DIN, SKIPPABLE, ZST_OF_DIN]), "t");
    expect(error).toBeUndefined();
    expect(words.length).toBe(12);
  });

  test("cut anywhere", async () => {
    for (const [bytes, name] of [
      [ZST_OF_DIN, "t.din.zst"],
      [ZST_OF_RAW64, "t.raw64.zst"],
    ] as const)
      for (let length = 4; length < bytes.length; length++)
        expect(await messageOf(bytes.subarray(0, length), name), `${length} bytes`).toContain("truncated zstd data");
  });

  test("any byte damaged where there is a checksum", async () => {
    const whole = await attempt(ZST_OF_DIN, "t.din.zst");
    for (let at = 4; at < ZST_OF_DIN.length; at++) {
      const damaged = ZST_OF_DIN.slice();
      damaged[at] = (damaged[at] as number) ^ 0x11;
      const { words, error } = await attempt(damaged, "t.din.zst");
      if (error === undefined) expect(words, `byte ${at}`).toEqual(whole.words);
      else expect(error, `byte ${at}`).toBeInstanceOf(TraceError);
    }
    const wrong = ZST_OF_DIN.slice();
    wrong[wrong.length - 1] = (wrong[wrong.length - 1] as number) ^ 1;
    expect(await messageOf(wrong)).toContain("can't decompress zstd");
  });

  test("what isn't read is said", async () => {
    expect(await messageOf(concatenate([ZST_OF_DIN, new Uint8Array(8).fill(1)]))).toContain(
      "found 0x1010101; expected a zstd frame",
    );
    const header = (...bytes: number[]) =>
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...bytes, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(await messageOf(header(0, 0xf8))).toContain("a window of 2199023255552 bytes; expected at most 134217728");
    expect(await messageOf(header(1, 0, 7))).toContain("found dictionary 7; expected a frame without a dictionary");
    expect(await messageOf(header(8))).toContain("a reserved bit");
    expect(await messageOf(header(0, 0, 7))).toContain("a block of type 3");
  });

  test.skipIf(!hasZstd)("what the zstd command makes, of every kind of frame", { timeout: 120_000 }, async () => {
    const tooLarge = "-3 --long=30";
    for (const options of KINDS.map((kind) => kind.join(" ")).filter((each) => each !== tooLarge)) {
      const { words: read, error } = await attempt(packedAs(options), "t.raw64.zst");
      expect(error, options).toBeUndefined();
      expect(sameWords(read, WALKED), options).toBe(true);
    }
    expect(await messageOf(packedAs(tooLarge), "t.raw64.zst")).toContain("a window of 1073741824 bytes");
  });
});

test("XXH64 gives the known checksums, in parts of any size", () => {
  const known: readonly (readonly [text: string, low: number])[] = [
    ["", 0x51d8e999],
    ["a", 0xa98c6e5b],
    ["abc", 0xad770999],
    ["Nobody inspects the spammish repetition", 0x8a378bf1],
  ];
  for (const [text, low] of known) {
    const bytes = new TextEncoder().encode(text);
    for (const part of [1, 5, 31, 32, 33, 222]) {
      const hash = new Xxh64();
      for (let at = 0; at < bytes.length; at += part) hash.add(bytes.subarray(at, at + part));
      expect(hash.low()).toBe(low);
    }
  }
});
