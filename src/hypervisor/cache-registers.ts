/**
 * What a guest reads of the caches: the core's own CLIDR, CCSIDR and CTR, or what Linux 6.12 makes up from CTR alone
 * (reset_clidr and get_ccsidr in arch/arm64/kvm/sys_regs.c), so that a set/way loop is one operation a level.
 */

import { type CoreRegisters, coreRegisters } from "../machine/registers.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";

export type GuestRegisters = Pick<CoreRegisters, "clidr" | "ctr" | "dczid" | "ccidx" | "readCcsidr">;

/** CTR_EL0 bits that a VMM may hide from its guest: with either clear, the guest does the maintenance itself. */
export interface ExposedCtr {
  readonly idc?: boolean;
  readonly dic?: boolean;
}

const CTR_IDC = 1n << 28n;
export const CTR_DIC = 1n << 29n;

// CLIDR_EL1.Ctype.
const INSTRUCTIONS_ONLY = 1n;
const DATA_ONLY = 2n;
const UNIFIED = 4n;

export function guestRegisters(
  machine: ResolvedMachine,
  core: number,
  geometry: "host" | "fabricated",
  exposed: ExposedCtr = {},
): GuestRegisters {
  const own = coreRegisters(machine, core);
  const ctr = exposedCtr(own.ctr, exposed);
  if (geometry === "host") return { ...own, ctr };
  return {
    clidr: madeUpClidr(ctr),
    ctr,
    dczid: own.dczid,
    ccidx: own.ccidx,
    readCcsidr: (csselr) => madeUpCcsidr(ctr, csselr),
  };
}

function exposedCtr(ctr: bigint, { idc, dic }: ExposedCtr): bigint {
  const set = (value: bigint, bit: bigint, on: boolean | undefined) =>
    on === undefined ? value : on ? value | bit : value & ~bit;
  return set(set(ctr, CTR_IDC, idc), CTR_DIC, dic);
}

/**
 * One level of data, as the PoU says that it must be cleaned; with IDC one unified level, outside an instruction cache
 * where DIC asks for none to be invalidated.
 */
function madeUpClidr(ctr: bigint): bigint {
  const idc = (ctr & CTR_IDC) !== 0n;
  const dic = (ctr & CTR_DIC) !== 0n;
  const loc = idc && !dic ? 2n : 1n;
  const data = idc ? UNIFIED << (3n * (loc - 1n)) : (1n << 27n) | (1n << 21n) | DATA_ONLY;
  return data | (dic ? 0n : INSTRUCTIONS_ONLY) | (loc << 24n);
}

/** The smallest line, 1 set, 1 way. */
function madeUpCcsidr(ctr: bigint, csselr: number): bigint {
  const logWords = (csselr & 1) === 1 ? ctr & 15n : (ctr >> 16n) & 15n;
  return logWords + 2n - 4n;
}
