/**
 * host-100c once more, as good JavaScript without WebAssembly would have it: flat typed arrays, constants for the whole
 * geometry, 32-bit integers only, no object on the way. It plays loads, stores and fetches below 2^38, carries no bytes,
 * and counts what the yardstick counts (R38). It is what the kernel's speed is compared with, never part of the package.
 */
import type { PrintedCounters, SocketCounters } from "./yardstick.ts";

const CORES = 100;
const CORES_PER_SOCKET = 50;
const L1_SETS = 128;
const L1_WAYS = 4;
const L2_SETS = 1024;
const L2_WAYS = 8;
const L3_SETS = 16384;
const L3_WAYS = 16;

/** A tag that no line has: the last line of 2^38 bytes is given up for it, as in the yardstick. */
const NO_LINE = -1;

const SHARED = 1;
const EXCLUSIVE = 2;
const MODIFIED = 3;

/** A word beside each L2 tag: the state, whether the line was ever filled into L1D or L1I, and where it is in the L3. */
const STATE_MASK = 3;
const IN_DATA = 4;
const IN_CODE = 8;
const SLOT_SHIFT = 8;

/** Flags of an L3 line: one core owns it, it is dirty, the other socket had it since it was last exclusive (sticky). */
const OWNED = 1;
const DIRTY = 2;
const REMOTE = 4;

const LOAD = 0;
const STORE = 1;
const FETCH = 2;

/** Sharers of an L3 line: two words, since numbers of 32 bits are the ones that JavaScript computes with quickly. */
const lowBit = (core: number): number => (core < 32 ? 1 << core : 0);
const highBit = (core: number): number => (core < 32 ? 0 : 1 << (core - 32));

const index = (core: number, operation: number): number => core * 4 + operation;

/** Where a core's L1 has its set for a line: the first of four ways. Side 0 is L1D, side 1 L1I. */
const l1Base = (core: number, side: number, line: number): number =>
  ((core * 2 + side) * L1_SETS + (line & (L1_SETS - 1))) * L1_WAYS;

/** A machine with everything cold. */
export class TypedArrayHost {
  // Recency is a stamp a way: the clock at its last touch, 0 where nothing is held, so the smallest is always the victim.
  private clock = 0;
  private readonly l1Tags = new Int32Array(CORES * 2 * L1_SETS * L1_WAYS).fill(NO_LINE);
  private readonly l1States = new Uint8Array(CORES * 2 * L1_SETS * L1_WAYS);
  private readonly l1Stamps = new Int32Array(CORES * 2 * L1_SETS * L1_WAYS);
  private readonly l2Tags = new Int32Array(CORES * L2_SETS * L2_WAYS).fill(NO_LINE);
  private readonly l2Words = new Int32Array(CORES * L2_SETS * L2_WAYS);
  private readonly l2Stamps = new Int32Array(CORES * L2_SETS * L2_WAYS);
  private readonly l3Tags = new Int32Array(2 * L3_SETS * L3_WAYS).fill(NO_LINE);
  private readonly l3Flags = new Uint8Array(2 * L3_SETS * L3_WAYS);
  private readonly l3Stamps = new Int32Array(2 * L3_SETS * L3_WAYS);
  private readonly l3Sharers = new Int32Array(2 * L3_SETS * L3_WAYS * 2);

  /** By core and operation, the line whose next such access changes nothing but a count. */
  private readonly last = new Int32Array(CORES * 4).fill(NO_LINE);
  private readonly accesses = new Int32Array(CORES * 4);
  private readonly misses = new Int32Array(CORES * 4);
  private readonly l2Misses = new Int32Array(CORES * 4);
  private upgrades = 0;
  private l1Writebacks = 0;
  private l2Writebacks = 0;
  private invalidations = 0;
  private evictionsWithInner = 0;
  private readonly sockets = [socketCounters(), socketCounters()] as const;

  /** Plays records of two words each, low word first. Throws on what it cannot play. Good for 2^31 records in all. */
  play(words: Uint32Array): void {
    const { accesses, last, l1Tags, l1States, l1Stamps } = this;
    for (let i = 0; i < words.length; i += 2) {
      const high = words[i + 1] as number;
      const core = high >>> 24;
      const operation = (high >>> 16) & 255;
      if (operation > FETCH || core >= CORES || (high & 0xffc0) !== 0)
        throw new RangeError("not a record of host-100c");
      // 32 bits: 26 of the low word, and the lowest six of the high one.
      const line = ((words[i] as number) >>> 6) | (high << 26);
      const at = index(core, operation);
      (accesses[at] as number)++;
      if (last[at] === line) continue;
      const base = l1Base(core, operation >> 1, line);
      let way = 0;
      if (l1Tags[base] !== line) {
        if (l1Tags[base + 1] === line) way = 1;
        else if (l1Tags[base + 2] === line) way = 2;
        else if (l1Tags[base + 3] === line) way = 3;
        else way = L1_WAYS;
      }
      let state = MODIFIED;
      this.clock = (this.clock + 1) | 0;
      if (way < L1_WAYS) {
        const hit = base + way;
        l1Stamps[hit] = this.clock;
        state = l1States[hit] as number;
        if (operation === STORE && state !== MODIFIED) {
          if (state === SHARED) this.upgrade(core, line);
          l1States[hit] = state = MODIFIED;
        }
      } else {
        state = this.miss(core, line, operation, base);
      }
      if (operation === FETCH) {
        last[at] = line;
      } else {
        last[index(core, LOAD)] = line;
        last[index(core, STORE)] = state === MODIFIED ? line : NO_LINE;
      }
    }
  }

  counters(): PrintedCounters {
    const sum = (counts: Int32Array, operation: number) =>
      counts.reduce((all, count, i) => ((i & 3) === operation ? all + count : all), 0);
    return {
      loads: sum(this.accesses, LOAD),
      loadMisses: sum(this.misses, LOAD),
      stores: sum(this.accesses, STORE),
      storeMisses: sum(this.misses, STORE),
      fetches: sum(this.accesses, FETCH),
      fetchMisses: sum(this.misses, FETCH),
      l2LoadMisses: sum(this.l2Misses, LOAD),
      l2StoreMisses: sum(this.l2Misses, STORE),
      l2FetchMisses: sum(this.l2Misses, FETCH),
      upgrades: this.upgrades,
      l1Writebacks: this.l1Writebacks,
      l2Writebacks: this.l2Writebacks,
      invalidations: this.invalidations,
      l2EvictionsWithInner: this.evictionsWithInner,
      sockets: this.sockets.map((socket) => ({ ...socket })),
    };
  }

  /** A store to a line that the L1D holds Shared. */
  private upgrade(core: number, line: number): void {
    this.upgrades++;
    const at = this.findL2(core, line);
    const word = this.l2Words[at] as number;
    if ((word & STATE_MASK) === SHARED) this.makeExclusive(core, line, word >> SLOT_SHIFT);
    this.l2Words[at] = word | MODIFIED;
  }

  /** Fills the L1 whose set begins at `base`; returns the state of its copy. */
  private miss(core: number, line: number, operation: number, base: number): number {
    (this.misses[index(core, operation)] as number)++;
    const inner = operation === FETCH ? IN_CODE : IN_DATA;
    let at = this.findL2(core, line);
    let granted: number;
    if (at >= 0) {
      const word = this.l2Words[at] as number;
      granted = word & STATE_MASK;
      if (operation === STORE && granted !== MODIFIED) {
        if (granted === SHARED) {
          this.upgrades++;
          this.makeExclusive(core, line, word >> SLOT_SHIFT);
        }
        granted = MODIFIED;
      }
      this.l2Words[at] = (word & ~STATE_MASK) | granted | inner;
    } else {
      (this.l2Misses[index(core, operation)] as number)++;
      at = this.evictL2(core, line);
      let slot = this.findL3(core < CORES_PER_SOCKET ? 0 : 1, line);
      if (slot >= 0) {
        granted = this.share(core, line, operation, slot);
      } else {
        slot = this.fillL3(core, line, operation);
        const shared = this.l3Flags[slot] === REMOTE;
        granted = shared ? SHARED : operation === STORE ? MODIFIED : EXCLUSIVE;
      }
      this.l2Tags[at] = line;
      this.l2Words[at] = granted | inner | (slot << SLOT_SHIFT);
    }
    this.l2Stamps[at] = this.clock;

    const victim = base + oldest4(this.l1Stamps, base);
    const old = this.l1Tags[victim] as number;
    if (old !== NO_LINE && this.l1States[victim] === MODIFIED) {
      this.l1Writebacks++;
      const above = this.findL2(core, old);
      if (above >= 0) this.l2Words[above] = (this.l2Words[above] as number) | MODIFIED;
    }
    // An L1 copy of a Modified L2 line is clean, but may be written without asking.
    const state =
      operation === FETCH ? SHARED : operation === STORE ? MODIFIED : granted === MODIFIED ? EXCLUSIVE : granted;
    this.l1Tags[victim] = line;
    this.l1States[victim] = state;
    this.l1Stamps[victim] = this.clock;
    return state;
  }

  private findL2(core: number, line: number): number {
    const base = (core * L2_SETS + (line & (L2_SETS - 1))) * L2_WAYS;
    const { l2Tags } = this;
    for (let at = base; at < base + L2_WAYS; at++) if (l2Tags[at] === line) return at;
    return -1;
  }

  /** Makes room in the L2 for a line, and returns where. */
  private evictL2(core: number, line: number): number {
    const base = (core * L2_SETS + (line & (L2_SETS - 1))) * L2_WAYS;
    const at = oldest(this.l2Stamps, base, L2_WAYS);
    const old = this.l2Tags[at] as number;
    if (old === NO_LINE) return at;
    const word = this.l2Words[at] as number;
    let dirty = (word & STATE_MASK) === MODIFIED;
    if ((word & (IN_DATA | IN_CODE)) !== 0) {
      this.evictionsWithInner++;
      if (this.dropL1(core, old, word)) dirty = true;
    }
    const slot = word >> SLOT_SHIFT;
    const local = core < CORES_PER_SOCKET ? core : core - CORES_PER_SOCKET;
    const sharers = this.l3Sharers;
    sharers[slot * 2] = (sharers[slot * 2] as number) & ~lowBit(local);
    sharers[slot * 2 + 1] = (sharers[slot * 2 + 1] as number) & ~highBit(local);
    let flags = (this.l3Flags[slot] as number) & ~OWNED;
    if (dirty) {
      flags |= DIRTY;
      this.l2Writebacks++;
    }
    this.l3Flags[slot] = flags;
    this.clearL2(at);
    return at;
  }

  private clearL2(at: number): void {
    this.l2Tags[at] = NO_LINE;
    this.l2Words[at] = 0;
    this.l2Stamps[at] = 0;
  }

  /** Slot of a line in the L3 of a socket, or -1. */
  private findL3(socket: number, line: number): number {
    const base = (socket * L3_SETS + (line & (L3_SETS - 1))) * L3_WAYS;
    const { l3Tags } = this;
    for (let slot = base; slot < base + L3_WAYS; slot++) if (l3Tags[slot] === line) return slot;
    return -1;
  }

  /** A request that hits in the L3: returns the state that the core gets. */
  private share(core: number, line: number, operation: number, slot: number): number {
    const socket = core < CORES_PER_SOCKET ? 0 : 1;
    const counters = this.sockets[socket] as Writable<SocketCounters>;
    const local = core - socket * CORES_PER_SOCKET;
    counters.accesses++;
    this.l3Stamps[slot] = this.clock;
    if (operation === STORE) {
      this.makeExclusive(core, line, slot);
      return MODIFIED;
    }
    const sharers = this.l3Sharers;
    let flags = this.l3Flags[slot] as number;
    if ((flags & OWNED) !== 0) {
      if (this.downgrade(socket, slot, line)) flags |= DIRTY;
      counters.c2c++;
      flags &= ~OWNED;
    }
    const low = (sharers[slot * 2] as number) | lowBit(local);
    const high = (sharers[slot * 2 + 1] as number) | highBit(local);
    sharers[slot * 2] = low;
    sharers[slot * 2 + 1] = high;
    const alone = low === lowBit(local) && high === highBit(local) && (flags & REMOTE) === 0;
    this.l3Flags[slot] = alone ? flags | OWNED : flags;
    return alone ? EXCLUSIVE : SHARED;
  }

  /** A request that misses in the L3: evicts there, asks the other socket, fills, and returns the slot. */
  private fillL3(core: number, line: number, operation: number): number {
    const socket = core < CORES_PER_SOCKET ? 0 : 1;
    const counters = this.sockets[socket] as Writable<SocketCounters>;
    const local = core - socket * CORES_PER_SOCKET;
    const { l3Tags, l3Flags, l3Sharers } = this;
    counters.accesses++;
    counters.misses++;
    const slot = oldest(this.l3Stamps, (socket * L3_SETS + (line & (L3_SETS - 1))) * L3_WAYS, L3_WAYS);
    const old = l3Tags[slot] as number;
    if (old !== NO_LINE) {
      let dirty = ((l3Flags[slot] as number) & DIRTY) !== 0;
      const low = l3Sharers[slot * 2] as number;
      const high = l3Sharers[slot * 2 + 1] as number;
      if ((low | high) !== 0) {
        counters.backInvalidations++;
        if (this.dropSharers(socket, low, high, old)) dirty = true;
      }
      if (dirty) counters.writebacks++;
    }
    l3Tags[slot] = line;
    this.l3Stamps[slot] = this.clock;
    l3Sharers[slot * 2] = lowBit(local);
    l3Sharers[slot * 2 + 1] = highBit(local);

    const remote = this.findL3(1 - socket, line);
    if (remote >= 0 && operation !== STORE) {
      const peer = this.sockets[1 - socket] as Writable<SocketCounters>;
      peer.remoteHits++;
      let flags = l3Flags[remote] as number;
      if ((flags & OWNED) !== 0 && this.downgrade(1 - socket, remote, line)) flags |= DIRTY;
      if ((flags & DIRTY) !== 0) peer.writebacks++;
      l3Flags[remote] = REMOTE;
      l3Flags[slot] = REMOTE;
      return slot;
    }
    if (remote >= 0) this.dropFromSocket(1 - socket, line);
    else counters.memoryReads++;
    l3Flags[slot] = OWNED;
    return slot;
  }

  /** A core becomes the only holder of a line that its socket's L3 has in `slot`. */
  private makeExclusive(core: number, line: number, slot: number): void {
    const socket = core < CORES_PER_SOCKET ? 0 : 1;
    const local = core - socket * CORES_PER_SOCKET;
    const sharers = this.l3Sharers;
    const low = (sharers[slot * 2] as number) & ~lowBit(local);
    const high = (sharers[slot * 2 + 1] as number) & ~highBit(local);
    let flags = this.l3Flags[slot] as number;
    if ((low | high) !== 0 && this.dropSharers(socket, low, high, line)) {
      flags |= DIRTY;
      (this.sockets[socket] as Writable<SocketCounters>).c2c++;
    }
    if ((flags & REMOTE) !== 0) this.dropFromSocket(1 - socket, line);
    sharers[slot * 2] = lowBit(local);
    sharers[slot * 2 + 1] = highBit(local);
    this.l3Flags[slot] = (flags & DIRTY) | OWNED;
  }

  /** Takes a line from a whole socket, its L3 included. */
  private dropFromSocket(socket: number, line: number): void {
    const slot = this.findL3(socket, line);
    if (slot < 0) return;
    const counters = this.sockets[socket] as Writable<SocketCounters>;
    const sharers = this.l3Sharers;
    counters.remoteHits++;
    const low = sharers[slot * 2] as number;
    const high = sharers[slot * 2 + 1] as number;
    if (this.dropSharers(socket, low, high, line) || ((this.l3Flags[slot] as number) & DIRTY) !== 0) {
      counters.writebacks++;
    }
    this.l3Tags[slot] = NO_LINE;
    this.l3Flags[slot] = 0;
    this.l3Stamps[slot] = 0;
    sharers[slot * 2] = 0;
    sharers[slot * 2 + 1] = 0;
  }

  /** Takes a line from the private caches of the named cores of a socket. Returns whether any copy was dirty. */
  private dropSharers(socket: number, low: number, high: number, line: number): boolean {
    const first = socket * CORES_PER_SOCKET;
    let dirty = false;
    for (let rest = low; rest !== 0; rest &= rest - 1) if (this.dropCore(first + lowest(rest), line)) dirty = true;
    for (let rest = high; rest !== 0; rest &= rest - 1) {
      if (this.dropCore(first + 32 + lowest(rest), line)) dirty = true;
    }
    return dirty;
  }

  private dropCore(core: number, line: number): boolean {
    const at = this.findL2(core, line);
    if (at < 0) return false;
    const word = this.l2Words[at] as number;
    const innerDirty = this.dropL1(core, line, word);
    this.clearL2(at);
    this.invalidations++;
    return innerDirty || (word & STATE_MASK) === MODIFIED;
  }

  /** Takes a line from the L1s that its L2 word names. Returns whether the L1D's copy was dirty. */
  private dropL1(core: number, line: number, word: number): boolean {
    const { l1Tags, l1States, l1Stamps, last } = this;
    let dirty = false;
    for (let side = 0; side < 2; side++) {
      if ((word & (side === 0 ? IN_DATA : IN_CODE)) === 0) continue;
      const base = l1Base(core, side, line);
      for (let at = base; at < base + L1_WAYS; at++) {
        if (l1Tags[at] !== line) continue;
        if (side === 0) dirty = l1States[at] === MODIFIED;
        l1Tags[at] = NO_LINE;
        l1States[at] = 0;
        l1Stamps[at] = 0;
      }
    }
    for (let operation = LOAD; operation <= FETCH; operation++) {
      if (last[index(core, operation)] === line) last[index(core, operation)] = NO_LINE;
    }
    return dirty;
  }

  /** The owner of an L3 line keeps it Shared. Returns whether its copy was dirty. */
  private downgrade(socket: number, slot: number, line: number): boolean {
    const low = this.l3Sharers[slot * 2] as number;
    const local = low !== 0 ? lowest(low) : 32 + lowest(this.l3Sharers[slot * 2 + 1] as number);
    const core = socket * CORES_PER_SOCKET + local;
    const at = this.findL2(core, line);
    if (at < 0) return false;
    const word = this.l2Words[at] as number;
    let dirty = (word & STATE_MASK) === MODIFIED;
    if ((word & IN_DATA) !== 0) {
      const base = l1Base(core, 0, line);
      for (let way = base; way < base + L1_WAYS; way++) {
        if (this.l1Tags[way] !== line) continue;
        if (this.l1States[way] === MODIFIED) dirty = true;
        this.l1States[way] = SHARED;
      }
    }
    this.l2Words[at] = (word & ~STATE_MASK) | SHARED;
    if (this.last[index(core, STORE)] === line) this.last[index(core, STORE)] = NO_LINE;
    return dirty;
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const socketCounters = (): Writable<SocketCounters> => ({
  accesses: 0,
  misses: 0,
  writebacks: 0,
  c2c: 0,
  remoteHits: 0,
  backInvalidations: 0,
  memoryReads: 0,
});

/** Number of the lowest bit that is set. */
const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** Index of the smallest of `ways` stamps from `base`. */
function oldest(stamps: Int32Array, base: number, ways: number): number {
  let best = base;
  let least = stamps[base] as number;
  for (let at = base + 1; at < base + ways; at++) {
    const stamp = stamps[at] as number;
    if (stamp < least) {
      least = stamp;
      best = at;
    }
  }
  return best;
}

/** The same for an L1's set, as the number of the way. */
function oldest4(stamps: Int32Array, base: number): number {
  const left = (stamps[base] as number) <= (stamps[base + 1] as number) ? 0 : 1;
  const right = (stamps[base + 2] as number) <= (stamps[base + 3] as number) ? 2 : 3;
  return (stamps[base + left] as number) <= (stamps[base + right] as number) ? left : right;
}
