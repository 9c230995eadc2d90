/**
 * Question: whatever a file holds, does reading it end, with records or with a `TraceError`, and with nothing else? Mutants
 * of good files of every format; in half of the `.swt` mutants the checksums are made right again, to get past them.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { crc32 } from "../../src/trace/crc32.ts";
import type { OpenOptions } from "../../src/trace/open.ts";
import { attempt, bytesOf, entry, trace, walked, write, XZ_OF_DIN, XZ_OF_RAW64 } from "./samples.ts";

type Mutation =
  | { readonly kind: "set"; readonly at: number; readonly byte: number }
  | { readonly kind: "flip"; readonly at: number; readonly byte: number }
  | { readonly kind: "cut"; readonly at: number; readonly length: number }
  | { readonly kind: "double"; readonly at: number; readonly length: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: "end"; readonly at: number };

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const byte = fc.oneof(fc.constantFrom(0, 1, 9, 10, 13, 32, 44, 48, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));
const length = fc.integer({ min: 1, max: 40 });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at, byte }),
  fc.record({ kind: fc.constant("flip" as const), at, byte: fc.integer({ min: 0, max: 7 }).map((bit) => 1 << bit) }),
  fc.record({ kind: fc.constant("cut" as const), at, length }),
  fc.record({ kind: fc.constant("double" as const), at, length }),
  fc.record({ kind: fc.constant("insert" as const), at, bytes: fc.array(byte, { minLength: 1, maxLength: 12 }) }),
  fc.record({ kind: fc.constant("end" as const), at }),
);

function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let now = Array.from(bytes);
  for (const mutation of mutations) {
    const place = Math.floor(mutation.at * now.length);
    if (mutation.kind === "set") now[place] = mutation.byte;
    else if (mutation.kind === "flip") now[place] = (now[place] ?? 0) ^ mutation.byte;
    else if (mutation.kind === "cut") now.splice(place, mutation.length);
    else if (mutation.kind === "double") now.splice(place, 0, ...now.slice(place, place + mutation.length));
    else if (mutation.kind === "insert") now.splice(place, 0, ...mutation.bytes);
    else now = now.slice(0, place);
  }
  return Uint8Array.from(now);
}

/** Makes the checksums of a `.swt` right again, as far as it can be followed. */
function repair(damaged: Uint8Array): Uint8Array {
  const bytes = damaged.slice();
  const view = new DataView(bytes.buffer);
  const before = new Uint8Array(4);
  let at = 0;
  const seal = (length: number): boolean => {
    if (at + length + 4 > bytes.length) return false;
    const checksum = crc32(bytes.subarray(at, at + length), crc32(before));
    view.setUint32(at + length, checksum, true);
    new DataView(before.buffer).setUint32(0, checksum, true);
    at += length + 4;
    return true;
  };
  if (bytes.length < 16 || !seal(16 + view.getUint32(12, true))) return bytes;
  while (at + 32 <= bytes.length && view.getUint32(at, true) === 0x4b4e4843) {
    const body = [16, 20, 24, 28].reduce((sum, field) => sum + view.getUint32(at + field, true), 0);
    if (!seal(32) || !seal(body)) return bytes;
  }
  seal(24);
  return bytes;
}

function fuzz(
  name: string,
  seeds: () => Promise<readonly Uint8Array[]>,
  numRuns: number,
  options: OpenOptions,
  fix = (bytes: Uint8Array) => bytes,
) {
  test(`${numRuns} mutants of ${name}`, async () => {
    const good = await seeds();
    const outcomes = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...good),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(17, 65536),
        async (seed, mutations, chunkBytes) => {
          const mutant = fix(mutate(seed, mutations));
          const { error, words } = await attempt(mutant, name, options, chunkBytes);
          if (error !== undefined) {
            expect(error).toBeInstanceOf(TraceError);
            expect((error as Error).message).toContain(name);
          }
          // What comes out of a small file is bounded; an endless stream would not be.
          expect(words.length).toBeLessThan(4_000_000);
          outcomes[error === undefined ? "read" : "refused"]++;
        },
      ),
      { numRuns },
    );
    expect(outcomes.refused).toBeGreaterThan(numRuns / 50);
  }, 60_000);
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const GUEST = trace(
  entry(0, 0x40000000),
  entry(1, 0x40000040),
  entry(2, 0x8000),
  entry(240, 8),
  entry(18, 0x40000040),
  entry(26, 0xc51870),
  entry(1, 2 ** 48 - 8, 3),
);

describe("text", () => {
  const din = async () => [encode("0 1000\n1 70f60888 comment\n2 2cb5\r\n\n0 ffffffffffff\n")];
  const lackey = async () => [encode("==12== Lackey\nI  0023C790,2\n S BE80199C,4\n M 0025747C,1\n L 1FFEFFE7E0,8\n")];
  fuzz("t.din", din, 2000, { format: "din" });
  fuzz("t.lackey", lackey, 2000, { format: "lackey", sizes: true });
  fuzz("detected.din", din, 500, {});
});

describe("binary", () => {
  const swt = async () => [await write(GUEST, "t.swt"), await write(walked(300), "t.swt", { batchEntries: 100 })];
  fuzz("t.raw64", async () => [bytesOf(GUEST)], 500, { format: "raw64" });
  fuzz("t.swt", swt, 1000, { format: "swt" });
  fuzz("repaired.swt", swt, 2000, { format: "swt" }, repair);
  fuzz("t.swt.gz", async () => [await write(GUEST, "t.swt.gz")], 300, { format: "swt" });
  fuzz("t.raw64.gz", async () => [await write(walked(300), "t.raw64.gz")], 500, { format: "raw64" });
  fuzz("t.raw64.xz", async () => [XZ_OF_RAW64], 300, { format: "raw64" });
  fuzz(
    "detected",
    async () => [await write(GUEST, "t.swt"), await write(GUEST, "t.raw64.gz"), XZ_OF_DIN, bytesOf(GUEST)],
    500,
    {},
  );
});
