/**
 * host-100c once more, as good JavaScript without WebAssembly would have it: one flat record of 32-bit words a set, constants
 * for the whole geometry, no object on the way. It plays loads, stores and fetches below 2^38, carries no bytes, and counts
 * what the yardstick counts (R38). It is what the kernel's speed is compared with, never part of the package.
 */
import type { PrintedCounters, SocketCounters } from "../src/report/yardstick.ts";

const CORES = 100;
const CORES_PER_SOCKET = 50;
const L1_SETS = 128;
const L1_WAYS = 4;
const L2_SETS = 1024;
const L2_WAYS = 8;
const L3_SETS = 16384;
const L3_WAYS = 16;

const LOAD = 0;
const STORE = 1;
const FETCH = 2;

const SHARED = 1;
const EXCLUSIVE = 2;
const MODIFIED = 3;

/** A tag that no line has: the last line of 2^38 bytes is given up for it, as in the yardstick. */
const NO_LINE = -1;

/** An L1 set: the tags, then a word for each way: the clock at its last touch, and the state in the lowest bits. */
const L1_RECORD = 2 * L1_WAYS;
const L1_CLOCK_SHIFT = 2;
const STATE_MASK = 3;

/**
 * An L2 set: the tags, most recently used first, then a word for each: its place in the L3, whether it was ever filled into
 * L1D or L1I, and its state. Lines move, and holes are at the end: then all of a set is one cache line of the host.
 */
const L2_RECORD = 2 * L2_WAYS;
const L2_SLOT_SHIFT = 8;
const IN_DATA = 4;
const IN_CODE = 8;

/** An L3 set: tags; for each the clock at its last touch, with flags in the lowest bits; for each two words of sharers. */
const L3_RECORD = 4 * L3_WAYS;
const L3_WORDS = L3_WAYS;
const L3_SHARERS = 2 * L3_WAYS;
const L3_CLOCK_SHIFT = 3;
const FLAG_MASK = 7;
/** One core owns the line; it is dirty; the other socket had it since it was last exclusive here (sticky). */
const OWNED = 1;
const DIRTY = 2;
const REMOTE = 4;

/** The clock that fits beside the flags. */
const CLOCK_LIMIT = 2 ** (31 - L3_CLOCK_SHIFT);

/** By core and operation. */
const index = (core: number, operation: number): number => core * 4 + operation;

/** Where the set for a line begins in a core's L1D (side 0) or L1I (side 1). */
const l1At = (core: number, side: number, line: number): number =>
  ((core * 2 + side) * L1_SETS + (line & (L1_SETS - 1))) * L1_RECORD;
const l2At = (core: number, line: number): number => (core * L2_SETS + (line & (L2_SETS - 1))) * L2_RECORD;
const l3At = (socket: number, line: number): number => (socket * L3_SETS + (line & (L3_SETS - 1))) * L3_RECORD;

/** A line's slot in the L3s counts ways from the first set's; a record is four words a way. */
const slotOf = (set: number, way: number): number => (set >> 2) + way;
const setOf = (slot: number): number => (slot & ~(L3_WAYS - 1)) << 2;
const wordAt = (slot: number): number => setOf(slot) + L3_WORDS + (slot & (L3_WAYS - 1));
const sharersAt = (slot: number): number => setOf(slot) + L3_SHARERS + 2 * (slot & (L3_WAYS - 1));

/** Sharers are two words, since numbers of 32 bits are the ones that JavaScript computes with quickly. */
const lowBit = (core: number): number => (core < 32 ? 1 << core : 0);
const highBit = (core: number): number => (core < 32 ? 0 : 1 << (core - 32));
/** Number of the lowest bit that is set. */
const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);

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

/** A machine with everything cold. */
export class TypedArrayHost {
  private clock = 0;
  private readonly l1 = records(CORES * 2 * L1_SETS, L1_RECORD, L1_WAYS);
  private readonly l2 = records(CORES * L2_SETS, L2_RECORD, L2_WAYS);
  private readonly l3 = records(2 * L3_SETS, L3_RECORD, L3_WAYS);
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

  /** Plays records of two words each, low word first. Throws on what it cannot play. */
  play(words: Uint32Array): void {
    const { accesses, last, l1 } = this;
    if (this.clock + words.length / 2 >= CLOCK_LIMIT)
      throw new RangeError("more records than the clock can tell apart");
    for (let i = 0; i < words.length; i += 2) {
      const high = words[i + 1] as number;
      const core = high >>> 24;
      const operation = (high >>> 16) & 255;
      if (operation > FETCH || core >= CORES || (high & 0xffc0) !== 0)
        throw new RangeError("not a record of host-100c");
      // 32 bits: 26 of the low word, and the lowest six of the high one.
      const line = ((words[i] as number) >>> 6) | (high << 26);
      const kind = index(core, operation);
      (accesses[kind] as number)++;
      if (last[kind] === line) continue;
      const set = l1At(core, operation >> 1, line);
      let way = 0;
      if (l1[set] !== line) way = l1[set + 1] === line ? 1 : l1[set + 2] === line ? 2 : l1[set + 3] === line ? 3 : 4;
      const clock = this.clock + 1;
      this.clock = clock;
      let state: number;
      if (way === L1_WAYS) {
        state = this.miss(core, line, operation, set);
      } else {
        state = (l1[set + L1_WAYS + way] as number) & STATE_MASK;
        if (operation === STORE && state !== MODIFIED) {
          if (state === SHARED) this.upgrade(core, line);
          state = MODIFIED;
        }
        l1[set + L1_WAYS + way] = (clock << L1_CLOCK_SHIFT) | state;
      }
      if (operation === FETCH) {
        last[kind] = line;
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
    const at = this.findL2(core, line) + L2_WAYS;
    const word = this.l2[at] as number;
    if ((word & STATE_MASK) === SHARED) this.makeExclusive(core, line, word >> L2_SLOT_SHIFT);
    this.l2[at] = word | MODIFIED;
  }

  /** Fills the L1 whose set is at `set`; returns the state of its copy. */
  private miss(core: number, line: number, operation: number, set: number): number {
    const { l1, l2 } = this;
    (this.misses[index(core, operation)] as number)++;
    const inner = operation === FETCH ? IN_CODE : IN_DATA;
    const at = this.findL2(core, line);
    let granted: number;
    if (at >= 0) {
      const word = l2[at + L2_WAYS] as number;
      granted = word & STATE_MASK;
      if (operation === STORE && granted !== MODIFIED) {
        if (granted === SHARED) {
          this.upgrades++;
          this.makeExclusive(core, line, word >> L2_SLOT_SHIFT);
        }
        granted = MODIFIED;
      }
      this.toFront(at, line, (word & ~STATE_MASK) | granted | inner);
    } else {
      (this.l2Misses[index(core, operation)] as number)++;
      const socket = core < CORES_PER_SOCKET ? 0 : 1;
      this.evictL2(core, line);
      let slot = this.findL3(socket, line);
      if (slot >= 0) {
        granted = this.share(socket, core, line, operation, slot);
      } else {
        slot = this.fillL3(socket, core, line, operation);
        const alone = ((this.l3[wordAt(slot)] as number) & REMOTE) === 0;
        granted = !alone ? SHARED : operation === STORE ? MODIFIED : EXCLUSIVE;
      }
      this.toFront(l2At(core, line) + L2_WAYS - 1, line, (slot << L2_SLOT_SHIFT) | granted | inner);
    }

    const words = set + L1_WAYS;
    const left = (l1[words] as number) <= (l1[words + 1] as number) ? 0 : 1;
    const right = (l1[words + 2] as number) <= (l1[words + 3] as number) ? 2 : 3;
    const victim = (l1[words + left] as number) <= (l1[words + right] as number) ? left : right;
    if (((l1[words + victim] as number) & STATE_MASK) === MODIFIED) {
      this.l1Writebacks++;
      const above = this.findL2(core, l1[set + victim] as number);
      if (above >= 0) l2[above + L2_WAYS] = (l2[above + L2_WAYS] as number) | MODIFIED;
    }
    // An L1 copy of a Modified L2 line is clean, but may be written without asking.
    const state =
      operation === FETCH ? SHARED : operation === STORE ? MODIFIED : granted === MODIFIED ? EXCLUSIVE : granted;
    l1[set + victim] = line;
    l1[words + victim] = (this.clock << L1_CLOCK_SHIFT) | state;
    return state;
  }

  /** Where the L2 has a line's tag, or -1. */
  private findL2(core: number, line: number): number {
    const { l2 } = this;
    const set = l2At(core, line);
    for (let at = set; at < set + L2_WAYS; at++) if (l2[at] === line) return at;
    return -1;
  }

  /** Puts a line with its word first in its set; what was before `at` moves one on, what was at `at` goes. */
  private toFront(at: number, line: number, word: number): void {
    const { l2 } = this;
    const set = at & ~(L2_RECORD - 1);
    for (let to = at; to > set; to--) {
      l2[to] = l2[to - 1] as number;
      l2[to + L2_WAYS] = l2[to + L2_WAYS - 1] as number;
    }
    l2[set] = line;
    l2[set + L2_WAYS] = word;
  }

  /** Takes out what is at `at`; the rest moves up, and the hole is at the end. */
  private closeGap(at: number): void {
    const { l2 } = this;
    const end = (at & ~(L2_RECORD - 1)) + L2_WAYS - 1;
    for (let to = at; to < end; to++) {
      l2[to] = l2[to + 1] as number;
      l2[to + L2_WAYS] = l2[to + L2_WAYS + 1] as number;
    }
    l2[end] = NO_LINE;
    l2[end + L2_WAYS] = 0;
  }

  /** Makes room in the L2 for a line: the last place of its set. */
  private evictL2(core: number, line: number): void {
    const { l2, l3 } = this;
    const at = l2At(core, line) + L2_WAYS - 1;
    const old = l2[at] as number;
    if (old === NO_LINE) return;
    const word = l2[at + L2_WAYS] as number;
    let dirty = (word & STATE_MASK) === MODIFIED;
    if ((word & (IN_DATA | IN_CODE)) !== 0) {
      this.evictionsWithInner++;
      if (this.dropL1(core, old, word)) dirty = true;
    }
    const slot = word >> L2_SLOT_SHIFT;
    const local = core < CORES_PER_SOCKET ? core : core - CORES_PER_SOCKET;
    const sharers = sharersAt(slot);
    if (local < 32) l3[sharers] = (l3[sharers] as number) & ~lowBit(local);
    else l3[sharers + 1] = (l3[sharers + 1] as number) & ~highBit(local);
    const at3 = wordAt(slot);
    l3[at3] = ((l3[at3] as number) & ~OWNED) | (dirty ? DIRTY : 0);
    if (dirty) this.l2Writebacks++;
    l2[at] = NO_LINE;
    l2[at + L2_WAYS] = 0;
  }

  /** Slot of a line in the L3 of a socket, or -1. */
  private findL3(socket: number, line: number): number {
    const { l3 } = this;
    const set = l3At(socket, line);
    for (let way = 0; way < L3_WAYS; way += 4) {
      const at = set + way;
      if (l3[at] === line) return slotOf(set, way);
      if (l3[at + 1] === line) return slotOf(set, way + 1);
      if (l3[at + 2] === line) return slotOf(set, way + 2);
      if (l3[at + 3] === line) return slotOf(set, way + 3);
    }
    return -1;
  }

  /** A request that hits in the L3: returns the state that the core gets. */
  private share(socket: number, core: number, line: number, operation: number, slot: number): number {
    const { l3 } = this;
    const counters = this.sockets[socket] as Writable<SocketCounters>;
    const local = core - socket * CORES_PER_SOCKET;
    const at = wordAt(slot);
    counters.accesses++;
    let flags = (l3[at] as number) & FLAG_MASK;
    if (operation === STORE) {
      l3[at] = (this.clock << L3_CLOCK_SHIFT) | flags;
      this.makeExclusive(core, line, slot);
      return MODIFIED;
    }
    if ((flags & OWNED) !== 0) {
      if (this.downgrade(socket, slot, line)) flags |= DIRTY;
      counters.c2c++;
      flags &= ~OWNED;
    }
    const sharers = sharersAt(slot);
    const low = (l3[sharers] as number) | lowBit(local);
    const high = (l3[sharers + 1] as number) | highBit(local);
    l3[sharers] = low;
    l3[sharers + 1] = high;
    const alone = low === lowBit(local) && high === highBit(local) && (flags & REMOTE) === 0;
    l3[at] = (this.clock << L3_CLOCK_SHIFT) | flags | (alone ? OWNED : 0);
    return alone ? EXCLUSIVE : SHARED;
  }

  /** A request that misses in the L3: evicts there, asks the other socket, fills, and returns the slot. */
  private fillL3(socket: number, core: number, line: number, operation: number): number {
    const { l3 } = this;
    const counters = this.sockets[socket] as Writable<SocketCounters>;
    const local = core - socket * CORES_PER_SOCKET;
    counters.accesses++;
    counters.misses++;
    const set = l3At(socket, line);
    const way = oldest(l3, set + L3_WORDS, L3_WAYS);
    const slot = slotOf(set, way);
    const sharers = sharersAt(slot);
    const old = l3[set + way] as number;
    if (old !== NO_LINE) {
      let dirty = ((l3[set + L3_WORDS + way] as number) & DIRTY) !== 0;
      const low = l3[sharers] as number;
      const high = l3[sharers + 1] as number;
      if ((low | high) !== 0) {
        counters.backInvalidations++;
        if (this.dropSharers(socket, low, high, old)) dirty = true;
      }
      if (dirty) counters.writebacks++;
    }
    l3[set + way] = line;
    l3[sharers] = lowBit(local);
    l3[sharers + 1] = highBit(local);

    const stamp = this.clock << L3_CLOCK_SHIFT;
    const remote = this.findL3(1 - socket, line);
    if (remote >= 0 && operation !== STORE) {
      const peer = this.sockets[1 - socket] as Writable<SocketCounters>;
      const at = wordAt(remote);
      peer.remoteHits++;
      let word = l3[at] as number;
      if ((word & OWNED) !== 0 && this.downgrade(1 - socket, remote, line)) word |= DIRTY;
      if ((word & DIRTY) !== 0) peer.writebacks++;
      l3[at] = (word & ~FLAG_MASK) | REMOTE;
      l3[set + L3_WORDS + way] = stamp | REMOTE;
      return slot;
    }
    if (remote >= 0) this.dropFromSocket(1 - socket, line, remote);
    else counters.memoryReads++;
    l3[set + L3_WORDS + way] = stamp | OWNED;
    return slot;
  }

  /** A core becomes the only holder of a line that its socket's L3 has in `slot`. */
  private makeExclusive(core: number, line: number, slot: number): void {
    const { l3 } = this;
    const socket = core < CORES_PER_SOCKET ? 0 : 1;
    const local = core - socket * CORES_PER_SOCKET;
    const sharers = sharersAt(slot);
    const low = (l3[sharers] as number) & ~lowBit(local);
    const high = (l3[sharers + 1] as number) & ~highBit(local);
    let word = l3[wordAt(slot)] as number;
    if ((low | high) !== 0 && this.dropSharers(socket, low, high, line)) {
      word |= DIRTY;
      (this.sockets[socket] as Writable<SocketCounters>).c2c++;
    }
    if ((word & REMOTE) !== 0) {
      const remote = this.findL3(1 - socket, line);
      if (remote >= 0) this.dropFromSocket(1 - socket, line, remote);
    }
    l3[sharers] = lowBit(local);
    l3[sharers + 1] = highBit(local);
    l3[wordAt(slot)] = (word & ~REMOTE) | OWNED;
  }

  /** Takes a line from a whole socket, its L3 included. */
  private dropFromSocket(socket: number, line: number, slot: number): void {
    const { l3 } = this;
    const counters = this.sockets[socket] as Writable<SocketCounters>;
    const sharers = sharersAt(slot);
    counters.remoteHits++;
    const innerDirty = this.dropSharers(socket, l3[sharers] as number, l3[sharers + 1] as number, line);
    if (innerDirty || ((l3[wordAt(slot)] as number) & DIRTY) !== 0) counters.writebacks++;
    l3[setOf(slot) + (slot & (L3_WAYS - 1))] = NO_LINE;
    l3[wordAt(slot)] = 0;
    l3[sharers] = 0;
    l3[sharers + 1] = 0;
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
    const word = this.l2[at + L2_WAYS] as number;
    const innerDirty = this.dropL1(core, line, word);
    this.closeGap(at);
    this.invalidations++;
    return innerDirty || (word & STATE_MASK) === MODIFIED;
  }

  /** Takes a line from the L1s that its L2 word names. Returns whether the L1D's copy was dirty. */
  private dropL1(core: number, line: number, word: number): boolean {
    const { l1, last } = this;
    let dirty = false;
    for (let side = 0; side < 2; side++) {
      if ((word & (side === 0 ? IN_DATA : IN_CODE)) === 0) continue;
      const set = l1At(core, side, line);
      for (let at = set; at < set + L1_WAYS; at++) {
        if (l1[at] !== line) continue;
        if (side === 0) dirty = ((l1[at + L1_WAYS] as number) & STATE_MASK) === MODIFIED;
        l1[at] = NO_LINE;
        l1[at + L1_WAYS] = 0;
      }
    }
    for (let kind = index(core, LOAD); kind <= index(core, FETCH); kind++)
      if (last[kind] === line) last[kind] = NO_LINE;
    return dirty;
  }

  /** The owner of an L3 line keeps it Shared. Returns whether its copy was dirty. */
  private downgrade(socket: number, slot: number, line: number): boolean {
    const { l1, l2, l3, last } = this;
    const sharers = sharersAt(slot);
    const low = l3[sharers] as number;
    const local = low !== 0 ? lowest(low) : 32 + lowest(l3[sharers + 1] as number);
    const core = socket * CORES_PER_SOCKET + local;
    const at = this.findL2(core, line);
    if (at < 0) return false;
    const word = l2[at + L2_WAYS] as number;
    let dirty = (word & STATE_MASK) === MODIFIED;
    if ((word & IN_DATA) !== 0) {
      const set = l1At(core, 0, line);
      for (let way = set; way < set + L1_WAYS; way++) {
        if (l1[way] !== line) continue;
        const own = l1[way + L1_WAYS] as number;
        if ((own & STATE_MASK) === MODIFIED) dirty = true;
        l1[way + L1_WAYS] = (own & ~STATE_MASK) | SHARED;
      }
    }
    l2[at + L2_WAYS] = (word & ~STATE_MASK) | SHARED;
    if (last[index(core, STORE)] === line) last[index(core, STORE)] = NO_LINE;
    return dirty;
  }
}

/** Sets whose tags hold no line, and all else zero. */
function records(sets: number, record: number, ways: number): Int32Array {
  const words = new Int32Array(sets * record);
  for (let set = 0; set < words.length; set += record) words.fill(NO_LINE, set, set + ways);
  return words;
}

/** Which of `ways` words from `base` is the smallest. */
function oldest(words: Int32Array, base: number, ways: number): number {
  let best = 0;
  let least = words[base] as number;
  for (let way = 1; way < ways; way++) {
    const word = words[base + way] as number;
    if (word < least) {
      least = word;
      best = way;
    }
  }
  return best;
}
