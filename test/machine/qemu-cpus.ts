/**
 * The CPU models of data/cpu_cache_regs.tsv as machine descriptions: geometry from the row, and the few register
 * fields that geometry cannot determine, listed one by one.
 */
import type { MachineDescription } from "../../src/machine/schema.ts";
import { type Row, readTable } from "./tables.ts";

type Registers = NonNullable<MachineDescription["registers"]>;
type Features = NonNullable<MachineDescription["features"]>;

interface Given {
  readonly registers: Registers;
  readonly features?: Features;
}

/** Write-Back, read- and write-allocate as older formats of CCSIDR_EL1[31:28] said it. */
const usual = { L1D: 7, L1I: 2, L2: 7 };
const vipt = "vipt" as const;

const GIVEN: Readonly<Record<string, Given>> = {
  aarch64_a57: { registers: { ccsidrUnknown: usual } },
  aarch64_a53: { registers: { ccsidrUnknown: usual, l1ip: vipt } },
  aarch64_a35: { registers: { ccsidrUnknown: usual, l1ip: vipt } },
  aarch64_a55: { registers: { ccsidrUnknown: usual, l1ip: vipt, louu: 0, louis: 0, icb: 2 } },
  aarch64_a72: { registers: { ccsidrUnknown: usual } },
  aarch64_a76: { registers: { ccsidrUnknown: usual, louu: 0, louis: 0, icb: 2 } },
  aarch64_a64fx: { registers: { ccsidrUnknown: usual, l1ip: vipt, loc: 0, louu: 0, louis: 0, icb: 2, zvaBlock: 256 } },
  aarch64_neoverse_n1: { registers: { ccsidrUnknown: usual, louu: 0, louis: 0, icb: 2 } },
  aarch64_neoverse_v1: { registers: { icb: 2 }, features: { idc: true, dic: true, ccidx: true } },
  aarch64_a710: { registers: { icb: 2, ttype: [2, 2], tminLine: 64 }, features: { idc: true, ccidx: true } },
  aarch64_neoverse_n2: {
    registers: { icb: 2, ttype: [2, 2], tminLine: 64 },
    features: { idc: true, dic: true, ccidx: true },
  },
  // LoC counts a level that this model of the core doesn't have; its CCSIDR is unknown altogether.
  cortex_a8: {
    registers: {
      ccsidrUnknown: { L1D: 14, L1I: 2, L2: 15 },
      l1ip: vipt,
      loc: 2,
      louis: 0,
      erg: 4,
      cwg: 16,
      zvaBlock: 0,
    },
  },
  cortex_a9: { registers: { ccsidrUnknown: { L1D: 14, L1I: 2 }, l1ip: vipt, louis: 0, erg: 4, cwg: 4, zvaBlock: 0 } },
  // Its CTR_EL0 says 32-byte instruction lines and its CCSIDR 64.
  cortex_a7: { registers: { ccsidrUnknown: usual, l1ip: vipt, iminLine: 32, zvaBlock: 0 } },
  cortex_a15: { registers: { ccsidrUnknown: usual, zvaBlock: 0 } },
  cortex_r52: { registers: { ccsidrUnknown: { L1D: 7, L1I: 2 }, louis: 0, cwg: 8, zvaBlock: 0 } },
  arm_max: { registers: { ccsidrUnknown: usual, zvaBlock: 0 } },
};

/** Rows of the table with the description of a one-core machine of each. */
export function qemuCpus(): { row: Row; description: MachineDescription }[] {
  return readTable("cpu_cache_regs.tsv").map((row) => {
    const cache = (level: string) => ({
      sets: Number(row[`${level}_sets`]),
      ways: Number(row[`${level}_ways`]),
      line: Number(row[`${level}_line`]),
    });
    const { registers, features = {} } = GIVEN[row.cpu!]!;
    const hasL2 = row.ctype2 === "4";
    return {
      row,
      description: {
        name: row.cpu!,
        cores: 1,
        caches: { L1D: cache("l1d"), L1I: cache("l1i"), ...(hasL2 ? { L2: cache("l2") } : {}) },
        registers,
        features,
      },
    };
  });
}
