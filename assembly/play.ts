// The loop over records: who, what, where, then one of the accesses or operations. Plain hits are settled by run.ts;
// everything else is named here and goes to its own place.

import {
  cacheable,
  dataPiece,
  deviceRead,
  deviceWrite,
  distrustCopies,
  FETCH_CACHEABLE,
  FETCH_L1I_ONLY,
  FETCH_UNCACHED,
  fetchPiece,
  pathFor,
} from "./access";
import { seen, setVersion, value } from "./bytes";
import { nothingHeld } from "./coherence";
import { assignPage, checkLosses, diverge, divergent, setAttribute, setPiece, setRecord } from "./hazard";
import { evict } from "./hierarchy";
import { completeMaintenance, migrate, setWayRecord, stamp, synchronizeContext } from "./latent";
import {
  allocate,
  C_ACTIVE,
  C_L1I,
  C_SCTLR,
  C_SOCKET,
  CARRY,
  coreAt,
  cores,
  devices,
  fetchPathAt,
  N_LINE_SHIFT,
  ncAtomics,
  outer,
  pathAt,
  smallestShift,
  sockets,
  VERSIONS,
  zvaBytes,
} from "./layout";
import {
  byAddress,
  bySetWay,
  invalidateAllInstructions,
  invalidateInstructions,
  outerByAddress,
  outerByWay,
  toUnification,
} from "./maintenance";
import {
  byteOf,
  enableOuter,
  enterRegion,
  event,
  machineCount,
  outerEnabled,
  regionBytes,
  regionDelta,
  regionHome,
  regionIsDevice,
  regionLow,
  setWho,
  TRUTH,
} from "./memory";
import {
  ATTR_DEVICE,
  ATTR_INNER_NC_OUTER_WB,
  ATTR_NON_CACHEABLE,
  ATTR_WRITE_BACK,
  ATTR_WRITE_BACK_NON_SHAREABLE,
  ATTR_WRITE_THROUGH,
  EVENT_DSB,
  EVENT_ISB,
  EVENT_MAINTENANCE,
  MACHINE_ATOMIC_FAILURES,
  OP_ASSIGN_PAGE,
  OP_ATOMIC,
  OP_DC_CISW,
  OP_DC_CIVAC,
  OP_DC_CSW,
  OP_DC_CVAC,
  OP_DC_CVAP,
  OP_DC_CVAU,
  OP_DC_ISW,
  OP_DC_IVAC,
  OP_DC_ZVA,
  OP_DEVICE_READ,
  OP_DEVICE_WRITE,
  OP_DSB,
  OP_EVICT,
  OP_FETCH,
  OP_IC_IALLU,
  OP_IC_IALLUIS,
  OP_IC_IVAU,
  OP_ISB,
  OP_LOAD,
  OP_MIGRATE,
  OP_OUTER_CLEAN_PA,
  OP_OUTER_CLEAN_WAY,
  OP_OUTER_CONTROL,
  OP_OUTER_FLUSH_PA,
  OP_OUTER_FLUSH_WAY,
  OP_OUTER_INVALIDATE_PA,
  OP_OUTER_INVALIDATE_WAY,
  OP_PREFETCH,
  OP_SCTLR,
  OP_STORE,
  OP_VALUE_HIGH,
  OP_VALUE_LOW,
  OP_WITH,
} from "./operations";
import { lastValue, playRun, SCTLR_C, SCTLR_I, SCTLR_M, setLastValue, updateFast } from "./run";
import { probe, recordOf } from "./set";

/** Why `play` stopped before the end of a batch; the host makes the sentence (D7). */
export const ERROR_NONE: i32 = 0;
export const ERROR_OPERATION: i32 = 1;
export const ERROR_REQUESTER: i32 = 2;
export const ERROR_REQUESTER_KIND: i32 = 3;
export const ERROR_ADDRESS: i32 = 4;
export const ERROR_ZVA: i32 = 5;
export const ERROR_ATOMIC: i32 = 6;
export const ERROR_ATTRIBUTE: i32 = 7;
export const ERROR_MIGRATE: i32 = 8;
export let error: i32 = 0;
/** The requester of the record that failed, its prefix considered. */
export let errorRequester: u32 = 0;

export const BATCH_RECORDS: u32 = 65536;
export let batch: usize = 0;
let number: u64 = 0;

export function allocateBatch(): void {
  batch = allocate(<usize>BATCH_RECORDS * 8, 64);
}

export function recordsPlayed(): u64 {
  return number;
}

// ---- prefixes wait here for their record
let sizeGiven: u32 = 0;
let requesterGiven: u32 = 0;
let attributeGiven: u32 = 0;
let valueGiven: bool = false;
let valueBits: u64 = 0;
let prefixed: bool = false;

function dropPrefixes(): void {
  sizeGiven = 0;
  requesterGiven = 0;
  attributeGiven = 0;
  valueGiven = false;
  valueBits = 0;
  prefixed = false;
}

/** Plays `count` words of the batch. Returns how many; fewer than asked means `error` says why. */
export function play(count: u32): u32 {
  error = ERROR_NONE;
  let i: u32 = 0;
  while (i < count) {
    let word = load<u64>(batch + ((<usize>i) << 3));
    const requester = <u32>(word >> 56);
    if (!prefixed && (<u32>(word >> 48) & 0xff) <= OP_FETCH && requester < cores) {
      const start = i;
      i = playRun(batch, start, count, requester, number);
      number += i - start;
      if (i == count) break;
      word = load<u64>(batch + ((<usize>i) << 3));
      // The run may have ended for another core's sake.
      if (<u32>(word >> 56) != requester) continue;
    }
    const op = <u32>(word >> 48) & 0xff;
    const operand = word & 0xffffffffffff;
    if (op >= OP_WITH) {
      if (!takePrefix(op, operand)) return i;
    } else {
      error = playSlow(op, <u32>(word >> 56), operand);
      dropPrefixes();
      if (error) return i;
      number++;
    }
    i++;
  }
  return count;
}

function takePrefix(op: u32, operand: u64): bool {
  prefixed = true;
  if (op == OP_WITH) {
    sizeGiven = <u32>operand & 0xffffff;
    requesterGiven = <u32>(operand >> 24) & 0xffff;
    attributeGiven = <u32>(operand >> 40) & 0xff;
  } else if (op == OP_VALUE_LOW) {
    valueGiven = true;
    valueBits = (valueBits & 0xffffffff00000000) | (operand & 0xffffffff);
  } else if (op == OP_VALUE_HIGH) {
    valueGiven = true;
    valueBits = (valueBits & 0xffffffff) | (operand << 32);
  } else {
    error = ERROR_OPERATION;
    dropPrefixes();
    return false;
  }
  return true;
}

/** The attribute of a core's data access (D8). */
function dataAttribute(core: u32): u32 {
  const sctlr = load<u32>(coreAt(core), C_SCTLR);
  if (!(sctlr & SCTLR_M) || regionIsDevice) return ATTR_DEVICE;
  const given = attributeGiven ? attributeGiven - 1 : ATTR_WRITE_BACK;
  return !(sctlr & SCTLR_C) && given != ATTR_DEVICE ? ATTR_NON_CACHEABLE : given;
}

/** Value bytes of a piece (D6), for the record that began at `start`. */
function makeValue(start: u64, from: u64, bytes: u32, zero: bool): void {
  if (!CARRY) return;
  if (VERSIONS) {
    setVersion(number + 1, load<u64>(byteOf(from), TRUTH));
    return;
  }
  if (zero) {
    memory.fill(value, 0, bytes);
    return;
  }
  const bits = valueGiven ? valueBits : number + 1;
  const base = valueGiven ? from - start : from;
  if (!(<u32>base & 7) && bytes == 8) {
    store<u64>(value, bits);
    return;
  }
  for (let i: u32 = 0; i < bytes; i++) store<u8>(value + i, <u8>(bits >> (((<u32>base + i) & 7) * 8)));
}

function isKnown(op: u32): bool {
  return (
    op <= OP_EVICT ||
    (op >= OP_DC_IVAC && op <= OP_DC_ZVA) ||
    (op >= OP_OUTER_CONTROL && op <= OP_OUTER_FLUSH_WAY) ||
    op == OP_ASSIGN_PAGE ||
    op == OP_MIGRATE
  );
}

function playSlow(op: u32, requester: u32, address: u64): i32 {
  if (!isKnown(op)) return ERROR_OPERATION;
  if (requesterGiven) requester = requesterGiven - 1;
  errorRequester = requester;
  if (requester >= cores + devices) return ERROR_REQUESTER;
  const isDevice = requester >= cores;
  if (op != OP_ASSIGN_PAGE && isDevice != forDevice(op)) return ERROR_REQUESTER_KIND;
  if (attributeGiven > ATTR_INNER_NC_OUTER_WB + 1) return ERROR_ATTRIBUTE;
  setWho(requester, isDevice ? load<u32>(deviceAt(requester - cores), 4) : load<u32>(coreAt(requester), C_SOCKET));
  setRecord(number);
  let failed: i32;
  if (op <= OP_PREFETCH || forDevice(op) || op == OP_DC_ZVA) failed = playAccess(op, requester, address);
  else failed = playOperation(op, requester, address);
  if (divergent) checkLosses();
  return failed;
}

/** Where the record's last piece ended, for `lastValue`. */
function playAccess(op: u32, requester: u32, address: u64): i32 {
  let start = address;
  let bytes = <u64>sizeGiven;
  if (op == OP_DC_ZVA) {
    if (!zvaBytes) return ERROR_ZVA;
    start = address & ~(<u64>zvaBytes - 1);
    bytes = zvaBytes;
  } else if (!bytes) {
    start = address & ~(<u64>7);
    bytes = 8;
  }
  if (!enterRegion(start) || start + bytes - regionLow > regionBytes) return ERROR_ADDRESS;
  let attribute: u32 = attributeGiven ? attributeGiven - 1 : ATTR_WRITE_BACK;
  let mode = FETCH_CACHEABLE;
  let path: usize = 0;
  if (forDevice(op)) attribute = isCoherent(requester) ? ATTR_WRITE_BACK : ATTR_NON_CACHEABLE;
  else if (op == OP_FETCH) {
    // D8: what SCTLR and the attribute leave of a fetch.
    const sctlr = load<u32>(coreAt(requester), C_SCTLR);
    if (regionIsDevice) {
      mode = FETCH_UNCACHED;
      attribute = ATTR_DEVICE;
    } else if ((sctlr & (SCTLR_M | SCTLR_I)) == SCTLR_I) {
      mode = FETCH_L1I_ONLY;
      attribute = ATTR_WRITE_THROUGH;
      path = fetchPathAt(requester, regionHome);
    } else {
      path = pathFor(requester, attribute, true);
      if (
        !(sctlr & SCTLR_I) ||
        attribute <= ATTR_NON_CACHEABLE ||
        attribute == ATTR_INNER_NC_OUTER_WB ||
        (!load<u32>(path) && !load<u32>(coreAt(requester), C_L1I))
      ) {
        mode = FETCH_UNCACHED;
        attribute = ATTR_NON_CACHEABLE;
      }
    }
    if (mode == FETCH_CACHEABLE && attribute == ATTR_WRITE_BACK_NON_SHAREABLE) distrustCopies();
  } else {
    attribute = dataAttribute(requester);
    if (op == OP_DC_ZVA && attribute == ATTR_DEVICE) return ERROR_ZVA;
    if (attribute != ATTR_DEVICE) {
      if (cacheable(attribute)) path = pathFor(requester, attribute, false);
      if (!path || !load<u32>(path)) {
        path = 0;
        attribute = ATTR_NON_CACHEABLE;
      }
    }
    if (op == OP_PREFETCH && !path) return 0;
    if (op == OP_ATOMIC && (!path || attribute == ATTR_WRITE_BACK_NON_SHAREABLE)) {
      if (ncAtomics == 0) return ERROR_ATOMIC;
      if (ncAtomics == 1) {
        machineCount(MACHINE_ATOMIC_FAILURES);
        return 0;
      }
      if (path) attribute = ATTR_NON_CACHEABLE;
      path = 0;
    }
    if (path) {
      store<u32>(coreAt(requester), 1, C_ACTIVE);
      if (attribute != ATTR_WRITE_BACK) distrustCopies();
    }
  }
  setAttribute(attribute);
  const compact = start - regionDelta;
  const end = compact + bytes;
  let from = compact;
  let piece: u32 = 0;
  let got: u32 = 0;
  while (from < end) {
    const next = min(((from >> smallestShift) + 1) << smallestShift, end);
    const size = <u32>(next - from);
    setPiece(piece);
    if (piece && divergent) checkLosses();
    if (op == OP_DEVICE_READ) deviceRead(from, size, isCoherent(requester));
    else if (op == OP_FETCH) fetchPiece(from, size, mode, attribute, path);
    else {
      const writes = op == OP_STORE || op == OP_DC_ZVA || op == OP_ATOMIC || op == OP_DEVICE_WRITE;
      if (writes) makeValue(compact, from, size, op == OP_DC_ZVA);
      if (op == OP_DEVICE_WRITE)
        deviceWrite(from, size, isCoherent(requester), isCoherent(requester) ? landingOf(requester) : 0);
      else dataPiece(from, size, op == OP_LOAD || op == OP_ATOMIC, writes, attribute, path);
    }
    if (CARRY && !VERSIONS && got < 8 && (op == OP_LOAD || op == OP_FETCH || op == OP_ATOMIC || op == OP_DEVICE_READ)) {
      let observed: u64 = got ? lastValue : 0;
      for (let b: u32 = 0; b < size && got < 8; b++, got++) observed |= (<u64>load<u8>(seen + b)) << (got * 8);
      setLastValue(observed);
    }
    if (divergent) checkLosses();
    assert(nothingHeld(), "a piece leaves nothing on the stack of found copies");
    from = next;
    piece++;
  }
  return 0;
}

function forDevice(op: u32): bool {
  return op == OP_DEVICE_READ || op == OP_DEVICE_WRITE;
}

// ---- devices: coherent, socket, landing cache by home socket
let deviceTable: usize = 0;
const DEVICE_SIZE: usize = 16;

export function allocateDevices(): void {
  deviceTable = allocate(<usize>(devices + 1) * DEVICE_SIZE);
  for (let d: u32 = 0; d < devices; d++) store<u32>(deviceAt(d), <u32>allocate(<usize>sockets * 4), 8);
}

export function deviceAt(d: u32): usize {
  return deviceTable + <usize>d * DEVICE_SIZE;
}

function isCoherent(requester: u32): bool {
  return load<u32>(deviceAt(requester - cores)) != 0;
}

function landingOf(requester: u32): usize {
  return <usize>load<u32>(<usize>load<u32>(deviceAt(requester - cores), 8) + ((<usize>regionHome) << 2));
}

/** Whether a cache lies on a core's data path for the current region's home. */
export function isOnPathOf(core: u32, n: usize): bool {
  const path = pathAt(core, regionHome);
  const length = load<u32>(path);
  for (let i: u32 = 1; i <= length; i++) if (<usize>load<u32>(path + ((<usize>i) << 2)) == n) return true;
  return false;
}

function playOperation(op: u32, core: u32, address: u64): i32 {
  if ((op >= OP_DC_IVAC && op <= OP_DC_CVAU) || op == OP_DC_CVAP || op == OP_IC_IVAU) {
    if (!enterRegion(address)) return ERROR_ADDRESS;
    const compact = address - regionDelta;
    const attribute = dataAttribute(core);
    setAttribute(attribute);
    const own = attribute == ATTR_WRITE_BACK_NON_SHAREABLE;
    event(EVENT_MAINTENANCE);
    stamp(compact, op == OP_IC_IVAU);
    if (op == OP_DC_IVAC) byAddress(compact, false, true, own);
    else if (op == OP_DC_CVAC || op == OP_DC_CVAP) byAddress(compact, true, false, own);
    else if (op == OP_DC_CIVAC) byAddress(compact, true, true, own);
    else if (op == OP_DC_CVAU) toUnification(compact, own);
    else invalidateInstructions(compact, own);
    return 0;
  }
  setAttribute(ATTR_WRITE_BACK);
  if (op >= OP_DC_ISW && op <= OP_DC_CISW) {
    event(EVENT_MAINTENANCE);
    setWayRecord(core);
    bySetWay(core, load<u32>(coreAt(core), C_SOCKET), <u32>address, op != OP_DC_ISW, op != OP_DC_CSW);
    return 0;
  }
  switch (op) {
    case OP_EVICT: {
      if (!enterRegion(address)) return ERROR_ADDRESS;
      evictInnermost(core, address - regionDelta);
      break;
    }
    case OP_IC_IALLU:
      event(EVENT_MAINTENANCE);
      invalidateAllInstructions(core);
      break;
    case OP_IC_IALLUIS:
      event(EVENT_MAINTENANCE);
      for (let c: u32 = 0; c < cores; c++) invalidateAllInstructions(c);
      break;
    case OP_SCTLR:
      store<u32>(coreAt(core), <u32>address, C_SCTLR);
      updateFast(core);
      break;
    case OP_DSB:
      event(EVENT_DSB);
      completeMaintenance(core);
      break;
    case OP_ISB:
      event(EVENT_ISB);
      synchronizeContext(core);
      break;
    case OP_OUTER_CONTROL:
      playOuterControl((address & 1) != 0);
      break;
    case OP_OUTER_CLEAN_PA:
    case OP_OUTER_INVALIDATE_PA:
    case OP_OUTER_FLUSH_PA:
      if (!enterRegion(address)) return ERROR_ADDRESS;
      event(EVENT_MAINTENANCE);
      outerByAddress(address - regionDelta, op != OP_OUTER_INVALIDATE_PA, op != OP_OUTER_CLEAN_PA);
      break;
    case OP_OUTER_CLEAN_WAY:
    case OP_OUTER_INVALIDATE_WAY:
    case OP_OUTER_FLUSH_WAY:
      event(EVENT_MAINTENANCE);
      outerByWay(<u32>address, op != OP_OUTER_INVALIDATE_WAY, op != OP_OUTER_CLEAN_WAY);
      break;
    case OP_ASSIGN_PAGE:
      if (!enterRegion(address)) return ERROR_ADDRESS;
      if (!regionIsDevice) assignPage(address - regionDelta);
      break;
    case OP_MIGRATE:
      if (address >= cores) return ERROR_MIGRATE;
      migrate(<u32>address, core);
      break;
    default:
      // TLBI, DMB and branch-predictor invalidation change nothing that this model keeps yet.
      break;
  }
  return 0;
}

function playOuterControl(on: bool): void {
  if (!outer || on == outerEnabled) return;
  diverge();
  enableOuter(on);
}

/** D26: the innermost copy on the core's data path goes as if replaced. */
function evictInnermost(core: u32, compact: u64): void {
  const path = pathAt(core, regionHome);
  const length = load<u32>(path);
  for (let i: u32 = 1; i <= length; i++) {
    const n = <usize>load<u32>(path + ((<usize>i) << 2));
    const line = <u32>(compact >> load<u32>(n, N_LINE_SHIFT));
    const r = recordOf(n, line);
    const way = probe(n, r, line);
    if (way >= 0) {
      evict(n, r, way);
      return;
    }
  }
}
