/**
 * The set/way loops that Linux runs, as generators of 32-bit operands. Each reads CLIDR_EL1 and CCSIDR_EL1 and computes
 * what the kernel's code computes from them (arm-facts B.2, B.3), so a machine's loop is that machine's.
 */
import { type CoreRegisters, cacheTypeOf, decodeCcsidr, levelsOfClidr } from "./registers.ts";

/** The part of a core's registers that the loops read. */
export type SetWayRegisters = Pick<CoreRegisters, "clidr" | "ccidx" | "readCcsidr">;

/** One level's bounds and shifts. */
export interface SetWayLevel {
  /** CSSELR_EL1 value: (level - 1) << 1, which is also the operand's lowest bits. */
  readonly csselr: number;
  readonly setShift: number;
  readonly wayShift: number;
  readonly lastSet: number;
  readonly lastWay: number;
}

export interface SetWayRoutine {
  readonly name: string;
  /** The kernel's function and the version it was read in. */
  readonly source: string;
  readonly operation: "DC_CISW" | "DC_ISW";
  readonly order: "way outer, set inner" | "set outer, way inner";
  /** Operands in the order of execution. */
  readonly operands: (registers: SetWayRegisters) => Generator<number, void, undefined>;
}

/** The levels below LoC that hold data: the loops skip Ctype 0 (none) and 1 (instructions only). */
export function setWayLevels(registers: SetWayRegisters): SetWayLevel[] {
  const { loc } = levelsOfClidr(registers.clidr);
  const levels: SetWayLevel[] = [];
  for (let level = 1; level <= loc; level++) {
    if (cacheTypeOf(registers.clidr, level) >= 2) levels.push(selectLevel(registers, (level - 1) << 1));
  }
  return levels;
}

function selectLevel(registers: SetWayRegisters, csselr: number): SetWayLevel {
  const { lineBytes, ways, sets } = decodeCcsidr(registers.readCcsidr(csselr), registers.ccidx);
  return {
    csselr,
    setShift: Math.log2(lineBytes),
    // The kernel's clz; of 0 it is 32, and a direct-mapped cache's only way is 0 whatever the shift.
    wayShift: Math.clz32(ways - 1),
    lastSet: sets - 1,
    lastWay: ways - 1,
  };
}

const operandOf = (level: SetWayLevel, set: number, way: number): number =>
  ((way === 0 ? 0 : way << level.wayShift) | (set << level.setShift) | level.csselr) >>> 0;

function* wayOuter(level: SetWayLevel): Generator<number, void, undefined> {
  for (let way = level.lastWay; way >= 0; way--) {
    for (let set = level.lastSet; set >= 0; set--) yield operandOf(level, set, way);
  }
}

function* setOuter(level: SetWayLevel): Generator<number, void, undefined> {
  for (let set = level.lastSet; set >= 0; set--) {
    for (let way = level.lastWay; way >= 0; way--) yield operandOf(level, set, way);
  }
}

/** arch/arm/mm/cache-v7.S: every level to the PoC. */
function* flushDcacheAll(registers: SetWayRegisters): Generator<number, void, undefined> {
  for (const level of setWayLevels(registers)) yield* wayOuter(level);
}

/** arch/arm/boot/compressed/head.S up to 5.6: the same levels, the loops the other way round. */
function* decompressorFlush(registers: SetWayRegisters): Generator<number, void, undefined> {
  for (const level of setWayLevels(registers)) yield* setOuter(level);
}

/** arch/arm/mm/cache-v7.S at secondary boot and early start: the L1 data cache alone, without looking at CLIDR. */
function* invalidateL1(registers: SetWayRegisters): Generator<number, void, undefined> {
  yield* setOuter(selectLevel(registers, 0));
}

function* invalidateL1ByWay(registers: SetWayRegisters): Generator<number, void, undefined> {
  yield* wayOuter(selectLevel(registers, 0));
}

export const SET_WAY_ROUTINES = {
  flushDcacheAll: {
    name: "v7_flush_dcache_all",
    source: "linux6.12:v7_flush_dcache_all",
    operation: "DC_CISW",
    order: "way outer, set inner",
    operands: flushDcacheAll,
  },
  decompressorFlush: {
    name: "__armv7_mmu_cache_flush",
    source: "linux4.1:__armv7_mmu_cache_flush",
    operation: "DC_CISW",
    order: "set outer, way inner",
    operands: decompressorFlush,
  },
  /** The order that zimage-boot's kernel executed. */
  invalidateL1: {
    name: "v7_invalidate_l1",
    source: "linux4.1:v7_invalidate_l1",
    operation: "DC_ISW",
    order: "set outer, way inner",
    operands: invalidateL1,
  },
  /** As rewritten in 2021, without using the stack. */
  invalidateL1ByWay: {
    name: "v7_invalidate_l1",
    source: "linux6.12:v7_invalidate_l1",
    operation: "DC_ISW",
    order: "way outer, set inner",
    operands: invalidateL1ByWay,
  },
} as const satisfies Record<string, SetWayRoutine>;
