// Runs: the part of the loop over records that hits settle, as fast as it can be. A plain load, store or fetch that hits its L1,
// or misses into the core's own L2, never leaves this file; what is anything else is left untouched.

import { held } from "./bytes";
import {
  allocate,
  C_DATA_BASE,
  C_FAST,
  C_FAST_L2,
  C_FETCH_BASE,
  C_L1D,
  C_L1I,
  C_SCTLR,
  CARRY,
  CORE_SIZE,
  coreAt,
  cores,
  coreTable,
  DIRTY,
  dic,
  EXCLUSIVE,
  FLAG_WRITE_THROUGH,
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
  TRUE,
  VERSIONS,
} from "./layout";
import { fastBytes, fastLow, regionDelta, TRUTH, WRITER } from "./memory";
import { ATTR_WRITE_BACK, OP_FETCH, OP_LOAD, OP_STORE } from "./operations";
import { mayHoldInstructions } from "./presence";
import { find, isPlain, plainL2, refill } from "./refill";
import { toFront } from "./set";

export const SCTLR_M: u32 = 1;
export const SCTLR_C: u32 = 4;
export const SCTLR_I: u32 = 4096;

/** What the last load, atomic, fetch or device read observed: its first 8 bytes. */
export let lastValue: u64 = 0;

export function setLastValue(bits: u64): void {
  lastValue = bits;
}

// ---- fast hits: counted apart, per core and kind, and added to the counters when those are read
export let fastHits: usize = 0;

export function allocateFastHits(): void {
  fastHits = allocate(<usize>cores * 32, 64);
}

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
export function playRun(batch: usize, start: u32, end: u32, core: u32, first: u64): u32 {
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
  return i;
}

/** The default value (R44) into a copy that is true, and into the truth. */
function plainStore(at: usize, truth: usize, core: u32, number: u64): void {
  const bits = number + 1;
  store<u64>(at, bits);
  store<u64>(truth, bits, TRUTH);
  store<u64>(truth, bits | ((<u64>core) << 40) | ((<u64>ATTR_WRITE_BACK) << 56), WRITER);
}
