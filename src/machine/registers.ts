/**
 * The cache identification registers of a core, computed from its caches as R5 says: CLIDR_EL1, CCSIDR_EL1 in both
 * formats, CSSELR_EL1, CTR_EL0 and DCZID_EL0. Field positions are those of the Arm ARM (arm-facts C).
 */
import type { Cache, RegisterOverrides, ResolvedMachine } from "./resolved.ts";

/** CSSELR_EL1.{Level, InD}; TnD is never set. */
export interface CacheSelection {
  /** 1 to 7. */
  readonly level: number;
  readonly instruction: boolean;
}

export interface CacheGeometry {
  readonly lineBytes: number;
  readonly ways: number;
  readonly sets: number;
}

export interface LevelsOfUnification {
  readonly loc: number;
  readonly louu: number;
  readonly louis: number;
}

/** One CCSIDR_EL1 of a core, with the selection that reads it. */
export interface SelectedCcsidr extends CacheSelection {
  readonly csselr: number;
  readonly value: bigint;
}

/** What a core's identification registers read as. */
export interface CoreRegisters {
  readonly clidr: bigint;
  readonly ctr: bigint;
  readonly dczid: bigint;
  /** FEAT_CCIDX: which format `ccsidr` values have. */
  readonly ccidx: boolean;
  /** Every cache of CLIDR_EL1, L1D before L1I, then outwards. */
  readonly ccsidrs: readonly SelectedCcsidr[];
  /** CCSIDR_EL1 after CSSELR_EL1 has been written; for a cache that isn't there, its unknown bits alone. */
  readonly readCcsidr: (csselr: number) => bigint;
}

// CLIDR_EL1.Ctype.
const NO_CACHE = 0;
const INSTRUCTIONS_ONLY = 1;
const DATA_ONLY = 2;
const SEPARATE = 3;
const UNIFIED = 4;

const CLIDR_LEVELS = 7;
const L1IP_CODES = { vpipt: 0, aivivt: 1, vipt: 2, pipt: 3 } as const;

export function encodeCsselr({ level, instruction }: CacheSelection): number {
  return ((level - 1) << 1) | (instruction ? 1 : 0);
}

export function decodeCsselr(csselr: number): CacheSelection {
  return { level: ((csselr >> 1) & 7) + 1, instruction: (csselr & 1) === 1 };
}

/** `unknown` fills bits 31:28, which the 32-bit format leaves unknown and the 64-bit one reserves. */
export function encodeCcsidr(geometry: CacheGeometry, ccidx: boolean, unknown = 0): bigint {
  const line = BigInt(Math.log2(geometry.lineBytes) - 4);
  const ways = BigInt(geometry.ways - 1) << 3n;
  const sets = BigInt(geometry.sets - 1);
  return ccidx ? (sets << 32n) | ways | line : (BigInt(unknown) << 28n) | (sets << 13n) | ways | line;
}

export function decodeCcsidr(value: bigint, ccidx: boolean): CacheGeometry {
  return {
    lineBytes: 2 ** (Number(value & 7n) + 4),
    ways: Number((value >> 3n) & (ccidx ? 0x1f_ffffn : 0x3ffn)) + 1,
    sets: Number(ccidx ? (value >> 32n) & 0xff_ffffn : (value >> 13n) & 0x7fffn) + 1,
  };
}

/** CLIDR_EL1.Ctype of a level from 1 to 7. */
export const cacheTypeOf = (clidr: bigint, level: number): number => Number((clidr >> BigInt(3 * (level - 1))) & 7n);

export function levelsOfClidr(clidr: bigint): LevelsOfUnification {
  const field = (low: bigint) => Number((clidr >> low) & 7n);
  return { louis: field(21n), loc: field(24n), louu: field(27n) };
}

/** The caches that a core's CLIDR_EL1 can name, by level: those of its own path that set/way reaches, and its L1I. */
interface NamedLevel {
  readonly instructions: Cache | undefined;
  readonly data: Cache | undefined;
}

function namedLevels(machine: ResolvedMachine, coreId: number): NamedLevel[] {
  const core = machine.cores[coreId]!;
  const levels: NamedLevel[] = [];
  const l1i = machine.caches[core.l1i];
  const l1d = machine.caches[core.l1d];
  levels[1] = { instructions: l1i, data: l1d?.setWay ? l1d : undefined };
  // Home-placed caches are named by the instance of the core's own socket (D28).
  let cache = machine.caches[core.unifiedBySocket[core.socket]!];
  while (cache !== undefined && cache.depth <= CLIDR_LEVELS) {
    levels[cache.depth] = { instructions: undefined, data: cache.setWay ? cache : undefined };
    cache = machine.caches[cache.parentBySocket[core.socket]!];
  }
  return levels;
}

function cacheType({ instructions, data }: NamedLevel): number {
  if (data?.holds === "unified") return UNIFIED;
  if (instructions !== undefined) return data === undefined ? INSTRUCTIONS_ONLY : SEPARATE;
  return data === undefined ? NO_CACHE : DATA_ONLY;
}

/**
 * LoC is the outermost level in CLIDR_EL1; instruction and data sides meet outside L1, so LoUU and LoUIS are 1 where
 * there is an L1, and 0 where IDC says that nothing need be cleaned to the PoU. `registers` overrides each.
 */
export function levelsOfUnification(machine: ResolvedMachine, coreId: number): LevelsOfUnification {
  const overrides = machine.cores[coreId]?.registers ?? {};
  if (overrides.clidr !== undefined) return levelsOfClidr(BigInt(overrides.clidr));
  const types = namedLevels(machine, coreId).map(cacheType);
  const loc = types.reduce((outermost, type, level) => (type === NO_CACHE ? outermost : level), 0);
  const lou = loc === 0 || types[1] === NO_CACHE || machine.features?.idc === true ? 0 : 1;
  return {
    loc: overrides.loc ?? loc,
    louu: overrides.louu ?? lou,
    louis: overrides.louis ?? lou,
  };
}

/** Register fields that count words of 4 bytes by their logarithm. */
const logWords = (bytes: number): bigint => BigInt(Math.log2(bytes) - 2);

function clidrOf(machine: ResolvedMachine, coreId: number, overrides: RegisterOverrides): bigint {
  if (overrides.clidr !== undefined) return BigInt(overrides.clidr);
  const { loc, louu, louis } = levelsOfUnification(machine, coreId);
  let value =
    (BigInt(louis) << 21n) | (BigInt(loc) << 24n) | (BigInt(louu) << 27n) | (BigInt(overrides.icb ?? 0) << 30n);
  for (const [level, named] of namedLevels(machine, coreId).entries()) {
    if (named !== undefined) value |= BigInt(cacheType(named)) << BigInt(3 * (level - 1));
  }
  for (const [index, type] of (overrides.ttype ?? []).entries()) value |= BigInt(type) << BigInt(33 + 2 * index);
  return value;
}

function ctrOf(machine: ResolvedMachine, coreId: number, overrides: RegisterOverrides): bigint {
  const served = machine.caches.filter(({ cores }) => cores.includes(coreId));
  const dataLines = served.filter(({ holds }) => holds !== "instructions").map(({ lineBytes }) => lineBytes);
  const instructionLine = machine.caches[machine.cores[coreId]!.l1i]?.lineBytes;
  const smallest = dataLines.length === 0 ? machine.smallestLineBytes : Math.min(...dataLines);
  const largest = dataLines.length === 0 ? machine.largestLineBytes : Math.max(...dataLines);
  const { idc = false, dic = false } = machine.features ?? {};
  return (
    logWords(overrides.iminLine ?? instructionLine ?? smallest) |
    (BigInt(L1IP_CODES[overrides.l1ip ?? "pipt"]) << 14n) |
    (logWords(overrides.dminLine ?? smallest) << 16n) |
    (logWords(overrides.erg ?? largest) << 20n) |
    (logWords(overrides.cwg ?? largest) << 24n) |
    (idc ? 1n << 28n : 0n) |
    (dic ? 1n << 29n : 0n) |
    (1n << 31n) |
    (overrides.tminLine === undefined ? 0n : logWords(overrides.tminLine) << 32n)
  );
}

/** DCZID_EL0: block size in words, or DZP where DC ZVA is prohibited. */
function dczidOf(zvaBytes: number): bigint {
  return zvaBytes === 0 ? 1n << 4n : logWords(zvaBytes);
}

/** What the identification registers of one core read as. */
export function coreRegisters(machine: ResolvedMachine, coreId: number): CoreRegisters {
  const overrides = machine.cores[coreId]?.registers ?? {};
  const ccidx = machine.features?.ccidx ?? false;
  const unknownOf = (level: string) => overrides.ccsidrUnknown?.[level] ?? 0;
  const clidr = clidrOf(machine, coreId, overrides);
  const ccsidrs = namedLevels(machine, coreId).flatMap(({ data, instructions }, level) =>
    [data, instructions].flatMap((cache): SelectedCcsidr[] => {
      if (cache === undefined) return [];
      const selection = { level, instruction: cache.holds === "instructions" };
      const value = encodeCcsidr(cache, ccidx, unknownOf(cache.level));
      return [{ ...selection, csselr: encodeCsselr(selection), value }];
    }),
  );
  return {
    clidr,
    ctr: ctrOf(machine, coreId, overrides),
    dczid: dczidOf(machine.zvaBytes),
    ccidx,
    ccsidrs,
    readCcsidr: (csselr) => {
      const found = ccsidrs.find((each) => each.csselr === (csselr & 0xf));
      if (found !== undefined) return found.value;
      const { level, instruction } = decodeCsselr(csselr);
      const name = level === 1 ? (instruction ? "L1I" : "L1D") : `L${level}`;
      return ccidx || (instruction && level > 1) ? 0n : BigInt(unknownOf(name)) << 28n;
    },
  };
}
