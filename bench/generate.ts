/**
 * Generated streams of loads, stores and fetches for host-100c: each keeps one part of the machine busy, on one core and on
 * all hundred. Deterministic: a shorter stream is the beginning of a longer one.
 */
import { createRandom, createZipf, type Random } from "./random.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const LINE = 64;
const LONGEST_TURN = 16;

/** One access: where, and whether it is a load (0), a store (1) or a fetch (2). Address = high * 2^32 + low. */
interface Access {
  low: number;
  high: number;
  operation: number;
}

type Draw = (core: number, random: Random, access: Access) => void;

export interface GeneratedStream {
  readonly name: string;
  readonly about: string;
  readonly cores: 1 | 100;
  readonly draw: () => Draw;
}

/** Data of a core, and code if it fetches: `span` bytes each, apart from the other cores' so that nothing is shared. */
function privateTo(span: number, fetches: number, stores: number): Draw {
  const stride = fetches > 0 ? 2 * span : span;
  return (core, random, access) => {
    const isFetch = random.below(100) < fetches;
    access.low = core * stride + (isFetch ? span : 0) + random.below(span / 8) * 8;
    access.high = 0;
    access.operation = isFetch ? 2 : random.below(100) < stores ? 1 : 0;
  };
}

/** mc100 as `../shared/yardstick/generate-mc100.c` makes it, with other random numbers. */
function likeMc100(): Draw {
  const zipfRandom = createRandom(3);
  const ofOwn = createZipf(4096, 0.8, zipfRandom);
  const ofShared = createZipf(65536, 0.8, zipfRandom);
  const scatter = (rank: number, lines: number) => Math.imul(rank, 0x9e37_79b1) & (lines - 1);
  return (core, random, access) => {
    const kind = random.below(100);
    const write = random.below(100);
    let line: number;
    if (kind < 75) {
      line = core * 4096 + ((scatter(ofOwn(), 4096) + core * 977) & 4095);
      access.high = 0x10;
      access.operation = write < 30 ? 1 : 0;
    } else if (kind < 95) {
      line = scatter(ofShared(), 65536);
      access.high = 0x20;
      access.operation = write < 1 ? 1 : 0;
    } else {
      line = (16 * MIB) / LINE + random.below(256);
      access.high = 0x20;
      access.operation = write < 50 ? 1 : 0;
    }
    access.low = line * LINE + random.below(8) * 8;
  };
}

/** Data that no cache holds, a part of it common to all cores. */
const missing =
  (span: number, shared: number): Draw =>
  (core, random, access) => {
    const isShared = random.below(100) < shared;
    access.low = isShared ? random.below((64 * MIB) / 8) * 8 : random.below(span / 8) * 8;
    access.high = isShared ? 0x20 : 0x10;
    if (!isShared) access.low += core * span;
    access.operation = random.below(100) < 30 ? 1 : 0;
  };

export const GENERATED: readonly GeneratedStream[] = [
  {
    name: "l1-hit",
    about: "one core, 16 KiB of code and 16 KiB of data at random: L1 hits only",
    cores: 1,
    draw: () => privateTo(16 * KIB, 40, 30),
  },
  {
    name: "l2-hit",
    about: "one core, 256 KiB of data at random: one in eight hits the L1, the rest the L2",
    cores: 1,
    draw: () => privateTo(256 * KIB, 0, 30),
  },
  {
    name: "misses",
    about: "one core, 256 MiB of data at random: nearly everything misses every cache",
    cores: 1,
    draw: () => missing(256 * MIB, 0),
  },
  {
    name: "l1-hit-100",
    about: "100 cores in turns of up to 16 accesses, each as l1-hit in memory of its own",
    cores: 100,
    draw: () => privateTo(16 * KIB, 40, 30),
  },
  {
    name: "l2-hit-100",
    about: "100 cores in turns, each as l2-hit in memory of its own",
    cores: 100,
    draw: () => privateTo(256 * KIB, 0, 30),
  },
  {
    name: "misses-100",
    about: "100 cores in turns, each in 8 MiB of its own, one in ten accesses in 64 MiB common to all",
    cores: 100,
    draw: () => missing(8 * MIB, 10),
  },
];

/** Stands in where the original can't be made. */
export const LIKE_MC100: GeneratedStream = {
  name: "mc100-like",
  about: "100 cores: working sets, shared and contended lines as in mc100, which needs ../shared and a C compiler",
  cores: 100,
  draw: likeMc100,
};

/** The first `count` records of a stream: two words each, low word first. */
export function generate(stream: GeneratedStream, count: number): Uint32Array {
  for (const words of generateBatches(stream, count, count)) return words;
  return new Uint32Array(0);
}

/** The same, so many records at a time: each batch is valid until the next one is asked for, and nothing else is kept. */
export function* generateBatches(
  stream: GeneratedStream,
  count: number,
  batchRecords: number,
): Generator<Uint32Array, void, undefined> {
  const draw = stream.draw();
  const random = createRandom(stream.name.length * 31 + stream.cores);
  const words = new Uint32Array(Math.min(count, batchRecords) * 2);
  const access: Access = { low: 0, high: 0, operation: 0 };
  let length = 0;
  let core = 0;
  for (let done = 0; done < count; core = (core + 1) % stream.cores) {
    const end = Math.min(count, done + 1 + random.below(LONGEST_TURN));
    for (; done < end; done++) {
      draw(core, random, access);
      words[length++] = access.low;
      words[length++] = access.high | (access.operation << 16) | (core << 24);
      if (length < words.length) continue;
      yield words;
      length = 0;
    }
  }
  if (length > 0) yield words.subarray(0, length);
}
