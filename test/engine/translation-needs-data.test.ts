/** Does a kernel without bytes refuse what would make a core translate, and nothing else (D38)? */
import { expect, test } from "vitest";
import { RecordError } from "../../src/engine/errors.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { mrs, msr, records } from "../../src/engine/record.ts";
import { machine } from "../properties/machines.ts";

const WALKS = 1 << 5;
const VM = 1n;
const TSW = 1n << 22n;

test("a write that would make a core translate is refused, and leaves the register as it was", () => {
  const kernel = createKernel(machine(), { data: false });
  kernel.play(records(msr(0, "HCR_EL2", TSW), msr(0, "TTBR0_EL1", 0x1000)));
  expect(() => kernel.play(records(msr(0, "HCR_EL2", VM)))).toThrow(RecordError);
  expect(() => kernel.play(records(msr(0, "CONTEXT", 1 | WALKS)))).toThrow(/carries data/);
  expect(kernel.records).toBe(2);
  // Still EL1 with the trap alone: a set/way operation exits, nothing else does.
  kernel.play(records(mrs(0, "HCR_EL2")));
  expect(kernel.records).toBe(3);
});

test("at EL2 the same registers may be written, until the core would leave it", () => {
  const kernel = createKernel(machine(), { data: false });
  kernel.play(records(msr(0, "CONTEXT", 2), msr(0, "HCR_EL2", VM)));
  expect(() => kernel.play(records(msr(0, "CONTEXT", 1)))).toThrow(/carries data/);
});
