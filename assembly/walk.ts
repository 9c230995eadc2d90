// One descriptor of a translation table, read as the core reads any other memory (D51, R10): it counts, costs, misses, and can
// be stale.

import { walkPiece } from "./access";
import { seen } from "./bytes";
import { checkLosses, divergent, nextPart, setAttribute, setPiece } from "./hazard";
import { enterRegion, event, machineCount, regionBytes, regionDelta, regionIsDevice, regionLow, who } from "./memory";
import { ATTR_WRITE_BACK, EVENT_WALK, MACHINE_WALK_READS } from "./operations";
import { plainLoad } from "./plain";
import { breakTrail, noteRead } from "./trail";

/** The descriptor that was read last: 64 bits, or 32. */
export let descriptor: u64 = 0;

let walkerAtUnification: bool = false;

/** Where table walks look first: the L1D, or the PoU level (R8). */
export function setWalker(atUnification: bool): void {
  walkerAtUnification = atUnification;
}

/** False, and nothing happened, where there is no RAM. `code` is the attribute that the walker has; the hypervisor's own software reads through its L1D. */
export function readDescriptor(address: u64, bytes: u32, code: u32, bySoftware: bool): bool {
  if (!enterRegion(address) || address + bytes - regionLow > regionBytes || regionIsDevice) return false;
  machineCount(MACHINE_WALK_READS);
  event(EVENT_WALK);
  setPiece(0);
  const compact = address - regionDelta;
  const fromUnification = walkerAtUnification && !bySoftware;
  let at: usize = 0;
  if (code == ATTR_WRITE_BACK && !fromUnification) {
    setAttribute(code);
    at = plainLoad(who, compact);
  }
  if (at) descriptor = bytes == 8 ? load<u64>(at) : <u64>load<u32>(at);
  else {
    walkPiece(compact, bytes, code, fromUnification);
    descriptor = bytes == 8 ? load<u64>(seen) : <u64>load<u32>(seen);
  }
  if (!at || bytes != 8) breakTrail();
  else noteRead(who, compact, at, descriptor);
  if (divergent) {
    checkLosses();
    nextPart();
  }
  return true;
}
