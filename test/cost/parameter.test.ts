/** Are lists of values read as people type them, and is what means nothing refused with a hint? */
import { describe, expect, it } from "vitest";
import { formatValue, type Parameter, parseValues } from "../../src/cost/parameter.ts";

const GUEST: Parameter = { summary: "", unit: "bytes", least: 2 ** 26, most: 2 ** 36, factor: 4, default: "64MiB" };
const SHARE: Parameter = { summary: "", unit: "%", least: 1, most: 100, factor: 10, default: "100" };
const CORES: Parameter = { summary: "", unit: "count", least: 1, most: 100, whole: true, default: "1" };
const WORD: Parameter = { summary: "", words: ["page", "block"], default: "page" };
const SINGLE: Parameter = { ...CORES, single: true };

describe("lists of values", () => {
  it.each([
    [GUEST, "64MiB..64GiB", [2 ** 26, 2 ** 28, 2 ** 30, 2 ** 32, 2 ** 34, 2 ** 36]],
    [GUEST, "64 MiB..1GiB, 4GiB", [2 ** 26, 2 ** 28, 2 ** 30, 2 ** 32]],
    [SHARE, "1..100", [1, 10, 100]],
    [SHARE, "50 %,12.5", [50, 12.5]],
    [CORES, "1..100", [1, 2, 4, 8, 16, 32, 64, 100]],
    [CORES, "3,3,3..3", [3]],
    [WORD, "all", ["page", "block"]],
    [WORD, "Block", ["block"]],
  ])("%j reads %s", (parameter, text, values) => {
    expect(parseValues("x", parameter, text)).toEqual(values);
  });

  it.each([
    [GUEST, "1MiB", "--x: bad value; found 1MiB; expected 64 MiB to 64 GiB"],
    [GUEST, "1GiB..64MiB", "bad value"],
    [GUEST, "1GiB..2GiB..4GiB", "bad value"],
    [GUEST, "", "found nothing"],
    [SHARE, "0..100", "expected 1 % to 100 %"],
    [CORES, "1.5", "bad value"],
    [CORES, "-1", "bad value"],
    [CORES, "0x10", "bad value"],
    [SINGLE, "1,2", "found 2 values; expected 1 to 100"],
    [WORD, "blok", "did you mean block?"],
    [{ ...WORD, single: true } as Parameter, "all", "expected one of page, block"],
  ])("%j refuses %s", (parameter, text, message) => {
    expect(() => parseValues("x", parameter, text)).toThrow(message);
  });

  it("are read back from what is shown", () => {
    for (const [parameter, value] of [
      [GUEST, 2 ** 28],
      [SHARE, 12.5],
      [CORES, 7],
      [WORD, "page"],
    ] as const) {
      expect(parseValues("x", parameter, formatValue(parameter, value))).toEqual([value]);
    }
  });
});
