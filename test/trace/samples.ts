/** Traces and ways to read them that the tests of this directory share. */
import fc from "fast-check";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { bytesFrom, bytesInto, concatenate } from "../../src/trace/bytes.ts";
import { nodeCodecs } from "../../src/trace/codec.node.ts";
import type { Codecs } from "../../src/trace/codec.ts";
import { type CreateOptions, createTrace } from "../../src/trace/create.ts";
import { type OpenOptions, openTrace } from "../../src/trace/open.ts";
import { RAW_PROVENANCE, type TraceDescription, type TraceSource } from "../../src/trace/source.ts";

export const DESCRIPTION: TraceDescription = {
  provenance: RAW_PROVENANCE,
  addresses: "physical",
  initialSctlr: undefined,
  requesters: undefined,
  records: undefined,
  source: undefined,
  stripping: undefined,
};

export function entry(operation: number, operand: number, requester = 0): readonly [low: number, high: number] {
  const high = Math.floor(operand / 2 ** 32) | (operation << 16) | (requester << 24);
  return [operand % 2 ** 32, high >>> 0];
}

export const trace = (...entries: readonly (readonly [number, number])[]): Uint32Array =>
  Uint32Array.from(entries.flat());

export const bytesOf = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** For long traces, where a matcher would take seconds. */
export const sameWords = (a: Uint32Array, b: Uint32Array): boolean =>
  a.length === b.length && a.every((word, index) => word === b[index]);

/** Everything a source delivers, and the error that it ended with, if any. */
export async function drain(source: TraceSource): Promise<{ readonly words: Uint32Array; readonly error: unknown }> {
  const batches: Uint8Array[] = [];
  let error: unknown;
  try {
    for await (const batch of source.batches()) batches.push(bytesOf(batch).slice());
  } catch (thrown) {
    error = thrown;
  }
  return { words: new Uint32Array(concatenate(batches).buffer), error };
}

export interface Attempt {
  readonly words: Uint32Array;
  readonly error: unknown;
}

/** Opens and reads everything; errors of opening are an answer too. */
export async function attempt(
  bytes: Uint8Array,
  name: string,
  options: OpenOptions = {},
  chunkBytes = 65536,
): Promise<Attempt> {
  try {
    return await drain(await openTrace(bytesFrom(bytes, name, chunkBytes), nodeCodecs, options));
  } catch (error) {
    return { words: new Uint32Array(0), error };
  }
}

export const attemptText = (
  text: string,
  name: string,
  options: OpenOptions = {},
  chunkBytes = 65536,
): Promise<Attempt> => attempt(new TextEncoder().encode(text), name, options, chunkBytes);

/** Reads everything; throws what opening or reading throws. */
export async function read(
  bytes: Uint8Array,
  name: string,
  options: OpenOptions = {},
  chunkBytes = 65536,
): Promise<Uint32Array> {
  const { words, error } = await attempt(bytes, name, options, chunkBytes);
  if (error !== undefined) throw error;
  return words;
}

/** Writes entries in batches of a size. */
export async function write(
  words: Uint32Array,
  name: string,
  { description = DESCRIPTION, codecs = nodeCodecs, batchEntries = 65536, ...options }: WriteOptions = {},
): Promise<Uint8Array> {
  const bytes = bytesInto(name);
  const sink = createTrace(bytes, description, codecs, options);
  for (let at = 0; at < words.length; at += 2 * batchEntries)
    await sink.write(words.subarray(at, at + 2 * batchEntries));
  await sink.close();
  return bytes.bytes();
}

export interface WriteOptions extends CreateOptions {
  readonly description?: TraceDescription;
  readonly codecs?: Codecs;
  readonly batchEntries?: number;
}

const word32 = fc.integer({ min: 0, max: 0xffffffff });

/** Entries with every bit pattern, also operations that nobody knows: containers keep them for the engine to judge. */
export const anyWords = fc.array(fc.tuple(word32, word32), { maxLength: 300 }).map((entries) => trace(...entries));

/** Entries as a guest makes them: near one another, of few operations, some at the ends of the 48 bits. */
export const likelyWords = fc
  .array(
    fc.tuple(
      fc.constantFrom(0, 0, 0, 1, 1, 2, 18, 20, 26, 28, OPERATIONS.WITH.code, OPERATIONS.VALUE_LOW.code),
      fc.oneof(
        fc.integer({ min: 0x40000000, max: 0x40010000 }),
        fc.integer({ min: 0, max: 64 }),
        fc.integer({ min: 2 ** 48 - 99, max: 2 ** 48 - 1 }),
      ),
      fc.constantFrom(0, 0, 1, 255),
    ),
    { maxLength: 300 },
  )
  .map((entries) => trace(...entries.map(([operation, operand, requester]) => entry(operation, operand, requester))));

/** Loads, stores and fetches of requester 0. */
export const accessWords = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 ** 48 - 1 })), { maxLength: 300 })
  .map((entries) => trace(...entries.map(([operation, address]) => entry(operation, address))));

/** A deterministic stream of `entries` that walks and jumps, batch by batch. */
export function* walk(entries: number, batchEntries = 65536): Generator<Uint32Array, void, undefined> {
  const words = new Uint32Array(2 * batchEntries);
  let state = 1;
  for (let made = 0; made < entries; ) {
    const count = Math.min(batchEntries, entries - made);
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words[2 * i] = (made + i) % 8 === 0 ? state : (0x40000000 + 8 * (made + i)) >>> 0;
      words[2 * i + 1] = (state >>> 30) << 16;
    }
    made += count;
    yield words.subarray(0, 2 * count);
  }
}

export const walked = (entries: number): Uint32Array => {
  const all = new Uint32Array(2 * entries);
  let at = 0;
  for (const batch of walk(entries)) {
    all.set(batch, at);
    at += batch.length;
  }
  return all;
};

/** `0 1000`, `1 1040`, `2 8000`, a line each, as `xz --lzma2=dict=64KiB` made it. */
export const XZ_OF_DIN = fromBase64(
  "/Td6WFoAAATm1rRGAgAhAQgAAADYDyMT4AAUABNdABgIAoedB2nplczq6D+gpVeNoAAAANdZbilmz3drAAEvFa1pR18ftvN9AQAAAAAEWVo=",
);
/** 20,000 loads of 0x40000000 + 8 * (i % 16), likewise. */
export const XZ_OF_RAW64 = fromBase64(
  "/Td6WFoAAATm1rRGAgAhAQgAAADYDyMT4nD/AIFdAABoDl/aJFmQV1ArDWoOnqOwKNz5W/fmwi0MdPwP73OXnso7pH6/tmDGcm9+vxNd703LPSNX" +
    "svoBz89V+2fmeDJX0eWV7S4DBMS2qjfyXscm/XcwezVRb0xGtCbUFeRrfbWmPklcYjD3FjsljYnpB885bXFGPEP7pWlV87txEVsAAAAAAADFbQM6" +
    "q1ig9AABnQGA4gkATPEwybHEZ/sCAAAAAARZWg==",
);

/** `0 1000`, `1 1040`, `2 8000`, a line each, as `zstd -19` made it: one segment, with a checksum. */
export const ZST_OF_DIN = fromHex("28b52ffd2415a900003020313030300a3120313034300a3220383030300afd20d063");
/** 20,000 loads of 0x40000000 + 8 * (i % 16), as `zstd -9 --no-check` made it of a pipe. */
export const ZST_OF_RAW64 = fromHex(
  "28b52ffd0060740100b8000000400000000008101820283038404850586068707810a8307acfd06b3910e6ebffffff6f7dff034f7898c8" +
    "45000008000100fcf00e84",
);

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
