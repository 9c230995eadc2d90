/** Does the host hand out each page once, in the same order every time, and never one that the engines can't hold? */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_BYTES } from "../../src/hypervisor/descriptors.ts";
import { PageAllocator } from "../../src/hypervisor/pages.ts";
import { loadMachine } from "../../src/machine/index.ts";

const MIB = 2 ** 20;
const machine = loadMachine("seattle");

describe("order", () => {
  it("lowest first, and what was freed last comes first", () => {
    const pages = new PageAllocator(machine, [{ base: 0x1000, bytes: MIB }]);
    const [first, second, third] = [pages.allocatePage(), pages.allocatePage(), pages.allocatePage()];
    expect([first, second, third]).toEqual([0x1000, 0x2000, 0x3000]);
    pages.freePage(first);
    pages.freePage(third);
    expect([pages.allocatePage(), pages.allocatePage(), pages.allocatePage()]).toEqual([0x3000, 0x1000, 0x4000]);
  });
  it("blocks are aligned, and the pages that this skips aren't lost", () => {
    const pages = new PageAllocator(machine, [{ base: 0x1000, bytes: 4 * MIB }]);
    expect(pages.allocateBlock()).toBe(0x20_0000);
    expect(pages.allocatePage()).toBe(0x1000);
    pages.freeBlock(0x20_0000);
    expect(pages.allocateBlock()).toBe(0x20_0000);
  });
  it("goes on to the next range, and says when there is none", () => {
    const pages = new PageAllocator(machine, [
      { base: 0, bytes: PAGE_BYTES },
      { base: 0x8000, bytes: PAGE_BYTES },
    ]);
    expect([pages.allocatePage(), pages.allocatePage()]).toEqual([0, 0x8000]);
    expect(() => pages.allocatePage()).toThrow(/out of memory/);
  });
});

it("a shared page is free when its last user frees it", () => {
  const pages = new PageAllocator(machine, [{ base: 0, bytes: MIB }]);
  const page = pages.allocatePage();
  pages.share(page);
  pages.freePage(page);
  expect(pages.isShared(page)).toBe(false);
  expect(pages.allocatePage()).toBe(0x1000);
  pages.freePage(page);
  expect(pages.allocatePage()).toBe(page);
});

it("never gives the page of the line that has no number (D7)", () => {
  const huge = loadMachine({
    ...{ name: "huge", cores: [{ name: "core", count: 1 }], caches: { L1D: { size: "32KiB", ways: 2, line: 64 } } },
    memory: [{ base: 0, size: "256GiB" }],
  });
  const bytes = 256 * 2 ** 30;
  expect(huge.memory[0]?.sizeBytes).toBe(bytes - 64);
  const pages = new PageAllocator(huge);
  let last = 0;
  // Blocks up to the last one, which its last page spoils, then what is left of it.
  for (let block = 0; block < bytes / (2 * MIB) - 1; block++) last = pages.allocateBlock();
  expect(last).toBe(bytes - 4 * MIB);
  expect(() => pages.allocateBlock()).toThrow(/out of memory/);
  for (let page = 0; page < 511; page++) last = pages.allocatePage();
  expect(last).toBe(bytes - 2 * PAGE_BYTES);
  expect(() => pages.allocatePage()).toThrow(/out of memory/);
});

it("no page has two users, whatever is taken and freed", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("page", "block", "four", "free"), { maxLength: 60 }), (steps) => {
      const pages = new PageAllocator(machine, [{ base: 0x3000, bytes: 300 * MIB }]);
      const used = new Map<number, () => void>();
      const take = (base: number, count: number, free: () => void) => {
        expect(base % (count * PAGE_BYTES)).toBe(0);
        for (let page = base; page < base + count * PAGE_BYTES; page += PAGE_BYTES) {
          for (const [other, { length }] of [...used].map(
            ([at, release]) => [at, { length: sizes.get(release) }] as const,
          )) {
            expect(page >= other && page < other + (length as number) * PAGE_BYTES).toBe(false);
          }
        }
        sizes.set(free, count);
        used.set(base, free);
      };
      const sizes = new Map<() => void, number>();
      for (const step of steps) {
        if (step === "page") {
          const page = pages.allocatePage();
          take(page, 1, () => pages.freePage(page));
        } else if (step === "block") {
          const block = pages.allocateBlock();
          take(block, 512, () => pages.freeBlock(block));
        } else if (step === "four") {
          const four = pages.allocatePages(4);
          take(four, 4, () => pages.freePages(four, 4));
        } else {
          const [base, free] = [...used].at(-1) ?? [];
          if (base === undefined || free === undefined) continue;
          free();
          used.delete(base);
        }
      }
    }),
    { numRuns: 30 },
  );
});
