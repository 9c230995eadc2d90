/**
 * Translation tables as a radix tree: which entries have to be written where, in which order, for a page or a block to be
 * mapped or to go. It keeps the shape of what it has written and writes through whoever owns the tables; it never reads
 * simulated memory, and knows nothing of stages.
 */
import { SetwayError } from "../engine/errors.ts";
import { spanOf, TABLE_ENTRIES, tableDescriptor } from "./descriptors.ts";

/** Who owns the tables: every call is something that really happens. */
export interface TableOwner {
  /** A zeroed page, or `pages` contiguous ones aligned to their size. */
  readonly allocate: (pages: number) => number;
  readonly free: (table: number, pages: number) => void;
  readonly write: (entry: number, descriptor: bigint) => void;
  /** A live entry has just been cleared: its translations must go before another one is written (break before make). */
  readonly invalidate: (input: number, level: number) => void;
}

export interface TableShape {
  readonly startLevel: number;
  /** Concatenated tables at the start level. */
  readonly tables: number;
}

const NOTHING = 0;
const LEAF = 1;
const TABLE = 2;

class Node {
  readonly address: number;
  readonly level: number;
  readonly kinds: Uint8Array;
  readonly children = new Map<number, Node>();

  constructor(address: number, level: number, tables = 1) {
    this.address = address;
    this.level = level;
    this.kinds = new Uint8Array(TABLE_ENTRIES * tables);
  }

  indexOf(input: number): number {
    return Math.floor(input / spanOf(this.level)) % this.kinds.length;
  }

  entryAt(index: number): number {
    return this.address + 8 * index;
  }
}

/** A leaf that a range touches. */
export interface Leaf {
  readonly input: number;
  readonly level: number;
}

export class TableTree {
  readonly #owner: TableOwner;
  readonly #root: Node;
  readonly #breakBeforeMake: boolean;
  readonly #limit: number;

  constructor(shape: TableShape, owner: TableOwner, breakBeforeMake = true) {
    this.#owner = owner;
    this.#root = new Node(owner.allocate(shape.tables), shape.startLevel, shape.tables);
    this.#breakBeforeMake = breakBeforeMake;
    this.#limit = spanOf(shape.startLevel) * TABLE_ENTRIES * shape.tables;
  }

  /** Address of the (first) table of the start level. */
  get root(): number {
    return this.#root.address;
  }

  /** Level of the leaf that maps an address; undefined if none does. */
  leafLevel(input: number): number | undefined {
    let node = this.#root;
    for (;;) {
      const index = node.indexOf(input);
      const kind = node.kinds[index];
      if (kind === NOTHING) return undefined;
      if (kind === LEAF) return node.level;
      node = node.children.get(index) as Node;
    }
  }

  /** Address of the entry of a level for an address; undefined where no table of that level is on the way. */
  entryAddress(input: number, level: number): number | undefined {
    let node: Node | undefined = this.#root;
    while (node !== undefined && node.level < level) node = node.children.get(node.indexOf(input));
    return node?.level === level ? node.entryAt(node.indexOf(input)) : undefined;
  }

  /**
   * Maps one leaf. Tables on the way are made; what the entry held before is broken first. `inPlace` rewrites a live leaf
   * whose output stays the same (permissions alone), which needs no break.
   */
  set(input: number, level: number, descriptor: bigint, { inPlace = false } = {}): void {
    this.#check(input, level);
    const node = this.#tableFor(input, level);
    const index = node.indexOf(input);
    const kind = node.kinds[index];
    const child = node.children.get(index);
    if (kind !== NOTHING && !inPlace && this.#breakBeforeMake) this.#break(node, index, input);
    if (child) this.#drop(node, index, child);
    this.#owner.write(node.entryAt(index), descriptor);
    node.kinds[index] = LEAF;
  }

  /** Clears the leaf that maps an address; returns it, or undefined where nothing is mapped. Translations stay. */
  clear(input: number): Leaf | undefined {
    let node = this.#root;
    for (;;) {
      const index = node.indexOf(input);
      const kind = node.kinds[index];
      if (kind === NOTHING) return undefined;
      if (kind === LEAF) {
        this.#owner.write(node.entryAt(index), 0n);
        node.kinds[index] = NOTHING;
        return { input: Math.floor(input / spanOf(node.level)) * spanOf(node.level), level: node.level };
      }
      node = node.children.get(index) as Node;
    }
  }

  /** Replaces a block by a table of leaves one level down, each given by its input address. */
  split(input: number, descriptorOf: (input: number) => bigint): void {
    const level = this.leafLevel(input);
    if (level === undefined || level === 3) return;
    const node = this.#tableFor(input, level);
    const index = node.indexOf(input);
    const child = new Node(this.#owner.allocate(1), level + 1);
    const first = Math.floor(input / spanOf(level)) * spanOf(level);
    for (let entry = 0; entry < TABLE_ENTRIES; entry++) {
      this.#owner.write(child.entryAt(entry), descriptorOf(first + entry * spanOf(level + 1)));
    }
    child.kinds.fill(LEAF);
    if (this.#breakBeforeMake) this.#break(node, index, first);
    this.#attach(node, index, child);
  }

  /** Leaves that overlap a range, ascending. */
  *leaves(input: number, bytes: number): Generator<Leaf> {
    yield* leavesOf(this.#root, 0, input, input + bytes);
  }

  /** Gives every table back; the tree must not be used after that. */
  destroy(): void {
    this.#free(this.#root);
  }

  #check(input: number, level: number): void {
    if (input < 0 || input >= this.#limit || input % spanOf(level) !== 0) {
      throw new SetwayError("usage", "cannot be mapped", {
        found: `0x${input.toString(16)} at level ${level}`,
        expected: `a multiple of 0x${spanOf(level).toString(16)} below 0x${this.#limit.toString(16)}`,
      });
    }
  }

  /** The table of a level on the way to an address; made if it isn't there. */
  #tableFor(input: number, level: number): Node {
    let node = this.#root;
    while (node.level < level) {
      const index = node.indexOf(input);
      if (node.kinds[index] === LEAF) {
        throw new SetwayError("usage", "a block is mapped there: split or unmap it first", {
          found: `0x${input.toString(16)} in a block of level ${node.level}`,
        });
      }
      if (node.kinds[index] === NOTHING) this.#attach(node, index, new Node(this.#owner.allocate(1), node.level + 1));
      node = node.children.get(index) as Node;
    }
    return node;
  }

  #attach(node: Node, index: number, child: Node): void {
    this.#owner.write(node.entryAt(index), tableDescriptor(child.address));
    node.kinds[index] = TABLE;
    node.children.set(index, child);
  }

  #break(node: Node, index: number, input: number): void {
    this.#owner.write(node.entryAt(index), 0n);
    node.kinds[index] = NOTHING;
    this.#owner.invalidate(input, node.level);
  }

  #drop(node: Node, index: number, child: Node): void {
    node.children.delete(index);
    this.#free(child);
  }

  #free(node: Node): void {
    for (const child of node.children.values()) this.#free(child);
    this.#owner.free(node.address, node.kinds.length / TABLE_ENTRIES);
  }
}

function* leavesOf(node: Node, base: number, from: number, to: number): Generator<Leaf> {
  const span = spanOf(node.level);
  const first = Math.max(0, Math.floor((from - base) / span));
  for (let index = first; index < node.kinds.length && base + index * span < to; index++) {
    const kind = node.kinds[index];
    const input = base + index * span;
    if (kind === LEAF) yield { input, level: node.level };
    else if (kind === TABLE) yield* leavesOf(node.children.get(index) as Node, input, from, to);
  }
}
