/**
 * Cacheable accesses (D9 to D13, D20, D21, D23): what each level of a core's path does, which other copies are asked,
 * and what comes back. One method for each paragraph of the decisions, in their order.
 */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import { bytesOf, type CacheArray, isOwner, type LineCopy } from "./cache-array.ts";
import { Directory } from "./directory.ts";
import type { Lines } from "./lines.ts";
import type { Memory } from "./memory.ts";
import { Prefetcher } from "./prefetcher.ts";
import { blockAround, covers, overlay, type Range, slice, split } from "./ranges.ts";
import type { AccessKind, Supply, Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";

/** One piece of a cacheable access. Atomics are stores that observe; prefetches are loads. */
export interface Access {
  readonly kind: AccessKind;
  readonly core: number;
  readonly piece: Range;
  /** Caches that the access goes through, inner first; a fetch's path is without the L1I. */
  readonly path: readonly CacheArray[];
  readonly shareable: boolean;
  /** What a store writes. */
  readonly bytes?: Uint8Array;
  /** A table walk that starts at the PoU, beside the core's L1D (D51). */
  readonly atPou?: boolean;
  /** Prefetchers learn from it (D57). */
  readonly trains?: boolean;
  /** A prefetcher asks, so it is no demand access anywhere (D60). */
  readonly speculative?: boolean;
}

/** A prefetcher's cache was asked in a way that it learns from: path position k of the access. */
interface Training {
  readonly access: Access;
  readonly k: number;
}

export interface Outcome {
  /** The piece as it was observed, before a store of the same access. */
  readonly seen: Uint8Array;
  readonly supply: Supply;
  /** The first cache that was asked, if it held the line. */
  readonly heldBy: CacheArray | undefined;
}

/** What a request brings inwards. */
interface Answer {
  readonly line: Range;
  readonly bytes: Uint8Array;
  readonly shared: boolean;
  /** Dirtiness that no cache has taken yet. */
  dirty: boolean;
  readonly supply: Supply;
}

/** A supplier as it was before it was snooped. */
interface Supplied {
  readonly copy: LineCopy;
  readonly line: Range;
  readonly bytes: Uint8Array;
  readonly dirty: boolean;
  readonly shared: boolean;
}

type IsFull = (copy: LineCopy) => boolean;

export class Coherence {
  private readonly machine: ResolvedMachine;
  private readonly topology: Topology;
  private readonly lines: Lines;
  private readonly memory: Memory;
  private readonly tally: Tally;
  /** By socket, where the machine has sized ones. */
  private readonly directories: readonly Directory[];
  /** Of the caches that have one. */
  private readonly prefetchers: ReadonlyMap<CacheArray, Prefetcher>;
  /** Of the piece that is being played, innermost cache first. */
  private trainings: Training[] = [];

  constructor(topology: Topology, lines: Lines, memory: Memory, tally: Tally) {
    const machine = topology.machine;
    this.machine = machine;
    this.topology = topology;
    this.lines = lines;
    this.memory = memory;
    this.tally = tally;
    const { directory } = machine;
    this.directories = directory ? Array.from({ length: machine.sockets }, () => new Directory(directory)) : [];
    this.prefetchers = new Map(
      topology.arrays.flatMap((array) => {
        const { prefetcher, lineBytes } = array.cache;
        return prefetcher ? [[array, new Prefetcher(prefetcher, lineBytes)] as const] : [];
      }),
    );
  }

  /** D9: a load or store asks the first cache of its path. */
  data(access: Access): Outcome {
    const first = cacheAt(access, 0);
    const held = first.find(access.piece.address);
    this.demand(access, 0, first, held);
    return held ? this.hitFirst(access, held) : this.missFirst(access, first);
  }

  /** D23: L1I, then the fetch path; the L1I's copies are S and nobody asks them. */
  fetch(access: Access): Outcome {
    const l1i = this.topology.instructionCache(access.core);
    const held = l1i?.find(access.piece.address);
    if (l1i) this.tally.demand(l1i, "fetch", held !== undefined);
    if (held) return hitOf(held, access);
    const lineBytes = l1i?.cache.lineBytes ?? this.machine.smallestLineBytes;
    const answer = this.request(access, 0, blockAround(access.piece.address, lineBytes));
    if (l1i) {
      const slot = this.lines.makeRoom(l1i, access.piece.address);
      l1i.fill(slot, answer.line, answer.bytes, { dirty: false, shared: true });
    }
    return missOf(answer, access);
  }

  /** D51, `walker: pou`: a load that asks as a fetch of a core without L1I does. */
  walkAtPou(access: Access): Outcome {
    const answer = this.request(access, 0, blockAround(access.piece.address, this.machine.smallestLineBytes));
    // The first level may be write-through: what came from an exclusive level beyond it must not get lost (D17).
    if (answer.dirty) this.lines.landInFirst(access.path.slice(1), answer.line, answer.bytes);
    return missOf(answer, access);
  }

  /**
   * D21, R43: a store to Write-Through memory with `split`. Every copy off the path goes, those on it are updated in
   * place, and the bytes go to memory or stop at a system cache (`stopsAtSystem`) that holds the line.
   */
  storeThrough(access: Access, bytes: Uint8Array, stopsAtSystem: boolean, observes: boolean): Outcome {
    const { path, piece } = access;
    const held = cacheAt(access, 0).find(piece.address);
    this.tally.demand(cacheAt(access, 0), "store", held !== undefined);
    if (held) takeMark(held);
    for (let k = 1; k <= path.length; k++) {
      const range = cacheAt(access, k - 1).lineAround(piece.address);
      const peers = k < path.length ? this.peers(access, k, range) : this.interconnectPeers(access, range);
      for (const peer of peers) if (peer.dirty) this.lines.writeAside(peer);
      this.snoopAway(peers);
    }
    const onPath = path.flatMap((array) => array.overlapping(piece));
    const nearest = onPath[0];
    const seen = !observes
      ? new Uint8Array(piece.sizeBytes)
      : nearest
        ? bytesOf(nearest, piece)
        : this.memory.read(piece).bytes;
    for (const copy of onPath) {
      copy.array.overlay(copy, piece.address, bytes);
      copy.array.touch(copy);
    }
    const system = onPath.find((copy) => copy.array.cache.kind === "system");
    if (stopsAtSystem && system) this.lines.land(system, piece.address, bytes);
    else this.memory.write(piece.address, bytes);
    return { seen, supply: { place: "memory", how: "memory" }, heldBy: held?.array };
  }

  /** D57 to D60: when a piece has come to its end, prefetchers act on what they learnt from it, innermost first. */
  prefetch(): void {
    const trainings = this.trainings;
    this.trainings = [];
    for (const { access, k } of trainings) {
      const { address } = access.piece;
      const wanted = this.prefetchers.get(cacheAt(access, k))?.train(address) ?? [];
      for (const line of wanted) this.bringIn(access, k, line);
    }
  }

  /** A load of D9 that begins at the prefetcher's cache, unless that or a data cache inside it has some of the line. */
  private bringIn({ core, path, shareable }: Access, k: number, address: number): void {
    const own = path.slice(k);
    const [array] = own;
    if (!array) return;
    const line = array.lineAround(address);
    const holders = [array, ...this.topology.inside(array).filter(({ holdsData }) => holdsData)];
    if (!this.isInMemory(line) || holders.some((each) => each.overlapping(line).length > 0)) return;
    array.counters.prefetches += 1;
    this.missFirst({ kind: "load", core, piece: line, path: own, shareable, speculative: true }, array);
    const copy = array.find(line.address);
    if (copy) copy.prefetched = true;
  }

  private isInMemory(line: Range): boolean {
    const region = this.topology.region(line.address);
    return region !== undefined && covers({ address: region.base, sizeBytes: region.sizeBytes }, line);
  }

  /** The access is counted at a cache, and noted for its prefetcher if that learns from it (D57, D58). */
  private demand(access: Access, k: number, array: CacheArray, held: LineCopy | undefined): void {
    if (access.speculative) return;
    this.tally.demand(array, access.kind, held !== undefined);
    const isNews = held === undefined || takeMark(held);
    if (isNews && access.trains && this.prefetchers.has(array)) this.trainings.push({ access, k });
  }

  private hitFirst(access: Access, held: LineCopy): Outcome {
    const outcome = hitOf(held, access);
    if (access.bytes) {
      if (held.shared && access.shareable) {
        held.array.counters.upgrades += 1;
        this.climb(access, 0);
      }
      held.shared = false;
      this.lines.land(held, access.piece.address, access.bytes);
    }
    return outcome;
  }

  private missFirst(access: Access, first: CacheArray): Outcome {
    const { piece, bytes } = access;
    const answer = this.request(access, 1, first.lineAround(piece.address));
    const outcome = missOf(answer, access);
    if (!allocates(first, access.kind)) {
      if (bytes) this.storeBeyond(access, answer, bytes);
      return outcome;
    }
    // The victim goes only now, after the outer levels have filled (R36).
    const slot = this.lines.makeRoom(first, piece.address);
    const copy = this.fill(first, slot, answer, access.kind);
    if (answer.dirty) this.lines.landInFirst(access.path.slice(1), answer.line, answer.bytes);
    if (bytes) this.lines.land(copy, piece.address, bytes);
    return outcome;
  }

  /** D16: a store that the first cache doesn't allocate takes place in the first one beyond that holds the line, else in memory. */
  private storeBeyond(access: Access, answer: Answer, bytes: Uint8Array): void {
    const { piece } = access;
    const beyond = access.path.slice(1);
    if (answer.dirty) this.lines.landInFirst(beyond, answer.line, answer.bytes);
    const holder = beyond.map((array) => array.find(piece.address)).find((copy) => copy);
    if (holder) this.lines.land(holder, piece.address, bytes);
    else this.memory.write(piece.address, bytes);
  }

  /** D10: level k of the path is asked for a range. */
  private request(access: Access, k: number, range: Range): Answer {
    this.consultDirectory(access, k);
    const array = access.path[k];
    if (!array) return this.interconnect(access, range);
    const held = array.find(access.piece.address);
    this.demand(access, k, array, held);
    return held ? this.requestHit(access, k, range, held) : this.requestMiss(access, k, range, array);
  }

  private requestHit(access: Access, k: number, range: Range, held: LineCopy): Answer {
    const { kind, shareable } = access;
    const { array } = held;
    array.touch(held);
    const peers = this.peers(access, k, range);
    const supplied = this.ask(access, peers, (copy) => covers(copy.line, range), array);
    if (kind === "store" && held.shared && shareable) {
      array.counters.upgrades += 1;
      this.climb(access, k);
    }

    let dirty = false;
    if (supplied?.dirty && this.isMesi) this.lines.land(held, supplied.line.address, supplied.bytes);
    else if (supplied?.dirty && kind === "store") dirty = true;

    let shared = false;
    if (kind !== "store" && shareable) {
      const isRoot = k === access.path.length - 1;
      if (isRoot && held.shared && this.interconnectPeers(access, held.line).length === 0) held.shared = false;
      shared = peers.length > 0 || held.shared;
    }

    let { line, bytes } = supplied ?? remember(held);
    if (array.cache.inclusionOfData === "exclusive" && kind !== "fetch" && this.fillsFirst(access, k)) {
      // The copy moves inwards, with what the supplier had that was newer.
      if (held.dirty && this.isMesi && shared) this.lines.clean(held);
      // A supplier that stays dirty owns the line; what was here is older.
      const staysOwned = supplied?.dirty && kind !== "store" && !this.isMesi;
      if (held.dirty && !staysOwned) dirty = true;
      line = held.line;
      bytes = held.bytes.slice();
      if (supplied) overlay(bytes, line.address, supplied.bytes, supplied.line.address);
      array.drop(held);
    }
    const supply = supplied ? peerSupply(supplied) : levelSupply(array);
    return this.narrow(access, k, range, { line, bytes, shared, dirty, supply });
  }

  private requestMiss(access: Access, k: number, range: Range, array: CacheArray): Answer {
    const { kind } = access;
    const slot = allocates(array, kind) ? this.lines.makeRoom(array, access.piece.address) : undefined;
    const peers = this.peers(access, k, range);
    const isFull: IsFull = (copy) => copy.line.sizeBytes === array.cache.lineBytes && covers(copy.line, range);
    const supplied = this.ask(access, peers, isFull, array);
    let answer: Answer;
    if (supplied) {
      let dirty = supplied.dirty && !this.isMesi && kind === "store";
      if (supplied.dirty && this.isMesi) {
        // The nearest common level that holds the line gets the dirty bytes (R33).
        this.lines.landInFirst(access.path.slice(k + 1), supplied.line, supplied.bytes);
      }
      if (kind === "store" && supplied.shared && this.climb(access, k)) dirty = true;
      const { line, bytes } = supplied;
      answer = { line, bytes, shared: kind !== "store", dirty, supply: peerSupply(supplied) };
    } else {
      const outer = this.request(access, k + 1, array.lineAround(access.piece.address));
      answer = { ...outer, shared: kind !== "store" && (outer.shared || peers.length > 0) };
    }
    if (slot) this.fill(array, slot, answer, kind);
    return this.narrow(access, k, range, answer);
  }

  /** The first cache that can be dirty takes the answer's dirtiness (D10, D17). */
  private fill(array: CacheArray, slot: { set: number; way: number }, answer: Answer, kind: AccessKind): LineCopy {
    const dirty = answer.dirty && array.cache.writePolicy === "back";
    if (dirty) answer.dirty = false;
    return array.fill(slot, answer.line, answer.bytes, { dirty, shared: kind !== "store" && answer.shared });
  }

  /** Cuts an answer down to the asker's range. Dirty bytes outside it must not get lost: then the whole line lands here. */
  private narrow(access: Access, k: number, range: Range, answer: Answer): Answer {
    if (answer.dirty && answer.line.sizeBytes > range.sizeBytes) {
      this.lines.landInFirst(access.path.slice(k), answer.line, answer.bytes);
      answer.dirty = false;
    }
    return { ...answer, line: range, bytes: slice(answer.bytes, answer.line.address, range) };
  }

  /** D12: the other roots' trees, else memory. */
  private interconnect(access: Access, range: Range): Answer {
    const { kind } = access;
    const peers = this.interconnectPeers(access, range);
    const isFull: IsFull = (copy) => covers(copy.line, range);
    for (const peer of peers) if (peer.dirty && !isFull(peer)) this.lines.writeAside(peer);
    const full = peers.filter(isFull);
    const supplier = full.find((copy) => copy.dirty) ?? full.find((copy) => !copy.shared) ?? outermost(full);
    const supplied = supplier && remember(supplier);
    if (kind === "store") {
      this.snoopAway(peers);
    } else {
      for (const peer of peers) {
        if (!isOwner(peer) && peer !== supplier) continue;
        this.tally.snoop(peer);
        peer.shared = true;
        peer.dirty = false;
      }
      if (supplier) this.lines.refreshOutwards(supplier);
    }
    if (!supplied) {
      const { bytes, place } = this.memory.read(range);
      const shared = kind !== "store" && peers.length > 0;
      return { line: range, bytes, shared, dirty: false, supply: { place, how: "memory" } };
    }
    if (supplied.dirty) this.writeHome(supplied);
    const bytes = slice(supplied.bytes, supplied.line.address, range);
    return { line: range, bytes, shared: kind !== "store", dirty: false, supply: peerSupply(supplied) };
  }

  /** Home memory is written once, counted at the root of the supplier's tree. */
  private writeHome({ copy, line, bytes }: Supplied): void {
    this.tally.writebackOut(this.topology.root(copy.array, line.address));
    this.memory.write(line.address, bytes);
  }

  /**
   * D10's climb(k): level k holds the line shared, or was answered by a shared owner, and a store wants it alone. Returns
   * whether dirtiness was found that level k has yet to take because it doesn't hold the line.
   */
  private climb(access: Access, k: number): boolean {
    const { path, piece } = access;
    this.lines.kept = (copy) => path.includes(copy.array) && covers(copy.line, piece);
    let dirtiness = false;
    let stop = path.length - 1;
    let stopped = false;
    for (let j = k + 1; j < path.length && !stopped; j++) {
      this.consultDirectory(access, j);
      const array = cacheAt(access, j);
      const range = cacheAt(access, j - 1).lineAround(piece.address);
      const held = array.find(piece.address);
      const isFull: IsFull = (copy) =>
        covers(copy.line, range) && (held !== undefined || copy.line.sizeBytes === array.cache.lineBytes);
      const supplied = this.ask(access, this.peers(access, j, range), isFull, array);
      if (supplied?.dirty) {
        const fits = supplied.line.sizeBytes <= cacheAt(access, k).cache.lineBytes;
        if (!this.isMesi && fits) dirtiness = true;
        else this.lines.landInFirst(path.slice(j), supplied.line, supplied.bytes);
      }
      if (held && !held.shared) {
        stop = j;
        stopped = true;
      }
    }
    if (!stopped) this.climbPastRoot(access);
    for (let i = k; i <= stop; i++) {
      const copy = path[i]?.find(piece.address);
      if (copy) copy.shared = false;
    }
    const own = path[k]?.find(piece.address);
    if (own && dirtiness) this.lines.land(own, own.line.address, own.bytes.slice());
    this.lines.kept = () => false;
    return dirtiness && !own;
  }

  private climbPastRoot(access: Access): void {
    const { path, piece } = access;
    this.consultDirectory(access, path.length);
    const range = cacheAt(access, path.length - 1).lineAround(piece.address);
    const peers = this.interconnectPeers(access, range);
    const isFull: IsFull = (copy) => covers(copy.line, range);
    for (const peer of peers) if (peer.dirty && !isFull(peer)) this.lines.writeAside(peer);
    const dirty = peers.find((copy) => copy.dirty);
    const supplied = dirty && remember(dirty);
    this.snoopAway(peers);
    if (supplied) this.writeHome(supplied);
  }

  /**
   * D11: asks the peers at a level. The supplier is the first full dirty one, else the first full one that isn't shared;
   * dirty peers that can't supply are written to memory before anything else.
   */
  private ask(access: Access, peers: readonly LineCopy[], isFull: IsFull, level: CacheArray): Supplied | undefined {
    for (const peer of peers) if (peer.dirty && !isFull(peer)) this.lines.writeAside(peer);
    const full = peers.filter(isFull);
    const supplier = full.find((copy) => copy.dirty) ?? full.find((copy) => !copy.shared);
    const supplied = supplier && remember(supplier);
    if (access.kind === "store") {
      this.snoopAway(peers);
      return supplied;
    }
    for (const owner of peers.filter(isOwner)) {
      this.tally.snoop(owner);
      owner.shared = true;
      if (this.isMesi) owner.dirty = false;
    }
    if (this.isMesi && supplier) {
      this.lines.refreshOutwards(supplier, (array) => this.topology.isInside(array, level));
    }
    return supplied;
  }

  /** A store's snoop removes every peer; one that went with another is not there to be snooped any more (D11, D19). */
  private snoopAway(peers: readonly LineCopy[]): void {
    for (const peer of peers) {
      if (!peer.array.has(peer) || this.lines.kept(peer)) continue;
      this.tally.snoop(peer);
      peer.array.counters.invalidations += 1;
      this.lines.remove(peer);
    }
  }

  /** D10: overlapping data and unified copies inside level k that are neither on the path nor inside the asker. */
  private peers(access: Access, k: number, range: Range): LineCopy[] {
    if (!access.shareable) return [];
    const level = cacheAt(access, k);
    const asker = access.path[k - 1];
    const inside = this.topology.inside(level).filter((array) => {
      if (!array.holdsData || access.path.includes(array)) return false;
      if (asker && this.topology.isInside(array, asker)) return false;
      return !(k === 0 && this.isUnsnoopedOwnData(access, array));
    });
    return inside.flatMap((array) => array.overlapping(range));
  }

  /** D12: overlapping data and unified copies neither on the path nor inside its root. */
  private interconnectPeers(access: Access, range: Range): LineCopy[] {
    if (!access.shareable) return [];
    const root = access.path[access.path.length - 1];
    return this.topology.dataCopies(range).filter(({ array }) => {
      if (access.path.includes(array)) return false;
      if (root) return !this.topology.isInside(array, root);
      return !this.isUnsnoopedOwnData(access, array);
    });
  }

  /** R35: what starts at the PoU doesn't snoop the core's own L1D there unless IDC says so. */
  private isUnsnoopedOwnData(access: Access, array: CacheArray): boolean {
    const startsAtPou = access.kind === "fetch" || access.atPou === true;
    return startsAtPou && !this.machine.idc && array.cache.id === this.machine.cores[access.core]?.l1d;
  }

  /** D25: a request or climb that goes beyond the outermost architected cache of its path looks the socket's directory up. */
  private consultDirectory(access: Access, k: number): void {
    const core = this.machine.cores[access.core];
    const directory = this.directories[core?.socket ?? 0];
    if (!directory || !core || !access.shareable) return;
    const asking = access.path.map((array) => array.cache);
    const l1i = access.kind === "fetch" ? this.topology.instructionCache(access.core)?.cache : undefined;
    const outermost = asking.findLastIndex((cache) => cache.kind === "architected");
    const asker = asking[outermost] ?? l1i;
    if (!asker || k !== outermost + 1) return;
    directory.lookUp(access.piece.address, asker.lineBytes, (line) => this.evictEntry(line, core.socket));
  }

  /** Every architected copy of the socket goes; each byte is written back from the first dirty copy in order that has it. */
  private evictEntry(line: Range, socket: number): void {
    this.tally.machine.directoryEvictions += 1;
    const named = this.topology.dataCopies(line).filter((copy) => {
      const { kind, socket: where } = copy.array.cache;
      return kind === "architected" && where === socket && !this.lines.kept(copy);
    });
    const going = new Set(named.flatMap((copy) => [copy, ...this.lines.innerCopies(copy)]));
    const alreadyWritten = new Set<number>();
    const written: { copy: LineCopy; bytes: Uint8Array }[] = [];
    for (const copy of this.topology.dataCopies(line)) {
      if (!going.has(copy)) continue;
      const parts = split(copy.line, this.machine.smallestLineBytes).map((part) => part.address);
      if (!copy.dirty || parts.every((part) => alreadyWritten.has(part))) continue;
      for (const part of parts) alreadyWritten.add(part);
      written.push({ copy, bytes: copy.bytes.slice() });
    }
    for (const copy of named) {
      if (!copy.array.has(copy)) continue;
      copy.array.counters.backInvalidations += 1;
      this.lines.remove(copy);
    }
    for (const { copy, bytes } of written.reverse()) {
      // An architected cache that serves several sockets may keep its copy: it must not stay behind.
      this.lines.refreshOutwards(copy);
      this.tally.writebackOut(copy.array);
      const { address, sizeBytes } = copy.line;
      const to = this.beyondArchitected(copy.array, address);
      this.lines.writeback(to, { address, bytes, dirty: true, shared: copy.shared, wholeLineBytes: sizeBytes });
    }
  }

  /** The parent of the outermost architected cache above (or at) this one. */
  private beyondArchitected(array: CacheArray, address: number): CacheArray | undefined {
    let parent = this.topology.parent(array, address);
    while (parent && this.hasArchitectedOutwards(parent, address)) parent = this.topology.parent(parent, address);
    return parent;
  }

  private hasArchitectedOutwards(array: CacheArray, address: number): boolean {
    if (array.cache.kind === "architected") return true;
    const parent = this.topology.parent(array, address);
    return parent !== undefined && this.hasArchitectedOutwards(parent, address);
  }

  /** Whether an exclusive level k may hand its copy inwards: the access's first cache will be filled. */
  private fillsFirst(access: Access, k: number): boolean {
    const first = access.path[0];
    return k > 0 && first !== undefined && allocates(first, access.kind);
  }

  private get isMesi(): boolean {
    return this.machine.protocol === "mesi";
  }
}

/** The first demand access that hits a line which was prefetched (D58). Whether this one is. */
function takeMark(copy: LineCopy): boolean {
  if (!copy.prefetched) return false;
  copy.prefetched = false;
  copy.array.counters.prefetchesUsed += 1;
  return true;
}

/** The first in order of the greatest depth. */
function outermost(copies: readonly LineCopy[]): LineCopy | undefined {
  const depth = Math.max(...copies.map((copy) => copy.array.cache.depth));
  return copies.find((copy) => copy.array.cache.depth === depth);
}

/** D13. */
function allocates({ cache }: CacheArray, kind: AccessKind): boolean {
  if (kind === "fetch") return cache.allocate !== "write" && cache.inclusionOfInstructions !== "exclusive";
  if (cache.inclusionOfData === "exclusive") return false;
  return cache.allocate !== (kind === "store" ? "read" : "write");
}

function remember(copy: LineCopy): Supplied {
  const { line, bytes, dirty, shared } = copy;
  return { copy, line, bytes: bytes.slice(), dirty, shared };
}

function hitOf(held: LineCopy, access: Access): Outcome {
  held.array.touch(held);
  return { seen: bytesOf(held, access.piece), supply: levelSupply(held.array), heldBy: held.array };
}

function missOf(answer: Answer, access: Access): Outcome {
  return { seen: slice(answer.bytes, answer.line.address, access.piece), supply: answer.supply, heldBy: undefined };
}

const levelSupply = (array: CacheArray): Supply => ({ place: { cache: array.cache.id }, how: "level" });
const peerSupply = ({ copy }: Supplied): Supply => ({ place: { cache: copy.array.cache.id }, how: "peer" });

function cacheAt(access: Access, k: number): CacheArray {
  const array = access.path[k];
  if (!array) throw new Error(`no level ${k} on the path`);
  return array;
}
