/**
 * Question: whatever a file holds, does reading it end, with records or with a `TraceError`, and with nothing else? Mutants
 * of good files of every format; in half of the `.swt` mutants the checksums are made right again, to get past them.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TraceError } from "../../src/engine/errors.ts";
import { crc32 } from "../../src/trace/crc32.ts";
import type { OpenOptions } from "../../src/trace/open.ts";
import {
  champsim,
  drmemtrace,
  encoding,
  footer,
  gem5,
  header,
  instruction,
  marker,
  read,
  thread,
  timestamp,
  wrote,
  zip,
} from "./foreign.ts";
import {
  attempt,
  bytesOf,
  entry,
  trace,
  walked,
  write,
  XZ_OF_DIN,
  XZ_OF_RAW64,
  ZST_OF_DIN,
  ZST_OF_RAW64,
} from "./samples.ts";

/** Of the runs of the long suite, this part in the daily one. */
const PART = process.env.SETWAY_FULL === "1" ? 1 : 0.05;

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
  fullRuns: number,
  options: OpenOptions,
  fix = (bytes: Uint8Array) => bytes,
) {
  const numRuns = Math.ceil(fullRuns * PART);
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
  });
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
  fuzz("t.zst", async () => [ZST_OF_DIN, ZST_OF_RAW64], 300, { compression: "zst" });
  fuzz(
    "detected",
    async () => [await write(GUEST, "t.swt"), await write(GUEST, "t.raw64.gz"), XZ_OF_DIN, bytesOf(GUEST)],
    500,
    {},
  );
});

describe("other tools", () => {
  const threads = drmemtrace([
    ...header(7),
    timestamp(1000),
    encoding(0xd50b7b23),
    instruction(0x1000),
    [20, 64, 0x8000],
    [18, 0, 0x9000],
    [19, 0, 0x9100],
    read(0x2000),
    thread(8),
    timestamp(900),
    [17, 2, 0x404],
    wrote(0x3000, 16),
    marker(15, 0x70000),
    marker(17, 0x2000),
    footer,
  ]);
  const cut = 12 * 14;
  const packets = gem5(
    [
      { command: 1, address: 0x8000, id: 5 },
      { command: 4, address: 0x1234567890, size: 64 },
      { command: 44, address: 0x40, flags: 0x100 },
    ],
    { 5: "system.cpu1.data" },
  );
  const samples = "[000] mem-loads:  7f0012345678\n# comment\n[002] memory:  40  20042 |OP STORE|LVL N/A\n";
  const dump =
    "0x5c8 [0x30]: PERF_RECORD_AUXTRACE size: 0x20  cpu: 1\n.  00000000:  49 00      LD\n.  00000002:  b2 c0 3b 29 0f 00 00 00 00   VA 0xf293bc0\n.  00000025:  71 36  TS 39\n";
  fuzz("t.trace", async () => [threads], 3000, { format: "drmemtrace", mapAddresses: "pages", sizes: true });
  fuzz("threads.trace", async () => [threads], 1000, { format: "drmemtrace", cores: 2, schedule: "cpu", quantum: 1 });
  fuzz("t.zip", async () => [zip({ "chunk.0": threads.subarray(0, cut), "chunk.1": threads.subarray(cut) })], 1000, {});
  fuzz("t.trc", async () => [packets], 3000, { format: "gem5" });
  fuzz(
    "t.champsim",
    async () => [
      champsim([
        { ip: 0x1000, loads: [0x2000] },
        { ip: 0x1004, branch: true },
      ]),
    ],
    1000,
    {
      format: "champsim",
    },
  );
  fuzz("t.perf", async () => [encode(samples), encode(dump)], 2000, { format: "perf" });
  fuzz("detected.x", async () => [threads, packets, encode(samples), encode(dump)], 1000, {});
});
