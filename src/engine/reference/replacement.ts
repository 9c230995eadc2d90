/** The replacement policies of R39 and D14, one object a set: what happens in one set never depends on another (R6). */
import type { Cache } from "../../machine/resolved.ts";

export interface Replacement {
  /** A demand hit, or a writeback hit where `writebackTouches`. */
  touch(way: number): void;
  fill(way: number): void;
  /** The way to replace; asked only when no way is Invalid. */
  victim(): number;
}

export function createReplacement(cache: Cache, set: number, seed: number): Replacement {
  switch (cache.replacement) {
    case "lru":
      return recencyOrder(cache.ways, true);
    case "fifo":
      return recencyOrder(cache.ways, false);
    case "tree-plru":
      return treePlru(cache.ways);
    case "srrip":
      return srrip(cache.ways);
    case "random":
      return random(cache.ways, fmix32(seed ^ Math.imul(cache.id, 0x9e3779b9) ^ set) | 1);
  }
}

/** LRU, and FIFO when a touch changes nothing. A new set has way 0 most recent and the highest way least recent. */
export function recencyOrder(ways: number, touchMoves: boolean): Replacement {
  const order = Array.from({ length: ways }, (_, way) => way);
  const toFront = (way: number): void => {
    order.splice(order.indexOf(way), 1);
    order.unshift(way);
  };
  return {
    touch: (way) => {
      if (touchMoves) toFront(way);
    },
    fill: toFront,
    victim: () => order[ways - 1] ?? 0,
  };
}

/**
 * Ways are the leaves of the next power of two. `upperIsVictim[node]` says which half of the node is replaced next; node 1
 * is the root, and the halves of node n are 2n and 2n + 1.
 */
function treePlru(ways: number): Replacement {
  let leaves = 1;
  while (leaves < ways) leaves *= 2;
  const upperIsVictim: boolean[] = new Array(leaves).fill(false);

  const touch = (way: number): void => {
    let node = 1;
    for (let half = leaves / 2; half >= 1; half /= 2) {
      const inUpper = Math.floor(way / half) % 2 === 1;
      upperIsVictim[node] = !inUpper;
      node = node * 2 + (inUpper ? 1 : 0);
    }
  };
  const victim = (): number => {
    let node = 1;
    let way = 0;
    for (let half = leaves / 2; half >= 1; half /= 2) {
      const upperIsEmpty = way + half >= ways;
      const goUp = upperIsVictim[node] === true && !upperIsEmpty;
      if (goUp) way += half;
      node = node * 2 + (goUp ? 1 : 0);
    }
    return way;
  };
  return { touch, fill: touch, victim };
}

/** Two bits a way: filled with 2, hit sets 0, the victim is the lowest way at 3 after all have aged until one is there. */
function srrip(ways: number): Replacement {
  const distance: number[] = new Array(ways).fill(3);
  return {
    touch: (way) => {
      distance[way] = 0;
    },
    fill: (way) => {
      distance[way] = 2;
    },
    victim: () => {
      while (!distance.includes(3)) {
        for (let way = 0; way < ways; way++) distance[way] = (distance[way] ?? 0) + 1;
      }
      return distance.indexOf(3);
    },
  };
}

/** xorshift32 with shifts 13, 17 and 5; a step for each victim. */
function random(ways: number, start: number): Replacement {
  let x = start;
  return {
    touch: () => {},
    fill: () => {},
    victim: () => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return (x >>> 0) % ways;
    },
  };
}

/** The finalizer of MurmurHash3: spreads a seed over 32 bits. */
function fmix32(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h;
}
