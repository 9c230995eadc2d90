// Why a record didn't play (D40, D50): one block of plain numbers that the host turns into an Exit.

import { allocate } from "./layout";
import {
  EXIT_ACCESS_FETCH,
  EXIT_ACCESS_MAINTENANCE,
  EXIT_ACCESS_READ,
  EXIT_ACCESS_WRITE,
  EXIT_ALIGNMENT,
  EXIT_ATOMIC,
  EXIT_EXTERNAL,
  EXIT_RESERVED,
  EXIT_TRAP,
  OP_ATOMIC,
  OP_DC_IVAC,
  OP_DC_ZVA,
  OP_EVICT,
  OP_FETCH,
  OP_LOAD,
  OP_PREFETCH,
  OP_STORE,
} from "./operations";

/** Numbers of 64 bits, in the order in which src/engine/kernel.ts reads them. */
export let exitBlock: usize = 0;
const X_TYPE: usize = 0;
const X_TARGET: usize = 8;
const X_STAGE: usize = 16;
const X_LEVEL: usize = 24;
const X_REQUESTER: usize = 32;
const X_ACCESS: usize = 40;
const X_ADDRESS: usize = 48;
const X_UPPER: usize = 56;
const X_IPA: usize = 64;
const X_PHYSICAL: usize = 72;
const X_DURING_WALK: usize = 80;
const X_OPERATION: usize = 88;
const X_OPERAND: usize = 96;
const X_VALUE: usize = 104;

export const NONE: i64 = -1;

export function allocateExit(): void {
  exitBlock = allocate(128, 64);
}

/** What was met, wherever in a translation: the record's own fields follow in `finishExit`. */
export function meet(kind: u32, stage: u32, level: i32, ipa: i64, physical: i64, duringWalk: bool): void {
  const toKernel = stage == 1 || kind == EXIT_ALIGNMENT || kind == EXIT_EXTERNAL || kind == EXIT_ATOMIC;
  store<u64>(exitBlock, kind, X_TYPE);
  store<u64>(exitBlock, toKernel && kind != EXIT_RESERVED ? 1 : 2, X_TARGET);
  store<u64>(exitBlock, stage, X_STAGE);
  store<i64>(exitBlock, level, X_LEVEL);
  store<i64>(exitBlock, NONE, X_ADDRESS);
  store<u64>(exitBlock, 0, X_UPPER);
  store<i64>(exitBlock, ipa, X_IPA);
  store<i64>(exitBlock, physical, X_PHYSICAL);
  store<u64>(exitBlock, duringWalk ? 1 : 0, X_DURING_WALK);
}

export function meetTrap(target: u32): void {
  meet(EXIT_TRAP, 0, -1, NONE, NONE, false);
  store<u64>(exitBlock, target, X_TARGET);
}

/** The VA at which it was met: 48 bits, and whether those above are ones. */
export function setExitAddress(address: u64, upper: bool): void {
  store<u64>(exitBlock, address, X_ADDRESS);
  store<u64>(exitBlock, upper ? 1 : 0, X_UPPER);
}

/** What the record was: what a hypervisor emulates. */
export function finishExit(requester: u32, op: u32, operand: u64, value: u64): void {
  store<u64>(exitBlock, requester, X_REQUESTER);
  store<u64>(exitBlock, accessOf(op), X_ACCESS);
  store<u64>(exitBlock, op, X_OPERATION);
  store<u64>(exitBlock, operand, X_OPERAND);
  store<u64>(exitBlock, value, X_VALUE);
}

function accessOf(op: u32): u32 {
  if (op == OP_FETCH) return EXIT_ACCESS_FETCH;
  if (op == OP_STORE || op == OP_ATOMIC || op == OP_DC_ZVA || op == OP_DC_IVAC) return EXIT_ACCESS_WRITE;
  return op == OP_LOAD || op == OP_PREFETCH || op == OP_EVICT ? EXIT_ACCESS_READ : EXIT_ACCESS_MAINTENANCE;
}
