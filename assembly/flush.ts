// FLUSH_STAGE2 (D54): the walk over everything that stage 2 maps, with which a hypervisor cleans a guest's memory.

import { cleanAndInvalidate } from "./civac";
import { setAttribute, setPiece } from "./hazard";
import { beginFlush, mayBeHeld, noteHeld, noteVain } from "./held";
import { caches, HOLDS_INSTRUCTIONS, largestShift, N_HOLDS, N_LINE_SHIFT, nodeAt } from "./layout";
import { enterRegion, events, machineCount, machineCountMany, regionBytes, regionDelta, regionLow } from "./memory";
import {
  ATTR_WRITE_BACK,
  EVENT_MAINTENANCE,
  MACHINE_FLUSHED_LEAVES,
  MACHINE_FLUSHED_LINES,
  REG_HCR_EL2,
} from "./operations";
import { isFirst } from "./own";
import { stamp, stampPage } from "./pending";
import { HCR_FWB, register } from "./registers";
import { ADDRESS_MASK, base, firstBits, firstLevel, inputBits, isTable, isValid, shiftAt, takeApart } from "./stage2";
import { descriptor, readDescriptor } from "./walk";

let flushFrom: u64 = 0;
let flushEnd: u64 = 0;
let flushLine: u64 = 64;
const PAGE_MASK: u64 = 4095;

/** Cleans and invalidates, as the core's DC CIVAC at EL2, what stage 2 maps cacheable between two IPAs. */
export function flushStageTwo(core: u32, from: u64, bytes: u64): void {
  if (!takeApart(core)) return;
  const limit = (<u64>1) << inputBits;
  flushFrom = from;
  flushEnd = from < limit ? from + min(bytes, limit - from) : from;
  if (flushFrom >= flushEnd) return;
  flushLine = smallestDataLine();
  beginFlush();
  flushTable(core, base, firstLevel, firstBits, 0);
}

/** The smallest line of data and unified caches. */
function smallestDataLine(): u64 {
  let smallest: u32 = INFINITE_SHIFT;
  for (let i: u32 = 0; i < caches; i++)
    if (load<u32>(nodeAt(i), N_HOLDS) != HOLDS_INSTRUCTIONS)
      smallest = min(smallest, load<u32>(nodeAt(i), N_LINE_SHIFT));
  return smallest == INFINITE_SHIFT ? 64 : (<u64>1) << smallest;
}

const INFINITE_SHIFT: u32 = 32;

/** `low` is the first IPA of the table, whose entries in the range are read in order; only those four levels deep can follow. */
function flushTable(core: u32, table: u64, level: u32, bits: u32, low: u64): void {
  const shift = shiftAt(level);
  const many = (<u64>1) << bits;
  const first = flushFrom > low ? (flushFrom - low) >> shift : 0;
  for (let i = first; i < many; i++) {
    const begins = low + (i << shift);
    if (begins >= flushEnd) return;
    setPiece(0);
    if (!readDescriptor(table + (i << 3), 8, ATTR_WRITE_BACK, true)) continue;
    noteHeld(table + (i << 3) - regionDelta);
    const d = descriptor;
    if (!isValid(d, level)) continue;
    if (isTable(d, level)) flushTable(core, d & ADDRESS_MASK, level + 1, 9, begins);
    else if (isFlushed(core, <u32>(d >> 2) & 15))
      flushLeaf(d & ADDRESS_MASK & ~(((<u64>1) << shift) - 1), begins, begins + ((<u64>1) << shift));
  }
}

/** Whether the host's cache can hold what a guest does with the leaf. */
function isFlushed(core: u32, memAttr: u32): bool {
  if (register(core, REG_HCR_EL2) & HCR_FWB) return (memAttr & 4) != 0 && memAttr != 5;
  return memAttr == 15;
}

function flushLeaf(physical: u64, begins: u64, ends: u64): void {
  const first = max(begins, flushFrom);
  const low = physical + (first - begins);
  const high = physical + (min(ends, flushEnd) - begins);
  if (!enterRegion(low) || high - regionLow > regionBytes) return;
  if (isFirst) machineCount(MACHINE_FLUSHED_LEAVES);
  setAttribute(ATTR_WRITE_BACK);
  const from = (low & ~(flushLine - 1)) - regionDelta;
  const end = high - regionDelta;
  const many = (end - from + flushLine - 1) / flushLine;
  if (isFirst) {
    machineCountMany(MACHINE_FLUSHED_LINES, many);
    events(EVENT_MAINTENANCE, many);
  }
  // Page by page: no access comes between a page's lines, so it is stamped at once (D34), and asked for at once.
  for (let at = from; at < end; ) {
    const next = min((at | PAGE_MASK) + 1, end);
    if (next - at > PAGE_MASK && flushLine >> largestShift <= 1) stampPage(at);
    else for (let line = at; line < next; line += flushLine) stamp(line, false);
    const whole = (next + flushLine - 1) & ~(flushLine - 1);
    if (mayBeHeld(at) && !cleanAndInvalidate(at, whole, flushLine)) noteVain();
    at = whole;
  }
}
