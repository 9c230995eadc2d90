/** Do descriptors and control registers have the bits that D45 and D47 read? Values are put together from the Arm ARM's fields. */
import { describe, expect, it } from "vitest";
import {
  memAttrOf,
  spanOf,
  stage1Leaf,
  stage2Leaf,
  stage2Shape,
  tableDescriptor,
  tcrOf,
  vtcrOf,
  vttbrOf,
} from "../../src/hypervisor/descriptors.ts";

const bits = (value: bigint, high: number, low: number) =>
  Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));

describe("leaves of stage 2", () => {
  it("of a page: Write-Back, inner shareable, read and write, executable, accessed", () => {
    expect(stage2Leaf({ level: 3, output: 0x8765_4000, memAttr: 0b1111 })).toBe(0x8765_47ffn);
  });
  it("of a block: not a table, and the other permissions", () => {
    const leaf = stage2Leaf({ level: 2, output: 0x4020_0000, memAttr: 0b0001, write: false, execute: false });
    expect([bits(leaf, 1, 0), bits(leaf, 5, 2), bits(leaf, 7, 6), bits(leaf, 54, 54)]).toEqual([1, 1, 1, 1]);
    expect(leaf & 0xffff_ffff_f000n).toBe(0x4020_0000n);
  });
  it("of large physical addresses", () => {
    expect(stage2Leaf({ level: 3, output: 2 ** 47 + 4096, memAttr: 0 }) & 0xffff_ffff_f000n).toBe(2n ** 47n + 4096n);
  });
});

describe("leaves of stage 1", () => {
  it.each([
    [{}, { ap: 0, ng: 0, pxn: 0, uxn: 1 }],
    [{ write: false }, { ap: 2, ng: 0, pxn: 0, uxn: 1 }],
    [{ user: true }, { ap: 1, ng: 0, pxn: 0, uxn: 0 }],
    [
      { user: true, write: false, execute: false, global: false },
      { ap: 3, ng: 1, pxn: 1, uxn: 0 },
    ],
    [{ executeAtUser: true }, { ap: 0, ng: 0, pxn: 0, uxn: 0 }],
  ])("%o", (options, { ap, ng, pxn, uxn }) => {
    const leaf = stage1Leaf({ level: 3, output: 0x1000, attribute: 3, ...options });
    expect([bits(leaf, 4, 2), bits(leaf, 7, 6), bits(leaf, 9, 8), bits(leaf, 10, 10)]).toEqual([3, ap, 3, 1]);
    expect([bits(leaf, 11, 11), bits(leaf, 53, 53), bits(leaf, 54, 54)]).toEqual([ng, pxn, uxn]);
  });
});

it("a table descriptor is its address with bits 1:0 set", () => expect(tableDescriptor(0x5000)).toBe(0x5003n));
it("a level's entry covers 512 of the next", () => {
  expect([0, 1, 2, 3].map(spanOf)).toEqual([2 ** 39, 2 ** 30, 2 ** 21, 4096]);
});

describe("where a stage-2 walk starts (KVM's stage2_pgtable_levels)", () => {
  it.each([
    [32, 2, 4],
    [34, 2, 16],
    [35, 1, 1],
    [36, 1, 1],
    [39, 1, 1],
    [40, 1, 2],
    [43, 1, 16],
    [44, 0, 1],
    [48, 0, 1],
  ])("%i bits: level %i, %i tables", (ipaBits, startLevel, tables) => {
    expect(stage2Shape(ipaBits)).toEqual({ startLevel, tables });
    const vtcr = vtcrOf(ipaBits);
    expect([bits(vtcr, 5, 0), bits(vtcr, 7, 6)]).toEqual([64 - ipaBits, 2 - startLevel]);
  });
  it.each([31, 49, 40.5])("not of %f bits", (ipaBits) => expect(() => stage2Shape(ipaBits)).toThrow(/IPA size/));
});

it("VTCR_EL2 and VTTBR_EL2", () => {
  const vtcr = vtcrOf(40, 44);
  expect([bits(vtcr, 9, 8), bits(vtcr, 11, 10), bits(vtcr, 13, 12), bits(vtcr, 18, 16), bits(vtcr, 19, 19)]).toEqual([
    1, 1, 3, 4, 1,
  ]);
  expect(vttbrOf(0x8000, 0x1234)).toBe(0x1234_0000_0000_8000n);
});

it("TCR_EL1: both halves alike, the upper one off where it has no tables", () => {
  const tcr = tcrOf({ vaBits: 39, upper: false, walks: "non-cacheable" });
  expect([bits(tcr, 5, 0), bits(tcr, 7, 7), bits(tcr, 9, 8), bits(tcr, 13, 12)]).toEqual([25, 0, 0, 2]);
  expect([bits(tcr, 21, 16), bits(tcr, 23, 23), bits(tcr, 25, 24)]).toEqual([25, 1, 0]);
  expect([bits(tcr, 34, 32), bits(tcr, 36, 36)]).toEqual([5, 1]);
});

describe("MemAttr", () => {
  it.each([
    ["write-back", false, 0b1111],
    ["write-back", true, 0b0110],
    ["forced write-back", true, 0b0110],
    ["stage 1", true, 0b0111],
    ["non-cacheable", true, 0b0101],
    ["non-cacheable", false, 0b0101],
    ["device", false, 0b0001],
    ["write-through", false, 0b1010],
  ] as const)("%s with FWB %s", (memory, fwb, expected) => expect(memAttrOf(memory, fwb)).toBe(expected));
  it("refuses what would be reserved", () => {
    expect(() => memAttrOf("forced write-back", false)).toThrow(/forced write-back/);
    expect(() => memAttrOf("write-through", true)).toThrow(/write-through/);
  });
});
