/** What does a guest read of the caches, and how long is its set/way loop then? Figures are those of arm-facts B.1. */
import { describe, expect, it } from "vitest";
import { guestRegisters } from "../../src/hypervisor/cache-registers.ts";
import { loadMachine, PRESET_NAMES, SET_WAY_ROUTINES } from "../../src/machine/index.ts";
import { coreRegisters, decodeCcsidr, levelsOfClidr } from "../../src/machine/registers.ts";

const { operands } = SET_WAY_ROUTINES.flushDcacheAll;

describe.each(PRESET_NAMES)("on %s", (name) => {
  const machine = loadMachine(name);
  it("host geometry is the core's own", () => {
    const own = coreRegisters(machine, 0);
    const seen = guestRegisters(machine, 0, "host");
    expect([seen.clidr, seen.ctr, seen.readCcsidr(0)]).toEqual([own.clidr, own.ctr, own.readCcsidr(0)]);
  });
  it("the made-up one has at most two operations a loop, and the real line", () => {
    const seen = guestRegisters(machine, 0, "fabricated");
    expect([...operands(seen)].length).toBeLessThanOrEqual(2);
    const { sets, ways, lineBytes } = decodeCcsidr(seen.readCcsidr(0), seen.ccidx);
    expect([sets, ways]).toEqual([1, 1]);
    expect(lineBytes).toBe(4 << Number((coreRegisters(machine, 0).ctr >> 16n) & 15n));
  });
});

/** reset_clidr() of Linux 6.12, case by case. */
describe("the made-up CLIDR", () => {
  const machine = loadMachine("seattle");
  it.each([
    [{ idc: false, dic: false }, 0b011, { louis: 1, loc: 1, louu: 1 }],
    [{ idc: false, dic: true }, 0b010, { louis: 1, loc: 1, louu: 1 }],
    [{ idc: true, dic: false }, 0b100_001, { louis: 0, loc: 2, louu: 0 }],
    [{ idc: true, dic: true }, 0b100, { louis: 0, loc: 1, louu: 0 }],
  ])("with %o", (exposed, types, levels) => {
    const { clidr, ctr } = guestRegisters(machine, 0, "fabricated", exposed);
    expect(Number(clidr & 0x1f_ffffn)).toBe(types);
    expect(levelsOfClidr(clidr)).toEqual(levels);
    expect([(ctr >> 28n) & 1n, (ctr >> 29n) & 1n]).toEqual([BigInt(exposed.idc), BigInt(exposed.dic)]);
  });
});
