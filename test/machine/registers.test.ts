/** Are the identification registers those of known cores, computed from nothing but geometry and a few given fields? */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  cacheTypeOf,
  coreRegisters,
  decodeCcsidr,
  decodeCsselr,
  encodeCcsidr,
  encodeCsselr,
  levelsOfUnification,
} from "../../src/machine/registers.ts";
import { resolveMachine } from "../../src/machine/resolve.ts";
import { qemuCpus } from "./qemu-cpus.ts";

const hex = (value: bigint) => `0x${value.toString(16)}`;
const CSSELR = { l1d: 0, l1i: 1, l2: 2 } as const;

describe("every row of cpu_cache_regs.tsv is reproduced", () => {
  test("the table has 17 CPU models", () => {
    expect(qemuCpus()).toHaveLength(17);
  });

  test.each(qemuCpus().map((cpu) => [cpu.row.cpu!, cpu] as const))("%s", (_name, { row, description }) => {
    const machine = resolveMachine(description);
    const registers = coreRegisters(machine, 0);
    const { loc, louu, louis } = levelsOfUnification(machine, 0);
    const ctr = Number(registers.ctr & 0xffff_ffffn);
    const bytes = (shift: number) => String(4 << ((ctr >> shift) & 15));
    const computed: Record<string, string> = {
      ctr_el0: hex(registers.ctr),
      iminline_B: bytes(0),
      dminline_B: bytes(16),
      l1ip: ["VPIPT", "AIVIVT", "VIPT", "PIPT"][(ctr >> 14) & 3]!,
      erg_B: bytes(20),
      cwg_B: bytes(24),
      idc: String((ctr >> 28) & 1),
      dic: String((ctr >> 29) & 1),
      clidr: hex(registers.clidr),
      ctype1: String(cacheTypeOf(registers.clidr, 1)),
      ctype2: String(cacheTypeOf(registers.clidr, 2)),
      ctype3: String(cacheTypeOf(registers.clidr, 3)),
      LoUIS: String(louis),
      LoC: String(loc),
      LoUU: String(louu),
      ICB: String((registers.clidr >> 30n) & 7n),
    };
    for (const [level, csselr] of Object.entries(CSSELR)) {
      const value = registers.readCcsidr(csselr);
      // A level without a cache has a dash in the table where nothing was read.
      computed[`ccsidr_${level}`] = hex(value);
      if (row[`${level}_sets`] === "-") continue;
      const { sets, ways, lineBytes } = decodeCcsidr(value, registers.ccidx);
      computed[`${level}_sets`] = String(sets);
      computed[`${level}_ways`] = String(ways);
      computed[`${level}_line`] = String(lineBytes);
      computed[`${level}_KB`] = String(Math.floor((sets * ways * lineBytes) / 1024));
    }
    if (row.dczva_B !== "-") computed.dczva_B = String(4 << Number(registers.dczid & 15n));
    else expect(registers.dczid).toBe(0x10n);

    const unchecked = new Set(["cpu", "source", ...Object.keys(row).filter((column) => row[column] === "-")]);
    const wanted = Object.fromEntries(Object.entries(row).filter(([column]) => !unchecked.has(column)));
    expect(computed).toEqual(wanted);
  });

  const shared = new URL("../../../shared/data/cpu_cache_regs.tsv", import.meta.url);
  test.skipIf(!existsSync(shared))("the table here is the shared one (skipped without ../shared)", () => {
    for (const name of ["cpu_cache_regs.tsv", "setway_summary.tsv", "setway_ops.tsv"]) {
      const here = readFileSync(new URL(`./data/${name}`, import.meta.url), "utf8");
      expect(here).toBe(readFileSync(new URL(name, shared), "utf8"));
    }
  });
});

describe("do the encodings hold at their edges?", () => {
  test.each([
    [{ lineBytes: 16, ways: 1, sets: 1 }, false, 0n],
    [{ lineBytes: 2048, ways: 1024, sets: 32768 }, false, 0x0fff_ffffn],
    [{ lineBytes: 64, ways: 3, sets: 2304 }, false, (2303n << 13n) | (2n << 3n) | 2n],
    [{ lineBytes: 2048, ways: 2 ** 21, sets: 2 ** 24 }, true, 0x00ff_ffff_00ff_ffffn],
  ] as const)("CCSIDR of %o, CCIDX %s", (geometry, ccidx, value) => {
    expect(encodeCcsidr(geometry, ccidx)).toBe(value);
    expect(decodeCcsidr(value, ccidx)).toEqual(geometry);
  });

  test("CSSELR: level - 1 in bits 3:1, InD in bit 0", () => {
    expect(encodeCsselr({ level: 1, instruction: true })).toBe(1);
    expect(encodeCsselr({ level: 7, instruction: false })).toBe(12);
    for (let csselr = 0; csselr < 14; csselr++) expect(encodeCsselr(decodeCsselr(csselr))).toBe(csselr);
  });
});

describe("what do levels of unification follow from?", () => {
  const l1 = { size: "32KiB", ways: 4 };
  const l2 = { size: "1MiB", ways: 16 };
  test.each([
    ["no caches", {}, {}, { loc: 0, louu: 0, louis: 0 }, true],
    ["split L1 alone", { L1I: l1, L1D: l1 }, {}, { loc: 1, louu: 1, louis: 1 }, false],
    ["split L1 and L2", { L1I: l1, L1D: l1, L2: l2 }, {}, { loc: 2, louu: 1, louis: 1 }, false],
    ["a system cache is not in CLIDR", { L1D: l1, L2: l2, L3: l2 }, {}, { loc: 2, louu: 1, louis: 1 }, false],
    [
      "nor is a level without set/way",
      { L1D: l1, L2: { ...l2, setWay: false } },
      {},
      { loc: 1, louu: 1, louis: 1 },
      false,
    ],
    ["IDC", { L1I: l1, L1D: l1, L2: l2 }, { features: { idc: true } }, { loc: 2, louu: 0, louis: 0 }, true],
    [
      "LoUU = LoUIS = 0 is effective IDC (R35)",
      { L1I: l1, L1D: l1, L2: l2 },
      { registers: { louu: 0, louis: 0 } },
      { loc: 2, louu: 0, louis: 0 },
      true,
    ],
    [
      "one of the two isn't",
      { L1I: l1, L1D: l1, L2: l2 },
      { registers: { louis: 0 } },
      { loc: 2, louu: 1, louis: 0 },
      false,
    ],
    [
      "CLIDR given whole",
      { L1I: l1, L1D: l1, L2: l2 },
      { registers: { clidr: 0x0a200023 } },
      { loc: 2, louu: 1, louis: 1 },
      false,
    ],
  ] as const)("%s", (_title, caches, rest, levels, idc) => {
    const machine = resolveMachine({ cores: 2, caches, ...rest });
    expect(levelsOfUnification(machine, 1)).toEqual(levels);
    expect(machine.idc).toBe(idc);
  });
});
