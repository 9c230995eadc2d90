/**
 * Does a kernel on host-100c count what the native yardstick counts, to the last counter that it prints (R38)? And do the
 * typed arrays of bench/ do the same work, so that comparing speeds with them means something?
 */
import { beforeAll, describe, expect, test } from "vitest";
import { generate, LIKE_MC100 } from "../../bench/generate.ts";
import { readWords, SOURCES, type Stream } from "../../bench/streams.ts";
import { TypedArrayHost } from "../../bench/typed-array.ts";
import { buildNative, runNative } from "../../bench/yardstick.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { type PrintedCounters, printedByKernel } from "../../src/report/yardstick.ts";
import { TEXT_PROVENANCE } from "../../src/trace/source.ts";

const FULL = process.env.SETWAY_FULL === "1";
const TIMEOUT = FULL ? 1_800_000 : 120_000;

/** Records of each stream: all of them with SETWAY_FULL=1. */
const STREAMS = [
  { name: "mc100", records: FULL ? 50_000_000 : 1_000_000 },
  { name: "linux-smp96", records: FULL ? 12_000_000 : 1_500_000 },
  { name: "misses-100", records: FULL ? 10_000_000 : 200_000 },
];

const BUILDS = [
  { build: "tags-only", data: false },
  { build: "data-carrying", data: true },
];

function countedByKernel(data: boolean, words: Uint32Array): PrintedCounters {
  const kernel = createKernel(loadMachine("host-100c"), { data, yardstick: true, provenance: TEXT_PROVENANCE });
  kernel.play(words);
  return printedByKernel(kernel);
}

describe.each(STREAMS)("$name", ({ name, records }) => {
  let stream: Stream | undefined;
  let printed: PrintedCounters | undefined;
  let missing = "";

  beforeAll(async () => {
    const program = buildNative("yardstick");
    const made = await SOURCES.find((source) => source.name === name)?.make(records);
    if (made === undefined) throw new Error(`no stream is called ${name}`);
    if ("missing" in program) missing = program.missing;
    else if ("missing" in made) missing = made.missing;
    else {
      stream = made;
      printed = runNative("yardstick", program.path, made.path).counters;
    }
  }, TIMEOUT);

  test("is played whole", ({ skip }) => {
    if (stream === undefined) return skip(missing);
    expect(stream.records).toBe(records);
    expect((printed?.loads ?? 0) + (printed?.stores ?? 0) + (printed?.fetches ?? 0)).toBe(records);
  });

  test.for(BUILDS)("the $build kernel counts the same", { timeout: TIMEOUT }, ({ data }, { skip }) => {
    if (stream === undefined) return skip(missing);
    expect(countedByKernel(data, readWords(stream.path))).toEqual(printed);
  });
});

describe("the typed arrays of bench/", () => {
  const words = generate(LIKE_MC100, 300_000);

  test("count what the kernel counts", { timeout: TIMEOUT }, () => {
    const typed = new TypedArrayHost();
    typed.play(words);
    const counters = typed.counters();
    expect(counters).toEqual(countedByKernel(false, words));
    // A stream on which nothing happens would compare nothing.
    expect(counters.upgrades).toBeGreaterThan(100);
    expect(counters.sockets.every(({ c2c, remoteHits }) => c2c > 100 && remoteHits > 100)).toBe(true);
  });

  test("refuse what they don't know", () => {
    expect(() => new TypedArrayHost().play(Uint32Array.of(0, 16 << 16))).toThrow(RangeError);
    expect(() => new TypedArrayHost().play(Uint32Array.of(0, 100 << 24))).toThrow(RangeError);
    expect(() => new TypedArrayHost().play(Uint32Array.of(0, 1 << 6))).toThrow(RangeError);
  });
});
