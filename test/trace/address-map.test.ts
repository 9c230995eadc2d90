/** Question: do mapped addresses keep what matters (lines within a page, first touch in order), and does the RAM suffice or say so? */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressMap, type AddressMapping } from "../../src/trace/address-map.ts";
import type { OpenOptions } from "../../src/trace/open.ts";
import { attempt, attemptText, bytesOf, entry, trace } from "./samples.ts";

const WITH = 240;
const at = (map: AddressMap, address: bigint): bigint | undefined => {
  const ok = map.map(Number(address & 0xffffffffn), Number(address >> 32n));
  return ok ? BigInt(map.high16) * 2n ** 32n + BigInt(map.low) : undefined;
};
const address64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("a map", () => {
  test("keeps or refuses, or drops the bits above 48", () => {
    fc.assert(
      fc.property(address64, (address) => {
        expect(at(new AddressMap("none"), address)).toBe(address < 2n ** 48n ? address : undefined);
        expect(at(new AddressMap("low48"), address)).toBe(address % 2n ** 48n);
      }),
    );
  });

  test("gives pages at their first touch, in the order of the regions", () => {
    const map = new AddressMap("pages", [
      { base: 0x8000_0000, size: 0x2800 },
      { base: 0x10_0000_0000, size: 0x1000 },
    ]);
    expect(at(map, 0xffff_8000_0000_0123n)).toBe(0x8000_0123n);
    expect(at(map, 0xffff_8000_0000_0fffn)).toBe(0x8000_0fffn);
    expect(at(map, 0x1000n)).toBe(0x8000_1000n);
    expect(at(map, 0xffff_ffff_ffff_f000n)).toBe(0x10_0000_0000n);
    expect(at(map, 0x1fffn)).toBe(0x8000_1fffn);
    expect(at(map, 0x2000n)).toBeUndefined();
    expect(map.refusal).toEqual({
      what: "no page of memory is left",
      expected: "at most 3 pages of 4 KiB, which is all the machine has",
    });
    expect(map.touchedPages).toBe(3);
  });

  test("is a bijection of pages that keeps offsets, as a plain table says, for any addresses", () => {
    const near = fc.bigInt({ min: 0n, max: 64n }).map((page) => page * 0x1000_0000n);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(address64, near), fc.nat(2)), { maxLength: 200 }), (addresses) => {
        const map = new AddressMap("pages");
        const table = new Map<string, bigint>();
        for (const [address, space] of addresses) {
          map.enter(space);
          const page = `${space} ${address >> 12n}`;
          if (!table.has(page)) table.set(page, BigInt(table.size));
          expect(at(map, address)).toBe((table.get(page) as bigint) * 4096n + (address & 4095n));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("of traces", () => {
  const words = trace(
    entry(WITH, 16),
    entry(1, 0x7000_0ff8),
    entry(0, 0x7000_0000, 3),
    entry(20, 0x42),
    entry(26, 0xc51870),
    // An address of the upper half: bit 44 of the prefix.
    entry(WITH, 2 ** 44 + 8),
    entry(0, 0xffff_8000_1000),
    entry(0, 0xffff_8000_1000),
  );
  const mapped = (mapAddresses: AddressMapping, more: OpenOptions = {}) =>
    attempt(bytesOf(words), "t.raw64", { mapAddresses, ...more }, 24);

  test("that are entries already: accesses are moved, and cut where pages part; values and set/way stay", async () => {
    expect((await mapped("none")).words).toEqual(words);
    const { words: moved, error } = await mapped("pages", { memory: [{ base: 0x8000_0000, size: 0x10000 }] });
    expect(error).toBeUndefined();
    expect(moved).toEqual(
      trace(
        entry(WITH, 8),
        entry(1, 0x8000_0ff8),
        entry(WITH, 8),
        entry(1, 0x8000_1000),
        entry(0, 0x8000_0000, 3),
        entry(20, 0x42),
        entry(26, 0xc51870),
        entry(WITH, 8),
        entry(0, 0x8000_2000),
        entry(0, 0x8000_3000),
      ),
    );
  });

  test("that end where the RAM ends", async () => {
    const { words: moved, error } = await mapped("pages", { memory: [{ base: 0, size: 0x2000 }] });
    expect((error as Error).message).toContain(
      "t.raw64, record 4: no page of memory is left; found address ffffffff80001000; expected at most 2 pages",
    );
    expect(moved.length).toBe(14);
  });

  test("in text, with addresses of 64 bits", async () => {
    const text = "I  0023C790,2\n L ffffffffff600000,8\n S BE80199C,4\n";
    const { words: moved, error } = await attemptText(text, "t", { mapAddresses: "pages" });
    expect(error).toBeUndefined();
    expect(moved).toEqual(trace(entry(2, 0x790), entry(0, 0x1000), entry(1, 0x299c)));
    const across = await attemptText(" S 1ffe,4\n", "t", { mapAddresses: "pages", sizes: true });
    expect(across.words).toEqual(trace(entry(WITH, 2), entry(1, 0xffe), entry(WITH, 2), entry(1, 0x1000)));
    const large = await attemptText(" S 1ffffffffffffffff,4\n", "t", { mapAddresses: "pages" });
    expect((large.error as Error).message).toContain('t, line 1, column 4: address too large; found "1ffff');
  });
});
