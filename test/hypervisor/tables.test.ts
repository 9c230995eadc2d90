/** Does the tree write tables that a walk reads as what was mapped, in an order that is right for a walk at any moment? */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_BYTES, spanOf } from "../../src/hypervisor/descriptors.ts";
import { TableTree } from "../../src/hypervisor/tables.ts";

/** A leaf that names where it maps to; the tree takes descriptors as they come. */
const leaf = (output: number, level: number) => BigInt(output) | (level === 3 ? 3n : 1n);

function setUp(startLevel = 1, tables = 1, breakBeforeMake = true) {
  const memory = new Map<number, bigint>();
  const log: string[] = [];
  const pages = new Set<number>();
  let next = 0x10_0000;
  const tree = new TableTree(
    { startLevel, tables },
    {
      allocate: (count) => {
        const size = count * PAGE_BYTES;
        const page = Math.ceil(next / size) * size;
        next = page + size;
        pages.add(page);
        return page;
      },
      free: (page) => {
        expect(pages.delete(page), "freed once").toBe(true);
      },
      write: (entry, descriptor) => {
        memory.set(entry, descriptor);
        log.push(`write ${descriptor === 0n ? "nothing" : (descriptor & 3n) === 3n ? "table or page" : "block"}`);
      },
      invalidate: (input, level) => {
        log.push(`invalidate 0x${input.toString(16)} level ${level}`);
      },
    },
    breakBeforeMake,
  );
  /** As the hardware: the output address, or undefined. */
  const walk = (input: number): number | undefined => {
    let table = tree.root;
    for (let level = startLevel; ; level++) {
      const span = spanOf(level);
      const index = Math.floor(input / span) % (512 * (level === startLevel ? tables : 1));
      const descriptor = memory.get(table + 8 * index) ?? 0n;
      if ((descriptor & 1n) === 0n) return undefined;
      const address = Number(descriptor & 0xffff_ffff_f000n);
      if (level === 3 || (descriptor & 2n) === 0n) return address + (input % span);
      table = address;
    }
  };
  return { tree, walk, log, pages };
}

describe("break before make", () => {
  it("a fresh leaf needs no break", () => {
    const { tree, log } = setUp(3);
    tree.set(0x1000, 3, leaf(0x9000, 3));
    expect(log).toEqual(["write table or page"]);
  });
  it("another output: cleared, invalidated, written", () => {
    const { tree, log } = setUp(3);
    tree.set(0x1000, 3, leaf(0x9000, 3));
    log.length = 0;
    tree.set(0x1000, 3, leaf(0xa000, 3));
    expect(log).toEqual(["write nothing", "invalidate 0x1000 level 3", "write table or page"]);
  });
  it("other permissions alone are written in place", () => {
    const { tree, log } = setUp(3);
    tree.set(0x1000, 3, leaf(0x9000, 3));
    log.length = 0;
    tree.set(0x1000, 3, leaf(0x9000, 3), { inPlace: true });
    expect(log).toEqual(["write table or page"]);
  });
  it("can be left out", () => {
    const { tree, log } = setUp(3, 1, false);
    tree.set(0x1000, 3, leaf(0x9000, 3));
    tree.set(0x1000, 3, leaf(0xa000, 3));
    expect(log).toEqual(["write table or page", "write table or page"]);
  });
  it("a table where a block was is complete before the block goes", () => {
    const { tree, log, walk } = setUp(2);
    tree.set(0, 2, leaf(0x4000_0000, 2));
    log.length = 0;
    tree.split(0x5000, (input) => leaf(0x4000_0000 + input, 3));
    expect(log.slice(512)).toEqual(["write nothing", "invalidate 0x0 level 2", "write table or page"]);
    expect(walk(0x5008)).toBe(0x4000_5008);
  });
});

it("a block takes the place of pages, whose table goes back", () => {
  const { tree, walk, pages } = setUp(2);
  tree.set(0x3000, 3, leaf(0x9000, 3));
  expect(pages.size).toBe(2);
  tree.set(0, 2, leaf(0x4000_0000, 2));
  expect(pages.size).toBe(1);
  expect(walk(0x3000)).toBe(0x4000_3000);
  expect(tree.leafLevel(0x3000)).toBe(2);
});

it("refuses a page inside a block, what isn't aligned and what is out of reach", () => {
  const { tree } = setUp(2);
  tree.set(0, 2, leaf(0x4000_0000, 2));
  expect(() => tree.set(0x1000, 3, 0n)).toThrow(/split or unmap/);
  expect(() => tree.set(0x20_1000, 2, 0n)).toThrow(/cannot be mapped/);
  expect(() => tree.set(2 ** 30, 3, 0n)).toThrow(/cannot be mapped/);
});

it("leaves are listed ascending, blocks by their first address, and go one by one", () => {
  const { tree } = setUp(1, 2);
  tree.set(2 ** 39, 1, leaf(0, 1));
  tree.set(0x40_0000, 2, leaf(0, 2));
  tree.set(0x60_1000, 3, leaf(0, 3));
  expect([...tree.leaves(0x41_0000, 2 ** 40)]).toEqual([
    { input: 0x40_0000, level: 2 },
    { input: 0x60_1000, level: 3 },
    { input: 2 ** 39, level: 1 },
  ]);
  expect(tree.clear(0x41_0000)).toEqual({ input: 0x40_0000, level: 2 });
  expect(tree.clear(0x41_0000)).toBeUndefined();
});

it("reads as a plain map of pages does, whatever is mapped, split and cleared; and every table goes back", () => {
  const page = fc.integer({ min: 0, max: 2047 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("page" as const), page, to: page }),
    fc.record({ kind: fc.constant("block" as const), page, to: page }),
    fc.record({ kind: fc.constant("split" as const), page, to: page }),
    fc.record({ kind: fc.constant("clear" as const), page, to: page }),
  );
  fc.assert(
    fc.property(fc.constantFrom([0, 1], [1, 2], [2, 4]), fc.array(step, { maxLength: 40 }), (shape, steps) => {
      const { tree, walk, pages } = setUp(shape[0], shape[1]);
      const model = new Map<number, number>();
      for (const { kind, page: number, to } of steps) {
        const first = number - (number % 512);
        const block = tree.leafLevel(number * PAGE_BYTES) === 2;
        if (kind === "page" && !block) {
          tree.set(number * PAGE_BYTES, 3, leaf(to * PAGE_BYTES, 3));
          model.set(number, to);
        } else if (kind === "block") {
          const target = to - (to % 512);
          tree.set(first * PAGE_BYTES, 2, leaf(target * PAGE_BYTES, 2));
          for (let index = 0; index < 512; index++) model.set(first + index, target + index);
        } else if (kind === "split" && block) {
          const base = (model.get(first) as number) * PAGE_BYTES - first * PAGE_BYTES;
          tree.split(number * PAGE_BYTES, (input) => leaf(base + input, 3));
        } else if (kind === "clear") {
          tree.clear(number * PAGE_BYTES);
          if (block) for (let index = 0; index < 512; index++) model.delete(first + index);
          else model.delete(number);
        }
      }
      for (let number = 0; number < 2048; number += 7) {
        const expected = model.get(number);
        expect(walk(number * PAGE_BYTES)).toBe(expected === undefined ? undefined : expected * PAGE_BYTES);
      }
      tree.destroy();
      expect(pages.size).toBe(0);
    }),
    { numRuns: 60 },
  );
});
