/** Is each era the row that arm-facts B.1 gives, and does a variant change what it names and nothing else? */
import { describe, expect, it } from "vitest";
import { HCR } from "../../src/engine/system-registers.ts";
import { ERA_NAMES, ERAS, erasOf, type PolicyStep, policyOf } from "../../src/hypervisor/eras.ts";
import { loadMachine } from "../../src/machine/index.ts";

const seattle = loadMachine("seattle");
const graviton3 = loadMachine("graviton3");

it.each([
  ["none", { tsw: false, tvm: false, tid2: false, fwb: false }],
  ["3.9", { tsw: true, tvm: false, tid2: false, fwb: false }],
  ["4.1", { tsw: true, tvm: true, tid2: false, fwb: false }],
  ["modern", { tsw: true, tvm: true, tid2: true, fwb: false }],
  ["fwb", { tsw: true, tvm: false, tid2: true, fwb: true }],
] as const)("%s traps what it did", (era, { tsw, tvm, tid2, fwb }) => {
  const { hcr } = ERAS[era];
  const has = (bit: bigint) => (hcr & bit) !== 0n;
  expect({ tsw: has(HCR.TSW), tvm: has(HCR.TVM), tid2: has(HCR.TID2), fwb: has(HCR.FWB) }).toEqual({
    tsw,
    tvm,
    tid2,
    fwb,
  });
  expect([has(HCR.VM), has(HCR.SWIO), has(HCR.FB)], "in every era").toEqual([true, true, true]);
});

describe("a machine's eras", () => {
  it("are all with FEAT_S2FWB, and all but fwb without", () => {
    expect(erasOf(graviton3)).toEqual(ERA_NAMES);
    expect(erasOf(seattle)).toEqual(ERA_NAMES.filter((name) => name !== "fwb"));
  });
  it("others are refused, with those that it has", () => {
    expect(() => policyOf(seattle, "fwb")).toThrow(/lack FEAT_S2FWB.*era fwb.*modern/);
    expect(() => policyOf(seattle, "5.0" as never)).toThrow(/no such era.*none, 3.9/);
  });
});

describe("steps left out", () => {
  it("clear the trap that they are, and no other", () => {
    const whole = policyOf(seattle, "4.1");
    expect(policyOf(seattle, "4.1", {}, ["virtual-memory trap"]).hcr).toBe(whole.hcr & ~HCR.TVM);
    expect(policyOf(seattle, "4.1", {}, ["set/way trap"]).hcr).toBe(whole.hcr & ~HCR.TSW);
    expect(policyOf(seattle, "modern", {}, ["made-up geometry"])).toMatchObject({ geometry: "host" });
  });
  it("are told apart", () => {
    const policy = policyOf(seattle, "4.1", {}, ["flush at unmap"]);
    expect([policy.does("flush at unmap"), policy.does("flush at map")]).toEqual([false, true]);
  });
  it("must exist", () => {
    expect(() => policyOf(seattle, "4.1", {}, ["flush at noon" as PolicyStep])).toThrow(/flush at noon.*flush at map/);
  });
});

it("fields can be replaced", () => {
  expect(policyOf(seattle, "4.1", { mapFlush: "always" })).toMatchObject({ mapFlush: "always", unmapFlush: true });
});
