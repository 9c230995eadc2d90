/** Question: do the two ways to put columns together agree: on the words of good columns, and on which columns are wrong? */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../../bench/random.ts";
import { type Columns, ColumnTransform } from "../../src/trace/swt-columns.ts";
import { ColumnJoiner } from "../../src/trace/swt-join.ts";

const runs = process.env.SETWAY_FULL === "1" ? 20_000 : 1000;
const transform = new ColumnTransform();
/** One for all: what an earlier chunk left behind must not matter. */
const joiner = new ColumnJoiner();

const join = (columns: Columns) => {
  for (const [name, bytes] of Object.entries(columns)) joiner.put(name as keyof Columns, bytes);
  return joiner.join(columns.operations.length, columns.lines.length);
};

function bothWays(columns: Columns): void {
  const words = new Uint32Array(2 * columns.operations.length);
  const wrong = transform.decode(columns, words);
  const joined = join(columns);
  if (wrong !== undefined) expect(joined, wrong).toBeUndefined();
  else {
    expect(joined?.words).toEqual(words);
    expect(joined?.largestOperation).toBe(Math.max(...columns.operations));
  }
}

const operand = fc.oneof(fc.bigInt(0n, 2n ** 48n - 1n), fc.bigInt(0n, 0xffffn), fc.constantFrom(0n, 2n ** 48n - 1n));
const entry = fc.record({
  operation: fc.oneof(fc.constantFrom(0, 1, 2), fc.integer({ min: 0, max: 255 })),
  requester: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })),
  operand,
});
const chunk = fc.array(entry, { minLength: 1, maxLength: 200, size: "max" }).map((entries) => {
  const words = new BigUint64Array(entries.length);
  for (const [index, { operation, requester, operand }] of entries.entries())
    words[index] = operand | (BigInt(operation) << 48n) | (BigInt(requester) << 56n);
  return new Uint32Array(words.buffer);
});

/** Loads, stores and fetches of one core as programs make them: most go on near where the last of their kind was, some far away. */
const walk = fc.record({
  operation: fc.oneof(
    { weight: 5000, arbitrary: fc.constantFrom(0, 1, 2) },
    { weight: 1, arbitrary: fc.integer({ min: 3, max: 255 }) },
  ),
  by: fc.oneof(
    { weight: 20, arbitrary: fc.constant(0n) },
    { weight: 8, arbitrary: fc.bigInt(-64n, 63n) },
    { weight: 4, arbitrary: fc.bigInt(-8192n, 8191n) },
    { weight: 1, arbitrary: fc.bigInt(-(2n ** 27n), 2n ** 27n) },
    { weight: 1, arbitrary: fc.bigInt(-(2n ** 42n), 2n ** 42n) },
  ),
  offset: fc.bigInt(0n, 63n),
});
const walks = fc
  .tuple(
    fc.array(walk, { minLength: 1, maxLength: 3000, size: "max" }),
    fc.oneof(fc.constant(2n ** 26n), fc.constant(2n ** 42n)),
    fc.constantFrom(0n, 0n, 0n, 1n),
  )
  .map(([steps, lines, requester]) => {
    const last = new Map<number, bigint>();
    const words = steps.map(({ operation, by, offset }) => {
      const line = ((((last.get(operation) ?? 0n) + by) % lines) + lines) % lines;
      last.set(operation, line);
      return (line << 6n) | offset | (BigInt(operation) << 48n) | (requester << 56n);
    });
    return new Uint32Array(BigUint64Array.from(words).buffer);
  });

test(`${runs / 4} chunks whose lines are near each other, whole and damaged`, () => {
  const outcomes = { good: 0, wrong: 0 };
  fc.assert(
    fc.property(
      walks,
      fc.nat(),
      fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 255 })),
      (words, at, byte) => {
        const columns = transform.encode(words);
        if (byte !== undefined) columns.lines[at % columns.lines.length] = byte;
        bothWays(columns);
        outcomes[join(columns) === undefined ? "wrong" : "good"]++;
      },
    ),
    { numRuns: runs / 4 },
  );
  expect(Math.min(outcomes.good, outcomes.wrong)).toBeGreaterThan(runs / 80);
});

test("lines that leave both ends of memory, and come back before anybody looks", () => {
  for (const [first, ...moves] of [
    [0n, -1n, 1n],
    [1n, -1n, -1n, 2n],
    [2n ** 42n - 1n, 1n, -1n],
    [2n ** 26n - 1n, 1n, -1n],
  ] as const) {
    for (const padding of [0, 1, 2, 3, 4, 5, 6, 7, 900]) {
      const deltas = [
        first,
        ...Array.from({ length: padding }, () => 0n),
        ...moves,
        ...Array.from({ length: 20 }, () => 0n),
      ];
      const bytes: number[] = [];
      for (const delta of deltas) {
        let rest = delta < 0n ? -2n * delta - 1n : 2n * delta;
        for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
        bytes.push(Number(rest));
      }
      const column = new Uint8Array(deltas.length);
      bothWays({ operations: column, requesters: column, lines: Uint8Array.from(bytes), offsets: column });
    }
  }
});

test(`${runs} chunks`, () => {
  fc.assert(
    fc.property(chunk, (words) => {
      const columns = transform.encode(words);
      bothWays(columns);
      expect(join(columns)?.words).toEqual(words);
    }),
    { numRuns: runs },
  );
});

test(`${runs} chunks with damaged columns`, () => {
  const outcomes = { good: 0, wrong: 0 };
  const damage = fc.record({
    column: fc.constantFrom("lines", "lines", "lines", "offsets", "requesters", "operations"),
    at: fc.nat(),
    byte: fc.oneof(fc.constantFrom(0, 1, 63, 64, 127, 128, 255), fc.integer({ min: 0, max: 63 })),
  });
  fc.assert(
    fc.property(
      chunk,
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(0, 0, 0, 0, 0, 0, 0, -3, -1, 1, 3),
      (words, damages, longer) => {
        const columns = transform.encode(words);
        for (const { column, at, byte } of damages)
          columns[column as keyof Columns][at % columns[column as keyof Columns].length] = byte;
        const entries = words.length / 2;
        const lines = new Uint8Array(Math.max(entries, Math.min(7 * entries, columns.lines.length + longer)));
        lines.set(columns.lines.subarray(0, lines.length));
        bothWays({ ...columns, lines });
        outcomes[join({ ...columns, lines }) === undefined ? "wrong" : "good"]++;
      },
    ),
    { numRuns: runs },
  );
  expect(Math.min(outcomes.good, outcomes.wrong)).toBeGreaterThan(runs / 20);
});

test("the largest chunk, with numbers of every length across every place of a block", () => {
  const words = new BigUint64Array(65536);
  let state = 1n;
  for (let i = 0; i < words.length; i++) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n);
    words[i] = ((state >> 20n) & (2n ** (state >> 58n) - 1n) & (2n ** 48n - 1n)) | ((state & 3n) << 56n);
  }
  bothWays(transform.encode(new Uint32Array(words.buffer)));
  // Seven bytes for each of the largest chunk: the ends of the address space in turns.
  for (let i = 0; i < words.length; i++) words[i] = i % 2 === 0 ? 0n : 2n ** 48n - 1n;
  const columns = transform.encode(new Uint32Array(words.buffer));
  expect(columns.lines.length).toBeGreaterThan(6 * 65535);
  bothWays(columns);
});

test(`${runs} deflate streams, whole, cut and damaged: what is inflated is what zlib says`, () => {
  const outcomes = { taken: 0, left: 0 };
  const check = (packed: Uint8Array, bytes: number): boolean => {
    if (!joiner.inflate("lines", packed, bytes)) {
      outcomes.left++;
      return false;
    }
    outcomes.taken++;
    expect(joiner.columns(1, bytes).lines).toEqual(new Uint8Array(inflateRawSync(packed)));
    return true;
  };
  const part = fc.record({
    byte: fc.integer({ min: 0, max: 255 }),
    step: fc.integer({ min: 0, max: 3 }),
    length: fc.integer({ min: 1, max: 600 }),
  });
  const content = fc
    .array(part, { maxLength: 40 })
    .map((parts) =>
      Uint8Array.from(parts.flatMap(({ byte, step, length }) => Array.from({ length }, (_, i) => byte + i * step))),
    );
  const options = fc.record({
    level: fc.integer({ min: 0, max: 9 }),
    strategy: fc.integer({ min: 0, max: 4 }),
    memLevel: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(content, options, fc.nat(), fc.integer({ min: 0, max: 7 }), fc.nat(), (bytes, how, at, bit, cut) => {
      const packed = new Uint8Array(deflateRawSync(bytes, how));
      expect(check(packed, bytes.length)).toBe(true);
      expect(check(packed, bytes.length + 1)).toBe(false);
      if (bytes.length > 0) expect(check(packed, bytes.length - 1)).toBe(false);
      expect(check(packed.subarray(0, cut % packed.length), bytes.length)).toBe(false);
      const damaged = packed.slice();
      damaged[at % packed.length] = (damaged[at % packed.length] as number) ^ (1 << bit);
      check(damaged, bytes.length);
    }),
    { numRuns: runs },
  );
  expect(Math.min(outcomes.taken, outcomes.left)).toBeGreaterThan(runs / 2);
});

test("codes as long as there are, of bytes and of distances", () => {
  // Fibonacci's numbers as frequencies make the longest codes; distances double likewise.
  const parts: Uint8Array[] = [];
  for (let byte = 0, few = 1, many = 1; byte < 20; byte++, [few, many] = [many, few + many])
    parts.push(new Uint8Array(many).fill(byte));
  const bytes = new Uint8Array(Buffer.concat(parts));
  const { below } = createRandom(1);
  for (let i = bytes.length - 1; i > 0; i--) {
    const other = below(i + 1);
    [bytes[i], bytes[other]] = [bytes[other] as number, bytes[i] as number];
  }
  for (const strategy of [0, 2]) {
    const packed = new Uint8Array(deflateRawSync(bytes, { level: 9, memLevel: 9, strategy }));
    expect(joiner.inflate("lines", packed, bytes.length)).toBe(true);
    expect(joiner.columns(1, bytes.length).lines).toEqual(bytes);
  }
});
