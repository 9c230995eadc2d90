// One descriptor of a translation table, read as the core reads any other memory (D51, R10): it counts, costs, misses, and can
// be stale.

import { walkPiece } from "./access";
import { seen } from "./bytes";
import { dealRead, settleStores } from "./deal";
import { readElsewhere, trueDescriptor } from "./elsewhere";
import { inForce } from "./handover";
import { checkLosses, divergent, nextPart, record, setAttribute, setPiece, setRecord } from "./hazard";
import { C_SOCKET, coreAt } from "./layout";
import {
  enterRegion,
  event,
  machineCount,
  regionBytes,
  regionDelta,
  regionIsDevice,
  regionLow,
  setWho,
  who,
} from "./memory";
import { ATTR_WRITE_BACK, EVENT_WALK, MACHINE_WALK_READS } from "./operations";
import { settleWholly } from "./order";
import { owns, sharded } from "./own";
import { plainLoad } from "./plain";
import { breakTrail, noteRead } from "./trail";

/** The descriptor that was read last: 64 bits, or 32. */
export let descriptor: u64 = 0;

/** Whether a shard's walk observed something old. The other shards took it for new, so from here on they are wrong. */
export let strayed: bool = false;

let walkerAtUnification: bool = false;

/** Where table walks look first: the L1D, or the PoU level (R8). */
export function setWalker(atUnification: bool): void {
  walkerAtUnification = atUnification;
}

/** Whether they look at the PoU level. */
export function walksFromUnification(): bool {
  return walkerAtUnification;
}

/** Plays all that waits and gives sharers up in the middle of a record, which goes on afterwards. */
export function leaveForce(): void {
  const core = who;
  const number = record;
  settleWholly();
  takeCare(core, number);
}

/** It is this core's record again that is played. */
function takeCare(core: u32, number: u64): void {
  setWho(core, load<u32>(coreAt(core), C_SOCKET));
  setRecord(number);
}

/** A descriptor's read while sharers are in force: it is dealt like the accesses around it. False: it can't be. */
function readDealt(address: u64, compact: u64, bytes: u32): bool {
  const core = who;
  const number = record;
  settleStores(compact);
  const isDealt = dealRead(core, address & ~(<u64>7), number);
  descriptor = trueDescriptor(compact, bytes);
  breakTrail();
  takeCare(core, number);
  return isDealt;
}

/** False, and nothing happened, where there is no RAM. `code` is the attribute that the walker has; the hypervisor's own software reads through its L1D. */
export function readDescriptor(address: u64, bytes: u32, code: u32, bySoftware: bool): bool {
  if (!enterRegion(address) || address + bytes - regionLow > regionBytes || regionIsDevice) return false;
  const compact = address - regionDelta;
  const fromUnification = walkerAtUnification && !bySoftware;
  if (!owns(compact)) {
    breakTrail();
    readElsewhere(code, fromUnification);
    descriptor = trueDescriptor(compact, bytes);
    return true;
  }
  machineCount(MACHINE_WALK_READS);
  event(EVENT_WALK);
  if (inForce) {
    if (code == ATTR_WRITE_BACK && !fromUnification && readDealt(address, compact, bytes)) return true;
    leaveForce();
    enterRegion(address);
  }
  setPiece(0);
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
  else noteRead(who, compact, descriptor);
  if (sharded && descriptor != trueDescriptor(compact, bytes)) strayed = true;
  if (divergent) {
    checkLosses();
    nextPart();
  }
  return true;
}
