// The loop over records: who, what, where, then one of the accesses or operations. A plain load, store or fetch that hits its
// L1 never leaves the first dozen lines; everything else is named and goes to its own place.

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
import { held, seen, setVersion, value } from "./bytes";
import { nothingHeld } from "./coherence";
import {
  assignPage,
  checkLosses,
  completeMaintenance,
  diverge,
  divergent,
  migrate,
  setAttribute,
  setPiece,
  setRecord,
  setWayRecord,
  stamp,
  synchronizeContext,
} from "./hazard";
import { evict } from "./hierarchy";
import {
  allocate,
  C_ACTIVE,
  C_DATA_BASE,
  C_FAST,
  C_FAST_L2,
  C_FETCH_BASE,
  C_L1D,
  C_L1I,
  C_SCTLR,
  C_SOCKET,
  CARRY,
  CORE_SIZE,
  coreAt,
  cores,
  coreTable,
  DIRTY,
  devices,
  dic,
  EXCLUSIVE,
  FLAG_WRITE_THROUGH,
  fetchPathAt,
  groupBits,
  groupStride,
  N_BASE,
  N_DATA,
  N_FLAGS,
  N_LINE_SHIFT,
  N_ORDER,
  N_POLICY,
  N_RECORD_SIZE,
  N_SET_MASK,
  N_SETS,
  N_STATES,
  N_STRIDE,
  N_TRUTH,
  N_WAYS,
  ncAtomics,
  outer,
  pathAt,
  smallestShift,
  sockets,
  TRUE,
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
  fastBytes,
  fastLow,
  machineCount,
  outerEnabled,
  regionBytes,
  regionDelta,
  regionHome,
  regionIsDevice,
  regionLow,
  setWho,
  TRUTH,
  WRITER,
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
import { mayHoldInstructions } from "./presence";
import { find, isPlain, plainL2, refill } from "./refill";
import { probe, recordOf, toFront } from "./set";

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

// ---- fast hits: counted apart, per core and kind, and added to the counters when those are read
export let fastHits: usize = 0;

export function allocateFastHits(): void {
  fastHits = allocate(<usize>cores * 32, 64);
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

/** What the last load, atomic, fetch or device read observed: its first 8 bytes. */
export let lastValue: u64 = 0;

const SCTLR_M: u32 = 1;
const SCTLR_C: u32 = 4;
const SCTLR_I: u32 = 4096;

/**
 * Tells the loop which plain accesses of a core may be settled by an L1 hit alone.
 */
export function updateFast(core: u32): void {
  const c = coreAt(core);
  const sctlr = load<u32>(c, C_SCTLR);
  const l1d = <usize>load<u32>(c, C_L1D);
  const l1i = <usize>load<u32>(c, C_L1I);
  const data = l1d != 0 && isPlain(l1d) && (sctlr & (SCTLR_M | SCTLR_C)) == (SCTLR_M | SCTLR_C);
  store<u32>(c, l1d ? load<u32>(l1d, N_BASE) : 0, C_DATA_BASE);
  store<u32>(c, l1i ? load<u32>(l1i, N_BASE) : 0, C_FETCH_BASE);
  store<u8>(c, data ? 1 : 0, C_FAST);
  store<u8>(c, data && !(load<u32>(l1d, N_FLAGS) & FLAG_WRITE_THROUGH) ? 1 : 0, C_FAST + 1);
  store<u8>(c, l1i != 0 && isPlain(l1i) && (sctlr & (SCTLR_M | SCTLR_I)) == (SCTLR_M | SCTLR_I) ? 1 : 0, C_FAST + 2);
}

// ---- shape of the L1s: loaded once where all cores look alike, else for every run
let uniform: bool = false;
let dataShift: u32 = 0;
let dataMask: u32 = 0;
let dataWays: u32 = 0;
let dataRecord: usize = 0;
let dataStates: usize = 0;
let dataOrder: usize = 0;
let dataBytes: usize = 0;
let dataTruth: usize = 0;
let dataStride: usize = 0;
let fetchShift: u32 = 0;
let fetchMask: u32 = 0;
let fetchWays: u32 = 0;
let fetchRecord: usize = 0;
let fetchStates: usize = 0;
let fetchOrder: usize = 0;
let fetchBytes: usize = 0;
let fetchStride: usize = 0;

function loadShape(c: usize): void {
  let n = <usize>load<u32>(c, C_L1D);
  if (n) {
    dataShift = load<u32>(n, N_LINE_SHIFT);
    dataMask = load<u32>(n, N_SET_MASK);
    dataWays = load<u32>(n, N_WAYS);
    dataRecord = load<u32>(n, N_RECORD_SIZE);
    dataStates = load<u32>(n, N_STATES);
    dataOrder = load<u32>(n, N_ORDER);
    dataBytes = load<u32>(n, N_DATA);
    dataTruth = load<u32>(n, N_TRUTH);
    dataStride = load<u32>(n, N_STRIDE);
  }
  n = <usize>load<u32>(c, C_L1I);
  if (n) {
    fetchShift = load<u32>(n, N_LINE_SHIFT);
    fetchMask = load<u32>(n, N_SET_MASK);
    fetchWays = load<u32>(n, N_WAYS);
    fetchRecord = load<u32>(n, N_RECORD_SIZE);
    fetchStates = load<u32>(n, N_STATES);
    fetchOrder = load<u32>(n, N_ORDER);
    fetchBytes = load<u32>(n, N_DATA);
    fetchStride = load<u32>(n, N_STRIDE);
  }
}

function sameShape(n: usize, m: usize): bool {
  if (!n || !m) return n == m;
  return (
    load<u32>(n, N_SETS) == load<u32>(m, N_SETS) &&
    load<u32>(n, N_WAYS) == load<u32>(m, N_WAYS) &&
    load<u32>(n, N_LINE_SHIFT) == load<u32>(m, N_LINE_SHIFT) &&
    load<u32>(n, N_POLICY) == load<u32>(m, N_POLICY)
  );
}

/** Called once the machine is laid out. */
export function prepareFast(): void {
  uniform = cores > 0;
  for (let c: u32 = 0; c < cores; c++) {
    store<u32>(coreAt(c), <u32>plainL2(c), C_FAST_L2);
    updateFast(c);
    uniform = uniform && sameShape(<usize>load<u32>(coreAt(0), C_L1D), <usize>load<u32>(coreAt(c), C_L1D));
    uniform = uniform && sameShape(<usize>load<u32>(coreAt(0), C_L1I), <usize>load<u32>(coreAt(c), C_L1I));
  }
  if (uniform) loadShape(coreAt(0));
}

/** Where the aligned 8 bytes of a record lie in its line's contents. */
function offsetIn(word: u64, shift: u32): usize {
  return VERSIONS ? held(<usize>word & ((1 << shift) - 1)) : <usize>word & ((1 << shift) - 8);
}

/** No record has this value: it names operation 255. */
const NO_KEY: u64 = 0x00ff000000000000;

/**
 * Plays a run: records of one core from batch position i that are plain L1 hits, or misses that the core's own L2 answers.
 * Returns the position of the first record that is neither; that one is untouched.
 *
 * The last line of each kind is remembered as the record's own upper bits: it is the most recent of its set, so another
 * access to it changes nothing but a count (and bytes), and one comparison tells requester, operation and line at once.
 */
function playRun(start: u32, end: u32, core: u32): u32 {
  const c = coreTable + <usize>core * CORE_SIZE;
  if (!uniform) loadShape(c);
  const low = fastLow;
  const bytes = fastBytes;
  const delta = regionDelta;
  const groupMask: u32 = (1 << groupBits) - 1;
  const groupShift = groupBits;
  const stride = groupStride;
  const dShift = dataShift;
  const fShift = fetchShift;
  const dataBase = <usize>load<u32>(c, C_DATA_BASE);
  const fetchBase = <usize>load<u32>(c, C_FETCH_BASE);
  const dataLineMask = ~(((<u64>1) << dShift) - 1);
  const fetchLineMask = ~(((<u64>1) << fShift) - 1);
  const first = number;
  let loads: u64 = 0;
  let stores: u64 = 0;
  let fetches: u64 = 0;
  let fetchKey = NO_KEY;
  let loadKey = NO_KEY;
  let storeKey = NO_KEY;
  let dataAt: usize = 0;
  let truthAt: usize = 0;
  let fetchAt: usize = 0;
  let i = start;
  for (; i < end; i++) {
    const word = load<u64>(batch + ((<usize>i) << 3));
    if ((word & fetchLineMask) == fetchKey) {
      if (CARRY) lastValue = load<u64>(fetchAt + offsetIn(word, fShift));
      fetches++;
      continue;
    }
    const dataKey = word & dataLineMask;
    if (dataKey == loadKey) {
      if (CARRY) lastValue = load<u64>(dataAt + offsetIn(word, dShift));
      loads++;
      continue;
    }
    if (dataKey == storeKey) {
      if (CARRY) {
        const offset = offsetIn(word, dShift);
        plainStore(dataAt + offset, truthAt + offset, core, first + (i - start));
      }
      stores++;
      continue;
    }
    const op = <u32>(word >> 48) & 0xff;
    const address = word & 0xffffffffffff;
    if (op > OP_FETCH || <u32>(word >> 56) != core || address - low >= bytes || !load<u8>(c + op, C_FAST)) break;
    const compact = address - delta;
    if (op == OP_FETCH) {
      const line = <u32>(compact >> fShift);
      const set = line & fetchMask;
      const r = fetchBase + <usize>(set & groupMask) * stride + <usize>(set >> groupShift) * fetchRecord;
      let way = find(r, fetchWays, line);
      if (way >= 0) {
        if (CARRY && !(load<u8>(r + fetchStates + way) & TRUE)) break;
        store<u64>(r + fetchOrder, toFront(load<u64>(r + fetchOrder), way));
        fetches++;
      } else {
        way = refill(core, c, op, compact, r);
        if (way < 0) break;
      }
      fetchKey = word & fetchLineMask;
      if (CARRY) {
        fetchAt = r + fetchBytes + <usize>way * fetchStride;
        lastValue = load<u64>(fetchAt + offsetIn(word, fShift));
      }
      continue;
    }
    const line = <u32>(compact >> dShift);
    const set = line & dataMask;
    const r = dataBase + <usize>(set & groupMask) * stride + <usize>(set >> groupShift) * dataRecord;
    let way = find(r, dataWays, line);
    if (way >= 0) {
      const state = <u32>load<u8>(r + dataStates + way);
      if (CARRY && !(state & TRUE)) break;
      if (op == OP_STORE) {
        if (!(state & EXCLUSIVE) || ((CARRY || dic) && mayHoldInstructions(compact))) break;
        store<u8>(r + dataStates + way, <u8>(state | DIRTY));
        stores++;
      } else loads++;
      store<u64>(r + dataOrder, toFront(load<u64>(r + dataOrder), way));
    } else {
      way = refill(core, c, op, compact, r);
      if (way < 0) break;
    }
    // Loads of a line say nothing about whether it may be stored to.
    loadKey = dataKey & ~((<u64>1) << 48);
    storeKey = op == OP_STORE ? dataKey : NO_KEY;
    if (CARRY) {
      dataAt = r + dataBytes + <usize>way * dataStride;
      truthAt = load<u32>(r + dataTruth + ((<usize>way) << 2));
      const offset = offsetIn(word, dShift);
      if (op == OP_LOAD) lastValue = load<u64>(dataAt + offset);
      else plainStore(dataAt + offset, truthAt + offset, core, first + (i - start));
    }
  }
  const hits = fastHits + ((<usize>core) << 5);
  store<u64>(hits, load<u64>(hits) + loads);
  store<u64>(hits, load<u64>(hits, 8) + stores, 8);
  store<u64>(hits, load<u64>(hits, 16) + fetches, 16);
  number = first + (i - start);
  return i;
}

/** Plays `count` words of the batch. Returns how many; fewer than asked means `error` says why. */
export function play(count: u32): u32 {
  error = ERROR_NONE;
  let i: u32 = 0;
  while (i < count) {
    let word = load<u64>(batch + ((<usize>i) << 3));
    const requester = <u32>(word >> 56);
    if (!prefixed && (<u32>(word >> 48) & 0xff) <= OP_FETCH && requester < cores) {
      i = playRun(i, count, requester);
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

/** The default value (R44) into a copy that is true, and into the truth. */
function plainStore(at: usize, truth: usize, core: u32, number: u64): void {
  const bits = number + 1;
  store<u64>(at, bits);
  store<u64>(truth, bits, TRUTH);
  store<u64>(truth, bits | ((<u64>core) << 40) | ((<u64>ATTR_WRITE_BACK) << 56), WRITER);
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
      if (!got) lastValue = 0;
      for (let b: u32 = 0; b < size && got < 8; b++, got++) lastValue |= (<u64>load<u8>(seen + b)) << (got * 8);
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
